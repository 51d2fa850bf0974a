import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { canonicalJson } from '../../protocol/canonical.ts'
import { judgeRun, KIT_VERSION, type KitDialect, type Sighting } from '../../protocol/conformance.ts'
import { verifyDocument, type PublishedKey } from '../../protocol/documents.ts'
import type { RunView } from '../../protocol/runs.ts'
import type { SandboxOpened } from '../../protocol/sandbox.ts'
import { done, exitCodes, refused, WrongUsage, type Asked, type Command, type Ending } from '../command.ts'
import { acgCases, type AcgType } from '../conform/acg-cases.ts'
import { runCases, type CaseResult } from '../conform/case.ts'
import { Stand } from '../conform/exchange.ts'
import { JSON_CASES } from '../conform/json-cases.ts'
import { keepSandbox, ownSandbox, partnerClient, strangerClient, type DemoDocking } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { readSmallFile } from '../text-file.ts'
import { dockingOption } from './partner.ts'

const DIALECTS = ['json', 'acg0', 'acg1', 'acg2'] as const

export const conformHub: Command = {
  name: 'conform',
  who: 'partner',
  summary: { en: 'Test a hub against its published contract, with the public kit', zh: '用公开测试套件检验主站是否遵守接口约定' },
  operands: [],
  options: [
    { name: 'url', value: 'URL', what: { en: 'The hub; the default is BERTH_URL.', zh: '主站地址，默认取 BERTH_URL。' } },
    { name: 'dialect', value: 'DIALECT', isRequired: true, oneOf: DIALECTS, what: { en: 'json: the open API; acg0, acg1, acg2: the three protocols of the acg-faka family.', zh: 'json 为开放接口；acg0、acg1、acg2 为异次元发卡的三种协议。' } },
    { name: 'docking', value: 'NAME', what: { en: 'A sandbox of DATA_DIR/sandbox.json; without it a fresh one is opened.', zh: 'DATA_DIR/sandbox.json 中的沙箱；不填则新开一个。' } },
    { name: 'seed', value: 'TEXT', what: { en: 'Repeats a run: references follow from it.', zh: '用于重现：订单号由它推出。' } },
  ],
  teaches: [
    { en: 'Each case is one promise: a right signature accepted, a wrong one refused with its code, a repeat that is charged once. Exit code 3 means that the hub broke one. Everything happens in a sandbox.', zh: '每个用例检验一条约定：正确签名被接受、错误签名按代码拒绝、重发只扣一次等。退出码 3 表示主站未遵守。全部在沙箱中进行。' },
    { en: 'To have your own platform judged, see: berth conform platform --help', zh: '检验自己的平台请见：berth conform platform --help' },
  ],
  examples: [
    { line: 'berth conform --url https://hub.example --dialect json', what: { en: 'the open API of a hub', zh: '检验主站的开放接口' } },
    { line: 'berth conform --dialect acg0 --json', what: { en: 'as a report for programs', zh: '输出供程序读取的报告' } },
  ],
  run: async (asked) => {
    const dialect = asked.needed('dialect') as (typeof DIALECTS)[number]
    const opened = await sandboxFor(asked, dialect === 'json' ? 'json' : 'acg')
    if ('exitCode' in opened) return opened
    const seed = asked.option('seed') ?? randomBytes(6).toString('hex')
    const cases = dialect === 'json' ? JSON_CASES : acgCases(Number(dialect.slice(3)) as AcgType)
    const results = await runCases(new Stand(opened.hub, opened.docking, seed), cases, ({ id, verdict }) => asked.progress(`${verdict === 'pass' ? '✓' : '✗'} ${id}`))
    asked.progress('')
    return hubEnding({ kit: KIT_VERSION, direction: 'hub', hub: opened.hub, dialect, seed, docking: opened.docking.id, at: new Date(asked.nowMs()).toISOString() }, results, asked.lang)
  },
}

async function sandboxFor(asked: Asked, dialect: 'json' | 'acg'): Promise<{ hub: string; docking: DemoDocking } | Ending> {
  const { env, option, lang } = asked
  const named = option('docking')
  const own = named === undefined ? null : ownSandbox(env, named)
  if (named !== undefined && !own) throw new WrongUsage({ en: `sandbox.json has no docking ${named}.`, zh: `sandbox.json 中没有对接 ${named}。` })
  if (own) return own
  const client = strangerClient({ env, lang, option: (name) => (name === 'hub' ? option('url') : undefined) })
  const opened = await client.post<SandboxOpened>('/api/sandbox/applications', { name: 'Conformance kit', dialect })
  if (!opened.ok) return refused(opened.problem)
  const { docking: id, name, mode, baseUrl, credentials } = opened.body
  const docking = { name, id, mode, dialect: opened.body.dialect, baseUrl, ...credentials } as DemoDocking
  keepSandbox(env, opened.body.hub, docking)
  return { hub: opened.body.hub, docking }
}

function hubEnding(about: Record<string, string>, results: readonly CaseResult[], lang: Lang): Ending {
  const failed = results.filter(({ verdict }) => verdict === 'fail')
  const zh = lang === 'zh'
  const inputHash = createHash('sha256').update(canonicalJson({ kit: about.kit!, seed: about.seed!, dialect: about.dialect!, cases: results.map(({ id }) => id) })).digest('hex')
  const report = { ...about, inputHash, verdict: failed.length === 0 ? 'green' : 'red', cases: results }
  return done(report, [
    table(results.map(({ id, verdict, what, seen }) => [verdict === 'pass' ? '✓' : '✗', id, what[lang], verdict === 'pass' ? '' : seen]), 0),
    '',
    `${about.dialect} · ${zh ? '套件' : 'kit'} ${about.kit} · seed ${about.seed} · ${inputHash}`,
    failed.length === 0 ? (zh ? `全部 ${results.length} 项符合约定` : `All ${results.length} promises are kept`) : zh ? `${results.length} 项中有 ${failed.length} 项不符合约定` : `${failed.length} of ${results.length} promises are broken`,
  ].join('\n'), failed.length === 0 ? exitCodes.done : exitCodes.found)
}

const TEACH_RUN = {
  en: 'In its sandbox your platform does the tasks, one at a time: begin one, let your own software do it, begin the next, and finish. The hub judges from the requests that it saw, and signs the report. A green run is a badge for 90 days.',
  zh: '贵方平台在沙箱中逐项完成任务：开始一项，用自己的软件完成，再开始下一项，最后结束。主站按所见请求判定并签名；通过即得 90 天有效的徽章。',
}

export const conformPlatform: Command = {
  name: 'conform platform',
  who: 'partner',
  summary: { en: 'Begin a run that judges your platform in its sandbox', zh: '开始一次对接测试，检验贵方平台' },
  operands: [],
  options: [dockingOption],
  teaches: [TEACH_RUN],
  examples: [{ line: 'berth conform platform', what: { en: 'shows the tasks', zh: '列出任务' } }],
  run: (asked) => shown(asked.lang, partnerClient(asked).post<RunView>('/api/conformance', {})),
}

const runOption = { name: 'run', value: 'RUN', what: { en: 'The id of the run; the default is the newest.', zh: '测试编号，默认最新一次。' } }

export const conformTask: Command = {
  name: 'conform task',
  who: 'partner',
  summary: { en: 'Begin one task of your run', zh: '开始一项任务' },
  operands: [{ name: 'TASK', what: { en: 'Such as sign, order, survive_timeout.', zh: '如 sign、order、survive_timeout。' } }],
  options: [runOption, dockingOption],
  teaches: [{ en: 'Whatever your sandbox is sent from now on counts for this task, until the next one begins. A fault that the task needs is armed.', zh: '从现在起沙箱收到的请求都计入此任务，直到开始下一项；任务所需的故障会自动设好。' }],
  examples: [{ line: 'berth conform task survive_timeout', what: { en: 'the next order gets no answer', zh: '下一个订单将没有应答' } }],
  run: async (asked) => {
    const client = partnerClient(asked)
    const run = await newest(client, asked.option('run'))
    return typeof run === 'string' ? shown(asked.lang, client.post<RunView>(`/api/conformance/${encodeURIComponent(run)}/tasks`, { task: asked.operands[0]! })) : run
  },
}

export const conformFinish: Command = {
  name: 'conform finish',
  who: 'partner',
  summary: { en: 'Have your run judged, and get the signed report', zh: '结束测试，取得签名报告' },
  operands: [],
  options: [runOption, dockingOption],
  teaches: [{ en: 'Exit code 3 means red. With --json the whole report is printed, as "berth conform verify" reads it.', zh: '退出码 3 表示未通过。--json 输出完整报告，可供 berth conform verify 核对。' }],
  examples: [{ line: 'berth conform finish --json > report.json', what: { en: 'keep the report', zh: '保存报告' } }],
  run: async (asked) => {
    const client = partnerClient(asked)
    const run = await newest(client, asked.option('run'))
    if (typeof run !== 'string') return run
    const finished = await client.post<RunView>(`/api/conformance/${encodeURIComponent(run)}/finish`, {})
    if (!finished.ok) return refused(finished.problem)
    return done(finished.body.report, showRun(finished.body, asked.lang), finished.body.state === 'green' ? exitCodes.done : exitCodes.found)
  },
}

export const conformShow: Command = {
  name: 'conform show',
  who: 'partner',
  summary: { en: 'Your runs, your badge, and how your live docking was admitted', zh: '查看测试记录、徽章与准入方式' },
  operands: [],
  options: [dockingOption],
  teaches: [],
  examples: [{ line: 'berth conform show', what: { en: 'as a table', zh: '表格形式' } }],
  run: async (asked) => {
    type Admission = { run: string | null; waiver: string | null; by: string }
    const list = await partnerClient(asked).get<{ items: RunView[]; badge: { page: string; validUntil: string } | null; admission: Admission | null }>('/api/conformance')
    if (!list.ok) return refused(list.problem)
    const { items, badge, admission } = list.body
    const zh = asked.lang === 'zh'
    return done(list.body, [
      table(items.map((run) => [run.id, run.dialect, STATES[run.state][asked.lang], run.finishedAt ?? run.startedAt, run.page]), 0) || (zh ? '还没有测试，用 berth conform platform 开始。' : 'No run yet; berth conform platform begins one.'),
      ...(badge === null ? [] : [`${zh ? '徽章' : 'badge'}  ${badge.page}  ${badge.validUntil}`]),
      ...(admission === null ? [] : [`${zh ? '准入' : 'admitted'}  ${admission.run ?? `${zh ? '豁免' : 'waiver'}: ${admission.waiver}`} (${admission.by})`]),
    ].join('\n'))
  },
}

export const conformVerify: Command = {
  name: 'conform verify',
  who: 'partner',
  summary: { en: 'Work the verdict of a report out again, and check the signature of the hub', zh: '按报告重新判定，并核对主站签名' },
  operands: [{ name: 'FILE', what: { en: 'report.json of a run.', zh: '测试的 report.json。' } }],
  options: [{ name: 'hub', value: 'URL', what: { en: 'The hub whose published keys count; the default is BERTH_URL.', zh: '以其公布的密钥为准的主站，默认取 BERTH_URL。' } }],
  teaches: [{ en: 'Nothing in the file is believed: the verdict follows from the requests in it, the input hash from their bytes, and the signature from a key that the hub publishes. Exit code 3 means that something does not hold.', zh: '不轻信文件内容：结论由其中的请求重新得出，摘要由字节重新计算，签名按主站公布的密钥核对。退出码 3 表示不成立。' }],
  examples: [{ line: 'berth conform verify report.json --hub https://hub.example', what: { en: 'somebody showed you a report', zh: '核对他人出示的报告' } }],
  run: async (asked) => {
    const report = readReport(asked.operands[0]!)
    const published = await strangerClient(asked).get<{ keys: PublishedKey[] }>('/.well-known/berth')
    if (!published.ok) return refused(published.problem)
    const judged = judgeRun(report.dialect, report.sightings, report.text)
    const holds = {
      signature: await verifyDocument(report, published.body.keys, verifyEd25519),
      inputHash: createHash('sha256').update(canonicalJson(report.sightings)).digest('hex') === report.inputHash,
      verdict: judged.verdict === report.verdict && canonicalJson(judged.cases) === canonicalJson(report.cases),
      kit: report.kit === KIT_VERSION,
    }
    const all = Object.values(holds).every(Boolean)
    const zh = asked.lang === 'zh'
    const names = { signature: zh ? '主站签名' : 'signature of the hub', inputHash: zh ? '输入摘要' : 'input hash', verdict: zh ? '结论可重现' : 'verdict worked out again', kit: zh ? `套件版本 ${KIT_VERSION}` : `kit ${KIT_VERSION}` }
    return done({ ...holds, worked: judged.verdict }, [
      table(Object.entries(holds).map(([name, ok]) => [ok ? '✓' : '✗', names[name as keyof typeof names]]), 0),
      `${report.run} · ${report.dialect} · ${STATES[judged.verdict][asked.lang]}`,
    ].join('\n'), all ? exitCodes.done : exitCodes.found)
  },
}

type Report = { run: string; dialect: KitDialect; kit: string; text: string; verdict: string; cases: ReturnType<typeof judgeRun>['cases']; inputHash: string; sightings: Sighting[] }

function readReport(file: string): Report {
  try {
    const report = JSON.parse(readSmallFile(file)) as Report
    if ((report.dialect === 'json' || report.dialect === 'acg') && Array.isArray(report.sightings) && Array.isArray(report.cases)) return report
  } catch (error) {
    if (error instanceof WrongUsage) throw error
  }
  throw new WrongUsage({ en: `${file} is no report of a conformance run.`, zh: `${file} 不是对接测试报告。` })
}

const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): boolean {
  return verify(null, bytes, createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' }), signature)
}

const STATES = { open: { en: 'under way', zh: '进行中' }, green: { en: 'green', zh: '通过' }, red: { en: 'red', zh: '未通过' } } as const

async function newest(client: ReturnType<typeof partnerClient>, given: string | undefined): Promise<string | Ending> {
  if (given !== undefined) return given
  const list = await client.get<{ items: RunView[] }>('/api/conformance')
  if (!list.ok) return refused(list.problem)
  const [run] = list.body.items
  if (!run) throw new WrongUsage({ en: 'There is no run yet: berth conform platform begins one.', zh: '还没有测试：请先执行 berth conform platform。' })
  return run.id
}

async function shown(lang: Lang, asked: ReturnType<ReturnType<typeof partnerClient>['post']>): Promise<Ending> {
  const run = await asked
  return run.ok ? done(run.body, showRun(run.body as RunView, lang)) : refused(run.problem)
}

function showRun(run: RunView, lang: Lang): string {
  const marks = { pass: '✓', fail: '✗' } as const
  const cases = ((run.report as { cases?: Report['cases'] } | undefined)?.cases) ?? []
  return [
    `${run.id} · ${run.dialect} · ${STATES[run.state][lang]}`,
    table(run.tasks.map((task) => [task.verdict === null ? (task.id === run.task ? '>' : '·') : marks[task.verdict], task.id, cases.find(({ id }) => id === task.id)?.seen[lang] ?? task.what[lang]]), 0),
    run.page,
  ].join('\n')
}
