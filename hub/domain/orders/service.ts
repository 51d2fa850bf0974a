import { hash } from 'node:crypto'
import { refuse, accept, type Because, type Outcome } from '../../../protocol/outcome.ts'
import type { ReasonCode } from '../../../protocol/reasons.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { IdMaker } from '../../kernel/ids.ts'
import { crashpoint } from '../../platform/crashpoints.ts'
import { loadFacts, underLanes } from '../../platform/facts.ts'
import { loadUnanswered, lockLanes, moveLanes, readLanes, settleLane } from '../../platform/lanes.ts'
import type { Log } from '../../platform/log.ts'
import { sqlState, type Connection, type Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { CardOpener, insertChanges, loadCards, readCards, restock, writeCard, type Card, type SealedCards } from '../catalogue/index.ts'
import { loadBalances, postTransfers, readBalances, refundLegs, writeBalances } from '../ledger/index.ts'
import { HandoverLog } from './handover.ts'
import type { Order, PlaceCommand, TakenOver } from './model.ts'
import { loadByReference, loadDoubtful, loadOrder, loadPage, moveState, readOrders } from './store.ts'
import { asOrder, findTakenOver, openTakenOver } from './takenover.ts'
import { OrderWriter } from './writer.ts'

/** How long an order whose buyer hung up before the first byte waits for the same reference to come back. */
const VOID_AFTER_MS = 10_000
const FLUSH_EVERY_MS = 1_000
const DOUBT_AGAIN_MS = 1_000

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

export type Asker = { id: string; lane: number; mode: 'sandbox' | 'live'; migration?: string | null }

export type PlaceAsk = Pick<PlaceCommand, 'reference' | 'good' | 'quantity' | 'guardMicro' | 'member' | 'onlyReplay'> & { form: string }

/** An order with its cards, and the receipt that the door gives back: was the answer written? */
export type Placed = { order: Order; cards: Card[]; replayed: boolean; receipt: Receipt }

export type Receipt = {
  /** The whole answer was handed to the network. */
  written(): void
  /** The socket was gone before a byte of the answer: the order is voided after a grace, unless it is asked for again. */
  unsent(): void
  /** Some of the answer may have left: doubt. The order stays charged and stands in the work list. */
  broken(): void
}

export class Orders {
  readonly #options: OrdersOptions
  readonly #writer: OrderWriter
  readonly #handover = new HandoverLog()
  readonly #opener: CardOpener
  readonly #voids = new Map<string, { order: Order; timer: NodeJS.Timeout }>()
  readonly #chores = new Set<Promise<void>>()
  /** Repeats that are on their way out, by their own id: the order of each is not voided meanwhile. */
  readonly #recalls = new Map<string, string>()
  #lookUps = 0
  #flushed = ''
  #flusher: NodeJS.Timeout | null = null

  constructor(options: OrdersOptions) {
    this.#options = options
    this.#opener = new CardOpener(options.db, options.vault)
    this.#writer = new OrderWriter({
      db: options.db, log: options.log, epochs: options.epochs, handover: this.#handover, onFenced: options.onFenced,
      onRecalled: (order, ask) => {
        this.#keep(order)
        this.#recalls.set(ask, order.id)
      },
    })
    this.#flusher = setInterval(() => this.#chore(this.#flush()), FLUSH_EVERY_MS).unref()
  }

  get load(): { queued: number; batches: number; unanswered: number } {
    return { queued: this.#writer.queued, batches: this.#writer.batches, unanswered: this.#handover.waiting }
  }

  /** Places one order or says why not. The answer comes after the COMMIT that holds it. */
  async place(asker: Asker, ask: PlaceAsk): Promise<Outcome<Placed>> {
    const id = this.#options.ids.make('ord', this.#options.clock.nowMs())
    crashpoint('queued')
    const written = await this.#writer.place({ ...ask, id, lane: asker.lane, docking: asker.id, mode: asker.mode, fingerprint: fingerprintOf(ask), mayBeTakenOver: (asker.migration ?? null) !== null })
    if (written.verdict.kind === 'refused') {
      this.#recalls.delete(id)
      return { ok: false, refusal: written.verdict.refusal }
    }
    if (written.verdict.kind === 'taken_over') return accept(this.#recallTakenOver(written.verdict.order, asker.mode, fingerprintOf(ask)))
    const { order, kind } = written.verdict
    const receipt = this.#receipt(order, kind === 'placed', id)
    try {
      return accept({ order, cards: await this.#open(order, written.sealed), replayed: kind === 'replayed', receipt })
    } catch (error) {
      // Booked, but the cards cannot be opened now: it stays charged, and a repeat hands it over. The database may have
      // gone in between; a card that does not open although it is here is damaged, and that is for a person.
      const damaged = sqlState(error) === '' || sqlState(error).startsWith('ERR_')
      this.#options.log[damaged ? 'error' : 'warn']({ err: error, order: order.id }, 'the cards of a booked order could not be opened')
      receipt.broken()
      return refuse('platform.outcome_unknown', { retryAfterS: 2 }, { retryAfterS: 2 })
    }
  }

  /** What another site delivered, once more and to the letter. Nothing of ours hangs on whether the answer arrives. */
  #recallTakenOver(taken: TakenOver, mode: Asker['mode'], fingerprint: Buffer): Placed {
    const ignore = () => {}
    return {
      order: asOrder(taken, mode, fingerprint), cards: [{ number: null, secret: openTakenOver(this.#options.vault, taken) }], replayed: true,
      receipt: { written: ignore, unsent: ignore, broken: ignore },
    }
  }

  async #open(order: Order, sealed: SealedCards): Promise<Card[]> {
    await this.#opener.prepare(order.picks.map((pick) => pick.lot))
    return this.#opener.open(order.picks, sealed)
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

  /**
   * An order that the docking placed at the site that it was taken over from, by that site's number or by its own; the
   * secret is what was delivered there. Null when there is none.
   */
  async findTakenOver(asker: Asker, by: { tradeNo: string } | { reference: string }): Promise<{ order: Order; secret: string } | null> {
    if ((asker.migration ?? null) === null) return null
    const taken = await findTakenOver(this.#options.db, asker, by)
    return taken ? { order: asOrder(taken, asker.mode, Buffer.alloc(0)), secret: openTakenOver(this.#options.vault, taken) } : null
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
  async handOver(seen: Order): Promise<{ order: Order; cards: Card[]; receipt: Receipt }> {
    const { db } = this.#options
    const ask = `look-up ${++this.#lookUps}`
    const again = async (connection: Connection) => {
      this.#recalls.set(ask, seen.id)
      return readOrders(await connection.run(loadOrder(seen.lane, seen.docking, seen.id)))[0]!
    }
    try {
      const order = this.#handover.waits(seen.lane, seen.position)
        ? await db.transaction((connection) => underLanes(connection, [seen.lane], () => again(connection)))
        : await again(db)
      const cards = order.state === 'cancelled' ? [] : await this.cardsOf(order)
      return { order, cards, receipt: this.#receipt(order, false, ask) }
    } catch (error) {
      this.#recalls.delete(ask)
      throw error
    }
  }

  /** The cards of an order for a look that hands nothing over. */
  async cardsOf(order: Order): Promise<Card[]> {
    return this.#open(order, readCards(await this.#options.db.run(loadCards(order.picks))))
  }

  /**
   * @param fresh only the answer that placed the order may void it: a repeat proves that somebody wants it
   * @param ask the id of the repeat that this answer belongs to
   */
  #receipt(order: Order, fresh: boolean, ask = ''): Receipt {
    let told = false
    const once = (tell: () => void) => () => {
      if (told) return
      told = true
      this.#recalls.delete(ask)
      tell()
    }
    const doubt = () => {
      if (order.state === 'delivered' && this.#handover.waits(order.lane, order.position)) this.#doubt(order)
    }
    return {
      written: once(() => {
        this.#keep(order)
        this.#handover.settled(order.lane, order.position)
        if (order.state === 'unknown') this.#chore(this.#move(order, 'unknown', 'delivered', 'order.handed_over'))
      }),
      unsent: once(() => {
        // A repeat may have been answered before this first answer found its line gone.
        if (!fresh || !this.#handover.waits(order.lane, order.position)) return doubt()
        this.#voidLater(order)
      }),
      broken: once(doubt),
    }
  }

  /** Writes the doubt down, however often it takes: until then the lane's watermark waits, and with it every later order. */
  #doubt(order: Order): void {
    this.#chore(this.#move(order, 'delivered', 'unknown', 'order.doubtful').catch((error: unknown) => {
      setTimeout(() => this.#doubt(order), DOUBT_AGAIN_MS).unref()
      throw error
    }))
  }

  #voidLater(order: Order): void {
    const timer = setTimeout(() => {
      // A repeat is on its way out: what becomes of it decides.
      if (this.#isRecalled(order)) this.#voidLater(order)
      else {
        // Whatever hinders it now (a lane that is held, a database that is away) must not keep the money for ever.
        this.#chore(this.#void(order).catch((error: unknown) => {
          this.#voidLater(order)
          throw error
        }))
      }
    }, this.#options.voidAfterMs ?? VOID_AFTER_MS)
    this.#voids.set(order.id, { order, timer: timer.unref() })
  }

  #isRecalled(order: Order): boolean {
    for (const id of this.#recalls.values()) if (id === order.id) return true
    return false
  }

  /** An order that is asked for again is not voided any more. */
  #keep(order: Order): void {
    const pending = this.#voids.get(order.id)
    if (!pending) return
    clearTimeout(pending.timer)
    this.#voids.delete(order.id)
  }

  async #move(order: Order, from: Order['state'], to: Order['state'], kind: string): Promise<void> {
    await this.#options.db.transaction((connection) =>
      underLanes(connection, [order.lane], async ({ append }) => {
        const moved = await connection.run(moveState([order], from, to, to === 'unknown' ? 'broken' : null))
        if (moved.length > 0) append({ lane: order.lane, docking: order.docking, kind, subject: order.id, code: null, body: '{}' })
      }))
    this.#handover.settled(order.lane, order.position)
  }

  /** Gives the money and the cards back: the answer surely never left, and nobody asked again. */
  async #void(order: Order): Promise<void> {
    const { db, vault } = this.#options
    const cards = await this.cardsOf(order)
    const voided = await db.transaction((connection) =>
      underLanes(connection, [order.lane], async ({ at, append }) => {
        // Asked again while this waited for the lane: then it is theirs.
        if (!this.#voids.has(order.id) || this.#isRecalled(order) || !this.#handover.waits(order.lane, order.position)) return false
        // Voided or doubted before, by a try whose answer was lost: nothing is left to do but to know it.
        if ((await connection.run(moveState([order], 'delivered', 'cancelled', null))).length === 0) return true
        const available = readBalances(await connection.run(loadBalances([order.lane], [order.docking]))).get(order.docking)!
        const position = append({
          lane: order.lane, docking: order.docking, kind: 'order.voided', subject: order.id, code: null,
          body: JSON.stringify({ reference: order.reference, because: 'the connection closed before the first byte of the answer' }),
        })
        const legs = refundLegs({ lane: order.lane, account: order.docking, mode: order.mode, position, event: order.id, at }, order.totalMicro, order.feeMicro, available)
        await connection.run(postTransfers(legs))
        await connection.run(writeBalances([{ lane: order.lane, account: order.docking, availableMicro: legs.at(-1)!.afterMicro }]))
        await restock(connection, vault, order.good, order.mode, cards.map(writeCard), at)
        await connection.run(insertChanges([{ good: order.good, docking: null, what: 'stock', at }]))
        return true
      }))
    // Not voided: the repeat that came in between settles it, one way or the other.
    this.#voids.delete(order.id)
    if (!voided) return
    this.#handover.settled(order.lane, order.position)
    this.#options.log.info({ order: order.id }, 'an order whose buyer hung up before the answer is voided')
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
          const moved = behind.length > 0 ? new Set((await connection.run(moveState(behind, 'delivered', 'unknown', 'crash'))).map((row) => row[0] as string)) : new Set()
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
    for (const { order, timer } of this.#voids.values()) {
      clearTimeout(timer)
      await this.#move(order, 'delivered', 'unknown', 'order.doubtful').catch(() => {})
    }
    await Promise.allSettled(this.#chores)
    await this.#flush().catch(() => {})
  }

  #chore(work: Promise<void>): void {
    const chore = work.catch((error: unknown) => this.#options.log.warn({ err: error }, 'a chore of the orders failed; the next start finds what it left'))
    this.#chores.add(chore)
    void chore.finally(() => this.#chores.delete(chore))
  }
}

/** What makes two asks under one reference the same ask: 16 bytes over good, quantity, form and member. Scheme 1. */
function fingerprintOf(ask: Pick<PlaceAsk, 'good' | 'quantity' | 'form' | 'member'>): Buffer {
  return hash('sha256', `1\n${ask.good}\n${ask.quantity}\n${ask.member === null ? '' : JSON.stringify(ask.member)}\n${ask.form}`, 'buffer').subarray(0, 16)
}
