import type { Rows, Statement } from '../../platform/postgres/database.ts'
import type { StoredChange } from './model.ts'

/** Groups with how many rules they have for single goods, and the levels that lead to them. */
export function loadGroups(after: string, limit: number): Statement {
  return {
    text: `select g.name, g.note, g.since, (select count(*)::int from terms.price_rules r where r.grp = g.name and r.in_force), array(select l.name from terms.levels l where l.grp = g.name order by l.name)
      from terms.price_groups g where g.name > $1 order by g.name limit $2`,
    values: [after, limit],
  }
}

export function loadGroup(name: string): Statement {
  return { text: 'select name from terms.price_groups where name = $1', values: [name] }
}

/** The row count is 0 when the group is there already. */
export function insertGroup(name: string, note: string, since: Date): Statement {
  return { text: 'insert into terms.price_groups (name, note, since) values ($1, $2, $3) on conflict do nothing returning name', values: [name, note, since] }
}

export function loadLevels(after: string, limit: number): Statement {
  return { text: 'select name, grp from terms.levels where name > $1 order by name limit $2', values: [after, limit] }
}

export function loadLevel(name: string): Statement {
  return { text: 'select name, grp from terms.levels where name = $1', values: [name] }
}

export function writeLevel(name: string, group: string | null, since: Date): Statement {
  return { text: 'insert into terms.levels (name, grp, since) values ($1, $2, $3) on conflict (name) do update set grp = excluded.grp, since = excluded.since returning name', values: [name, group, since] }
}

/** Level and own group of a docking, and the group that counts for it. */
export function loadPlacing(lane: number, docking: string): Statement {
  return {
    name: 'terms.placing',
    text: 'select c.level, c.price_group, coalesce(c.price_group, l.grp) from terms.contracts c left join terms.levels l on l.name = c.level where c.lane = $1 and c.docking = $2',
    values: [lane, docking],
  }
}

type Place = { level: string | null; group: string | null }

/** A dearer place names the decision behind it, and keeps where the docking goes back to. */
export function writePlacing(lane: number, docking: string, to: Place, decision: string | null, from: Place): Statement {
  return {
    text: `update terms.contracts set level = $3, price_group = $4, dearer = $5::text is not null, decision = $5, level_before = case when $5::text is null then null else $6::text end,
      group_before = case when $5::text is null then null else $7::text end where lane = $1 and docking = $2 returning docking`,
    values: [lane, docking, to.level, to.group, decision, from.level, from.group],
  }
}

/** Dockings that stand where they do by a decision, with where they stood before. */
export function loadPlacedByDecision(): Statement {
  return { name: 'terms.placed', text: 'select lane, docking, decision, level_before, group_before from terms.contracts where decision is not null order by lane, docking limit 1000', values: [] }
}

/** Dockings for which a group or a level counts, or will count again when the decision that moved them ends; `stands` is false for those. */
export function loadStanding(place: { group: string } | { level: string }): Statement {
  const [now, before] = 'group' in place
    ? ['coalesce(c.price_group, l.grp) = $1', 'coalesce(c.group_before, b.grp) = $1']
    : ['c.price_group is null and c.level = $1', 'c.group_before is null and c.level_before = $1']
  return {
    text: `select c.lane, c.docking, c.decision, coalesce(${now}, false) and not coalesce(c.decision is not null and ${before}, false) from terms.contracts c
      left join terms.levels l on l.name = c.level left join terms.levels b on b.name = c.level_before
      where ${now} or c.decision is not null and ${before}`,
    values: ['group' in place ? place.group : place.level],
  }
}

/** All own prices, a page of them, in the order of their key. */
export function loadAllOffers(after: { lane: number; docking: string; good: string; race: string }, limit: number): Statement {
  return {
    text: `select o.lane, o.docking, o.good, o.race, o.unit_price from terms.offers o
      where o.in_force and (o.lane, o.docking, o.good, o.race) > ($1, $2, $3, $4) order by o.lane, o.docking, o.good, o.race limit $5`,
    values: [after.lane, after.docking, after.good, after.race, limit],
  }
}

const CHANGE = 'id, reference, state, due_at, ask, rows, made_by, made_at, ended_at, outcome'

export function insertChange(change: StoredChange): Statement {
  return {
    text: `insert into terms.price_changes (${CHANGE}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [
      change.id, change.reference, change.state, change.dueAt, JSON.stringify(change.ask), change.rows === null ? null : JSON.stringify(change.rows), change.by, change.madeAt,
      change.endedAt, change.outcome === null ? null : JSON.stringify(change.outcome),
    ],
  }
}

export function endChange(id: string, state: StoredChange['state'], at: Date, outcome: unknown): Statement {
  return {
    text: `update terms.price_changes set state = $2, ended_at = $3, outcome = $4 where id = $1 and state = 'scheduled' returning id`,
    values: [id, state, at, JSON.stringify(outcome)],
  }
}

/** Whether a change is due by the database's clock: asked without a lock, since most often none is. */
export function dueExists(): Statement {
  return { name: 'terms.due', text: `select exists (select from terms.price_changes where state = 'scheduled' and due_at <= clock_timestamp())`, values: [] }
}

/** The first change that is due, locked; one that another hub or a cancellation holds is left to them. */
export function lockDue(): Statement {
  return {
    text: `select ${CHANGE} from terms.price_changes where state = 'scheduled' and due_at <= clock_timestamp() order by due_at, id limit 1 for update skip locked`,
    values: [],
  }
}

export function lockChange(id: string): Statement {
  return { text: `select ${CHANGE} from terms.price_changes where id = $1 for update`, values: [id] }
}

export function loadChange(id: string): Statement {
  return { text: `select ${CHANGE} from terms.price_changes where id = $1`, values: [id] }
}

export function loadChangeByReference(reference: string): Statement {
  return { text: `select ${CHANGE} from terms.price_changes where reference = $1`, values: [reference] }
}

export function countScheduled(): Statement {
  return { text: `select count(*)::int from terms.price_changes where state = 'scheduled'`, values: [] }
}

/** Changes by id, newest first; their rows stay behind. */
export function loadChanges(state: string | null, before: string, limit: number): Statement {
  return {
    text: `select id, reference, state, due_at, ask, null, made_by, made_at, ended_at, outcome from terms.price_changes
      where ($1::text is null or state = $1) and id < $2 order by id desc limit $3`,
    values: [state, before, limit],
  }
}

export function readChanges(rows: Rows): StoredChange[] {
  return rows.map((row) => ({
    id: row[0] as string, reference: row[1] as string | null, state: row[2] as StoredChange['state'], dueAt: row[3] as Date, ask: row[4], rows: row[5],
    by: row[6] as string, madeAt: row[7] as Date, endedAt: row[8] as Date | null, outcome: row[9],
  }))
}
