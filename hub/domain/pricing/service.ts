import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { insertChanges, insertPriceChangesOfAll, loadPricedPage, pricedRace, readPriced, type PricedGood } from '../catalogue/index.ts'
import { loadMeasures, pricedUpTo, readMeasures } from '../decisions/index.ts'
import {
  endOffer, endRule, insertGroup, insertHistory, loadGroup, loadLevel, loadPlacing, moveBook, publishedPriceFor, showFormula, writeLevel, writeOffers, writeRules,
  type Formula, type Rule,
} from '../terms/index.ts'
import { addDearerGood, admitDearer, dearerIn, type Dearer } from './few.ts'
import { worseThanPublished } from './rules.ts'
import { pricesAt, rulesFor } from './target.ts'

const TIMEOUT_MS = 60_000
const PAGE = 2_000

export type Done = { by: string; note: string }

/** Adds a price group; one that is there already stays as it is, and `added` is false. */
export async function addGroup(db: Database, name: string, note: string): Promise<{ added: boolean }> {
  return underHouse(db, async (connection, { at, append }) => {
    const added = (await connection.run(insertGroup(name, note, at))).length === 1
    if (added) append({ lane: HOUSE_LANE, docking: null, kind: 'prices.group_added', subject: name, code: null, body: '{}' })
    return { added }
  })
}

/**
 * Gives a group a rule, or takes it away (formula null). The subject of a rule for one good is the good itself. Answers how many of the goods it moves the group's price.
 * @param options.dryRun works it out and writes nothing
 */
export async function setRule(
  db: Database, rule: Omit<Rule, 'formula' | 'subject'> & { subject: string | PricedGood; formula: Formula | null }, options: Done & { dryRun: boolean },
): Promise<Outcome<{ changed: number; selected: number }>> {
  return underHouse(db, async (connection, lane): Promise<Outcome<{ changed: number; selected: number }>> => {
    const { group, scope, formula } = rule
    const single = typeof rule.subject === 'string' ? null : rule.subject
    const subject = typeof rule.subject === 'string' ? rule.subject : rule.subject.id
    if ((await connection.run(loadGroup(group))).length === 0) return refuse('protocol.invalid_field', { path: '/group', expected: 'a price group that exists' })
    const { at, append } = lane
    let selected = 0
    let changed = 0
    let old: Formula | null = null
    let dearer: Dearer = null
    for (let after = ''; ; ) {
      const goods = single ? [single] : readPriced(await connection.run(loadPricedPage(scope === 'category' ? subject : null, after, PAGE)))
      const rulesOf = await rulesFor(connection, group, goods)
      const had = rulesOf(subject)
      old = (scope === 'good' ? had.good : scope === 'category' ? had.wide?.categories.get(subject) : had.wide?.all) ?? null
      const moved = goods.filter((good) => {
        const { good: own, wide } = rulesOf(good.id)
        const next = scope === 'good' ? { good: formula ?? undefined, wide } : { good: own, wide: scope === 'all' ? { all: formula, categories: wide!.categories } : { all: wide!.all, categories: withRule(wide!.categories, subject, formula) } }
        dearer = addDearerGood(dearer, good, { good: own, wide }, next)
        return publishedPriceFor(good, { good: own, wide }).unitPriceMicro !== publishedPriceFor(good, next).unitPriceMicro
      })
      selected += goods.length
      changed += moved.length
      if (moved.length > 0 && !options.dryRun) await connection.run(insertChanges(moved.map((good) => ({ good: good.id, docking: null, group, what: 'price', at }))))
      if (goods.length < PAGE) break
      after = goods.at(-1)!.id
    }
    if (options.dryRun) return accept({ changed, selected })
    const admitted = await admitDearer(connection, { group }, dearer, at)
    if (!admitted.ok) return admitted
    if (formula) await connection.run(writeRules([{ group, scope, subject, formula }], at))
    else if ((await connection.run(endRule(group, scope, subject, at))).length === 0) return accept({ changed: 0, selected })
    const position = append({ lane: HOUSE_LANE, docking: null, kind: 'prices.changed', subject: group, code: null, body: JSON.stringify({ target: 'rule', group, scope, changed, by: options.by }) })
    await connection.run(insertHistory({ position, change: null, ...told(options), at }, [{
      what: 'rule', group, docking: null, good: scope === 'good' ? subject : null, race: '', subject: scope === 'category' ? subject : '',
      old: old && showFormula(old), new: formula && showFormula(formula),
    }]))
    await connection.run(moveBook())
    return accept({ changed, selected })
  })
}

function withRule(categories: ReadonlyMap<string, Formula>, category: string, formula: Formula | null): ReadonlyMap<string, Formula> {
  const next = new Map(categories)
  if (formula) next.set(category, formula)
  else next.delete(category)
  return next
}

/** Adds a level or gives it another group. All goods then stand in the feed of the group that it leads to, or of everybody if it leads to none. */
export async function setLevel(db: Database, name: string, group: string | null, done: Done): Promise<Outcome<{ name: string; group: string | null }>> {
  return underHouse(db, async (connection, { at, append }): Promise<Outcome<{ name: string; group: string | null }>> => {
    if (group !== null && (await connection.run(loadGroup(group))).length === 0) return refuse('protocol.invalid_field', { path: '/group', expected: 'a price group that exists' })
    const old = (await connection.run(loadLevel(name)))[0]
    if (old && old[1] === group) return accept({ name, group })
    const admitted = old ? await admitDearer(connection, { level: name }, await dearerIn(connection, old[1] as string | null, group), at) : accept(null)
    if (!admitted.ok) return admitted
    await connection.run(writeLevel(name, group, at))
    const position = append({ lane: HOUSE_LANE, docking: null, kind: 'prices.changed', subject: name, code: null, body: JSON.stringify({ target: 'level', group, by: done.by }) })
    await connection.run(insertHistory({ position, change: null, ...told(done), at }, [{ what: 'level', group, docking: null, good: null, race: '', subject: name, old: (old?.[1] as string | null | undefined) ?? null, new: group }]))
    if (old) await connection.run(insertPriceChangesOfAll({ docking: null, group }, at))
    await connection.run(moveBook())
    return accept({ name, group })
  })
}

type Offer = { good: PricedGood; race: string }

/**
 * Gives one docking a price of its own (密价), for one race where the good has any. One that is worse than what is published
 * is a measure, and refused here; one below a known cost has to be meant.
 */
export async function setOwnPrice(
  db: Database, docking: { id: string; lane: number }, offer: Offer & { unitPriceMicro: bigint; allowBelowCost?: boolean }, done: Done,
): Promise<Outcome<null>> {
  const { race, unitPriceMicro } = offer
  const found = raceOf(offer)
  if (!found.ok) return found
  const good = found.value
  if (good.costMicro !== null && unitPriceMicro < good.costMicro && !offer.allowBelowCost) {
    return refuse('terms.price_below_cost', { good: good.code, price: formatAmount(unitPriceMicro), cost: formatAmount(good.costMicro), count: 1 })
  }
  return underHouse(db, async (connection, lane): Promise<Outcome<null>> => {
    const { own, published } = (await pricesAt(connection, { kind: 'own', docking: docking.id, lane: docking.lane }, [good]))(good)
    // It counts for every quantity: what is published for the largest is what it may not be above.
    const lowest = await lowestTier(connection, docking, good, published)
    const decision = unitPriceMicro > lowest ? await behindPrice(connection, docking, good.id, unitPriceMicro, lane.at) : null
    if (unitPriceMicro > lowest && decision === null) return worseThanPublished({ code: good.code, newMicro: unitPriceMicro, publishedMicro: lowest }, 1)
    await connection.run(writeOffers(docking.lane, docking.id, [{ good: good.id, race, unitPriceMicro, publishedMicro: lowest, decision }], lane.at))
    await tellOwn(connection, lane, docking, offer, { old: formatAmount(own), new: formatAmount(unitPriceMicro) }, done)
    return accept(null)
  })
}

/** The decision in force that lets a price be so dear; null when none does. */
async function behindPrice(connection: Connection, docking: { id: string; lane: number }, good: string, priceMicro: bigint, at: Date): Promise<string | null> {
  const measures = readMeasures(await connection.run(loadMeasures([docking.lane], [docking.id]))).get(docking.id) ?? []
  return measures.find((one) => pricedUpTo([one], good, at) >= priceMicro)?.decision ?? null
}

/** Ends an own price: what the docking's group or the list gives counts again. `ended` is false when there was none. */
export async function endOwnPrice(db: Database, docking: { id: string; lane: number }, offer: Offer, done: Done): Promise<{ ended: boolean }> {
  return underHouse(db, async (connection, lane) => {
    // A race that is offered no more may still have a price of its own, and so may a good from before it had races.
    const priced = pricedRace(offer.good, offer.race)
    const prices = priced === null ? null : (await pricesAt(connection, { kind: 'own', docking: docking.id, lane: docking.lane }, [priced]))(priced)
    if ((await connection.run(endOffer(docking.lane, docking.id, offer.good.id, offer.race, lane.at))).length === 0) return { ended: false }
    await tellOwn(connection, lane, docking, offer, { old: prices && formatAmount(prices.own), new: prices && formatAmount(prices.published) }, done)
    return { ended: true }
  })
}

async function lowestTier(connection: Connection, { id, lane }: { id: string; lane: number }, good: PricedGood, published: bigint): Promise<bigint> {
  const tiers = good.tiers.map((tier) => ({ ...good, listMicro: tier.priceMicro }))
  const pricesOf = await pricesAt(connection, { kind: 'own', docking: id, lane }, tiers)
  return tiers.map((tier) => pricesOf(tier).published).reduce((low, price) => (price < low ? price : low), published)
}

function raceOf({ good, race }: Offer): Outcome<PricedGood> {
  const priced = pricedRace(good, race)
  if (priced) return accept(priced)
  return refuse('protocol.invalid_field', { path: '/race', expected: good.races.length === 0 ? 'no race: this good has none' : 'one of the races of the good' })
}

async function tellOwn(
  connection: Connection, { at, append }: LaneWork, docking: { id: string; lane: number }, { good, race }: Offer, prices: { old: string | null; new: string | null }, done: Done,
): Promise<void> {
  const body = JSON.stringify({ unitPrice: prices.new, ...(race === '' ? {} : { race }), by: done.by })
  const position = append({ lane: HOUSE_LANE, docking: null, kind: 'prices.changed', subject: good.id, code: null, body: JSON.stringify({ target: 'own', docking: docking.id, changed: 1, by: done.by }) })
  await connection.run(insertHistory({ position, change: null, ...told(done), at }, [{ what: 'own', group: null, docking: docking.id, good: good.id, race, subject: '', ...prices }]))
  await connection.run(insertChanges([{ good: good.id, docking: docking.id, what: 'price', at }]))
  await connection.run(moveBook())
  await tellDocking(connection, docking, 'offer.priced', good.id, body)
}

/** A fact of the docking's own lane, last of all: its orders wait from here until the commit. */
export async function tellDocking(connection: Connection, docking: { id: string; lane: number }, kind: string, subject: string | null, body: string): Promise<void> {
  await underLanes(connection, [docking.lane], async ({ append }) => {
    append({ lane: docking.lane, docking: docking.id, kind, subject, code: null, body })
  })
}

export function told({ by, note }: Done): Done {
  return { by, note }
}

export function underHouse<T>(db: Database, work: (connection: Connection, lane: LaneWork) => Promise<T>): Promise<T> {
  return db.transaction((connection) => underLanes(connection, [HOUSE_LANE], (lane) => work(connection, lane)), TIMEOUT_MS)
}

/** The price group that counts for a docking, by itself or by its level. */
export async function priceGroupOf(db: Database, docking: { id: string; lane: number }): Promise<string | null> {
  return ((await db.run(loadPlacing(docking.lane, docking.id)))[0]?.[2] as string | null | undefined) ?? null
}
