import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { formatAmount, MICRO_PER_FEN, parseAmount } from '../../protocol/money.ts'
import { WrongUsage, type Words } from '../problem.ts'
import { openAcgDump } from './acg-site.ts'
import { openCsvFolder } from './csv-site.ts'
import type { OldCard, OldGood, OldOrder, OldPartner, OldSite, OldTables, Problem } from './old-site.ts'
import { listFile, ListWriter, makePlanFolder, readList, type Count, type Plan, type PlannedGoodRow, type PlannedPartner, type PlannedPrice } from './plan-folder.ts'
import { CardSelection, chooseOrder } from './selection.ts'

export type PlanAsk = {
  source: string
  prefix: string
  folder: string
  migration: string
  partners: Plan['partners']
  suspended: Plan['suspended']
  /** The plan that this one follows; null for the first. */
  previous: { folder: string; plan: Plan } | null
  onBytes: (bytes: number) => void
}

type Tally = { orders: number; references: number; amountMicro: bigint; isDocked: boolean }

const KEY = /^[A-Za-z0-9._:@-]{16,64}$/
const MEMBER = /^[A-Za-z0-9._:@-]{1,32}$/

export function openSite(source: string, prefix: string): OldSite {
  let isFolder: boolean
  try {
    isFolder = statSync(source).isDirectory()
  } catch {
    throw new WrongUsage({ en: `${source} cannot be read.`, zh: `无法读取 ${source}。` })
  }
  return isFolder ? openCsvFolder(source) : openAcgDump(source, prefix)
}

/**
 * Reads the old site and writes down what would come over, without asking any hub. Money is counted in µCNY and proven:
 * what comes over and what stays are together what the old site has.
 */
export async function makePlan(ask: PlanAsk): Promise<Plan> {
  const site = openSite(ask.source, ask.prefix)
  makePlanFolder(ask.folder)
  const { sha256, bytes } = await site.digest(ask.onBytes)
  const tables = await site.tables()
  return new Planner(ask, tables).run(site, { path: resolve(ask.source), kind: site.kind, sha256, bytes, prefix: ask.prefix })
}

class Planner {
  readonly #ask: PlanAsk
  readonly #tables: OldTables
  readonly #problems: ListWriter<Problem>
  readonly #counts: Record<Count, number> = {
    partners: 0, partnersLeft: 0, suspended: 0, goods: 0, goodsLeft: 0, prices: 0, cards: 0, cardsLeft: 0, cardsOfKinds: 0, cardsSold: 0,
    orders: 0, references: 0, ordersLeft: 0, ordersUnpaid: 0, ordersOfOthers: 0, ordersUndelivered: 0, problems: 0,
  }
  readonly #tallies = new Map<string, Tally>()
  /** Whom an earlier reading brought: they stay, so that their balances follow to the end. */
  readonly #known = new Set<string>()

  constructor(ask: PlanAsk, tables: OldTables) {
    this.#ask = ask
    this.#tables = tables
    this.#problems = new ListWriter(listFile(ask.folder, 'problems'))
  }

  async run(site: OldSite, source: Plan['source']): Promise<Plan> {
    const counts = this.#counts
    if (this.#ask.previous) for await (const partner of readList(this.#ask.previous.folder, 'partners')) this.#known.add(partner.member)
    for (const problem of this.#tables.problems) await this.#problems.add(problem)
    const goods = await this.#chooseGoods()
    const cardsOf = await this.#countRows(site, goods)
    const { taken, balancesMicro, leftMicro } = await this.#choosePartners()
    await this.#writeGoods(goods, cardsOf)
    await this.#writePrices(new Set(taken.map((partner) => partner.member)))
    await this.#problems.end()
    counts.problems = this.#problems.count
    const ordersMicro = taken.reduce((sum, partner) => sum + parseAmount(partner.amount)!, 0n)
    return {
      format: 1, migration: this.#ask.migration, step: (this.#ask.previous?.plan.step ?? 0) + 1, source, partners: this.#ask.partners,
      suspended: this.#ask.suspended, counts,
      sums: { balances: formatAmount(balancesMicro), balancesLeft: formatAmount(leftMicro), orders: formatAmount(ordersMicro) },
      aside: Object.fromEntries(this.#tables.aside),
    }
  }

  async #note(outcome: Problem['outcome'], table: string, row: { line: number }, id: string, what: Words): Promise<void> {
    await this.#problems.add({ outcome, table, id, line: row.line, what })
  }

  async #chooseGoods(): Promise<OldGood[]> {
    const codes = new Set<string>()
    const taken: OldGood[] = []
    for (const good of this.#tables.goods) {
      const left = good.left ?? (codes.has(good.code) ? { en: `the code ${good.code} stands twice`, zh: `编码 ${good.code} 重复` } : null)
      codes.add(good.code)
      if (left) {
        this.#counts.goodsLeft++
        await this.#note('left', 'commodity', good, good.key, left)
      } else taken.push(good)
    }
    this.#counts.goods = taken.length
    return taken
  }

  /** One walk over cards and orders. Which partners come over is not known yet: their orders are tallied for all. */
  async #countRows(site: OldSite, goods: readonly OldGood[]): Promise<Map<string, number>> {
    const selection = new CardSelection(goods.map(({ key, code, kinds }) => ({ key, code, kinds, cards: 0 })))
    const codes = new Map(goods.map((good) => [good.key, good.code]))
    const withKinds = new Set(this.#tables.goods.filter((good) => good.left !== null && good.kinds !== null).map((good) => good.key))
    const members = new Set(this.#tables.partners.map((partner) => partner.member))
    const cardsOf = new Map<string, number>()
    for await (const rows of site.rows()) {
      for (const row of rows) {
        if (row.type === 'card') await this.#countCard(row, selection, cardsOf, withKinds)
        else await this.#countOrder(row, members, codes)
      }
    }
    return cardsOf
  }

  async #countCard(card: OldCard, selection: CardSelection, cardsOf: Map<string, number>, withKinds: ReadonlySet<string>): Promise<void> {
    const { taken, left } = selection.choose(card)
    if (taken) {
      this.#counts.cards++
      cardsOf.set(taken.good, (cardsOf.get(taken.good) ?? 0) + 1)
    } else if (left) {
      this.#counts.cardsLeft++
      await this.#note('left', 'card', card, card.id, left.words)
    } else if (card.state === 'sold') this.#counts.cardsSold++
    else if (withKinds.has(card.good)) this.#counts.cardsOfKinds++
    else this.#counts.cardsLeft++
  }

  async #countOrder(order: OldOrder, members: ReadonlySet<string>, codes: ReadonlyMap<string, string>): Promise<void> {
    if (!order.isPaid) return void this.#counts.ordersUnpaid++
    const { taken, left } = chooseOrder(order, (member) => members.has(member), codes)
    if (left) {
      this.#counts.ordersLeft++
      return this.#note('left', 'order', order, order.tradeNo, left.words)
    }
    if (!taken) return void this.#counts.ordersOfOthers++
    const tally = this.#tallies.get(order.member) ?? { orders: 0, references: 0, amountMicro: 0n, isDocked: false }
    this.#tallies.set(order.member, tally)
    tally.orders++
    if (order.reference !== null) {
      tally.references++
      tally.isDocked = true
    }
    tally.amountMicro += parseAmount(order.amount)!
    if (!order.isDelivered) {
      this.#counts.ordersUndelivered++
      await this.#note('decide', 'order', order, order.tradeNo, { en: 'it is paid and not delivered: deliver it at the old site before the last reading', zh: '已付款未发货：请在最后一次读取前于旧站发货' })
    }
  }

  async #choosePartners(): Promise<{ taken: PlannedPartner[]; balancesMicro: bigint; leftMicro: bigint }> {
    const list = new ListWriter<PlannedPartner>(listFile(this.#ask.folder, 'partners'))
    const members = new Set<string>()
    const taken: PlannedPartner[] = []
    let balancesMicro = 0n
    let leftMicro = 0n
    for (const partner of this.#tables.partners) {
      const tally = this.#tallies.get(partner.member) ?? { orders: 0, references: 0, amountMicro: 0n, isDocked: false }
      const balance = parseAmount(partner.balance)
      const left = members.has(partner.member) ? { en: 'the member stands twice', zh: '会员重复' } : hindrance(partner, balance)
      members.add(partner.member)
      const wanted = this.#ask.partners === 'all' || this.#known.has(partner.member) || tally.isDocked || (balance ?? 0n) > 0n
      const isOpen = left === null && wanted && (await this.#mayOpen(partner))
      if (wanted && left) await this.#note('left', 'user', partner, partner.member, left)
      if (!isOpen) {
        this.#counts.partnersLeft++
        this.#counts.ordersOfOthers += tally.orders
        leftMicro += balance ?? 0n
        continue
      }
      balancesMicro += balance!
      this.#counts.orders += tally.orders
      this.#counts.references += tally.references
      const row = { member: partner.member, name: nameOf(partner), balance: formatAmount(balance!), isSuspended: partner.isSuspended, orders: tally.orders, references: tally.references, amount: formatAmount(tally.amountMicro) }
      taken.push(row)
      await list.add(row)
    }
    await list.end()
    this.#counts.partners = taken.length
    return { taken, balancesMicro, leftMicro }
  }

  /** Nobody is held here because the old site held them, and nobody comes in unseen: a person says which. */
  async #mayOpen(partner: OldPartner): Promise<boolean> {
    if (!partner.isSuspended) return true
    this.#counts.suspended++
    await this.#note('decide', 'user', partner, partner.member, {
      en: this.#ask.suspended === 'open' ? 'suspended there and open here: hold it by a decision of its own if there is a ground' : 'suspended there: say --suspended open or --suspended leave',
      zh: this.#ask.suspended === 'open' ? '旧站已封禁，迁入后为开通状态：如有依据，请另行作出处理决定' : '旧站已封禁：请用 --suspended open 或 --suspended leave 指明如何处理',
    })
    return this.#ask.suspended === 'open' || this.#known.has(partner.member)
  }

  async #writeGoods(taken: readonly OldGood[], cardsOf: ReadonlyMap<string, number>): Promise<void> {
    const list = new ListWriter<PlannedGoodRow>(listFile(this.#ask.folder, 'goods'))
    const isTaken = new Set(taken)
    for (const good of this.#tables.goods) {
      const { key, code, name, category, description, unitPrice, minimum, maximum, onSale, kinds } = good
      const planned = isTaken.has(good)
      await list.add({ key, code, name, category, description, unitPrice, minimum, maximum, onSale, cards: planned ? (cardsOf.get(code) ?? 0) : 0, isTaken: planned, kinds })
    }
    await list.end()
  }

  /** A price of its own that a partner no longer has goes back to the list price, since prices are written and never deleted. */
  async #writePrices(members: ReadonlySet<string>): Promise<void> {
    const list = new ListWriter<PlannedPrice>(listFile(this.#ask.folder, 'prices'))
    const listPrices = new Map(this.#tables.goods.filter((good) => good.left === null).flatMap(({ code, unitPrice, kinds }) =>
      kinds?.races?.map((race): [string, string] => [shelfOf({ good: code, race: race.name }), race.unitPrice]) ?? [[shelfOf({ good: code }), unitPrice] as [string, string]]))
    const kept = new Set<string>()
    for (const price of this.#tables.prices()) {
      if (!members.has(price.member)) continue
      const micro = parseAmount(price.unitPrice)
      const listed = listPrices.get(shelfOf(price))
      const left = !micro || listed === undefined ? { en: `a price of ${price.unitPrice} for a good that is not there, or that is no price`, zh: `价格 ${price.unitPrice} 无效，或商品不存在` }
        : micro > parseAmount(listed)! ? { en: `a price of ${price.unitPrice} is dearer than the ${listed} that everybody pays`, zh: `价格 ${price.unitPrice} 高于公示价 ${listed}` } : null
      if (left) {
        await this.#note('left', 'price', { line: 0 }, `${price.member} ${shelfOf(price)}`.trim(), left)
        continue
      }
      kept.add(`${price.member} ${shelfOf(price)}`)
      await list.add({ ...price, unitPrice: formatAmount(micro!) })
    }
    if (this.#ask.previous) {
      for await (const price of readList(this.#ask.previous.folder, 'prices')) {
        const back = listPrices.get(shelfOf(price))
        if (back !== undefined && members.has(price.member) && !kept.has(`${price.member} ${shelfOf(price)}`)) await list.add({ ...price, unitPrice: back })
      }
    }
    await list.end()
    this.#counts.prices = list.count
  }
}

/** What has a price: a good, or one race of it. */
function shelfOf({ good, race = '' }: { good: string; race?: string }): string {
  return `${good} ${race}`
}

/** What the hub can call it. */
function nameOf({ name, member }: OldPartner): string {
  return [...name.replace(/[\u0000-\u001f\u007f<>]/g, '').trim()].slice(0, 40).join('') || `member ${member}`
}

function hindrance(partner: OldPartner, balanceMicro: bigint | null): Words | null {
  if (!MEMBER.test(partner.member)) return { en: 'its id holds what no id may', zh: '会员编号含有不允许的字符' }
  if (balanceMicro === null || balanceMicro % MICRO_PER_FEN !== 0n) return { en: `its balance is ${partner.balance}`, zh: `余额为 ${partner.balance}` }
  if (!KEY.test(partner.appKey)) return { en: 'its key cannot be kept: 16 to 64 letters, digits or . _ : @ -', zh: '密钥无法沿用：须为 16 至 64 个字母、数字或 . _ : @ -' }
  return null
}
