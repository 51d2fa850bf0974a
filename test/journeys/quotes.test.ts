import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readContract } from '../contract.ts'
import { startHub } from '../hub.ts'

test('an order costs what its quote said, and is refused for what its quote was refused for', async (t) => {
  const hub = await startHub(t)
  const contract = await readContract(hub.url)
  const goods = [
    await hub.stockGood({ code: 'A', unitPrice: '9.50', cards: 60 }), await hub.stockGood({ code: 'B', unitPrice: '0.0015', cards: 30, maximum: 20 }),
    await hub.stockGood({ code: 'C', unitPrice: '333.333333', cards: 3, minimum: 2 }), await hub.stockGood({ code: 'D', unitPrice: '1000000000' }), 'gds_nobody',
  ]
  const shops = [await hub.openDocking({ deposit: '400.00', feePpm: 12_345 }), await hub.openDocking({ deposit: '5.00' })]
  await hub.operator('POST', `/operator/dockings/${shops[0]!.id}/offers`, { good: 'A', unitPrice: '8.765432' })
  let number = 0
  await fc.assert(fc.asyncProperty(
    fc.constantFrom(...shops), fc.constantFrom(...goods), fc.integer({ min: 1, max: 25 }), fc.constantFrom('8.765432', '9.5', '0.001', '1000000000'),
    async (shop, good, quantity, maxUnitPrice) => {
      const quoted = await hub.bearer(shop, 'POST', '/api/quotes', { good, quantity, maxUnitPrice, form: {}, member: 'm-1' })
      contract.check('POST', '/api/quotes', quoted)
      const ordered = await hub.bearer(shop, 'POST', '/api/orders', { reference: `Q-${++number}`, good, quantity, maxUnitPrice })
      if (quoted.status !== 200) {
        const { requestId: _quoteId, serverTime: _quoteTime, ...quoteProblem } = quoted.body
        const { requestId: _orderId, serverTime: _orderTime, ...orderProblem } = ordered.body
        assert.deepEqual(quoteProblem, orderProblem)
        return
      }
      assert.equal(ordered.status, 201, ordered.text)
      for (const name of ['good', 'quantity', 'unitPrice', 'total', 'fee', 'charged']) assert.equal(quoted.body[name], ordered.body[name], name)
    },
  ), { numRuns: 120 })
  assert.deepEqual(await hub.findings(), [])
})

test('a quote writes nothing, takes nothing and locks nothing, whatever it is answered', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'A', cards: 5 })
  const shop = await hub.openDocking({ deposit: '20.00' })
  const traces = async () => (await hub.hub.db.run({
    text: `select (select count(*) from platform.facts), (select sum(head) from platform.lanes), (select sum(next_seq) from catalogue.lots), (select sum(available) from ledger.balances), (select count(*) from orders.orders)`, values: [],
  }))[0]!.map(String)
  const before = await traces()
  const answer = async (body: unknown) => (await hub.bearer(shop, 'POST', '/api/quotes', body)).body
  assert.deepEqual([(await answer({ good, quantity: 2 })).charged, (await answer({ good, quantity: 1 })).stockClass], ['19.00', 'low'])
  const both = await answer({ good, quantity: 6, maxUnitPrice: '9' })
  assert.deepEqual([both.code, both.also.map((other: { code: string }) => other.code)], ['catalogue.price_above_guard', ['ledger.insufficient_funds', 'catalogue.out_of_stock']])
  // Another transaction holds every lock that an order would need.
  await hub.hub.db.transaction(async (connection) => {
    await connection.run({ text: 'select lane from platform.lanes for update', values: [] })
    await connection.run({ text: 'select id from catalogue.lots for update', values: [] })
    assert.equal((await answer({ good, quantity: 1 })).unitPrice, '9.50')
  })
  assert.deepEqual(await traces(), before)
})

test('a quote asks for the scope of an order, but for no signature: it moves no money', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'A', cards: 5, mode: 'live' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '20.00' })
  assert.equal((await hub.bearer(shop, 'POST', '/api/quotes', { good, quantity: 1 })).status, 200)
  const narrow = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer', scopes: ['goods:read'] })
  assert.equal((await hub.bearer({ ...shop, apiKey: narrow.body.secret }, 'POST', '/api/quotes', { good, quantity: 1 })).body.code, 'partners.scope_missing')
  assert.equal((await hub.bearer(shop, 'POST', '/api/quotes', { good, quantity: 1, reference: 'A-1' })).body.code, 'protocol.invalid_field')
})
