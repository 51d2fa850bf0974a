import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import type { Layer } from '../../hub/inbound/diagnosis/model.ts'
import { reasonOf, type ReasonCode } from '../../protocol/reasons.ts'
import { encodeForm, signatureOf, tradeFields, type Params } from '../acg-shop.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'
import { bearerBytes, bytesOf, md5, openBytes, shopBytes, signedBytes, type ShopMistake, type Signing } from '../pasted.ts'
import { exchange, type Json } from '../raw-http.ts'

const hub: TestHub = await startHub({ after })
const { url } = hub
const good = await hub.stockGood({ code: 'CARD', cards: 5, mode: 'live' })
await hub.stockGood({ code: 'EMPTY', mode: 'live' })
await hub.stockGood({ code: 'DEAR', mode: 'live', unitPrice: '900', cards: 1 })
const json = await hub.openDocking({ mode: 'live', deposit: '100.00' })
const play = await hub.openDocking({ mode: 'sandbox', deposit: '100.00' })
const acg = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00', appId: '1000' })

type Ask = { encoding?: string; response?: string; base?: string; sentAt?: string }

async function diagnosed(docking: TestDocking, request: Uint8Array, more: Ask = {}): Promise<Json> {
  const reply = await hub.bearer(docking, 'POST', '/api/docking/diagnose', { request: Buffer.from(request).toString('base64'), encoding: 'base64', ...more })
  assert.equal(reply.status, 200, reply.text)
  return reply.body
}

/** The code that the real way gives to the same bytes, whatever its dialect says outside: the doors count it. */
async function answered(request: Uint8Array): Promise<string[]> {
  const counts = new Map([...codesCounted()].map((code) => [code, counter(code)]))
  await exchange(url, request, { timeoutMs: 5_000 })
  return [...codesCounted()].filter((code) => counter(code) > (counts.get(code) ?? 0))
}

const counted = new Map<string, number>()
function codesCounted(): IterableIterator<string> {
  counted.clear()
  const { hashMap } = hub.hub.metrics.refusals as unknown as { hashMap: Record<string, { value: number; labels: { code: string } }> }
  for (const { value, labels } of Object.values(hashMap)) if (labels.code) counted.set(labels.code, value)
  return counted.keys()
}
function counter(code: string): number {
  return counted.get(code) ?? 0
}

const order = (more: Record<string, unknown> = {}) => JSON.stringify({ reference: 'D-1', good, quantity: 1, maxUnitPrice: '9.50', ...more })
const TRADE = '/shared/commodity/trade'
const signedOrder = (body: string | Uint8Array = order(), ...rest: [Signing?, Record<string, string>?]) => signedBytes(json, url, 'POST', '/api/orders', body, ...rest)
const trade = (mistake: ShopMistake = {}, more: Params = {}, code = 'CARD') => shopBytes(acg, url, TRADE, tradeFields(code, 1, '844261123050741979', more), mistake)
const connect = (mistake: ShopMistake = {}) => shopBytes(acg, url, '/shared/authentication/connect', {}, mistake)
const gbk = (hex: string) => Buffer.from(hex, 'hex')
const withBytes = (text: string, mark: string, bytes: Uint8Array) => Buffer.concat([Buffer.from(text.slice(0, text.indexOf(mark))), bytes, Buffer.from(text.slice(text.indexOf(mark) + mark.length))])

/** `says` is part of the English sentence of the step that broke; `real: false` where the real way would wait or answers a later request. */
type Row = { layer: Layer; code: ReasonCode; who: () => TestDocking; bytes: () => Uint8Array; says?: RegExp; like?: string; real?: false; canonical?: RegExp }

const rows: Record<string, Row> = {
  // The line and the head.
  'no HTTP at all': { layer: 'line', code: 'protocol.malformed_request', who: () => json, bytes: () => Buffer.from('hello there\r\n\r\n') },
  'a head of LF alone': { layer: 'line', code: 'protocol.malformed_request', who: () => json, bytes: () => bytesOf('GET /api/goods', { Host: 'x' }, '', '\n') },
  'a head that never ends': { layer: 'line', code: 'protocol.request_timeout', who: () => json, bytes: () => Buffer.from('GET /api/goods HTTP/1.1\r\nHost: x\r\n'), real: false },
  'a header too large': { layer: 'head', code: 'protocol.headers_too_large', who: () => json, bytes: () => bytesOf('GET /api/goods', { Host: 'x', 'X-Long': 'x'.repeat(17_000) }) },
  'two Host headers': { layer: 'head', code: 'protocol.host_ambiguous', who: () => json, bytes: () => Buffer.from('GET /api/goods HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n') },
  'a path with dots': { layer: 'head', code: 'protocol.host_ambiguous', who: () => json, bytes: () => bearerBytes(json, url, 'GET', '/api/../api/goods', null) },
  'a broken percent sign in the address': { layer: 'head', code: 'protocol.malformed_request', who: () => json, bytes: () => bearerBytes(json, url, 'GET', '/api/goods?x=%BF%A8', null) },
  'a body cut short': { layer: 'body', code: 'protocol.request_timeout', who: () => json, bytes: () => signedOrder(order(), {}, { 'Content-Length': '400' }), says: /Content-Length says 400 bytes/, real: false },
  'a body longer than its length': { layer: 'signature', code: 'partners.digest_mismatch', who: () => json, bytes: () => signedOrder(order(), {}, { 'Content-Length': '10' }) },
  'two bodies in one': { layer: 'body', code: 'protocol.malformed_request', who: () => json, bytes: () => Buffer.concat([bearerBytes(json, url, 'GET', '/api/goods', null), Buffer.from('{"a":1}')]), real: false },
  'both lengths': { layer: 'line', code: 'protocol.malformed_request', who: () => json, bytes: () => bytesOf('POST /api/orders', { Host: 'x', 'Content-Length': '3', 'Transfer-Encoding': 'chunked' }, '3\r\nabc\r\n0\r\n\r\n') },
  'a body above the limit': { layer: 'body', code: 'protocol.request_too_large', who: () => json, bytes: () => bearerBytes(json, url, 'POST', '/api/orders', `"${'x'.repeat(66_000)}"`) },
  // Where it went.
  'a path that nobody serves': { layer: 'route', code: 'protocol.route_not_found', who: () => json, bytes: () => bearerBytes(json, url, 'POST', '/api/v9/order', order()) },
  'another method': { layer: 'route', code: 'protocol.method_not_allowed', who: () => json, bytes: () => bearerBytes(json, url, 'PUT', '/api/orders', order()) },
  'an unknown version': { layer: 'version', code: 'protocol.version_unknown', who: () => json, bytes: () => signedOrder(order(), {}, { 'Berth-Version': '2020-01-01' }) },
  // Who asks.
  'no key at all': { layer: 'credentials', code: 'partners.credentials_missing', who: () => json, bytes: () => bytesOf('GET /api/goods', { Host: new URL(url).host }) },
  'a bearer key with a letter missing': { layer: 'key', code: 'partners.key_malformed', who: () => json, bytes: () => bearerBytes({ apiKey: json.apiKey!.slice(0, -1) }, url, 'GET', '/api/goods', null) },
  'a bearer key of somebody else': { layer: 'key', code: 'partners.key_unknown', who: () => json, bytes: () => bearerBytes(play, url, 'GET', '/api/goods', null), real: false },
  'a bearer key where a signature is needed': { layer: 'permission', code: 'partners.signature_required', who: () => json, bytes: () => bearerBytes(json, url, 'POST', '/api/orders', order()) },
  'a key that may only read': { layer: 'permission', code: 'partners.scope_missing', who: () => acg, bytes: () => bearerBytes(acg, url, 'POST', '/api/orders', order()) },
  'a signature by another secret': { layer: 'signature', code: 'partners.signature_invalid', who: () => json, bytes: () => signedOrder(order(), { secret: 'not the secret' }), says: /The keyid is yours/, canonical: /"@method": POST/ },
  'an unknown keyid': { layer: 'signature', code: 'partners.signature_invalid', who: () => json, bytes: () => signedOrder(order(), { keyId: 'key_00000000000000000000' }), says: /not a key of this docking/ },
  'a Host that a proxy rewrote': { layer: 'signature', code: 'partners.signature_invalid', who: () => json, bytes: () => signedOrder(order(), {}, { Host: 'upstream.internal' }), says: /changed the Host header/ },
  'the query in the path': { layer: 'signature', code: 'partners.signature_invalid', who: () => json, bytes: () => signedBytes(json, url, 'GET', '/api/goods?limit=1', null, { change: queryInPath }), says: /belongs into "@query"/ },
  'a signature without the body': { layer: 'signature', code: 'partners.signature_incomplete', who: () => json, bytes: () => signedOrder(order(), { change: (headers) => ({ ...headers, 'signature-input': headers['signature-input']!.replace(' "content-digest"', '') }) }) },
  'a signature header gone': { layer: 'signature', code: 'partners.signature_malformed', who: () => json, bytes: () => signedOrder(order(), { drop: ['signature'] }) },
  'created in milliseconds': { layer: 'clock', code: 'protocol.invalid_field', who: () => json, bytes: () => signedOrder(order(), { created: Date.now() }) },
  'a clock an hour ahead': { layer: 'clock', code: 'partners.clock_skew', who: () => json, bytes: () => signedOrder(order(), { created: Math.floor(Date.now() / 1000) + 3_600 }) },
  'a body changed on the way': { layer: 'signature', code: 'partners.digest_mismatch', who: () => json, bytes: () => replaced(signedOrder(), '"quantity":1', '"quantity":2') },
  // The body.
  'a body of GBK': { layer: 'charset', code: 'protocol.charset_mismatch', who: () => play, bytes: () => bearerBytes(play, url, 'POST', '/api/orders', withBytes(order({ member: '@' }), '@', gbk('bfa8c3dc'))), says: /The bytes are GBK.*卡密/ },
  'a body called a form': { layer: 'media', code: 'protocol.unsupported_media', who: () => play, bytes: () => bearerBytes(play, url, 'POST', '/api/orders', order(), { 'Content-Type': 'application/x-www-form-urlencoded' }) },
  'JSON that ends too early': { layer: 'form', code: 'protocol.malformed_request', who: () => play, bytes: () => bearerBytes(play, url, 'POST', '/api/orders', '{"reference":"D-1"') },
  'a key twice in one object': { layer: 'form', code: 'protocol.malformed_request', who: () => play, bytes: () => bearerBytes(play, url, 'POST', '/api/orders', '{"reference":"a","reference":"b"}') },
  'a number for a price': { layer: 'fields', code: 'protocol.invalid_field', who: () => play, bytes: () => bearerBytes(play, url, 'POST', '/api/orders', order({ maxUnitPrice: 9.5 })) },
  'a query that is not known': { layer: 'fields', code: 'protocol.invalid_field', who: () => json, bytes: () => bearerBytes(json, url, 'GET', '/api/goods?page=2', null) },
  // What the hub would say.
  'more than the deposit': { layer: 'business', code: 'ledger.insufficient_funds', who: () => json, bytes: () => signedOrder(order({ good, quantity: 20, maxUnitPrice: '10' })) },
  'a good that is not there': { layer: 'business', code: 'catalogue.good_not_found', who: () => json, bytes: () => signedOrder(order({ good: 'gds_none' })) },
  'a price above the guard': { layer: 'business', code: 'catalogue.price_above_guard', who: () => json, bytes: () => signedOrder(order({ maxUnitPrice: '1' })) },
  // acg-faka type 0.
  'type 0: another key': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => trade({ key: 'WRONG-KEY-0000001' }), says: /that key is not the one of this docking/, canonical: /shared_code=CARD&key=\*\*\*/ },
  'type 0: another app_id': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => connect({ appId: '1001' }), says: /app_id is not that of this docking/ },
  'type 0: sign in upper case': { layer: 'signature', code: 'partners.signature_malformed', who: () => acg, bytes: () => connect({ sign: (params, key) => signatureOf(params, key).toUpperCase() }) },
  'type 0: values hashed with percent signs': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => trade({ sign: (params, key) => md5(`${sortedForm(params)}&key=${key}`) }, { race: '月卡' }), says: /percent-encoded/ },
  'type 0: key without &key=': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => connect({ sign: ({ app_id, app_key }, key) => md5(`app_id=${app_id as string}&app_key=${app_key as string}${key}`) }), says: /without "&key="/ },
  'type 0: empty fields hashed': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => trade({ sign: (params, key) => md5(`${Object.keys(params).sort().map((name) => `${name}=${params[name] as string}`).join('&')}&key=${key}`) }), says: /empty fields were hashed/ },
  'type 0: no sign': { layer: 'signature', code: 'partners.signature_malformed', who: () => acg, bytes: () => connect({ sign: () => '' }) },
  'type 0: no app_id': { layer: 'credentials', code: 'partners.credentials_missing', who: () => acg, bytes: () => connect({ appId: '' }) },
  'type 0: a form of GBK': { layer: 'charset', code: 'protocol.charset_mismatch', who: () => acg, bytes: () => trade({ form: (form) => `${form}&race2=%BF%A8%C3%DC` }), says: /The bytes are GBK.*卡密/ },
  'type 0: JSON instead of a form': { layer: 'media', code: 'protocol.unsupported_media', who: () => acg, bytes: () => trade({ type: 'application/json' }) },
  'type 0: a field twice': { layer: 'form', code: 'protocol.malformed_request', who: () => acg, bytes: () => trade({ form: (form) => `${form}&num=2` }) },
  'type 0: an empty body': { layer: 'form', code: 'protocol.malformed_request', who: () => acg, bytes: () => connect({ form: () => '' }) },
  'type 0: fields in the address': { layer: 'fields', code: 'protocol.invalid_field', who: () => acg, bytes: () => shopBytes(acg, url, '/shared/commodity/item?code=CARD', {}) },
  'type 0: GET': { layer: 'route', code: 'protocol.method_not_allowed', who: () => acg, bytes: () => connect({ method: 'GET' }) },
  'type 0: no address of its docking': { layer: 'route', code: 'protocol.route_not_found', who: () => acg, bytes: () => connect({ mount: '' }), says: /without the address of its docking/, like: 'acg0' },
  'type 0: somebody else\'s docking': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => connect({ mount: '/d/acg/dck_00000000000000000000' }), says: /another docking than yours/ },
  'type 0: no quantity': { layer: 'fields', code: 'protocol.invalid_field', who: () => acg, bytes: () => trade({}, { num: '0' }) },
  'type 0: a preselected card': { layer: 'business', code: 'orders.option_not_supported', who: () => acg, bytes: () => trade({}, { card_id: '7' }) },
  'type 0: sold out': { layer: 'business', code: 'catalogue.out_of_stock', who: () => acg, bytes: () => trade({}, {}, 'EMPTY') },
  'type 0: too dear': { layer: 'business', code: 'ledger.insufficient_funds', who: () => acg, bytes: () => trade({}, {}, 'DEAR') },
  'type 0: no such good': { layer: 'business', code: 'catalogue.good_not_found', who: () => acg, bytes: () => shopBytes(acg, url, '/shared/commodity/item', { code: 'NONE' }) },
  // Types 1 and 2.
  'type 1: another key': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => openBytes(acg, url, '/items', {}, { key: 'WRONG-KEY-0000001' }) },
  'type 1: no signature': { layer: 'signature', code: 'partners.signature_malformed', who: () => acg, bytes: () => openBytes(acg, url, '/items', {}, { sign: '' }) },
  'type 1: a good by its code': { layer: 'fields', code: 'protocol.invalid_field', who: () => acg, bytes: () => openBytes(acg, url, '/item', { id: 'CARD' }) },
  'type 1: no such kind': { layer: 'business', code: 'catalogue.good_not_found', who: () => acg, bytes: () => openBytes(acg, url, '/sku/stock', { sku_id: '999999' }) },
  'type 2: another key': { layer: 'signature', code: 'partners.signature_invalid', who: () => acg, bytes: () => shopBytes(acg, url, '/plugin/SharedStock/api/items', {}, { key: 'WRONG-KEY-0000001' }) },
  'type 2: a path that it has not': { layer: 'route', code: 'protocol.route_not_found', who: () => acg, bytes: () => shopBytes(acg, url, '/plugin/SharedStock/api/trade', {}), like: 'acg2' },
  // Somebody else's protocol.
  'kasushou v2 at an acg docking': {
    layer: 'route', code: 'protocol.route_not_found', who: () => acg, like: 'kasushou', says: /No|Nothing/,
    bytes: () => bytesOf(`POST ${new URL(acg.baseUrl).pathname}/api/v1/order/buy`, { Host: new URL(url).host, 'Content-Type': 'application/json', Sign: '15b8f541eb10e3fbb33efd92c8d52d50ddca0784', Timestamp: '1696645385740', UserId: '7' }, '{"id":1,"external_orderno":"A","quantity":1,"safe_price":1}'),
  },
  'kayixin at the JSON API': { layer: 'route', code: 'protocol.route_not_found', who: () => json, like: 'kayixin', says: /looks like kayixin/, bytes: () => bytesOf('POST /api/v3/order/create', { Host: 'x', 'Content-Type': 'application/json', 'X-App-Id': '1', 'X-Signature': 'x' }, '{"goodsId":1,"outerNumber":"A"}') },
  'ofpay XML in GB2312': { layer: 'route', code: 'protocol.route_not_found', who: () => json, like: 'ofpay', bytes: () => bytesOf('GET /onlineorder.do?userid=A00001&userpws=x&sporder_id=T1&md5_str=C8EB59514B917795FCAF8885F6B2923F', { Host: 'x' }) },
  'dujiao-next, as it was recorded': { layer: 'route', code: 'protocol.route_not_found', who: () => json, like: 'dujiao_next', says: /looks like dujiao-next/, bytes: () => readFileSync(new URL('../vectors/dujiao-next/requests/005-POST-api_v1_upstream_orders.http', import.meta.url)) },
}

function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1')
}

function sortedForm(params: Params): string {
  return encodeForm(Object.fromEntries(Object.entries(params).filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : 1))))
}

/** Signs "@path" with the query in it, as some programs do. */
function queryInPath(): Record<string, string> {
  const created = Math.floor(Date.now() / 1000)
  const params = `("@method" "@authority" "@path" "@query");created=${created};nonce="n-${created}-${Math.random()}";keyid="${json.keyId!}"`
  const base = `"@method": GET\n"@authority": ${new URL(url).host}\n"@path": /api/goods?limit=1\n"@query": ?limit=1\n"@signature-params": ${params}`
  return { 'signature-input': `sig1=${params}`, signature: `sig1=:${hmac(base)}:` }
}

function hmac(base: string): string {
  return createHmac('sha256', json.keySecret!).update(base).digest('base64')
}

test(`each of ${Object.keys(rows).length} broken requests is told its layer and code, which is what the real way answers, and nothing is left behind`, async (t) => {
  assert.ok(Object.keys(rows).length >= 40)
  for (const [name, row] of Object.entries(rows)) {
    await t.test(name, async () => {
      const bytes = row.bytes()
      const found = await diagnosed(row.who(), bytes)
      const first = found.steps.find((step: Json) => step.verdict === 'fail')
      assert.deepEqual([found.layer, found.verdict.code], [row.layer, row.code], JSON.stringify(found.steps.map((step: Json) => [step.layer, step.verdict, step.code, step.seen.en]), null, 1))
      const reason = reasonOf(row.code)
      assert.deepEqual([found.verdict.class, first.class, first.page], [reason.class, reason.class, `${url}/reasons/${row.code}`])
      assert.ok(first.remedy.en.length > 30 && /\p{Script=Han}/u.test(first.remedy.zh) && /\p{Script=Han}/u.test(first.seen.zh))
      if (row.says) assert.match(first.seen.en, row.says)
      if (row.like) assert.equal(found.lookalikes[0]?.family, row.like)
      if (row.canonical) assert.match(found.canonical.hub, row.canonical)
      if (row.real !== false) assert.ok((await answered(bytes)).includes(row.code), 'the real way says the same')
      const again = await diagnosed(row.who(), row.bytes())
      assert.deepEqual([again.layer, again.verdict.code], [row.layer, row.code], 'to look changed nothing')
      for (const secret of [json.keySecret!, json.apiKey!, acg.appKey!, acg.apiKey!, 'WRONG-KEY-0000001']) assert.ok(!JSON.stringify(found).includes(secret), secret)
    })
  }
  assert.deepEqual(await hub.findings(), [])
})
