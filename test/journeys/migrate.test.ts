import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, test } from 'node:test'
import { run } from '../../cli/program.ts'
import { sweepAbandoned } from '../../hub/domain/catalogue/index.ts'
import { makeSite, writeDump, type DumpSite } from '../acg-dump.ts'
import { openShop, type Shop } from '../acg-shop.ts'
import { startHub, type TestHub } from '../hub.ts'
import type { Json } from '../raw-http.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-migrate-'))
const site = makeSite()
const dump = join(folder, 'shop.sql')
const plan = join(folder, 'plan-1')
const hub = await startHub({ after })
await write(site, dump)
after(() => rmSync(folder, { recursive: true, force: true }))

function write(written: DumpSite, file: string): Promise<void> {
  return pipeline(Readable.from(writeDump(written)), createWriteStream(file))
}

type Ran = { code: number; json: Json }

/** Types a command line at a hub as its operator. */
async function typeAt({ url, operatorKey }: TestHub, words: readonly string[]): Promise<Ran> {
  let out = ''
  const code = await run(['--json', ...words], {
    env: { BERTH_URL: url, BERTH_OPERATOR_KEY: operatorKey }, stdin: Readable.from([]), stdout: (text) => (out += text), stderr: () => {}, isTerminal: false, nowMs: Date.now,
  })
  return { code, json: JSON.parse(out) as Json }
}

const berth = (...words: string[]): Promise<Ran> => typeAt(hub, words)

/** The shop of a member, at the address that the migration gave it, with the id and key that it has always had. */
function shopOf(member: number, planFolder = plan): Shop {
  const line = readFileSync(join(planFolder, 'addresses.csv'), 'utf8').split('\n').find((row) => row.startsWith(`${member},`))!
  return openShop({ baseUrl: line.split(',')[2]!, appId: String(member), appKey: site.users.find((user) => user.id === member)!.appKey })
}

function fenOf(amount: string): number {
  return Math.round(Number(amount) * 100)
}

test('a dry run counts everything to the fen and writes no secret down', async () => {
  const { code, json } = await berth('migrate', 'plan', dump, '--out', plan)
  assert.equal(code, 0)
  const { counts, sums } = json
  assert.deepEqual(
    [counts.partners, counts.partnersLeft, counts.goods, counts.cards, counts.cardsSold, counts.orders, counts.references],
    [50, 20, 2_000, 100_000, 1_000, 5_000, 4_500],
  )
  assert.equal(fenOf(sums.balances), site.users.reduce((sum, user) => sum + fenOf(user.balance), 0))
  assert.equal(fenOf(sums.orders), site.orders.reduce((sum, order) => sum + fenOf(order.amount), 0))
  assert.deepEqual(json.aside, { acg_config: 1 })
  const written = ['plan.json', 'partners.ndjson', 'goods.ndjson', 'prices.ndjson', 'problems.ndjson', 'report.txt'].map((name) => readFileSync(join(plan, name), 'utf8')).join('\n')
  assert.doesNotMatch(written, /KEY0000|S-\d+-密|OLD-\d|PW'/)
})

test('apply is killed in the middle, the hub loses what was staged, and a second apply brings everything once', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../cli/berth.ts'), 'migrate', 'apply', plan], {
    env: { ...process.env, BERTH_URL: hub.url, BERTH_OPERATOR_KEY: hub.operatorKey }, stdio: 'ignore',
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  const staged = async () => (await hub.hub.db.run({ text: `select coalesce(sum(size), 0)::int from catalogue.lots where state = 'staged'`, values: [] }))[0]![0] as number
  while (child.exitCode === null && (await staged()) < 20_000) await new Promise((later) => setTimeout(later, 20))
  child.kill('SIGKILL')
  assert.equal(await ended, 'SIGKILL')
  assert.equal((await berth('migrate', 'check', plan)).code, 3)

  // What the next start of a hub does with lots that nobody has published.
  await sweepAbandoned(hub.hub.db)
  const { code, json } = await berth('migrate', 'apply', plan)
  assert.equal(code, 0, JSON.stringify(json).slice(0, 500))
  assert.deepEqual([json.partners.known + json.partners.opened, json.cards.staged + json.cards.known, json.published.cards], [50, 100_000, 100_000])
})

test('the proof holds: every balance to the fen, every order number, every card, and the books are clean', async () => {
  const { code, json } = await berth('migrate', 'check', plan)
  assert.deepEqual(json.differences, [])
  assert.equal(code, 0)
  assert.deepEqual([json.balances.new, json.orders.new, json.references.new, json.cards.new], [json.balances.old, 5_000, 4_500, 100_000])
  for (const member of [1001, 1025, 1050]) {
    assert.equal(fenOf(String((await shopOf(member).connect()).data.balance)), fenOf(site.users.find((user) => user.id === member)!.balance))
  }
})

test('applied once more it changes nothing', async () => {
  const before = await hub.findings()
  const { code, json } = await berth('migrate', 'apply', plan)
  assert.equal(code, 0)
  assert.deepEqual(before, [])
  assert.deepEqual([json.partners, json.goods.added, json.goods.changed, json.orders.written, json.balances.moved, json.prices, json.published.cards], [{ opened: 0, known: 50 }, 0, 0, 0, 0, 0, 0])
  assert.equal((await berth('migrate', 'check', plan)).code, 0)
})

test('an old order number is answered with what was delivered then, and nothing is charged', async () => {
  const old = site.orders.find((order) => order.owner === 1003 && order.requestNo !== null)!
  const shop = shopOf(1003)
  const { data: { balance } } = await shop.connect()
  const code = site.commodities[old.commodity - 1]!.code
  const again = await shop.trade(code, old.quantity, old.requestNo!)
  assert.deepEqual([again.code, again.data.secret, again.data.tradeNo, again.data.amount], [200, old.secret, old.tradeNo, Number(old.amount)])
  assert.equal((await shop.connect()).data.balance, balance)
  const other = await shop.trade(code, old.quantity + 1, old.requestNo!)
  assert.equal(other.code, 0)
  assert.equal((await shop.connect()).data.balance, balance)
  for (const number of [old.tradeNo, old.requestNo!]) assert.equal((await shop.query(number)).data.secret, old.secret)
})

test('a new order is charged at the price of the old site, own price and list price, and hands out an old card to the letter', async () => {
  const partner = site.users[10]!
  const shop = shopOf(partner.id)
  const good = site.commodities[40]!
  const own = fenOf(JSON.parse(good.levelPrice!)['2'].amount)
  const { data } = await shop.trade(good.code, 1, '900000000000000001')
  assert.equal(fenOf(String(data.amount)), own)
  assert.ok(site.cards.some((card) => card.commodity === good.id && card.secret === data.secret), data.secret)
  assert.equal(fenOf(String((await shop.connect()).data.balance)), fenOf(partner.balance) - own)
  const listed = await shopOf(1002).valuation(good.code, 1)
  assert.equal(fenOf(listed.data.price), fenOf(good.userPrice))
  // An opening is what came over, whatever was bought since.
  assert.equal((await berth('migrate', 'check', plan)).code, 0)
})

const MONTH = { race: '月卡', sku: { 区服: '一区' } }
const YEAR = { race: '年卡', sku: { 区服: '二区' } }

test('a good in races is sold by race, and one that a person delivers asks for its account', async () => {
  const [raced, hand] = site.commodities.slice(-2)
  const shop = shopOf(1005)
  const { data: { balance } } = await shop.connect()
  assert.deepEqual([(await shop.stock(raced!.code, MONTH)).data.stock, (await shop.stock(raced!.code, YEAR)).data.stock], ['20', '30'])
  const month = await shop.trade(raced!.code, 2, '900000000000000011', MONTH)
  const year = await shop.trade(raced!.code, 10, '900000000000000012', YEAR)
  // Ten of the year cost 90.00 each, and 1.50 more in the second zone.
  assert.deepEqual([month.data.amount, year.data.amount], [20, 915])
  for (const [answer, race] of [[month, '月卡'], [year, '年卡']] as const) {
    for (const secret of answer.data.secret.split('\n') as string[]) assert.equal(site.cards.find((card) => card.secret === secret)!.race, race)
  }
  const asked = await shop.trade(hand!.code, 1, '900000000000000013')
  assert.equal(asked.code, 0)
  const waiting = await shop.trade(hand!.code, 1, '900000000000000013', { account: '12345' })
  assert.match(waiting.data.secret, /^请稍候\n取货页：/)
  assert.equal(fenOf(String((await shop.connect()).data.balance)), fenOf(String(balance)) - 93_500 - fenOf(hand!.userPrice))
  assert.deepEqual(await hub.findings(), [])
})

test('the way back is closed once something was sold, and the order is named', async () => {
  const { code, json } = await berth('migrate', 'rollback', plan)
  assert.equal(code, 1)
  assert.equal(json.code, 'migration.sold_from')
  assert.equal(json.because.orders.length, 4)
})

test('a newer dump brings new orders, moved balances and new cards; what was sold there leaves the shelf, what was sold here does not return', async () => {
  const soldHere = (await shopOf(1011).trade(site.commodities[40]!.code, 1, '900000000000000001')).data.secret as string
  const soldThere = site.cards.filter((card) => card.commodity === 1 && card.status === 0).slice(0, 30)
  const newer: DumpSite = {
    ...site,
    users: site.users.map((user) => (user.id === 1002 ? { ...user, balance: '100.01' } : user)),
    cards: [...site.cards.map((card) => (soldThere.includes(card) ? { ...card, status: 1 as const } : card)), { id: 200_001, commodity: 1, secret: 'NEW-CARD' }],
    orders: [...site.orders, { id: 9_001, owner: 1002, tradeNo: '899999999999999999', amount: '3.00', commodity: 1, quantity: 1, secret: 'DELIVERED THERE', requestNo: '799999999999999999' }],
  }
  const later = join(folder, 'later.sql')
  const second = join(folder, 'plan-2')
  await write(newer, later)
  const { code, json } = await berth('migrate', 'follow', plan, later, '--out', second, '--apply')
  assert.equal(code, 0, JSON.stringify(json).slice(0, 500))
  assert.deepEqual(json.changes.balances.map((row: { member: string; to: string }) => [row.member, row.to]), [['1002', '100.01']])
  assert.deepEqual([json.changes.orders, json.changes.cards], [1, [{ good: site.commodities[0]!.code, from: 50, to: 21 }]])
  assert.equal(json.applied.published.keptBack, 13)

  const shop = shopOf(1002, second)
  assert.equal(String((await shop.connect()).data.balance), '100.01')
  assert.equal((await shop.stock(site.commodities[0]!.code)).data.stock, '21')
  assert.equal((await shop.trade(site.commodities[0]!.code, 1, '799999999999999999')).data.secret, 'DELIVERED THERE')
  const left = (await shop.stock(site.commodities[40]!.code)).data.stock
  assert.equal(left, '49')
  const bought = (await shop.trade(site.commodities[40]!.code, 2, '900000000000000002')).data.secret.split('\n') as string[]
  assert.ok(!bought.includes(soldHere))
  const proof = await berth('migrate', 'check', second)
  assert.deepEqual(proof.json.differences, [])
  assert.equal((await berth('migrate', 'apply', plan)).json.code, 'migration.superseded')
})

test('money that was spent here as well as there is refused and named; everything else comes over', async () => {
  const poorer: DumpSite = { ...site, users: site.users.map((user) => (user.id === 1011 ? { ...user, balance: '0.00' } : user)) }
  const last = join(folder, 'last.sql')
  await write({ ...poorer, cards: [], orders: site.orders.slice(0, 10) }, last)
  const { code, json } = await berth('migrate', 'follow', join(folder, 'plan-2'), last, '--out', join(folder, 'plan-3'), '--apply')
  assert.equal(code, 3)
  assert.deepEqual(json.applied.left.map((row: { what: string; id: string; code: string }) => [row.what, row.id, row.code]), [['balance', '1011', 'ledger.insufficient_funds']])
  assert.equal((await shopOf(1002).stock(site.commodities[0]!.code)).data.stock, '0')
  assert.deepEqual(await hub.findings(), [])
})

test('a parallel run sells nothing; the way back is whole, and a new try is a migration of its own', async (t) => {
  const fresh = await startHub(t)
  const small: DumpSite = { ...site, users: site.users.slice(0, 3), commodities: site.commodities.slice(0, 3), cards: site.cards.filter((card) => card.commodity <= 3), orders: site.orders.filter((order) => order.commodity <= 3).slice(0, 12) }
  const file = join(folder, 'small.sql')
  await write(small, file)
  const here = (...words: string[]) => typeAt(fresh, words)
  const first = join(folder, 'small-1')
  await here('migrate', 'plan', file, '--out', first)
  assert.equal((await here('migrate', 'apply', first, '--without-cards')).code, 0)
  const proof = await here('migrate', 'check', first, '--without-cards')
  assert.deepEqual([proof.code, proof.json.differences], [0, []])
  const shop = shopOf(1001, first)
  assert.deepEqual([(await shop.stock(site.commodities[0]!.code)).data.stock, (await shop.valuation(site.commodities[1]!.code, 1)).code], ['0', 200])

  assert.equal((await here('migrate', 'apply', first)).json.published.cards, 150)
  assert.deepEqual((await here('migrate', 'check', first)).json.differences, [])
  const back = await here('migrate', 'rollback', first)
  const brought = small.users.reduce((sum, user) => sum + fenOf(user.balance), 0)
  assert.deepEqual([back.code, back.json.dockings, fenOf(back.json.amount), back.json.cards, back.json.goods], [0, 3, brought, 150, 3])
  assert.deepEqual(await fresh.findings(), [])
  assert.equal((await shop.connect()).code, 0)
  const left = await fresh.hub.db.run({ text: 'select coalesce(sum(available), 0)::bigint from ledger.balances', values: [] })
  assert.equal(left[0]![0], 0n)
  assert.equal((await here('migrate', 'apply', first)).json.code, 'migration.withdrawn')

  const second = join(folder, 'small-2')
  await here('migrate', 'plan', file, '--out', second, '--name', 'second-try')
  assert.equal((await here('migrate', 'apply', second)).code, 0)
  assert.deepEqual((await here('migrate', 'check', second)).json.differences, [])
  assert.notEqual(shopOf(1001, second).base, shop.base)
  assert.equal((await shopOf(1001, second).stock(site.commodities[0]!.code)).data.stock, '50')
})

test('a good that the hub had before keeps what it is, and another dump cannot pass for the same reading', async (t) => {
  const fresh = await startHub(t)
  const small: DumpSite = { ...site, users: site.users.slice(0, 1), commodities: site.commodities.slice(0, 2), cards: site.cards.filter((card) => card.commodity <= 2), orders: [] }
  await fresh.stockGood({ code: small.commodities[0]!.code, unitPrice: '77.00', mode: 'live', cards: 1 })
  const step = { step: 1, source: 'a'.repeat(64) }
  assert.equal((await fresh.operator('POST', '/operator/migrations/acg-faka', step)).status, 200)
  const goods = small.commodities.map(({ code, name, userPrice }) => ({ code, name, category: '分类', unitPrice: userPrice }))
  const brought = await fresh.operator('POST', '/operator/migrations/acg-faka/goods', { step: 1, items: goods })
  assert.deepEqual([brought.body.added, brought.body.inUse], [1, [small.commodities[0]!.code]])
  assert.equal((await fresh.operator('POST', '/operator/migrations/acg-faka', { ...step, source: 'b'.repeat(64) })).body.code, 'migration.other_source')
  assert.equal((await fresh.operator('POST', '/operator/migrations/acg-faka/publication', { step: 1, cards: 3 })).body.code, 'migration.cards_missing')
  const balances = await fresh.operator('POST', '/operator/migrations/acg-faka/balances', { step: 1, items: [{ member: '4711', balance: '5.00' }] })
  assert.deepEqual([balances.body.items[0].outcome, balances.body.items[0].code], ['left', 'partners.docking_not_found'])
  assert.equal((await fresh.operator('GET', '/operator/migrations/nowhere')).body.code, 'migration.not_found')
  const price = await fresh.hub.db.run({ text: 'select unit_price from catalogue.goods where code = $1', values: [small.commodities[0]!.code] })
  assert.equal(price[0]![0], 77_000_000n)
})
