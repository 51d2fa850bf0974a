import type { Problem } from './contract.ts'

/** How long and how often a call is tried. All times in milliseconds. */
export type RetryPolicy = {
  /** How often a call is sent at most, the first time included. */
  readonly attempts: number
  /** The wait before the second attempt; each further one is twice as long, up to `longestDelayMs`. */
  readonly firstDelayMs: number
  readonly longestDelayMs: number
  /** No attempt begins later than this after the first. */
  readonly patienceMs: number
}

export const RETRY_POLICY: RetryPolicy = { attempts: 6, firstDelayMs: 250, longestDelayMs: 8_000, patienceMs: 90_000 }

/** What is known of an attempt that gave no value: a refusal, or an answer that did not arrive or was none. */
export type Failed = {
  readonly refusal: Pick<Problem<string>, 'code' | 'retry'> | null
  /** From the header Retry-After. */
  readonly retryAfterS: number | null
}

/** The hub asks for a new signature over the same message, and every attempt carries one. */
const SIGN_AGAIN: ReadonlySet<string> = new Set(['partners.nonce_reused', 'partners.freshness_unknown'])

/**
 * How long to wait before the same request is sent again; null to leave it. `random` is from 0 to 1.
 * What the hub says in Retry-After is the least; the wait is spread, so that many clients do not come back in one moment.
 * @param attempt how many were made, from 1
 */
export function waitBeforeNextMs(failed: Failed, attempt: number, elapsedMs: number, policy: RetryPolicy, random: number): number | null {
  const { refusal, retryAfterS } = failed
  if (refusal !== null && refusal.retry !== 'same_request_after' && !SIGN_AGAIN.has(refusal.code)) return null
  if (attempt >= policy.attempts) return null
  const spreadMs = Math.min(policy.longestDelayMs, policy.firstDelayMs * 2 ** (attempt - 1))
  const waitMs = retryAfterS === null ? spreadMs * (0.5 + random / 2) : retryAfterS * 1000 + spreadMs * random
  return elapsedMs + waitMs > policy.patienceMs ? null : waitMs
}

/** Seconds of a Retry-After header, as a number or as a date (RFC 9110); null when it is missing or unreadable. */
export function readRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header)) return Number(header)
  const atMs = /^[A-Z][a-z]{2}, /.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(atMs) ? null : Math.max(0, (atMs - nowMs) / 1000)
}
