import { PlaceOrder, type QuoteAsk } from '../../../protocol/messages.ts'
import { parseAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { reasonOf } from '../../../protocol/reasons.ts'
import type { Static } from '../../../protocol/schema.ts'
import { pickupToken } from '../../domain/fulfilment/index.ts'
import type { Handed, Order, PlaceAsk } from '../../domain/orders/index.ts'
import { isId } from '../../kernel/ids.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import type { Answer, Asked } from '../pipeline.ts'
import { presentOrder } from '../present.ts'
import { problemOf } from '../problem.ts'
import { reader } from '../shape.ts'
import { rehearseMany } from '../struck.ts'

/** A batch counts as one request for every five orders begun: what it costs beside single orders. */
export const ORDERS_A_REQUEST = 5

const checkOrder = reader(PlaceOrder, '')

/** The part of an ask that an order and its dry run share. */
export function readAsk(body: Static<typeof QuoteAsk>): Outcome<Omit<PlaceAsk, 'reference' | 'onlyReplay'>> {
  const guardMicro = body.maxUnitPrice === undefined ? null : parseAmount(body.maxUnitPrice)
  if (body.maxUnitPrice !== undefined && guardMicro === null) return refuse('protocol.invalid_field', { path: '/maxUnitPrice', expected: 'an amount of at most a thousand million yuan' })
  return accept({
    good: body.good, quantity: body.quantity, guardMicro, member: body.member ?? null, form: '', choice: { race: body.race ?? null, options: body.options ?? {} }, values: body.form ?? {},
  })
}

/** Where a person can look at an order that another person delivers, if it is one of ours. The address is a secret: it is shown to whoever may see cards. */
export function pickupOf(hub: Hub, order: Order): { pickup?: string } {
  return order.picks.length > 0 || !isId('ord', order.id) ? {} : { pickup: `${hub.publicUrl}/o/${pickupToken(hub.vault, order.id)}` }
}

export function presentHanded(hub: Hub, { order, cards, text }: Omit<Handed, 'replayed'>, masked: boolean): string {
  return presentOrder(order.state === 'unknown' ? { ...order, state: 'delivered' as const } : order, cards, masked, { text, ...(masked ? {} : pickupOf(hub, order)) })
}

/**
 * Many orders in one request. An order that cannot be read is refused for itself and the others go on; those that can are
 * queued together, in their order. One receipt speaks for all of them.
 */
export async function placeTogether(hub: Hub, asked: Asked<{ orders: unknown[] }>): Promise<Outcome<Answer>> {
  const { docking, onlyReplay, signed, body, requestId, lang, nowMs } = asked
  const read = body.orders.map((order, i) => readOrder(order, i, onlyReplay))
  const asks = read.flatMap((one) => (one.ok ? [one.value] : []))
  if (asks.reduce((cards, ask) => cards + ask.quantity, 0) > limits.batchCards) {
    return refuse('protocol.invalid_field', { path: '/orders', expected: `at most ${limits.batchCards} cards in all` })
  }
  const unread = read.flatMap((one) => (one.ok ? [] : [one.refusal]))
  if (unread[0]) hub.orders.noteRefusal(docking, 'request.refused', 'POST /api/orders/batch', unread[0].code, unread[0].because, { orders: unread.length })
  if (docking.mode === 'sandbox') await rehearseMany(hub, docking, asks)
  const { items, receipt } = await hub.orders.placeMany(docking, asks)
  let next = 0
  const verdicts = read.map((one) => {
    const outcome = one.ok ? items[next++]! : one
    if (outcome.ok) {
      const status = outcome.value.order.state === 'delivering' ? 202 : outcome.value.replayed ? 200 : 201
      return `{"status":${status},"order":${presentHanded(hub, outcome.value, docking.mode === 'live' && !signed)}}`
    }
    const { refusal } = outcome
    hub.metrics.refusals.inc({ code: refusal.code, class: reasonOf(refusal.code).class })
    return `{"status":${reasonOf(refusal.code).status},"problem":${JSON.stringify(problemOf(refusal, { publicUrl: hub.publicUrl, requestId, lang, nowMs }))}}`
  })
  return accept({ status: 200, body: `{"items":[${verdicts.join(',')}]}`, receipt })
}

function readOrder(order: unknown, i: number, onlyReplay: Refusal | null): Outcome<PlaceAsk> {
  const checked = checkOrder(order) as Outcome<PlaceOrder>
  const ask = checked.ok ? readAsk(checked.value) : checked
  return ask.ok ? accept({ ...ask.value, reference: (order as PlaceOrder).reference, onlyReplay }) : { ok: false, refusal: within(ask.refusal, i) }
}

/** The refusal of a field, under the path that the field has in the whole body. */
function within(refusal: Refusal, i: number): Refusal {
  const path = String(refusal.because.path)
  return {
    ...refusal, because: { ...refusal.because, path: `/orders/${i}${path === '/' ? '' : path}` },
    ...(refusal.also ? { also: refusal.also.map((other) => within(other, i)) } : {}),
  }
}
