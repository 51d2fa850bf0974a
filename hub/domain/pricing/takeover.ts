import { formatAmount } from '../../../protocol/money.ts'
import { accept, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import type { LaneWork } from '../../platform/facts.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import { insertChanges, listPriceOf, type Good } from '../catalogue/index.ts'
import {
  endOffer, insertHistory, loadBook, loadContracts, loadOffers, moveBook, pricesOf, publishedPriceFor, readBook, readContracts, readOffers, writeOffers, type HistoryLine,
} from '../terms/index.ts'
import { worseThanPublished } from './rules.ts'

/** A price that a docking had for a good, or for one race of it ('' for a good without), at the site that it came from. */
export type OldPrice = { docking: string; lane: number; good: Good; race: string; unitPriceMicro: bigint }

/**
 * Gives dockings the own prices that they had at another site; each pair of docking and good, or race, stands once. What
 * everybody gets is no own price: one that stood here ends. One that is worse than what is published is a measure, and
 * refused by itself. Runs under the locks of the lane of the main site and of the dockings.
 * @returns for each price whether it was written, was so already, or why not
 */
export async function takeOverPrices(connection: Connection, { at, append }: LaneWork, prices: readonly OldPrice[], done: { by: string; note: string }): Promise<Outcome<'written' | 'known'>[]> {
  const lanes = new Map(prices.map(({ docking, lane }) => [docking, lane]))
  const { groups } = readContracts(await connection.run(loadContracts([...lanes.values()], [...lanes.keys()])))
  const { offers } = readOffers(await connection.run(loadOffers([...new Map(prices.map(({ docking, lane, good }) => [`${docking} ${good.id}`, { docking, lane, good: good.id }])).values()])))
  const book = readBook(await connection.run(loadBook()))
  const moved: (OldPrice & { old: bigint; isOwn: boolean; published: bigint })[] = []
  const outcomes = prices.map((price): Outcome<'written' | 'known'> => {
    const { docking, good, race, unitPriceMicro } = price
    const terms = pricesOf({ groups, offers, book }, docking, good.id, race)
    const list = listPriceOf(good, { race: good.options.races.find((one) => one.name === race) ?? null }, 1)
    const published = publishedPriceFor({ ...list, category: good.category }, terms).unitPriceMicro
    if (unitPriceMicro > published) return worseThanPublished({ code: good.code, newMicro: unitPriceMicro, publishedMicro: published }, 1)
    const isOwn = unitPriceMicro !== published
    if (terms.ownMicro === (isOwn ? unitPriceMicro : undefined)) return accept('known')
    moved.push({ ...price, old: terms.ownMicro ?? published, isOwn, published })
    return accept('written')
  })
  if (moved.length === 0) return outcomes
  for (const [docking, rows] of Map.groupBy(moved, (price) => price.docking)) {
    const own = rows.filter(({ isOwn }) => isOwn)
    if (own.length > 0) await connection.run(writeOffers(lanes.get(docking)!, docking, own.map(({ good, race, unitPriceMicro, published }) => ({ good: good.id, race, unitPriceMicro, publishedMicro: published, decision: null })), at))
    for (const { isOwn, good, race } of rows) if (!isOwn) await connection.run(endOffer(lanes.get(docking)!, docking, good.id, race, at))
  }
  const position = append({ lane: HOUSE_LANE, docking: null, kind: 'prices.changed', subject: null, code: null, body: JSON.stringify({ target: 'own', changed: moved.length, by: done.by }) })
  await connection.run(insertHistory({ position, change: null, ...done, at }, moved.map(({ docking, good, race, old, unitPriceMicro }): HistoryLine =>
    ({ what: 'own', group: null, docking, good: good.id, race, subject: '', old: formatAmount(old), new: formatAmount(unitPriceMicro) }))))
  const told = new Map(moved.map(({ docking, good }) => [`${docking} ${good.id}`, { docking, good: good.id, what: 'price' as const, at }]))
  await connection.run(insertChanges([...told.values()]))
  await connection.run(moveBook())
  return outcomes
}
