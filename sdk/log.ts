import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { cosignature, cosignedBytes, isSignedBy, keyHashOf, readNote, witnessNameOf, writeSignature, type Note, type NoteKey, type Sha256 } from '../protocol/checkpoint.ts'
import { hashLater, isSame, verifyConsistency } from '../protocol/merkle.ts'
import type { Fetch } from './exchange.ts'
import { fault, type LogFault } from './log-faults.ts'
import { LogReader } from './log-reader.ts'
import type { PlatformKey } from './signing.ts'
import type { Language } from './unreachable.ts'

/** As which a docking was seen to stand in the log, and with how many leaves. */
export type OwnMemory = { readonly pseudonym: string; readonly leaves: number }

/** What is kept between two looks: whose log it is, the newest checkpoint that was checked, and by id the dockings whose leaves were. */
export type LogMemory = { readonly origin: string; readonly publicKey: string; readonly note: string; readonly own?: Readonly<Record<string, OwnMemory>> }

/** Where the memory is kept: a file, a row, the storage of a browser. Losing it loses the proof that the log only grew. */
export type LogStore = { load(): Promise<LogMemory | null>; save(memory: LogMemory): Promise<void> }

export type LogOptions = {
  /** The hub's address, such as https://hub.example. */
  readonly url: string
  readonly store: LogStore
  readonly fetch?: Fetch
  readonly timeoutMs?: number
  readonly language?: Language
  /** Another SHA-256 than the platform's own, such as one that answers at once. */
  readonly sha256?: Sha256
}

/** One look. `note` is the checkpoint that the hub has signed, null when it has not; it holds where there are no faults. `before` is the one that was remembered. */
export type LogLook = { readonly note: Note | null; readonly key: NoteKey | null; readonly before: Note | null; readonly faults: readonly LogFault[] }

/** SHA-256 of the platform (WebCrypto). */
export const platformSha256: Sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))

/** Ed25519 of the platform. A key that is none has signed nothing. */
export async function platformVerify(publicKey: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
    return await crypto.subtle.verify('Ed25519', key, signature, bytes)
  } catch {
    return false
  }
}

/**
 * Watches the log of a hub and believes nothing: its key is taken once and pinned, and every checkpoint must be signed with
 * it and go on from the one before. So whoever looks from time to time would see a history that was rewritten, cut, or is
 * not the one that others see.
 */
export class LogWatch {
  readonly reader: LogReader
  readonly sha256: Sha256
  readonly #store: LogStore

  constructor({ url, store, fetch, timeoutMs, language, sha256 = platformSha256 }: LogOptions) {
    this.reader = new LogReader({ url, fetch, timeoutMs, language })
    this.sha256 = sha256
    this.#store = store
  }

  /** Takes the newest checkpoint, checks it against the remembered one, and remembers it. Throws HubUnreachable. */
  async look(): Promise<LogLook> {
    const memory = await this.#store.load()
    const before = memory === null ? null : readNote(memory.note)
    const text = (await this.reader.text('/api/log/checkpoint')) ?? ''
    const note = readNote(text)
    if (note === null) return { note, key: null, before, faults: [fault('not_a_checkpoint', null, text.slice(0, 2_000))] }
    const key = memory === null ? await this.#firstKey(note) : { name: memory.origin, publicKey: fromBase64(memory.publicKey) ?? new Uint8Array() }
    if (!(await isSignedBy(note, key, this.sha256, platformVerify))) return { note: null, key, before, faults: [fault('not_signed', null, text, `${key.name} ${toBase64(key.publicKey)}`)] }
    const faults = before === null ? [] : await this.#compare(before, note, memory!.note, text)
    if (faults.length > 0) return { note, key, before, faults }
    await this.#store.save({ origin: key.name, publicKey: toBase64(key.publicKey), note: text, ...(memory?.own && { own: memory.own }) })
    return { note, key, before, faults }
  }

  /** As what a docking was remembered; null when its leaves were never checked. */
  async ownBefore(docking: string): Promise<OwnMemory | null> {
    return (await this.#store.load())?.own?.[docking] ?? null
  }

  /** Remembers a docking whose leaves were checked: it may never stand under another name, or with fewer leaves. */
  async keepOwn(docking: string, own: OwnMemory): Promise<void> {
    const memory = await this.#store.load()
    if (memory !== null) await this.#store.save({ ...memory, own: { ...memory.own, [docking]: own } })
  }

  /** At the first look there is nothing to hold the key against: from then on it is the only one. */
  async #firstKey(note: Note): Promise<NoteKey> {
    const known = await this.reader.json<{ keys?: { publicKey?: string }[] }>('/.well-known/berth')
    return { name: note.checkpoint.origin, publicKey: fromBase64(known?.keys?.[0]?.publicKey ?? '') ?? new Uint8Array() }
  }

  async #compare({ checkpoint: from }: Note, { checkpoint: to }: Note, ...notes: readonly string[]): Promise<LogFault[]> {
    if (to.size < from.size) return [fault('truncated', null, ...notes)]
    if (to.size === from.size) return isSame(to.root, from.root) ? [] : [fault('split_view', null, ...notes)]
    const proof = await this.reader.json<{ hashes: string[] }>(`/api/log/consistency?from=${from.size}&to=${to.size}`)
    const hashes = readHashes(proof?.hashes)
    const goesOn = hashes !== null && (await hashLater(verifyConsistency({ from: from.size, fromRoot: from.root, to: to.size, toRoot: to.root, hashes }), this.sha256))
    return goesOn ? [] : [fault('split_view', null, ...notes)]
  }
}

/** Hashes as the hub sends them; null when they are none. */
export function readHashes(texts: unknown): Uint8Array[] | null {
  if (!Array.isArray(texts) || texts.length > 108) return null
  const hashes = texts.map((text) => (typeof text === 'string' ? fromBase64(text) : null))
  return hashes.includes(null) ? null : (hashes as Uint8Array[])
}

/** Signs a checkpoint that was checked, as its witness: the body of POST /api/log/witness. */
export async function cosign(note: Note, { privateKey, publicKey }: { privateKey: PlatformKey; publicKey: Uint8Array<ArrayBuffer> }, timeS: number): Promise<{ size: number; publicKey: string; line: string }> {
  const name = await hashLater(witnessNameOf(publicKey), platformSha256)
  const signature = new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, cosignedBytes(note.text, timeS)))
  const keyHash = await hashLater(keyHashOf({ name, publicKey }, 'witness'), platformSha256)
  return { size: note.checkpoint.size, publicKey: toBase64(publicKey), line: writeSignature({ name, keyHash, bytes: cosignature(timeS, signature) }).trimEnd() }
}
