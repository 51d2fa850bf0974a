/** RFC 3339, UTC. */
type Time = string

/** A document that is handed in with an appeal: its content in base64, or the hash of one that is handed over elsewhere. */
export type EvidenceAsk = { name: string; note?: string; sha256?: string; content?: string }
export type FileAppeal = { text: string; evidence?: EvidenceAsk[] }
export type GiveEvidence = { text: string; evidence?: EvidenceAsk[] }

export type AppealSummary = {
  id: string
  decision: string
  code: string
  class: string
  state: 'filed' | 'evidence_owed' | 'under_review' | 'upheld' | 'overturned' | 'partly' | 'withdrawn'
  filedAt: Time
  /** Another person has decided by then; null while evidence is owed, and once the appeal has ended. */
  decideBy: Time | null
  evidenceDue: Time | null
  extendedDays: number
  /** When the clock was missed. */
  missedAt: Time | null
  closedAt: Time | null
  /** The decision that took the place of the one appealed against. */
  outcomeDecision: string | null
}

/** An appeal with all that was said. */
export type Appeal = AppealSummary & {
  entries: {
    kind: 'filed' | 'asked' | 'given' | 'resumed' | 'extended' | 'missed' | 'upheld' | 'overturned' | 'partly' | 'withdrawn'
    side: 'partner' | 'main_site' | 'clock'
    text: string | null
    at: Time
    dueAt: Time | null
  }[]
  evidence: { number: number; name: string; note: string; sha256: string; bytes: number | null }[]
}
