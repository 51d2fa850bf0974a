import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Formula, HistoryEntry, HistoryHead, HistoryLine, Offers, PriceBook, Rule, RuleScope, WideRules } from './model.ts'

export function openContract(lane: number, docking: string, feePpm: number, since: Date): Statement {
  return {
    text: 'insert into terms.contracts (lane, docking, fee_ppm, since) values ($1, $2, $3, $4)',
    values: [lane, docking, feePpm, since],
  }
}

/** Fee and price group of dockings, each with the version of all prices that this load saw. */
export function loadContracts(lanes: readonly number[], dockings: readonly string[]): Statement {
  return {
    name: 'terms.contracts',
    text: `select b.version, c.docking, c.fee_ppm, coalesce(c.price_group, l.grp)
      from terms.book b left join (unnest($1::int[], $2::text[]) k(lane, docking)
        join terms.contracts c on c.lane = k.lane and c.docking = k.docking left join terms.levels l on l.name = c.level) on true where b.one`,
    values: [array.bare(lanes), array.bare(dockings)],
  }
}

export function readContracts(rows: Rows): { version: bigint; feePpm: Map<string, number>; groups: Map<string, string> } {
  const feePpm = new Map<string, number>()
  const groups = new Map<string, string>()
  for (const [, docking, fee, group] of rows as readonly (readonly [bigint, string | null, number, string | null])[]) {
    if (docking === null) continue
    feePpm.set(docking, fee)
    if (group !== null) groups.set(docking, group)
  }
  return { version: rows[0]![0] as bigint, feePpm, groups }
}

const NO_FORMULA = 'null, null::bigint, null::bigint, null::bigint, null::boolean'
const FORMULA = 'r.basis, r.factor_ppm, r.addition, r.step, r.below_cost'
const READ = 'b.version, p.docking, p.good, p.race, p.own, p.basis, p.factor_ppm, p.addition, p.step, p.below_cost'
const COLUMNS = 'p(docking, good, race, own, basis, factor_ppm, addition, step, below_cost)'

/**
 * Own prices of the asked pairs, and the rules that their groups have for exactly these goods, with the version of all
 * prices. A hub without such rules does not look for them: good_rules is asked once and not for each pair. The fence keeps
 * the rules a walk down their index, also for a plan that was made before there were any.
 */
export function loadOffers(pairs: readonly { lane: number; docking: string; good: string }[]): Statement {
  return {
    name: 'terms.offers',
    text: `select ${READ} from terms.book b left join (
        select o.docking, o.good, o.race, o.unit_price, ${NO_FORMULA} from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, good)
        join terms.offers o on o.lane = k.lane and o.docking = k.docking and o.good = k.good and o.in_force
        union all
        select k.docking, k.good, '', null, ${FORMULA} from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, good)
        join terms.contracts c on c.lane = k.lane and c.docking = k.docking left join terms.levels l on l.name = c.level
        cross join lateral (select * from terms.price_rules r where r.grp = coalesce(c.price_group, l.grp) and r.scope = 'good' and r.subject = k.good and r.in_force offset 0) r
        where (select g.good_rules from terms.book g where g.one)
      ) ${COLUMNS} on true where b.one`,
    values: [array.bare(pairs.map((p) => p.lane)), array.bare(pairs.map((p) => p.docking)), array.text(pairs.map((p) => p.good))],
  }
}

/** The same for one docking and all goods. */
export function loadOffersOf(lane: number, docking: string): Statement {
  return {
    name: 'terms.offers_of',
    text: `select ${READ} from terms.book b left join (
        select o.docking, o.good, o.race, o.unit_price, ${NO_FORMULA} from terms.offers o where o.lane = $1 and o.docking = $2 and o.in_force
        union all
        select c.docking, r.subject, '', null, ${FORMULA} from terms.contracts c left join terms.levels l on l.name = c.level
        join terms.price_rules r on r.grp = coalesce(c.price_group, l.grp) and r.scope = 'good' and r.in_force where c.lane = $1 and c.docking = $2
      ) ${COLUMNS} on true where b.one`,
    values: [lane, docking],
  }
}

export function readOffers(rows: Rows): { version: bigint; offers: Offers } {
  const own = new Map<string, bigint>()
  const rules = new Map<string, Formula>()
  for (const row of rows) {
    if (row[1] === null) continue
    if (row[4] !== null) own.set(`${row[1] as string} ${row[2] as string} ${row[3] as string}`, row[4] as bigint)
    else rules.set(`${row[1] as string} ${row[2] as string}`, formulaOf(row, 5))
  }
  return { version: rows[0]![0] as bigint, offers: { own, rules } }
}

function formulaOf(row: readonly unknown[], at: number): Formula {
  return {
    basis: row[at] as Formula['basis'], factorPpm: row[at + 1] as bigint, additionMicro: row[at + 2] as bigint, stepMicro: row[at + 3] as bigint, belowCost: row[at + 4] as boolean,
  }
}

/** The wide rules of all groups, or of the group of one docking, with the version that they belong to. */
export function loadBook(): Statement {
  return {
    name: 'terms.book',
    text: `select b.version, r.grp, r.scope, r.subject, ${FORMULA} from terms.book b left join terms.price_rules r on r.scope <> 'good' and r.in_force where b.one`,
    values: [],
  }
}

export function loadBookOf(lane: number, docking: string): Statement {
  return {
    name: 'terms.book_of',
    text: `select b.version, r.grp, r.scope, r.subject, ${FORMULA} from terms.book b left join (terms.contracts c left join terms.levels l on l.name = c.level
        join terms.price_rules r on r.grp = coalesce(c.price_group, l.grp) and r.scope <> 'good' and r.in_force) on c.lane = $1 and c.docking = $2 where b.one`,
    values: [lane, docking],
  }
}

export function readBook(rows: Rows): PriceBook {
  const groups = new Map<string, WideRules & { categories: Map<string, Formula> }>()
  for (const row of rows) {
    const [, group, scope, subject] = row as [bigint, string | null, RuleScope, string]
    if (group === null) continue
    let rules = groups.get(group)
    if (!rules) groups.set(group, (rules = { all: null, categories: new Map() }))
    if (scope === 'all') rules.all = formulaOf(row, 4)
    else rules.categories.set(subject, formulaOf(row, 4))
  }
  return { version: rows[0]![0] as bigint, groups }
}

/**
 * Moves the version of all prices. Every change of a price does, in its own transaction and under the lock of the lane of
 * the main site, so that versions are in commit order and a load can tell whether it saw one state of all prices.
 */
export function moveBook(): Statement {
  return {
    name: 'terms.move_book',
    text: `update terms.book set version = version + 1, good_rules = exists (select from terms.price_rules where scope = 'good' and in_force) where one returning version`,
    values: [],
  }
}

/** `publishedMicro` is what everybody in the docking's place pays; a dearer price names the decision that stands behind it. */
export type WrittenOffer = { good: string; race: string; unitPriceMicro: bigint; publishedMicro: bigint; decision: string | null }

export function writeOffers(lane: number, docking: string, offers: readonly WrittenOffer[], since: Date): Statement {
  return {
    text: `insert into terms.offers (lane, docking, good, race, unit_price, since, published, decision)
      select $1::int, $2::text, k.good, k.race, k.unit_price, $6::timestamptz, k.published, k.decision
      from unnest($3::text[], $4::text[], $5::bigint[], $7::bigint[], $8::text[]) k(good, race, unit_price, published, decision)
      on conflict (lane, docking, good, race) do update set unit_price = excluded.unit_price, published = excluded.published, decision = excluded.decision, in_force = true, since = excluded.since returning good`,
    values: [
      lane, docking, array.text(offers.map((o) => o.good)), array.text(offers.map((o) => o.race)), array.bare(offers.map((o) => o.unitPriceMicro)), since,
      array.bare(offers.map((o) => o.publishedMicro)), array.text(offers.map((o) => o.decision)),
    ],
  }
}

/** The row count is 0 when there is no such price in force. */
export function endOffer(lane: number, docking: string, good: string, race: string, at: Date): Statement {
  return {
    text: 'update terms.offers set in_force = false, since = $5 where lane = $1 and docking = $2 and good = $3 and race = $4 and in_force returning good',
    values: [lane, docking, good, race, at],
  }
}

export function writeRules(rules: readonly Rule[], since: Date): Statement {
  const formulas = rules.map((r) => r.formula)
  return {
    text: `insert into terms.price_rules (grp, scope, subject, basis, factor_ppm, addition, step, below_cost, in_force, since)
      select k.*, true, $9::timestamptz from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[]) k
      on conflict (grp, scope, subject) do update set basis = excluded.basis, factor_ppm = excluded.factor_ppm, addition = excluded.addition,
        step = excluded.step, below_cost = excluded.below_cost, in_force = true, since = excluded.since returning grp`,
    values: [
      array.text(rules.map((r) => r.group)), array.bare(rules.map((r) => r.scope)), array.text(rules.map((r) => r.subject)), array.bare(formulas.map((f) => f.basis)),
      array.bare(formulas.map((f) => f.factorPpm)), array.bare(formulas.map((f) => f.additionMicro)), array.bare(formulas.map((f) => f.stepMicro)),
      array.bare(formulas.map((f) => String(f.belowCost))), since,
    ],
  }
}

/** The row count is 0 when there is no such rule in force. */
export function endRule(group: string, scope: RuleScope, subject: string, at: Date): Statement {
  return { text: 'update terms.price_rules set in_force = false, since = $4 where grp = $1 and scope = $2 and subject = $3 and in_force returning grp', values: [group, scope, subject, at] }
}

/** Rules of one group from behind a scope and subject, in that order. */
export function loadRules(group: string, after: { scope: string; subject: string }, limit: number): Statement {
  return {
    text: `select r.grp, r.scope, r.subject, ${FORMULA} from terms.price_rules r where r.grp = $1 and r.in_force and (r.scope, r.subject) > ($2, $3) order by r.scope, r.subject limit $4`,
    values: [group, after.scope, after.subject, limit],
  }
}

/** What one group has for exactly these goods, and its wide rules. */
export function loadRulesFor(group: string, goods: readonly string[]): Statement {
  return {
    text: `select r.grp, r.scope, r.subject, ${FORMULA} from terms.price_rules r where r.grp = $1 and r.in_force and (r.scope <> 'good' or r.scope = 'good' and r.subject = any($2::text[]))`,
    values: [group, array.text(goods)],
  }
}

export function readRules(rows: Rows): Rule[] {
  return rows.map((row) => ({ group: row[0] as string, scope: row[1] as RuleScope, subject: row[2] as string, formula: formulaOf(row, 3) }))
}

export function insertHistory(head: HistoryHead, lines: readonly HistoryLine[]): Statement {
  return {
    text: `insert into terms.price_history (position, line, what, grp, docking, good, race, subject, old, new, change, done_by, note, at)
      select $1::bigint, n, what, grp, docking, good, race, subject, old, new, $2::text, $3::text, $4::text, $5::timestamptz
      from unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
        with ordinality k(what, grp, docking, good, race, subject, old, new, n) returning line`,
    values: [
      head.position, head.change, head.by, head.note, head.at, array.bare(lines.map((l) => l.what)),
      ...[lines.map((l) => l.group), lines.map((l) => l.docking), lines.map((l) => l.good), lines.map((l) => l.race), lines.map((l) => l.subject), lines.map((l) => l.old), lines.map((l) => l.new)]
        .map((values) => array.text(values)),
    ],
  }
}

const ENTRY = 'position, line, what, grp, docking, good, race, subject, old, new, change, done_by, note, at'

/** What was changed about a good, a docking or a group, newest first, from before a place. One of the three is named. */
export function loadHistory(about: { good?: string; docking?: string; group?: string }, before: { position: bigint; line: number }, limit: number): Statement {
  const [column, value] = about.good !== undefined ? ['good', about.good] : about.docking !== undefined ? ['docking', about.docking] : ['grp', about.group]
  return {
    text: `select ${ENTRY} from terms.price_history where ${column} = $1 and (position, line) < ($2, $3) order by position desc, line desc limit $4`,
    values: [value, before.position, before.line, limit],
  }
}

/** The whole history, newest first. */
export function loadWholeHistory(before: { position: bigint; line: number }, limit: number): Statement {
  return {
    text: `select ${ENTRY} from terms.price_history where (position, line) < ($1, $2) order by position desc, line desc limit $3`,
    values: [before.position, before.line, limit],
  }
}

export function readHistory(rows: Rows): HistoryEntry[] {
  return rows.map((row) => ({
    position: row[0] as bigint, line: row[1] as number, what: row[2] as HistoryLine['what'], group: row[3] as string | null, docking: row[4] as string | null, good: row[5] as string | null,
    race: row[6] as string, subject: row[7] as string, old: row[8] as string | null, new: row[9] as string | null, change: row[10] as string | null,
    by: row[11] as string, note: row[12] as string, at: row[13] as Date,
  }))
}
