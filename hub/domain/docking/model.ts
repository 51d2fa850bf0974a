import type { CheckResult } from '../../kernel/checks.ts'

export type Report = {
  docking: string
  mode: 'sandbox' | 'live'
  at: Date
  checks: CheckResult[]
  verdict: { class: 'healthy' | 'technical' | 'commercial' | 'compliance'; code: string | null; side: string | null; text: { en: string; zh: string } }
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
}
