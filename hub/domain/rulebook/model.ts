export type TextKind = 'rule' | 'contract_template' | 'price_rule' | 'guide'
export const TEXT_KINDS: readonly TextKind[] = ['rule', 'contract_template', 'price_rule', 'guide']

export type InBoth = { zh: string; en: string }

/** One version of a published text. */
export type RuleText = {
  id: string
  kind: TextKind
  slug: string
  version: number
  title: InBoth
  text: InBoth
  sha256: string
  /** Whether it holds others to a least resale price, and the law that allows it. */
  resalePrice: boolean
  legalBasis: string | null
  /** Why it counts without seven days of notice; null where it had them. */
  relief: string | null
  /** The version before it. */
  supersedes: string | null
  publishedBy: string
  publishedAt: Date
  effectiveAt: Date
}

/** What is asked to be published. `effectiveAt` is null for the earliest time that may be. */
export type PublishAsk = Pick<RuleText, 'kind' | 'slug' | 'title' | 'text' | 'resalePrice' | 'legalBasis' | 'relief'> & { effectiveAt: Date | null }

/** What a reader thought of a text while it was not yet in force; `docking` is null for somebody from the public. */
export type Comment = { id: string; text: string; docking: string | null; body: string; at: Date }

/** A version of a contract template that the partner of a docking signed. */
export type Contract = { lane: number; id: string; docking: string; text: string; sha256: string; signedAt: Date; signedBy: string; recordedBy: string; recordedAt: Date }
