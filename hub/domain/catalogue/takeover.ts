import { array, type Connection, type Rows, type Statement } from '../../platform/postgres/database.ts'
import { sealWith, type Vault } from '../../platform/sealing/vault.ts'
import { CardOpener, cardContext, dataKeyContext } from './cards.ts'
import type { Card } from './model.ts'
import { writeCard } from './rules.ts'
import { insertChanges } from './store.ts'

/** Cards of another site are real ones. */
const MODE = 'live'

/**
 * The lots of one migration. Each reading of the old site stages lots of its own, one a good and variant, under its own batch; the
 * flip puts them on sale and takes those of earlier readings away, in one commit.
 */
export type Family = {
  /** The migration: what the batches of all its readings begin with. */
  name: string
  /** This reading. */
  batch: string
}

export type CardToStage = { good: string; variant: string; card: Card }
/** known: staged by an earlier try of the same reading. duplicate: the good has this card from somewhere else. */
export type Staged = 'staged' | 'known' | 'duplicate'

type StagedLot = { id: bigint; good: string; variant: string; size: number; key: ReturnType<Vault['openDataKey']> }

/** Stages cards in lots that nobody can buy from. A repeat stages nothing twice. The caller lets one call in at a time. */
export async function stageCards(connection: Connection, vault: Vault, family: Family, cards: readonly CardToStage[]): Promise<Staged[]> {
  if (cards.length === 0) return []
  const lots = await openLots(connection, vault, family.batch, cards)
  const named = cards.map(({ good, variant, card }) => {
    const text = writeCard(card)
    return { lot: lots.get(shelfOf(good, variant))!, text, blind: vault.blind(`${MODE}|${good}|${text}`) }
  })
  const fresh = new Map(named.map((card) => [nameOf(card.lot.good, card.blind), card]))
  const indexed = new Set((await connection.run(indexCards(family, [...fresh.values()]))).map((row) => nameOf(row[0] as string, row[1] as Buffer)))
  const kept = [...fresh].filter(([name]) => indexed.has(name)).map(([, card]) => card)
  await sealCards(connection, kept)
  const others = [...fresh].filter(([name]) => !indexed.has(name)).map(([, card]) => card)
  const known = new Set((others.length === 0 ? [] : await connection.run(stagedAlready(others))).map((row) => nameOf(row[0] as string, row[1] as Buffer)))
  const seen = new Set<string>()
  return named.map(({ lot, blind }) => {
    const name = nameOf(lot.good, blind)
    if (seen.has(name)) return 'duplicate'
    seen.add(name)
    return indexed.has(name) ? 'staged' : known.has(name) ? 'known' : 'duplicate'
  })
}

function nameOf(good: string, blind: Buffer): string {
  return `${good} ${blind.toString('base64')}`
}

function shelfOf(good: string, variant: string): string {
  return `${good} ${variant}`
}

/** The staged lot of each good and variant, made where there is none yet. `size` counts what is staged. */
async function openLots(connection: Connection, vault: Vault, batch: string, cards: readonly { good: string; variant: string }[]): Promise<Map<string, StagedLot>> {
  const wanted = new Map(cards.map(({ good, variant }) => [shelfOf(good, variant), { good, variant }]))
  const load = { text: `select id, good, variant, size, data_key from catalogue.lots where batch = $1 and state = 'staged' and good = any($2::text[]) order by id for update`, values: [batch, array.text([...new Set(cards.map(({ good }) => good))])] }
  const lots = readStagedLots(vault, await connection.run(load))
  const missing = [...wanted].filter(([shelf]) => !lots.has(shelf)).map(([, one]) => one)
  if (missing.length === 0) return lots
  const made = await connection.run({
    text: `insert into catalogue.lots (mode, good, variant, batch, size, state, data_key, created_at)
      select '${MODE}', good, variant, $1, 0, 'staged', data_key, clock_timestamp() from unnest($2::text[], $3::text[], $4::bytea[]) g(good, variant, data_key)
      returning id, good, variant, size, data_key`,
    values: [batch, array.text(missing.map(({ good }) => good)), array.text(missing.map(({ variant }) => variant)), array.bytes(missing.map(({ good }) => vault.makeDataKey(dataKeyContext(good)).sealed))],
  })
  return new Map([...lots, ...readStagedLots(vault, made)])
}

function readStagedLots(vault: Vault, rows: Rows): Map<string, StagedLot> {
  return new Map(rows.map((row) => {
    const [good, variant] = [row[1] as string, row[2] as string]
    return [shelfOf(good, variant), { id: row[0] as bigint, good, variant, size: row[3] as number, key: vault.openDataKey(row[4] as Buffer, dataKeyContext(good)) }]
  }))
}

/**
 * A card that the good has had before is the next generation of itself where its lot was withdrawn, or where it stands in
 * an earlier reading of the same migration, which the flip will withdraw. Anywhere else it is a duplicate.
 */
function indexCards(family: Family, cards: readonly { lot: StagedLot; blind: Buffer }[]): Statement {
  return {
    text: `insert into catalogue.card_index (good, mode, blind, generation, lot)
      select a.good, '${MODE}', a.blind, coalesce(n.generation + 1, 0), a.lot
      from unnest($1::text[], $2::bytea[], $3::bigint[]) a(good, blind, lot)
      left join lateral (select i.generation, l.state, l.batch from catalogue.card_index i join catalogue.lots l on l.id = i.lot
        where i.good = a.good and i.mode = '${MODE}' and i.blind = a.blind order by i.generation desc limit 1) n on true
      where n.generation is null or n.state = 'withdrawn' or (starts_with(n.batch, $4) and n.batch <> $5)
      order by a.blind on conflict do nothing returning good, blind`,
    values: [array.text(cards.map(({ lot }) => lot.good)), array.bytes(cards.map(({ blind }) => blind)), array.bare(cards.map(({ lot }) => lot.id)), family.name, family.batch],
  }
}

/** Of these, the ones that an earlier try put into the very lots that are staged now. */
function stagedAlready(cards: readonly { lot: StagedLot; blind: Buffer }[]): Statement {
  return {
    text: `select i.good, i.blind from unnest($1::text[], $2::bytea[], $3::bigint[]) a(good, blind, lot)
      join catalogue.card_index i on i.good = a.good and i.mode = '${MODE}' and i.blind = a.blind and i.lot = a.lot`,
    values: [array.text(cards.map(({ lot }) => lot.good)), array.bytes(cards.map(({ blind }) => blind)), array.bare(cards.map(({ lot }) => lot.id))],
  }
}

/** Seals cards behind those that their lots hold, and counts them. */
async function sealCards(connection: Connection, cards: readonly { lot: StagedLot; text: string }[]): Promise<void> {
  if (cards.length === 0) return
  const rows = cards.map(({ lot, text }) => {
    const seq = ++lot.size
    return { lot: lot.id, seq, sealed: sealWith(lot.key, Buffer.from(text), cardContext(lot.good, lot.id, seq)) }
  })
  await connection.run({
    text: 'insert into catalogue.cards (lot, seq, sealed) select * from unnest($1::bigint[], $2::int[], $3::bytea[])',
    values: [array.bare(rows.map((row) => row.lot)), array.bare(rows.map((row) => row.seq)), array.bytes(rows.map((row) => row.sealed))],
  })
  const lots = [...new Set(cards.map(({ lot }) => lot))]
  await connection.run({
    text: 'update catalogue.lots l set size = n.size from unnest($1::bigint[], $2::int[]) n(id, size) where l.id = n.id',
    values: [array.bare(lots.map((lot) => lot.id)), array.bare(lots.map((lot) => lot.size))],
  })
}

export async function countStaged(connection: Connection, family: Family): Promise<number> {
  return (await connection.run({ text: `select coalesce(sum(size), 0)::int from catalogue.lots where batch = $1 and state = 'staged'`, values: [family.batch] }))[0]![0] as number
}

export type Flipped = { lots: number; cards: number; withdrawn: number; keptBack: Map<string, number> }

/**
 * Puts the staged lots of a reading on sale and takes the lots of earlier readings away: what was sold at the old site
 * since then is not sold here. What was sold *here* since then is not put on sale once more. Runs under the locks of all
 * lanes, so that no order sees a shelf that is empty for a moment.
 */
export async function flipCards(connection: Connection, vault: Vault, opener: CardOpener, family: Family, at: Date): Promise<Flipped> {
  const older = await lockFamily(connection, family)
  const keptBack = await keepSoldBack(connection, vault, opener, family, older.filter((lot) => lot.nextSeq > 1))
  const withdrawn = await connection.run({
    text: `update catalogue.lots set state = 'withdrawn' where state = 'published' and starts_with(batch, $1) and batch <> $2 returning good, size - next_seq + 1`,
    values: [family.name, family.batch],
  })
  const published = await connection.run({
    text: `update catalogue.lots set state = case when size = 0 then 'withdrawn' else 'published' end, published_at = $2 where batch = $1 and state = 'staged' returning good, size`,
    values: [family.batch, at],
  })
  const goods = [...new Set([...published, ...withdrawn].map((row) => row[0] as string))]
  if (goods.length > 0) await connection.run(insertChanges(goods.map((good) => ({ good, docking: null, what: 'stock', at }))))
  const sum = (rows: Rows) => rows.reduce((total, row) => total + (row[1] as number), 0)
  return { lots: published.length, cards: sum(published), withdrawn: sum(withdrawn), keptBack }
}

type FamilyLot = { id: bigint; good: string; nextSeq: number; state: string }

/** The lots of earlier readings, ascending and locked: the second lock of everybody who sells, after the lanes. */
async function lockFamily(connection: Connection, family: Family): Promise<FamilyLot[]> {
  const rows = await connection.run({
    text: `select id, good, next_seq, state from catalogue.lots where starts_with(batch, $1) and batch <> $2 and state <> 'staged' order by id for update`,
    values: [family.name, family.batch],
  })
  return rows.map((row) => ({ id: row[0] as bigint, good: row[1] as string, nextSeq: row[2] as number, state: row[3] as string }))
}

/** Makes each staged lot anew without the cards that were sold here. A card row is never moved or changed. */
async function keepSoldBack(connection: Connection, vault: Vault, opener: CardOpener, family: Family, soldFrom: readonly FamilyLot[]): Promise<Map<string, number>> {
  const keptBack = new Map<string, number>()
  if (soldFrom.length === 0) return keptBack
  const sold = new Map<string, Set<string>>()
  const picks = soldFrom.map((lot) => ({ lot: lot.id, first: 1, count: lot.nextSeq - 1 }))
  const texts = await opener.read(connection, picks)
  soldFrom.forEach((lot, i) => {
    const cards = sold.get(lot.good) ?? new Set<string>()
    for (const card of texts[i]!) cards.add(writeCard(card))
    sold.set(lot.good, cards)
  })
  const staged = await connection.run({
    text: `select id, good, variant, size from catalogue.lots where batch = $1 and state = 'staged' and size > 0 and good = any($2::text[]) order by id for update`,
    values: [family.batch, array.text([...sold.keys()])],
  })
  for (const [id, good, variant, size] of staged as unknown as [bigint, string, string, number][]) {
    const cards = (await opener.read(connection, [{ lot: id, first: 1, count: size }]))[0]!
    const left = cards.filter((card) => !sold.get(good)!.has(writeCard(card)))
    if (left.length === cards.length) continue
    keptBack.set(good, (keptBack.get(good) ?? 0) + cards.length - left.length)
    await connection.run({ text: 'select catalogue.sweep_staged($1)', values: [id] })
    if (left.length > 0) await stageCards(connection, vault, family, left.map((card) => ({ good, variant, card })))
  }
  return keptBack
}

/** Takes everything that is left of a family off sale. Refuses nothing: `soldFrom` names the lots that were sold from. */
export async function withdrawFamily(connection: Connection, name: string, at: Date): Promise<{ lots: number; cards: number }> {
  const withdrawn = await connection.run({
    text: `update catalogue.lots set state = 'withdrawn' where starts_with(batch, $1) and state = 'published' returning good, size - next_seq + 1`,
    values: [name],
  })
  const goods = [...new Set(withdrawn.map((row) => row[0] as string))]
  if (goods.length > 0) await connection.run(insertChanges(goods.map((good) => ({ good, docking: null, what: 'stock', at }))))
  return { lots: withdrawn.length, cards: withdrawn.reduce((total, row) => total + (row[1] as number), 0) }
}

/** The lots of a family that were sold from, locked. */
export async function soldFrom(connection: Connection, name: string): Promise<bigint[]> {
  const rows = await connection.run({ text: `select id, next_seq from catalogue.lots where starts_with(batch, $1) order by id for update`, values: [name] })
  return rows.filter((row) => (row[1] as number) > 1).map((row) => row[0] as bigint)
}

/** Of each good: its code, how many cards this reading brought, and how many of them are left. */
export async function stockOfFamily(connection: Connection, family: Family, goods: readonly string[]): Promise<Map<string, { code: string; brought: number; left: number; onSale: boolean }>> {
  const rows = await connection.run({
    text: `select g.id, g.code, coalesce(sum(l.size), 0)::int, coalesce(sum(l.size - l.next_seq + 1) filter (where l.state = 'published'), 0)::int, g.on_sale
      from catalogue.goods g left join catalogue.lots l on l.good = g.id and l.batch = $2 and l.state in ('published', 'exhausted')
      where g.id = any($1::text[]) group by g.id`,
    values: [array.text(goods), family.batch],
  })
  return new Map(rows.map((row) => [row[0] as string, { code: row[1] as string, brought: row[2] as number, left: row[3] as number, onSale: row[4] as boolean }]))
}

/** Takes goods off sale; one that is off sale already is not changed. */
export async function takeOffSale(connection: Connection, goods: readonly string[], at: Date): Promise<number> {
  const rows = await connection.run({ text: 'update catalogue.goods set on_sale = false, changed_at = $2 where id = any($1::text[]) and on_sale returning id', values: [array.text(goods), at] })
  if (rows.length > 0) await connection.run(insertChanges(rows.map((row) => ({ good: row[0] as string, docking: null, what: 'good', at }))))
  return rows.length
}
