import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { accept, refuse } from '../../protocol/outcome.ts'
import { explain, reasonCodes, reasonOf } from '../../protocol/reasons.ts'
import type { Answer, ShownGood } from '../dialect.ts'
import { write } from './answers.ts'
import { fineOf, goodOfSku, packedName, packOf, skuNumber, skusOf } from './goods.ts'
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
  unitPriceMicro: 9_500_000n, stock: 20_000, minimum: 0, maximum: 0, cover: '/favicon.ico', stockByVariant: new Map(), races: [], groups: [], tiers: [], fields: [],
  contact: 0, delivery: 'card',
}

/** The raced good of the recordings, and the manual one with its form. */
const raced: ShownGood = {
  ...good, number: 3, code: 'C0DE000000000003', name: 'Raced card', description: '<p>x</p>', unitPriceMicro: 10_000_000n, stock: 50,
  races: [{ name: '月卡', priceMicro: 30_000_000n, tiers: [] }, { name: '季卡', priceMicro: 80_000_000n, tiers: [] }],
  groups: [{ name: '区服', choices: [{ name: '一区', surchargeMicro: 1_000_000n }, { name: '二区', surchargeMicro: 2_000_000n }] }],
}
const manual: ShownGood = {
  ...good, number: 2, code: 'C0DE000000000002', name: 'Manual topup', description: '<p>x</p>', unitPriceMicro: 19_000_000n, stock: 1000, delivery: 'manual',
  fields: [{ name: 'account', label: '账号', type: 'text', placeholder: '', pattern: '', error: '', choices: [] }],
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
  ['valuation', { kind: 'valuation', chargedMicro: 19_000_000n }],
  ['trade', {
    kind: 'trade', orderId: '844261123050741979', chargedMicro: 19_000_000n, secret: 'CARD-1\nCARD-2', stock: 19_998,
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

test('a price finer than a fen is seen wherever it stands, and nothing is rounded to make it fit', () => {
  const fine = 9_505_000n
  const table: [Partial<ShownGood>, bigint | null][] = [
    [{}, null], [{ unitPriceMicro: 10_000n }, null], [{ unitPriceMicro: 1_500n }, 1_500n], [{ tiers: [{ from: 10, priceMicro: fine }] }, fine],
    [{ races: [{ name: 'a', priceMicro: 10_000n, tiers: [] }], unitPriceMicro: fine }, null], [{ races: [{ name: 'a', priceMicro: fine, tiers: [] }] }, fine],
    [{ races: [{ name: 'a', priceMicro: 10_000n, tiers: [{ from: 2, priceMicro: fine }] }] }, fine], [{ groups: [{ name: 'g', choices: [{ name: 'c', surchargeMicro: fine }] }] }, fine],
  ]
  for (const [change, micro] of table) assert.equal(fineOf({ ...good, ...change }), micro, JSON.stringify(Object.keys(change)))
})

test('what costs less than a fen is packed by the thousand, under a code, a number and a name of its own', () => {
  const sms = { ...good, number: 41, code: 'sms-1', name: '短信', unitPriceMicro: 1_500n, stock: 12_999, minimum: 1, maximum: 1000 }
  const pack = packOf(sms)!
  assert.deepEqual([pack.number, pack.code, pack.name, pack.unitPriceMicro, pack.stock, pack.minimum, pack.maximum], [2_000_000_041, 'sms-1x1000', '短信（1000个）', 1_500_000n, 12, 1, 1])
  assert.deepEqual([packedName({ code: 'sms-1x1000' }), packedName({ number: 2_000_000_041 }), packedName({ code: 'sms-1' }), packedName({ number: 41 }), packedName({ code: 'x1000' })],
    [{ code: 'sms-1' }, { number: 41 }, null, null, null])
  assert.equal(packOf({ ...sms, tiers: [{ from: 500, priceMicro: 1_400n }, { from: 1000, priceMicro: 1_300n }] })!.unitPriceMicro, 1_300_000n, 'the price of a thousand')
  assert.equal(packOf({ ...sms, unitPriceMicro: 1_501n }), null, 'not even a thousand are whole fen')
  assert.equal(packOf({ ...sms, maximum: 999 }), null, 'an order does not take a thousand')
  assert.equal(packOf({ ...sms, code: 'x'.repeat(60) }), null, 'the code would be longer than the peer keeps')
  const kinds = packOf({ ...raced, maximum: 1000, races: [{ name: '月卡', priceMicro: 1_500n, tiers: [] }] })!
  assert.deepEqual([kinds.races[0]!.priceMicro, kinds.groups[0]!.choices[0]!.surchargeMicro], [1_500_000n, 1_000_000_000n])
})

test('races, options and forms stand where and as the real main site has them', () => {
  const theirs = { item: JSON.parse(real('item', 'C0DE000000000003').answer).data, list: JSON.parse(real('items').answer).data[0].children }
  const ours = JSON.parse(bodyOf({ kind: 'item', good: raced })).data
  const { category_factory: cost, ...config } = ours.config
  assert.deepEqual(cost, { 月卡: '30', 季卡: '80' })
  assert.deepEqual(config, theirs.item.config)
  assert.deepEqual(Object.keys(config.category), ['月卡', '季卡'])
  const listed = JSON.parse(bodyOf({ kind: 'items', goods: [manual, raced] })).data[0].children
  assert.equal(listed[0].widget, theirs.list[1].widget)
  assert.equal(listed[0].delivery_way, theirs.list[1].delivery_way)
  assert.equal(listed[1].config, `${theirs.list[2].config}\n[category_factory]\n月卡=30\n季卡=80`)
  assert.deepEqual(shape(JSON.parse(bodyOf({ kind: 'item', good: { ...manual, fields: [] } })).data.config), [])
})

test('tiers are written by quantity, those of a race under its name', () => {
  const config = (change: Partial<ShownGood>) => JSON.parse(bodyOf({ kind: 'item', good: { ...good, ...change } })).data.config
  assert.deepEqual(config({ tiers: [{ from: 10, priceMicro: 9_000_000n }, { from: 100, priceMicro: 8_500_000n }] }), { wholesale: { 10: '9', 100: '8.5' } })
  const tiered = { races: [{ name: '月卡', priceMicro: 30_000_000n, tiers: [{ from: 10, priceMicro: 28_000_000n }] }] }
  assert.deepEqual(config(tiered), { category: { 月卡: '30' }, category_wholesale: { 月卡: { 10: '28' } }, category_factory: { 月卡: '30' } })
  assert.match(JSON.parse(bodyOf({ kind: 'items', goods: [{ ...good, ...tiered }] })).data[0].children[0].config, /\[category_wholesale\]\n月卡\.10=28\n/)
})

test('a pattern is written so that it can stand between two slashes', () => {
  const field = { ...manual.fields[0]!, pattern: 'a/b\\/c', choices: [{ label: '一区', value: '1' }, { label: '二区', value: '2' }] }
  const [widget] = JSON.parse(JSON.parse(bodyOf({ kind: 'item', good: { ...manual, fields: [field] } })).data.widget)
  assert.deepEqual([widget.regex, widget.dict], ['a\\/b\\/c', '一区=1,二区=2'])
})

test('type 1 sees each combination as a kind with a number of its own, which no other good and no other order of kinds can have', () => {
  const keyOf = ({ race, options }: { race: string | null; options: Readonly<Record<string, string>> }) => [race ?? '', ...Object.values(options)].join('|').replace(/^$/, '')
  const skus = skusOf({ ...raced, stockByVariant: new Map([['月卡|二区', 7]]) }, keyOf)
  assert.deepEqual(skus.map((sku) => [sku.name, sku.unitPriceMicro, sku.stock]), [['月卡 一区', 31_000_000n, 0], ['月卡 二区', 32_000_000n, 7], ['季卡 一区', 81_000_000n, 0], ['季卡 二区', 82_000_000n, 0]])
  assert.equal(new Set(skus.map((sku) => sku.id)).size, 4)
  const turned = skusOf({ ...raced, races: raced.races.toReversed() }, keyOf)
  assert.deepEqual(new Map(turned.map((sku) => [sku.name, sku.id])).get('月卡 二区'), skus[1]!.id)
  assert.deepEqual(skusOf(good, () => '').map((sku) => [sku.id, sku.name]), [[4_294_967_296, '默认']])
  const more = skusOf({ ...raced, races: [{ ...raced.races[0]!, name: '日卡' }, ...raced.races] }, keyOf)
  for (const sku of skus) assert.equal(more.find((one) => one.name === sku.name)?.id, sku.id, 'a race that is added renumbers no other')
  const pack = { ...raced, number: 2_000_000_000 + 2_097_151 }
  for (const sku of skusOf(pack, keyOf)) assert.deepEqual([Number.isSafeInteger(sku.id), goodOfSku(sku.id)], [true, pack.number])
  assert.deepEqual(skusOf({ ...raced, number: 2_097_152 }, keyOf), [], 'a number that no JSON reader can hold is said to nobody')
  const twins = new Map<number, string>()
  let pair: string[] = []
  for (let i = 0; pair.length === 0; i++) {
    const number = skuNumber(1, `k${i}`)
    const twin = twins.get(number)
    if (twin !== undefined) pair = [twin, `k${i}`]
    twins.set(number, `k${i}`)
  }
  const races = ['月卡', ...pair].map((name) => ({ ...raced.races[0]!, name }))
  assert.deepEqual(skusOf({ ...raced, races, groups: [] }, ({ race }) => race!).map((sku) => sku.name), ['月卡'], 'two kinds of one number are both left out')
  const crowd = { ...raced, races: Array.from({ length: 120 }, (_, i) => ({ ...raced.races[0]!, name: `R${i}` })) }
  assert.match(JSON.parse(write(accept({ kind: 'item', good: crowd }), { flavor: 'open', keyOf }).body).data.introduce, /另有 40 种组合未列出/)
  const body = JSON.parse(write(accept({ kind: 'items', goods: [raced] }), { flavor: 'open', keyOf }).body)
  assert.deepEqual(Object.keys(body.data[0]), ['id', 'name', 'introduce', 'picture_url', 'category', 'widget', 'sku'])
  const choices = { ...manual, fields: [{ ...manual.fields[0]!, choices: [{ label: '一区', value: '1' }, { label: '二区', value: '2' }] }] }
  const [field] = JSON.parse(JSON.parse(write(accept({ kind: 'item', good: choices }), { flavor: 'open', keyOf }).body).data.widget)
  assert.deepEqual([field.title, field.name, field.data], ['账号', 'account', '一区=1\n二区=2'])
})

test('type 2 reads a list of categories where it asked for one good', () => {
  const ours = JSON.parse(write(accept({ kind: 'item', good }), { flavor: 'plugin', keyOf: () => '' }).body)
  assert.equal(ours.data[0].children[0].code, PLAIN)
})

test('inventory, its state and a query are answered as the real main site answered', () => {
  const inventory = JSON.parse(bodyOf({ kind: 'inventory', good, stock: 20_000, priceMicro: 9_500_000n }))
  const theirs = JSON.parse(real('inventory').answer)
  assert.deepEqual(shape(inventory), shape(theirs))
  assert.deepEqual(inventory, { ...theirs, data: { ...theirs.data, price: 9.5 } })
  assert.equal(bodyOf({ kind: 'inventoryState' }), real('inventoryState').answer)
  assert.equal(bodyOf({ kind: 'query', secret: 'CARD-1\nCARD-2', values: null }), recorded.find(({ path }) => path.includes('query?'))!.answer)
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
    const trade = JSON.parse(bodyOf({ kind: 'trade', orderId: whole, chargedMicro: 1n, secret: `${whole}\nb`, stock: 0, url: whole })).data
    assert.deepEqual([trade.secret, trade.tradeNo, trade.url, trade.stock], [`${whole}\nb`, whole, whole, '0'])
  }))
})

test('names longer than the client takes are cut between characters', () => {
  const { data } = JSON.parse(bodyOf({ kind: 'items', goods: [{ ...good, name: '𠮷'.repeat(300), category: '类'.repeat(200) }] }))
  assert.equal(data[0].name, '类'.repeat(128))
  assert.equal(data[0].children[0].name, '𠮷'.repeat(255))
})

function message(refusal: Parameters<typeof refuse>, text?: string): string {
  const reply = write(refuse(...refusal), { flavor: 'store', keyOf: () => '', ...(text === undefined ? {} : { text }) })
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
