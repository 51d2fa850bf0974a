import { formatAmount, MAX_AMOUNT_MICRO, MICRO_PER_FEN, parseAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { explain, type ReasonCode } from '../../../protocol/reasons.ts'
import { priceBy, type Formula } from '../terms/index.ts'
import type { PlanLine, RowError, Wording } from './model.ts'

const PPM = 1_000_000n
const MOST_FACTOR_PPM = 1_000n * PPM
const MOST_STEP_MICRO = 1_000n * PPM

/** Reads a formula in the words of the operator; the refusal names the field. A price of its own is rounded only when it is told to. */
export function readFormula(wording: Wording, more: Pick<Formula, 'basis' | 'belowCost'>): Outcome<Formula> {
  const bad = (path: string, expected: string) => refuse('protocol.invalid_field', { path, expected })
  const { factor, percent, add, set, round } = wording
  if ([factor, percent, add, set].every((word) => word === undefined)) return bad('/change', 'factor or percent, add, or set')
  if (set !== undefined && (factor ?? percent ?? add) !== undefined) return bad('/change/set', 'set alone, without factor, percent or add')
  if (factor !== undefined && percent !== undefined) return bad('/change/percent', 'factor or percent, not both')
  const step = round === undefined ? (set === undefined ? MICRO_PER_FEN : 1n) : parseAmount(round)
  if (step === null || step === 0n || step > MOST_STEP_MICRO) return bad('/change/round', 'a step from 0.000001 to 1000 yuan')
  if (set !== undefined) {
    const price = parseAmount(set)
    return price ? accept({ ...more, basis: 'list', factorPpm: 0n, additionMicro: price, stepMicro: step }) : bad('/change/set', 'an amount above zero')
  }
  const factorPpm = percent !== undefined ? percentOf(percent) : parseAmount(factor ?? '1')
  if (factorPpm === null || factorPpm < 0n || factorPpm > MOST_FACTOR_PPM) return bad(percent === undefined ? '/change/factor' : '/change/percent', 'a factor from 0 to 1000 with up to 6 decimals, or a percentage above -100 with up to 4')
  const addition = add === undefined ? 0n : signed(add)
  if (addition === null) return bad('/change/add', 'yuan with up to 6 decimals, with a minus if less')
  return accept({ ...more, factorPpm, additionMicro: addition, stepMicro: step })
}

function signed(text: string): bigint | null {
  const amount = parseAmount(text.startsWith('-') ? text.slice(1) : text)
  return amount === null ? null : text.startsWith('-') ? -amount : amount
}

/** "-5" is 0.95: a percent is 10,000 millionths, so it has four decimals and no more. */
function percentOf(text: string): bigint | null {
  const micro = signed(text)
  return micro === null || micro % 100n !== 0n ? null : PPM + micro / 100n
}

/** A good with what it costs now in the prices that are changed, and what is published beside them. */
export type Item = { good: string; code: string; oldMicro: bigint; costMicro: bigint | null; publishedMicro: bigint; line: number | null }

/** Works out every new price. A good whose new price is none (not above zero, or beyond any amount) is left out and named. */
export function plan(items: readonly Item[], priceOf: (item: Item) => bigint | null, isOwn: boolean): { lines: PlanLine[]; unchanged: number; errors: RowError[] } {
  const lines: PlanLine[] = []
  const errors: RowError[] = []
  let unchanged = 0
  for (const { line, ...item } of items) {
    const newMicro = priceOf({ line, ...item })
    if (newMicro === null) errors.push(rowError(line, item.code, 'protocol.invalid_field', { path: item.code, expected: 'a new price above zero, at most a thousand million yuan' }))
    else if (newMicro === item.oldMicro) unchanged++
    else lines.push({ ...item, newMicro, belowCost: item.costMicro !== null && newMicro < item.costMicro, worse: isOwn && newMicro > item.publishedMicro })
  }
  return { lines, unchanged, errors }
}

/** The new price by a formula over the old one. The cost is a flag here, and not a floor: a person looks at each row. */
export function newPriceBy(formula: Formula): (item: Item) => bigint | null {
  return ({ oldMicro }) => priceBy(formula, { listMicro: oldMicro, costMicro: null })
}

export function rowError(line: number | null, good: string, code: ReasonCode, because: Record<string, unknown>): RowError {
  return { line, good, code, message: { en: explain({ code, because }, 'en'), zh: explain({ code, because }, 'zh') } }
}

/** Whether a plan may be carried out. One dearer own price is a measure, and needs more than a table of prices. */
export function admitPlan(lines: readonly PlanLine[], allowBelowCost: boolean): Outcome<null> {
  const worse = lines.filter((line) => line.worse)
  if (worse[0]) return worseThanPublished(worse[0], worse.length)
  const below = allowBelowCost ? [] : lines.filter((line) => line.belowCost)
  const [first] = below
  return first
    ? refuse('terms.price_below_cost', { good: first.code, price: formatAmount(first.newMicro), cost: formatAmount(first.costMicro!), count: below.length })
    : accept(null)
}

export function worseThanPublished(line: Pick<PlanLine, 'code' | 'newMicro' | 'publishedMicro'>, count: number): Outcome<never> {
  return refuse('terms.price_worse_than_published', { good: line.code, price: formatAmount(line.newMicro), published: formatAmount(line.publishedMicro), count })
}

/** A price of a file; null when it is none. */
export function readPrice(text: string): bigint | null {
  const price = parseAmount(text)
  return price === null || price === 0n || price > MAX_AMOUNT_MICRO ? null : price
}
