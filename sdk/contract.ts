import type { Sealed } from './log-contract.ts'
import type { Because } from '../protocol/outcome.ts'
import type { ReasonCode } from '../protocol/reasons.ts'
import type { Amount, InBothLanguages, Mode, Time } from './values.ts'

/**
 * The messages of the API in plain TypeScript, with a word beside each field for whoever writes against them.
 * protocol/messages.ts is what the hub checks and publishes; contract.test.ts does not compile where the two differ.
 */

export type { FigureGroup, Figures } from './figures.ts'
export type { DiagnoseAsk, Diagnosis, Report, ReportAsk, ReportCheck, Verdict } from './report.ts'
export type { Amount, InBothLanguages, Mode, Time } from './values.ts'

export type PlaceOrder = {
  /** Your own order number: 1 to 64 letters, digits or . _ : @ # + = ~ / -, unique for ever once an order is accepted. */
  reference: string
  /** The id of the good (gds_…). */
  good: string
  /** 1 to 1000. */
  quantity: number
  /** The most that a piece may cost. A higher price is refused and never charged. */
  maxUnitPrice: Amount
  /** Which of the races of the good; needed where it has any. */
  race?: string
  /** One choice of each option group of the good. */
  options?: Readonly<Record<string, string>>
  /** What the form of the good asks for; all values are text. */
  form?: Readonly<Record<string, string>>
  /** Your own word for the buyer; never required. */
  member?: string
}

/** A dry run: what an order asks for, without a reference; the guard may be left out. */
export type QuoteAsk = Omit<PlaceOrder, 'reference' | 'maxUnitPrice'> & { maxUnitPrice?: Amount }

export type Card = {
  number: string | null
  /** Masked as **** for a bearer key in live mode. */
  secret: string
  expiresAt: Time | null
}

export type Order = {
  id: string
  reference: string
  /** delivering: a person delivers later; ask for the order again, or show its pick-up page. */
  state: 'delivering' | 'delivered' | 'unknown' | 'cancelled' | 'refunded'
  good: string
  race?: string
  options?: Readonly<Record<string, unknown>>
  quantity: number
  unitPrice: Amount
  total: Amount
  fee: Amount
  /** What was taken: total and fee. */
  charged: Amount
  member?: string
  /** There when an order is placed or asked for by its id; lists leave the cards out. */
  cards?: Card[]
  /** What a person delivered. */
  text?: string
  /** The page at which whoever holds its address sees state and delivered text: as secret as a card. */
  pickup?: string
  createdAt: Time
}

/** From this quantity on a piece costs this. */
export type Tier = { from: number; unitPrice: Amount }

export type Good = {
  id: string
  code: string
  name: string
  category: string
  description: string
  unitPrice: Amount
  onSale: boolean
  stock: number
  stockClass: 'in_stock' | 'low' | 'out_of_stock'
  minimum: number
  maximum: number
  /** card: the answer to the order carries it. manual: a person delivers later. */
  delivery: 'card' | 'manual'
  races?: { name: string; unitPrice: Amount; stock: number; wholesale?: Tier[] }[]
  /** One choice of each group; what it costs comes on top. */
  options?: { name: string; choices: { name: string; surcharge: Amount }[] }[]
  wholesale?: Tier[]
  /** Address of a picture. */
  image?: string
  /** JSON Schema of the order form. */
  form: Readonly<Record<string, unknown>>
}

export type Change = {
  /** Ascending. Keep that of the last change you have worked on: the feed goes on behind it. */
  position: string
  good: string
  what: 'good' | 'price' | 'stock'
  at: Time
  /** The good as it is offered now, not as it was at that position; null when it is offered no more. */
  now: Good | null
}

export type ChangePage = {
  items: Change[]
  /** Ask again from here. */
  after: string
  more: boolean
}

export type Balance = { available: Amount; mode: Mode; currency: 'CNY' }

export type Movement = {
  /** order, fee, refund, fee_refund, deposit. */
  kind: string
  /** What moved the money, such as the id of the order. */
  subject: string
  /** Below zero when money went out. */
  amount: Amount
  balance: Amount
  at: Time
}

export type Decision = {
  id: string
  code: string
  class: string
  measure: string
  scope: string[]
  effectiveAt: Time
  endsAt: Time | null
  decidedAt: Time
  /** Where it stands now, and how it came to its end. */
  standing: {
    state: 'in_force' | 'to_come' | 'ended' | 'lifted' | 'superseded'
    endedAt: Time | null
    how: 'person' | 'condition' | 'lapse' | 'superseded' | 'appeal' | 'appeal_clock' | null
    note: string | null
    supersededBy: string | null
  }
  statement: Statement
  /** Where it stands in the log, with the proof; null until it is sealed. */
  sealed?: Sealed | null
}

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

/** One version of a rule, contract template, price rule or guide. */
export type Rule = {
  id: string
  kind: 'rule' | 'contract_template' | 'price_rule' | 'guide'
  /** Its name: the same for all versions. */
  slug: string
  version: number
  title: InBothLanguages
  text: InBothLanguages
  /** Over the canonical JSON of kind, slug, version, title and text. */
  sha256: string
  /** Whether it sets a least resale price. */
  resalePrice: boolean
  legalBasis: string | null
  /** Why it needed no seven days of notice. */
  relief: string | null
  supersedes: string | null
  publishedAt: Time
  effectiveAt: Time
  commentsOpen: boolean
  page: string
}

export type CommentAsk = { comment: string }
export type Comment = { id: string; rule: string; comment: string; at: Time }

export type DrillBest = { kind: 'key_roll' | 'rush' | 'outage' | 'tampered_log'; score: number; drill: string; at: Time }

export type Docking = {
  id: string
  name: string
  mode: Mode
  dialect: string
  state: 'open' | 'held'
  key: { id: string; kind: string; scopes: string[]; createdAt: Time; expiresAt: Time | null }
  version: string
  limits: {
    requestsPerSecond: number
    inFlight: number
    requestBytes: number
    cardsPerOrder: number
    /** Of one batch; a batch may be `batchBytes` long in place of `requestBytes`. */
    batchOrders: number
    batchCards: number
    batchBytes: number
  }
  decisions: Decision[]
  /** The best score a kind in the last 90 days; of its sandbox where the docking is live. */
  drills: DrillBest[]
  serverTime: Time
  /** There in a sandbox alone. */
  sandbox?: {
    /** The live docking whose sandbox this is. */
    live: string | null
    /** By how many seconds its clock is ahead. */
    clockOffsetS: number
    time: Time
    /** The faults that the next requests meet. */
    faults: { fault: string; remaining: number }[]
  }
}

export type ReasonView = {
  code: string
  class: string
  kind: string
  side: string
  by: string[]
  status: number
  retry: string
  appeal: boolean
  title: InBothLanguages
  detail: InBothLanguages
  because: string[]
  docs: string
}

export type ReasonList = { items: ReasonView[]; next: null }

/** Problem details (RFC 9457) as the hub sends them. `Code` is what may stand in `code`. */
export type Problem<Code extends string = ReasonCode> = {
  /** The page of the reason. */
  type: string
  title: string
  status: number
  /** One sentence for a person, in the language that was asked for. */
  detail: string
  code: Code
  class: 'technical' | 'commercial' | 'compliance'
  /** The named values that prove it: asked and allowed, needed and available. */
  because: Because
  retry: 'never' | 'same_request_after' | 'after_change'
  side: string
  /** The decision that stands behind it, and where to appeal. */
  decision?: string
  appeal?: string
  also?: { code: string; class: string; detail: string; because: Because }[]
  requestId: string
  serverTime: Time
}

export type { Appeal, AppealSummary, EvidenceAsk, FileAppeal, GiveEvidence } from './appeals.ts'

export type Page<Item> = { items: Item[]; next: string | null }

/** What an order would be answered now. It holds neither price nor stock. */
export type Quote = {
  good: string
  quantity: number
  unitPrice: Amount
  total: Amount
  fee: Amount
  charged: Amount
  stockClass: Good['stockClass']
  at: Time
  /** How long a shop may well show it, in seconds. */
  validForS: number
}

/** One verdict an order, in the order of the asks; `status` is what the order alone would have been answered with. */
export type OrderVerdicts = { items: ({ status: number; order: Order } | { status: number; problem: Problem })[] }

export type KeyView = {
  id: string
  kind: string
  scopes: string[]
  state: 'live' | 'ending' | 'ended'
  /** The key of this very call. */
  current: boolean
  createdAt: Time
  expiresAt: Time | null
  revokedAt: Time | null
}

export type CreateKey = {
  kind: 'hmac-sha256' | 'bearer' | 'ed25519'
  /** ed25519: the public key in PEM. */
  publicKey?: string
  /** Out of the caller's own; without it all of them. */
  scopes?: string[]
}

export type RollKey = {
  /** How long the old key goes on beside the new one. */
  overlap: '0' | '1h' | '24h' | '7d'
  publicKey?: string
}

/** `secret` is shown in this answer and never again; null for ed25519. */
export type NewKey = { key: KeyView; secret: string | null }
export type RolledKey = { key: KeyView; secret: string | null; old: KeyView }
export type RevokedKey = { key: KeyView }

/** One line of the docking's own request log. */
export type RequestView = {
  id: string
  at: Time
  method: string
  path: string
  route: string
  status: number
  code: string | null
  class: string | null
  durationMs: number
  key: string
  bytesIn: number
  bytesOut: number
  addressPrefix: string
  fields: Readonly<Record<string, unknown>>
}

export type RequestPage = {
  items: RequestView[]
  next: string | null
  /** When the hub started, which is when the log begins. */
  since: Time
  kept: number
}
