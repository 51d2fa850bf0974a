import type pg from 'pg'
import { refuse, type Refusal } from '../../../protocol/outcome.ts'
import { crashpoint } from '../../platform/crashpoints.ts'
import type { HandoverLog } from '../../platform/handover.ts'
import { lockLanes } from '../../platform/lanes.ts'
import type { Log } from '../../platform/log.ts'
import { flight, isAnswered, isConflict, isOutage, isPassing, type Database } from '../../platform/postgres/database.ts'
import type { SealedCards } from '../catalogue/index.ts'
import { EMPTY_BOOK, type PriceBook } from '../terms/index.ts'
import { cardsOf, fold, lockAndLoad, mergePrices, pricesAgree, readLoaded, reloadPrices, writes, type BatchInput, type Folded, type RefusalNote } from './batch.ts'
import type { Order, PlaceCommand, Verdict } from './model.ts'
import { loadOrder } from './store.ts'

export const BATCH_CAP = 256
/** Cards that one transaction hands over at most, so that large orders together stay far inside its timeout. One order may be alone above it. */
const BATCH_CARDS = 20_000
const MOST_WAITING = 4_096
const MOST_NOTES = 1_024
const TRIES = 5
const RETRY_AFTER_S = 2
const RESOLVE_WITHIN_MS = 8_000

export type Written = { verdict: Verdict; sealed: SealedCards }

type Waiting = { command: PlaceCommand; resolve: (written: Written) => void }

/** What the writer needs of its life: the fence, the handover log, and what to do when a replay comes in. */
export type WriterOptions = {
  db: Database
  log: Log
  epochs: ReadonlyMap<number, bigint>
  handover: HandoverLog
  /** Called for each replayed order while its lane is still locked. */
  onRecalled: (order: Order, ask: string) => void
  /** Another life of the hub has taken the lanes: this one must end. */
  onFenced: () => void
}

/**
 * The one writer of orders in this process. Whatever queued while the last batch was in flight is the next batch; there
 * is no timer. Nobody is answered before the batch's COMMIT is.
 */
export class OrderWriter {
  readonly #options: WriterOptions
  #client: pg.Client | null = null
  #waiting: Waiting[] = []
  #notes: RefusalNote[] = []
  #busy: Promise<void> | null = null
  /** The wide rules as they were last read; a batch that sees another version of the prices reads them anew. */
  #book: PriceBook = EMPTY_BOOK
  #fenced = false
  #closed = false
  batches = 0

  constructor(options: WriterOptions) {
    this.#options = options
  }

  get queued(): number {
    return this.#waiting.length
  }

  place(command: PlaceCommand): Promise<Written> {
    if (this.#fenced || this.#closed) return Promise.resolve(refusedAs('platform.stopping'))
    if (this.#waiting.length >= MOST_WAITING) return Promise.resolve(refusedAs('platform.overloaded'))
    return new Promise((resolve) => {
      this.#waiting.push({ command, resolve })
      this.#wake()
    })
  }

  /** Keeps a refusal as a fact with the next batch. Bounded: under a flood the newest are dropped and counted. */
  note(note: RefusalNote): boolean {
    if (this.#fenced || this.#closed || this.#notes.length >= MOST_NOTES) return false
    this.#notes.push(note)
    this.#wake()
    return true
  }

  /** Takes nothing more and waits for what is under way. */
  async close(): Promise<void> {
    while (this.#busy) await this.#busy
    this.#closed = true
    await this.#client?.end().catch(() => {})
    this.#client = null
  }

  #wake(): void {
    if (this.#busy) return
    // A turn later, so that requests that arrived in the same read of the sockets share a batch.
    this.#busy = Promise.resolve().then(() => new Promise<void>((go) => setImmediate(go))).then(() => this.#drain())
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0 || this.#notes.length > 0) {
        const batch = this.#waiting.splice(0, batchLength(this.#waiting))
        const notes = this.#notes.splice(0, BATCH_CAP)
        await this.#settle(batch, notes)
        this.batches++
      }
    } finally {
      this.#busy = null
    }
  }

  /** Runs a batch and answers everybody in it, whatever happens. */
  async #settle(batch: Waiting[], notes: RefusalNote[]): Promise<void> {
    const places = batch.map((waiting) => waiting.command)
    for (let attempt = 1; ; attempt++) {
      const done = await this.#attempt({ places, notes })
      if (done.kind === 'written') {
        batch.forEach((waiting, i) => waiting.resolve({ verdict: done.folded.verdicts[i]!, sealed: done.sealed }))
        return
      }
      if (done.kind === 'passing' && attempt < TRIES) continue
      if (done.kind === 'conflict' && batch.length > 1) {
        // Another node wrote one of these references in between: one by one, only the one that collided meets it.
        await this.#settle([], notes)
        for (const waiting of batch) await this.#settle([waiting], [])
        return
      }
      if (done.kind === 'conflict' && attempt < TRIES) continue
      for (const waiting of batch) waiting.resolve(refusedAs(done.kind === 'doubt' ? 'platform.outcome_unknown' : this.#fenced ? 'platform.stopping' : 'platform.storage_unavailable'))
      return
    }
  }

  async #attempt(input: BatchInput): Promise<{ kind: 'written'; folded: Folded; sealed: SealedCards } | { kind: 'passing' | 'conflict' | 'failed' | 'doubt' }> {
    if (input.places.length === 0 && input.notes.length === 0) return { kind: 'written', folded: { verdicts: [], facts: [], tally: null as never }, sealed: new Map() }
    const { log, handover } = this.#options
    let committing: Folded | null = null
    try {
      const client = await this.#connect()
      let answers = (await flight(client, [{ text: 'begin', values: [] }, ...lockAndLoad(input)])).slice(1)
      for (let tries = 0; !pricesAgree(input, answers, this.#book); tries++) {
        if (tries === TRIES) throw new Error('prices changed under every load of a batch')
        const merged = mergePrices(answers, await flight(client, reloadPrices(input)))
        answers = merged.answers
        this.#book = merged.book
      }
      crashpoint('loaded')
      const { lanes, tally } = readLoaded(input, answers, this.#book)
      for (const lane of lanes.values()) {
        if (lane.epoch !== this.#options.epochs.get(lane.lane)) return await this.#fence(client)
      }
      const folded = fold(input, tally)
      folded.verdicts.forEach((verdict, i) => {
        if (verdict.kind === 'replayed') this.#options.onRecalled(verdict.order, input.places[i]!.id)
      })
      crashpoint('decided')
      const steps = writes(folded, lanes, (lane) => handover.watermark(lane))
      const cards = cardsOf(folded)
      const written = await flight(client, [...steps.map((step) => step.statement), ...(cards ? [cards.statement] : [])])
      crashpoint('written')
      const short = steps.find((step, i) => written[i]!.length !== step.rows)
      if (short) {
        await client.query('rollback')
        log.warn({ statement: short.statement.name }, 'a batch met a row that was there already')
        return { kind: 'conflict' }
      }
      const sealed = cards ? cards.read(written.at(-1)!) : new Map()
      committing = folded
      // Registered before the commit: an answer can never be written before the log knows that it waits.
      for (const verdict of folded.verdicts) if (verdict.kind === 'placed') handover.accepted(verdict.order.lane, verdict.order.position)
      crashpoint('before_commit')
      const ended = await client.query('commit')
      // A transaction that failed quietly answers COMMIT with ROLLBACK; nothing may be answered from it.
      if (ended.command !== 'COMMIT') throw new Error(`commit was answered with ${ended.command}`)
      crashpoint('committed')
      for (const [lane, head] of tally.heads) handover.reached(lane, head)
      return { kind: 'written', folded, sealed }
    } catch (error) {
      if (committing) return this.#resolve(committing, error)
      return this.#giveUp(error)
    }
  }

  async #giveUp(error: unknown): Promise<{ kind: 'passing' | 'conflict' | 'failed' }> {
    const { log } = this.#options
    if (isAnswered(error)) {
      const rolledBack = await this.#client?.query('rollback').then(() => true, () => false)
      if (!rolledBack) this.#drop()
      if (isPassing(error)) return { kind: 'passing' }
      if (isConflict(error)) return { kind: 'conflict' }
      // A full disk or a server that stops is trouble from outside; any other refusal is a mistake of ours.
      log[isOutage(error) ? 'warn' : 'error']({ err: error }, 'a batch was refused by the database')
      return { kind: 'failed' }
    }
    log.warn({ err: error }, 'the line to the database broke before the commit: nothing was booked')
    this.#drop()
    return { kind: 'failed' }
  }

  /**
   * The COMMIT was sent and its answer is missing. The lanes are locked again, which waits until the old transaction is
   * over one way or the other, and then the orders themselves say what happened. Nobody is answered before.
   */
  async #resolve(folded: Folded, error: unknown): Promise<{ kind: 'written'; folded: Folded; sealed: SealedCards } | { kind: 'failed' | 'doubt' }> {
    const { log, handover } = this.#options
    log.warn({ err: error }, 'the answer to a commit is missing: asking the orders themselves')
    const placed = folded.verdicts.flatMap((verdict) => (verdict.kind === 'placed' ? [verdict.order] : []))
    this.#drop()
    for (const untilMs = performance.now() + RESOLVE_WITHIN_MS; performance.now() < untilMs; ) {
      try {
        const client = await this.#connect()
        const probe = placed[0]
        const lanes = [...folded.tally.heads.keys()]
        const answers = await flight(client, [
          { text: 'begin', values: [] }, lockLanes(lanes),
          ...(probe ? [loadOrder(probe.lane, probe.docking, probe.id)] : []),
        ])
        // One transaction: the first order stands exactly when all of them do.
        const stands = probe ? answers[2]!.length === 1 : false
        const cards = stands ? cardsOf(folded) : null
        const sealed = cards ? cards.read((await flight(client, [cards.statement]))[0]!) : new Map()
        await client.query('rollback')
        if (stands) return { kind: 'written', folded, sealed }
        for (const order of placed) handover.settled(order.lane, order.position)
        return { kind: 'failed' }
      } catch {
        this.#drop()
        await new Promise((later) => setTimeout(later, 200))
      }
    }
    // Their positions stay in the handover log: if they were booked, the next start finds them in doubt.
    return { kind: 'doubt' }
  }

  async #fence(client: pg.Client): Promise<{ kind: 'failed' }> {
    this.#fenced = true
    await client.query('rollback').catch(() => {})
    this.#options.log.error('another life of the hub has taken over the lanes; this one writes nothing more')
    this.#options.onFenced()
    return { kind: 'failed' }
  }

  async #connect(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const client = await this.#options.db.dedicated()
    client.once('end', () => {
      if (this.#client === client) this.#client = null
    })
    this.#client = client
    return client
  }

  #drop(): void {
    const client = this.#client
    this.#client = null
    client?.end().catch(() => {})
  }
}

/** How many of those who wait are the next batch. */
function batchLength(waiting: readonly Waiting[]): number {
  let cards = 0
  for (let i = 0; i < waiting.length && i < BATCH_CAP; i++) {
    cards += waiting[i]!.command.quantity
    if (cards > BATCH_CARDS) return Math.max(i, 1)
  }
  return BATCH_CAP
}

function refusedAs(code: 'platform.stopping' | 'platform.overloaded' | 'platform.storage_unavailable' | 'platform.outcome_unknown'): Written {
  const refusal: Refusal = refuse(code, { retryAfterS: RETRY_AFTER_S }, { retryAfterS: RETRY_AFTER_S }).refusal
  return { verdict: { kind: 'refused', refusal }, sealed: new Map() }
}
