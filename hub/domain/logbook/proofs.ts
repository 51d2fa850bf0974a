import { toBase64 } from '../../../protocol/bytes.ts'
import { consistencyRanges, fold, inclusionRanges, subtreesOf, type LeafRange } from '../../../protocol/merkle.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import type { Sealed, SealedCheckpoint } from './model.ts'
import { now } from './seal.ts'
import { loadNodes, loadPlaces } from './store.ts'

export async function proveInclusion(connection: Connection, leaf: number, size: number): Promise<{ leafHash: string; hashes: string[] }> {
  const [leafHash, ...hashes] = whole(await rootsOf(connection, inclusionOf(leaf, size)))
  return { leafHash: leafHash!, hashes }
}

export async function proveConsistency(connection: Connection, from: number, to: number): Promise<string[]> {
  return whole(await rootsOf(connection, consistencyRanges(from, to)))
}

/**
 * Where the takings of some decisions are sealed. One that is not sealed yet, or whose docking was erased, is left out; so is one that a
 * damaged log cannot prove: its docking must still read the statement, and the proof itself is missing for all to see.
 */
export async function proveDecisions(connection: Connection, lane: number, decisions: readonly string[], checkpoint: SealedCheckpoint): Promise<Map<string, Sealed>> {
  const places = (await connection.run(loadPlaces(lane, 'decision.taken', decisions))).map((row) => [row[0] as string, Number(row[1])] as const)
  const sealed = places.filter(([, leaf]) => leaf < checkpoint.size)
  const ranges = sealed.map(([, leaf]) => inclusionOf(leaf, checkpoint.size))
  const roots = await rootsOf(connection, ranges.flat())
  let at = 0
  return new Map(sealed.flatMap(([decision, leafIndex], i) => {
    const proof = roots.slice(at, (at += ranges[i]!.length))
    if (proof.includes(null)) return []
    const [leafHash, ...inclusion] = proof as string[]
    return [[decision, { leafIndex, leafHash: leafHash!, checkpoint: checkpoint.note, inclusion }]]
  }))
}

/** The leaf itself, then what proves it. */
function inclusionOf(leaf: number, size: number): LeafRange[] {
  return [{ from: leaf, to: leaf + 1 }, ...inclusionRanges(leaf, size)]
}

/** The roots of ranges in base64, out of log n stored nodes each and in one question; null where a node is missing. */
async function rootsOf(connection: Connection, ranges: readonly LeafRange[]): Promise<(string | null)[]> {
  const parts = ranges.map(subtreesOf)
  const wanted = new Map(parts.flat().map((node) => [`${node.level} ${node.index}`, node]))
  if (wanted.size === 0) return []
  const known = new Map((await connection.run(loadNodes([...wanted.values()]))).map((row) => [`${row[0]} ${row[1]}`, row[2] as Buffer]))
  return parts.map((nodes) => {
    const hashes = nodes.flatMap(({ level, index }) => known.get(`${level} ${index}`) ?? [])
    return hashes.length === nodes.length ? toBase64(now(fold(hashes))) : null
  })
}

function whole(roots: readonly (string | null)[]): string[] {
  if (roots.includes(null)) throw new Error('a node of the log is missing: run "berth log check"')
  return roots as string[]
}
