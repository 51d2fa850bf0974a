import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encodeForm, openShop, post, postBytes, signatureOf, tradeFields, type Params, type Shop, type ShopReply } from '../acg-shop.ts'
import { everyRow, leavesNothing, openBadWorld, type BadWorld } from '../bad-inputs.ts'
import { exchange } from '../raw-http.ts'
import { signContract } from '../rule-text.ts'

// The same list at the door of the acg dialect: whatever comes, HTTP 200 and one Chinese sentence that a shop can show.
let world: BadWorld
let shop: Shop
const endings: (() => Promise<void>)[] = []
before(async () => {
  world = await openBadWorld({ after: (end) => void endings.unshift(end) })
  shop = openShop(world.acg)
})
after(async () => {
  for (const end of endings) await end()
})

const KEY = 'KEY-OF-DOWNSTREAM-0001'
const TRADE = '/shared/commodity/trade'
const CALLS = ['/shared/authentication/connect', '/shared/commodity/items', '/shared/commodity/item', '/shared/commodity/stock', '/shared/commodity/valuation', TRADE]
const INSIDE = /\bat \w+ \(|node_modules|\.ts:\d|SQLSTATE|syntax error|violates|invalid byte|FST_ERR|Error:|platform\.|protocol\./i

function saysNo(reply: ShopReply | undefined, what: string, words = /\p{Script=Han}/u): ShopReply {
  assert.ok(reply, `${what}: no answer`)
  const found = `${what}: ${reply.status} ${reply.text.slice(0, 300)}`
  assert.equal(reply.status, 200, found)
  assert.equal(reply.headers.get('content-type'), 'application/json;charset=utf-8', found)
  assert.deepEqual(Object.keys(reply.body ?? {}), ['code', 'msg'], found)
  assert.equal(reply.body.code, 0, found)
  assert.match(reply.body.msg, /\p{Script=Han}/u, found)
  assert.match(reply.body.msg, words, found)
  assert.doesNotMatch(reply.body.msg, /[<>\r\n]/, found)
  assert.doesNotMatch(reply.body.msg, INSIDE, found)
  assert.doesNotMatch(reply.body.msg, /本站内部故障/, found)
  assert.ok(!reply.text.includes(KEY), `${what}: the key is in the answer`)
  assert.ok(reply.body.msg.length <= 200, found)
  return reply
}

const asReply = (seen: Awaited<ReturnType<typeof exchange>>['replies'][number] | undefined): ShopReply | undefined => (seen ? { ...seen, code: seen.body?.code, msg: seen.body?.msg, data: seen.body?.data } : undefined)
const wire = async (bytes: Uint8Array | string) => asReply((await exchange(world.hub.url, bytes)).replies[0])

type Change = Record<string, string | Record<string, string> | undefined>

/** A trade with some of its fields changed before it is signed: undefined leaves a field out. */
function trade(change: Change): Promise<ShopReply> {
  const fields = Object.entries({ ...tradeFields('Q10', 1, 'BAD-1'), ...change }).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return shop.call(TRADE, Object.fromEntries(fields))
}

test('bodies that are no form of this protocol, at every call', async () => {
  const bodies: [what: string, body: string | Uint8Array, type?: string][] = [
    ['row 1, nothing', ''],
    ['row 2, one byte too much', `app_id=1000&x=${'x'.repeat(65_536)}`],
    ['row 3, gzip', gzipSync(shop.form({}))],
    ['row 8, 201 fields', Array.from({ length: 201 }, (_, i) => `f${i}=1`).join('&')],
    ['row 9, a field twice', `${shop.form({})}&app_id=1001`],
    ['row 10, __proto__', `${shop.form({})}&__proto__[a]=1`],
    ['row 10, constructor', `${shop.form({})}&constructor=1`],
    ['row 35, a list', `${shop.form({})}&a[]=1`],
    ['row 35, an amount twice', `num=1&num=9&${shop.form({})}`],
    ['row 35, nested twice', `${shop.form({})}&a[b][c]=1`],
    ['row 36, a broken percent sign', `app_id=%zz`],
    ['row 36, half a character', `app_id=%E5%8D`],
    ['row 22, NUL', 'app_id=1000%00'],
    ['row 22, a raw NUL', Buffer.from('app_id=10\0')],
    ['row 47, GBK bytes', Buffer.concat([Buffer.from('app_id='), Buffer.from([0xbf, 0xa8])])],
    ['row 48, an overlong slash', 'app_id=%C0%AF'],
    ['JSON', '{"app_id":"1000"}', 'application/json'],
    ['row 37, XML', '<!DOCTYPE a><a/>', 'application/xml'],
    ['multipart', '--x\r\nContent-Disposition: form-data; name="app_id"\r\n\r\n1000\r\n--x--\r\n', 'multipart/form-data; boundary=x'],
    ['another charset', shop.form({}), 'application/x-www-form-urlencoded; charset=gbk'],
    ['no name', '=1'], ['no value', 'app_id'], ['ampersands', '&&&'], ['html', 'app_id=<script>alert(1)</script>'],
  ]
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const path of CALLS) for (const [what, body, type] of bodies) await row(async () => saysNo(await wire(postBytes(shop.base, path, body, type)), `${what} ${path}`))
  }))
})

test('rows 11 to 32, one wrong field in a signed trade', async () => {
  const cases: [row: number, change: Change][] = [
    ...['0', '-1', '-0', '1.5', '1e3', '1001', '2147483648', '9007199254740993', '01', ' 1', '+1', '１', 'NaN', 'Infinity', '', 'x'].map((num): [number, Change] => [13, { num }]),
    [11, { is_admin: '1' }], [11, { price: '0.01' }], [11, { status: '1' }], [11, { amount: '0.01' }],
    [20, { num: { a: '1' } }], [20, { shared_code: { a: 'Q10' } }], [20, { request_no: { a: '1' } }], [20, { contact: { a: '1' } }], [20, { num: undefined }], [20, { shared_code: undefined }], [20, { request_no: undefined }],
    [21, { contact: 'x'.repeat(50_000) }], [21, { shared_code: 'x'.repeat(50_000) }], [21, { request_no: 'x'.repeat(50_000) }],
    ...['\u202e', '\u2066', '\u200b', '\ufeff', '\u061c', '\u2028', '\u0085', '\n', '\t'].map((mark): [number, Change] => [25, { contact: `a${mark}b` }]),
    ...["' OR 1=1--", '../../etc/passwd', ';id', '$(id)', '<b>', 'a b', 'NOPE'].map((shared_code): [number, Change] => [30, { shared_code }]),
    ...["' OR 1=1--", '../../etc/passwd', ';id', '$(id)', 'a b', '订单', 'x'.repeat(65)].map((request_no): [number, Change] => [30, { request_no }]),
    [68, { card_id: '1' }], [68, { race: '月卡' }], [68, { sku: { 区服: '一区' } }], [68, { password: 'x' }],
  ]
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const [number, change] of cases) await row(async () => saysNo(await trade(change), `row ${number}, ${JSON.stringify(change).slice(0, 80)}`))
  }))
})

test('rows 49 to 58, signatures that are missing, misshapen, of somebody else, or over something else', async () => {
  const signed = (params: Params, key: string) => ({ ...params, sign: signatureOf(params, key) })
  const fields: Params = { ...tradeFields('Q10', 1, 'BAD-1'), app_id: '1000', app_key: KEY }
  const good = signatureOf(fields, KEY)
  const stranger = '商户ID不存在或密钥错误'
  const cases: [what: string, params: Params, words?: RegExp][] = [
    ['none', fields], ...['', '0', 'null', '[]', good.toUpperCase(), ` ${good}`, `${good} `, good.slice(1), `${good}0`, `${good}${good}`, Buffer.from(good, 'hex').toString('base64')].map((sign): [string, Params] => [`sign=${sign}`, { ...fields, sign }]),
    ['nested', { ...fields, sign: { a: good } }],
    ['the key of another', signed(fields, 'KEY-OF-DOWNSTREAM-0002'), new RegExp(stranger)],
    ['no key', signed(fields, ''), new RegExp(stranger)],
    ['an id of another', signed({ ...fields, app_id: '1001' }, KEY), new RegExp(stranger)],
    ['no id', signed({ ...fields, app_id: '' }, KEY)],
    ['an id with a statement', signed({ ...fields, app_id: "' OR 1=1--" }, KEY)],
    ['an amount changed afterwards', { ...signed(fields, KEY), num: '2' }, new RegExp(stranger)],
    ['row 56, a field added afterwards', { ...signed(fields, KEY), account: 'x' }, new RegExp(stranger)],
    ['row 55, sign_type=NONE', { ...fields, sign_type: 'NONE' }],
    ['row 52, fields inside a value', signed({ ...fields, contact: 'x&device=0&num=1' }, KEY)],
  ]
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const [what, params, words] of cases) await row(async () => saysNo(await post(shop.base, TRADE, encodeForm(params)), what, words))
    const docked = (docking: string) => post(`${world.hub.url}/d/acg/${docking}`, TRADE, shop.form(tradeFields('Q10', 1, 'BAD-1')))
    for (const docking of [world.live.id, world.play.id, 'dck_00000000000000000000', 'nobody', ';id', '$(id)', 'x'.repeat(190)]) await row(async () => saysNo(await docked(docking), `docking ${docking}`, new RegExp(stranger)))
    for (const docking of ['%00', 'a%00b', "'%20OR%201=1--", '..%2f..', '%252e']) await row(async () => saysNo(await docked(docking), `docking ${docking}`))
  }))
})

test('what a wrong signature costs tells nobody who is docked: the words for a wrong form are the same for all', async () => {
  const texts = new Set<string>()
  for (const [base, appId] of [[shop.base, '1000'], [shop.base, '4711'], [`${world.hub.url}/d/acg/nobody`, '1000']] as const) {
    texts.add((await openShop({ baseUrl: base, appId, appKey: 'WRONG-KEY-0000000001' }).connect()).text)
  }
  assert.equal(texts.size, 1)
})

test('methods, queries and addresses that this protocol does not have', async () => {
  const { host, pathname } = new URL(shop.base)
  const form = shop.form({})
  const ask = (method: string, path: string) => wire(`${method} ${pathname}${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\nConnection: close\r\n\r\n${form}`)
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) await row(async () => saysNo(await ask(method, TRADE), method))
    for (const path of [`${TRADE}?num=1`, `${TRADE}?x=%zz`, `${TRADE}/`, '/shared/commodity/query', '/shared/commodity/query.844261123050741979', '/', '', '/index.php', '/shared/commodity/%74rade', '/shared/commodity/%zz', '/shared/commodity/%E5%8D', '/shared/commodity/%00']) {
      await row(async () => saysNo(await ask('POST', path), `POST ${path}`))
    }
  }))
})

test('rows 70 to 72, short of a cent, short of a card, suspended: the class stands in words, nothing is charged', async () => {
  const { hub } = world
  const poor = await hub.openDocking({ name: 'Poor', mode: 'live', dialect: 'acg0', deposit: '18.99', appKey: KEY })
  await leavesNothing(hub, async () => {
    saysNo(await openShop(poor).trade('Q10', 2, 'BAD-1'), 'a cent short', /^余额不足.*19\.00.*18\.99/)
    saysNo(await shop.trade('Q10', 21, 'BAD-1'), 'a card short', /^库存不足.*21.*20/)
  })
  const held = await hub.operator('POST', `/operator/dockings/${poor.id}/holds`, {
    code: 'terms.contract_breach', scope: ['orders'], facts: ['Cards were sold below the agreed price.'], ground: [{ type: 'contract', ref: await signContract(hub.hub, poor), article: '3.1' }],
    remedy: { en: 'Restore the price.', zh: '请恢复价格。' }, liftsWhen: 'The price is restored.',
  })
  assert.equal(held.status, 201, held.text)
  await leavesNothing(hub, async () => {
    const reply = saysNo(await openShop(poor).trade('Q10', 1, 'BAD-1'), 'suspended', /^依据已签合同.*暂停/)
    assert.ok(reply.msg.includes(held.body.id))
  })
})

test('limits and outages reach a shop in words as well', async () => {
  const { hub } = world
  const limiter = hub.hub.limiter
  const { requestsPerSecond } = limiter.options
  limiter.options.requestsPerSecond = 0
  try {
    saysNo(await shop.connect(), 'beyond the limit', /请求过于频繁|公示上限/)
  } finally {
    limiter.options.requestsPerSecond = requestsPerSecond
  }
  assert.equal((await shop.connect()).code, 200)
})
