import type { FastifyInstance } from 'fastify'
import { toHex } from '../../../protocol/bytes.ts'
import { Cosign, MyLeaves, WitnessView } from '../../../protocol/log-messages.ts'
import { accept } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { pseudonymOfDocking } from '../../domain/logbook/index.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'
import { presentWitness } from '../public/log.ts'
import { closed, Limit, pageLimit } from './query.ts'

const After = Type.Optional(Type.String({ pattern: '^(0|[1-9]\\d{0,14})$', title: 'a whole number from 0, in digits', description: 'The counter of the last leaf that was read.' }))

/** What a docking needs to open its own leaves, and its signature under what it has checked. */
export function ownLogRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/log/mine', summary: 'Your own leaves of the log with what opens them, in the order in which they are counted', scope: 'docking:read',
    query: Type.Object({ after: After, limit: Limit }, closed), answers: { 200: MyLeaves },
    handler: async ({ docking, query }) => {
      const limit = pageLimit(query.limit)
      const { name, leaves } = await hub.logbook.mine(docking, Number(query.after ?? '0'), limit)
      return accept({
        status: 200,
        body: {
          name: name && { pseudonym: pseudonymOfDocking(name.salt, docking.id), salt: toHex(name.salt), leaves: name.counter },
          items: leaves.map(({ index, counter, leaf, salt, payload }) => ({ index, n: counter, leaf, salt: salt && toHex(salt), payload })),
          next: leaves.length === limit ? leaves.at(-1)!.counter : null,
        },
      })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/log/witness', summary: 'Sign a checkpoint that you have checked: you then vouch for it and for every one before it; a sandbox rehearses this, and its signature is not kept', scope: 'docking:read', signed: true,
    body: Cosign, answers: { 200: WitnessView },
    handler: async ({ docking, body, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const taken = await hub.logbook.cosign(docking, body)
      return taken.ok ? accept({ status: 200, body: presentWitness(taken.value) }) : taken
    },
  })
}
