import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { documentBytes, type PublishedKey, type Signed } from '../../../protocol/documents.ts'
import type { Database } from '../postgres/database.ts'
import type { Vault } from './vault.ts'

/** An SPKI document of an Ed25519 key is this head and the 32 bytes. */
const SPKI_HEAD_BYTES = 12

/** The hub's own hand: one Ed25519 key that signs reports, checkpoints and whatever else must be believed without the hub. */
export class Signer {
  readonly keyId: string
  /** 32 raw bytes in base64. */
  readonly publicKey: string
  readonly #key: KeyObject

  constructor(key: KeyObject) {
    const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_HEAD_BYTES)
    this.#key = key
    this.publicKey = raw.toString('base64')
    this.keyId = keyIdOf(raw)
  }

  get published(): PublishedKey {
    return { id: this.keyId, algorithm: 'ed25519', publicKey: this.publicKey }
  }

  /** 64 bytes of Ed25519. */
  sign(bytes: Uint8Array): Buffer {
    return sign(null, bytes, this.#key)
  }

  /** The document with the hub's signature over its canonical form beside it. */
  signDocument<T extends object>(document: T): Signed<T> {
    return { ...document, signature: { keyId: this.keyId, algorithm: 'ed25519', value: this.sign(documentBytes(document)).toString('base64url') } }
  }
}

function keyIdOf(publicKey: Uint8Array): string {
  return `sig_${createHash('sha256').update(publicKey).digest('hex').slice(0, 20)}`
}

/**
 * Opens the hub's signing key. It is made once a database and lies there sealed under the key-encryption key, so whoever
 * restores the one with the other goes on with the same hand.
 */
export async function openSigner(db: Database, vault: Vault): Promise<Signer> {
  const stored = await load(db)
  if (stored) return open(vault, stored)
  const { privateKey } = generateKeyPairSync('ed25519')
  const made = new Signer(privateKey)
  await db.run({
    text: 'insert into platform.signing_keys (one, id, public_key, sealed) values (true, $1, $2, $3) on conflict do nothing',
    values: [made.keyId, Buffer.from(made.publicKey, 'base64'), vault.seal(privateKey.export({ format: 'der', type: 'pkcs8' }), CONTEXT)],
  })
  // Read again: another hub may have started on the same empty database.
  return open(vault, (await load(db))!)
}

const CONTEXT = 'signing key of the hub'

async function load(db: Database): Promise<Buffer | undefined> {
  return (await db.run({ text: 'select sealed from platform.signing_keys', values: [] }))[0]?.[0] as Buffer | undefined
}

function open(vault: Vault, sealed: Buffer): Signer {
  return new Signer(createPrivateKey({ key: vault.open(sealed, CONTEXT), format: 'der', type: 'pkcs8' }))
}
