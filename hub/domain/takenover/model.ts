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

/** An order of another site as it is handed in. `secret` is what it delivered, to the letter. */
export type TakeOverAsk = Omit<TakenOver, 'sealed'> & { secret: string }

export type TakenOverCount = { orders: number; references: number; amountMicro: bigint }
