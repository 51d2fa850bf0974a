import type { KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { formatAmount } from '../../../protocol/money.ts'
import { explain } from '../../../protocol/reasons.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import { array, type Connection, type Database } from '../../platform/postgres/database.ts'
import { sealWith, type Vault } from '../../platform/sealing/vault.ts'
import { insertHistory, moveBook, type HistoryLine } from '../terms/index.ts'
import { cardContext, dataKeyContext } from './cards.ts'
import type { Good, LineError, Mode } from './model.ts'
import { readCardLine, readGood, writeCard, type GoodInput } from './rules.ts'
import { insertChanges, insertGoods, lastNumber, loadGoodsByCode, readGoods, loadExpiries } from './store.ts'

export type GoodsImported = { added: number; changed: number; unchanged: number; errors: LineError[] }

/**
 * Adds or changes goods by code, in one transaction; a row that cannot be read is left out and named by its number.
 * @param firstLine the line number of rows[0] in the caller's file
 */
export async function importGoods(
  db: Database, rows: readonly Readonly<Record<string, unknown>>[], firstLine: number, makeId: () => string,
): Promise<GoodsImported> {
  const errors: LineError[] = []
  const inputs = new Map<string, GoodInput>()
  rows.forEach((row, i) => {
    const read = readGood(row)
    if (!read.ok) errors.push(lineError(firstLine + i, 'protocol.invalid_field', read.refusal.because))
    else if (inputs.has(read.value.code)) errors.push(lineError(firstLine + i, 'catalogue.good_reused', { code: read.value.code }))
    else inputs.set(read.value.code, read.value)
  })
  const result = await db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async ({ at, append }) => {
      const known = new Map(readGoods(await connection.run(loadGoodsByCode([...inputs.keys()]))).map((good) => [good.code, good]))
      let number = (await connection.run(lastNumber()))[0]![0] as number
      const written: Good[] = []
      let added = 0
      for (const input of inputs.values()) {
        const old = known.get(input.code)
        if (old && sameGood(old, input)) continue
        if (!old) added++
        written.push({ ...input, id: old?.id ?? makeId(), number: old?.number ?? ++number, image: old?.image ?? null, changedAt: at })
      }
      if (written.length > 0) {
        await connection.run(insertGoods(written))
        await connection.run(insertChanges(written.map((good) => ({ good: good.id, docking: null, what: 'good', at }))))
        const position = append({ lane: HOUSE_LANE, docking: null, kind: 'goods.imported', subject: null, code: null, body: JSON.stringify({ added, changed: written.length - added }) })
        const moved = written.flatMap((good): HistoryLine[] => {
          const old = known.get(good.code)
          if (!old || old.unitPriceMicro === good.unitPriceMicro) return []
          return [{ what: 'list', group: null, docking: null, good: good.id, race: '', subject: '', old: formatAmount(old.unitPriceMicro), new: formatAmount(good.unitPriceMicro) }]
        })
        if (moved.length > 0) await connection.run(insertHistory({ position, change: null, by: 'operator', note: 'goods import', at }, moved))
        // A category that was changed may bring another rule, and so another price.
        await connection.run(moveBook())
      }
      return { added, changed: written.length - added, unchanged: inputs.size - written.length }
    }), 60_000)
  return { ...result, errors }
}

function sameGood(a: Good, b: GoodInput): boolean {
  return a.name === b.name && a.category === b.category && a.description === b.description && a.unitPriceMicro === b.unitPriceMicro
    && a.minimum === b.minimum && a.maximum === b.maximum && a.onSale === b.onSale && a.costMicro === b.costMicro && isDeepStrictEqual(a.options, b.options)
}

export type CardsImport = { good: string; mode: Mode; batch: string; expiresAt: Date | null; variant?: string }
export type CardsImported = { lot: bigint | null; published: number; errors: LineError[]; errorCount: number }

const CHUNK = 1_000
const MOST_ERRORS = 1_000

/**
 * Imports cards from a stream of lines into one lot. Chunks are committed as they come, but nothing can be sold before
 * the one flip at the end publishes the lot; a stream that breaks leaves no trace.
 */
export async function importCards(db: Database, vault: Vault, target: CardsImport, lines: AsyncIterable<string>): Promise<CardsImported> {
  const { key, sealed } = vault.makeDataKey(dataKeyContext(target.good))
  const lot = (await db.run({
    text: `insert into catalogue.lots (mode, good, batch, size, state, expires_at, data_key, variant, created_at)
      values ($1, $2, $3, 2147483646, 'staged', $4, $5, $6, clock_timestamp()) returning id`,
    values: [target.mode, target.good, target.batch, target.expiresAt, sealed, target.variant ?? ''],
  }))[0]![0] as bigint
  const state = { lot, key, seq: 0, line: 0, errors: [] as LineError[], errorCount: 0 }
  try {
    let chunk: { line: number; text: string }[] = []
    for await (const text of lines) {
      state.line++
      if (text.trim() === '') continue
      chunk.push({ line: state.line, text })
      if (chunk.length === CHUNK) {
        await importChunk(db, vault, target, state, chunk)
        chunk = []
      }
    }
    if (chunk.length > 0) await importChunk(db, vault, target, state, chunk)
    if (state.seq === 0) {
      await sweep(db, lot)
      return { lot: null, published: 0, errors: state.errors.sort((a, b) => a.line - b.line), errorCount: state.errorCount }
    }
    await publish(db, target, lot, state.seq)
  } catch (error) {
    await sweep(db, lot).catch(() => {})
    throw error
  }
  return { lot, published: state.seq, errors: state.errors.sort((a, b) => a.line - b.line), errorCount: state.errorCount }
}

type ImportState = { lot: bigint; key: KeyObject; seq: number; errors: LineError[]; errorCount: number }

async function importChunk(db: Database, vault: Vault, target: CardsImport, state: ImportState, chunk: readonly { line: number; text: string }[]): Promise<void> {
  const fail = (line: number, code: LineError['code'], because: Record<string, string | number>) => {
    state.errorCount++
    if (state.errors.length < MOST_ERRORS) state.errors.push(lineError(line, code, because))
  }
  const fresh = new Map<string, { line: number; text: string; blind: Buffer }>()
  for (const { line, text } of chunk) {
    const card = readCardLine(text)
    if (!card) {
      fail(line, 'protocol.invalid_field', { path: `line ${line}`, expected: 'a secret, or number and secret, without control characters, at most 2000 characters' })
      continue
    }
    const plain = writeCard(card)
    const blind = vault.blind(`${target.mode}|${target.good}|${plain}`)
    const name = blind.toString('base64')
    if (fresh.has(name)) fail(line, 'catalogue.card_duplicate', { line })
    else fresh.set(name, { line, text: plain, blind })
  }
  const cards = [...fresh.values()]
  await db.transaction(async (connection) => {
    const indexed = await connection.run({
      name: 'catalogue.index_cards',
      // In one order for everybody: two imports of the same cards then wait for each other instead of for ever.
      text: `insert into catalogue.card_index (good, mode, blind, generation, lot)
        select $1, $2, blind, 0, $3 from unnest($4::bytea[]) blind order by blind on conflict do nothing returning blind`,
      values: [target.good, target.mode, state.lot, array.bytes(cards.map((card) => card.blind))],
    })
    const taken = new Set(indexed.map((row) => (row[0] as Buffer).toString('base64')))
    const kept = cards.filter((card) => taken.has(card.blind.toString('base64')))
    for (const card of cards) if (!taken.has(card.blind.toString('base64'))) fail(card.line, 'catalogue.card_duplicate', { line: card.line })
    await writeCards(connection, state, target.good, kept.map((card) => card.text))
  }, 30_000)
}

async function writeCards(connection: Connection, state: { lot: bigint; key: KeyObject; seq: number }, good: string, texts: readonly string[]): Promise<void> {
  const sealed = texts.map((text, i) => sealWith(state.key, Buffer.from(text), cardContext(good, state.lot, state.seq + i + 1)))
  await connection.run({
    name: 'catalogue.write_cards',
    text: 'insert into catalogue.cards (lot, seq, sealed) select $1, $2 + n, sealed from unnest($3::bytea[]) with ordinality as c(sealed, n)',
    values: [state.lot, state.seq, array.bytes(sealed)],
  })
  state.seq += texts.length
}

/** The one flip: from here on the lot is sold from. */
async function publish(db: Database, target: CardsImport, lot: bigint, size: number): Promise<void> {
  await db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async ({ at, append }) => {
      // Staged still: a lot that the start of another life has swept can never be sold from.
      const published = await connection.run({ text: `update catalogue.lots set size = $2, state = 'published', published_at = $3 where id = $1 and state = 'staged' returning id`, values: [lot, size, at] })
      if (published.length !== 1) throw new Error(`lot ${lot} was swept before its import ended`)
      await connection.run(insertChanges([{ good: target.good, docking: null, what: 'stock', at }]))
      append({ lane: HOUSE_LANE, docking: null, kind: 'lot.published', subject: target.good, code: null, body: JSON.stringify({ lot: String(lot), mode: target.mode, batch: target.batch, size, ...(target.variant ? { variant: target.variant } : {}) }) })
    }))
}

async function sweep(db: Database, lot: bigint): Promise<void> {
  await db.run({ text: 'select catalogue.sweep_staged($1)', values: [lot] })
}

/** Lots whose import died with an earlier life of the hub. */
export async function sweepAbandoned(db: Database): Promise<number> {
  const rows = await db.run({ text: `select id from catalogue.lots where state = 'staged'`, values: [] })
  for (const row of rows) await sweep(db, row[0] as bigint)
  return rows.length
}

/** A card that comes back: its text, and the lot that it was taken from. */
export type Returned = { good: string; mode: Mode; variant: string; lot: bigint; text: string }

/**
 * Puts cards that surely never left into lots of their own, sealed anew: a card row is never moved or changed. A card keeps
 * the day on which it expires. Runs inside the caller's transaction; the generation says how often a card came back.
 */
export async function restock(connection: Connection, vault: Vault, cards: readonly Returned[], at: Date): Promise<void> {
  const expiries = new Map((await connection.run(loadExpiries([...new Set(cards.map((card) => card.lot))]))).map((row) => [row[0] as bigint, row[1] as Date | null]))
  for (const alike of Map.groupBy(cards, ({ good, variant, lot }) => JSON.stringify([good, variant, expiries.get(lot)])).values()) {
    await restockAlike(connection, vault, { ...alike[0]!, expiresAt: expiries.get(alike[0]!.lot)! }, alike.map((card) => card.text), at)
  }
}

async function restockAlike(connection: Connection, vault: Vault, { good, mode, variant, expiresAt }: Omit<Returned, 'text'> & { expiresAt: Date | null }, texts: readonly string[], at: Date): Promise<void> {
  const { key, sealed } = vault.makeDataKey(dataKeyContext(good))
  const blinds = texts.map((text) => vault.blind(`${mode}|${good}|${text}`))
  const lot = (await connection.run({
    text: `insert into catalogue.lots (mode, good, batch, size, state, generation, data_key, variant, expires_at, created_at, published_at)
      values ($1, $2, 'returned', $3, 'published', 1, $4, $6, $7, $5, $5) returning id`,
    values: [mode, good, texts.length, sealed, at, variant, expiresAt],
  }))[0]![0] as bigint
  await connection.run({
    text: `insert into catalogue.card_index (good, mode, blind, generation, lot)
      select $1, $2, b.blind, coalesce((select max(generation) from catalogue.card_index i where i.good = $1 and i.mode = $2 and i.blind = b.blind), 0) + 1, $3
      from unnest($4::bytea[]) b(blind)`,
    values: [good, mode, lot, array.bytes(blinds)],
  })
  await writeCards(connection, { lot, key, seq: 0 }, good, texts)
}

function lineError(line: number, code: LineError['code'], because: Record<string, unknown>): LineError {
  const refusal = { code, because: { ...because, line } }
  return { line, code, message: { en: explain(refusal, 'en'), zh: explain(refusal, 'zh') } }
}
