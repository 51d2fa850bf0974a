import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AMOUNT_PATTERN, floorToFen, formatAmount, MAX_AMOUNT_MICRO, MICRO_PER_FEN, MICRO_PER_YUAN, parseAmount } from './money.ts'

test('an amount is written in yuan and kept in µCNY', () => {
  const table: [string, bigint][] = [
    ['0', 0n], ['0.00', 0n], ['1', 1_000_000n], ['19.00', 19_000_000n], ['0.01', 10_000n], ['0.0015', 1_500n], ['0.000001', 1n],
    ['999999999.999999', 999_999_999_999_999n], ['1000000000', MAX_AMOUNT_MICRO], ['1000000000.000000', MAX_AMOUNT_MICRO],
  ]
  for (const [text, micro] of table) assert.equal(parseAmount(text), micro, text)
})

test('what is not an amount is none: signs, spaces, exponents, other digits, too fine, too much', () => {
  const wrong = [
    '', ' ', '-1', '+1', '01', '00', '.5', '5.', '1.', '1e3', '1,000', '1 000', ' 1', '1 ', '1\n', '0x10', '١', '１', 'NaN', 'Infinity', '1.0000001', '1.2.3', '¥1',
    '1000000000.000001', '1000000001', '999999999999', '9999999999999', '0.1234567', '1'.repeat(400),
  ]
  for (const text of wrong) assert.equal(parseAmount(text), null, JSON.stringify(text))
})

test('an amount is shown with two decimals at least and six at most, and no zero behind the second', () => {
  const table: [bigint, string][] = [
    [0n, '0.00'], [1n, '0.000001'], [1_500n, '0.0015'], [10_000n, '0.01'], [100_000n, '0.10'], [19_000_000n, '19.00'], [19_120_000n, '19.12'], [19_123_400n, '19.1234'],
    [MAX_AMOUNT_MICRO, '1000000000.00'], [-1n, '-0.000001'], [-19_000_000n, '-19.00'],
  ]
  for (const [micro, text] of table) assert.equal(formatAmount(micro), text)
})

const amount = fc.bigInt({ min: 0n, max: MAX_AMOUNT_MICRO })

test('whatever is shown is read back as the same amount, and is an amount on the wire', () => {
  const wire = new RegExp(AMOUNT_PATTERN)
  fc.assert(fc.property(amount, (micro) => {
    const text = formatAmount(micro)
    assert.equal(parseAmount(text), micro)
    assert.match(text, wire)
    assert.match(text, /^\d+\.\d{2,6}$/)
    assert.equal(formatAmount(-micro), micro === 0n ? text : `-${text}`)
  }), { numRuns: 2_000 })
})

test('whatever is read is what the pattern says, and worth what its digits say', () => {
  const text = fc.tuple(fc.nat({ max: 999_999_999 }), fc.option(fc.stringMatching(/^[0-9]{1,6}$/), { nil: undefined }))
  fc.assert(fc.property(text, ([yuan, fraction]) => {
    const micro = BigInt(yuan) * MICRO_PER_YUAN + BigInt((fraction ?? '').padEnd(6, '0'))
    assert.equal(parseAmount(fraction === undefined ? `${yuan}` : `${yuan}.${fraction}`), micro)
  }), { numRuns: 1_000 })
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+ 0-9.,e]{0,20}$/)), (text) => {
    const read = parseAmount(text)
    assert.equal(read !== null, new RegExp(AMOUNT_PATTERN).test(text) && Number(text) <= 1e9)
  }), { numRuns: 2_000 })
})

test('a peer that knows two decimals is never shown more than there is', () => {
  assert.equal(floorToFen(1_999_999n), 1_990_000n)
  assert.equal(floorToFen(-1n), -MICRO_PER_FEN)
  fc.assert(fc.property(fc.bigInt({ min: -MAX_AMOUNT_MICRO, max: MAX_AMOUNT_MICRO }), (micro) => {
    const floor = floorToFen(micro)
    assert.equal(floor % MICRO_PER_FEN, 0n)
    assert.ok(floor <= micro && micro - floor < MICRO_PER_FEN)
  }))
})
