export type Mode = 'sandbox' | 'live'

/** TypeScript's own Pick; that word means cards here. */
export type Part<T, K extends keyof T> = { [P in K]: T[P] }

export type Good = {
  id: string
  /** The id for protocols that need an integer. */
  number: number
  code: string
  name: string
  category: string
  description: string
  /** The list price; a docking may have one of its own. */
  unitPriceMicro: bigint
  /** What a piece costs the main site; null when nobody said. Never shown to a partner. */
  costMicro: bigint | null
  minimum: number
  maximum: number
  onSale: boolean
  options: GoodOptions
  /** The file name of its picture; null when it has none. */
  image: string | null
  changedAt: Date
}

/** From this quantity on a piece costs this. */
export type Tier = { from: number; priceMicro: bigint }

/** 种类: its price stands in place of the good's. */
export type Race = { name: string; priceMicro: bigint; costMicro: bigint | null; tiers: readonly Tier[] }

/** SKU: one choice of each group is made, and what it costs comes on top. */
export type OptionGroup = { name: string; choices: readonly { name: string; surchargeMicro: bigint }[] }

export const FIELD_TYPES = ['text', 'password', 'number', 'select', 'checkbox', 'radio', 'textarea'] as const
export type FieldType = (typeof FIELD_TYPES)[number]

/** One field of the order form. `pattern` is '' where any text will do; `choices` is empty where none are given. */
export type Field = {
  name: string
  label: string
  type: FieldType
  placeholder: string
  pattern: string
  error: string
  required: boolean
  choices: readonly { label: string; value: string }[]
}

/** What makes a good more than a plain card. */
export type GoodOptions = {
  races: readonly Race[]
  groups: readonly OptionGroup[]
  /** Only where there is no race. */
  tiers: readonly Tier[]
  fields: readonly Field[]
  /** What a shop should ask of its buyer: 0 anything, 1 a phone number, 2 an e-mail address, 3 a QQ number. */
  contact: 0 | 1 | 2 | 3
  /** manual: a person delivers after the order was charged. */
  delivery: 'card' | 'manual'
  /** How many a manual good is offered at once; cards count themselves. */
  manualStock: number
  /** What a buyer reads while a manual order is under way. */
  message: string
}

export const PLAIN: GoodOptions = {
  races: [], groups: [], tiers: [], fields: [], contact: 0, delivery: 'card', manualStock: 0, message: '',
}

/** What a buyer chose of a good. */
export type Choice = { race: string | null; options: Readonly<Record<string, string>> }

export const NO_CHOICE: Choice = { race: null, options: {} }

/** A cursor over immutable cards: `nextSeq` is the first that is left, `size` the last. */
export type Lot = { id: bigint; good: string; mode: Mode; nextSeq: number; size: number; expiresAt: Date | null }

/** Consecutive cards of one lot. */
export type Pick = { lot: bigint; first: number; count: number }

export type Card = { number: string | null; secret: string }

export type Change = { position: bigint; good: string; docking: string | null; what: 'good' | 'price' | 'stock'; at: Date }

/** One line of an import that was not taken: its number in the file, counted from 1, and why. */
export type LineError = { line: number; code: 'protocol.invalid_field' | 'catalogue.card_duplicate' | 'catalogue.good_reused'; message: { en: string; zh: string } }
