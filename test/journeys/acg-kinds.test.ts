import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openShop, postBytes, tradeFields, type Params, type Shop, type ShopReply } from '../acg-shop.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'
import { holdLanes } from '../locks.ts'
import type { Json } from '../raw-http.ts'

const RACED = { races: [{ name: '月卡', unitPrice: '30' }, { name: '季卡', unitPrice: '80', wholesale: [{ from: 2, unitPrice: '75' }] }], options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1' }, { name: '二区', surcharge: '2' }] }] }
const MANUAL = {
  delivery: 'manual' as const, unitPrice: '19', message: '三十分钟内到账。', stock: 1000,
  form: [{ name: 'account', label: '账号', pattern: '^[a-z@]+$', error: '账号只能是小写字母' }],
}
const MONTH = { race: '月卡', sku: { 区服: '一区' } }

async function open(t: TestContext, more: { deposit?: string } = {}): Promise<{ hub: TestHub; docking: TestDocking; shop: Shop }> {
  const hub = await startHub(t)
  const docking = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '1000.00', appId: '1000', appKey: 'KEY-OF-DOWNSTREAM-0001', ...more })
  return { hub, docking, shop: openShop(docking) }
}

function succeeded(reply: ShopReply): ShopReply {
  assert.equal(reply.status, 200)
  assert.equal(reply.code, 200, reply.text)
  return reply
}

function refused(reply: ShopReply, words: RegExp): ShopReply {
  assert.equal(reply.status, 200)
  assert.equal(reply.code, 0, reply.text)
  assert.match(reply.msg, words)
  return reply
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a shop imports a raced good, sees stock and price of each kind, and gets a card of the kind that it chose', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'RACED', unitPrice: '10', ...RACED })
  await hub.stockKind({ code: 'RACED', race: '月卡', options: { 区服: '一区' }, lines: ['M-1', 'M-2', 'M-3'] })
  await hub.stockKind({ code: 'RACED', race: '季卡', options: { 区服: '二区' }, lines: ['Q-1', 'Q-2'] })
  const item = succeeded(await shop.item('RACED')).data
  assert.deepEqual([item.stock, Object.keys(item.config.category), item.config.sku, item.config.category_wholesale], [5, ['月卡', '季卡'], { 区服: { 一区: '1', 二区: '2' } }, { 季卡: { 2: '75' } }])
  const quarter = { race: '季卡', sku: { 区服: '二区' } }
  for (const [choice, left] of [[{}, '5'], [{ race: '月卡' }, '3'], [MONTH, '3'], [{ race: '月卡', sku: { 区服: '二区' } }, '0'], [quarter, '2']] as const) {
    assert.deepEqual(succeeded(await shop.stock('RACED', choice)).data, { stock: left })
  }
  for (const [num, choice, price] of [[2, { race: '月卡', sku: { 区服: '二区' } }, '64.00'], [1, MONTH, '31.00'], [1, quarter, '82.00'], [2, quarter, '154.00']] as const) {
    assert.deepEqual(succeeded(await shop.valuation('RACED', num, choice)).data, { price })
  }
  const bought = succeeded(await shop.trade('RACED', 2, '1', MONTH)).data
  assert.deepEqual([bought.secret, bought.amount, bought.stock], ['M-1\nM-2', 62, '1'])
  assert.equal(succeeded(await shop.trade('RACED', 2, '2', quarter)).data.amount, 154)
  refused(await shop.trade('RACED', 1, '3', quarter), /^库存不足/)
  refused(await shop.trade('RACED', 1, '4', { sku: { 区服: '一区' } }), /^请选择商品类型：种类/)
  refused(await shop.trade('RACED', 1, '4', { race: '月卡' }), /^请选择商品类型：区服/)
  refused(await shop.trade('RACED', 1, '4', { race: '年卡', sku: { 区服: '一区' } }), /race=年卡/)
  refused(await shop.valuation('RACED', 1, { race: '月卡' }), /^请选择商品类型/)
  assert.equal(succeeded(await shop.trade('RACED', 2, '1', MONTH)).data.secret, 'M-1\nM-2', 'a repeat gets its own cards')
  refused(await shop.trade('RACED', 2, '1', { race: '月卡', sku: { 区服: '二区' } }), /订单号.*种类或选项/)
  assert.deepEqual(await hub.findings(), [])
})

test('wholesale prices count by quantity, and the order is charged at the tier that was shown', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'MANY', unitPrice: '3.20', cards: 30, mode: 'live', wholesale: [{ from: 10, unitPrice: '3' }] })
  assert.deepEqual(succeeded(await shop.item('MANY')).data.config, { wholesale: { 10: '3' } })
  assert.deepEqual([(await shop.valuation('MANY', 9)).data.price, (await shop.valuation('MANY', 10)).data.price], ['28.80', '30.00'])
  assert.equal(succeeded(await shop.trade('MANY', 10, '1')).data.amount, 30)
  assert.equal(succeeded(await shop.trade('MANY', 9, '2')).data.amount, 28.8)
  assert.deepEqual(await hub.findings(), [])
})

test('a manual good is charged at once, awaited on its pick-up page, and handed over when a person delivers it', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'TOPUP', ...MANUAL })
  const listed = succeeded(await shop.items()).data[0].children[0]
  assert.deepEqual([listed.delivery_way, JSON.parse(listed.widget)[0].name, listed.stock], [1, 'account', 1000])
  refused(await shop.trade('TOPUP', 1, '1'), /\/form\/account：此字段必填/)
  refused(await shop.trade('TOPUP', 1, '1', { account: 'A B' }), /账号只能是小写字母/)
  const bought = succeeded(await shop.trade('TOPUP', 1, '1', { account: 'li@x' })).data
  const [, pickup] = /^三十分钟内到账。\n取货页：(http\S+)$/.exec(bought.secret) ?? []
  assert.ok(pickup, bought.secret)
  assert.deepEqual([bought.amount, bought.stock, bought.url], [19, '1000', pickup])
  assert.equal(succeeded(await shop.trade('TOPUP', 1, '1', { account: 'li@x' })).data.secret, bought.secret)
  refused(await shop.trade('TOPUP', 1, '1', { account: 'wu@x' }), /订单号.*下单表单/)
  assert.equal(succeeded(await shop.connect()).data.balance, 981)
  const page = await fetch(pickup)
  const text = await page.text()
  assert.match(text, /正在发货.*A person is at work/s)
  assert.deepEqual(['cache-control', 'referrer-policy'].map((name) => page.headers.get(name)), ['no-store', 'no-referrer'])
  assert.equal((await fetch(`${pickup.slice(0, -1)}${pickup.endsWith('A') ? 'Q' : 'A'}`)).status, 404)

  const waiting = await hub.operator('GET', '/operator/orders/waiting')
  assert.deepEqual(waiting.body.items.map((order: Json) => [order.id, order.form, order.state]), [[bought.tradeNo, { account: 'li@x' }, 'delivering']])
  const deliver = (said: string) => hub.operator('POST', `/operator/orders/${bought.tradeNo}/deliver`, { text: said })
  assert.equal((await deliver('已充值 <b>100</b>')).status, 200)
  assert.equal((await deliver('已充值 <b>100</b>')).status, 200, 'the same again changes nothing')
  assert.equal((await deliver('something else')).body.code, 'orders.not_waiting')
  assert.equal((await hub.operator('POST', `/operator/orders/${bought.tradeNo}/refund`, { reason: 'too late' })).body.code, 'orders.not_waiting')
  assert.match(await (await fetch(pickup)).text(), /已发货.*<pre>已充值 &lt;b&gt;100&lt;\/b&gt;<\/pre>/s)
  for (const number of [bought.tradeNo, '1']) assert.deepEqual(succeeded(await shop.query(number)).data, { secret: '已充值 <b>100</b>', widget: '{"account":"li@x"}', status: 1 })
  assert.equal(succeeded(await shop.trade('TOPUP', 1, '1', { account: 'li@x' })).data.secret, '已充值 <b>100</b>')
  refused(await shop.query('nobody'), /^订单不存在/)
  const sealed = await hub.hub.db.run({ text: `select form::text || delivered::text from fulfilment.deliveries`, values: [] })
  assert.doesNotMatch(Buffer.from(String(sealed[0]![0]).replaceAll('\\x', ''), 'hex').toString('utf8'), /li@x|100/, 'what was filled in and delivered is sealed at rest')
  assert.deepEqual(await hub.findings(), [])
})

test('a manual order that cannot be delivered is given back with its reason, once', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'TOPUP', ...MANUAL })
  const { tradeNo, url } = succeeded(await shop.trade('TOPUP', 2, '1', { account: 'li@x' })).data
  for (const _ of [1, 2]) assert.equal((await hub.operator('POST', `/operator/orders/${tradeNo}/refund`, { reason: '账号不存在' })).body.state, 'refunded')
  assert.equal(succeeded(await shop.connect()).data.balance, 1000)
  refused(await shop.trade('TOPUP', 2, '1', { account: 'li@x' }), /款项已退回：账号不存在/)
  refused(await shop.query(tradeNo), /款项已退回/)
  assert.match(await (await fetch(url)).text(), /无法发货，货款已退回店铺，请联系店铺退款.*The shop has its money back: ask the shop for yours.*\d{4}-\d\d-\d\d \d\d:\d\d（北京时间）.*账号不存在/s)
  assert.equal((await hub.operator('POST', `/operator/orders/${tradeNo}/deliver`, { text: 'x' })).body.code, 'orders.not_waiting')
  assert.deepEqual((await hub.operator('GET', '/operator/orders/waiting')).body.items, [])
  assert.deepEqual(await hub.findings(), [])
})

/** Sends a trade and closes the socket before the hub can have answered; ends when the order is booked. */
async function hangUp(hub: TestHub, shop: Shop, code: string, num: number, requestNo: string, more: Params): Promise<void> {
  const letGo = await holdLanes(hub)
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(postBytes(shop.base, '/shared/commodity/trade', shop.form(tradeFields(code, num, requestNo, more))))
  await sleep(150)
  socket.destroy()
  await sleep(50)
  await letGo()
  await until(async () => (await hub.hub.db.run({ text: 'select id from orders.orders where reference = $1', values: [requestNo] })).length === 1)
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 80; waited++) {
    if (await holds()) return
    await sleep(50)
  }
  assert.fail(`waited four seconds: ${holds}`)
}

test('a shop that hangs up gets its money back, the cards go back to their kind, and nobody is asked to deliver', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'RACED', unitPrice: '10', ...RACED })
  await hub.stockKind({ code: 'RACED', race: '月卡', options: { 区服: '一区' }, lines: ['M-1', 'M-2'] })
  await hub.stockGood({ code: 'TOPUP', ...MANUAL })
  await hangUp(hub, shop, 'RACED', 2, '1', MONTH)
  await hangUp(hub, shop, 'TOPUP', 1, '2', { account: 'li' })
  await until(async () => (await shop.connect()).data.balance === 1000)
  assert.deepEqual(succeeded(await shop.stock('RACED', MONTH)).data, { stock: '2' })
  assert.deepEqual((await hub.operator('GET', '/operator/orders/waiting')).body.items, [])
  // Its own timeout made it forget the number: what it buys anew is one order, charged once.
  assert.equal(succeeded(await shop.trade('RACED', 2, '3', MONTH)).data.secret, 'M-1\nM-2')
  // The same number again is the next attempt of it.
  assert.match(succeeded(await shop.trade('TOPUP', 1, '2', { account: 'li' })).data.secret, /取货页/)
  assert.equal(succeeded(await shop.connect()).data.balance, 919)
  assert.deepEqual(await hub.findings(), [])
})

test('a shop that hangs up on a manual order and asks again within the grace keeps it, and a person may deliver it', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'TOPUP', ...MANUAL })
  await hangUp(hub, shop, 'TOPUP', 1, '1', { account: 'li' })
  const { tradeNo } = succeeded(await shop.trade('TOPUP', 1, '1', { account: 'li' })).data
  await sleep(600)
  assert.equal(succeeded(await shop.connect()).data.balance, 981)
  assert.equal((await hub.operator('POST', `/operator/orders/${tradeNo}/deliver`, { text: '已充值' })).status, 200)
  assert.equal(succeeded(await shop.query('1')).data.secret, '已充值')
  assert.deepEqual(await hub.findings(), [])
})

test('eight workers race for twenty cards of one kind: exactly those are sold, each once', async (t) => {
  const { hub, shop } = await open(t, { deposit: '2000.00' })
  await hub.stockGood({ code: 'RACED', unitPrice: '10', ...RACED })
  const lines = Array.from({ length: 20 }, (_, i) => `M-${i + 1}`)
  await hub.stockKind({ code: 'RACED', race: '月卡', options: { 区服: '一区' }, lines })
  await hub.stockKind({ code: 'RACED', race: '月卡', options: { 区服: '二区' }, lines: ['OTHER'] })
  const replies = await Promise.all(Array.from({ length: 8 }, async (_, worker) => {
    const mine: ShopReply[] = []
    for (let turn = 0; turn < 4; turn++) mine.push(await shop.trade('RACED', 1, `w${worker}-${turn}`, MONTH))
    return mine
  }))
  const [sold, short] = [replies.flat().filter((reply) => reply.code === 200), replies.flat().filter((reply) => reply.code !== 200)]
  for (const reply of short) refused(reply, /^库存不足/)
  assert.deepEqual(sold.map((reply) => reply.data.secret).sort(), lines.toSorted())
  assert.equal(succeeded(await shop.connect()).data.balance, 2000 - 20 * 31)
  assert.deepEqual(await hub.findings(), [])
})

test('a shop is not charged more than it was last shown, when its docking says so', async (t) => {
  const { hub, docking, shop } = await open(t)
  const priced = (unitPrice: string) => hub.stockGood({ code: 'CARD', unitPrice })
  const guard = async (body: Json) => assert.equal((await hub.operator('POST', `/operator/dockings/${docking.id}/guard`, body)).status, 200)
  await hub.stockGood({ code: 'CARD', unitPrice: '9.50', cards: 9, mode: 'live' })
  assert.equal(succeeded(await shop.trade('CARD', 1, 'unseen')).data.amount, 9.5)
  succeeded(await shop.item('CARD'))
  await priced('9.60')
  refused(await shop.trade('CARD', 2, '1'), /9\.60，高于您允许的 9\.50/)
  succeeded(await shop.valuation('CARD', 2))
  assert.equal(succeeded(await shop.trade('CARD', 2, '1')).data.amount, 19.2)
  refused(await shop.trade('CARD', 1, '2'), /高于您允许的 9\.50/)
  await priced('9.40')
  assert.equal(succeeded(await shop.trade('CARD', 1, '2')).data.amount, 9.4, 'cheaper is never refused')
  await priced('9.60')
  await guard({ guard: 'max', cap: '9.55' })
  refused(await shop.trade('CARD', 1, '3'), /高于您允许的 9\.55/)
  await guard({ guard: 'none' })
  assert.equal(succeeded(await shop.trade('CARD', 1, '3')).data.amount, 9.6)
  for (const body of [{ guard: 'max' }, { guard: 'none', cap: '1' }, { guard: 'other' }]) assert.equal((await hub.operator('POST', `/operator/dockings/${docking.id}/guard`, body)).status, 422)
})

test('a docking can stand at the root of a port of its own, beside its path, and gives the port back', async (t) => {
  const { hub, docking, shop } = await open(t)
  await hub.stockGood({ code: 'CARD', cards: 3, mode: 'live' })
  const port = await freePort()
  const mount = (body: Json, id = docking.id) => hub.operator('POST', `/operator/dockings/${id}/port`, body)
  assert.equal((await mount({ port })).body.port, port)
  const rooted = openShop({ ...docking, baseUrl: `http://127.0.0.1:${port}` })
  assert.equal(succeeded(await rooted.connect()).data.balance, 1000)
  const bought = succeeded(await rooted.trade('CARD', 1, '1'))
  assert.equal(succeeded(await shop.trade('CARD', 1, '1')).data.secret, bought.data.secret, 'one docking, two addresses')
  refused(await openShop({ ...docking, baseUrl: `http://127.0.0.1:${port}`, appKey: 'ANOTHER-KEY-000001' }).connect(), /商户ID不存在或密钥错误/)
  refused(await rooted.call('/api/docking'), /接口地址不存在/)
  const other = await hub.openDocking({ name: 'Other', mode: 'live', dialect: 'acg0' })
  assert.equal((await mount({ port }, other.id)).status, 422)
  assert.equal((await mount({ port: Number(new URL(hub.url).port) })).status, 422, 'the port of the hub itself')
  assert.equal(succeeded(await rooted.connect()).data.balance, 990.5, 'and the first stays open')
  assert.equal((await mount({ port: null })).status, 200)
  await assert.rejects(rooted.connect())
  succeeded(await shop.connect())
})

test('types 1 and 2 are served at the same address, by the same key and the same books', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'RACED', unitPrice: '10', ...RACED })
  await hub.stockKind({ code: 'RACED', race: '月卡', options: { 区服: '一区' }, lines: ['M-1', 'M-2'] })
  const { dialects } = await (await fetch(`${hub.url}/.well-known/berth`)).json() as Json
  assert.deepEqual(dialects.map(({ name }: Json) => name), ['json', 'acg-faka type 0', 'acg-faka type 1', 'acg-faka type 2'])
  assert.deepEqual(succeeded(await shop.open('/connect')).data, { username: 'Shop', balance: 1000 })
  const [good] = succeeded(await shop.open('/items')).data
  const month = good.sku.find((sku: Json) => sku.name === '月卡 一区')
  assert.deepEqual([good.category.name, good.sku.length, month.stock_price, month.stock], ['Test', 4, '31.00', '2'])
  assert.deepEqual(succeeded(await shop.open('/item', { id: String(good.id) })).data.sku, good.sku)
  const asked = { sku_id: String(month.id), quantity: '2' }
  assert.deepEqual([(await shop.open('/sku/state', asked)).data.state, (await shop.open('/sku/stock', { sku_id: asked.sku_id })).data.stock, (await shop.open('/amount', asked)).data.amount], [true, '2', '62.00'])
  for (const _ of [1, 2]) assert.equal(succeeded(await shop.open('/trade', { ...asked, trade_no: '754bd2ab372314e7590c9d66' })).data.contents, 'M-1\nM-2')
  refused(await shop.open('/sku/state', asked), /^库存不足/)
  refused(await shop.open('/trade', { sku_id: String(month.id + 1), quantity: '1', trade_no: '2' }), /^商品不存在/)
  refused(await openShop({ baseUrl: shop.base, appId: '1000', appKey: 'ANOTHER-KEY-000001' }).open('/connect'), /商户ID不存在或密钥错误/)
  assert.equal(succeeded(await shop.connect()).data.balance, 938)
  assert.equal(succeeded(await shop.call('/plugin/SharedStock/api/item', { code: 'RACED' })).data[0].children[0].code, 'RACED')
  assert.deepEqual(succeeded(await shop.call('/plugin/SharedStock/api/stock', { code: 'RACED', race: '月卡' })).data, { stock: '0' })
  succeeded(await shop.call('/plugin/SharedStock/api/valuation', { code: 'RACED', num: '1', race: '季卡', sku: { 区服: '一区' }, card_id: '0' }))
  assert.deepEqual(await hub.findings(), [])
})

test('a picture is served from the hub itself, under the address of the docking too, and nothing but a picture is taken', async (t) => {
  const { hub, shop } = await open(t)
  await hub.stockGood({ code: 'CARD', cards: 1, mode: 'live', description: '第一行\n<不是标签 & 第二行' })
  const send = (bytes: Uint8Array) => fetch(`${hub.url}/operator/goods/CARD/image`, { method: 'POST', headers: { authorization: `Bearer ${hub.operatorKey}`, 'content-type': 'application/octet-stream' }, body: bytes as never })
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)])
  assert.equal((await send(png)).status, 200)
  assert.equal((await send(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'))).status, 422)
  assert.equal((await send(Buffer.concat([png, Buffer.alloc(512 * 1024)]))).status, 413)
  const { cover, description } = succeeded(await shop.item('CARD')).data
  assert.match(cover, /^\/images\/[0-9a-f]{32}\.png$/)
  assert.equal(description, '第一行<br>&lt;不是标签 &amp; 第二行')
  for (const base of [hub.url, shop.base]) {
    const picture = await fetch(`${base}${cover}`)
    assert.deepEqual([picture.status, picture.headers.get('content-type'), picture.headers.get('x-content-type-options')], [200, 'image/png', 'nosniff'])
    assert.deepEqual(Buffer.from(await picture.arrayBuffer()), png)
  }
  assert.equal((await fetch(`${hub.url}/images/${'0'.repeat(32)}.png`)).status, 404)
})

test('ten thousand goods come in one list, each in its category, and are all the shop takes', async (t) => {
  const { hub, shop } = await open(t)
  for (const from of [0, 5_000]) {
    const items = Array.from({ length: 5_000 }, (_, i) => ({ code: `G${from + i}`, name: `商品 ${from + i}`, category: `分类 ${(from + i) % 150}`, unitPrice: '9.50', description: '一二三四五六七八九十'.repeat(5) }))
    assert.equal((await hub.operator('POST', '/operator/goods', { items })).body.added, 5_000)
  }
  const categories = succeeded(await shop.items()).data
  assert.equal(categories.length, 150)
  assert.equal(new Set(categories.flatMap((category: Json) => category.children.map((child: Json) => child.code))).size, 10_000)
})
