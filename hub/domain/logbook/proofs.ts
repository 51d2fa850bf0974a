import { toBase64 } from '../../../protocol/bytes.ts'
import { consistencyRanges, fold, inclusionRanges, subtreesOf, type LeafRange } from '../../../protocol/merkle.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import type { Sealed, SealedCheckpoint } from './model.ts'
import { now } from './seal.ts'
import { loadNodes, loadPlaces } from './store.ts'

export async function proveInclusion(connection: Connection, leaf: number, size: number): Promise<{ leafHash: string; hashes: string[] }> {
  const [leafHash, ...hashes] = await rootsOf(connection, [{ from: leaf, to: leaf + 1 }, ...inclusionRanges(leaf, size)])
  return { leafHash: leafHash!, hashes }
}

export function proveConsistency(connection: Connection, from: number, to: number): Promise<string[]> {
  return rootsOf(connection, consistencyRanges(from, to))
}

/** Where the takings of some decisions are sealed; one that is not sealed yet, or was erased, is left out. */
export async function proveDecisions(connection: Connection, lane: number, decisions: readonly string[], checkpoint: SealedCheckpoint): Promise<Map<string, Sealed>> {
  const places = (await connection.run(loadPlaces(lane, 'decision.taken', decisions))).map((row) => [row[0] as string, Number(row[1])] as const)
  const sealed = places.filter(([, leaf]) => leaf < checkpoint.size)
  const ranges = sealed.map(([, leaf]) => [{ from: leaf, to: leaf + 1 }, ...inclusionRanges(leaf, checkpoint.size)])
  const roots = await rootsOf(connection, ranges.flat())
  let at = 0
  return new Map(sealed.map(([decision, leafIndex], i) => {
    const [leafHash, ...inclusion] = roots.slice(at, (at += ranges[i]!.length))
    return [decision, { leafIndex, leafHash: leafHash!, checkpoint: checkpoint.note, inclusion }]
  }))
}

/** The roots of ranges in base64, out of log n stored nodes each and in one question. */
async function rootsOf(connection: Connection, ranges: readonly LeafRange[]): Promise<string[]> {
  const parts = ranges.map(subtreesOf)
  const wanted = new Map(parts.flat().map((node) => [`${node.level} ${node.index}`, node]))
  if (wanted.size === 0) return []
  const known = new Map((await connection.run(loadNodes([...wanted.values()]))).map((row) => [`${row[0]} ${row[1]}`, row[2] as Buffer]))
  return parts.map((nodes) => toBase64(now(fold(nodes.map(({ level, index }) => {
    const hash = known.get(`${level} ${index}`)
    if (!hash) throw new Error(`the node ${index} of level ${level} of the log is missing: run "berth log check"`)
    return hash
  })))))
}
