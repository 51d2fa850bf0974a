import type { ReasonClass, ReasonCode } from '../../../protocol/reasons.ts'
import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Appeal, AppealState, EntryKind, EvidenceItem, Verdict, Via } from './model.ts'

const COLUMNS = `lane, id, docking, decision, class, code, decision_by, stands_when_missed, via, filed_by, filed_at, state, decide_by, paused_at, evidence_due,
  extended_days, missed_at, decided_by, closed_at, outcome_decision, approved_by, deciders, own_hand, sandbox`
const OPEN = `state in ('filed', 'evidence_owed', 'under_review')`

/** The function reads the class, the code and the persons off the decision itself. */
export function insertAppeal(a: Appeal): Statement {
  return {
    text: 'select appeals.file_appeal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    values: [a.lane, a.id, a.docking, a.decision, a.standsWhenMissed, a.via, a.filedBy, a.filedAt, a.decideBy, a.isOwnHand, a.isSandbox],
  }
}

/** Finds an appeal by its id alone; who works on it does not know lanes. */
export function loadAppeal(id: string): Statement {
  return { text: `select ${COLUMNS} from appeals.appeals where id = $1`, values: [id] }
}

export function loadAppealsOfDecision(lane: number, decision: string): Statement {
  return { text: `select ${COLUMNS} from appeals.appeals where lane = $1 and decision = $2 order by id desc limit 50`, values: [lane, decision] }
}

/** A page of the appeals of a docking, newest first. */
export function loadAppealsOf(lane: number, docking: string, before: string | null, limit: number): Statement {
  return {
    text: `select ${COLUMNS} from appeals.appeals where lane = $1 and docking = $2 and ($3::text is null or id < $3) order by id desc limit $4`,
    values: [lane, docking, before, limit],
  }
}

/** A page of all appeals but those of sandboxes, newest first. */
export function loadAppeals(open: boolean, before: string | null, limit: number): Statement {
  return { text: `select ${COLUMNS} from appeals.appeals where not sandbox and ${open ? OPEN : 'true'} and ($1::text is null or id < $1) order by id desc limit $2`, values: [before, limit] }
}

/** Open appeals whose clock, or whose evidence, is due before a time; by id. */
export function loadDueAppeals(before: Date, after: string, limit: number): Statement {
  return {
    text: `select ${COLUMNS} from appeals.appeals where ${OPEN} and (case state when 'evidence_owed' then evidence_due else decide_by end) <= $1 and id > $2 order by id limit $3`,
    values: [before, after, limit],
  }
}

/** @param onlyOwn leaves out what was filed with what the main site made */
export function countFiled(lane: number, docking: string, since: Date, onlyOwn: boolean): Statement {
  return { text: 'select filed_at from appeals.appeals where lane = $1 and docking = $2 and filed_at > $3 and (own_hand or not $4::boolean) order by filed_at', values: [lane, docking, since, onlyOwn] }
}

export function readAppeals(rows: Rows): Appeal[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, decision: row[3] as string, class: row[4] as ReasonClass, code: row[5] as ReasonCode, decisionBy: row[6] as string,
    standsWhenMissed: row[7] as boolean, via: row[8] as Via, filedBy: row[9] as string, filedAt: row[10] as Date, state: row[11] as AppealState, decideBy: row[12] as Date,
    pausedAt: row[13] as Date | null, evidenceDue: row[14] as Date | null, extendedDays: row[15] as number, missedAt: row[16] as Date | null, decidedBy: row[17] as string | null,
    closedAt: row[18] as Date | null, outcomeDecision: row[19] as string | null, approvedBy: row[20] as string | null, deciders: row[21] as string[], isOwnHand: row[22] as boolean, isSandbox: row[23] as boolean,
  }))
}

/** Writes where an appeal stands now. @param pausedMs by how much longer the clock stood still than before */
export function moveAppeal(a: Appeal, pausedMs = 0): Statement {
  return {
    text: `update appeals.appeals set state = $3, decide_by = $4, paused_at = $5, evidence_due = $6, extended_days = $7, missed_at = $8, decided_by = $9, closed_at = $10,
        outcome_decision = $11, paused_for = paused_for + $12::bigint * interval '1 ms'
      where lane = $1 and id = $2 and ${OPEN} returning id`,
    values: [a.lane, a.id, a.state, a.decideBy, a.pausedAt, a.evidenceDue, a.extendedDays, a.missedAt, a.decidedBy, a.closedAt, a.outcomeDecision, pausedMs],
  }
}

export type EntryRow = { lane: number; appeal: string; kind: EntryKind; side: 'partner' | 'main_site' | 'clock'; by: string; sealed: Buffer | null; at: Date; dueAt: Date | null }

/** Appends an entry behind the last one; its number comes back. The lane's lock keeps two of them apart. */
export function insertEntry(e: EntryRow): Statement {
  return {
    text: `insert into appeals.entries (lane, appeal, seq, kind, side, by, sealed, at, due_at)
      select $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5, $6, $7, $8 from appeals.entries where lane = $1 and appeal = $2 returning seq`,
    values: [e.lane, e.appeal, e.kind, e.side, e.by, e.sealed, e.at, e.dueAt],
  }
}

export function loadEntries(lane: number, appeal: string): Statement {
  return { text: 'select seq, kind, side, by, sealed, at, due_at from appeals.entries where lane = $1 and appeal = $2 order by seq', values: [lane, appeal] }
}

export function startPause(a: Appeal): Statement {
  return {
    text: 'insert into appeals.pauses (lane, appeal, seq, from_at, due_at) select $1, $2, count(*) + 1, $3, $4 from appeals.pauses where lane = $1 and appeal = $2',
    values: [a.lane, a.id, a.pausedAt, a.evidenceDue],
  }
}

export function endPause(lane: number, appeal: string, at: Date): Statement {
  return { text: 'update appeals.pauses set until_at = greatest($3::timestamptz, from_at) where lane = $1 and appeal = $2 and until_at is null', values: [lane, appeal, at] }
}

export function countPauses(lane: number, appeal: string): Statement {
  return { text: 'select count(*)::int from appeals.pauses where lane = $1 and appeal = $2', values: [lane, appeal] }
}

export type EvidenceRow = { name: string; note: string; sha256: string; bytes: number | null; sealed: Buffer | null }

/** @param first the number of the first of them */
export function insertEvidence(lane: number, appeal: string, entry: number, first: number, items: readonly EvidenceRow[]): Statement {
  return {
    text: `insert into appeals.evidence (lane, appeal, seq, entry, name, note, sha256, bytes, sealed)
      select $1, $2, $4 + n - 1, $3, name, note, sha256, bytes, sealed
      from unnest($5::text[], $6::text[], $7::text[], $8::int[], $9::bytea[]) with ordinality i(name, note, sha256, bytes, sealed, n)`,
    values: [
      lane, appeal, entry, first, items.map((i) => i.name), items.map((i) => i.note), array.text(items.map((i) => i.sha256)), items.map((i) => i.bytes), items.map((i) => i.sealed),
    ],
  }
}

export function loadEvidence(lane: number, appeal: string): Statement {
  return { text: 'select seq, entry, name, note, sha256, bytes from appeals.evidence where lane = $1 and appeal = $2 order by seq', values: [lane, appeal] }
}

export function readEvidence(rows: Rows): EvidenceItem[] {
  return rows.map((row) => ({ seq: row[0] as number, entry: row[1] as number, name: row[2] as string, note: row[3] as string, sha256: row[4] as string, bytes: row[5] as number | null }))
}

export function loadFile(lane: number, appeal: string, seq: number): Statement {
  return { text: 'select name, sealed from appeals.evidence where lane = $1 and appeal = $2 and seq = $3 and sealed is not null', values: [lane, appeal, seq] }
}

/** How appeals ended between two times, by class and code of the decision. */
export function countOutcomes(from: Date, to: Date): Statement {
  return {
    text: `select class, code, state, count(*)::int, (avg(extract(epoch from closed_at - filed_at)) / 3600)::float8, count(*) filter (where missed_at is not null)::int
      from appeals.appeals where closed_at >= $1 and closed_at < $2 group by class, code, state order by class, code, state`,
    values: [from, to],
  }
}

export type OutcomeCount = { class: ReasonClass; code: ReasonCode; outcome: Verdict | 'withdrawn'; count: number; meanHours: number; missedClock: number }

export function readOutcomes(rows: Rows): OutcomeCount[] {
  return rows.map((row) => ({
    class: row[0] as ReasonClass, code: row[1] as ReasonCode, outcome: row[2] as Verdict, count: row[3] as number, meanHours: row[4] as number, missedClock: row[5] as number,
  }))
}
