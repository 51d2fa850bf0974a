import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ShownGood } from '../../dialects/dialect.ts'
import { ShownPrices } from './shown-prices.ts'

const NO_CHOICE = { race: null, options: {} }

function goodOf(number: number, unitPriceMicro: bigint, races: ShownGood['races'] = []): ShownGood {
  return {
    number, unitPriceMicro, races, code: `G${number}`, name: 'n', description: '', cover: '', categoryNumber: 1, category: 'c', stock: 1, stockByVariant: new Map(), minimum: 1, maximum: 10,
    groups: [], tiers: [], fields: [], contact: 0, delivery: 'card',
  }
}

test('what was said last counts, the list or the single price', () => {
  const prices = new ShownPrices()
  assert.equal(prices.guardFor('a', 1, NO_CHOICE, 1), null)
  prices.showed('a', goodOf(1, 5n))
  prices.valued('a', 1, NO_CHOICE, 2, 7n)
  assert.deepEqual([1, 2].map((quantity) => prices.guardFor('a', 1, NO_CHOICE, quantity)), [5n, 7n])
  prices.showed('a', goodOf(1, 6n))
  assert.equal(prices.guardFor('a', 1, NO_CHOICE, 2), 6n)
  assert.equal(prices.guardFor('b', 1, NO_CHOICE, 1), null)
})

test('one docking that asks without end forgets its own prices and nobody else\'s', () => {
  const prices = new ShownPrices()
  prices.valued('victim', 1, NO_CHOICE, 1, 9n)
  for (let i = 0; i < 200_000; i++) prices.valued('attacker', i % 2_000, NO_CHOICE, i, 1n)
  assert.equal(prices.guardFor('victim', 1, NO_CHOICE, 1), 9n)
})

test('ten thousand goods of three races are kept, and of more the one shown longest ago goes first', () => {
  const prices = new ShownPrices()
  const races = ['春', '夏', '秋'].map((name) => ({ name, priceMicro: 3n, tiers: [] }))
  for (let number = 1; number <= 10_000; number++) prices.showed('a', goodOf(number, 2n, races))
  assert.equal(prices.guardFor('a', 1, { race: '秋', options: {} }, 1), 3n)
  for (let number = 10_001; number <= 13_000; number++) prices.showed('a', goodOf(number, 2n, races))
  assert.equal(prices.guardFor('a', 1, { race: '秋', options: {} }, 1), null)
  assert.equal(prices.guardFor('a', 13_000, { race: '秋', options: {} }, 1), 3n)
})
