import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import type { LaneWork } from '../../platform/facts.ts'
import { array, type Connection, type Database, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { Order, TakenOver } from './model.ts'
import { loadByReference } from './store.ts'

/** An order of another site as it is handed in. */
export type TakeOverAsk = {
  lane: number
  docking: string
  tradeNo: string
  reference: string | null
  good: string | null
  quantity: number
  amountMicro: bigint
  /** What the old site delivered, to the letter. */
  secret: string
  at: Date
}

const COLUMNS = 't.lane, t.docking, t.trade_no, t.reference, t.good, t.quantity, t.amount, t.sealed, t.at'

/** Old orders under these references. Asked only for dockings that a migration opened: nobody else pays for it. */
export function loadTakenOver(asks: readonly { lane: number; docking: string; reference: string }[]): Statement {
  return {
    name: 'orders.taken_over',
    text: `select ${COLUMNS} from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, reference)
      join orders.taken_over t on t.lane = k.lane and t.docking = k.docking and t.reference = k.reference`,
    values: [array.bare(asks.map((a) => a.lane)), array.bare(asks.map((a) => a.docking)), array.text(asks.map((a) => a.reference))],
  }
}

export function readTakenOver(rows: Rows): TakenOver[] {
  return rows.map((row) => ({
    lane: row[0] as number, docking: row[1] as string, tradeNo: row[2] as string, reference: row[3] as string | null, good: row[4] as string | null,
    quantity: row[5] as number, amountMicro: row[6] as bigint, sealed: row[7] as Buffer, at: row[8] as Date,
  }))
}

/** One old order of a docking by the number that the old site gave it, or by the shop's own; null when there is none. */
export async function findTakenOver(db: Database, asker: { id: string; lane: number }, by: { tradeNo: string } | { reference: string }): Promise<TakenOver | null> {
  const [column, value] = 'tradeNo' in by ? ['trade_no', by.tradeNo] : ['reference', by.reference]
  const rows = await db.run({ text: `select ${COLUMNS} from orders.taken_over t where t.lane = $1 and t.docking = $2 and t.${column} = $3`, values: [asker.lane, asker.id, value] })
  return readTakenOver(rows)[0] ?? null
}

/** What the old site delivered, to the letter. */
export function openTakenOver(vault: Vault, order: TakenOver): string {
  return vault.open(order.sealed, contextOf(order)).toString('utf8')
}

/** An old order in the shape of ours, so that every door can show it. It has no cards of ours and no place in our log. */
export function asOrder(taken: TakenOver, mode: Order['mode'], fingerprint: Buffer): Order {
  return {
    lane: taken.lane, docking: taken.docking, id: taken.tradeNo, reference: taken.reference ?? taken.tradeNo, attempt: 1, mode, good: taken.good ?? '',
    quantity: taken.quantity, unitPriceMicro: taken.amountMicro / BigInt(taken.quantity), totalMicro: taken.amountMicro, feeMicro: 0n, state: 'delivered', doubt: null,
    fingerprint, picks: [], member: null, position: 0n, createdAt: taken.at,
  }
}

/**
 * Writes orders of another site, so that their numbers are bound here from the commit on. A repeat writes only what has
 * changed there. A number that an order of ours has bound is refused by itself and named: the shop sent it to both.
 * Runs under the locks of the lanes, which `lane` stands for.
 * @returns for each ask whether it was written, was there already, or why not
 */
export async function takeOver(connection: Connection, vault: Vault, lane: LaneWork, asks: readonly TakeOverAsk[]): Promise<Outcome<'written' | 'known'>[]> {
  if (asks.length === 0) return []
  const numbered = asks.filter((ask): ask is TakeOverAsk & { reference: string } => ask.reference !== null)
  const bound = new Set<string>()
  if (numbered.length > 0) for (const row of await connection.run(loadByReference(numbered))) bound.add(`${row[1] as string} ${row[3] as string}`)
  const elsewhere = await numbersElsewhere(connection, numbered)
  const seen = new Set<string>()
  const refusals = asks.map((ask): Refusal | null => {
    const name = `${ask.docking} ${ask.reference}`
    const other = ask.reference === null ? undefined : elsewhere.get(name)
    const isTaken = ask.reference !== null && (bound.has(name) || (other !== undefined && other !== ask.tradeNo) || seen.has(name))
    if (isTaken || seen.has(`${ask.docking} no ${ask.tradeNo}`)) return refuse('orders.reference_reused', { reference: ask.reference ?? ask.tradeNo, differs: 'form' }).refusal
    if (ask.reference !== null) seen.add(name)
    seen.add(`${ask.docking} no ${ask.tradeNo}`)
    return null
  })
  const free = asks.filter((_, i) => refusals[i] === null)
  const written = new Set((free.length === 0 ? [] : await connection.run(upsert(vault, free))).map((row) => `${row[0] as string} ${row[1] as string}`))
  for (const [docking, laneOf] of new Map(free.filter((ask) => written.has(`${ask.docking} ${ask.tradeNo}`)).map((ask) => [ask.docking, ask.lane]))) {
    const count = free.filter((ask) => ask.docking === docking && written.has(`${docking} ${ask.tradeNo}`)).length
    lane.append({ lane: laneOf, docking, kind: 'orders.taken_over', subject: null, code: null, body: JSON.stringify({ count }) })
  }
  return asks.map((ask, i) => {
    const refusal = refusals[i]
    return refusal ? { ok: false, refusal } : accept(written.has(`${ask.docking} ${ask.tradeNo}`) ? 'written' : 'known')
  })
}

/** Which old order has taken each reference already: by `docking reference`, its number. */
async function numbersElsewhere(connection: Connection, asks: readonly { lane: number; docking: string; reference: string }[]): Promise<Map<string, string>> {
  if (asks.length === 0) return new Map()
  return new Map(readTakenOver(await connection.run(loadTakenOver(asks))).map((order) => [`${order.docking} ${order.reference}`, order.tradeNo]))
}

function upsert(vault: Vault, asks: readonly TakeOverAsk[]): Statement {
  return {
    text: `insert into orders.taken_over as t (lane, docking, trade_no, reference, good, quantity, amount, sealed, digest, at)
      select * from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::bytea[], $9::bytea[], $10::timestamptz[])
      on conflict (lane, docking, trade_no) do update set good = excluded.good, quantity = excluded.quantity, amount = excluded.amount,
        sealed = excluded.sealed, digest = excluded.digest where t.digest <> excluded.digest
      returning t.docking, t.trade_no`,
    values: [
      array.bare(asks.map((a) => a.lane)), array.text(asks.map((a) => a.docking)), array.text(asks.map((a) => a.tradeNo)), array.text(asks.map((a) => a.reference)),
      array.text(asks.map((a) => a.good)), array.bare(asks.map((a) => a.quantity)), array.bare(asks.map((a) => a.amountMicro)),
      array.bytes(asks.map((a) => vault.seal(Buffer.from(a.secret), contextOf(a)))),
      array.bytes(asks.map((a) => vault.blind(`taken over|${JSON.stringify([a.good, a.quantity, String(a.amountMicro), a.secret])}`))),
      array.text(asks.map((a) => a.at.toISOString())),
    ],
  }
}

function contextOf({ docking, tradeNo }: { docking: string; tradeNo: string }): string {
  return `taken over|${docking}|${tradeNo}`
}

export type TakenOverCount = { orders: number; references: number; amountMicro: bigint }

/** How many old orders these dockings have, how many with the shop's own number, and what they came to. */
export async function countTakenOver(connection: Connection, dockings: readonly { lane: number; id: string }[]): Promise<Map<string, TakenOverCount>> {
  const rows = await connection.run({
    text: `select t.docking, count(*)::int, count(t.reference)::int, sum(t.amount)::bigint from unnest($1::int[], $2::text[]) k(lane, docking)
      join orders.taken_over t on t.lane = k.lane and t.docking = k.docking group by t.docking`,
    values: [array.bare(dockings.map((d) => d.lane)), array.text(dockings.map((d) => d.id))],
  })
  return new Map(rows.map((row) => [row[0] as string, { orders: row[1] as number, references: row[2] as number, amountMicro: row[3] as bigint }]))
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
