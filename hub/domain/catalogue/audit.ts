import type { Connection } from '../../platform/postgres/database.ts'

/** A row of the stock that contradicts another. */
export type StockFinding = { rule: string; row: string; expected: string; seen: string }

/** Proves that every published lot holds its cards without gaps. */
export async function auditStock(connection: Connection, limit = 100): Promise<StockFinding[]> {
  const rows = await connection.run({
    text: `select format('catalogue.lots id=%s', l.id), l.size, coalesce(c.cards, 0) || ' cards, last ' || coalesce(c.last, 0)
      from catalogue.lots l left join (select lot, count(*) as cards, max(seq) as last from catalogue.cards group by lot) c on c.lot = l.id
      where l.state in ('published', 'exhausted') and (coalesce(c.cards, 0) <> l.size or coalesce(c.last, 0) <> l.size) limit $1`,
    values: [limit],
  })
  return rows.map((row) => ({ rule: 'a published lot has all its cards', row: String(row[0]), expected: String(row[1]), seen: String(row[2]) }))
}

/** Per lot how far its cursor stands and in which mode it is: the orders room holds what it sold against it. */
export async function cursorsOf(connection: Connection): Promise<Map<bigint, { nextSeq: number; mode: string }>> {
  const rows = await connection.run({ text: `select id, next_seq, mode from catalogue.lots where state in ('published', 'exhausted') or (state = 'withdrawn' and next_seq > 1)`, values: [] })
  return new Map(rows.map((row) => [row[0] as bigint, { nextSeq: row[1] as number, mode: row[2] as string }]))
}
