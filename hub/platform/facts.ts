import { lockLanes, moveLanes, readLanes } from './lanes.ts'
import { array, type Connection, type Rows, type Statement } from './postgres/database.ts'

/**
 * One line of the log: an accepted or refused command, appended in the command's own transaction. The position is given
 * under the lane's lock, so facts of a lane are dense and in commit order without anyone numbering them afterwards.
 */
export type Fact = {
  lane: number
  position: bigint
  docking: string | null
  kind: string
  subject: string | null
  /** The reason's code; null unless the command was refused. */
  code: string | null
  /** JSON. Never a secret, never a card. */
  body: string
  at: Date
}

/** Facts that are appended together have one time: the database's, read under the locks. */
export function appendFacts(facts: readonly Fact[]): Statement {
  return {
    name: 'facts.append',
    text: `insert into platform.facts (lane, position, docking, kind, subject, code, body, at)
      select *, $8::timestamptz from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
      on conflict do nothing returning lane`,
    values: [
      array.bare(facts.map((f) => f.lane)), array.bare(facts.map((f) => f.position)), array.text(facts.map((f) => f.docking)),
      array.text(facts.map((f) => f.kind)), array.text(facts.map((f) => f.subject)), array.text(facts.map((f) => f.code)),
      array.text(facts.map((f) => f.body)), facts[0]!.at,
    ],
  }
}

/** A fact before its place in the log is known. */
export type NewFact = Omit<Fact, 'position' | 'at'>

export type LaneWork = { at: Date; append(fact: NewFact): bigint }

/**
 * The shape of every command outside the batch of orders: lock the lane, load, decide, write, and append its facts.
 * `work` gets the database's clock and hands facts in; they are written with everything else or not at all.
 */
export async function underLanes<T>(
  connection: Connection,
  lanes: readonly number[],
  work: (lane: LaneWork) => Promise<T>,
): Promise<T> {
  const locked = readLanes(await connection.run(lockLanes(lanes)))
  const at = (await connection.run({ name: 'platform.clock', text: 'select clock_timestamp()', values: [] }))[0]![0] as Date
  const facts: Fact[] = []
  const value = await work({
    at,
    append(fact) {
      const lane = locked.get(fact.lane)!
      lane.head += 1n
      facts.push({ ...fact, position: lane.head, at })
      return lane.head
    },
  })
  if (facts.length > 0) {
    const written = await connection.run(appendFacts(facts))
    const moved = await connection.run(
      moveLanes([...new Set(facts.map((f) => f.lane))].sort((a, b) => a - b).map((lane) => ({ ...locked.get(lane)!, answered: 0n }))),
    )
    if (written.length !== facts.length || moved.length !== new Set(facts.map((f) => f.lane)).size) {
      throw new Error('the facts of a command were not all written')
    }
  }
  return value
}

/** The last refusals of a docking, newest first: they are the evidence of its report. */
export function loadRefusals(lane: number, docking: string, limit: number): Statement {
  return {
    name: 'facts.refusals',
    text: `select position, kind, subject, code, body, at from platform.facts
      where lane = $1 and docking = $2 and code is not null order by position desc limit $3`,
    values: [lane, docking, limit],
  }
}

export type RefusalFact = { position: bigint; kind: string; subject: string | null; code: string; body: string; at: Date }

export function readRefusals(rows: Rows): RefusalFact[] {
  return rows.map((row) => ({
    position: row[0] as bigint, kind: row[1] as string, subject: row[2] as string | null,
    code: row[3] as string, body: row[4] as string, at: row[5] as Date,
  }))
}

/** Every cause that a refusal named, the one in front first. Facts of before the values were kept name the others by code alone. */
export function causesIn(fact: RefusalFact): { code: string; because: Record<string, unknown> }[] {
  const { because = {}, also = [] } = JSON.parse(fact.body) as { because?: Record<string, unknown>; also?: (string | { code: string; because: Record<string, unknown> })[] }
  return [{ code: fact.code, because }, ...also.map((other) => (typeof other === 'string' ? { code: other, because: {} } : other))]
}

/** Facts of a lane in order, from behind a position: what every follower reads. */
export function loadFacts(lane: number, after: bigint, limit: number): Statement {
  return {
    name: 'facts.after',
    text: `select lane, position, docking, kind, subject, code, body, at from platform.facts
      where lane = $1 and position > $2 order by position limit $3`,
    values: [lane, after, limit],
  }
}

/** Accepted facts of some kinds between two positions of a lane, the first left out: a follower that needs few reads few. */
export function loadFactsOf(lane: number, after: bigint, upTo: bigint, kinds: readonly string[]): Statement {
  return {
    name: 'facts.of',
    text: `select position, docking, kind, subject, body, at from platform.facts
      where lane = $1 and position > $2 and position <= $3 and kind = any($4::text[]) and code is null order by position`,
    values: [lane, after, upTo, array.text(kinds)],
  }
}

export type AcceptedFact = { position: bigint; docking: string | null; kind: string; subject: string | null; body: string; at: Date }

export function readFactsOf(rows: Rows): AcceptedFact[] {
  return rows.map((row) => ({
    position: row[0] as bigint, docking: row[1] as string | null, kind: row[2] as string, subject: row[3] as string | null, body: row[4] as string, at: row[5] as Date,
  }))
}

/** Refusals, and accepted facts of some kinds, between two positions of a lane, the first left out. A refusal comes without its body. */
export function loadTold(lane: number, after: bigint, upTo: bigint, kinds: readonly string[]): Statement {
  return {
    name: 'facts.told',
    text: `select position, docking, kind, subject, case when code is null then body else '{}' end, at, code from platform.facts
      where lane = $1 and position > $2 and position <= $3 and (code is not null or kind = any($4::text[])) order by position`,
    values: [lane, after, upTo, array.text(kinds)],
  }
}

export type ToldFact = AcceptedFact & { code: string | null }

export function readTold(rows: Rows): ToldFact[] {
  return readFactsOf(rows).map((fact, i) => ({ ...fact, code: rows[i]![6] as string | null }))
}
