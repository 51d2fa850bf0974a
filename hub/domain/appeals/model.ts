import type { ReasonClass, ReasonCode } from '../../../protocol/reasons.ts'

export const OPEN_STATES = ['filed', 'evidence_owed', 'under_review'] as const
export const OUTCOMES = ['upheld', 'overturned', 'partly'] as const
export type Verdict = (typeof OUTCOMES)[number]
export type AppealState = (typeof OPEN_STATES)[number] | Verdict | 'withdrawn'

/** How it came in: with a key, or through the form behind a link. */
export type Via = 'api' | 'link'

export type Appeal = {
  lane: number
  id: string
  docking: string
  decision: string
  /** The class and the code of the decision, and who took it. */
  class: ReasonClass
  code: ReasonCode
  decisionBy: string
  /** The second person of a decision whose facts are withheld. */
  approvedBy: string | null
  /** In small letters: they and all of the chain of decisions in which it stood at filing. */
  deciders: readonly string[]
  /** Whether the measure stands although the clock was missed: law, an order of an authority, a fraud hold. */
  standsWhenMissed: boolean
  via: Via
  /** The key or the contact through which it was filed. */
  filedBy: string
  /** Whether the partner itself made that key or contact, and not the main site. */
  isOwnHand: boolean
  /** Filed about a sandbox: play, which nobody of the main site is called for. */
  isSandbox: boolean
  filedAt: Date
  state: AppealState
  /** Until when it has to be decided; it moves on by what the clock stood still. */
  decideBy: Date
  pausedAt: Date | null
  evidenceDue: Date | null
  extendedDays: number
  missedAt: Date | null
  decidedBy: string | null
  closedAt: Date | null
  /** The decision that took the place of the one appealed against. */
  outcomeDecision: string | null
}

export type EntryKind = 'filed' | 'asked' | 'given' | 'resumed' | 'extended' | 'missed' | Verdict | 'withdrawn'

/** One thing that was said or done. `by` is for the main site's eyes alone. */
export type Entry = { seq: number; kind: EntryKind; side: 'partner' | 'main_site' | 'clock'; by: string; text: string | null; at: Date; dueAt: Date | null }

/** A document: `bytes` is null where only its hash was handed in. */
export type EvidenceItem = { seq: number; entry: number; name: string; note: string; sha256: string; bytes: number | null }

/** A document as it comes in. Its content, or the hash of one that is handed over elsewhere. */
export type EvidenceAsk = { name: string; note: string; sha256: string | null; content: Buffer | null }

/** An appeal with all that was said. */
export type WholeAppeal = { appeal: Appeal; entries: readonly Entry[]; evidence: readonly EvidenceItem[] }

/** What becomes of the measure when an appeal is right in part: it is less, in one way or more. */
export type Narrower = { scope?: readonly string[]; goods?: readonly string[]; endsAt?: string }
