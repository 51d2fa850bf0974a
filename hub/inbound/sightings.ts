import { parseAmount } from '../../protocol/money.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Answer as Told } from '../../dialects/dialect.ts'
import type { Hub } from './hub.ts'
import type { Entry } from './request-log.ts'

/** Hands a finished request of a watched sandbox to its conformance run. Nobody else gets here. */
export function sightRequest(hub: Hub, entry: Entry, outcome: Outcome<{ body: unknown }>): void {
  if (isSteering(entry.route)) return
  const asked = readAsked(entry.body)
  const told = outcome.ok ? readTold(outcome.value.body) : {}
  sight(hub, entry, outcome, {
    call: `${entry.method} ${entry.route}`, reference: asked.reference ?? told.reference ?? null, order: told.id ?? null, guardMicro: micro(asked.maxUnitPrice), priceMicro: micro(told.unitPrice),
  })
}

/** The same for a shop of the acg-faka family. */
export function sightCall(hub: Hub, entry: Entry, outcome: Outcome<Told>): void {
  const { call = '', reference = null } = (entry.body ?? {}) as { call?: string; reference?: string }
  const order = outcome.ok && outcome.value.kind === 'trade' ? outcome.value.orderId : null
  sight(hub, entry, outcome, { call: `acg ${call}`, reference, order, guardMicro: null, priceMicro: null })
}

/** What steers a sandbox or a run is no part of what is judged. */
export function isSteering(route: string): boolean {
  return ['/api/sandbox', '/api/conformance', '/api/drills'].some((path) => route.startsWith(path))
}

type About = { call: string; reference: string | null; order: string | null; guardMicro: string | null; priceMicro: string | null }

function sight(hub: Hub, entry: Entry, outcome: Outcome<unknown>, about: About): void {
  const { struck } = entry
  const isMarked = struck !== null && struck.isStruck && (struck.asked.fault.strikes !== 'order' || !outcome.ok)
  hub.conformance.saw(entry.docking, {
    ...about, atMs: entry.atMs, isAccepted: outcome.ok, code: outcome.ok ? null : outcome.refusal.code, isSigned: entry.isSigned, keyId: entry.keyId, fault: isMarked ? struck.asked.fault.name : null, text: null,
  })
}

type Fields = { id?: string; reference?: string; maxUnitPrice?: string; unitPrice?: string }

function readAsked(body: Entry['body']): Fields {
  if (!(body instanceof Uint8Array)) return {}
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as Fields
  } catch {
    return {}
  }
}

/** The order that an answer is about: itself, or the only one of a list. */
function readTold(body: unknown): Fields {
  const value = (typeof body === 'string' ? JSON.parse(body) : body) as Fields & { items?: Fields[] }
  const order = value.items?.length === 1 ? value.items[0]! : value
  return order.id?.startsWith('ord_') ? order : {}
}

function micro(amount: string | undefined): string | null {
  const parsed = typeof amount === 'string' ? parseAmount(amount) : null
  return parsed === null ? null : String(parsed)
}
