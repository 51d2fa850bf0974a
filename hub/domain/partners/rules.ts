import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { quarantineIn, type Measure } from '../decisions/index.ts'
import type { KeyKind, LiveKey, Mode } from './model.ts'

/** Whether a key that proved itself may still be used. Told only to a caller who holds the key. */
export function keyInForce(key: Pick<LiveKey, 'id' | 'expiresAt' | 'revokedAt'> & { measures?: readonly Measure[] }, at: Date): Outcome<null> {
  if (key.revokedAt && key.revokedAt <= at) return refuse('partners.key_revoked', { key: key.id, endedAt: key.revokedAt.toISOString() })
  if (key.expiresAt && key.expiresAt <= at) return refuse('partners.key_expired', { key: key.id, endedAt: key.expiresAt.toISOString() })
  const quarantine = key.measures === undefined || key.measures.length === 0 ? null : quarantineIn(key.measures, key.id, at)
  return quarantine === null ? accept(null) : { ok: false, refusal: quarantine }
}

export function mayUse(key: Pick<LiveKey, 'scopes'>, scope: string): Outcome<null> {
  return key.scopes.includes(scope) ? accept(null) : refuse('partners.scope_missing', { needed: scope, granted: key.scopes })
}

export function addressAllowed(allowed: readonly string[], address: string): Outcome<null> {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return allowed.length === 0 || allowed.includes(plain) ? accept(null) : refuse('partners.address_not_allowed', { seen: plain })
}

/** As much of a key as the rules of its life ask for. */
export type KeyFacts = { id: string; kind: KeyKind; scopes: readonly string[]; expiresAt: Date | null; revokedAt: Date | null }

/** One that is used and one that replaces it. */
const LIVE_KEYS_A_KIND = 2

/** A key hands on no more than it has itself. */
export function mayGrant(own: readonly string[], wanted: readonly string[]): Outcome<null> {
  const beyond = wanted.find((scope) => !own.includes(scope))
  return beyond === undefined ? accept(null) : refuse('partners.scope_missing', { needed: beyond, granted: own })
}

/** Whether one more key of the kind may live beside these. */
export function mayAdd(keys: readonly KeyFacts[], kind: KeyKind, at: Date): Outcome<null> {
  const live = keys.filter((key) => key.kind === kind && keyInForce(key, at).ok)
  return live.length < LIVE_KEYS_A_KIND ? accept(null) : refuse('partners.keys_at_limit', { kind, allowed: LIVE_KEYS_A_KIND, keys: live.map((key) => key.id) })
}

/**
 * Whether a key may end while these stay. One must be left that can make others and has no end of its own: in live mode one
 * that signs, since nothing else may call for keys there. Keys that could not do so themselves may always end.
 */
export function mayEnd(keys: readonly KeyFacts[], ending: KeyFacts, mode: Mode, at: Date): Outcome<null> {
  const manages = (key: KeyFacts) =>
    key.scopes.includes('keys:write') && (mode === 'sandbox' ? key.kind !== 'acg' : key.kind === 'hmac-sha256' || key.kind === 'ed25519')
  if (!manages(ending) || !keyInForce(ending, at).ok) return accept(null)
  const lasting = keys.some((key) => key.id !== ending.id && manages(key) && key.expiresAt === null && keyInForce(key, at).ok)
  return lasting ? accept(null) : refuse('partners.last_key', { key: ending.id })
}
