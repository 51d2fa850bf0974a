import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Seals secrets at rest with AES-256-GCM. The key-encryption key seals signing secrets and the data keys of lots; a data
 * key seals the cards of one lot. A KeyObject is kept and not the raw bytes: opening with it costs a fifth.
 */
export class Vault {
  readonly fingerprint: string
  readonly #sealing: KeyObject
  readonly #blinding: KeyObject

  /** @param kek 32 bytes */
  constructor(kek: Uint8Array) {
    if (kek.byteLength !== 32) throw new Error('the key-encryption key must have 32 bytes')
    this.#sealing = derive(kek, 'berth sealing')
    this.#blinding = derive(kek, 'berth blind index')
    this.fingerprint = createHmac('sha256', derive(kek, 'berth fingerprint')).update('kek').digest('hex').slice(0, 32)
  }

  /** @param context what the secret belongs to; opening under another context fails */
  seal(plain: Uint8Array, context: string): Buffer {
    return sealWith(this.#sealing, plain, context)
  }

  open(sealed: Uint8Array, context: string): Buffer {
    return openWith(this.#sealing, sealed, context)
  }

  /** A fresh data key, and the same sealed for storage. */
  makeDataKey(context: string): { key: KeyObject; sealed: Buffer } {
    const raw = randomBytes(32)
    const made = { key: createSecretKey(raw), sealed: this.seal(raw, context) }
    raw.fill(0)
    return made
  }

  openDataKey(sealed: Uint8Array, context: string): KeyObject {
    return createSecretKey(this.open(sealed, context))
  }

  /** A keyed hash that finds equal secrets without knowing them; 16 bytes. */
  blind(text: string): Buffer {
    return createHmac('sha256', this.#blinding).update(text).digest().subarray(0, 16)
  }
}

export function sealWith(key: KeyObject, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

/** Throws when the bytes were changed or belong to another context: that is a damaged database, not a partner's mistake. */
export function openWith(key: KeyObject, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES)), decipher.final()])
}

function derive(kek: Uint8Array, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', kek, new Uint8Array(0), purpose, 32)))
}
