import type { Log } from './log.ts'

/** A chore that is done over and over while the hub lives. An outage is told once and not at every round. */
export class Rounds {
  readonly #work: () => Promise<void>
  readonly #everyMs: number
  readonly #log: Log
  readonly #what: string
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  #ailing = false
  #open = true

  /** @param what names the chore in the log, such as "figures are folded" */
  constructor({ work, everyMs, log, what }: { work: () => Promise<void>; everyMs: number; log: Log; what: string }) {
    this.#work = work
    this.#everyMs = everyMs
    this.#log = log
    this.#what = what
  }

  start(): void {
    const tick = () => {
      this.#round = this.#try().finally(() => {
        if (this.#open) this.#timer = setTimeout(tick, this.#everyMs).unref()
      })
    }
    this.#timer = setTimeout(tick, 0).unref()
  }

  /** Lets the round that is under way end. */
  async close(): Promise<void> {
    this.#open = false
    if (this.#timer) clearTimeout(this.#timer)
    await this.#round
  }

  async #try(): Promise<void> {
    try {
      await this.#work()
      this.#ailing = false
    } catch (error) {
      if (!this.#ailing) this.#log.warn({ err: error, chore: this.#what }, 'a chore cannot be done now; nothing is lost')
      this.#ailing = true
    }
  }
}
