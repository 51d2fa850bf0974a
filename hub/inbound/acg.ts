import { factorNamed, fineOf, goodOfSku, ItemList, PACK, packedName, packNumber, packOf, skuNumber, skusOf, type Manner } from '../../dialects/acg/server.ts'
import type { Answer, Ask, Choice, GoodName, Reply, ShownGood, Trade } from '../../dialects/dialect.ts'
import { formatAmount } from '../../protocol/money.ts'
import { accept, refuse, type Outcome, type Refusal } from '../../protocol/outcome.ts'
import {
  choiceOf, chooseVariant, listPriceOf, offeredByCode, offeredById, offeredByNumber, offeredPage, quantityOffered, showCard, stockOfChoice, type Chosen, type Offered,
} from '../domain/catalogue/index.ts'
import { pickupToken } from '../domain/fulfilment/index.ts'
import { loadBalances, readBalances } from '../domain/ledger/index.ts'
import { deliveryOf, quote, type Order, type PlaceAsk, type Receipt } from '../domain/orders/index.ts'
import type { Docking } from '../domain/partners/index.ts'
import { findTakenOver, openTakenOver } from '../domain/takenover/index.ts'
import { feeOn, loadContracts, readContracts } from '../domain/terms/index.ts'
import { isId } from '../kernel/ids.ts'
import { isMarkup } from '../kernel/markup.ts'
import { chargedPrice, withFee } from './charged-prices.ts'
import type { Hub } from './hub.ts'
import { alreadyWritten } from './pipeline.ts'
import { ShownPrices } from './shown-prices.ts'

/** What became of an ask. `reply` is there where the answer was written piece by piece. */
export type Done = { outcome: Outcome<Answer>; reply?: Omit<Reply, 'body'> & { body: Buffer }; receipt?: Receipt }

const MOST_GOODS = 10_000
/** A turn of the event loop writes no more than these: about 5 ms. */
const PAGE_GOODS = 200
/** What shops of this family say by themselves while a person is at work. */
const UNDER_WAY = '正在发货中，请耐心等待，如有疑问，请联系客服。'

/** What goes before an order of a sandbox; the refusal that its fault gives, or null. */
export type Rehearse = (ask: Omit<PlaceAsk, 'reference' | 'onlyReplay'>) => Promise<Refusal | null>

/** A good as it was asked for: `factor` is 1000 where it is offered by the thousand only. */
type Found = { offered: Offered; shown: ShownGood; factor: number; /** Where the kind's number said it. */ choice?: Choice }

/** What a trade is placed with. `offered` is null where the good of a bound number is no more. */
type Meant = { good: string; offered: Offered | null; factor: number; choice: Choice }

/** Answers what a shop of the acg-faka family asks, with the same handlers as the JSON API. */
export class AcgAnswers {
  readonly #hub: Hub
  readonly #prices = new ShownPrices()

  constructor(hub: Hub) {
    this.#hub = hub
  }

  /** `rehearse` says what a sandbox's order meets beside its own rules: nobody, or a refusal. */
  async to(docking: Docking, ask: Ask, manner: Manner, rehearse: Rehearse | null = null): Promise<Done> {
    if (ask.kind === 'connect') {
      const balance = readBalances(await this.#hub.db.run(loadBalances([docking.lane], [docking.id]))).get(docking.id)
      if (balance === undefined) throw new Error(`docking ${docking.id} has no balance row`)
      return { outcome: accept({ kind: 'connect', shopName: docking.name, balanceMicro: balance }) }
    }
    if (ask.kind === 'items') return this.#items(docking, manner)
    if (ask.kind === 'query') return this.#query(docking, ask.order)
    if (ask.kind === 'trade') return this.#trade(docking, ask, manner, rehearse)
    const found = await this.#find(docking, ask.good, manner)
    if (!found) return { outcome: notFound(ask.good) }
    const carried = isCarried(found)
    if (!carried.ok) return { outcome: carried }
    return { outcome: this.#look(docking, ask, found, await this.#feeOf(docking)) }
  }

  /** Page by page, so that ten thousand goods hold up nobody: between two pages everybody else has a turn. */
  async #items(docking: Docking, manner: Manner): Promise<Done> {
    const list = new ItemList(manner)
    const feePpm = await this.#feeOf(docking)
    let after = ''
    for (let read = 0; read < MOST_GOODS; ) {
      const page = await offeredPage(this.#hub.db, docking, after, PAGE_GOODS)
      const goods = page.filter((good) => good.onSale).flatMap((good) => {
        const shown = show(good)
        return fineOf(shown) === null ? [shown] : (packOf(shown) ?? [])
      })
      for (const good of goods) this.#prices.showed(docking.id, good)
      list.add(goods.map((good) => withFee(good, feePpm)))
      read += page.length
      if (page.length < PAGE_GOODS) break
      after = page.at(-1)!.id
    }
    return { outcome: accept({ kind: 'items', goods: [] }), reply: { status: 200, contentType: 'application/json;charset=utf-8', body: await inBytes(list.parts()) } }
  }

  /** This protocol says no fee beside a price, so that it is part of every price that is told. */
  async #feeOf({ lane, id }: Docking): Promise<number> {
    return readContracts(await this.#hub.db.run(loadContracts([lane], [id]))).feePpm.get(id) ?? 0
  }

  async #find(docking: Docking, name: GoodName, manner: Manner): Promise<Found | null> {
    const plain = 'sku' in name ? { number: goodOfSku(name.sku) } : name
    const exact = await this.#load(docking, plain)
    const packed = exact ? null : packedName(plain)
    const offered = exact ?? (packed && (await this.#load(docking, packed)))
    if (!offered) return null
    const good = show(offered)
    // A pack is there only where the good itself cannot be said: else one thing would have two names.
    const shown = packed === null ? good : fineOf(good) === null ? null : packOf(good)
    if (!shown) return null
    const found = { offered, shown, factor: packed === null ? 1 : PACK }
    if (!('sku' in name)) return found
    const sku = skusOf(shown, manner.keyOf).find((one) => one.id === name.sku)
    return sku ? { ...found, choice: sku.choice } : null
  }

  #load(docking: Docking, name: { code: string } | { number: number }): Promise<Offered | null> {
    return 'code' in name ? offeredByCode(this.#hub.db, docking, name.code) : offeredByNumber(this.#hub.db, docking, name.number)
  }

  #look(docking: Docking, ask: Exclude<Ask, Trade | { kind: 'connect' | 'items' | 'query' }>, found: Found, feePpm: number): Outcome<Answer> {
    const { offered, shown, factor } = found
    if (ask.kind === 'item') {
      if (!offered.onSale) return refuse('catalogue.good_not_on_sale', { good: shown.code })
      this.#prices.showed(docking.id, shown)
      return accept({ kind: 'item', good: withFee(shown, feePpm) })
    }
    const choice = found.choice ?? ask.choice
    const chosen = chooseVariant(offered, choice)
    // Stock may be asked for with a part of the choice; the rest may not.
    if (!chosen.ok && (chosen.refusal.code !== 'orders.choice_missing' || ask.kind === 'valuation' || ask.kind === 'inventoryState')) return chosen
    const stock = offered.onSale ? stockLeft(shown, choice) : 0
    if (ask.kind === 'stock') return accept({ kind: 'stock', stock })
    if (!offered.onSale) return refuse('catalogue.good_not_on_sale', { good: shown.code })
    if (ask.kind === 'inventory') {
      this.#prices.showed(docking.id, shown)
      const priceMicro = chosen.ok ? unitPriceOf(offered, chosen.value, factor) * BigInt(factor) : shown.unitPriceMicro
      return accept({ kind: 'inventory', good: withFee(shown, feePpm), stock, priceMicro: chargedPrice(priceMicro, feePpm) })
    }
    const inOffer = quantityOffered(offered, ask.quantity * factor)
    if (!inOffer.ok) return inOffer
    if (ask.kind === 'inventoryState') return stock < ask.quantity ? refuse('catalogue.out_of_stock', { asked: ask.quantity, available: stock }) : accept({ kind: 'inventoryState' })
    if (!chosen.ok) return chosen
    const quantity = ask.quantity * factor
    const unitPriceMicro = unitPriceOf(offered, chosen.value, quantity)
    this.#prices.valued(docking.id, shown.number, choice, ask.quantity, unitPriceMicro * BigInt(factor))
    const totalMicro = unitPriceMicro * BigInt(quantity)
    return accept({ kind: 'valuation', chargedMicro: totalMicro + feeOn(totalMicro, feePpm) })
  }

  async #trade(docking: Docking, ask: Trade, manner: Manner, rehearse: Rehearse | null): Promise<Done> {
    const { orders } = this.#hub
    const meant = (await this.#meantBefore(docking, ask, manner)) ?? (await this.#meantNow(docking, ask, manner))
    if (!meant.ok) return { outcome: meant }
    if ('takenOver' in meant.value) return { outcome: accept(meant.value.takenOver) }
    const { good, offered, factor, choice } = meant.value
    const placed = {
      good, quantity: ask.quantity * factor, guardMicro: offered && this.#guardOf(docking, offered, choice, ask.quantity, factor), member: null,
      form: ask.contact === '' ? '' : `contact=${ask.contact}`, choice, values: ask.values,
    }
    const outcome = await orders.place(docking, { ...placed, reference: ask.reference, onlyReplay: rehearse === null ? null : await rehearse(placed) })
    if (!outcome.ok) return { outcome: alreadyWritten(outcome) }
    const { order, cards, text, receipt, replayed } = outcome.value
    if (order.state === 'refunded') {
      // Nothing is handed over, so nothing can be lost with this answer.
      receipt.written()
      return { outcome: refuse('orders.refunded', { order: order.id, reason: (await deliveryOf(this.#hub.db, this.#hub.vault, order.id))?.reason ?? '' }) }
    }
    const left = offered === null ? 0 : Math.floor(stockLeft(show(offered), choice) / factor)
    return {
      outcome: accept({
        kind: 'trade', orderId: order.id, chargedMicro: order.totalMicro + order.feeMicro, secret: this.#secretOf(order, offered, cards.map(showCard), text),
        stock: Math.max(0, replayed || order.picks.length === 0 ? left : left - ask.quantity), url: cards.length === 0 ? this.#pickup(order) : `${this.#hub.publicUrl}/docs`,
      }),
      receipt,
    }
  }

  /** What a trade would be answered now, with the dry run of the JSON API: nothing is placed and no card is taken. */
  async wouldTrade(docking: Docking, ask: Trade, manner: Manner): Promise<Outcome<unknown>> {
    const before = await this.#meantBefore(docking, ask, manner)
    if (before && (!before.ok || 'takenOver' in before.value)) return before
    if (before?.ok) {
      const known = await this.#hub.orders.findByReference(docking, ask.reference)
      const { factor } = before.value as Meant
      return known && known.quantity !== ask.quantity * factor ? refuse('orders.reference_reused', { reference: ask.reference, differs: 'quantity' }) : before
    }
    const meant = await this.#meantNow(docking, ask, manner)
    if (!meant.ok) return meant
    const { good, offered, factor, choice } = meant.value
    return quote(this.#hub.db, docking, {
      good, quantity: ask.quantity * factor, guardMicro: offered && this.#guardOf(docking, offered, choice, ask.quantity, factor), member: null,
      form: ask.contact === '' ? '' : `contact=${ask.contact}`, choice, values: ask.values,
    })
  }

  /** What a trade means whose number is bound by nothing: a good that is offered and that this protocol can carry. */
  async #meantNow(docking: Docking, ask: Trade, manner: Manner): Promise<Outcome<Meant>> {
    const found = await this.#find(docking, ask.good, manner)
    if (!found) return notFound(ask.good)
    const carried = isCarried(found)
    return carried.ok ? accept({ good: found.offered.id, offered: found.offered, factor: found.factor, choice: found.choice ?? ask.choice }) : carried
  }

  /**
   * What a trade means whose number an accepted order, here or at the site before, has bound: that order, whatever became
   * of the good, its kinds and its prices meanwhile. Whether the same is asked is decided where orders are placed. Null
   * when the number is free.
   */
  async #meantBefore(docking: Docking, ask: Trade, { keyOf }: Manner): Promise<Outcome<Meant | { takenOver: Extract<Answer, { kind: 'trade' }> }> | null> {
    const { db, orders, vault, publicUrl } = this.#hub
    const order = await orders.findByReference(docking, ask.reference)
    const known = order !== null && order.state !== 'cancelled' ? order : null
    const taken = known ? null : await findTakenOver(db, docking, { reference: ask.reference })
    if (!known && !taken) return null
    const good = known ? known.good : taken!.good
    if (good === null) {
      // The good did not come over, so no name that is asked with can be another one's.
      if (taken!.quantity !== ask.quantity) return refuse('orders.reference_reused', { reference: ask.reference, differs: 'quantity' })
      return accept({ takenOver: { kind: 'trade', orderId: taken!.tradeNo, chargedMicro: taken!.amountMicro, secret: openTakenOver(vault, taken!), stock: 0, url: `${publicUrl}/docs` } })
    }
    const [offered = null] = await offeredById(db, docking, [good])
    const factor = offered ? factorNamed(offered, ask.good) : 1
    if (factor === null) return refuse('orders.reference_reused', { reference: ask.reference, differs: 'good' })
    if (!('sku' in ask.good) || !known) return accept({ good, offered, factor, choice: ask.choice })
    const choice = choiceOf(known.variant)
    const isSame = skuNumber(goodOfSku(ask.good.sku), keyOf(choice)) === ask.good.sku
    return isSame ? accept({ good, offered, factor, choice }) : refuse('orders.reference_reused', { reference: ask.reference, differs: 'variant' })
  }

  /** The order by the hub's number or by the shop's own. What is shown is handed over, so a doubtful order is settled by it. */
  async #query(docking: Docking, number: string): Promise<Done> {
    const { orders } = this.#hub
    const byId = isId('ord', number) ? await orders.find(docking, number) : null
    const known = byId?.ok ? byId.value : await orders.findByReference(docking, number)
    if (!known || known.state === 'cancelled') {
      const taken = (await findTakenOver(this.#hub.db, docking, { tradeNo: number })) ?? (await findTakenOver(this.#hub.db, docking, { reference: number }))
      return { outcome: taken ? accept({ kind: 'query', secret: openTakenOver(this.#hub.vault, taken), values: null }) : refuse('orders.not_found', { order: number }) }
    }
    const delivery = await deliveryOf(this.#hub.db, this.#hub.vault, known.id)
    if (known.state === 'refunded') return { outcome: refuse('orders.refunded', { order: known.id, reason: delivery?.reason ?? '' }) }
    const { order, cards, text, receipt } = await orders.handOver(known)
    const [offered = null] = order.picks.length > 0 ? [] : await offeredById(this.#hub.db, docking, [order.good])
    return { outcome: accept({ kind: 'query', secret: this.#secretOf(order, offered, cards.map(showCard), text), values: delivery?.form ?? null }), receipt }
  }

  #secretOf(order: Order, good: Offered | null, cards: readonly string[], text: string | null): string {
    if (cards.length > 0) return cards.join('\n')
    return text ?? `${good?.options.message || UNDER_WAY}\n取货页：${this.#pickup(order)}`
  }

  #pickup(order: Order): string {
    return `${this.#hub.publicUrl}/o/${pickupToken(this.#hub.vault, order.id)}`
  }

  /** This protocol has no word for the most that a buyer pays; the docking's terms say what stands in its place. */
  #guardOf(docking: Docking, offered: Offered, choice: Choice, quantity: number, factor: number): bigint | null {
    if (docking.priceGuard === 'none') return null
    if (docking.priceGuard === 'max') return docking.priceCapMicro
    const perOne = this.#prices.guardFor(docking.id, factor === 1 ? offered.number : packNumber(offered.number), choice, quantity)
    return perOne === null ? null : perOne / BigInt(factor)
  }
}

const TURN_BYTES = 256 * 1024

/** Bytes of a long text, a little in each turn: making 17 MB of them at once took 60 ms. */
async function inBytes(parts: Iterable<string>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for (const part of parts) {
    const chunk = Buffer.from(part)
    chunks.push(chunk)
    size += chunk.byteLength
    if (size > TURN_BYTES) {
      size = 0
      await new Promise((next) => setImmediate(next))
    }
  }
  return Buffer.concat(chunks)
}

function notFound(name: GoodName): Outcome<never> {
  return refuse('catalogue.good_not_found', { good: String(Object.values(name)[0]) })
}

/** Whether this protocol can say the good's prices, or what it can say in its place. */
function isCarried({ shown }: Found): Outcome<null> {
  const fine = fineOf(shown)
  if (fine === null) return accept(null)
  const pack = packOf(shown)
  return refuse('catalogue.price_too_fine', { price: formatAmount(fine), instead: pack ? `order it by the thousand as ${pack.code}` : 'order it through the JSON API' })
}

/** The prices of the good are the docking's own already. */
function unitPriceOf(offered: Offered, chosen: Chosen, quantity: number): bigint {
  return listPriceOf(offered, chosen, quantity).listMicro + chosen.surchargeMicro
}

function stockLeft(shown: ShownGood, choice: Choice): number {
  return shown.delivery === 'manual' || (shown.races.length === 0 && shown.groups.length === 0) ? shown.stock : stockOfChoice(shown.stockByVariant, choice)
}

function show(good: Offered): ShownGood {
  const { races, groups, tiers, fields, contact, delivery } = good.options
  return {
    number: good.number, code: good.code, name: good.name, description: isMarkup(good.description) ? good.description : asMarkup(good.description),
    cover: good.image === null ? '' : `/images/${good.image}`, categoryNumber: categoryNumber(good.category), category: good.category,
    unitPriceMicro: good.unitPriceMicro, stock: good.stock, stockByVariant: good.stockByVariant, minimum: good.minimum, maximum: good.maximum,
    races, groups, tiers, fields, contact, delivery,
  }
}

function asMarkup(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/\r?\n/g, '<br>')
}

/** A stable integer for a category's name: FNV-1a, 31 bits, never zero. */
function categoryNumber(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash >>> 1) || 1
}
