import type { TakenOver } from './model.ts'

/** An old order in the shape of ours, so that every door can show it. It has no cards of ours and no place in our log. */
export function asOrder<M>(taken: TakenOver, mode: M, fingerprint: Buffer) {
  return {
    lane: taken.lane, docking: taken.docking, id: taken.tradeNo, reference: taken.reference ?? taken.tradeNo, attempt: 1, mode, good: taken.good ?? '', variant: '',
    quantity: taken.quantity, unitPriceMicro: taken.amountMicro / BigInt(taken.quantity), totalMicro: taken.amountMicro, feeMicro: 0n, state: 'delivered' as const, doubt: null,
    fingerprint, scheme: 0, picks: [], member: null, position: 0n, createdAt: taken.at,
  }
}
