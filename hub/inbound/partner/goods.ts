import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { ChangePage, Good, GoodPage } from '../../../protocol/messages.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { changesFor, offeredById, offeredPage } from '../../domain/catalogue/index.ts'
import { priceGroupOf } from '../../domain/pricing/index.ts'
import { isId } from '../../kernel/ids.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'
import { presentGood } from '../present.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

export function goodsRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/goods', summary: 'Goods as offered to this docking', scope: 'goods:read', answers: { 200: GoodPage },
    query: Type.Object({ cursor: Cursor, limit: Limit }, closed),
    handler: async ({ docking, query }) => {
      const limit = pageLimit(query.limit)
      const goods = await offeredPage(hub.db, docking, query.cursor ?? '', limit)
      return accept({ status: 200, body: { items: goods.map((good) => presentGood(good, hub.publicUrl)), next: goods.length === limit ? goods.at(-1)!.id : null } })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/goods/changes', summary: 'What changed since a position: dense, nothing is ever stepped over', scope: 'goods:read', keepsQuery: true, answers: { 200: ChangePage },
    query: Type.Object({ after: Type.Optional(Type.String({ pattern: '^(0|[1-9]\\d{0,17})$', title: 'a position that the list of changes answered' })), limit: Limit }, closed),
    handler: async ({ docking, query }) => {
      const limit = pageLimit(query.limit)
      const { changes, head } = await changesFor(hub.db, docking.id, BigInt(query.after ?? '0'), limit, await priceGroupOf(hub.db, docking))
      const now = new Map((await offeredById(hub.db, docking, [...new Set(changes.map((change) => change.good))])).map((good) => [good.id, good]))
      return accept({
        status: 200,
        body: {
          items: changes.map((change) => {
            const good = now.get(change.good)
            return { position: String(change.position), good: change.good, what: change.what, at: change.at.toISOString(), now: good ? presentGood(good, hub.publicUrl) : null }
          }),
          after: String(head), more: changes.length === limit,
        },
      })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/goods/:good', summary: 'One good', scope: 'goods:read', answers: { 200: Good },
    handler: async ({ docking, params }) => {
      const id = params.good!
      const good = isId('gds', id) ? (await offeredById(hub.db, docking, [id]))[0] : undefined
      return good ? accept({ status: 200, body: presentGood(good, hub.publicUrl) }) : refuse('catalogue.good_not_found', { good: id.slice(0, 64) })
    },
  })
}
