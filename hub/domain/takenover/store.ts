import { array, type Connection, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { TakenOver, TakenOverCount, TakeOverAsk } from './model.ts'

const COLUMNS = 't.lane, t.docking, t.trade_no, t.reference, t.good, t.quantity, t.amount, t.sealed, t.at'

/** Old orders under these references. Asked only for dockings that a migration opened: nobody else pays for it. */
export function loadTakenOver(asks: readonly { lane: number; docking: string; reference: string }[]): Statement {
  return {
    name: 'takenover.by_reference',
    text: `select ${COLUMNS} from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, reference)
      join takenover.orders t on t.lane = k.lane and t.docking = k.docking and t.reference = k.reference`,
    values: [array.bare(asks.map((a) => a.lane)), array.bare(asks.map((a) => a.docking)), array.text(asks.map((a) => a.reference))],
  }
}

/** One old order by the number that the old site gave it, or by the shop's own. */
export function loadOne(lane: number, docking: string, by: { tradeNo: string } | { reference: string }): Statement {
  const [column, value] = 'tradeNo' in by ? ['trade_no', by.tradeNo] : ['reference', by.reference]
  return { text: `select ${COLUMNS} from takenover.orders t where t.lane = $1 and t.docking = $2 and t.${column} = $3`, values: [lane, docking, value] }
}

export function readTakenOver(rows: Rows): TakenOver[] {
  return rows.map((row) => ({
    lane: row[0] as number, docking: row[1] as string, tradeNo: row[2] as string, reference: row[3] as string | null, good: row[4] as string | null,
    quantity: row[5] as number, amountMicro: row[6] as bigint, sealed: row[7] as Buffer, at: row[8] as Date,
  }))
}

/** Writes those that are new or have changed, and answers them as docking and number. */
export function upsert(asks: readonly (TakeOverAsk & { sealed: Buffer; digest: Buffer })[]): Statement {
  return {
    text: `insert into takenover.orders as t (lane, docking, trade_no, reference, good, quantity, amount, sealed, digest, at)
      select * from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::bytea[], $9::bytea[], $10::timestamptz[])
      on conflict (lane, docking, trade_no) do update set good = excluded.good, quantity = excluded.quantity, amount = excluded.amount,
        sealed = excluded.sealed, digest = excluded.digest where t.digest <> excluded.digest
      returning t.docking, t.trade_no`,
    values: [
      array.bare(asks.map((a) => a.lane)), array.text(asks.map((a) => a.docking)), array.text(asks.map((a) => a.tradeNo)), array.text(asks.map((a) => a.reference)),
      array.text(asks.map((a) => a.good)), array.bare(asks.map((a) => a.quantity)), array.bare(asks.map((a) => a.amountMicro)),
      array.bytes(asks.map((a) => a.sealed)), array.bytes(asks.map((a) => a.digest)), array.text(asks.map((a) => a.at.toISOString())),
    ],
  }
}

/** How many old orders these dockings have, how many with the shop's own number, and what they came to. */
export async function countTakenOver(connection: Connection, dockings: readonly { lane: number; id: string }[]): Promise<Map<string, TakenOverCount>> {
  const rows = await connection.run({
    text: `select t.docking, count(*)::int, count(t.reference)::int, sum(t.amount)::bigint from unnest($1::int[], $2::text[]) k(lane, docking)
      join takenover.orders t on t.lane = k.lane and t.docking = k.docking group by t.docking`,
    values: [array.bare(dockings.map((d) => d.lane)), array.text(dockings.map((d) => d.id))],
  })
  return new Map(rows.map((row) => [row[0] as string, { orders: row[1] as number, references: row[2] as number, amountMicro: row[3] as bigint }]))
}
