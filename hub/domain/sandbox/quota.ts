import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { networkOf } from '../../kernel/networks.ts'

const HOUR_MS = 3_600_000
const MOST_ORIGINS = 20_000

/** How many applications came from one network within the hour, in memory: beyond the limit nobody gets another sandbox from there. */
export class AddressQuota {
  readonly #anHour: number
  readonly #seen = new Map<string, { hour: number; count: number }>()

  constructor(anHour: number) {
    this.#anHour = anHour
  }

  take(address: string, nowMs: number): Outcome<null> {
    const hour = Math.floor(nowMs / HOUR_MS)
    const origin = networkOf(address)
    const known = this.#seen.get(origin)
    if (known?.hour !== hour) {
      // The one that was seen first goes: to forget everybody would let everybody in again.
      if (known === undefined && this.#seen.size >= MOST_ORIGINS) this.#seen.delete(this.#seen.keys().next().value!)
      this.#seen.set(origin, { hour, count: 1 })
      return accept(null)
    }
    if (known.count < this.#anHour) {
      known.count++
      return accept(null)
    }
    const retryAfterS = Math.ceil(((hour + 1) * HOUR_MS - nowMs) / 1000)
    return refuse('platform.rate_limited', { allowed: `${this.#anHour} sandboxes an hour`, retryAfterS }, { retryAfterS })
  }
}
