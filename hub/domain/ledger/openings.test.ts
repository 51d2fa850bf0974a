import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openRooms } from '../../../test/house/rooms.ts'
import { underLanes } from '../../platform/facts.ts'
import { loadMovements, loadOpenings, openBalances, readMovements, readOpenings } from './index.ts'

const rooms = await openRooms({ after })
let count = 0

function openTo(docking: { id: string; lane: number }, targetMicro: bigint) {
  return rooms.db.transaction((connection) => underLanes(connection, [docking.lane], (lane) => openBalances(connection, lane, [
    { id: `dep_opening_${++count}`, lane: docking.lane, account: docking.id, mode: 'live', reference: `reading ${count}`, targetMicro },
  ]))).then((opened) => opened[0]!)
}

test('an opening names what shall be: a repeat moves nothing, a later one moves the difference, either way', async () => {
  const docking = await rooms.openDocking({ mode: 'live' })
  const changes = []
  for (const target of [12_340_000n, 12_340_000n, 20_000_000n, 5_010_000n]) changes.push((await openTo(docking, target)).changeMicro)
  assert.deepEqual(changes, [12_340_000n, 0n, 7_660_000n, -14_990_000n])
  assert.equal(await rooms.balance(docking), 5_010_000n)
  assert.equal(readOpenings(await rooms.db.run(loadOpenings([docking.lane], [docking.id]))).get(docking.id), 5_010_000n)
  const movements = readMovements(await rooms.db.run(loadMovements(docking.lane, docking.id, null, 10)))
  assert.deepEqual(movements.map(({ kind, incoming, amountMicro }) => [kind, incoming, amountMicro]), [['opening', false, 14_990_000n], ['opening', true, 7_660_000n], ['opening', true, 12_340_000n]])
  assert.deepEqual(await rooms.findings(), [])
})

test('what was spent here cannot go back as well: it is refused, and the balance stays', async () => {
  const docking = await rooms.openDocking({ mode: 'live' })
  const good = await rooms.addGood('SPENT', '4.00')
  await rooms.addCards(good, 3, 'live')
  await openTo(docking, 10_000_000n)
  assert.ok((await rooms.place(docking, 'A', good, 2)).ok)
  const opened = await openTo(docking, 0n)
  assert.deepEqual([opened.refusal?.code, opened.refusal?.because], ['ledger.insufficient_funds', { needed: '10.00', available: '2.00' }])
  assert.equal(await rooms.balance(docking), 2_000_000n)
  assert.equal((await openTo(docking, 8_000_000n)).changeMicro, -2_000_000n)
  assert.equal((await openTo(docking, 8_005_000n)).refusal?.code, 'protocol.invalid_field')
  assert.deepEqual(await rooms.findings(), [])
})

test('the books name an opening whose transfer is wrong, and a transfer without its opening', async () => {
  const docking = await rooms.openDocking({ mode: 'live' })
  await openTo(docking, 3_000_000n)
  await rooms.owner.query('update ledger.openings set amount = 2000000 where account = $1', [docking.id])
  assert.match((await rooms.findings()).join('\n'), /opening/)
  await rooms.owner.query('delete from ledger.openings where account = $1', [docking.id])
  assert.match((await rooms.findings()).join('\n'), /opening/)
})
