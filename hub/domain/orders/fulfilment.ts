import { timingSafeEqual } from 'node:crypto'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { loadBalances, postTransfers, readBalances, refundLegs, writeBalances } from '../ledger/index.ts'
import type { FormValues, Order } from './model.ts'
import { endDelivery, loadDelivery, loadWaiting, moveState, readDeliveries, type DeliveryRow } from './store.ts'

/** What an order holds beside its cards. `text` is what a person delivered; `reason` says why it was given back. */
export type Delivery = { order: Order; form: FormValues | null; text: string | null; reason: string | null; waiting: boolean; endedAt: Date | null }

export function sealForm(vault: Vault, order: string, values: FormValues): Buffer | null {
  return Object.keys(values).length === 0 ? null : vault.seal(Buffer.from(JSON.stringify(values)), `form|${order}`)
}

function open(vault: Vault, row: DeliveryRow): Delivery {
  const { order, reason, waiting, endedAt } = row
  return {
    order, reason, waiting, endedAt,
    form: row.form ? (JSON.parse(vault.open(row.form, `form|${order.id}`).toString('utf8')) as FormValues) : null,
    text: row.delivered ? vault.open(row.delivered, `delivered|${order.id}`).toString('utf8') : null,
  }
}

export async function deliveryOf(db: Database, vault: Vault, order: string): Promise<Delivery | null> {
  const row = readDeliveries(await db.run(loadDelivery(order)))[0]
  return row ? open(vault, row) : null
}

/** Orders that wait for a person, oldest first. */
export async function waitingOrders(db: Database, vault: Vault, limit: number): Promise<Delivery[]> {
  return readDeliveries(await db.run(loadWaiting(limit))).map((row) => open(vault, row))
}

/** Hands a waiting order over: its text is sealed and the order is delivered. The same text again changes nothing. */
export async function deliverByHand(db: Database, vault: Vault, id: string, text: string): Promise<Outcome<Delivery>> {
  return settle(db, vault, id, (known) => known.text === text, async (connection, { order, at, append }) => {
    await moved(connection, order, 'delivered')
    await connection.run(endDelivery(order, vault.seal(Buffer.from(text), `delivered|${order.id}`), null, at))
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
  if (!seen) return refuse('orders.not_found', { order: id.slice(0, 64) })
  return db.transaction((connection) =>
    underLanes(connection, [seen.order.lane], async ({ at, append }) => {
      const look = async () => open(vault, readDeliveries(await connection.run(loadDelivery(id)))[0]!)
      const known = await look()
      if (!known.waiting) return isDone(known) ? accept(known) : refuse('orders.not_waiting', { order: id, state: known.order.state })
      await work(connection, { order: known.order, at, append })
      return accept(await look())
    }))
}

async function moved(connection: Connection, order: Order, to: 'delivered' | 'refunded'): Promise<void> {
  if ((await connection.run(moveState([order], 'delivering', to, null))).length !== 1) throw new Error(`order ${order.id} waits and is not under delivery`)
}

const ID_LENGTH = 20
const PROOF_BYTES = 16

/** The end of the address at which whoever holds it sees the order: the order's id, and a proof that only the hub can make. */
export function pickupToken(vault: Vault, order: string): string {
  return `${order.slice('ord_'.length)}${proofOf(vault, order).toString('base64url')}`
}

/** The id of the order whose token this is; null for anything else. */
export function orderOfToken(vault: Vault, token: string): string | null {
  if (!/^[0-9a-z]{20}[\w-]{22}$/.test(token)) return null
  const order = `ord_${token.slice(0, ID_LENGTH)}`
  const given = Buffer.from(token.slice(ID_LENGTH), 'base64url')
  return given.length === PROOF_BYTES && timingSafeEqual(given, proofOf(vault, order)) ? order : null
}

function proofOf(vault: Vault, order: string): Buffer {
  return vault.blind(`pickup|${order}`).subarray(0, PROOF_BYTES)
}
