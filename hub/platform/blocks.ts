import { array, type Rows, type Statement } from './postgres/database.ts'

/** Positions of a lane behind `after`, up to and with `upTo`. */
export type Span = { lane: number; after: bigint; upTo: bigint }

/** The hashes of all facts of a span in their order, 32 bytes each, and the positions of those that belong to one of the families. */
export type Block = { lane: number; after: bigint; count: number; hashes: Buffer; chosen: bigint[] }

/**
 * The hashes of facts, made where they lie: to read a row into this process costs more than to hash it there. What is
 * hashed is the canonical JSON (RFC 8785) of [lane, position, docking, kind, subject, code, body, at], the time with
 * microseconds, behind the byte 0x00 of a leaf. `families`: the first words of kinds, such as `decision`; refused
 * commands belong to none.
 */
export function loadBlocks(spans: readonly Span[], families: readonly string[]): Statement {
  return {
    name: 'facts.blocks',
    text: `select s.lane, s.after, count(*)::int,
        string_agg(sha256('\\x00'::bytea || convert_to(concat('[', f.lane, ',', f.position, ',', coalesce(to_json(f.docking)::text, 'null'), ',', to_json(f.kind), ',',
          coalesce(to_json(f.subject)::text, 'null'), ',', coalesce(to_json(f.code)::text, 'null'), ',', to_json(f.body), ',"',
          to_char(f.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '"]'), 'UTF8')), ''::bytea order by f.position),
        coalesce(string_agg(f.position::text, ',' order by f.position) filter (where f.code is null and split_part(f.kind, '.', 1) = any($4::text[])), '')
      from unnest($1::int[], $2::bigint[], $3::bigint[]) s(lane, after, up_to)
      join platform.facts f on f.lane = s.lane and f.position > s.after and f.position <= s.up_to
      group by s.lane, s.after order by s.lane, s.after`,
    values: [array.bare(spans.map((span) => span.lane)), array.bare(spans.map((span) => span.after)), array.bare(spans.map((span) => span.upTo)), array.text(families)],
  }
}

export function readBlocks(rows: Rows): Block[] {
  return rows.map((row) => ({
    lane: row[0] as number, after: row[1] as bigint, count: row[2] as number, hashes: row[3] as Buffer, chosen: (row[4] as string).split(',').filter(Boolean).map(BigInt),
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
