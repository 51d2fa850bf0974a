import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Seen } from '../domain/drills/index.ts'
import type { Hub } from './hub.ts'
import type { Entry } from './request-log.ts'

/** As much of an answer as is looked at. */
type Told = { readonly body: unknown }

/**
 * Tells a drill what one request of its docking asked for and was answered. Nothing of it is the partner's word: status, time and
 * key are the hub's own. Of bodies only order numbers are kept.
 */
export function tellDrill(hub: Hub, entry: Entry, request: FastifyRequest, reply: FastifyReply, outcome: Outcome<Told>): void {
  const { docking, route, method } = entry
  if (route.startsWith('/api/drills')) return
  // Whoever moves the sandbox's own faults meanwhile has left the plan.
  if (method !== 'GET' && STEERED.has(route) && outcome.ok) return hub.drills.upset(docking)
  const isCut = entry.struck !== null && entry.struck.isStruck && LOST.has(entry.struck.asked.fault.name)
  const status = reply.statusCode
  const bare: Seen = {
    id: entry.id, what: 'other', atMs: entry.atMs, endedMs: hub.clock.nowMs(), request: entry.id, key: entry.keyId, status, code: outcome.ok ? null : outcome.refusal.code, isAnswered: !isCut,
    reference: null, retryAfterS: outcome.ok ? null : (outcome.refusal.retryAfterS ?? null), after: null, size: null, holds: null,
  }
  for (const seen of unfold(bare, entry, request, outcome)) hub.drills.observe(docking, seen)
}

const STEERED: ReadonlySet<string> = new Set(['/api/sandbox/faults', '/api/sandbox/clock', '/api/conformance'])

/** Faults after which the partner holds no whole answer. */
const LOST: ReadonlySet<string> = new Set(['timeout_after_debit', 'cut_in_body'])

function unfold(bare: Seen, { route, method }: Entry, request: FastifyRequest, outcome: Outcome<Told>): Seen[] {
  const body = outcome.ok ? valueOf(outcome.value.body) : null
  if (method === 'POST' && route === '/api/orders') return [{ ...bare, what: 'order', reference: referenceOf(askOf(request)) }]
  if (method === 'POST' && route === '/api/orders/batch') {
    const asks = (askOf(request) as { orders?: unknown } | null)?.orders
    const items = (body as { items?: { status?: number; problem?: { code?: string } }[] } | null)?.items
    return (Array.isArray(asks) ? asks.slice(0, 500) : []).map((ask, i) => ({
      ...bare, id: `${bare.id}.${i}`, what: 'order' as const, reference: referenceOf(ask), status: items?.[i]?.status ?? bare.status, code: items ? (items[i]?.problem?.code ?? null) : bare.code,
    }))
  }
  if (method === 'GET' && route === '/api/orders') {
    const { reference } = request.query as { reference?: unknown }
    if (typeof reference !== 'string') return [bare]
    return [{ ...bare, what: 'look', reference: reference.slice(0, 64), holds: ((body as { items?: unknown[] } | null)?.items?.length ?? 0) > 0 }]
  }
  if (method === 'GET' && route === '/api/orders/:order') return [{ ...bare, what: 'look', reference: referenceOf(body), holds: body !== null }]
  if (method === 'GET' && route === '/api/goods/changes') {
    const read = body as { after?: unknown } | null
    return [{ ...bare, what: 'feed', after: typeof read?.after === 'string' ? read.after : null }]
  }
  return [bare]
}

function askOf(request: FastifyRequest): unknown {
  return Buffer.isBuffer(request.body) ? valueOf(request.body.toString('utf8')) : null
}

function valueOf(body: unknown): unknown {
  if (typeof body !== 'string') return body
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}

function referenceOf(value: unknown): string | null {
  const { reference } = (typeof value === 'object' && value !== null ? value : {}) as { reference?: unknown }
  return typeof reference === 'string' ? reference.slice(0, 64) : null
}
