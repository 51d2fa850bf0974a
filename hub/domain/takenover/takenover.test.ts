import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openRooms } from '../../../test/house/rooms.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Outcome } from '../../../protocol/outcome.ts'
import { loadByReference, readOrders, type Placed } from '../orders/index.ts'
import { findTakenOver, openTakenOver, takeOver, type TakeOverAsk } from './index.ts'

const rooms = await openRooms({ after })
const good = await rooms.addGood('OLD', '2.00')
await rooms.addCards(good, 20, 'live')
const open = await rooms.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00' })
await rooms.owner.query('update partners.dockings set migration = $1 where id = $2', ['acg-faka', open.id])
const docking = { ...open, migration: 'acg-faka' }

function old(more: Partial<TakeOverAsk> = {}): TakeOverAsk {
  return { lane: docking.lane, docking: docking.id, tradeNo: 'T1', reference: 'R1', good, quantity: 2, amountMicro: 3_000_000n, secret: 'OLD A\nOLD B', at: new Date('2026-01-01T00:00:00Z'), ...more }
}

function take(...asks: TakeOverAsk[]): Promise<Outcome<'written' | 'known'>[]> {
  return rooms.db.transaction((connection) => underLanes(connection, [docking.lane], async (lane) => {
    const numbered = asks.flatMap(({ reference, ...ask }) => (reference === null ? [] : [{ ...ask, reference }]))
    const bound = new Set(readOrders(await connection.run(loadByReference(numbered))).map((order) => `${order.docking} ${order.reference}`))
    return takeOver(connection, rooms.vault, lane, asks, bound)
  }))
}

function codeOf(placed: Outcome<Placed>): string {
  return placed.ok ? placed.value.cards.map((card) => card.secret).join('|') : placed.refusal.code
}

test('an old number is answered with what was delivered, however often, and takes neither money nor cards', async () => {
  assert.deepEqual(await take(old()), [{ ok: true, value: 'written' }])
  const before = await rooms.balance(docking)
  for (let i = 0; i < 3; i++) {
    const placed = await rooms.place(docking, 'R1', good, 2)
    assert.equal(codeOf(placed), 'OLD A\nOLD B')
    assert.ok(placed.ok && placed.value.replayed && placed.value.order.id === 'T1' && placed.value.order.totalMicro === 3_000_000n)
    placed.value.receipt.unsent()
    placed.value.receipt.broken()
  }
  const many = await Promise.all(Array.from({ length: 20 }, () => rooms.place(docking, 'R1', good, 2)))
  assert.deepEqual(new Set(many.map(codeOf)), new Set(['OLD A\nOLD B']))
  assert.equal(await rooms.balance(docking), before)
  assert.deepEqual(await rooms.findings(), [])
})

test('another ask under an old number is told what differs', async () => {
  const other = await rooms.addGood('OTHER')
  for (const [asked, quantity, differs] of [[good, 1, 'quantity'], [other, 2, 'good']] as const) {
    const placed = await rooms.place(docking, 'R1', asked, quantity)
    assert.ok(!placed.ok && placed.refusal.code === 'orders.reference_reused' && placed.refusal.because.differs === differs)
  }
})

test('a repeat of the take-over writes nothing; what has changed there since is written', async () => {
  assert.deepEqual(await take(old()), [{ ok: true, value: 'known' }])
  assert.deepEqual(await take(old({ secret: 'DELIVERED LATE' })), [{ ok: true, value: 'written' }])
  assert.equal(codeOf(await rooms.place(docking, 'R1', good, 2)), 'DELIVERED LATE')
})

test('a number that an order of ours has bound stays ours, and one that another old order has stays with it', async () => {
  assert.ok((await rooms.place(docking, 'NEW', good, 1)).ok)
  const taken = await take(old({ tradeNo: 'T2', reference: 'NEW' }), old({ tradeNo: 'T3', reference: 'R1' }), old({ tradeNo: 'T4', reference: null }), old({ tradeNo: 'T4', reference: 'R4' }), old({ tradeNo: 'T5', reference: 'R5' }), old({ tradeNo: 'T6', reference: 'R5' }))
  const reused = 'orders.reference_reused'
  assert.deepEqual(taken.map((outcome) => (outcome.ok ? outcome.value : outcome.refusal.code)), [reused, reused, 'written', reused, 'written', reused])
  assert.notEqual(codeOf(await rooms.place(docking, 'NEW', good, 1)), 'OLD A\nOLD B')
})

test('old orders are found by either number, by their own docking alone', async () => {
  const found = await findTakenOver(rooms.db, docking, { tradeNo: 'T4' })
  assert.equal(openTakenOver(rooms.vault, found!), 'OLD A\nOLD B')
  assert.equal((await findTakenOver(rooms.db, docking, { reference: 'R1' }))?.tradeNo, 'T1')
  assert.equal(await findTakenOver(rooms.db, { ...docking, id: 'dck_other' }, { tradeNo: 'T4' }), null)
  assert.equal(await findTakenOver(rooms.db, { ...docking, migration: null }, { tradeNo: 'T4' }), null)
})

test('what was delivered stands sealed, and does not open in another row', async () => {
  const { rows } = await rooms.owner.query<{ sealed: Buffer }>('select sealed from takenover.orders where trade_no = $1', ['T4'])
  assert.ok(!rows[0]!.sealed.toString('latin1').includes('OLD A'))
  await rooms.owner.query('update takenover.orders set sealed = $1 where trade_no = $2', [rows[0]!.sealed, 'T1'])
  const moved = await findTakenOver(rooms.db, docking, { tradeNo: 'T1' })
  assert.throws(() => openTakenOver(rooms.vault, moved!))
})
