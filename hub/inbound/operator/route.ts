import { timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Static, TSchema } from '../../../protocol/schema.ts'
import { refuse, accept, type Outcome } from '../../../protocol/outcome.ts'
import { readKey } from '../../../protocol/keys.ts'
import { hashBearer } from '../../domain/partners/index.ts'
import { addressOf } from '../address.ts'
import type { Hub } from '../hub.ts'
import { answer, readBody, type Answer } from '../pipeline.ts'
import { reader } from '../shape.ts'

export type OperatorAsked<B, Q> = { body: B; query: Q; params: Record<string, string>; request: FastifyRequest; by: string }

export type OperatorRoute<B extends TSchema, Q extends TSchema> = {
  method: 'GET' | 'POST'
  path: string
  summary: string
  body?: B
  query?: Q
  /** Bytes; the default is the limit of every request. */
  bodyLimit?: number
  /** The body is a stream of any length, and may take its time. */
  streamed?: boolean
  handler: (asked: OperatorAsked<Static<B>, Static<Q>>) => Promise<Outcome<Answer>>
}

/** A route of the main site's operator: one key, made at the first start, known to the hub as a hash. */
export function addOperatorRoute<B extends TSchema, Q extends TSchema>(app: FastifyInstance, hub: Hub, route: OperatorRoute<B, Q>): void {
  const checkBody = route.body ? reader(route.body, '') : null
  const checkQuery = route.query ? reader(route.query, '?') : null
  app.route({
    method: route.method,
    url: route.path,
    ...(route.bodyLimit ? { bodyLimit: route.bodyLimit } : {}),
    config: { longBody: route.streamed === true },
    schema: {
      summary: route.summary, tags: ['operator'], security: [{ operator: [] }],
      ...(route.body ? { body: route.body } : {}), ...(route.query ? { querystring: route.query } : {}),
    },
    // Asked before a byte of the body is read: nobody but the operator may make the hub hold five megabytes.
    onRequest: (request, reply, next) => {
      const known = isOperator(hub, request)
      if (known.ok) next()
      else answer(hub, request, reply.header('connection', 'close'), known)
    },
    handler: async (request, reply) => {
      let body: unknown
      if (checkBody) {
        const json = readBody(request, (request.body as Buffer | undefined) ?? Buffer.alloc(0))
        if (!json.ok) return answer(hub, request, reply, json)
        const checked = checkBody(json.value)
        if (!checked.ok) return answer(hub, request, reply, checked)
        body = checked.value
      }
      let query: unknown = request.query
      if (checkQuery) {
        const checked = checkQuery(query)
        if (!checked.ok) return answer(hub, request, reply, checked)
        query = checked.value
      }
      return answer(hub, request, reply, await route.handler({ body: body as never, query: query as never, params: request.params as Record<string, string>, request, by: 'operator' }))
    },
  })
}

function isOperator(hub: Hub, request: FastifyRequest): Outcome<null> {
  const nowMs = hub.clock.nowMs()
  const token = /^Bearer ([!-~]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1]
  const outcome = token === undefined ? refuse('partners.credentials_missing') : check(hub, token)
  if (outcome.ok) return outcome
  hub.limiter.failed(addressOf(request), nowMs)
  // A right key always passes, however often others have failed from behind the same proxy.
  const admitted = hub.limiter.admits(addressOf(request), nowMs)
  return admitted.ok ? outcome : admitted
}

function check(hub: Hub, token: string): Outcome<null> {
  const read = readKey(token)
  if (!read.ok) return read
  return timingSafeEqual(hashBearer(token), hub.operatorHash) ? accept(null) : refuse('partners.key_unknown')
}
