import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { Balance, MovementPage } from '../../../protocol/messages.ts'
import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { loadBalances, loadMovements, readBalances, readMovements } from '../../domain/ledger/index.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

export function fundsRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/funds/balance', summary: 'What is available', scope: 'funds:read', answers: { 200: Balance },
    handler: async ({ docking }) => {
      const available = readBalances(await hub.db.run(loadBalances([docking.lane], [docking.id]))).get(docking.id)
      if (available === undefined) throw new Error(`docking ${docking.id} has no balance row`)
      return accept({ status: 200, body: { available: formatAmount(available), mode: docking.mode, currency: 'CNY' } })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/funds/movements', summary: 'Every movement of the deposit, newest first', scope: 'funds:read', answers: { 200: MovementPage },
    query: Type.Object({ cursor: Cursor, limit: Limit }, closed),
    handler: async ({ docking, query }) => {
      const before = query.cursor === undefined ? null : /^(\d{1,18})\.(\d{1,3})$/.exec(query.cursor)
      if (query.cursor !== undefined && !before) return refuse('protocol.invalid_field', { path: '?/cursor', expected: 'a cursor that the list before answered' })
      const limit = pageLimit(query.limit)
      const rows = readMovements(await hub.db.run(loadMovements(docking.lane, docking.id, before ? { position: BigInt(before[1]!), leg: Number(before[2]) } : null, limit)))
      const last = rows.at(-1)
      return accept({
        status: 200,
        body: {
          items: rows.map((row) => ({ kind: row.kind, subject: row.event, amount: formatAmount(row.incoming ? row.amountMicro : -row.amountMicro), balance: formatAmount(row.afterMicro), at: row.at.toISOString() })),
          next: rows.length === limit && last ? `${last.position}.${last.leg}` : null,
        },
      })
    },
  })
}
