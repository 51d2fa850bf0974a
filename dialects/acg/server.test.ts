import assert from 'node:assert/strict'
import { createHash, timingSafeEqual } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Outcome } from '../../protocol/outcome.ts'
import { writeForm } from '../../protocol/wire/form.ts'
import type { Form } from '../../protocol/wire/form.ts'
import type { Ask, Raw } from '../dialect.ts'
import { base, open, read, redactedBase, signed, who } from './server.ts'
import type { AcgRequest, Digests } from './server.ts'

const VECTORS = new URL('../../test/vectors/', import.meta.url)
const KEY = 'KEY-OF-DOWNSTREAM-0001'
const FORM_TYPE = 'application/x-www-form-urlencoded'

const digests: Digests = {
  md5Hex: (text) => createHash('md5').update(text).digest('hex'),
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  equal: (a, b) => timingSafeEqual(Buffer.from(a), Buffer.from(b)),
}

type Recorded = { name: string; raw: Raw; body: string }

const recordings: Recorded[] = readdirSync(new URL('acg-type0/requests/', VECTORS)).sort().map((name) => {
  const [head = '', body = ''] = readFileSync(new URL(`acg-type0/requests/${name}`, VECTORS), 'utf8').split('\r\n\r\n')
  const [method = '', path = ''] = head.split(' ')
  const contentType = /^content-type: (.*)$/im.exec(head)?.[1] ?? ''
  return { name, body, raw: { method, path, query: '', contentType, body: new TextEncoder().encode(body) } }
})
const answers: { path: string; request: string }[] = JSON.parse(readFileSync(new URL('acg-type0/answers.json', VECTORS), 'utf8'))
const signatures: { name: string; base: string; sign: string }[] = JSON.parse(readFileSync(new URL('signatures.json', VECTORS), 'utf8'))

const post = (path: string, body: string | Uint8Array, more: Partial<Raw> = {}): Raw =>
  ({ method: 'POST', path, query: '', contentType: FORM_TYPE, body: typeof body === 'string' ? new TextEncoder().encode(body) : body, ...more })

function opened(raw: Raw): AcgRequest {
  const outcome = open(raw)
  assert.ok(outcome.ok, JSON.stringify(outcome))
  return outcome.value
}

const TRADE = '/shared/commodity/trade'
const tradeForm = (change: Record<string, string | Form | undefined> = {}): Form => {
  const fields = { shared_code: 'C0DE000000000001', contact: 'abcdef0123456789', num: '2', card_id: '0', device: '0', password: '', race: '', request_no: 'RQ1795381661458', app_id: '1000', app_key: KEY, ...change }
  return new Map(Object.entries(fields).filter(([, value]) => value !== undefined)) as Form
}
const asked = (path: string, form: Form): Outcome<Ask> => read(opened(post(path, writeForm(form))))
const trade = (change: Record<string, string | Form | undefined>): Outcome<Ask> => asked(TRADE, tradeForm(change))
const sign = (form: Form, key = KEY): Form =>
  new Map([...form, ['sign', digests.md5Hex(base(opened(post(TRADE, writeForm(form))), key))]])
const code = (outcome: Outcome<unknown>): string => (outcome.ok ? 'accepted' : outcome.refusal.code)

test('there are recordings to compare with', () => {
  assert.equal(recordings.length, 18)
  assert.equal(answers.length, 18)
})

for (const { name, raw, body } of recordings) {
  test(`${name}: a real shop is understood and its signature holds, until one byte changes`, () => {
    const request = opened(raw)
    assert.deepEqual(who(request), { ok: true, value: { appId: '1000' } })
    assert.deepEqual(signed(request, KEY, digests), { ok: true, value: null })
    assert.equal(code(signed(request, 'KEY-OF-DOWNSTREAM-0002', digests)), 'partners.signature_invalid')
    const changed = opened({ ...raw, body: new TextEncoder().encode(body.replace('app_id=1000', 'app_id=1001')) })
    assert.equal(code(signed(changed, KEY, digests)), 'partners.signature_invalid')
  })
}

test('every byte of a signed trade is covered: changed anywhere, it is refused or signed by nobody', () => {
  const { raw, body } = recordings.find(({ name }) => name.startsWith('013')) as Recorded
  for (let at = 0; at < body.indexOf('&sign='); at++) {
    for (const byte of ['A', '9']) {
      if (body[at] === byte) continue
      const outcome = open({ ...raw, body: new TextEncoder().encode(body.slice(0, at) + byte + body.slice(at + 1)) })
      if (!outcome.ok) continue
      // The name of a field that is empty is not signed, but then the field is as good as absent.
      const harmless = JSON.stringify(read(outcome.value)) === JSON.stringify(read(opened(raw)))
      const verdict = signed(outcome.value, KEY, digests)
      assert.ok(!verdict.ok || harmless, `byte ${at}`)
    }
  }
})

test('what the recorded purchases ask for', () => {
  const asks = Object.fromEntries(recordings.map(({ name, raw }) => [name.slice(0, 3), read(opened(raw))]))
  assert.deepEqual(asks['001'], { ok: true, value: { kind: 'connect' } })
  assert.deepEqual(asks['003'], { ok: true, value: { kind: 'items' } })
  const [plain, raced] = [{ code: 'STUB000000000001' }, { code: 'STUB000000000002' }]
  const none = { race: null, options: {} }
  const chosen = { race: '月卡', options: { 区服: '一区' } }
  assert.deepEqual(asks['007'], { ok: true, value: { kind: 'item', good: plain } })
  assert.deepEqual(asks['014'], { ok: true, value: { kind: 'stock', good: plain, choice: none } })
  assert.deepEqual(asks['012'], { ok: true, value: { kind: 'valuation', good: plain, choice: none, quantity: 1 } })
  assert.deepEqual(asks['013'], {
    ok: true, value: { kind: 'trade', good: plain, choice: none, quantity: 1, values: {}, reference: '440261123050929939', contact: 'ce3975111a8831df' },
  })
  assert.deepEqual(asks['015'], { ok: true, value: { kind: 'stock', good: raced, choice: chosen } })
  assert.deepEqual(asks['016'], { ok: true, value: { kind: 'valuation', good: raced, choice: chosen, quantity: 1 } })
  assert.deepEqual(asks['017'], {
    ok: true, value: { kind: 'trade', good: raced, choice: chosen, quantity: 1, values: { account: 'user@example' }, reference: '272261123050929836', contact: '3cb910caa969c19b' },
  })
})

test('the requests that a real main site answered carry signatures that hold', () => {
  const split = (path: string) => path.split('?') as [string, string?]
  const known = answers.filter(({ path }) => open(post(split(path)[0], 'a=1')).ok)
  assert.equal(known.length, 17, 'all but the order that is asked for in the path')
  for (const { path, request } of known) {
    const [address, query = ''] = split(path)
    assert.deepEqual(signed(opened(post(address, request, { query })), '0123456789ABCDEF', digests), { ok: true, value: null }, request)
  }
})

test('the string that is hashed is the published one, nested keys and all, and its redaction names no key', () => {
  const vector = signatures.find(({ name }) => name === 'acg type0 trade')
  assert.ok(vector)
  const request = opened(post(TRADE, writeForm(new Map<string, string | Map<string, string>>([
    ['shared_code', 'C0DE000000000003'], ['contact', 'abcdef0123456789'], ['num', '1'], ['card_id', '0'], ['device', '0'], ['password', ''],
    ['race', '月卡'], ['request_no', '844261123050741979'], ['sku', new Map([['区服', '一区']])], ['account', 'user@example'],
    ['app_id', '1000'], ['app_key', '0123456789ABCDEF'], ['sign', vector.sign],
  ]))))
  assert.equal(base(request, '0123456789ABCDEF'), vector.base)
  assert.deepEqual(signed(request, '0123456789ABCDEF', digests), { ok: true, value: null })
  assert.equal(redactedBase(request), vector.base.replaceAll('0123456789ABCDEF', '***').replace('account=user@example', 'account=***').replace('contact=abcdef0123456789', 'contact=***'))
})

test('what a buyer filled in stands in no redaction, whatever the field is called and however it is nested', () => {
  const filled = new Map<string, string | Map<string, string>>([
    ['shared_code', 'C1'], ['num', '1'], ['contact', 'CANARY'], ['password', 'CANARY'], ['account', 'CANARY'], ['ticks', new Map([['0', 'CANARY'], ['CANARY', 'x']])], ['sku', new Map([['区', '一']])], ['app_id', '1000'], ['sign', 's'],
  ])
  assert.equal(redactedBase(opened(post(TRADE, writeForm(filled)))), 'account=***&app_id=1000&contact=***&num=1&password=***&shared_code=C1&sku[区]=一&ticks=***&key=***')
})

test('any form signed by its key is accepted, and by no other key', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '1', '卡', ' ', '+', '%', '=', "'"), maxLength: 6 })
  const name = fc.stringMatching(/^[a-z][a-z_]{0,5}$/).filter((text) => text !== 'sign')
  const value = fc.oneof(text, text.map((inner) => new Map([['区服', inner]])))
  fc.assert(fc.property(fc.dictionary(name, value, { minKeys: 1, maxKeys: 6 }), (fields) => {
    const request = opened(post(TRADE, writeForm(sign(new Map(Object.entries(fields))))))
    assert.deepEqual(signed(request, KEY, digests), { ok: true, value: null })
    assert.equal(code(signed(request, `${KEY}x`, digests)), 'partners.signature_invalid')
  }))
})

const good = digests.md5Hex(`app_id=1000&key=${KEY}`)
const malformedSigns: [what: string, fields: string][] = [
  ['missing', ''], ['empty', '&sign='], ['0', '&sign=0'], ['null', '&sign=null'], ['nested', `&sign[a]=${good}`],
  ['in upper case', `&sign=${good.toUpperCase()}`], ['with a blank', `&sign=${good}+`], ['31 digits', `&sign=${good.slice(1)}`],
  ['33 digits', `&sign=${good}0`], ['64 digits', `&sign=${good}${good}`], ['base64', `&sign=${Buffer.from(good, 'hex').toString('base64url')}`],
  ['absent beside sign_type=NONE', '&sign_type=NONE'],
]
for (const [what, fields] of malformedSigns) {
  test(`a signature that is ${what} is refused by its form, before any hash is made`, () => {
    const none: Digests = { md5Hex: () => assert.fail(), sha256Hex: () => assert.fail(), equal: () => assert.fail() }
    assert.equal(code(signed(opened(post(TRADE, `app_id=1000${fields}`)), KEY, none)), 'partners.signature_malformed')
  })
}

test('a list of signatures is not a form', () => {
  assert.equal(code(open(post(TRADE, `app_id=1000&sign[]=${good}`))), 'protocol.malformed_request')
})

const mixed = new Map([...tradeForm()].filter(([name]) => name !== 'sign'))
const othersSigns: [what: string, text: string][] = [
  ['fields in the order in which they came', [...mixed].filter(([, value]) => value !== '').map(([name, value]) => `${name}=${value}`).join('&')],
  ['empty fields kept', [...mixed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value}`).join('&')],
  ['percent signs kept', writeForm(new Map([...tradeForm({ contact: 'a b@c' })].filter(([, value]) => value !== '').sort(([a], [b]) => (a < b ? -1 : 1))))],
]
for (const [what, text] of othersSigns) {
  test(`a signature over ${what} is refused, with the hash of a string that holds no key`, () => {
    const form = tradeForm(what.startsWith('percent') ? { contact: 'a b@c' } : {})
    const request = opened(post(TRADE, writeForm(new Map([...form, ['sign', digests.md5Hex(`${text}&key=${KEY}`)]]))))
    const outcome = signed(request, KEY, digests)
    assert.ok(!outcome.ok)
    assert.deepEqual(outcome.refusal, { code: 'partners.signature_invalid', because: { baseSha256: digests.sha256Hex(redactedBase(request)) } })
    assert.ok(!redactedBase(request).includes(KEY))
  })
}

test('a field beside the signed ones breaks the signature, whatever its name', () => {
  const form = sign(tradeForm())
  for (const extra of ['price', 'is_admin', 'sign_type', 'zz']) {
    assert.equal(code(signed(opened(post(TRADE, writeForm(new Map([...form, [extra, '1']])))), KEY, digests)), 'partners.signature_invalid')
  }
})

test('a value that hides further pairs is refused: it has the signature of other fields', () => {
  const honest = sign(tradeForm({ contact: 'me', device: '0' }))
  const forged = new Map(honest)
  forged.delete('device')
  forged.set('contact', 'me&device=0')
  const request = opened(post(TRADE, writeForm(forged)))
  assert.equal(base(request, KEY), base(opened(post(TRADE, writeForm(honest))), KEY))
  assert.equal(code(signed(request, KEY, digests)), 'partners.signature_malformed')
  for (const sku of [new Map([['a', 'x&num=9']]), new Map([['a=b&c', 'x']])]) {
    assert.equal(code(signed(opened(post(TRADE, writeForm(sign(tradeForm({ sku }))))), KEY, digests)), 'partners.signature_malformed')
  }
  assert.equal(code(signed(opened(post(TRADE, writeForm(sign(tradeForm({ contact: 'R&D' }))))), KEY, digests)), 'accepted')
})

test('an id that nobody has is refused exactly like a wrong key, after the same work', () => {
  let hashed = 0
  const counting: Digests = { ...digests, md5Hex: (text) => { hashed++; return digests.md5Hex(text) } }
  const request = opened(post(TRADE, writeForm(sign(tradeForm(), 'another key'))))
  const wrong = signed(request, KEY, counting)
  const unknown = signed(request, null, counting)
  assert.equal(hashed, 2)
  assert.deepEqual(unknown, wrong)
  for (const guess of ['nobody', '']) {
    assert.equal(code(signed(opened(post(TRADE, writeForm(sign(tradeForm(), guess)))), null, digests)), 'partners.signature_invalid')
  }
  assert.equal(code(signed(opened(post(TRADE, writeForm(sign(tradeForm(), '')))), '', digests)), 'partners.signature_invalid')
})

test('whose request it is', () => {
  for (const [appId, verdict] of [
    [undefined, 'partners.credentials_missing'], ['', 'partners.credentials_missing'], ['a'.repeat(33), 'protocol.invalid_field'],
    ["1' OR 1=1--", 'protocol.invalid_field'], ['1000\n', 'protocol.invalid_field'], ['商户', 'protocol.invalid_field'],
    [new Map([['a', '1000']]), 'protocol.invalid_field'], ['shop-1:a_b@c.d', 'accepted'],
  ] as const) {
    assert.equal(code(who(opened(post(TRADE, writeForm(tradeForm({ app_id: appId })))))), verdict)
  }
})

const doors: [what: string, raw: Raw, verdict: string][] = [
  ['an unknown address', post('/shared/commodity/pay', 'a=1'), 'protocol.route_not_found'],
  ['a path that climbs', post('/shared/../../etc/passwd', 'a=1'), 'protocol.route_not_found'],
  ['a path that climbs in percent signs', post('/shared/%2e%2e%2fcommodity/item', 'a=1'), 'protocol.route_not_found'],
  ['a path with NUL', post('/shared/commodity/item%00', 'a=1'), 'protocol.route_not_found'],
  ['a name that objects inherit', post('constructor', 'a=1'), 'protocol.route_not_found'],
  ['an order asked for by its number', post('/shared/commodity/query.844261123050741979', 'a=1'), 'protocol.route_not_found'],
  ['GET', post(TRADE, '', { method: 'GET' }), 'protocol.method_not_allowed'],
  ['PUT', post(TRADE, 'a=1', { method: 'PUT' }), 'protocol.method_not_allowed'],
  ['JSON', post(TRADE, '{}', { contentType: 'application/json' }), 'protocol.unsupported_media'],
  ['a form in GBK', post(TRADE, 'a=1', { contentType: `${FORM_TYPE}; charset=gbk` }), 'protocol.unsupported_media'],
  ['no content type', post(TRADE, 'a=1', { contentType: '' }), 'protocol.unsupported_media'],
  ['a form that says UTF-8', post(TRADE, 'a=1', { contentType: `${FORM_TYPE}; charset=UTF-8` }), 'accepted'],
  ['fields in the address', post(TRADE, 'a=1', { query: 'num=9' }), 'protocol.invalid_field'],
  ['an order number in the address of a query', post('/shared/commodity/query', 'a=1', { query: 'tradeNo=844261123050741979' }), 'accepted'],
  ['another field in the address of a query', post('/shared/commodity/query', 'a=1', { query: 'tradeNo=1&num=9' }), 'protocol.invalid_field'],
  ['an order number in the address of a trade', post(TRADE, 'a=1', { query: 'tradeNo=1' }), 'protocol.invalid_field'],
  ['type 1 without a body', post('/plugin/open-api/connect', '', { contentType: '' }), 'accepted'],
  ['an empty body', post(TRADE, ''), 'protocol.malformed_request'],
  ['two numbers', post(TRADE, 'num=1&num=9'), 'protocol.malformed_request'],
  ['a list', post(TRADE, 'a[]=1'), 'protocol.malformed_request'],
  ['a bad percent sign', post(TRADE, 'num=%zz'), 'protocol.malformed_request'],
  ['half a character', post(TRADE, 'race=%E5%8D'), 'protocol.charset_mismatch'],
  ['an overlong slash', post(TRADE, 'race=%C0%AF'), 'protocol.charset_mismatch'],
  ['GBK bytes', post(TRADE, new Uint8Array([0x61, 0x3d, 0xbf, 0x5c])), 'protocol.charset_mismatch'],
  ['a name that PHP would change', post(TRADE, 'request.no=1'), 'protocol.invalid_field'],
]
for (const [what, raw, verdict] of doors) {
  test(`at the door, ${what}: ${verdict}`, () => assert.equal(code(open(raw)), verdict))
}

const numbers = ['0', '-0', '-1', '+1', '1.0', '19.99', '19.999', '00.1', '.5', '01', '1e3', '0x1', ' 1', '1 ', '1\n', '１', '1001', '2147483648',
  '9007199254740993', '1000000000', '1;id', '$(id)', 'NaN', '']
for (const num of numbers) {
  test(`a quantity written ${JSON.stringify(num)} is refused`, () => {
    const refusal = { code: 'protocol.invalid_field', because: { path: '/num', expected: 'a whole number from 1 to 1000, in digits' } }
    assert.deepEqual(trade({ num }), { ok: false, refusal })
    assert.deepEqual(asked('/shared/commodity/valuation', new Map([['code', 'A'], ['num', num]])), { ok: false, refusal })
  })
}

test('a thousand is the largest quantity', () => {
  const outcome = trade({ num: '1000' })
  assert.ok(outcome.ok && outcome.value.kind === 'trade' && outcome.value.quantity === 1000)
})

const fields: [what: string, change: Record<string, string | Form | undefined>, path: string][] = [
  ['no quantity', { num: undefined }, '/num'],
  ['a nested quantity', { num: new Map([['a', '1']]) }, '/num'],
  ['no code', { shared_code: undefined }, '/shared_code'],
  ['a code of SQL', { shared_code: "' OR 1=1--" }, '/shared_code'],
  ['a code of shell', { shared_code: ';id' }, '/shared_code'],
  ['a code of shell in brackets', { shared_code: '$(id)' }, '/shared_code'],
  ['a code of a path', { shared_code: '../../etc/passwd' }, '/shared_code'],
  ['a code with a zero-width character', { shared_code: 'A\u200bB' }, '/shared_code'],
  ['a code of 65 characters', { shared_code: 'A'.repeat(65) }, '/shared_code'],
  ['no request number', { request_no: undefined }, '/request_no'],
  ['an empty request number', { request_no: '' }, '/request_no'],
  ['a request number of 65 characters', { request_no: '1'.repeat(65) }, '/request_no'],
  ['a request number with a line end', { request_no: '1\n' }, '/request_no'],
  ['a contact with a direction mark', { contact: 'moc.elpmaxe\u202e' }, '/contact'],
  ['a contact with a zero-width character', { contact: 'a\u200bb' }, '/contact'],
  ['a contact with a line end', { contact: 'a\nb' }, '/contact'],
  ['a contact of 129 characters', { contact: '𠮷'.repeat(129) }, '/contact'],
  ['a nested contact', { contact: new Map([['a', 'b']]) }, '/contact'],
]
for (const [what, change, path] of fields) {
  test(`${what} is refused with its path`, () => {
    const outcome = trade(change)
    assert.ok(!outcome.ok)
    assert.equal(outcome.refusal.code, 'protocol.invalid_field')
    assert.equal(outcome.refusal.because['path'], path)
  })
}

const options: [option: string, value: string | Form][] = [['card_id', '17'], ['card_id', new Map([['a', '0']])], ['password', 'hunter2']]
for (const [option, value] of options) {
  test(`the choice ${option} is refused by its name`, () => {
    assert.deepEqual(trade({ [option]: value }), { ok: false, refusal: { code: 'orders.option_not_supported', because: { option } } })
  })
}

test('what is left empty was not chosen', () => {
  assert.deepEqual(trade({ race: '', sku: '', password: '', card_id: '', account: '', contact: undefined, device: '1' }), {
    ok: true, value: { kind: 'trade', good: { code: 'C0DE000000000001' }, choice: { race: null, options: {} }, values: {}, quantity: 2, reference: 'RQ1795381661458', contact: '' },
  })
})

test('calls other than trade take no field of their own', () => {
  assert.equal(code(asked('/shared/authentication/connect', new Map([['is_admin', '1']]))), 'protocol.invalid_field')
  assert.equal(code(asked('/shared/commodity/item', new Map([['code', 'A'], ['num', '1']]))), 'protocol.invalid_field')
})

test('several ticks of one checkbox are one value', () => {
  const outcome = trade({ tags: new Map([['0', 'A'], ['1', 'B']]) })
  assert.ok(outcome.ok && outcome.value.kind === 'trade')
  assert.deepEqual(outcome.value.values, { tags: 'A,B' })
})

test('choices that are none are refused with their path', () => {
  const wrong: [Record<string, string | Form | undefined>, string][] = [
    [{ sku: '一区' }, '/sku'], [{ race: 'x'.repeat(65) }, '/race'], [{ race: 'a\u200bb' }, '/race'], [{ race: new Map([['a', 'b']]) }, '/race'], [{ sku: new Map([['区服', 'a\u202eb']]) }, '/sku'],
    [{ sku: new Map(Array.from({ length: 11 }, (_, i) => [`g${i}`, 'x'])) }, '/sku'], [{ account: new Map([['a', 'b']]) }, '/account'], [{ account: 'x'.repeat(1001) }, '/account'],
  ]
  for (const [change, path] of wrong) {
    const outcome = trade(change)
    assert.ok(!outcome.ok, path)
    assert.equal(outcome.refusal.because['path'], path)
  }
})

test('type 1 signs in its headers over the body alone, and names goods by numbers', () => {
  const [connect, bought] = ['acg type1 connect (no params)', 'acg type1 trade'].map((name) => signatures.find((vector) => vector.name === name))
  assert.ok(connect && bought)
  const headers = { 'api-id': '1000', 'api-signature': connect.sign }
  const empty = opened(post('/plugin/open-api/connect', '', { contentType: '', headers }))
  assert.equal(base(empty, KEY), connect.base)
  assert.deepEqual([who(empty), signed(empty, KEY, digests), read(empty)], [{ ok: true, value: { appId: '1000' } }, { ok: true, value: null }, { ok: true, value: { kind: 'connect' } }])
  const order = opened(post('/plugin/open-api/trade', 'sku_id=901&quantity=1&trade_no=754bd2ab372314e7590c9d66', { headers: { ...headers, 'api-signature': bought.sign } }))
  assert.equal(base(order, KEY), bought.base)
  assert.deepEqual(signed(order, KEY, digests), { ok: true, value: null })
  assert.deepEqual(read(order), { ok: true, value: { kind: 'trade', good: { sku: 901 }, choice: { race: null, options: {} }, quantity: 1, values: {}, reference: '754bd2ab372314e7590c9d66', contact: '' } })
  assert.equal(code(signed(opened(post('/plugin/open-api/trade', 'sku_id=902&quantity=1&trade_no=754bd2ab372314e7590c9d66', { headers: { ...headers, 'api-signature': bought.sign } })), KEY, digests)), 'partners.signature_invalid')
  assert.equal(code(who(opened(post('/plugin/open-api/connect', '', { headers: {} })))), 'partners.credentials_missing')
})
