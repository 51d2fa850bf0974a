import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { toBase64 } from '../../../protocol/bytes.ts'
import { LogConsistency, LogLeaves, LogProof, WitnessList } from '../../../protocol/log-messages.ts'
import { accept, type Outcome } from '../../../protocol/outcome.ts'
import { Type, type Static, type TSchema } from '../../../protocol/schema.ts'
import { lineOfWitness, type SealedCheckpoint, type Witness } from '../../domain/logbook/index.ts'
import { limits } from '../../kernel/limits.ts'
import { visitorOf } from '../address.ts'
import type { Hub } from '../hub.ts'
import { answerRefusal, problems } from '../pipeline.ts'
import { reader } from '../shape.ts'

const closed = { additionalProperties: false }
const Place = Type.String({ pattern: '^(0|[1-9]\\d{0,14})$', title: 'a whole number from 0, in digits' })
const Count = Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits', description: `At most ${limits.pageItems}.` }))
const Note = Type.String({ description: 'A signed note: origin, size, root, an empty line, and a line a signature.' })

/** What was sealed once is so for ever; what is newest is asked for again. */
const FOR_EVER = 'public, max-age=31536000, immutable'
const FOR_NOW = 'public, max-age=1'

type PublicAnswer = { body: unknown; isForEver: boolean }

/** The log as everybody may read it: who verifies needs no docking, and may do so from a page of his own. */
export function logRoutes(app: FastifyInstance, hub: Hub): void {
  addPublicRoute(app, hub, {
    path: '/api/log/checkpoint', summary: 'The newest checkpoint as a signed note, or that of a size that was sealed', query: Type.Object({ size: Type.Optional(Place) }, closed), type: 'text/plain', schema: Note,
    handler: async ({ size }) => {
      const found = await hub.logbook.checkpoint(numberOf(size))
      return found.ok ? accept({ body: size === undefined ? found.value.note : await withWitnesses(hub, found.value), isForEver: false }) : found
    },
  })
  addPublicRoute(app, hub, {
    path: '/api/log/proof', summary: 'That a leaf stands in the tree of a size', query: Type.Object({ leaf: Place, size: Type.Optional(Place) }, closed), type: 'application/json', schema: LogProof,
    handler: async ({ leaf, size }) => forEverIf(size !== undefined, await hub.logbook.inclusion(Number(leaf), numberOf(size))),
  })
  addPublicRoute(app, hub, {
    path: '/api/log/consistency', summary: 'That the tree of one size goes on from the tree of a smaller one', query: Type.Object({ from: Place, to: Type.Optional(Place) }, closed), type: 'application/json', schema: LogConsistency,
    handler: async ({ from, to }) => forEverIf(to !== undefined, await hub.logbook.consistency(Number(from), numberOf(to))),
  })
  addPublicRoute(app, hub, {
    path: '/api/log/leaves', summary: 'Leaves from a place on, as the bytes that are hashed', query: Type.Object({ from: Place, limit: Count }, closed), type: 'application/json', schema: LogLeaves,
    handler: async ({ from, limit }) => {
      const most = Math.min(Number(limit ?? '100'), limits.pageItems)
      const items = await hub.logbook.leaves(Number(from), most)
      const isFull = items.length === most
      return accept({ body: { items, next: isFull ? items.at(-1)!.index + 1 : null }, isForEver: isFull })
    },
  })
  addPublicRoute(app, hub, {
    path: '/api/log/witnesses', summary: 'Who has signed how far: the newest checkpoint of each live docking that witnesses', query: Type.Object({}, closed), type: 'application/json', schema: WitnessList,
    handler: async () => accept({ body: { items: (await hub.logbook.witnesses()).map(presentWitness), next: null }, isForEver: false }),
  })
}

export function presentWitness(witness: Witness) {
  return {
    name: witness.name, publicKey: toBase64(witness.publicKey), size: witness.size, signedAt: witness.signedAt.toISOString(), line: lineOfWitness(witness),
  }
}

/** The note with the lines of those witnesses whose newest checkpoint it is. */
async function withWitnesses(hub: Hub, { note, size }: SealedCheckpoint): Promise<string> {
  return note + (await hub.logbook.witnesses()).filter((witness) => witness.size === size).map((witness) => `${lineOfWitness(witness)}\n`).join('')
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

function forEverIf(isForEver: boolean, outcome: Outcome<unknown>): Outcome<PublicAnswer> {
  return outcome.ok ? accept({ body: outcome.value, isForEver }) : outcome
}

type PublicRoute<Q extends TSchema> = {
  path: string; summary: string; query: Q; type: 'text/plain' | 'application/json'; schema: TSchema; handler: (query: Static<Q>) => Promise<Outcome<PublicAnswer>>
}

/** A look-up without a key: limited by the address that asks, and answered to pages of any origin. */
function addPublicRoute<Q extends TSchema>(app: FastifyInstance, hub: Hub, route: PublicRoute<Q>): void {
  const checkQuery = reader(route.query, '?')
  const handle = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('access-control-allow-origin', '*')
    const place = hub.limiter.enter(`log ${visitorOf(request)}`, hub.clock.nowMs())
    if (!place.ok) return answerRefusal(hub, request, reply, place.refusal)
    try {
      const query = checkQuery(request.query)
      const outcome = query.ok ? await route.handler(query.value as Static<Q>) : query
      if (!outcome.ok) return answerRefusal(hub, request, reply, outcome.refusal)
      const { body, isForEver } = outcome.value
      return reply.header('cache-control', isForEver ? FOR_EVER : FOR_NOW).type(`${route.type}; charset=utf-8`).send(typeof body === 'string' ? body : JSON.stringify(body))
    } finally {
      place.value.leave()
    }
  }
  app.get(route.path, {
    schema: {
      summary: route.summary, tags: ['public'], querystring: route.query,
      response: { 200: { description: 'The answer', content: { [route.type]: { schema: route.schema } } }, ...problems },
    },
  }, handle)
}
