import { formatAmount, MAX_AMOUNT_MICRO } from '../../../protocol/money.ts'
import { refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { checkForm, chooseVariant, listPriceOf, quantityOffered, saleKey, stockOf, take, withinGuard, type Lot, type SaleTerms } from '../catalogue/index.ts'
import { pricedUpTo, refusalsInForce, type Measure } from '../decisions/index.ts'
import { chargeLegs, spend } from '../ledger/index.ts'
import type { TakenOver } from '../takenover/index.ts'
import { feeOn, priceFor, pricesOf, type Prices } from '../terms/index.ts'
import type { Order, PlaceCommand, Verdict } from './model.ts'

/** Version of how a fingerprint is made; a later scheme is stored beside the old, never over it. */
export const FINGERPRINT_SCHEME = 2

/** What a batch loaded, and at the same time its running tally: each order sees what the ones before it took. */
export type Tally = {
  /** The clock of the database when the locks were held. */
  at: Date
  /** The newest attempt by `docking reference`. */
  orders: Map<string, Order>
  /** Orders of another site by `docking reference`. */
  takenOver?: Map<string, TakenOver>
  availableMicro: Map<string, bigint>
  feePpm: Map<string, number>
  /** Price groups, own prices and rules, all of one version. */
  prices: Prices
  measures: Map<string, Measure[]>
  goods: Map<string, SaleTerms>
  /** Open lots by saleKey, ascending. */
  lots: Map<string, Lot[]>
  /** The last position given in each lane. */
  heads: Map<number, bigint>
}

/**
 * Decides one order. Pure but for the tally that it moves on. The order of the questions is law: a bound reference
 * before anything else, then the measures, then the offer, and the three that a partner may have to mend together
 * (price, stock, funds) are all named.
 */
export function place(tally: Tally, command: PlaceCommand): Verdict {
  const known = tally.orders.get(`${command.docking} ${command.reference}`)
  if (known && known.state !== 'cancelled') return recall(known, command)
  const taken = tally.takenOver?.get(`${command.docking} ${command.reference}`)
  if (taken) return recallTakenOver(taken, command)
  if (command.onlyReplay) return { kind: 'refused', refusal: command.onlyReplay }

  const at = timeOf(tally, command)
  const held = measuresAgainst(tally, command, at)
  if (held.length > 0) return refusedFor(held)

  const good = tally.goods.get(command.good)
  if (!good) return refused('catalogue.good_not_found', { good: command.good })
  if (!good.onSale) return refused('catalogue.good_not_on_sale', { good: good.code })
  const offered = quantityOffered(good, command.quantity)
  if (!offered.ok) return { kind: 'refused', refusal: offered.refusal }
  const chosen = chooseVariant(good, command.choice)
  if (!chosen.ok) return { kind: 'refused', refusal: chosen.refusal }
  const filled = checkForm(good.options.fields, command.values)
  if (!filled.ok) return { kind: 'refused', refusal: filled.refusal }

  const { race, surchargeMicro } = chosen.value
  const { listMicro, costMicro } = listPriceOf(good, chosen.value, command.quantity)
  const unitPriceMicro = priceFor({ listMicro, costMicro, category: good.category }, pricesOf(tally.prices, command.docking, command.good, race?.name ?? ''), pricedUpTo(tally.measures.get(command.docking) ?? NONE, command.good, at)).unitPriceMicro + surchargeMicro
  const totalMicro = unitPriceMicro * BigInt(command.quantity)
  if (totalMicro > MAX_AMOUNT_MICRO) {
    return refused('orders.total_above_limit', { total: formatAmount(totalMicro), allowed: formatAmount(MAX_AMOUNT_MICRO) })
  }
  const feeMicro = feeOn(totalMicro, tally.feePpm.get(command.docking) ?? 0)
  const available = tally.availableMicro.get(command.docking)
  if (available === undefined) throw new Error(`docking ${command.docking} has no balance row`)
  const byHand = good.options.delivery === 'manual'
  const lots = tally.lots.get(saleKey(command.good, command.mode, command.variant)) ?? []

  const stock = byHand ? good.options.manualStock : stockOf(lots, at)
  const short = stock < command.quantity ? refuse('catalogue.out_of_stock', { asked: command.quantity, available: stock }) : null
  const paid = spend(available, totalMicro + feeMicro)
  const causes = [withinGuard(unitPriceMicro, command.guardMicro), paid, short].filter((o): o is Extract<Outcome<never>, { ok: false }> => o !== null && !o.ok)
  if (causes.length > 0) return refusedFor(causes.map((o) => o.refusal))

  const position = tally.heads.get(command.lane)! + 1n
  const order: Order = {
    lane: command.lane, docking: command.docking, id: command.id, reference: command.reference, attempt: known ? known.attempt + 1 : 1,
    mode: command.mode, good: command.good, variant: command.variant, quantity: command.quantity, unitPriceMicro, totalMicro, feeMicro,
    state: byHand ? 'delivering' : 'delivered', doubt: null, fingerprint: command.fingerprint, scheme: FINGERPRINT_SCHEME,
    picks: byHand ? [] : take(lots, command.quantity, at), member: command.member, position, createdAt: tally.at,
  }
  const event = { lane: order.lane, account: order.docking, mode: order.mode, position, event: order.id, at: tally.at }
  const legs = chargeLegs(event, totalMicro, feeMicro, available)
  tally.heads.set(command.lane, position)
  tally.availableMicro.set(command.docking, available - totalMicro - feeMicro)
  tally.orders.set(`${command.docking} ${command.reference}`, order)
  return { kind: 'placed', order, legs, sealedForm: command.sealedForm }
}

/** A sandbox may have its clock ahead: what ends is judged by it, what happens is written down at the true time. */
export const timeOf = ({ at }: Pick<Tally, 'at'>, { clockOffsetS: s }: Pick<PlaceCommand, 'clockOffsetS'>): Date => (s ? new Date(at.getTime() + s * 1000) : at)
const NONE: readonly Measure[] = []

/** An order takes goods and is given with a key: a measure on either stops it like one on orders, and is named once. */
function measuresAgainst(tally: Tally, command: PlaceCommand, at: Date): Refusal[] {
  const measures = tally.measures.get(command.docking)
  if (!measures) return []
  const scopes = ['orders', 'goods', 'key'] as const
  const named = new Map(scopes.flatMap((scope) => refusalsInForce(measures, { scope, good: command.good, quantity: command.quantity }, at)).map((refusal) => [refusal.decision, refusal]))
  return [...named.values()]
}

/** A reference that an accepted order has bound: the same ask gets the same order, another ask is told what differs. */
function recall(known: Order, command: PlaceCommand): Verdict {
  const asked = known.scheme === FINGERPRINT_SCHEME ? command.fingerprint : command.firstFingerprint()
  if (asked !== null && known.fingerprint.equals(asked)) return { kind: 'replayed', order: known }
  const differs = known.good !== command.good ? 'good' : known.variant !== command.variant ? 'variant' : known.quantity !== command.quantity ? 'quantity' : known.member !== command.member ? 'member' : 'form'
  return refused('orders.reference_reused', { reference: command.reference, differs })
}

/** A reference that another site's order has bound. What else was asked there is not known, so good and quantity decide. */
function recallTakenOver(taken: TakenOver, command: PlaceCommand): Verdict {
  const differs = taken.good !== command.good ? 'good' : taken.quantity !== command.quantity ? 'quantity' : null
  return differs === null ? { kind: 'taken_over', order: taken } : refused('orders.reference_reused', { reference: command.reference, differs })
}

function refused(...args: Parameters<typeof refuse>): Verdict {
  return { kind: 'refused', refusal: refuse(...args).refusal }
}

/** So many further causes are told; whoever mends these and asks again is told the next. */
const MOST_ALSO = 10

function refusedFor([first, ...also]: readonly Refusal[]): Verdict {
  return { kind: 'refused', refusal: also.length > 0 ? { ...first!, also: also.slice(0, MOST_ALSO) } : first! }
}
