import type { Database } from '../../platform/postgres/database.ts'
import { loadMeasures, pricedUpTo, readMeasures } from '../decisions/index.ts'
import { loadBookOf, loadOffers, loadOffersOf, priceFor, readBook, readOffers } from '../terms/index.ts'
import { PLAIN, type Good, type Mode, type Part } from './model.ts'
import { chooseVariant, choiceOf } from './rules.ts'
import { loadGoods, loadGoodsByCode, loadGoodsById, loadGoodsByNumber, loadStock, readGoods } from './store.ts'

/** A good as one docking sees it: its own prices, and the stock of its own mode, in all and by variant. */
export type Offered = Good & { stock: number; stockByVariant: ReadonlyMap<string, number> }

type Viewer = { id: string; lane: number; mode: Mode; /** Seconds by which a sandbox's clock is ahead. */ clockOffsetS?: number }

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

export async function offeredByNumber(db: Database, viewer: Viewer, number: number): Promise<Offered | null> {
  return (await withOffer(db, viewer, readGoods(await db.run(loadGoodsByNumber([number])))))[0] ?? null
}

async function withOffer(db: Database, viewer: Viewer, goods: readonly Good[]): Promise<Offered[]> {
  if (goods.length === 0) return []
  const few = goods.length <= 500
  const [prices, rules, stock] = await Promise.all([
    db.run(few ? loadOffers(goods.map((good) => ({ lane: viewer.lane, docking: viewer.id, good: good.id }))) : loadOffersOf(viewer.lane, viewer.id)),
    db.run(loadBookOf(viewer.lane, viewer.id)),
    db.run(loadStock(goods.map((good) => good.id), viewer.mode, viewer.clockOffsetS)),
  ])
  const { offers } = readOffers(prices)
  // Only an own price can be dearer than the published one, and most dockings have none.
  const measures = offers.own.size === 0 ? [] : (readMeasures(await db.run(loadMeasures([viewer.lane], [viewer.id]))).get(viewer.id) ?? [])
  const at = new Date()
  const [wide] = readBook(rules).groups.values()
  const left = new Map<string, Map<string, number>>()
  for (const [good, variant, count] of stock as unknown as [string, string, number][]) {
    const variants = left.get(good)
    if (variants) variants.set(variant, count)
    else left.set(good, new Map([[variant, count]]))
  }
  return goods.map((good) => {
    const rule = offers.rules.get(`${viewer.id} ${good.id}`)
    const priced = pricedBy(good, (listMicro, costMicro, race) =>
      priceFor({ listMicro, costMicro, category: good.category }, { ownMicro: offers.own.get(`${viewer.id} ${good.id} ${race ?? ''}`), good: rule, wide }, pricedUpTo(measures, good.id, at)).unitPriceMicro)
    return { ...priced, ...countedIn(good, left.get(good.id) ?? NOTHING) }
  })
}

const NOTHING: ReadonlyMap<string, number> = new Map()

/** The good with every price of its list, its races' and its tiers', turned into the docking's own. */
function pricedBy(good: Good, price: (listMicro: bigint, costMicro: bigint | null, race: string | null) => bigint): Good {
  const { options, costMicro } = good
  const unitPriceMicro = price(good.unitPriceMicro, costMicro, null)
  if (options === PLAIN) return { ...good, unitPriceMicro }
  const tiersOf = (tiers: Good['options']['tiers'], cost: bigint | null, race: string | null) => tiers.map((tier) => ({ ...tier, priceMicro: price(tier.priceMicro, cost, race) }))
  return {
    ...good, unitPriceMicro,
    options: {
      ...options, tiers: tiersOf(options.tiers, costMicro, null),
      races: options.races.map((race) => {
        const cost = race.costMicro ?? costMicro
        return { ...race, priceMicro: price(race.priceMicro, cost, race.name), tiers: tiersOf(race.tiers, cost, race.name) }
      }),
    },
  }
}

/** Only what can be chosen counts: cards of a race that is no longer offered wait for its return. */
function countedIn(good: Good, stock: ReadonlyMap<string, number>): Part<Offered, 'stock' | 'stockByVariant'> {
  if (good.options === PLAIN) return { stock: stock.get('') ?? 0, stockByVariant: NOTHING }
  if (good.options.delivery === 'manual') return { stock: good.options.manualStock, stockByVariant: NOTHING }
  const stockByVariant = new Map([...stock].filter(([variant]) => chooseVariant(good, choiceOf(variant)).ok))
  return { stock: [...stockByVariant.values()].reduce((sum, count) => sum + count, 0), stockByVariant }
}
