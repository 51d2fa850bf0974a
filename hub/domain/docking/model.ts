import type { ReasonCode } from '../../../protocol/reasons.ts'
import type { CheckLayer, CheckResult } from '../../kernel/checks.ts'

/** A check as it stands in a report: in its layer, with what helps and how to repeat it. */
export type Finding = CheckResult & { layer: CheckLayer; selfTest: string | null }

/** What stands in the way now; the one to mend first stands in front. */
export type Cause = Pick<CheckResult, 'check' | 'class' | 'side' | 'evidence'> & { code: ReasonCode }

export type Report = {
  docking: string
  mode: 'sandbox' | 'live'
  at: Date
  checks: Finding[]
  causes: Cause[]
  verdict: { class: 'healthy' | 'technical' | 'commercial' | 'compliance'; code: string | null; side: string | null; text: { en: string; zh: string } }
}

/** One of the last requests of the docking, as the log of requests knows it. */
export type SeenRequest = {
  id: string
  atMs: number
  key: string
  route: string
  /** What was asked for, where one route serves many calls. */
  call: string | null
  code: ReasonCode | null
}

/** What the door knows of the very request that asks for the report. */
export type Approach = {
  key: { id: string; kind: string; scopes: readonly string[]; createdAt: Date; expiresAt: Date | null }
  allScopes: readonly string[]
  /** Seconds between the signer's clock and the hub's; null when the request was not signed. */
  skewS: number | null
  /** The canonical string of this request as the hub built it; null when it was not signed. */
  base: string | null
  /** What the partner's own program built for the request that it wants compared. */
  partnerBase: string | null
  /** Text that the partner sent to see whether it survives; null when it sent none. */
  probe: string | null
  /** The newest first. They tell whether what was refused stands in the way still. */
  requests: readonly SeenRequest[]
  /** The hub's clock; a sandbox may be looked at as of another time. */
  nowMs: number
  version: string
  limits: { requestsPerSecond: number; inFlight: number }
}
