import type { Connection, Rows } from '../../platform/postgres/database.ts'

/** A row of the books that contradicts another; `row` names it so that a person can look at it. */
export type Finding = { rule: string; row: string; expected: string; seen: string }

/**
 * Proves the ledger from its transfers alone: every account's running balance follows from the one before, the stored
 * balance is the last of them, play money never meets real money, and all accounts together come to zero.
 * @returns at most `limit` findings, empty when the books are right
 */
export async function auditLedger(connection: Connection, limit = 100): Promise<Finding[]> {
  const found: Finding[] = []
  const collect = (rule: string, rows: Rows) => {
    for (const row of rows) found.push({ rule, row: String(row[0]), expected: String(row[1]), seen: String(row[2]) })
  }
  collect('running balance follows from the transfer before', await connection.run({
    text: `select row, expected, after from (
        select format('ledger.transfers lane=%s account=%s position=%s leg=%s', lane, account, position, leg) as row, after,
          coalesce(lag(after) over w, 0) + case when credit = account then amount else -amount end as expected
        from ledger.transfers window w as (partition by lane, account order by position, leg)) t
      where expected <> after limit $1`,
    values: [limit],
  }))
  collect('stored balance is the last running balance', await connection.run({
    text: `select format('ledger.balances lane=%s account=%s', b.lane, b.account), coalesce(t.after, 0), b.available
      from ledger.balances b left join lateral (
        select after from ledger.transfers t where t.lane = b.lane and t.account = b.account order by position desc, leg desc limit 1) t on true
      where b.available <> coalesce(t.after, 0) limit $1`,
    values: [limit],
  }))
  collect('every account of a transfer has a balance row', await connection.run({
    text: `select distinct format('ledger.transfers lane=%s account=%s', t.lane, t.account), 'a row in ledger.balances', 'none'
      from ledger.transfers t left join ledger.balances b on b.lane = t.lane and b.account = t.account where b.account is null limit $1`,
    values: [limit],
  }))
  collect('sandbox and live never meet', await connection.run({
    text: `select format('ledger.transfers lane=%s account=%s position=%s leg=%s', t.lane, t.account, t.position, t.leg), b.mode,
        case when t.debit = t.account then t.credit else t.debit end
      from ledger.transfers t join ledger.balances b on b.lane = t.lane and b.account = t.account
      where (case when t.debit = t.account then t.credit else t.debit end) not like 'house:%:' || b.mode limit $1`,
    values: [limit],
  }))
  collect('a deposit has its transfer', await connection.run({
    text: `select format('ledger.deposits lane=%s account=%s reference=%s', d.lane, d.account, d.reference), d.amount, coalesce(t.amount, 0)
      from ledger.deposits d left join ledger.transfers t
        on t.lane = d.lane and t.account = d.account and t.event = d.id and t.kind = 'deposit'
      where t.amount is distinct from d.amount limit $1`,
    values: [limit],
  }))
  collect('a deposit transfer has its deposit', await connection.run({
    text: `select format('ledger.transfers lane=%s account=%s position=%s leg=%s', t.lane, t.account, t.position, t.leg), 'a row in ledger.deposits', 'none'
      from ledger.transfers t where t.kind = 'deposit'
        and not exists (select from ledger.deposits d where d.lane = t.lane and d.account = t.account and d.id = t.event) limit $1`,
    values: [limit],
  }))
  collect('an opening has its transfer', await connection.run({
    text: `select format('ledger.openings lane=%s account=%s id=%s', o.lane, o.account, o.id), o.amount, coalesce(t.moved, 0)
      from ledger.openings o left join lateral (
        select case when credit = account then amount else -amount end as moved
        from ledger.transfers t where t.lane = o.lane and t.account = o.account and t.event = o.id and t.kind = 'opening') t on true
      where t.moved is distinct from o.amount limit $1`,
    values: [limit],
  }))
  collect('an opening transfer has its opening', await connection.run({
    text: `select format('ledger.transfers lane=%s account=%s position=%s leg=%s', t.lane, t.account, t.position, t.leg), 'a row in ledger.openings', 'none'
      from ledger.transfers t where t.kind = 'opening'
        and not exists (select from ledger.openings o where o.lane = t.lane and o.account = t.account and o.id = t.event) limit $1`,
    values: [limit],
  }))
  return found.slice(0, limit)
}

/** What was charged and given back per event, in the order of (lane, account, event): the orders room holds it against its own rows. */
export async function chargesOf(connection: Connection, lane: number): Promise<Map<string, { charged: bigint; refunded: bigint }>> {
  const rows = await connection.run({
    text: `select event, coalesce(sum(amount) filter (where kind in ('order', 'fee')), 0)::bigint,
        coalesce(sum(amount) filter (where kind in ('refund', 'fee_refund')), 0)::bigint
      from ledger.transfers where lane = $1 and kind in ('order', 'fee', 'refund', 'fee_refund') group by event`,
    values: [lane],
  })
  return new Map(rows.map((row) => [row[0] as string, { charged: row[1] as bigint, refunded: row[2] as bigint }]))
}
