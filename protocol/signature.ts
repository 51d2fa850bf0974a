import { accept, refuse } from './outcome.ts'
import type { Outcome } from './outcome.ts'
import {
  cursorOn, encodeBase64, PRINTABLE, quote, readBytesMember, readDictionary, readInputMember, serialiseInput,
} from './structured-fields.ts'
import type { BareItem, Cursor, InputMember } from './structured-fields.ts'

/**
 * Message signatures (RFC 9421) and content digests (RFC 9530), as both sides make and check them.
 * The cryptography is handed in, so that the hub may cache key objects and a browser may bring its own.
 */
export type SignedRequest = {
  /** As sent: methods are case-sensitive. */
  readonly method: string
  readonly scheme: 'http' | 'https'
  /** The Host header as `authorityOf` writes it. */
  readonly authority: string
  /** The path as sent, before any decoding; '/' if it is empty. */
  readonly path: string
  /** The query as sent with its leading '?', or ''. */
  readonly query: string
  /** A header by its lower-case name; the values of a repeated header joined by ', ' as RFC 9110 says. */
  header(name: string): string | undefined
  /** True when at least one byte of body was sent. */
  readonly hasBody: boolean
}

export type SignatureAlgorithm = 'hmac-sha256' | 'ed25519'

export type SignatureClaim = {
  readonly label: string
  readonly keyid: string
  /** Seconds since 1970. */
  readonly created: number
  /** Seconds since 1970, when the signer set an end of its own. */
  readonly expires: number | null
  readonly nonce: string
  /** What the message says about itself; the key's record decides, see verifyClaim. */
  readonly alg: SignatureAlgorithm | null
  /** The signature base of RFC 9421 §2.5, ASCII only. */
  readonly base: string
  /** 32 bytes (hmac-sha256) or 64 (ed25519). */
  readonly signature: Uint8Array
}

/** Bound to one key by the caller. `equal` compares two arrays of one length in constant time. */
export type SignatureCrypto = {
  hmacSha256(base: string): Uint8Array
  equal(a: Uint8Array, b: Uint8Array): boolean
  verifyEd25519?(base: string, signature: Uint8Array): boolean
}

export const FRESHNESS_WINDOW_S = 300

const HMAC_BYTES = 32
const ED25519_BYTES = 64
const MAX_NONCE_LENGTH = 128
const MAX_KEYID_LENGTH = 256
/** Seconds reach this in the year 5138, milliseconds reached it in 1973: what is larger was not meant as seconds. */
const MAX_SECONDS = 100_000_000_000

/** What the three parameters with a countable value must look like; the words of protocol.invalid_field. */
const EXPECTED: Readonly<Record<string, string>> = {
  created: 'whole seconds since 1970 as an integer, not milliseconds and not text',
  expires: 'whole seconds since 1970 as an integer, not before created',
  nonce: '1 to 128 printable ASCII characters between double quotes',
}

/**
 * Reads the claim that a request makes about its signer; nothing is verified yet.
 * The first label that covers all that is required is taken, and if none does, the refusal speaks about the first.
 * Refuses with partners.credentials_missing, partners.signature_malformed, partners.signature_incomplete or
 * protocol.invalid_field (path signature-input.created, .expires or .nonce).
 */
export function readSignature(request: SignedRequest): Outcome<SignatureClaim> {
  const input = request.header('signature-input')
  const signature = request.header('signature')
  if (input === undefined && signature === undefined) return refuse('partners.credentials_missing')
  if (input === undefined) return malformed('the header Signature-Input is missing')
  if (signature === undefined) return malformed('the header Signature is missing')
  const cursor = cursorOn('Signature-Input', input)
  const members = readDictionary(cursor, readInputMember)
  if (members === null) return unreadable(cursor)
  let firstRefusal: Outcome<never> | null = null
  for (const [label, member] of members) {
    const lack = lackOf(member, request)
    if (lack === null) return readClaim(label, member, signature, request)
    firstRefusal ??= lack
  }
  return firstRefusal ?? malformed('Signature-Input is empty')
}

/** The @authority of RFC 9421 §2.2.3: the Host header in lower case, without the port that the scheme implies. */
export function authorityOf(host: string, scheme: 'http' | 'https'): string {
  const authority = host.toLowerCase()
  const defaultPort = scheme === 'https' ? ':443' : ':80'
  return authority.endsWith(defaultPort) ? authority.slice(0, -defaultPort.length) : authority
}

/**
 * The signature base of RFC 9421 §2.5: one line for each component, then "@signature-params".
 * Refuses with partners.signature_malformed a component that is not read here, not sent, or not ASCII:
 * a line break in a value could otherwise forge a line of the base.
 */
export function signatureBase(
  request: SignedRequest,
  components: readonly string[],
  signatureParams: string,
): Outcome<string> {
  let base = ''
  for (const name of components) {
    const value = componentValue(request, name)
    if (value === undefined) return malformed(problemOf(name))
    if (!PRINTABLE.test(value)) return malformed(`the value of "${name}" is not plain ASCII`)
    // Only headers are trimmed, and only after the test above: trim() also takes what is no white space in HTTP.
    base += `"${name}": ${name.startsWith('@') ? value : value.trim()}\n`
  }
  return accept(`${base}"@signature-params": ${signatureParams}`)
}

/** Refuses with partners.clock_skew; skewS is positive when the signer's clock is ahead of `nowS` (seconds since 1970). */
export function checkFreshness(
  claim: { readonly created: number; readonly expires: number | null },
  nowS: number,
  windowS: number = FRESHNESS_WINDOW_S,
): Outcome<null> {
  const skewS = claim.created - nowS
  if (Math.abs(skewS) > windowS) return refuse('partners.clock_skew', { skewS, allowedS: windowS })
  // A signer that sets `expires` narrows the window of its own message; that narrower window is then what is allowed.
  if (claim.expires !== null && nowS > claim.expires) {
    return refuse('partners.clock_skew', { skewS, allowedS: claim.expires - claim.created })
  }
  return accept(null)
}

/**
 * True when the key made the signature. The algorithm comes from the key's record alone: a message that names another
 * one is a mismatch, so nobody can choose how a key is used.
 */
export function verifyClaim(
  claim: SignatureClaim,
  key: { readonly kind: SignatureAlgorithm },
  crypto: SignatureCrypto,
): boolean {
  if (claim.alg !== null && claim.alg !== key.kind) return false
  if (key.kind === 'hmac-sha256') {
    return claim.signature.length === HMAC_BYTES && crypto.equal(crypto.hmacSha256(claim.base), claim.signature)
  }
  if (!crypto.verifyEd25519) throw new TypeError('a key of kind ed25519 needs verifyEd25519')
  return claim.signature.length === ED25519_BYTES && crypto.verifyEd25519(claim.base, claim.signature)
}

/**
 * Checks Content-Digest (RFC 9530) against the body. Every sha-256 and sha-512 given must match, other algorithms are
 * ignored, and at least one of the two must be there. Refuses with partners.signature_malformed or
 * partners.digest_mismatch, whose `seen` is the digest of the body that arrived.
 */
export function checkContentDigest(
  header: string,
  body: Uint8Array,
  sha256: (body: Uint8Array) => Uint8Array,
  sha512: (body: Uint8Array) => Uint8Array,
): Outcome<null> {
  const cursor = cursorOn('Content-Digest', header)
  const members = readDictionary(cursor, readBytesMember)
  if (members === null) return unreadable(cursor)
  let known = 0
  for (const [algorithm, declared] of members) {
    if (algorithm !== 'sha-256' && algorithm !== 'sha-512') continue
    known++
    const seen = algorithm === 'sha-256' ? sha256(body) : sha512(body)
    if (seen.length !== declared.length) return malformed(`Content-Digest: ${algorithm} is not ${seen.length} bytes long`)
    if (!seen.every((byte, i) => byte === declared[i])) {
      return refuse('partners.digest_mismatch', { seen: `${algorithm}=:${encodeBase64(seen)}:` })
    }
  }
  return known > 0 ? accept(null) : malformed('Content-Digest has neither sha-256 nor sha-512')
}

export type RequestToSign = {
  readonly method: string
  readonly url: string | URL
  readonly body?: Uint8Array | string
  readonly idempotencyKey?: string
}

/** Who signs, when, and with which number used once. `created` is in seconds since 1970. */
export type SignatureStamp = {
  readonly keyid: string
  readonly created: number
  readonly nonce: string
  /** Also names the algorithm in the message; the hub does not need it. */
  readonly alg?: SignatureAlgorithm
}

export type RequestSigner = Omit<SignatureStamp, 'alg'> & {
  readonly hmacSha256: (base: string) => Uint8Array
  readonly sha256: (body: Uint8Array) => Uint8Array
  /** Also names the algorithm in the message; the hub does not need it. */
  readonly withAlg?: boolean
}

export type SignatureHeaders = { 'signature-input': string; signature: string; 'content-digest'?: string }

/** A request as it will be signed: what the key must sign, and the headers that carry what it made. */
export type PreparedSignature = { readonly base: string; readonly seal: (signature: Uint8Array) => SignatureHeaders }

/**
 * The client's side: the headers to add to a request, covering just what the hub requires.
 * Throws a TypeError for a value that no signature can carry, such as a nonce outside ASCII.
 */
export function signRequest(request: RequestToSign, signer: RequestSigner): SignatureHeaders {
  const body = typeof request.body === 'string' ? new TextEncoder().encode(request.body) : request.body
  const digest = body && body.length > 0 ? signer.sha256(body) : null
  const { keyid, created, nonce } = signer
  const prepared = prepareSignature(request, digest, { keyid, created, nonce, ...(signer.withAlg ? { alg: 'hmac-sha256' } : {}) })
  return prepared.seal(signer.hmacSha256(prepared.base))
}

/**
 * The same in two steps, for a client whose cryptography answers later, as that of browsers does.
 * `digest` is the SHA-256 of the body, null without one. Throws as signRequest does.
 */
export function prepareSignature(request: Omit<RequestToSign, 'body'>, digest: Uint8Array | null, stamp: SignatureStamp): PreparedSignature {
  // The URL parser is the one that fetch sends by, so the path signed is the path sent.
  const url = new URL(request.url)
  const contentDigest = digest === null ? undefined : `sha-256=:${encodeBase64(digest)}:`
  const sent: Record<string, string | undefined> = { 'content-digest': contentDigest, 'idempotency-key': request.idempotencyKey }
  const target: SignedRequest = {
    method: request.method,
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    authority: url.host,
    path: url.pathname,
    query: url.search,
    header: (name) => sent[name],
    hasBody: digest !== null,
  }
  const components = requiredComponents(target)
  const list = components.map((name) => `"${name}"`).join(' ')
  const alg = stamp.alg === undefined ? '' : `;alg="${stamp.alg}"`
  const params = `(${list});created=${stamp.created};nonce=${quote(stamp.nonce)};keyid=${quote(stamp.keyid)}${alg}`
  const base = signatureBase(target, components, params)
  if (!base.ok) throw new TypeError(String(base.refusal.because.problem))
  return {
    base: base.value,
    seal: (signature) => ({
      'signature-input': `sig1=${params}`,
      signature: `sig1=:${encodeBase64(signature)}:`,
      ...(contentDigest === undefined ? {} : { 'content-digest': contentDigest }),
    }),
  }
}

function requiredComponents(request: SignedRequest): string[] {
  const required = ['@method', '@authority', '@path']
  // A lone '?' asks nothing, and URL parsers do not show it to the signer.
  if (request.query.length > 1) required.push('@query')
  if (request.hasBody) required.push('content-digest')
  if (request.header('idempotency-key') !== undefined) required.push('idempotency-key')
  return required
}

const REQUIRED_PARAMETERS = ['created', 'nonce', 'keyid'] as const

/** Why this member cannot be the signature of this request, or null when it covers all that is required. */
function lackOf(member: InputMember, request: SignedRequest): Outcome<never> | null {
  if (member.problem !== null) return malformed(member.problem)
  const missing: string[] = []
  for (const name of requiredComponents(request)) if (!member.components.includes(name)) missing.push(name)
  for (const name of REQUIRED_PARAMETERS) if (!member.parameters.has(name)) missing.push(name)
  return missing.length > 0 ? refuse('partners.signature_incomplete', { missing }) : null
}

function readClaim(label: string, member: InputMember, header: string, request: SignedRequest): Outcome<SignatureClaim> {
  const { parameters } = member
  const created = secondsOf(parameters.get('created'))
  if (created === null) return invalidParameter('created')
  const expires = parameters.has('expires') ? secondsOf(parameters.get('expires')) : null
  if (parameters.has('expires') && (expires === null || expires < created)) return invalidParameter('expires')
  const nonce = textOf(parameters.get('nonce'), MAX_NONCE_LENGTH)
  if (nonce === null) return invalidParameter('nonce')
  const keyid = textOf(parameters.get('keyid'), MAX_KEYID_LENGTH)
  if (keyid === null) return malformed(`keyid is not a quoted string of 1 to ${MAX_KEYID_LENGTH} characters`)
  const alg = parameters.has('alg') ? textOf(parameters.get('alg'), MAX_KEYID_LENGTH) : null
  if (alg !== 'hmac-sha256' && alg !== 'ed25519' && (alg !== null || parameters.has('alg'))) {
    return malformed('alg is neither "hmac-sha256" nor "ed25519"')
  }
  const cursor = cursorOn('Signature', header)
  const signatures = readDictionary(cursor, readBytesMember)
  if (signatures === null) return unreadable(cursor)
  const signature = signatures.get(label)
  if (signature === undefined) return malformed(`Signature has no member ${label}, which Signature-Input names`)
  if (signature.length !== HMAC_BYTES && signature.length !== ED25519_BYTES) {
    return malformed(`${signature.length} bytes in base64; hmac-sha256 makes 32 and ed25519 makes 64`)
  }
  const base = signatureBase(request, member.components, serialiseInput(member))
  if (!base.ok) return base
  return accept({ label, keyid, created, expires, nonce, alg, base: base.value, signature })
}

function secondsOf(value: BareItem | undefined): number | null {
  if (value?.kind !== 'integer') return null
  const seconds = Number(value.text)
  return Math.abs(seconds) < MAX_SECONDS ? seconds : null
}

function textOf(value: BareItem | undefined, maxLength: number): string | null {
  return value?.kind === 'string' && value.text !== '' && value.text.length <= maxLength ? value.text : null
}

const FIELD_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/

function componentValue(request: SignedRequest, name: string): string | undefined {
  switch (name) {
    case '@method': return request.method
    case '@authority': return request.authority
    case '@path': return request.path
    case '@query': return request.query === '' ? '?' : request.query
    case '@scheme': return request.scheme
    case '@target-uri': return `${request.scheme}://${request.authority}${request.path}${request.query}`
    default: return FIELD_NAME.test(name) ? request.header(name) : undefined
  }
}

function problemOf(name: string): string {
  if (name.startsWith('@')) return `"${name}" is not a component that is read here`
  return FIELD_NAME.test(name) ? `"${name}" is covered but was not sent` : `"${name}" is not a lower-case header name`
}

function malformed(problem: string): Outcome<never> {
  // A problem may quote a name from the message, which is as long as its sender likes.
  return refuse('partners.signature_malformed', { problem: problem.length > 120 ? `${problem.slice(0, 119)}…` : problem })
}

function invalidParameter(name: string): Outcome<never> {
  return refuse('protocol.invalid_field', { path: `signature-input.${name}`, expected: EXPECTED[name] ?? '' })
}

function unreadable(cursor: Cursor): Outcome<never> {
  return Object.hasOwn(EXPECTED, cursor.parameter) ? invalidParameter(cursor.parameter) : malformed(cursor.problem)
}
