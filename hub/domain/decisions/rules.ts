import type { Refusal } from '../../../protocol/outcome.ts'
import type { Measure, MeasureKind, Scope, Statement } from './model.ts'

export const REVIEW_WITHIN_DAYS = 90
/** Money is let go by then, whatever it was kept for. */
export const RELEASE_WITHIN_DAYS = 180
export const BEGINS_WITHIN_DAYS = 180
export const ENDS_WITHIN_DAYS = 365
/** A termination is told so long before, but for what cannot wait. */
export const TERMINATION_NOTICE_DAYS = 30
/** Reasons that cannot wait: an order of an authority, what the law forbids to tell, fraud, a key in strangers' hands. */
export const URGENT: readonly string[] = ['compliance.authority_order', 'compliance.withheld_by_law', 'compliance.fraud_found', 'partners.key_leaked']

/** What stops an act at all; the others tell, slow down, or allow a price. */
const STOPPING: readonly string[] = ['suspend', 'refuse', 'terminate']
/** These stop goods, and only those that they name. */
const OF_GOODS: readonly string[] = ['delist', 'withdraw_offer']

/** What is about to be done. `quantity` is there for an order, `key` for a sign-in. */
export type Act = { scope: Scope; good?: string; quantity?: number; key?: string }

/** Whether a measure counts at a time. */
export function isInForce(measure: Pick<Measure, 'effectiveAt' | 'endsAt'>, at: Date): boolean {
  return measure.effectiveAt <= at && (measure.endsAt === null || measure.endsAt > at)
}

/** The measures that stand against an act at a time, as refusals under their own true class; the oldest in front. */
export function refusalsInForce(measures: readonly Measure[], act: Act, at: Date): Refusal[] {
  return measures.filter((m) => isInForce(m, at) && stops(m, act)).sort((a, b) => a.effectiveAt.getTime() - b.effectiveAt.getTime()).map(refusalOf)
}

/** The refusal that a measure gives, under its own code. */
export function refusalOf(m: Measure): Refusal {
  return {
    code: m.code,
    because: {
      measure: m.kind, since: m.effectiveAt.toISOString(), ...(m.unitsPerOrder === null ? {} : { unitsPerOrder: m.unitsPerOrder }), ...(m.requestsPerSecond === null ? {} : { requestsPerSecond: m.requestsPerSecond }),
    },
    decision: m.decision,
  }
}

function stops(m: Measure, act: Act): boolean {
  if (m.kind === 'key_quarantine') return act.key !== undefined && m.keys.includes(act.key)
  if (OF_GOODS.includes(m.kind)) return act.scope === 'goods' && act.good !== undefined && m.goods.includes(act.good)
  const meant = m.goods.length === 0 || (act.good !== undefined && m.goods.includes(act.good))
  if (m.kind === 'limit') return act.scope === 'orders' && meant && act.quantity !== undefined && act.quantity > (m.unitsPerOrder ?? Infinity)
  return STOPPING.includes(m.kind) && meant && m.scope.includes(act.scope)
}

/** Why a key that proved itself may not be used: it is quarantined; null when it is not. */
export function quarantineIn(measures: readonly Measure[], key: string, at: Date): Refusal | null {
  return refusalsInForce(measures.filter((m) => m.kind === 'key_quarantine'), { scope: 'key', key }, at)[0] ?? null
}

/** Whether a measure stops anything at all, or only tells, slows down or allows a price: a report warns of those. */
export function isStopping(kind: string): boolean {
  return STOPPING.includes(kind) || OF_GOODS.includes(kind) || kind === 'key_quarantine' || kind === 'limit'
}

/** The lowest rate that a throttle leaves to a docking, with the measure; null when none counts. */
export function throttleIn(measures: readonly Measure[], at: Date): (Measure & { requestsPerSecond: number }) | null {
  let lowest: (Measure & { requestsPerSecond: number }) | null = null
  for (const m of measures) {
    if (m.kind !== 'throttle' || m.requestsPerSecond === null || !isInForce(m, at)) continue
    if (lowest === null || m.requestsPerSecond < lowest.requestsPerSecond) lowest = m as Measure & { requestsPerSecond: number }
  }
  return lowest
}

/** Up to which price, in µCNY, an own price of a good may be dearer than the published one; 0 when no measure allows it. */
export function pricedUpTo(measures: readonly Measure[], good: string, at: Date): bigint {
  let most = 0n
  for (const m of measures) if (m.kind === 'reprice' && isInForce(m, at) && m.goods.includes(good) && (m.unitPriceMaxMicro ?? 0n) > most) most = m.unitPriceMaxMicro!
  return most
}

/** Why a measure would hold nothing, in words; null when it holds something. @param published requests a second that everybody has */
export function hollow({ kind, goods, keys, allows }: Statement['measure'], published: number): string | null {
  const wants: Partial<Record<MeasureKind, () => string | null>> = {
    restrict_payout: () => 'there are no payouts here yet',
    credit: () => 'no credit is given here yet',
    channel: () => 'there are no payment channels here yet',
    delist: () => (goods.length === 0 ? 'it names no goods' : null),
    withdraw_offer: () => (goods.length === 0 ? 'it names no goods' : null),
    key_quarantine: () => (keys.length === 0 ? 'it names no keys' : null),
    throttle: () => (allows.requestsPerSecond === undefined || allows.requestsPerSecond >= published ? 'it names no rate below the published one' : null),
    limit: () => (allows.unitsPerOrder === undefined ? 'it names no number of pieces' : null),
    reprice: () => (goods.length === 0 ? 'it names no goods' : allows.unitPriceMax === undefined ? 'it names no price' : null),
    level: () => (allows.level === undefined && allows.priceGroup === undefined ? 'it names no level and no price group' : null),
  }
  return wants[kind]?.() ?? null
}
