export type Mode = 'sandbox' | 'live'

/** What moves one amount from one account to another. Legs of one event share its id and position. */
export type Transfer = {
  lane: number
  /** The account with a running balance; it is the debit or the credit side. */
  account: string
  position: bigint
  leg: number
  event: string
  kind: TransferKind
  debit: string
  credit: string
  amountMicro: bigint
  afterMicro: bigint
  at: Date
}

export type TransferKind = 'order' | 'fee' | 'refund' | 'fee_refund' | 'deposit' | 'opening'

/**
 * The main site's own accounts, one set a mode, so that play money never meets real money. A partner's deposit is
 * prepayment for the main site's goods: a debt of the main site until an order consumes it.
 */
export function house(account: 'bank' | 'sales' | 'fees' | 'openings', mode: Mode): string {
  return `house:${account}:${mode}`
}
