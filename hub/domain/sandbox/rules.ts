import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { isReasonCode, reasonCodes, reasonOf } from '../../../protocol/reasons.ts'
import { FAULTS, type Asked, type Call, type Fault } from './model.ts'

/** Reads `name;param=value`, as it stands in a header and in a switch. `path` names where it stood. */
export function readFault(text: string, path: string): Outcome<Asked> {
  const [head = '', ...rest] = text.split(';').map((part) => part.trim())
  const [name = '', code] = head.split(':', 2)
  const fault = FAULTS.find((one) => one.name === name)
  if (!fault) return refuse('protocol.invalid_field', { path, expected: `one of ${FAULTS.map((one) => one.name).join(', ')}` })
  if (fault.strikes === 'callback') return refuse('protocol.invalid_field', { path, expected: 'a fault of answers or orders: callbacks are not sent yet' })
  const decided = decisionCode(fault, code, path)
  if (!decided.ok) return decided
  const params: Record<string, number> = Object.fromEntries(Object.entries(fault.params).map(([param, { otherwise }]) => [param, otherwise]))
  for (const part of rest) {
    const [param = '', value = ''] = part.split('=', 2)
    const known = Object.hasOwn(fault.params, param) ? fault.params[param] : undefined
    if (!known) return refuse('protocol.invalid_field', { path, expected: Object.keys(fault.params).length === 0 ? 'a fault without parameters' : `parameters out of ${Object.keys(fault.params).join(', ')}` })
    const number = /^\d{1,6}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= known.least && number <= known.most)) return refuse('protocol.invalid_field', { path, expected: `a whole number from ${known.least} to ${known.most}` })
    params[param] = number
  }
  return accept({ fault, params, code: decided.value })
}

function decisionCode(fault: Fault, code: string | undefined, path: string): Outcome<string | null> {
  if (fault.strikes !== 'decision') return code === undefined ? accept(null) : refuse('protocol.invalid_field', { path, expected: 'a fault without parameters' })
  if (code !== undefined && isReasonCode(code) && reasonOf(code).kind === 'measure') return accept(code)
  const measures = reasonCodes.filter((one) => reasonOf(one).kind === 'measure')
  return refuse('protocol.invalid_field', { path, expected: `one of ${measures.map((one) => `decision:${one}`).join(', ')}` })
}

/** Whether a fault can strike such a call. */
export function fits(fault: Fault, call: Call): boolean {
  return !call.isControl && fault.strikes !== 'decision' && fault.strikes !== 'callback' && (fault.strikes !== 'order' || call.isOrder) && (!fault.needsSignature || call.isSigned) && (!fault.needsOrder || call.isPlacing)
}

/** What a fault that strikes before anything is booked answers: the code that the true cause has, in its true shape. */
export function refusalBefore({ fault, params }: Asked, about: { key: string; requestId: string; allowed: string; at: Date }): Refusal {
  const { s = 0 } = params
  switch (fault.name) {
    case 'http_503': return refuse('platform.storage_unavailable', { retryAfterS: s }, { retryAfterS: s }).refusal
    case 'rate_limited': return refuse('platform.rate_limited', { allowed: about.allowed, retryAfterS: s }, { retryAfterS: s }).refusal
    case 'clock_skew': return refuse('partners.clock_skew', { skewS: s, allowedS: ALLOWED_SKEW_S }).refusal
    case 'rotated_key': return refuse('partners.key_revoked', { key: about.key, endedAt: about.at.toISOString() }).refusal
    default: return refuse('platform.internal_error', { requestId: about.requestId }).refusal
  }
}

const ALLOWED_SKEW_S = 300

/** What the order would cost, and the most that the partner pays for a piece; null where its dialect cannot say. */
export type Quoted = { quantity: number; unitPriceMicro: bigint; chargedMicro: bigint; guardMicro: bigint | null }

const FEN = 10_000n

/** What a fault of the order's own answer says, with the numbers of this very order. */
export function refusalOfOrder({ fault, params }: Asked, { quantity, unitPriceMicro, chargedMicro, guardMicro }: Quoted): Refusal {
  if (fault.name === 'sold_out') return refuse('catalogue.out_of_stock', { asked: quantity, available: 0 }).refusal
  if (fault.name === 'low_balance') return refuse('ledger.insufficient_funds', { needed: formatAmount(chargedMicro), available: formatAmount(chargedMicro > FEN ? (chargedMicro / 2n / FEN) * FEN : 0n) }).refusal
  const allowed = guardMicro ?? unitPriceMicro
  const risen = (unitPriceMicro * BigInt(100 + (params.percent ?? 0))) / 100n
  return refuse('catalogue.price_above_guard', { price: formatAmount(risen > allowed ? risen : allowed + FEN), allowed: formatAmount(allowed) }).refusal
}
