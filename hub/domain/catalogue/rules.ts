import { refuse, accept, type Outcome } from '../../../protocol/outcome.ts'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import type { Card, Good, Lot, Pick } from './model.ts'

/** What is left in the lots of a good that have not expired. */
export function stockOf(lots: readonly Lot[], at: Date): number {
  let left = 0
  for (const lot of lots) if (!isExpired(lot, at)) left += lot.size - lot.nextSeq + 1
  return left
}

/**
 * Takes cards off the cursors, oldest lot first, and moves them: the lots handed in are changed. An expired lot is
 * skipped whole. The caller has asked stockOf before; taking more than there is is a bug.
 */
export function take(lots: readonly Lot[], quantity: number, at: Date): Pick[] {
  const picks: Pick[] = []
  let wanted = quantity
  for (const lot of lots) {
    if (wanted === 0) break
    const left = isExpired(lot, at) ? 0 : lot.size - lot.nextSeq + 1
    if (left <= 0) continue
    const count = Math.min(left, wanted)
    picks.push({ lot: lot.id, first: lot.nextSeq, count })
    lot.nextSeq += count
    wanted -= count
  }
  if (wanted > 0) throw new Error(`took ${quantity - wanted} of ${quantity} cards`)
  return picks
}

function isExpired(lot: Lot, at: Date): boolean {
  return lot.expiresAt !== null && lot.expiresAt <= at
}

/** The offer's own limits, asked before anything else about a quantity. */
export function quantityOffered(good: Good, quantity: number): Outcome<null> {
  return quantity < good.minimum || quantity > good.maximum
    ? refuse('catalogue.quantity_outside_offer', { asked: quantity, minimum: good.minimum, maximum: good.maximum })
    : accept(null)
}

/** The guard is mandatory over JSON; a dialect that cannot say one passes null. */
export function withinGuard(unitPriceMicro: bigint, guardMicro: bigint | null): Outcome<null> {
  return guardMicro !== null && unitPriceMicro > guardMicro
    ? refuse('catalogue.price_above_guard', { price: formatAmount(unitPriceMicro), allowed: formatAmount(guardMicro) })
    : accept(null)
}

const LONGEST_CARD = 2_000
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/

/**
 * A line of a card file: the secret alone, or number and secret parted by a tab, a comma or the trade's `----`.
 * Null when it is empty, too long or holds control characters.
 */
export function readCardLine(line: string): Card | null {
  const text = line.trim()
  if (text === '' || text.length > LONGEST_CARD || CONTROL.test(text)) return null
  const parting = /\t|,|----/.exec(text)
  if (!parting) return { number: null, secret: text }
  const number = text.slice(0, parting.index).trim()
  const secret = text.slice(parting.index + parting[0].length).trim()
  // A line with a separator and nothing beside it is half a card, never a whole one.
  return number === '' || secret === '' || secret.includes('\t') ? null : { number, secret }
}

/** What is sealed, and what makes two cards the same card. A tab cannot stand in either part. */
export function writeCard(card: Card): string {
  return card.number === null ? card.secret : `${card.number}\t${card.secret}`
}

export function readCard(text: string): Card {
  const tab = text.indexOf('\t')
  return tab < 0 ? { number: null, secret: text } : { number: text.slice(0, tab), secret: text.slice(tab + 1) }
}

/** A card as one line for a peer that knows only text. */
export function showCard(card: Card): string {
  return card.number === null ? card.secret : `${card.number}----${card.secret}`
}

/** What every dialect can carry. */
const GOOD_CODE = /^[\p{L}\p{N}._:@+-]{1,64}$/u

export type GoodInput = { code: string; name: string; category: string; description: string; unitPriceMicro: bigint; minimum: number; maximum: number; onSale: boolean }

/** Reads one good of an import; the error names the field. Money comes as a decimal string. */
export function readGood(row: Readonly<Record<string, unknown>>): Outcome<GoodInput> {
  const bad = (path: string, expected: string) => refuse('protocol.invalid_field', { path, expected })
  const text = (value: unknown, most: number) => typeof value === 'string' && value.trim() !== '' && value.length <= most && !CONTROL.test(value.replaceAll('\n', ''))
  if (!text(row.code, 64) || !GOOD_CODE.test(row.code as string)) return bad('/code', '1 to 64 letters, digits or . _ : @ + -')
  if (!text(row.name, 255)) return bad('/name', '1 to 255 characters')
  if (!text(row.category, 128)) return bad('/category', '1 to 128 characters')
  const description = row.description ?? ''
  if (typeof description !== 'string' || description.length > 20_000) return bad('/description', 'at most 20000 characters')
  const price = typeof row.unitPrice === 'string' ? parseAmount(row.unitPrice) : null
  if (price === null || price === 0n) return bad('/unitPrice', 'yuan above zero with at most 6 decimals, such as "9.50"')
  const minimum = row.minimum ?? 1
  const maximum = row.maximum ?? 1000
  if (!Number.isInteger(minimum) || (minimum as number) < 1 || (minimum as number) > 1000) return bad('/minimum', 'a whole number from 1 to 1000')
  if (!Number.isInteger(maximum) || (maximum as number) < (minimum as number) || (maximum as number) > 1000) return bad('/maximum', 'a whole number from minimum to 1000')
  const onSale = row.onSale ?? true
  if (typeof onSale !== 'boolean') return bad('/onSale', 'true or false')
  return accept({
    code: row.code as string, name: (row.name as string).trim(), category: (row.category as string).trim(), description,
    unitPriceMicro: price, minimum: minimum as number, maximum: maximum as number, onSale,
  })
}
