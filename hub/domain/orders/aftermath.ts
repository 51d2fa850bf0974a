import { underLanes } from '../../platform/facts.ts'
import type { HandoverLog } from '../../platform/handover.ts'
import type { Log } from '../../platform/log.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { insertChanges, loadCards, readCards, restock, writeCard, type Card, type CardOpener } from '../catalogue/index.ts'
import { endDelivery } from '../fulfilment/index.ts'
import { loadBalances, postTransfers, readBalances, refundLegs, writeBalances } from '../ledger/index.ts'
import type { Order, OrderState } from './model.ts'
import { moveState } from './store.ts'

/** How long an order whose buyer hung up before the first byte waits for the same reference to come back. */
const VOID_AFTER_MS = 10_000
const DOUBT_AGAIN_MS = 1_000

export type Receipt = {
  /** The whole answer was handed to the network. */
  written(): void
  /** The socket was gone before a byte of the answer: the order is voided after a grace, unless it is asked for again. */
  unsent(): void
  /** Some of the answer may have left: doubt. The order stays charged and stands in the work list. */
  broken(): void
}

/** An order in an answer. Only the answer that placed it may void it: a repeat, named by its own id, proves that somebody wants it. */
export type Handing = { order: Order; fresh: boolean; ask: string }

export type AftermathOptions = { db: Database; vault: Vault; log: Log; handover: HandoverLog; opener: CardOpener; voidAfterMs?: number }

/** What becomes of orders after their COMMIT: the answer was written, is in doubt, or never left and is taken back. */
export class Aftermath {
  readonly #options: AftermathOptions
  readonly #handover: HandoverLog
  /** Orders whose void is due after the grace, by id. */
  readonly #voids = new Map<string, Order>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #chores = new Set<Promise<void>>()
  /** Repeats that are on their way out, by their own id: the order of each is not voided meanwhile. */
  readonly #recalls = new Map<string, string>()

  constructor(options: AftermathOptions) {
    this.#options = options
    this.#handover = options.handover
  }

  /** An order was asked for again: it is not voided any more, and not while the answer is under way. */
  recall(order: Order, ask: string): void {
    this.keep(order)
    this.hold(order.id, ask)
  }

  /** An order is about to be looked up by the ask: it is not voided until the ask is over. */
  hold(order: string, ask: string): void {
    this.#recalls.set(ask, order)
  }

  forget(ask: string): void {
    this.#recalls.delete(ask)
  }

  keep(order: Order): void {
    this.#voids.delete(order.id)
  }

  /** One receipt for all the orders of one answer. */
  receipt(handing: readonly Handing[]): Receipt {
    let told = false
    const once = (tell: () => void) => () => {
      if (told) return
      told = true
      for (const { ask } of handing) this.forget(ask)
      tell()
    }
    const waits = ({ order }: Handing) => this.#handover.waits(order.lane, order.position)
    const doubt = (those: readonly Handing[]) => this.#doubt(those.filter((one) => isHandedOut(one.order) && waits(one)).map(({ order }) => order))
    return {
      written: once(() => {
        for (const { order } of handing) {
          this.keep(order)
          this.#handover.settled(order.lane, order.position)
        }
        const doubtful = handing.filter(({ order }) => order.doubt !== null || order.state === 'unknown').map(({ order }) => order)
        if (doubtful.length > 0) this.chore(this.#clearDoubt(doubtful))
      }),
      unsent: once(() => {
        // A repeat may have been answered before this first answer found its line gone.
        this.#voidLater(handing.filter((one) => one.fresh && waits(one)).map(({ order }) => order))
        doubt(handing.filter((one) => !one.fresh))
      }),
      broken: once(() => doubt(handing)),
    }
  }

  /**
   * Writes the doubt down, however often it takes: until then the lane's watermark waits, and with it every later order.
   * While a repeat is on its way out it decides; whoever has had the answer meanwhile is not doubted any more.
   */
  #doubt(orders: readonly Order[]): void {
    const due = orders.filter((order) => this.#handover.waits(order.lane, order.position))
    const again = () => void setTimeout(() => this.#doubt(due), DOUBT_AGAIN_MS).unref()
    if (due.some((order) => this.#isRecalled(order))) again()
    const now = due.filter((order) => !this.#isRecalled(order))
    if (now.length === 0) return
    this.chore(this.#writeDoubt(now).then(again, (error: unknown) => {
      again()
      throw error
    }))
  }

  /** An order that a person delivers stays `delivering`: nothing was handed over that could be lost. The doubt stands beside it. */
  #writeDoubt(orders: readonly Order[]): Promise<void> {
    // Asked again under the lane's lock: a repeat that came first has the order now.
    const isOpen = (order: Order) => this.#handover.waits(order.lane, order.position) && !this.#isRecalled(order)
    return this.#move(orders, 'order.doubtful', [['delivered', 'unknown', 'broken'], ['delivering', 'delivering', 'broken']], isOpen)
  }

  #clearDoubt(orders: readonly Order[]): Promise<void> {
    return this.#move(orders, 'order.handed_over', [['unknown', 'delivered', null], ['delivering', 'delivering', null]], () => true)
  }

  /** Orders of one answer, so of one docking: they are voided together, in one transaction. */
  #voidLater(orders: readonly Order[]): void {
    if (orders.length === 0) return
    for (const order of orders) this.#voids.set(order.id, order)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      const due = orders.filter((order) => this.#voids.has(order.id))
      // A repeat is on its way out: what becomes of it decides.
      this.#voidLater(due.filter((order) => this.#isRecalled(order)))
      const lost = due.filter((order) => !this.#isRecalled(order))
      // Whatever hinders it now (a lane that is held, a database that is away) must not keep the money for ever.
      if (lost.length > 0) this.chore(this.#void(lost).catch((error: unknown) => {
        this.#voidLater(lost.filter((order) => this.#voids.has(order.id)))
        throw error
      }))
    }, this.#options.voidAfterMs ?? VOID_AFTER_MS)
    this.#timers.add(timer.unref())
  }

  #isRecalled(order: Order): boolean {
    for (const id of this.#recalls.values()) if (id === order.id) return true
    return false
  }

  /** Moves orders of one docking, each by the move that fits its state, and keeps a fact of those that moved. */
  async #move(orders: readonly Order[], kind: string, moves: readonly [from: OrderState, to: OrderState, doubt: Order['doubt']][], isOpen: (order: Order) => boolean): Promise<void> {
    const { lane, docking } = orders[0]!
    const moved = await this.#options.db.transaction((connection) =>
      underLanes(connection, [lane], async ({ append }) => {
        const open = orders.filter(isOpen)
        for (const [from, to, doubt] of moves) {
          const those = open.filter((order) => order.state === from)
          if (those.length === 0) continue
          for (const [id] of await connection.run(moveState(those, from, to, doubt))) append({ lane, docking, kind, subject: id as string, code: null, body: '{}' })
        }
        return open
      }))
    for (const order of moved) this.#handover.settled(lane, order.position)
  }

  /** Gives the money and the cards of a docking's orders back: the answer surely never left, and nobody asked again. */
  async #void(orders: readonly Order[]): Promise<void> {
    const { db } = this.#options
    const { lane } = orders[0]!
    const cards = await this.#cardsOf(orders)
    const voided = await db.transaction((connection) =>
      underLanes(connection, [lane], async ({ at, append }) => {
        // Asked again while this waited for the lane: then it is theirs.
        const ours = orders.filter((order) => this.#voids.has(order.id) && !this.#isRecalled(order) && this.#handover.waits(lane, order.position))
        const moved = new Set<string>()
        for (const state of ['delivered', 'delivering'] as const) {
          const those = ours.filter((order) => order.state === state)
          if (those.length > 0) for (const [id] of await connection.run(moveState(those, state, 'cancelled', null))) moved.add(id as string)
        }
        // Voided or doubted before, by a try whose answer was lost: nothing is left to do but to know it.
        const fresh = ours.filter((order) => moved.has(order.id))
        if (fresh.length > 0) await this.#giveBack(connection, fresh, cards, at, append)
        return ours
      }))
    // Not voided: the repeat that came in between settles it, one way or the other.
    for (const order of orders) this.#voids.delete(order.id)
    for (const order of voided) this.#handover.settled(lane, order.position)
    if (voided.length > 0) this.#options.log.info({ orders: voided.map((order) => order.id) }, 'orders whose buyer hung up before the answer are voided')
  }

  async #cardsOf(orders: readonly Order[]): Promise<Map<string, Card[]>> {
    const { db, opener } = this.#options
    const sealed = readCards(await db.run(loadCards(orders.flatMap((order) => order.picks))))
    const cards = new Map<string, Card[]>()
    for (const order of orders) cards.set(order.id, await opener.open(order.picks, sealed))
    return cards
  }

  async #giveBack(connection: Connection, orders: readonly Order[], cards: ReadonlyMap<string, Card[]>, at: Date, append: Append): Promise<void> {
    const { lane, docking, mode } = orders[0]!
    let available = readBalances(await connection.run(loadBalances([lane], [docking]))).get(docking)!
    const legs = orders.flatMap((order) => {
      const position = append({
        lane, docking, kind: 'order.voided', subject: order.id, code: null,
        body: JSON.stringify({ reference: order.reference, because: 'the connection closed before the first byte of the answer' }),
      })
      const back = refundLegs({ lane, account: docking, mode, position, event: order.id, at }, order.totalMicro, order.feeMicro, available)
      available = back.at(-1)!.afterMicro
      return back
    })
    await connection.run(postTransfers(legs))
    await connection.run(writeBalances([{ lane, account: docking, availableMicro: available }]))
    for (const order of orders) if (order.state === 'delivering') await connection.run(endDelivery(order, null, null, at))
    const returned = orders.flatMap(({ id, good, variant, picks }) => {
      const lots = picks.flatMap((pick) => Array.from({ length: pick.count }, () => pick.lot))
      return cards.get(id)!.map((card, i) => ({ good, mode, variant, lot: lots[i]!, text: writeCard(card) }))
    })
    if (returned.length > 0) await restock(connection, this.#options.vault, returned, at)
    await connection.run(insertChanges([...new Set(orders.map((order) => order.good))].map((good) => ({ good, docking: null, what: 'stock' as const, at }))))
  }

  /** Ends a life in order: voids that are pending become doubt, and what is under way is waited for. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    for (const orders of Map.groupBy(this.#voids.values(), (order) => order.docking).values()) await this.#writeDoubt(orders).catch(() => {})
    await Promise.allSettled(this.#chores)
  }

  chore(work: Promise<void>): void {
    const chore = work.catch((error: unknown) => this.#options.log.warn({ err: error }, 'a chore of the orders failed; the next start finds what it left'))
    this.#chores.add(chore)
    void chore.finally(() => this.#chores.delete(chore))
  }
}

type Append = Parameters<Parameters<typeof underLanes>[2]>[0]['append']

/** Whether the state says that the answer carried what was bought, or where to fetch it. */
function isHandedOut(order: Order): boolean {
  return order.state === 'delivered' || order.state === 'delivering'
}
