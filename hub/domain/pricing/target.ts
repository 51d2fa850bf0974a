import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { laneOf } from '../../kernel/lanes.ts'
import { limits } from '../../kernel/limits.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import { loadPricedByCode, loadPricedPage, readPriced, type PricedGood } from '../catalogue/index.ts'
import {
  loadBookOf, loadGroup, loadLevel, loadOffers, loadPlacing, loadRulesFor, priceFor, publishedPriceFor, readBook, readOffers, readRules, type DockingPrices, type Formula,
} from '../terms/index.ts'
import type { ChangeAsk, RowError, Selector } from './model.ts'
import { readPrice, rowError, type Item } from './rules.ts'

/** Whose prices are changed: the list's, those of a group, or the own ones of a docking. */
export type Target = { kind: 'list' } | { kind: 'group'; group: string } | { kind: 'own'; docking: string; lane: number }

export async function findTarget(connection: Connection, { group, level, docking }: Selector): Promise<Outcome<Target>> {
  const bad = (path: string, expected: string) => refuse('protocol.invalid_field', { path, expected })
  if ([group, level, docking].filter((name) => name !== undefined).length > 1) return bad('/selector', 'one of group, level and docking, or none for the list prices')
  if (group !== undefined) {
    return (await connection.run(loadGroup(group))).length === 1 ? accept({ kind: 'group', group }) : bad('/selector/group', 'a price group that exists')
  }
  if (level !== undefined) {
    const found = (await connection.run(loadLevel(level)))[0]?.[1] as string | null | undefined
    return found ? accept({ kind: 'group', group: found }) : bad('/selector/level', 'a level that has a price group')
  }
  if (docking === undefined) return accept({ kind: 'list' })
  const lane = laneOf(docking)
  return (await connection.run(loadPlacing(lane, docking))).length === 1 ? accept({ kind: 'own', docking, lane }) : refuse('partners.docking_not_found', { docking: docking.slice(0, 64) })
}

/** The goods of a change with what they cost now in the prices of the target. A row that names no good, or one twice, is left out and named. */
export async function findItems(connection: Connection, ask: ChangeAsk, target: Target): Promise<Outcome<{ items: Item[]; asked: ReadonlyMap<string, bigint>; errors: RowError[] }>> {
  const { rows, errors } = readRows(ask)
  const codes = ask.rows ? [...rows.keys()] : ask.selector.codes
  const goods = codes ? await byCode(connection, codes, ask.selector.category) : readPriced(await connection.run(loadPricedPage(ask.selector.category ?? null, '', limits.priceChangeGoods + 1)))
  if (goods.length > limits.priceChangeGoods) return refuse('protocol.invalid_field', { path: '/selector', expected: `at most ${limits.priceChangeGoods} goods at once: select a category, or name codes` })
  const known = new Set(goods.map((good) => good.code))
  for (const code of codes ?? []) if (!known.has(code)) errors.push(rowError(rows.get(code)?.line ?? null, code, 'catalogue.good_not_found', { good: code }))
  const prices = await pricesAt(connection, target, goods)
  // One fixed price would be that of every race: a month's and a year's alike.
  for (const good of goods) if (good.races.length > 0) errors.push(rowError(rows.get(good.code)?.line ?? null, good.code, 'protocol.invalid_field', { path: good.code, expected: 'a good without races: theirs are set by a rule, or in the file of goods' }))
  // A fixed price counts for every quantity: beside wholesale prices it would make the larger ones dearer.
  const stands = (good: PricedGood) => good.races.length === 0 && (target.kind === 'list' || good.tiers.length === 0)
  for (const good of goods) if (good.races.length === 0 && !stands(good)) errors.push(rowError(rows.get(good.code)?.line ?? null, good.code, 'protocol.invalid_field', { path: good.code, expected: 'a good without wholesale prices: theirs are set by a rule, or in the file of goods' }))
  const items = goods.filter(stands).map((good) => {
    const { own, published } = prices(good)
    return { good: good.id, code: good.code, costMicro: good.costMicro, oldMicro: own, publishedMicro: published, line: rows.get(good.code)?.line ?? null }
  })
  return accept({ items, asked: new Map([...rows].map(([code, row]) => [code, row.price])), errors })
}

function readRows(ask: ChangeAsk): { rows: Map<string, { line: number; price: bigint }>; errors: RowError[] } {
  const rows = new Map<string, { line: number; price: bigint }>()
  const errors: RowError[] = []
  ask.rows?.forEach(({ code, price: text, line = 0 }, i) => {
    const at = line || i + 1
    const price = readPrice(text)
    if (price === null) errors.push(rowError(at, code, 'protocol.invalid_field', { path: `/rows/${i}/price`, expected: 'yuan above zero with at most 6 decimals, such as "9.50"' }))
    else if (rows.has(code)) errors.push(rowError(at, code, 'protocol.invalid_field', { path: `/rows/${i}/code`, expected: 'a code that no row before it has' }))
    else rows.set(code, { line: at, price })
  })
  return { rows, errors }
}

async function byCode(connection: Connection, codes: readonly string[], category: string | undefined): Promise<PricedGood[]> {
  const goods = readPriced(await connection.run(loadPricedByCode(codes)))
  return category === undefined ? goods : goods.filter((good) => good.category === category)
}

/** What goods cost now: in the target's own prices, and in what is published beside them. */
export async function pricesAt(connection: Connection, target: Target, goods: readonly PricedGood[]): Promise<(good: PricedGood) => { own: bigint; published: bigint }> {
  if (target.kind === 'list') return (good) => ({ own: good.listMicro, published: good.listMicro })
  if (target.kind === 'group') {
    const rulesOf = await rulesFor(connection, target.group, goods)
    return (good) => {
      const { unitPriceMicro } = publishedPriceFor(good, rulesOf(good.id))
      return { own: unitPriceMicro, published: unitPriceMicro }
    }
  }
  const { docking, lane } = target
  const { offers } = readOffers(await connection.run(loadOffers(goods.map((good) => ({ lane, docking, good: good.id })))))
  const [wide] = readBook(await connection.run(loadBookOf(lane, docking))).groups.values()
  return (good) => {
    const terms = { ownMicro: offers.own.get(`${docking} ${good.id} ${good.race}`), good: offers.rules.get(`${docking} ${good.id}`), wide }
    return { own: priceFor(good, terms).unitPriceMicro, published: publishedPriceFor(good, terms).unitPriceMicro }
  }
}

/** What a group promises about each of these goods. */
export async function rulesFor(connection: Connection, group: string, goods: readonly PricedGood[]): Promise<(good: string) => DockingPrices> {
  const single = new Map<string, Formula>()
  const wide = { all: null as Formula | null, categories: new Map<string, Formula>() }
  for (const { scope, subject, formula } of readRules(await connection.run(loadRulesFor(group, goods.map((good) => good.id))))) {
    if (scope === 'good') single.set(subject, formula)
    else if (scope === 'category') wide.categories.set(subject, formula)
    else wide.all = formula
  }
  return (good) => ({ good: single.get(good), wide })
}
