import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readCard, showCard, writeCard } from '../catalogue/index.ts'
import { familyOf, mayWrite, readOldCard } from './rules.ts'

test('a card of another site comes out as it went in, whatever parts it', () => {
  const text = fc.string({ unit: fc.constantFrom('-', '----', 'a', '卡', ' ', ',', '\n', '1', "'"), minLength: 1, maxLength: 12 })
  fc.assert(fc.property(text, (card) => {
    const read = readOldCard(card)
    if (read === null) assert.equal(card.trim(), '')
    else assert.equal(showCard(readCard(writeCard(read))), card.trim())
  }), { numRuns: 2_000 })
  assert.deepEqual(readOldCard('NO1----PW1'), { number: 'NO1', secret: 'PW1' })
  assert.deepEqual(readOldCard('a----b----c'), { number: null, secret: 'a----b----c' })
  assert.deepEqual(readOldCard('line 1\r\nline 2'), { number: null, secret: 'line 1\nline 2' })
  for (const bad of ['', ' \n', 'a\tb', 'a\u0000', 'x'.repeat(2_001)]) assert.equal(readOldCard(bad), null)
})

test('only the reading in force may write, and none of a migration that was withdrawn', () => {
  const migration = { id: 'acg-faka', step: 2, state: 'open', publishedStep: 1, source: '' } as const
  const codeOf = (step: number, state: 'open' | 'withdrawn' = 'open') => {
    const may = mayWrite({ ...migration, state }, 'acg-faka', step)
    return may.ok ? 'ok' : may.refusal.code
  }
  assert.deepEqual([codeOf(2), codeOf(1), codeOf(3), codeOf(2, 'withdrawn')], ['ok', 'migration.superseded', 'migration.superseded', 'migration.withdrawn'])
  assert.equal(mayWrite(null, 'x', 1).ok, false)
})

test('the lots of a reading belong to its migration alone', () => {
  const family = familyOf({ id: 'acg-faka', step: 12 })
  assert.ok(family.batch.startsWith(family.name))
  assert.ok(!familyOf({ id: 'acg-faka-2', step: 1 }).batch.startsWith(family.name))
  assert.notEqual(familyOf({ id: 'acg-faka', step: 1 }).batch, family.batch)
})
