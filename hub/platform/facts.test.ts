import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openRooms } from '../../test/house/rooms.ts'
import { loadFacts, loadRefusals, readRefusals, underLanes, type NewFact } from './facts.ts'

const rooms = await openRooms({ after })
const fact = (lane: number, kind: string, changes: Partial<NewFact> = {}): NewFact => ({ lane, docking: 'dck_a', kind, subject: null, code: null, body: '{}', ...changes })
const factsOf = async (lane: number) => (await rooms.db.run(loadFacts(lane, 0n, 1_000))).map((row) => [row[1], row[3]])
const headOf = async (lane: number) => BigInt((await rooms.owner.query('select head from platform.lanes where lane = $1', [lane])).rows[0].head)

test('facts of a lane are dense and in the order of the commits, whoever writes at the same time', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, i) => rooms.db.transaction((connection) =>
    underLanes(connection, i % 2 === 0 ? [3, 4] : [4, 3], async ({ append }) => {
      append(fact(3, `three.${i}`))
      append(fact(4, `four.${i}`))
      append(fact(3, `three.${i}`))
    }))))
  assert.deepEqual((await factsOf(3)).map(([position]) => position), Array.from({ length: 80 }, (_, i) => BigInt(i + 1)))
  assert.deepEqual((await factsOf(4)).map(([position]) => position), Array.from({ length: 40 }, (_, i) => BigInt(i + 1)))
  const kinds = (await factsOf(3)).map(([, kind]) => kind)
  for (let i = 0; i < 80; i += 2) assert.equal(kinds[i], kinds[i + 1], 'the facts of one command stand together')
  assert.equal(await headOf(3), 80n)
})

test('a command that fails leaves no fact and gives its positions back', async () => {
  const run = (fails: boolean) => rooms.db.transaction((connection) =>
    underLanes(connection, [5], async ({ append }) => {
      append(fact(5, fails ? 'lost' : 'kept'))
      if (fails) throw new Error('the command failed')
    }))
  await assert.rejects(run(true), /the command failed/)
  await run(false)
  assert.deepEqual(await factsOf(5), [[1n, 'kept']])
})

test('a command without a fact moves nothing', async () => {
  const before = await headOf(6)
  assert.equal(await rooms.db.transaction((connection) => underLanes(connection, [6], async () => 'done')), 'done')
  assert.equal(await headOf(6), before)
})

test('all facts of a command have the database\'s time, taken after the lock', async () => {
  const first = await rooms.db.transaction((connection) => underLanes(connection, [7], async ({ at, append }) => {
    append(fact(7, 'a'))
    append(fact(7, 'b'))
    return at
  }))
  const second = await rooms.db.transaction((connection) => underLanes(connection, [7], async ({ at }) => at))
  assert.ok(second >= first)
  const rows = await rooms.db.run(loadFacts(7, 0n, 10))
  assert.deepEqual(rows.map((row) => row[7]), [first, first])
})

test('the last refusals of a docking come newest first, and only its own', async () => {
  await rooms.db.transaction((connection) => underLanes(connection, [8], async ({ append }) => {
    append(fact(8, 'order.refused', { code: 'catalogue.out_of_stock', subject: 'A' }))
    append(fact(8, 'order.accepted', { subject: 'B' }))
    append(fact(8, 'order.refused', { code: 'ledger.insufficient_funds', docking: 'dck_b' }))
    append(fact(8, 'order.refused', { code: 'catalogue.good_not_found', subject: 'C', body: '{"because":{"good":"null"}}' }))
  }))
  const refusals = readRefusals(await rooms.db.run(loadRefusals(8, 'dck_a', 10)))
  assert.deepEqual(refusals.map(({ position, code, subject }) => [position, code, subject]), [[4n, 'catalogue.good_not_found', 'C'], [1n, 'catalogue.out_of_stock', 'A']])
  assert.equal(readRefusals(await rooms.db.run(loadRefusals(8, 'dck_a', 1))).length, 1)
})

test('a page of facts goes on behind a position without gap or repeat', async () => {
  const seen: unknown[] = []
  for (let after = 0n; ;) {
    const page = await rooms.db.run(loadFacts(3, after, 7))
    seen.push(...page.map((row) => row[1]))
    if (page.length < 7) break
    after = page.at(-1)![1] as bigint
  }
  assert.deepEqual(seen, Array.from({ length: 80 }, (_, i) => BigInt(i + 1)))
})

test('whatever text a fact has, it is the text that was handed in', async () => {
  const texts = ['', 'null', 'NULL', '"quoted"', 'back\\slash', '{a,b}', "it's", 'line\nbreak', '卡密', ' ', ',']
  await rooms.db.transaction((connection) => underLanes(connection, [9], async ({ append }) => {
    for (const text of texts) append(fact(9, 'x', { subject: text, body: text }))
  }))
  const rows = await rooms.db.run(loadFacts(9, 0n, 100))
  assert.deepEqual(rows.map((row) => [row[4], row[6]]), texts.map((text) => [text, text]))
})
