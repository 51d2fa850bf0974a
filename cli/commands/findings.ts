import { done, refused, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'

type Finding = { id: string; docking: string; detector: string; day: string; good: string; bands: { orders: string; beat: string; night: string; notEvaluated: string[] }; evidence: { id: string; kind: string; sha256: string }; foundAt: string }

export const listFindings: Command = {
  name: 'findings list',
  who: 'operator',
  summary: { en: 'What pattern detectors saw', zh: '列出检测疑点' },
  operands: [],
  options: [{ name: 'before', value: 'FINDING', what: { en: 'Older ones than this.', zh: '更早的。' } }],
  teaches: [
    { en: 'A finding is a suggestion: it holds nothing and tells nobody. Only a decision does, and it needs a ground of its own; cite the finding there with --evidence ID:finding:SHA256.', zh: '疑点只是线索，不会限制或通知任何人。只有处理决定才有效力，且须有自己的依据；引用时写 --evidence 编号:finding:SHA256。' },
    { en: 'Values stand in bands. The thresholds are this hub\'s own and shown to nobody; a reviewer sees the whole evidence.', zh: '数值以区间显示。阈值由本主站自行抽取，不对任何人显示；复核人员可查看完整证据。' },
  ],
  examples: [{ line: 'berth findings list', what: { en: 'newest first', zh: '最新的在前' } }],
  run: async (asked) => {
    const page = await operatorClient(asked).get<{ items: Finding[]; next: string | null }>('/operator/findings', { before: asked.option('before') })
    if (!page.ok) return refused(page.problem)
    const zh = asked.lang === 'zh'
    if (page.body.items.length === 0) return done(page.body, zh ? '没有疑点。' : 'Nothing was found.')
    const head = zh ? ['编号', '日期', '对接', '商品', '订单数', '节奏', '夜间', '证据'] : ['id', 'day', 'docking', 'good', 'orders', 'beat', 'night', 'evidence']
    return done(page.body, table([head, ...page.body.items.map((one) => [one.id, one.day, one.docking, one.good, one.bands.orders, one.bands.beat, one.bands.night, one.evidence.sha256])], 0))
  },
}

export const showEvidence: Command = {
  name: 'findings evidence',
  who: 'operator',
  summary: { en: 'The whole evidence of a finding, for whoever decides an appeal', zh: '查看疑点的完整证据（供复核）' },
  operands: [{ name: 'FINDING', what: { en: 'The id of the finding, fnd_….', zh: '疑点编号，fnd_…。' } }],
  options: [],
  teaches: [{ en: 'Needs the role reviewer. SHA-256 over the RFC 8785 form of evidence is the hash that the statement gave.', zh: '需要 reviewer 角色。evidence 按 RFC 8785 规范化后的 SHA-256 即处理说明所列的哈希。' }],
  examples: [{ line: 'berth findings evidence fnd_01jd… --json', what: { en: 'values, thresholds and weights', zh: '数值、阈值与权重' } }],
  run: async (asked) => {
    const page = await operatorClient(asked).get<{ items: object[] }>('/operator/findings/evidence', { finding: asked.operands[0]! })
    return page.ok ? done(page.body, page.body.items.length === 0 ? (asked.lang === 'zh' ? '没有此疑点。' : 'There is no such finding.') : JSON.stringify(page.body.items[0], null, 2)) : refused(page.problem)
  },
}
