import { createHash, createHmac, hash, timingSafeEqual, verify, type KeyObject } from 'node:crypto'
import { accept, refuse, type Because, type Outcome, type Refusal } from '../../protocol/outcome.ts'
import { readKey } from '../../protocol/keys.ts'
import { authorityOf, checkContentDigest, checkFreshness, readSignature, verifyClaim, type SignatureClaim, type SignedRequest } from '../../protocol/signature.ts'
import { addressAllowed, keyInForce, type LiveKey } from '../domain/partners/index.ts'
import { networkOf } from '../kernel/networks.ts'
import type { Hub } from './hub.ts'

/** What is asked about a request before its body is read. */
export type Arrival = {
  method: string
  /** As it came: path with query. */
  url: string
  scheme: 'http' | 'https'
  header(name: string): string | undefined
  /** Null while it is still to come: then its digest is not compared yet. */
  body: Uint8Array | null
  address: string
  /** Told whose key was named, proven or not; null when whoever named it has failed too often to be written down. */
  onKnown(key: LiveKey | null): void
}

export type SignedIn = {
  key: LiveKey
  signed: boolean
  /** What makes a signature fresh; null for a bearer. It is spent once the request has its place. */
  proof: { nonce: string; created: number } | null
  /** Set when freshness cannot be proven: only a known order may be answered. */
  onlyReplay: Refusal | null
  /** Seconds from the hub's clock; null for a bearer. */
  skewS: number | null
  /** The canonical string as the hub built it; null for a bearer. It holds no secret. */
  base: string | null
}

/** As much of the house as a sign-in asks. */
type Gate = Pick<Hub, 'keys' | 'clock' | 'nobody'>

/** A refusal with the key that was named, if there is one. */
type Tried = { ok: true; value: SignedIn } | { ok: false; refusal: Refusal; seen?: LiveKey; more?: Because }

/** Who asks: by RFC 9421 signature if there is one, else by bearer key. A refusal of a known docking is kept as a fact. */
export async function signIn(hub: Hub, arrival: Arrival): Promise<Outcome<SignedIn>> {
  const outcome = await tryToSignIn(hub, arrival)
  if (!outcome.ok) {
    // Who proves a key always passes; who fails too often is slowed down, and with everybody behind the same address.
    hub.limiter.failed(networkOf(arrival.address), hub.clock.nowMs())
    const admitted = hub.limiter.admits(networkOf(arrival.address), hub.clock.nowMs())
    if (!admitted.ok) {
      // Anybody can name a key: beyond the limit nothing of it is kept, so that nobody fills a docking's books and log.
      arrival.onKnown(null)
      return admitted
    }
    return outcome.seen ? noted(hub, outcome.seen, outcome.refusal, outcome.more) : outcome
  }
  const allowed = addressAllowed(outcome.value.key.docking.allowedAddresses, arrival.address)
  return allowed.ok ? outcome : noted(hub, outcome.value.key, allowed.refusal)
}

/** The same without any trace: nothing is counted, written or spent. */
export async function tryToSignIn(gate: Gate, arrival: Arrival): Promise<Tried> {
  const signed = arrival.header('signature-input') !== undefined || arrival.header('signature') !== undefined
  return signed ? bySignature(gate, arrival) : byBearer(gate, arrival)
}

async function byBearer(hub: Gate, arrival: Arrival): Promise<Tried> {
  const token = /^Bearer ([!-~]{1,200})$/i.exec(arrival.header('authorization') ?? '')?.[1]
  if (token === undefined) return refuse('partners.credentials_missing')
  const read = readKey(token)
  if (!read.ok) return read
  const key = read.value.mode === 'operator' ? null : await hub.keys.byBearer(token)
  if (!key) return refuse('partners.key_unknown')
  arrival.onKnown(key)
  const inForce = keyInForce(key, timeAt(arrival, key, hub.clock.nowMs()))
  if (!inForce.ok) return { ...inForce, seen: key }
  return accept({ key, signed: false, proof: null, onlyReplay: null, skewS: null, base: null })
}

/** The steps in the order of RFC 9421: read, find the key, verify, then everything that only the holder may be told. */
async function bySignature(hub: Gate, arrival: Arrival): Promise<Tried> {
  const claim = readSignature(toSigned(arrival))
  if (!claim.ok) return claim
  const { keyid, base, created, nonce } = claim.value
  const key = await hub.keys.byId(keyid)
  // Nobody's key is tried with a key of the hub's own, so that time does not tell whether the name exists.
  if (key) arrival.onKnown(key)
  const usable = key !== null && (key.kind === 'hmac-sha256' || key.kind === 'ed25519')
  const verified = proves(claim.value, usable ? key.kind as 'hmac-sha256' | 'ed25519' : 'hmac-sha256', usable ? key.key! : hub.nobody)
  if (!usable || !verified) {
    const refusal = refuse('partners.signature_invalid', { baseSha256: createHash('sha256').update(base).digest('hex') }).refusal
    return usable ? { ok: false, refusal, seen: key, more: { base: redacted(base) } } : { ok: false, refusal }
  }
  const nowMs = hub.clock.nowMs()
  const digest = arrival.body && arrival.body.byteLength > 0 ? checkContentDigest(arrival.header('content-digest') ?? '', arrival.body, sha256, sha512) : accept(null)
  if (!digest.ok) return { ...digest, seen: key }
  const inForce = keyInForce(key, timeAt(arrival, key, nowMs))
  if (!inForce.ok) return { ...inForce, seen: key }
  const nowS = Math.floor(nowMs / 1000)
  const fresh = checkFreshness(claim.value, nowS)
  if (!fresh.ok) return { ...fresh, seen: key }
  return accept({ key, signed: true, proof: { nonce, created }, onlyReplay: null, skewS: created - nowS, base: redacted(base) })
}

/** The time by which a docking's keys are judged: a sandbox may have its clock ahead. */
export function timeOf({ docking }: Pick<LiveKey, 'docking'>, nowMs: number): Date {
  return new Date(nowMs + docking.clockOffsetS * 1000)
}

/** Whoever has gone too far ahead finds the way back: what steers the sandbox itself is asked by the true time. */
function timeAt({ url }: Arrival, key: LiveKey, nowMs: number): Date {
  return url.startsWith('/api/sandbox') ? new Date(nowMs) : timeOf(key, nowMs)
}

/** A partner may cover any header with its signature; those that carry secrets are named in a report and not shown. */
export function redacted(base: string): string {
  return base.replace(/^"(authorization|proxy-authorization|cookie)": .*$/gm, '"$1": ***').slice(0, 4_000)
}

/**
 * Spends the nonce of a request that is about to be worked on. One that was turned away before keeps it and may come
 * again as it is.
 */
export function spendProof(hub: Hub, who: SignedIn, nowMs: number): SignedIn {
  if (who.proof === null) return who
  const { nonce, created } = who.proof
  const onlyReplay =
    !hub.nonces.spend(who.key.id, nonce, Math.floor(nowMs / 1000)) ? refuse('partners.nonce_reused').refusal
    : created < hub.startedAtS ? refuse('partners.freshness_unknown', { startedAt: new Date(hub.startedAtS * 1000).toISOString() }).refusal
    : null
  return onlyReplay === null ? who : { ...who, onlyReplay }
}

function proves(claim: SignatureClaim, kind: 'hmac-sha256' | 'ed25519', key: KeyObject): boolean {
  return verifyClaim(claim, { kind }, {
    hmacSha256: (base) => createHmac('sha256', key).update(base, 'latin1').digest(),
    equal: (a, b) => a.byteLength === b.byteLength && timingSafeEqual(a, b),
    verifyEd25519: (base, signature) => verify(null, Buffer.from(base, 'latin1'), key, signature),
  })
}

export function toSigned(arrival: Pick<Arrival, 'method' | 'url' | 'scheme' | 'header' | 'body'>): SignedRequest {
  const mark = arrival.url.indexOf('?')
  return {
    method: arrival.method,
    scheme: arrival.scheme,
    authority: authorityOf(arrival.header('host') ?? '', arrival.scheme),
    path: mark < 0 ? arrival.url : arrival.url.slice(0, mark),
    query: mark < 0 ? '' : arrival.url.slice(mark),
    header: (name) => arrival.header(name),
    hasBody: arrival.body === null ? Number(arrival.header('content-length') ?? 1) > 0 : arrival.body.byteLength > 0,
  }
}

function noted(hub: Hub, key: LiveKey, refusal: Refusal, more: Because = {}): { ok: false; refusal: Refusal } {
  hub.orders.noteRefusal(key.docking, 'request.refused', key.id, refusal.code, refusal.because, more)
  return { ok: false, refusal }
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

export function sha512(bytes: Uint8Array): Uint8Array {
  return hash('sha512', bytes, 'buffer')
}
