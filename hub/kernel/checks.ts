import type { Because } from '../../protocol/outcome.ts'
import type { ReasonClass, ReasonCode, Side } from '../../protocol/reasons.ts'

/** The docking that is looked at, as every room may see it. */
export type CheckedDocking = { id: string; lane: number; mode: 'sandbox' | 'live'; dialect: string }

export type CheckResult = {
  /** The room and what it looked at, e.g. `ledger.funds`. */
  check: string
  verdict: 'pass' | 'warn' | 'fail'
  class: ReasonClass
  side: Side
  /** The code that the real path would give; null when the check passes. */
  code: ReasonCode | null
  because: Because
  /** What was looked at, in one plain sentence a language. */
  seen: { en: string; zh: string }
  /** A decision or the position of a fact: where the evidence lies. */
  evidence: string | null
}

/** A room's own check: the same function that the real path uses, pointed at one docking. */
export type Check = (docking: CheckedDocking, at: Date) => Promise<CheckResult[]>
