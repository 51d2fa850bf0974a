import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { loadGoodsByCode, readGoods, stockOfFamily } from '../catalogue/index.ts'
import { loadBalances, loadOpenings, readBalances, readOpenings } from '../ledger/index.ts'
import { loadDockingsOfMigration, readDocking } from '../partners/index.ts'
import { countTakenOver } from '../takenover/index.ts'
import type { BroughtDocking, BroughtGood, Migration } from './model.ts'
import { familyOf } from './rules.ts'
import { loadBroughtPage, loadMigration, readMigration } from './store.ts'

/** What stands here of a migration, to be held against the old site's own figures. */
export async function findMigration(db: Database, id: string): Promise<Outcome<Migration>> {
  const migration = readMigration(await db.run(loadMigration(id)))
  return migration ? accept(migration) : refuse('migration.not_found', { migration: id })
}

/** A page of its dockings by id, with what was brought to each. One snapshot: orders go on meanwhile. */
export async function broughtDockings(db: Database, migration: string, after: string, limit: number): Promise<BroughtDocking[]> {
  return inOneSnapshot(db, async (connection) => {
    const dockings = (await connection.run(loadDockingsOfMigration(migration, after, limit))).map(readDocking)
    if (dockings.length === 0) return []
    const lanes = dockings.map((docking) => docking.lane)
    const ids = dockings.map((docking) => docking.id)
    const opened = readOpenings(await connection.run(loadOpenings(lanes, ids)))
    const available = readBalances(await connection.run(loadBalances(lanes, ids)))
    const orders = await countTakenOver(connection, dockings)
    return dockings.map((docking) => ({
      member: docking.appId!, docking: docking.id, openedMicro: opened.get(docking.id) ?? 0n, availableMicro: available.get(docking.id) ?? 0n,
      ...(orders.get(docking.id) ?? { orders: 0, references: 0, amountMicro: 0n }),
    }))
  })
}

/** A page of its goods by code, with the cards of the reading that is on sale. */
export async function broughtGoods(db: Database, migration: Migration, after: string, limit: number): Promise<BroughtGood[]> {
  return inOneSnapshot(db, async (connection) => {
    const brought = (await connection.run(loadBroughtPage(migration.id, after, limit))) as readonly [string, number][]
    const goods = new Map(readGoods(await connection.run(loadGoodsByCode(brought.map(([code]) => code)))).map((good) => [good.code, good.id]))
    const stock = await stockOfFamily(connection, familyOf({ id: migration.id, step: migration.publishedStep }), [...goods.values()])
    return brought.map(([code, keptBack]) => ({ brought: 0, left: 0, onSale: false, ...stock.get(goods.get(code) ?? ''), code, keptBack }))
  })
}

function inOneSnapshot<T>(db: Database, work: (connection: Connection) => Promise<T>): Promise<T> {
  return db.transaction(async (connection) => {
    await connection.run({ text: 'set transaction isolation level repeatable read, read only', values: [] })
    return work(connection)
  }, 60_000)
}
