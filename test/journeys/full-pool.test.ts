import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from '../../hub/platform/postgres/database.ts'
import { startHub } from '../hub.ts'

const POOL = 10

/** Sits on every line of the pool until it is let go. */
async function fillPool(db: Database): Promise<() => Promise<void>> {
  const gate = Promise.withResolvers<void>()
  const sitting = Promise.withResolvers<void>()
  let sits = 0
  const all = Array.from({ length: POOL }, () => db.transaction(async (connection) => {
    await connection.run({ text: 'select 1', values: [] })
    if (++sits === POOL) sitting.resolve()
    await gate.promise
  }))
  await sitting.promise
  return async () => {
    gate.resolve()
    await Promise.all(all)
  }
}

test('with every line of the pool taken, reads are turned away and orders go on, new keys and new lots included', async (t) => {
  // Registered before the hub: it ends only when nobody sits on its lines.
  let letGo = async () => {}
  t.after(() => letGo())
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  letGo = await fillPool(hub.hub.db)
  const placed = await hub.order(shop, { reference: 'A-1', good })
  assert.equal(placed.status, 201, placed.text)
  assert.equal(placed.body.cards.length, 1)
  const read = await hub.signed(shop, 'GET', '/api/funds/balance')
  assert.equal(read.status, 503)
  assert.equal(read.body.code, 'platform.storage_unavailable')
  assert.equal(read.headers.get('retry-after'), '2')
  assert.equal((await fetch(`${hub.url}/readyz`)).status, 200, 'who can take orders is ready')
  await letGo()
  assert.equal((await hub.signed(shop, 'GET', '/api/funds/balance')).status, 200)
  assert.deepEqual(await hub.findings(), [])
})
