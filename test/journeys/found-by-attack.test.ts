import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { openShop } from '../acg-shop.ts'
import { holdLanes } from '../locks.ts'
import { exchange } from '../raw-http.ts'
import { signRequest } from '../../protocol/signature.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

const world = async (t: Parameters<typeof startHub>[0], env?: Record<string, string>) => {
  const hub = await startHub(t, env)
  return { hub, good: await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' }) }
}

function headersFor(hub: TestHub, docking: TestDocking, method: string, path: string, body?: string): Record<string, string> {
  return signRequest({ method, url: hub.url + path, ...(body === undefined ? {} : { body }) }, {
    keyid: docking.keyId!, created: Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
    hmacSha256: (base) => createHmac('sha256', docking.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
  }) as Record<string, string>
}

/** Orders and hangs up as soon as the request is out: the answer finds nobody. */
async function orderAndHangUp(hub: TestHub, docking: TestDocking, reference: string, good: string): Promise<void> {
  const body = JSON.stringify({ reference, good, quantity: 1, maxUnitPrice: '9.50' })
  const headers = { ...headersFor(hub, docking, 'POST', '/api/orders', body), 'content-type': 'application/json', 'content-length': String(body.length) }
  const sent = request(hub.url + '/api/orders', { method: 'POST', headers, agent: false })
  sent.on('error', () => {})
  sent.end(body, () => setImmediate(() => sent.destroy()))
  await sleep(120)
}

test('an order is either voided or handed over by a look-up, never both', async (t) => {
  const { hub, good } = await world(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  await orderAndHangUp(hub, shop, 'LOOK', good)
  const found = (await hub.signed(shop, 'GET', '/api/orders?reference=LOOK')).body.items[0]
  assert.ok(found, 'the order was booked')
  const looked = await hub.signed(shop, 'GET', `/api/orders/${found.id}`)
  await sleep(600)
  const after = (await hub.signed(shop, 'GET', `/api/orders/${found.id}`)).body
  assert.equal(after.state === 'cancelled', looked.body.state === 'cancelled', 'what a look-up handed over stays handed over')
  assert.equal((await hub.signed(shop, 'GET', '/api/funds/balance')).body.available, after.state === 'cancelled' ? '100.00' : '90.50')
  assert.deepEqual(await hub.findings(), [])
})

test('a HEAD hands nothing over', async (t) => {
  const { hub, good } = await world(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const { id } = (await hub.order(shop, { reference: 'H', good })).body
  const answer = await fetch(`${hub.url}/api/orders/${id}`, { method: 'HEAD', headers: headersFor(hub, shop, 'HEAD', `/api/orders/${id}`) })
  assert.equal(answer.status, 405)
})

test('an acg shop that repeats a charged number gets its cards, though the good went off sale or became too fine meanwhile', async (t) => {
  const { hub } = await world(t)
  const docking = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00' })
  const shop = openShop({ baseUrl: docking.baseUrl.replace(/^http:\/\/[^/]+/, hub.url), appId: docking.appId!, appKey: docking.appKey! })
  const trade = () => shop.trade('Q10', 1, '440261123050929939')
  const first = await trade()
  for (const change of [{ onSale: false }, { unitPrice: '9.505' }]) {
    assert.equal((await hub.operator('POST', '/operator/goods', { items: [{ code: 'Q10', name: 'Good Q10', category: 'Test', unitPrice: '9.50', ...change }] })).status, 200)
    assert.deepEqual((await trade()).body.data.secret, first.body.data.secret)
  }
})

test('an acg key may only do what its scopes say', async (t) => {
  const { hub } = await world(t)
  const docking = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00' })
  const added = await hub.operator('POST', `/operator/dockings/${docking.id}/keys`, { kind: 'acg', scopes: ['goods:read'] })
  const shop = openShop({ baseUrl: docking.baseUrl.replace(/^http:\/\/[^/]+/, hub.url), appId: docking.appId!, appKey: added.body.secret })
  assert.equal((await shop.items()).body.code, 200)
  const refused = await shop.trade('Q10', 1, '1')
  assert.equal(refused.body.code, 0)
  assert.match(refused.body.msg, /权限/)
})

test('a hold on the key or the goods stops orders; a hold that would stop nothing is not taken', async (t) => {
  const { hub, good } = await world(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const hold = (scope: string[]) => hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.identity_unverified', scope, facts: ['The business licence that was sent has expired.'],
    ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条', publishedAt: '2018-08-31' }], remedy: { en: 'Send a valid licence.', zh: '请提交有效执照。' },
  })
  assert.equal((await hold(['members'])).body.code, 'protocol.invalid_field')
  assert.equal((await hold(['key'])).status, 201)
  assert.equal((await hub.order(shop, { reference: 'K', good })).body.class, 'compliance')
})

test('strangers who fail do not lock out a right key, nor the operator', async (t) => {
  const { hub, good } = await world(t, { LIMIT_FAILED_SIGN_INS_PER_MINUTE: '3' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const stranger = () => fetch(`${hub.url}/api/docking`, { headers: { authorization: 'Bearer nobody' } })
  for (let i = 0; i < 3; i++) await stranger()
  assert.equal((await stranger()).status, 429)
  assert.equal((await hub.order(shop, { reference: 'S', good })).status, 201)
  assert.equal((await hub.operator('GET', '/operator/dockings')).status, 200)
})

test('a header with a secret that a signature covers stands in no fact and no report', async (t) => {
  const { hub } = await world(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const nonce = randomBytes(8).toString('hex')
  const input = `sig1=("@method" "@authority" "@path" "authorization");created=${Math.floor(Date.now() / 1000)};nonce="${nonce}";keyid="${shop.keyId}"`
  const answer = await fetch(`${hub.url}/api/docking`, {
    headers: { authorization: `Bearer ${shop.apiKey}`, 'signature-input': input, signature: `sig1=:${randomBytes(32).toString('base64')}:` },
  })
  assert.equal(answer.status, 401)
  await sleep(200)
  const facts = await hub.hub.db.run({ text: 'select body from platform.facts where docking = $1 and code is not null', values: [shop.id] })
  assert.ok(facts.length > 0)
  assert.doesNotMatch(JSON.stringify(facts), /bth_live_/)
})

test('a stranger is turned away before the hub reads a byte of an import', async (t) => {
  const { hub } = await world(t)
  const [answer] = (await exchange(hub.url, `POST /operator/goods HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n`, { replies: 1, timeoutMs: 3_000 })).replies
  assert.equal(answer?.status, 401)
})

test('a void that finds its lane held is tried again until money and cards are back', async (t) => {
  const { hub, good } = await world(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  // The batch waits until the hub has surely seen the line go; then the order is booked, and its void meets a held lane.
  const before = await holdLanes(hub)
  await orderAndHangUp(hub, shop, 'HELD', good)
  await before()
  await sleep(80)
  const held = await holdLanes(hub)
  await sleep(2_600)
  await held()
  const balance = async () => (await hub.signed(shop, 'GET', '/api/funds/balance')).body.available as string
  for (let i = 0; i < 50 && (await balance()) !== '100.00'; i++) await sleep(100)
  assert.equal(await balance(), '100.00')
  assert.deepEqual(await hub.findings(), [])
})

test('doubt that finds its lane held is written down later, and holds no later order in doubt', async (t) => {
  const { hub, good } = await world(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const ask = { reference: 'D', good, quantity: 1, guardMicro: null, member: null, form: '', onlyReplay: null }
  const asker = { id: shop.id, lane: (await hub.hub.db.run({ text: 'select lane from partners.dockings where id = $1', values: [shop.id] }))[0]![0] as number, mode: 'live' as const }
  const placed = await hub.hub.orders.place(asker, ask)
  assert.ok(placed.ok)
  const held = await holdLanes(hub)
  placed.value.receipt.broken()
  await sleep(2_400)
  await held()
  const unanswered = () => hub.hub.orders.load.unanswered
  for (let i = 0; i < 50 && unanswered() > 0; i++) await sleep(100)
  assert.equal(unanswered(), 0)
  assert.deepEqual((await hub.operator('GET', '/operator/orders/doubtful')).body.items.map((order: { reference: string }) => order.reference), ['D'])
})
