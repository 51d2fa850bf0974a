/**
 * Verifies callbacks in the form of Standard Webhooks: the headers webhook-id, webhook-timestamp and webhook-signature,
 * HMAC-SHA256 over `id.timestamp.body`, one `v1,…` signature for each secret that is alive at the sender.
 */
export type WebhookAsk = {
  /** The headers as they came: a Headers object, or a record with lower-case names as Node has it. */
  readonly headers: { get(name: string): string | null } | Readonly<Record<string, string | readonly string[] | undefined>>
  /** The body as it came. One that was parsed and written again is not what was signed. */
  readonly body: string | Uint8Array
  /** Every secret that is alive, `whsec_…`: two while one follows the other. */
  readonly secrets: readonly string[]
  /** How far the sender's clock may be from yours. */
  readonly windowS?: number
  /** The time to compare with, if not this machine's. Seconds since 1970. */
  readonly nowS?: number
}

/** Why a callback is not believed. */
export type WebhookProblem = 'headers_missing' | 'headers_malformed' | 'too_old' | 'too_new' | 'signature_mismatch'

export type Webhook =
  | {
    readonly ok: true
    /** The same for every delivery of one event: keep it, and work on each id once. */
    readonly id: string
    /** When it was sent, in seconds since 1970. */
    readonly sentAtS: number
    /** The body as text; read it as JSON only now. */
    readonly text: string
  }
  | { readonly ok: false; readonly problem: WebhookProblem }

const WINDOW_S = 300
/** A sender has two secrets alive while it changes them; more signatures only cost time. */
const MAX_SIGNATURES = 8

/**
 * Tells whether one of the secrets made one of the signatures. The compare is the platform's own and takes the same time
 * for every wrong signature. Throws a TypeError for a secret that is not base64, or for none: that is no fault of the sender.
 */
export async function verifyWebhook({ headers, body, secrets, windowS = WINDOW_S, nowS = Date.now() / 1000 }: WebhookAsk): Promise<Webhook> {
  if (secrets.length === 0) throw new TypeError('verifyWebhook needs at least one secret')
  const keys = await Promise.all(secrets.map(readSecret))
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headerOf(headers, name))
  if (!id || !timestamp || !signature) return { ok: false, problem: 'headers_missing' }
  if (!/^[1-9]\d{0,11}$/.test(timestamp) || id.length > 256) return { ok: false, problem: 'headers_malformed' }
  const signatures = readSignatures(signature)
  if (signatures.length === 0) return { ok: false, problem: 'headers_malformed' }
  const sentAtS = Number(timestamp)
  if (sentAtS < nowS - windowS) return { ok: false, problem: 'too_old' }
  if (sentAtS > nowS + windowS) return { ok: false, problem: 'too_new' }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
  const signed = join(new TextEncoder().encode(`${id}.${timestamp}.`), bytes)
  for (const key of keys) {
    for (const made of signatures) {
      if (await crypto.subtle.verify('HMAC', key, made, signed)) return { ok: true, id, sentAtS, text: new TextDecoder().decode(bytes) }
    }
  }
  return { ok: false, problem: 'signature_mismatch' }
}

async function readSecret(secret: string) {
  const bytes = readBase64(secret.replace(/^whsec_/, ''))
  if (bytes === null || bytes.length === 0) throw new TypeError('a webhook secret is whsec_ and base64 behind it')
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
}

/** The signatures of the version that is read here, as bytes; others are for other readers. */
function readSignatures(header: string): Uint8Array<ArrayBuffer>[] {
  return header.split(' ').slice(0, MAX_SIGNATURES).flatMap((part) => {
    const bytes = part.startsWith('v1,') ? readBase64(part.slice(3)) : null
    return bytes === null ? [] : [bytes]
  })
}

function readBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  } catch {
    return null
  }
}

function headerOf(headers: WebhookAsk['headers'], name: string): string | null {
  const value = typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, unknown>)[name]
  return typeof value === 'string' ? value : null
}

function join(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
