import { toBase64 } from '../../../protocol/bytes.ts'
import { isSignedBy, readNote } from '../../../protocol/checkpoint.ts'
import { EMPTY_TREE, grow, leafHash, rootOf, type Frontier, type TreeNode } from '../../../protocol/merkle.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import type { Signer } from '../../platform/sealing/signer.ts'
import { checkLeaves, readErasures, type Lanes, type StatementOf } from './audit-leaves.ts'
import { loadAuditPage, loadCheckpointsWithin, loadNames, readAuditRows, type AuditRow } from './audit-store.ts'
import type { LogFinding, SealedCheckpoint } from './model.ts'
import { now, sha256 } from './seal.ts'
import { countNodes, loadCursors, loadNodes, lookAtSealer, readCheckpoints, readSealer } from './store.ts'
import { verifyEd25519 } from './witness.ts'

const PAGE = 500
/** With so many the log is not a little wrong, and who reads on learns nothing. */
const MOST_FINDINGS = 1_000

/** What the walk knows so far. `wrongNodes`: stored nodes that are not what the leaves below them make. */
type Walk = Lanes & { tree: Frontier; nodes: number; wrongNodes: Set<string>; rootTold: boolean; origin: string; findings: LogFinding[] }

/**
 * Proves the log from its rows: every leaf against its place, its payload, its fact and its statement; every block against
 * the facts themselves; every node and checkpoint against the tree that the leaves make. `connection` sees one snapshot.
 */
export async function auditLog(connection: Connection, signer: Signer, statementOf: StatementOf): Promise<LogFinding[]> {
  const sealer = readSealer(await connection.run(lookAtSealer()))
  const walk: Walk = {
    tree: EMPTY_TREE, nodes: 0, wrongNodes: new Set(), rootTold: false, origin: sealer.origin ?? '', findings: [], sealedUpTo: new Map(), counters: new Map(), waiting: new Map(), erasures: await readErasures(connection),
    names: new Map((await connection.run(loadNames())).map((row) => [`${row[0]} ${row[1]}`, row[2] as Buffer])),
  }
  for (;;) {
    const rows = readAuditRows(await connection.run(loadAuditPage(walk.tree.size, PAGE)))
    const dense = rows.filter((row, k) => row.index === walk.tree.size + k)
    if (dense.length > 0) {
      walk.findings.push(...(await checkLeaves(connection, walk, dense, statementOf)))
      await checkTree(connection, signer, walk, dense)
    }
    if (dense.length < rows.length) walk.findings.push({ rule: 'no leaf is missing', row: `leaf ${walk.tree.size}`, expected: `leaf ${walk.tree.size}`, seen: `leaf ${rows[dense.length]!.index}` })
    // Behind a gap every hash is another one: what can be said is where it begins.
    if (dense.length < rows.length || rows.length === 0 || walk.findings.length > MOST_FINDINGS) break
  }
  nameWrongNodes(walk)
  if (walk.findings.length === 0) await checkEnds(connection, walk, sealer)
  else if (sealer.size !== walk.tree.size) walk.findings.push(truncated(walk, sealer.size))
  return walk.findings.slice(0, MOST_FINDINGS)
}

/** Grows the tree by the leaves, from checkpoint to checkpoint, and compares what is stored with what comes out. */
async function checkTree(connection: Connection, signer: Signer, walk: Walk, rows: readonly AuditRow[]): Promise<void> {
  const start = walk.tree.size
  const hashes = rows.map((row) => now(leafHash(Buffer.from(row.bytes))))
  const grown: TreeNode[] = []
  const checkpoints = readCheckpoints(await connection.run(loadCheckpointsWithin(start, start + rows.length)))
  for (const checkpoint of [...checkpoints, null]) {
    const upTo = checkpoint === null ? rows.length : checkpoint.size - start
    walk.tree = now(grow(walk.tree, hashes.slice(walk.tree.size - start, upTo), (node) => void grown.push(node)))
    if (checkpoint !== null) await checkCheckpoint(signer, walk, checkpoint)
  }
  walk.nodes += grown.length
  const stored = new Map((await connection.run(loadNodes(grown))).map((row) => [`${row[0]} ${row[1]}`, row[2] as Buffer]))
  for (const { level, index, hash } of grown) if (!stored.get(`${level} ${index}`)?.equals(hash)) walk.wrongNodes.add(`${level} ${index}`)
}

async function checkCheckpoint(signer: Signer, walk: Walk, { size, root, note }: SealedCheckpoint): Promise<void> {
  const row = `checkpoint ${size}`
  const read = readNote(note)
  const key = { name: walk.origin, publicKey: new Uint8Array(Buffer.from(signer.publicKey, 'base64')) }
  if (read === null || !(await isSignedBy(read, key, sha256, verifyEd25519))) {
    walk.findings.push({ rule: 'a checkpoint is signed by the hub', row, expected: `a note of ${walk.origin} signed with ${signer.keyId}`, seen: note.slice(0, 200) })
  } else if (read.checkpoint.size !== size || toBase64(read.checkpoint.root) !== toBase64(root)) {
    walk.findings.push({ rule: 'a checkpoint says what its row says', row, expected: `${read.checkpoint.size} ${toBase64(read.checkpoint.root)}`, seen: `${size} ${toBase64(root)}` })
  }
  const grown = toBase64(now(rootOf(walk.tree)))
  // One changed leaf changes every root behind it: the first one says where.
  if (grown === toBase64(root) || walk.rootTold) return
  walk.rootTold = true
  walk.findings.push({ rule: 'the leaves make the root that was signed', row, expected: toBase64(root), seen: grown })
}

/** A changed leaf shows in every node above it, a changed node in itself alone: so the one is told from the other. */
function nameWrongNodes({ wrongNodes, findings, rootTold }: Walk): void {
  for (const id of wrongNodes) {
    const [level, index] = id.split(' ').map(Number) as [number, number]
    const isAbove = level > 0 && (wrongNodes.has(`${level - 1} ${index * 2}`) || wrongNodes.has(`${level - 1} ${index * 2 + 1}`))
    if (isAbove) continue
    const isLeaf = level === 0 && (wrongNodes.has(`1 ${Math.floor(index / 2)}`) || rootTold)
    findings.push(isLeaf
      ? { rule: 'a leaf is what was sealed', row: `leaf ${index}`, expected: 'the bytes of its sealed hash', seen: 'other bytes' }
      : { rule: 'a node is the hash of what is below it', row: `node ${index} of level ${level}`, expected: 'the hash of the leaves', seen: 'another hash, or none' })
  }
}

async function checkEnds(connection: Connection, walk: Walk, sealer: { size: number; peaks: Buffer }): Promise<void> {
  const { findings, tree, sealedUpTo } = walk
  if (sealer.size !== tree.size) findings.push(truncated(walk, sealer.size))
  else if (!sealer.peaks.equals(Buffer.concat(tree.peaks))) findings.push({ rule: 'the tree that grows is the one that was sealed', row: 'sealer', expected: 'the peaks of the leaves', seen: 'others' })
  const stored = Number((await connection.run(countNodes()))[0]![0])
  if (stored !== walk.nodes) findings.push({ rule: 'there is no node but those of the leaves', row: 'nodes', expected: String(walk.nodes), seen: String(stored) })
  const newest = readCheckpoints(await connection.run(loadCheckpointsWithin(tree.size - 1, Number.MAX_SAFE_INTEGER))).at(-1)
  if (tree.size > 0 && newest?.size !== tree.size) findings.push({ rule: 'the newest checkpoint is the end of the log', row: 'checkpoints', expected: String(tree.size), seen: String(newest?.size ?? 'none') })
  for (const [lane, position] of (await connection.run(loadCursors())) as unknown as [number, bigint][]) {
    const sealed = sealedUpTo.get(lane) ?? 0n
    if (sealed !== position) findings.push({ rule: 'a lane is sealed as far as its blocks reach', row: `lane ${lane}`, expected: String(sealed), seen: String(position) })
  }
}

function truncated({ tree }: Walk, size: number): LogFinding {
  return { rule: 'the log was not cut', row: `leaf ${tree.size}`, expected: `${size} leaves`, seen: `${tree.size} leaves` }
}
