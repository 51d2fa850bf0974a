import { setImmediate as nextTurn } from 'node:timers/promises'
import { formatAmount } from '../../../protocol/money.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { loadPricedPage, readPriced, type PricedGood } from '../catalogue/index.ts'
import { loadAllOffers, loadBookOf, loadGroups, loadOffers, priceBy, publishedPriceFor, readBook, readOffers, type DockingPrices } from '../terms/index.ts'
import { rulesFor } from './target.ts'

export type PriceFinding = {
  what: 'below_cost' | 'cost_unknown' | 'no_price' | 'own_worse_than_published' | 'own_without_effect' | 'own_below_cost'
  group: string | null
  docking: string | null
  good: string
  /** The price by the rule or the own price, and what it is held against: the cost, or the published price. */
  price: string | null
  against: string | null
}

const PAGE = 1_000
const MOST_GROUPS = 1_000

/**
 * Looks through the rules of all groups and all own prices for what an operator wants to know: rules that are held up by
 * the cost or go below it, rules by cost where none is known, and own prices that are no better than what everybody gets.
 * Works a page at a time, so that orders go on meanwhile.
 */
export async function checkPrices(db: Database, limit: number): Promise<{ findings: PriceFinding[]; more: boolean }> {
  const findings: PriceFinding[] = []
  const groups = (await db.run(loadGroups('', MOST_GROUPS))).map((row) => row[0] as string)
  const goods = new Map<string, PricedGood>()
  for (let after = ''; ; ) {
    const page = readPriced(await db.run(loadPricedPage(null, after, PAGE)))
    for (const good of page) goods.set(good.id, good)
    for (const group of groups) {
      const rulesOf = await rulesFor(db, group, page)
      for (const good of page) findings.push(...ruleFindings(group, good, rulesOf(good.id)))
      if (findings.length > limit) return { findings: findings.slice(0, limit), more: true }
      await nextTurn()
    }
    if (page.length < PAGE) break
    after = page.at(-1)!.id
  }
  for (let after = { lane: -1, docking: '', good: '', race: '' }; ; ) {
    const page = (await db.run(loadAllOffers(after, PAGE))).map((row) => ({ lane: row[0] as number, docking: row[1] as string, good: row[2] as string, race: row[3] as string, price: row[4] as bigint }))
    findings.push(...(await ownFindings(db, page, goods)))
    if (findings.length > limit) return { findings: findings.slice(0, limit), more: true }
    if (page.length < PAGE) return { findings, more: false }
    after = page.at(-1)!
  }
}

/** What is wrong with the first rule of a group that means this good. */
function ruleFindings(group: string, good: PricedGood, { good: single, wide }: DockingPrices): PriceFinding[] {
  const rule = single ?? wide?.categories.get(good.category) ?? wide?.all
  if (!rule) return []
  const found = (what: PriceFinding['what'], price: bigint | null, against: bigint | null): PriceFinding[] => [{
    what, group, docking: null, good: good.code, price: price === null ? null : formatAmount(price), against: against === null ? null : formatAmount(against),
  }]
  if (rule.basis === 'cost' && good.costMicro === null) return found('cost_unknown', null, null)
  const bare = priceBy({ ...rule, belowCost: true }, good)
  if (bare === null) return found('no_price', null, null)
  return good.costMicro !== null && bare < good.costMicro ? found('below_cost', bare, good.costMicro) : []
}

type Own = { lane: number; docking: string; good: string; race: string; price: bigint }

async function ownFindings(db: Database, page: readonly Own[], goods: ReadonlyMap<string, PricedGood>): Promise<PriceFinding[]> {
  const { offers } = readOffers(await db.run(loadOffers(page)))
  const findings: PriceFinding[] = []
  const wideOf = new Map<string, DockingPrices['wide']>()
  for (const own of page) {
    const good = goods.get(own.good)
    // A good in races has no one price that its own ones could be held against.
    if (!good || own.race !== '') continue
    if (!wideOf.has(own.docking)) wideOf.set(own.docking, [...readBook(await db.run(loadBookOf(own.lane, own.docking))).groups.values()][0])
    const published = publishedPriceFor(good, { good: offers.rules.get(`${own.docking} ${own.good}`), wide: wideOf.get(own.docking) }).unitPriceMicro
    const found = (what: PriceFinding['what'], against: bigint) => findings.push({ what, group: null, docking: own.docking, good: good.code, price: formatAmount(own.price), against: formatAmount(against) })
    if (own.price > published) found('own_worse_than_published', published)
    else if (own.price === published) found('own_without_effect', published)
    if (good.costMicro !== null && own.price < good.costMicro) found('own_below_cost', good.costMicro)
  }
  return findings
}
