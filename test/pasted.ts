import { createHash, createHmac, randomBytes } from 'node:crypto'
import { signRequest } from '../protocol/signature.ts'
import { encodeForm, signatureOf, type Params } from './acg-shop.ts'
import type { TestDocking } from './hub.ts'

type Headers = Record<string, string>

/** The bytes of a request: line, headers, body; `content-length` is counted unless it is given. */
export function bytesOf(line: string, headers: Headers, body: string | Uint8Array = '', lineEnd = '\r\n'): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body)
  const given = Object.keys(headers).map((name) => name.toLowerCase())
  const all = { ...headers, ...(given.includes('content-length') || given.includes('transfer-encoding') || (bytes.length === 0 && line.startsWith('GET')) ? {} : { 'Content-Length': String(bytes.length) }) }
  const head = [`${line} HTTP/1.1`, ...Object.entries(all).map(([name, value]) => `${name}: ${value}`)].join(lineEnd)
  return Buffer.concat([Buffer.from(`${head}${lineEnd}${lineEnd}`), bytes])
}

export type Signing = { authority?: string; path?: string; secret?: string; keyId?: string; created?: number; drop?: string[]; change?: (headers: Headers) => Headers }

/** A call of the JSON API, signed by RFC 9421; `signing` says what goes wrong. */
export function signedBytes(docking: TestDocking, url: string, method: string, path: string, body: string | Uint8Array | null, signing: Signing = {}, more: Headers = {}): Buffer {
  const { host } = new URL(url)
  const bytes = body === null ? undefined : Buffer.from(body as string)
  const headers = signRequest({ method, url: `http://${signing.authority ?? host}${signing.path ?? path}`, ...(bytes === undefined ? {} : { body: bytes }) }, {
    keyid: signing.keyId ?? docking.keyId!, created: signing.created ?? Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
    hmacSha256: (base) => createHmac('sha256', signing.secret ?? docking.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
  }) as Headers
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !signing.drop?.includes(name)))
  return bytesOf(`${method} ${path}`, { Host: host, ...(bytes === undefined ? {} : { 'Content-Type': 'application/json' }), ...(signing.change ? signing.change(kept) : kept), ...more }, bytes ?? '')
}

export function bearerBytes(docking: Pick<TestDocking, 'apiKey'>, url: string, method: string, path: string, body: string | Uint8Array | null, more: Headers = {}): Buffer {
  return bytesOf(`${method} ${path}`, { Host: new URL(url).host, Authorization: `Bearer ${docking.apiKey}`, ...(body === null ? {} : { 'Content-Type': 'application/json' }), ...more }, body ?? '')
}

export type ShopMistake = { key?: string; appId?: string; sign?: (params: Params, key: string) => string; type?: string; mount?: string; headers?: Headers; form?: (form: string) => string | Uint8Array; method?: string }

/** A call of an acg-faka shop of type 0 or 2; `mistake` says what goes wrong. */
export function shopBytes(docking: TestDocking, url: string, path: string, params: Params, mistake: ShopMistake = {}): Buffer {
  const key = mistake.key ?? docking.appKey!
  const all: Params = { ...params, app_id: mistake.appId ?? docking.appId!, app_key: key }
  const form = encodeForm({ ...all, sign: (mistake.sign ?? signatureOf)(all, key) })
  const body = mistake.form ? mistake.form(form) : form
  return bytesOf(`${mistake.method ?? 'POST'} ${mistake.mount ?? new URL(docking.baseUrl).pathname}${path}`, { Host: new URL(url).host, 'User-Agent': 'GuzzleHttp/7', 'Content-Type': mistake.type ?? 'application/x-www-form-urlencoded', ...mistake.headers }, body)
}

/** The same of type 1, which signs in its headers. */
export function openBytes(docking: TestDocking, url: string, path: string, params: Params, { key = docking.appKey!, sign }: { key?: string; sign?: string } = {}): Buffer {
  return bytesOf(`POST ${new URL(docking.baseUrl).pathname}/plugin/open-api${path}`, {
    Host: new URL(url).host, 'Content-Type': 'application/x-www-form-urlencoded', 'Api-Id': docking.appId!, 'Api-Signature': sign ?? signatureOf(params, key),
  }, encodeForm(params))
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
