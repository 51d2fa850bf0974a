import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { AbandonReason, Best, DrillKind, DrillOrigin, DrillState, Run, Schedule, Seen, Step, StepData } from './model.ts'

const RUN = 'lane, id, docking, kind, version, origin, asked_by, tempo, state, planned_at, starts_at, started_at, seen_at, ended_at, reason, score, result'

export function insertRun(run: Run): Statement {
  return {
    text: `insert into drills.runs (lane, id, docking, kind, version, origin, asked_by, tempo, state, planned_at, starts_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, 'planned', $9, $10)`,
    values: [run.lane, run.id, run.docking, run.kind, run.version, run.origin, run.askedBy, run.tempo, run.plannedAt, run.startsAt],
  }
}

export function readRuns(rows: Rows): Run[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, kind: row[3] as DrillKind, version: row[4] as number, origin: row[5] as DrillOrigin,
    askedBy: row[6] as string, tempo: row[7] as number, state: row[8] as DrillState, plannedAt: row[9] as Date, startsAt: row[10] as Date, startedAt: row[11] as Date | null,
    seenAt: row[12] as Date | null, endedAt: row[13] as Date | null, reason: row[14] as AbandonReason | null, score: row[15] as number | null, result: row[16] as string | null,
  }))
}

/** Runs that are under way, and those that are to begin by now. */
export function loadOpenRuns(nowAt: Date, limit: number): Statement {
  return {
    name: 'drills.open',
    text: `select ${RUN} from drills.runs where state = 'running' or state = 'planned' and starts_at <= $1 order by state desc, starts_at, id limit $2`,
    values: [nowAt, limit],
  }
}

export function loadRun(id: string): Statement {
  return { text: `select ${RUN} from drills.runs where id = $1`, values: [id] }
}

/** A page of runs, newest first, of one docking or of all. */
export function loadRunPage(docking: string | null, before: string | null, limit: number): Statement {
  return { text: `select ${RUN} from drills.runs where ($1::text is null or docking = $1) and ($2::text is null or id < $2) order by id desc limit $3`, values: [docking, before, limit] }
}

/** Runs of a docking that wait or are under way, and how many were asked for since a time. */
export function loadUsage(lane: number, docking: string, since: Date): Statement {
  return {
    text: `select count(*) filter (where planned_at > $3)::int, min(planned_at) filter (where planned_at > $3), min(id) filter (where state in ('planned', 'running') and origin <> 'schedule' or state = 'running')
      from drills.runs where lane = $1 and docking = $2`,
    values: [lane, docking, since],
  }
}

export function startRun(lane: number, id: string, at: Date): Statement {
  return { text: `update drills.runs set state = 'running', started_at = $3, seen_at = $3 where lane = $1 and id = $2 and state = 'planned' returning id`, values: [lane, id, at] }
}

export function touchRuns(runs: readonly { lane: number; id: string }[], at: Date): Statement {
  return {
    text: `update drills.runs r set seen_at = $3 from unnest($1::int[], $2::text[]) k(lane, id) where r.lane = k.lane and r.id = k.id and r.state = 'running'`,
    values: [array.bare(runs.map((run) => run.lane)), array.text(runs.map((run) => run.id)), at],
  }
}

export function scoreRun(lane: number, id: string, at: Date, score: number, result: string): Statement {
  return { text: `update drills.runs set state = 'scored', ended_at = $3, score = $4, result = $5 where lane = $1 and id = $2 and state = 'running' returning id`, values: [lane, id, at, score, result] }
}

export function abandonRun(lane: number, id: string, at: Date, reason: AbandonReason): Statement {
  return { text: `update drills.runs set state = 'abandoned', ended_at = $3, reason = $4 where lane = $1 and id = $2 and state in ('planned', 'running') returning id`, values: [lane, id, at, reason] }
}

export function insertStep(run: { lane: number; id: string }, step: Pick<Step, 'ordinal' | 'name' | 'begunAt' | 'dueAt'>): Statement {
  return {
    text: `insert into drills.steps (lane, run, ordinal, name, begun_at, due_at, data) values ($1, $2, $3, $4, $5, $6, '{}') on conflict do nothing returning run`,
    values: [run.lane, run.id, step.ordinal, step.name, step.begunAt, step.dueAt],
  }
}

export function markActed(run: { lane: number; id: string }, ordinal: number, at: Date, data: StepData): Statement {
  return { text: 'update drills.steps set acted_at = $4, data = $5 where lane = $1 and run = $2 and ordinal = $3', values: [run.lane, run.id, ordinal, at, JSON.stringify(data)] }
}

export function endStep(run: { lane: number; id: string }, ordinal: number, at: Date, by: 'done' | 'limit'): Statement {
  return { text: 'update drills.steps set ended_at = $4, ended_by = $5 where lane = $1 and run = $2 and ordinal = $3 and ended_at is null returning run', values: [run.lane, run.id, ordinal, at, by] }
}

/** Gives a step the time back in which no hub lived. */
export function putOff(run: { lane: number; id: string }, byMs: number): Statement {
  return { text: `update drills.steps set due_at = due_at + $3 * interval '1 millisecond' where lane = $1 and run = $2 and ended_at is null`, values: [run.lane, run.id, byMs] }
}

export function loadSteps(run: { lane: number; id: string }): Statement {
  return {
    name: 'drills.steps', text: 'select ordinal, name, begun_at, due_at, acted_at, ended_at, ended_by, data from drills.steps where lane = $1 and run = $2 order by ordinal',
    values: [run.lane, run.id],
  }
}

export function readSteps(rows: Rows): Step[] {
  return rows.map((row) => ({
    ordinal: row[0] as number, name: row[1] as string, begunAt: row[2] as Date, dueAt: row[3] as Date, actedAt: row[4] as Date | null, endedAt: row[5] as Date | null,
    endedBy: row[6] as Step['endedBy'], data: row[7] as StepData,
  }))
}

export function insertSeen(run: { lane: number; id: string }, seen: readonly Seen[]): Statement {
  return {
    text: `insert into drills.observations (lane, run, id, at, body)
      select $1, $2, o.id, o.at, o.body from unnest($3::text[], $4::timestamptz[], $5::jsonb[]) o(id, at, body) on conflict do nothing`,
    values: [run.lane, run.id, array.text(seen.map((one) => one.id)), array.text(seen.map((one) => new Date(one.atMs).toISOString())), array.text(seen.map((one) => JSON.stringify(one)))],
  }
}

export function loadSeen(run: { lane: number; id: string }): Statement {
  return { text: 'select body from drills.observations where lane = $1 and run = $2 order by at, id', values: [run.lane, run.id] }
}

/** What was seen in rehearsals that ended long ago; their signed results stay. */
export function forgetSeen(before: Date): Statement {
  return {
    text: 'delete from drills.observations o using drills.runs r where r.lane = o.lane and r.id = o.run and r.ended_at < $1',
    values: [before],
  }
}

/** The best score a kind since a time, for each of these dockings. */
export function loadBest(dockings: readonly string[], since: Date): Statement {
  return {
    text: `select distinct on (docking, kind) docking, kind, score, id, ended_at from drills.runs
      where docking = any($1::text[]) and state = 'scored' and ended_at > $2 order by docking, kind, score desc, ended_at desc`,
    values: [array.text(dockings), since],
  }
}

export function readBest(rows: Rows): (Best & { docking: string })[] {
  return rows.map((row) => ({ docking: row[0] as string, kind: row[1] as DrillKind, score: row[2] as number, run: row[3] as string, at: row[4] as Date }))
}

const SCHEDULE = 'lane, docking, kind, every_days, next_at, set_by, set_at'

export function putSchedule(schedule: Schedule): Statement {
  return {
    text: `insert into drills.schedules (${SCHEDULE}) values ($1, $2, $3, $4, $5, $6, $7)
      on conflict (lane, docking, kind) do update set every_days = excluded.every_days, next_at = excluded.next_at, set_by = excluded.set_by, set_at = excluded.set_at, ended_at = null`,
    values: [schedule.lane, schedule.docking, schedule.kind, schedule.everyDays, schedule.nextAt, schedule.setBy, schedule.setAt],
  }
}

export function endSchedule(lane: number, docking: string, kind: DrillKind, at: Date): Statement {
  return { text: 'update drills.schedules set ended_at = $4 where lane = $1 and docking = $2 and kind = $3 and ended_at is null returning kind', values: [lane, docking, kind, at] }
}

/** Moves a schedule on by its days; no row when another has done so. */
export function moveSchedule(schedule: Schedule, nextAt: Date): Statement {
  return {
    text: 'update drills.schedules set next_at = $5 where lane = $1 and docking = $2 and kind = $3 and next_at = $4 and ended_at is null returning kind',
    values: [schedule.lane, schedule.docking, schedule.kind, schedule.nextAt, nextAt],
  }
}

export function loadSchedules(docking: string | null): Statement {
  return { text: `select ${SCHEDULE} from drills.schedules where ended_at is null and ($1::text is null or docking = $1) order by next_at, docking, kind limit 500`, values: [docking] }
}

export function loadNextSchedules(before: Date): Statement {
  return { name: 'drills.next', text: `select ${SCHEDULE} from drills.schedules where ended_at is null and next_at <= $1 order by next_at limit 100`, values: [before] }
}

export function readSchedules(rows: Rows): Schedule[] {
  return rows.map((row) => ({
    lane: row[0] as number, docking: row[1] as string, kind: row[2] as DrillKind, everyDays: row[3] as number, nextAt: row[4] as Date, setBy: row[5] as string, setAt: row[6] as Date,
  }))
}
