import { fromBase64, fromHex, toBase64 } from '../protocol/bytes.ts'
import { cosignedAt, readSignature, witnessNameOf, writeCheckpoint, type Checkpoint } from '../protocol/checkpoint.ts'
import { BLOCK, commitmentOf, pseudonymOf, readLeaf, statementHash, type Leaf } from '../protocol/leaf.ts'
import { EMPTY_TREE, fold, grow, HASH_BYTES, hashLater, inclusionRanges, isSame, leafHash, rootOf, subtreesOf, verifyInclusion, type Hashing, type LeafRange } from '../protocol/merkle.ts'
import type { Decision } from './contract.ts'
import type { MyLeaves, WitnessView } from './log-contract.ts'
import { platformVerify, readHashes, type LogLook, type LogWatch, type OwnMemory } from './log.ts'
import { fault, type LogFault } from './log-faults.ts'

/** What a docking holds against the log: its id, what the hub says are its leaves, its decisions, and roots that answers carried. */
export type Own = { readonly docking: string; readonly leaves: readonly MyLeaves[]; readonly decisions: readonly Decision[]; readonly shown?: readonly string[] }

/** `decision`: whose taking the leaf was; null for other facts. */
export type ErasedLeaf = { readonly leaf: number; readonly decision: string | null }

/** `leaves`: how many were read; `own`: of the docking itself, and `erased` of these; `witnesses`: signatures of others that hold for this very history. */
export type LogAudit = { readonly leaves: number; readonly own: number; readonly erased: readonly ErasedLeaf[]; readonly witnesses: number; readonly faults: readonly LogFault[] }

const PAGE = 500
/** Hashes are kept in pieces of so many: a hub that claims a huge log cannot make us reserve it. */
const PIECE = 4_096
/** So many leaves are proved one by one. */
const PROOFS = 50
/** What was decided so short a time ago may wait for its seal. */
const SEALED_WITHIN_MS = 60_000

/**
 * Rebuilds the whole tree from its leaves and compares everything with the checkpoint of a look: every leaf at its place, no
 * fact left out, every docking counted without a gap; then what one docking is told about itself. The faults of the look
 * come first. Throws HubUnreachable.
 */
export async function auditLog(watch: LogWatch, { note, before, faults: seen }: LogLook, own: Own | null, onProgress: (leaves: number, size: number) => void = () => {}): Promise<LogAudit> {
  if (note === null) return { leaves: 0, own: 0, erased: [], witnesses: 0, faults: seen }
  const walk = new Walk(watch, note.checkpoint)
  const witnesses = listOf((await watch.reader.json<{ items: WitnessView[] }>('/api/log/witnesses'))?.items)
  const asked = [...(before ? [before.checkpoint.size] : []), ...(own?.shown ?? []).map((text) => Number(text.split(';')[0])), ...witnesses.map(({ size }) => size)]
  const rebuilt = await walk.run(asked, onProgress)
  const told = own === null ? NOTHING_TOLD : await checkOwn(walk, own, rebuilt.length === 0 ? await watch.ownBefore(own.docking) : null)
  const proofs = rebuilt.length > 0 ? [] : await walk.checkProofs(own)
  // The leaves themselves say whether the log goes on from what was remembered: then the proof alone was spoilt.
  const known = before && walk.roots.get(before.checkpoint.size)
  const goesOn = rebuilt.length === 0 && known && isSame(known, before.checkpoint.root)
  const looked = seen.map((one) => (one.kind === 'split_view' && goesOn ? fault('proof_broken', null, ...one.evidence) : one))
  const signed = await checkWitnesses(walk, note.checkpoint.origin, witnesses)
  const faults = [...looked, ...rebuilt, ...told.faults, ...proofs, ...signed.faults]
  if (own !== null && told.as !== null && faults.length === 0) await watch.keepOwn(own.docking, told.as)
  return { leaves: walk.size, own: own === null ? 0 : own.leaves.reduce((sum, page) => sum + page.items.length, 0), erased: told.erased, witnesses: signed.count, faults }
}

class Walk {
  readonly watch: LogWatch
  readonly checkpoint: Checkpoint
  /** Roots at sizes that somebody asked about. */
  readonly roots = new Map<number, Uint8Array>()
  /** The texts of leaves that have an owner, by pseudonym. */
  readonly owned = new Map<string, Map<number, string>>()
  readonly #pieces: Uint8Array[] = []
  readonly #sealedUpTo = new Map<number, number>()
  #tree = EMPTY_TREE

  constructor(watch: LogWatch, checkpoint: Checkpoint) {
    this.watch = watch
    this.checkpoint = checkpoint
  }

  get size(): number {
    return this.#tree.size
  }

  hash<T>(hashing: Hashing<T>): Promise<T> {
    return hashLater(hashing, this.watch.sha256)
  }

  async run(wanted: readonly number[], onProgress: (leaves: number, size: number) => void): Promise<LogFault[]> {
    const faults: LogFault[] = []
    const { size, root } = this.checkpoint
    const sizes = [...new Set(wanted)].filter((one) => one >= 0 && one <= size).sort((a, b) => a - b)
    if (sizes[0] === 0) this.roots.set(0, await this.hash(rootOf(this.#tree)))
    while (this.size < size) {
      const page = await this.watch.reader.json<{ items: { index: number; leaf: string }[] }>(`/api/log/leaves?from=${this.size}&limit=${PAGE}`)
      const items = listOf(page?.items).slice(0, size - this.size)
      const gap = items.findIndex(({ index }, k) => index !== this.size + k)
      if (items.length === 0 || gap === 0) return [...faults, fault(items.length === 0 ? 'truncated' : 'leaf_missing', this.size, `${this.size} of ${size} leaves are there`)]
      await this.#add(gap < 0 ? items : items.slice(0, gap), sizes, faults)
      if (faults.length > 100) return faults
      onProgress(this.size, size)
    }
    if (isSame(await this.hash(rootOf(this.#tree)), root)) return faults
    // A leaf that says itself what is wrong with it needs no search.
    return faults.length > 0 ? faults : [await this.#locate()]
  }

  async #add(items: readonly { index: number; leaf: string }[], sizes: readonly number[], faults: LogFault[]): Promise<void> {
    for (const { index, leaf: text } of items) {
      const leaf = typeof text === 'string' ? readLeaf(text) : null
      if (leaf === null) faults.push(fault('leaf_unreadable', index, String(text).slice(0, 500)))
      else faults.push(...this.#judge(index, text, leaf))
      const hash = await this.hash(leafHash(new TextEncoder().encode(String(text))))
      if (this.size % PIECE === 0) this.#pieces.push(new Uint8Array(PIECE * HASH_BYTES))
      this.#pieces.at(-1)!.set(hash, (this.size % PIECE) * HASH_BYTES)
      this.#tree = await this.hash(grow(this.#tree, [hash]))
      if (sizes.includes(this.size)) this.roots.set(this.size, await this.hash(rootOf(this.#tree)))
    }
  }

  #judge(index: number, text: string, leaf: Leaf): LogFault[] {
    const faults: LogFault[] = []
    if (leaf.i !== index) faults.push(fault('leaf_moved', index, text))
    if (leaf.kind === BLOCK) {
      if (leaf.from !== (this.#sealedUpTo.get(leaf.lane) ?? 0) + 1) faults.push(fault('facts_left_out', index, text))
      this.#sealedUpTo.set(leaf.lane, leaf.position)
    }
    if (leaf.docking !== null) {
      const known = this.owned.get(leaf.docking) ?? new Map<number, string>()
      if (leaf.n !== known.size + 1) faults.push(fault('counter_gap', index, text, `leaf number ${known.size + 1} of ${leaf.docking} is due`))
      this.owned.set(leaf.docking, known.set(leaf.n!, text))
    }
    return faults
  }

  /** Asks for the proofs of some leaves, one's own and others spread over the log: what is served for a single decision must hold too. */
  async checkProofs(own: Own | null): Promise<LogFault[]> {
    const { size, root } = this.checkpoint
    const spread = Array.from({ length: Math.min(PROOFS, size) }, (_, k) => Math.floor((k * size) / Math.min(PROOFS, size)))
    const leaves = [...(own?.leaves ?? []).flatMap((page) => page.items.map(({ index }) => index)).slice(-PROOFS), ...spread, size - 1]
    const faults: LogFault[] = []
    for (const leaf of new Set(leaves.filter((one) => one >= 0 && one < size))) {
      const hashes = readHashes((await this.watch.reader.json<{ hashes: string[] }>(`/api/log/proof?leaf=${leaf}&size=${size}`))?.hashes)
      if (hashes === null || !(await this.hash(verifyInclusion({ leafHash: this.#hashAt(leaf), leaf, size, root, hashes })))) faults.push(fault('proof_broken', leaf, ...(hashes ?? []).map(toBase64)))
    }
    return faults
  }

  /** Finds a leaf that is not the sealed one: the siblings in a proof that holds are the sealed ones, and lead to where ours differ. */
  async #locate(): Promise<LogFault> {
    const { size, root } = this.checkpoint
    for (let leaf = 0; ; ) {
      const proof = await this.watch.reader.json<{ leafHash: string; hashes: string[] }>(`/api/log/proof?leaf=${leaf}&size=${size}`).catch(() => null)
      const hashes = readHashes(proof?.hashes)
      const sealed = readHashes([proof?.leafHash])?.[0]
      const mine = this.#hashAt(leaf)
      if (hashes === null || sealed === undefined) return fault('root_differs', null, `${size} ${toBase64(root)}`, toBase64(await this.hash(rootOf(this.#tree))))
      if (!(await this.hash(verifyInclusion({ leafHash: mine, leaf, size, root, hashes })))) {
        const isEdited = !isSame(mine, sealed) && (await this.hash(verifyInclusion({ leafHash: sealed, leaf, size, root, hashes })))
        return isEdited ? fault('leaf_edited', leaf, toBase64(sealed), toBase64(mine)) : fault('root_differs', null, `${size} ${toBase64(root)}`, toBase64(await this.hash(rootOf(this.#tree))))
      }
      const ranges = inclusionRanges(leaf, size)
      let next: number | null = null
      for (const [k, range] of ranges.entries()) if (next === null && !isSame(await this.#rootOfRange(range), hashes[k]!)) next = range.from
      if (next === null || next <= leaf) return fault('root_differs', null, `${size} ${toBase64(root)}`)
      leaf = next
    }
  }

  #hashAt(leaf: number): Uint8Array {
    const at = (leaf % PIECE) * HASH_BYTES
    return this.#pieces[Math.floor(leaf / PIECE)]!.subarray(at, at + HASH_BYTES)
  }

  async #rootOfRange(range: LeafRange): Promise<Uint8Array> {
    const peaks: Uint8Array[] = []
    for (const { level, index } of subtreesOf(range)) {
      const width = 2 ** level
      const hashes = Array.from({ length: width }, (_, k) => this.#hashAt(index * width + k))
      peaks.push(await this.hash(rootOf(await this.hash(grow(EMPTY_TREE, hashes)))))
    }
    return this.hash(fold(peaks))
  }
}

/** A payload that opens its leaf may still be no JSON: a hub can commit to anything. */
function readPayload(text: string): { kind?: string; subject?: string; statement?: string } {
  try {
    return (JSON.parse(text) as object | null) ?? {}
  } catch {
    return {}
  }
}

/** What a hub calls a list. Whatever else it sends is an empty one. */
function listOf<Item extends object>(items: readonly Item[] | undefined): readonly Item[] {
  return Array.isArray(items) ? (items as readonly Item[]).filter((item) => typeof item === 'object' && item !== null) : []
}

/** Signatures of witnesses against the roots that come out here: who signed another root has seen another history. */
async function checkWitnesses(walk: Walk, origin: string, witnesses: readonly WitnessView[]): Promise<{ count: number; faults: LogFault[] }> {
  const faults: LogFault[] = []
  let count = 0
  for (const { name, publicKey: keyText, size, line } of witnesses) {
    const root = walk.roots.get(size)
    // Signed after the look.
    if (root === undefined) continue
    const publicKey = fromBase64(String(keyText))
    const read = readSignature(`${line}\n`)
    const isNamed = publicKey !== null && name === (await walk.hash(witnessNameOf(publicKey)))
    const timeS = isNamed && read !== null ? await cosignedAt(writeCheckpoint({ origin, size, root }), read, { name, publicKey }, walk.watch.sha256, platformVerify) : null
    if (timeS === null) faults.push(fault('cosignature_broken', null, `${size} ${toBase64(root)}`, line))
    else count++
  }
  return { count, faults }
}

type Told = { readonly faults: readonly LogFault[]; readonly erased: readonly ErasedLeaf[]; readonly as: OwnMemory | null }
const NOTHING_TOLD: Told = { faults: [], erased: [], as: null }

/** What one docking is told about itself, against the leaves that everybody sees, and against what it was told before. */
async function checkOwn(walk: Walk, { docking, leaves: pages, decisions, shown = [] }: Own, before: OwnMemory | null): Promise<Told> {
  const faults: LogFault[] = []
  for (const text of shown) {
    const [size, root] = text.split(';')
    const known = walk.roots.get(Number(size))
    if (known && toBase64(known) !== root) faults.push(fault('other_root_shown', null, text, `${size};${toBase64(known)}`))
  }
  const name = pages[0]?.name ?? null
  const pseudonym = name === null ? null : await walk.hash(pseudonymOf(fromHex(name.salt) ?? new Uint8Array(), docking))
  if (name !== null && pseudonym !== name.pseudonym) faults.push(fault('name_differs', null, name.pseudonym, String(pseudonym)))
  const mine = (pseudonym === null ? undefined : walk.owned.get(pseudonym)) ?? new Map<number, string>()
  const as = pseudonym === null ? null : { pseudonym, leaves: mine.size }
  if (before !== null && (as?.pseudonym !== before.pseudonym || as.leaves < before.leaves)) {
    faults.push(fault('second_history', null, `${before.pseudonym} ${before.leaves}`, as === null ? 'none' : `${as.pseudonym} ${as.leaves}`))
  }
  const opened = await openOwn(walk, pages, mine)
  const erased = [...opened.erased].map((leaf) => ({ leaf, decision: decisions.find((one) => one.sealed?.leafIndex === leaf)?.id ?? null }))
  return { faults: [...faults, ...opened.faults, ...(await checkStatements(walk, decisions, opened))], erased, as }
}

/** `statements`: the hash that was sealed, by decision. `erased`: leaves whose payload is gone; `takings`: those of them that were of decisions. */
type Opened = { readonly faults: readonly LogFault[]; readonly statements: ReadonlyMap<string, string>; readonly erased: ReadonlySet<number>; readonly takings: ReadonlySet<number> }

/** Opens the leaves of a docking. Each must be the one that everybody sees, and what was erased must be told by a leaf. */
async function openOwn(walk: Walk, pages: readonly MyLeaves[], seen: ReadonlyMap<number, string>): Promise<Opened> {
  const faults: LogFault[] = []
  const mine = new Map(seen)
  const [statements, erased, takings, told] = [new Map<string, string>(), new Set<number>(), new Set<number>(), new Set<string>()]
  for (const { index, n, leaf: text, salt, payload } of pages.flatMap((page) => page.items)) {
    const says = payload === null ? {} : readPayload(payload)
    if (says.kind === 'erasure.done' && says.subject !== undefined) told.add(says.subject)
    // Sealed after the look: the next one sees it.
    if (index >= walk.checkpoint.size) continue
    const leaf = readLeaf(text)
    if (leaf === null || mine.get(n) !== text || leaf.n !== n || leaf.i !== index) faults.push(fault('own_leaf_differs', index, text, mine.get(n) ?? 'no such leaf'))
    mine.delete(n)
    if (leaf === null) continue
    if (salt === null || payload === null) {
      erased.add(index)
      if (leaf.kind === 'decision.taken') takings.add(index)
    } else if ((await walk.hash(commitmentOf(fromHex(salt) ?? new Uint8Array(), payload))) !== leaf.commitment) faults.push(fault('payload_edited', index, text, payload))
    else if (says.kind === 'decision.taken' && says.subject !== undefined) statements.set(says.subject, says.statement ?? '')
  }
  for (const text of mine.values()) faults.push(fault('leaf_withheld', readLeaf(text)!.i, text))
  for (const leaf of erased) if (!told.has(String(leaf))) faults.push(fault('erasure_untold', leaf))
  return { faults, statements, erased, takings }
}

/** Every decision stands in a leaf as it is told now. An erased leaf excuses the one decision whose place it is, and no other. */
async function checkStatements(walk: Walk, decisions: readonly Decision[], { statements, takings }: Opened): Promise<LogFault[]> {
  const faults: LogFault[] = []
  const excused = new Set<number>()
  for (const decision of decisions) {
    const sealed = statements.get(decision.id)
    if (sealed !== undefined) {
      if (sealed !== (await walk.hash(statementHash(decision.statement)))) faults.push(fault('statement_edited', decision.sealed?.leafIndex ?? null, decision.id, JSON.stringify(decision.statement)))
      continue
    }
    const place = decision.sealed?.leafIndex
    const isErased = place !== undefined && takings.has(place) && !excused.has(place)
    if (isErased) excused.add(place)
    else if (Date.parse(decision.decidedAt) < Date.now() - SEALED_WITHIN_MS) faults.push(fault('statement_not_sealed', null, decision.id))
  }
  return faults
}
