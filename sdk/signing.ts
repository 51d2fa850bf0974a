import { prepareSignature } from '../protocol/signature.ts'

/** A key of the platform's own cryptography (WebCrypto), in browsers and in Node. */
export type PlatformKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

/**
 * Who asks: a key id with its secret, or with the private half of a registered Ed25519 key, signs every request.
 * An API key goes along as a bearer: enough for the sandbox and for reading, not for a live order, and it sees live cards masked.
 */
export type Credentials =
  | { readonly keyId: string; readonly keySecret: string }
  | { readonly keyId: string; readonly privateKey: PlatformKey }
  | { readonly apiKey: string }

export type Message = { readonly method: string; readonly url: URL; readonly body: Uint8Array<ArrayBuffer> | null }

/** Makes the headers that say who asks: anew for every attempt, since a signature is good once. */
export type Signer = (message: Message) => Promise<Record<string, string>>

const NONCE_BYTES = 16

/**
 * Throws a TypeError for a part that is missing, such as a variable of the environment that was not set, and where the
 * platform has no WebCrypto: browsers give it to https pages and to localhost alone.
 */
export function makeSigner(credentials: Credentials): Signer {
  for (const [name, part] of Object.entries(credentials)) if (part === undefined || part === '') throw new TypeError(`credentials.${name} is empty`)
  if ('apiKey' in credentials) {
    const headers = { authorization: `Bearer ${credentials.apiKey}` }
    return async () => headers
  }
  if (globalThis.crypto?.subtle === undefined) throw new TypeError('Signing needs WebCrypto (crypto.subtle): Node 20 or newer, or a page that came over https.')
  const { keyId } = credentials
  const sign = 'privateKey' in credentials ? ed25519(credentials.privateKey) : hmacSha256(credentials.keySecret)
  return async ({ method, url, body }) => {
    const digest = body === null ? null : new Uint8Array(await crypto.subtle.digest('SHA-256', body))
    const stamp = { keyid: keyId, created: Math.floor(Date.now() / 1000), nonce: makeNonce() }
    const prepared = prepareSignature({ method, url }, digest, stamp)
    return prepared.seal(await sign(new TextEncoder().encode(prepared.base)))
  }
}

type Sign = (base: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>

/** The HMAC key is the UTF-8 bytes of the secret as it was issued. It is read once and cannot be read out again. */
function hmacSha256(secret: string): Sign {
  let key: Promise<PlatformKey> | undefined
  return async (base) => {
    key ??= crypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    return new Uint8Array(await crypto.subtle.sign('HMAC', await key, base))
  }
}

function ed25519(privateKey: PlatformKey): Sign {
  return async (base) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, base))
}

function makeNonce(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
