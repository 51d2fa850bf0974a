import type { ReasonClass, ReasonCode } from '../../../protocol/reasons.ts'

export type Scope = 'goods' | 'orders' | 'funds' | 'members' | 'key'
export const SCOPES: readonly Scope[] = ['goods', 'orders', 'funds', 'members', 'key']

export type Ground = {
  type: 'law' | 'contract' | 'published_rule' | 'authority_order'
  ref: string
  article: string
  quote: string
  publishedAt: string
}

/** The statement of reasons: what is told to the one whom the measure hits. Times are RFC 3339. */
export type Statement = {
  measure: { kind: 'suspend' | 'refuse'; scope: Scope[]; goods: string[]; effectiveAt: string; endsAt: string | null; liftsWhen: string | null }
  cause: { class: ReasonClass; code: ReasonCode; side: 'partner' | 'hub' | 'supplier' | 'network' }
  ground: Ground[]
  facts: { text: string }[]
  evidence: { id: string; kind: 'check_run' | 'finding' | 'ledger' | 'file' | 'list_match' | 'notice'; sha256: string; disclosure: 'full' | 'redacted' | 'withheld_by_law' }[]
  source: 'automatic_check' | 'own_review' | 'third_party_notice' | 'authority_order'
  automation: { detection: boolean; decision: 'fully' | 'partly' | 'not'; reviewer: string }
  remedy: { step: number; action: { en: string; zh: string }; who: 'partner' | 'hub' | 'supplier'; evidenceNeeded: string[] }[]
  clocks: { respondBy: string; decideAppealBy: string; reviewAt: string }
  appeal: { channel: string; free: true; differentReviewer: true }
  funds: { held: string; releaseAt: string | null; ordersInFlight: 'finish' | 'refund' }
}

export type Decision = {
  id: string
  lane: number
  docking: string
  statement: Statement
  decidedBy: string
  decidedAt: Date
  liftedAt: Date | null
  liftedBy: string | null
  liftNote: string | null
}

/** What the order path asks: the part of a decision that can block. */
export type Measure = { decision: string; docking: string; scope: readonly string[]; goods: readonly string[]; code: ReasonCode; kind: string; effectiveAt: Date; endsAt: Date | null }
