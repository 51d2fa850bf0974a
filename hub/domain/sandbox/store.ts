import type { Rows, Statement } from '../../platform/postgres/database.ts'
import type { Box, Origin, Switch } from './model.ts'

export function insertBox(box: Omit<Box, 'endedAt'>, contact: Buffer | null): Statement {
  return {
    text: 'insert into sandbox.boxes (lane, docking, origin, dialect, contact, opened_at, used_at) values ($1, $2, $3, $4, $5, $6, $7)',
    values: [box.lane, box.docking, box.origin, box.dialect, contact, box.openedAt, box.usedAt],
  }
}

const BOX = 'lane, docking, origin, dialect, opened_at, used_at, ended_at'

export function loadBox(lane: number, docking: string): Statement {
  return { name: 'sandbox.box', text: `select ${BOX} from sandbox.boxes where lane = $1 and docking = $2`, values: [lane, docking] }
}

/** Sandboxes that were applied for and met no request since. */
export function loadUnused(before: Date, limit: number): Statement {
  return { text: `select ${BOX} from sandbox.boxes where origin = 'application' and ended_at is null and used_at < $1 order by used_at limit $2`, values: [before, limit] }
}

export function readBoxes(rows: Rows): Box[] {
  return rows.map((row) => ({
    lane: row[0] as number, docking: row[1] as string, origin: row[2] as Origin, dialect: row[3] as string, openedAt: row[4] as Date, usedAt: row[5] as Date, endedAt: row[6] as Date | null,
  }))
}

/** How many were applied for since, and when the first of them was. */
export function countApplications(since: Date): Statement {
  return { text: `select count(*)::int, min(opened_at) from sandbox.boxes where origin = 'application' and opened_at > $1`, values: [since] }
}

export function touchBox(lane: number, docking: string, at: Date): Statement {
  return { text: 'update sandbox.boxes set used_at = $3 where lane = $1 and docking = $2 and ended_at is null', values: [lane, docking, at] }
}

/** The person's address goes with the sandbox. */
export function endBox(lane: number, docking: string, at: Date): Statement {
  return { text: 'update sandbox.boxes set ended_at = $3, contact = null where lane = $1 and docking = $2 and ended_at is null returning docking', values: [lane, docking, at] }
}

export function putSwitch(lane: number, docking: string, one: Switch): Statement {
  return {
    text: `insert into sandbox.switches (lane, docking, fault, params, remaining, set_at) values ($1, $2, $3, $4, $5, $6)
      on conflict (lane, docking, fault) do update set params = excluded.params, remaining = excluded.remaining, set_at = excluded.set_at returning fault`,
    values: [lane, docking, one.fault, JSON.stringify(one.params), one.remaining, one.setAt],
  }
}

export function loadSwitches(lane: number, docking: string): Statement {
  return {
    name: 'sandbox.switches', text: 'select fault, params, remaining, set_at from sandbox.switches where lane = $1 and docking = $2 and remaining > 0 order by set_at, fault',
    values: [lane, docking],
  }
}

export function readSwitches(rows: Rows): Switch[] {
  return rows.map((row) => ({ fault: row[0] as string, params: row[1] as Switch['params'], remaining: row[2] as number, setAt: row[3] as Date }))
}

/** One strike less; no row when another request took the last one. */
export function spendSwitch(lane: number, docking: string, fault: string): Statement {
  return { name: 'sandbox.spend', text: 'update sandbox.switches set remaining = remaining - 1 where lane = $1 and docking = $2 and fault = $3 and remaining > 0 returning remaining', values: [lane, docking, fault] }
}

export function clearSwitches(lane: number, docking: string): Statement {
  return { text: 'delete from sandbox.switches where lane = $1 and docking = $2 returning fault', values: [lane, docking] }
}
