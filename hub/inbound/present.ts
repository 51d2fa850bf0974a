import { formatAmount } from '../../protocol/money.ts'
import { reasonOf, type ReasonCode } from '../../protocol/reasons.ts'
import { isOpen, type Appeal, type WholeAppeal } from '../domain/appeals/index.ts'
import { choiceOf, formSchema, stockOfChoice, type Card, type GoodOptions, type Offered } from '../domain/catalogue/index.ts'
import { tellable, type Decision } from '../domain/decisions/index.ts'
import type { Contact } from '../domain/notices/index.ts'
import type { Order, Quote } from '../domain/orders/index.ts'
import type { KeyRow } from '../domain/partners/index.ts'
import { fieldsOf, prefixOf, withoutSecrets, type Kept } from './request-log.ts'

/** Inner rows as the words of the newest API version. Money leaves here as decimal strings and nowhere else. */
export function presentOrder(order: Order, cards: readonly Card[] | null, masked: boolean, more: { text?: string | null; pickup?: string } = {}): string {
  const { text, pickup } = more
  return JSON.stringify({ ...orderView(order, cards, masked), ...(text === null || text === undefined ? {} : { text: masked ? '****' : text }), ...(pickup === undefined ? {} : { pickup }) })
}

/**
 * An order as its partner sees it. A crash of the hub leaves doubt in the operator's work list, but the partner may have
 * seen `delivered` before it, and no state that was seen goes back.
 */
export function orderView(order: Order, cards: readonly Card[] | null, masked: boolean) {
  const { race, options } = choiceOf(order.variant)
  return {
    id: order.id, reference: order.reference, state: order.doubt === 'crash' && order.state === 'unknown' ? 'delivered' : order.state, good: order.good,
    ...(race === null ? {} : { race }), ...(Object.keys(options).length === 0 ? {} : { options }), quantity: order.quantity,
    unitPrice: formatAmount(order.unitPriceMicro), total: formatAmount(order.totalMicro), fee: order.feeMicro === 0n ? '0' : formatAmount(order.feeMicro),
    charged: formatAmount(order.totalMicro + order.feeMicro),
    ...(order.member === null ? {} : { member: order.member }),
    ...(cards === null ? {} : { cards: cards.map((card) => ({ number: masked && card.number !== null ? mask(card.number) : card.number, secret: masked ? '****' : card.secret, expiresAt: null })) }),
    createdAt: order.createdAt.toISOString(),
  }
}

function mask(number: string): string {
  return number.length > 8 ? `${number.slice(0, 2)}****${number.slice(-2)}` : '****'
}

const LOW_STOCK = 20

function stockClassOf(stock: number): 'out_of_stock' | 'low' | 'in_stock' {
  return stock === 0 ? 'out_of_stock' : stock <= LOW_STOCK ? 'low' : 'in_stock'
}

/** Prices change by the operator's hand and not by the second; a shop that shows an older one is guarded by maxUnitPrice. */
const QUOTE_VALID_S = 30

export function presentQuote(quote: Quote) {
  const { unitPriceMicro, totalMicro, feeMicro } = quote
  return {
    good: quote.good, quantity: quote.quantity, unitPrice: formatAmount(unitPriceMicro), total: formatAmount(totalMicro), fee: feeMicro === 0n ? '0' : formatAmount(feeMicro),
    charged: formatAmount(totalMicro + feeMicro), stockClass: stockClassOf(quote.stock), at: quote.at.toISOString(), validForS: QUOTE_VALID_S,
  }
}

export function presentKey(key: KeyRow, currentId: string, atMs: number) {
  const ended = key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt.getTime() <= atMs)
  return {
    id: key.id, kind: key.kind, scopes: key.scopes, state: ended ? 'ended' : key.expiresAt !== null ? 'ending' : 'live', current: key.id === currentId,
    createdAt: key.createdAt.toISOString(), expiresAt: key.expiresAt?.toISOString() ?? null, revokedAt: key.revokedAt?.toISOString() ?? null,
  }
}

export function presentRequest(entry: Kept) {
  return {
    id: entry.id, at: new Date(entry.atMs).toISOString(), method: entry.method, path: withoutSecrets(entry.path), route: entry.route, status: entry.status,
    code: entry.code, class: entry.code === null ? null : reasonOf(entry.code).class, durationMs: Math.round(entry.durationMs * 1_000) / 1_000, key: entry.keyId,
    bytesIn: entry.bytesIn, bytesOut: entry.bytesOut, addressPrefix: prefixOf(entry.address), fields: fieldsOf(entry.body),
  }
}

const tiersView = (tiers: GoodOptions['tiers']) => (tiers.length === 0 ? {} : { wholesale: tiers.map((tier) => ({ from: tier.from, unitPrice: formatAmount(tier.priceMicro) })) })

export function presentGood(good: Offered, publicUrl: string) {
  const { races, groups, tiers, fields, delivery } = good.options
  return {
    id: good.id, code: good.code, name: good.name, category: good.category, description: good.description, unitPrice: formatAmount(good.unitPriceMicro),
    onSale: good.onSale, stock: good.stock, stockClass: stockClassOf(good.stock),
    minimum: good.minimum, maximum: good.maximum, delivery,
    ...(races.length === 0 ? {} : {
      races: races.map((race) => ({
        name: race.name, unitPrice: formatAmount(race.priceMicro), ...tiersView(race.tiers),
        stock: delivery === 'manual' ? good.stock : stockOfChoice(good.stockByVariant, { race: race.name, options: {} }),
      })),
    }),
    ...(groups.length === 0 ? {} : { options: groups.map((group) => ({ name: group.name, choices: group.choices.map((choice) => ({ name: choice.name, surcharge: formatAmount(choice.surchargeMicro) })) })) }),
    ...tiersView(tiers), ...(good.image === null ? {} : { image: `${publicUrl}/images/${good.image}` }),
    form: formSchema(fields),
  }
}

/** Of an address only the mask leaves the hub. */
export function presentContact(contact: Contact) {
  const { id, channel, masked, language, kinds, setBy, createdAt } = contact
  return { id, channel, address: masked, language, kinds, setBy, createdAt: createdAt.toISOString() }
}

/** A decision as its docking reads it. What the law keeps from it is said to be kept, and not in it. */
export function presentDecision(decision: Decision, atMs: number) {
  const { measure, cause } = decision.statement
  return {
    id: decision.id, code: cause.code, class: reasonOf(cause.code as ReasonCode).class, measure: measure.kind, scope: measure.scope,
    effectiveAt: measure.effectiveAt, endsAt: measure.endsAt, decidedAt: decision.decidedAt.toISOString(), standing: standingView(decision, atMs), statement: tellable(decision.statement),
  }
}

/** The same for whoever decides: the whole statement, and the persons. */
export function presentDecisionToOperator(decision: Decision, atMs: number) {
  const { decidedBy, approvedBy, liftedBy, statement, docking } = decision
  return { ...presentDecision(decision, atMs), docking, decidedBy, approvedBy, liftedBy, statement }
}

function standingView({ statement: { measure }, liftedAt, liftHow, liftNote, supersededBy }: Decision, atMs: number) {
  const endsMs = measure.endsAt === null ? Infinity : Date.parse(measure.endsAt)
  const lapsed = endsMs <= atMs && (liftedAt === null || endsMs <= liftedAt.getTime())
  const state = lapsed ? 'ended' as const : supersededBy !== null ? 'superseded' as const : liftedAt !== null ? 'lifted' as const : Date.parse(measure.effectiveAt) > atMs ? 'to_come' as const : 'in_force' as const
  return { state, endedAt: lapsed ? measure.endsAt : (liftedAt?.toISOString() ?? null), how: lapsed ? 'lapse' as const : liftHow, note: lapsed ? null : liftNote, supersededBy }
}

export function presentAppeal(appeal: Appeal) {
  const { id, decision, code, state, filedAt, decideBy, evidenceDue, extendedDays, missedAt, closedAt, outcomeDecision } = appeal
  return {
    id, decision, code, class: appeal.class, state, filedAt: filedAt.toISOString(), decideBy: isOpen(appeal) && state !== 'evidence_owed' ? decideBy.toISOString() : null,
    evidenceDue: evidenceDue?.toISOString() ?? null, extendedDays, missedAt: missedAt?.toISOString() ?? null, closedAt: closedAt?.toISOString() ?? null, outcomeDecision,
  }
}

/** With all that was said, and without the names of those who said it. */
export function presentWholeAppeal({ appeal, entries, evidence }: WholeAppeal) {
  return {
    ...presentAppeal(appeal),
    entries: entries.map(({ kind, side, text, at, dueAt }) => ({ kind, side, text, at: at.toISOString(), dueAt: dueAt?.toISOString() ?? null })),
    evidence: evidence.map(({ seq, name, note, sha256, bytes }) => ({ number: seq, name, note, sha256, bytes })),
  }
}
