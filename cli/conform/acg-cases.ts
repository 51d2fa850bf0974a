import { createHash } from 'node:crypto'
import { Broken, expect, type Case } from './case.ts'
import type { Reply, Stand } from './exchange.ts'

export type AcgType = 0 | 1 | 2

type Fields = Record<string, string>

/** Fields but `sign`, the empty ones left out, by name, `k=v` joined by &, and the key at the end: MD5. */
function signatureOf(fields: Fields, key: string): string {
  const pairs = Object.keys(fields).filter((name) => fields[name] !== '').sort().map((name) => `${name}=${fields[name]}`)
  return createHash('md5').update(`${pairs.join('&')}&key=${key}`).digest('hex')
}

/** How a shop of one type asks; types 0 and 2 sign in the form, type 1 in its headers. */
class Shop {
  readonly stand: Stand
  readonly #type: AcgType

  constructor(stand: Stand, type: AcgType) {
    this.stand = stand
    this.#type = type
  }

  /** `change` spoils what a case is about. */
  call(name: string, fields: Fields = {}, change: { appKey?: string; appId?: string; after?: Fields } = {}): Promise<Reply> {
    const { docking } = this.stand
    const appKey = change.appKey ?? docking.appKey ?? ''
    const appId = change.appId ?? docking.appId ?? ''
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' }
    let form = fields
    if (this.#type === 1) Object.assign(headers, { 'api-id': appId, 'api-signature': signatureOf(fields, appKey) })
    else {
      const all = { ...fields, app_id: appId, app_key: appKey }
      form = { ...all, sign: signatureOf(all, appKey) }
    }
    return this.stand.send({ method: 'POST', path: PATHS[this.#type][name]!, headers, body: new URLSearchParams({ ...form, ...change.after }).toString() }, docking.baseUrl)
  }

  async good(): Promise<{ code: string; id: string; sku: string }> {
    const reply = await this.call('items')
    const list = this.#type === 1 ? (reply.body?.data ?? []) : (reply.body?.data ?? []).flatMap((category: any) => category.children ?? category.commodity ?? [])
    const good = list.find((one: any) => !one.config || Object.keys(one.config).length === 0) ?? list[0]
    if (!good) throw new Broken(`no good is offered: ${reply.text.slice(0, 120)}`)
    return { code: String(good.code ?? good.shared_code ?? ''), id: String(good.id ?? ''), sku: String(good.skus?.[0]?.id ?? good.sku?.[0]?.id ?? '') }
  }

  async trade(reference: string, quantity = '1'): Promise<Reply> {
    const good = await this.good()
    if (this.#type === 1) return this.call('trade', { sku_id: good.sku, quantity, trade_no: reference })
    return this.call('trade', { shared_code: good.code, contact: 'buyer', num: quantity, card_id: '0', device: '0', password: '', race: '', request_no: reference })
  }
}

const STORE = { connect: '/shared/authentication/connect', items: '/shared/commodity/items', trade: '/shared/commodity/trade', query: '/shared/commodity/query', stock: '/shared/commodity/stock' }
const PATHS: Readonly<Record<AcgType, Readonly<Record<string, string>>>> = {
  0: STORE,
  1: { connect: '/plugin/open-api/connect', items: '/plugin/open-api/items', trade: '/plugin/open-api/trade', query: STORE.query, stock: '/plugin/open-api/sku/stock' },
  // A shop of type 2 buys as one of type 0 does.
  2: { ...STORE, connect: '/plugin/SharedStock/api/connect', items: '/plugin/SharedStock/api/items', stock: '/plugin/SharedStock/api/stock' },
}

function took(reply: Reply): void {
  expect(reply.status === 200 && reply.body?.code === 200, `expected code 200, got ${reply.status} ${reply.text.slice(0, 160)}`)
}

/** This protocol says no in `msg`; the status is 200 whatever happened. */
function no(reply: Reply, words: RegExp): void {
  expect(reply.status === 200 && reply.body !== null, `a refusal is HTTP 200 with JSON here, got ${reply.status}`)
  expect(reply.body.code !== 200, 'it was accepted')
  expect(typeof reply.body.msg === 'string' && reply.body.msg.length > 0 && reply.body.msg.length <= 200, `msg must be 1 to 200 characters, got ${String(reply.body.msg).slice(0, 60)}`)
  expect(words.test(reply.body.msg), `msg says "${reply.body.msg}"`)
}

function aCase(type: AcgType, id: string, en: string, zh: string, run: (shop: Shop, stand: Stand) => Promise<void>): Case {
  return { id: `acg${type}.${id}`, what: { en, zh }, run: (stand) => run(new Shop(stand, type), stand) }
}

const STRANGER = /商户ID不存在或密钥错误/

/** What a shop of the acg-faka family is promised. */
export function acgCases(type: AcgType): readonly Case[] {
  return [
    aCase(type, 'connect', 'a right signature connects and is told the balance', '正确签名可连接并返回余额', async (shop) => {
      const reply = await shop.call('connect')
      took(reply)
      expect(reply.body.data !== null && typeof reply.body.data === 'object', 'connect answers data')
    }),
    aCase(type, 'wrong_key', 'a wrong key is refused in the words of the trade', '密钥错误按行业用语提示', async (shop) => no(await shop.call('connect', {}, { appKey: 'WRONGWRONGWRONG1' }), STRANGER)),
    aCase(type, 'wrong_id', 'an unknown id sounds like a wrong key', '商户ID未知与密钥错误提示一致', async (shop) => no(await shop.call('connect', {}, { appId: '999999999' }), STRANGER)),
    aCase(type, 'changed', 'a field that was changed after signing is refused', '签名后改动字段被拒', async (shop) => no(await shop.call('items', { page: '1' }, { after: { page: '2' } }), STRANGER)),
    aCase(type, 'items', 'goods are listed with codes or numbers', '商品列表带编码或编号', async (shop) => {
      const good = await shop.good()
      expect(good.code !== '' || good.sku !== '', 'a good has a code or a sku')
    }),
    aCase(type, 'utf8', 'answers are JSON in UTF-8', '应答为 UTF-8 的 JSON', async (shop) => {
      const reply = await shop.call('items')
      expect(/json/.test(reply.headers.get('content-type') ?? '') && !reply.text.includes('\ufffd'), 'the answer is no JSON in UTF-8')
    }),
    aCase(type, 'trade', 'a trade is answered with the card', '下单返回卡密', async (shop, stand) => {
      const reply = await shop.trade(stand.name('T') + Date.now().toString(36))
      took(reply)
      expect(String(reply.body.data?.secret ?? reply.body.data?.contents ?? reply.body.data).length > 0, 'the trade carries its card')
    }),
    aCase(type, 'repeat', 'a repeated number gets the same card', '同一请求号得到同一卡密', async (shop, stand) => {
      const reference = stand.name('T') + Date.now().toString(36)
      const [first, again] = [await shop.trade(reference), await shop.trade(reference)]
      took(first)
      took(again)
      const secret = (reply: Reply) => JSON.stringify(reply.body.data?.secret ?? reply.body.data?.contents ?? reply.body.data)
      expect(secret(first) === secret(again), 'the repeat carries another card')
    }),
    aCase(type, 'at_once', 'five equal trades at once are one', '并发五个相同下单只有一单', async (shop, stand) => {
      const reference = stand.name('T') + Date.now().toString(36)
      const replies = await Promise.all(Array.from({ length: 5 }, () => shop.trade(reference)))
      for (const reply of replies) took(reply)
      expect(new Set(replies.map((reply) => JSON.stringify(reply.body.data?.secret ?? reply.body.data?.contents ?? reply.body.data))).size === 1, 'five trades, more than one card')
    }),
    aCase(type, 'reused', 'another quantity under a bound number is refused', '同一请求号换数量被拒', async (shop, stand) => {
      const reference = stand.name('T') + Date.now().toString(36)
      took(await shop.trade(reference))
      no(await shop.trade(reference, '2'), /订单号/)
    }),
    aCase(type, 'quantity', 'a quantity outside the offer is refused in words', '数量超出范围有明确提示', async (shop, stand) => no(await shop.trade(stand.name('T') + Date.now().toString(36), '100000'), /\p{Script=Han}/u)),
    aCase(type, 'not_a_form', 'a JSON body is told what is read here', '发送 JSON 正文有明确提示', async (_shop, stand) => {
      const reply = await stand.send({ method: 'POST', path: PATHS[type].connect!, headers: { 'content-type': 'application/json' }, body: '{}' }, stand.docking.baseUrl)
      no(reply, /application\/x-www-form-urlencoded/)
    }),
    aCase(type, 'path', 'an unknown address is told as such', '不存在的接口有明确提示', async (_shop, stand) => {
      const reply = await stand.send({ method: 'POST', path: '/shared/no/such', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' }, stand.docking.baseUrl)
      no(reply, /接口地址不存在/)
    }),
  ]
}
