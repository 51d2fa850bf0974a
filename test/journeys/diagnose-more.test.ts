import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { isReasonCode } from '../../protocol/reasons.ts'
import { encodeForm, openShop, signatureOf, tradeFields } from '../acg-shop.ts'
import { readContract } from '../contract.ts'
import { startHub, type TestDocking } from '../hub.ts'
import { bearerBytes, bytesOf, openBytes, shopBytes, signedBytes } from '../pasted.ts'
import type { Json } from '../raw-http.ts'

const hub = await startHub({ after })
const { url } = hub
const good = await hub.stockGood({ code: 'CARD', cards: 5, mode: 'live' })
const json = await hub.openDocking({ mode: 'live', deposit: '100.00' })
const acg = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00', appId: '1000' })
const other = await hub.openDocking({ name: 'Other', mode: 'live', deposit: '100.00' })
const contract = await readContract(url)

async function diagnosed(docking: TestDocking, request: string | Uint8Array, more: object = {}): Promise<Json> {
  const ask = typeof request === 'string' ? { request } : { request: Buffer.from(request).toString('base64'), encoding: 'base64' }
  const reply = await hub.bearer(docking, 'POST', '/api/docking/diagnose', { ...ask, ...more })
  contract.check('POST', '/api/docking/diagnose', reply)
  assert.equal(reply.status, 200, reply.text)
  return reply.body
}

/** The same asked by somebody who is nobody here. */
async function asStranger(request: Uint8Array): Promise<{ status: number; body: Json; text: string }> {
  const response = await fetch(`${url}/doctor`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ request: Buffer.from(request).toString('base64'), encoding: 'base64' }) })
  const text = await response.text()
  return { status: response.status, body: JSON.parse(text), text }
}

const order = (more: object = {}) => JSON.stringify({ reference: 'D-1', good, quantity: 1, maxUnitPrice: '9.50', ...more })
const stepOf = (found: Json, layer: string) => found.steps.find((step: Json) => step.layer === layer)

test('a right request is healthy in every dialect, nothing is ordered by asking, and the shop can still place it', async () => {
  const signed = signedBytes(json, url, 'POST', '/api/orders', order())
  const found = await diagnosed(json, signed)
  assert.deepEqual([found.dialect, found.layer, found.verdict.class, stepOf(found, 'business').verdict], ['json', null, 'healthy', 'pass'])
  const shop: readonly [string, Uint8Array][] = [
    ['acg0', shopBytes(acg, url, '/shared/authentication/connect', {})], ['acg0', shopBytes(acg, url, '/shared/commodity/trade', tradeFields('CARD', 1, '7'))],
    ['acg1', openBytes(acg, url, '/items', {})], ['acg2', shopBytes(acg, url, '/plugin/SharedStock/api/items', {})],
  ]
  for (const [dialect, bytes] of shop) {
    const { dialect: seen, layer, verdict } = await diagnosed(acg, bytes)
    assert.deepEqual([seen, layer, verdict.class], [dialect, null, 'healthy'])
  }
  assert.deepEqual((await hub.bearer(json, 'GET', '/api/orders')).body.items, [])
  assert.equal((await hub.order(json, { reference: 'D-1', good, maxUnitPrice: '9.50' })).status, 201)
  const again = await diagnosed(json, signed)
  assert.match(stepOf(again, 'business').seen.en, /bound to ord_/)
  assert.equal(stepOf(await diagnosed(json, signedBytes(json, url, 'POST', '/api/orders', order({ quantity: 2 }))), 'business').code, 'orders.reference_reused')
})

test('every recorded request of a real shop is recognised once it is signed for the docking, and its mount is told', async () => {
  const folder = new URL('../vectors/acg-type0/requests/', import.meta.url)
  for (const file of readdirSync(folder)) {
    const found = await diagnosed(acg, readFileSync(new URL(file, folder)))
    assert.deepEqual([found.verdict.code, found.lookalikes[0].family], ['protocol.route_not_found', 'acg0'], file)
    assert.ok(stepOf(found, 'route').seen.zh.includes(`${url}/d/acg/${acg.id}`), file)
  }
})

test('what was pasted as text is taken as it was meant: line ends, a length that was left out, a last line end', async () => {
  const body = order({ reference: 'T-1' })
  const signed = signedBytes(json, url, 'POST', '/api/orders', body).toString('utf8').replaceAll('\r\n', '\n')
  for (const text of [signed, `${signed}\n`, `\n${signed}`, signed.replace(/Content-Length: \d+\n/, '')]) {
    const found = await diagnosed(json, text)
    assert.deepEqual([found.layer, found.verdict.class], [null, 'healthy'], text)
    assert.ok(found.notes.length > 0)
  }
})

test('the clock is judged by when the request was sent, not by when it was pasted', async () => {
  const hourAgo = Math.floor(Date.now() / 1000) - 3_600
  const old = signedBytes(json, url, 'GET', '/api/goods', null, { created: hourAgo })
  assert.equal(stepOf(await diagnosed(json, old), 'clock').verdict, 'unknown')
  const sentThen = await diagnosed(json, old, { sentAt: new Date((hourAgo + 2) * 1_000).toISOString() })
  assert.deepEqual([sentThen.layer, stepOf(sentThen, 'clock').verdict], [null, 'pass'])
  const late = await diagnosed(json, old, { response: `HTTP/1.1 401 Unauthorized\r\nDate: ${new Date((hourAgo + 900) * 1_000).toUTCString()}\r\nContent-Type: application/problem+json\r\n\r\n{"code":"partners.clock_skew","because":{"skewS":-900,"allowedS":300}}` })
  assert.deepEqual([late.layer, late.verdict.code, stepOf(late, 'answer').code], ['clock', 'partners.clock_skew', 'partners.clock_skew'])
})

test('the partner\'s own string is compared with the hub\'s, and the first place that differs is shown without secrets', async () => {
  const signed = signedBytes(json, url, 'GET', '/api/goods?limit=1', null, { secret: 'another secret' })
  const mine = (await diagnosed(json, signed)).canonical.hub as string
  assert.equal((await diagnosed(json, signed, { base: mine })).canonical.difference, null)
  assert.deepEqual((await diagnosed(json, signed, { base: mine.replace('"@query": ?limit=1', '"@query": ?limit=2') })).canonical.difference, { at: 4, hub: '"@query": ?limit=1', yours: '"@query": ?limit=2' })
  const trade = shopBytes(acg, url, '/shared/commodity/trade', tradeFields('CARD', 1, '7', { race: '月卡' }), { key: 'WRONG-KEY-0000001' })
  const found = await diagnosed(acg, trade, { base: `app_id=1000&app_key=${acg.appKey}&card_id=0&contact=PRIVATE&num=1&key=${acg.appKey}` })
  assert.deepEqual(found.canonical.difference, { at: 2, hub: 'app_key=***', yours: 'app_key=***' })
  assert.doesNotMatch(JSON.stringify(found), new RegExp(`PRIVATE|${acg.appKey}|WRONG-KEY`))
})

test('garbled text in a field is told with what was meant, and so is an answer that no hub gives', async () => {
  const garbled = await diagnosed(json, signedBytes(json, url, 'POST', '/api/orders', order({ reference: 'M-1', member: '鍗″瘑' })))
  assert.deepEqual([garbled.layer, stepOf(garbled, 'charset').code, stepOf(garbled, 'charset').verdict], [null, 'protocol.text_garbled', 'warn'])
  assert.match(stepOf(garbled, 'charset').seen.zh, /GBK.*卡密/)
  const shop = await diagnosed(acg, shopBytes(acg, url, '/shared/commodity/stock', { code: 'CARD', race: 'å\u008d¡å¯\u0086' }))
  assert.ok(shop.steps.some((step: Json) => step.layer === 'charset' && step.code === 'protocol.text_garbled') || shop.layer === 'form', JSON.stringify(shop.steps))
  const healthy = shopBytes(acg, url, '/shared/authentication/connect', {})
  for (const response of ['HTTP/1.1 301 Moved\r\nLocation: https://x\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>checking your browser</html>']) {
    const found = await diagnosed(acg, healthy, { response })
    assert.deepEqual([found.layer, found.verdict.code, found.verdict.side], ['answer', 'network.not_a_hub', 'network'])
  }
  assert.equal((await diagnosed(acg, healthy, { response: 'HTTP/1.1 200 OK\r\n\r\n{"code":200,"msg":"success","data":{}}' })).layer, null)
})

test('a measure is named under its true class with its decision, and by no other name', async () => {
  const held = await hub.openDocking({ name: 'Held', mode: 'live', deposit: '100.00' })
  const hold = await hub.operator('POST', `/operator/dockings/${held.id}/holds`, {
    code: 'compliance.identity_unverified', scope: ['orders'], facts: ['The business licence that was sent has expired.'],
    ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' },
  })
  assert.equal(hold.status, 201, hold.text)
  const found = await diagnosed(held, signedBytes(held, url, 'POST', '/api/orders', order({ reference: 'H-1' })))
  assert.deepEqual([found.layer, found.verdict.class, found.verdict.code, stepOf(found, 'business').decision], ['business', 'compliance', 'compliance.identity_unverified', hold.body.id])
})

test('a stranger is told what the bytes show, and the same whether or not a partner exists', async () => {
  const known: readonly [Uint8Array, Uint8Array][] = [
    [bearerBytes(json, url, 'GET', '/api/goods', null), bearerBytes({ apiKey: madeUp(json.apiKey!) }, url, 'GET', '/api/goods', null)],
    [signedBytes(json, url, 'GET', '/api/goods', null), signedBytes(json, url, 'GET', '/api/goods', null, { secret: 'wrong', keyId: 'key_00000000000000000000' })],
    [shopBytes(acg, url, '/shared/authentication/connect', {}), shopBytes({ ...acg, appId: '7777', appKey: 'ANOTHERKEY000001', baseUrl: `${url}/d/acg/dck_00000000000000000000` }, url, '/shared/authentication/connect', {})],
  ]
  const plain = ({ body }: { body: Json }) => body.steps.map(({ layer, verdict, code, because, seen }: Json) => [layer, verdict, code, because, seen.en.replace(/Signed \d+ s/, 'Signed')])
  for (const [right, wrong] of known) {
    const [a, b] = [await asStranger(right), await asStranger(wrong)]
    assert.deepEqual([a.status, b.status], [200, 200], a.text)
    assert.deepEqual(plain(a), plain(b))
    assert.ok(a.body.steps.some((step: Json) => step.verdict === 'unknown'))
  }
  const incomplete = await asStranger(bytesOf('GET /api/goods', { Host: new URL(url).host }))
  assert.equal(incomplete.body.verdict.code, 'partners.credentials_missing')
  const mistaken = await asStranger(shopBytes(acg, url, '/shared/authentication/connect', {}, { sign: (params, key) => signatureOf({ ...params, app_key: '' }, key) }))
  assert.match(mistaken.body.steps.find((step: Json) => step.layer === 'signature').seen.en, /not hashed/)
})

/** Another key of the same form: the checksum is right, and nobody has it. */
function madeUp(key: string): string {
  return key === other.apiKey ? json.apiKey! : other.apiKey!
}

test('the page takes a paste, hides its keys, and answers in Chinese and in English; pastes are counted', async (t) => {
  const page = await fetch(`${url}/doctor`, { headers: { 'accept-language': 'zh-CN' } })
  assert.match(await page.text(), /哪一层/)
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*form-action 'self'/)
  const paste = shopBytes(acg, url, '/shared/authentication/connect', {}, { type: 'text/plain' }).toString('utf8')
  for (const [lang, words] of [['zh', /出错.*application\/x-www-form-urlencoded/s], ['en', /broken.*application\/x-www-form-urlencoded/s]] as const) {
    const shown = await fetch(`${url}/doctor?lang=${lang}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: encodeForm({ request: paste, response: '' }) })
    const html = await shown.text()
    assert.equal(shown.status, 200, html)
    assert.match(html, words)
    assert.ok(!html.includes(acg.appKey!))
  }
  const few = await startHub(t, { LIMIT_FAILED_SIGN_INS_PER_MINUTE: '5' })
  const statuses: number[] = []
  for (let i = 0; i < 12; i++) statuses.push((await fetch(`${few.url}/doctor`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"request":"x"}' })).status)
  assert.deepEqual([statuses[0], statuses.at(-1)], [200, 429])
})

test('whatever bytes are pasted, by a partner or a stranger, an answer comes and no planted secret is in it', async () => {
  const secrets = ['bth_live_PLANTEDPLANTEDPLANTEDPLANTEDPLANT01', '6222020200112233445', 'pl4nted-p4ssword', acg.appKey!, json.keySecret!]
  const piece = fc.oneof(
    fc.string({ maxLength: 40 }), fc.constantFrom('POST /api/orders HTTP/1.1\r\n', 'GET /d/acg/x/shared/commodity/items HTTP/1.1\r\n', 'Host: x\r\n', '\r\n', 'Content-Length: 5\r\n', 'Content-Type: application/json\r\n', '{"a":', '"', '&', '=', '%BF%A8', '\0', '<xml>', 'sign=', 'Signature-Input: sig1=(', 'Transfer-Encoding: chunked\r\n'),
    fc.constantFrom(`Authorization: Bearer ${secrets[0]!}\r\n`, `&password=${secrets[2]!}&`, `"secret":"${secrets[2]!}"`, `app_key=${secrets[3]!}&`, ` ${secrets[1]!} `, `Cookie: session=${secrets[2]!}\r\n`, `{"password":"${secrets[2]!}"}`, `?token=${secrets[2]!} `, ` ${secrets[0]!} `, `key=${secrets[4]!}`),
  )
  const whole = fc.array(piece, { maxLength: 14 }).map((pieces) => Buffer.from(pieces.join('')))
  const noise = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.concat([Buffer.from(`POST /api/orders HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes]))
  await fc.assert(fc.asyncProperty(fc.oneof(whole, noise), fc.constantFrom(json, acg, null), async (bytes, docking) => {
    const encoded = bytes.toString('base64') || 'AA=='
    const reply = docking === null ? await asStranger(Buffer.from(encoded, 'base64')) : await hub.bearer(docking, 'POST', '/api/docking/diagnose', { request: encoded, encoding: 'base64', base: `x=1&password=${secrets[2]!}`, response: bytes.toString('latin1').slice(0, 500).replaceAll('\0', '') || 'x' })
    assert.equal(reply.status, 200, reply.text)
    assert.ok(reply.body.verdict.code === null || isReasonCode(reply.body.verdict.code))
    // A stranger's keys are known to nobody: only what is named or shaped like a secret can be hidden then.
    for (const secret of docking === null ? secrets.slice(0, 3) : docking === acg ? secrets.slice(0, 4) : [...secrets.slice(0, 3), secrets[4]!]) assert.ok(!reply.text.includes(secret), `${secret} in ${reply.text}`)
  }), { numRuns: 250 })
  const shop = openShop(acg)
  assert.equal((await shop.connect()).code, 200)
  const kept = (await hub.hub.db.run({ text: 'select body, subject from platform.facts', values: [] })).map((row) => JSON.stringify(row)).join()
  const logged = JSON.stringify([(await hub.bearer(json, 'GET', '/api/requests')).body, (await hub.bearer(acg, 'GET', '/api/requests')).body])
  for (const secret of secrets) assert.ok(!(kept + logged).includes(secret))
})
