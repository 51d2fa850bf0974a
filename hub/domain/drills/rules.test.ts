import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DRILL_KINDS, OUTAGE_ORDERS, type Booked, type Evidence, type Seen } from './model.ts'
import { PLANS } from './plans.ts'
import { judge, levelPointsOf, mayRehearse, pointsOf } from './rules.ts'
import { hurried, isSettled, sentTwice, storiesOf } from './stories.ts'

const seen = (atMs: number, reference: string | null, more: Partial<Seen> = {}): Seen => ({
  id: `req_${atMs}`, what: 'order', atMs, endedMs: atMs + 5, request: `req_${atMs}`, key: 'key_a', status: 201, code: null, isAnswered: true, reference, retryAfterS: null, after: null, size: null, holds: null, ...more,
})
const busy = (atMs: number, reference: string, status: 429 | 503, retryAfterS = 1) => seen(atMs, reference, { status, retryAfterS, code: status === 429 ? 'platform.rate_limited' : 'platform.storage_unavailable' })
const cut = (atMs: number, reference: string) => seen(atMs, reference, { isAnswered: false })
const look = (atMs: number, reference: string, holds: boolean) => seen(atMs, reference, { what: 'look', status: 200, holds })
const stories = (...all: Seen[]) => storiesOf({ seen: all, booked: [] })

test('every plan gives 100 points, in both languages, and begins with a gate', () => {
  for (const kind of DRILL_KINDS) {
    const { criteria, steps } = PLANS[kind]
    assert.equal(criteria.reduce((sum, { points }) => sum + points, 0), 100, kind)
    assert.equal(new Set(criteria.map(({ name }) => name)).size, criteria.length)
    assert.equal(steps[0]!.limitS, 300)
    for (const { what, advice } of criteria) assert.ok(what.en && what.zh && advice.en && advice.zh)
  }
})

test('an order is settled by a clear answer or a look-up after the doubt, and by nothing before it', () => {
  const table: [string, Seen[], boolean][] = [
    ['answered at once', [seen(1, 'A')], true],
    ['the answer was cut', [cut(1, 'A')], false],
    ['cut, then sent again', [cut(1, 'A'), seen(50, 'A', { status: 200 })], true],
    ['cut, then looked up', [cut(1, 'A'), look(50, 'A', true)], true],
    ['cut, looked up and not there', [cut(1, 'A'), look(50, 'A', false)], false],
    ['refused in passing', [busy(1, 'A', 429)], false],
    ['refused in passing, then for good', [busy(1, 'A', 503), seen(3_000, 'A', { status: 402, code: 'ledger.insufficient_funds' })], true],
    ['accepted, then cut', [seen(1, 'A'), cut(50, 'A')], false],
    ['with a dead key', [seen(1, 'A', { status: 401, code: 'partners.key_expired' })], false],
  ]
  for (const [name, all, expected] of table) assert.equal(isSettled(stories(...all)[0]!), expected, name)
})

test('who comes again before Retry-After has passed is in a hurry, whatever other orders do meanwhile', () => {
  const counted = (...all: Seen[]) => hurried(stories(...all), 429).hurried.length
  assert.equal(counted(busy(0, 'A', 429), seen(1_005, 'A')), 0)
  assert.equal(counted(busy(0, 'A', 429), seen(900, 'A')), 1)
  assert.equal(counted(busy(0, 'A', 429), seen(10, 'B'), seen(1_100, 'A')), 0)
  assert.equal(counted(busy(0, 'A', 503), seen(10, 'A')), 0)
})

test('a repeat after a yes is one too many, a repeat after silence is not', () => {
  assert.equal(sentTwice(stories(seen(0, 'A'), seen(100, 'A', { status: 200 }))).length, 1)
  assert.equal(sentTwice(stories(cut(0, 'A'), seen(100, 'A', { status: 200 }))).length, 0)
})

const outage = (all: Seen[], booked: Booked[]): Evidence => ({
  kind: 'outage', secondMs: 1000, seen: all, booked, feedPosition: '7',
  steps: ['calm', 'doubt', 'outage', 'recovery'].map((name, i) => ({ name, begunMs: i * 20_000, endedMs: (i + 1) * 20_000, data: {} })),
})
const bookedAs = (...references: string[]): Booked[] => references.map((reference, i) => ({ reference, id: `ord_${i}`, position: `1/${i}`, atMs: i, isCancelled: false }))
const lost = (evidence: Evidence) => judge(PLANS[evidence.kind], evidence).criteria.filter(({ points, of }) => points < of).map(({ name }) => name)

test('an outage is judged by the books: a thirteenth order was bought twice, and one voided was not bought', () => {
  const good = [seen(1, 'A'), cut(21_000, 'B'), look(22_000, 'B', true), busy(41_000, 'C', 503, 2), seen(61_000, 'C'), seen(62_000, 'D'), seen(63_000, null, { what: 'feed', after: '7', status: 200 })]
  assert.deepEqual(lost(outage(good, bookedAs('A', 'B', 'C', 'D'))), [])
  const many = Array.from({ length: OUTAGE_ORDERS - 3 }, (_, i) => `M${i}`)
  assert.deepEqual(lost(outage(good, bookedAs('A', 'B', 'C', 'D', ...many))), ['none_doubled'])
  assert.deepEqual(lost(outage(good, bookedAs('A', 'B', 'C', 'D', ...many).map((order, i) => ({ ...order, isCancelled: i === 12 })))), [])
  const overtaken = good.map((one) => (one.reference === 'D' ? { ...one, atMs: 60_000, endedMs: 60_005 } : one))
  assert.deepEqual(lost(outage(overtaken, bookedAs('A', 'B', 'C', 'D'))), ['order_kept'])
  const behind = good.map((one) => (one.what === 'feed' ? { ...one, after: '6' } : one))
  assert.deepEqual(lost(outage(behind, bookedAs('A', 'B', 'C', 'D'))), ['feed_caught_up'])
})

test('nothing was seen, so nothing is scored but what nobody did wrong', () => {
  for (const kind of DRILL_KINDS) {
    const { score } = judge(PLANS[kind], { kind, secondMs: 1000, steps: [], seen: [], booked: [], feedPosition: null })
    assert.ok(score <= 20, `${kind}: ${score}`)
  }
})

test('a score never falls when a criterion is met better, and is whole only when all of it is met', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (of, a, b) => {
    const [less, more] = a < b ? [a, b] : [b, a]
    assert.ok(pointsOf(of, less) <= pointsOf(of, more))
    assert.ok(pointsOf(of, less) >= 0 && pointsOf(of, more) <= of)
    assert.equal(pointsOf(of, 1), of)
  }))
})

test('mending any one answer of an outage never costs a point', () => {
  const reference = fc.constantFrom('A', 'B', 'C', 'D')
  const request = fc.record({ atMs: fc.integer({ min: 0, max: 79_000 }), reference, how: fc.constantFrom('yes', 'cut', 'busy') })
  fc.assert(fc.property(fc.array(request, { minLength: 1, maxLength: 12 }), (requests) => {
    const all = requests.map(({ atMs, reference: name, how }) => (how === 'yes' ? seen(atMs, name) : how === 'cut' ? cut(atMs, name) : busy(atMs, name, 503, 2)))
    const settling = [...new Set(requests.map(({ reference: name }) => name))].map((name, i) => look(79_500 + i, name, true))
    const books = bookedAs(...new Set(requests.map(({ reference: name }) => name)))
    const pointsFor = (evidence: Evidence, name: string) => judge(PLANS.outage, evidence).criteria.find((one) => one.name === name)!.points
    for (const name of ['settles_doubt', 'repeats_refused', 'none_doubled']) assert.ok(pointsFor(outage([...all, ...settling], books), name) >= pointsFor(outage(all, books), name), name)
  }))
})

test('four full scores are worth 100 for a level, and points are never rounded up', () => {
  const best = (score: number) => DRILL_KINDS.map((kind) => ({ kind, score, run: 'drl', at: new Date(0) }))
  assert.deepEqual([levelPointsOf(best(100)), levelPointsOf(best(99)), levelPointsOf([])], [{ points: 100, of: 100 }, { points: 96, of: 100 }, { points: 0, of: 100 }])
})

test('only a sandbox that speaks JSON rehearses', () => {
  const code = (mode: string, dialect: string) => {
    const outcome = mayRehearse({ id: 'dck', mode, dialect })
    return outcome.ok ? 'accepted' : outcome.refusal.code
  }
  assert.deepEqual([code('sandbox', 'json'), code('live', 'json'), code('sandbox', 'acg0')], ['accepted', 'sandbox.live_docking', 'drills.dialect_not_rehearsed'])
})
