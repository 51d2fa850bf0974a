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
  /** Headers of protocols that sign in them, by lower-case names. */
  readonly headers?: Readonly<Record<string, string | undefined>>
}

export type Reply = { readonly status: number; readonly contentType: string; readonly body: string }

/** Race and options as the peer's buyer chose them. */
export type Choice = { readonly race: string | null; readonly options: Readonly<Record<string, string>> }

/** A good by the code, by the number, or by the number of one of its kinds. */
export type GoodName = { readonly code: string } | { readonly number: number } | { readonly sku: number }

export type Ask =
  | { readonly kind: 'connect' }
  | { readonly kind: 'items' }
  | { readonly kind: 'item'; readonly good: GoodName }
  | { readonly kind: 'stock'; readonly good: GoodName; readonly choice: Choice }
  | { readonly kind: 'valuation'; readonly good: GoodName; readonly quantity: number; readonly choice: Choice }
  | { readonly kind: 'inventory'; readonly good: GoodName; readonly choice: Choice }
  | { readonly kind: 'inventoryState'; readonly good: GoodName; readonly quantity: number; readonly choice: Choice }
  | { readonly kind: 'query'; readonly order: string }
  | Trade

export type Trade = {
  readonly kind: 'trade'
  readonly good: GoodName
  readonly quantity: number
  readonly choice: Choice
  /** The partner's own order number: the key of idempotency. */
  readonly reference: string
  /** How the partner's buyer can be reached; '' when not told. */
  readonly contact: string
  /** Fields of the good's own form, by their names. */
  readonly values: Readonly<Record<string, string>>
}

export type ShownTier = { readonly from: number; readonly priceMicro: bigint }

/** A good as one docking sees it; all prices are the partner's own, with the service fee where the protocol cannot say it apart. */
export type ShownGood = {
  /** The id for peers that need integers, mapped by the docking and stable for ever. */
  readonly number: number
  readonly code: string
  readonly name: string
  /** HTML. */
  readonly description: string
  /** Path or address of a picture; '' when there is none. */
  readonly cover: string
  readonly categoryNumber: number
  readonly category: string
  readonly unitPriceMicro: bigint
  readonly stock: number
  readonly stockByVariant: ReadonlyMap<string, number>
  readonly minimum: number
  readonly maximum: number
  readonly races: readonly { readonly name: string; readonly priceMicro: bigint; readonly tiers: readonly ShownTier[] }[]
  readonly groups: readonly { readonly name: string; readonly choices: readonly { readonly name: string; readonly surchargeMicro: bigint }[] }[]
  readonly tiers: readonly ShownTier[]
  readonly fields: readonly {
    readonly name: string; readonly label: string; readonly type: string; readonly placeholder: string; readonly pattern: string; readonly error: string
    readonly choices: readonly { readonly label: string; readonly value: string }[]
  }[]
  /** 0 any contact, 1 phone, 2 e-mail, 3 QQ. */
  readonly contact: number
  readonly delivery: 'card' | 'manual'
}

export type Answer =
  | { readonly kind: 'connect'; readonly shopName: string; readonly balanceMicro: bigint }
  | { readonly kind: 'items'; readonly goods: readonly ShownGood[] }
  | { readonly kind: 'item'; readonly good: ShownGood }
  | { readonly kind: 'stock'; readonly stock: number }
  /** With the service fee, as in a trade. */
  | { readonly kind: 'valuation'; readonly chargedMicro: bigint }
  | { readonly kind: 'inventory'; readonly good: ShownGood; readonly stock: number; readonly priceMicro: bigint }
  | { readonly kind: 'inventoryState' }
  | { readonly kind: 'query'; readonly secret: string; readonly values: Readonly<Record<string, string>> | null }
  | {
      readonly kind: 'trade'
      readonly orderId: string
      /** What the order took from the deposit: total and service fee. */
      readonly chargedMicro: bigint
      /** The cards, one a line, or the words and the address with which a person's delivery is awaited. */
      readonly secret: string
      /** What is left after the order. */
      readonly stock: number
      /** Where the partner can look the order up again. */
      readonly url: string
    }
