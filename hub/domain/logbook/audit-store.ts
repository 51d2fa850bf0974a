import type { Rows, Statement } from '../../platform/postgres/database.ts'
import { ERASURE } from './rules.ts'

/** A leaf and what it commits to, as the rows say. `hasPayload`: whether there is a row beside the leaf at all. */
export type AuditRow = {
  index: number; lane: number; position: bigint; isBlock: boolean; bytes: string
  docking: string | null; counter: bigint | null; kind: string | null; salt: Buffer | null; payload: string | null; hasPayload: boolean
}

export function loadAuditPage(from: number, limit: number): Statement {
  return {
    text: `select l.index, l.lane, l.position, l.is_block, l.bytes, p.docking, p.counter, p.kind, p.salt, p.payload, p.index is not null
      from logbook.leaves l left join logbook.payloads p on p.index = l.index where l.index >= $1 order by l.index limit $2`,
    values: [from, limit],
  }
}

export function readAuditRows(rows: Rows): AuditRow[] {
  return rows.map((row) => ({
    index: Number(row[0]), lane: row[1] as number, position: row[2] as bigint, isBlock: row[3] as boolean, bytes: row[4] as string, docking: row[5] as string | null,
    counter: row[6] as bigint | null, kind: row[7] as string | null, salt: row[8] as Buffer | null, payload: row[9] as string | null, hasPayload: row[10] as boolean,
  }))
}

/** Checkpoints of sizes behind the first and up to the second. */
export function loadCheckpointsWithin(after: number, upTo: number): Statement {
  return { text: 'select size, root, note, sealed_at from logbook.checkpoints where size > $1 and size <= $2 order by size', values: [after, upTo] }
}

/** Where the facts lie that say what was erased. */
export function loadErasures(): Statement {
  return { text: 'select l.lane, l.position from logbook.payloads p join logbook.leaves l on l.index = p.index where p.kind = $1 order by l.index', values: [ERASURE] }
}

export function loadNames(): Statement {
  return { text: 'select lane, docking, salt from logbook.dockings', values: [] }
}
