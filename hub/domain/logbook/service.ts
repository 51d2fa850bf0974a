import { toBase64 } from '../../../protocol/bytes.ts'
import { pseudonymOf } from '../../../protocol/leaf.ts'
import { EMPTY_TREE, rootOf } from '../../../protocol/merkle.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Signer } from '../../platform/sealing/signer.ts'
import { erase, type EraseCommand, type Erased } from './erase.ts'
import type { OwnLeaf, OwnName, Sealed, SealedCheckpoint, Witness } from './model.ts'
import { proveConsistency, proveDecisions, proveInclusion } from './proofs.ts'
import { headerOf, originOf } from './rules.ts'
import { noteOf, now, Sealer } from './seal.ts'
import { loadCheckpoint, loadLeaves, loadNewest, loadOwnLeaves, loadOwnName, loadWitnesses, readCheckpoints, readOwnLeaves, readWitnesses } from './store.ts'
import { cosign, type CosignAsk } from './witness.ts'

export type LogbookOptions = { db: Database; clock: Clock; log: Log; signer: Signer; publicUrl: () => string }

/** As which a docking stands in the log, in hexadecimal. */
export function pseudonymOfDocking(salt: Uint8Array, docking: string): string {
  return now(pseudonymOf(salt, docking))
}

const EVERY_MS = 1_000
const WITNESSES_SHOWN = 500

/** Seals the facts behind the hub's back, and shows everybody that nothing sealed was ever changed. */
export class Logbook {
  readonly #options: LogbookOptions
  readonly #sealer: Sealer
  #newest: SealedCheckpoint | null = null
  #header = ''
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  #ailing = false
  #open = true

  constructor(options: LogbookOptions) {
    this.#options = options
    this.#sealer = new Sealer(options.db, options.signer, options.publicUrl)
  }

  /** Begins to seal, once a second; what is more than one seal holds is sealed at once. */
  start(): void {
    const tick = () => {
      this.#round = this.#tick().finally(() => {
        if (this.#open) this.#timer = setTimeout(tick, EVERY_MS).unref()
      })
    }
    this.#timer = setTimeout(tick, 0).unref()
  }

  /** Lets the seal that is under way end. What is not sealed yet, the next life seals. */
  async close(): Promise<void> {
    this.#open = false
    if (this.#timer) clearTimeout(this.#timer)
    await this.#round
  }

  /** Seals all that is behind. @returns false when another process is the sealer now; this one reads what that one seals */
  async seal(): Promise<boolean> {
    for (;;) {
      const round = await this.#sealer.seal()
      if (round.outcome === 'sealed') this.#keep(round.checkpoint)
      // Nothing behind, or not ours to seal: another process may have sealed it.
      else await this.#refresh()
      if (round.outcome !== 'sealed' || !round.more) return round.outcome !== 'fenced'
    }
  }

  /** Size and root of the newest checkpoint, for the header of every answer; '' before anything was looked at. */
  get header(): string {
    return this.#header
  }

  /** The newest checkpoint, or one of a size that was sealed. */
  async checkpoint(size?: number): Promise<Outcome<SealedCheckpoint>> {
    const newest = await this.#latest()
    if (size === undefined || size === newest.size) return accept(newest)
    const found = readCheckpoints(await this.#options.db.run(loadCheckpoint(size)))[0]
    return found ? accept(found) : refuse('logbook.not_sealed', { asked: size, size: newest.size })
  }

  async inclusion(leaf: number, size?: number): Promise<Outcome<{ leaf: number; size: number; leafHash: string; hashes: string[] }>> {
    const tree = await this.#treeOf(size)
    if (tree === null || leaf >= tree) return refuse('logbook.not_sealed', { asked: Math.max(leaf, size ?? 0), size: (await this.#latest()).size })
    return accept({ leaf, size: tree, ...(await proveInclusion(this.#options.db, leaf, tree)) })
  }

  async consistency(from: number, to?: number): Promise<Outcome<{ from: number; to: number; hashes: string[] }>> {
    const tree = await this.#treeOf(to)
    if (tree === null || from > tree) return refuse('logbook.not_sealed', { asked: Math.max(from, to ?? 0), size: (await this.#latest()).size })
    return accept({ from, to: tree, hashes: await proveConsistency(this.#options.db, from, tree) })
  }

  /** Leaves from a place on, as the bytes that are hashed. */
  async leaves(from: number, limit: number): Promise<{ index: number; leaf: string }[]> {
    return (await this.#options.db.run(loadLeaves(from, limit))).map((row) => ({ index: Number(row[0]), leaf: row[1] as string }))
  }

  /** What a docking needs to open its own leaves; null before it has any. */
  async mine(docking: { lane: number; id: string }, after: number, limit: number): Promise<{ name: OwnName | null; leaves: OwnLeaf[] }> {
    const { db } = this.#options
    const row = (await db.run(loadOwnName(docking.lane, docking.id)))[0]
    return { name: row ? { salt: row[0] as Buffer, counter: Number(row[1]) } : null, leaves: readOwnLeaves(await db.run(loadOwnLeaves(docking.lane, docking.id, after, limit))) }
  }

  /** The proofs that stand beside statements: by decision; one that is not sealed yet has none. */
  async decisions(lane: number, decisions: readonly string[]): Promise<Map<string, Sealed>> {
    return decisions.length === 0 ? new Map() : proveDecisions(this.#options.db, lane, decisions, await this.#latest())
  }

  async cosign(docking: { lane: number; id: string; mode: 'sandbox' | 'live' }, ask: CosignAsk & { size: number }): Promise<Outcome<Witness>> {
    const checkpoint = await this.checkpoint(ask.size)
    return checkpoint.ok ? cosign(this.#options.db, docking, checkpoint.value, ask, this.#options.clock.nowMs()) : checkpoint
  }

  /** The newest signature of every docking that witnesses, the furthest first. */
  async witnesses(): Promise<Witness[]> {
    return readWitnesses(await this.#options.db.run(loadWitnesses(WITNESSES_SHOWN)))
  }

  async erase(command: Omit<EraseCommand, 'size'>): Promise<Outcome<Erased>> {
    // What is about to be erased must lie in the log first, or the next seal would write it anew.
    await this.seal()
    const erased = await erase(this.#options.db, { ...command, size: (await this.#latest()).size })
    // Told at once: a docking that finds a leaf of its own erased looks for the leaf that says so.
    if (erased.ok) await this.seal()
    return erased
  }

  /** @returns null for a size that is not reached yet */
  async #treeOf(size: number | undefined): Promise<number | null> {
    const newest = await this.#latest()
    if (size === undefined || size <= newest.size) return size ?? newest.size
    return size <= (await this.#refresh()).size ? size : null
  }

  async #latest(): Promise<SealedCheckpoint> {
    return this.#newest ?? this.#refresh()
  }

  async #refresh(): Promise<SealedCheckpoint> {
    const { db, signer, publicUrl, clock } = this.#options
    const found = readCheckpoints(await db.run(loadNewest()))[0]
    if (found) return this.#keep(found)
    const root = Buffer.from(now(rootOf(EMPTY_TREE)))
    return { size: 0, root, note: noteOf(signer, originOf(publicUrl()), 0, root), sealedAt: new Date(clock.nowMs()) }
  }

  #keep(checkpoint: SealedCheckpoint): SealedCheckpoint {
    if (this.#newest !== null && this.#newest.size >= checkpoint.size) return this.#newest
    this.#newest = checkpoint
    this.#header = headerOf(checkpoint.size, toBase64(checkpoint.root))
    return checkpoint
  }

  async #tick(): Promise<void> {
    try {
      await this.seal()
      this.#ailing = false
    } catch (error) {
      // Told once and not once a second: an outage of the database is everybody's news already.
      if (!this.#ailing) this.#options.log.warn({ err: error }, 'facts cannot be sealed now; they are sealed later, and none is lost')
      this.#ailing = true
    }
  }
}
