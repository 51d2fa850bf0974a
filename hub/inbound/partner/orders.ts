import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Order, OrderPage, PlaceOrder } from '../../../protocol/messages.ts'
import { parseAmount } from '../../../protocol/money.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import type { Order as PlacedOrder } from '../../domain/orders/index.ts'
import { isId } from '../../kernel/ids.ts'
import type { Hub } from '../hub.ts'
import { addRoute, alreadyWritten } from '../pipeline.ts'
import { orderView, presentOrder } from '../present.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

const REPLAYED: Record<string, string> = { 'idempotent-replayed': 'true' }

/** Where a person can look at an order that another person delivers. The address is a secret: it is shown to whoever may see cards. */
function pickupOf(hub: Hub, order: PlacedOrder): { pickup?: string } {
  return order.picks.length > 0 ? {} : { pickup: `${hub.publicUrl}/o/${hub.orders.pickupToken(order)}` }
}

export function orderRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'POST', path: '/api/orders', summary: 'Place an order; a repeat under the same reference gets the same order', scope: 'orders:write', signed: true,
    body: PlaceOrder, answers: { 200: Order, 201: Order, 202: Order },
    handler: async ({ docking, body, onlyReplay, signed }) => {
      const guardMicro = parseAmount(body.maxUnitPrice)
      if (guardMicro === null) return refuse('protocol.invalid_field', { path: '/maxUnitPrice', expected: 'an amount of at most a thousand million yuan' })
      const outcome = await hub.orders.place(docking, {
        reference: body.reference, good: body.good, quantity: body.quantity, guardMicro, member: body.member ?? null, form: '', onlyReplay,
        choice: { race: body.race ?? null, options: body.options ?? {} }, values: body.form ?? {},
      })
      if (!outcome.ok) return alreadyWritten(outcome)
      const { order, cards, text, replayed, receipt } = outcome.value
      const shown = order.state === 'unknown' ? { ...order, state: 'delivered' as const } : order
      return accept({
        status: order.state === 'delivering' ? 202 : replayed ? 200 : 201, receipt,
        body: presentOrder(shown, cards, docking.mode === 'live' && !signed, { text, ...(docking.mode === 'live' && !signed ? {} : pickupOf(hub, order)) }),
        headers: replayed ? REPLAYED : {},
      })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/orders/:order', summary: 'One order with its cards', scope: 'orders:read', answers: { 200: Order },
    handler: async ({ docking, params, signed }) => {
      if (!isId('ord', params.order!)) return refuse('orders.not_found', { order: params.order!.slice(0, 64) })
      const found = await hub.orders.find(docking, params.order!)
      if (!found.ok) return found
      const masked = docking.mode === 'live' && !signed
      if (masked) {
        const cards = found.value.state === 'cancelled' ? [] : await hub.orders.cardsOf(found.value)
        return accept({ status: 200, body: presentOrder(found.value, cards, true, { text: found.value.state === 'delivered' && found.value.picks.length === 0 ? '****' : null }) })
      }
      // To show the cards is to hand the order over: a doubtful one is settled by it.
      const { order, cards, text, receipt } = await hub.orders.handOver(found.value)
      const shown = order.state === 'unknown' ? { ...order, state: 'delivered' as const } : order
      return accept({ status: 200, body: presentOrder(shown, cards, false, { text, ...pickupOf(hub, order) }), receipt })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/orders', summary: 'Orders, newest first, or the one under a reference', scope: 'orders:read', answers: { 200: OrderPage },
    query: Type.Object({ reference: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })), cursor: Cursor, limit: Limit }, closed),
    handler: async ({ docking, query }) => {
      if (query.reference !== undefined) {
        const order = await hub.orders.findByReference(docking, query.reference)
        return accept({ status: 200, body: { items: order ? [orderView(order, null, true)] : [], next: null } })
      }
      const before = query.cursor ?? null
      if (before !== null && !isId('ord', before)) return refuse('protocol.invalid_field', { path: '?/cursor', expected: 'a cursor that the list before answered' })
      const limit = pageLimit(query.limit)
      const orders = await hub.orders.list(docking, before, limit)
      return accept({ status: 200, body: { items: orders.map((order) => orderView(order, null, true)), next: orders.length === limit ? orders.at(-1)!.id : null } })
    },
  })
}
