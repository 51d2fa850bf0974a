import { Broken, expect, refusal, status, type Case } from './case.ts'
import type { Reply, Stand } from './exchange.ts'

type GoodView = { id: string; unitPrice: string; delivery: string; onSale: boolean; stock: number; minimum: number; races?: unknown; options?: unknown; form: { required?: readonly string[] } }

/** A plain good that an order can be placed for. */
async function aGood(stand: Stand): Promise<GoodView> {
  const list = await stand.bearer('GET', '/api/goods?limit=200')
  status(list, 200)
  const good = (list.body.items as GoodView[]).find((one) => one.onSale && one.delivery === 'card' && one.stock > 2 && one.minimum === 1 && !one.races && !one.options && (one.form.required ?? []).length === 0)
  if (!good) throw new Broken('no plain good is on sale in this sandbox: the cases of orders cannot be run')
  return good
}

async function anAsk(stand: Stand, change: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const good = await aGood(stand)
  return { reference: stand.name('ref') + Date.now().toString(36), good: good.id, quantity: 1, maxUnitPrice: good.unitPrice, ...change }
}

const place = (stand: Stand, ask: unknown): Promise<Reply> => stand.signed('POST', '/api/orders', ask)
const raw = (stand: Stand, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Reply> =>
  stand.send({ method: 'POST', path: '/api/quotes', headers: { authorization: `Bearer ${stand.docking.apiKey ?? ''}`, 'content-type': 'application/json', ...headers }, body })

function aCase(id: string, en: string, zh: string, run: Case['run']): Case {
  return { id, what: { en, zh }, run }
}

/** What the open API promises to a stranger's program, a case a promise. */
export const JSON_CASES: readonly Case[] = [
  aCase('signature.right', 'a right signature is accepted', '正确签名被接受', async (stand) => status(await stand.signed('GET', '/api/docking'), 200)),
  aCase('signature.wrong_secret', 'a signature of another secret is refused', '密钥不符的签名被拒', async (stand) => refusal(await stand.signed('GET', '/api/docking', undefined, { keySecret: 'not the secret' }), 'partners.signature_invalid')),
  aCase('signature.other_body', 'a body that was changed after signing is refused', '签名后改动正文被拒', async (stand) => {
    const body = JSON.stringify(await anAsk(stand))
    refusal(await stand.send({ method: 'POST', path: '/api/orders', headers: { ...stand.sign('POST', '/api/orders', body), 'content-type': 'application/json' }, body: `${body} ` }), 'partners.digest_mismatch')
  }),
  aCase('signature.other_path', 'a signature for another path is refused', '用于其他路径的签名被拒', async (stand) => refusal(await stand.send({ method: 'GET', path: '/api/goods', headers: stand.sign('GET', '/api/docking') }), 'partners.signature_invalid')),
  aCase('signature.old', 'a signature of ten minutes ago is refused', '十分钟前的签名被拒', async (stand) => refusal(await stand.signed('GET', '/api/docking', undefined, { created: Math.floor(Date.now() / 1000) - 600 }), 'partners.clock_skew')),
  aCase('signature.replay', 'the same signed request is not accepted twice', '同一签名请求不能用两次', async (stand) => {
    const headers = stand.sign('GET', '/api/docking')
    status(await stand.send({ method: 'GET', path: '/api/docking', headers }), 200)
    refusal(await stand.send({ method: 'GET', path: '/api/docking', headers }), 'partners.nonce_reused')
  }),
  aCase('signature.malformed', 'a signature that cannot be read is refused as such', '无法解析的签名被明确拒绝', async (stand) => refusal(await stand.send({ method: 'GET', path: '/api/docking', headers: { signature: 'x', 'signature-input': 'x' } }), 'partners.signature_malformed')),
  aCase('key.none', 'a request without a key is told so', '未带凭据有明确提示', async (stand) => {
    const reply = await stand.send({ method: 'GET', path: '/api/docking' })
    refusal(reply, 'partners.credentials_missing')
    expect(reply.headers.get('www-authenticate') !== null, '401 carries WWW-Authenticate')
  }),
  aCase('key.cut', 'a key that was not copied whole is told from an unknown one', '密钥缺字与密钥未知可区分', async (stand) => refusal(await stand.bearer('GET', '/api/docking', undefined, { authorization: `Bearer ${(stand.docking.apiKey ?? 'bth_test_x').slice(0, -1)}` }), 'partners.key_malformed')),
  aCase('docking.self', 'who am I: mode, key, limits', '可查询自身信息', async (stand) => {
    const { body } = await stand.bearer('GET', '/api/docking')
    expect(body?.mode === 'sandbox', `the kit runs in a sandbox, this is ${String(body?.mode)}`)
    expect(Array.isArray(body.key?.scopes) && typeof body.limits?.requestsPerSecond === 'number', 'key and limits are told')
  }),
  aCase('docking.report', 'the report ends in one verdict of four', '体检报告有唯一结论', async (stand) => {
    const { body } = await stand.bearer('GET', '/api/docking/report')
    expect(['healthy', 'technical', 'commercial', 'compliance'].includes(body?.verdict?.class), `the verdict is ${String(body?.verdict?.class)}`)
  }),
  aCase('version.unknown', 'a version that was never published is refused', '未发布的版本被拒', async (stand) => refusal(await stand.bearer('GET', '/api/docking', undefined, { 'berth-version': '1999-01-01' }), 'protocol.version_unknown')),
  aCase('version.echo', 'every answer says its version', '应答注明版本', async (stand) => expect((await stand.bearer('GET', '/api/docking')).headers.get('berth-version') !== null, 'no Berth-Version on the answer')),
  aCase('limits.told', 'every answer tells the limit', '应答注明限流', async (stand) => {
    const { headers } = await stand.bearer('GET', '/api/docking')
    expect(headers.get('ratelimit') !== null && headers.get('ratelimit-policy') !== null, 'no RateLimit or RateLimit-Policy on the answer')
  }),
  aCase('route.unknown', 'an address that is not there is a problem document', '不存在的地址返回问题文档', async (stand) => refusal(await stand.bearer('GET', '/api/no/such/thing'), 'protocol.route_not_found')),
  aCase('method.wrong', 'a wrong method is told which are right', '方法错误时告知允许的方法', async (stand) => {
    const reply = await stand.bearer('PUT', '/api/goods', {})
    refusal(reply, 'protocol.method_not_allowed')
    expect(reply.headers.get('allow') !== null, '405 carries Allow')
  }),
  aCase('body.broken', 'broken JSON is told where', '错误的 JSON 指出位置', async (stand) => refusal(await raw(stand, '{"good":'), 'protocol.malformed_request')),
  aCase('body.twice', 'a key that stands twice is refused', '重复的键被拒', async (stand) => refusal(await raw(stand, '{"good":"gds_a","good":"gds_b","quantity":1}'), 'protocol.malformed_request')),
  aCase('body.unknown_field', 'an unknown field is named', '未知字段被指出', async (stand) => {
    const reply = await raw(stand, '{"good":"gds_a","quantity":1,"price":"0"}')
    refusal(reply, 'protocol.invalid_field')
    expect(String(reply.body.because?.path).includes('price'), 'the refusal names the field')
  }),
  aCase('body.float', 'money as a number is refused', '金额为数字被拒', async (stand) => refusal(await raw(stand, '{"good":"gds_a","quantity":1,"maxUnitPrice":9.5}'), 'protocol.invalid_field')),
  aCase('body.gbk', 'GBK bytes are told from UTF-8', 'GBK 字节被识别', async (stand) => refusal(await raw(stand, Uint8Array.from([0x7b, 0x22, 0xbf, 0xa8, 0x22, 0x7d])), 'protocol.charset_mismatch')),
  aCase('body.type', 'another content type is refused', '内容类型不符被拒', async (stand) => refusal(await raw(stand, '{}', { 'content-type': 'text/plain' }), 'protocol.unsupported_media')),
  aCase('body.large', 'a body beyond the limit is refused', '过大的正文被拒', async (stand) => refusal(await raw(stand, ' '.repeat(64 * 1024 + 1)), 'protocol.request_too_large')),
  aCase('goods.money', 'prices are decimal strings', '价格为十进制字符串', async (stand) => expect(/^\d+(\.\d{1,6})?$/.test((await aGood(stand)).unitPrice), 'unitPrice is no decimal string')),
  aCase('goods.pages', 'lists go on by next', '列表可翻页', async (stand) => {
    const first = await stand.bearer('GET', '/api/goods?limit=1')
    status(first, 200)
    expect('next' in first.body && first.body.items.length <= 1, 'a list has items and next')
    if (first.body.next !== null) status(await stand.bearer('GET', `/api/goods?limit=1&cursor=${encodeURIComponent(first.body.next)}`), 200)
  }),
  aCase('goods.unknown', 'a good that nobody offers is not found', '不存在的商品有明确提示', async (stand) => refusal(await stand.bearer('GET', '/api/goods/gds_nobody'), 'catalogue.good_not_found')),
  aCase('quote.free', 'a quote charges nothing', '试算不扣款', async (stand) => {
    const before = (await stand.bearer('GET', '/api/funds/balance')).body?.available
    const { reference: _, ...ask } = await anAsk(stand)
    status(await stand.bearer('POST', '/api/quotes', ask), 200)
    expect((await stand.bearer('GET', '/api/funds/balance')).body?.available === before, 'the balance moved by a quote')
  }),
  aCase('order.placed', 'an order is answered with its cards and its sums', '下单返回卡密与金额', async (stand) => {
    const reply = await place(stand, await anAsk(stand))
    status(reply, 201)
    expect(reply.body.cards?.length === 1 && reply.body.state === 'delivered', 'a delivered order carries its card')
    expect(String(reply.body.id).startsWith('ord_'), 'an order has an id')
  }),
  aCase('order.repeat', 'a repeat gets the same order and is charged once', '重发得到同一订单且只扣一次', async (stand) => {
    const ask = await anAsk(stand)
    const first = await place(stand, ask)
    status(first, 201)
    const balance = (await stand.bearer('GET', '/api/funds/balance')).body?.available
    const again = await place(stand, ask)
    status(again, 200)
    expect(again.body.id === first.body.id && again.headers.get('idempotent-replayed') === 'true', 'the repeat is the same order and says so')
    expect((await stand.bearer('GET', '/api/funds/balance')).body?.available === balance, 'the repeat was charged')
  }),
  aCase('order.at_once', 'ten equal asks at once are one order', '十个相同请求并发只有一单', async (stand) => {
    const ask = await anAsk(stand)
    const replies = await Promise.all(Array.from({ length: 10 }, () => place(stand, ask)))
    for (const reply of replies) status(reply, 200, 201)
    expect(new Set(replies.map((reply) => reply.body.id)).size === 1, 'more than one order under one reference')
  }),
  aCase('order.reference_reused', 'another ask under a bound reference is refused', '同一订单号换内容被拒', async (stand) => {
    const ask = await anAsk(stand)
    status(await place(stand, ask), 201)
    refusal(await place(stand, { ...ask, quantity: 2 }), 'orders.reference_reused')
  }),
  aCase('order.guard', 'a price above the guard is refused and not charged', '价格高于上限被拒且不扣款', async (stand) => {
    const reply = await place(stand, await anAsk(stand, { maxUnitPrice: '0.000001' }))
    refusal(reply, 'catalogue.price_above_guard')
    expect(reply.body.because?.allowed !== undefined && reply.body.because?.price !== undefined, 'asked and allowed are named')
  }),
  aCase('order.unbound', 'a refusal binds no reference', '被拒的订单号可再用', async (stand) => {
    const ask = await anAsk(stand)
    refusal(await place(stand, { ...ask, maxUnitPrice: '0.000001' }), 'catalogue.price_above_guard')
    status(await place(stand, ask), 201)
  }),
  aCase('order.unicode', 'Chinese text comes back as it was', '中文原样返回', async (stand) => {
    const reply = await place(stand, await anAsk(stand, { member: '老王 m-77' }))
    status(reply, 201)
    expect(reply.body.member === '老王 m-77', `member came back as ${String(reply.body.member)}`)
  }),
  aCase('order.found', 'an order is found by its reference', '可按订单号查单', async (stand) => {
    const ask = await anAsk(stand)
    const placed = await place(stand, ask)
    const found = await stand.bearer('GET', `/api/orders?reference=${encodeURIComponent(String(ask.reference))}`)
    expect(found.body?.items?.[0]?.id === placed.body.id, 'the list under the reference does not hold the order')
  }),
  aCase('order.unknown', 'an order that is not there is not found', '不存在的订单有明确提示', async (stand) => refusal(await stand.bearer('GET', '/api/orders/ord_nobody'), 'orders.not_found')),
  aCase('language.chinese', 'who asks for Chinese reads Chinese', '请求中文则返回中文', async (stand) => {
    const reply = await stand.bearer('GET', '/api/orders/ord_nobody', undefined, { 'accept-language': 'zh-CN' })
    expect(/\p{Script=Han}/u.test(reply.body?.detail ?? ''), `detail came as ${String(reply.body?.detail)}`)
  }),
  aCase('reasons.listed', 'the vocabulary is served, each code with its page', '原因代码表可查，每条有说明页', async (stand) => {
    const list = await stand.send({ method: 'GET', path: '/api/reasons' })
    status(list, 200)
    const { docs } = list.body.items[0]
    status(await stand.send({ method: 'GET', path: new URL(docs).pathname }), 200)
  }),
]
