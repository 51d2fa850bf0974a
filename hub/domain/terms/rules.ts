import { formatAmount, MAX_AMOUNT_MICRO } from '../../../protocol/money.ts'
import type { DockingPrices, Formula, Priced, Prices } from './model.ts'

const PPM = 1_000_000n

/** The service fee on a total, in µCNY, rounded down: a fraction of a µ is never the partner's to pay. */
export function feeOn(totalMicro: bigint, feePpm: number): bigint {
  return feePpm === 0 ? 0n : (totalMicro * BigInt(feePpm)) / PPM
}

/** What a price is worked out from: the list price and the cost of one piece, and the category with its rules. */
export type Priceable = { listMicro: bigint; costMicro: bigint | null; category: string }

/**
 * The one place where a price is worked out: the docking's own price (密价), else the rule of its group for the good, for
 * its category, for all, else the list price. A rule that comes to no price for this good leaves it to the next. An own
 * price that is worse than the published one does not count, however it came about.
 * @param dearerUpToMicro up to where it counts all the same: a decision that is in force says so
 */
export function priceFor(good: Priceable, terms: DockingPrices, dearerUpToMicro = 0n): Priced {
  const published = publishedPriceFor(good, terms)
  const { ownMicro } = terms
  return ownMicro !== undefined && (ownMicro <= published.unitPriceMicro || ownMicro <= dearerUpToMicro) ? { unitPriceMicro: ownMicro, from: 'own' } : published
}

/** The price without an own one: what the docking's group, and else the list, gives to everybody in it. */
export function publishedPriceFor(good: Priceable, { good: single, wide }: DockingPrices): Priced {
  if (!single && !wide) return { unitPriceMicro: good.listMicro, from: 'list' }
  const rules = [['good', single], ['category', wide?.categories.get(good.category)], ['all', wide?.all]] as const
  for (const [from, formula] of rules) {
    const price = formula ? priceBy(formula, good) : null
    if (price !== null) return { unitPriceMicro: price, from }
  }
  return { unitPriceMicro: good.listMicro, from: 'list' }
}

/**
 * The price that a formula gives, in µCNY; null when it gives none: its basis is the cost and none is known, or the
 * result is not above zero or beyond any amount. Never below a known cost unless the rule says so (倒挂).
 */
export function priceBy(formula: Formula, { listMicro, costMicro }: Pick<Priceable, 'listMicro' | 'costMicro'>): bigint | null {
  const basis = formula.basis === 'cost' ? costMicro : listMicro
  if (basis === null) return null
  const price = roundUp(basis * formula.factorPpm + formula.additionMicro * PPM, formula.stepMicro)
  if (price <= 0n || price > MAX_AMOUNT_MICRO) return null
  return costMicro !== null && price < costMicro && !formula.belowCost ? roundUp(costMicro * PPM, formula.stepMicro) : price
}

/** Millionths of a µ, rounded up to a whole multiple of the step. */
function roundUp(millionths: bigint, stepMicro: bigint): bigint {
  const step = stepMicro * PPM
  const whole = millionths / step
  return (whole * step < millionths ? whole + 1n : whole) * stepMicro
}

/** What one docking was promised about one good; `race` is '' for a good without races. */
export function pricesOf({ groups, offers, book }: Prices, docking: string, good: string, race = ''): DockingPrices {
  const group = groups.get(docking)
  return {
    ownMicro: offers.own.get(`${docking} ${good} ${race}`),
    good: offers.rules.get(`${docking} ${good}`),
    wide: group === undefined ? undefined : book.groups.get(group),
  }
}

/** A formula as the history tells it: `list x 0.95 + 0.10 up to 0.01`, or the amount alone when it is fixed. */
export function showFormula({ basis, factorPpm, additionMicro, stepMicro, belowCost }: Formula): string {
  const tail = belowCost ? ', below cost' : ''
  if (factorPpm === 0n) return `${formatAmount(roundUp(additionMicro * PPM, stepMicro))}${tail}`
  const addition = additionMicro === 0n ? '' : ` ${additionMicro < 0n ? '-' : '+'} ${formatAmount(additionMicro < 0n ? -additionMicro : additionMicro)}`
  return `${basis} x ${formatAmount(factorPpm)}${addition} up to ${formatAmount(stepMicro)}${tail}`
}
