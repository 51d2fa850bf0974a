import type { ReasonClass, ReasonCode, Side } from '../../../protocol/reasons.ts'
import { parseAmount } from '../../../protocol/money.ts'
import { array, type Rows, type Statement as Sql } from '../../platform/postgres/database.ts'
import type { CheckRun, Decision, Earlier, How, Known, Measure, Overturned, Place, Proof, Source, StatementDraft } from './model.ts'
import { complete, hashOfFact } from './wording.ts'

/** One docking must not make the batch of the others slow, whoever decided how often about it. What stops something is read before what does not. */
const MOST_MEASURES = 100

/** Measures of dockings whose lanes are locked: read in the batch, never from a cache that can be stale. At most 100 of each docking, the newest. */
export function loadMeasures(lanes: readonly number[], dockings: readonly string[]): Sql {
  return {
    name: 'decisions.measures',
    text: `select d.id, d.docking, d.scope, d.goods, d.code, d.measure, d.effective_at, d.ends_at, d.keys, d.requests_per_second, d.units_per_order, d.unit_price_max
      from unnest($1::int[], $2::text[]) k(lane, docking)
      cross join lateral (
        select * from decisions.decisions o where o.lane = k.lane and o.docking = k.docking and o.lifted_at is null
        order by o.measure in ('warn', 'credit'), o.id desc limit ${MOST_MEASURES}) d`,
    values: [array.bare(lanes), array.bare(dockings)],
  }
}

export function readMeasures(rows: Rows): Map<string, Measure[]> {
  const byDocking = new Map<string, Measure[]>()
  for (const row of rows) {
    const measure: Measure = {
      decision: row[0] as string, docking: row[1] as string, scope: row[2] as string[], goods: row[3] as string[],
      code: row[4] as ReasonCode, kind: row[5] as string, effectiveAt: row[6] as Date, endsAt: row[7] as Date | null,
      keys: row[8] as string[], requestsPerSecond: row[9] as number | null, unitsPerOrder: row[10] as number | null, unitPriceMaxMicro: row[11] as bigint | null,
    }
    const list = byDocking.get(measure.docking)
    if (list) list.push(measure)
    else byDocking.set(measure.docking, [measure])
  }
  return byDocking
}

/** The database gives the time of the decision, and says it. */
export function insertDecision(d: Omit<Decision, 'decidedAt'> & { draft: string | null }, proof: Proof, { prior, byLaw, fresh }: Place): Sql {
  const { measure, cause, clocks, supersedes } = d.statement
  const condition = measure.liftsWhen !== null && 'check' in measure.liftsWhen ? measure.liftsWhen : null
  return {
    text: `insert into decisions.decisions (lane, id, docking, measure, scope, goods, class, code, statement, effective_at, ends_at, review_at, decided_by,
        side, keys, requests_per_second, units_per_order, unit_price_max, lifts_check, lifts_input, supersedes, approved_by, draft,
        run, run_at, rule, rule_sha256, rule_published_at, rule_effective_at, rule_bare, contract, contract_sha256, by_law, prior, prior_class, prior_at, fresh_sha256, fresh_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38)
      returning decided_at`,
    values: [
      d.lane, d.id, d.docking, measure.kind, measure.scope, measure.goods, cause.class, cause.code, JSON.stringify(d.statement), measure.effectiveAt, measure.endsAt, clocks.reviewAt, d.decidedBy,
      cause.side, measure.keys, measure.allows.requestsPerSecond ?? null, measure.allows.unitsPerOrder ?? null, measure.allows.unitPriceMax === undefined ? null : parseAmount(measure.allows.unitPriceMax),
      condition?.check ?? null, condition?.inputHash ?? null, supersedes, d.approvedBy, d.draft,
      proof.run?.id ?? null, proof.run?.ranAt ?? null, proof.rule?.id ?? null, proof.rule?.sha256 ?? null, proof.rule?.publishedAt ?? null, proof.rule?.effectiveAt ?? null, proof.rule?.bareResale ?? null,
      proof.contract?.id ?? null, proof.contract?.sha256 ?? null, byLaw, prior?.id ?? null, prior?.class ?? null, prior?.decidedAt ?? null, fresh?.sha256 ?? null, fresh?.at ?? null,
    ],
  }
}

const COLUMNS = 'id, lane, docking, statement, decided_by, decided_at, lifted_at, lifted_by, lift_note, approved_by, lift_how, superseded_by'

export function loadDecision(lane: number, id: string): Sql {
  return { text: `select ${COLUMNS} from decisions.decisions where lane = $1 and id = $2`, values: [lane, id] }
}

/** Finds the lane of a decision by its id alone; an operator names decisions without knowing lanes. */
export function locateDecision(id: string): Sql {
  return { text: 'select lane, docking from decisions.decisions where id = $1', values: [id] }
}

/** What took the place of a decision, one after another. */
export function loadAfter(lane: number, id: string): Sql {
  return {
    text: `with recursive after as (
        select superseded_by as id, 1 as n from decisions.decisions where lane = $1 and id = $2
        union all select d.superseded_by, a.n + 1 from after a join decisions.decisions d on d.lane = $1 and d.id = a.id
      ) select id from after where id is not null order by n`,
    values: [lane, id],
  }
}

/** The persons of the chain in which a decision stands. What an appeal itself put there is no part of it. */
export function loadDeciders(lane: number, id: string): Sql {
  const at = 'from decisions.decisions d where d.lane = $1 and d.id = $2'
  const next = 'join decisions.decisions d on d.lane = $1 and d.id ='
  return {
    text: `with recursive before as (
        select d.supersedes, d.decided_by, d.approved_by ${at} union all select d.supersedes, d.decided_by, d.approved_by from before b ${next} b.supersedes
      ), after as (
        select d.superseded_by, d.lift_how, d.decided_by, d.approved_by ${at}
        union all select d.superseded_by, d.lift_how, d.decided_by, d.approved_by from after a ${next} a.superseded_by where a.lift_how <> 'appeal'
      )
      select distinct p.name from (select decided_by, approved_by from before union all select decided_by, approved_by from after) d
        cross join unnest(array[d.decided_by, d.approved_by]) p(name) where p.name is not null`,
    values: [lane, id],
  }
}

export function loadDecisionsOf(lane: number, docking: string, onlyOpen: boolean, before: string | null = null, limit = 100): Sql {
  return {
    text: `select ${COLUMNS} from decisions.decisions where lane = $1 and docking = $2 ${onlyOpen ? 'and lifted_at is null' : ''} and ($3::text is null or id < $3) order by id desc limit $4`,
    values: [lane, docking, before, limit],
  }
}

export function readDecisions(rows: Rows): Decision[] {
  return rows.map((row) => ({
    id: row[0] as string, lane: row[1] as number, docking: row[2] as string, statement: complete(row[3] as StatementDraft, { docking: row[2] as string, at: row[5] as Date }),
    decidedBy: row[4] as string, decidedAt: row[5] as Date, liftedAt: row[6] as Date | null, liftedBy: row[7] as string | null, liftNote: row[8] as string | null,
    approvedBy: row[9] as string | null, liftHow: (row[10] as How | null) ?? (row[6] === null ? null : 'person'), supersededBy: row[11] as string | null,
  }))
}

/** Ends a measure; the row holds null when it had ended before. Nothing else can be changed about a decision. */
export function endMeasure(lane: number, id: string, end: { how: How; by: string; note: string; successor: string | null }): Sql {
  return { text: 'select decisions.end_measure($1, $2, $3, $4, $5, $6)', values: [lane, id, end.how, end.by, end.note, end.successor] }
}

/** The statements of a docking that may bind the next one, newest first. Those of before the chain are told apart. */
export function loadEarlier(lane: number, docking: string): Sql {
  return { text: 'select id, class, decided_at, lifted_at from decisions.decisions where lane = $1 and docking = $2 and form = 2 order by decided_at desc, id desc limit 200', values: [lane, docking] }
}

export function readEarlier(rows: Rows): Earlier[] {
  return rows.map((row) => ({ id: row[0] as string, class: row[1] as ReasonClass, decidedAt: row[2] as Date, endedAt: row[3] as Date | null }))
}

/** Writes down what is heard of for the first time. With a source it is something that the hub has made, or keeps, itself. */
export function insertKnown(lane: number, docking: string, hashes: readonly string[], source: Source | null = null): Sql {
  return {
    text: 'insert into decisions.known (lane, docking, sha256, source) select $1, $2, h, $4 from unnest($3::text[]) h on conflict do nothing',
    values: [lane, docking, array.text([...new Set(hashes)]), source],
  }
}

export function loadKnown(lane: number, docking: string, hashes: readonly string[]): Sql {
  return { text: 'select sha256, first_known_at, source from decisions.known where lane = $1 and docking = $2 and sha256 = any($3::text[])', values: [lane, docking, array.text(hashes)] }
}

export function readKnown(rows: Rows): Known {
  return new Map(rows.map((row) => [row[0] as string, { at: row[1] as Date, source: row[2] as Source | null }]))
}

const RUN = 'lane, id, docking, check_name, version, input_hash, verdict, code, side, reproducible, result, sha256, ran_by, ran_at'

export function insertRun(run: Omit<CheckRun, 'ranAt'>): Sql {
  return {
    text: `insert into decisions.check_runs (lane, id, docking, check_name, version, input_hash, verdict, code, side, reproducible, result, sha256, ran_by)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning ran_at`,
    values: [run.lane, run.id, run.docking, run.check, run.version, run.inputHash, run.verdict, run.code, run.side, run.reproducible, JSON.stringify(run.result), run.sha256, run.ranBy],
  }
}

export function loadRuns(lane: number, docking: string, ids: readonly string[]): Sql {
  return { text: `select ${RUN} from decisions.check_runs where lane = $1 and docking = $2 and id = any($3::text[])`, values: [lane, docking, array.text(ids)] }
}

export function readRuns(rows: Rows): CheckRun[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, check: row[3] as string, version: row[4] as string, inputHash: row[5] as string | null,
    verdict: row[6] as CheckRun['verdict'], code: row[7] as ReasonCode | null, side: row[8] as Side, reproducible: row[9] as boolean, result: row[10], sha256: row[11] as string,
    ranBy: row[12] as string, ranAt: row[13] as Date,
  }))
}

export function insertDraft(draft: { lane: number; id: string; docking: string; statement: unknown; madeBy: string }): Sql {
  return { text: 'insert into decisions.drafts (lane, id, docking, statement, made_by) values ($1, $2, $3, $4, $5)', values: [draft.lane, draft.id, draft.docking, JSON.stringify(draft.statement), draft.madeBy] }
}

export function insertOverturned(lane: number, docking: string, decision: string): Sql {
  return { text: 'insert into decisions.overturned (lane, docking, decision) values ($1, $2, $3) on conflict do nothing', values: [lane, docking, decision] }
}

/** What appeals overturned about a docking, newest first, with the words of the facts. */
export function loadOverturned(lane: number, docking: string): Sql {
  return {
    text: `select d.id, d.class, d.code, o.at, d.statement -> 'facts' from decisions.overturned o join decisions.decisions d on d.lane = o.lane and d.id = o.decision
      where o.lane = $1 and o.docking = $2 order by o.at desc limit 200`,
    values: [lane, docking],
  }
}

export function readOverturned(rows: Rows): Overturned[] {
  return rows.map((row) => ({
    decision: row[0] as string, class: row[1] as ReasonClass, code: row[2] as ReasonCode, at: row[3] as Date, facts: (row[4] as { text: string }[]).map(({ text }) => hashOfFact(text)),
  }))
}

/** A draft that nobody approved yet and that is not older than seven days. */
export function loadDraft(id: string): Sql {
  return {
    text: `select lane, docking, statement, made_by from decisions.drafts f where id = $1 and made_at > clock_timestamp() - interval '7 days'
      and not exists (select from decisions.decisions d where d.lane = f.lane and d.draft = f.id)`,
    values: [id],
  }
}

/** Measures whose time is over by the database's clock and that nobody has ended yet. */
export function loadLapsed(limit: number): Sql {
  return { name: 'decisions.lapsed', text: 'select lane, id, docking from decisions.decisions where lifted_at is null and ends_at <= clock_timestamp() order by ends_at limit $1', values: [limit] }
}

/** What nobody has looked at again by the time that was told for it. `review_at` of one that was put in its place is later. */
export function loadUnreviewed(limit: number): Sql {
  return { name: 'decisions.unreviewed', text: 'select id, measure from decisions.decisions where lifted_at is null and review_at <= clock_timestamp() order by review_at limit $1', values: [limit] }
}

/** Measures that a green check lifts, page by page. */
export function loadConditional(after: { lane: number; id: string }, limit: number): Sql {
  return {
    name: 'decisions.conditional',
    text: `select lane, id, docking, lifts_check, lifts_input from decisions.decisions where lifted_at is null and lifts_check is not null and (lane, id) > ($1, $2) order by lane, id limit $3`,
    values: [after.lane, after.id, limit],
  }
}
