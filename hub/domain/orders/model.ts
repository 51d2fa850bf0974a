import type { Refusal } from '../../../protocol/outcome.ts'
import type { Pick } from '../catalogue/index.ts'
import type { Transfer } from '../ledger/index.ts'

export type Mode = 'sandbox' | 'live'

/** delivered: the cards were handed over. unknown: charged, but the answer may not have arrived. cancelled: voided, given back. */
export type OrderState = 'delivered' | 'unknown' | 'cancelled'

export type Doubt = 'broken' | 'crash'

export type Order = {
  lane: number
  docking: string
  id: string
  reference: string
  attempt: number
  mode: Mode
  good: string
  quantity: number
  unitPriceMicro: bigint
  totalMicro: bigint
  feeMicro: bigint
  state: OrderState
  /** Why it is unknown: its answer was cut, or the hub ended before it knew. Null in every other state. */
  doubt: Doubt | null
  /** What was asked, as 16 bytes, so that a repeat can be told from another order under the same number. */
  fingerprint: Buffer
  picks: readonly Pick[]
  member: string | null
  /** The place of the order's fact in its lane. */
  position: bigint
  createdAt: Date
}

export type PlaceCommand = {
  id: string
  lane: number
  docking: string
  mode: Mode
  reference: string
  good: string
  quantity: number
  /** The highest unit price that is accepted; null where the dialect has no word for it. */
  guardMicro: bigint | null
  member: string | null
  fingerprint: Buffer
  /** Set when the signature cannot prove freshness: a known reference gets its replay, anything else this refusal. */
  onlyReplay: Refusal | null
  /** Whether the docking has order numbers of another site, which are then asked for. */
  mayBeTakenOver?: boolean
}

/** An order of another site. Its number is bound here: it is answered with what was delivered there, and never charged. */
export type TakenOver = {
  lane: number
  docking: string
  /** The old site's own number. */
  tradeNo: string
  reference: string | null
  /** Null when the good did not come over. */
  good: string | null
  quantity: number
  amountMicro: bigint
  sealed: Buffer
  at: Date
}

export type Verdict =
  | { kind: 'placed'; order: Order; legs: readonly Transfer[] }
  | { kind: 'replayed'; order: Order }
  | { kind: 'taken_over'; order: TakenOver }
  | { kind: 'refused'; refusal: Refusal }
