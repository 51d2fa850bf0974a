/**
 * How a price follows from another: basis x factor + addition, rounded up to a multiple of the step. A fixed price is
 * factor 0. The factor is in millionths; addition and step are µCNY, and the addition may be below zero.
 */
export type Formula = { basis: 'list' | 'cost'; factorPpm: bigint; additionMicro: bigint; stepMicro: bigint; belowCost: boolean }

export type RuleScope = 'all' | 'category' | 'good'

/** A rule of a price group; `subject` is the category or the id of the good, and '' for all. */
export type Rule = { group: string; scope: RuleScope; subject: string; formula: Formula }

/** The rules of one group that hold for more than one good. */
export type WideRules = { all: Formula | null; categories: ReadonlyMap<string, Formula> }

/** The wide rules of all groups, as they stood at one version of all prices. */
export type PriceBook = { version: bigint; groups: ReadonlyMap<string, WideRules> }

/** Before any price was ever changed. */
export const EMPTY_BOOK: PriceBook = { version: 0n, groups: new Map() }

/** Own prices by `docking good race`, and rules for single goods by `docking good`. */
export type Offers = { own: ReadonlyMap<string, bigint>; rules: ReadonlyMap<string, Formula> }

/** All that one docking was promised about one good. */
export type DockingPrices = { ownMicro?: bigint | undefined; good?: Formula | undefined; wide?: WideRules | undefined }

/** A unit price in µCNY and what it comes from. */
export type Priced = { unitPriceMicro: bigint; from: 'own' | 'good' | 'category' | 'all' | 'list' }

/** What the prices of a batch are worked out from. `groups`: the price group that counts for a docking, where there is one. */
export type Prices = { groups: ReadonlyMap<string, string>; offers: Offers; book: PriceBook }

/** One line of the history. Amounts and formulas are text, as they were told; null where there was or is none. */
export type HistoryLine = {
  what: 'list' | 'group' | 'own' | 'rule' | 'level' | 'contract'
  group: string | null
  docking: string | null
  good: string | null
  race: string
  /** What else was changed: the category of a rule, the name of a level. */
  subject: string
  old: string | null
  new: string | null
}

/** Who changed prices, why, and as part of what. `position` is that of the fact in the lane of the main site. */
export type HistoryHead = { position: bigint; change: string | null; by: string; note: string; at: Date }

export type HistoryEntry = HistoryHead & HistoryLine & { line: number }

/** A change of many prices as it is kept: done at once, or due later. `ask` and `rows` are what was asked for. */
export type StoredChange = {
  id: string
  reference: string | null
  state: 'scheduled' | 'applied' | 'cancelled' | 'refused'
  dueAt: Date
  ask: unknown
  rows: unknown
  by: string
  madeAt: Date
  endedAt: Date | null
  outcome: unknown
}
