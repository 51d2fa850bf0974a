import type { Client } from 'pg'
import { formatAmount, parseAmount } from '../../protocol/money.ts'
import type { Bed } from './bed.ts'
import { nameOf, type Entry, type Journal } from './journal.ts'
import type { Shop } from './shop.ts'
import { send } from './wire.ts'
import type { World } from './world.ts'

type Row = { docking: string; reference: string; id: string; state: string; good: string; quantity: number; charged: string; picks: string[]; charges: string }

/** Holds the journals of the shops against the database and against the hub's own answers. Nothing may be under way. */
export class Checker {
  readonly #bed: Bed
  readonly #world: World
  readonly #journal: Journal
  #readOutput = 0
  /** Orders that the hub itself held to be in doubt after a start. */
  doubtful = 0

  constructor(bed: Bed, world: World, journal: Journal) {
    this.#bed = bed
    this.#world = world
    this.#journal = journal
  }

  /**
   * Straight after a start, before any shop asks again. An order that nobody has had the answer of must stand in the
   * work list, and an order that a shop has seen delivered must not be shown as anything less.
   */
  async afterStart(): Promise<void> {
    const rows = await this.#rows()
    const entries = this.#byName()
    for (const row of rows) {
      const entry = entries.get(keyOf(row))
      if (row.state !== 'delivered' || !entry || entry.result === 'ok' || entry.attempts.some((attempt) => attempt.hungUp)) continue
      this.#journal.violate('I6', `stands as delivered, not in the work list, though its answer never came: ${nameOf(entry)} ${row.id}`)
    }
    const unknown = rows.filter((row) => row.state === 'unknown')
    this.doubtful += unknown.length
    await this.#workList(unknown)
    const acknowledged = unknown.map((row) => entries.get(keyOf(row))).filter((entry) => entry?.result === 'ok')
    for (const entry of acknowledged.slice(0, 5)) await this.#seenAgain(entry!)
  }

  /** A start after an orderly stop has nothing to doubt. */
  async afterOrderlyStop(): Promise<void> {
    const entries = this.#byName()
    for (const row of await this.#rows()) {
      const entry = entries.get(keyOf(row))
      if (row.state === 'unknown' && entry && !entry.attempts.some((attempt) => attempt.hungUp)) this.#journal.violate('I6', `an orderly stop left it in doubt: ${nameOf(entry)} ${row.id}`)
    }
  }

  /** All invariants, when every shop has its answers. Doubtful orders are asked for again and must be handed over. */
  async atRest(shop: Shop): Promise<void> {
    await this.#handOver(shop)
    const rows = await this.#rows()
    const entries = this.#byName()
    this.#orders(rows, entries)
    this.#cards(rows)
    await this.#books()
    await this.#balances(rows)
    await this.#bed.asOwner((client) => this.#facts(client))
    this.#hubLog()
  }

  async #rows(): Promise<Row[]> {
    return this.#bed.asOwner(async (client) => (await client.query<Row>(
      `select o.docking, o.reference, o.id, o.state, o.good, o.quantity, (o.total + o.fee) as charged, o.picks,
        (select count(*) from ledger.transfers t where t.lane = o.lane and t.account = o.docking and t.event = o.id and t.kind = 'order') as charges
      from orders.orders o`)).rows)
  }

  #byName(): Map<string, Entry> {
    return new Map(this.#journal.entries.map((entry) => [`${entry.partner.id} ${entry.reference}`, entry]))
  }

  async #workList(unknown: readonly Row[]): Promise<void> {
    const reply = await this.#bed.operator('GET', '/operator/orders/doubtful')
    if (reply.status !== 200) return this.#journal.violate('I6', `the work list cannot be read: ${reply.status} ${reply.problem}`)
    const listed = new Set((JSON.parse(reply.text) as { items: { id: string }[] }).items.map((item) => item.id))
    const missing = unknown.filter((row) => !listed.has(row.id))
    if (missing.length > 0) this.#journal.violate('I6', `${missing.length} of ${unknown.length} doubtful orders are not in the work list, ${missing[0]!.id} for one`)
  }

  /** What a partner reads may never fall behind what the same partner has read before. */
  async #seenAgain(entry: Entry): Promise<void> {
    const reply = await send({
      url: `${this.#bed.url}/api/orders?reference=${entry.reference}`, method: 'GET', timeoutMs: 5_000, headers: { authorization: `Bearer ${entry.partner.apiKey}` },
    })
    const state = reply.status === 200 ? (JSON.parse(reply.text) as { items: { state: string }[] }).items[0]?.state : `${reply.status} ${reply.problem}`
    if (state !== 'delivered') this.#journal.violate('state goes back', `GET /api/orders?reference= shows ${state} after the shop was answered "delivered"`)
  }

  async #handOver(shop: Shop): Promise<void> {
    const entries = this.#byName()
    for (const row of (await this.#rows()).filter((each) => each.state === 'unknown')) {
      const entry = entries.get(keyOf(row))
      if (!entry) continue
      await shop.ask(entry)
      if (entry.result !== 'ok') this.#journal.violate('I6', `a doubtful order is not handed over on repeat: ${nameOf(entry)} ${row.id}`)
    }
    const deadline = performance.now() + 3_000
    for (;;) {
      const left = (await this.#rows()).filter((row) => row.state === 'unknown')
      if (left.length === 0) return
      if (performance.now() > deadline) return this.#journal.violate('I6', `still in doubt after it was handed over: ${left.length} orders, ${left[0]!.id} for one`)
    }
  }

  #orders(rows: readonly Row[], entries: ReadonlyMap<string, Entry>): void {
    const live = new Map<string, Row>()
    for (const row of rows) {
      const entry = entries.get(keyOf(row))
      if (!entry) this.#journal.violate('I1', `order ${row.id} under ${row.reference} was never asked for`)
      if (row.charges !== '1') this.#journal.violate('I2', `order ${row.id} has ${row.charges} charges`)
      if (row.state === 'cancelled') continue
      if (live.has(keyOf(row))) this.#journal.violate('I2', `two live orders under one reference: ${live.get(keyOf(row))!.id} and ${row.id}${entry ? ` ${nameOf(entry)}` : ''}`)
      live.set(keyOf(row), row)
    }
    const byId = new Map(rows.map((row) => [row.id, row]))
    for (const entry of this.#journal.entries) {
      const row = live.get(`${entry.partner.id} ${entry.reference}`)
      // A request that was hung up on may overtake its own repeat, which then is the one that was refused.
      if (entry.result === 'refused' && row && !entry.attempts.some((attempt) => attempt.hungUp)) this.#journal.violate('I1', `refused, and yet booked as ${row.id}: ${nameOf(entry)}`)
      if (entry.result !== 'ok') continue
      const own = byId.get(entry.order!.id)
      if (!own) this.#journal.violate('I1', `acknowledged order ${entry.order!.id} is lost: ${nameOf(entry)}`)
      else if (own.state === 'cancelled') this.#journal.violate('void', `acknowledged order ${own.id} was voided: ${nameOf(entry)}`)
      else if (own.charged !== String(entry.order!.chargedMicro) || own.quantity !== entry.quantity || own.good !== entry.good.id) {
        this.#journal.violate('I1', `order ${own.id} stands with ${own.charged} for ${own.quantity}, acknowledged with ${entry.order!.chargedMicro} for ${entry.quantity}: ${nameOf(entry)}`)
      }
    }
  }

  #cards(rows: readonly Row[]): void {
    const owners = new Map<string, Entry>()
    for (const entry of this.#journal.entries) {
      for (const card of entry.order?.cards ?? []) {
        const other = owners.get(card)
        if (other && other !== entry) this.#journal.violate('I3', `one card in two orders: ${other.order!.id} ${nameOf(other)} and ${entry.order!.id} ${nameOf(entry)}`)
        owners.set(card, entry)
      }
    }
    const taken = new Map<string, string>()
    for (const { id, quantity, picks } of rows) {
      let count = 0
      for (let i = 0; i < picks.length; i += 3) {
        for (let seq = Number(picks[i + 1]); seq < Number(picks[i + 1]) + Number(picks[i + 2]); seq++) {
          count++
          const card = `lot ${picks[i]} card ${seq}`
          if (taken.has(card)) this.#journal.violate('I3', `${card} was picked for ${taken.get(card)} and for ${id}`)
          taken.set(card, id)
        }
      }
      if (count !== quantity) this.#journal.violate('I3', `order ${id} has ${count} cards of ${quantity}`)
    }
  }

  async #books(): Promise<void> {
    const reply = await this.#bed.operator('GET', '/operator/ledger/check')
    if (reply.status !== 200) return this.#journal.violate('I4', `the ledger check answers ${reply.status} ${reply.problem} ${reply.text.slice(0, 200)}`)
    const { findings } = JSON.parse(reply.text) as { findings: { rule: string; row: string; expected: string; seen: string }[] }
    for (const finding of findings) this.#journal.violate('I4', `${finding.rule}: ${finding.row}, expected ${finding.expected}, seen ${finding.seen}`)
  }

  /** Deposits minus charges, from the journals alone; of what stayed unknown either is right. */
  async #balances(rows: readonly Row[]): Promise<void> {
    const live = new Map(rows.filter((row) => row.state !== 'cancelled').map((row) => [keyOf(row), BigInt(row.charged)]))
    for (const partner of this.#world.partners) {
      let expected = partner.firstDepositMicro
      for (const entry of this.#journal.deposits) if (entry.partner === partner && entry.result === 'ok') expected += entry.amountMicro
      for (const entry of this.#journal.entries) {
        if (entry.partner !== partner) continue
        if (entry.result === 'ok') expected -= entry.order!.chargedMicro
        else expected -= live.get(`${partner.id} ${entry.reference}`) ?? 0n
      }
      const reply = await send({ url: `${this.#bed.url}/api/funds/balance`, method: 'GET', timeoutMs: 5_000, headers: { authorization: `Bearer ${partner.apiKey}` } })
      const available = reply.status === 200 ? parseAmount((JSON.parse(reply.text) as { available: string }).available) : null
      if (available === null) this.#journal.violate('I5', `the balance of ${partner.name} cannot be read: ${reply.status} ${reply.problem}`)
      else if (available !== expected) this.#journal.violate('I5', `${partner.name} has ${formatAmount(available - expected)} yuan more than by its journal`)
    }
  }

  async #facts(client: Client): Promise<void> {
    const lost = await client.query<{ id: string }>(
      `select o.id from orders.orders o left join platform.facts f on f.lane = o.lane and f.position = o.position
       where f.kind is distinct from 'order.accepted' or f.subject is distinct from o.id limit 5`)
    for (const { id } of lost.rows) this.#journal.violate('facts', `order ${id} has no fact at its position`)
    const gaps = await client.query<{ lane: number; head: string; facts: string; last: string }>(
      `select l.lane, l.head, count(f.position) as facts, coalesce(max(f.position), 0) as last
       from platform.lanes l left join platform.facts f on f.lane = l.lane group by l.lane, l.head
       having count(f.position) <> l.head or coalesce(max(f.position), 0) <> l.head limit 5`)
    for (const { lane, head, facts, last } of gaps.rows) this.#journal.violate('facts', `lane ${lane} stands at ${head} and has ${facts} facts, the last at ${last}`)
  }

  /** What the hub wrote: no secret, and no error of its own, which a fault from outside never is. */
  #hubLog(): void {
    const { canary, secrets } = this.#world
    const fresh = this.#bed.output.slice(Math.max(0, this.#readOutput - 200))
    this.#readOutput = this.#bed.output.length
    for (const line of fresh.split('\n')) {
      if (!/^\{"level":[56]0/.test(line) || !line.endsWith('}')) continue
      const { msg, err } = JSON.parse(line) as { msg: string; err?: { message: string } }
      this.#journal.violate('the hub\'s log', `${msg}${err ? `: ${err.message}` : ''}`)
    }
    for (const [where, text] of [["the hub's log", fresh], ["the database's log", this.#bed.databaseLog()]] as const) {
      if (text.includes(canary)) this.#journal.violate('I8', `a card stands in ${where}`)
      if (secrets.some((secret) => text.includes(secret))) this.#journal.violate('I8', `a key stands in ${where}`)
    }
  }
}

function keyOf(row: { docking: string; reference: string }): string {
  return `${row.docking} ${row.reference}`
}
