import type { Agent } from 'node:http'
import { parseAmount } from '../../protocol/money.ts'
import type { Bed } from './bed.ts'
import type { Entry, Journal } from './journal.ts'
import { send, sign, type Reply } from './wire.ts'
import type { Good, Partner } from './world.ts'

/** Orders that a fault sends one by one because it knows beforehand what each must be answered. */
export type Body = { reference: string; good: string; quantity: number; maxUnitPrice: string; member?: string }

export const HIGH_GUARD = '1000'
const ANSWER_WITHIN_MS = 15_000

export function askFor(bed: Bed, agent: Agent, partner: Partner, body: Body): Promise<Reply> {
  const text = JSON.stringify(body)
  const url = `${bed.url}/api/orders`
  return send({ url, method: 'POST', body: text, agent, timeoutMs: ANSWER_WITHIN_MS, headers: { 'content-type': 'application/json', ...sign('POST', url, text, partner) } })
}

/** Writes a first order into the journal; null and a violation of `rule` when it was answered as anything else. */
export function book(rule: string, journal: Journal, partner: Partner, good: Good, body: Body, reply: Reply): Entry | null {
  if (reply.status !== 201) {
    journal.violate(rule, `${partner.name}/${body.reference} should be a first order and was answered ${reply.status} ${reply.problem} ${reply.text.slice(0, 200)}`)
    return null
  }
  const attempt = { invokedAtMs: 0, completedAtMs: 0, status: 201, code: null, problem: '', hungUp: false }
  const entry: Entry = { partner, reference: body.reference, good, quantity: body.quantity, attempts: [attempt], result: 'ok', order: orderOf(reply), abandoned: false }
  journal.entries.push(entry)
  return entry
}

/** A repeat of a known order: 200, the same id, the same cards, and said to be a repeat. */
export function mustBeSame(rule: string, journal: Journal, entry: Entry, reply: Reply): void {
  const seen = reply.status === 200 ? orderOf(reply) : null
  if (seen?.id === entry.order!.id && seen.cards.join() === entry.order!.cards.join() && reply.headers['idempotent-replayed'] === 'true') return
  journal.violate(rule, `${entry.partner.name}/${entry.reference}: the same ask was answered ${reply.status} ${reply.problem} ${seen?.id ?? ''} instead of a repeat of ${entry.order!.id}`)
}

function orderOf(reply: Reply): NonNullable<Entry['order']> {
  const seen = JSON.parse(reply.text) as { id: string; charged: string; cards: { secret: string }[] }
  return { id: seen.id, cards: seen.cards.map((card) => card.secret), chargedMicro: parseAmount(seen.charged)! }
}
