import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { freshDatabase } from '../../test/postgres.ts'
import { HOUSE_LANE, laneOf, LANES } from './lanes.ts'

test('the lane of a docking is for ever: these are known', () => {
  // A change here would part the rows of every docking from its lane. The values were worked out apart from the code, with FNV-1a.
  const known: [string, number][] = [
    ['', LANES[0x811c9dc5 % 64]!], ['a', LANES[0xe40c292c % 64]!], ['foobar', LANES[0xbf9cf968 % 64]!],
    ['dck_01jd3q8w5kz0g7tq4m2x', fnv('dck_01jd3q8w5kz0g7tq4m2x')],
  ]
  for (const [docking, lane] of known) assert.equal(laneOf(docking), lane, docking)
})

test('there are 64 lanes, each once and ascending, none of them the house\'s', () => {
  assert.equal(LANES.length, 64)
  assert.deepEqual(LANES.toSorted((a, b) => a - b), LANES)
  assert.equal(new Set(LANES).size, 64)
  assert.ok(!LANES.includes(HOUSE_LANE))
})

test('dockings spread over all lanes', () => {
  const counts = new Map<number, number>()
  for (let i = 0; i < 6_400; i++) counts.set(laneOf(`dck_01jd3q8w5k${i.toString(32).padStart(10, '0')}`), (counts.get(laneOf(`dck_01jd3q8w5k${i.toString(32).padStart(10, '0')}`)) ?? 0) + 1)
  assert.equal(counts.size, 64)
  assert.ok(Math.max(...counts.values()) < 200, `${Math.max(...counts.values())} of 6400 on one lane`)
})

test('the database has exactly these lanes and the house\'s', async (t) => {
  const client = new Client({ connectionString: (await freshDatabase(t)).ownerUrl })
  await client.connect()
  const { rows } = await client.query<{ lane: number }>('select lane from platform.lanes order by lane')
  await client.end()
  assert.deepEqual(rows.map((row) => row.lane), [HOUSE_LANE, ...LANES])
})

/** FNV-1a once more with big integers, so that an overflow in the code would show. */
function fnv(text: string): number {
  let hash = 0x811c9dc5n
  for (const byte of new TextEncoder().encode(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn
  return LANES[Number(hash % 64n)]!
}
