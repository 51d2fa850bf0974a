import type { Refusal } from '../../../protocol/outcome.ts'
import type { Choice } from '../catalogue/index.ts'

/** One migration, and how often the old site has been read for it. */
export type Migration = { id: string; step: number; state: 'open' | 'withdrawn'; /** The last reading whose cards went on sale; 0 before any. */ publishedStep: number; /** What the step was read from, as a hash. */ source: string }

/** What became of one row: `done`, `known` when it was there already, or why it was left out. */
export type RowResult = { outcome: 'done' | 'known' | 'left'; refusal: Refusal | null }

export type PartnerRow = { member: string; name: string; appKey: string }
export type BalanceRow = { member: string; balanceMicro: bigint }
export type PriceRow = { member: string; good: string; /** '' for a good without races. */ race: string; unitPriceMicro: bigint }
export type CardRow = { good: string; card: string; choice: Choice }
export type OrderRow = { member: string; tradeNo: string; reference: string | null; good: string | null; quantity: number; amountMicro: bigint; secret: string; at: Date }

/** What a docking has of its migration, for the proof. */
export type BroughtDocking = { member: string; docking: string; openedMicro: bigint; availableMicro: bigint; orders: number; references: number; amountMicro: bigint }
export type BroughtGood = { code: string; brought: number; left: number; keptBack: number; onSale: boolean }

export type Withdrawn = { dockings: number; keys: number; openings: number; amountMicro: bigint; cards: number; goods: number }
