import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatAmount, parseAmount } from '../../protocol/money.ts'
import { VOID_AFTER_MS, type Bed } from './bed.ts'
import { nameOf, type Attempt, type DepositEntry, type Entry, type Journal } from './journal.ts'
import { codeOf, send, sign, type Reply } from './wire.ts'
import type { Good, Partner, World } from './world.ts'

/** More than the hub may take: an answer that does not come is then a finding of the run, not of its shops. */
const ANSWER_WITHIN_MS = 25_000
const FINAL_WITHIN_MS = 60_000
/** Refusals that this load provokes on purpose. Any other one is a finding. */
const EXPECTED_REFUSALS = new Set(['ledger.insufficient_funds', 'catalogue.out_of_stock'])
/** Promises that nothing was booked: an order that turns out to be there afterwards makes them a lie. */
const NOTHING_BOOKED = new Set(['platform.storage_unavailable', 'platform.stopping', 'platform.overloaded', 'partners.freshness_unknown'])

export type ShopOptions = { workers: number; thinkMs: number; hangUpShare: number; tellers: number }

/**
 * The shops of a run: workers that order, keep a journal, and after a broken line or a 5xx send the same reference
 * with a fresh signature until they are answered.
 */
export class Shop {
  readonly #bed: Bed
  readonly #world: World
  readonly #journal: Journal
  readonly #options: ShopOptions
  readonly #agent: Agent
  #gate = Promise.resolve()
  #openGate = () => {}
  #isOpen = false
  #running: Promise<void>[] = []
  #inFlight = 0
  #count = 0
  /** When an order was last acknowledged (performance.now()). */
  lastOkAtMs = 0
  slowestMs = 0

  constructor(bed: Bed, world: World, journal: Journal, options: ShopOptions) {
    this.#bed = bed
    this.#world = world
    this.#journal = journal
    this.#options = options
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.workers + 8 })
    this.#count = journal.entries.length + journal.deposits.length
  }

  open(): void {
    this.#isOpen = true
    this.#running = Array.from({ length: this.#options.workers }, () => this.#work())
    for (let i = 0; i < this.#options.tellers; i++) this.#running.push(this.#bank())
  }

  /** Nothing more is sent until release(); resolves when nothing is under way. */
  async hold(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gate = promise
    this.#openGate = resolve
    while (this.#inFlight > 0) await sleep(5)
  }

  release(): void {
    this.#openGate()
  }

  /** No new orders; resolves when every order under way has its final answer. */
  async settle(): Promise<void> {
    this.#isOpen = false
    this.#openGate()
    await Promise.all(this.#running)
    this.#running = []
    await sleep(VOID_AFTER_MS + 250)
  }

  close(): void {
    this.#agent.destroy()
  }

  async #work(): Promise<void> {
    while (this.#isOpen) {
      await this.#gate
      const { partners, goods } = this.#world
      const good = Math.random() < 0.5 ? goods[0]! : pick(goods)
      const hangUp = Math.random() < this.#options.hangUpShare
      const entry = this.#enter(pick(partners), good, 1 + Math.floor(Math.random() * 3))
      if (hangUp) await this.#hangUp(entry)
      if (!entry.abandoned) await this.#insist(entry)
      await sleep(Math.random() * this.#options.thinkMs)
    }
  }

  /** A buyer who comes whatever the hub does, in a crowd of such: he waits for nobody before him. settle() waits for him. */
  walkIn(): void {
    const entry = this.#enter(pick(this.#world.partners), pick(this.#world.goods), 1)
    this.#running.push(this.#insist(entry))
  }

  #enter(partner: Partner, good: Good, quantity: number): Entry {
    const entry: Entry = { partner, reference: `R-${++this.#count}`, good, quantity, attempts: [], result: 'unknown', order: null, abandoned: false }
    this.#journal.entries.push(entry)
    return entry
  }

  /** A buyer who closes the page; most come back: at once, or just when the hub gives up waiting for them. */
  async #hangUp(entry: Entry): Promise<void> {
    entry.abandoned = Math.random() < 0.3
    await this.ask(entry, Math.random() * 12)
    if (!entry.abandoned) await sleep(Math.random() * (Math.random() < 0.5 ? 10 : VOID_AFTER_MS * 2))
  }

  async #insist(entry: Entry): Promise<void> {
    const deadline = performance.now() + FINAL_WITHIN_MS
    while (entry.result === 'unknown') {
      if (performance.now() > deadline) return this.#journal.violate('I6', `no final answer within ${FINAL_WITHIN_MS / 1000} s: ${nameOf(entry)}`)
      await this.#gate
      await this.ask(entry)
      if (entry.result === 'unknown') await sleep(20 + Math.random() * 80)
    }
  }

  /** One attempt, written into the journal and judged. Also for an entry that was answered before: then it is a repeat. */
  async ask(entry: Entry, hangUpAfterMs?: number): Promise<void> {
    const url = `${this.#bed.url}/api/orders`
    const body = JSON.stringify({ reference: entry.reference, good: entry.good.id, quantity: entry.quantity, maxUnitPrice: entry.good.unitPrice })
    const invokedAtMs = performance.now()
    this.#inFlight++
    const reply = await send({
      url, method: 'POST', body, agent: this.#agent, timeoutMs: ANSWER_WITHIN_MS, ...(hangUpAfterMs === undefined ? {} : { hangUpAfterMs }),
      headers: { 'content-type': 'application/json', ...sign('POST', url, body, entry.partner) },
    })
    this.#inFlight--
    const attempt = this.#attemptOf(reply, invokedAtMs)
    const before = entry.attempts
    entry.attempts = [...before, attempt]
    if (reply.status === 200 || reply.status === 201) this.#accepted(entry, before, reply)
    else this.#notAccepted(entry, reply, attempt)
  }

  #attemptOf(reply: Reply, invokedAtMs: number): Attempt {
    const completedAtMs = performance.now()
    this.slowestMs = Math.max(this.slowestMs, completedAtMs - invokedAtMs)
    const isProblem = reply.status !== null && reply.status >= 400
    const code = isProblem ? codeOf(reply.text) : null
    if (isProblem && (reply.text.includes(this.#world.canary) || this.#world.secrets.some((secret) => reply.text.includes(secret)))) {
      this.#journal.violate('I8', `a secret stands in an answer ${reply.status} ${code}`)
    }
    return { invokedAtMs, completedAtMs, status: reply.status, code, problem: reply.problem, hungUp: reply.problem === 'hung up' }
  }

  #accepted(entry: Entry, before: readonly Attempt[], reply: Reply): void {
    const wrong = (rule: string, what: string) => this.#journal.violate(rule, `${what}: ${nameOf(entry)}`)
    const seen = JSON.parse(reply.text) as { id: string; reference: string; state: string; good: string; quantity: number; total: string; charged: string; cards: { secret: string }[] }
    const order = { id: seen.id, cards: seen.cards.map((card) => card.secret), chargedMicro: parseAmount(seen.charged) ?? -1n }
    this.lastOkAtMs = performance.now()
    if (seen.reference !== entry.reference || seen.good !== entry.good.id || seen.quantity !== entry.quantity) wrong('I1', 'the answer is about another order')
    if (seen.state !== 'delivered') wrong('I6', `the answer with the cards says ${seen.state}`)
    if (parseAmount(seen.total) !== entry.good.priceMicro * BigInt(entry.quantity)) wrong('I2', `the total is ${seen.total} for ${entry.quantity} at ${formatAmount(entry.good.priceMicro)}`)
    if (order.cards.length !== entry.quantity || new Set(order.cards).size !== entry.quantity) wrong('I3', `${new Set(order.cards).size} cards for ${entry.quantity}`)
    if ((reply.status === 200) !== (reply.headers['idempotent-replayed'] === 'true')) wrong('I2', 'Idempotent-Replayed does not fit the status')
    if (reply.status === 200 && before.every((attempt) => attempt.status !== null && NOTHING_BOOKED.has(attempt.code ?? ''))) {
      wrong('truth', before.length === 0 ? 'a first ask was answered as a repeat' : 'every attempt before was told that nothing was booked, and the order was there')
    }
    if (entry.result === 'refused') wrong('I1', 'accepted after a final refusal that was not repeated with new funds or stock')
    if (entry.order) {
      if (reply.status === 201) wrong('I2', `placed a second time, ${entry.order.id} and then ${order.id}`)
      if (entry.order.id !== order.id || entry.order.chargedMicro !== order.chargedMicro) wrong('I1', `a repeat answers ${order.id} instead of ${entry.order.id}`)
      if (entry.order.cards.join() !== order.cards.join()) wrong('I3', 'a repeat answers other cards')
    }
    entry.order ??= order
    entry.result = 'ok'
  }

  #notAccepted(entry: Entry, reply: Reply, attempt: Attempt): void {
    const wrong = (rule: string, what: string) => this.#journal.violate(rule, `${what}: ${nameOf(entry)}`)
    if (reply.status === null || attempt.code === 'partners.freshness_unknown') return
    if (reply.status === 503) {
      if (reply.headers['retry-after'] === undefined) wrong('honest outage', '503 without Retry-After')
      if (!['platform.storage_unavailable', 'platform.outcome_unknown', 'platform.stopping', 'platform.overloaded'].includes(attempt.code ?? '')) wrong('honest outage', `503 with code ${attempt.code}`)
      return
    }
    if (reply.status >= 500) return wrong('honest outage', `${reply.status} ${attempt.code}`)
    if (!EXPECTED_REFUSALS.has(attempt.code ?? '')) wrong('I9', `refused with ${reply.status} ${attempt.code}, which nothing here has caused`)
    if (entry.result === 'ok') return wrong('I1', 'an acknowledged order is refused on repeat')
    entry.result = 'refused'
  }

  /** Deposits run along: the operator's money calls live under the same roof and the same faults. */
  async #bank(): Promise<void> {
    while (this.#isOpen) {
      const entry: DepositEntry = { partner: pick(this.#world.partners), reference: `D-${++this.#count}`, amountMicro: 120_000n, attempts: [], result: 'unknown' }
      this.#journal.deposits.push(entry)
      const deadline = performance.now() + FINAL_WITHIN_MS
      while (entry.result === 'unknown' && performance.now() < deadline) {
        await this.#gate
        await this.#deposit(entry)
        await sleep(20 + Math.random() * 80)
      }
      if (entry.result === 'unknown') this.#journal.violate('I6', `no final answer within ${FINAL_WITHIN_MS / 1000} s to the deposit ${nameOf(entry)}`)
    }
  }

  async #deposit(entry: DepositEntry): Promise<void> {
    const invokedAtMs = performance.now()
    this.#inFlight++
    const reply = await this.#bed.operator('POST', `/operator/dockings/${entry.partner.id}/deposits`, { reference: entry.reference, amount: formatAmount(entry.amountMicro) })
    this.#inFlight--
    const before = entry.attempts
    entry.attempts = [...before, this.#attemptOf(reply, invokedAtMs)]
    const last = entry.attempts.at(-1)!
    if (reply.status === 200 || reply.status === 201) {
      entry.result = 'ok'
      if (reply.status === 200 && before.every((attempt) => attempt.status !== null && NOTHING_BOOKED.has(attempt.code ?? ''))) {
        this.#journal.violate('truth', `every attempt at a deposit was told that nothing was booked, and it was: ${nameOf(entry)}`)
      }
    } else if (reply.status !== null && (reply.status !== 503 || reply.headers['retry-after'] === undefined)) {
      this.#journal.violate('honest outage', `a deposit was answered with ${reply.status} ${last.code}`)
    }
  }
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)]!
}
