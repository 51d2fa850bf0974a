import type { FastifyInstance } from 'fastify'
import { BATCH_ORDERS_MAX, Order, OrderPage, OrderVerdicts, PlaceOrder, PlaceOrders, Quote, QuoteAsk } from '../../../protocol/messages.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { quote } from '../../domain/orders/index.ts'
import { isId } from '../../kernel/ids.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { addRoute, alreadyWritten } from '../pipeline.ts'
import { orderView, presentOrder, presentQuote } from '../present.ts'
import { rehearse } from '../struck.ts'
import { ORDERS_A_REQUEST, placeTogether, presentHanded, readAsk } from './batch.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

/** The door asks only for a list: each order is judged for itself. */
const Together = Type.Object({ orders: Type.Array(Type.Unknown(), { minItems: 1, maxItems: BATCH_ORDERS_MAX }) }, closed)

const REPLAYED: Record<string, string> = { 'idempotent-replayed': 'true' }

export function orderRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'POST', path: '/api/orders', summary: 'Place an order; a repeat under the same reference gets the same order', scope: 'orders:write', signed: true,
    body: PlaceOrder, answers: { 200: Order, 201: Order, 202: Order },
    handler: async ({ docking, body, onlyReplay, signed, struck }) => {
      const ask = readAsk(body)
      if (!ask.ok) return ask
      const faulty = docking.mode === 'sandbox' ? await rehearse(hub, docking, struck, ask.value) : null
      const outcome = await hub.orders.place(docking, { ...ask.value, reference: body.reference, onlyReplay: onlyReplay ?? faulty })
      if (!outcome.ok) return alreadyWritten(outcome)
      const { order, replayed, receipt } = outcome.value
      return accept({
        status: order.state === 'delivering' ? 202 : replayed ? 200 : 201, body: presentHanded(hub, outcome.value, docking.mode === 'live' && !signed), receipt,
        headers: replayed ? REPLAYED : {},
      })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/orders/batch', summary: 'Place up to 500 orders at once, each with its own verdict', scope: 'orders:write', signed: true,
    body: PlaceOrders, readAs: Together, bodyLimit: limits.batchBytes, weight: ({ orders }) => Math.ceil(orders.length / ORDERS_A_REQUEST), answers: { 200: OrderVerdicts },
    handler: (asked) => placeTogether(hub, asked),
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/quotes', summary: 'What an order would be answered now; nothing is written, held or charged', scope: 'orders:write',
    body: QuoteAsk, answers: { 200: Quote },
    handler: async ({ docking, body, struck }) => {
      const ask = readAsk(body)
      if (!ask.ok) return ask
      const faulty = docking.mode === 'sandbox' ? await rehearse(hub, docking, struck, ask.value) : null
      if (faulty) return alreadyWritten({ ok: false, refusal: faulty })
      const quoted = await quote(hub.db, docking, ask.value)
      // A dry run leaves no trace: its refusals are no facts and no evidence of the report.
      return quoted.ok ? accept({ status: 200, body: presentQuote(quoted.value) }) : alreadyWritten(quoted)
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
      return accept({ status: 200, body: presentHanded(hub, { order, cards, text }, false), receipt })
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
