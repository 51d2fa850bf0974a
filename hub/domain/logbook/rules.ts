import { canonicalJson } from '../../../protocol/canonical.ts'

/**
 * The first words of the kinds of fact that get a leaf of their own, told to their docking. All other facts, orders among
 * them, lie in the block of their lane. A fact that its docking must not hear of has a kind of another family.
 */
export const FAMILIES: readonly string[] = [
  'decision', 'appeal', 'rule', 'contract', 'key', 'docking', 'check', 'drill', 'conformance', 'consent', 'operator', 'witness', 'erasure',
]

/** Facts of these families that nobody outside is told: that a measure is being thought over, before it is one. */
export const SILENT: readonly string[] = ['decision.drafted']

/** That leaves were erased: of the docking whose they were, the subject is the number of the leaf, or the docking itself. */
export const ERASURE = 'erasure.done'

/** Facts that one seal covers at most: enough for two seconds of the busiest hub, and a transaction of a tenth of a second. */
export const FACTS_PER_SEAL = 10_000n

export type Reach = { lane: number; head: bigint; sealed: bigint }

/**
 * What the next seal covers: a part of every lane that is behind. When that is more than a seal may hold, all get the same
 * share, so that no lane waits for a busier one.
 */
export function spansOf(reaches: readonly Reach[], most: bigint): { lane: number; after: bigint; upTo: bigint }[] {
  const behind = reaches.filter(({ head, sealed }) => sealed < head)
  const all = behind.reduce((sum, { head, sealed }) => sum + head - sealed, 0n)
  const share = most / BigInt(Math.max(1, behind.length))
  return behind.map(({ lane, head, sealed }) => ({ lane, after: sealed, upTo: all <= most || head - sealed <= share ? head : sealed + (share > 0n ? share : 1n) }))
}

/** What the leaf of a block commits to: which facts, and the digest that binds them, in hexadecimal. */
export function blockPayload(block: { lane: number; from: bigint; to: bigint; digest: string }): string {
  return canonicalJson({ v: 1, kind: 'block', lane: block.lane, from: Number(block.from), to: Number(block.to), digest: block.digest })
}

/** What the leaf of a fact commits to. Its body is not in it: what the operator noted is not for the docking, and lies in the block. */
export function factPayload(fact: { kind: string; subject: string | null; at: Date }, statement: string | null): string {
  return canonicalJson({ v: 1, kind: fact.kind, at: fact.at.toISOString(), subject: fact.subject, ...(statement === null ? {} : { statement }) })
}

/** The name of the log in its notes: the hub's own host, which stands for ever once the first checkpoint is sealed. */
export function originOf(publicUrl: string): string {
  return `${publicUrl.replace(/^https?:\/\//, '').replace(/[\s+]/g, '-')}/log`
}

/** The newest checkpoint in a header of every answer. */
export function headerOf(size: number, rootBase64: string): string {
  return `${size};${rootBase64}`
}
