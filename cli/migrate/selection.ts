import { createHash } from 'node:crypto'
import { MICRO_PER_FEN, parseAmount } from '../../protocol/money.ts'
import type { Words } from '../problem.ts'
import type { GoodKinds, OldCard, OldOrder } from './old-site.ts'

/** A good of a plan: what the hub is told, and the old site's own number for it. */
export type PlannedGood = { key: string; code: string; kinds: GoodKinds | null; cards: number }

export type Choice<T> = { taken: T; left: null } | { taken: null; left: Left | null }
/** Why a row does not come over; a row that nobody expects to (a card that was sold) says nothing. */
export type Left = { words: Words }

export type ChosenCard = { good: string; card: string; race?: string; options?: Record<string, string> }

const LONGEST_CARD = 2_000
const CARD_FORBIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f]/
const NUMBER = /^[!#-&(-[\]-~]{1,64}$/
const LONGEST_SECRET = 1_000_000

/**
 * Which cards come over: unsold ones of goods that do, each once. The dry run and the real one ask the same, so that they
 * count the same. Doubles are known by 64 bits of a hash: 16 bytes a card, and one wrong guess in ten thousand sites of
 * five million cards each.
 */
export class CardSelection {
  readonly #goods: ReadonlyMap<string, PlannedGood>
  readonly #seen = new HashSet()

  constructor(goods: readonly PlannedGood[]) {
    this.#goods = new Map(goods.map((good) => [good.key, good]))
  }

  choose(card: OldCard): Choice<ChosenCard> {
    const good = this.#goods.get(card.good)
    if (card.state === 'sold' || good === undefined) return { taken: null, left: null }
    if (card.state === 'locked') return { taken: null, left: { words: { en: 'it is locked there', zh: '在旧站处于锁定状态' } } }
    const text = card.text.replaceAll('\r\n', '\n').trim()
    if (text === '' || text.length > LONGEST_CARD || CARD_FORBIDDEN.test(text)) {
      return { taken: null, left: { words: { en: 'it is empty, longer than 2000 characters, or holds tabs or control characters', zh: '内容为空、超过 2000 字，或含有制表符、控制字符' } } }
    }
    const kind = kindOf(card, good.kinds)
    if ('en' in kind) return { taken: null, left: { words: kind } }
    const { code } = good
    if (!this.#seen.add(`${code}\n${text}`)) return { taken: null, left: { words: { en: `the good ${code} has the same card twice`, zh: `商品 ${code} 的卡密重复` } } }
    return { taken: { good: code, card: text, ...kind }, left: null }
  }
}

/** Which kind of its good a card is: one race where there are races, one choice of each group; or why it is none. */
function kindOf(card: OldCard, kinds: GoodKinds | null): Omit<ChosenCard, 'good' | 'card'> | Words {
  const sku = card.sku === '' ? {} : readSku(card.sku)
  if (sku === null) return { en: 'its options cannot be read', zh: '规格无法识别' }
  const races = kinds?.races ?? []
  const groups = kinds?.options ?? []
  const fits = (card.race === '' ? races.length === 0 : races.some((race) => race.name === card.race)) && Object.keys(sku).length === groups.length
    && groups.every((group) => group.choices.some((choice) => choice.name === sku[group.name]))
  const named = [card.race, ...Object.entries(sku).map(([group, name]) => `${group}=${name}`)].filter((part) => part !== '').join(' ')
  if (!fits) return { en: named === '' ? 'its good is sold by kinds, and it names none' : `its good is not sold as ${named}`, zh: named === '' ? '商品按种类销售，卡密未注明种类' : `商品没有“${named}”这一种类或规格` }
  return { ...(card.race === '' ? {} : { race: card.race }), ...(groups.length === 0 ? {} : { options: sku }) }
}

/** {"区服":"一区"}, or 区服=一区 with | between groups; null when it is neither. */
function readSku(text: string): Record<string, string> | null {
  try {
    const value: unknown = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : Object.fromEntries(text.split('|').map((pair) => pair.split('=', 2)))
    if (typeof value !== 'object' || value === null || (Array.isArray(value) && value.length > 0)) return null
    const entries = Object.entries(value)
    return entries.every(([, name]) => typeof name === 'string') ? (Object.fromEntries(entries) as Record<string, string>) : null
  } catch {
    return null
  }
}

export type ChosenOrder = { member: string; tradeNo: string; reference: string | null; good: string | null; quantity: number; amount: string; secret: string; at: string }

/** Which orders come over: paid ones of partners that do. */
export function chooseOrder(order: OldOrder, isTaken: (member: string) => boolean, codes: ReadonlyMap<string, string>): Choice<ChosenOrder> {
  if (!order.isPaid || !isTaken(order.member)) return { taken: null, left: null }
  const amount = parseAmount(order.amount)
  const left = !NUMBER.test(order.tradeNo) || (order.reference !== null && !NUMBER.test(order.reference)) ? { en: 'its number holds what no number may', zh: '订单号含有不允许的字符' }
    : amount === null || amount % MICRO_PER_FEN !== 0n ? { en: `its amount is ${order.amount}`, zh: `金额为 ${order.amount}` }
    : order.secret.length > LONGEST_SECRET || order.secret.includes('\0') ? { en: 'what was delivered has more than a million characters, or a NUL', zh: '发货内容超过一百万字，或含有 NUL 字符' }
    : !Number.isInteger(order.quantity) || order.quantity < 1 || order.quantity > 1_000_000 ? { en: 'its quantity is no number of pieces', zh: '数量有误' }
    : null
  if (left) return { taken: null, left: { words: left } }
  const { member, tradeNo, reference, quantity, secret, at } = order
  return { taken: { member, tradeNo, reference, good: codes.get(order.good) ?? null, quantity, amount: order.amount, secret, at }, left: null }
}

/** A set of texts by 64 bits of their SHA-256, in one flat array: strings of five million cards would take a gigabyte. */
class HashSet {
  #slots = new BigUint64Array(1 << 16)
  #count = 0

  /** @returns false when it was there already */
  add(text: string): boolean {
    if (this.#count * 2 >= this.#slots.length) this.#grow()
    const hash = createHash('sha256').update(text).digest().readBigUInt64LE() || 1n
    if (!put(this.#slots, hash)) return false
    this.#count++
    return true
  }

  #grow(): void {
    const wider = new BigUint64Array(this.#slots.length * 2)
    for (const hash of this.#slots) if (hash !== 0n) put(wider, hash)
    this.#slots = wider
  }
}

function put(slots: BigUint64Array, hash: bigint): boolean {
  const mask = slots.length - 1
  for (let at = Number(hash & 0x3fffffffn) & mask; ; at = (at + 1) & mask) {
    if (slots[at] === hash) return false
    if (slots[at] === 0n) {
      slots[at] = hash
      return true
    }
  }
}
