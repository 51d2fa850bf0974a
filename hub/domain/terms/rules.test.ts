import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_AMOUNT_MICRO, parseAmount } from '../../../protocol/money.ts'
import { EMPTY_BOOK, feeOn, priceFor, pricesOf, publishedPriceFor, showFormula, type Formula } from './index.ts'

const yuan = (text: string) => parseAmount(text)!
const formula = (changes: Partial<Formula> = {}): Formula => ({ basis: 'list', factorPpm: 1_000_000n, additionMicro: 0n, stepMicro: 10_000n, belowCost: false, ...changes })
const fixed = (text: string, changes: Partial<Formula> = {}) => formula({ factorPpm: 0n, additionMicro: yuan(text), stepMicro: 1n, ...changes })
const good = (changes: { list?: string; cost?: string | null; category?: string } = {}) => ({
  listMicro: yuan(changes.list ?? '10.00'), costMicro: changes.cost === undefined || changes.cost === null ? null : yuan(changes.cost), category: changes.category ?? 'games',
})

test('the fee is the share of the turnover, rounded down to the µ and never more', () => {
  const table: [bigint, number, bigint][] = [[19_000_000n, 10_000, 190_000n], [19_000_000n, 0, 0n], [1_500n, 10_000, 15n], [1_500n, 333, 0n], [99n, 10_000, 0n], [100n, 10_000, 1n], [MAX_AMOUNT_MICRO, 100_000, MAX_AMOUNT_MICRO / 10n]]
  for (const [total, ppm, fee] of table) assert.equal(feeOn(total, ppm), fee)
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: MAX_AMOUNT_MICRO }), fc.integer({ min: 0, max: 100_000 }), (total, ppm) => {
    const fee = feeOn(total, ppm)
    assert.ok(fee * 1_000_000n <= total * BigInt(ppm) && (fee + 1n) * 1_000_000n > total * BigInt(ppm))
  }))
})

test('an own price holds while it is no dearer than what is published, or a decision lets it; then the rule for the good, for its category, for all; then the list price', () => {
  const wide = { all: fixed('4'), categories: new Map([['games', fixed('3')]]) }
  const all = { ownMicro: yuan('1'), good: fixed('2'), wide }
  assert.deepEqual(priceFor(good(), all), { unitPriceMicro: yuan('1'), from: 'own' })
  assert.deepEqual(priceFor(good(), { ownMicro: yuan('12') }), { unitPriceMicro: yuan('10'), from: 'list' })
  assert.deepEqual(priceFor(good(), { ownMicro: yuan('12') }, yuan('12')), { unitPriceMicro: yuan('12'), from: 'own' })
  assert.deepEqual(priceFor(good(), { ownMicro: yuan('12') }, yuan('11.999999')), { unitPriceMicro: yuan('10'), from: 'list' })
  assert.deepEqual(priceFor(good(), { good: fixed('2'), wide }), { unitPriceMicro: yuan('2'), from: 'good' })
  assert.deepEqual(priceFor(good(), { wide }), { unitPriceMicro: yuan('3'), from: 'category' })
  assert.deepEqual(priceFor(good({ category: 'films' }), { wide }), { unitPriceMicro: yuan('4'), from: 'all' })
  assert.deepEqual(priceFor(good(), { wide: { all: null, categories: new Map() } }), { unitPriceMicro: yuan('10'), from: 'list' })
  assert.deepEqual(priceFor(good(), {}), { unitPriceMicro: yuan('10'), from: 'list' })
})

test('a formula is worked out exactly and rounded up to its step', () => {
  const table: [Partial<Formula>, string, string | null, string][] = [
    [{ factorPpm: 950_000n }, '10.00', null, '9.50'],
    [{ factorPpm: 950_001n }, '10.00', null, '9.51'],
    [{ factorPpm: 950_001n, stepMicro: 1n }, '10.00', null, '9.50001'],
    [{ factorPpm: 333_333n, stepMicro: 1n }, '0.0015', null, '0.0005'],
    [{ factorPpm: 900_000n, additionMicro: 100_000n }, '10.00', null, '9.10'],
    [{ additionMicro: -300_000n }, '10.00', null, '9.70'],
    [{ basis: 'cost', factorPpm: 1_080_000n }, '10.00', '9.00', '9.72'],
    [{ basis: 'cost', factorPpm: 1_080_000n, stepMicro: 1_000_000n }, '10.00', '9.00', '10.00'],
  ]
  for (const [changes, list, cost, price] of table) assert.deepEqual(priceFor(good({ list, cost }), { good: formula(changes) }), { unitPriceMicro: yuan(price), from: 'good' })
})

test('a rule never goes below a known cost, unless it says so; a cost finer than the step is rounded up too', () => {
  const half = formula({ factorPpm: 500_000n })
  assert.equal(priceFor(good({ cost: '8.005' }), { good: half }).unitPriceMicro, yuan('8.01'))
  assert.equal(priceFor(good({ cost: '8.005' }), { good: { ...half, belowCost: true } }).unitPriceMicro, yuan('5'))
  assert.equal(priceFor(good({ cost: null }), { good: half }).unitPriceMicro, yuan('5'))
})

test('a rule that comes to no price leaves the good to the next one: no cost, nothing left, too much', () => {
  const wide = { all: fixed('4'), categories: new Map() }
  for (const hollow of [formula({ basis: 'cost' }), formula({ additionMicro: -yuan('10') }), formula({ additionMicro: -yuan('11') }), formula({ additionMicro: MAX_AMOUNT_MICRO })]) {
    assert.deepEqual(priceFor(good(), { good: hollow, wide }), { unitPriceMicro: yuan('4'), from: 'all' })
    assert.deepEqual(priceFor(good(), { good: hollow }), { unitPriceMicro: yuan('10'), from: 'list' })
  }
})

const amounts = fc.bigInt({ min: 1n, max: yuan('100000') })
const formulas = fc.record({
  basis: fc.constantFrom('list' as const, 'cost' as const), factorPpm: fc.bigInt({ min: 0n, max: 2_000_000n }), additionMicro: fc.bigInt({ min: -yuan('50'), max: yuan('50') }),
  stepMicro: fc.constantFrom(1n, 100n, 10_000n, 1_000_000n), belowCost: fc.boolean(),
})

test('whatever the rules say: the first that applies gives the price, it is above zero, on its step, exact, and not below cost', () => {
  fc.assert(fc.property(
    amounts, fc.option(amounts, { nil: null }), fc.option(amounts, { nil: undefined }), fc.option(formulas, { nil: undefined }), fc.option(formulas, { nil: null }), fc.option(formulas, { nil: null }),
    (listMicro, costMicro, ownMicro, single, category, all) => {
      const wide = { all, categories: new Map(category ? [['c', category]] : []) }
      const { unitPriceMicro: price, from } = priceFor({ listMicro, costMicro, category: 'c' }, { ownMicro, good: single, wide })
      assert.ok(price > 0n)
      const published = publishedPriceFor({ listMicro, costMicro, category: 'c' }, { good: single, wide }).unitPriceMicro
      if (ownMicro !== undefined && ownMicro <= published) return assert.deepEqual([price, from], [ownMicro, 'own'])
      assert.equal(price, published, 'an own price leaves nobody worse')
      const rules = [['good', single], ['category', category], ['all', all]] as const
      const exact = (f: Formula) => {
        const basis = f.basis === 'cost' ? costMicro : listMicro
        return basis === null ? null : basis * f.factorPpm + f.additionMicro * 1_000_000n
      }
      const first = rules.find(([, f]) => f && (exact(f) ?? 0n) > 0n)
      assert.equal(from, first?.[0] ?? 'list')
      if (!first) return assert.equal(price, listMicro)
      const rule = first[1]!
      assert.equal(price % rule.stepMicro, 0n)
      assert.ok(price * 1_000_000n >= exact(rule)!, 'rounded up')
      if (costMicro !== null && !rule.belowCost) assert.ok(price >= costMicro)
      const bound = costMicro !== null && !rule.belowCost && costMicro * 1_000_000n > exact(rule)! ? costMicro * 1_000_000n : exact(rule)!
      assert.ok((price - rule.stepMicro) * 1_000_000n < bound, 'and by less than a step')
    },
  ))
})

test('a docking is given what is its own and what its group has, by race', () => {
  const wide = { all: fixed('4'), categories: new Map() }
  const prices = {
    groups: new Map([['dck_a', 'gold']]), book: { version: 3n, groups: new Map([['gold', wide]]) },
    offers: { own: new Map([['dck_a gds_q ', 5n], ['dck_a gds_q 月卡', 7n]]), rules: new Map([['dck_b gds_q', fixed('2')]]) },
  }
  assert.deepEqual(pricesOf(prices, 'dck_a', 'gds_q'), { ownMicro: 5n, good: undefined, wide })
  assert.deepEqual(pricesOf(prices, 'dck_a', 'gds_q', '月卡').ownMicro, 7n)
  assert.deepEqual(pricesOf(prices, 'dck_a', 'gds_q', '年卡').ownMicro, undefined)
  assert.deepEqual(pricesOf(prices, 'dck_b', 'gds_q'), { ownMicro: undefined, good: fixed('2'), wide: undefined })
  assert.deepEqual(pricesOf({ ...prices, book: EMPTY_BOOK }, 'dck_a', 'gds_q').wide, undefined)
})

test('a formula is told in one way', () => {
  assert.equal(showFormula(formula({ factorPpm: 950_000n })), 'list x 0.95 up to 0.01')
  assert.equal(showFormula(formula({ basis: 'cost', factorPpm: 1_080_000n, additionMicro: -20_000n, stepMicro: 1n, belowCost: true })), 'cost x 1.08 - 0.02 up to 0.000001, below cost')
  assert.equal(showFormula(fixed('9.5')), '9.50')
})
