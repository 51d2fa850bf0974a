import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { LiveKey } from './model.ts'

/** Whether a key that proved itself may still be used. Told only to a caller who holds the key. */
export function keyInForce(key: Pick<LiveKey, 'id' | 'expiresAt' | 'revokedAt'>, at: Date): Outcome<null> {
  if (key.revokedAt && key.revokedAt <= at) return refuse('partners.key_revoked', { key: key.id, endedAt: key.revokedAt.toISOString() })
  if (key.expiresAt && key.expiresAt <= at) return refuse('partners.key_expired', { key: key.id, endedAt: key.expiresAt.toISOString() })
  return accept(null)
}

export function mayUse(key: Pick<LiveKey, 'scopes'>, scope: string): Outcome<null> {
  return key.scopes.includes(scope) ? accept(null) : refuse('partners.scope_missing', { needed: scope, granted: key.scopes })
}

export function addressAllowed(allowed: readonly string[], address: string): Outcome<null> {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return allowed.length === 0 || allowed.includes(plain) ? accept(null) : refuse('partners.address_not_allowed', { seen: plain })
}
