import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeDump, type DumpSite } from '../../test/acg-dump.ts'
import { makePlan, type PlanAsk } from './plan.ts'
import { readPlan, readWhole, writePlan, type Plan } from './plan-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-plan-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let count = 0

async function planOf(site: DumpSite, more: Partial<PlanAsk> = {}): Promise<{ plan: Plan; folder: string }> {
  const source = join(folder, `${++count}.sql`)
  writeFileSync(source, [...writeDump(site)].join(''))
  const out = join(folder, `plan-${count}`)
  const plan = await makePlan({ source, prefix: 'acg_', folder: out, migration: 'acg-faka', partners: 'docked', suspended: null, previous: null, onBytes: () => {}, ...more })
  return { plan, folder: out }
}

const key = 'ABCDEF0123456789'
const base: DumpSite = {
  users: [{ id: 1001, username: '甲', appKey: key, balance: '12.30' }], groups: [{ id: 1, discount: '0.00', recharge: '0.00' }], categories: [{ id: 1, name: '点卡' }],
  commodities: [{ id: 1, category: 1, name: '十元卡', code: 'A10', userPrice: '9.50' }], cards: [], orders: [],
}
const order = { id: 1, owner: 1001, tradeNo: '1', amount: '9.50', commodity: 1, quantity: 1, secret: 'S', requestNo: '7' }

test('partners are those who have money or ever docked; sums of what comes and what stays make up the old site', async () => {
  const { plan, folder: out } = await planOf({
    ...base, users: [...base.users, { id: 2, username: 'buyer', appKey: key, balance: '0.00' }, { id: 3, username: 'docked', appKey: key, balance: '0.00' }, { id: 4, username: 'bad key', appKey: 'a+b', balance: '7.00' }],
    orders: [{ ...order, owner: 3 }, { ...order, id: 2, owner: 2, tradeNo: '2', requestNo: null }, { ...order, id: 3, tradeNo: '3', requestNo: null, status: 0 }, { ...order, id: 4, owner: 0, tradeNo: '4', requestNo: null }],
  })
  assert.deepEqual((await readWhole(out, 'partners')).map(({ member, balance, orders, references }) => [member, balance, orders, references]), [['1001', '12.30', 0, 0], ['3', '0.00', 1, 1]])
  assert.deepEqual([plan.sums.balances, plan.sums.balancesLeft, plan.counts.ordersUnpaid, plan.counts.ordersOfOthers], ['12.30', '7.00', 1, 2])
  assert.match((await readWhole(out, 'problems')).map(({ id, what }) => `${id} ${what.en}`).join('\n'), /^4 its key cannot be kept/m)
})

test('a suspended member comes in when a person says so, and never unseen', async () => {
  const site: DumpSite = { ...base, users: [{ ...base.users[0]!, status: 0 }] }
  for (const [suspended, partners, left] of [[null, 0, '12.30'], ['leave', 0, '12.30'], ['open', 1, '0.00']] as const) {
    const { plan, folder: out } = await planOf(site, { suspended })
    assert.deepEqual([plan.counts.partners, plan.counts.suspended, plan.sums.balancesLeft], [partners, 1, left])
    assert.equal((await readWhole(out, 'problems'))[0]!.outcome, 'decide')
  }
})

test('a level\'s own price for a good counts before its discount, and neither where levels are off', async () => {
  const site: DumpSite = {
    ...base, groups: [{ id: 1, discount: '0.00', recharge: '0.00' }, { id: 2, discount: '0.10', recharge: '100.00' }],
    users: [...base.users, { id: 1002, username: '乙', appKey: key, balance: '1.00', recharge: '100.00' }],
    commodities: [{ ...base.commodities[0]!, userPrice: '9.99' }, { id: 2, category: 1, name: 'B', code: 'B', userPrice: '9.50', levelPrice: '{"2":{"amount":"8.00","config":"","show":0}}' }],
  }
  const { folder: out } = await planOf(site)
  // 9.99 less a tenth is 8.991, cut to the fen.
  assert.deepEqual(await readWhole(out, 'prices'), [{ member: '1002', good: 'A10', unitPrice: '8.99' }, { member: '1002', good: 'B', unitPrice: '8.00' }])
})

test('of a good in races each race has its level\'s price; a good with prices for many is named instead', async () => {
  const races = { ...base.commodities[0]!, code: 'RACE', config: '[category]\n月卡=10\n年卡=100' }
  const own = '{"1":{"amount":"1","config":"[category]\\n年卡=90"}}'
  const { folder: out } = await planOf({
    ...base, groups: [{ id: 1, discount: '0.10', recharge: '0.00' }],
    commodities: [races, { ...races, id: 2, code: 'OWN', levelPrice: own }, { ...races, id: 3, code: 'MANY', config: '[wholesale]\n10=9.00' }, { ...races, id: 4, code: 'DEAR', config: '', levelPrice: '{"1":{"amount":"9.51"}}' }],
  })
  assert.deepEqual(await readWhole(out, 'prices'), [['RACE', '月卡', '9.00'], ['RACE', '年卡', '90.00'], ['OWN', '年卡', '90.00']].map(([good, race, unitPrice]) => ({ member: '1001', good, race, unitPrice })))
  const words = (await readWhole(out, 'problems')).map(({ id, what }) => `${id} ${what.en}`)
  for (const wanted of [/^3 its prices by level/, /^1001 DEAR .*dearer than the 9\.50/]) assert.ok(words.some((line) => wanted.test(line)), String(wanted))
})

test('a price of its own that is gone goes back to the list price with the next reading', async () => {
  const site = (levelPrice?: string): DumpSite => ({ ...base, commodities: [{ ...base.commodities[0]!, ...(levelPrice === undefined ? {} : { levelPrice }) }] })
  const first = await planOf(site('{"1":{"amount":9.1}}'))
  writePlan(first.folder, first.plan, '')
  const second = await planOf(site(), { previous: { folder: first.folder, plan: readPlan(first.folder) } })
  assert.equal(second.plan.step, 2)
  assert.deepEqual([await readWhole(first.folder, 'prices'), await readWhole(second.folder, 'prices')], [[{ member: '1001', good: 'A10', unitPrice: '9.10' }], [{ member: '1001', good: 'A10', unitPrice: '9.50' }]])
})

test('what a partner had follows to the end, also when nothing is left of it', async () => {
  const first = await planOf(base)
  const second = await planOf({ ...base, users: [{ ...base.users[0]!, balance: '0.00', status: 0 }] }, { previous: { folder: first.folder, plan: first.plan } })
  assert.deepEqual((await readWhole(second.folder, 'partners')).map(({ member, balance }) => [member, balance]), [['1001', '0.00']])
})

test('goods that cannot be sold as they were stay behind or come over off sale, each with its reason', async () => {
  const good = base.commodities[0]!
  const { plan, folder: out } = await planOf({
    ...base,
    commodities: [
      good, { ...good, id: 2, code: 'RACE', config: '[category]\n月卡=10\n[sku]\n区服.一区=1' }, { ...good, id: 3, code: 'TIERS', config: '[wholesale]\n10=9.00\n1=2' }, { ...good, id: 4, code: 'HAND', deliveryWay: 1 },
      { ...good, id: 5, code: 'OTHERS', owner: 9 }, { ...good, id: 6, code: 'FREE', userPrice: '0.00' }, { ...good, id: 7, code: 'bad code' }, { ...good, id: 8, code: 'MANY', minimum: 5, maximum: 5_000 },
      { ...good, id: 9, code: 'UNSAID', config: '[category]\n1.5元=10' }, { ...good, id: 10, code: 'FORM', widget: '[{"type":"text","name":"账号"}]' },
    ],
    cards: [
      { id: 1, commodity: 2, secret: 'x', race: '月卡', sku: '{"区服":"一区"}' }, { id: 7, commodity: 2, secret: 'y', race: '年卡', sku: '{"区服":"一区"}' }, { id: 8, commodity: 2, secret: 'z', race: '月卡' }, { id: 9, commodity: 9, secret: 'w', race: '1.5元' },
      { id: 2, commodity: 1, secret: 'a' }, { id: 3, commodity: 1, secret: 'a' }, { id: 4, commodity: 1, secret: 'b\tc' }, { id: 5, commodity: 1, secret: 'd', status: 2 }, { id: 6, commodity: 1, secret: 'e', status: 1 },
    ],
  })
  const goods = await readWhole(out, 'goods')
  assert.deepEqual(goods.map(({ code, isTaken, onSale }) => `${code} ${isTaken} ${onSale}`), ['A10 true true', 'RACE true true', 'TIERS true true', 'HAND true true', 'OTHERS false true', 'FREE false true', 'bad code false true', 'MANY true true', 'UNSAID false true', 'FORM true false'])
  assert.deepEqual(goods[1]!.kinds, { races: [{ name: '月卡', unitPrice: '10.00' }], options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1.00' }] }] })
  assert.deepEqual([goods[2]!.kinds, goods[3]!.kinds], [{ wholesale: [{ from: 10, unitPrice: '9.00' }] }, { delivery: 'manual', stock: 0 }])
  assert.deepEqual([goods[7]!.minimum, goods[7]!.maximum], [5, 1000])
  assert.deepEqual([plan.counts.cards, plan.counts.cardsOfKinds, plan.counts.cardsSold, plan.counts.cardsLeft, goods[0]!.cards], [2, 1, 1, 5, 1])
  const words = (await readWhole(out, 'problems')).map(({ table, id, line, what }) => {
    assert.ok(line > 0)
    return `${table} ${id} ${what.en}`
  })
  for (const wanted of [/commodity 3 .*"2" from 1 pieces/, /commodity 9 .*1\.5元/, /commodity 10 .*fields/, /commodity 5 .*member 9/, /card 7 .*年卡/, /card 8 .*not sold as 月卡/, /card 3 .*twice/, /card 4 .*tabs/, /card 5 .*locked/]) assert.ok(words.some((line) => wanted.test(line)), String(wanted))
})

test('a folder of CSV files is read like a dump; a file that cannot be read is named with its line', async () => {
  const source = mkdtempSync(join(folder, 'csv-'))
  writeFileSync(join(source, 'partners.csv'), `member,name,appKey,balance\n1001,甲,${key},12.30\n`)
  writeFileSync(join(source, 'goods.csv'), 'code,name,category,unitPrice\nA10,十元卡,点卡,9.50\n')
  writeFileSync(join(source, 'prices.csv'), 'member,good,unitPrice\n1001,A10,9.10\n')
  writeFileSync(join(source, 'cards.csv'), 'good,card\nA10,"N1----P,1"\nA10,S2\n')
  writeFileSync(join(source, 'orders.csv'), 'member,tradeNo,reference,good,quantity,amount,secret,at\n1001,T1,R1,A10,2,19.00,"a\nb",2026-11-01T12:00:00+08:00\n')
  const { plan } = await planOf(base, { source })
  assert.deepEqual([plan.source.kind, plan.counts.partners, plan.counts.goods, plan.counts.prices, plan.counts.cards, plan.counts.orders, plan.sums.orders], ['csv', 1, 1, 1, 2, 1, '19.00'])
  writeFileSync(join(source, 'cards.csv'), 'good,card\nA10,x,y\n')
  await assert.rejects(planOf(base, { source }), /cards\.csv, line 2: 3 columns/)
  writeFileSync(join(source, 'cards.csv'), 'good,secret\n')
  await assert.rejects(planOf(base, { source }), /header of cards\.csv/)
})

test('the plan is for its owner alone, and is never written over', async () => {
  const { folder: out, plan } = await planOf(base)
  await assert.rejects(planOf(base, { folder: out }), /is not empty/)
  assert.ok(!readFileSync(join(out, 'partners.ndjson'), 'utf8').includes(key))
  assert.equal(plan.source.sha256.length, 64)
})
