import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { makeKey } from '../../protocol/keys.ts'
import { explain, reasonOf, type ReasonCode } from '../../protocol/reasons.ts'
import { signRequest } from '../../protocol/signature.ts'
import { PARTNER_ROUTES, PUBLIC_ROUTES, readContract, type Contract } from '../contract.ts'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'
import { withDatabase } from '../postgres.ts'
import { exchange, type Json } from '../raw-http.ts'
import { signContract } from '../rule-text.ts'

type Tour = { hub: TestHub; contract: Contract; codes: Map<ReasonCode, string> }

/** Checks one answer against the document, and a refusal against the vocabulary and the code that was expected. */
function told({ hub, contract, codes }: Tour, method: string, path: string, reply: Pick<Reply, 'status' | 'headers' | 'body' | 'text'>, expected: number | ReasonCode): Json {
  contract.check(method, path, reply)
  if (typeof expected === 'number') {
    assert.equal(reply.status, expected, `${method} ${path}: ${reply.text}`)
    return reply.body
  }
  const reason = reasonOf(expected)
  const { code, type, title, status, detail, because, class: cls, retry, side, requestId, serverTime, decision, appeal } = reply.body
  assert.equal(code, expected, `${method} ${path}: ${reply.text}`)
  assert.deepEqual({ type, title, status, cls, retry, side }, { type: `${hub.url}/reasons/${code}`, title: reason.title.en, status: reason.status, cls: reason.class, retry: reason.retry, side: reason.side })
  assert.equal(reply.status, reason.status)
  for (const name of reason.because) assert.ok(Object.hasOwn(because, name), `${code} does not say ${name}`)
  assert.equal(detail, explain({ code, because }, 'en'))
  assert.doesNotMatch(detail, /\{\w+\}|undefined|\[object/)
  assert.match(requestId, /^req_\w+$/)
  assert.ok(Math.abs(Date.parse(serverTime) - Date.now()) < 10_000)
  if (reason.kind === 'measure') assert.ok(decision && appeal, `${code} names its decision and the appeal`)
  if (reason.kind === 'condition') assert.match(reply.headers.get('retry-after') ?? '', /^[1-9]\d*$/, `${code} says when to come again`)
  if (status === 401) assert.match(reply.headers.get('www-authenticate') ?? '', /\S/)
  codes.set(code, type)
  return reply.body
}

async function openTour(t: TestContext, env: Record<string, string> = {}): Promise<Tour> {
  const hub = await startHub(t, env)
  return { hub, contract: await readContract(hub.url), codes: new Map() }
}

const POSTS = ['/api/orders', '/api/docking/report', '/api/orders/batch', '/api/quotes', '/api/keys', '/api/log/witness']
const ask = (good: string, reference: string, more: Record<string, unknown> = {}) => ({ reference, good, quantity: 1, maxUnitPrice: '9.50', ...more })

test('every answer of a tour over all partner endpoints is one that the document promises', async (t) => {
  const tour = await openTour(t)
  const { hub } = tour
  const good = await hub.stockGood({ code: 'Q10', cards: 10, mode: 'live' })
  await hub.stockGood({ code: 'S10', cards: 3, mode: 'sandbox' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '150.00', feePpm: 10_000 })
  const play = await hub.openDocking({ mode: 'sandbox', deposit: '100.00' })
  const signed = async (method: string, path: string, expected: number | ReasonCode, body?: unknown) => told(tour, method, path, await hub.signed(shop, method, path, body), expected)
  const bearer = async (method: string, path: string, expected: number | ReasonCode, body?: unknown) => told(tour, method, path, await hub.bearer(shop, method, path, body), expected)

  // What a healthy shop asks for, by signature and by bearer.
  const order = await signed('POST', '/api/orders', 201, ask(good, 'A-1', { quantity: 2, member: '老王 m-77', form: {} }))
  const replayed = await hub.signed(shop, 'POST', '/api/orders', ask(good, 'A-1', { quantity: 2, member: '老王 m-77', form: {} }))
  assert.deepEqual(told(tour, 'POST', '/api/orders', replayed, 200), order)
  assert.equal(replayed.headers.get('idempotent-replayed'), 'true')
  told(tour, 'POST', '/api/orders', await hub.bearer(play, 'POST', '/api/orders', ask((await hub.bearer(play, 'GET', '/api/goods')).body.items.find((item: Json) => item.code === 'S10').id, 'B-1')), 201)
  for (const call of [signed, bearer]) {
    for (const path of [
      '/api/docking', '/api/docking/report', '/api/goods', '/api/goods?limit=1', `/api/goods/${good}`, '/api/goods/changes', '/api/goods/changes?after=0&limit=2',
      '/api/orders', '/api/orders?limit=1', '/api/orders?reference=A-1', '/api/orders?reference=none', `/api/orders/${order.id}`, '/api/funds/balance', '/api/funds/movements', '/api/funds/movements?limit=2', '/api/log/mine', '/api/log/mine?after=0&limit=1',
    ]) await call('GET', path, 200)
    await call('POST', '/api/docking/report', 200, {})
    await call('POST', '/api/docking/report', 200, { signature: { base: '"@method": GET' }, probe: '卡密' })
    await call('POST', '/api/docking/report', 200, { probe: 'å¡å¯†' })
  }
  assert.deepEqual(Object.keys(await signed('GET', '/api/reasons', 200)), ['items', 'next'])
  const people = { items: [{ channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions', 'funds'] }] }
  assert.deepEqual((await signed('PUT', '/api/contacts', 200, people)).items.map((item: Json) => item.address), ['o***@shop.example'])
  await bearer('GET', '/api/contacts', 200)
  await bearer('PUT', '/api/contacts', 'partners.signature_required', people)
  await signed('PUT', '/api/contacts', 'protocol.invalid_field', { items: [{ ...people.items[0], address: 'nobody' }] })
  await signed('PUT', '/api/contacts', 'protocol.invalid_field', { items: [{ ...people.items[0], kinds: [] }] })
  await pages(tour, shop, '/api/goods', 2)
  await pages(tour, shop, '/api/orders', 1)
  await pages(tour, shop, '/api/funds/movements', 3)

  // What can be wrong with an order.
  await signed('POST', '/api/orders', 'orders.reference_reused', ask(good, 'A-1'))
  await signed('POST', '/api/orders', 'catalogue.good_not_found', ask('gds_nobody', 'A-2'))
  await signed('POST', '/api/orders', 'catalogue.price_above_guard', ask(good, 'A-2', { maxUnitPrice: '9.499999' }))
  await signed('POST', '/api/orders', 'catalogue.out_of_stock', ask(good, 'A-2', { quantity: 9 }))
  const dear = await hub.stockGood({ code: 'DEAR', unitPrice: '80.00', cards: 1, mode: 'live', maximum: 2 })
  const short = await signed('POST', '/api/orders', 'ledger.insufficient_funds', ask(dear, 'A-2', { quantity: 2, maxUnitPrice: '80.00' }))
  assert.deepEqual(short.also.map((cause: Json) => cause.code), ['catalogue.out_of_stock'])
  await signed('POST', '/api/orders', 'catalogue.quantity_outside_offer', ask(dear, 'A-2', { quantity: 3, maxUnitPrice: '80.00' }))
  const gold = await hub.stockGood({ code: 'GOLD', unitPrice: '1000000000', mode: 'live' })
  await signed('POST', '/api/orders', 'orders.total_above_limit', ask(gold, 'A-2', { quantity: 2, maxUnitPrice: '1000000000' }))
  await hub.operator('POST', '/operator/goods', { items: [{ code: 'DEAR', name: 'Good DEAR', category: 'Test', unitPrice: '80.00', onSale: false }] })
  await signed('POST', '/api/orders', 'catalogue.good_not_on_sale', ask(dear, 'A-2', { maxUnitPrice: '80.00' }))
  await bearer('POST', '/api/orders', 'partners.signature_required', ask(good, 'A-2'))
  await signed('GET', '/api/orders/ord_nobody', 'orders.not_found')
  await signed('GET', '/api/goods/gds_nobody', 'catalogue.good_not_found')
  for (const query of ['limit=0', 'limit=x', 'cursor=%20', 'nonsense=1', 'limit=1&limit=2']) {
    for (const path of ['/api/goods', '/api/goods/changes', '/api/orders', '/api/funds/movements', '/api/log/mine']) await bearer('GET', `${path}?${query}`, 'protocol.invalid_field')
  }

  // What can be wrong with any request that carries a body.
  const headers = { authorization: `Bearer ${shop.apiKey}`, 'content-type': 'application/json' }
  const raw = async (path: string, expected: ReasonCode, init: { headers?: Record<string, string>; body: string | Uint8Array }) => {
    const response = await fetch(hub.url + path, { method: 'POST', headers: { ...headers, ...init.headers }, body: init.body as string })
    const text = await response.text()
    const request = { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
    told(tour, 'POST', path, request, expected)
  }
  for (const path of POSTS) {
    // In live mode an order by bearer is refused before its body is read, so the sandbox is asked.
    const play1 = { authorization: `Bearer ${play.apiKey}` }
    await raw(path, 'protocol.malformed_request', { headers: play1, body: '{' })
    await raw(path, 'protocol.invalid_field', { headers: play1, body: '{"is_admin":true,"price":"0"}' })
    await raw(path, 'protocol.unsupported_media', { headers: { ...play1, 'content-type': 'text/plain' }, body: '{}' })
    await raw(path, 'protocol.charset_mismatch', { headers: play1, body: Buffer.from([0x7b, 0x22, 0xbf, 0x5c, 0x22, 0x7d]) })
    await raw(path, 'protocol.request_too_large', { headers: play1, body: ' '.repeat((path === '/api/orders/batch' ? 1024 : 64) * 1024 + 1) })
    await raw(path, 'protocol.version_unknown', { headers: { 'berth-version': '2020-01-01' }, body: '{}' })
  }

  // Who asks: every way to be nobody, on every route that wants to know.
  for (const route of PARTNER_ROUTES.filter((route) => !PUBLIC_ROUTES.includes(route))) await strangers(tour, shop, route.replace('{good}', good).replace('{order}', order.id).replace(/\{\w+\}/, 'x'))

  await held(tour, shop, good)
  await pagesOfReasons(tour, [
    'protocol.malformed_request', 'protocol.unsupported_media', 'protocol.request_too_large', 'protocol.invalid_field', 'protocol.charset_mismatch', 'protocol.route_not_found', 'protocol.method_not_allowed', 'protocol.version_unknown',
    'partners.credentials_missing', 'partners.signature_required', 'partners.signature_malformed', 'partners.signature_incomplete', 'partners.signature_invalid', 'partners.digest_mismatch',
    'partners.key_malformed', 'partners.key_unknown', 'partners.clock_skew', 'partners.nonce_reused', 'partners.freshness_unknown', 'partners.scope_missing', 'partners.address_not_allowed', 'partners.key_revoked',
    'catalogue.good_not_found', 'catalogue.good_not_on_sale', 'catalogue.out_of_stock', 'catalogue.price_above_guard', 'catalogue.quantity_outside_offer',
    'orders.reference_reused', 'orders.not_found', 'orders.total_above_limit', 'ledger.insufficient_funds',
    'terms.payment_overdue', 'compliance.identity_unverified',
  ])
  assert.deepEqual(await hub.findings(), [])
})

/** Follows `next` to its end: every page is as promised and no item comes twice. */
async function pages(tour: Tour, shop: TestDocking, path: string, least: number): Promise<void> {
  const seen = new Set<string>()
  let cursor: string | null = null
  let count = 0
  for (let page = 0; page < 20; page++) {
    const address = `${path}?limit=1${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const body = told(tour, 'GET', address, await tour.hub.bearer(shop, 'GET', address), 200)
    assert.ok(body.items.length <= 1)
    for (const item of body.items) seen.add(JSON.stringify(item))
    count += body.items.length
    cursor = body.next
    if (cursor === null) break
  }
  assert.equal(cursor, null, `${path} never ends`)
  assert.equal(seen.size, count)
  assert.ok(count >= least, `${path}: ${count} items`)
}

async function strangers(tour: Tour, shop: TestDocking, route: string): Promise<void> {
  const { hub } = tour
  const [method, path] = route.split(' ') as [string, string]
  const body = method === 'POST' || method === 'PUT' ? bodyFor(path) : undefined
  // Orders answer a known reference even then, each of a batch for itself.
  const repeatable = path.startsWith('/api/orders') && method === 'POST'
  const bytes = body === undefined ? undefined : JSON.stringify(body)
  const expect = async (expected: ReasonCode, headers: Record<string, string>, sent = bytes, sentTo = path) => {
    const response = await fetch(hub.url + sentTo, { method, headers: { ...(bytes === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(sent === undefined ? {} : { body: sent }) })
    const text = await response.text()
    told(tour, method, sentTo, { status: response.status, headers: response.headers, text, body: JSON.parse(text) }, expected)
  }
  await expect('partners.credentials_missing', {})
  await expect('partners.credentials_missing', { authorization: 'Basic YTpi' })
  await expect('partners.key_malformed', { authorization: `Bearer ${shop.apiKey!.slice(0, -1)}` })
  await expect('partners.key_unknown', { authorization: `Bearer ${makeKey('bth_live_', randomBytes)}` })
  await expect('partners.key_unknown', { authorization: `Bearer ${hub.operatorKey}` })
  await expect('partners.signature_malformed', { signature: 'x', 'signature-input': 'x' })

  const nowS = Math.floor(Date.now() / 1000)
  const sign = (more: { created?: number; nonce?: string; secret?: string } = {}) =>
    signRequest({ method, url: hub.url + path, ...(bytes === undefined ? {} : { body: bytes }) }, {
      keyid: shop.keyId!, created: more.created ?? nowS, nonce: more.nonce ?? `${route}${Math.random()}`,
      hmacSha256: (base) => createHmac('sha256', more.secret ?? shop.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
    }) as Record<string, string>
  await expect('partners.signature_invalid', sign({ secret: 'wrong' }))
  const bare = sign()
  await expect('partners.signature_incomplete', { ...bare, 'signature-input': bare['signature-input']!.replace('"@authority" ', '') })
  await expect('partners.clock_skew', sign({ created: nowS - 301 }))
  await expect('partners.clock_skew', sign({ created: nowS + 400 }))
  await expect('protocol.invalid_field', sign({ created: Date.now() }))
  if (!repeatable) await expect('partners.freshness_unknown', sign({ created: nowS - 290 }))
  if (bytes !== undefined) await expect('partners.digest_mismatch', sign(), `${bytes} `)
  else await expect('partners.signature_incomplete', sign(), undefined, `${path}?limit=1`)
  const once = sign({ nonce: `once ${route}` })
  const first = await fetch(hub.url + path, { method, headers: { ...once, ...(bytes === undefined ? {} : { 'content-type': 'application/json' }) }, ...(bytes === undefined ? {} : { body: bytes }) })
  await first.arrayBuffer()
  if (path !== '/api/orders/batch') await expect('partners.nonce_reused', once)

  told(tour, 'GET', `${path}/nothing/here`, await hub.bearer(shop, 'GET', `${path}/nothing/here`), 'protocol.route_not_found')
  if (!PARTNER_ROUTES.includes(`DELETE ${path}`)) told(tour, 'DELETE', path, await hub.bearer(shop, 'DELETE', path, {}), 'protocol.method_not_allowed')
}

function bodyFor(path: string): unknown {
  if (path === '/api/orders') return ask('gds_nobody', 'S-1')
  if (path === '/api/orders/batch') return { orders: [ask('gds_nobody', 'S-1')] }
  if (path === '/api/quotes') return { good: 'gds_nobody', quantity: 1 }
  if (path.endsWith('/appeals') || path.endsWith('/evidence')) return { text: 'It was paid.' }
  if (path.endsWith('/tasks')) return { task: 'sign' }
  if (path.endsWith('/text')) return { text: 'x' }
  if (path === '/api/contacts') return { items: [] }
  if (path === '/api/sandbox/deposits') return { amount: '1.00', reference: 'S-1' }
  if (path === '/api/sandbox/faults') return { fault: 'sold_out' }
  if (path === '/api/sandbox/clock') return { offsetS: 0 }
  if (path === '/api/drills') return { kind: 'rush' }
  if (/^\/api\/drills\/.*\/(witness|dispute)$/.test(path)) return path.endsWith('dispute') ? { first: 'x', second: 'x' } : { size: 1, publicKey: 'x', line: 'x' }
  if (path === '/api/keys') return { kind: 'hmac-sha256' }
  if (path === '/api/log/witness') return { size: 1, publicKey: Buffer.alloc(32).toString('base64'), line: 'x' }
  return path.endsWith('/roll') ? { overlap: '1h' } : {}
}

test('what is refused before a route is chosen is in the document as well', async (t) => {
  const tour = await openTour(t)
  for (const route of PARTNER_ROUTES) await heads(tour, route.replace(/\{\w+\}/, 'x'))
  await pagesOfReasons(tour, ['protocol.headers_too_large', 'protocol.url_too_long', 'protocol.host_ambiguous'])
})

/** Heads that no client of ours would send. */
async function heads(tour: Tour, route: string): Promise<void> {
  const { hub } = tour
  const [method, path] = route.split(' ') as [string, string]
  const { host } = new URL(hub.url)
  const wire = async (expected: ReasonCode, head: string, sentTo = path) => {
    const { replies } = await exchange(hub.url, `${method} ${sentTo} HTTP/1.1\r\nHost: ${host}\r\n${head}\r\n`)
    assert.ok(replies[0], `${route} ${expected}: no answer`)
    told(tour, method, sentTo, replies[0], expected)
  }
  await wire('protocol.headers_too_large', `X: ${'x'.repeat(17_000)}\r\n`)
  await wire('protocol.headers_too_large', Array.from({ length: 64 }, (_, i) => `X${i}: 1\r\n`).join(''))
  await wire('protocol.url_too_long', '', `${path}?x=${'x'.repeat(9_000)}`)
  await wire('protocol.host_ambiguous', 'Host: other.example\r\n')
}

/** Keys with fewer rights, closed addresses, ended keys and measures: the refusals that need an operator. */
async function held(tour: Tour, shop: TestDocking, good: string): Promise<void> {
  const { hub } = tour
  const narrow = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer', scopes: ['keys:write'] })
  const scopes = narrow.status === 201 ? narrow : await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer', scopes: ['goods:read'] })
  assert.equal(scopes.status, 201, scopes.text)
  const few = { ...shop, apiKey: scopes.body.secret }
  for (const path of ['/api/docking', '/api/docking/report', '/api/orders', '/api/orders/ord_x', '/api/funds/balance', '/api/funds/movements']) told(tour, 'GET', path, await hub.bearer(few, 'GET', path), 'partners.scope_missing')
  assert.equal((await hub.operator('POST', `/operator/keys/${scopes.body.keyId}/end`, {})).status, 200)
  told(tour, 'GET', '/api/docking', await hub.bearer(few, 'GET', '/api/docking'), 'partners.key_revoked')
  const walled = await hub.openDocking({ name: 'Walled', allowedAddresses: ['192.0.2.1'] })
  told(tour, 'GET', '/api/docking', await hub.bearer(walled, 'GET', '/api/docking'), 'partners.address_not_allowed')

  for (const code of ['terms.payment_overdue', 'compliance.identity_unverified'] as const) {
    const measure = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
      code, scope: ['orders'], facts: [`An invoice of October is unpaid (${code}).`], ground: [code.startsWith('terms.') ? { type: 'contract', ref: await signContract(hub.hub, shop), article: '7.2' } : { type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Pay it.', zh: '请付款。' }, liftsWhen: 'It is paid.',
    })
    assert.equal(measure.status, 201, measure.text)
    const refused = told(tour, 'POST', '/api/orders', await hub.signed(shop, 'POST', '/api/orders', ask(good, 'H-1')), code)
    assert.equal(refused.decision, measure.body.id)
    assert.equal(told(tour, 'GET', '/api/docking', await hub.signed(shop, 'GET', '/api/docking'), 200).state, 'held')
    told(tour, 'GET', '/api/docking/report', await hub.signed(shop, 'GET', '/api/docking/report'), 200)
    assert.equal((await hub.operator('POST', `/operator/decisions/${measure.body.id}/lift`, { note: 'Paid.' })).status, 200)
  }
}

/** The page that each refusal links to is served: as markdown to a program, as HTML to a browser. */
async function pagesOfReasons({ hub, codes }: Tour, expected: ReasonCode[]): Promise<void> {
  for (const code of expected) assert.ok(codes.has(code), `the tour never met ${code}`)
  for (const [code, type] of codes) {
    const markdown = await fetch(type)
    assert.deepEqual([markdown.status, markdown.headers.get('content-type')], [200, 'text/markdown; charset=utf-8'], type)
    const text = await markdown.text()
    assert.ok(text.includes(code) && text.length > 400, type)
    const html = await fetch(type, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } })
    assert.deepEqual([html.status, html.headers.get('content-type')], [200, 'text/html; charset=utf-8'], type)
    assert.match(await html.text(), /^<!doctype html>/)
  }
  const nothing = await fetch(`${hub.url}/reasons/no.such_code`)
  assert.deepEqual([nothing.status, ((await nothing.json()) as Json).code], [404, 'protocol.route_not_found'])
}

test('the version is echoed on answers and refusals, the newest is the default, and an unknown one is refused', async (t) => {
  const { hub } = await openTour(t)
  const shop = await hub.openDocking({})
  for (const [path, headers, status] of [
    ['/api/docking', {}, 200], ['/api/docking', { 'berth-version': '2026-12-01' }, 200], ['/api/goods?limit=x', { 'berth-version': '2026-12-01' }, 422], ['/api/docking', { authorization: 'Bearer x' }, 401],
  ] as const) {
    const reply = await hub.bearer(shop, 'GET', path, undefined, headers)
    assert.deepEqual([reply.status, reply.headers.get('berth-version')], [status, '2026-12-01'], path)
  }
  for (const version of ['2020-01-01', 'latest', '2026-12-01, 2026-12-01']) {
    const reply = await hub.bearer(shop, 'GET', '/api/docking', undefined, { 'berth-version': version })
    assert.deepEqual([reply.status, reply.body.code, reply.body.because], [400, 'protocol.version_unknown', { seen: version, known: ['2026-12-01'] }])
  }
})

test('a trace id of the caller comes back, and a key that is being replaced says when it ends', async (t) => {
  const { hub } = await openTour(t)
  const shop = await hub.openDocking({})
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const reply = await hub.bearer(shop, 'GET', '/api/docking', undefined, { traceparent })
  assert.equal(reply.headers.get('traceparent'), traceparent)
  const at = new Date(Date.now() + 3_600_000).toISOString()
  await hub.operator('POST', `/operator/keys/${reply.body.key.id}/end`, { at })
  assert.equal((await hub.bearer(shop, 'GET', '/api/docking')).headers.get('berth-key-expires'), at)
})

test('limits are told with every answer, and who goes beyond them is told when to come again', async (t) => {
  const tour = await openTour(t, { LIMIT_REQUESTS_PER_SECOND: '4', LIMIT_FAILED_SIGN_INS_PER_MINUTE: '5' })
  const { hub } = tour
  const shop = await hub.openDocking({})
  await startOfSecond()
  const replies: Reply[] = []
  for (let i = 0; i < 6; i++) replies.push(await hub.bearer(shop, 'GET', '/api/docking'))
  const [first, last] = [replies[0]!, replies.at(-1)!]
  assert.equal(first.headers.get('ratelimit-policy'), '"docking";q=4;w=1')
  assert.deepEqual(replies.slice(0, 4).map((reply) => reply.headers.get('ratelimit')), [3, 2, 1, 0].map((left) => `"docking";r=${left};t=1`))
  assert.equal(told(tour, 'GET', '/api/docking', last, 'platform.rate_limited').class, 'technical')
  await sleep(1_000)
  told(tour, 'GET', '/api/docking', await hub.bearer(shop, 'GET', '/api/docking'), 200)

  const nobody = { ...shop, apiKey: 'x' }
  let refused = await hub.bearer(nobody, 'GET', '/api/docking')
  for (let i = 0; i < 10 && refused.status === 401; i++) refused = await hub.bearer(nobody, 'GET', '/api/docking')
  told(tour, 'GET', '/api/docking', refused, 'platform.rate_limited')
})

test('also who is beyond the limit is told what the limit is', async (t) => {
  const { hub } = await openTour(t, { LIMIT_REQUESTS_PER_SECOND: '1' })
  const shop = await hub.openDocking({})
  await startOfSecond()
  await hub.bearer(shop, 'GET', '/api/docking')
  const refused = await hub.bearer(shop, 'GET', '/api/docking')
  assert.equal(refused.status, 429)
  assert.deepEqual([refused.headers.get('ratelimit-policy'), refused.headers.get('ratelimit')], ['"docking";q=1;w=1', '"docking";r=0;t=1'])
})

async function startOfSecond(): Promise<void> {
  await sleep(1_005 - (Date.now() % 1_000))
}

test('too many at once and a database that is away are conditions: with a time to come again, and nothing booked', async (t) => {
  const tour = await openTour(t, { LIMIT_IN_FLIGHT: '1' })
  const { hub } = tour
  const good = await hub.stockGood({ code: 'Q10', cards: 3 })
  const shop = await hub.openDocking({ deposit: '100.00' })
  const owner = new Client({ connectionString: hub.ownerUrl })
  await owner.connect()
  t.after(() => owner.end().catch(() => {}))
  await owner.query('begin')
  await owner.query('select 1 from platform.lanes for update')
  const waiting = hub.order(shop, { reference: 'A-1', good })
  await sleep(100)
  told(tour, 'POST', '/api/orders', await hub.order(shop, { reference: 'A-2', good }), 'platform.too_many_in_flight')
  await owner.query('rollback')
  told(tour, 'POST', '/api/orders', await waiting, 201)

  const database = new URL(hub.ownerUrl).pathname.slice(1)
  await owner.end()
  const server = new Client({ connectionString: withDatabase(hub.ownerUrl, 'postgres') })
  await server.connect()
  t.after(() => server.end().catch(() => {}))
  await server.query(`alter database ${database} connection limit 0`)
  await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()', [database])
  await sleep(50)
  told(tour, 'POST', '/api/orders', await hub.order(shop, { reference: 'A-3', good }), 'platform.storage_unavailable')
  for (const path of ['/api/goods', '/api/funds/balance', '/api/orders']) told(tour, 'GET', path, await hub.bearer(shop, 'GET', path), 'platform.storage_unavailable')
  const ready = await fetch(`${hub.url}/readyz`)
  assert.deepEqual([ready.status, ready.headers.has('retry-after')], [503, true])
  await server.query(`alter database ${database} connection limit -1`)
  let back = await hub.order(shop, { reference: 'A-3', good })
  for (let tries = 0; back.status === 503 && tries < 20; tries++) {
    await sleep(100)
    back = await hub.order(shop, { reference: 'A-3', good })
  }
  told(tour, 'POST', '/api/orders', back, 201)
  assert.equal(told(tour, 'GET', '/api/funds/balance', await hub.bearer(shop, 'GET', '/api/funds/balance'), 200).available, '81.00')
  assert.deepEqual(await hub.findings(), [])
})

test('a caller who prefers Chinese reads the title and the detail in Chinese', async (t) => {
  const language = await openLanguages(t)
  for (const wish of ['zh', 'zh-CN', 'zh-CN,zh;q=0.9,en;q=0.8', 'ZH-hans']) assert.equal(await language(wish), 'zh', wish)
  for (const wish of ['en', 'en-US,en;q=0.9,zh;q=0.8', '', '*', 'fr', undefined]) assert.equal(await language(wish), 'en', wish)
})

test('the weight in Accept-Language decides, not the place in the line (RFC 9110)', async (t) => {
  const language = await openLanguages(t)
  for (const wish of ['en;q=0.3, zh-CN;q=0.9', 'fr, zh;q=0.5']) assert.equal(await language(wish), 'zh', wish)
  assert.equal(await language('zh;q=0, en'), 'en')
})

/** Asks for one refusal and tells in which language its words came. */
async function openLanguages(t: TestContext): Promise<(wish: string | undefined) => Promise<'en' | 'zh'>> {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ deposit: '1.00' })
  const good = await hub.stockGood({ code: 'Q10', cards: 1 })
  return async (wish) => {
    const reply = await hub.bearer(shop, 'POST', '/api/orders', ask(good, 'A-1'), wish === undefined ? {} : { 'accept-language': wish })
    assert.equal(reply.body.code, 'ledger.insufficient_funds')
    const lang = reply.headers.get('content-language') as 'en' | 'zh'
    assert.deepEqual([reply.body.title, reply.body.detail], [reasonOf(reply.body.code).title[lang], explain(reply.body, lang)])
    return lang
  }
}
