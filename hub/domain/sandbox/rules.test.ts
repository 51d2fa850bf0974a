import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAmount } from '../../../protocol/money.ts'
import { FAULTS } from './model.ts'
import { fits, readFault, refusalOfOrder } from './rules.ts'

const read = (text: string) => readFault(text, '/fault')

test('a fault is its name with parameters inside their bounds, and anything else says what was expected', () => {
  const slow = read(' slow ; ms=250 ')
  assert.ok(slow.ok)
  assert.deepEqual([slow.value.fault.name, slow.value.params], ['slow', { ms: 250 }])
  const plain = read('slow')
  assert.ok(plain.ok && plain.value.params.ms === 5_000)
  for (const text of ['', 'Slow', 'slow;ms', 'slow;ms=-1', 'slow;ms=30001', 'slow;ms=1.5', 'slow;toString=1', 'sold_out;ms=1', 'sold_out:x', 'decision', 'decision:ledger.insufficient_funds', 'late_callback']) {
    const refused = read(text)
    assert.ok(!refused.ok && refused.refusal.code === 'protocol.invalid_field', text)
  }
})

test('whatever is written, a fault is read or refused, and never more than its own parameters', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.constantFrom(...FAULTS.map(({ name }) => name)).chain((name) => fc.string().map((rest) => `${name};${rest}`))), (text) => {
    const outcome = read(text)
    if (outcome.ok) assert.deepEqual(Object.keys(outcome.value.params).sort(), Object.keys(outcome.value.fault.params).sort())
  }))
})

test('nothing strikes what steers the sandbox', () => {
  for (const fault of FAULTS) assert.equal(fits(fault, { isOrder: true, isPlacing: true, isSigned: true, isControl: true }), false, fault.name)
})

test('the numbers of an injected refusal are a refusal: too little money, a price above the guard', () => {
  const micro = fc.bigInt({ min: 1n, max: 10n ** 12n })
  fc.assert(fc.property(micro, micro, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1000 }), (unitPriceMicro, guardMicro, quantity, percent) => {
    const quoted = { quantity, unitPriceMicro, chargedMicro: unitPriceMicro * BigInt(quantity), guardMicro }
    const asked = (name: string) => ({ fault: FAULTS.find((fault) => fault.name === name)!, params: { percent }, code: null })
    const low = refusalOfOrder(asked('low_balance'), quoted).because as { needed: string; available: string }
    assert.ok(parseAmount(low.available)! < parseAmount(low.needed)!)
    const jump = refusalOfOrder(asked('price_jump'), quoted).because as { price: string; allowed: string }
    assert.ok(parseAmount(jump.price)! > parseAmount(jump.allowed)!)
  }))
})
