import { hash } from 'node:crypto'
import { join } from 'node:path'
import { auditLog, cosign, HubUnreachable as LogUnreachable, LogWatch, type Decision, type ErasedLeaf, type LogFault, type LogLook, type MyLeaves, type Own, type WitnessView } from '../../sdk/index.ts'
import { HubUnreachable } from '../client.ts'
import { done, exitCodes, refused, type Asked, type Command, type Ending } from '../command.ts'
import { dataDirOf, partnerClient, strangerClient } from '../credentials.ts'
import { fileStore, keepEvidence, stateFileOf, witnessKey } from '../log-state.ts'
import { table } from '../screen.ts'
import { dockingOption } from './partner.ts'

const hubOption = { name: 'hub', value: 'URL', what: { en: 'The address of the main site; the default is BERTH_URL.', zh: '主站地址，默认取 BERTH_URL。' } }
const stateOption = {
  name: 'state', value: 'FILE', what: { en: 'Where the newest checkpoint and the pinned key are remembered; default DATA_DIR/log-HOST.json. Keep it.', zh: '保存最新检查点与固定公钥的文件，默认 DATA_DIR/log-HOST.json，请妥善保存。' },
}
const TRUSTS = {
  en: 'Nothing that the hub says is believed: its key is taken at the first look and pinned in the state file; after that every checkpoint must be signed with it and go on from the one remembered.',
  zh: '不采信主站的任何说法：首次查看时取得公钥并固定在状态文件中，此后每个检查点都必须由它签名，且是所记检查点的延续。',
}

export const verifyLog: Command = {
  name: 'verify',
  who: 'partner',
  summary: { en: 'Verify the sealed log of a main site: nothing changed, cut, reordered or kept back', zh: '核验主站的存证日志：未被修改、截断、调序或扣留' },
  operands: [],
  options: [hubOption, { ...dockingOption, what: { en: 'Verify the leaves and statements of this docking too; without it that of the keys in the environment, if there are any.', zh: '同时核验该对接自己的记录与处理说明；不填则用环境变量中的密钥（如有）。' } }, stateOption],
  teaches: [
    TRUSTS,
    {
      en: 'Then the whole tree is rebuilt from its leaves: an edited, deleted, moved or missing leaf is named by its number, blocks that leave facts out and counters with a gap too. With a docking, its own leaves are opened and its statements of reasons compared with what was sealed.',
      zh: '随后用全部记录重建整棵树：被改、被删、被移动或缺失的记录会指明编号，遗漏事实的区块与不连续的编号也会指出。给出对接时，还会打开其自身记录，并将处理说明与封存内容比对。',
    },
    {
      en: 'Exit code 0: all holds. 3: something is wrong; it is named, and what proves it is kept in a file beside the state, such as two checkpoints that contradict each other. 4: the hub cannot be reached. 2: the state file cannot be used.',
      zh: '退出码 0：全部成立；3：发现问题，逐项指明，证据（如两个相互矛盾的检查点）写入状态文件旁；4：无法连接主站；2：状态文件不可用。',
    },
  ],
  examples: [
    { line: 'berth verify --hub https://hub.example', what: { en: 'as anybody, every day', zh: '任何人均可，每日执行' } },
    { line: 'berth verify --docking acme --state acme-log.json', what: { en: 'with your own leaves', zh: '连同自己的记录' } },
  ],
  run: async (asked) => reaching(async () => {
    const { url } = strangerClient(asked)
    const state = stateFileOf(asked.env, url, asked.option('state'))
    const watch = new LogWatch({ url, store: fileStore(state), language: asked.lang, sha256: (bytes) => hash('sha256', bytes, 'buffer') })
    const look = await watch.look()
    const own = await ownOf(asked, url)
    if (own.refused) return own.refused
    const { faults, leaves, erased, witnesses } = await auditLog(watch, look, own.own, (leaves, size) => asked.progress(asked.lang === 'zh' ? `已核验 ${leaves} / ${size} 条` : `${leaves} of ${size} leaves`))
    asked.progress('')
    return ending(asked, { url, state, look, own: own.own, leaves, erased, witnesses, faults })
  }),
}

/** All that the docking holds against the log; null without a docking. */
async function ownOf(asked: Asked, url: string): Promise<{ own: Own | null; refused?: Ending }> {
  const { env, option } = asked
  if (option('docking') === undefined && !env.BERTH_KEY_ID && !env.BERTH_API_KEY) return { own: null }
  const client = partnerClient({ ...asked, env: option('hub') === undefined ? env : { ...env, BERTH_URL: url } })
  const me = await client.get<{ id: string }>('/api/docking')
  if (!me.ok) return { own: null, refused: refused(me.problem) }
  const decisions = await client.list<Decision>('/api/decisions?state=all', 'cursor')
  if (!decisions.ok) return { own: null, refused: refused(decisions.problem) }
  const leaves: MyLeaves[] = []
  const shown = new Set(me.checkpoint === undefined ? [] : [me.checkpoint])
  for (let after = 0; ; ) {
    const page = await client.get<MyLeaves>('/api/log/mine', { after: String(after), limit: '500' })
    if (!page.ok) return { own: null, refused: refused(page.problem) }
    leaves.push(page.body)
    if (page.checkpoint !== undefined) shown.add(page.checkpoint)
    if (page.body.next === null) return { own: { docking: me.body.id, leaves, decisions: decisions.body, shown: [...shown] } }
    after = page.body.next
  }
}

type Found = { url: string; state: string; look: LogLook; own: Own | null; leaves: number; erased: readonly ErasedLeaf[]; witnesses: number; faults: readonly LogFault[] }

function ending(asked: Asked, { url, state, look, own, leaves, erased, witnesses, faults }: Found): Ending {
  const zh = asked.lang === 'zh'
  const checkpoint = look.note && { origin: look.note.checkpoint.origin, size: look.note.checkpoint.size, root: Buffer.from(look.note.checkpoint.root).toString('base64') }
  const json = { hub: url, ok: faults.length === 0, checkpoint, key: look.key && Buffer.from(look.key.publicKey).toString('base64'), before: look.before?.checkpoint.size ?? null, leaves, own: own?.leaves.flatMap((page) => page.items).length ?? null, erased, witnesses, faults, state }
  if (faults.length > 0) {
    const file = keepEvidence(state, { hub: url, at: new Date(asked.nowMs()).toISOString(), remembered: look.before && { text: look.before.text }, faults }, asked.nowMs())
    return done({ ...json, evidence: file }, [
      zh ? `✗ ${url} 的日志有 ${faults.length} 处问题：` : `✗ The log of ${url} does not hold: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}.`,
      ...faults.slice(0, 20).flatMap((one) => [`  ${one.kind}  ${one.words[asked.lang]}`, ...one.evidence.slice(0, 2).map((text) => text.trimEnd().split('\n').map((line) => `      ${line.slice(0, 200)}`).join('\n'))]),
      zh ? `证据已保存到 ${file}` : `What proves it is kept in ${file}`,
    ].join('\n'), exitCodes.found)
  }
  return done(json, [
    zh ? `✓ ${url} 的日志成立：${leaves} 条记录无一被改、被删、被移动。` : `✓ The log of ${url} holds: of ${leaves} leaves none was changed, removed or moved.`,
    table([
      [zh ? '日志' : 'log', checkpoint!.origin], [zh ? '公钥' : 'key', json.key!], [zh ? '大小' : 'size', String(checkpoint!.size)], [zh ? '根' : 'root', checkpoint!.root],
      [zh ? '此前' : 'before', json.before === null ? (zh ? '首次查看，已固定公钥' : 'first look; the key is pinned now') : (zh ? `${json.before} 条，为其延续` : `${json.before} leaves; it goes on from them`)],
      ...(own === null ? [] : [[zh ? '自己的记录' : 'your leaves', zh ? `${json.own} 条，编号连续，均与所告知的一致` : `${json.own}, counted without a gap, all as you were told`]]),
      ...(erased.length === 0 ? [] : [[zh ? '已销毁' : 'erased', erased.map(({ leaf, decision }) => (decision === null ? `${leaf}` : `${leaf} (${decision})`)).join(', ').slice(0, 500)]]),
      [zh ? '见证方' : 'witnesses', String(witnesses)], [zh ? '状态文件' : 'state', state],
    ]),
  ].join('\n'))
}

export const witnessLog: Command = {
  name: 'witness',
  who: 'partner',
  summary: { en: 'Check the newest checkpoint and sign it as a witness', zh: '核对最新检查点并作为见证方签名' },
  operands: [],
  options: [hubOption, dockingOption, stateOption, { name: 'key', value: 'FILE', what: { en: 'Your witness key in PEM, made at the first use; default DATA_DIR/witness.key.', zh: '见证私钥（PEM），首次使用时生成，默认 DATA_DIR/witness.key。' } }],
  teaches: [
    TRUSTS,
    { en: 'Only a checkpoint that goes on from the one remembered is signed. Every witness makes it harder to show two histories: run this from a timer. The key has nothing to do with your API keys.', zh: '只签署确为延续的检查点。见证方越多，主站越无法出示两份历史：请定时执行。此密钥与接口密钥无关。' },
  ],
  examples: [{ line: 'berth witness', what: { en: 'every few minutes', zh: '每隔几分钟执行' } }],
  run: async (asked) => reaching(async () => {
    const client = partnerClient(asked.option('hub') === undefined ? asked : { ...asked, env: { ...asked.env, BERTH_URL: asked.option('hub') } })
    const state = stateFileOf(asked.env, client.url, asked.option('state'))
    const look = await new LogWatch({ url: client.url, store: fileStore(state), language: asked.lang }).look()
    if (look.note === null || look.faults.length > 0) return ending(asked, { url: client.url, state, look, own: null, leaves: 0, erased: [], witnesses: 0, faults: look.faults })
    if (look.note.checkpoint.size === 0) return done({ size: 0 }, asked.lang === 'zh' ? '日志尚无记录，无需签名。' : 'The log is empty yet: there is nothing to sign.')
    const key = await witnessKey(asked.option('key') ?? join(dataDirOf(asked.env), 'witness.key'))
    const signed = await client.post<WitnessView>('/api/log/witness', await cosign(look.note, key, Math.floor(asked.nowMs() / 1000)))
    if (!signed.ok) return refused(signed.problem)
    const { name, size, signedAt } = signed.body
    return done(signed.body, asked.lang === 'zh' ? `${name} 已签署大小为 ${size} 的检查点（${signedAt}）` : `${name} has signed the checkpoint of size ${size} at ${signedAt}`)
  }),
}

/** The reader of the log says in its own words that nobody answers. */
async function reaching(work: () => Promise<Ending>): Promise<Ending> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof LogUnreachable ? new HubUnreachable(error.words) : error
  }
}
