import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAmount } from '../../../protocol/money.ts'
import { codeOf, must } from '../../../test/house/rooms.ts'
import { admitPlan, newPriceBy, plan, readFormula, type Item } from './rules.ts'

const yuan = (text: string) => parseAmount(text)!
const item = (changes: Partial<Item> = {}): Item => ({ good: 'gds_q', code: 'Q10', oldMicro: yuan('10'), costMicro: yuan('9.20'), publishedMicro: yuan('10'), line: null, ...changes })
const bulk = { basis: 'list', belowCost: true } as const
const planned = (items: readonly Item[], wording: Parameters<typeof readFormula>[0], isOwn = false) => plan(items, newPriceBy(must(readFormula(wording, bulk))), isOwn)

test('a formula in words comes to exact prices: per cent, factor, addition, a price of its own, rounded up', () => {
  const table: [Parameters<typeof readFormula>[0], string][] = [
    [{ percent: '-5' }, '9.50'], [{ percent: '12.3456' }, '11.24'], [{ percent: '12.3456', round: '0.000001' }, '11.23456'], [{ factor: '0.333333' }, '3.34'], [{ add: '-0.005' }, '10.00'],
    [{ add: '0.005' }, '10.01'], [{ factor: '0.9', add: '0.11', round: '0.5' }, '9.50'], [{ set: '7.123456' }, '7.123456'], [{ set: '7.12', round: '0.1' }, '7.20'],
  ]
  for (const [wording, price] of table) assert.equal(newPriceBy(must(readFormula(wording, bulk)))(item()), yuan(price), JSON.stringify(wording))
})

test('a row below cost is flagged and stops the change, unless it is meant; a cost that is not known flags nothing', () => {
  const below = planned([item(), item({ code: 'CHEAP', costMicro: yuan('1') }), item({ code: 'NEW', costMicro: null })], { percent: '-10' })
  assert.deepEqual(below.lines.map(({ code, belowCost }) => [code, belowCost]), [['Q10', true], ['CHEAP', false], ['NEW', false]])
  const stopped = admitPlan(below.lines, false)
  assert.ok(!stopped.ok)
  assert.deepEqual([stopped.refusal.code, stopped.refusal.because], ['terms.price_below_cost', { good: 'Q10', price: '9.00', cost: '9.20', count: 1 }])
  assert.equal(codeOf(admitPlan(below.lines, true)), 'accepted')
  assert.equal(codeOf(admitPlan(planned([item()], { set: '9.20' }).lines, false)), 'accepted', 'at cost is not below it')
})

test('a dearer own price stops the change, also where prices below cost are meant; a dearer list price does not', () => {
  const dearer = { percent: '1' }
  assert.equal(codeOf(admitPlan(planned([item()], dearer, true).lines, true)), 'terms.price_worse_than_published')
  assert.equal(codeOf(admitPlan(planned([item({ oldMicro: yuan('9.50') })], dearer, true).lines, true)), 'accepted', 'dearer than it was, and still no worse than the published one')
  assert.equal(codeOf(admitPlan(planned([item()], dearer).lines, false)), 'accepted')
})

test('every good of a change is in the plan once: moved, unchanged or named as left out', () => {
  const prices = fc.bigInt({ min: 1n, max: yuan('1000') })
  fc.assert(fc.property(fc.array(fc.record({ old: prices, cost: fc.option(prices, { nil: null }) }), { maxLength: 20 }), fc.integer({ min: -1_000_000, max: 1_000_000 }), (goods, percent) => {
    const items = goods.map(({ old, cost }, i) => item({ code: `Q${i}`, oldMicro: old, costMicro: cost }))
    const wording = { add: `${percent < 0 ? '-' : ''}${Math.abs(percent)}`.replace(/(\d{1,3})$/, '.$1').replace(/^(-?)\./, '$10.') }
    const { lines, unchanged, errors } = planned(items, wording)
    assert.equal(lines.length + unchanged + errors.length, items.length)
    for (const { oldMicro, newMicro, costMicro, belowCost } of lines) {
      assert.ok(newMicro > 0n && newMicro !== oldMicro)
      assert.equal(belowCost, costMicro !== null && newMicro < costMicro)
    }
  }))
})
