import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bed } from './bed.ts'
import type { Journal } from './journal.ts'
import { codeOf, send, type Reply } from './wire.ts'
import type { World } from './world.ts'

/** One look at a balance and what came of it; status null when no answer came in time. */
export type Look = { atMs: number; tookMs: number; status: number | null }

const ANSWER_WITHIN_MS = 30_000

/**
 * Partners who look at their balances, one after the other in a steady beat, whoever is still waiting. What an outage
 * may answer them is 503 with a Retry-After, and nothing else.
 */
export class Readers {
  readonly looks: Look[] = []
  readonly #bed: Bed
  readonly #world: World
  readonly #journal: Journal
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 512 })
  readonly #waiting = new Set<Promise<void>>()
  #beating: Promise<void> | null = null
  #isOpen = true

  constructor(bed: Bed, world: World, journal: Journal) {
    this.#bed = bed
    this.#world = world
    this.#journal = journal
  }

  open(everyMs: number): void {
    this.#beating = this.#beat(everyMs)
  }

  async #beat(everyMs: number): Promise<void> {
    for (let i = 0; ; i++) {
      if (!this.#isOpen) return
      const look = this.#look(i)
      this.#waiting.add(look)
      void look.finally(() => this.#waiting.delete(look))
      await sleep(everyMs)
    }
  }

  /** Nobody new; resolves when everybody has an answer. */
  async close(): Promise<void> {
    this.#isOpen = false
    await this.#beating
    await Promise.all(this.#waiting)
    this.#agent.destroy()
  }

  /** The longest wait among the looks that began between two moments. */
  slowestMs(fromMs: number, toMs: number): number {
    return Math.max(0, ...this.looks.filter((look) => look.atMs >= fromMs && look.atMs < toMs).map((look) => look.tookMs))
  }

  count(status: number): number {
    return this.looks.filter((look) => look.status === status).length
  }

  async #look(i: number): Promise<void> {
    const atMs = performance.now()
    const partner = this.#world.partners[i % this.#world.partners.length]!
    const reply = await send({
      url: `${this.#bed.url}/api/funds/balance`, method: 'GET', timeoutMs: ANSWER_WITHIN_MS, agent: this.#agent, headers: { authorization: `Bearer ${partner.apiKey}` },
    })
    this.looks.push({ atMs, tookMs: performance.now() - atMs, status: reply.status })
    this.#judge(reply)
  }

  #judge({ status, headers, problem, text }: Reply): void {
    if (status === 200) return
    if (status === null) return this.#journal.violate('honest outage', `a look at the balance had no answer: ${problem}`)
    if (status !== 503) return this.#journal.violate('honest outage', `a look at the balance was answered ${status} ${codeOf(text)}`)
    if (headers['retry-after'] === undefined) this.#journal.violate('honest outage', 'a look at the balance was answered 503 without Retry-After')
  }
}
