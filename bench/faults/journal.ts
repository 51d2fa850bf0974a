import type { Good, Partner } from './world.ts'

/** A contradiction that was found. `rule` is the invariant's number or a name, `what` says which order and what was seen. */
export type Violation = { rule: string; what: string }

/** One request and what came of it; status null when no answer came. */
export type Attempt = {
  invokedAtMs: number
  completedAtMs: number
  status: number | null
  code: string | null
  problem: string
  hungUp: boolean
}

export type SeenOrder = { id: string; cards: readonly string[]; chargedMicro: bigint }

/**
 * What a shop knows about one of its orders. `unknown` is everything that has had no final answer; such an order may
 * or may not stand in the hub's books, the other two may not surprise anybody.
 */
export type Entry = {
  partner: Partner
  reference: string
  good: Good
  quantity: number
  attempts: Attempt[]
  result: 'ok' | 'refused' | 'unknown'
  order: SeenOrder | null
  /** The buyer hung up and will not come back by himself. */
  abandoned: boolean
}

export type DepositEntry = { partner: Partner; reference: string; amountMicro: bigint; attempts: Attempt[]; result: 'ok' | 'unknown' }

export type Mark = { entries: number; violations: number }

/** One for the whole run: a fault that comes later still answers for the orders of the faults before it. */
export class Journal {
  readonly entries: Entry[] = []
  readonly deposits: DepositEntry[] = []
  readonly violations: Violation[] = []
  readonly #told = new Set<string>()

  /** Where a fault begins in the journal of the whole run. */
  mark(): Mark {
    return { entries: this.entries.length, violations: this.violations.length }
  }

  /** The same contradiction is told once, however often a check comes by. */
  violate(rule: string, what: string): void {
    const name = `${rule} ${what}`
    if (this.#told.has(name)) return
    this.#told.add(name)
    this.violations.push({ rule, what })
  }
}

export function nameOf(entry: { partner: Partner; reference: string; attempts: readonly Attempt[] }): string {
  const story = entry.attempts.slice(-6).map((attempt) => attempt.hungUp ? 'hung up' : attempt.status === null ? attempt.problem : `${attempt.status}${attempt.code ? ` ${attempt.code}` : ''}`)
  return `${entry.partner.name}/${entry.reference} [${story.join(', ')}]`
}
