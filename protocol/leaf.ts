import { fromHex, toHex } from './bytes.ts'
import { canonicalJson } from './canonical.ts'
import type { Hashing } from './merkle.ts'

/**
 * One leaf of the log, as everybody reads it. What happened, to whom, is not in it: `docking` is a pseudonym and the rest is a
 * commitment, which the docking itself can open and nobody else. So a person's data can be destroyed and the tree still stands.
 */
export type Leaf = {
  readonly v: 1
  /** Its place in the tree. */
  readonly i: number
  /** `block`, or the kind of the fact. */
  readonly kind: string
  readonly at: string
  readonly lane: number
  /** Of the fact in its lane; of a block, the last one that it covers. */
  readonly position: number
  /** Blocks only: the first position that it covers. */
  readonly from?: number
  readonly docking: string | null
  /** Counts the leaves of one docking from 1: a leaf that is kept back leaves a gap. */
  readonly n: number | null
  /** SHA-256 over salt and payload, in hexadecimal. */
  readonly commitment: string
}

export const BLOCK = 'block'
export const SALT_BYTES = 16

/** The bytes that are hashed, as text: canonical JSON (RFC 8785). */
export function writeLeaf(leaf: Leaf): string {
  return canonicalJson(leaf)
}

/** Reads a leaf; null for anything that `writeLeaf` would not have written. */
export function readLeaf(text: string): Leaf | null {
  let leaf: Leaf
  try {
    leaf = JSON.parse(text) as Leaf
    if (typeof leaf !== 'object' || leaf === null || canonicalJson(leaf) !== text) return null
  } catch {
    return null
  }
  const { v, i, kind, at, lane, position, from, docking, n, commitment } = leaf
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  const isOwned = docking === null ? n === null : isHash(docking) && isCount(n) && n > 0
  const isBlock = kind === BLOCK ? isCount(from) && from > 0 && from <= position && docking === null : from === undefined
  return v === 1 && isCount(i) && typeof kind === 'string' && typeof at === 'string' && Number.isSafeInteger(lane) && isCount(position) && isOwned && isBlock && isHash(commitment) ? leaf : null
}

/** What a leaf commits to: SHA-256(salt ‖ payload), the payload as canonical JSON. */
export function* commitmentOf(salt: Uint8Array, payload: string): Hashing<string> {
  return toHex(yield joined(salt, payload))
}

/** Under what name a docking stands in the log: SHA-256(salt ‖ docking). Only who has the salt can tell whose it is. */
export function* pseudonymOf(salt: Uint8Array, docking: string): Hashing<string> {
  return toHex(yield joined(salt, docking))
}

/** The hash that stands for a statement of reasons in the payload of its leaf: over the whole statement as the docking gets it. */
export function* statementHash(statement: unknown): Hashing<string> {
  return toHex(yield new TextEncoder().encode(canonicalJson(statement)))
}

function joined(salt: Uint8Array, text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  const input = new Uint8Array(salt.length + bytes.length)
  input.set(salt)
  input.set(bytes, salt.length)
  return input
}

function isHash(text: unknown): boolean {
  return typeof text === 'string' && text.length === 64 && fromHex(text) !== null
}
