import { BLOCK, commitmentOf, pseudonymOf, readLeaf, statementHash, type Leaf } from '../../../protocol/leaf.ts'
import { loadBlocks, loadFactsAt, readBareFacts, readBlocks, type BareFact } from '../../platform/blocks.ts'
import { loadFactsOf, readFactsOf } from '../../platform/facts.ts'
import { loadHeads } from '../../platform/lanes.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import { loadErasures, type AuditRow } from './audit-store.ts'
import type { LogFinding } from './model.ts'
import { blockPayload, ERASURE, FAMILIES, factPayload, SILENT } from './rules.ts'
import { now } from './seal.ts'
import { loadCursors } from './store.ts'

/** Reads the statement that a decision tells its docking; null where there is none. */
export type StatementOf = (lane: number, decision: string) => Promise<unknown>

/** What facts say was erased: leaves by number, and of whole dockings, by lane and id, all leaves before a position. */
export type Erasures = { leaves: ReadonlySet<number>; dockings: ReadonlyMap<string, bigint> }

/** How far each lane is sealed, how many leaves each pseudonym has, which leaves wait for their block, the salts of names, and what may be erased. */
export type Lanes = { sealedUpTo: Map<number, bigint>; counters: Map<string, number>; waiting: Map<number, Set<bigint>>; names: Map<string, Buffer>; erasures: Erasures }

/** All erasures that facts tell, sealed or not yet. */
export async function readErasures(connection: Connection): Promise<Erasures> {
  const places = (await connection.run(loadErasures())).map((row) => ({ lane: row[0] as number, position: row[1] as bigint }))
  const told: Pick<BareFact, 'lane' | 'position' | 'docking' | 'kind' | 'subject'>[] = places.length === 0 ? [] : readBareFacts(await connection.run(loadFactsAt(places)))
  const cursors = new Map((await connection.run(loadCursors())).map((row) => [row[0] as number, row[1] as bigint]))
  for (const [lane, head] of (await connection.run(loadHeads())) as unknown as [number, bigint][]) {
    const sealed = cursors.get(lane) ?? head
    if (sealed < head) told.push(...readFactsOf(await connection.run(loadFactsOf(lane, sealed, head, [ERASURE]))).map((fact) => ({ ...fact, lane })))
  }
  const [leaves, dockings] = [new Set<number>(), new Map<string, bigint>()]
  for (const { lane, position, docking, subject } of told.filter((fact) => fact.kind === ERASURE)) {
    if (docking !== null && docking === subject) dockings.set(`${lane} ${docking}`, position)
    else leaves.add(Number(subject))
  }
  return { leaves, dockings }
}

type Judge = (rule: string, isKept: boolean, expected: unknown, seen: unknown) => void

export async function checkLeaves(connection: Connection, lanes: Lanes, rows: readonly AuditRow[], statementOf: StatementOf): Promise<LogFinding[]> {
  const findings: LogFinding[] = []
  const judgeOf = (row: AuditRow): Judge => (rule, isKept, expected, seen) => {
    if (!isKept) findings.push({ rule, row: `leaf ${row.index}`, expected: String(expected), seen: String(seen) })
  }
  const facts = await factsOf(connection, rows)
  const blocks = await blocksOf(connection, rows)
  for (const row of rows) {
    const judge = judgeOf(row)
    const leaf = readLeaf(row.bytes)
    judge('a leaf is canonical JSON of the known form', leaf !== null, 'a leaf', row.bytes.slice(0, 100))
    if (leaf === null) continue
    checkPlace(row, leaf, judge)
    const fact = row.isBlock ? undefined : facts.get(`${row.lane} ${row.position}`)
    checkPayload(row, leaf, lanes, judge)
    checkErased(row, leaf, fact, lanes.erasures, judge)
    if (leaf.kind === BLOCK) checkBlock(row, leaf, blocks.get(row.index), lanes, judge)
    else await checkFact(row, leaf, fact, lanes, statementOf, judge)
  }
  return findings
}

function checkPlace(row: AuditRow, leaf: Leaf, judge: Judge): void {
  judge('a leaf says its own place', leaf.i === row.index, row.index, leaf.i)
  judge('a leaf says the place of its fact', leaf.lane === row.lane && BigInt(leaf.position) === row.position && (leaf.kind === BLOCK) === row.isBlock, `lane ${row.lane} position ${row.position}`, `lane ${leaf.lane} position ${leaf.position}`)
}

function checkPayload(row: AuditRow, leaf: Leaf, { names, counters }: Lanes, judge: Judge): void {
  judge('a leaf has its payload', row.hasPayload, 'a row', 'none')
  if (row.salt !== null && row.payload !== null) {
    const opened = now(commitmentOf(row.salt, row.payload))
    judge('a payload opens the commitment of its leaf', opened === leaf.commitment, leaf.commitment, opened)
  }
  if (row.hasPayload) judge('a payload has the kind of its leaf', row.kind === leaf.kind, leaf.kind, row.kind)
  if (row.docking !== null) {
    const salt = names.get(`${row.lane} ${row.docking}`)
    const name = salt === undefined ? 'none' : now(pseudonymOf(salt, row.docking))
    judge('a leaf names its docking', name === leaf.docking && Number(row.counter) === leaf.n, `${leaf.docking} ${leaf.n}`, `${name} ${row.counter}`)
  }
  if (leaf.docking === null || leaf.n === null) return
  const before = counters.get(leaf.docking) ?? 0
  judge('the leaves of a docking are counted without a gap', leaf.n === before + 1, before + 1, leaf.n)
  counters.set(leaf.docking, leaf.n)
}

/** Nothing is missing but what a fact says was erased: a docking that was erased as a whole has no leaf any more, one leaf still has its docking. */
function checkErased(row: AuditRow, leaf: Leaf, fact: BareFact | undefined, { leaves, dockings }: Erasures, judge: Judge): void {
  const isWhole = fact !== undefined && fact.docking !== null && row.position < (dockings.get(`${row.lane} ${fact.docking}`) ?? 0n)
  if (row.hasPayload && row.payload === null) judge('what was erased was erased by an erasure that the log tells', leaves.has(row.index) || isWhole, `an erasure of leaf ${row.index}`, 'none')
  if (row.hasPayload && leaf.docking !== null && row.docking === null) judge('a leaf names its docking', isWhole, leaf.docking, 'none')
}

type Rebuilt = { count: number; digest: string; chosen: readonly bigint[] }

function checkBlock(row: AuditRow, leaf: Leaf, rebuilt: Rebuilt | undefined, lanes: Lanes, judge: Judge): void {
  const { lane, position } = row
  const from = BigInt(leaf.from!)
  const due = (lanes.sealedUpTo.get(lane) ?? 0n) + 1n
  judge('the blocks of a lane leave no fact out', from === due, due, from)
  lanes.sealedUpTo.set(lane, position)
  const count = Number(position - from) + 1
  judge('every fact of a block is still there', rebuilt?.count === count, `${count} facts of lane ${lane}, ${from} to ${position}`, rebuilt?.count ?? 0)
  if (row.payload !== null && rebuilt?.count === count) {
    const payload = blockPayload({ lane, from, to: position, digest: rebuilt.digest })
    judge('the facts of a block are what was sealed', row.payload === payload, row.payload, payload)
  }
  const own = lanes.waiting.get(lane) ?? new Set()
  const left = (rebuilt?.chosen ?? []).filter((one) => !own.has(one))
  judge('every fact that matters has a leaf of its own', left.length === 0, 'a leaf', `none for position ${left.join(', ')} of lane ${lane}`)
  lanes.waiting.delete(lane)
}

async function checkFact(row: AuditRow, leaf: Leaf, fact: BareFact | undefined, lanes: Lanes, statementOf: StatementOf, judge: Judge): Promise<void> {
  const waiting = lanes.waiting.get(row.lane) ?? new Set()
  lanes.waiting.set(row.lane, waiting.add(row.position))
  judge('the fact of a leaf is still there', fact !== undefined, `lane ${row.lane} position ${row.position}`, 'none')
  if (fact === undefined) return
  judge('a leaf says the kind and time of its fact', leaf.kind === fact.kind && leaf.at === fact.at.toISOString(), `${fact.kind} ${fact.at.toISOString()}`, `${leaf.kind} ${leaf.at}`)
  if (row.payload === null) return
  const statement = fact.kind === 'decision.taken' && fact.subject !== null ? await statementOf(row.lane, fact.subject) : null
  const payload = factPayload(fact, statement === null ? null : now(statementHash(statement)))
  judge('a payload says its fact and its statement', row.payload === payload && row.docking === fact.docking, payload, row.payload)
}

async function factsOf(connection: Connection, rows: readonly AuditRow[]): Promise<Map<string, BareFact>> {
  const places = rows.filter((row) => !row.isBlock)
  const facts = places.length === 0 ? [] : readBareFacts(await connection.run(loadFactsAt(places)))
  return new Map(facts.map((fact) => [`${fact.lane} ${fact.position}`, fact]))
}

async function blocksOf(connection: Connection, rows: readonly AuditRow[]): Promise<Map<number, Rebuilt>> {
  const spans = rows.flatMap((row) => {
    const from = row.isBlock ? readLeaf(row.bytes)?.from : undefined
    return from === undefined ? [] : [{ index: row.index, lane: row.lane, after: BigInt(from) - 1n, upTo: row.position }]
  })
  const blocks = spans.length === 0 ? [] : readBlocks(await connection.run(loadBlocks(spans, FAMILIES, SILENT)))
  const bySpan = new Map(blocks.map((block) => [`${block.lane} ${block.after}`, block]))
  return new Map(spans.flatMap(({ index, lane, after }) => {
    const block = bySpan.get(`${lane} ${after}`)
    return block ? [[index, { count: block.count, chosen: block.chosen, digest: block.digest?.toString('hex') ?? '' }] as const] : []
  }))
}
