import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Limiter } from './limiter.ts'

const START_MS = 1_795_383_120_000
const limits = { requestsPerSecond: 5, inFlight: 3, failuresPerMinute: 4 }

function entered(limiter: Limiter, docking: string, nowMs: number): { answer: string; left: number; leave: () => void } {
  const outcome = limiter.enter(docking, nowMs)
  return outcome.ok ? { answer: 'entered', left: outcome.value.left(), leave: outcome.value.leave } : { answer: outcome.refusal.code, left: 0, leave: () => {} }
}

test('so many requests a second, told with what is left, and the next second is new', () => {
  const limiter = new Limiter(limits)
  const seen = Array.from({ length: 7 }, (_, i) => {
    const place = entered(limiter, 'dck_a', START_MS + i * 100)
    place.leave()
    return `${place.answer} ${place.left}`
  })
  assert.deepEqual(seen, ['entered 4', 'entered 3', 'entered 2', 'entered 1', 'entered 0', 'platform.rate_limited 0', 'platform.rate_limited 0'])
  assert.equal(entered(limiter, 'dck_b', START_MS + 600).answer, 'entered', 'another docking has its own')
  assert.equal(entered(limiter, 'dck_a', START_MS + 1_000).left, 4)
})

test('so many at once, however slowly they come, and each that leaves makes a place', () => {
  const limiter = new Limiter(limits)
  const inside = [0, 1, 2].map((i) => entered(limiter, 'dck_a', START_MS + i * 2_000))
  const refused = limiter.enter('dck_a', START_MS + 8_000)
  assert.ok(!refused.ok)
  assert.deepEqual([refused.refusal.code, refused.refusal.retryAfterS, refused.refusal.because], ['platform.too_many_in_flight', 1, { allowed: 3, retryAfterS: 1 }])
  inside[0]!.leave()
  assert.equal(entered(limiter, 'dck_a', START_MS + 9_000).answer, 'entered')
  assert.equal(entered(limiter, 'dck_a', START_MS + 9_100).answer, 'platform.too_many_in_flight')
})

test('a refused request takes no place and counts for nothing', () => {
  const limiter = new Limiter(limits)
  const inside = [0, 1, 2].map(() => entered(limiter, 'dck_a', START_MS))
  for (let i = 0; i < 50; i++) entered(limiter, 'dck_a', START_MS)
  for (const place of inside) place.leave()
  assert.deepEqual([entered(limiter, 'dck_a', START_MS).answer, entered(limiter, 'dck_a', START_MS).answer, entered(limiter, 'dck_a', START_MS).answer], ['entered', 'entered', 'platform.rate_limited'])
})

test('an address that failed to sign in too often waits until the minute ends, and no longer', () => {
  const limiter = new Limiter(limits)
  const minute = Math.floor(START_MS / 60_000) * 60_000
  for (let i = 0; i < 4; i++) {
    assert.ok(limiter.admits('203.0.113.9', minute + 1_000).ok)
    limiter.failed('203.0.113.9', minute + 1_000)
  }
  const refused = limiter.admits('203.0.113.9', minute + 45_500)
  assert.ok(!refused.ok)
  assert.deepEqual([refused.refusal.code, refused.refusal.retryAfterS], ['platform.rate_limited', 15])
  assert.ok(limiter.admits('203.0.113.10', minute + 45_500).ok, 'others are not punished')
  assert.ok(limiter.admits('203.0.113.9', minute + 60_000).ok)
})

test('neither dockings nor addresses can fill the memory, and whoever is inside is never forgotten', () => {
  const limiter = new Limiter(limits)
  const inside = [0, 1, 2].map(() => entered(limiter, 'dck_inside', START_MS))
  for (let i = 0; i < 120_000; i++) {
    entered(limiter, `dck_${i}`, START_MS + Math.floor(i / 40)).leave()
    limiter.failed(`address ${i}`, START_MS)
  }
  assert.equal(entered(limiter, 'dck_inside', START_MS + 3_500).answer, 'platform.too_many_in_flight')
  for (const place of inside) place.leave()
  assert.equal(entered(limiter, 'dck_inside', START_MS + 3_600).answer, 'entered')
})
