import { refuse, type Refusal } from '../../../protocol/outcome.ts'
import { formatAmount, MAX_AMOUNT_MICRO } from '../../../protocol/money.ts'
import type { LaneWork } from '../../platform/facts.ts'
import { array, type Connection, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Mode } from './model.ts'
import { isWholeFen, openingLegs } from './rules.ts'
import { loadBalances, postTransfers, readBalances, writeBalances } from './store.ts'

export type OpeningAsk = {
  id: string
  lane: number
  account: string
  mode: Mode
  /** Which reading of the old site said so. */
  reference: string
  /** What the balance was there: all openings of the account together come to this. */
  targetMicro: bigint
}

export type Opened = { account: string; changeMicro: bigint; availableMicro: bigint; refusal: Refusal | null }

/**
 * Brings accounts to what their balances are at the site that they come from. The target is named and not the change, so
 * a repeat moves nothing. One whose money was spent here as well as there is refused by itself and named. Runs under the
 * locks of the lanes, which `lane` stands for; an account is named once.
 */
export async function openBalances(connection: Connection, lane: LaneWork, asks: readonly OpeningAsk[]): Promise<Opened[]> {
  if (asks.length === 0) return []
  const lanes = asks.map((ask) => ask.lane)
  const accounts = asks.map((ask) => ask.account)
  const openings = readOpenings(await connection.run(loadOpenings(lanes, accounts)))
  const balances = readBalances(await connection.run(loadBalances(lanes, accounts)))
  const moved: { ask: OpeningAsk; changeMicro: bigint; availableMicro: bigint; position: bigint }[] = []
  const results = asks.map((ask): Opened => {
    const available = balances.get(ask.account)
    if (available === undefined) throw new Error(`account ${ask.account} has no balance row`)
    const changeMicro = ask.targetMicro - (openings.get(ask.account) ?? 0n)
    const refusal = hindrance(available, changeMicro)
    if (refusal !== null || changeMicro === 0n) return { account: ask.account, changeMicro: 0n, availableMicro: available, refusal }
    const position = lane.append({
      lane: ask.lane, docking: ask.account, kind: 'opening.booked', subject: ask.id, code: null,
      body: JSON.stringify({ reference: ask.reference, amount: formatAmount(changeMicro) }),
    })
    moved.push({ ask, changeMicro, availableMicro: available, position })
    return { account: ask.account, changeMicro, availableMicro: available + changeMicro, refusal: null }
  })
  if (moved.length === 0) return results
  await connection.run(insertOpenings(moved.map(({ ask, changeMicro }) => ({ ...ask, amountMicro: changeMicro })), lane.at))
  await connection.run(postTransfers(moved.flatMap(({ ask, changeMicro, availableMicro, position }) =>
    openingLegs({ lane: ask.lane, account: ask.account, mode: ask.mode, position, event: ask.id, at: lane.at }, changeMicro, availableMicro))))
  const written = await connection.run(writeBalances(moved.map(({ ask, changeMicro, availableMicro }) => ({ lane: ask.lane, account: ask.account, availableMicro: availableMicro + changeMicro }))))
  if (written.length !== moved.length) throw new Error('an opening was not written to its balance')
  return results
}

function hindrance(availableMicro: bigint, changeMicro: bigint): Refusal | null {
  const after = availableMicro + changeMicro
  if (!isWholeFen(changeMicro)) return refuse('protocol.invalid_field', { path: '/balance', expected: 'an amount in whole fen' }).refusal
  if (after < 0n) return refuse('ledger.insufficient_funds', { needed: formatAmount(-changeMicro), available: formatAmount(availableMicro) }).refusal
  if (after > MAX_AMOUNT_MICRO) return refuse('protocol.invalid_field', { path: '/balance', expected: `a balance of at most ${formatAmount(MAX_AMOUNT_MICRO)} yuan` }).refusal
  return null
}

/** What the openings of these accounts come to; an account without any is not in the answer. */
export function loadOpenings(lanes: readonly number[], accounts: readonly string[]): Statement {
  return {
    text: `select o.account, sum(o.amount)::bigint from unnest($1::int[], $2::text[]) k(lane, account)
      join ledger.openings o on o.lane = k.lane and o.account = k.account group by o.account`,
    values: [array.bare(lanes), array.text(accounts)],
  }
}

export function readOpenings(rows: Rows): Map<string, bigint> {
  return new Map(rows.map((row) => [row[0] as string, row[1] as bigint]))
}

function insertOpenings(openings: readonly (OpeningAsk & { amountMicro: bigint })[], at: Date): Statement {
  return {
    text: `insert into ledger.openings (lane, account, id, reference, amount, at)
      select *, $6::timestamptz from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::bigint[])`,
    values: [
      array.bare(openings.map((o) => o.lane)), array.text(openings.map((o) => o.account)), array.text(openings.map((o) => o.id)),
      array.text(openings.map((o) => o.reference)), array.bare(openings.map((o) => o.amountMicro)), at,
    ],
  }
}
