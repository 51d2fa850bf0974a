import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { RequestPage, RequestView } from '../../../protocol/messages.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'
import { presentRequest } from '../present.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

/** What this docking asked for and was answered, since the hub started. Looking here leaves no line here. */
export function requestRoutes(app: FastifyInstance, hub: Hub): void {
  const notKept = (id: string) =>
    refuse('platform.request_not_kept', { request: id.slice(0, 64), kept: hub.requests.perDocking, since: new Date(hub.requests.sinceMs).toISOString() })

  addRoute(app, hub, {
    method: 'GET', path: '/api/requests', summary: 'The last requests of this docking, newest first, since the hub started', scope: 'docking:read', unlogged: true, answers: { 200: RequestPage },
    query: Type.Object({ before: Cursor, limit: Limit }, closed),
    handler: async ({ docking, query }) => {
      const limit = pageLimit(query.limit)
      const entries = hub.requests.page(docking.id, query.before ?? null, limit)
      if (entries === null) return notKept(query.before!)
      return accept({
        status: 200,
        body: {
          items: entries.map(presentRequest), next: entries.length === limit ? entries.at(-1)!.id : null,
          since: new Date(hub.requests.sinceMs).toISOString(), kept: hub.requests.perDocking,
        },
      })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/requests/:request', summary: 'One request of the log, by the requestId of its answer', scope: 'docking:read', unlogged: true, answers: { 200: RequestView },
    handler: async ({ docking, params }) => {
      const entry = hub.requests.find(docking.id, params.request!)
      return entry ? accept({ status: 200, body: presentRequest(entry) }) : notKept(params.request!)
    },
  })
}
