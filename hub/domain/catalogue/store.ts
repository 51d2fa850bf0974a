import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Change, Good, Lot, Mode, Part, Pick, Race, Tier } from './model.ts'
import { optionsOf, writeOptions } from './options.ts'

const GOOD = 'g.id, g.number, g.code, g.name, g.category, g.description, g.unit_price, g.minimum, g.maximum, g.on_sale, g.changed_at, g.options, g.cost, g.image'

export function readGoods(rows: Rows): Good[] {
  return rows.map((row) => ({
    id: row[0] as string, number: row[1] as number, code: row[2] as string, name: row[3] as string, category: row[4] as string,
    description: row[5] as string, unitPriceMicro: row[6] as bigint, minimum: row[7] as number, maximum: row[8] as number,
    onSale: row[9] as boolean, changedAt: row[10] as Date, options: optionsOf(row[11]), costMicro: row[12] as bigint | null, image: row[13] as string | null,
  }))
}

/** What an order needs of its goods: names and descriptions stay behind. */
export function loadSaleTerms(goods: readonly string[]): Statement {
  return {
    name: 'catalogue.sale_terms',
    text: 'select id, code, unit_price, minimum, maximum, on_sale, options, cost, category from catalogue.goods where id = any($1::text[])',
    values: [array.text(goods)],
  }
}

export type SaleTerms = Part<Good, 'id' | 'code' | 'unitPriceMicro' | 'costMicro' | 'minimum' | 'maximum' | 'onSale' | 'options' | 'category'>

export function readSaleTerms(rows: Rows): Map<string, SaleTerms> {
  return new Map(rows.map((row) => [row[0] as string, {
    id: row[0] as string, code: row[1] as string, unitPriceMicro: row[2] as bigint, minimum: row[3] as number, maximum: row[4] as number, onSale: row[5] as boolean,
    options: optionsOf(row[6]), costMicro: row[7] as bigint | null, category: row[8] as string,
  }]))
}

/** Locks the open lots of goods in one mode and variant each, ascending: the second lock of everybody who sells, after the lanes. */
export function lockLots(sales: readonly { good: string; mode: Mode; variant: string }[]): Statement {
  return {
    name: 'catalogue.lock_lots',
    text: `select l.id, l.good, l.mode, l.next_seq, l.size, l.expires_at, l.variant from catalogue.lots l
      join unnest($1::text[], $2::text[], $3::text[]) k(good, mode, variant) on l.good = k.good and l.mode = k.mode and l.variant = k.variant
      where l.state = 'published' order by l.id for update of l`,
    values: [array.text(sales.map((s) => s.good)), array.bare(sales.map((s) => s.mode)), array.text(sales.map((s) => s.variant))],
  }
}

/** The same lots for a look that takes nothing. */
export function loadLots(good: string, mode: Mode, variant: string): Statement {
  return {
    name: 'catalogue.lots',
    text: `select id, good, mode, next_seq, size, expires_at, variant from catalogue.lots where good = $1 and mode = $2 and variant = $3 and state = 'published' order by id`,
    values: [good, mode, variant],
  }
}

/** Where the lots of one variant stand in the tally. */
export function saleKey(good: string, mode: Mode, variant: string): string {
  return variant === '' ? `${good} ${mode}` : `${good} ${mode} ${variant}`
}

/** Keyed by saleKey, each list ascending. */
export function readLots(rows: Rows): Map<string, Lot[]> {
  const lots = new Map<string, Lot[]>()
  for (const row of rows) {
    const lot: Lot = {
      id: row[0] as bigint, good: row[1] as string, mode: row[2] as Mode, nextSeq: row[3] as number, size: row[4] as number, expiresAt: row[5] as Date | null,
    }
    const key = saleKey(lot.good, lot.mode, row[6] as string)
    const list = lots.get(key)
    if (list) list.push(lot)
    else lots.set(key, [lot])
  }
  return lots
}

/** Moves cursors of locked lots; the row count must equal their number. */
export function moveCursors(lots: readonly { id: bigint; nextSeq: number }[]): Statement {
  return {
    name: 'catalogue.move_cursors',
    text: `update catalogue.lots l set next_seq = n.next_seq, state = case when n.next_seq > l.size then 'exhausted' else l.state end
      from unnest($1::bigint[], $2::int[]) n(id, next_seq) where l.id = n.id and l.next_seq <= n.next_seq returning l.id`,
    values: [array.bare(lots.map((l) => l.id)), array.bare(lots.map((l) => l.nextSeq))],
  }
}

/** The sealed cards of picks, in no order; cards never change, so no lock is needed. The fence keeps it a walk down the index. */
export function loadCards(picks: readonly Pick[]): Statement {
  return {
    name: 'catalogue.cards',
    text: `select c.lot, c.seq, c.sealed from unnest($1::bigint[], $2::int[], $3::int[]) p(lot, first, count)
      cross join lateral (select * from catalogue.cards c where c.lot = p.lot and c.seq >= p.first and c.seq < p.first + p.count offset 0) c`,
    values: [array.bare(picks.map((p) => p.lot)), array.bare(picks.map((p) => p.first)), array.bare(picks.map((p) => p.count))],
  }
}

export type SealedCards = Map<bigint, Map<number, Buffer>>

export function readCards(rows: Rows): SealedCards {
  const cards: SealedCards = new Map()
  for (const row of rows) {
    let lot = cards.get(row[0] as bigint)
    if (!lot) cards.set(row[0] as bigint, (lot = new Map()))
    lot.set(row[1] as number, row[2] as Buffer)
  }
  return cards
}

export function loadExpiries(lots: readonly bigint[]): Statement {
  return { text: 'select id, expires_at from catalogue.lots where id = any($1::bigint[])', values: [array.bare(lots)] }
}

export function loadDataKeys(lots: readonly bigint[]): Statement {
  return { name: 'catalogue.data_keys', text: 'select id, good, data_key from catalogue.lots where id = any($1::bigint[])', values: [array.bare(lots)] }
}

export function loadGoods(after: string, limit: number): Statement {
  return { name: 'catalogue.goods_page', text: `select ${GOOD} from catalogue.goods g where g.id > $1 order by g.id limit $2`, values: [after, limit] }
}

export function loadGoodsById(ids: readonly string[]): Statement {
  return { name: 'catalogue.goods_by_id', text: `select ${GOOD} from catalogue.goods g where g.id = any($1::text[])`, values: [array.text(ids)] }
}

export function loadGoodsByCode(codes: readonly string[]): Statement {
  return { name: 'catalogue.goods_by_code', text: `select ${GOOD} from catalogue.goods g where g.code = any($1::text[])`, values: [array.text(codes)] }
}

export function loadGoodsByNumber(numbers: readonly number[]): Statement {
  return { name: 'catalogue.goods_by_number', text: `select ${GOOD} from catalogue.goods g where g.number = any($1::int[])`, values: [array.bare(numbers)] }
}

/** What is left per good and variant in one mode, expired lots left out. A good without lots is not in the answer. */
export function loadStock(goods: readonly string[], mode: Mode, clockOffsetS = 0): Statement {
  return {
    name: 'catalogue.stock',
    text: `select good, variant, sum(size - next_seq + 1)::int from catalogue.lots
      where good = any($1::text[]) and mode = $2 and state = 'published' and (expires_at is null or expires_at > clock_timestamp() + make_interval(secs => $3)) group by good, variant`,
    values: [array.bare(goods), mode, clockOffsetS],
  }
}

export function insertGoods(goods: readonly Good[]): Statement {
  return {
    text: `insert into catalogue.goods (id, number, code, name, category, description, unit_price, minimum, maximum, on_sale, changed_at, options, cost)
      select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::int[], $9::int[], $10::boolean[], $11::timestamptz[],
        $12::jsonb[], $13::bigint[])
      on conflict (id) do update set options = excluded.options, cost = excluded.cost, name = excluded.name, category = excluded.category, description = excluded.description,
        unit_price = excluded.unit_price, minimum = excluded.minimum, maximum = excluded.maximum, on_sale = excluded.on_sale, changed_at = excluded.changed_at
      returning id`,
    values: [
      goods.map((g) => g.id), goods.map((g) => g.number), goods.map((g) => g.code), goods.map((g) => g.name), goods.map((g) => g.category),
      goods.map((g) => g.description), goods.map((g) => g.unitPriceMicro), goods.map((g) => g.minimum), goods.map((g) => g.maximum),
      goods.map((g) => g.onSale), goods.map((g) => g.changedAt), goods.map((g) => writeOptions(g.options)), goods.map((g) => g.costMicro),
    ],
  }
}

export function lastNumber(): Statement {
  return { text: 'select coalesce(max(number), 0) from catalogue.goods', values: [] }
}

/** Changes for everybody, for one docking, or for all dockings of a price group by the one row. */
export function insertChanges(changes: readonly { good: string; docking: string | null; group?: string | null; what: Change['what']; at: Date }[]): Statement {
  return {
    name: 'catalogue.changes_insert',
    text: `insert into catalogue.changes (good, docking, grp, what, at)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) on conflict do nothing returning id`,
    values: [
      array.text(changes.map((c) => c.good)), array.text(changes.map((c) => c.docking)), array.text(changes.map((c) => c.group ?? null)), array.text(changes.map((c) => c.what)),
      array.text(changes.map((c) => c.at.toISOString())),
    ],
  }
}

/** A price change of every good, for one docking, for the dockings of a group, or for everybody. */
export function insertPriceChangesOfAll(to: { docking: string | null; group: string | null }, at: Date): Statement {
  return { text: `insert into catalogue.changes (good, docking, grp, what, at) select id, $1::text, $2::text, 'price', $3::timestamptz from catalogue.goods`, values: [to.docking, to.group, at] }
}

/** Changes for one docking from behind a position, those for everybody and for its price group included. */
export function loadChanges(docking: string, group: string | null, after: bigint, limit: number): Statement {
  return {
    name: 'catalogue.changes_after',
    text: `select position, good, docking, what, at from catalogue.changes
      where position > $2 and (docking = $1 or docking is null and (grp is null or grp = $4)) order by position limit $3`,
    values: [docking, after, limit, group],
  }
}

export function readChanges(rows: Rows): Change[] {
  return rows.map((row) => ({ position: row[0] as bigint, good: row[1] as string, docking: row[2] as string | null, what: row[3] as Change['what'], at: row[4] as Date }))
}

/** What a price is worked out from; `race` is '' for the good itself. */
export type PricedGood = { id: string; code: string; category: string; race: string; listMicro: bigint; costMicro: bigint | null; races: readonly Race[]; tiers: readonly Tier[] }

const PRICED = 'id, code, category, unit_price, cost, options'

/** Goods by their codes, by one id, or by category (null: all) from behind an id, in the order of the id. */
export function loadPricedByCode(codes: readonly string[]): Statement {
  return { text: `select ${PRICED} from catalogue.goods where code = any($1::text[]) order by id`, values: [array.text(codes)] }
}

export function loadPricedById(id: string): Statement {
  return { text: `select ${PRICED} from catalogue.goods where id = $1`, values: [id] }
}

export function loadPricedPage(category: string | null, after: string, limit: number): Statement {
  return { text: `select ${PRICED} from catalogue.goods where id > $1 and ($2::text is null or category = $2) order by id limit $3`, values: [after, category, limit] }
}

export function readPriced(rows: Rows): PricedGood[] {
  return rows.map((row) => ({
    id: row[0] as string, code: row[1] as string, category: row[2] as string, race: '', listMicro: row[3] as bigint, costMicro: row[4] as bigint | null, races: optionsOf(row[5]).races, tiers: optionsOf(row[5]).tiers,
  }))
}

/** One race of a good, priced like a good of its own; null for a race that it does not have, and for a good in races without one. */
export function pricedRace(good: PricedGood, name: string): PricedGood | null {
  if (good.races.length === 0 || name === '') return good.races.length === 0 && name === '' ? good : null
  const race = good.races.find((one) => one.name === name)
  return race ? { ...good, race: name, listMicro: race.priceMicro, costMicro: race.costMicro ?? good.costMicro, tiers: race.tiers } : null
}

/** The row count must equal the number of prices. */
export function writeListPrices(prices: readonly { good: string; listMicro: bigint }[], at: Date): Statement {
  return {
    text: `update catalogue.goods g set unit_price = k.unit_price, changed_at = $3 from unnest($1::text[], $2::bigint[]) k(id, unit_price) where g.id = k.id returning g.id`,
    values: [array.text(prices.map((p) => p.good)), array.bare(prices.map((p) => p.listMicro)), at],
  }
}
