import { IMPORT_TIMEOUT_MS } from '../client.ts'
import { done, exitCodes, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'

type Finding = { rule: string; row: string; expected: string; seen: string }

export const checkLog: Command = {
  name: 'log check',
  who: 'operator',
  summary: { en: 'Prove the sealed log from its rows: leaves, payloads, facts, nodes, checkpoints', zh: '核查存证日志：记录、内容、事实、节点、检查点' },
  operands: [],
  options: [],
  teaches: [{
    en: 'Everything is rebuilt from the rows themselves, in one snapshot, while sealing goes on; what is wrong is named by its row. Exit code 3 says that something is. Partners prove the same from outside with berth verify.',
    zh: '在同一快照内由数据行重建并比对，不影响封存；有问题时指出具体行，退出码为 3。对接方可用 berth verify 从外部独立核验。',
  }],
  examples: [{ line: 'berth log check', what: { en: 'every night', zh: '每晚执行' } }],
  run: async (asked) => {
    const checked = await operatorClient(asked).get<{ ok: boolean; findings: Finding[] }>('/operator/log/check', {}, IMPORT_TIMEOUT_MS)
    if (!checked.ok) return refused(checked.problem)
    const { ok, findings } = checked.body
    const zh = asked.lang === 'zh'
    if (ok) return done(checked.body, zh ? '存证日志无误。' : 'The sealed log is whole.')
    const shown = findings.flatMap((finding) => [`✗ ${finding.rule}`, table([[zh ? '行' : 'row', finding.row], [zh ? '应为' : 'expected', finding.expected.slice(0, 200)], [zh ? '实为' : 'seen', finding.seen.slice(0, 200)]], 4)])
    return done(checked.body, [zh ? `发现 ${findings.length} 处问题：` : `${findings.length} ${findings.length === 1 ? 'row is' : 'rows are'} wrong:`, ...shown].join('\n'), exitCodes.found)
  },
}

export const eraseFromLog: Command = {
  name: 'log erase',
  who: 'operator',
  summary: { en: 'Destroy what leaves of the log commit to; the tree stays as it is', zh: '销毁日志记录所承诺的内容，树保持不变' },
  operands: [],
  options: [
    { name: 'docking', value: 'ID', what: { en: 'All leaves of a docking, and the name under which it stands in the log.', zh: '某对接的全部记录及其化名。' } },
    { name: 'leaf', value: 'NUMBER', what: { en: 'One leaf.', zh: '单条记录。' } },
    { name: 'reason', value: 'TEXT', isRequired: true, what: { en: 'Why; it stands in the fact of the erasure.', zh: '理由，写入销毁事实。' } },
  ],
  teaches: [{
    en: 'Salt and payload are gone for good: nobody can tell any more what the leaf said or whose it was, and everybody can still prove that it was there. The facts of the hub and the rows of other rooms are not touched. That something was erased becomes a leaf of the docking itself, which its partner is told. It needs the role owner.',
    zh: '盐值与内容永久销毁：无人能再得知该记录的内容与归属，但仍可证明它曾经存在。主站的事实与其他数据不受影响。销毁本身也会成为该对接的一条记录，对接方会被告知。需要 owner 角色。',
  }],
  examples: [{ line: 'berth log erase --docking dck_01jd… --reason "The docking ended; erasure was asked for on 2027-01-05."', what: { en: 'the right to be forgotten', zh: '履行删除请求' } }],
  run: async (asked) => {
    const [docking, leaf] = [asked.option('docking'), asked.option('leaf')]
    if ((docking === undefined) === (leaf === undefined)) throw new WrongUsage({ en: 'Say either --docking or --leaf.', zh: '--docking 与 --leaf 二者选一。' })
    if (leaf !== undefined && !/^(0|[1-9]\d{0,14})$/.test(leaf)) throw new WrongUsage({ en: `--leaf "${leaf}" is not a number from 0.`, zh: `--leaf “${leaf}”不是从 0 起的编号。` })
    const erased = await operatorClient(asked).post<{ leaves: number; at: string }>('/operator/log/erase', { docking, ...(leaf === undefined ? {} : { leaf: Number(leaf) }), reason: asked.needed('reason') })
    if (!erased.ok) return refused(erased.problem)
    const { leaves, at } = erased.body
    return done(erased.body, asked.lang === 'zh' ? `已于 ${at} 销毁 ${leaves} 条记录的内容。` : `What ${leaves} ${leaves === 1 ? 'leaf' : 'leaves'} committed to was destroyed at ${at}.`)
  },
}
