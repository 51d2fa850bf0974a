import type { FastifyInstance } from 'fastify'
import { accept } from '../../../protocol/outcome.ts'
import { auditStock } from '../../domain/catalogue/index.ts'
import { auditLedger } from '../../domain/ledger/index.ts'
import { auditOrders } from '../../domain/orders/index.ts'
import { orderView } from '../present.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

const AUDIT_TIMEOUT_MS = 600_000

export function bookRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/ledger/check', summary: 'Prove the books: sums, balances, cards; a wrong row is named',
    handler: async () => {
      const findings = await hub.db.transaction(async (connection) => {
        // One snapshot for all questions: orders go on meanwhile and may not look like errors.
        await connection.run({ text: 'set transaction isolation level repeatable read, read only', values: [] })
        return [...(await auditLedger(connection)), ...(await auditOrders(connection)), ...(await auditStock(connection))]
      }, AUDIT_TIMEOUT_MS)
      return accept({ status: 200, body: { ok: findings.length === 0, findings } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/orders/doubtful', summary: 'Orders of which nobody can say that the answer arrived',
    handler: async () => accept({ status: 200, body: { items: (await hub.orders.doubtful(500)).map((order) => ({ docking: order.docking, ...orderView(order, null, true), state: order.state, doubt: order.doubt })), next: null } }),
  })
}
