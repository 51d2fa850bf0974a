import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Berth, endpoints, type Answer, type Credentials, type Drill, type Order, type RetryPolicy } from '../../sdk/index.ts'

/** What a platform of the command line needs to rehearse. `clumsy`: names of criteria that it shall fail, each by the mistake that is usual. */
export type Stage = { url: string; credentials: Credentials; drill: Drill; clumsy: ReadonlySet<string>; pollMs?: number; told?: (drill: Drill) => void }

/** It comes back often and soon: a drill has no time for long waits beyond those that the hub asks for. */
const PATIENT: Partial<RetryPolicy> = { attempts: 60, firstDelayMs: 60, longestDelayMs: 250 }
const ONCE: Partial<RetryPolicy> = { attempts: 1 }

/** A platform at work beside a drill: it knows the step that the hub is in, and has a good to sell. */
export class Platform {
  readonly url: string
  readonly clumsy: ReadonlySet<string>
  readonly credentials: Credentials
  /** Repeats what may be repeated, as a good platform does. */
  readonly patient: Berth
  /** How long a second of the plan lasts. */
  readonly secondMs: number
  readonly #pollMs: number
  readonly #told: (drill: Drill) => void
  #drill: Drill
  #good: { id: string; price: string } | null = null
  #count = 0
  readonly #series = randomBytes(4).toString('hex')

  constructor({ url, credentials, drill, clumsy, pollMs = 250, told = () => {} }: Stage) {
    this.url = url
    this.credentials = credentials
    this.clumsy = clumsy
    this.patient = this.client(credentials)
    this.secondMs = 1000 / drill.tempo
    this.#drill = drill
    this.#pollMs = pollMs
    this.#told = told
  }

  client(credentials: Credentials): Berth {
    return new Berth({ url: this.url, credentials, retry: PATIENT, timeoutMs: 10_000 })
  }

  /** One that gives up at once: whoever uses it must know what to do then. */
  hasty(credentials: Credentials): Berth {
    return new Berth({ url: this.url, credentials, retry: ONCE, timeoutMs: 10_000 })
  }

  get drill(): Drill {
    return this.#drill
  }

  /** The step that the hub was in when it was asked last; null when the drill is over. */
  get step(): string | null {
    return this.#drill.state === 'running' ? (this.#drill.now?.step ?? null) : this.#drill.state === 'planned' ? 'planned' : null
  }

  isIn(...steps: string[]): boolean {
    return this.step !== null && steps.includes(this.step)
  }

  /** Follows the drill beside `work` until it is over. */
  async follow(work: () => Promise<void>): Promise<Drill> {
    await this.#prepare()
    // What is ordered before the drill has begun is no part of it.
    while (this.step === 'planned') await this.#look()
    const done = work()
    // Told to whoever waits for the drill, and not before: until then nobody listens.
    done.catch(() => {})
    while (this.step !== null) await this.#look()
    await done
    return this.#drill
  }

  async #look(): Promise<void> {
    await sleep(this.#pollMs)
    const asked = await this.patient.call(endpoints.getDrill, { path: { drill: this.#drill.id } })
    if (!asked.ok) throw new Error(`${asked.refusal.code}: ${asked.refusal.detail}`)
    this.#drill = asked.value
    this.#told(asked.value)
  }

  /** The first good in stock that asks for nothing but a quantity. */
  async #prepare(): Promise<void> {
    for await (const good of this.patient.listGoods()) {
      if (!good.ok) throw new Error(`${good.refusal.code}: ${good.refusal.detail}`)
      const { id, unitPrice, onSale, minimum, delivery, races, options, form } = good.value
      if (onSale && minimum <= 1 && delivery === 'card' && !races && !options && Object.keys((form as { properties?: object }).properties ?? {}).length === 0) {
        this.#good = { id, price: unitPrice }
        return
      }
    }
    throw new Error('this hub offers no plain good that could be ordered in a drill')
  }

  nextReference(): string {
    return `drill-${this.#series}-${++this.#count}`
  }

  order(berth: Berth, reference: string, maxUnitPrice?: string): Promise<Answer<Order>> {
    return berth.placeOrder({ reference, good: this.#good!.id, quantity: 1, maxUnitPrice: maxUnitPrice ?? this.#good!.price })
  }

  /** Waits some seconds of the plan. */
  async seconds(count: number): Promise<void> {
    await sleep(count * this.secondMs)
  }
}

/** Whether a refusal only asks for a wait. */
export function isBusy(answer: Answer<unknown>): answer is Extract<Answer<unknown>, { ok: false }> {
  return !answer.ok && (answer.refusal.status === 429 || answer.refusal.status === 503)
}
