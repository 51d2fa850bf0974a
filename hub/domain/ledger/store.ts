import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Mode, Transfer, TransferKind } from './model.ts'

export function openBalance(lane: number, account: string, mode: Mode): Statement {
  return {
    text: 'insert into ledger.balances (lane, account, mode) values ($1, $2, $3) on conflict do nothing',
    values: [lane, account, mode],
  }
}

/** Balances of locked lanes. An account that has none is not in the answer: that is a bug of the caller, never a zero. */
export function loadBalances(lanes: readonly number[], accounts: readonly string[]): Statement {
  return {
    name: 'ledger.balances',
    text: `select b.account, b.available from unnest($1::int[], $2::text[]) k(lane, account)
      join ledger.balances b on b.lane = k.lane and b.account = k.account`,
    values: [array.bare(lanes), array.text(accounts)],
  }
}

export function readBalances(rows: Rows): Map<string, bigint> {
  return new Map(rows.map((row) => [row[0] as string, row[1] as bigint]))
}

/** Writes the balances of locked lanes; the row count must equal the number of accounts. */
export function writeBalances(balances: readonly { lane: number; account: string; availableMicro: bigint }[]): Statement {
  return {
    name: 'ledger.write_balances',
    text: `update ledger.balances b set available = n.available
      from unnest($1::int[], $2::text[], $3::bigint[]) n(lane, account, available)
      where b.lane = n.lane and b.account = n.account returning b.lane`,
    values: [
      array.bare(balances.map((b) => b.lane)), array.text(balances.map((b) => b.account)), array.bare(balances.map((b) => b.availableMicro)),
    ],
  }
}

/** Posts transfers of one command or batch, which have one time; the row count must equal their number. */
export function postTransfers(transfers: readonly Transfer[]): Statement {
  return {
    name: 'ledger.post',
    text: `insert into ledger.transfers (lane, account, position, leg, event, kind, debit, credit, amount, after, at)
      select *, $11::timestamptz from unnest($1::int[], $2::text[], $3::bigint[], $4::smallint[], $5::text[], $6::text[], $7::text[], $8::text[],
        $9::bigint[], $10::bigint[])
      on conflict do nothing returning lane`,
    values: [
      array.bare(transfers.map((t) => t.lane)), array.bare(transfers.map((t) => t.account)), array.bare(transfers.map((t) => t.position)),
      array.bare(transfers.map((t) => t.leg)), array.bare(transfers.map((t) => t.event)), array.bare(transfers.map((t) => t.kind)),
      array.bare(transfers.map((t) => t.debit)), array.bare(transfers.map((t) => t.credit)),
      array.bare(transfers.map((t) => t.amountMicro)), array.bare(transfers.map((t) => t.afterMicro)),
      transfers[0]!.at,
    ],
  }
}

/** A page of an account's transfers, newest first, older than `before`. */
export function loadMovements(lane: number, account: string, before: { position: bigint; leg: number } | null, limit: number): Statement {
  return {
    name: before ? 'ledger.movements_before' : 'ledger.movements',
    text: `select position, leg, event, kind, credit = account, amount, after, at from ledger.transfers
      where lane = $1 and account = $2 ${before ? 'and (position, leg) < ($4, $5)' : ''}
      order by position desc, leg desc limit $3`,
    values: before ? [lane, account, limit, before.position, before.leg] : [lane, account, limit],
  }
}

export type Movement = { position: bigint; leg: number; event: string; kind: TransferKind; incoming: boolean; amountMicro: bigint; afterMicro: bigint; at: Date }

export function readMovements(rows: Rows): Movement[] {
  return rows.map((row) => ({
    position: row[0] as bigint, leg: row[1] as number, event: row[2] as string, kind: row[3] as TransferKind,
    incoming: row[4] as boolean, amountMicro: row[5] as bigint, afterMicro: row[6] as bigint, at: row[7] as Date,
  }))
}

export function loadDeposit(lane: number, account: string, reference: string): Statement {
  return {
    text: 'select id, amount from ledger.deposits where lane = $1 and account = $2 and reference = $3',
    values: [lane, account, reference],
  }
}

export function insertDeposit(deposit: { lane: number; account: string; reference: string; id: string; amountMicro: bigint; note: string; at: Date }): Statement {
  return {
    text: 'insert into ledger.deposits (lane, account, reference, id, amount, note, at) values ($1, $2, $3, $4, $5, $6, $7)',
    values: [deposit.lane, deposit.account, deposit.reference, deposit.id, deposit.amountMicro, deposit.note, deposit.at],
  }
}
