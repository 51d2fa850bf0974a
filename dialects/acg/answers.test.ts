import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { accept, refuse } from '../../protocol/outcome.ts'
import { explain, reasonCodes, reasonOf } from '../../protocol/reasons.ts'
import type { Answer, ShownGood } from '../dialect.ts'
import { carries, write } from './answers.ts'
import { TEXT_LENGTH_MAX } from './words.ts'

type Recorded = { path: string; request: string; status: number; contentType: string; answer: string }
const recorded: Recorded[] = JSON.parse(readFileSync(new URL('../../test/vectors/acg-type0/answers.json', import.meta.url), 'utf8'))

/** The first recorded answer of a call about the plain card good (or about no good at all). */
function real(call: string, contains = ''): Recorded {
  const found = recorded.find(({ path, request }) => path.endsWith(`/${call}`) && request.includes(contains))
  assert.ok(found, call)
  return found
}

const PLAIN = 'C0DE000000000001'
const good: ShownGood = {
  number: 1, code: PLAIN, name: 'Card 10', description: '<p>该商品是演示商品</p>', categoryNumber: 1, category: 'DEMO',
  unitPriceMicro: 9_500_000n, stock: 20_000, minimum: 0, maximum: 0,
}

const bodyOf = (answer: Answer): string => write(accept(answer)).body

/** Keys in their order and the JSON type of every value, all the way down. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shape)
  if (typeof value === 'object' && value !== null) return Object.entries(value).map(([key, inner]) => [key, shape(inner)])
  return value === null ? 'null' : typeof value
}

const exact: [call: string, answer: Answer][] = [
  ['connect', { kind: 'connect', shopName: 'shop-a', balanceMicro: 1_000_000_000_000n }],
  ['stock', { kind: 'stock', stock: 20_000 }],
  ['valuation', { kind: 'valuation', totalMicro: 19_000_000n }],
  ['trade', {
    kind: 'trade', orderId: '844261123050741979', totalMicro: 19_000_000n, cards: ['CARD-1', 'CARD-2'], stock: 19_998,
    url: 'http://127.0.0.1/user/personal/purchaseRecord?tradeNo=844261123050741979',
  }],
]
for (const [call, answer] of exact) {
  test(`${call} is answered byte for byte as the real main site answered`, () => {
    const { status, contentType, answer: body } = real(call, call === 'connect' ? '' : PLAIN)
    assert.deepEqual(write(accept(answer)), { status, contentType, body })
  })
}

test('one item has the keys, order, types and values of the real one, with its price and what the hub adds', () => {
  const theirs = JSON.parse(real('item', PLAIN).answer)
  const ours = JSON.parse(bodyOf({ kind: 'item', good }))
  const { factory_price: cost, ...rest } = ours.data
  assert.equal(cost, 9.5)
  assert.equal(Object.keys(ours.data).at(-1), 'factory_price')
  assert.deepEqual(shape({ ...ours, data: rest }), shape(theirs))
  assert.deepEqual({ ...ours, data: rest }, { ...theirs, data: { ...theirs.data, price: 9.5, share_url: '' } })
})

test('the list has the keys, order, types and values of the real one, with the prices of the partner', () => {
  const theirs = JSON.parse(real('items').answer)
  const ours = JSON.parse(bodyOf({ kind: 'items', goods: [good] }))
  theirs.data[0].children.length = 1
  assert.deepEqual(shape(ours), shape(theirs))
  theirs.data[0].children[0].price = 9.5
  theirs.data[0].children[0].factory_price = 9.5
  assert.deepEqual(ours, theirs)
})

test('goods stand in their categories, in the order in which they come', () => {
  const goods = [[1, 7], [2, 8], [3, 7]].map(([number, categoryNumber]) => ({ ...good, number, categoryNumber, category: `c${categoryNumber}` }) as ShownGood)
  const { data } = JSON.parse(bodyOf({ kind: 'items', goods }))
  assert.deepEqual(data.map((group: { id: number; name: string; children: { id: number }[] }) => [group.id, group.name, group.children.map(({ id }) => id)]),
    [[7, 'c7', [1, 3]], [8, 'c8', [2]]])
  assert.deepEqual(JSON.parse(bodyOf({ kind: 'items', goods: [] })), { code: 200, data: [] })
})

test('a price finer than a fen is left out of the list, and nothing is rounded to make it fit', () => {
  assert.equal(carries(9_500_000n), true)
  assert.equal(carries(10_000n), true)
  assert.equal(carries(1_500n), false)
  assert.equal(carries(9_505_000n), false)
  const { data } = JSON.parse(bodyOf({ kind: 'items', goods: [{ ...good, unitPriceMicro: 1_500n, categoryNumber: 2 }, good] }))
  assert.deepEqual(data.map(({ id }: { id: number }) => id), [1])
})

test('a catalogue larger than the client takes is cut to what it takes', () => {
  const many = Array.from({ length: 10_001 }, (_, at) => ({ ...good, number: at + 1, code: `G${at}` }))
  assert.equal(JSON.parse(bodyOf({ kind: 'items', goods: many })).data[0].children.length, 10_000)
  const wide = Array.from({ length: 201 }, (_, at) => ({ ...good, number: at + 1, categoryNumber: at + 1 }))
  assert.equal(JSON.parse(bodyOf({ kind: 'items', goods: wide })).data.length, 200)
})

test('amounts are number tokens with the very digits of the amount', () => {
  for (const [micro, token] of [
    [0n, '0'], [10_000n, '0.01'], [100_000n, '0.1'], [10_000_000n, '10'], [9_500_000n, '9.5'], [1_010_000n, '1.01'], [100_000_000n, '100'],
    [99_999_999_990_000n, '99999999.99'],
  ] as const) {
    assert.ok(bodyOf({ kind: 'item', good: { ...good, unitPriceMicro: micro } }).includes(`"price":${token},"user_price":${token},`), token)
  }
  fc.assert(fc.property(fc.bigInt(0n, 99_999_999_999n), (fen) => {
    const { data } = JSON.parse(bodyOf({ kind: 'connect', shopName: 's', balanceMicro: fen * 10_000n }))
    assert.equal(BigInt(Math.round(data.balance * 100)), fen)
  }))
})

test('a balance is floored to the fen and never shown below zero', () => {
  for (const [micro, token] of [[19_999_999n, '19.99'], [9_999n, '0'], [-1n, '0'], [1_000_000_000_000_000n, '1000000000']] as const) {
    assert.equal(bodyOf({ kind: 'connect', shopName: 's', balanceMicro: micro }), `{"code":200,"msg":"success","data":{"shopName":"s","balance":${token}}}`)
  }
})

test('texts of goods and shops are written so that they come out as they went in', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
    const whole = text.toWellFormed()
    const { data } = JSON.parse(bodyOf({ kind: 'item', good: { ...good, name: whole, description: whole, code: whole } }))
    assert.deepEqual([data.name, data.description, data.code], [whole, whole, whole])
    const trade = JSON.parse(bodyOf({ kind: 'trade', orderId: whole, totalMicro: 1n, cards: [whole, 'b'], stock: 0, url: whole })).data
    assert.deepEqual([trade.secret, trade.tradeNo, trade.url, trade.stock], [`${whole}\nb`, whole, whole, '0'])
  }))
})

test('names longer than the client takes are cut between characters', () => {
  const { data } = JSON.parse(bodyOf({ kind: 'items', goods: [{ ...good, name: '𠮷'.repeat(300), category: '类'.repeat(200) }] }))
  assert.equal(data[0].name, '类'.repeat(128))
  assert.equal(data[0].children[0].name, '𠮷'.repeat(255))
})

function message(refusal: Parameters<typeof refuse>, text?: string): string {
  const reply = write(refuse(...refusal), text)
  assert.equal(reply.status, 200)
  assert.equal(reply.contentType, 'application/json;charset=utf-8')
  const parsed = JSON.parse(reply.body)
  assert.deepEqual(Object.keys(parsed), ['code', 'msg'])
  assert.equal(parsed.code, 0)
  return parsed.msg
}

test('the words that shops of this family know stand in front', () => {
  assert.equal(message(['catalogue.good_not_found', { good: 'NOPE' }]), '商品不存在：NOPE。')
  assert.equal(message(['catalogue.out_of_stock', { asked: 3, available: 2 }]), '库存不足：需要 3，现有 2。')
  assert.equal(message(['ledger.insufficient_funds', { needed: '19.00', available: '4.20' }]), '余额不足：需要 19.00 元，可用 4.20 元。')
  assert.match(message(['catalogue.good_not_on_sale', { good: 'A' }]), /^当前商品已停售/)
  assert.match(message(['orders.not_found', { order: 'ord_1' }]), /^订单不存在/)
})

test('each real refusal that has a reason here begins with the words of the real main site', () => {
  const real = recorded.map(({ answer }) => JSON.parse(answer)).filter(({ code }) => code === 0).map(({ msg }) => msg)
  assert.ok(real.includes(message(['catalogue.good_not_found', { good: 'NOPE' }]).slice(0, 5)))
  assert.ok(real.includes(message(['catalogue.out_of_stock', { asked: 1, available: 0 }]).slice(0, 4)))
  assert.ok(real.includes(message(['orders.not_found', { order: 'x' }]).slice(0, 5)))
})

test('an unknown id, an unknown docking and a wrong key sound alike', () => {
  const texts = [message(['partners.signature_invalid', { baseSha256: 'ab'.repeat(32) }]), message(['partners.key_unknown']), message(['partners.docking_not_found', { docking: 'dck_1' }])]
  assert.deepEqual(new Set(texts), new Set(['商户ID不存在或密钥错误']))
})

test('every reason is told in at most 200 characters without HTML, whatever its values are', () => {
  const nasty = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('<script>alert(1)</script>', '𠮷'.repeat(200), 'a\nb\0c', '<'.repeat(300)))
  fc.assert(fc.property(fc.constantFrom(...reasonCodes), nasty, fc.option(nasty), fc.option(nasty), (code, value, decision, own) => {
    const because = Object.fromEntries(reasonOf(code).because.map((name) => [name, value]))
    const msg = message([code, because, decision === null ? {} : { decision }], own ?? undefined)
    assert.ok(msg.length <= TEXT_LENGTH_MAX)
    assert.doesNotMatch(msg, /[<>\p{Cc}]/u)
    assert.ok(msg.isWellFormed())
  }), { numRuns: 2000 })
})

test('every reason without words of its own is told by the sentence of the registry', () => {
  const own = ['protocol.route_not_found', 'partners.credentials_missing', 'partners.signature_invalid', 'partners.key_unknown', 'partners.docking_not_found']
  for (const code of reasonCodes) {
    const because = Object.fromEntries(reasonOf(code).because.map((name) => [name, 'x1']))
    const msg = message([code, because])
    assert.match(msg, /\p{Script=Han}/u)
    if (!own.includes(code)) assert.equal(msg, explain({ code, because }, 'zh'))
    else assert.doesNotMatch(msg, /JSON|RFC|openapi/)
  }
})

test('the decision behind a refusal is named, and a long text is cut before it, not through it', () => {
  const because = { measure: '暂停下单', since: '2026-11-01T00:00:00Z' }
  assert.equal(message(['terms.payment_overdue', because, { decision: 'dec_01HZX3' }]),
    '因款项逾期未付，自 2026-11-01T00:00:00Z 起：暂停下单。（处理决定 dec_01HZX3）')
  const long = message(['terms.payment_overdue', because, { decision: 'dec_01HZX3' }], '依据合同'.repeat(100))
  assert.equal(long.length, TEXT_LENGTH_MAX)
  assert.match(long, /…（处理决定 dec_01HZX3）$/)
})

test('further causes are named by their titles', () => {
  const also = [{ code: 'catalogue.out_of_stock', because: {} }, { code: 'catalogue.good_not_on_sale', because: {} }] as const
  assert.equal(message(['ledger.insufficient_funds', { needed: '2.00', available: '1.00' }, { also }]),
    '余额不足：需要 2.00 元，可用 1.00 元。另有：库存不足、当前商品已停售。')
})
