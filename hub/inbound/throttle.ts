import type { Outcome } from '../../protocol/outcome.ts'
import { refusalOf, throttleIn } from '../domain/decisions/index.ts'
import type { LiveKey } from '../domain/partners/index.ts'
import type { Place } from '../platform/limiter.ts'
import type { Hub } from './hub.ts'

type Throttle = ReturnType<typeof throttleIn>

/** The measure that slows a docking down; null for nearly all of them. */
export function throttleOf(key: Pick<LiveKey, 'measures'>, nowMs: number): Throttle {
  return key.measures.length === 0 ? null : throttleIn(key.measures, new Date(nowMs))
}

/** Takes a place for a request. Whoever is slowed down by a decision is told that decision first, under its true class, and when to come again. */
export function enter(hub: Pick<Hub, 'limiter'>, key: LiveKey, nowMs: number, throttle: Throttle): Outcome<Place> {
  if (throttle === null) return hub.limiter.enter(key.docking.id, nowMs)
  const place = hub.limiter.enter(key.docking.id, nowMs, throttle.requestsPerSecond)
  if (place.ok || place.refusal.code !== 'platform.rate_limited') return place
  const { retryAfterS, ...limit } = place.refusal
  return { ok: false, refusal: { ...refusalOf(throttle), ...(retryAfterS === undefined ? {} : { retryAfterS }), also: [limit] } }
}
