import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Drills } from '../../hub/domain/drills/index.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

const DAY_MS = 86_400_000

/** The clock of the hub, moved by hand; its true one goes on below it. */
function moveClock(t: TestContext, { hub }: TestHub): (ms: number) => void {
  const { nowMs } = hub.clock
  let aheadMs = 0
  t.mock.method(hub.clock, 'nowMs', () => nowMs.call(hub.clock) + aheadMs)
  return (ms) => void (aheadMs += ms)
}

async function openHub(t: TestContext, env: Record<string, string> = {}): Promise<{ hub: TestHub; shop: TestDocking; good: string; pass: (ms: number) => void; order: (reference: string, at?: number) => Promise<number> }> {
  const hub = await startHub(t, env)
  const good = await hub.stockGood({ code: 'L1', cards: 100, unitPrice: '0.10' })
  const shop = await hub.openDocking({ mode: 'sandbox', deposit: '100.00' })
  const pass = moveClock(t, hub)
  const order = async (reference: string) =>
    (await hub.bearer(shop, 'POST', '/api/orders', { reference, good, quantity: 1, maxUnitPrice: '1.00' })).status
  return { hub, shop, good, pass, order }
}

const factsOf = async (hub: TestHub, docking: string) =>
  (await hub.hub.db.run({ text: "select kind from platform.facts where docking = $1 and kind like 'drill.%' order by position", values: [docking] })).map(([kind]) => kind)

test('a live docking and an acg shop are told why they do not rehearse, and a sandbox rehearses one thing at a time', async (t) => {
  const { hub, shop } = await openHub(t)
  const live = await hub.openDocking({ mode: 'live' })
  const acg = await hub.openDocking({ mode: 'sandbox', dialect: 'acg0' })
  assert.equal((await hub.signed(live, 'POST', '/api/drills', { kind: 'rush' })).body.code, 'sandbox.live_docking')
  assert.equal((await hub.operator('POST', `/operator/dockings/${live.id}/drills`, { kind: 'rush' })).body.code, 'sandbox.live_docking')
  assert.equal((await hub.operator('POST', `/operator/dockings/${live.id}/drills/schedule`, { kind: 'rush', everyDays: 30 })).body.code, 'sandbox.live_docking')
  assert.equal((await hub.operator('POST', `/operator/dockings/${acg.id}/drills`, { kind: 'rush' })).body.code, 'drills.dialect_not_rehearsed')
  const first = (await hub.bearer(shop, 'POST', '/api/drills', { kind: 'rush' })).body
  const second = await hub.bearer(shop, 'POST', '/api/drills', { kind: 'outage' })
  assert.deepEqual([second.body.code, second.body.because.drill], ['drills.under_way', first.id])
  const other = await hub.openDocking({ mode: 'sandbox' })
  assert.equal((await hub.bearer(other, 'GET', `/api/drills/${first.id}`)).body.code, 'drills.not_found')
  assert.equal((await hub.bearer(other, 'POST', `/api/drills/${first.id}/abandon`, {})).body.code, 'drills.not_found')
  assert.deepEqual((await hub.bearer(shop, 'POST', `/api/drills/${first.id}/abandon`, {})).body.reason, 'given_up')
  assert.equal((await hub.bearer(shop, 'POST', `/api/drills/${first.id}/abandon`, {})).body.code, 'drills.ended')
  assert.equal((await hub.bearer(shop, 'POST', `/api/drills/${first.id}/dispute`, { first: 'a', second: 'b' })).body.code, 'drills.no_log')
  assert.deepEqual(await factsOf(hub, shop.id), ['drill.planned', 'drill.abandoned'])
})

test('twenty drills a day and no more', async (t) => {
  const { hub, shop, pass } = await openHub(t)
  for (let i = 0; i < 20; i++) {
    const { body } = await hub.bearer(shop, 'POST', '/api/drills', { kind: 'rush' })
    await hub.bearer(shop, 'POST', `/api/drills/${body.id}/abandon`, {})
  }
  const refused = await hub.bearer(shop, 'POST', '/api/drills', { kind: 'rush' })
  assert.deepEqual([refused.status, refused.body.code, refused.body.because.allowed], [429, 'platform.rate_limited', '20 drills a day'])
  pass(DAY_MS)
  assert.equal((await hub.bearer(shop, 'POST', '/api/drills', { kind: 'rush' })).status, 201)
})

test('where no platform comes the drill ends without a score, and one who moves the faults meanwhile has left the plan', async (t) => {
  const { hub, shop, pass, order } = await openHub(t)
  const { drills } = hub.hub
  const alone = (await hub.bearer(shop, 'POST', '/api/drills', { kind: 'outage' })).body
  await drills.tick()
  assert.equal((await hub.bearer(shop, 'GET', `/api/drills/${alone.id}`)).body.now.step, 'calm')
  pass(301_000)
  await drills.tick()
  assert.deepEqual((({ state, reason, score }) => [state, reason, score])((await hub.bearer(shop, 'GET', `/api/drills/${alone.id}`)).body), ['abandoned', 'nobody_came', null])

  const steered = (await hub.bearer(shop, 'POST', '/api/drills', { kind: 'outage' })).body
  await drills.tick()
  for (const reference of ['S-1', 'S-2', 'S-3']) assert.equal(await order(reference), 201)
  await drills.tick()
  assert.equal((await hub.bearer(shop, 'GET', `/api/drills/${steered.id}`)).body.now.step, 'doubt')
  assert.deepEqual((await hub.bearer(shop, 'GET', '/api/sandbox')).body.switches, [{ fault: 'timeout_after_debit;ms=0', remaining: 2 }])
  assert.equal((await hub.bearer(shop, 'DELETE', '/api/sandbox/faults')).status, 200)
  await drills.tick()
  assert.equal((await hub.bearer(shop, 'GET', `/api/drills/${steered.id}`)).body.reason, 'steered')
  assert.equal(await order('S-4'), 201)
})

test('a platform that takes no new key in time loses points and not its sandbox', async (t) => {
  const { hub, shop, pass, order } = await openHub(t)
  const { drills } = hub.hub
  const drill = (await hub.bearer(shop, 'POST', '/api/drills', { kind: 'key_roll' })).body
  await drills.tick()
  for (let i = 1; i <= 5; i++) assert.equal(await order(`K-${i}`), 201)
  await drills.tick()
  const told = await hub.bearer(shop, 'GET', '/api/docking')
  assert.ok(Date.parse(told.headers.get('berth-key-expires')!) > hub.hub.clock.nowMs(), 'every answer says that the key ends')
  pass(61_000)
  await drills.tick()
  assert.equal((await hub.bearer(shop, 'GET', '/api/docking')).body.code, 'partners.key_expired')
  pass(21_000)
  await drills.tick()
  pass(16_000)
  await drills.tick()
  const { state, result } = (await hub.bearer(shop, 'GET', `/api/drills/${drill.id}`)).body
  assert.deepEqual([state, result.criteria.filter(({ points }: { points: number }) => points === 0).map(({ name }: { name: string }) => name)], ['scored', ['switched_in_time', 'kept_ordering']])
  assert.equal(await order('K-6'), 201)
  assert.deepEqual((await hub.bearer(shop, 'GET', '/api/keys')).body.items.map(({ state: one }: { state: string }) => one), ['live', 'live'])
})

test('a hub that ends in the middle of a drill goes on with it, with the time given back', async (t) => {
  const { hub, shop, pass, order } = await openHub(t)
  const { drills } = hub.hub
  const drill = (await hub.bearer(shop, 'POST', '/api/drills', { kind: 'outage' })).body
  await drills.tick()
  for (const reference of ['R-1', 'R-2', 'R-3']) await order(reference)
  await drills.tick()
  const before = (await hub.bearer(shop, 'GET', `/api/drills/${drill.id}`)).body
  assert.equal(before.now.step, 'doubt')
  await drills.close()

  // Another life on the same database, ten minutes later.
  pass(600_000)
  const { db, clock, ids, log, signer, orders, keys, sandboxes } = hub.hub
  const next = new Drills({ db, clock, ids, log, signer, orders, keys, sandboxes, publicUrl: () => hub.url, tempo: 1 })
  hub.hub.drills = next
  await next.tick()
  const after = (await hub.bearer(shop, 'GET', `/api/drills/${drill.id}`)).body
  assert.deepEqual([after.state, after.now.step], ['running', 'doubt'])
  assert.ok(Math.abs(Date.parse(after.now.dueAt) - Date.parse(before.now.dueAt) - 600_000) < 5_000, 'the step has the time that it had')
  // What was seen before counts: three orders, and the cut ones are still to come.
  await assert.rejects(() => order('R-4'))
  await assert.rejects(() => order('R-5'))
  await next.tick()
  assert.equal((await hub.bearer(shop, 'GET', `/api/drills/${drill.id}`)).body.now.step, 'outage')
  assert.equal(await order('R-6'), 503)
  pass(21_000)
  await next.tick()
  for (const reference of ['R-4', 'R-5', 'R-6']) assert.ok([200, 201].includes(await order(reference)))
  pass(61_000)
  await next.tick()
  const { state, result } = (await hub.bearer(shop, 'GET', `/api/drills/${drill.id}`)).body
  assert.deepEqual([state, result.criteria.filter(({ points, of }: { points: number; of: number }) => points < of).map(({ name }: { name: string }) => name)], ['scored', ['feed_caught_up']])
  assert.deepEqual([result.measured.booked, result.measured.doubtful, result.measured.refused], [6, 2, 1])
  await next.close()
})

test('a schedule plans a drill a day before, begins it when it is due, and goes on by its days', async (t) => {
  const { hub, shop, pass } = await openHub(t)
  const { drills } = hub.hub
  const set = await hub.operator('POST', `/operator/dockings/${shop.id}/drills/schedule`, { kind: 'rush', everyDays: 30 })
  assert.deepEqual([set.status, set.body.everyDays, set.body.setBy], [200, 30, 'owner'])
  const runs = async () => (await hub.operator('GET', `/operator/drills?docking=${shop.id}`)).body.items.map(({ state, origin }: { state: string; origin: string }) => `${state} by ${origin}`)
  await drills.tick()
  assert.deepEqual(await runs(), [])
  pass(29 * DAY_MS)
  await drills.tick()
  assert.deepEqual(await runs(), ['planned by schedule'])
  // It stands in nobody's way until it begins.
  const own = (await hub.bearer(shop, 'POST', '/api/drills', { kind: 'outage' })).body
  await hub.bearer(shop, 'POST', `/api/drills/${own.id}/abandon`, {})
  pass(DAY_MS)
  await drills.tick()
  assert.deepEqual((await runs()).at(-1), 'running by schedule')
  const [next] = (await hub.operator('GET', '/operator/drill-schedules')).body.items
  assert.ok(Math.abs(Date.parse(next.nextAt) - hub.hub.clock.nowMs() - 30 * DAY_MS) < 60_000)
  assert.deepEqual((await hub.operator('POST', `/operator/dockings/${shop.id}/drills/schedule/end`, { kind: 'rush' })).body, { ended: true })
  assert.deepEqual((await hub.operator('POST', `/operator/dockings/${shop.id}/drills/schedule/end`, { kind: 'rush' })).body, { ended: false })
  pass(60 * DAY_MS)
  await drills.tick()
  assert.deepEqual(await factsOf(hub, shop.id), ['drill.scheduled', 'drill.planned', 'drill.planned', 'drill.abandoned', 'drill.started', 'drill.unscheduled', 'drill.abandoned'])
})

test('the log of a drill is its own: the true one neither grows nor splits, and a made-up report is no evidence', async (t) => {
  const { hub, shop } = await openHub(t)
  const { drills } = hub.hub
  const drill = (await hub.bearer(shop, 'POST', '/api/drills', { kind: 'tampered_log' })).body
  await drills.tick()
  const { log } = (await hub.bearer(shop, 'GET', `/api/drills/${drill.id}`)).body
  assert.equal(log, `${hub.url}/drills/${drill.id}`)
  const note = await (await fetch(`${log}/api/log/checkpoint`)).text()
  assert.match(note.split('\n')[0]!, new RegExp(`/drills/${drill.id}/log$`), 'a note of a drill never carries the name of the true log')
  assert.equal((await fetch(`${log}/api/log/consistency?from=1&to=99`)).status, 422)
  assert.deepEqual((await hub.bearer(shop, 'POST', `/api/drills/${drill.id}/dispute`, { first: note, second: note.replace('\n16\n', '\n17\n') })).body, { holds: false })
  const bad = await hub.bearer(shop, 'POST', `/api/drills/${drill.id}/witness`, { size: 16, publicKey: Buffer.alloc(32).toString('base64'), line: '— witness AAAA' })
  assert.equal(bad.body.code, 'logbook.cosignature_invalid')
  const other = await hub.openDocking({ mode: 'sandbox' })
  assert.equal((await hub.bearer(other, 'POST', `/api/drills/${drill.id}/dispute`, { first: note, second: note })).body.code, 'drills.no_log')
})
