import { refuse, accept, type Outcome } from '../../../protocol/outcome.ts'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { cleanMarkup } from '../../kernel/markup.ts'
import type { Card, Choice, Good, GoodOptions, Lot, Part, Pick, Race, Tier } from './model.ts'
import { readOptions } from './options.ts'

/** What a choice comes to: where its cards stand, and what it adds. */
export type Chosen = { variant: string; race: Race | null; surchargeMicro: bigint }

/** The canonical text of a choice, empty for none: the race, then each option under its group, the groups in order. */
export function variantOf({ race, options }: Choice): string {
  const groups = Object.keys(options).sort()
  return race === null && groups.length === 0 ? '' : [race ?? '', ...groups.map((group) => `${group}=${options[group]}`)].join('|')
}

/** The choice that a variant was made from. */
export function choiceOf(variant: string): Choice {
  if (variant === '') return { race: null, options: {} }
  const [race = '', ...options] = variant.split('|')
  return { race: race === '' ? null : race, options: Object.fromEntries(options.map((option) => option.split('=', 2) as [string, string])) }
}

/** One race where there are races, one choice of every group, and nothing that the good does not have. */
export function chooseVariant(good: { options: GoodOptions }, choice: Choice): Outcome<Chosen> {
  const { races, groups } = good.options
  const race = choice.race === null ? null : races.find((one) => one.name === choice.race)
  if (race === undefined) return refuse('orders.option_not_supported', { option: `race=${choice.race}` })
  let surchargeMicro = 0n
  const missing = race === null && races.length > 0 ? ['race'] : []
  for (const group of groups) {
    const name = Object.hasOwn(choice.options, group.name) ? choice.options[group.name] : undefined
    const chosen = group.choices.find((one) => one.name === name)
    if (name === undefined) missing.push(group.name)
    else if (!chosen) return refuse('orders.option_not_supported', { option: `${group.name}=${name}` })
    else surchargeMicro += chosen.surchargeMicro
  }
  const unknown = Object.keys(choice.options).find((name) => !groups.some((group) => group.name === name))
  if (unknown !== undefined) return refuse('orders.option_not_supported', { option: `sku ${unknown}` })
  if (missing.length > 0) return refuse('orders.choice_missing', { missing })
  return accept({ variant: variantOf(choice), race, surchargeMicro })
}

/**
 * What a piece costs by the list, in the arithmetic of the trade: the race's price stands in place of the good's, a tier
 * in place of either, and tiers of the good count only where there is no race. Surcharges come on top of `listMicro`,
 * after whatever a docking's terms make of it.
 */
export function listPriceOf(good: Part<Good, 'unitPriceMicro' | 'costMicro' | 'options'>, chosen: Part<Chosen, 'race'>, quantity: number): { listMicro: bigint; costMicro: bigint | null } {
  const { race } = chosen
  const tier = tierFor(race ? race.tiers : good.options.tiers, quantity)
  return { listMicro: tier?.priceMicro ?? race?.priceMicro ?? good.unitPriceMicro, costMicro: race?.costMicro ?? good.costMicro }
}

/** The last tier that the quantity reaches; they stand in ascending order. */
function tierFor(tiers: readonly Tier[], quantity: number): Tier | undefined {
  return tiers.findLast((tier) => tier.from <= quantity)
}

/** What is left of the variants that a choice, whole or in part, may mean. `stock` is keyed by variant. */
export function stockOfChoice(stock: ReadonlyMap<string, number>, choice: Choice): number {
  const wanted = Object.entries(choice.options)
  let left = 0
  for (const [variant, count] of stock) {
    const { race, options } = choiceOf(variant)
    if ((choice.race === null || race === choice.race) && wanted.every(([group, name]) => options[group] === name)) left += count
  }
  return left
}

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
export function quantityOffered(good: Part<Good, 'minimum' | 'maximum'>, quantity: number): Outcome<null> {
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

export type GoodInput = Omit<Good, 'id' | 'number' | 'image' | 'changedAt'>

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
  const cost = row.cost === undefined ? null : typeof row.cost === 'string' ? parseAmount(row.cost) : undefined
  if (cost === undefined || (cost === null && row.cost !== undefined)) return bad('/cost', 'yuan with at most 6 decimals, such as "9.50"')
  const options = readOptions(row)
  if (!options.ok) return options
  return accept({
    code: row.code as string, name: (row.name as string).trim(), category: (row.category as string).trim(), description: cleanMarkup(description),
    unitPriceMicro: price, costMicro: cost, minimum: minimum as number, maximum: maximum as number, onSale, options: options.value,
  })
}
