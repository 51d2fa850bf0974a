import { refuse, accept, type Because, type Outcome } from '../../../protocol/outcome.ts'
import type { ReasonCode } from '../../../protocol/reasons.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { IdMaker } from '../../kernel/ids.ts'
import { crashpoint } from '../../platform/crashpoints.ts'
import { loadFacts, underLanes } from '../../platform/facts.ts'
import { HandoverLog } from '../../platform/handover.ts'
import { loadUnanswered, lockLanes, moveLanes, readLanes, settleLane } from '../../platform/lanes.ts'
import type { Log } from '../../platform/log.ts'
import { isOutage, type Connection, type Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { CardOpener, loadCards, NO_CHOICE, readCards, variantOf, type Card, type Choice } from '../catalogue/index.ts'
import { sealForm, type FormValues } from '../fulfilment/index.ts'
import { asOrder, openTakenOver } from '../takenover/index.ts'
import { Aftermath, type Handing, type Receipt } from './aftermath.ts'
import { deliveryOf } from './deliveries.ts'
import { fingerprintOf, firstFingerprintOf } from './fingerprint.ts'
import type { Order, PlaceCommand } from './model.ts'
import { loadByReference, loadDoubtful, loadOrder, loadPage, moveState, readOrders } from './store.ts'
import { OrderWriter } from './writer.ts'

const FLUSH_EVERY_MS = 1_000

export type OrdersOptions = {
  db: Database
  vault: Vault
  clock: Clock
  ids: IdMaker
  log: Log
  epochs: ReadonlyMap<number, bigint>
  onFenced: () => void
  voidAfterMs?: number
}

export type Asker = { id: string; lane: number; mode: 'sandbox' | 'live'; migration?: string | null; clockOffsetS?: number }

export type PlaceAsk = Pick<PlaceCommand, 'reference' | 'good' | 'quantity' | 'guardMicro' | 'member' | 'onlyReplay'> & {
  /** What the dialect keeps of the ask beside the fields below, so that another ask is told apart. */
  form: string
  choice?: Choice
  /** The order form, filled in. */
  values?: FormValues
}

/** An order with its cards, or the text that a person delivered, and the receipt that the door gives back: was the answer written? */
export type Placed = Handed & { receipt: Receipt }

export type Handed = { order: Order; cards: Card[]; text: string | null; replayed: boolean }

export class Orders {
  readonly #options: OrdersOptions
  readonly #writer: OrderWriter
  readonly #handover = new HandoverLog()
  readonly #opener: CardOpener
  readonly #aftermath: Aftermath
  #lookUps = 0
  #flushed = ''
  #flusher: NodeJS.Timeout | null = null

  constructor(options: OrdersOptions) {
    this.#options = options
    this.#opener = new CardOpener(options.db, options.vault)
    const { db, vault, log, voidAfterMs } = options
    this.#aftermath = new Aftermath({ db, vault, log, handover: this.#handover, opener: this.#opener, ...(voidAfterMs === undefined ? {} : { voidAfterMs }) })
    this.#writer = new OrderWriter({
      db: options.db, log: options.log, epochs: options.epochs, handover: this.#handover, onFenced: options.onFenced,
      onRecalled: (order, ask) => this.#aftermath.recall(order, ask),
    })
    this.#flusher = setInterval(() => this.#aftermath.chore(this.#flush()), FLUSH_EVERY_MS).unref()
  }

  get load(): { queued: number; batches: number; unanswered: number } {
    return { queued: this.#writer.queued, batches: this.#writer.batches, unanswered: this.#handover.waiting }
  }

  /** Places one order or says why not. The answer comes after the COMMIT that holds it. */
  async place(asker: Asker, ask: PlaceAsk): Promise<Outcome<Placed>> {
    const { items, receipt } = await this.placeMany(asker, [ask])
    const [only] = items
    return only!.ok ? accept({ ...only!.value, receipt }) : only!
  }

  /**
   * Places orders that are answered together, each with its own verdict, in the order of the asks: they stand in the queue
   * one behind the other. Equal references among them: the first is placed, the second is its replay.
   */
  async placeMany(asker: Asker, asks: readonly PlaceAsk[]): Promise<{ items: Outcome<Handed>[]; receipt: Receipt }> {
    const nowMs = this.#options.clock.nowMs()
    const commands = asks.map((ask) => this.#commandOf(asker, ask, nowMs))
    crashpoint('queued')
    const written = await Promise.all(commands.map((command) => this.#writer.place(command)))
    const placedHere = new Set(written.flatMap(({ verdict }) => (verdict.kind === 'placed' ? [verdict.order.id] : [])))
    const handing: Handing[] = []
    const items: Outcome<Handed>[] = []
    for (const [i, { verdict, sealed }] of written.entries()) {
      const ask = commands[i]!.id
      if (verdict.kind === 'refused') {
        this.#aftermath.forget(ask)
        items.push({ ok: false, refusal: verdict.refusal })
        continue
      }
      if (verdict.kind === 'taken_over') {
        // Nothing of ours hangs on whether this answer arrives.
        const order = asOrder(verdict.order, asker.mode, commands[i]!.fingerprint)
        items.push(accept({ order, cards: [{ number: null, secret: openTakenOver(this.#options.vault, verdict.order) }], text: null, replayed: true }))
        continue
      }
      const { order, kind } = verdict
      const one = { order, fresh: kind === 'placed', ask }
      try {
        items.push(accept({ order, cards: await this.#opener.open(order.picks, sealed), text: one.fresh ? null : await this.#textOf(order), replayed: !one.fresh }))
        // A repeat beside its own original goes out with it or not at all: the original's receipt speaks for both.
        if (one.fresh || !placedHere.has(order.id)) handing.push(one)
        else this.#aftermath.forget(ask)
      } catch (error) {
        // Booked, but the cards cannot be opened now: it stays charged, and a repeat hands it over. The database may have
        // gone in between; a card that does not open although it is here is damaged, and that is for a person.
        this.#options.log[isOutage(error) ? 'warn' : 'error']({ err: error, order: order.id }, 'the cards of a booked order could not be opened')
        this.#aftermath.receipt([one]).broken()
        items.push(refuse('platform.outcome_unknown', { retryAfterS: 2 }, { retryAfterS: 2 }))
      }
    }
    return { items, receipt: this.#aftermath.receipt(handing) }
  }

  #commandOf(asker: Asker, ask: PlaceAsk, nowMs: number): PlaceCommand {
    const { choice = NO_CHOICE, values = NO_VALUES } = ask
    const id = this.#options.ids.make('ord', nowMs)
    const variant = variantOf(choice)
    return {
      ...ask, id, lane: asker.lane, docking: asker.id, mode: asker.mode, clockOffsetS: asker.clockOffsetS ?? 0, choice, values, variant, mayBeTakenOver: (asker.migration ?? null) !== null, sealedForm: sealForm(this.#options.vault, id, values),
      fingerprint: fingerprintOf(ask, variant, values), firstFingerprint: () => (variant === '' && Object.keys(values).length === 0 ? firstFingerprintOf(ask) : null),
    }
  }

  /** What a person delivered; null for cards, and before anybody did. */
  async #textOf(order: Order): Promise<string | null> {
    return order.picks.length > 0 ? null : ((await deliveryOf(this.#options.db, this.#options.vault, order.id))?.text ?? null)
  }

  /** Keeps a refusal that was given before the batch, so that the docking's report can show it. */
  noteRefusal(asker: { id: string; lane: number }, kind: string, subject: string | null, code: ReasonCode, because: Because, more: Because = {}): void {
    this.#writer.note({ lane: asker.lane, docking: asker.id, kind, subject, code, because, more })
  }

  async find(asker: Asker, id: string): Promise<Outcome<Order>> {
    const order = readOrders(await this.#options.db.run(loadOrder(asker.lane, asker.id, id)))[0]
    return order ? accept(order) : refuse('orders.not_found', { order: id })
  }

  /** The newest attempt under a reference, if there is one. */
  async findByReference(asker: Asker, reference: string): Promise<Order | null> {
    return readOrders(await this.#options.db.run(loadByReference([{ lane: asker.lane, docking: asker.id, reference }]))).at(-1) ?? null
  }

  async list(asker: Asker, before: string | null, limit: number): Promise<Order[]> {
    return readOrders(await this.#options.db.run(loadPage(asker.lane, asker.id, before, limit)))
  }

  /** Orders that nobody can say arrived: the operator's work list. */
  async doubtful(limit: number): Promise<Order[]> {
    return readOrders(await this.#options.db.run(loadDoubtful(limit)))
  }

  /**
   * The cards of an order that is handed over once more, by look-up instead of by repeat. While nobody has had the
   * answer a void may be under way: under the lane's lock one of the two is first, and the other sees it.
   */
  async handOver(seen: Order): Promise<{ order: Order; cards: Card[]; text: string | null; receipt: Receipt }> {
    const { db } = this.#options
    const ask = `look-up ${++this.#lookUps}`
    const again = async (connection: Connection) => {
      this.#aftermath.hold(seen.id, ask)
      return readOrders(await connection.run(loadOrder(seen.lane, seen.docking, seen.id)))[0]!
    }
    try {
      const order = this.#handover.waits(seen.lane, seen.position)
        ? await db.transaction((connection) => underLanes(connection, [seen.lane], () => again(connection)))
        : await again(db)
      const cards = order.state === 'cancelled' ? [] : await this.cardsOf(order)
      return { order, cards, text: await this.#textOf(order), receipt: this.#aftermath.receipt([{ order, fresh: false, ask }]) }
    } catch (error) {
      this.#aftermath.forget(ask)
      throw error
    }
  }

  /** The cards of an order for a look that hands nothing over. */
  async cardsOf(order: Order): Promise<Card[]> {
    return this.#opener.open(order.picks, readCards(await this.#options.db.run(loadCards(order.picks))))
  }

  /**
   * At the start of a life: every order behind the watermark of the life before may not have had its answer written. It
   * stays charged and becomes `unknown`, and is handed over when it is asked for.
   * @returns how many orders are in doubt
   */
  async recover(): Promise<number> {
    const { db, epochs } = this.#options
    const lanes = await db.run(loadUnanswered())
    let doubtful = 0
    for (const [lane, answered] of lanes as [number, bigint][]) {
      doubtful += await db.transaction((connection) =>
        underLanes(connection, [lane], async ({ append }) => {
          const behind: { lane: number; docking: string; id: string }[] = []
          let after = answered
          for (;;) {
            const facts = await connection.run(loadFacts(lane, after, 1_000))
            for (const fact of facts) if (fact[3] === 'order.accepted') behind.push({ lane, docking: fact[2] as string, id: fact[4] as string })
            if (facts.length < 1_000) break
            after = facts.at(-1)![1] as bigint
          }
          const moved = new Set<unknown>()
          for (const [from, to] of behind.length > 0 ? ([['delivered', 'unknown'], ['delivering', 'delivering']] as const) : []) {
            for (const row of await connection.run(moveState(behind, from, to, 'crash'))) moved.add(row[0])
          }
          for (const order of behind) {
            if (moved.has(order.id)) append({ lane, docking: order.docking, kind: 'order.doubtful', subject: order.id, code: null, body: '{"because":"the hub ended before the answer was surely written"}' })
          }
          return moved.size
        }), 60_000)
      // Now that the doubt is written down, the watermark may pass it.
      await db.run(settleLane(lane, epochs.get(lane)!))
    }
    return doubtful
  }

  /** Writes the watermarks of quiet lanes, so that a crash in a pause leaves nothing in doubt. */
  async #flush(): Promise<void> {
    const marks = this.#handover.watermarks()
    const name = marks.map((mark) => `${mark.lane}:${mark.answered}`).join(' ')
    if (name === this.#flushed || marks.length === 0 || this.#writer.queued > 0) return
    await this.#options.db.transaction(async (connection) => {
      const lanes = readLanes(await connection.run(lockLanes(marks.map((mark) => mark.lane))))
      await connection.run(moveLanes(marks.map(({ lane, answered }) => {
        const { head } = lanes.get(lane)!
        return { lane, head, answered: answered < head ? answered : head, epoch: this.#options.epochs.get(lane)! }
      })))
    })
    this.#flushed = name
  }

  /** Ends a life in order: what is under way is written, pending voids become doubt, the watermarks are moved. */
  async close(): Promise<void> {
    if (this.#flusher) clearInterval(this.#flusher)
    await this.#writer.close()
    await this.#aftermath.close()
    await this.#flush().catch(() => {})
  }
}

const NO_VALUES: FormValues = {}
