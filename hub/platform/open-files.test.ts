import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionsWithin, openFileLimit } from './open-files.ts'

const cases: readonly (readonly [openFiles: number, connections: number])[] = [[Infinity, 4_096], [20_000, 4_096], [1_024, 960], [256, 192], [70, 16]]

for (const [openFiles, connections] of cases) {
  test(`with ${openFiles} files at most, ${connections} clients may be connected`, () => assert.equal(connectionsWithin(openFiles), connections))
}

test('the limit of this very process can be seen', () => assert.ok(openFileLimit() > 0))
