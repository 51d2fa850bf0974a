import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Lot } from './model.ts'
import { readCard, readCardLine, readGood, showCard, stockOf, take, writeCard } from './rules.ts'

const AT = new Date('2026-11-22T08:00:00Z')

test('a line of a card file is a secret, or number and secret', () => {
  const table: [string, ReturnType<typeof readCardLine>][] = [
    ['ABC-1', { number: null, secret: 'ABC-1' }], ['  ABC-1\r', { number: null, secret: 'ABC-1' }], ['6228 4800', { number: null, secret: '6228 4800' }], ['卡密一', { number: null, secret: '卡密一' }],
    ['1001\tABC', { number: '1001', secret: 'ABC' }], ['1001,ABC', { number: '1001', secret: 'ABC' }], ['1001----ABC', { number: '1001', secret: 'ABC' }], ['1001 ---- ABC', { number: '1001', secret: 'ABC' }],
    ['1001,ABC,more', { number: '1001', secret: 'ABC,more' }], ['1001----A--B', { number: '1001', secret: 'A--B' }],
    ['', null], ['   ', null], [',ABC', null], ['1001,', null], ['1001----', null], ['----ABC', null], ['1001\tABC\tmore', null], ['A\u0000B', null], ['A\u007fB', null], ['A\nB', null], ['x'.repeat(2_000), { number: null, secret: 'x'.repeat(2_000) }], ['x'.repeat(2_001), null],
  ]
  for (const [line, card] of table) assert.deepEqual(readCardLine(line), card, JSON.stringify(line).slice(0, 60))
})

test('a card that was sealed is the card that comes out, whatever characters it has', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (line) => {
    const card = readCardLine(line)
    if (card === null) return
    assert.deepEqual(readCard(writeCard(card)), card)
    assert.ok(!showCard(card).includes('\n'))
  }), { numRuns: 3_000 })
  fc.assert(fc.property(fc.stringMatching(/^[A-Z0-9]{1,8}$/), fc.stringMatching(/^[A-Z0-9,-]{0,3}[A-Z0-9]{1,8}$/), fc.constantFrom('\t', ',', '----'), (number, secret, mark) => {
    const card = readCardLine(`${number}${mark}${secret}`)
    assert.ok(card)
    assert.deepEqual(readCard(writeCard(card)), card)
  }), { numRuns: 1_000 })
})

test('taking and counting agree: what is taken was in stock, each card once, oldest lot first', () => {
  const lot = fc.record({ size: fc.integer({ min: 1, max: 6 }), used: fc.integer({ min: 0, max: 6 }), expired: fc.boolean() })
  fc.assert(fc.property(fc.array(lot, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 }), (specs, wishes) => {
    const lots: Lot[] = specs.map(({ size, used, expired }, i) => ({ id: BigInt(i), good: 'g', mode: 'live', size, nextSeq: Math.min(used, size) + 1, expiresAt: expired ? AT : null }))
    const seen = new Set<string>()
    let last = -1n
    for (const wish of wishes) {
      const stock = stockOf(lots, AT)
      if (stock < wish) {
        assert.throws(() => take(structuredClone(lots), wish, AT))
        continue
      }
      for (const pick of take(lots, wish, AT)) {
        assert.ok(pick.lot >= last && !specs[Number(pick.lot)]!.expired)
        last = pick.lot
        for (let seq = pick.first; seq < pick.first + pick.count; seq++) {
          assert.ok(seq <= specs[Number(pick.lot)]!.size && !seen.has(`${pick.lot} ${seq}`))
          seen.add(`${pick.lot} ${seq}`)
        }
      }
      assert.equal(stockOf(lots, AT), stock - wish)
    }
  }))
})

test('a row of a goods list is read, or the field that is wrong is named', () => {
  const row = { code: 'Q10', name: 'Q币 10', category: '腾讯', unitPrice: '9.50' }
  const good = readGood(row)
  assert.ok(good.ok)
  assert.deepEqual([good.value.unitPriceMicro, good.value.minimum, good.value.maximum, good.value.onSale], [9_500_000n, 1, 1_000, true])
  const table: [Record<string, unknown>, string][] = [
    [{ code: '' }, '/code'], [{ code: 'a b' }, '/code'], [{ code: 'x'.repeat(65) }, '/code'], [{ code: 7 }, '/code'], [{ name: ' ' }, '/name'], [{ name: 'a\u0000' }, '/name'], [{ name: 'x'.repeat(256) }, '/name'],
    [{ category: null }, '/category'], [{ description: 5 }, '/description'], [{ unitPrice: 9.5 }, '/unitPrice'], [{ unitPrice: '0' }, '/unitPrice'], [{ unitPrice: '-1' }, '/unitPrice'], [{ unitPrice: '0.0000001' }, '/unitPrice'],
    [{ minimum: 0 }, '/minimum'], [{ minimum: 1.5 }, '/minimum'], [{ minimum: 5, maximum: 4 }, '/maximum'], [{ maximum: 1_001 }, '/maximum'], [{ onSale: 'yes' }, '/onSale'],
  ]
  for (const [changes, path] of table) {
    const read = readGood({ ...row, ...changes })
    assert.ok(!read.ok, JSON.stringify(changes))
    assert.equal(read.refusal.because.path, path)
  }
})
