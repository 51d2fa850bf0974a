import type { Because, Refusal } from '../../../protocol/outcome.ts'
import { explain, reasonOf, type ReasonClass, type ReasonCode, type Side } from '../../../protocol/reasons.ts'
import type { Likeness } from '../../../dialects/families.ts'

/** The layers of a request in the order in which they break. */
const LAYERS = ['line', 'head', 'body', 'route', 'version', 'media', 'charset', 'form', 'credentials', 'clock', 'signature', 'key', 'address', 'permission', 'fields', 'business', 'answer'] as const
export type Layer = (typeof LAYERS)[number]

export type Words = { en: string; zh: string }

/** What was seen of one layer. `unknown`: these bytes alone do not tell, and nothing is guessed. */
export type Step = {
  layer: Layer
  verdict: 'pass' | 'warn' | 'fail' | 'unknown'
  class: ReasonClass
  side: Side
  code: ReasonCode | null
  because: Because
  seen: Words
  decision?: string
}

/** The string that should have been signed, as the hub builds it, without any secret, and where the partner's own differs first. */
export type Canonical = { hub: string; difference: { at: number; hub: string; yours: string } | null }

export type Dialect = 'json' | 'acg0' | 'acg1' | 'acg2' | 'unknown'

export type Diagnosis = {
  at: Date
  dialect: Dialect
  steps: Step[]
  lookalikes: Likeness[]
  canonical: Canonical | null
  /** How the bytes were taken before anything was judged. */
  notes: Words[]
}

export function passed(layer: Layer, seen: Words): Step {
  return { layer, verdict: 'pass', class: 'technical', side: 'partner', code: null, because: {}, seen }
}

export function unknown(layer: Layer, seen: Words): Step {
  return { ...passed(layer, seen), verdict: 'unknown' }
}

/** A refusal as the real path gives it; further causes of the same layer become steps of their own. */
export function failed(layer: Layer, refusal: Refusal, more: Partial<Words> = {}): Step[] {
  const step = (one: Refusal): Step => {
    const { class: cls, side } = reasonOf(one.code)
    return {
      layer, verdict: 'fail', class: cls, side, code: one.code, because: one.because, ...(one.decision === undefined ? {} : { decision: one.decision }),
      seen: { en: explain(one, 'en') + (more.en === undefined ? '' : ` ${more.en}`), zh: explain(one, 'zh') + (more.zh ?? '') },
    }
  }
  return [step(refusal), ...(refusal.also ?? []).map(step)]
}

export function warned(layer: Layer, code: ReasonCode, because: Because, seen: Words): Step {
  const { class: cls, side } = reasonOf(code)
  return { layer, verdict: 'warn', class: cls, side, code, because, seen }
}

/** Which layer a refusal of the real path belongs to. */
export function layerOf({ code, because }: Refusal): Layer {
  if (code === 'protocol.invalid_field') {
    const path = String(because.path)
    return path.startsWith('signature-input') ? (path.endsWith('created') ? 'clock' : 'signature') : path === 'idempotency-key' ? 'head' : 'fields'
  }
  return LAYER_OF[code] ?? 'business'
}

const LAYER_OF: Readonly<Partial<Record<ReasonCode, Layer>>> = {
  'protocol.malformed_request': 'form', 'protocol.unsupported_media': 'media', 'protocol.request_too_large': 'body', 'protocol.headers_too_large': 'head', 'protocol.url_too_long': 'head',
  'protocol.host_ambiguous': 'head', 'protocol.charset_mismatch': 'charset', 'protocol.text_garbled': 'charset', 'protocol.route_not_found': 'route', 'protocol.method_not_allowed': 'route',
  'protocol.version_unknown': 'version', 'protocol.request_timeout': 'body', 'partners.credentials_missing': 'credentials', 'partners.signature_required': 'permission',
  'partners.signature_malformed': 'signature', 'partners.signature_incomplete': 'signature', 'partners.signature_invalid': 'signature', 'partners.digest_mismatch': 'signature',
  'partners.key_malformed': 'key', 'partners.key_unknown': 'key', 'partners.key_expired': 'key', 'partners.key_revoked': 'key', 'partners.key_leaked': 'key', 'partners.clock_skew': 'clock',
  'partners.nonce_reused': 'clock', 'partners.freshness_unknown': 'clock', 'partners.scope_missing': 'permission', 'partners.address_not_allowed': 'address', 'network.not_a_hub': 'answer',
}
