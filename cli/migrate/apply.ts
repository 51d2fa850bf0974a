import { IMPORT_TIMEOUT_MS, type Answer, type Client, type Problem as Refusal } from '../client.ts'
import { WrongUsage, type Words } from '../problem.ts'
import type { OldCard, OldOrder } from './old-site.ts'
import { openSite } from './plan.ts'
import { readList, readWhole, type Plan, type PlannedGoodRow } from './plan-folder.ts'
import { CardSelection, chooseOrder, type ChosenCard, type ChosenOrder } from './selection.ts'

/** Something that the hub left out, with its reason. */
export type LeftRow = { what: string; id: string; code: string; message: Words }

export type Applied = {
  partners: { opened: number; known: number }
  goods: { added: number; changed: number; unchanged: number }
  prices: number
  orders: { written: number; known: number }
  balances: { moved: number; known: number }
  cards: { staged: number; known: number }
  /** Null when the cards were left for another day. */
  published: { lots: number; cards: number; withdrawn: number; keptBack: number } | null
  addresses: { member: string; docking: string; baseUrl: string }[]
  left: LeftRow[]
}

/** The hub refused a whole step: nothing after it was tried, and the same command goes on from there. */
export class StepRefused extends Error {
  readonly problem: Refusal

  constructor(problem: Refusal) {
    super(problem.detail)
    this.problem = problem
  }
}

type Row = { outcome: 'done' | 'known' | 'left'; code?: string; message?: Words }

/** Under the five megabytes that the hub reads at once, with room for escapes. */
const CHUNK_BYTES = 2_000_000
const ROWS = { partners: 200, goods: 500, prices: 2_000, orders: 1_000, balances: 200, cards: 2_000 } as const

/**
 * Brings a plan to the hub. Every step says what shall be, so the whole may be run again at any time and goes on where it
 * was. The order of the steps is what keeps money safe: old numbers are bound before balances come, balances before cards.
 */
export class Applier {
  readonly #client: Client
  readonly #folder: string
  readonly #plan: Plan
  readonly #progress: (text: string) => void
  readonly #done: Applied = {
    partners: { opened: 0, known: 0 }, goods: { added: 0, changed: 0, unchanged: 0 }, prices: 0, orders: { written: 0, known: 0 },
    balances: { moved: 0, known: 0 }, cards: { staged: 0, known: 0 }, published: null, addresses: [], left: [],
  }

  constructor(client: Client, folder: string, plan: Plan, progress: (text: string) => void) {
    this.#client = client
    this.#folder = folder
    this.#plan = plan
    this.#progress = progress
  }

  /** @param withCards false leaves the cards where they are: a parallel run sells nothing here */
  async run(withCards: boolean): Promise<Applied> {
    const { source, suspended, counts } = this.#plan
    if (suspended === null && counts.suspended > 0) {
      throw new WrongUsage({
        en: `${counts.suspended} members are suspended at the old site: make the plan anew with --suspended open or --suspended leave.`,
        zh: `旧站有 ${counts.suspended} 个会员处于封禁状态：请用 --suspended open 或 --suspended leave 重新生成计划。`,
      })
    }
    const site = openSite(source.path, source.prefix)
    const { sha256 } = await site.digest(() => {})
    if (sha256 !== source.sha256) throw new WrongUsage({ en: `${source.path} is no longer what the plan was made from: make a new plan, or berth migrate follow.`, zh: `${source.path} 的内容已与生成计划时不同，请重新生成计划或使用 berth migrate follow。` })
    const begun = must(await this.#client.post<{ publishedStep: number }>(`/operator/migrations/${this.#plan.migration}`, { step: this.#plan.step, source: sha256 }))
    await this.#partners(new Map((await site.tables()).partners.map((partner) => [partner.member, partner.appKey])))
    const goods = (await readWhole(this.#folder, 'goods')).filter((good) => good.isTaken)
    await this.#goods(goods)
    const isPublished = begun.publishedStep === this.#plan.step
    await this.#rows(site.rows(), goods, withCards && !isPublished)
    await this.#balances()
    await this.#prices()
    if (withCards) this.#done.published = must(await this.#post('publication', { cards: this.#done.cards.staged + this.#done.cards.known }))
    this.#progress('')
    return this.#done
  }

  #post<T>(what: string, body: object): Promise<Answer<T>> {
    return this.#client.post<T>(`/operator/migrations/${this.#plan.migration}/${what}`, { step: this.#plan.step, ...body }, IMPORT_TIMEOUT_MS)
  }

  async #partners(keys: ReadonlyMap<string, string>): Promise<void> {
    for await (const rows of chunks(readList(this.#folder, 'partners'), ROWS.partners)) {
      const items = rows.map(({ member, name }) => ({ member, name, appKey: keys.get(member)! }))
      const { items: opened } = must(await this.#post<{ items: { member: string; docking: string; baseUrl: string; outcome: string }[] }>('partners', { items }))
      for (const { member, docking, baseUrl, outcome } of opened) {
        this.#done.partners[outcome === 'done' ? 'opened' : 'known']++
        this.#done.addresses.push({ member, docking, baseUrl })
      }
      this.#progress(`${this.#done.addresses.length} / ${this.#plan.counts.partners}`)
    }
  }

  async #goods(goods: readonly PlannedGoodRow[]): Promise<void> {
    for await (const rows of chunks(asAsync(goods), ROWS.goods)) {
      const items = rows.map(({ key: _, cards: __, isTaken: ___, kinds, ...good }) => ({ ...good, ...kinds }))
      const answer = must(await this.#post<{ added: number; changed: number; unchanged: number; errors: { line: number; code: string; message: Words }[]; inUse: string[] }>('goods', { items }))
      for (const name of ['added', 'changed', 'unchanged'] as const) this.#done.goods[name] += answer[name]
      const sent = items.filter((good) => !answer.inUse.includes(good.code))
      for (const { line, code, message } of answer.errors) this.#left('good', sent[line - 1]?.code ?? '', code, message)
      for (const code of answer.inUse) this.#left('good', code, 'catalogue.good_reused', { en: 'The hub has a good of its own under this code: it was left as it is.', zh: '本站已有此编码的商品，未作改动。' })
    }
  }

  /** One walk over the old site: orders are bound and cards are staged as they come. */
  async #rows(batches: AsyncIterable<readonly (OldCard | OldOrder)[]>, goods: readonly PlannedGoodRow[], withCards: boolean): Promise<void> {
    const members = new Set((await readWhole(this.#folder, 'partners')).map((partner) => partner.member))
    const codes = new Map(goods.map((good) => [good.key, good.code]))
    const selection = new CardSelection(goods)
    const orders = new Chunk<ChosenOrder>(ROWS.orders, (items) => this.#sendOrders(items))
    const cards = new Chunk<ChosenCard>(ROWS.cards, (items) => this.#sendCards(items))
    for await (const batch of batches) {
      for (const row of batch) {
        if (row.type === 'order') {
          const { taken } = chooseOrder(row, (member) => members.has(member), codes)
          if (taken) await orders.add(taken)
        } else if (withCards) {
          const { taken } = selection.choose(row)
          if (taken) await cards.add(taken)
        }
      }
    }
    await orders.end()
    await cards.end()
  }

  async #sendOrders(items: readonly ChosenOrder[]): Promise<void> {
    const { items: rows } = must(await this.#post<{ items: (Row & { tradeNo: string })[] }>('orders', { items }))
    for (const row of rows) {
      if (row.outcome === 'left') this.#left('order', row.tradeNo, row.code!, row.message!)
      else this.#done.orders[row.outcome === 'done' ? 'written' : 'known']++
    }
    this.#progress(`${this.#done.orders.written + this.#done.orders.known} / ${this.#plan.counts.orders}`)
  }

  async #sendCards(items: readonly ChosenCard[]): Promise<void> {
    const { staged, known, left } = must(await this.#post<{ staged: number; known: number; left: { index: number; code: string; message: Words }[] }>('cards', { items }))
    this.#done.cards.staged += staged
    this.#done.cards.known += known
    // The good is named, and never the card.
    for (const { index, code, message } of left) this.#left('card', items[index]!.good, code, message)
    this.#progress(`${this.#done.cards.staged + this.#done.cards.known} / ${this.#plan.counts.cards}`)
  }

  async #balances(): Promise<void> {
    for await (const rows of chunks(readList(this.#folder, 'partners'), ROWS.balances)) {
      const { items } = must(await this.#post<{ items: (Row & { member: string })[] }>('balances', { items: rows.map(({ member, balance }) => ({ member, balance })) }))
      for (const row of items) {
        if (row.outcome === 'left') this.#left('balance', row.member, row.code!, row.message!)
        else this.#done.balances[row.outcome === 'done' ? 'moved' : 'known']++
      }
    }
  }

  async #prices(): Promise<void> {
    for await (const items of chunks(readList(this.#folder, 'prices'), ROWS.prices)) {
      const { changed, left } = must(await this.#post<{ changed: number; left: { member: string; good: string; race?: string; code: string; message: Words }[] }>('prices', { items }))
      this.#done.prices += changed
      for (const { member, good, race, code, message } of left) this.#left('price', [member, good, race].filter(Boolean).join(' '), code, message)
    }
  }

  #left(what: string, id: string, code: string, message: Words): void {
    this.#done.left.push({ what, id, code, message })
  }
}

/** Collects rows until there are enough of them, by number or by bytes. */
class Chunk<T> {
  #rows: T[] = []
  #bytes = 0
  readonly #most: number
  readonly #send: (rows: readonly T[]) => Promise<void>

  constructor(most: number, send: (rows: readonly T[]) => Promise<void>) {
    this.#most = most
    this.#send = send
  }

  async add(row: T): Promise<void> {
    const size = Buffer.byteLength(JSON.stringify(row))
    if (this.#rows.length === this.#most || (this.#rows.length > 0 && this.#bytes + size > CHUNK_BYTES)) await this.end()
    this.#rows.push(row)
    this.#bytes += size
  }

  async end(): Promise<void> {
    if (this.#rows.length === 0) return
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    await this.#send(rows)
  }
}

async function* chunks<T>(rows: AsyncIterable<T>, most: number): AsyncGenerator<T[]> {
  let chunk: T[] = []
  let bytes = 0
  for await (const row of rows) {
    const size = Buffer.byteLength(JSON.stringify(row))
    if (chunk.length === most || (chunk.length > 0 && bytes + size > CHUNK_BYTES)) {
      yield chunk
      chunk = []
      bytes = 0
    }
    chunk.push(row)
    bytes += size
  }
  if (chunk.length > 0) yield chunk
}

async function* asAsync<T>(rows: readonly T[]): AsyncGenerator<T> {
  yield* rows
}

function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new StepRefused(answer.problem)
  return answer.body
}
