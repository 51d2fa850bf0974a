import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import type { LaneWork } from '../../platform/facts.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { TakenOver, TakeOverAsk } from './model.ts'
import { loadOne, loadTakenOver, readTakenOver, upsert } from './store.ts'

/** `migration` is null for a docking that no migration opened: it is spared the look. */
type Asker = { id: string; lane: number; migration: string | null }

/** An old order of a docking by the number that the old site gave it, or by the shop's own; null when there is none. */
export async function findTakenOver(connection: Connection, asker: Asker, by: { tradeNo: string } | { reference: string }): Promise<TakenOver | null> {
  return asker.migration === null ? null : readTakenOver(await connection.run(loadOne(asker.lane, asker.id, by)))[0] ?? null
}

/** What the old site delivered, to the letter. */
export function openTakenOver(vault: Vault, order: TakenOver): string {
  return vault.open(order.sealed, contextOf(order)).toString('utf8')
}

function contextOf({ docking, tradeNo }: { docking: string; tradeNo: string }): string {
  return `taken over|${docking}|${tradeNo}`
}

/**
 * Writes orders of another site, so that their numbers are bound here from the commit on. A repeat writes only what has
 * changed there. A number that an order of ours has bound (`bound`: docking and reference) is refused by itself and named:
 * the shop sent it to both. Runs under the locks of the lanes, which `lane` stands for.
 * @returns for each ask whether it was written, was there already, or why not
 */
export async function takeOver(connection: Connection, vault: Vault, lane: LaneWork, asks: readonly TakeOverAsk[], bound: ReadonlySet<string>): Promise<Outcome<'written' | 'known'>[]> {
  if (asks.length === 0) return []
  const elsewhere = await numbersElsewhere(connection, asks)
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
  const written = new Set((free.length === 0 ? [] : await connection.run(upsert(free.map((ask) => sealed(vault, ask))))).map((row) => `${row[0] as string} ${row[1] as string}`))
  for (const [docking, orders] of Map.groupBy(free.filter((ask) => written.has(`${ask.docking} ${ask.tradeNo}`)), (ask) => ask.docking)) {
    lane.append({ lane: orders[0]!.lane, docking, kind: 'orders.taken_over', subject: null, code: null, body: JSON.stringify({ count: orders.length }) })
  }
  return asks.map((ask, i) => {
    const refusal = refusals[i]
    return refusal ? { ok: false, refusal } : accept(written.has(`${ask.docking} ${ask.tradeNo}`) ? 'written' : 'known')
  })
}

/** digest: a keyed hash of the row, so that a later reading writes only what has changed there. */
function sealed(vault: Vault, ask: TakeOverAsk): TakeOverAsk & { sealed: Buffer; digest: Buffer } {
  const digest = vault.blind(`taken over|${JSON.stringify([ask.good, ask.quantity, String(ask.amountMicro), ask.secret])}`)
  return { ...ask, sealed: vault.seal(Buffer.from(ask.secret), contextOf(ask)), digest }
}

/** Which old order has taken each reference already: by `docking reference`, its number. */
async function numbersElsewhere(connection: Connection, asks: readonly TakeOverAsk[]): Promise<Map<string, string>> {
  const numbered = asks.filter((ask): ask is TakeOverAsk & { reference: string } => ask.reference !== null)
  if (numbered.length === 0) return new Map()
  return new Map(readTakenOver(await connection.run(loadTakenOver(numbered))).map((order) => [`${order.docking} ${order.reference}`, order.tradeNo]))
}
