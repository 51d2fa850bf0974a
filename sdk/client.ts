import { readAnswer, type Answer, type Broken, type Outcome } from './answer.ts'
import type {
  Balance, Change, Docking, Good, KeyView, Movement, Order, OrderVerdicts, Page, PlaceOrder, Quote, QuoteAsk, ReasonList, Report, ReportAsk, RequestPage,
} from './contract.ts'
import { addressOf, endpoints, type Ask, type Endpoint, type PageAsk } from './endpoints.ts'
import { exchange, TooLarge, TooLate, wait, type Fetch, type Sent } from './exchange.ts'
import { RETRY_POLICY, waitBeforeNextMs, type RetryPolicy } from './retrying.ts'
import { makeSigner, type Credentials, type Signer } from './signing.ts'
import { HubUnreachable, type Language } from './unreachable.ts'

/** The version of the API that this client was written for; the hub answers in it for as long as it lives. */
export const VERSION = '2026-12-01'

export type BerthOptions = {
  /** The hub's address, such as https://hub.example. */
  readonly url: string
  readonly credentials: Credentials
  /** The language of `detail` and `title`; English if it is left out. */
  readonly language?: Language
  /** How long one attempt may take. */
  readonly timeoutMs?: number
  readonly retry?: Partial<RetryPolicy>
  /** Another fetch than the platform's own, such as one that goes through a proxy. */
  readonly fetch?: Fetch
}

/** `signal` gives a call up: it then throws the signal's reason, and an order under way may stand. */
export type CallOptions = { readonly signal?: AbortSignal }

export type FollowOptions = CallOptions & {
  /** The position of the last change that was worked on; "0", the beginning, if it is left out. */
  readonly after?: string
  /** How long to wait when there is nothing new. */
  readonly pollMs?: number
  /** How many changes to ask for at once, at most 500. */
  readonly limit?: number
}

const TIMEOUT_MS = 30_000
const POLL_MS = 5_000
const PAGE_ITEMS = 500

/**
 * One docking with one hub. Every call gives a value or the hub's reason why not. It throws HubUnreachable when the
 * hub could not be reached after the retries, and a TypeError for what a program may never do.
 */
export class Berth {
  readonly url: string
  readonly #language: Language
  readonly #timeoutMs: number
  readonly #policy: RetryPolicy
  readonly #sign: Signer
  readonly #fetch: Fetch

  constructor({ url, credentials, language = 'en', timeoutMs = TIMEOUT_MS, retry, fetch }: BerthOptions) {
    const { protocol, username, password, search, hash } = new URL(url)
    if (!/^https?:$/.test(protocol) || username + password + search + hash !== '') throw new TypeError('url is the plain address of a hub, such as https://hub.example')
    this.url = url.replace(/\/+$/, '')
    this.#language = language
    this.#timeoutMs = timeoutMs
    this.#policy = { ...RETRY_POLICY, ...retry }
    this.#sign = makeSigner(credentials)
    // Browsers call fetch on the window alone.
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init))
  }

  /** Buys. The same reference always means the same order, so after a HubUnreachable ask again with what you asked before. */
  placeOrder(ask: PlaceOrder, options?: CallOptions): Promise<Answer<Order>> {
    return this.call(endpoints.placeOrder, { body: ask }, options)
  }

  /** Buys up to 500 at once, each with its own verdict, in the order of the asks; asking again is safe as with one. */
  placeOrders(asks: readonly PlaceOrder[], options?: CallOptions): Promise<Answer<OrderVerdicts>> {
    return this.call(endpoints.placeOrders, { body: { orders: asks } }, options)
  }

  /** What an order would be answered now: its price, or every reason why not. Nothing is written, held or charged. */
  getQuote(ask: QuoteAsk, options?: CallOptions): Promise<Answer<Quote>> {
    return this.call(endpoints.getQuote, { body: ask }, options)
  }

  /** One order with its cards. */
  getOrder(order: string, options?: CallOptions): Promise<Answer<Order>> {
    return this.call(endpoints.getOrder, { path: { order } }, options)
  }

  /** The order under your own number, without its cards; null when no order was accepted under it. */
  async findOrder(reference: string, options?: CallOptions): Promise<Answer<Order | null>> {
    const found = await this.call(endpoints.listOrders, { query: { reference } }, options)
    return found.ok ? { ...found, value: found.value.items[0] ?? null } : found
  }

  /** All orders without their cards, newest first. */
  listOrders(options?: CallOptions & { readonly limit?: number }): AsyncGenerator<Outcome<Order>, void> {
    return this.#walk(endpoints.listOrders, options)
  }

  /** All goods as they are offered to this docking. */
  listGoods(options?: CallOptions & { readonly limit?: number }): AsyncGenerator<Outcome<Good>, void> {
    return this.#walk(endpoints.listGoods, options)
  }

  getGood(good: string, options?: CallOptions): Promise<Answer<Good>> {
    return this.call(endpoints.getGood, { path: { good } }, options)
  }

  /**
   * Every change of goods, prices and stock behind `after`, in order, and then those that come, until the loop is left.
   * No change is stepped over, however long nobody asked. A refusal is the last item.
   */
  async *followChanges({ after = '0', pollMs = POLL_MS, limit = PAGE_ITEMS, signal }: FollowOptions = {}): AsyncGenerator<Outcome<Change>, void> {
    const options = signal === undefined ? {} : { signal }
    for (;;) {
      const page = await this.call(endpoints.listChanges, { query: { after, limit } }, options)
      if (!page.ok) return yield page
      for (const value of page.value.items) yield { ok: true, value }
      after = page.value.after
      if (!page.value.more || page.value.items.length === 0) await wait(pollMs, signal)
    }
  }

  getBalance(options?: CallOptions): Promise<Answer<Balance>> {
    return this.call(endpoints.getBalance, {}, options)
  }

  /** Every movement of the deposit, newest first. */
  listMovements(options?: CallOptions & { readonly limit?: number }): AsyncGenerator<Outcome<Movement>, void> {
    return this.#walk(endpoints.listMovements, options)
  }

  /** Who am I: mode, key, limits, open decisions. */
  getDocking(options?: CallOptions): Promise<Answer<Docking>> {
    return this.call(endpoints.getDocking, {}, options)
  }

  /** Why can I not dock? Every check and one verdict; with `compare`, your own signature base or a probe text beside the hub's. */
  getReport(compare?: ReportAsk, options?: CallOptions): Promise<Answer<Report>> {
    return compare === undefined ? this.call(endpoints.getReport, {}, options) : this.call(endpoints.compareReport, { body: compare }, options)
  }

  /** Your own keys; `endpoints.createKey`, `rollKey` and `revokeKey` change them through `call`. */
  listKeys(options?: CallOptions): Promise<Answer<Page<KeyView>>> {
    return this.call(endpoints.listKeys, {}, options)
  }

  /** The newest of your own requests as the hub saw them, without secrets: where to look when a call went wrong. */
  listRequests(page: { readonly before?: string; readonly limit?: number } = {}, options?: CallOptions): Promise<Answer<RequestPage>> {
    return this.call(endpoints.listRequests, { query: page }, options)
  }

  /** The vocabulary of refusal as this hub publishes it. */
  listReasons(options?: CallOptions): Promise<Answer<ReasonList>> {
    return this.call(endpoints.listReasons, {}, options)
  }

  /** Any call of the API: one of `endpoints`, or one of your own for what is newer than this client. */
  async call<A extends Ask, Value>(endpoint: Endpoint<A, Value>, ask: NoInfer<A>, { signal }: CallOptions = {}): Promise<Answer<Value>> {
    const url = addressOf(this.url, endpoint, ask)
    // Written once: every attempt sends the same bytes.
    const body = ask.body === undefined ? null : new TextEncoder().encode(JSON.stringify(ask.body))
    const startedMs = Date.now()
    for (let attempt = 1; ; attempt++) {
      const { got, cause } = await this.#attempt<Value>(endpoint.method, url, body, signal)
      if (got.ok) return got
      const failed = got.ok === null ? { refusal: null, retryAfterS: got.retryAfterS } : { refusal: got.refusal, retryAfterS: got.refusal.retryAfterS }
      const mayRepeat = endpoint.isRepeatable && (got.ok === false || got.mayPass)
      const waitMs = mayRepeat ? waitBeforeNextMs(failed, attempt, Date.now() - startedMs, this.#policy, Math.random()) : null
      if (waitMs !== null) await wait(waitMs, signal)
      else if (got.ok === false) return got
      else throw new HubUnreachable(got.words, this.#language, attempt, cause)
    }
  }

  async #attempt<Value>(method: string, url: URL, body: Sent['body'], signal: AbortSignal | undefined): Promise<{ got: Answer<Value> | Broken; cause?: unknown }> {
    const headers: Record<string, string> = {
      accept: 'application/json', 'accept-language': this.#language === 'zh' ? 'zh-CN' : 'en', 'berth-version': VERSION,
      ...(body === null ? {} : { 'content-type': 'application/json' }), ...(await this.#sign({ method, url, body })),
    }
    try {
      return { got: readAnswer<Value>(url.origin, await exchange(this.#fetch, { method, url, headers, body }, this.#timeoutMs, signal), Date.now()) }
    } catch (cause) {
      // The caller's own wish is no outage.
      if (signal?.aborted) throw signal.reason
      return { got: noAnswer(url.origin, cause, this.#timeoutMs), cause }
    }
  }

  /** Page after page. A refusal is the last item. */
  async *#walk<Item>(endpoint: Endpoint<{ readonly query: PageAsk }, Page<Item>>, { limit = PAGE_ITEMS, signal }: CallOptions & { readonly limit?: number } = {}): AsyncGenerator<Outcome<Item>, void> {
    let cursor: string | null = null
    do {
      const page: Answer<Page<Item>> = await this.call(endpoint, { query: { limit, ...(cursor === null ? {} : { cursor }) } }, signal === undefined ? {} : { signal })
      if (!page.ok) return yield page
      for (const value of page.value.items) yield { ok: true, value }
      cursor = page.value.next
    } while (cursor !== null)
  }
}

function noAnswer(hub: string, cause: unknown, timeoutMs: number): Broken {
  if (cause instanceof TooLate) {
    return { ok: null, mayPass: true, retryAfterS: null, words: { en: `${hub} gave no whole answer within ${timeoutMs / 1000} seconds.`, zh: `${hub} 在 ${timeoutMs / 1000} 秒内没有完整应答。` } }
  }
  return {
    ok: null, mayPass: !(cause instanceof TooLarge), retryAfterS: null,
    words: { en: `${hub} cannot be reached, or its answer broke off: is the hub running, and is the address right?`, zh: `无法连接 ${hub}，或应答中断：请确认主站已启动，并检查地址。` },
  }
}
