import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Profile, Tally } from './model.ts'
import { addOrder, bandsOf, dayOf, drawProfile, featuresOf, isFound, scoreOf } from './rules.ts'

const START = Date.parse('2026-11-20T02:00:00Z')
const MIDDLE = drawProfile(() => 0.5)

/** A day of orders with these gaps. */
function day(gapsMs: readonly number[], startMs = START): Tally {
  let tally: Tally | null = null
  for (let i = 0, atMs = startMs; i <= gapsMs.length; atMs += gapsMs[i]!, i++) tally = addOrder(tally, { lane: 1, docking: 'dck_a', good: 'gds_a', at: new Date(atMs) })
  return tally!
}

/** Gaps as people leave them: each moment is as likely as any other. */
function people(orders: number, meanMs: number, seed: number): number[] {
  let state = seed
  return Array.from({ length: orders - 1 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return Math.round(-Math.log((state + 1) / 0x80000001) * meanMs)
  })
}

test('a machine is found, and those who look like one from afar are not', () => {
  const table: [string, Tally, boolean][] = [
    ['an order every thirty seconds', day(Array(999).fill(30_000)), true],
    ['a machine with a little jitter', day(Array.from({ length: 999 }, (_, i) => 30_000 + (i % 7) * 900)), true],
    ['people on a busy day', day(people(2_000, 20_000, 7)), false],
    ['people in a flash sale', day(people(5_000, 400, 11)), false],
    ['a school that sends its whole list at once', day([...Array(999).fill(0)]), false],
    ['a firm that sends five lists', day(Array.from({ length: 999 }, (_, i) => (i % 200 === 199 ? 3_600_000 : 0))), false],
    ['a machine that has only begun', day(Array(100).fill(30_000)), false],
  ]
  for (const [name, tally, found] of table) assert.equal(isFound(tally, MIDDLE).found, found, `${name}: ${isFound(tally, MIDDLE).score}`)
})

test('every hub draws its own thresholds, near those of the program and never the same', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 0.999999, noNaN: true }), { minLength: 6, maxLength: 6 }), (numbers) => {
    let i = 0
    const drawn = drawProfile(() => numbers[i++ % numbers.length]!)
    for (const name of ['leastOrders', 'beat', 'night', 'volume', 'bias'] as const) assert.ok(Math.abs(drawn[name] / MIDDLE[name] - 1) <= 0.151, name)
    assert.ok(drawn.reviewAt > 0.75 && drawn.reviewAt < 0.85)
    assert.equal(isFound(day(Array(999).fill(30_000)), drawn).found, true, 'whatever is drawn, a plain machine is found')
    assert.equal(isFound(day(people(2_000, 20_000, 3)), drawn).found, false)
  }))
  assert.notDeepEqual(drawProfile(() => 0.1), drawProfile(() => 0.2))
})

test('a band is wider than what parts two neighbours of a threshold', () => {
  const profile: Profile = MIDDLE
  const [below, above] = [600, 500].map((jitter) => day(Array.from({ length: 999 }, (_, i) => 30_000 + (i % 2 === 0 ? -1 : 1) * jitter * 10)))
  assert.notEqual(scoreOf(featuresOf(below!), profile), scoreOf(featuresOf(above!), profile))
  assert.deepEqual(bandsOf(below!, featuresOf(below!)), bandsOf(above!, featuresOf(above!)))
})

test('days and nights are those of China, and orders of one lane out of time make no gap below nothing', () => {
  assert.deepEqual(['2026-11-20T15:59:59Z', '2026-11-20T16:00:00Z', '2026-11-20T17:00:00Z', '2026-11-20T21:59:59Z', '2026-11-20T22:00:00Z'].map((at) => Object.values(dayOf(new Date(at))).join(' ')),
    ['2026-11-20 false', '2026-11-21 false', '2026-11-21 true', '2026-11-21 true', '2026-11-21 false'])
  assert.deepEqual(day([1_000, -5_000, 1_000]).gaps, 2_000)
  assert.deepEqual(featuresOf(day([])), { beat: 0, night: 0, volume: 0 })
})
