import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TSchema } from '../../protocol/schema.ts'
import { API_VERSIONS, NEWEST_VERSION, Problem } from '../../protocol/messages.ts'
import { refuse, type Outcome, type Refusal } from '../../protocol/outcome.ts'
import { reasonOf } from '../../protocol/reasons.ts'
import { decodeUtf8 } from '../../protocol/wire/charset.ts'
import { readJson } from '../../protocol/wire/json.ts'
import type { Receipt } from '../domain/orders/index.ts'
import { mayUse, type LiveKey } from '../domain/partners/index.ts'
import type { Meeting } from '../domain/sandbox/index.ts'
import { limits } from '../kernel/limits.ts'
import { crashpoint } from '../platform/crashpoints.ts'
import { isOutage, OutcomeUnknown } from '../platform/postgres/database.ts'
import { addressOf } from './address.ts'
import { tellDrill } from './drilled.ts'
import type { Hub } from './hub.ts'
import { rememberRoute } from './known-routes.ts'
import { langOf, problemOf, statusOf, type Lang } from './problem.ts'
import { BODY_BYTES_KEPT, openEntry, type Entry } from './request-log.ts'
import { reader, type Reader } from './shape.ts'
import { enter, throttleOf } from './throttle.ts'
import { signIn, spendProof, type Arrival, type SignedIn } from './signin.ts'
import { isSteering, sightRequest } from './sightings.ts'
import { inGbk, markStruck, mayMeetFault, meetFault, plainly, sufferFault } from './struck.ts'

/** What a handler is given: who asks, and a body and query that were read and checked. */
export type Asked<B = unknown, Q = unknown> = SignedIn & {
  docking: LiveKey['docking']
  body: B
  query: Q
  params: Record<string, string>
  requestId: string
  /** The header that makes a repeat of a POST harmless; null when none was sent. */
  idempotencyKey: string | null
  lang: Lang
  nowMs: number
  /** The fault that this request of a sandbox meets; null for all others. */
  struck: Meeting | null
}

/** What a handler returns. `receipt` is told what became of the answer on its way out. */
export type Answer = { status: number; body: unknown; headers?: Record<string, string>; receipt?: Receipt; /** UTF-8 unless it is said. */ charset?: 'gbk' }

/**
 * A route is its policy: who may call (`signed` means a signature is needed in live mode), with which scope, and in what
 * shape. Everything is asked in this order: limit, who, permitted, body, handler.
 */
export type Route<B extends TSchema, Q extends TSchema> = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  summary: string
  scope: string
  signed?: boolean
  body?: B
  /** What is asked of the body at the door, where the handler itself judges the parts of it one by one. */
  readAs?: TSchema
  /** Bytes; the default is the limit of every request. Who sends more is asked for a key before the first byte is read. */
  bodyLimit?: number
  /** How many requests a body counts as; one without it. */
  weight?: (body: Static<B>) => number
  query?: Q
  /** What the query asked for is kept in the log of requests, as a body is. */
  keepsQuery?: boolean
  /** Looking at the log of requests leaves no line in it. */
  unlogged?: boolean
  answers: Record<number, TSchema>
  handler: (asked: Asked<Static<B>, Static<Q>>) => Promise<Outcome<Answer>>
}

export const problems = Object.fromEntries([400, 401, 402, 403, 404, 405, 408, 409, 413, 414, 415, 422, 429, 431, 500, 503].map((status) => [status, { description: 'A refusal with its true class', content: { 'application/problem+json': { schema: Problem } } }]))

export function addRoute<B extends TSchema, Q extends TSchema>(app: FastifyInstance, hub: Hub, route: Route<B, Q>): void {
  const checkBody = route.body ? reader(route.readAs ?? route.body, '') : null
  const checkQuery = route.query ? reader(route.query, '?') : null
  rememberRoute(hub, { method: route.method, path: route.path, scope: route.scope, signed: route.signed === true, checkBody, checkQuery })
  const finish = (request: FastifyRequest, reply: FastifyReply, entry: Entry, outcome: Outcome<Answer>) => {
    const sent = entry.struck === null ? answer(hub, request, reply, outcome) : answerStruck(hub, request, reply, entry.struck, outcome)
    if (hub.conformance.isWatched(entry.docking)) sightRequest(hub, entry, outcome)
    if (hub.drills.isWatched(entry.docking)) tellDrill(hub, entry, request, reply, outcome)
    if (!route.unlogged) keepEntry(hub, entry, reply.statusCode, outcome.ok ? null : outcome.refusal, Number(reply.getHeader('content-length') ?? 0))
    return sent
  }
  app.route({
    method: route.method,
    url: route.path,
    schema: {
      summary: route.summary,
      tags: ['partner'],
      security: route.signed ? [{ signature: [] }, { bearer: [] }] : [{ bearer: [] }, { signature: [] }],
      ...(route.body ? { body: route.body } : {}),
      ...(route.query ? { querystring: route.query } : {}),
      response: { ...Object.fromEntries(Object.entries(route.answers).map(([status, schema]) => [status, { description: 'The answer', content: { 'application/json': { schema } } }])), ...problems },
    },
    ...(route.bodyLimit === undefined ? {} : {
      bodyLimit: route.bodyLimit,
      onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
        const entry = openEntry(request, route.path, Number(request.headers['content-length'] ?? 0), hub.clock.nowMs())
        const who = await signIn(hub, arrivalOf(hub, request, null, entry))
        return who.ok ? undefined : finish(request, reply.header('connection', 'close'), entry, who)
      },
    }),
    handler: async (request, reply) => {
      const nowMs = hub.clock.nowMs()
      const body = (request.body as Buffer | undefined) ?? NOTHING
      crashpoint('parsed')
      const entry = openEntry(request, route.path, body.byteLength, nowMs)
      try {
        return finish(request, reply, entry, await walk(hub, route, request, reply, body, nowMs, entry, checkBody, checkQuery))
      } catch (error) {
        const refusal = refusalOfError(error)
        if (!route.unlogged) keepEntry(hub, entry, reasonOf(refusal.code).status, refusal, 0)
        throw error
      }
    },
  })
}

/** Hands a finished request to the log of its docking. */
export function keepEntry(hub: Hub, entry: Entry, status: number, refusal: Refusal | null, bytesOut: number): void {
  entry.status = status
  entry.code = refusal === null ? null : refusal.code
  entry.bytesOut = bytesOut
  hub.requests.keep(entry)
}

/** Version, who, limit; then what the route's own line asks. */
async function walk<B extends TSchema, Q extends TSchema>(
  hub: Hub, route: Route<B, Q>, request: FastifyRequest, reply: FastifyReply, body: Buffer, nowMs: number, entry: Entry,
  checkBody: Reader | null, checkQuery: Reader | null,
): Promise<Outcome<Answer>> {
  const unread = namedHeadersRefusal(request.headers)
  if (unread) return { ok: false, refusal: unread }
  reply.header('berth-version', request.headers['berth-version'] ?? NEWEST_VERSION)
  // Whoever keeps these can tell later that everybody was shown the same log.
  if (hub.logbook.header !== '') reply.header('berth-checkpoint', hub.logbook.header)
  const trace = request.headers.traceparent
  if (typeof trace === 'string' && TRACE_PARENT.test(trace)) reply.header('traceparent', trace)
  const who = await signIn(hub, arrivalOf(hub, request, body, entry))
  if (!who.ok) return who
  entry.isProven = true
  crashpoint('authenticated')
  const { key } = who.value
  const throttle = throttleOf(key, nowMs)
  reply.header('ratelimit-policy', `"docking";q=${throttle?.requestsPerSecond ?? hub.limiter.options.requestsPerSecond};w=1`)
  // A key that is being replaced still works, and says so before it stops.
  if (key.expiresAt) reply.header('berth-key-expires', key.expiresAt.toISOString())
  const place = enter(hub, key, nowMs, throttle)
  reply.header('ratelimit', `"docking";r=${place.ok ? place.value.left() : 0};t=1`)
  if (!place.ok) {
    if (reasonOf(place.refusal.code).kind === 'condition') hub.notices.meet({ lane: key.docking.lane, docking: key.docking.id }, place.refusal.code, nowMs)
    return kept(hub, key, request, place)
  }
  const weigh = (weight: number) => {
    place.value.weigh(weight)
    reply.header('ratelimit', `"docking";r=${place.value.left()};t=1`)
  }
  try {
    if (mayMeetFault(request, key)) {
      entry.isSigned = who.value.signed
      if (key.mode === 'sandbox') await hub.conformance.takeUp(key.docking)
      // A run is judged by the reference of an order that is refused before it is read, too.
      if (hub.conformance.isWatched(key.docking.id) && body.byteLength <= BODY_BYTES_KEPT) entry.body = body
      const met = await meetFault(hub, who.value, request, reply, entry, { isOrder: route.method === 'POST' && ORDERED.has(route.path), isPlacing: route.method === 'POST' && PLACED.has(route.path), isControl: isSteering(route.path) })
      if (!met.ok) return kept(hub, key, request, met)
    }
    const outcome = await ask(route, request, spendProof(hub, who.value, nowMs), body, nowMs, entry, weigh, checkBody, checkQuery)
    return outcome.ok ? outcome : kept(hub, key, request, outcome)
  } finally {
    place.value.leave()
  }
}

/** What is wrong with the headers that this API gives a meaning to, before anybody is asked who calls. */
export function namedHeadersRefusal(headers: Readonly<Record<string, unknown>>): Refusal | null {
  const version = headers['berth-version']
  if (version !== undefined && !(API_VERSIONS as readonly string[]).includes(version as string)) {
    return refuse('protocol.version_unknown', { seen: String(version).slice(0, 40), known: API_VERSIONS }).refusal
  }
  const idempotencyKey = headers['idempotency-key']
  if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(String(idempotencyKey))) {
    return refuse('protocol.invalid_field', { path: 'idempotency-key', expected: '1 to 255 visible ASCII characters' }).refusal
  }
  return null
}

async function ask<B extends TSchema, Q extends TSchema>(
  route: Route<B, Q>, request: FastifyRequest, who: SignedIn, body: Buffer, nowMs: number, entry: Entry, weigh: (weight: number) => void,
  checkBody: Reader | null, checkQuery: Reader | null,
): Promise<Outcome<Answer>> {
  const { key } = who
  const permitted = mayUse(key, route.scope)
  if (!permitted.ok) return permitted
  if (route.signed && !who.signed && key.mode === 'live') return refuse('partners.signature_required')
  // A place that moves no money has no reference that could make a repeat harmless.
  if (who.onlyReplay && !route.signed) return { ok: false, refusal: who.onlyReplay }
  let read: unknown = undefined
  if (checkBody) {
    const json = readBody(request, body)
    if (!json.ok) return json
    if (body.byteLength <= BODY_BYTES_KEPT) entry.body = body
    const checked = checkBody(json.value)
    if (!checked.ok) return checked
    read = checked.value
    if (route.weight) weigh(route.weight(read as never))
  }
  let query: unknown = request.query
  if (checkQuery) {
    const checked = checkQuery(query)
    if (!checked.ok) return checked
    query = checked.value
    if (route.keepsQuery) entry.body = query as object
  }
  return route.handler({
    ...who, docking: key.docking, body: read as never, query: query as never, params: request.params as Record<string, string>, requestId: request.id,
    idempotencyKey: (request.headers['idempotency-key'] as string | undefined) ?? null, lang: langOf(request.headers['accept-language']), nowMs, struck: entry.struck,
  })
}

/** Where a fault of an order can strike. */
const ORDERED: ReadonlySet<string> = new Set(['/api/orders', '/api/quotes'])
const PLACED: ReadonlySet<string> = new Set(['/api/orders', '/api/orders/batch'])

const IDEMPOTENCY_KEY = /^[!-~]{1,255}$/
const TRACE_PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const NOTHING = Buffer.alloc(0)
const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i

/** The body as a value: right type, plain encoding, UTF-8, strict JSON. */
export function readBody(request: Pick<FastifyRequest, 'headers'>, body: Buffer): Outcome<unknown> {
  const type = request.headers['content-type'] ?? ''
  if (request.headers['content-encoding'] !== undefined) return refuse('protocol.unsupported_media', { expected: 'application/json without content-encoding', seen: String(request.headers['content-encoding']).slice(0, 60) })
  if (body.byteLength === 0) return refuse('protocol.malformed_request', { problem: 'the body is empty', at: 'line 1 column 1' })
  if (!JSON_TYPE.test(type)) return refuse('protocol.unsupported_media', { expected: 'application/json in UTF-8', seen: type.slice(0, 60) || 'none' })
  const text = decodeUtf8(body)
  return text.ok ? readJson(text.value) : text
}

function arrivalOf(hub: Hub, request: FastifyRequest, body: Uint8Array | null, entry: Entry): Arrival {
  return {
    method: request.method,
    url: request.raw.url ?? '/',
    scheme: hub.publicUrl.startsWith('https:') ? 'https' : 'http',
    header: (name) => {
      const value = request.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
    body,
    address: addressOf(request),
    onKnown: (key) => {
      entry.docking = key?.docking.id ?? ''
      entry.keyId = key?.id ?? ''
    },
  }
}

/** Refusals of a known docking become facts. Those of the batch were written there already. */
function kept<T>(hub: Hub, key: LiveKey, request: FastifyRequest, outcome: { ok: false; refusal: Refusal }): Outcome<T> {
  if (!(outcome as { written?: boolean }).written && reasonOf(outcome.refusal.code).kind !== 'condition' && outcome.refusal.retryAfterS === undefined) {
    hub.orders.noteRefusal(key.docking, 'request.refused', `${request.method} ${request.routeOptions.url ?? ''}`.slice(0, 120), outcome.refusal.code, outcome.refusal.because)
  }
  return outcome
}

/** Marks a refusal that the batch has already written as a fact. */
export function alreadyWritten(outcome: { ok: false; refusal: Refusal }): { ok: false; refusal: Refusal } {
  return { ...outcome, written: true } as { ok: false; refusal: Refusal }
}

/** The one place where an outcome becomes an answer. The receipt hears whether it was written, broken or never sent. */
export function answer(hub: Hub, request: FastifyRequest, reply: FastifyReply, outcome: Outcome<Answer>, send = plainly): FastifyReply {
  if (!outcome.ok) return answerRefusal(hub, request, reply, outcome.refusal, send)
  const { status, body, headers, receipt, charset } = outcome.value
  if (receipt) watch(reply, receipt)
  if (headers) for (const name in headers) reply.header(name, headers[name])
  crashpoint('before_answer')
  return (charset === 'gbk' ? inGbk : send)(reply.code(status).header('content-type', 'application/json; charset=utf-8'), typeof body === 'string' ? body : JSON.stringify(body))
}

/** The same answer where a sandbox asked for a fault. */
function answerStruck(hub: Hub, request: FastifyRequest, reply: FastifyReply, struck: Meeting, outcome: Outcome<Answer>): FastifyReply | Promise<FastifyReply> {
  markStruck(reply, struck, !outcome.ok)
  if (struck.asked.fault.strikes !== 'answer') return answer(hub, request, reply, outcome)
  return sufferFault(hub, reply, struck, outcome.ok ? outcome.value.receipt : undefined, (send) => answer(hub, request, reply, outcome, send))
}

/** Follows an answer to its end. Gone before the first byte, gone in the middle, or handed to the network. */
export function watch(reply: FastifyReply, receipt: Receipt): void {
  const { raw } = reply
  // The request's socket: an answer that waits behind an earlier one of the same line has none of its own yet.
  const { socket } = reply.request.raw
  if (socket.destroyed) return receipt.unsent()
  const gone = () => (raw.socket === null && !raw.writableFinished ? receipt.unsent() : receipt.broken())
  socket.once('close', gone)
  raw.once('finish', () => {
    socket.off('close', gone)
    receipt.written()
    crashpoint('answered')
  })
}

export function answerRefusal(hub: Hub, request: FastifyRequest, reply: FastifyReply, refusal: Refusal, send = plainly): FastifyReply {
  const reason = reasonOf(refusal.code)
  hub.metrics.refusals.inc({ code: refusal.code, class: reason.class })
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS))
  if (reason.status === 401) reply.header('www-authenticate', 'Bearer realm="berth"')
  const problem = problemOf(refusal, { publicUrl: hub.publicUrl, requestId: request.id, lang: langOf(request.headers['accept-language']), nowMs: hub.clock.nowMs() })
  return send(reply.code(statusOf(refusal)).header('content-type', 'application/problem+json').header('content-language', langOf(request.headers['accept-language'])), JSON.stringify(problem))
}

/** An exception is a bug or an outage; which of the two, the database's own code tells. */
export function refusalOfError(error: unknown, bodyLimit: number = limits.requestBytes): Refusal {
  const code = (error as { code?: string }).code ?? ''
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse('protocol.request_too_large', { what: 'body', allowed: `${bodyLimit / 1024} KB` }).refusal
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return refuse('protocol.unsupported_media', { expected: 'application/json', seen: 'another type' }).refusal
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH' || code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH' || code === 'FST_ERR_PARAM') return refuse('protocol.malformed_request', { problem: 'the request line or length is wrong', at: 'the head' }).refusal
  if (error instanceof OutcomeUnknown) return refuse('platform.outcome_unknown', { retryAfterS: 2 }, { retryAfterS: 2 }).refusal
  if (isOutage(error)) return refuse('platform.storage_unavailable', { retryAfterS: 2 }, { retryAfterS: 2 }).refusal
  return refuse('platform.internal_error', {}).refusal
}
