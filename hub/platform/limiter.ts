import { refuse, type Outcome, accept } from '../../protocol/outcome.ts'

export type LimiterOptions = { requestsPerSecond: number; inFlight: number; failuresPerMinute: number }

type Window = { second: number; count: number; inFlight: number }
const MOST_KEYS = 50_000

/** Published limits in memory: requests a second and requests at once per docking, failed sign-ins a minute per address. */
export class Limiter {
  readonly options: LimiterOptions
  readonly #windows = new Map<string, Window>()
  readonly #failures = new Map<string, { minute: number; count: number }>()

  constructor(options: LimiterOptions) {
    this.options = options
  }

  /** Takes a place for one request of a docking; `leave` gives it back. */
  enter(docking: string, nowMs: number): Outcome<{ left: number; leave: () => void }> {
    const second = Math.floor(nowMs / 1000)
    let window = this.#windows.get(docking)
    if (!window) {
      if (this.#windows.size >= MOST_KEYS) this.#sweep(second)
      this.#windows.set(docking, (window = { second, count: 0, inFlight: 0 }))
    }
    if (window.second !== second) {
      window.second = second
      window.count = 0
    }
    if (window.count >= this.options.requestsPerSecond) {
      return refuse('platform.rate_limited', { allowed: `${this.options.requestsPerSecond}/s`, retryAfterS: 1 }, { retryAfterS: 1 })
    }
    if (window.inFlight >= this.options.inFlight) {
      return refuse('platform.too_many_in_flight', { allowed: this.options.inFlight, retryAfterS: 1 }, { retryAfterS: 1 })
    }
    window.count++
    window.inFlight++
    const taken = window
    return accept({ left: this.options.requestsPerSecond - window.count, leave: () => void taken.inFlight-- })
  }

  /** Whether an address has failed to sign in too often in this minute. */
  admits(address: string, nowMs: number): Outcome<null> {
    const failed = this.#failures.get(address)
    const minute = Math.floor(nowMs / 60_000)
    if (!failed || failed.minute !== minute || failed.count < this.options.failuresPerMinute) return accept(null)
    const retryAfterS = 60 - Math.floor((nowMs % 60_000) / 1000)
    return refuse('platform.rate_limited', { allowed: `${this.options.failuresPerMinute} failed sign-ins a minute`, retryAfterS }, { retryAfterS })
  }

  failed(address: string, nowMs: number): void {
    const minute = Math.floor(nowMs / 60_000)
    const known = this.#failures.get(address)
    if (known?.minute === minute) known.count++
    else {
      if (this.#failures.size >= MOST_KEYS) this.#failures.clear()
      this.#failures.set(address, { minute, count: 1 })
    }
  }

  #sweep(second: number): void {
    for (const [key, window] of this.#windows) if (window.inFlight === 0 && window.second < second) this.#windows.delete(key)
  }
}
