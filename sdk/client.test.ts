import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { startHub, type TestDocking, type TestHub } from '../test/hub.ts'
import { HubUnreachable, Berth, endpoints, post, verifyWebhook, type BerthOptions, type Outcome } from './index.ts'

const FAST = { firstDelayMs: 1, longestDelayMs: 2 }

type Fetch = NonNullable<BerthOptions['fetch']>
type Seen = { body: string; nonce: string; reference: string | null }

const clientOf = (hub: Pick<TestHub, 'url'>, shop: TestDocking, more: Partial<BerthOptions> = {}) =>
  new Berth({ url: hub.url, credentials: { keyId: shop.keyId!, keySecret: shop.keySecret! }, retry: FAST, ...more })

async function openLive(t: TestContext) {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  return { hub, good, shop }
}

/** A network that does something of its own with the first attempts, and a list of what was sent. */
function network(...first: ((send: () => Promise<Response>) => Promise<Response>)[]): { fetch: Fetch; seen: Seen[] } {
  const seen: Seen[] = []
  return {
    seen,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers)
      const body = init?.body ? new TextDecoder().decode(init.body as Uint8Array) : ''
      seen.push({ body, nonce: /nonce="(\w+)"/.exec(headers.get('signature-input') ?? '')?.[1] ?? '', reference: body ? JSON.parse(body).reference : null })
      const deed = first[seen.length - 1]
      return deed ? deed(() => fetch(input, init)) : fetch(input, init)
    },
  }
}
const unplugged = async (): Promise<Response> => { throw new TypeError('fetch failed') }
const swallowed = async (send: () => Promise<Response>): Promise<Response> => {
  await (await send()).arrayBuffer()
  throw new TypeError('terminated')
}
const says = (status: number, body: string, headers: Record<string, string> = {}) => async () => new Response(body, { status, headers })
const refusal = (status: number, code: string, retry: string, headers: Record<string, string> = {}) =>
  says(status, JSON.stringify({ type: 'x', title: 'x', status, detail: 'x', code, class: 'technical', because: {}, retry, side: 'hub', requestId: 'r', serverTime: 'x' }), headers)

async function all<T>(items: AsyncIterable<Outcome<T>>): Promise<T[]> {
  const values: T[] = []
  for await (const item of items) {
    assert.ok(item.ok)
    values.push(item.value)
  }
  return values
}
function valueOf<T>(outcome: Outcome<T>): T {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.code)
  return outcome.value
}

test('a live order is signed, a repeat is the same order, and a refusal is a value with its reason', async (t) => {
  const { hub, good, shop } = await openLive(t)
  const berth = clientOf(hub, shop)
  const ask = { reference: 'A-1', good, quantity: 2, maxUnitPrice: '9.50' }
  const placed = await berth.placeOrder(ask)
  assert.ok(placed.ok)
  assert.deepEqual([placed.replayed, placed.value.charged, placed.value.cards?.map(({ secret }) => secret)], [false, '19.00', ['Q10-b1-live-1', 'Q10-b1-live-2']])
  assert.deepEqual(await berth.placeOrder(ask), { ...placed, replayed: true })
  assert.deepEqual(valueOf(await berth.getOrder(placed.value.id)).cards, placed.value.cards)
  assert.deepEqual([valueOf(await berth.findOrder('A-1'))?.id, valueOf(await berth.findOrder('A-9'))], [placed.value.id, null])

  const bound = await berth.placeOrder({ ...ask, quantity: 1 })
  assert.ok(!bound.ok)
  assert.deepEqual([bound.refusal.code, bound.refusal.retry, bound.refusal.because.differs], ['orders.reference_reused', 'never', 'quantity'])
  const poor = await clientOf(hub, shop, { language: 'zh' }).placeOrder({ ...ask, reference: 'A-2', quantity: 18 })
  assert.ok(!poor.ok)
  assert.deepEqual([poor.refusal.class, poor.refusal.because, poor.refusal.title], ['commercial', { needed: '171.00', available: '81.00' }, '余额不足'])
  assert.equal(valueOf(await berth.getBalance()).available, '81.00')
})

test('an Ed25519 key that only the shop holds signs too, and a bearer reads but cannot order live', async (t) => {
  const { hub, good, shop } = await openLive(t)
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const added = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'ed25519', publicKey: publicKey.export({ type: 'spki', format: 'pem' }) })
  const held = await crypto.subtle.importKey('pkcs8', new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })), 'Ed25519', false, ['sign'])
  const ask = { reference: 'E-1', good, quantity: 1, maxUnitPrice: '9.50' }
  const placed = await new Berth({ url: hub.url, credentials: { keyId: added.body.keyId, privateKey: held } }).placeOrder(ask)
  const bearer = new Berth({ url: `${hub.url}/`, credentials: { apiKey: shop.apiKey! } })
  assert.equal(valueOf(await bearer.getOrder(valueOf(placed).id)).cards?.[0]?.secret, '****')
  const unsigned = await bearer.placeOrder({ ...ask, reference: 'E-2' })
  assert.equal(!unsigned.ok && unsigned.refusal.code, 'partners.signature_required')
})

test('lists go on page after page, and a refusal is their last item', async (t) => {
  const { hub, good, shop } = await openLive(t)
  for (const code of ['G1', 'G2', 'G3', 'G4']) await hub.stockGood({ code })
  const berth = clientOf(hub, shop)
  for (const reference of ['P-1', 'P-2', 'P-3']) valueOf(await berth.placeOrder({ reference, good, quantity: 1, maxUnitPrice: '9.50' }))
  assert.deepEqual((await all(berth.listGoods({ limit: 2 }))).map(({ code }) => code).sort(), ['G1', 'G2', 'G3', 'G4', 'Q10'])
  assert.deepEqual((await all(berth.listOrders({ limit: 1 }))).map(({ reference }) => reference), ['P-3', 'P-2', 'P-1'])
  assert.deepEqual((await all(berth.listMovements({ limit: 2 }))).map(({ amount }) => amount), ['-9.50', '-9.50', '-9.50', '100.00'])
  assert.deepEqual([valueOf(await berth.getDocking()).name, valueOf(await berth.getReport()).verdict.class, valueOf(await berth.getGood(good)).code], ['Shop', 'healthy', 'Q10'])
  assert.ok(valueOf(await berth.getReport({ probe: '卡密' })).checks.length > 0)
  assert.ok(valueOf(await berth.listReasons()).items.length > 40)

  const stranger = clientOf(hub, { ...shop, keySecret: 'guess' })
  const ends: string[] = []
  for await (const item of stranger.listGoods()) ends.push(item.ok ? 'a good' : item.refusal.code)
  assert.deepEqual(ends, ['partners.signature_invalid'])
})

test('the change feed is followed without a gap, also by one who comes back later', async (t) => {
  const { hub, good, shop } = await openLive(t)
  const berth = clientOf(hub, shop)
  const seen: string[] = []
  const price = (unitPrice: string) => hub.operator('POST', '/operator/goods', { items: [{ code: 'Q10', name: 'Good Q10', category: 'Test', unitPrice }] })
  const follow = async (after: string, until: number) => {
    for await (const change of berth.followChanges({ after, pollMs: 1, limit: 1 })) {
      const { position, now } = valueOf(change)
      seen.push(position)
      after = position
      if (now?.id === good && seen.length >= until) break
      if (seen.length === 1) await price('9.40')
    }
    return after
  }
  const left = await follow('0', 3)
  for (const unitPrice of ['9.30', '9.20', '9.10']) await price(unitPrice)
  await follow(left, 6)
  const everything = (await hub.signed(shop, 'GET', '/api/goods/changes')).body.items.map((change: { position: string }) => change.position)
  assert.deepEqual(seen, everything.slice(0, seen.length))
  assert.equal(seen.length, 6)

  const stop = new AbortController()
  const waiting = (async () => { for await (const _ of berth.followChanges({ after: everything.at(-1), pollMs: 60_000, signal: stop.signal })) assert.fail('nothing is new') })()
  stop.abort(new Error('closing time'))
  await assert.rejects(waiting, /closing time/)
})

test('an order whose answer is lost is asked for again: the same bytes, the same reference, a fresh signature', async (t) => {
  const { hub, good, shop } = await openLive(t)
  const { fetch, seen } = network(unplugged, swallowed, says(502, '<html>Bad Gateway</html>'), refusal(503, 'platform.outcome_unknown', 'same_request_after', { 'retry-after': '0' }), says(200, '{"id":"ord_'))
  const placed = await clientOf(hub, shop, { fetch }).placeOrder({ reference: 'L-1', good, quantity: 1, maxUnitPrice: '9.50' })
  assert.equal(valueOf(placed).charged, '9.50')
  assert.equal(placed.ok && placed.replayed, true)
  assert.equal(seen.length, 6)
  assert.deepEqual([new Set(seen.map(({ body }) => body)).size, new Set(seen.map(({ nonce }) => nonce)).size], [1, 6])
  assert.equal((await hub.bearer(shop, 'GET', '/api/funds/balance')).body.available, '90.50')
  assert.deepEqual(await hub.findings(), [])
})

test('a refusal that asks for a new signature gets one; one that waits for a change is handed over at once', async (t) => {
  const { hub, good, shop } = await openLive(t)
  const ask = { reference: 'S-1', good, quantity: 1, maxUnitPrice: '9.50' }
  const anew = network(refusal(401, 'partners.freshness_unknown', 'after_change'))
  valueOf(await clientOf(hub, shop, { fetch: anew.fetch }).placeOrder(ask))
  assert.equal(anew.seen.length, 2)
  for (const [status, code, retry] of [[402, 'ledger.insufficient_funds', 'after_change'], [422, 'orders.reference_reused', 'never']] as const) {
    const { fetch, seen } = network(refusal(status, code, retry))
    const refused = await clientOf(hub, shop, { fetch }).placeOrder(ask)
    assert.deepEqual([!refused.ok && refused.refusal.code, seen.length], [code, 1])
  }
  const busy = refusal(429, 'platform.rate_limited', 'same_request_after', { 'retry-after': '0' })
  const { fetch, seen } = network(busy, busy, busy, busy)
  const refused = await clientOf(hub, shop, { fetch, retry: { ...FAST, attempts: 3 } }).getBalance()
  assert.deepEqual([!refused.ok && refused.refusal.code, !refused.ok && refused.refusal.retryAfterS, seen.length], ['platform.rate_limited', 0, 3])
})

test('a hub that cannot be reached is the one exception, in both languages, and no key stands in it', async (t) => {
  const { hub, good, shop } = await openLive(t)
  const ask = { reference: 'U-1', good, quantity: 1, maxUnitPrice: '9.50' }
  const gone = clientOf({ url: 'http://127.0.0.1:1' }, shop, { language: 'zh', retry: { ...FAST, attempts: 3 } })
  await assert.rejects(gone.placeOrder(ask), (error: HubUnreachable) => {
    assert.ok(error instanceof HubUnreachable && error.cause !== undefined)
    assert.deepEqual([error.attempts, /无法连接/.test(error.message), /cannot be reached/.test(error.words.en)], [3, true, true])
    assert.ok(!JSON.stringify([error, gone, { ...gone }]).includes(shop.keySecret!))
    return true
  })
  // A page that is no hub, a redirect, a refusal of a proxy: to ask again would change nothing.
  for (const deed of [says(404, '<html>'), says(403, '{"title":"proxy"}'), says(302, '', { location: 'http://127.0.0.1:1/' })]) {
    const { fetch, seen } = network(deed)
    await assert.rejects(clientOf(hub, shop, { fetch }).placeOrder(ask), /not as a hub does/)
    assert.equal(seen.length, 1)
  }
  const late = network(() => new Promise(() => {}), async () => { throw new Error('unplugged') })
  const silent: Fetch = (input, init) => Promise.race([late.fetch(input, init), new Promise<never>((_, stop) => init?.signal?.addEventListener('abort', () => stop(init.signal!.reason)))])
  await assert.rejects(clientOf(hub, shop, { fetch: silent, timeoutMs: 20, retry: { ...FAST, attempts: 1 } }).getBalance(), /within 0.02 seconds/)
})

test('what may not be repeated is sent once, and what the caller gives up ends at once', async (t) => {
  const { hub, shop } = await openLive(t)
  const once = network(unplugged)
  const berth = clientOf(hub, shop, { fetch: once.fetch })
  await assert.rejects(berth.call(post<{ body: object }, object>('/api/something-newer', { isRepeatable: false }), { body: {} }), HubUnreachable)
  assert.equal(once.seen.length, 1)

  const stop = new AbortController()
  const dead = network(async () => { stop.abort(new Error('given up')); throw new TypeError('fetch failed') })
  await assert.rejects(clientOf(hub, shop, { fetch: dead.fetch }).getBalance({ signal: stop.signal }), /given up/)
  await assert.rejects(berth.getBalance({ signal: stop.signal }), /given up/)
  assert.equal(dead.seen.length, 1)
  for (const id of ['', '.', '..']) await assert.rejects(async () => berth.getOrder(id), TypeError)
  const secretive = (error: TypeError) => error instanceof TypeError && !/s3cret/.test(error.message)
  for (const url of ['hub.example', 'ftp://hub.example', 'https://shop:s3cret@hub.example', 'https://hub.example/?key=s3cret']) assert.throws(() => new Berth({ url, credentials: { apiKey: 'x' } }), secretive)
  assert.throws(() => new Berth({ url: hub.url, credentials: { keyId: 'key_1', keySecret: '' } }), /credentials\.keySecret is empty/)
})

/** Never run: each line below must not compile, or `tsc` says that its @ts-expect-error has nothing to expect. */
export async function wrongUse(berth: Berth): Promise<void> {
  // @ts-expect-error money is a decimal string, never a number
  await berth.placeOrder({ reference: 'A', good: 'gds_1', quantity: 1, maxUnitPrice: 9.5 })
  // @ts-expect-error an order without a price guard
  await berth.placeOrder({ reference: 'A', good: 'gds_1', quantity: 1 })
  // @ts-expect-error a field that the hub does not know
  await berth.placeOrder({ reference: 'A', good: 'gds_1', quantity: 1, maxUnitPrice: '9.50', price: '9.50' })
  const placed = await berth.placeOrder({ reference: 'A', good: 'gds_1', quantity: 1, maxUnitPrice: '9.50' })
  // @ts-expect-error an answer is looked at before its value is taken
  void placed.value
  // @ts-expect-error cards are there in some answers only
  if (placed.ok) void placed.value.cards.length
  // @ts-expect-error a secret without the id of its key
  void new Berth({ url: 'https://hub.example', credentials: { keySecret: 'x' } })
  // @ts-expect-error a body that was parsed is not what was signed
  await verifyWebhook({ headers: new Headers(), body: { type: 'x' }, secrets: [] })
  // @ts-expect-error the call needs its body
  await berth.call(post<{ body: { a: string } }, object>('/api/x', { isRepeatable: true }), {})
  // @ts-expect-error and nothing else in it
  await berth.call(post<{ body: { a: string } }, object>('/api/x', { isRepeatable: true }), { body: { a: 'x', b: 1 } })
}

test('many orders go together, a quote says the price first, and one\'s own keys and requests can be looked at', async (t) => {
  const { hub, good, shop } = await openLive(t)
  const berth = clientOf(hub, shop)
  const quoted = await berth.getQuote({ good, quantity: 2 })
  assert.ok(quoted.ok)
  assert.deepEqual([quoted.value.total, quoted.value.stockClass], ['19.00', 'low'])
  const ask = (reference: string, quantity: number) => ({ reference, good, quantity, maxUnitPrice: '9.50' })
  const together = await berth.placeOrders([ask('B-1', 2), ask('B-2', 1_000), ask('B-1', 2)])
  assert.ok(together.ok)
  const [first, short, again] = together.value.items
  assert.ok(first && 'order' in first && short && 'problem' in short && again && 'order' in again)
  assert.deepEqual([first.status, first.order.charged, short.problem.code, again.status, again.order.id], [201, quoted.value.charged, 'ledger.insufficient_funds', 200, first.order.id])
  const keys = await berth.listKeys()
  assert.ok(keys.ok && keys.value.items.some((key) => key.current && key.id === shop.keyId))
  const made = await berth.call(endpoints.rollKey, { path: { key: shop.keyId! }, body: { overlap: '1h' } })
  assert.ok(made.ok && made.value.old.state === 'ending')
  const next = new Berth({ url: hub.url, credentials: { keyId: made.value.key.id, keySecret: made.value.secret! }, retry: FAST })
  const log = await next.listRequests({ limit: 3 })
  assert.ok(log.ok)
  assert.deepEqual(log.value.items.map(({ method, path, status }) => `${method} ${path} ${status}`).slice(1), ['GET /api/keys 200', 'POST /api/orders/batch 200'])
})
