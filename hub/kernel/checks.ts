import type { Because } from '../../protocol/outcome.ts'
import type { ReasonClass, ReasonCode, Side } from '../../protocol/reasons.ts'

/** The docking that is looked at, as every room may see it. */
export type CheckedDocking = { id: string; lane: number; mode: 'sandbox' | 'live'; dialect: string; priceGuard?: string; priceCapMicro?: bigint | null; appId?: string | null }

/** The layers of a docking in the order in which they break; a report shows its checks in it. */
export const CHECK_LAYERS = ['name', 'tls', 'clock', 'charset', 'form', 'signature', 'key', 'scope', 'version', 'condition', 'sync', 'funds', 'goods', 'terms', 'holds'] as const
export type CheckLayer = (typeof CHECK_LAYERS)[number]

export type CheckResult = {
  /** The room and what it looked at, e.g. `ledger.funds`. */
  check: string
  /** Where it stands in a report; without one behind the layers of the wire and before the holds. */
  layer?: CheckLayer
  /** `withheld`: something stands, and the law forbids to say what. It counts as a failure and names its article. */
  verdict: 'pass' | 'warn' | 'fail' | 'withheld'
  class: ReasonClass
  side: Side
  /** The code that the real path would give; null when the check passes. */
  code: ReasonCode | null
  because: Because
  /** What was looked at, in one plain sentence a language. */
  seen: { en: string; zh: string }
  /** A decision or the position of a fact: where the evidence lies. */
  evidence: string | null
  /** What helps in this very case; without it the page of the code says it. */
  remedy?: { en: string; zh: string } | null
  /** The request or command by which the partner can repeat the check. */
  selfTest?: string | null
}

/** A room's own check: the same function that the real path uses, pointed at one docking. */
export type Check = (docking: CheckedDocking, at: Date) => Promise<CheckResult[]>
