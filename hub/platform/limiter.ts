import { refuse, type Outcome, accept } from '../../protocol/outcome.ts'

export type LimiterOptions = { requestsPerSecond: number; inFlight: number; failuresPerMinute: number }

type Window = { second: number; count: number; inFlight: number }
const MOST_KEYS = 50_000

/** A place of one request: what is left of the second, how many requests it counts as once that is known, and the way out. */
export type Place = { left: () => number; weigh: (weight: number) => void; leave: () => void }

/** Published limits in memory: requests a second and requests at once per docking, failed sign-ins a minute per address. */
export class Limiter {
  readonly options: LimiterOptions
  readonly #windows = new Map<string, Window>()
  #swept = 0
  readonly #failures = new Map<string, { minute: number; count: number }>()

  constructor(options: LimiterOptions) {
    this.options = options
  }

  /** Takes a place for one request of a docking. @param requestsPerSecond what it may ask, where that is not what everybody may */
  enter(docking: string, nowMs: number, requestsPerSecond: number = this.options.requestsPerSecond): Outcome<Place> {
    const second = Math.floor(nowMs / 1000)
    let window = this.#windows.get(docking)
    if (!window) {
      if (this.#windows.size >= MOST_KEYS && this.#swept !== second) this.#sweep(second)
      this.#windows.set(docking, (window = { second, count: 0, inFlight: 0 }))
    }
    if (window.second !== second) {
      // What a heavy request took beyond its second is paid by the seconds after it.
      window.count = Math.max(0, window.count - requestsPerSecond * Math.max(1, second - window.second))
      window.second = second
    }
    if (window.count >= requestsPerSecond) {
      const retryAfterS = Math.floor(window.count / requestsPerSecond)
      return refuse('platform.rate_limited', { allowed: `${requestsPerSecond}/s`, retryAfterS }, { retryAfterS })
    }
    if (window.inFlight >= this.options.inFlight) {
      return refuse('platform.too_many_in_flight', { allowed: this.options.inFlight, retryAfterS: 1 }, { retryAfterS: 1 })
    }
    window.count++
    window.inFlight++
    const taken = window
    return accept({
      left: () => Math.max(0, requestsPerSecond - taken.count),
      weigh: (weight) => void (taken.count += weight - 1),
      leave: () => void taken.inFlight--,
    })
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
      // The one that was seen first goes: to forget everybody would let everybody in again.
      if (known === undefined && this.#failures.size >= MOST_KEYS) this.#failures.delete(this.#failures.keys().next().value!)
      this.#failures.delete(address)
      this.#failures.set(address, { minute, count: 1 })
    }
  }

  #sweep(second: number): void {
    this.#swept = second
    for (const [key, window] of this.#windows) if (window.inFlight === 0 && window.second < second) this.#windows.delete(key)
  }
}
