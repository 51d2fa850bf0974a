import type { Measure } from '../decisions/index.ts'
import type { KeyObject } from 'node:crypto'

export type Mode = 'sandbox' | 'live'
export type DialectName = 'json' | 'acg0'

export const SCOPES = ['goods:read', 'orders:write', 'orders:read', 'funds:read', 'docking:read', 'keys:write'] as const
export const READ_SCOPES: readonly string[] = SCOPES.filter((scope) => scope.endsWith(':read'))

export type Docking = {
  id: string
  lane: number
  partner: string
  name: string
  mode: Mode
  dialect: DialectName
  /** The id by which a foreign protocol names its caller; null where the protocol has none. */
  appId: string | null
  /** Addresses that may call; empty means any. */
  allowedAddresses: readonly string[]
  /** What guards a shop whose protocol cannot say the most that it pays. */
  priceGuard: PriceGuard
  /** The most that a piece may cost; only with the guard `max`. */
  priceCapMicro: bigint | null
  /** A port at whose root the docking is served beside its path; null when it has none. */
  port: number | null
  createdAt: Date
  /** The migration that opened it, with order numbers of another site; null for all others. */
  migration: string | null
  /** The live docking whose sandbox this is; null for all others. */
  twinOf: string | null
  /** Seconds by which a sandbox's clock is ahead of the hub's; 0 for every live docking. */
  clockOffsetS: number
}

/** last_shown: no dearer than the hub last answered. max: no dearer than the cap. none: whatever it costs. */
export const PRICE_GUARDS = ['last_shown', 'max', 'none'] as const
export type PriceGuard = (typeof PRICE_GUARDS)[number]

export type KeyKind = 'bearer' | 'hmac-sha256' | 'ed25519' | 'acg'

/** A key with its docking, ready to be used: a signing secret is open here and nowhere else. */
export type LiveKey = {
  id: string
  kind: KeyKind
  mode: Mode
  docking: Docking
  scopes: readonly string[]
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  /** What stands against the docking, as the key was looked up: for the sign-in and the rate. Orders ask in their batch. */
  measures: readonly Measure[]
  /** The secret of hmac-sha256, the public key of ed25519; null otherwise. */
  key: KeyObject | null
  /** The secret text of an acg key, which its protocol hashes as text; null otherwise. */
  text: string | null
}
