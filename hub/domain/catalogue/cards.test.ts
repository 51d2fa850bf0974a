import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openRooms } from '../../../test/house/rooms.ts'
import type { Database, Statement } from '../../platform/postgres/database.ts'
import { CardOpener, loadCards, readCards } from './index.ts'

const rooms = await openRooms({ after })

/** A database that counts what is asked of it, as slow as one that is met right after a restart. */
function counting(): { db: Database; asked: Statement[] } {
  const asked: Statement[] = []
  const run = async (statement: Statement) => {
    asked.push(statement)
    await new Promise((later) => setTimeout(later, 20))
    return rooms.db.run(statement)
  }
  return { db: { urgent: { run } } as unknown as Database, asked }
}

test('hundreds of orders from lots not seen before are opened with a few look-ups', async () => {
  const good = await rooms.addGood('many-lots')
  for (let i = 0; i < 60; i++) await rooms.addCards(good, 1)
  const lots = (await rooms.db.run({ text: 'select id from catalogue.lots where good = $1 order by id', values: [good] })).map((row) => row[0] as bigint)
  const sealed = readCards(await rooms.db.run(loadCards(lots.map((lot) => ({ lot, first: 1, count: 1 })))))
  const { db, asked } = counting()
  const opener = new CardOpener(db, rooms.vault)
  const orders = Array.from({ length: 300 }, (_, i) => [{ lot: lots[i % lots.length]!, first: 1, count: 1 }])
  const opened = await Promise.all(orders.map((picks) => opener.open(picks, sealed)))
  assert.deepEqual(opened.map(([card]) => card!.secret), orders.map((_, i) => `${good}-live-b${(i % lots.length) + 1}-1`))
  assert.ok(asked.length <= 2, `${asked.length} look-ups`)
  assert.ok(Array.isArray(opener.open(orders[0]!, sealed)), 'a second time nothing is asked')
  assert.ok(asked.length <= 2)
})

test('a look-up that fails is told to those who waited for it, and the next one asks again', async () => {
  const good = await rooms.addGood('failing')
  await rooms.addCards(good, 1)
  const picks = [{ lot: (await rooms.db.run({ text: 'select id from catalogue.lots where good = $1', values: [good] }))[0]![0] as bigint, first: 1, count: 1 }]
  const sealed = readCards(await rooms.db.run(loadCards(picks)))
  let isDown = true
  const db = { urgent: { run: (statement: Statement) => (isDown ? Promise.reject(new Error('the line is down')) : rooms.db.run(statement)) } } as unknown as Database
  const opener = new CardOpener(db, rooms.vault)
  await Promise.all([0, 1].map(() => assert.rejects(async () => opener.open(picks, sealed), /the line is down/)))
  isDown = false
  assert.equal((await opener.open(picks, sealed))[0]!.secret, `${good}-live-b61-1`)
})

test('a card that is not there is never answered as if it were', async () => {
  const good = await rooms.addGood('gap')
  await rooms.addCards(good, 2)
  const lot = (await rooms.db.run({ text: 'select id from catalogue.lots where good = $1', values: [good] }))[0]![0] as bigint
  const sealed = readCards(await rooms.db.run(loadCards([{ lot, first: 1, count: 1 }])))
  const opener = new CardOpener(rooms.db, rooms.vault)
  await assert.rejects(async () => opener.open([{ lot, first: 1, count: 2 }], sealed), /card 2 of lot \d+ is missing/)
  await assert.rejects(async () => opener.open([{ lot: 999_999n, first: 1, count: 1 }], sealed), /is missing/)
})
