import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { signRequest } from '../../protocol/signature.ts'
import { readContract } from '../contract.ts'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'
import { holdLanes } from '../locks.ts'
import type { Json } from '../raw-http.ts'

const PATH = '/api/orders/batch'
const ask = (good: string, reference: string, more: Record<string, unknown> = {}) => ({ reference, good, quantity: 1, maxUnitPrice: '9.50', ...more })

async function openShop(t: Parameters<typeof startHub>[0], { cards = 600, deposit = '10000.00', env = {} as Record<string, string> } = {}) {
  const hub = await startHub(t, env)
  const contract = await readContract(hub.url)
  const good = await hub.stockGood({ code: 'Q10', cards, mode: 'live' })
  const shop = await hub.openDocking({ mode: 'live', deposit, feePpm: 10_000 })
  const place = async (orders: unknown[], docking = shop) => {
    const reply = await hub.signed(docking, 'POST', PATH, { orders })
    contract.check('POST', PATH, reply)
    return reply
  }
  const available = async () => (await hub.signed(shop, 'GET', '/api/funds/balance')).body.available as string
  return { hub, contract, good, shop, place, available }
}

test('each order of a batch has its own verdict, in the order of the asks, and a wrong one stops no other', async (t) => {
  const { hub, good, shop, place } = await openShop(t)
  assert.equal((await hub.order(shop, { reference: 'OLD', good, maxUnitPrice: '9.50' })).status, 201)
  const dear = await hub.stockGood({ code: 'DEAR', unitPrice: '8000.00', cards: 1, mode: 'live' })
  const orders = [
    ask(good, 'B-1', { quantity: 2 }), ask(good, 'OLD'), ask(good, 'OLD', { quantity: 2 }), ask(good, 'B-1', { quantity: 2 }), ask(good, 'B-1', { quantity: 3 }),
    ask('gds_nobody', 'B-2'), ask(good, 'B-3', { maxUnitPrice: '9' }), ask(dear, 'B-4', { quantity: 2, maxUnitPrice: '8000' }), ask(good, 'B-5', { quantity: 0 }), { reference: 'B-6', price: '1' },
    'not an order', ask(good, 'B-7', { maxUnitPrice: '999999999999' }), ask(good, 'B-8'),
  ]
  const { status, body } = await place(orders)
  assert.equal(status, 200)
  assert.deepEqual(body.items.map((item: Json) => `${item.status} ${item.order?.reference ?? item.problem.code}`), [
    '201 B-1', '200 OLD', '422 orders.reference_reused', '200 B-1', '422 orders.reference_reused',
    '404 catalogue.good_not_found', '409 catalogue.price_above_guard', '402 ledger.insufficient_funds', '422 protocol.invalid_field', '422 protocol.invalid_field',
    '422 protocol.invalid_field', '422 protocol.invalid_field', '201 B-8',
  ])
  assert.deepEqual(body.items[3].order, body.items[0].order)
  assert.equal(body.items[0].order.cards.length, 2)
  assert.equal(body.items[0].order.fee, '0.19')
  assert.deepEqual(body.items[7].problem.also.map((other: Json) => other.code), ['catalogue.out_of_stock'])
  assert.deepEqual([8, 10, 11].map((i) => body.items[i].problem.because.path), ['/orders/8/quantity', '/orders/10', '/orders/11/maxUnitPrice'])
  assert.deepEqual(await hub.findings(), [])
})

test('500 orders at once, and the same 500 again are the same orders', async (t) => {
  const { hub, good, place, available } = await openShop(t)
  const orders = Array.from({ length: 500 }, (_, i) => ask(good, `N-${i}`))
  const first = await place(orders)
  assert.ok(first.body.items.every((item: Json) => item.status === 201))
  const secrets = new Set(first.body.items.flatMap((item: Json) => item.order.cards.map((card: Json) => card.secret)))
  assert.equal(secrets.size, 500)
  assert.equal(await available(), '5202.50')
  const again = await place(orders)
  assert.ok(again.body.items.every((item: Json) => item.status === 200))
  assert.deepEqual(again.body.items.map((item: Json) => item.order), first.body.items.map((item: Json) => item.order))
  assert.equal(await available(), '5202.50')
  assert.deepEqual(await hub.findings(), [])
})

test('a batch is signed in live mode, holds 1 to 500 orders and at most 5000 cards, and is turned away unread without a key', async (t) => {
  const { hub, good, contract, shop, place } = await openShop(t, { cards: 1 })
  const told = async (reply: Reply, code: string) => {
    contract.check('POST', PATH, reply)
    assert.equal(reply.body.code, code, reply.text)
  }
  await told(await hub.bearer(shop, 'POST', PATH, { orders: [ask(good, 'A')] }), 'partners.signature_required')
  const { batchOrders, batchCards, batchBytes } = (await hub.signed(shop, 'GET', '/api/docking')).body.limits
  assert.deepEqual([batchOrders, batchCards, batchBytes], [500, 5_000, 1_048_576])
  await told(await place([]), 'protocol.invalid_field')
  await told(await place(Array.from({ length: 501 }, (_, i) => ask(good, `N-${i}`))), 'protocol.invalid_field')
  const many = await place(Array.from({ length: 6 }, (_, i) => ask(good, `N-${i}`, { quantity: 1000 })))
  await told(many, 'protocol.invalid_field')
  assert.equal(many.body.because.expected, 'at most 5000 cards in all')
  await told(await place(Array.from({ length: 400 }, (_, i) => ask(good, `N-${i}`, { member: '王'.repeat(64), nonsense: 'x'.repeat(3_000) }))), 'protocol.request_too_large')
  const unread = await new Promise<number>((resolve, reject) => {
    const sent = request(hub.url + PATH, { method: 'POST', headers: { 'content-type': 'application/json', 'content-length': 1_000_000 }, agent: false }, (answer) => resolve(answer.statusCode!))
    sent.on('error', reject)
    sent.write('{')
  })
  assert.equal(unread, 401)
  const narrow = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'hmac-sha256', scopes: ['orders:read'] })
  await told(await place([ask(good, 'A')], { ...shop, keyId: narrow.body.keyId, keySecret: narrow.body.secret }), 'partners.scope_missing')
})

test('every five orders begun count as one request, and what is beyond the second is paid by the next ones', async (t) => {
  const { good, place } = await openShop(t, { env: { LIMIT_REQUESTS_PER_SECOND: '10' } })
  await sleep(1_005 - (Date.now() % 1_000))
  const first = await place(Array.from({ length: 26 }, (_, i) => ask(good, `N-${i}`)))
  assert.deepEqual([first.status, first.headers.get('ratelimit')], [200, '"docking";r=4;t=1'])
  const second = await place(Array.from({ length: 200 }, (_, i) => ask(good, `M-${i}`)))
  assert.deepEqual([second.status, second.headers.get('ratelimit')], [200, '"docking";r=0;t=1'])
  const third = await place([ask(good, 'L')])
  assert.deepEqual([third.status, third.body.code], [429, 'platform.rate_limited'])
  assert.ok(Number(third.headers.get('retry-after')) >= 2, third.headers.get('retry-after')!)
})

/** Sends a batch and hangs up as soon as the request is out: the answer finds nobody. */
async function placeAndHangUp(hub: TestHub, docking: TestDocking, orders: unknown[]): Promise<void> {
  const body = JSON.stringify({ orders })
  const headers = signRequest({ method: 'POST', url: hub.url + PATH, body }, {
    keyid: docking.keyId!, created: Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
    hmacSha256: (base) => createHmac('sha256', docking.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
  }) as Record<string, string>
  const sent = request(hub.url + PATH, { method: 'POST', headers: { ...headers, 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }, agent: false })
  sent.on('error', () => {})
  await new Promise<void>((gone) => sent.end(body, () => setTimeout(() => gone(void sent.destroy()), 60)))
}

test('a batch whose buyer hung up before the answer is voided as a whole: money and cards come back, into one lot a good', async (t) => {
  const { hub, good, shop, available } = await openShop(t, { cards: 40 })
  // The orders are booked only after the hub has surely seen the line go.
  const held = await holdLanes(hub)
  await placeAndHangUp(hub, shop, [...Array.from({ length: 20 }, (_, i) => ask(good, `V-${i}`)), ask(good, 'V-0')])
  await sleep(60)
  await held()
  const states = async () => (await hub.signed(shop, 'GET', '/api/orders')).body.items.map((order: Json) => order.state) as string[]
  for (let i = 0; i < 80 && !((await states()).length === 20 && (await states()).every((state) => state === 'cancelled')); i++) await sleep(50)
  assert.deepEqual(new Set(await states()), new Set(['cancelled']))
  assert.equal(await available(), '10000.00')
  assert.equal((await hub.signed(shop, 'GET', `/api/goods/${good}`)).body.stock, 40)
  const lots = await hub.hub.db.run({ text: `select size from catalogue.lots where good = $1 and batch = 'returned'`, values: [good] })
  assert.deepEqual(lots, [[20]])
  assert.equal(hub.hub.orders.load.unanswered, 0)
  assert.deepEqual(await hub.findings(), [])
})

test('an order of a lost batch that is asked for again before its grace is over stays, and only the others are voided', async (t) => {
  const { hub, good, shop, place, available } = await openShop(t, { cards: 40, env: { VOID_AFTER_MS: '700' } })
  const held = await holdLanes(hub)
  await placeAndHangUp(hub, shop, Array.from({ length: 5 }, (_, i) => ask(good, `K-${i}`)))
  await sleep(60)
  await held()
  for (let i = 0; i < 40 && (await hub.signed(shop, 'GET', '/api/orders')).body.items.length < 5; i++) await sleep(10)
  assert.equal((await place([ask(good, 'K-3')])).body.items[0].status, 200)
  const others = async () => (await hub.signed(shop, 'GET', '/api/orders')).body.items.map((order: Json) => `${order.reference} ${order.state}`).sort().join()
  const expected = 'K-0 cancelled,K-1 cancelled,K-2 cancelled,K-3 delivered,K-4 cancelled'
  for (let i = 0; i < 80 && (await others()) !== expected; i++) await sleep(50)
  assert.equal(await others(), expected)
  assert.equal(await available(), '9990.405')
  assert.deepEqual(await hub.findings(), [])
})

test('a batch whose answer was cut is in doubt as a whole, and each order is handed over when it is asked for', async (t) => {
  const { hub, good, shop, place } = await openShop(t, { cards: 40 })
  const [row] = await hub.hub.db.run({ text: 'select lane from partners.dockings where id = $1', values: [shop.id] })
  const asks = Array.from({ length: 30 }, (_, i) => ({ reference: `D-${i}`, good, quantity: 1, guardMicro: null, member: null, form: '', onlyReplay: null }))
  const { items, receipt } = await hub.hub.orders.placeMany({ id: shop.id, lane: row![0] as number, mode: 'live' }, asks)
  assert.ok(items.every((item) => item.ok))
  receipt.broken()
  const doubtful = async () => (await hub.operator('GET', '/operator/orders/doubtful')).body.items.length as number
  for (let i = 0; i < 40 && (await doubtful()) < 30; i++) await sleep(25)
  assert.equal(await doubtful(), 30)
  const again = await place(asks.map(({ reference }) => ask(good, reference)))
  assert.ok(again.body.items.every((item: Json) => item.status === 200 && item.order.cards.length === 1))
  for (let i = 0; i < 40 && (await doubtful()) > 0; i++) await sleep(25)
  assert.equal(await doubtful(), 0)
  assert.deepEqual(await hub.findings(), [])
})
