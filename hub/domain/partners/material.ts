import { createPublicKey, randomBytes } from 'node:crypto'
import { makeKey } from '../../../protocol/keys.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { hashBearer } from './keyring.ts'
import type { KeyKind, Mode } from './model.ts'
import type { KeyRow } from './store.ts'

/** What a new key is made of: how it is kept, and the secret that is shown once (null where the partner holds its own half). */
export type Material = Pick<KeyRow, 'hash' | 'sealed' | 'publicKey'> & { secret: string | null }

/** Refuses `protocol.invalid_field` for an Ed25519 key that is none. */
export function makeMaterial(vault: Vault, key: { id: string; kind: KeyKind; mode: Mode }, publicKeyPem: string | null): Outcome<Material> {
  const nothing = { hash: null, sealed: null, publicKey: null }
  if (key.kind === 'ed25519') {
    const publicKey = readPublicKey(publicKeyPem ?? '')
    return publicKey ? accept({ ...nothing, publicKey, secret: null }) : refuse('protocol.invalid_field', { path: '/publicKey', expected: 'an Ed25519 public key in PEM' })
  }
  if (key.kind === 'bearer') {
    const secret = makeKey(key.mode === 'live' ? 'bth_live_' : 'bth_test_', randomBytes)
    return accept({ ...nothing, hash: hashBearer(secret), secret })
  }
  const secret = key.kind === 'acg' ? randomBytes(8).toString('hex').toUpperCase() : randomBytes(32).toString('base64url')
  return accept({ ...nothing, sealed: vault.seal(Buffer.from(secret), `key|${key.id}`), secret })
}

/** Node would make the public half out of a private key: whoever sends one has made a mistake, and must hear it. */
function readPublicKey(pem: string): Buffer | null {
  if (!/^\s*-----BEGIN PUBLIC KEY-----/.test(pem)) return null
  try {
    const key = createPublicKey(pem)
    return key.asymmetricKeyType === 'ed25519' ? key.export({ format: 'der', type: 'spki' }) : null
  } catch {
    return null
  }
}
