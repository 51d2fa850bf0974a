import type { Database } from '../../platform/postgres/database.ts'
import { loadBookOf, loadOffers, loadOffersOf, priceFor, readBook, readOffers } from '../terms/index.ts'
import type { Good, Mode } from './model.ts'
import { loadGoods, loadGoodsByCode, loadGoodsById, loadStock, readGoods } from './store.ts'

/** A good as one docking sees it: its own price, and the stock of its own mode. */
export type Offered = Good & { stock: number }

type Viewer = { id: string; lane: number; mode: Mode }

/** A page of all goods by id. Goods off sale are shown too, so that a shop can take them off its shelf. */
export async function offeredPage(db: Database, viewer: Viewer, after: string, limit: number): Promise<Offered[]> {
  return withOffer(db, viewer, readGoods(await db.run(loadGoods(after, limit))))
}

export async function offeredById(db: Database, viewer: Viewer, ids: readonly string[]): Promise<Offered[]> {
  return withOffer(db, viewer, readGoods(await db.run(loadGoodsById(ids))))
}

export async function offeredByCode(db: Database, viewer: Viewer, code: string): Promise<Offered | null> {
  return (await withOffer(db, viewer, readGoods(await db.run(loadGoodsByCode([code])))))[0] ?? null
}

async function withOffer(db: Database, viewer: Viewer, goods: readonly Good[]): Promise<Offered[]> {
  if (goods.length === 0) return []
  const few = goods.length <= 500
  const [prices, rules, stock] = await Promise.all([
    db.run(few ? loadOffers(goods.map((good) => ({ lane: viewer.lane, docking: viewer.id, good: good.id }))) : loadOffersOf(viewer.lane, viewer.id)),
    db.run(loadBookOf(viewer.lane, viewer.id)),
    db.run(loadStock(goods.map((good) => good.id), viewer.mode)),
  ])
  const { offers } = readOffers(prices)
  const [wide] = readBook(rules).groups.values()
  const left = new Map(stock.map((row) => [row[0] as string, row[1] as number]))
  return goods.map((good) => ({
    ...good,
    unitPriceMicro: priceFor(
      { listMicro: good.unitPriceMicro, costMicro: null, category: good.category }, { ownMicro: offers.own.get(`${viewer.id} ${good.id} `), good: offers.rules.get(`${viewer.id} ${good.id}`), wide },
    ).unitPriceMicro,
    stock: left.get(good.id) ?? 0,
  }))
}
