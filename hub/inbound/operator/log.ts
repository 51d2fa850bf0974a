import type { FastifyInstance } from 'fastify'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { findDecision, tellable } from '../../domain/decisions/index.ts'
import { auditLog } from '../../domain/logbook/index.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

const AUDIT_TIMEOUT_MS = 600_000
const closed = { additionalProperties: false }

const Erase = Type.Object({
  docking: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  leaf: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  reason: Type.String({ minLength: 5, maxLength: 500 }),
}, closed)

export function logRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/log/check', summary: 'Prove the sealed log from its rows: leaves, payloads, facts, nodes, checkpoints; a wrong row is named',
    handler: async () => {
      const findings = await hub.db.transaction(async (connection) => {
        // One snapshot for all questions: sealing goes on meanwhile and may not look like an error.
        await connection.run({ text: 'set transaction isolation level repeatable read, read only', values: [] })
        return auditLog(connection, hub.signer, async (lane, id) => {
          const decision = await findDecision(hub.db, lane, id)
          return decision === null ? null : tellable(decision.statement)
        })
      }, AUDIT_TIMEOUT_MS)
      return accept({ status: 200, body: { ok: findings.length === 0, findings } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/log/erase', summary: 'Destroy what leaves commit to: of one leaf, or of a docking with its name in the log', role: 'owner', body: Erase,
    handler: async ({ body, by }) => {
      const { docking, leaf, reason } = body
      if ((docking === undefined) === (leaf === undefined)) return refuse('protocol.invalid_field', { path: '/docking', expected: 'either docking or leaf' })
      const erased = await hub.logbook.erase({ target: docking === undefined ? { leaf: leaf! } : { docking }, reason, by })
      return erased.ok ? accept({ status: 200, body: { leaves: erased.value.leaves, at: erased.value.at.toISOString() } }) : erased
    },
  })
}
