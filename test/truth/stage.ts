import assert from 'node:assert/strict'
import { openShop, type Params, type Shop, type ShopReply } from '../acg-shop.ts'
import type { Reply, TestDocking, TestHub } from '../hub.ts'
import type { RawReply } from '../raw-http.ts'

/** The ways in which a card platform can be docked, each with a voice of its own for a no. */
export type Way = 'json' | 'acg0' | 'acg1' | 'acg2'
export const WAYS: readonly Way[] = ['json', 'acg0', 'acg1', 'acg2']
export const SHOPS: readonly Way[] = ['acg0', 'acg1', 'acg2']

/** What whoever asked was shown. `text` is the sentence; a shop of the acg family gets nothing but that. */
export type Shown = {
  ok: boolean
  status: number
  code: string | null
  class: string | null
  because: Record<string, unknown>
  decision: string | null
  also: readonly { code: string; class: string }[]
  text: string
}

/** What an order asks beside the usual one card; every way says it in its own fields. */
export type Order = { good?: string; code?: string; quantity?: number; reference?: string; max?: string; race?: string; options?: Record<string, string>; form?: Record<string, string> }

let serial = 0

/** One docking, one good and one buyer that nothing hinders, until a cause is injected. */
export class Stage {
  readonly hub: TestHub
  readonly way: Way
  readonly docking: TestDocking
  /** A bearer key with `docking:read` alone: how an owner asks whose shop shows no messages. */
  readonly owner: string
  readonly code: string
  readonly good: string
  readonly number: number
  readonly shop: Shop

  private constructor(hub: TestHub, way: Way, made: { docking: TestDocking; owner: string; code: string; good: string; number: number }) {
    this.hub = hub
    this.way = way
    this.docking = made.docking
    this.owner = made.owner
    this.code = made.code
    this.good = made.good
    this.number = made.number
    this.shop = openShop(made.docking)
  }

  static async set(hub: TestHub, way: Way, more: { deposit?: string; cards?: number; good?: object; docking?: object } = {}): Promise<Stage> {
    const n = ++serial
    const dialect = way === 'json' ? 'json' : 'acg0'
    const docking = await hub.openDocking({
      name: `Shop ${n}`, mode: 'live', dialect, deposit: more.deposit ?? '1000.00',
      ...(dialect === 'acg0' ? { appId: String(1000 + n), appKey: `KEY-OF-SHOP-${String(n).padStart(6, '0')}` } : {}), ...more.docking,
    })
    const code = `G${n}`
    const good = await hub.stockGood({ code, cards: more.cards ?? 20, mode: 'live', minimum: 1, maximum: 10, ...more.good })
    const owner = await hub.operator('POST', `/operator/dockings/${docking.id}/keys`, { kind: 'bearer', scopes: ['docking:read'] })
    assert.equal(owner.status, 201, owner.text)
    const [number] = (await hub.hub.db.run({ text: 'select number from catalogue.goods where id = $1', values: [good] }))[0]!
    return new Stage(hub, way, { docking, owner: owner.body.credentials?.apiKey ?? owner.body.apiKey ?? owner.body.secret, code, good, number: Number(number) })
  }

  reference(): string {
    return `T-${++serial}`
  }

  /** Places an order for one card in the words of this way. */
  async buy(order: Order = {}): Promise<Shown> {
    const { quantity = 1, reference = this.reference(), max = '1000000' } = order
    if (this.way === 'json') {
      const body = { reference, good: order.good ?? this.good, quantity, maxUnitPrice: max, ...(order.race === undefined ? {} : { race: order.race }), ...(order.options ? { options: order.options } : {}), ...(order.form ? { form: order.form } : {}) }
      return shownProblem(await this.hub.signed(this.docking, 'POST', '/api/orders', body))
    }
    const choice: Params = { ...(order.race === undefined ? {} : { race: order.race }), ...(order.options ? { sku: order.options } : {}) }
    if (this.way === 'acg0') return shownShop(await this.shop.trade(order.code ?? this.code, quantity, reference, { ...choice, ...order.form }))
    if (this.way === 'acg1') return shownShop(await this.shop.open('/trade', { sku_id: await this.skuId(order), quantity: String(quantity), trade_no: reference, ...order.form }))
    // Type 2 asks its plugin for the price and places the order at the address of type 0.
    const { race, sku } = choice
    const valued = await this.shop.call('/plugin/SharedStock/api/valuation', { code: order.code ?? this.code, num: String(quantity), card_id: '0', ...(race === undefined ? {} : { race }), ...(sku === undefined ? {} : { sku }) })
    if (valued.code !== 200) return shownShop(valued)
    return shownShop(await this.shop.trade(order.code ?? this.code, quantity, reference, { ...choice, ...order.form }))
  }

  /** Sends what this shop would send after something in it was bent: another key, another path, a missing field. */
  async send(path: Record<Exclude<Way, 'json'>, string>, params: Params, shop: Shop = this.shop): Promise<Shown> {
    if (this.way === 'json') throw new Error('a JSON platform sends no form')
    const reply = this.way === 'acg1' ? await shop.open(path.acg1, params) : await shop.call(path[this.way], params)
    return shownShop(reply)
  }

  /** Type 1 names goods by numbers from its list; an unknown code has a number that nobody has. */
  async skuId(order: Order): Promise<string> {
    if (order.code !== undefined && order.code !== this.code) return '987654321'
    const list = (await this.shop.open('/items')).data as { id: number; sku: { id: number; race?: string; name?: string }[] }[] | null
    const item = Array.isArray(list) ? list.find((one) => one.id === this.number) : undefined
    return String(item?.sku[0]?.id ?? this.#lastSku ?? 1).toString()
  }

  #lastSku: number | undefined

  /** Remembers the number of the good's first kind, as a shop that has imported it does. */
  async importGood(): Promise<void> {
    if (this.way === 'acg1') this.#lastSku = Number(await this.skuId({}))
  }

  asOwner(method: string, path: string, body?: unknown): Promise<Reply> {
    return this.hub.bearer({ ...this.docking, apiKey: this.owner }, method, path, body)
  }

  operator(method: string, path: string, body?: unknown): Promise<Reply> {
    return this.hub.operator(method, path, body)
  }
}

export function shownProblem(reply: Pick<Reply, 'status' | 'body' | 'text'>): Shown {
  const { body } = reply
  const ok = reply.status < 300
  return {
    ok, status: reply.status, code: ok ? null : (body?.code ?? null), class: ok ? null : (body?.class ?? null), because: body?.because ?? {}, decision: body?.decision ?? null,
    also: body?.also ?? [], text: ok ? '' : String(body?.detail ?? reply.text),
  }
}

export function shownShop(reply: ShopReply | RawReply): Shown {
  const body = reply.body as { code?: number; msg?: string } | null
  const text = body?.msg ?? ''
  return { ok: body?.code === 200, status: reply.status, code: null, class: null, because: {}, decision: /处理决定 (dec_\w+)/.exec(text)?.[1] ?? null, also: [], text }
}
