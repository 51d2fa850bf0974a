import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { openShop, type Shop, type ShopReply } from '../acg-shop.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'
import type { Json } from '../raw-http.ts'

async function open(t: TestContext): Promise<{ hub: TestHub; docking: TestDocking; shop: Shop }> {
  const hub = await startHub(t)
  const docking = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '1000.00', appId: '1000', appKey: 'KEY-OF-DOWNSTREAM-0001' })
  return { hub, docking, shop: openShop(docking) }
}

function succeeded(reply: ShopReply): ShopReply {
  assert.equal(reply.code, 200, reply.text)
  return reply
}

function refused(reply: ShopReply, words: RegExp): void {
  assert.equal(reply.code, 0, reply.text)
  assert.match(reply.msg, words)
}

const MONTH = { race: '月', sku: { 区: '一' } }
const raced = (month: string, extra: string) => ({ code: 'R', unitPrice: '10', races: [{ name: '月', unitPrice: month }], options: [{ name: '区', choices: [{ name: '一', surcharge: extra }] }] })

test('a charged pack is answered with its cards, though the good has whole fen now and no pack any more', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'TINY', mode: 'live', unitPrice: '0.0015', cards: 2_001 })
  const [listed] = succeeded(await shop.open('/items')).data
  const byCode = succeeded(await shop.trade('TINYx1000', 1, 'A')).data
  const ask = { sku_id: String(listed.sku[0].id), quantity: '1', trade_no: 'B' }
  const byNumber = succeeded(await shop.open('/trade', ask)).data
  assert.deepEqual([byNumber.contents.split('\n').length, byNumber.amount], [1_000, '1.50'], 'type 1 buys packs by their number')
  await hub.stockGood({ code: 'TINY', unitPrice: '0.01' })
  assert.equal(succeeded(await shop.trade('TINYx1000', 1, 'A')).data.secret, byCode.secret)
  assert.equal(succeeded(await shop.open('/trade', ask)).data.contents, byNumber.contents)
  refused(await shop.trade('TINYx1000', 1, 'C'), /^商品不存在/)
  refused(await shop.trade('TINY', 1, 'A'), /订单号/)
  assert.deepEqual(await hub.findings(), [])
})

test('a charged race is answered with its cards, though the good has other races now', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood(raced('30', '1'))
  await hub.stockKind({ code: 'R', race: '月', options: { 区: '一' }, lines: ['A', 'B'] })
  const [listed] = succeeded(await shop.open('/items')).data
  const ask = { sku_id: String(listed.sku[0].id), quantity: '1', trade_no: 'B' }
  assert.deepEqual([succeeded(await shop.trade('R', 1, 'A', MONTH)).data.secret, succeeded(await shop.open('/trade', ask)).data.contents], ['A', 'B'])
  await hub.stockGood({ code: 'R', unitPrice: '10', races: [{ name: '年', unitPrice: '300' }] })
  const [now] = succeeded(await shop.open('/items')).data
  assert.deepEqual([succeeded(await shop.trade('R', 1, 'A', MONTH)).data.secret, succeeded(await shop.open('/trade', ask)).data.contents], ['A', 'B'])
  refused(await shop.open('/trade', { ...ask, sku_id: String(now.sku[0].id) }), /订单号.*种类或选项/)
  refused(await shop.trade('R', 1, 'B2', MONTH), /race=月/)
  assert.equal(succeeded(await shop.connect()).data.balance, 938, 'each was charged once')
  assert.deepEqual(await hub.findings(), [])
})

test('a kind whose race or surcharge became dearer than it was shown is refused', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood(raced('30', '1'))
  await hub.stockKind({ code: 'R', race: '月', options: { 区: '一' }, lines: ['A', 'B', 'C'] })
  succeeded(await shop.item('R'))
  await hub.stockGood(raced('60', '1'))
  refused(await shop.trade('R', 1, '1', MONTH), /61\.00，高于您允许的 31\.00/)
  succeeded(await shop.item('R'))
  await hub.stockGood(raced('60', '25'))
  refused(await shop.trade('R', 1, '2', MONTH), /85\.00，高于您允许的 61\.00/)
  succeeded(await shop.valuation('R', 1, MONTH))
  assert.equal(succeeded(await shop.trade('R', 1, '2', MONTH)).data.amount, 85)
})

test('the list of all goods and a look at the stock show prices too, of packs by the thousand', async (t) => {
  const { hub, shop } = await open(t)
  const looks: [string, () => Promise<ShopReply>][] = [
    ['items', () => shop.items()], ['inventory', () => shop.call('/shared/commodity/inventory', { sharedCode: 'R', ...MONTH })], ['items of type 1', () => shop.open('/items')],
  ]
  await hub.stockGood({ code: 'TINY', mode: 'live', unitPrice: '0.0015', cards: 3_000 })
  for (const [name, look] of looks) {
    await hub.stockGood(raced('30', '1'))
    succeeded(await look())
    await hub.stockGood(raced('31', '1'))
    refused(await shop.trade('R', 1, name.replaceAll(' ', ''), MONTH), /32\.00，高于您允许的 31\.00/)
  }
  await hub.stockGood({ code: 'TINY', unitPrice: '0.0016' })
  refused(await shop.trade('TINYx1000', 1, 'P'), /0\.0016，高于您允许的 0\.0015/)
  const [fresh] = succeeded(await shop.items()).data.flatMap((category: Json) => category.children).filter((good: Json) => good.code === 'TINYx1000')
  assert.equal(fresh.price, 1.6)
  assert.equal(succeeded(await shop.trade('TINYx1000', 1, 'P')).data.amount, 1.6)
})
