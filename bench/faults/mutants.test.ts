import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pointsOf } from './kill-hub.ts'
import { MUTANTS, plant } from './mutants.ts'

const root = join(import.meta.dirname, '../..')

for (const [name, mutant] of Object.entries(MUTANTS)) {
  test(`the mutant ${name} still fits the code`, () => rmSync(plant(root, name, mutant), { recursive: true }))
}

test('every crash point that a mutant is looked for at stands in the code', () => {
  const names = pointsOf(root).map((point) => point.name)
  assert.ok(names.length >= 10)
  for (const { points = [] } of Object.values(MUTANTS)) for (const point of points) assert.ok(names.includes(point), point)
})
