import type { Log } from '../../platform/log.ts'
import { isAnswered, isOutage, type Database } from '../../platform/postgres/database.ts'
import { applyNextDue, giveUpChange } from './changes.ts'
import { returnPlaced } from './placing.ts'

const EVERY_MS = 1_000

/** Carries out changes of prices when they are due: those that fell due while no hub lived are the first. */
export class PriceClock {
  readonly #db: Database
  readonly #log: Log
  #timer: NodeJS.Timeout | null = null
  #busy: Promise<void> = Promise.resolve()
  #closed = false

  constructor(db: Database, log: Log) {
    this.#db = db
    this.#log = log
  }

  /** Ends when all that is due by now is done; from then on looks every second. */
  async start(): Promise<void> {
    await this.#tick()
    this.#timer = setInterval(() => {
      this.#busy = this.#busy.then(() => this.#tick())
    }, EVERY_MS).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearInterval(this.#timer)
    await this.#busy
  }

  /** Dockings whose dearer place has lost its decision go back. */
  async returnPlaced(): Promise<number> {
    return returnPlaced(this.#db)
  }

  async #tick(): Promise<void> {
    try {
      await this.returnPlaced()
      while (!this.#closed) {
        const done = await applyNextDue(this.#db)
        if (!done) return
        this.#log.info({ change: done.id, state: done.state }, 'a change of prices fell due')
      }
    } catch (error) {
      if (this.#closed) return
      // A fault of ours would come again every second and hold up those behind it; an outage passes, and a full disk is one.
      const isFault = isAnswered(error) ? !isOutage(error) : error instanceof TypeError || error instanceof RangeError
      this.#log[isFault ? 'error' : 'warn']({ err: error }, 'a change of prices could not be carried out')
      if (isFault) await giveUpChange(this.#db).catch(() => {})
    }
  }
}
