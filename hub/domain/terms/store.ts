import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'

export function openContract(lane: number, docking: string, feePpm: number, since: Date): Statement {
  return {
    text: 'insert into terms.contracts (lane, docking, fee_ppm, since) values ($1, $2, $3, $4)',
    values: [lane, docking, feePpm, since],
  }
}

export function loadContracts(lanes: readonly number[], dockings: readonly string[]): Statement {
  return {
    name: 'terms.contracts',
    text: `select c.docking, c.fee_ppm from unnest($1::int[], $2::text[]) k(lane, docking)
      join terms.contracts c on c.lane = k.lane and c.docking = k.docking`,
    values: [array.bare(lanes), array.bare(dockings)],
  }
}

export function readContracts(rows: Rows): Map<string, number> {
  return new Map(rows.map((row) => [row[0] as string, row[1] as number]))
}

/** Own prices of the asked pairs; a pair without one is not in the answer and pays the list price. */
export function loadOffers(pairs: readonly { lane: number; docking: string; good: string }[]): Statement {
  return {
    name: 'terms.offers',
    text: `select o.docking, o.good, o.unit_price from unnest($1::int[], $2::text[], $3::text[]) k(lane, docking, good)
      join terms.offers o on o.lane = k.lane and o.docking = k.docking and o.good = k.good`,
    values: [array.bare(pairs.map((p) => p.lane)), array.bare(pairs.map((p) => p.docking)), array.text(pairs.map((p) => p.good))],
  }
}

/** Keyed by `docking good`. */
export function readOffers(rows: Rows): Map<string, bigint> {
  return new Map(rows.map((row) => [`${row[0] as string} ${row[1] as string}`, row[2] as bigint]))
}

export function loadOffersOf(lane: number, docking: string): Statement {
  return {
    name: 'terms.offers_of',
    text: 'select docking, good, unit_price from terms.offers where lane = $1 and docking = $2',
    values: [lane, docking],
  }
}

/** Own prices of many pairs at once; answers those that changed. */
export function writeOffers(offers: readonly { lane: number; docking: string; good: string; unitPriceMicro: bigint }[], since: Date): Statement {
  return {
    text: `insert into terms.offers as o (lane, docking, good, unit_price, since)
      select *, $5::timestamptz from unnest($1::int[], $2::text[], $3::text[], $4::bigint[])
      on conflict (lane, docking, good) do update set unit_price = excluded.unit_price, since = excluded.since where o.unit_price <> excluded.unit_price
      returning o.docking, o.good`,
    values: [
      array.bare(offers.map((o) => o.lane)), array.text(offers.map((o) => o.docking)), array.text(offers.map((o) => o.good)),
      array.bare(offers.map((o) => o.unitPriceMicro)), since,
    ],
  }
}

export function writeOffer(lane: number, docking: string, good: string, unitPriceMicro: bigint, since: Date): Statement {
  return {
    text: `insert into terms.offers (lane, docking, good, unit_price, since) values ($1, $2, $3, $4, $5)
      on conflict (lane, docking, good) do update set unit_price = excluded.unit_price, since = excluded.since`,
    values: [lane, docking, good, unitPriceMicro, since],
  }
}
