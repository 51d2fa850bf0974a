import { hash } from 'node:crypto'
import { toBase64 } from '../../../protocol/bytes.ts'
import { keyHashOf, readNote, signedBytes, writeCheckpoint, writeNote, type Note } from '../../../protocol/checkpoint.ts'
import { consistencyRanges, EMPTY_TREE, fold, grow, hashNow, leafHash, rootOf, subtreesOf, type Hashing, type TreeNode } from '../../../protocol/merkle.ts'
import type { Signer } from '../../platform/sealing/signer.ts'

/**
 * The log of one drill: a tree of its own, grown out of the drill's id, so that it needs no rows and is the same after a crash.
 * Its notes carry an origin of their own. What is signed here can therefore never be held against the true log, which is
 * neither read nor touched.
 */
export type CopyPhase = 'watch' | 'grow' | 'forged'

export const SIZES: Readonly<Record<CopyPhase, number>> = { watch: 16, grow: 24, forged: 32 }
/** Well below what was witnessed, so that every later root differs. */
const REWRITTEN_LEAF = 5

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
const now = <T>(hashing: Hashing<T>): T => hashNow(hashing, sha256)

export class LogCopy {
  readonly origin: string
  readonly #run: string
  readonly #signer: Signer

  constructor(run: string, publicUrl: string, signer: Signer) {
    this.origin = `${publicUrl.replace(/^https?:\/\//, '').replace(/[\s+]/g, '-')}/drills/${run}/log`
    this.#run = run
    this.#signer = signer
  }

  /** The signed note that the hub shows in a phase. One size and root always give the same note. */
  note(phase: CopyPhase): string {
    const tree = this.#tree(SIZES[phase], phase === 'forged')
    const text = writeCheckpoint({ origin: this.origin, size: SIZES[phase], root: tree.root })
    const keyHash = now(keyHashOf({ name: this.origin, publicKey: new Uint8Array(Buffer.from(this.#signer.publicKey, 'base64')) }, 'log'))
    return writeNote(text, [{ name: this.origin, keyHash, bytes: new Uint8Array(this.#signer.sign(signedBytes(text))) }])
  }

  /** The proof that the hub offers in a phase; that of the forged tree proves nothing about what was seen before. Null beyond its size. */
  consistency(phase: CopyPhase, from: number, to: number): string[] | null {
    if (from > to || to > SIZES[phase]) return null
    const { nodes } = this.#tree(SIZES[phase], phase === 'forged')
    return consistencyRanges(from, to).map((range) => toBase64(now(fold(subtreesOf(range).map(({ level, index }) => nodes.get(`${level} ${index}`)!)))))
  }

  /** Whether two notes are two histories of this drill that cannot both be true: one that was honestly shown, and the forged one. */
  contradict(first: string, second: string): boolean {
    const [one, other] = [readNote(first), readNote(second)]
    if (one === null || other === null) return false
    const isForged = (note: Note) => note.text === readNote(this.note('forged'))!.text
    const isHonest = (note: Note) => (['watch', 'grow'] as const).some((phase) => note.text === readNote(this.note(phase))!.text)
    return (isForged(one) && isHonest(other)) || (isHonest(one) && isForged(other))
  }

  #tree(size: number, isForged: boolean): { root: Uint8Array; nodes: Map<string, Uint8Array> } {
    const nodes = new Map<string, Uint8Array>()
    const leaves = Array.from({ length: size }, (_, i) => now(leafHash(Buffer.from(`drill ${this.#run} leaf ${i}${isForged && i === REWRITTEN_LEAF ? ' rewritten' : ''}`))))
    const tree = now(grow(EMPTY_TREE, leaves, ({ level, index, hash: value }: TreeNode) => void nodes.set(`${level} ${index}`, value)))
    return { root: now(rootOf(tree)), nodes }
  }
}
