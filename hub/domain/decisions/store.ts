import type { ReasonCode } from '../../../protocol/reasons.ts'
import { array, type Rows, type Statement as Sql } from '../../platform/postgres/database.ts'
import type { Decision, Measure, Statement } from './model.ts'

/** Measures of dockings whose lanes are locked: read in the batch, never from a cache that can be stale. */
export function loadMeasures(lanes: readonly number[], dockings: readonly string[]): Sql {
  return {
    name: 'decisions.measures',
    text: `select d.id, d.docking, d.scope, d.goods, d.code, d.measure, d.effective_at, d.ends_at
      from unnest($1::int[], $2::text[]) k(lane, docking)
      join decisions.decisions d on d.lane = k.lane and d.docking = k.docking where d.lifted_at is null`,
    values: [array.bare(lanes), array.bare(dockings)],
  }
}

export function readMeasures(rows: Rows): Map<string, Measure[]> {
  const byDocking = new Map<string, Measure[]>()
  for (const row of rows) {
    const measure: Measure = {
      decision: row[0] as string, docking: row[1] as string, scope: row[2] as string[], goods: row[3] as string[],
      code: row[4] as ReasonCode, kind: row[5] as string, effectiveAt: row[6] as Date, endsAt: row[7] as Date | null,
    }
    const list = byDocking.get(measure.docking)
    if (list) list.push(measure)
    else byDocking.set(measure.docking, [measure])
  }
  return byDocking
}

export function insertDecision(d: Decision): Sql {
  const { measure, cause } = d.statement
  return {
    text: `insert into decisions.decisions (lane, id, docking, measure, scope, goods, class, code, statement, effective_at, ends_at,
        review_at, decided_by, decided_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    values: [
      d.lane, d.id, d.docking, measure.kind, measure.scope, measure.goods, cause.class, cause.code, JSON.stringify(d.statement),
      measure.effectiveAt, measure.endsAt, d.statement.clocks.reviewAt, d.decidedBy, d.decidedAt,
    ],
  }
}

const COLUMNS = 'id, lane, docking, statement, decided_by, decided_at, lifted_at, lifted_by, lift_note'

export function loadDecision(lane: number, id: string): Sql {
  return { text: `select ${COLUMNS} from decisions.decisions where lane = $1 and id = $2`, values: [lane, id] }
}

/** Finds the lane of a decision by its id alone; an operator names decisions without knowing lanes. */
export function locateDecision(id: string): Sql {
  return { text: 'select lane, docking from decisions.decisions where id = $1', values: [id] }
}

export function loadDecisionsOf(lane: number, docking: string, onlyOpen: boolean): Sql {
  return {
    text: `select ${COLUMNS} from decisions.decisions where lane = $1 and docking = $2 ${onlyOpen ? 'and lifted_at is null' : ''} order by id desc limit 100`,
    values: [lane, docking],
  }
}

export function readDecisions(rows: Rows): Decision[] {
  return rows.map((row) => ({
    id: row[0] as string, lane: row[1] as number, docking: row[2] as string, statement: row[3] as Statement,
    decidedBy: row[4] as string, decidedAt: row[5] as Date, liftedAt: row[6] as Date | null,
    liftedBy: row[7] as string | null, liftNote: row[8] as string | null,
  }))
}

export function liftDecision(lane: number, id: string, at: Date, by: string, note: string): Sql {
  return {
    text: 'update decisions.decisions set lifted_at = $3, lifted_by = $4, lift_note = $5 where lane = $1 and id = $2 and lifted_at is null returning id',
    values: [lane, id, at, by, note],
  }
}
