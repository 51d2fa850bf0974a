import type { CheckedDocking } from '../../kernel/checks.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Decision } from './model.ts'
import { look, type CheckDesk } from './runs.ts'
import { dropToWarn, endByItself } from './service.ts'
import { loadConditional, loadLapsed, loadUnreviewed } from './store.ts'

const EVERY_MS = 1_000
/** A condition is asked so often; what the partner has mended counts at the latest then. */
const CONDITIONS_EVERY_MS = 5_000
const PAGE = 100
const UNREVIEWED = 'Nobody reviewed it by the time that was told.'

export type ClockOptions = { db: Database; log: Log; desk: () => CheckDesk; findDocking: (id: string) => Promise<CheckedDocking | null>; nowMs: () => number; makeId: () => string; onEnded: (decision: Decision) => void }

/** Ends what ends by itself: measures whose time is over, those whose check has turned green, and those that nobody looked at again in time. */
export class DecisionClock {
  readonly #options: ClockOptions
  #timer: NodeJS.Timeout | null = null
  #busy: Promise<void> = Promise.resolve()
  #askedMs = 0
  #closed = false

  constructor(options: ClockOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#busy = this.#busy.then(() => this.#tick())
    }, EVERY_MS).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearInterval(this.#timer)
    await this.#busy
  }

  /** Measures whose time is over, now. @returns how many ended */
  async lapse(): Promise<number> {
    let ended = 0
    for (const [, id] of await this.#options.db.run(loadLapsed(PAGE))) ended += await this.#end(id as string, 'lapse', 'Its time is over.')
    return ended
  }

  /** Measures whose review is overdue leave nothing but a warning, and a warning ends: silence holds nobody. @returns how many ended */
  async review(): Promise<number> {
    const { db, makeId, onEnded } = this.#options
    let ended = 0
    for (const [id, measure] of (await db.run(loadUnreviewed(PAGE))) as unknown as [string, string][]) {
      if (measure === 'warn') ended += await this.#end(id, 'lapse', UNREVIEWED)
      else {
        const dropped = await dropToWarn(db, { old: id, id: makeId(), by: 'hub', note: UNREVIEWED, how: 'lapse' })
        if (!dropped.ok) continue
        onEnded(dropped.value)
        ended++
      }
    }
    return ended
  }

  /** Measures whose check is green, now. A check that says nothing, or warns, lifts nothing. @returns how many ended */
  async askConditions(): Promise<number> {
    const { db, desk, findDocking, nowMs } = this.#options
    let ended = 0
    for (let after = { lane: -1, id: '' }; ;) {
      const page = await db.run(loadConditional(after, PAGE))
      for (const [, id, docking, check, inputHash] of page as unknown as [number, string, string, string, string | null][]) {
        const found = await findDocking(docking)
        const results = found ? await look(desk(), found, { check, inputHash }, new Date(nowMs())) : []
        if (results.length > 0 && results.every((one) => one.verdict === 'pass')) ended += await this.#end(id, 'condition', `${check} is green.`)
      }
      if (page.length < PAGE || this.#closed) return ended
      const last = page.at(-1)!
      after = { lane: last[0] as number, id: last[1] as string }
    }
  }

  async #end(id: string, how: 'lapse' | 'condition', note: string): Promise<number> {
    const ended = await endByItself(this.#options.db, id, how, note)
    if (!ended.ok) return 0
    this.#options.onEnded(ended.value)
    return 1
  }

  async #tick(): Promise<void> {
    if (this.#closed) return
    try {
      await this.lapse()
      await this.review()
      if (this.#options.nowMs() - this.#askedMs < CONDITIONS_EVERY_MS) return
      this.#askedMs = this.#options.nowMs()
      await this.askConditions()
    } catch (error) {
      // An outage passes, and the next tick asks again; what lapsed has stopped nothing since its time was over.
      if (!this.#closed) this.#options.log.warn({ err: error }, 'the clock of decisions could not look')
    }
  }
}
