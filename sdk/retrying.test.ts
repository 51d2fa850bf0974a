import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reasonCodes, reasonOf } from '../protocol/reasons.ts'
import { readRetryAfter, RETRY_POLICY, waitBeforeNextMs, type Failed } from './retrying.ts'

const lost: Failed = { refusal: null, retryAfterS: null }
const refused = (retry: 'never' | 'after_change' | 'same_request_after', retryAfterS: number | null = null, code = 'platform.overloaded'): Failed => ({ refusal: { code, retry }, retryAfterS })

test('what may be repeated, and after how long', () => {
  const rows: [string, Failed, number, number, number | null][] = [
    ['no answer: the first wait, spread downward', lost, 1, 0, 125],
    ['the waits double', lost, 3, 0, 500],
    ['and end at the longest', { ...lost }, 5, 0, 2_000],
    ['the sixth attempt was the last', lost, 6, 0, null],
    ['patience has an end', lost, 2, 89_900, null],
    ['a condition says when', refused('same_request_after', 2), 1, 0, 2_000],
    ['a condition without a time', refused('same_request_after'), 1, 0, 125],
    ['a countdown longer than the patience is the caller\'s to wait for', refused('same_request_after', 91), 1, 0, null],
    ['never is never', refused('never', 1), 1, 0, null],
    ['a change is the caller\'s to make', refused('after_change'), 1, 0, null],
    ['but a new signature is ours to make', refused('after_change', null, 'partners.freshness_unknown'), 1, 0, 125],
    ['and so is a new nonce', refused('after_change', null, 'partners.nonce_reused'), 1, 0, 125],
  ]
  for (const [name, failed, attempt, elapsedMs, expected] of rows) assert.equal(waitBeforeNextMs(failed, attempt, elapsedMs, RETRY_POLICY, 0), expected, name)
  assert.equal(waitBeforeNextMs(lost, 1, 0, RETRY_POLICY, 1), 250)
  assert.equal(waitBeforeNextMs(lost, 9, 0, { ...RETRY_POLICY, attempts: 20 }, 1), 8_000)
})

test('of all reasons only conditions, faults of the hub and lost time are repeated', () => {
  const repeated = reasonCodes.filter((code) => waitBeforeNextMs({ refusal: { code, retry: reasonOf(code).retry }, retryAfterS: null }, 1, 0, RETRY_POLICY, 0) !== null)
  for (const code of repeated) assert.ok(reasonOf(code).side !== 'partner' || reasonOf(code).kind === 'condition' || code === 'partners.nonce_reused', code)
  for (const code of ['ledger.insufficient_funds', 'orders.reference_reused', 'compliance.identity_unverified', 'partners.signature_invalid', 'partners.clock_skew'] as const) assert.ok(!repeated.includes(code), code)
})

test('attempts are bounded, never before Retry-After and never past the patience', () => {
  const ask = fc.record({
    retryAfterS: fc.option(fc.integer({ min: 0, max: 200 }), { nil: null }), attempts: fc.integer({ min: 1, max: 30 }),
    firstDelayMs: fc.integer({ min: 0, max: 5_000 }), longestDelayMs: fc.integer({ min: 0, max: 60_000 }), patienceMs: fc.integer({ min: 0, max: 120_000 }),
  })
  fc.assert(fc.property(ask, fc.double({ min: 0, max: 1, noNaN: true }), ({ retryAfterS, ...policy }, random) => {
    let elapsedMs = 0
    let attempt = 1
    for (; ; attempt++) {
      const waitMs = waitBeforeNextMs({ refusal: null, retryAfterS }, attempt, elapsedMs, policy, random)
      if (waitMs === null) break
      assert.ok(waitMs >= (retryAfterS ?? 0) * 1000 && waitMs <= (retryAfterS ?? 0) * 1000 + policy.longestDelayMs)
      elapsedMs += waitMs
    }
    assert.ok(attempt <= policy.attempts && elapsedMs <= policy.patienceMs)
  }))
})

test('Retry-After is a number of seconds or a date', () => {
  const now = Date.UTC(2026, 11, 1)
  const rows: [string | null, number | null][] = [[null, null], ['0', 0], ['7', 7], ['Tue, 01 Dec 2026 00:00:30 GMT', 30], ['Mon, 30 Nov 2026 00:00:00 GMT', 0], ['soon', null], ['', null], ['-1', null]]
  for (const [header, expected] of rows) assert.equal(readRetryAfter(header, now), expected, String(header))
})
