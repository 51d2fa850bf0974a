import { array, type Rows, type Statement } from './postgres/database.ts'

/** Positions of a lane behind `after`, up to and with `upTo`. */
export type Span = { lane: number; after: bigint; upTo: bigint }

/** What binds the facts of a span, and the positions of those that belong to one of the families. `digest` is null when there are none. */
export type Block = { lane: number; after: bigint; count: number; digest: Buffer | null; chosen: bigint[] }

/**
 * The digests of spans: SHA-256 over the hashes of their facts, one behind the other, each SHA-256 over the row in the
 * binary form of Postgres (the number of fields; of each its type, its length and its bytes): lane, position, docking,
 * kind, subject, code, body, at. All of it is made where the rows lie. By canonical JSON an order would cost 5 µs, by
 * this form 1.3 µs, and to read the rows into this process more than either.
 *
 * Written as a walk down the index for each span: as a join the planner reads the whole log. `families`: the first words
 * of kinds, such as `decision`; refused commands belong to none, and `silent` are kinds that do not either.
 */
export function loadBlocks(spans: readonly Span[], families: readonly string[], silent: readonly string[] = []): Statement {
  return {
    name: 'facts.blocks',
    text: `select s.lane, s.after, b.* from unnest($1::int[], $2::bigint[], $3::bigint[]) s(lane, after, up_to) cross join lateral (
        select count(*)::int, sha256(string_agg(sha256(record_send(row(f.lane, f.position, f.docking, f.kind, f.subject, f.code, f.body, f.at))), ''::bytea)),
          coalesce(array_to_string(array_agg(f.position) filter (where f.code is null and split_part(f.kind, '.', 1) = any($4::text[]) and f.kind <> all ($5::text[])), ','), '')
        from (select * from platform.facts f where f.lane = s.lane and f.position > s.after and f.position <= s.up_to order by f.position) f
      ) b order by s.lane, s.after`,
    values: [array.bare(spans.map((span) => span.lane)), array.bare(spans.map((span) => span.after)), array.bare(spans.map((span) => span.upTo)), array.text(families), array.text(silent)],
  }
}

export function readBlocks(rows: Rows): Block[] {
  return rows.map((row) => ({
    lane: row[0] as number, after: row[1] as bigint, count: row[2] as number, digest: row[3] as Buffer | null, chosen: (row[4] as string).split(',').filter(Boolean).map(BigInt),
  }))
}

/** A fact without its body. */
export type BareFact = { lane: number; position: bigint; docking: string | null; kind: string; subject: string | null; at: Date }

export function loadFactsAt(places: readonly { lane: number; position: bigint }[]): Statement {
  return {
    name: 'facts.at',
    text: `select f.lane, f.position, f.docking, f.kind, f.subject, f.at from unnest($1::int[], $2::bigint[]) k(lane, position)
      join platform.facts f on f.lane = k.lane and f.position = k.position order by f.lane, f.position`,
    values: [array.bare(places.map((place) => place.lane)), array.bare(places.map((place) => place.position))],
  }
}

export function readBareFacts(rows: Rows): BareFact[] {
  return rows.map((row) => ({
    lane: row[0] as number, position: row[1] as bigint, docking: row[2] as string | null, kind: row[3] as string, subject: row[4] as string | null, at: row[5] as Date,
  }))
}
