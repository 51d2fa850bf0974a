import { createHash, createHmac, randomBytes } from 'node:crypto'
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import type { API_VERSIONS } from '../protocol/messages.ts'
import { signRequest } from '../protocol/signature.ts'
import { WrongUsage, type Lang, type Problem, type Words } from './problem.ts'

export type { Problem } from './problem.ts'

export type Answer<T> = { ok: true; status: number; replayed: boolean; body: T; checkpoint?: string } | { ok: false; problem: Problem }

/** `nobody`: the few calls that need no key. */
export type Credentials = { kind: 'nobody' } | { kind: 'bearer'; key: string } | { kind: 'signature'; keyId: string; keySecret: string }

/** Nobody answered, or something that is not a hub: an outage, as opposed to a refusal. */
export class HubUnreachable extends Error {
  readonly words: Words

  constructor(words: Words) {
    super(words.en)
    this.words = words
  }
}

export const IMPORT_TIMEOUT_MS = 600_000
const TIMEOUT_MS = 30_000
const VERSION: (typeof API_VERSIONS)[number] = '2026-12-01'

const agents = { 'http:': new HttpAgent({ keepAlive: true }), 'https:': new HttpsAgent({ keepAlive: true }) }

/** Speaks to one hub with one key. Every call either answers, refused or not, or throws HubUnreachable. */
export class Client {
  readonly url: string
  readonly #credentials: Credentials
  readonly #lang: Lang

  /** @param options.url the hub's address without a slash at the end */
  constructor(options: { url: string; credentials: Credentials; lang: Lang }) {
    this.url = options.url
    this.#credentials = options.credentials
    this.#lang = options.lang
  }

  get<T>(path: string, query: Record<string, string | readonly string[] | undefined> = {}, timeoutMs = TIMEOUT_MS): Promise<Answer<T>> {
    return this.#call('GET', path, query, null, timeoutMs)
  }

  post<T>(path: string, body: unknown, timeoutMs = TIMEOUT_MS): Promise<Answer<T>> {
    return this.#call('POST', path, {}, Buffer.from(JSON.stringify(body)), timeoutMs)
  }

  put<T>(path: string, body: unknown): Promise<Answer<T>> {
    return this.#call('PUT', path, {}, Buffer.from(JSON.stringify(body)), TIMEOUT_MS)
  }

  delete<T>(path: string): Promise<Answer<T>> {
    return this.#call('DELETE', path, {}, null, TIMEOUT_MS)
  }

  /** Sends a text of any length as it is read; what the source throws is thrown on, and the hub keeps nothing of it. */
  upload<T>(path: string, query: Record<string, string | readonly string[] | undefined>, text: AsyncIterable<string>): Promise<Answer<T>> {
    return this.#call('POST', path, query, Readable.from(text, { objectMode: false, encoding: 'utf8' }), IMPORT_TIMEOUT_MS)
  }

  /** Sends bytes as they are. */
  send<T>(path: string, bytes: Uint8Array): Promise<Answer<T>> {
    return this.#call('POST', path, {}, Readable.from([bytes]), TIMEOUT_MS, 'application/octet-stream')
  }

  /** All pages of a list that goes on by `next`; `cursor` is the name of the parameter that takes it. */
  async list<T>(path: string, cursor: string): Promise<Answer<T[]>> {
    const items: T[] = []
    let next: string | undefined
    do {
      const page = await this.get<{ items: T[]; next: string | null }>(path, { limit: '500', [cursor]: next })
      if (!page.ok) return page
      items.push(...page.body.items)
      next = page.body.next ?? undefined
    } while (next !== undefined)
    return { ok: true, status: 200, replayed: false, body: items }
  }

  async #call<T>(method: string, path: string, query: Record<string, string | readonly string[] | undefined>, body: Buffer | Readable | null, timeoutMs: number, type = 'text/plain; charset=utf-8'): Promise<Answer<T>> {
    const url = new URL(this.url + path)
    for (const [name, value] of Object.entries(query)) for (const one of value === undefined ? [] : [value].flat()) url.searchParams.append(name, one as string)
    const headers: Record<string, string | number> = { accept: 'application/json', 'accept-language': this.#lang === 'zh' ? 'zh-CN' : 'en', 'berth-version': VERSION }
    if (body instanceof Buffer) Object.assign(headers, { 'content-type': 'application/json', 'content-length': body.byteLength })
    else if (body) headers['content-type'] = type
    Object.assign(headers, this.#sign(method, url, body instanceof Buffer ? body : undefined))
    return readAnswer<T>(this.url, await exchange(url, { method, headers, body, timeoutMs }))
  }

  #sign(method: string, url: URL, body: Buffer | undefined): Record<string, string> {
    const credentials = this.#credentials
    if (credentials.kind === 'nobody') return {}
    if (credentials.kind === 'bearer') return { authorization: `Bearer ${credentials.key}` }
    return signRequest({ method, url, ...(body ? { body } : {}) }, {
      keyid: credentials.keyId,
      created: Math.floor(Date.now() / 1000),
      nonce: randomBytes(16).toString('hex'),
      hmacSha256: (base) => createHmac('sha256', credentials.keySecret).update(base).digest(),
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    })
  }
}

type Exchange = { method: string; headers: Record<string, string | number>; body: Buffer | Readable | null; timeoutMs: number }
type Received = { status: number; headers: IncomingMessage['headers']; text: string }

/** One request over node:http and not fetch, whose own limit of five minutes would end a long import. */
function exchange(url: URL, { method, headers, body, timeoutMs }: Exchange): Promise<Received> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const request = send(url, { method, headers, agent: agents[url.protocol as 'http:'] })
    const late = new HubUnreachable({
      en: `${url.origin} gave no answer within ${timeoutMs / 1000} seconds.`, zh: `${url.origin} 在 ${timeoutMs / 1000} 秒内没有应答。`,
    })
    const timer = setTimeout(() => request.destroy(late), timeoutMs)
    const fail = (error: Error) => {
      clearTimeout(timer)
      reject(unreachable(url, error))
    }
    let isAnswered = false
    request.once('response', (response) => {
      isAnswered = true
      readText(response).then((text) => {
        clearTimeout(timer)
        resolve({ status: response.statusCode!, headers: response.headers, text })
        // A refusal may come before the file was read to its end: the rest of it is not wanted.
        if (body instanceof Readable && !body.readableEnded) {
          body.destroy()
          request.destroy()
        }
      }, fail)
    })
    // After the answer has begun only its own reader speaks: the hub may close while we still send.
    request.on('error', (error) => {
      if (!isAnswered) fail(error)
    })
    if (body instanceof Readable) body.once('error', (error) => request.destroy(error)).pipe(request)
    else request.end(body ?? undefined)
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function readAnswer<T>(hub: string, { status, headers, text }: Received): Answer<T> {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  if (status < 300 && body !== undefined) return { ok: true, status, replayed: headers['idempotent-replayed'] === 'true', body: body as T, ...(typeof headers['berth-checkpoint'] === 'string' ? { checkpoint: headers['berth-checkpoint'] } : {}) }
  if (status >= 400 && typeof body === 'object' && body !== null && 'title' in body && 'detail' in body) {
    const retryAfterS = Number(headers['retry-after'])
    return { ok: false, problem: { ...(body as Problem), ...(retryAfterS >= 0 ? { retryAfterS } : {}) } }
  }
  throw new HubUnreachable({
    en: `${hub} answered ${status}, but not as a hub does: is BERTH_URL the address of a Berth hub?`,
    zh: `${hub} 返回了 ${status}，但不是泊位主站的应答：请检查 BERTH_URL 是否为主站地址。`,
  })
}

function unreachable(url: URL, error: Error): Error {
  if (error instanceof HubUnreachable || error instanceof WrongUsage) return error
  const code = (error as NodeJS.ErrnoException).code ?? error.message
  return new HubUnreachable({
    en: `${url.origin} cannot be reached (${code}): is the hub running ("npm start"), and is BERTH_URL right?`,
    zh: `无法连接 ${url.origin}（${code}）：请确认主站已启动（npm start），并检查 BERTH_URL。`,
  })
}
