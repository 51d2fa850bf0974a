import type { Sighting } from '../../../protocol/conformance.ts'
import type { Rows, Statement } from '../../platform/postgres/database.ts'
import type { Admission, Run, RunState } from './model.ts'

const RUN = 'lane, id, docking, dialect, kit, text, task, state, started_at, finished_at, report'

export function insertRun(run: Run): Statement {
  return {
    text: 'insert into conformance.runs (lane, id, docking, dialect, kit, text, task, state, started_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
    values: [run.lane, run.id, run.docking, run.dialect, run.kit, run.text, run.task, run.state, run.startedAt],
  }
}

export function loadRun(id: string): Statement {
  return { text: `select ${RUN} from conformance.runs where id = $1`, values: [id] }
}

/** Runs of a docking, newest first. */
export function loadRunsOf(lane: number, docking: string, limit: number): Statement {
  return { text: `select ${RUN} from conformance.runs where lane = $1 and docking = $2 order by id desc limit $3`, values: [lane, docking, limit] }
}

export function readRuns(rows: Rows): Run[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, dialect: row[3] as Run['dialect'], kit: row[4] as string, text: row[5] as string, task: row[6] as string | null,
    state: row[7] as RunState, startedAt: row[8] as Date, finishedAt: row[9] as Date | null, report: row[10] as Run['report'],
  }))
}

export function setTask(lane: number, id: string, task: string): Statement {
  return { text: `update conformance.runs set task = $3 where lane = $1 and id = $2 and state = 'open' returning id`, values: [lane, id, task] }
}

export function finishRun(run: Run): Statement {
  return {
    text: `update conformance.runs set state = $3, finished_at = $4, report = $5 where lane = $1 and id = $2 and state = 'open' returning id`,
    values: [run.lane, run.id, run.state, run.finishedAt, JSON.stringify(run.report)],
  }
}

export function insertSighting(lane: number, run: string, one: Sighting): Statement {
  return {
    text: 'insert into conformance.sightings (lane, run, seq, at, seen) values ($1, $2, $3, $4, $5) on conflict do nothing returning seq',
    values: [lane, run, one.seq, new Date(one.atMs), JSON.stringify(one)],
  }
}

export function loadSightings(lane: number, run: string): Statement {
  return { text: 'select seen from conformance.sightings where lane = $1 and run = $2 order by seq', values: [lane, run] }
}

export function readSightings(rows: Rows): Sighting[] {
  return rows.map((row) => row[0] as Sighting)
}

export function insertAdmission(one: Admission): Statement {
  return { text: 'insert into conformance.admissions (lane, docking, run, reason, by, at) values ($1, $2, $3, $4, $5, $6)', values: [one.lane, one.docking, one.run, one.reason, one.by, one.at] }
}

const ADMISSION = 'lane, docking, run, reason, by, at'

export function loadAdmission(lane: number, docking: string): Statement {
  return { text: `select ${ADMISSION} from conformance.admissions where lane = $1 and docking = $2`, values: [lane, docking] }
}

export function readAdmissions(rows: Rows): Admission[] {
  return rows.map((row) => ({ lane: row[0] as number, docking: row[1] as string, run: row[2] as string | null, reason: row[3] as string | null, by: row[4] as string, at: row[5] as Date }))
}

/** How many live dockings were admitted by a badge and how many by a waiver. */
export function countAdmissions(): Statement {
  return { text: 'select count(run)::int, count(reason)::int from conformance.admissions', values: [] }
}
