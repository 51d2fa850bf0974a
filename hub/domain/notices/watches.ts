import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { offeredById } from '../catalogue/index.ts'
import { loadBalances, readBalances } from '../ledger/index.ts'
import { MAIN_SITE, type Mode, type NoticeKind, type Owner, type Watch } from './model.ts'
import { look } from './rules.ts'
import { countWatches, loadWatch, loadWatches, moveWatch, readWatches, writeWatch } from './store.ts'

const MOST_WATCHES = 5_000

/**
 * Sets a threshold, or switches it off with null. The fact that it leaves makes the follower look at once: who is below
 * already is told, too.
 */
export async function setWatch(
  db: Database, owner: Owner, watch: { what: Watch['what']; good: string; mode: Mode; below: bigint | null }, by: string,
): Promise<Outcome<null>> {
  return db.transaction((connection) =>
    underLanes(connection, [owner.lane], async ({ append }) => {
      const known = readWatches(await connection.run(loadWatch({ ...owner, ...watch })))[0]
      if (watch.below === null && !known) return accept(null)
      if (!known && ((await connection.run(countWatches(owner)))[0]![0] as number) >= MOST_WATCHES) {
        return refuse('protocol.invalid_field', { path: '/below', expected: 'at most 5000 thresholds' })
      }
      await connection.run(writeWatch(owner, watch.what, watch.good, watch.mode, watch.below))
      append({
        lane: owner.lane, docking: owner.docking === MAIN_SITE ? null : owner.docking, kind: 'alert.set', subject: watch.what === 'stock' ? watch.good : owner.docking, code: null,
        body: JSON.stringify({ what: watch.what, mode: watch.mode, below: watch.below === null ? null : writeBelow(watch.what, watch.below), by }),
      })
      return accept(null)
    }))
}

/** A threshold as people write it: yuan, or pieces. */
export function writeBelow(what: Watch['what'], value: bigint): string {
  return what === 'balance' ? formatAmount(value) : String(value)
}

/** All thresholds that are on, page by page. */
export async function* watchesOf(db: Database): AsyncGenerator<Watch[]> {
  let last: Watch | null = null
  do {
    const page: Watch[] = readWatches(await db.run(loadWatches(last, WATCHES_A_PAGE)))
    if (page.length > 0) yield page
    last = page.length === WATCHES_A_PAGE ? page.at(-1)! : null
  } while (last)
}

const WATCHES_A_PAGE = 500

export const keyOf = (watch: Watch) => [watch.lane, watch.docking, watch.what, watch.good, watch.mode].join(' ')

/** What the watches see now, by keyOf: a deposit in µCNY, or pieces that can be sold. */
export async function valuesOf(db: Database, watches: readonly Watch[]): Promise<Map<string, bigint>> {
  const balances = watches.filter((watch) => watch.what === 'balance')
  const available = balances.length === 0 ? new Map<string, bigint>() : readBalances(await db.run(loadBalances(balances.map((w) => w.lane), balances.map((w) => w.docking))))
  const stocks = new Map<string, bigint>()
  for (const mode of ['sandbox', 'live'] as const) {
    const goods = [...new Set(watches.filter((watch) => watch.what === 'stock' && watch.mode === mode).map((watch) => watch.good))]
    if (goods.length === 0) continue
    for (const good of await offeredById(db, { id: '', lane: 0, mode }, goods)) stocks.set(`${good.id} ${mode}`, BigInt(good.stock))
  }
  const values = new Map<string, bigint>()
  for (const watch of watches) {
    const value = watch.what === 'balance' ? available.get(watch.docking) : stocks.get(`${watch.good} ${watch.mode}`)
    if (value !== undefined) values.set(keyOf(watch), value)
  }
  return values
}

/** A watch that moves on, and what is told for it; null when it is only armed again. */
export type Crossing = { watch: Watch; next: Pick<Watch, 'isLow' | 'round' | 'toldAt'>; kind: NoticeKind | null; value: bigint }

/** Looks at watches and says which have crossed their threshold. Reads only. */
export async function crossingsOf(db: Database, watches: readonly Watch[], at: Date, quietMs: number): Promise<Crossing[]> {
  const values = await valuesOf(db, watches)
  return watches.flatMap((watch): Crossing[] => {
    const value = values.get(keyOf(watch))
    const step = value === undefined ? null : look(watch, value, at, quietMs)
    if (step === null || value === undefined) return []
    return step === 'rearm'
      ? [{ watch, value, kind: null, next: { isLow: false, round: watch.round, toldAt: watch.toldAt } }]
      : [{ watch, value, kind: watch.what === 'balance' ? 'balance_low' : 'stock_low', next: { isLow: true, round: watch.round + 1n, toldAt: at } }]
  })
}

/** @returns whether the watch was still as it had been seen */
export async function cross(connection: Connection, { watch, next }: Crossing): Promise<boolean> {
  return (await connection.run(moveWatch(watch, next))).length === 1
}
