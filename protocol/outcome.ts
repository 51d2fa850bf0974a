import type { ReasonCode } from './reasons.ts'

/** A named value that proves a refusal: asked and allowed, expected and seen, needed and available. Never a secret. */
export type Because = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/**
 * One "no", as a value. It is what handlers return, what facts store and what every dialect renders.
 * `also` names further causes that hold at the same time; the one the partner must mend first stands in front.
 */
export type Refusal = {
  readonly code: ReasonCode
  readonly because: Because
  /** The decision that stands behind the refusal, if one does. */
  readonly decision?: string
  /** Seconds after which the same request may be sent again; present on conditions only. */
  readonly retryAfterS?: number
  readonly also?: readonly Refusal[]
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal }

export function accept<T>(value: T): Outcome<T> {
  return { ok: true, value }
}

export function refuse(
  code: ReasonCode,
  because: Because = {},
  more: { decision?: string; retryAfterS?: number; also?: readonly Refusal[] } = {},
): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { code, because, ...more } }
}
