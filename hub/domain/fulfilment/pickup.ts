import { timingSafeEqual } from 'node:crypto'
import type { Vault } from '../../platform/sealing/vault.ts'

const ID_LENGTH = 20
const PROOF_BYTES = 16

/** The end of the address at which whoever holds it sees the order: the order's id, and a proof that only the hub can make. */
export function pickupToken(vault: Vault, order: string): string {
  return `${order.slice('ord_'.length)}${proofOf(vault, order).toString('base64url')}`
}

/** The id of the order whose token this is; null for anything else. */
export function orderOfToken(vault: Vault, token: string): string | null {
  if (!/^[0-9a-z]{20}[\w-]{22}$/.test(token)) return null
  const order = `ord_${token.slice(0, ID_LENGTH)}`
  const given = Buffer.from(token.slice(ID_LENGTH), 'base64url')
  return given.length === PROOF_BYTES && timingSafeEqual(given, proofOf(vault, order)) ? order : null
}

function proofOf(vault: Vault, order: string): Buffer {
  return vault.blind(`pickup|${order}`).subarray(0, PROOF_BYTES)
}
