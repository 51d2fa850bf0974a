import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Limiter, Place } from '../../platform/limiter.ts'

/**
 * A place for the paste of a stranger, or of a sandbox, which any stranger may open. All of them together have as many in
 * a second as one address has in ten: reading a paste is the hub's own work, and orders wait behind it.
 * @param visitor whose minute the paste counts in; null where a docking has limits of its own
 */
export function enterPaste(limiter: Limiter, visitor: string | null, nowMs: number): Outcome<Place> {
  if (visitor !== null) {
    const own = `doctor ${visitor}`
    const admitted = limiter.admits(own, nowMs)
    limiter.failed(own, nowMs)
    if (!admitted.ok) return limited(`${limiter.options.failuresPerMinute} pastes a minute`, admitted.refusal.retryAfterS ?? 60)
  }
  const most = Math.ceil(limiter.options.failuresPerMinute / 6)
  const place = limiter.enter('pastes of everybody', nowMs, most)
  return place.ok ? accept(place.value) : limited(`${most} pastes a second of everybody`, place.refusal.retryAfterS ?? 1)
}

function limited(allowed: string, retryAfterS: number): Outcome<never> {
  return refuse('platform.rate_limited', { allowed, retryAfterS: Math.max(1, retryAfterS) }, { retryAfterS: Math.max(1, retryAfterS) })
}
