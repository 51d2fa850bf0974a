import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { isId } from '../../kernel/ids.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { endDelivery, loadDelivery, loadWaiting, readKept, sealText, type Kept } from '../fulfilment/index.ts'
import { loadBalances, postTransfers, readBalances, refundLegs, writeBalances } from '../ledger/index.ts'
import type { Order } from './model.ts'
import { loadById, loadOrders, moveState, readOrders } from './store.ts'

/** An order with what is kept for it. */
export type Delivery = Omit<Kept, 'order'> & { order: Order }

export async function deliveryOf(db: Connection, vault: Vault, id: string): Promise<Delivery | null> {
  const look = async () => readKept(vault, await db.run(loadDelivery(id)))[0]
  const kept = await look()
  if (!kept) return null
  const order = readOrders(await db.run(loadOrders([kept.order])))[0]!
  // It may have ended between the two looks; it ends once, so a second look agrees with the order.
  return kept.waiting && order.state !== 'delivering' ? { ...(await look())!, order } : { ...kept, order }
}

/** Orders that wait for a person, oldest first. */
export async function waitingOrders(db: Database, vault: Vault, limit: number): Promise<Delivery[]> {
  const waiting = readKept(vault, await db.run(loadWaiting(limit)))
  const orders = new Map(readOrders(await db.run(loadOrders(waiting.map(({ order }) => order)))).map((order) => [order.id, order]))
  return waiting.map((kept) => ({ ...kept, order: orders.get(kept.order.id)! })).filter(({ order }) => order.state === 'delivering')
}

/** Hands a waiting order over: its text is sealed and the order is delivered. The same text again changes nothing. */
export async function deliverByHand(db: Database, vault: Vault, id: string, text: string): Promise<Outcome<Delivery>> {
  return settle(db, vault, id, (known) => known.text === text, async (connection, { order, at, append }) => {
    await moved(connection, order, 'delivered')
    await connection.run(endDelivery(order, sealText(vault, order.id, text), null, at))
    append({ lane: order.lane, docking: order.docking, kind: 'order.delivered', subject: order.id, code: null, body: JSON.stringify({ reference: order.reference }) })
  })
}

/** Gives a waiting order's money back, because nobody can deliver it. The same again changes nothing. */
export async function refundWaiting(db: Database, vault: Vault, id: string, reason: string): Promise<Outcome<Delivery>> {
  return settle(db, vault, id, (known) => known.order.state === 'refunded', async (connection, { order, at, append }) => {
    await moved(connection, order, 'refunded')
    await connection.run(endDelivery(order, null, reason, at))
    const position = append({ lane: order.lane, docking: order.docking, kind: 'order.refunded', subject: order.id, code: null, body: JSON.stringify({ reference: order.reference, reason }) })
    const available = readBalances(await connection.run(loadBalances([order.lane], [order.docking]))).get(order.docking)!
    const legs = refundLegs({ lane: order.lane, account: order.docking, mode: order.mode, position, event: order.id, at }, order.totalMicro, order.feeMicro, available)
    await connection.run(postTransfers(legs))
    await connection.run(writeBalances([{ lane: order.lane, account: order.docking, availableMicro: legs.at(-1)!.afterMicro }]))
  })
}

type Deed = { order: Order; at: Date; append: Parameters<Parameters<typeof underLanes>[2]>[0]['append'] }

/** The one walk of both ends: find the lane, lock it, look again, and do it or say in which state the order is. */
async function settle(db: Database, vault: Vault, id: string, isDone: (known: Delivery) => boolean, work: (connection: Connection, deed: Deed) => Promise<void>): Promise<Outcome<Delivery>> {
  const seen = await deliveryOf(db, vault, id)
  if (!seen) {
    const [sold] = isId('ord', id) ? readOrders(await db.run(loadById(id))) : []
    return sold ? refuse('orders.not_waiting', { order: id, state: sold.state }) : refuse('orders.not_found', { order: id.slice(0, 64) })
  }
  return db.transaction((connection) =>
    underLanes(connection, [seen.order.lane], async ({ at, append }) => {
      const look = async () => (await deliveryOf(connection, vault, id))!
      const known = await look()
      if (!known.waiting) return isDone(known) ? accept(known) : refuse('orders.not_waiting', { order: id, state: known.order.state })
      await work(connection, { order: known.order, at, append })
      return accept(await look())
    }))
}

async function moved(connection: Connection, order: Order, to: 'delivered' | 'refunded'): Promise<void> {
  if ((await connection.run(moveState([order], 'delivering', to, null))).length !== 1) throw new Error(`order ${order.id} waits and is not under delivery`)
}
