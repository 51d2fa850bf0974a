import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { CreateKey, KeyPage, NewKey, RevokedKey, RevokeKey, RolledKey, RollKey } from '../../../protocol/messages.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { createOwnKey, listOwnKeys, revokeOwnKey, rollKey } from '../../domain/partners/index.ts'
import { isId } from '../../kernel/ids.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'
import { presentKey } from '../present.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

const HOUR_MS = 3_600_000
const OVERLAP_MS: Readonly<Record<string, number>> = { '0': 0, '1h': HOUR_MS, '24h': 24 * HOUR_MS, '7d': 7 * 24 * HOUR_MS }
const REPLAYED: Record<string, string> = { 'idempotent-replayed': 'true' }

/** A partner's own keys. Whatever changes them is dead or alive in this process before the answer is out. */
export function keyRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/keys', summary: 'The keys of this docking, newest first; no secrets', scope: 'docking:read', answers: { 200: KeyPage },
    query: Type.Object({ cursor: Cursor, limit: Limit }, closed),
    handler: async ({ docking, key, query, nowMs }) => {
      const before = query.cursor ?? null
      if (before !== null && !isId('key', before)) return refuse('protocol.invalid_field', { path: '?/cursor', expected: 'a cursor that the list before answered' })
      const limit = pageLimit(query.limit)
      const keys = await listOwnKeys(hub.db, docking, before, limit)
      return accept({ status: 200, body: { items: keys.map((one) => presentKey(one, key.id, nowMs)), next: keys.length === limit ? keys.at(-1)!.id : null } })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/keys', summary: 'Make a key beside those that live, at most two of a kind; its secret is shown this once', scope: 'keys:write', signed: true,
    body: CreateKey, answers: { 200: NewKey, 201: NewKey },
    handler: async ({ body, key, nowMs, ...asked }) => {
      const id = hub.ids.make('key', nowMs)
      const made = await createOwnKey(hub.db, hub.vault, { ...asked, key }, { id, kind: body.kind as 'bearer', publicKeyPem: body.publicKey ?? null, scopes: body.scopes ?? null })
      if (!made.ok) return made
      hub.keys.forget(asked.docking.id)
      const { secret, replayed } = made.value
      return accept({ status: replayed ? 200 : 201, body: { key: presentKey(made.value.key, key.id, nowMs), secret }, headers: replayed ? REPLAYED : {} })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/keys/:key/roll', summary: 'A new key in the place of an old one, which goes on for the overlap', scope: 'keys:write', signed: true,
    body: RollKey, answers: { 200: RolledKey, 201: RolledKey },
    handler: async ({ body, key, params, nowMs, ...asked }) => {
      const id = hub.ids.make('key', nowMs)
      const made = await rollKey(hub.db, hub.vault, { ...asked, key }, { id, old: params.key!, overlapMs: OVERLAP_MS[body.overlap]!, publicKeyPem: body.publicKey ?? null })
      if (!made.ok) return made
      hub.keys.forget(asked.docking.id)
      const { secret, replayed, old } = made.value
      return accept({
        status: replayed ? 200 : 201, headers: replayed ? REPLAYED : {},
        body: { key: presentKey(made.value.key, key.id, nowMs), secret, old: presentKey(old!, key.id, hub.clock.nowMs()) },
      })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/keys/:key/revoke', summary: 'End a key at once; the last one that could make another stays', scope: 'keys:write', signed: true,
    body: RevokeKey, answers: { 200: RevokedKey },
    handler: async ({ key, params, ...asked }) => {
      const revoked = await revokeOwnKey(hub.db, { ...asked, key }, params.key!)
      if (!revoked.ok) return revoked
      hub.keys.forget(asked.docking.id)
      return accept({ status: 200, body: { key: presentKey(revoked.value, key.id, hub.clock.nowMs()) } })
    },
  })
}
