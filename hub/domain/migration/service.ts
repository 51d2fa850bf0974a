import { hash } from 'node:crypto'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { HOUSE_LANE, laneOf, LANES } from '../../kernel/lanes.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import { isConflict, type Connection, type Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import {
  CardOpener, chooseVariant, countStaged, flipCards, importGoods, loadGoodsByCode, loadGoodsById, readGoods, stageCards, type CardToStage, type Good, type GoodsImported,
} from '../catalogue/index.ts'
import { loadBalances, openBalance, openBalances, readBalances } from '../ledger/index.ts'
import { loadByReference, readOrders } from '../orders/index.ts'
import { findDocking, openDocking, type Docking } from '../partners/index.ts'
import { takeOverPrices, type OldPrice } from '../pricing/index.ts'
import { takeOver } from '../takenover/index.ts'
import { openContract } from '../terms/index.ts'
import type { BalanceRow, CardRow, Migration, OrderRow, PartnerRow, PriceRow, RowResult } from './model.ts'
import { familyOf, mayWrite, readOldCard } from './rules.ts'
import { insertBrought, insertMigration, loadBrought, lockMigration, markPublished, moveMigration, readMigration, writeKeptBack } from './store.ts'

export type Reading = Pick<Migration, 'id' | 'step'>

/** Chunks are written in one transaction each, which may be long. */
const CHUNK_MS = 60_000
const MOST_LEFT = 1_000

/** Begins a migration, or goes on with it: a later reading of the old site takes the place of the one before. */
export async function begin(db: Database, { id, step }: Reading, source: string): Promise<Outcome<Migration>> {
  return db.transaction(async (connection) => {
    await connection.run(insertMigration(id, step, source))
    const known = readMigration(await connection.run(lockMigration(id)))!
    if (known.state === 'withdrawn' || step < known.step) return mayWrite(known, id, step)
    if (step === known.step && source !== known.source) return refuse('migration.other_source', { migration: id, step })
    if (step > known.step) await connection.run(moveMigration(id, step, source))
    return accept({ ...known, step, source })
  })
}

/** One chunk of a reading: one at a time, and never after a later reading has begun. */
export async function underReading<T>(db: Database, { id, step }: Reading, work: (connection: Connection, migration: Migration) => Promise<Outcome<T>>): Promise<Outcome<T>> {
  return db.transaction(async (connection) => {
    const may = mayWrite(readMigration(await connection.run(lockMigration(id))), id, step)
    return may.ok ? work(connection, may.value) : may
  }, CHUNK_MS)
}

/** The docking that a migration opens for a member of the old site: the same one however often it tries. */
function dockingIdOf(migration: string, member: string): string {
  return `dck_${digits(`docking|${migration}|${member}`)}`
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

function digits(text: string): string {
  return [...hash('sha256', text, 'buffer').subarray(0, 20)].map((byte) => ALPHABET[byte & 31]).join('')
}

/** Opens a docking for each member, with the id and the key that its shop has stored. One that is open already is gone past. */
export async function openPartners(db: Database, vault: Vault, reading: Reading, rows: readonly PartnerRow[], makeKeyId: () => string): Promise<Outcome<{ docking: Docking; isNew: boolean }[]>> {
  const may = await underReading(db, reading, async () => accept(null))
  if (!may.ok) return may
  const opened: { docking: Docking; isNew: boolean }[] = []
  for (const row of rows) opened.push(await openOne(db, vault, reading.id, row, makeKeyId))
  return accept(opened)
}

async function openOne(db: Database, vault: Vault, migration: string, row: PartnerRow, makeKeyId: () => string): Promise<{ docking: Docking; isNew: boolean }> {
  const id = dockingIdOf(migration, row.member)
  const known = await findDocking(db, id)
  if (known) return { docking: known, isNew: false }
  try {
    const opened = await openDocking(db, vault, {
      ids: { partner: `prt_${digits(`partner|${migration}|${row.member}`)}`, docking: id, keys: [makeKeyId(), makeKeyId()] }, name: row.name, mode: 'live',
      dialect: 'acg0', appId: row.member, appKey: row.appKey, allowedAddresses: [], migration,
    }, async (connection, docking, at) => {
      await connection.run(openBalance(docking.lane, docking.id, docking.mode))
      await connection.run(openContract(docking.lane, docking.id, 0, at))
    })
    if (!opened.ok) throw new Error(`a docking was refused: ${opened.refusal.code}`)
    return { docking: opened.value.docking, isNew: true }
  } catch (error) {
    if (!isConflict(error)) throw error
    return { docking: (await findDocking(db, id))!, isNew: false }
  }
}

/** Which docking a member has, by its id alone; every row of a chunk needs its lane before anything is locked. */
function placeOf(migration: string, member: string): { lane: number; docking: string } {
  const docking = dockingIdOf(migration, member)
  return { lane: laneOf(docking), docking }
}

type Placed<T> = { row: T; lane: number; docking: string; isOpen: boolean }

/** The rows of a chunk with their dockings. A member whose docking is not open has no place to put anything. */
async function placesOf<T extends { member: string }>(connection: Connection, migration: string, rows: readonly T[]): Promise<Placed<T>[]> {
  const placed = rows.map((row) => ({ row, ...placeOf(migration, row.member) }))
  const open = readBalances(await connection.run(loadBalances(placed.map((place) => place.lane), placed.map((place) => place.docking))))
  return placed.map((place) => ({ ...place, isOpen: open.has(place.docking) }))
}

function notOpen(docking: string): Refusal {
  return refuse('partners.docking_not_found', { docking }).refusal
}

/** Brings balances to what they are at the old site. */
export async function setBalances(db: Database, reading: Reading, rows: readonly BalanceRow[], makeId: () => string): Promise<Outcome<(RowResult & { member: string; changeMicro: bigint; availableMicro: bigint })[]>> {
  return underReading(db, reading, async (connection) => {
    // Each member once, as it was said last.
    const places = await placesOf(connection, reading.id, [...new Map(rows.map((row) => [row.member, row])).values()])
    const open = places.filter((place) => place.isOpen)
    return underLanes(connection, [HOUSE_LANE, ...open.map((place) => place.lane)], async (lane) => {
      const opened = new Map((await openBalances(connection, lane, open.map(({ lane: number, docking, row }) => ({
        id: makeId(), lane: number, account: docking, mode: 'live', reference: familyOf(reading).batch, targetMicro: row.balanceMicro,
      })))).map((one) => [one.account, one]))
      return accept(places.map(({ row, docking }) => {
        const { changeMicro, availableMicro, refusal } = opened.get(docking) ?? { changeMicro: 0n, availableMicro: 0n, refusal: notOpen(docking) }
        return { ...asResult(refusal, changeMicro !== 0n), member: row.member, changeMicro, availableMicro }
      }))
    })
  })
}

/** Adds or changes goods. A code that the main site had before is left alone and named: nobody's good is written over. */
export async function bringGoods(db: Database, reading: Reading, rows: readonly Readonly<Record<string, unknown>>[], makeId: () => string): Promise<Outcome<GoodsImported & { inUse: string[] }>> {
  const codes = rows.flatMap((row) => (typeof row.code === 'string' && row.code.length <= 64 ? [row.code] : []))
  const noted = await underReading(db, reading, async (connection) => {
    const existing = new Set(readGoods(await connection.run(loadGoodsByCode(codes))).map((good) => good.code))
    const brought = new Set((await connection.run(loadBrought(reading.id, codes))).map((row) => row[0] as string))
    const inUse = new Set(codes.filter((code) => existing.has(code) && !brought.has(code)))
    await connection.run(insertBrought(reading.id, codes.filter((code) => !inUse.has(code))))
    return accept(inUse)
  })
  if (!noted.ok) return noted
  const free = rows.filter((row) => !noted.value.has(String(row.code)))
  const imported = free.length > 0 ? await importGoods(db, free, 1, makeId) : { added: 0, changed: 0, unchanged: 0, errors: [] }
  return accept({ ...imported, inUse: [...noted.value] })
}

/** Goods by code; a code that is not here is not in the answer. */
async function goodsOf(connection: Connection, codes: readonly (string | null)[]): Promise<Map<string, Good>> {
  const wanted = [...new Set(codes.filter((code) => code !== null))]
  return new Map(readGoods(await connection.run(loadGoodsByCode(wanted))).map((good) => [good.code, good]))
}

/** Gives dockings the prices of their own that they had at the old site. */
export async function setPrices(db: Database, reading: Reading, rows: readonly PriceRow[]): Promise<Outcome<{ changed: number; left: (PriceRow & { refusal: Refusal })[] }>> {
  return underReading(db, reading, async (connection) => {
    const goods = await goodsOf(connection, rows.map((row) => row.good))
    // Each pair once, as it was said last.
    const places = await placesOf(connection, reading.id, [...new Map(rows.map((row) => [JSON.stringify([row.member, row.good, row.race]), row])).values()])
    const left: (PriceRow & { refusal: Refusal })[] = []
    const prices: (OldPrice & { row: PriceRow })[] = []
    for (const { row, isOpen, docking, lane } of places) {
      const good = goods.get(row.good)
      const missing = !isOpen ? notOpen(docking) : !good ? refuse('catalogue.good_not_found', { good: row.good }).refusal : raceMissing(good, row.race)
      if (missing || !good) left.push({ ...row, refusal: missing! })
      else prices.push({ row, docking, lane, good, race: row.race, unitPriceMicro: row.unitPriceMicro })
    }
    if (prices.length === 0) return accept({ changed: 0, left })
    return underLanes(connection, [HOUSE_LANE, ...prices.map((price) => price.lane)], async (lane) => {
      const outcomes = await takeOverPrices(connection, lane, prices, { by: 'operator', note: `migration ${reading.id}` })
      outcomes.forEach((outcome, i) => {
        if (!outcome.ok) left.push({ ...prices[i]!.row, refusal: outcome.refusal })
      })
      const changed = prices.filter((_, i) => isWritten(outcomes[i]!))
      for (const [docking, count] of countBy(changed.map((price) => price.docking))) {
        lane.append({ lane: laneOf(docking), docking, kind: 'offers.taken_over', subject: null, code: null, body: JSON.stringify({ migration: reading.id, count }) })
      }
      return accept({ changed: changed.length, left })
    })
  })
}

/** Why a good has no price for this race ('' for none); null when it has one. */
function raceMissing(good: Good, race: string): Refusal | null {
  const isThere = race === '' ? good.options.races.length === 0 : good.options.races.some((one) => one.name === race)
  return isThere ? null : refuse('orders.option_not_supported', { option: `race=${race}` }).refusal
}

function isWritten(outcome: Outcome<'written' | 'known'>): boolean {
  return outcome.ok && outcome.value === 'written'
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** Binds the order numbers of the old site: from here on they are answered with what was delivered there. */
export async function takeOrders(db: Database, vault: Vault, reading: Reading, rows: readonly OrderRow[]): Promise<Outcome<(RowResult & { tradeNo: string })[]>> {
  return underReading(db, reading, async (connection) => {
    const goods = await goodsOf(connection, rows.map((row) => row.good))
    const places = await placesOf(connection, reading.id, rows)
    const asks = places.filter((place) => place.isOpen).map(({ row, lane, docking }) => ({ ...row, lane, docking, good: row.good === null ? null : (goods.get(row.good)?.id ?? null) }))
    return underLanes(connection, [HOUSE_LANE, ...asks.map((ask) => ask.lane)], async (lane) => {
      const bound = new Set(readOrders(await connection.run(loadByReference(asks.flatMap(({ reference, ...ask }) => (reference === null ? [] : [{ ...ask, reference }]))))).map((order) => `${order.docking} ${order.reference}`))
      const taken = await takeOver(connection, vault, lane, asks, bound)
      const outcomes = places.map(({ isOpen, docking }): (typeof taken)[number] => (isOpen ? taken.shift()! : { ok: false, refusal: notOpen(docking) }))
      return accept(outcomes.map((outcome, i) => ({ ...asResult(outcome.ok ? null : outcome.refusal, isWritten(outcome)), tradeNo: rows[i]!.tradeNo })))
    })
  })
}

function asResult(refusal: Refusal | null, isNew: boolean): RowResult {
  return { outcome: refusal ? 'left' : isNew ? 'done' : 'known', refusal }
}

export type CardsStaged = { staged: number; known: number; left: { index: number; refusal: Refusal }[] }

/** Stages cards where nobody can buy them yet. */
export async function bringCards(db: Database, vault: Vault, reading: Reading, rows: readonly CardRow[]): Promise<Outcome<CardsStaged>> {
  return underReading(db, reading, async (connection, migration) => {
    if (migration.publishedStep === reading.step) return accept({ staged: 0, known: rows.length, left: [] })
    const goods = await goodsOf(connection, rows.map((row) => row.good))
    const left: CardsStaged['left'] = []
    const cards: (CardToStage & { index: number })[] = []
    rows.forEach((row, index) => {
      const good = goods.get(row.good)
      const card = readOldCard(row.card)
      const chosen = good && chooseVariant(good, row.choice)
      if (!good || !chosen) left.push({ index, refusal: refuse('catalogue.good_not_found', { good: row.good }).refusal })
      else if (!chosen.ok) left.push({ index, refusal: chosen.refusal })
      else if (!card) left.push({ index, refusal: refuse('protocol.invalid_field', { path: `/items/${index}/card`, expected: 'a card without tabs or control characters, at most 2000 characters' }).refusal })
      else cards.push({ good: good.id, variant: chosen.value.variant, card, index })
    })
    const staged = await stageCards(connection, vault, familyOf(reading), cards)
    staged.forEach((outcome, i) => {
      if (outcome === 'duplicate') left.push({ index: cards[i]!.index, refusal: refuse('catalogue.card_duplicate', { line: cards[i]!.index + 1 }).refusal })
    })
    const count = (wanted: string) => staged.filter((outcome) => outcome === wanted).length
    return accept({ staged: count('staged'), known: count('known'), left: left.slice(0, MOST_LEFT) })
  })
}

export type CardsFlipped = { lots: number; cards: number; withdrawn: number; keptBack: number }

/** The one flip: all cards of this reading go on sale, all of earlier readings go away. */
export async function publishCards(db: Database, vault: Vault, reading: Reading, expected: number): Promise<Outcome<CardsFlipped>> {
  const family = familyOf(reading)
  return underReading(db, reading, async (connection, migration) => {
    if (migration.publishedStep === reading.step) return accept({ lots: 0, cards: 0, withdrawn: 0, keptBack: 0 })
    return underEveryLane(connection, async ({ at, append }) => {
      const staged = await countStaged(connection, family)
      if (staged !== expected) return refuse('migration.cards_missing', { expected, staged })
      const flipped = await flipCards(connection, vault, new CardOpener(db, vault), family, at)
      const codes = new Map(readGoods(await connection.run(loadGoodsById([...flipped.keptBack.keys()]))).map((good) => [good.id, good.code]))
      const kept = new Map([...flipped.keptBack].map(([good, count]) => [codes.get(good)!, count]))
      await connection.run(writeKeptBack(reading.id, kept))
      await connection.run(markPublished(reading.id, reading.step))
      const keptBack = [...kept.values()].reduce((sum, count) => sum + count, 0)
      const { lots, cards, withdrawn } = flipped
      append({ lane: HOUSE_LANE, docking: null, kind: 'lots.taken_over', subject: reading.id, code: null, body: JSON.stringify({ step: reading.step, lots, cards, withdrawn, keptBack }) })
      return accept({ lots, cards, withdrawn, keptBack })
    })
  })
}

/** Everybody waits: orders of any docking, and whatever else moves goods. */
export function underEveryLane<T>(connection: Connection, work: (lane: LaneWork) => Promise<T>): Promise<T> {
  return underLanes(connection, [HOUSE_LANE, ...LANES], work)
}
