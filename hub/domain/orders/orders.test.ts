import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { codeOf, must, openRooms, until, type Rooms } from '../../../test/house/rooms.ts'
import { checkLastRefusedGood } from '../catalogue/index.ts'
import { hold, lift, type StatementDraft } from '../decisions/index.ts'
import { addKey, type Docking } from '../partners/index.ts'
import type { Placed } from './index.ts'

const rooms = await openRooms({ after })

async function shopWith(own: Rooms, { cards = 100, deposit = '1000.00', feePpm = 10_000 }: { cards?: number; deposit?: string; feePpm?: number } = {}) {
  const docking = await own.openDocking({ deposit, feePpm })
  const good = await own.addGood(`G-${docking.id.slice(-8)}`)
  await own.addCards(good, cards)
  return { docking, good, buy: (reference: string, quantity = 1) => own.place(docking, reference, good, quantity) }
}

async function stateOf(own: Rooms, id: string): Promise<string> {
  return (await own.owner.query<{ state: string }>('select state from orders.orders where id = $1', [id])).rows[0]!.state
}

async function kindsOf(own: Rooms, docking: Docking): Promise<string[]> {
  return (await own.owner.query<{ kind: string }>(`select kind from platform.facts where docking = $1 and kind like 'order.%' order by position`, [docking.id])).rows.map((row) => row.kind)
}

const doubtfulIds = async (own: Rooms) => (await own.orders.doubtful(500)).map((order) => order.id)

test('an order takes money, cards and a place in the log in one go', async () => {
  const { docking, buy } = await shopWith(rooms)
  const placed = must(await buy('A', 2))
  assert.deepEqual([placed.order.state, placed.order.attempt, placed.replayed, placed.cards.length], ['delivered', 1, false, 2])
  assert.equal(await rooms.balance(docking), 1_000_000_000n - 19_190_000n)
  const { rows } = await rooms.owner.query('select position, kind, subject, body::jsonb from platform.facts where docking = $1 order by position desc limit 1', [docking.id])
  assert.deepEqual([BigInt(rows[0].position), rows[0].kind, rows[0].subject, rows[0].body.charged], [placed.order.position, 'order.accepted', placed.order.id, '19.19'])
})

test('fifty equal asks at once are one order, one charge and one set of cards', async () => {
  const { docking, buy } = await shopWith(rooms)
  const all = (await Promise.all(Array.from({ length: 50 }, () => buy('SAME', 3)))).map(must)
  assert.equal(new Set(all.map(({ order }) => order.id)).size, 1)
  assert.equal(new Set(all.map(({ cards }) => JSON.stringify(cards))).size, 1)
  assert.equal(all.filter(({ replayed }) => !replayed).length, 1)
  assert.equal(await rooms.balance(docking), 1_000_000_000n - 28_785_000n)
  assert.deepEqual(await kindsOf(rooms, docking), ['order.accepted'])
})

test('fifty asks for the last ten cards sell ten, and the money of five buys five', async () => {
  const scarce = await shopWith(rooms, { cards: 10 })
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => scarce.buy(`S-${i}`)))
  assert.equal(answers.filter((one) => one.ok).length, 10)
  assert.ok(answers.filter((one) => !one.ok).every((one) => codeOf(one) === 'catalogue.out_of_stock'))
  const poor = await shopWith(rooms, { deposit: '50.00', feePpm: 0 })
  const paid = await Promise.all(Array.from({ length: 20 }, (_, i) => poor.buy(`P-${i}`)))
  assert.equal(paid.filter((one) => one.ok).length, 5)
  assert.equal(await rooms.balance(poor.docking), 2_500_000n)
})

test('every refusal of the batch is a fact with its reason, and the report finds it there', async () => {
  const { docking, good, buy } = await shopWith(rooms, { cards: 1 })
  assert.equal(codeOf(await buy('A', 5)), 'catalogue.out_of_stock')
  const { rows } = await rooms.owner.query('select subject, code, body::jsonb from platform.facts where docking = $1 and code is not null', [docking.id])
  assert.deepEqual(rows, [{ subject: 'A', code: 'catalogue.out_of_stock', body: { good, quantity: 5, guard: null, because: { asked: 5, available: 1 } } }])
  const [check] = await checkLastRefusedGood(rooms.db)(docking, new Date())
  assert.deepEqual([check!.code, check!.verdict], ['catalogue.out_of_stock', 'fail'])
  await rooms.addCards(good, 9)
  assert.equal((await checkLastRefusedGood(rooms.db)(docking, new Date()))[0]!.verdict, 'pass', 'the cause is gone')
})

test('an answer that broke on its way is doubt: charged, in the work list, and handed over on repeat', async () => {
  const { docking, buy } = await shopWith(rooms)
  const first = must(await buy('A', 2))
  first.receipt.broken()
  first.receipt.written()
  await until(async () => (await stateOf(rooms, first.order.id)) === 'unknown')
  assert.ok((await doubtfulIds(rooms)).includes(first.order.id))
  assert.equal(codeOf(await buy('A', 1)), 'orders.reference_reused', 'doubt binds the reference')
  const again = must(await buy('A', 2))
  assert.deepEqual([again.order.id, again.order.state, again.cards, again.replayed], [first.order.id, 'unknown', first.cards, true])
  again.receipt.written()
  await until(async () => (await stateOf(rooms, first.order.id)) === 'delivered')
  assert.ok(!(await doubtfulIds(rooms)).includes(first.order.id))
  assert.deepEqual(await kindsOf(rooms, docking), ['order.accepted', 'order.doubtful', 'order.refused', 'order.handed_over'])
  assert.equal(await rooms.balance(docking), 1_000_000_000n - 19_190_000n)
})

test('an order in doubt is handed over when it is looked up, too', async () => {
  const { docking, buy } = await shopWith(rooms)
  const first = must(await buy('A'))
  first.receipt.broken()
  await until(async () => (await stateOf(rooms, first.order.id)) === 'unknown')
  const found = must(await rooms.orders.find(docking, first.order.id))
  const handed = await rooms.orders.handOver(found)
  assert.deepEqual(handed.cards, first.cards)
  handed.receipt.broken()
  await new Promise((later) => setTimeout(later, 50))
  assert.equal(await stateOf(rooms, first.order.id), 'unknown', 'a second broken answer leaves it in doubt')
  const once = await rooms.orders.handOver((await rooms.orders.findByReference(docking, 'A'))!)
  once.receipt.written()
  await until(async () => (await stateOf(rooms, first.order.id)) === 'delivered')
  const other = await rooms.openDocking()
  assert.equal(codeOf(await rooms.orders.find(other, first.order.id)), 'orders.not_found', 'nobody looks up another\'s order')
})

test('an answer of which nothing left is voided after the grace: money and cards come back, and the number is free for attempt 2', async () => {
  const { docking, buy } = await shopWith(rooms, { cards: 2 })
  const first = must(await buy('A', 2))
  first.receipt.unsent()
  await until(async () => (await stateOf(rooms, first.order.id)) === 'cancelled')
  assert.equal(await rooms.balance(docking), 1_000_000_000n)
  assert.deepEqual((await rooms.orders.handOver((await rooms.orders.findByReference(docking, 'A'))!)).cards, [], 'a voided order hands nothing over')
  const second = must(await buy('A', 2))
  assert.deepEqual([second.order.attempt, second.replayed], [2, false])
  assert.notEqual(second.order.id, first.order.id)
  assert.deepEqual(second.cards, first.cards, 'the same cards, out of a lot of their own')
  assert.notEqual(second.order.picks[0]!.lot, first.order.picks[0]!.lot)
  second.receipt.unsent()
  await until(async () => (await stateOf(rooms, second.order.id)) === 'cancelled')
  assert.equal(must(await buy('A', 1)).order.attempt, 3, 'a card may come back more than once, and the ask may differ now')
  assert.deepEqual(await rooms.findings(), [])
})

test('whoever asks again within the grace keeps the order', async (t) => {
  const own = await openRooms(t, { VOID_AFTER_MS: '150' })
  const { docking, buy } = await shopWith(own)
  const first = must(await buy('A'))
  first.receipt.unsent()
  const again = must(await buy('A'))
  again.receipt.unsent()
  assert.equal(again.order.id, first.order.id)
  await new Promise((later) => setTimeout(later, 350))
  assert.equal(await stateOf(own, first.order.id), 'unknown', 'the repeat did not arrive either: doubt, not a void')
  const third = must(await buy('A'))
  third.receipt.written()
  await until(async () => (await stateOf(own, first.order.id)) === 'delivered')
  assert.equal(await own.balance(docking), 1_000_000_000n - 9_595_000n)
})

test('a repeat that reaches the lane before the void does keeps the order', async (t) => {
  const own = await openRooms(t, { VOID_AFTER_MS: '200' })
  const { docking, buy } = await shopWith(own)
  const first = must(await buy('A'))
  await own.owner.query('begin')
  await own.owner.query('select from platform.lanes where lane = $1 for update', [docking.lane])
  first.receipt.unsent()
  const again = buy('A')
  const waiting = async () => Number((await own.hub.db.run({ text: `select count(*)::int from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`, values: [] }))[0]![0])
  await until(async () => (await waiting()) === 2)
  await own.owner.query('commit')
  const handed = must(await again)
  handed.receipt.written()
  assert.deepEqual([handed.order.id, handed.cards], [first.order.id, first.cards])
  await new Promise((later) => setTimeout(later, 100))
  assert.equal(await stateOf(own, first.order.id), 'delivered')
  assert.equal(await own.balance(docking), 1_000_000_000n - 9_595_000n)
})

test('an answer that breaks while a repeat is on its way out leaves the doubt to the repeat', async () => {
  const { buy } = await shopWith(rooms, { cards: 2 })
  for (const [reference, told, state] of [['A', 'written', 'delivered'], ['B', 'broken', 'unknown']] as const) {
    const first = must(await buy(reference))
    const again = must(await buy(reference))
    first.receipt.broken()
    await new Promise((later) => setTimeout(later, 50))
    assert.equal(await stateOf(rooms, first.order.id), 'delivered')
    again.receipt[told]()
    // Longer than doubt waits before it is looked at again.
    await new Promise((later) => setTimeout(later, 1_100))
    assert.equal(await stateOf(rooms, first.order.id), state)
  }
})

test('doubt that could not be written down in time is forgotten once the order was handed over', async (t) => {
  const own = await openRooms(t)
  const { docking, buy } = await shopWith(own)
  const first = must(await buy('A'))
  await own.owner.query('begin')
  await own.owner.query('select from platform.lanes where lane = $1 for update', [docking.lane])
  first.receipt.broken()
  // The lock is waited for two seconds, and then tried again a second later: in between somebody asks again.
  await new Promise((later) => setTimeout(later, 2_200))
  await own.owner.query('commit')
  must(await buy('A')).receipt.written()
  await new Promise((later) => setTimeout(later, 1_300))
  assert.equal(await stateOf(own, first.order.id), 'delivered')
})

test('a life that ends in order leaves only real doubt behind; the next life finds it', async (t) => {
  const own = await openRooms(t, { VOID_AFTER_MS: '60000' })
  const { docking, buy } = await shopWith(own)
  const [arrived, broken, unsent] = [must(await buy('A')), must(await buy('B')), must(await buy('C'))]
  arrived.receipt.written()
  broken.receipt.broken()
  unsent.receipt.unsent()
  await own.close()
  const next = await own.nextLife()
  assert.deepEqual(await doubtfulIds(next), [broken.order.id, unsent.order.id])
  assert.equal(await stateOf(next, arrived.order.id), 'delivered')
  const again = must(await next.place(docking, 'C', unsent.order.good))
  assert.deepEqual([again.order.id, again.cards], [unsent.order.id, unsent.cards])
  assert.deepEqual(await next.findings(), [])
})

test('after a crash exactly the unanswered orders are in doubt, and nothing else has changed', async (t) => {
  const own = await openRooms(t)
  const shops = await Promise.all(Array.from({ length: 6 }, () => shopWith(own)))
  const placed: { one: Placed; answered: boolean; shop: (typeof shops)[number] }[] = []
  for (let round = 0; round < 8; round++) {
    const batch = await Promise.all(shops.map((shop) => shop.buy(`R-${round}`)))
    batch.forEach((outcome, i) => {
      const one = must(outcome)
      // The earliest orders of a lane are answered, the latest are not: the watermark stands between them.
      const answered = round < 3 + i % 3
      if (answered) one.receipt.written()
      placed.push({ one, answered, shop: shops[i]! })
    })
    await Promise.all(shops.map((shop) => shop.buy('too much', 999)))
  }
  // The watermarks ride with the next batch; after it, the process is gone without a word.
  for (const { one, answered } of placed) if (answered) one.receipt.written()
  await Promise.all(shops.map((shop) => shop.buy('too much', 998)))
  const next = await own.nextLife()
  const expected = placed.filter(({ answered }) => !answered).map(({ one }) => one.order.id)
  assert.deepEqual((await doubtfulIds(next)).sort(), expected.sort())
  for (const { one, answered, shop } of placed) {
    const again = must(await next.place(shop.docking, one.order.reference, shop.good))
    assert.deepEqual([again.order.id, again.cards, again.replayed, again.order.state], [one.order.id, one.cards, true, answered ? 'delivered' : 'unknown'])
    again.receipt.written()
  }
  await until(async () => (await doubtfulIds(next)).length === 0)
  const third = await next.nextLife()
  assert.deepEqual(await doubtfulIds(third), [], 'doubt that was resolved does not come back')
  assert.deepEqual(await third.findings(), [])
})

test('a second life takes the lanes over: the first can write nothing more and is told to end', async (t) => {
  const own = await openRooms(t)
  const { docking, good, buy } = await shopWith(own)
  must(await buy('A')).receipt.written()
  const next = await own.nextLife()
  const fromOld = await Promise.all(Array.from({ length: 5 }, (_, i) => buy(`OLD-${i}`)))
  assert.deepEqual([...new Set(fromOld.map(codeOf))], ['platform.stopping'])
  assert.equal(own.fenced(), 1)
  assert.equal(codeOf(await buy('OLD-9')), 'platform.stopping')
  assert.equal(codeOf(await next.place(docking, 'NEW', good)), 'accepted')
  assert.equal(next.fenced(), 0)
  assert.deepEqual(await next.findings(), [])
  assert.equal((await next.owner.query('select from orders.orders where docking = $1', [docking.id])).rowCount, 2)
})

test('a page of orders is told newest first without gap or repeat', async () => {
  const { docking, buy } = await shopWith(rooms)
  for (let i = 0; i < 7; i++) must(await buy(`L-${i}`)).receipt.written()
  const seen: string[] = []
  for (let before: string | null = null; ;) {
    const page = await rooms.orders.list(docking, before, 3)
    seen.push(...page.map((order) => order.reference))
    if (page.length < 3) break
    before = page.at(-1)!.id
  }
  assert.deepEqual(seen, ['L-6', 'L-5', 'L-4', 'L-3', 'L-2', 'L-1', 'L-0'])
})

function statementFor(now: Date): StatementDraft {
  const after = (days: number) => new Date(now.getTime() + days * 86_400_000).toISOString()
  return {
    measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: now.toISOString(), endsAt: null, liftsWhen: null }, cause: { class: 'compliance', code: 'compliance.identity_unverified', side: 'partner' },
    ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }], facts: [{ text: 'The business licence has expired.' }], evidence: [], source: 'own_review',
    automation: { detection: false, decision: 'not', reviewer: 'wang' }, remedy: [{ step: 1, action: { en: 'Send a licence.', zh: '请提交执照。' }, who: 'partner', evidenceNeeded: [] }],
    clocks: { respondBy: after(7), decideAppealBy: after(15), reviewAt: after(90) }, appeal: { channel: 'x', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
  }
}

test('two hundred mixed commands at once: no deadlock, no error, and the books are right', async (t) => {
  const own = await openRooms(t, { VOID_AFTER_MS: '1' })
  const shops = await Promise.all(Array.from({ length: 8 }, () => own.openDocking({ deposit: '500.00', feePpm: 10_000 })))
  const goods = await Promise.all(['MIX-1', 'MIX-2', 'MIX-3'].map((code) => own.addGood(code)))
  for (const good of goods) for (let lot = 0; lot < 3; lot++) await own.addCards(good, 30)
  const deadlocks = async () => Number((await own.owner.query(`select deadlocks from pg_stat_database where datname = current_database()`)).rows[0].deadlocks)
  const before = await deadlocks()
  let n = 0
  const commands: ((docking: Docking, i: number) => Promise<unknown>)[] = [
    async (docking, i) => {
      const outcome = await own.place(docking, `M-${i % 60}`, goods[i % 3]!, 1 + (i % 2))
      if (outcome.ok) (['written', 'unsent', 'broken'] as const).filter((_, k) => k === i % 3).forEach((end) => outcome.value.receipt[end]())
    },
    (docking, i) => own.deposit(docking, '1.00', `D-${i % 20}`),
    async (docking) => {
      const id = `dec_${`${++n}`.padStart(20, '0')}`
      must(await hold(own.db, { id, lane: docking.lane, docking: docking.id, statement: statementFor(new Date()), by: 'wang' }))
      must(await lift(own.db, { id, by: 'li', note: 'Seen.' }))
    },
    async (docking) => must(await addKey(own.db, own.vault, { id: own.ids.make('key', Date.now()), docking, kind: 'hmac-sha256', publicKeyPem: null, scopes: ['goods:read'] })),
    (docking) => own.orders.list(docking, null, 50),
    async (docking, i) => {
      const order = await own.orders.findByReference(docking, `M-${i % 60}`)
      if (order) (await own.orders.handOver(order)).receipt.written()
    },
    (_, i) => own.addCards(goods[i % 3]!, 5),
    (docking, i) => own.place(docking, `M-${i}`, goods[(i + 1) % 3]!),
  ]
  for (let wave = 0; wave < 3; wave++) {
    const settled = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => commands[(i + wave) % commands.length]!(shops[(i * 7 + wave) % shops.length]!, i + wave * 200)))
    // Ten connections for two hundred at once: whoever waits too long is told so, which is a condition and no deadlock.
    const busy = /timeout exceeded when trying to connect/
    assert.deepEqual(settled.flatMap((one) => (one.status === 'rejected' && !busy.test(String(one.reason)) ? [String(one.reason)] : [])), [])
  }
  await new Promise((later) => setTimeout(later, 300))
  await own.orders.close()
  assert.equal(await deadlocks(), before)
  const { rows } = await own.owner.query(`select count(*) filter (where state = 'cancelled')::int as voided, count(*) filter (where state <> 'cancelled')::int as kept from orders.orders`)
  assert.ok(rows[0].voided > 0 && rows[0].kept > 50, JSON.stringify(rows[0]))
  assert.deepEqual(await own.findings(), [])
})
