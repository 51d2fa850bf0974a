import { createHash } from 'node:crypto'
import { exchange, type RawReply, type Json } from './raw-http.ts'

/** A value as PHP's arrays hold it: text, or one level of names below (`sku[区服]`). */
export type Params = Record<string, string | Record<string, string>>

export type ShopReply = RawReply & { code: number; msg: string; data: Json }

/**
 * A shop of the acg-faka family, from the side that buys: its signature, its headers, a connection for every call.
 * Written from the protocol's description, apart from the hub's own reader of the same protocol.
 */
export type Shop = {
  readonly base: string
  call(path: string, params?: Params): Promise<ShopReply>
  /** The fields with credentials and signature, as they travel. */
  form(params: Params): string
  connect(): Promise<ShopReply>
  items(): Promise<ShopReply>
  item(code: string): Promise<ShopReply>
  stock(code: string, choice?: Params): Promise<ShopReply>
  valuation(code: string, num: number, choice?: Params): Promise<ShopReply>
  query(tradeNo: string): Promise<ShopReply>
  /** Type 1: signed in the headers, goods named by numbers. */
  open(path: string, params?: Params): Promise<ShopReply>
  trade(code: string, num: number, requestNo: string, more?: Params): Promise<ShopReply>
}

export type ShopAccount = { baseUrl: string; appId?: string | null; appKey?: string }

export function openShop({ baseUrl, appId, appKey = '' }: ShopAccount): Shop {
  const form = (params: Params) => {
    const all: Params = { ...params, app_id: appId ?? '', app_key: appKey }
    return encodeForm({ ...all, sign: signatureOf(all, appKey) })
  }
  const call = (path: string, params: Params = {}) => post(baseUrl, path, form(params))
  return {
    base: baseUrl, call, form,
    connect: () => call('/shared/authentication/connect'),
    items: () => call('/shared/commodity/items'),
    item: (code) => call('/shared/commodity/item', { code }),
    stock: (code, choice = {}) => call('/shared/commodity/stock', { code, ...choice }),
    valuation: (code, num, choice = {}) => call('/shared/commodity/valuation', { code, num: String(num), race: '', ...choice, card_id: '0' }),
    query: (tradeNo) => call('/shared/commodity/query', { tradeNo }),
    open: (path, params = {}) => post(baseUrl, `/plugin/open-api${path}`, encodeForm(params), { 'Api-Id': appId ?? '', 'Api-Signature': signatureOf(params, appKey) }),
    trade: (code, num, requestNo, more = {}) => call('/shared/commodity/trade', tradeFields(code, num, requestNo, more)),
  }
}

export function tradeFields(code: string, num: number | string, requestNo: string, more: Params = {}): Params {
  return { shared_code: code, contact: 'ce3975111a8831df', num: String(num), card_id: '0', device: '0', password: '', race: '', request_no: requestNo, ...more }
}

/** Sends the bytes of a form as Guzzle does: four headers, no Accept, a new connection. */
export async function post(baseUrl: string, path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<ShopReply> {
  const { replies } = await exchange(baseUrl, postBytes(baseUrl, path, body, undefined, headers), { timeoutMs: 25_000 })
  const reply = replies[0]
  if (!reply) throw new Error(`no answer to ${path}`)
  return { ...reply, code: reply.body?.code, msg: reply.body?.msg, data: reply.body?.data }
}

export function postBytes(baseUrl: string, path: string, body: string | Uint8Array, type = 'application/x-www-form-urlencoded', headers: Record<string, string> = {}): Uint8Array {
  const { host, pathname: written } = new URL(baseUrl)
  const pathname = written.replace(/\/$/, '')
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const head = `POST ${pathname}${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: GuzzleHttp/7\r\n${more}Content-Type: ${type}\r\nContent-Length: ${bytes.byteLength}\r\nConnection: close\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

/** md5 over all fields but `sign` and the empty ones, sorted by name, `k=v` joined by &, and the key at the end. */
export function signatureOf(params: Params, key: string): string {
  const pairs = Object.keys(params).filter((name) => name !== 'sign' && params[name] !== '').sort().flatMap((name) => pairsOf(name, params[name]!))
  return createHash('md5').update(`${pairs.map(([name, value]) => `${name}=${value}`).join('&')}&key=${key}`).digest('hex')
}

export function encodeForm(params: Params): string {
  return Object.keys(params).flatMap((name) => pairsOf(name, params[name]!)).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
}

function pairsOf(name: string, value: string | Record<string, string>): [string, string][] {
  return typeof value === 'string' ? [[name, value]] : Object.entries(value).map(([inner, text]) => [`${name}[${inner}]`, text])
}
