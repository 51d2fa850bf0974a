import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { feeOn } from '../domain/terms/index.ts'
import { chargedPrice } from './charged-prices.ts'

test('a price with its fee is a whole fen, and pieces bought at it never come to less than the order takes', () => {
  fc.assert(fc.property(fc.bigInt({ min: 1n, max: 10_000_000n }), fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 1000 }), (fen, feePpm, quantity) => {
    const priceMicro = fen * 10_000n
    const shown = chargedPrice(priceMicro, feePpm)
    const total = priceMicro * BigInt(quantity)
    assert.equal(shown % 10_000n, 0n)
    assert.ok(shown * BigInt(quantity) >= total + feeOn(total, feePpm))
    assert.ok(shown - priceMicro - feeOn(priceMicro, feePpm) <= 10_000n)
  }))
})

test('without a fee a price stays as it is, and a fee of whole fen is added exactly', () => {
  assert.equal(chargedPrice(1_500n, 0), 1_500n)
  assert.equal(chargedPrice(10_000_000n, 100_000), 11_000_000n)
  assert.equal(chargedPrice(9_500_000n, 6_000), 9_560_000n)
})
