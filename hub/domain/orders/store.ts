import { array, type Connection, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Pick } from '../catalogue/index.ts'
import type { Doubt, Mode, Order, OrderState } from './model.ts'
import { FINGERPRINT_SCHEME } from './rules.ts'

const COLUMNS = `o.lane, o.docking, o.id, o.reference, o.attempt, o.mode, o.good, o.quantity, o.unit_price, o.total, o.fee, o.state,
  o.fingerprint, o.picks, o.member, o.position, o.created_at, o.doubt, o.variant, o.scheme`

export function readOrders(rows: Rows): Order[] {
  return rows.map((row) => ({
    lane: row[0] as number, docking: row[1] as string, id: row[2] as string, reference: row[3] as string, attempt: row[4] as number,
    mode: row[5] as Mode, good: row[6] as string, quantity: row[7] as number, unitPriceMicro: row[8] as bigint, totalMicro: row[9] as bigint,
    feeMicro: row[10] as bigint, state: row[11] as OrderState, fingerprint: row[12] as Buffer, picks: readPicks(row[13] as string[]),
    member: row[14] as string | null, position: row[15] as bigint, createdAt: row[16] as Date, doubt: row[17] as Doubt | null,
    variant: row[18] as string, scheme: row[19] as number,
  }))
}

function readPicks(flat: readonly string[]): Pick[] {
  const picks: Pick[] = []
  for (let i = 0; i < flat.length; i += 3) picks.push({ lot: BigInt(flat[i]!), first: Number(flat[i + 1]), count: Number(flat[i + 2]) })
  return picks
}

/** Orders under these references, all attempts, oldest first. */
export function loadByReference(asks: readonly { lane: number; docking: string; reference: string }[]): Statement {
  return {
    name: 'orders.by_reference',
    text: `select ${COLUMNS} from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, reference)
      cross join lateral (select * from orders.orders o where o.lane = k.lane and o.docking = k.docking and o.reference = k.reference
        order by o.attempt desc limit 1) o`,
    values: [array.bare(asks.map((a) => a.lane)), array.bare(asks.map((a) => a.docking)), array.text(asks.map((a) => a.reference))],
  }
}

/** Orders as a batch accepts them, at one time. A batch of plain cards, which most are, sends no variants and states. */
export function insertOrders(orders: readonly Order[]): Statement {
  const plain = orders.every((order) => order.variant === '' && order.state === 'delivered')
  return {
    name: plain ? 'orders.insert' : 'orders.insert_kinds',
    text: `insert into orders.orders (lane, docking, id, reference, attempt, mode, good, quantity, unit_price, total, fee, state, scheme,
        fingerprint, picks, member, position, created_at${plain ? '' : ', variant'})
      select lane, docking, id, reference, attempt, mode, good, quantity, unit_price, total, fee, ${plain ? "'delivered'" : 'state'}, ${FINGERPRINT_SCHEME},
        fingerprint, picks::bigint[], member, position, $16::timestamptz${plain ? '' : ', variant'}
      from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::int[], $9::bigint[], $10::bigint[],
        $11::bigint[], $12::bytea[], $13::text[], $14::text[], $15::bigint[]${plain ? '' : ', $17::text[], $18::text[]'})
        o(lane, docking, id, reference, attempt, mode, good, quantity, unit_price, total, fee, fingerprint, picks, member, position${plain ? '' : ', variant, state'})
      on conflict do nothing returning lane`,
    values: [
      array.bare(orders.map((o) => o.lane)), array.bare(orders.map((o) => o.docking)), array.bare(orders.map((o) => o.id)),
      array.text(orders.map((o) => o.reference)), array.bare(orders.map((o) => o.attempt)), array.bare(orders.map((o) => o.mode)),
      array.bare(orders.map((o) => o.good)), array.bare(orders.map((o) => o.quantity)), array.bare(orders.map((o) => o.unitPriceMicro)),
      array.bare(orders.map((o) => o.totalMicro)), array.bare(orders.map((o) => o.feeMicro)),
      array.bytes(orders.map((o) => o.fingerprint)),
      `{${orders.map((o) => `"{${o.picks.map((p) => `${p.lot},${p.first},${p.count}`).join(',')}}"`).join(',')}}`,
      array.text(orders.map((o) => o.member)), array.bare(orders.map((o) => o.position)), orders[0]!.createdAt,
      ...(plain ? [] : [array.text(orders.map((o) => o.variant)), array.bare(orders.map((o) => o.state))]),
    ],
  }
}

/** One row a card that was sold; the row count must equal the number of cards. */
export function insertSold(orders: readonly Order[]): Statement {
  const picks = orders.flatMap((order) => order.picks.map((pick) => ({ ...pick, lane: order.lane, order: order.id })))
  return {
    name: 'orders.sold',
    text: `insert into orders.sold (lot, seq, lane, order_id)
      select p.lot, p.first + n, p.lane, p.order_id
      from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::text[]) p(lot, first, count, lane, order_id), generate_series(0, p.count - 1) n
      on conflict do nothing returning lane`,
    values: [
      array.bare(picks.map((p) => p.lot)), array.bare(picks.map((p) => p.first)), array.bare(picks.map((p) => p.count)),
      array.bare(picks.map((p) => p.lane)), array.bare(picks.map((p) => p.order)),
    ],
  }
}

export function loadOrder(lane: number, docking: string, id: string): Statement {
  return { name: 'orders.one', text: `select ${COLUMNS} from orders.orders o where o.lane = $1 and o.docking = $2 and o.id = $3`, values: [lane, docking, id] }
}

/** These orders, in no order. */
export function loadOrders(keys: readonly { lane: number; docking: string; id: string }[]): Statement {
  return {
    name: 'orders.those',
    text: `select ${COLUMNS} from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, id) join orders.orders o on o.lane = k.lane and o.docking = k.docking and o.id = k.id`,
    values: [array.bare(keys.map((k) => k.lane)), array.bare(keys.map((k) => k.docking)), array.bare(keys.map((k) => k.id))],
  }
}

/** An order by its id alone, which walks through the lanes: for an operator who names one, and not for the order path. */
export function loadById(id: string): Statement {
  return { text: `select ${COLUMNS} from orders.orders o where o.id = $1 limit 1`, values: [id] }
}

/** A page of a docking's orders, newest first, older than `before`. */
export function loadPage(lane: number, docking: string, before: string | null, limit: number): Statement {
  return {
    name: before ? 'orders.page_before' : 'orders.page',
    text: `select ${COLUMNS} from orders.orders o where o.lane = $1 and o.docking = $2 ${before ? 'and o.id < $4' : ''} order by o.id desc limit $3`,
    values: before ? [lane, docking, limit, before] : [lane, docking, limit],
  }
}

export function loadDoubtful(limit: number): Statement {
  return { text: `select ${COLUMNS} from orders.orders o where o.doubt is not null order by o.lane, o.id limit $1`, values: [limit] }
}

/** Moves the state of orders from one to another and answers those that it moved; rows in another state stay. */
export function moveState(orders: readonly { lane: number; docking: string; id: string }[], from: OrderState, to: OrderState, doubt: Doubt | null): Statement {
  return {
    name: 'orders.move_state',
    text: `update orders.orders o set state = $5, doubt = $6 from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, id)
      where o.lane = k.lane and o.docking = k.docking and o.id = k.id and o.state = $4 returning o.id`,
    values: [array.bare(orders.map((o) => o.lane)), array.bare(orders.map((o) => o.docking)), array.bare(orders.map((o) => o.id)), from, to, doubt],
  }
}

/** Orders of these dockings, or that took cards from these lots, whatever became of them. Asked under the lanes' locks. */
export async function ordersOn(connection: Connection, dockings: readonly { lane: number; id: string }[], lots: readonly bigint[], limit: number): Promise<string[]> {
  const rows = await connection.run({
    text: `select o.id from unnest($1::int[], $2::text[]) k(lane, docking) join orders.orders o on o.lane = k.lane and o.docking = k.docking
      union select s.order_id from orders.sold s where s.lot = any($3::bigint[]) limit $4`,
    values: [array.bare(dockings.map((d) => d.lane)), array.text(dockings.map((d) => d.id)), array.bare(lots), limit],
  })
  return rows.map((row) => row[0] as string)
}
