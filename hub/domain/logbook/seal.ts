import { hash, randomBytes } from 'node:crypto'
import { toBase64 } from '../../../protocol/bytes.ts'
import { keyHashOf, signedBytes, writeCheckpoint, writeNote } from '../../../protocol/checkpoint.ts'
import { BLOCK, commitmentOf, pseudonymOf, SALT_BYTES, statementHash, writeLeaf } from '../../../protocol/leaf.ts'
import { EMPTY_TREE, grow, HASH_BYTES, hashNow, leafHash, rootOf, type Frontier, type Hashing, type TreeNode } from '../../../protocol/merkle.ts'
import { loadBlocks, loadFactsAt, readBareFacts, readBlocks, type BareFact, type Block, type Span } from '../../platform/blocks.ts'
import { loadHeads } from '../../platform/lanes.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Signer } from '../../platform/sealing/signer.ts'
import { findDecision, tellable } from '../decisions/index.ts'
import type { SealedCheckpoint } from './model.ts'
import { blockPayload, FACTS_PER_SEAL, FAMILIES, factPayload, originOf, SILENT, spansOf } from './rules.ts'
import {
  countLeaves, insertCheckpoint, insertLeaves, insertNodes, insertPayloads, loadCursors, loadNewest, lockSealer, moveCursors, moveSealer, readCheckpoints, readSealer, takeOverSealer,
  type NewLeaf, type SealerRow,
} from './store.ts'

export const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')
/** Runs a hashing at once. */
export const now = <T>(hashing: Hashing<T>): T => hashNow(hashing, sha256)

/** `none`: nothing is behind. `fenced`: another process seals now, and this one never will again. */
export type Round = { outcome: 'sealed'; checkpoint: SealedCheckpoint; more: boolean } | { outcome: 'none' | 'fenced' }

/**
 * Follows the facts of all lanes and seals them. Heads are counted under the lanes' locks, so every position up to a head
 * that is seen here is committed: nothing can slip in below a sealed position. One row orders those who would seal, and
 * its epoch stops whoever held it before; leaves, tree, checkpoint and cursors are one transaction.
 */
export class Sealer {
  readonly #db: Database
  readonly #signer: Signer
  readonly #publicUrl: () => string
  readonly #most: bigint
  #epoch: bigint | null = null
  #fenced = false

  /** @param most how many facts one seal covers */
  constructor(db: Database, signer: Signer, publicUrl: () => string, most: bigint = FACTS_PER_SEAL) {
    this.#db = db
    this.#signer = signer
    this.#publicUrl = publicUrl
    this.#most = most
  }

  /** Seals what is behind, as much of it as one seal holds. */
  async seal(): Promise<Round> {
    if (this.#fenced) return { outcome: 'fenced' }
    this.#epoch ??= (await this.#db.run(takeOverSealer()))[0]![0] as bigint
    const spans = spansOf(await this.#reaches(this.#db), this.#most)
    if (spans.length === 0) return { outcome: 'none' }
    const round = await this.#db.transaction((connection) => this.#round(connection, this.#epoch!))
    this.#fenced = round.outcome === 'fenced'
    return round
  }

  async #reaches(connection: Connection) {
    const heads = await connection.run(loadHeads())
    const cursors = new Map((await connection.run(loadCursors())).map((row) => [row[0] as number, row[1] as bigint]))
    return (heads as [number, bigint][]).map(([lane, head]) => ({ lane, head, sealed: cursors.get(lane) ?? head }))
  }

  async #round(connection: Connection, epoch: bigint): Promise<Round> {
    const row = readSealer(await connection.run(lockSealer()))
    if (row.epoch !== epoch) return { outcome: 'fenced' }
    const frontier = await trustedFrontier(connection, row)
    // Looked at again under the lock: what stood before it may have been sealed by somebody else.
    const reaches = await this.#reaches(connection)
    const spans = spansOf(reaches, this.#most)
    if (spans.length === 0) return { outcome: 'none' }
    const sealedAt = (await connection.run({ name: 'platform.clock', text: 'select clock_timestamp()', values: [] }))[0]![0] as Date
    const leaves = await this.#leavesOf(connection, spans, frontier.size, sealedAt)
    const nodes: TreeNode[] = []
    const grown = now(grow(frontier, leaves.map((leaf) => now(leafHash(Buffer.from(leaf.bytes)))), (node) => void nodes.push(node)))
    const origin = row.origin ?? originOf(this.#publicUrl())
    const checkpoint = this.#sign(origin, grown, sealedAt)
    await expect(leaves.length, connection.run(insertLeaves(leaves)))
    await expect(leaves.length, connection.run(insertPayloads(leaves)))
    await expect(nodes.length, connection.run(insertNodes(nodes)))
    await expect(spans.length, connection.run(moveCursors(spans)))
    await connection.run(insertCheckpoint(checkpoint, epoch))
    await expect(1, connection.run(moveSealer(epoch, origin, grown.size, Buffer.concat(grown.peaks))))
    return { outcome: 'sealed', checkpoint, more: spans.some((span) => reaches.some(({ lane, head }) => lane === span.lane && span.upTo < head)) }
  }

  #sign(origin: string, tree: Frontier, sealedAt: Date): SealedCheckpoint {
    const root = Buffer.from(now(rootOf(tree)))
    return { size: tree.size, root, note: noteOf(this.#signer, origin, tree.size, root), sealedAt }
  }

  /** Lane by lane: the facts with leaves of their own, then the block over all facts of the span. */
  async #leavesOf(connection: Connection, spans: readonly Span[], size: number, sealedAt: Date): Promise<NewLeaf[]> {
    const blocks = new Map(readBlocks(await connection.run(loadBlocks(spans, FAMILIES, SILENT))).map((block) => [block.lane, block]))
    const chosen = [...blocks.values()].flatMap(({ lane, chosen: positions }) => positions.map((position) => ({ lane, position })))
    const facts = chosen.length === 0 ? [] : readBareFacts(await connection.run(loadFactsAt(chosen)))
    const names = await namesOf(connection, facts)
    const leaves: NewLeaf[] = []
    for (const span of spans) {
      for (const fact of facts) if (fact.lane === span.lane) leaves.push(factLeaf(fact, size + leaves.length, names, await this.#statementOf(fact)))
      leaves.push(blockLeaf(span, blocks.get(span.lane), size + leaves.length, sealedAt))
    }
    return leaves
  }

  async #statementOf(fact: BareFact): Promise<string | null> {
    if (fact.kind !== 'decision.taken' || fact.subject === null) return null
    const decision = await findDecision(this.#db, fact.lane, fact.subject)
    return decision === null ? null : now(statementHash(tellable(decision.statement)))
  }
}

/** The signed note of a tree; Ed25519 gives the same one each time. */
export function noteOf(signer: Signer, origin: string, size: number, root: Uint8Array): string {
  const text = writeCheckpoint({ origin, size, root })
  const keyHash = now(keyHashOf({ name: origin, publicKey: new Uint8Array(Buffer.from(signer.publicKey, 'base64')) }, 'log'))
  return writeNote(text, [{ name: origin, keyHash, bytes: new Uint8Array(signer.sign(signedBytes(text))) }])
}

/** The tree to go on from. Its root must be the one that was last signed, or something signed would be contradicted. */
async function trustedFrontier(connection: Connection, row: SealerRow): Promise<Frontier> {
  const frontier: Frontier = row.size === 0 ? EMPTY_TREE : { size: row.size, peaks: Array.from({ length: row.peaks.length / HASH_BYTES }, (_, i) => row.peaks.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)) }
  const newest = readCheckpoints(await connection.run(loadNewest()))[0]
  const isLast = newest === undefined ? frontier.size === 0 : newest.size === frontier.size && toBase64(newest.root) === toBase64(now(rootOf(frontier)))
  if (!isLast) throw new Error('the tree to grow is not the one of the newest checkpoint: run "berth log check"')
  return frontier
}

type Names = Map<string, { pseudonym: string; counter: number }>

/** The pseudonym of every docking among the facts, and its counter before them. */
async function namesOf(connection: Connection, facts: readonly BareFact[]): Promise<Names> {
  const more = new Map<string, { lane: number; docking: string; salt: Buffer; more: number }>()
  for (const { lane, docking } of facts) {
    if (docking === null) continue
    const known = more.get(docking)
    if (known) known.more++
    else more.set(docking, { lane, docking, salt: randomBytes(SALT_BYTES), more: 1 })
  }
  if (more.size === 0) return new Map()
  const rows = await connection.run(countLeaves([...more.values()]))
  return new Map(rows.map((row) => {
    const docking = row[1] as string
    return [docking, { pseudonym: now(pseudonymOf(row[2] as Buffer, docking)), counter: Number(row[3]) - more.get(docking)!.more }]
  }))
}

function factLeaf(fact: BareFact, i: number, names: Names, statement: string | null): NewLeaf {
  const { lane, position, docking, kind, subject, at } = fact
  const name = docking === null ? null : names.get(docking)!
  const n = name === null ? null : ++name.counter
  const salt = randomBytes(SALT_BYTES)
  const payload = factPayload(fact, statement)
  const bytes = writeLeaf({
    v: 1, i, kind, at: at.toISOString(), lane, position: Number(position), docking: name?.pseudonym ?? null, n, commitment: now(commitmentOf(salt, payload)),
  })
  return { index: i, lane, position, isBlock: false, bytes, docking, counter: n, kind, subject, salt, payload }
}

/** Positions are dense: a span of which a fact is missing must not be sealed as if it were whole. */
function blockLeaf(span: Span, block: Block | undefined, i: number, at: Date): NewLeaf {
  const { lane, after, upTo } = span
  if (BigInt(block?.count ?? 0) !== upTo - after) throw new Error(`lane ${lane} has ${block?.count ?? 0} facts from ${after + 1n} to ${upTo}: facts are missing`)
  const from = after + 1n
  const salt = randomBytes(SALT_BYTES)
  const payload = blockPayload({ lane, from, to: upTo, digest: block!.digest!.toString('hex') })
  const bytes = writeLeaf({
    v: 1, i, kind: BLOCK, at: at.toISOString(), lane, position: Number(upTo), from: Number(from), docking: null, n: null, commitment: now(commitmentOf(salt, payload)),
  })
  return { index: i, lane, position: upTo, isBlock: true, bytes, docking: null, counter: null, kind: BLOCK, subject: null, salt, payload }
}

async function expect(count: number, written: Promise<readonly unknown[]>): Promise<void> {
  if ((await written).length !== count) throw new Error('a seal was not written whole')
}
