import type { Words } from '../problem.ts'

/** What a site that is taken over says, before anything is decided about it. Money is yuan as it is written there. */
export type OldPartner = { member: string; name: string; appKey: string; balance: string; isSuspended: boolean; line: number }

/** From this quantity on a piece costs this. */
export type OldTier = { from: number; unitPrice: string }

export type OldField = { name: string; label: string; type: string; placeholder: string; pattern: string; error: string; required: boolean; choices?: { label: string; value: string }[] }

/** What makes a good more than a plain card, in the words in which the hub imports goods. */
export type GoodKinds = {
  races?: { name: string; unitPrice: string; cost?: string; wholesale?: OldTier[] }[]
  options?: { name: string; choices: { name: string; surcharge: string }[] }[]
  wholesale?: OldTier[]
  form?: OldField[]
  contact?: 'any' | 'phone' | 'email' | 'qq'
  delivery?: 'manual'
  stock?: number
  message?: string
  cost?: string
}

export type OldGood = {
  /** The old site's own number, by which its cards and orders name the good. */
  key: string
  code: string
  name: string
  category: string
  description: string
  unitPrice: string
  minimum: number
  maximum: number
  onSale: boolean
  /** Null for a plain card good. */
  kinds: GoodKinds | null
  /** Why it cannot come over; null when it can. */
  left: Words | null
  line: number
}

/** `race` where the good has races: each has a price of its own. */
export type OldPrice = { member: string; good: string; race?: string; unitPrice: string }
export type OldCard = { type: 'card'; id: string; good: string; text: string; race: string; sku: string; state: 'unsold' | 'sold' | 'locked'; line: number }
export type OldOrder = {
  type: 'order'; member: string; tradeNo: string; reference: string | null; good: string; quantity: number; amount: string; secret: string
  /** RFC 3339. */
  at: string
  isPaid: boolean
  isDelivered: boolean
  line: number
}

/** left: it does not come over. changed: it comes over otherwise than it was. decide: a person should look at it. */
export type Problem = { outcome: 'left' | 'changed' | 'decide'; table: string; id: string; line: number; what: Words }

/** What is small enough to be held: partners, goods, and what follows from both. */
export type OldTables = {
  partners: OldPartner[]
  goods: OldGood[]
  /** The price of a good for a partner where it is not the list price. */
  prices: () => Iterable<OldPrice>
  problems: Problem[]
  /** Tables that hold rows and are not read, and how many rows each has. */
  aside: Map<string, number>
}

/** A site that is taken over, read from a dump or from a folder of CSV files, as often as is needed. */
export type OldSite = {
  readonly kind: 'dump' | 'csv'
  /** What was read, as one hash: a plan and what it was made from belong together. */
  digest(onBytes: (bytes: number) => void): Promise<{ sha256: string; bytes: number }>
  tables(): Promise<OldTables>
  /** Cards and orders in the order in which they stand there, a handful at a time. */
  rows(): AsyncIterable<readonly (OldCard | OldOrder)[]>
}
