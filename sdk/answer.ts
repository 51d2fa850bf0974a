import type { ReasonCode } from '../protocol/reasons.ts'
import type { Problem } from './contract.ts'
import type { Received } from './exchange.ts'
import { readRetryAfter } from './retrying.ts'
import type { Words } from './unreachable.ts'

/**
 * A "no" as the hub said it. `code` may be newer than this client, so a switch over it needs a default;
 * `class`, `retry` and `detail` hold for every code.
 */
export type Refusal = Problem<ReasonCode | (string & {})> & {
  /** Seconds after which the same request may be sent again, where the hub says so. */
  readonly retryAfterS: number | null
}

export type Refused = { readonly ok: false; readonly refusal: Refusal }

/** What a call gives back, and what a list gives for each item: a value, or why not. */
export type Outcome<Value> = { readonly ok: true; readonly value: Value } | Refused

export type Answer<Value> =
  | {
    readonly ok: true
    readonly value: Value
    /** True when the reference was ordered before: this is that same order. */
    readonly replayed: boolean
    /** When the key that was used ends, if it has an end: time to change it. */
    readonly keyExpiresAt: string | null
  }
  | Refused

/** Something that no hub says. `mayPass`: the next attempt may meet the hub itself. */
export type Broken = { readonly ok: null; readonly words: Words; readonly mayPass: boolean; readonly retryAfterS: number | null }

/** Statuses with which a proxy says that the hub behind it is away and may come back. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])

/** Reads an answer. A status of success without JSON is broken and may pass: the order behind it may stand. */
export function readAnswer<Value>(hub: string, { status, headers, text }: Received, nowMs: number): Answer<Value> | Broken {
  const body = readJson(text)
  if (status >= 200 && status < 300 && typeof body === 'object' && body !== null) {
    return { ok: true, value: body as Value, replayed: headers.get('idempotent-replayed') === 'true', keyExpiresAt: headers.get('berth-key-expires') }
  }
  const retryAfterS = readRetryAfter(headers.get('retry-after'), nowMs)
  if (status >= 400 && isProblem(body)) return { ok: false, refusal: { ...body, retryAfterS } }
  return {
    ok: null, retryAfterS, mayPass: PASSING.has(status) || (status >= 200 && status < 300),
    words: {
      en: `${hub} answered ${status === 0 ? 'with a redirect' : status}, but not as a hub does: is this the address of a Berth hub?`,
      zh: `${hub} 返回了${status === 0 ? '重定向' : ` ${status}`}，但不是泊位主站的应答：请检查地址是否为主站地址。`,
    },
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isProblem(body: unknown): body is Problem<string> {
  if (typeof body !== 'object' || body === null) return false
  const { code, class: cls, retry, detail } = body as Record<string, unknown>
  return [code, cls, retry, detail].every((part) => typeof part === 'string')
}
