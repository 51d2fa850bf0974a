/** The words between a foreign protocol and the hub: what came in, what it asks for, what is answered, what goes out. */

/** A request as it came, before anything in it is believed. */
export type Raw = {
  readonly method: string
  /** Below the mount of the docking; starts with '/'. */
  readonly path: string
  /** Without the question mark; '' when there is none. */
  readonly query: string
  readonly contentType: string
  readonly body: Uint8Array
}

export type Reply = { readonly status: number; readonly contentType: string; readonly body: string }

export type Ask =
  | { readonly kind: 'connect' }
  | { readonly kind: 'items' }
  | { readonly kind: 'item'; readonly code: string }
  | { readonly kind: 'stock'; readonly code: string }
  | { readonly kind: 'valuation'; readonly code: string; readonly quantity: number }
  | Trade

export type Trade = {
  readonly kind: 'trade'
  readonly code: string
  readonly quantity: number
  /** The partner's own order number: the key of idempotency. */
  readonly reference: string
  /** How the partner's buyer can be reached; '' when not told. */
  readonly contact: string
}

/** A good as one docking sees it; the price is the partner's own. */
export type ShownGood = {
  /** The id for peers that need integers, mapped by the docking and stable for ever. */
  readonly number: number
  readonly code: string
  readonly name: string
  readonly description: string
  readonly categoryNumber: number
  readonly category: string
  readonly unitPriceMicro: bigint
  readonly stock: number
  readonly minimum: number
  readonly maximum: number
}

export type Answer =
  | { readonly kind: 'connect'; readonly shopName: string; readonly balanceMicro: bigint }
  | { readonly kind: 'items'; readonly goods: readonly ShownGood[] }
  | { readonly kind: 'item'; readonly good: ShownGood }
  | { readonly kind: 'stock'; readonly stock: number }
  | { readonly kind: 'valuation'; readonly totalMicro: bigint }
  | {
      readonly kind: 'trade'
      readonly orderId: string
      readonly totalMicro: bigint
      readonly cards: readonly string[]
      /** What is left after the order. */
      readonly stock: number
      /** Where the partner can look the order up again. */
      readonly url: string
    }
