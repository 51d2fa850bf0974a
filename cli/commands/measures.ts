import { reasonCodes, reasonOf } from '../../protocol/reasons.ts'
import { MEASURE_KINDS } from '../../protocol/statement.ts'
import { done, refused, WrongUsage, type Asked, type Command, type Ending, type Option } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { nameOf, table, type Lang } from '../screen.ts'
import { readSmallFile } from '../text-file.ts'
import type { Client } from '../client.ts'
import { readEvidence, readGround } from './decisions.ts'
import { dockingOperand, findDocking } from './docking.ts'
import { readTime, timeForm } from './time.ts'

const codes = reasonCodes.filter((code) => reasonOf(code).kind === 'measure')
const decisionOperand = { name: 'DECISION', what: { en: 'The id of the decision, dec_….', zh: '处理决定编号，dec_…。' } }

type Standing = { state: string; endedAt: string | null; how: string | null; note: string | null; supersededBy: string | null }
type Shown = {
  id: string; docking: string; code: string; class: string; measure: string; scope: string[]; effectiveAt: string; endsAt: string | null; decidedAt: string; decidedBy: string; approvedBy: string | null; standing: Standing
  statement: { facts: { text: string }[]; ground: { type: string; ref: string; article: string }[]; remedy: { action: { en: string; zh: string } }[]; measure: { goods: string[]; keys: string[]; allows: Record<string, string | number> } }
}
type Drafted = { draft: string; madeBy: string }

const KINDS: readonly (readonly [kind: string, en: string, zh: string])[] = [
  ['warn', 'tells and stops nothing', '只告知，不限制'], ['throttle', 'fewer requests a second (--rate)', '降低每秒请求数（--rate）'], ['suspend', 'stops the scope', '暂停所列范围'], ['refuse', 'refuses the scope', '拒绝所列范围'],
  ['delist', 'these goods are not sold to it (--good)', '不再向其销售所列商品（--good）'], ['withdraw_offer', 'the same, as an offer taken back (--good)', '同上，表示撤回供应（--good）'], ['limit', 'at most so many pieces an order (--pieces)', '每单最多件数（--pieces）'],
  ['key_quarantine', 'these keys open nothing (--key)', '所列密钥不可用（--key）'], ['terminate', 'ends the relation, 30 days later (--release)', '30 天后终止合作（--release）'], ['reprice', 'own prices of these goods may go up to a price (--good, --price-max)', '允许所列商品专属价升至上限（--good、--price-max）'],
  ['level', 'the docking may be moved to a dearer level or group (--level, --group)', '允许移到更贵的等级或价格组（--level、--group）'], ['restrict_payout, credit, channel', 'nothing here to hold yet: refused', '本站尚无可作用对象，不予受理'],
]

const statementOptions: readonly Option[] = [
  { name: 'file', value: 'FILE', what: { en: 'The whole statement as JSON, in place of the options below.', zh: '完整处理说明的 JSON 文件，代替以下选项。' } },
  { name: 'kind', value: 'KIND', isRequired: true, unless: 'file', oneOf: MEASURE_KINDS, what: { en: 'What the measure does; see below.', zh: '措施种类，见下。' } },
  { name: 'code', value: 'CODE', isRequired: true, unless: 'file', oneOf: codes, what: { en: 'The reason; berth hold --help lists them.', zh: '原因代码，见 berth hold --help。' } },
  { name: 'scope', value: 'SCOPE', isMany: true, what: { en: 'What it is on: orders, goods, key; each kind has its usual one.', zh: '范围：orders、goods、key；各种类有默认值。' } },
  { name: 'good', value: 'CODE', isMany: true, what: { en: 'A good, by code or id.', zh: '商品编码或编号，可多次给出。' } },
  { name: 'key', value: 'KEY', isMany: true, what: { en: 'A key, by id.', zh: '密钥编号，可多次给出。' } },
  { name: 'rate', value: 'N', what: { en: 'Requests a second.', zh: '每秒请求数。' } },
  { name: 'pieces', value: 'N', what: { en: 'Pieces an order.', zh: '每单件数。' } },
  { name: 'price-max', value: 'YUAN', what: { en: 'The highest own price.', zh: '专属价上限。' } },
  { name: 'level', value: 'LEVEL', what: { en: 'The dearer level.', zh: '更贵的等级。' } },
  { name: 'group', value: 'GROUP', what: { en: 'The dearer price group.', zh: '更贵的价格组。' } },
  { name: 'fact', value: 'TEXT', isMany: true, isRequired: true, unless: 'file', what: { en: 'What was found, in a sentence the partner can check.', zh: '查明的事实，写成对方可核实的一句话，可多次给出。' } },
  { name: 'period', value: 'FROM..TO', what: { en: 'When the facts happened; without it they count as old news beside another class.', zh: '事实发生的期间；不写则在换类判断中视为早已知悉。' } },
  { name: 'ground', value: 'TYPE:REF:ARTICLE[:DATE]', isMany: true, what: { en: 'REF is a law, the id of a published rule (rul_…) or of a contract (ctr_…).', zh: '依据；REF 为法律名称、公示规则编号（rul_…）或合同编号（ctr_…）。' } },
  { name: 'evidence', value: 'ID:KIND:SHA256', isMany: true, what: { en: 'Evidence; a technical measure takes the run of berth check run.', zh: '证据；技术类须为 berth check run 的记录。' } },
  { name: 'remedy-en', value: 'TEXT', isRequired: true, unless: 'file', what: { en: 'What the partner can do, in English.', zh: '对方如何补救（英文）。' } },
  { name: 'remedy-zh', value: 'TEXT', isRequired: true, unless: 'file', what: { en: 'The same in Chinese.', zh: '对方如何补救（中文）。' } },
  { name: 'lifts-when', value: 'CHECK|TEXT', what: { en: 'The check that lifts it when it is green, such as ledger.funds; or in words when a person will.', zh: '通过即自动解除的检测，如 ledger.funds；或用文字写明何时由人解除。' } },
  { name: 'starts', value: 'TIME', what: { en: `When it begins (${timeForm.en}); default at once.`, zh: `生效时间（${timeForm.zh}），默认立即。` } },
  { name: 'ends', value: 'TIME', what: { en: 'When it ends by itself.', zh: '自动终止时间。' } },
  { name: 'review', value: 'TIME', what: { en: 'When it is looked at again, within 90 days.', zh: '复核时间，90 天以内。' } },
  { name: 'release', value: 'TIME', what: { en: 'When the balance is released.', zh: '余额解冻时间。' } },
]

/** The statement that was typed, or that lies in the file. Throws WrongUsage for what cannot be read. */
function statementOf(asked: Asked): unknown {
  const file = asked.option('file')
  if (file !== undefined) {
    try {
      return JSON.parse(readSmallFile(file))
    } catch (error) {
      if (error instanceof WrongUsage) throw error
      throw new WrongUsage({ en: `${file} is not JSON.`, zh: `${file} 不是 JSON。` })
    }
  }
  const period = readPeriod(asked.option('period'))
  const scope = asked.all('scope').flatMap((text) => text.split(','))
  const releaseAt = readTime('release', asked.option('release'))
  return {
    code: asked.needed('code'),
    measure: {
      kind: asked.needed('kind'), ...(scope.length === 0 ? {} : { scope }), goods: asked.all('good'), keys: asked.all('key'),
      allows: {
        requestsPerSecond: count('rate', asked.option('rate')), unitsPerOrder: count('pieces', asked.option('pieces')), unitPriceMax: asked.option('price-max'), level: asked.option('level'), priceGroup: asked.option('group'),
      },
      effectiveAt: readTime('starts', asked.option('starts')), endsAt: readTime('ends', asked.option('ends')), liftsWhen: asked.option('lifts-when'),
    },
    facts: asked.all('fact').map((text) => (period === null ? text : { text, period })),
    ground: asked.all('ground').map(readGround), evidence: asked.all('evidence').map(readEvidence),
    remedy: [{ action: { en: asked.needed('remedy-en'), zh: asked.needed('remedy-zh') } }],
    reviewAt: readTime('review', asked.option('review')), ...(releaseAt === undefined ? {} : { funds: { releaseAt } }),
  }
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new WrongUsage({ en: `--${name} is a whole number above zero.`, zh: `--${name} 须为大于零的整数。` })
}

function readPeriod(text: string | undefined): { from: string; to: string } | null {
  if (text === undefined) return null
  const [from, to, more] = text.split('..')
  if (!from || !to || more !== undefined) throw new WrongUsage({ en: `--period "${text}": write FROM..TO, such as 2026-10-01..2026-10-31.`, zh: `--period “${text}”：请写成 起..止，如 2026-10-01..2026-10-31。` })
  return { from: readTime('period', from)!, to: readTime('period', to)! }
}

const kindsInWords = {
  en: `Kinds: ${KINDS.map(([kind, en]) => `${kind} (${en})`).join('; ')}.`,
  zh: `措施种类：${KINDS.map(([kind, , zh]) => `${kind}（${zh}）`).join('；')}。`,
}
const proofInWords = {
  en: 'What proves it depends on the class of the code: technical a red run of this docking of the last 24 hours, commercial a signed contract or a rule in force that was public for 7 days, compliance an article. Whoever was told one class is not told another over what was known before.',
  zh: '依据取决于代码类别：技术类须有 24 小时内对该对接的不通过检测，商务类须有已签合同或已施行且公示满 7 天的规则，合规类须有法条。已告知一类理由后，不得就此前已知的事实改告另一类。',
}

export const decideMeasure: Command = {
  name: 'decide',
  who: 'operator',
  summary: { en: 'Decide a measure of any kind, with its whole statement of reasons', zh: '作出任一种类的处理决定，并出具完整处理说明' },
  operands: [dockingOperand],
  options: statementOptions,
  teaches: [kindsInWords, proofInWords, { en: 'Where the law forbids telling the facts (compliance.withheld_by_law) the answer is a draft: another person approves it with berth decision approve.', zh: '依法不得告知事实时（compliance.withheld_by_law）先成为草案，须由另一人用 berth decision approve 复核。' }],
  examples: [
    { line: 'berth decide dck_01jd… --kind limit --pieces 20 --code compliance.prepaid_limit --fact "Orders of 200 cards were placed by one buyer." --period 2026-10-01..2026-10-31 --ground law:单用途商业预付卡管理办法:第十八条 --remedy-en "Show the real names." --remedy-zh "请提供实名信息。"', what: { en: 'smaller orders instead of none', zh: '限量而不停单' } },
    { line: 'berth decide dck_01jd… --file statement.json', what: { en: 'the whole statement from a file', zh: '从文件读取完整说明' } },
  ],
  run: async (asked) => {
    const statement = statementOf(asked)
    const client = operatorClient(asked)
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    return shown(await client.post<Shown | Drafted>(`/operator/dockings/${docking.id}/decisions`, statement), asked.lang)
  },
}

export const supersedeDecision: Command = {
  name: 'supersede',
  who: 'operator',
  summary: { en: 'Put another decision in the place of one that is open', zh: '以新的处理决定取代仍生效的决定' },
  operands: [decisionOperand],
  options: [{ name: 'note', value: 'TEXT', isRequired: true, what: { en: 'Why; kept with the old decision.', zh: '取代理由，随原决定留存。' } }, ...statementOptions],
  teaches: [{ en: 'The new one names the old, and the old ends in the same moment; if the new one is refused the old stands. A decision is never edited.', zh: '新决定注明原决定，原决定同时终止；新决定不成立则原决定不变。处理决定不可修改。' }, kindsInWords],
  examples: [{ line: 'berth supersede dec_01jd… --note "Only orders above 20 pieces are concerned." --file statement.json', what: { en: 'a milder measure', zh: '改为更轻的措施' } }],
  run: async (asked) => shown(await operatorClient(asked).post<Shown>(`/operator/decisions/${encodeURIComponent(asked.operands[0]!)}/supersede`, { note: asked.needed('note'), statement: statementOf(asked) }), asked.lang),
}

export const approveDecision: Command = {
  name: 'decision approve',
  who: 'operator',
  summary: { en: 'Approve a measure that another person drafted', zh: '复核另一人起草的处理决定' },
  operands: [{ name: 'DRAFT', what: { en: 'The id of the draft, dft_….', zh: '草案编号，dft_…。' } }],
  options: [],
  teaches: [{ en: 'Facts that the law forbids telling are looked at by two persons. Whoever drafted it cannot approve it; a draft waits seven days.', zh: '依法不得告知的事实须由两人过目；起草人不得复核，草案保留七天。' }],
  examples: [{ line: 'berth decision approve dft_01jd…', what: { en: 'with a key of your own', zh: '使用本人的密钥' } }],
  run: async (asked) => shown(await operatorClient(asked).post<Shown>(`/operator/drafts/${encodeURIComponent(asked.operands[0]!)}/approve`, {}), asked.lang),
}

export const showDecision: Command = {
  name: 'decision show',
  who: 'operator',
  summary: { en: 'One decision with its statement', zh: '查看一份处理决定及说明' },
  operands: [decisionOperand],
  options: [],
  teaches: [{ en: '--json prints the whole statement.', zh: '--json 输出完整说明。' }],
  examples: [{ line: 'berth decision show dec_01jd… --json', what: { en: 'all of it', zh: '完整内容' } }],
  run: async (asked) => shown(await operatorClient(asked).get<Shown>(`/operator/decisions/${encodeURIComponent(asked.operands[0]!)}`), asked.lang),
}

export const listDecisions: Command = {
  name: 'decision list',
  who: 'operator',
  summary: { en: 'The decisions about a docking, newest first', zh: '列出某个对接的处理决定，新的在前' },
  operands: [dockingOperand],
  options: [{ name: 'open', what: { en: 'Only those that nothing has ended.', zh: '只看尚未终止的。' } }],
  teaches: [{ en: 'Those that ended stay in the list, with how they ended.', zh: '已终止的也在列表中，并注明终止方式。' }],
  examples: [{ line: 'berth decision list dck_01jd… --open', what: { en: 'what counts now', zh: '目前有效的' } }],
  run: async (asked) => {
    const client = operatorClient(asked)
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    const list = await client.get<{ items: Shown[] }>(`/operator/dockings/${docking.id}/decisions`, { state: asked.option('open') === undefined ? 'all' : 'open' })
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const rows = list.body.items.map((one) => [one.decidedAt, one.id, one.measure, one.code, nameOf(one.class, asked.lang), one.standing.state, one.decidedBy])
    return done(list.body, rows.length === 0 ? (zh ? '没有处理决定。' : 'No decision.') : table([zh ? ['时间', '编号', '措施', '代码', '类别', '状态', '决定人'] : ['decided', 'id', 'measure', 'code', 'class', 'standing', 'by'], ...rows], 0))
  },
}

type Run = { id: string; check: string; verdict: string; code: string | null; sha256: string; inputHash: string | null; result: { seen: { en: string; zh: string } } }

export const runCheck: Command = {
  name: 'check run',
  who: 'operator',
  summary: { en: 'Run the checks of the report against a docking and keep what they found', zh: '对某个对接运行检测并留存结果' },
  operands: [dockingOperand],
  options: [
    { name: 'check', value: 'CHECK', what: { en: 'Only this one, such as ledger.funds or partners.key_leaked.', zh: '只运行此项，如 ledger.funds、partners.key_leaked。' } },
    { name: 'secret', value: 'FILE', what: { en: 'partners.key_leaked: a file with the secret that was found; the hub keeps its SHA-256 alone.', zh: 'partners.key_leaked：存有所发现密文的文件；主站只留存其 SHA-256。' } },
  ],
  teaches: [{ en: 'A technical measure rests on such a run and on nothing else: a red one, of this docking, of the last 24 hours. The partner can repeat it.', zh: '技术类措施只能以此为依据：24 小时内对该对接的不通过检测，对方可自行重复。' }],
  examples: [{ line: 'berth check run dck_01jd… --check partners.key_leaked --secret found.txt', what: { en: 'is what was found a live key?', zh: '发现的是否为有效密钥' } }],
  run: async (asked) => {
    const secret = asked.option('secret')
    const client = operatorClient(asked)
    const docking = await findDocking(client, asked.operands[0]!)
    if (!docking.ok) return refused(docking.problem)
    const ran = await client.post<{ items: Run[] }>(`/operator/dockings/${docking.id}/checks`, { check: asked.option('check'), secret: secret === undefined ? undefined : readSmallFile(secret).trim() })
    if (!ran.ok) return refused(ran.problem)
    const rows = ran.body.items.map((run) => [run.verdict, run.check, run.result.seen[asked.lang]])
    const red = ran.body.items.filter((run) => run.verdict === 'fail').map((run) => `  --evidence ${run.id}:check_run:${run.sha256}${run.inputHash === null ? '' : `  (inputHash ${run.inputHash})`}`)
    return done(ran.body, [table(rows, 0), ...(red.length === 0 ? [] : [asked.lang === 'zh' ? '可作为证据：' : 'As evidence:', ...red])].join('\n'))
  },
}

function shown(answer: Awaited<ReturnType<typeof Client.prototype.get<Shown | Drafted>>>, lang: Lang): Ending {
  if (!answer.ok) return refused(answer.problem)
  const { body } = answer
  const zh = lang === 'zh'
  if ('draft' in body) return done(body, zh ? `草案 ${body.draft} 等待另一人复核：berth decision approve ${body.draft}` : `The draft ${body.draft} waits for another person: berth decision approve ${body.draft}`)
  const { standing, statement } = body
  const rows: [string, string | null][] = [
    [zh ? '对接' : 'docking', body.docking], [zh ? '原因' : 'reason', `${body.code} (${nameOf(body.class, lang)})`], [zh ? '措施' : 'measure', `${body.measure}: ${body.scope.join(', ')}`],
    [zh ? '商品' : 'goods', statement.measure.goods.join(', ') || null], [zh ? '密钥' : 'keys', statement.measure.keys.join(', ') || null],
    [zh ? '仍允许' : 'allows', Object.entries(statement.measure.allows).map(([name, value]) => `${name} ${value}`).join(', ') || null],
    [zh ? '自' : 'since', body.effectiveAt], [zh ? '至' : 'until', body.endsAt], [zh ? '决定人' : 'decided by', body.approvedBy === null ? body.decidedBy : `${body.decidedBy}, ${body.approvedBy}`],
    [zh ? '状态' : 'standing', [standing.state, standing.how, standing.endedAt, standing.supersededBy, standing.note].filter((part) => part !== null).join(' · ')],
    ...statement.facts.map((fact): [string, string] => [zh ? '事实' : 'fact', fact.text]), ...statement.ground.map((one): [string, string] => [zh ? '依据' : 'ground', `${one.type} ${one.ref} ${one.article}`]),
    ...statement.remedy.map((step): [string, string] => [zh ? '补救' : 'remedy', step.action[lang]]),
  ]
  return done(body, [zh ? `处理决定 ${body.id}` : `The decision ${body.id}`, table(rows.filter((row): row is [string, string] => row[1] !== null))].join('\n'))
}
