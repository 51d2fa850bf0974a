import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IdMaker, isId } from './ids.ts'

const AT_MS = 1_795_383_120_000

test('ids of one process sort in the order in which they were made, even within a millisecond and when the clock steps back', () => {
  for (const random of [() => 0, () => 0.999_999_999, Math.random]) {
    const maker = new IdMaker(random)
    const made: string[] = []
    for (const nowMs of [AT_MS, AT_MS, AT_MS + 1, AT_MS - 5_000, AT_MS + 1, AT_MS + 2]) for (let i = 0; i < 500; i++) made.push(maker.make('ord', nowMs))
    assert.deepEqual(made.toSorted(), made)
    assert.equal(new Set(made).size, made.length)
  }
})

test('an id says its kind and its time, in letters that nobody mistakes', () => {
  const maker = new IdMaker(Math.random)
  const id = maker.make('gds', AT_MS)
  assert.match(id, /^gds_[0-9a-hjkmnp-tv-z]{20}$/)
  const digits = '0123456789abcdefghjkmnpqrstvwxyz'
  assert.equal(id.slice(4, 14).split('').reduce((ms, char) => ms * 32 + digits.indexOf(char), 0), AT_MS)
  assert.ok(new IdMaker(Math.random).make('gds', AT_MS + 1) > id)
})

test('two processes that start in the same millisecond do not meet', () => {
  const made = new Set<string>()
  for (let process = 0; process < 2_000; process++) made.add(new IdMaker(Math.random).make('ord', AT_MS))
  assert.equal(made.size, 2_000)
})

test('what could be an id is told from what never is', () => {
  const id = new IdMaker(Math.random).make('ord', AT_MS)
  assert.ok(isId('ord', id))
  for (const text of ['', 'ord_', id.slice(1), `${id}0`, id.toUpperCase(), `gds${id.slice(3)}`, `${id.slice(0, -1)}\n`, `${id.slice(0, -1)}'`]) assert.ok(!isId('ord', text), text)
})
