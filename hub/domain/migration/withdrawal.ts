import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { formatAmount } from '../../../protocol/money.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import type { LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { loadGoodsByCode, readGoods, soldFrom, takeOffSale, withdrawFamily } from '../catalogue/index.ts'
import { openBalances } from '../ledger/index.ts'
import { ordersOn } from '../orders/index.ts'
import { loadDockingsOfMigration, readDocking, revokeKeysOf, type Docking } from '../partners/index.ts'
import type { Withdrawn } from './model.ts'
import { familyOf } from './rules.ts'
import { underEveryLane, underReading, type Reading } from './service.ts'
import { loadBroughtPage, markWithdrawn } from './store.ts'

const MOST_NAMED = 20
const PAGE = 5_000

/**
 * Takes back everything that a migration brought, in one commit: cards off the shelf, goods off sale, balances by
 * transfers the other way, keys revoked. Nothing is deleted. Once anything was sold from it, it is refused and the orders
 * are named: those stand, and only a person can settle them.
 */
export async function withdraw(db: Database, reading: Reading, makeId: () => string): Promise<Outcome<Withdrawn>> {
  return underReading(db, reading, (connection) => underEveryLane(connection, async (lane) => {
    const { name } = familyOf(reading)
    const dockings = await allDockings(connection, reading.id)
    const lots = await soldFrom(connection, name)
    const orders = await ordersOn(connection, dockings, lots, MOST_NAMED)
    if (orders.length > 0 || lots.length > 0) return refuse('migration.sold_from', { orders })
    const money = await returnOpenings(connection, lane, dockings, `${name}withdrawal`, makeId)
    if (!money.ok) return money
    const { cards } = await withdrawFamily(connection, name, lane.at)
    const goods = await withdrawGoods(connection, reading.id, lane.at)
    const keys = dockings.length > 0 ? await connection.run(revokeKeysOf(dockings, lane.at)) : []
    const laneOf = new Map(dockings.map((docking) => [docking.id, docking.lane]))
    for (const [key, docking] of keys as readonly [string, string][]) {
      lane.append({ lane: laneOf.get(docking)!, docking, kind: 'key.revoked', subject: key, code: null, body: JSON.stringify({ at: lane.at.toISOString(), because: 'the migration was withdrawn' }) })
    }
    await connection.run(markWithdrawn(reading.id))
    const done = { dockings: dockings.length, keys: keys.length, ...money.value, cards, goods }
    lane.append({ lane: HOUSE_LANE, docking: null, kind: 'migration.withdrawn', subject: reading.id, code: null, body: JSON.stringify({ ...done, amountMicro: undefined, amount: formatAmount(done.amountMicro) }) })
    return accept(done)
  }))
}

async function allDockings(connection: Connection, migration: string): Promise<Docking[]> {
  const dockings: Docking[] = []
  for (let page: Docking[] = []; ; ) {
    page = (await connection.run(loadDockingsOfMigration(migration, page.at(-1)?.id ?? '', PAGE))).map(readDocking)
    dockings.push(...page)
    if (page.length < PAGE) return dockings
  }
}

/** Balances that were brought go back; one that no longer covers what was brought stops everything. */
async function returnOpenings(connection: Connection, lane: LaneWork, dockings: readonly Docking[], reference: string, makeId: () => string): Promise<Outcome<{ openings: number; amountMicro: bigint }>> {
  const opened = await openBalances(connection, lane, dockings.map((docking) => ({ id: makeId(), lane: docking.lane, account: docking.id, mode: docking.mode, reference, targetMicro: 0n })))
  const short = opened.find(({ refusal }) => refusal !== null)
  if (short) return { ok: false, refusal: short.refusal! }
  const moved = opened.filter(({ changeMicro }) => changeMicro !== 0n)
  return accept({ openings: moved.length, amountMicro: moved.reduce((sum, { changeMicro }) => sum - changeMicro, 0n) })
}

async function withdrawGoods(connection: Connection, migration: string, at: Date): Promise<number> {
  let goods = 0
  for (let after = ''; ; ) {
    const codes = (await connection.run(loadBroughtPage(migration, after, PAGE))).map((row) => row[0] as string)
    if (codes.length === 0) return goods
    goods += await takeOffSale(connection, readGoods(await connection.run(loadGoodsByCode(codes))).map((good) => good.id), at)
    after = codes.at(-1)!
  }
}
