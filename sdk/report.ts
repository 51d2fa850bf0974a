import type { Because } from '../protocol/outcome.ts'
import type { InBothLanguages, Time } from './values.ts'

export type ReportAsk = {
  /** The signature base as your own program built it, to be compared with the hub's. */
  signature?: { base: string }
  /** A text of up to 64 characters that comes back as the hub read it. */
  probe?: string
}

export type ReportCheck = {
  check: string
  /** Where it stands in the order in which things break. */
  layer: string
  /** `withheld`: something stands, and the law forbids to say what; the article is named. */
  verdict: 'pass' | 'warn' | 'fail' | 'withheld'
  class: string
  side: string
  code: string | null
  because: Because
  seen: InBothLanguages
  evidence: string | null
  page: string | null
  remedy: InBothLanguages | null
  /** The call or command by which you repeat the check. */
  selfTest: string | null
}

export type Verdict = { class: 'healthy' | 'technical' | 'commercial' | 'compliance'; code: string | null; side: string | null; text: InBothLanguages }

export type Report = {
  docking: string
  mode: string
  at: Time
  checks: ReportCheck[]
  /** All that stands in the way now; the one to mend first stands in front. */
  causes: { check: string; class: string; side: string; code: string; evidence: string | null }[]
  verdict: Verdict
  /** The hub's own, over the canonical JSON of everything else; its keys stand in /.well-known/berth. */
  signature: { keyId: string; algorithm: 'ed25519'; value: string }
}

export type DiagnoseAsk = {
  /** One raw HTTP request as it went out: line, headers, blank line, body. */
  request: string
  /** base64 keeps line ends and bytes that are no UTF-8; the default is text. */
  encoding?: 'text' | 'base64'
  /** The answer that was seen. */
  response?: string
  /** The string that your own program signed. */
  base?: string
  sentAt?: Time
}

export type Diagnosis = {
  at: Time
  dialect: string
  /** The first layer that broke; null when none did. */
  layer: string | null
  verdict: Verdict
  steps: {
    layer: string
    verdict: 'pass' | 'warn' | 'fail' | 'unknown'
    class: string
    side: string
    code: string | null
    because: Because
    seen: InBothLanguages
    page: string | null
    remedy: InBothLanguages | null
    decision: string | null
  }[]
  lookalikes: { family: string; name: InBothLanguages; score: number; marks: string[]; signs: InBothLanguages; served: boolean }[]
  canonical: { hub: string; difference: { at: number; hub: string; yours: string } | null } | null
  notes: InBothLanguages[]
}
