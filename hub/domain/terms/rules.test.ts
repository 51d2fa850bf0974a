import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_AMOUNT_MICRO } from '../../../protocol/money.ts'
import { feeOn, priceFor } from './index.ts'

test('the fee is the share of the turnover, rounded down to the µ and never more', () => {
  const table: [bigint, number, bigint][] = [[19_000_000n, 10_000, 190_000n], [19_000_000n, 0, 0n], [1_500n, 10_000, 15n], [1_500n, 333, 0n], [99n, 10_000, 0n], [100n, 10_000, 1n], [MAX_AMOUNT_MICRO, 100_000, MAX_AMOUNT_MICRO / 10n]]
  for (const [total, ppm, fee] of table) assert.equal(feeOn(total, ppm), fee)
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: MAX_AMOUNT_MICRO }), fc.integer({ min: 0, max: 100_000 }), (total, ppm) => {
    const fee = feeOn(total, ppm)
    assert.ok(fee * 1_000_000n <= total * BigInt(ppm) && (fee + 1n) * 1_000_000n > total * BigInt(ppm))
  }))
})

test('an own price holds, cheaper or dearer, and where there is none the list price does', () => {
  assert.deepEqual([priceFor(10n, undefined), priceFor(10n, 8n), priceFor(10n, 12n)], [10n, 8n, 12n])
})
