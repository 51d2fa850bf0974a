import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Class, Remedy, Tally } from './model.ts'

export function loadCursors(): Statement {
  return { name: 'figures.cursors', text: 'select lane, position from figures.cursors', values: [] }
}

/** No row when another node has folded from there. */
export function moveCursor(lane: number, from: bigint, to: bigint): Statement {
  return { name: 'figures.move_cursor', text: 'update figures.cursors set position = $3 where lane = $1 and position = $2 returning lane', values: [lane, from, to] }
}

export type LaneTally = Tally & { quarter: string }

/** Adds events to what is counted of a lane; no two tallies may be of the same thing. */
export function addTallies(lane: number, tallies: readonly LaneTally[]): Statement {
  return {
    name: 'figures.add',
    text: `insert into figures.tallies (lane, quarter, family, class, code, partner, events)
      select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
      on conflict (lane, quarter, family, class, code, partner) do update set events = tallies.events + excluded.events`,
    values: [
      lane, tallies.map((t) => t.quarter), tallies.map((t) => t.family), tallies.map((t) => t.class), tallies.map((t) => t.code), tallies.map((t) => t.partner), array.bare(tallies.map((t) => t.events)),
    ],
  }
}

export type KeptDecision = { lane: number; id: string; docking: string; partner: string; class: Class; code: string; takenAt: Date }

export function insertDecision(d: KeptDecision): Statement {
  return {
    text: 'insert into figures.decisions (lane, id, docking, partner, class, code, taken_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing',
    values: [d.lane, d.id, d.docking, d.partner, d.class, d.code, d.takenAt],
  }
}

/** Marks the technical measures of a docking, taken since, as followed by one of another class; a row for each that was not marked before. */
export function markFollowed(lane: number, docking: string, since: Date): Statement {
  return {
    text: `update figures.decisions set is_followed = true where lane = $1 and docking = $2 and taken_at > $3 and class = 'technical' and not is_followed returning partner`,
    values: [lane, docking, since],
  }
}

export function markLifted(lane: number, id: string, at: Date): Statement {
  return { text: 'update figures.decisions set lifted_at = $3 where lane = $1 and id = $2 and lifted_at is null', values: [lane, id, at] }
}

export function loadClass(lane: number, id: string): Statement {
  return { text: 'select class from figures.decisions where lane = $1 and id = $2', values: [lane, id] }
}

export function loadFirstQuarter(): Statement {
  return { text: 'select min(quarter) from (select quarter from figures.tallies union all select quarter from figures.published) q', values: [] }
}

export function loadPublishedQuarters(): Statement {
  return { text: 'select quarter from figures.published order by quarter desc', values: [] }
}

export function loadPublished(quarter: string): Statement {
  return { name: 'figures.published', text: 'select document from figures.published where quarter = $1', values: [quarter] }
}

export function loadTallies(quarter: string): Statement {
  return { text: 'select family, class, code, partner, sum(events)::bigint from figures.tallies where quarter = $1 group by family, class, code, partner', values: [quarter] }
}

export function readTallies(rows: Rows): Tally[] {
  return rows.map((row) => ({ family: row[0] as 'refusals', class: row[1] as Class, code: row[2] as string, partner: row[3] as string, events: Number(row[4] as bigint) }))
}

export function loadRemedies(from: Date, to: Date): Statement {
  return { text: 'select class, code, partner, taken_at, lifted_at from figures.decisions where lifted_at >= $1 and lifted_at < $2', values: [from, to] }
}

export function readRemedies(rows: Rows): Remedy[] {
  return rows.map((row) => ({ class: row[0] as Class, code: row[1] as string, partner: row[2] as string, standingMs: (row[4] as Date).getTime() - (row[3] as Date).getTime() }))
}

/** No row when the quarter stands published. */
export function insertPublished(quarter: string, document: string, at: Date): Statement {
  return { text: 'insert into figures.published (quarter, document, at) values ($1, $2, $3) on conflict do nothing returning quarter', values: [quarter, document, at] }
}

/** What single partners had is forgotten once it is published in groups. */
export function forgetTallies(quarter: string): Statement {
  return { text: 'delete from figures.tallies where quarter = $1', values: [quarter] }
}
