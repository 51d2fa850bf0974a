import type { Refusal } from '../../../protocol/outcome.ts'
import type { Choice, Pick } from '../catalogue/index.ts'
import type { FormValues } from '../fulfilment/index.ts'
import type { Transfer } from '../ledger/index.ts'
import type { TakenOver } from '../takenover/index.ts'

export type Mode = 'sandbox' | 'live'

/**
 * delivering: charged, a person delivers. delivered: the goods were handed over. unknown: charged, but the answer may not
 * have arrived. cancelled: voided, given back. refunded: given back because it could not be delivered.
 */
export type OrderState = 'delivering' | 'delivered' | 'unknown' | 'cancelled' | 'refunded'

export type Doubt = 'broken' | 'crash'

export type Order = {
  lane: number
  docking: string
  id: string
  reference: string
  attempt: number
  mode: Mode
  good: string
  /** The race and options that were chosen, as catalogue writes them; '' for a plain good. */
  variant: string
  quantity: number
  unitPriceMicro: bigint
  totalMicro: bigint
  feeMicro: bigint
  state: OrderState
  /** Why nobody can say that its answer arrived: it was cut, or the hub ended before it knew. Only unknown and delivering ones may have it. */
  doubt: Doubt | null
  /** What was asked, as 16 bytes, so that a repeat can be told from another order under the same number. */
  fingerprint: Buffer
  /** How the fingerprint was made: 1 knew no choice and no form. */
  scheme: number
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
  choice: Choice
  /** The canonical text of the choice. */
  variant: string
  quantity: number
  values: FormValues
  /** The values as they are kept; null when there are none. */
  sealedForm: Buffer | null
  /** The highest unit price that is accepted; null where the dialect has no word for it. */
  guardMicro: bigint | null
  member: string | null
  fingerprint: Buffer
  /** The same ask in scheme 1; null when that could not have said it. */
  firstFingerprint: () => Buffer | null
  /** Set when the signature cannot prove freshness: a known reference gets its replay, anything else this refusal. */
  onlyReplay: Refusal | null
  /** Whether the docking has order numbers of another site, which are then asked for. */
  mayBeTakenOver?: boolean
  /** Seconds by which a sandbox's clock is ahead. */ clockOffsetS?: number
}

export type Verdict =
  | { kind: 'placed'; order: Order; legs: readonly Transfer[]; sealedForm: Buffer | null }
  | { kind: 'replayed'; order: Order }
  | { kind: 'taken_over'; order: TakenOver }
  | { kind: 'refused'; refusal: Refusal }
