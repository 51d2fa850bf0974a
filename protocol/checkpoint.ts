import { fromBase64, toBase64, toHex } from './bytes.ts'
import type { VerifyEd25519 } from './documents.ts'
import { HASH_BYTES, hashLater, isSame, type Hashing } from './merkle.ts'

/**
 * A checkpoint says how large a log is and what its root is, as a signed note: the text forms of C2SP `tlog-checkpoint` and
 * `signed-note`, and `tlog-cosignature` for those who witness it. So tools of other logs can read it.
 */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array }

/** One line below the text of a note. `keyHash` tells keys of one name apart; it proves nothing. */
export type NoteSignature = { readonly name: string; readonly keyHash: Uint8Array; readonly bytes: Uint8Array<ArrayBuffer> }

export type Note = { readonly checkpoint: Checkpoint; readonly text: string; readonly signatures: readonly NoteSignature[] }

/** Who signs: the name in the note and the raw Ed25519 public key, 32 bytes. */
export type NoteKey = { readonly name: string; readonly publicKey: Uint8Array<ArrayBuffer> }

export type Sha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

const ED25519 = 1
const COSIGNATURE = 4
const KEY_HASH_BYTES = 4
const SIGNATURE_BYTES = 64
const TIME_BYTES = 8
const MOST_LINES = 100
/** Longer than any note with all its lines. */
const MOST_CHARACTERS = 32_768

/** The signed part: origin, size, root, a line each. */
export function writeCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

export function writeNote(text: string, signatures: readonly NoteSignature[]): string {
  return `${text}\n${signatures.map(writeSignature).join('')}`
}

export function writeSignature({ name, keyHash, bytes }: NoteSignature): string {
  const value = new Uint8Array(keyHash.length + bytes.length)
  value.set(keyHash)
  value.set(bytes, keyHash.length)
  return `— ${name} ${toBase64(value)}\n`
}

/** Reads a note with a checkpoint in it; null when it is not written as it must be. Nothing is verified yet. */
export function readNote(note: string): Note | null {
  if (note.length > MOST_CHARACTERS) return null
  const end = note.indexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return null
  const text = note.slice(0, end + 1)
  const checkpoint = readCheckpoint(text)
  const lines = note.slice(end + 2).split('\n').slice(0, -1)
  const signatures = lines.length > MOST_LINES ? [null] : lines.map((line) => readSignature(`${line}\n`))
  if (checkpoint === null || signatures.length === 0 || signatures.includes(null)) return null
  return { checkpoint, text, signatures: signatures as NoteSignature[] }
}

function readCheckpoint(text: string): Checkpoint | null {
  const [, origin, size, rootText] = /^([^\p{Cc}\n]{1,200})\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/u.exec(text) ?? []
  if (origin === undefined) return null
  const root = fromBase64(rootText!)
  return root?.length === HASH_BYTES && Number.isSafeInteger(Number(size)) ? { origin, size: Number(size), root } : null
}

/** Reads one signature line with its line end; null when it is none. */
export function readSignature(line: string): NoteSignature | null {
  const [, name, value] = /^— ([^\s+]{1,200}) ([A-Za-z0-9+/=]{1,300})\n$/u.exec(line) ?? []
  const bytes = value === undefined ? null : fromBase64(value)
  return bytes === null || bytes.length <= KEY_HASH_BYTES ? null : { name: name!, keyHash: bytes.slice(0, KEY_HASH_BYTES), bytes: bytes.slice(KEY_HASH_BYTES) }
}

/** The first four bytes of a hash over name, kind and key of whoever signs. */
export function* keyHashOf({ name, publicKey }: NoteKey, kind: 'log' | 'witness'): Hashing<Uint8Array> {
  const head = new TextEncoder().encode(`${name}\n`)
  const input = new Uint8Array(head.length + 1 + publicKey.length)
  input.set(head)
  input[head.length] = kind === 'log' ? ED25519 : COSIGNATURE
  input.set(publicKey, head.length + 1)
  return (yield input).slice(0, KEY_HASH_BYTES)
}

/** The name of a witness comes from its key: nobody can sign under the name of another, and none says whose it is. */
export function* witnessNameOf(publicKey: Uint8Array): Hashing<string> {
  return `witness-${toHex(yield publicKey).slice(0, 16)}`
}

/** What the log signs: the text alone. */
export function signedBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/** What a witness signs: the text under a header of its own, and when. Seconds since 1970. */
export function cosignedBytes(text: string, timeS: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`cosignature/v1\ntime ${timeS}\n${text}`)
}

/** The signature of a witness as the bytes of its line: the time in front. */
export function cosignature(timeS: number, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TIME_BYTES + SIGNATURE_BYTES)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(timeS))
  bytes.set(signature, TIME_BYTES)
  return bytes
}

/** Whether the log of this key has signed the note. Lines of others are passed over, as the note's form asks. */
export async function isSignedBy(note: Note, key: NoteKey, sha256: Sha256, verify: VerifyEd25519): Promise<boolean> {
  if (note.checkpoint.origin !== key.name) return false
  const keyHash = await hashLater(keyHashOf(key, 'log'), sha256)
  for (const line of note.signatures) {
    if (line.name === key.name && isSame(line.keyHash, keyHash) && line.bytes.length === SIGNATURE_BYTES && (await verify(key.publicKey, line.bytes, signedBytes(note.text)))) return true
  }
  return false
}

/** When this witness has signed the text, in seconds since 1970; null when the line is not a good signature of it. */
export async function cosignedAt(text: string, line: NoteSignature, key: NoteKey, sha256: Sha256, verify: VerifyEd25519): Promise<number | null> {
  if (line.name !== key.name || line.bytes.length !== TIME_BYTES + SIGNATURE_BYTES || !isSame(line.keyHash, await hashLater(keyHashOf(key, 'witness'), sha256))) return null
  const timeS = Number(new DataView(line.bytes.buffer, line.bytes.byteOffset).getBigUint64(0))
  return (await verify(key.publicKey, line.bytes.slice(TIME_BYTES), cosignedBytes(text, timeS))) ? timeS : null
}
