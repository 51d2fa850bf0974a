import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openShop } from '../acg-shop.ts'
import { readContract } from '../contract.ts'
import { startHub } from '../hub.ts'
import type { Json } from '../raw-http.ts'

test('a partner finds its refused request by the requestId of the answer, with what was asked and without secrets', async (t) => {
  const hub = await startHub(t)
  const contract = await readContract(hub.url)
  const good = await hub.stockGood({ code: 'Q10', cards: 3, mode: 'live' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '5.00' })
  const canary = 'CANARY-of-a-buyer'
  const refused = await hub.signed(shop, 'POST', '/api/orders', { reference: 'A-1', good, quantity: 1, maxUnitPrice: '9.50', member: canary })
  assert.equal(refused.status, 402)
  const entry = await hub.bearer(shop, 'GET', `/api/requests/${refused.body.requestId}`)
  contract.check('GET', `/api/requests/${refused.body.requestId}`, entry)
  const { id, at: _at, durationMs, bytesIn, bytesOut, ...rest } = entry.body
  assert.deepEqual(rest, {
    method: 'POST', path: '/api/orders', route: '/api/orders', status: 402, code: 'ledger.insufficient_funds', class: 'commercial', key: shop.keyId, addressPrefix: '127.0.0.0/24',
    fields: { reference: 'A-1', good, quantity: 1, maxUnitPrice: '9.50', member: '***' },
  })
  assert.deepEqual([id, bytesOut], [refused.body.requestId, Buffer.byteLength(refused.text)])
  assert.ok(durationMs > 0 && bytesIn > 50)

  // Secrets wherever a careless program may put them.
  const signed = await hub.signed({ ...shop, keySecret: 'wrong' }, 'POST', '/api/orders', { reference: 'A-2', good, quantity: 1, maxUnitPrice: '9.50' })
  await hub.signed(shop, 'GET', `/api/goods/${shop.keySecret}`)
  await hub.signed(shop, 'GET', `/api/goods?cursor=${shop.apiKey}`)
  await hub.signed(shop, 'POST', '/api/orders', { reference: shop.apiKey, good: shop.keySecret, [shop.apiKey!]: 'x', quantity: 1 })
  await hub.signed(shop, 'POST', '/api/docking/report', { signature: { base: shop.keySecret }, probe: canary })
  const made = await hub.signed(shop, 'POST', '/api/keys', { kind: 'bearer' })
  assert.equal(made.status, 201)
  const list = await hub.bearer(shop, 'GET', '/api/requests')
  contract.check('GET', '/api/requests', list)
  assert.deepEqual(list.body.items.map((item: Json) => `${item.method} ${item.route} ${item.status} ${item.code}`), [
    'POST /api/keys 201 null', 'POST /api/docking/report 200 null', 'POST /api/orders 422 protocol.invalid_field', 'GET /api/goods 422 protocol.invalid_field',
    'GET /api/goods/:good 404 catalogue.good_not_found', 'POST /api/orders 401 partners.signature_invalid', 'POST /api/orders 402 ledger.insufficient_funds',
  ])
  for (const secret of [shop.keySecret!, shop.apiKey!, made.body.secret, canary, 'Signature']) assert.ok(!list.text.includes(secret), secret)
  assert.equal(list.body.items.find((item: Json) => item.id === signed.body.requestId).status, 401)
  assert.deepEqual(await hub.findings(), [])
})

test('an acg shop is logged by its call, and never its key or its sign', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10', cards: 3, mode: 'live' })
  const docking = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00' })
  const baseUrl = docking.baseUrl.replace(/^http:\/\/[^/]+/, hub.url)
  const shop = openShop({ baseUrl, appId: docking.appId!, appKey: docking.appKey! })
  await shop.trade('Q10', 1, '440261123050929939')
  await shop.trade('NONE', 1, '440261123050929940')
  await openShop({ baseUrl, appId: docking.appId!, appKey: 'WRONGKEYWRONGKEY' }).items()
  const list = await hub.bearer(docking, 'GET', '/api/requests')
  assert.deepEqual(list.body.items.map((item: Json) => [item.status, item.code, item.fields]), [
    [200, 'partners.signature_invalid', {}],
    [200, 'catalogue.good_not_found', { call: 'trade', code: 'NONE', quantity: 1, reference: '440261123050929940' }],
    [200, null, { call: 'trade', code: 'Q10', quantity: 1, reference: '440261123050929939' }],
  ])
  for (const secret of [docking.appKey!, 'WRONGKEYWRONGKEY', 'sign']) assert.ok(!list.text.replaceAll('signature_invalid', '').includes(secret), secret)
})

test('the log is read in pages, is one docking\'s own, and says what it no longer has', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({})
  const other = await hub.openDocking({})
  const ids: string[] = []
  for (let i = 0; i < 105; i++) ids.push((await hub.bearer(shop, 'GET', '/api/goods?limit=x')).body.requestId)
  const newest = ids.toReversed()
  const first = (await hub.bearer(shop, 'GET', '/api/requests?limit=75')).body
  assert.deepEqual(first.items.map((item: Json) => item.id), newest.slice(0, 75))
  // What is asked meanwhile does not move the pages.
  await hub.bearer(shop, 'GET', '/api/goods')
  const second = (await hub.bearer(shop, 'GET', `/api/requests?limit=75&before=${first.next}`)).body
  assert.deepEqual(second.items.map((item: Json) => item.id), newest.slice(75, 99))
  assert.deepEqual([second.next, second.kept], [null, 100])
  for (const gone of [ids[0], 'req_nobody']) assert.equal((await hub.bearer(shop, 'GET', `/api/requests/${gone}`)).body.code, 'platform.request_not_kept')
  assert.equal((await hub.bearer(other, 'GET', `/api/requests/${newest[0]}`)).body.code, 'platform.request_not_kept')
  assert.equal((await hub.bearer(shop, 'GET', '/api/requests?before=req_nobody')).body.code, 'platform.request_not_kept')
  assert.deepEqual((await hub.bearer(other, 'GET', '/api/requests')).body.items, [])
})
