import { createHash } from 'node:crypto'
import { chmodSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Client, HubUnreachable, type Answer, type Problem } from './client.ts'
import { exitCodes, WrongUsage } from './command.ts'
import type { CardsImported } from './commands/cards.ts'
import type { DockingView, NewCredentials } from './commands/docking.ts'
import { sendGoods } from './commands/goods.ts'
import { dataDirOf, operatorClient, readOperatorKey, type Demo, type DemoDocking } from './credentials.ts'
import { demoGoods, type DemoGood } from './demo-goods.ts'
import { langOf, showRefusal, type Lang } from './screen.ts'

const { env } = process

/** The hub takes several lots at once; more of them only wait for the same disk. */
const LOTS_AT_ONCE = 4
const MODES = ['sandbox', 'live'] as const
const DEPOSIT = '10000.00'

const dockings = [
  { name: 'demo-sandbox', mode: 'sandbox', dialect: 'json' },
  { name: 'demo-live', mode: 'live', dialect: 'json' },
  { name: 'demo-acg', mode: 'live', dialect: 'acg0' },
  { name: 'demo-held', mode: 'live', dialect: 'json' },
] as const

const hold = {
  code: 'compliance.identity_unverified',
  scope: ['orders'],
  facts: [
    'No business licence is on file for this docking. / 该对接没有登记营业执照。',
    'No legal representative is on file for this docking. / 该对接没有登记法定代表人。',
  ],
  ground: [{
    type: 'law', ref: '电子商务法', article: '第二十七条', publishedAt: '2018-08-31',
    quote: '电子商务平台经营者应当要求申请进入平台销售商品或者提供服务的经营者提交其身份、地址、联系方式、行政许可等真实信息，进行核验、登记，建立登记档案，并定期核验更新。',
  }],
  remedy: {
    en: 'Hand in the business licence and the identity document of the legal representative; they are checked within two working days, and the hold is then lifted.',
    zh: '请提交营业执照及法定代表人身份证明；两个工作日内完成核验，核验通过即解除。',
  },
  liftsWhen: 'The business licence and the legal representative are verified. / 营业执照与法定代表人核验通过。',
}

/** Whom the demo tells. The domains are reserved and reach nobody: their letters lie in DATA_DIR/outbox. */
const people = [
  ...dockings.map(({ name }) => ({ whose: name, address: `owner@${name}.example`, language: name === 'demo-live' ? 'en' : 'zh-CN', kinds: ['decisions', 'funds'] })),
  { whose: null, address: 'stock@main-site.example', language: 'zh-CN', kinds: ['stock'] },
]

/** The house rule of the demo: it is in its time of notice, so that there is something to read and to comment on. */
const houseRule = {
  kind: 'rule', slug: 'fair-supply',
  title: { zh: '公平供货规则', en: 'Fair supply' },
  text: {
    zh: '一、同一等级的对接，同一商品、同一价格、同等供货。\n二、任何使单个对接变差的措施（涨价、撤供、限量、降级）都须有处理决定，写明依据、事实、补救与申诉途径。\n三、每单数量上限、每秒请求数等数字均公开，变更提前七天公示。\n四、对接方可随时退出，未用完的预存货款照常退还。',
    en: '1. Dockings of one level get the same goods at the same price.\n2. Whatever leaves a single docking worse (a dearer price, a withdrawn offer, a limit, a lower level) needs a decision with its ground, its facts, a remedy and a way to appeal.\n3. Limits are numbers that anybody can read; a change is published seven days before it counts.\n4. A docking may leave at any time, and what is left of its deposit is paid back.',
  },
}

/** A step of the demo that the hub refused. */
class DemoRefused extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

/**
 * Makes the demo main site over the operator API, as an operator would. It may be run again at any time: what is there
 * already is gone past, and demo.json is written last, so that its presence says that all is there.
 */
async function makeDemo(lang: Lang): Promise<string> {
  const startedAtMs = performance.now()
  const operator = operatorClient({ env, lang })
  await importAllGoods(operator)
  const [made, cards] = await Promise.all([openAll(operator, lang), importAllCards(operator)])
  must(await operator.post(`/operator/dockings/${made[1]!.id}/offers`, { good: 'junnet-10', unitPrice: '9.50' }))
  await nameContacts(operator, made)
  await publishHouseRule(operator)
  const demo: Demo = { hub: operator.url, operator: readOperatorKey(env), dockings: made, next: nextCommands() }
  writePrivately(join(dataDirOf(env), 'demo.json'), `${JSON.stringify(demo, null, 2)}\n`)
  const tookS = ((performance.now() - startedAtMs) / 1000).toFixed(1)
  return lang === 'zh'
    ? `演示主站已就绪：${demoGoods.length} 种商品，${cards} 张卡密，${made.length} 个对接（${tookS} 秒）`
    : `The demo main site is made: ${demoGoods.length} goods, ${cards} cards, ${made.length} dockings (${tookS} s)`
}

async function importAllGoods(operator: Client): Promise<void> {
  const rows = demoGoods.map(({ form: _, cards: __, variants: ___, kind, ...good }, i) => ({ line: i + 1, good: { ...good, ...kind }, problem: null }))
  const { total, problem } = await sendGoods(operator, (async function* () { yield* rows })())
  if (problem) throw new DemoRefused(problem)
  const [wrong] = total.errors
  if (wrong) throw new Error(`the demo's good ${rows[wrong.line - 1]?.good.code} is refused: ${wrong.message.en}`)
}

/** @returns how many cards the demo has */
async function importAllCards(operator: Client): Promise<number> {
  const lots = demoGoods.flatMap((good) => MODES.flatMap((mode) => (good.variants ?? [{}]).map((variant) => ({ good, mode, variant })))).filter(({ good, mode }) => good.cards[mode] > 0)
  let next = 0
  await Promise.all(Array.from({ length: LOTS_AT_ONCE }, async () => {
    for (let lot = lots[next++]; lot; lot = lots[next++]) await importLot(operator, lot)
  }))
  return lots.reduce((sum, { good, mode }) => sum + good.cards[mode], 0)
}

type Lot = { good: DemoGood; mode: (typeof MODES)[number]; variant: NonNullable<DemoGood['variants']>[number] }

async function importLot(operator: Client, { good, mode, variant }: Lot): Promise<void> {
  const name = [variant.race, ...(variant.options ?? [])].filter((part) => part !== undefined).join('|')
  const { errors } = must(await operator.upload<CardsImported>('/operator/cards', { good: good.code, mode, batch: 'demo', race: variant.race, option: variant.options }, cardsOf(good, mode, name)))
  // The cards of an earlier run are known already; anything else is wrong.
  const wrong = errors.find((error) => error.code !== 'catalogue.card_duplicate')
  if (wrong) throw new Error(`a demo card of ${good.code} is refused: ${wrong.message.en}`)
}

/** Made-up cards. Their codes follow from the good and the number, so that a second run makes the same ones. */
async function* cardsOf(good: DemoGood, mode: string, variant: string): AsyncGenerator<string> {
  let lines = ''
  for (let n = 1; n <= good.cards[mode as 'live']; n++) {
    const digest = createHash('sha256').update([good.code, mode, ...(variant === '' ? [] : [variant]), n].join('|')).digest()
    const secret = `DEMO-${[0, 3, 6].map((at) => digest.readUIntBE(at, 3).toString(36).toUpperCase().padStart(5, '0')).join('-')}`
    lines += good.form === 'pair' ? `DEMO${String(digest.readUIntBE(9, 6)).padStart(15, '0')},${secret}\n` : `${secret}\n`
  }
  yield lines
}

async function openAll(operator: Client, lang: Lang): Promise<DemoDocking[]> {
  const known = new Map(must(await operator.list<DockingView>('/operator/dockings', 'after')).map((docking) => [docking.name, docking]))
  const made: DemoDocking[] = []
  for (const wanted of dockings) {
    const docking = await openOne(operator, wanted, known.get(wanted.name))
    must(await operator.post(`/operator/dockings/${docking.id}/deposits`, { reference: 'demo-opening', amount: DEPOSIT, note: 'demo' }))
    if (docking.name === 'demo-held' && !(await isHeld(operator.url, docking, lang))) {
      must(await operator.post(`/operator/dockings/${docking.id}/holds`, hold))
    }
    made.push(docking)
  }
  return made
}

async function publishHouseRule(operator: Client): Promise<void> {
  const { items } = must(await operator.get<{ items: { slug: string }[] }>('/api/rules'))
  if (!items.some(({ slug }) => slug === houseRule.slug)) must(await operator.post('/operator/rules', houseRule))
}

async function nameContacts(operator: Client, made: readonly DemoDocking[]): Promise<void> {
  for (const { whose, ...contact } of people) {
    const path = whose === null ? '/operator/main-site' : `/operator/dockings/${made.find(({ name }) => name === whose)!.id}`
    must(await operator.post(`${path}/contacts`, { channel: 'email', ...contact }))
  }
  must(await operator.post(`/operator/dockings/${made[1]!.id}/alerts/balance`, { below: '100' }))
  must(await operator.post('/operator/main-site/alerts/stock', { good: 'junnet-10', below: 20 }))
}

/** Secrets are shown once, so a docking of an earlier run that was killed gets new keys beside those that nobody knows. */
async function openOne(operator: Client, wanted: (typeof dockings)[number], known: DockingView | undefined): Promise<DemoDocking> {
  if (!known) {
    const { docking, credentials } = must(await operator.post<{ docking: DockingView; credentials: NewCredentials }>('/operator/dockings', wanted))
    return { ...wanted, id: docking.id, baseUrl: docking.baseUrl, ...credentials }
  }
  const add = async (kind: string) => must(await operator.post<{ keyId: string; secret: string }>(`/operator/dockings/${known.id}/keys`, { kind }))
  const docking = { ...wanted, id: known.id, baseUrl: known.baseUrl, apiKey: (await add('bearer')).secret }
  if (wanted.dialect === 'acg0') return { ...docking, appId: known.appId!, appKey: (await add('acg')).secret }
  const { keyId, secret: keySecret } = await add('hmac-sha256')
  return { ...docking, keyId, keySecret }
}

async function isHeld(url: string, docking: DemoDocking, lang: Lang): Promise<boolean> {
  const partner = new Client({ url, credentials: { kind: 'bearer', key: docking.apiKey! }, lang })
  return must(await partner.get<{ decisions: unknown[] }>('/api/docking')).decisions.length > 0
}

function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new DemoRefused(answer.problem)
  return answer.body
}

/** The three commands that the greeting shows. They name the data folder unless it is the one where berth looks. */
function nextCommands(): string[] {
  const dataDir = resolve(dataDirOf(env))
  const where = dataDir === resolve('.data') ? '' : `DATA_DIR=${/^[\w./-]+$/.test(dataDir) ? dataDir : `'${dataDir.replaceAll("'", String.raw`'\''`)}'`} `
  return ['order --good junnet-10 --quantity 2', 'report --docking demo-held', 'ledger check'].map((command) => `${where}npx berth ${command}`)
}

/** In one step: whoever sees the file sees it whole, and nobody else's eyes ever do. */
function writePrivately(file: string, text: string): void {
  const draft = `${file}.draft`
  writeFileSync(draft, text, { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, file)
}

const lang = langOf(env)
try {
  console.log(await makeDemo(lang))
} catch (error) {
  if (error instanceof DemoRefused) {
    console.error(showRefusal(error.problem, lang))
    process.exitCode = exitCodes.refused
  } else if (error instanceof HubUnreachable || error instanceof WrongUsage) {
    console.error(error.words[lang])
    process.exitCode = error instanceof WrongUsage ? exitCodes.wrongUsage : exitCodes.unreachable
  } else throw error
}
