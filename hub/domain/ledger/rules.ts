import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { formatAmount, MICRO_PER_FEN } from '../../../protocol/money.ts'
import { house, type Mode, type Transfer, type TransferKind } from './model.ts'

type Event = { lane: number; account: string; mode: Mode; position: bigint; event: string; at: Date }

/** What is left after spending, or the refusal that names both sides of the comparison. */
export function spend(availableMicro: bigint, neededMicro: bigint): Outcome<bigint> {
  return neededMicro > availableMicro
    ? refuse('ledger.insufficient_funds', { needed: formatAmount(neededMicro), available: formatAmount(availableMicro) })
    : accept(availableMicro - neededMicro)
}

/** An accepted order: the goods to sales and the fee, if there is one, to fees. Two legs of one event. */
export function chargeLegs(event: Event, totalMicro: bigint, feeMicro: bigint, availableMicro: bigint): Transfer[] {
  const legs = [leg(event, 1, 'order', event.account, house('sales', event.mode), totalMicro, availableMicro - totalMicro)]
  if (feeMicro > 0n) {
    legs.push(leg(event, 2, 'fee', event.account, house('fees', event.mode), feeMicro, availableMicro - totalMicro - feeMicro))
  }
  return legs
}

/** The undo of chargeLegs, beside it so that a new leg cannot forget its way back. */
export function refundLegs(event: Event, totalMicro: bigint, feeMicro: bigint, availableMicro: bigint): Transfer[] {
  const legs = [leg(event, 1, 'refund', house('sales', event.mode), event.account, totalMicro, availableMicro + totalMicro)]
  if (feeMicro > 0n) {
    legs.push(leg(event, 2, 'fee_refund', house('fees', event.mode), event.account, feeMicro, availableMicro + totalMicro + feeMicro))
  }
  return legs
}

export function depositLegs(event: Event, amountMicro: bigint, availableMicro: bigint): Transfer[] {
  return [leg(event, 1, 'deposit', house('bank', event.mode), event.account, amountMicro, availableMicro + amountMicro)]
}

/** What a balance was at the site that it came from, or by how much it has changed there since; below zero it goes back. */
export function openingLegs(event: Event, changeMicro: bigint, availableMicro: bigint): Transfer[] {
  const after = availableMicro + changeMicro
  return changeMicro > 0n
    ? [leg(event, 1, 'opening', house('openings', event.mode), event.account, changeMicro, after)]
    : [leg(event, 1, 'opening', event.account, house('openings', event.mode), -changeMicro, after)]
}

/** Cash comes in whole fen. */
export function isWholeFen(amountMicro: bigint): boolean {
  return amountMicro % MICRO_PER_FEN === 0n
}

function leg(event: Event, number: number, kind: TransferKind, debit: string, credit: string, amountMicro: bigint, afterMicro: bigint): Transfer {
  return {
    lane: event.lane, account: event.account, position: event.position, leg: number, event: event.event, kind,
    debit, credit, amountMicro, afterMicro, at: event.at,
  }
}
