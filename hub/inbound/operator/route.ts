import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Static, TSchema } from '../../../protocol/schema.ts'
import { refuse, type Outcome } from '../../../protocol/outcome.ts'
import { mayAct, type Operator, type Role } from '../../domain/operators/index.ts'
import { visitorOf } from '../address.ts'
import type { Hub } from '../hub.ts'
import { answer, readBody, type Answer } from '../pipeline.ts'
import { reader } from '../shape.ts'

/** `by` is the name of the person whose key it is; nothing in a request can claim another. */
export type OperatorAsked<B, Q> = { body: B; query: Q; params: Record<string, string>; request: FastifyRequest; by: string }

export type OperatorRoute<B extends TSchema, Q extends TSchema> = {
  method: 'GET' | 'POST'
  path: string
  summary: string
  /** What the person must be, or one of what; `operator` unless told. */
  role?: Role | readonly Role[]
  body?: B
  query?: Q
  /** Bytes; the default is the limit of every request. */
  bodyLimit?: number
  /** The body is a stream of any length, and may take its time. */
  streamed?: boolean
  handler: (asked: OperatorAsked<Static<B>, Static<Q>>) => Promise<Outcome<Answer>>
}

/** A route of the main site: who calls is a person with a key and roles. */
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
    onRequest: async (request, reply) => {
      const known = await whoCalls(hub, request)
      const permitted = known.ok ? permit(known.value, route.role ?? 'operator') : known
      if (!permitted.ok) return answer(hub, request, reply.header('connection', 'close'), permitted)
      if (known.ok) callers.set(request, known.value.name)
      return undefined
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
      return answer(hub, request, reply, await route.handler({ body: body as never, query: query as never, params: request.params as Record<string, string>, request, by: callers.get(request)! }))
    },
  })
}

function permit(person: Operator, role: Role | readonly Role[]): Outcome<null> {
  const roles = typeof role === 'string' ? [role] : role
  return mayAct(person, roles.find((one) => person.roles.includes(one)) ?? roles[0]!)
}

/** Who was let in, until the request has gone. */
const callers = new WeakMap<FastifyRequest, string>()

async function whoCalls(hub: Hub, request: FastifyRequest): Promise<Outcome<Operator>> {
  const token = /^Bearer ([!-~]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1]
  const outcome = token === undefined ? refuse('partners.credentials_missing') : await hub.operators.byKey(token)
  if (outcome.ok) return outcome
  const nowMs = hub.clock.nowMs()
  hub.limiter.failed(visitorOf(request), nowMs)
  // A right key always passes, however often others have failed from behind the same proxy.
  const admitted = hub.limiter.admits(visitorOf(request), nowMs)
  return admitted.ok ? outcome : admitted
}
