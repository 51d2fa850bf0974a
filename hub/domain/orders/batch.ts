import { formatAmount } from '../../../protocol/money.ts'
import type { Because } from '../../../protocol/outcome.ts'
import { appendFacts, type Fact } from '../../platform/facts.ts'
import { lockLanes, moveLanes, readLanes, type Lane } from '../../platform/lanes.ts'
import type { Rows, Statement } from '../../platform/postgres/database.ts'
import {
  insertChanges, loadCards, loadLots, loadSaleTerms, lockLots, moveCursors, readCards, readLots, readSaleTerms, saleKey, type Pick, type SealedCards,
} from '../catalogue/index.ts'
import { loadMeasures, readMeasures } from '../decisions/index.ts'
import { insertDeliveries } from '../fulfilment/index.ts'
import { loadBalances, postTransfers, readBalances, writeBalances } from '../ledger/index.ts'
import { loadTakenOver, readTakenOver } from '../takenover/index.ts'
import { EMPTY_BOOK, loadBook, loadContracts, loadOffers, readBook, readContracts, readOffers, type PriceBook } from '../terms/index.ts'
import type { PlaceCommand, Verdict } from './model.ts'
import { place, type Tally } from './rules.ts'
import { insertOrders, insertSold, loadByReference, readOrders } from './store.ts'

/** A refusal that was given before the batch, to be kept as a fact of the docking. */
export type RefusalNote = { lane: number; docking: string; kind: string; subject: string | null; code: string; because: Because; more: Readonly<Record<string, unknown>> }

export type BatchInput = { places: readonly PlaceCommand[]; notes: readonly RefusalNote[] }

/** Lock and load: the statements of step 1 and 2, in the order in which they must run. */
export function lockAndLoad(input: BatchInput): Statement[] {
  const { places } = input
  const statements = [lockLanes([...places.map((p) => p.lane), ...input.notes.map((n) => n.lane)])]
  if (places.length > 0) {
    const sales = new Map<string, PlaceCommand>()
    for (const p of places) sales.set(saleKey(p.good, p.mode, p.variant), p)
    statements.push(lockLots([...sales.values()]), loadByReference(places), ...loadTerms(places))
    const migrated = places.filter((p) => p.mayBeTakenOver)
    if (migrated.length > 0) statements.push(loadTakenOver(migrated))
  }
  statements.push(CLOCK)
  return statements
}

/**
 * The load of one order that is not placed: the same rows in a snapshot of the caller's, without a lock and without a lane.
 * loadBook in the same snapshot belongs to it.
 */
export function loadForQuote(command: PlaceCommand): Statement[] {
  return [loadLots(command.good, command.mode, command.variant), loadByReference([command]), ...loadTerms([command]), CLOCK]
}

function loadTerms(places: readonly PlaceCommand[]): Statement[] {
  const { lanes, names } = dockingsOf(places)
  return [loadBalances(lanes, names), loadMeasures(lanes, names), ...loadPrices(places)]
}

const CLOCK: Statement = { name: 'platform.clock', text: 'select clock_timestamp()', values: [] }

function dockingsOf(places: readonly PlaceCommand[]): { lanes: number[]; names: string[] } {
  const dockings = new Map<string, number>()
  for (const p of places) dockings.set(p.docking, p.lane)
  return { lanes: [...dockings.values()], names: [...dockings.keys()] }
}

/**
 * What prices are worked out from. The first and the last tell the version of all prices that they saw: where it is the
 * same, so is every price in between, whatever was changed meanwhile.
 */
function loadPrices(places: readonly PlaceCommand[]): Statement[] {
  const { lanes, names } = dockingsOf(places)
  const pairs = new Map(places.map((p) => [`${p.docking} ${p.good}`, p]))
  return [loadContracts(lanes, names), loadSaleTerms([...new Set(places.map((p) => p.good))]), loadOffers([...pairs.values()])]
}

const PRICES_AT = 5

/** Whether the answers of lockAndLoad show one state of all prices, and the book is of that state too. */
export function pricesAgree(input: BatchInput, answers: readonly Rows[], book: PriceBook): boolean {
  if (input.places.length === 0) return true
  return readContracts(answers[PRICES_AT]!).version === book.version && readOffers(answers[PRICES_AT + 2]!).version === book.version
}

/** Loads the prices anew with the book that belongs to them: a price was changed since the book was read, or while this batch loaded. */
export function reloadPrices(input: BatchInput): Statement[] {
  return [...loadPrices(input.places), loadBook()]
}

/** The answers of lockAndLoad with the prices of reloadPrices in their place, and the book. */
export function mergePrices(answers: readonly Rows[], reloaded: readonly Rows[]): { answers: Rows[]; book: PriceBook } {
  return { answers: answers.toSpliced(PRICES_AT, reloaded.length - 1, ...reloaded.slice(0, -1)), book: readBook(reloaded.at(-1)!) }
}

/** The answers of lockAndLoad, as what the fold needs. The book must agree with them. */
export function readLoaded(input: BatchInput, answers: readonly Rows[], book: PriceBook = EMPTY_BOOK): { lanes: Map<number, Lane>; tally: Tally } {
  const lanes = readLanes(answers[0]!)
  const at = answers.at(-1)![0]![0] as Date
  const heads = new Map([...lanes.values()].map((lane) => [lane.lane, lane.head]))
  if (input.places.length === 0) {
    const prices = { groups: new Map(), offers: { own: new Map(), rules: new Map() }, book }
    return { lanes, tally: { at, orders: new Map(), availableMicro: new Map(), feePpm: new Map(), prices, measures: new Map(), goods: new Map(), lots: new Map(), heads } }
  }
  const { feePpm, groups } = readContracts(answers[PRICES_AT]!)
  return {
    lanes,
    tally: {
      at, heads, feePpm,
      lots: readLots(answers[1]!),
      // Oldest attempt first, so the newest is what stays in the map.
      orders: new Map(readOrders(answers[2]!).map((order) => [`${order.docking} ${order.reference}`, order])),
      availableMicro: readBalances(answers[3]!),
      takenOver: new Map((input.places.some((p) => p.mayBeTakenOver) ? readTakenOver(answers.at(-2)!) : []).map((order) => [`${order.docking} ${order.reference}`, order])),
      measures: readMeasures(answers[4]!),
      prices: { groups, offers: readOffers(answers[PRICES_AT + 2]!).offers, book },
      goods: readSaleTerms(answers[PRICES_AT + 1]!),
    },
  }
}

export type Folded = { verdicts: Verdict[]; facts: Fact[]; tally: Tally }

/** Folds the pure rule over the batch. Every command, accepted or refused, leaves a fact; a replay changes nothing. */
export function fold(input: BatchInput, tally: Tally): Folded {
  const facts: Fact[] = []
  const verdicts = input.places.map((command) => {
    const verdict = place(tally, command)
    if (verdict.kind === 'placed') {
      const { order } = verdict
      facts.push({
        lane: order.lane, position: order.position, docking: order.docking, kind: 'order.accepted', subject: order.id, code: null, at: tally.at,
        body: `{"reference":${JSON.stringify(order.reference)},"good":"${order.good}"${order.variant === '' ? '' : `,"variant":${JSON.stringify(order.variant)}`},"quantity":${order.quantity},"unitPrice":"${formatAmount(order.unitPriceMicro)}","charged":"${formatAmount(order.totalMicro + order.feeMicro)}"}`,
      })
    } else if (verdict.kind === 'refused') {
      const { code, because, also, decision } = verdict.refusal
      facts.push(refusalFact(tally, {
        lane: command.lane, docking: command.docking, kind: 'order.refused', subject: command.reference, code, because,
        more: {
          good: command.good, quantity: command.quantity, guard: command.guardMicro === null ? null : formatAmount(command.guardMicro),
          ...(decision ? { decision } : {}), ...(also ? { also: also.map(({ code, because }) => ({ code, because })) } : {}),
        },
      }))
    }
    return verdict
  })
  for (const note of input.notes) facts.push(refusalFact(tally, note))
  return { verdicts, facts, tally }
}

function refusalFact(tally: Tally, note: RefusalNote): Fact {
  const position = tally.heads.get(note.lane)! + 1n
  tally.heads.set(note.lane, position)
  return {
    lane: note.lane, position, docking: note.docking, kind: note.kind, subject: note.subject, code: note.code, at: tally.at,
    body: JSON.stringify({ ...note.more, because: note.because }),
  }
}

/** Step 4: one set-based statement a room, each with the number of rows that it must have written. */
export function writes(folded: Folded, lanes: Map<number, Lane>, watermark: (lane: number) => bigint): { statement: Statement; rows: number }[] {
  const { tally, facts } = folded
  const placed = folded.verdicts.flatMap((verdict) => (verdict.kind === 'placed' ? [verdict] : []))
  const list: { statement: Statement; rows: number }[] = []
  const moves = [...lanes.values()].map((lane) => ({ ...lane, head: tally.heads.get(lane.lane)!, answered: watermark(lane.lane) }))
  if (facts.length > 0) {
    list.push({ statement: moveLanes(moves), rows: moves.length }, { statement: appendFacts(facts), rows: facts.length })
  }
  if (placed.length === 0) return list
  const orders = placed.map((verdict) => verdict.order)
  const legs = placed.flatMap((verdict) => verdict.legs)
  const balances = new Map(orders.map((order) => [order.docking, { lane: order.lane, account: order.docking, availableMicro: tally.availableMicro.get(order.docking)! }]))
  const touched = new Set(orders.flatMap((order) => order.picks.map((pick) => pick.lot)))
  const lots = [...tally.lots.values()].flat().filter((lot) => touched.has(lot.id))
  const cards = orders.reduce((sum, order) => sum + (order.state === 'delivering' ? 0 : order.quantity), 0)
  list.push(
    { statement: insertOrders(orders), rows: orders.length },
    { statement: postTransfers(legs), rows: legs.length },
    { statement: writeBalances([...balances.values()]), rows: balances.size },
  )
  if (cards > 0) list.push({ statement: insertSold(orders), rows: cards }, { statement: moveCursors(lots), rows: lots.length })
  const beside = placed.filter(({ order, sealedForm }) => order.state === 'delivering' || sealedForm !== null)
  if (beside.length > 0) list.push({ statement: insertDeliveries(beside.map(({ order, sealedForm }) => ({ order, sealedForm, waiting: order.state === 'delivering' }))), rows: beside.length })
  const soldOut = [...new Set(lots.filter((lot) => lot.nextSeq > lot.size).map((lot) => lot.good))]
  if (soldOut.length > 0) {
    list.push({ statement: insertChanges(soldOut.map((good) => ({ good, docking: null, what: 'stock' as const, at: tally.at }))), rows: soldOut.length })
  }
  return list
}

/** The sealed cards of everything that this batch hands over, fresh and repeated. */
export function cardsOf(folded: Folded): { statement: Statement; read: (rows: Rows) => SealedCards; picks: Pick[] } | null {
  const picks = folded.verdicts.flatMap((verdict) => (verdict.kind === 'placed' || verdict.kind === 'replayed' ? [...verdict.order.picks] : []))
  return picks.length === 0 ? null : { statement: loadCards(picks), read: readCards, picks }
}
