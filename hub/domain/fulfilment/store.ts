import { array, type Connection, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { OrderKey } from './model.ts'

/** What orders hold beside their cards, for those that hold anything; one row an order. */
export function insertDeliveries(rows: readonly { order: OrderKey; sealedForm: Buffer | null; waiting: boolean }[]): Statement {
  return {
    name: 'fulfilment.insert',
    text: `insert into fulfilment.deliveries (lane, docking, order_id, form, waiting)
      select lane, docking, order_id, nullif(form, ''::bytea), waiting from unnest($1::int[], $2::text[], $3::text[], $4::bytea[], $5::boolean[]) d(lane, docking, order_id, form, waiting)
      on conflict do nothing returning lane`,
    values: [
      array.bare(rows.map(({ order }) => order.lane)), array.bare(rows.map(({ order }) => order.docking)), array.bare(rows.map(({ order }) => order.id)),
      array.bytes(rows.map(({ sealedForm }) => sealedForm ?? Buffer.alloc(0))), array.bare(rows.map(({ waiting }) => String(waiting))),
    ],
  }
}

const COLUMNS = 'd.lane, d.docking, d.order_id, d.form, d.delivered, d.reason, d.waiting, d.ended_at'

/** A delivery as it is stored: form and delivered text sealed under the order's own contexts. */
type Row = { order: OrderKey; form: Buffer | null; delivered: Buffer | null; reason: string | null; waiting: boolean; endedAt: Date | null }

export function readRows(rows: Rows): Row[] {
  return rows.map((row) => ({
    order: { lane: row[0] as number, docking: row[1] as string, id: row[2] as string }, form: row[3] as Buffer | null, delivered: row[4] as Buffer | null,
    reason: row[5] as string | null, waiting: row[6] as boolean, endedAt: row[7] as Date | null,
  }))
}

export function loadDelivery(order: string): Statement {
  return { name: 'fulfilment.one', text: `select ${COLUMNS} from fulfilment.deliveries d where d.order_id = $1`, values: [order] }
}

/** What waits for a person, oldest first. */
export function loadWaiting(limit: number): Statement {
  return { text: `select ${COLUMNS} from fulfilment.deliveries d where d.waiting order by d.order_id limit $1`, values: [limit] }
}

/** Ends a waiting delivery, its text sealed; no row when it had ended before. */
export function endDelivery(order: OrderKey, delivered: Buffer | null, reason: string | null, at: Date): Statement {
  return {
    text: `update fulfilment.deliveries set delivered = $4, reason = $5, waiting = false, ended_at = $6
      where lane = $1 and docking = $2 and order_id = $3 and waiting returning order_id`,
    values: [order.lane, order.docking, order.id, delivered, reason, at],
  }
}

/** Of a lane, by order: whether it waits, and whether a person delivered. The orders room holds its states against it. */
export async function deliveriesOf(connection: Connection, lane: number): Promise<Map<string, { waiting: boolean; delivered: boolean }>> {
  const rows = await connection.run({ text: 'select order_id, waiting, delivered is not null from fulfilment.deliveries where lane = $1', values: [lane] })
  return new Map(rows.map((row) => [row[0] as string, { waiting: row[1] as boolean, delivered: row[2] as boolean }]))
}
