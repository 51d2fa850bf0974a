import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { accept, type Outcome } from '../../../protocol/outcome.ts'
import { pickupToken } from '../../domain/fulfilment/index.ts'
import { deliverByHand, refundWaiting, waitingOrders, type Delivery } from '../../domain/orders/index.ts'
import { orderView } from '../present.ts'
import type { Hub } from '../hub.ts'
import type { Answer } from '../pipeline.ts'
import { Names } from './names.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const MOST_WAITING = 500

/** Orders that a person delivers. */
export function orderRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/orders/waiting', summary: 'Orders that wait for a person, oldest first, with what their forms say',
    handler: async () => {
      const waiting = await waitingOrders(hub.db, hub.vault, MOST_WAITING)
      const names = new Names(hub)
      await names.learn(waiting.map(({ order }) => order.docking), waiting.map(({ order }) => order.good))
      return accept({ status: 200, body: { items: waiting.map((delivery) => ({ ...view(hub, delivery), ...names.of(delivery.order.docking, delivery.order.good) })), next: null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/orders/:order/deliver', summary: 'Deliver a waiting order: the text is what its buyer gets',
    body: Type.Object({ text: Type.String({ minLength: 1, maxLength: 10_000 }) }, closed),
    handler: async ({ body, params }) => shown(hub, await deliverByHand(hub.db, hub.vault, params.order!, body.text)),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/orders/:order/refund', summary: 'Give the money of a waiting order back, and say why',
    body: Type.Object({ reason: Type.String({ minLength: 3, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f<>]+$', title: 'text without control characters, < or >' }) }, closed),
    handler: async ({ body, params }) => shown(hub, await refundWaiting(hub.db, hub.vault, params.order!, body.reason)),
  })
}

function shown(hub: Hub, outcome: Outcome<Delivery>): Outcome<Answer> {
  return outcome.ok ? accept({ status: 200, body: view(hub, outcome.value) }) : outcome
}

/** The delivered text is not repeated: it is the buyer's. */
function view(hub: Hub, { order, form, reason, endedAt }: Delivery) {
  return {
    docking: order.docking, ...orderView(order, null, true), ...(form === null ? {} : { form }), ...(reason === null ? {} : { reason }),
    ...(endedAt === null ? {} : { endedAt: endedAt.toISOString() }), ...(order.doubt === null ? {} : { doubt: order.doubt }),
    pickup: `${hub.publicUrl}/o/${pickupToken(hub.vault, order.id)}`,
  }
}
