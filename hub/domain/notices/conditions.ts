import type { Lasting } from '../letters/index.ts'
import type { Event } from './events.ts'
import type { Owner } from './model.ts'

/** A condition that came back within this time has not passed. */
const GAP_MS = 60_000
/** From here on it lasts, and a person is told. */
const LASTS_MS = 180_000
/** Who was told hears no more of the same condition for so long. */
const QUIET_MS = 3_600_000
const MOST_KEPT = 5_000

type Episode = { owner: Owner; code: string; sinceMs: number; lastMs: number; count: number; toldMs: number | null }

/**
 * Conditions that dockings meet, in memory: they are no facts, since they pass. One that lasts for minutes is told to a
 * person, because the software that runs into it says nothing to anybody.
 */
export class Conditions {
  readonly #episodes = new Map<string, Episode>()

  /** Notes that a docking was turned away for the moment. Costs one look into a map. */
  meet(owner: Owner, code: string, nowMs: number): void {
    const name = `${owner.docking} ${code}`
    const known = this.#episodes.get(name)
    if (known === undefined) {
      if (this.#episodes.size >= MOST_KEPT) this.#forget(nowMs)
      if (this.#episodes.size < MOST_KEPT) this.#episodes.set(name, { owner, code, sinceMs: nowMs, lastMs: nowMs, count: 1, toldMs: null })
      return
    }
    if (nowMs - known.lastMs > GAP_MS) Object.assign(known, { sinceMs: nowMs, count: 0 })
    known.lastMs = nowMs
    known.count++
  }

  /** What has come to last and is to be told now. */
  lasting(nowMs: number): Event[] {
    const events: Event[] = []
    for (const episode of this.#episodes.values()) {
      const { owner, code, sinceMs, lastMs, count, toldMs } = episode
      if (lastMs - sinceMs < LASTS_MS || nowMs - lastMs > GAP_MS || (toldMs !== null && nowMs - toldMs < QUIET_MS)) continue
      episode.toldMs = nowMs
      const body: Lasting = { code, since: new Date(sinceMs).toISOString(), until: new Date(lastMs).toISOString(), count }
      events.push({ owner, wanted: ['conditions'], kind: 'condition_lasting', subject: owner.docking, occasion: BigInt(nowMs), body: JSON.stringify(body), only: null })
    }
    return events
  }

  #forget(nowMs: number): void {
    for (const [name, { lastMs, toldMs }] of this.#episodes) if (nowMs - lastMs > GAP_MS && (toldMs === null || nowMs - toldMs >= QUIET_MS)) this.#episodes.delete(name)
  }
}
