import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refuse } from '../../../protocol/outcome.ts'
import type { Hub } from '../hub.ts'
import { visitorOf } from '../address.ts'
import { answerRefusal } from '../pipeline.ts'

/**
 * The log that a drill shows, under an address of its own, so that a witness is pointed at it as at a hub. It is not part of
 * the published document: it answers as /api/log does, and is there for a minute or two.
 */
export function drillLogRoutes(app: FastifyInstance, hub: Hub): void {
  const shown = (handler: (drill: Shown, request: FastifyRequest, reply: FastifyReply) => FastifyReply) => (request: FastifyRequest, reply: FastifyReply) => {
    const place = hub.limiter.enter(`drill log ${visitorOf(request)}`, hub.clock.nowMs())
    if (!place.ok) return answerRefusal(hub, request, reply, place.refusal)
    try {
      const { drill = '' } = request.params as { drill?: string }
      const found = hub.drills.copyOf(drill)
      if (!found) return answerRefusal(hub, request, reply, refuse('drills.no_log', { drill: drill.slice(0, 64) }).refusal)
      return handler(found, request, reply.header('cache-control', 'no-store'))
    } finally {
      place.value.leave()
    }
  }
  const hidden = { schema: { hide: true } } as const

  app.get('/drills/:drill/api/log/checkpoint', hidden, shown(({ copy, phase, docking }, request, reply) => {
    hub.drills.looked(docking, phase, request.id)
    return reply.type('text/plain; charset=utf-8').send(copy.note(phase))
  }))

  app.get('/drills/:drill/api/log/consistency', hidden, shown(({ copy, phase }, request, reply) => {
    const { from, to } = request.query as { from?: string; to?: string }
    const [start, end] = [Number(from), Number(to)]
    const hashes = /^\d{1,3}$/.test(from ?? '') && /^\d{1,3}$/.test(to ?? '') && start > 0 ? copy.consistency(phase, start, end) : null
    if (hashes === null) return answerRefusal(hub, request, reply, refuse('protocol.invalid_field', { path: '?/to', expected: 'sizes that this log has reached' }).refusal)
    return reply.type('application/json; charset=utf-8').send(JSON.stringify({ from: start, to: end, hashes }))
  }))

  app.get('/drills/:drill/.well-known/berth', hidden, shown((_, __, reply) => reply.type('application/json; charset=utf-8').send(JSON.stringify({ keys: [hub.signer.published] }))))
}

type Shown = NonNullable<ReturnType<Hub['drills']['copyOf']>>
