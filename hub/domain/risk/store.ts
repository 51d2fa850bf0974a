import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Bands, Finding, Tally } from './model.ts'

export function loadCursors(): Statement {
  return { name: 'risk.cursors', text: 'select lane, position from risk.cursors', values: [] }
}

export function moveCursor(lane: number, from: bigint, to: bigint): Statement {
  return { name: 'risk.move_cursor', text: 'update risk.cursors set position = $3 where lane = $1 and position = $2 returning lane', values: [lane, from, to] }
}

export function loadProfile(): Statement {
  return { text: 'select sealed from risk.profiles', values: [] }
}

export function insertProfile(sealed: Buffer): Statement {
  return { text: 'insert into risk.profiles (one, sealed) values (true, $1) on conflict do nothing', values: [sealed] }
}

type Key = Pick<Tally, 'docking' | 'day' | 'good'>

export function loadTallies(lane: number, keys: readonly Key[]): Statement {
  return {
    name: 'risk.tallies',
    text: `select lane, docking, day::text, good, orders, night, gaps, gap_squares, last_at from unnest($2::text[], $3::date[], $4::text[]) k(docking, day, good)
      join risk.tallies t using (docking, day, good) where t.lane = $1`,
    values: [lane, array.text(keys.map((k) => k.docking)), array.text(keys.map((k) => k.day)), array.text(keys.map((k) => k.good))],
  }
}

export function readTallies(rows: Rows): Tally[] {
  return rows.map((row) => ({
    lane: row[0] as number, docking: row[1] as string, day: row[2] as string, good: row[3] as string, orders: Number(row[4] as bigint), night: Number(row[5] as bigint),
    gaps: row[6] as number, gapSquares: row[7] as number, lastAt: row[8] as Date,
  }))
}

export function writeTallies(tallies: readonly Tally[]): Statement {
  return {
    name: 'risk.write_tallies',
    text: `insert into risk.tallies (lane, docking, day, good, orders, night, gaps, gap_squares, last_at)
      select * from unnest($1::int[], $2::text[], $3::date[], $4::text[], $5::bigint[], $6::bigint[], $7::float8[], $8::float8[], $9::timestamptz[])
      on conflict (lane, docking, day, good) do update set orders = excluded.orders, night = excluded.night, gaps = excluded.gaps, gap_squares = excluded.gap_squares, last_at = excluded.last_at`,
    values: [
      array.bare(tallies.map((t) => t.lane)), array.text(tallies.map((t) => t.docking)), array.text(tallies.map((t) => t.day)), array.text(tallies.map((t) => t.good)), array.bare(tallies.map((t) => t.orders)),
      array.bare(tallies.map((t) => t.night)), tallies.map((t) => t.gaps), tallies.map((t) => t.gapSquares), tallies.map((t) => t.lastAt),
    ],
  }
}

/** What is older than the longest look back is forgotten. */
export function forgetTallies(before: string): Statement {
  return { text: 'delete from risk.tallies where day < $1', values: [before] }
}

/** A day of a good is found once; what was found is never changed. */
export function insertFinding(f: Finding, sealed: Buffer): Statement {
  return {
    text: `insert into risk.findings (lane, id, docking, detector, day, good, bands, commitment, sealed, found_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
    values: [f.lane, f.id, f.docking, f.detector, f.day, f.good, JSON.stringify(f.bands), f.commitment, sealed, f.foundAt],
  }
}

const FINDING = 'lane, id, docking, detector, day::text, good, bands, commitment, found_at, sealed'

/** A page of findings, newest first; ids tell their time. */
export function loadFindings(before: string | null, limit: number): Statement {
  return { text: `select ${FINDING} from risk.findings where ($1::text is null or id < $1) order by id desc limit $2`, values: [before, limit] }
}

export function loadFinding(id: string): Statement {
  return { text: `select ${FINDING} from risk.findings where id = $1`, values: [id] }
}

export function readFindings(rows: Rows): (Finding & { sealed: Buffer })[] {
  return rows.map((row) => ({
    lane: row[0] as number, id: row[1] as string, docking: row[2] as string, detector: row[3] as string, day: row[4] as string, good: row[5] as string, bands: row[6] as Bands,
    commitment: row[7] as string, foundAt: row[8] as Date, sealed: row[9] as Buffer,
  }))
}
