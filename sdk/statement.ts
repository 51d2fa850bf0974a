/** Yuan as a decimal string. */
type Amount = string
/** RFC 3339 in UTC. */
type Time = string
type InBothLanguages = { en: string; zh: string }

type ReasonClass = 'technical' | 'commercial' | 'compliance'

/** The statement of reasons: what was decided, on what ground, over which facts, what mends it, and how to appeal. */
export type Statement = {
  addressee: { docking: string; name: string; lang: 'zh-CN' | 'en' }
  supersedes: string | null
  measure: {
    kind: 'warn' | 'throttle' | 'suspend' | 'refuse' | 'restrict_payout' | 'delist' | 'key_quarantine' | 'terminate' | 'reprice' | 'withdraw_offer' | 'limit' | 'credit' | 'level' | 'channel'
    scope: ('goods' | 'orders' | 'funds' | 'members' | 'key')[]
    goods: string[]
    keys: string[]
    /** What is still allowed while it stands. */
    allows: { requestsPerSecond?: number; unitsPerOrder?: number; unitPriceMax?: Amount; level?: string; priceGroup?: string }
    effectiveAt: Time
    endsAt: Time | null
    /** The check that lifts it when it is green, or a person's words. */
    liftsWhen: { check: string; inputHash?: string } | { words: string } | null
  }
  cause: { class: ReasonClass; code: string; side: 'partner' | 'hub' | 'supplier' | 'network'; secondary: { class: ReasonClass; code: string }[] }
  /** `ref` is the id of the version of a published rule, or of a contract; `versionHash` that of its text. */
  ground: { type: 'law' | 'contract' | 'published_rule' | 'authority_order'; ref: string; article: string; versionHash: string | null; quote: string; publishedAt: string }[]
  /** Empty where the law forbids telling them. */
  facts: { text: string; period: { from: Time; to: Time } | null; metrics: { name: string; value: string; threshold: string; unit: string; query: string }[] }[]
  evidence: {
    id: string
    kind: 'check_run' | 'finding' | 'ledger' | 'file' | 'list_match' | 'notice'
    sha256: string
    disclosure: 'full' | 'redacted' | 'withheld_by_law' | 'withheld_third_party' | 'withheld_detection'
    withheldGround: string | null
    /** How you can run the same check. */
    reproduce: { check: string; version: string; inputHash: string } | null
  }[]
  source: 'automatic_check' | 'own_review' | 'third_party_notice' | 'authority_order'
  automation: { detection: boolean; decision: 'fully' | 'partly' | 'not'; reviewer: string | null }
  remedy: { step: number; action: InBothLanguages; who: 'partner' | 'hub' | 'supplier'; selfTest: string | null; evidenceNeeded: string[]; due: Time | null }[]
  clocks: { noticeDays: number; respondBy: Time; decideAppealBy: Time; reviewAt: Time }
  appeal: { channel: string; free: true; differentReviewer: true; external: InBothLanguages[]; suspensiveEffect: boolean }
  funds: { held: string; releaseAt: Time | null; ordersInFlight: 'finish' | 'refund' }
}
