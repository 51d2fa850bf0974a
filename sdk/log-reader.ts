import { exchange, wait, type Fetch, type Received } from './exchange.ts'
import { readRetryAfter } from './retrying.ts'
import { HubUnreachable, type Language } from './unreachable.ts'

const ATTEMPTS = 5
const PAUSE_MS = 1_000
const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** Asks the public part of a hub. What it answers is only data: whoever calls believes none of it unproved. */
export class LogReader {
  readonly url: string
  readonly #fetch: Fetch
  readonly #timeoutMs: number
  readonly #language: Language

  constructor({ url, fetch, timeoutMs = 30_000, language = 'en' }: { url: string; fetch?: Fetch | undefined; timeoutMs?: number | undefined; language?: Language | undefined }) {
    this.url = url.replace(/\/+$/, '')
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init))
    this.#timeoutMs = timeoutMs
    this.#language = language
  }

  /** The text of an answer; null when the hub has none under this address, or cannot make it (500). Throws HubUnreachable for everything else. */
  async text(path: string): Promise<string | null> {
    for (let attempt = 1; ; attempt++) {
      const got = await this.#ask(path, attempt)
      if (got.status === 200) return got.text
      if (got.status === 404 || got.status === 500) return null
      if (!PASSING.has(got.status) || attempt === ATTEMPTS) {
        throw new HubUnreachable({ en: `${this.url} answered ${got.status} to ${path}.`, zh: `${this.url} 对 ${path} 返回了 ${got.status}。` }, this.#language, attempt, undefined)
      }
      await wait((readRetryAfter(got.headers.get('retry-after'), Date.now()) ?? 0) * 1_000 || PAUSE_MS, undefined)
    }
  }

  /** The same as a value; null too when it is no JSON. */
  async json<Value>(path: string): Promise<Value | null> {
    const text = await this.text(path)
    try {
      return text === null ? null : (JSON.parse(text) as Value)
    } catch {
      return null
    }
  }

  async #ask(path: string, attempt: number): Promise<Received> {
    try {
      return await exchange(this.#fetch, { method: 'GET', url: new URL(this.url + path), headers: {}, body: null }, this.#timeoutMs, undefined)
    } catch (cause) {
      throw new HubUnreachable({ en: `${this.url} cannot be reached: is the address right?`, zh: `无法连接 ${this.url}：请检查地址。` }, this.#language, attempt, cause)
    }
  }
}
