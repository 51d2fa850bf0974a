import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHub } from '../hub.ts'

test('a card platform docks, buys a card, repeats its order, and is told the truth when it cannot', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '50.00', feePpm: 10_000 })

  const first = await hub.order(shop, { reference: 'A-1', good, quantity: 2 })
  assert.equal(first.status, 201, first.text)
  assert.deepEqual([first.body.total, first.body.fee, first.body.charged], ['19.00', '0.19', '19.19'])
  assert.deepEqual(first.body.cards.map((card: { secret: string }) => card.secret), ['Q10-b1-live-1', 'Q10-b1-live-2'])

  const again = await hub.order(shop, { reference: 'A-1', good, quantity: 2 })
  assert.equal(again.status, 200)
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.deepEqual(again.body, first.body)

  const other = await hub.order(shop, { reference: 'A-1', good, quantity: 1 })
  assert.equal(other.body.code, 'orders.reference_reused')
  assert.equal(other.body.because.differs, 'quantity')

  const poor = await hub.order(shop, { reference: 'A-2', good, quantity: 4 })
  assert.equal(poor.status, 402)
  assert.deepEqual(poor.body.because, { needed: '38.38', available: '30.81' })
  assert.deepEqual(poor.body.also.map((cause: { code: string }) => cause.code), ['catalogue.out_of_stock'])

  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.identity_unverified', scope: ['orders'], facts: ['The business licence that was sent has expired.'],
    ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' },
  })
  assert.equal(held.status, 201, held.text)
  const stopped = await hub.order(shop, { reference: 'A-3', good })
  assert.equal(stopped.status, 403)
  assert.deepEqual([stopped.body.code, stopped.body.class, stopped.body.decision], ['compliance.identity_unverified', 'compliance', held.body.id])
  const report = await hub.signed(shop, 'GET', '/api/docking/report')
  assert.equal(report.body.verdict.class, 'compliance')
  assert.equal((await hub.order(shop, { reference: 'A-1', good, quantity: 2 })).status, 200, 'an order that was accepted is still handed over')

  assert.equal((await hub.operator('POST', `/operator/decisions/${held.body.id}/lift`, { note: 'Licence seen.' })).status, 200)
  assert.equal((await hub.order(shop, { reference: 'A-3', good })).status, 201)
  assert.deepEqual(await hub.findings(), [])
})
