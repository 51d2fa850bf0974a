export type Mode = 'sandbox' | 'live'

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
  minimum: number
  maximum: number
  onSale: boolean
  changedAt: Date
}

/** A cursor over immutable cards: `nextSeq` is the first that is left, `size` the last. */
export type Lot = { id: bigint; good: string; mode: Mode; nextSeq: number; size: number; expiresAt: Date | null }

/** Consecutive cards of one lot. */
export type Pick = { lot: bigint; first: number; count: number }

export type Card = { number: string | null; secret: string }

export type Change = { position: bigint; good: string; docking: string | null; what: 'good' | 'price' | 'stock'; at: Date }

/** One line of an import that was not taken: its number in the file, counted from 1, and why. */
export type LineError = { line: number; code: 'protocol.invalid_field' | 'catalogue.card_duplicate' | 'catalogue.good_reused'; message: { en: string; zh: string } }
