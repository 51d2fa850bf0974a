import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { importCards, importGoods, offeredByCode } from '../../domain/catalogue/index.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }

export function goodsRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/goods', summary: 'Add or change goods by code; a wrong row is named and left out', bodyLimit: limits.importBytes,
    body: Type.Object({ items: Type.Array(Type.Object({}, { additionalProperties: true }), { minItems: 1, maxItems: 5_000 }), firstLine: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
    handler: async ({ body }) => accept({
      status: 200, body: await importGoods(hub.db, body.items as Record<string, unknown>[], body.firstLine ?? 1, () => hub.ids.make('gds', hub.clock.nowMs())),
    }),
  })
}

/** Cards come as a stream of lines; nothing of it is held but one chunk. */
export function cardRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/cards', summary: 'Import cards, one a line, into one lot that is published at the end', bodyLimit: 1024 * 1024 * 1024,
    query: Type.Object({
      good: Type.String({ minLength: 1, maxLength: 64 }), mode: Type.Union([Type.Literal('sandbox'), Type.Literal('live')]),
      batch: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f]+$' }), expiresAt: Type.Optional(Type.String({ maxLength: 40 })),
    }, closed),
    handler: async ({ query, request }) => {
      const good = await offeredByCode(hub.db, { id: '', lane: 0, mode: query.mode }, query.good)
      if (!good) return refuse('catalogue.good_not_found', { good: query.good })
      const expiresAt = query.expiresAt === undefined ? null : new Date(query.expiresAt)
      if (expiresAt !== null && Number.isNaN(expiresAt.getTime())) return refuse('protocol.invalid_field', { path: '?/expiresAt', expected: 'a time in RFC 3339' })
      const imported = await importCards(hub.db, hub.vault, { good: good.id, mode: query.mode, batch: query.batch, expiresAt }, lines(request.body as Readable))
      return accept({ status: 200, body: { ...imported, lot: imported.lot === null ? null : String(imported.lot) } })
    },
  })
}

async function* lines(stream: Readable): AsyncGenerator<string> {
  let first = true
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    yield first && line.startsWith('\ufeff') ? line.slice(1) : line
    first = false
  }
  if (stream.errored) throw stream.errored
}
