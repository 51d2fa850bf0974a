import { hash } from 'node:crypto'
import type { Vault } from '../../platform/sealing/vault.ts'

export type LinkKeys = Pick<Vault, 'blind'>

/**
 * The token of a notice's link: 128 bits under a key of the hub's own, so that every attempt to send carries the same
 * link although nothing but its hash is stored.
 */
export function linkTokenOf(keys: LinkKeys, notice: string): { token: string; hash: Buffer } {
  const token = keys.blind(`notice|${notice}`).toString('base64url')
  return { token, hash: hashToken(token) }
}

export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer')
}

const TOKEN = /^[A-Za-z0-9_-]{22}$/

/** Whether a text could be a token; says nothing about whether one was ever given out. */
export function isToken(text: string): boolean {
  return TOKEN.test(text)
}
