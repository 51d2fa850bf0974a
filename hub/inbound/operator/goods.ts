import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { parseTime } from '../../../protocol/time.ts'
import { chooseVariant, importCards, importGoods, MOST_IMAGE_BYTES, offeredByCode, storeImage, type CardsImported } from '../../domain/catalogue/index.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }

export function goodsRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/goods', summary: 'Add or change goods by code. A row states the whole good: what it leaves out is cleared. A wrong row is named and left out', bodyLimit: limits.importBytes,
    body: Type.Object({ items: Type.Array(Type.Object({}, { additionalProperties: true }), { minItems: 1, maxItems: 5_000 }), firstLine: Type.Optional(Type.Integer({ minimum: 1 })) }, closed),
    handler: async ({ body }) => accept({
      status: 200, body: await importGoods(hub.db, body.items as Record<string, unknown>[], body.firstLine ?? 1, () => hub.ids.make('gds', hub.clock.nowMs())),
    }),
  })
}

/** Cards come as a stream of lines; nothing of it is held but one chunk. */
export function cardRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/cards', summary: 'Import cards, one a line, into one lot that is published at the end', bodyLimit: 1024 * 1024 * 1024, streamed: true,
    query: Type.Object({
      good: Type.String({ minLength: 1, maxLength: 64 }), mode: Type.Union([Type.Literal('sandbox'), Type.Literal('live')]),
      batch: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f]+$', title: 'text without control characters' }), expiresAt: Type.Optional(Type.String({ maxLength: 40 })),
      race: Type.Optional(Type.String({ maxLength: 64 })), option: Type.Optional(Type.Union([Type.String({ maxLength: 130 }), Type.Array(Type.String({ maxLength: 130 }), { maxItems: 10 })])),
    }, closed),
    handler: async ({ query, request }) => {
      const good = await offeredByCode(hub.db, { id: '', lane: 0, mode: query.mode }, query.good)
      if (!good) return refuse('catalogue.good_not_found', { good: query.good })
      if (good.options.delivery === 'manual') return refuse('protocol.invalid_field', { path: '?/good', expected: 'a good that is sold by cards; this one is delivered by a person' })
      const expiresAt = query.expiresAt === undefined ? null : new Date(parseTime(query.expiresAt) ?? Number.NaN)
      if (expiresAt !== null && !(expiresAt.getTime() > hub.clock.nowMs())) return refuse('protocol.invalid_field', { path: '?/expiresAt', expected: 'a time to come, in RFC 3339' })
      const chosen = chooseVariant(good, { race: query.race ?? null, options: Object.fromEntries([query.option ?? []].flat().map((option) => option.split(/=(.*)/s, 2))) })
      if (!chosen.ok) return chosen
      const target = { good: good.id, mode: query.mode as 'sandbox' | 'live', batch: query.batch, expiresAt, variant: chosen.value.variant }
      let imported: CardsImported
      try {
        imported = await importCards(hub.db, hub.vault, target, linesOf(request.body as Readable))
      } catch (error) {
        if (error instanceof NotUtf8) return refuse('protocol.charset_mismatch', { declared: 'UTF-8', at: error.line })
        throw error
      }
      return accept({ status: 200, body: { ...imported, lot: imported.lot === null ? null : String(imported.lot) } })
    },
  })
}

/** A picture comes as its bytes; what it is, its first bytes say. */
export function imageUploadRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/goods/:good/image', summary: 'Give a good its picture: PNG, JPEG, GIF or WebP, at most 512 KB', bodyLimit: MOST_IMAGE_BYTES,
    handler: async ({ params, request }) => {
      const good = await offeredByCode(hub.db, { id: '', lane: 0, mode: 'live' }, params.good!)
      if (!good) return refuse('catalogue.good_not_found', { good: params.good!.slice(0, 64) })
      const bytes = await readWhole(request.body as Readable, MOST_IMAGE_BYTES)
      if (bytes === null) return refuse('protocol.request_too_large', { what: 'body', allowed: '512 KB' })
      const stored = await storeImage(hub.db, good.id, bytes)
      return stored.ok ? accept({ status: 200, body: { good: good.code, image: `${hub.publicUrl}/images/${stored.value.name}` } }) : stored
    },
  })
}

/** All bytes of a stream; null when there are more than so many. */
async function readWhole(stream: Readable | undefined, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream ?? []) {
    size += (chunk as Buffer).byteLength
    if (size > most) return null
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

const LONGEST_LINE = 64 * 1024

/** The bytes are not what they must be. A card with one wrong byte is a card that nobody can use. */
class NotUtf8 extends Error {
  readonly line: number
  constructor(line: number) {
    super('the lines are not UTF-8')
    this.line = line
  }
}

/** Lines of a stream, without their ends. Only LF and CRLF end a line, and bytes that are not UTF-8 end the import. */
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let line = 1
  const decode = (bytes?: Uint8Array) => {
    try {
      return bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode()
    } catch {
      throw new NotUtf8(line)
    }
  }
  for await (const chunk of stream) {
    const lines = (rest + decode(chunk as Buffer)).split('\n')
    rest = lines.pop()!
    for (const text of lines) {
      line++
      yield text.endsWith('\r') ? text.slice(0, -1) : text
    }
    if (rest.length > LONGEST_LINE) {
      yield rest.slice(0, LONGEST_LINE)
      rest = rest.slice(LONGEST_LINE)
    }
  }
  rest += decode()
  if (rest !== '') yield rest
}
