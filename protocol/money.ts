/**
 * Money is µCNY (1e-6 yuan) as bigint inside and a decimal string in yuan outside.
 * Unit prices such as 0.0015 yuan are real in this trade, so a fen is too coarse and a float is wrong.
 */
export const MICRO_PER_YUAN = 1_000_000n
export const MICRO_PER_FEN = 10_000n

/** No order, deposit or balance may exceed a thousand million yuan: far below where a signed 64-bit µCNY overflows. */
export const MAX_AMOUNT_MICRO = 1_000_000_000n * MICRO_PER_YUAN

/** The only way money is written on the wire. The first group is the yuan, the second the fraction. */
export const AMOUNT_PATTERN = '^(0|[1-9]\\d{0,11})(\\.\\d{1,6})?$'
const AMOUNT = new RegExp(AMOUNT_PATTERN)

/** Reads a decimal string in yuan as µCNY; null when it is not written as AMOUNT_PATTERN says or exceeds the maximum. */
export function parseAmount(text: string): bigint | null {
  if (text.length > 19 || !AMOUNT.test(text)) return null
  const dot = text.indexOf('.')
  const micro =
    dot < 0
      ? BigInt(text) * MICRO_PER_YUAN
      : BigInt(text.slice(0, dot)) * MICRO_PER_YUAN + BigInt(text.slice(dot + 1).padEnd(6, '0'))
  return micro > MAX_AMOUNT_MICRO ? null : micro
}

/** Writes µCNY as yuan with at least two and at most six decimals: 19000000n is "19.00", 1500n is "0.0015". */
export function formatAmount(micro: bigint): string {
  const sign = micro < 0n ? '-' : ''
  const digits = (micro < 0n ? -micro : micro).toString().padStart(7, '0')
  const fraction = digits.slice(-6)
  let end = 6
  while (end > 2 && fraction.charCodeAt(end - 1) === 48) end--
  return `${sign}${digits.slice(0, -6)}.${fraction.slice(0, end)}`
}

/** Whole fen, rounded down: what a peer that knows only two decimals may be shown of a balance. */
export function floorToFen(micro: bigint): bigint {
  const rest = ((micro % MICRO_PER_FEN) + MICRO_PER_FEN) % MICRO_PER_FEN
  return micro - rest
}

/** Whole fen, rounded up: what such a peer may be told that something costs. */
export function ceilToFen(micro: bigint): bigint {
  return -floorToFen(-micro)
}
