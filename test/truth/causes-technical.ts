import { createHash, createHmac, randomBytes } from 'node:crypto'
import pg from 'pg'
import { makeKey } from '../../protocol/keys.ts'
import { signRequest } from '../../protocol/signature.ts'
import { openShop, post, tradeFields } from '../acg-shop.ts'
import type { Cause } from './cause.ts'
import { SHOPS, shownProblem, shownShop, WAYS, type Shown, type Stage } from './stage.ts'

const nowS = () => Math.floor(Date.now() / 1000)
const TRADE = { acg0: '/shared/commodity/trade', acg1: '/trade', acg2: '/shared/commodity/trade' }
const FORM_PATH = { acg0: '/shared/commodity/trade', acg1: '/plugin/open-api/trade', acg2: '/plugin/SharedStock/api/connect' }

const body = (stage: Stage, more: object = {}) => ({ reference: stage.reference(), good: stage.good, quantity: 1, maxUnitPrice: '1000000', ...more })
const signed = async (stage: Stage, more: object = {}, options: Parameters<Stage['hub']['signed']>[4] = {}) => shownProblem(await stage.hub.signed(stage.docking, 'POST', '/api/orders', body(stage, more), options))
const again = (stage: Stage) => stage.buy()

async function raw(stage: Stage, method: string, path: string, headers: Record<string, string>, bytes?: string | Uint8Array): Promise<Shown> {
  const reply = await fetch(stage.hub.url + path, { method, headers, ...(bytes === undefined ? {} : { body: bytes as string }) })
  const text = await reply.text()
  return shownProblem({ status: reply.status, text, body: reply.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null })
}

const bearerOf = (stage: Stage) => ({ authorization: `Bearer ${stage.docking.apiKey}` })

/** What a shop sends for an order, with fields bent; type 1 has names of its own. */
async function bent(stage: Stage, change: (fields: Record<string, string>) => void, shop = stage.shop): Promise<Shown> {
  const fields: Record<string, string> = stage.way === 'acg1'
    ? { sku_id: await stage.skuId({}), quantity: '1', trade_no: stage.reference() }
    : tradeFields(stage.code, 1, stage.reference()) as Record<string, string>
  change(fields)
  return stage.send(TRADE, fields, shop)
}

const quantityField = (stage: Stage) => (stage.way === 'acg1' ? 'quantity' : 'num')

export const technical: readonly Cause[] = [
  {
    name: 'the clock is ahead', class: 'technical', code: 'partners.clock_skew', ways: ['json'],
    ask: (stage) => signed(stage, {}, { created: nowS() + 900 }), because: () => ({ skewS: (value) => Math.abs(Math.abs(Number(value)) - 900) < 30 }),
    says: { en: /clock|NTP/i, zh: /时间同步|ntp/i }, mend: again,
  },
  {
    name: 'the clock is behind', class: 'technical', code: 'partners.clock_skew', ways: ['json'],
    ask: (stage) => signed(stage, {}, { created: nowS() - 900 }), because: () => ({ skewS: (value) => Math.abs(Math.abs(Number(value)) - 900) < 30 }),
    says: { en: /clock|NTP/i, zh: /时间同步|ntp/i }, mend: again,
  },
  {
    name: 'another secret signs', class: 'technical', code: 'partners.signature_invalid', ways: ['json'],
    ask: async (stage) => shownProblem(await stage.hub.signed({ ...stage.docking, keySecret: 'not-the-secret' }, 'POST', '/api/orders', body(stage))),
    says: { en: /secret|key/i, zh: /密钥/ }, mend: again,
  },
  {
    name: 'another key signs', class: 'technical', code: 'partners.signature_invalid', ways: SHOPS, msg: /商户ID不存在或密钥错误/,
    ask: (stage) => bent(stage, () => {}, openShop({ ...stage.docking, appKey: 'ANOTHER-KEY-0000001' })),
    says: { en: /key/i, zh: /密钥/ }, mend: again,
  },
  {
    name: 'the body was changed on its way', class: 'technical', code: 'partners.digest_mismatch', ways: ['json'],
    ask: (stage) => signedBytes(stage, JSON.stringify(body(stage)), 'application/json', JSON.stringify(body(stage, { quantity: 9 }))),
    says: { en: /body|digest/i, zh: /正文|摘要/ }, mend: again,
  },
  {
    name: 'a nonce is used twice', class: 'technical', code: 'partners.nonce_reused', ways: ['json'],
    ask: async (stage) => {
      await signed(stage, {}, { nonce: `n-${stage.code}` })
      return signed(stage, {}, { nonce: `n-${stage.code}` })
    },
    says: { en: /nonce/i, zh: /nonce|随机/i }, mend: again,
  },
  {
    name: 'nothing says who asks', class: 'technical', code: 'partners.credentials_missing', ways: ['json'], stranger: true,
    ask: (stage) => raw(stage, 'POST', '/api/orders', { 'content-type': 'application/json' }, JSON.stringify(body(stage))),
    says: { en: /Authorization|sign/i, zh: /Authorization|签名/ }, mend: again,
  },
  {
    name: 'the shop sends no id', class: 'technical', code: 'partners.credentials_missing', ways: SHOPS, stranger: true, msg: /未带商户ID/,
    ask: (stage) => bent(stage, () => {}, openShop({ ...stage.docking, appId: '' })),
    says: { en: /id|key/i, zh: /商户|密钥/ }, mend: again,
  },
  {
    name: 'the shop signs with nothing', class: 'technical', code: 'partners.signature_malformed', ways: ['acg0', 'acg2'], msg: /签名|sign/,
    ask: async (stage) => shownShop(await post(stage.docking.baseUrl, FORM_PATH[stage.way as 'acg0'], `app_id=${stage.docking.appId}&shared_code=${stage.code}&num=1&request_no=${stage.reference()}`)),
    says: { en: /sign/i, zh: /签名/ }, mend: again,
  },
  {
    name: 'the key was revoked', class: 'technical', code: 'partners.key_revoked', ways: ['json'],
    inject: async (stage) => void await stage.operator('POST', `/operator/keys/${stage.docking.keyId}/end`, {}),
    says: { en: /new key|another key|key/i, zh: /密钥/ },
    mend: async (stage) => {
      const added = (await stage.operator('POST', `/operator/dockings/${stage.docking.id}/keys`, { kind: 'hmac-sha256' })).body
      Object.assign(stage.docking, { keyId: added.keyId, keySecret: added.secret })
      return stage.buy()
    },
  },
  {
    name: 'a key with a slip of the pen', class: 'technical', code: 'partners.key_malformed', ways: ['json'], stranger: true,
    ask: (stage) => raw(stage, 'GET', '/api/goods', { authorization: `Bearer ${stage.docking.apiKey!.slice(0, -1)}${stage.docking.apiKey!.endsWith('0') ? '1' : '0'}` }),
    says: { en: /copy|whole|key/i, zh: /复制|完整|密钥/ }, mend: (stage) => raw(stage, 'GET', '/api/goods', bearerOf(stage)),
  },
  {
    name: 'a key that nobody has', class: 'technical', code: 'partners.key_unknown', ways: ['json'], stranger: true,
    ask: (stage) => raw(stage, 'GET', '/api/goods', { authorization: `Bearer ${makeKey('bth_live_', randomBytes)}` }),
    says: { en: /key/i, zh: /密钥/ }, mend: (stage) => raw(stage, 'GET', '/api/goods', bearerOf(stage)),
  },
  {
    name: 'a live order by a bearer key', class: 'technical', code: 'partners.signature_required', ways: ['json'],
    ask: (stage) => raw(stage, 'POST', '/api/orders', { ...bearerOf(stage), 'content-type': 'application/json' }, JSON.stringify(body(stage))),
    says: { en: /sign/i, zh: /签名/ }, mend: again,
  },
  {
    name: 'a key without the scope', class: 'technical', code: 'partners.scope_missing', ways: ['json'], because: () => ({ needed: 'goods:read' }),
    ask: async (stage) => shownProblem(await stage.asOwner('GET', '/api/goods')),
    says: { en: /scope/i, zh: /权限/ }, mend: (stage) => raw(stage, 'GET', '/api/goods', bearerOf(stage)),
  },
  {
    name: 'a call from an address that is not on the list', class: 'technical', code: 'partners.address_not_allowed', ways: WAYS, msg: /地址|IP/i,
    inject: (stage) => setAllowed(stage, ['203.0.113.9']), shut: true,
    because: () => ({ seen: /127\.0\.0\.1/ }), says: { en: /address/i, zh: /地址|IP/ },
    // Whoever keeps the list is the operator: what a partner can do is to call from a listed address or to ask.
    mend: async (stage) => {
      await setAllowed(stage, [])
      return stage.buy()
    },
  },
  {
    name: 'JSON that ends too early', class: 'technical', code: 'protocol.malformed_request', ways: ['json'], because: () => ({ at: /line \d+ column \d+/ }),
    ask: (stage) => signedBytes(stage, '{"reference":"A-1","good":', 'application/json'), says: { en: /JSON/, zh: /JSON/ }, mend: again,
  },
  {
    name: 'GBK bytes in JSON', class: 'technical', code: 'protocol.charset_mismatch', ways: ['json'],
    ask: (stage) => signedBytes(stage, Buffer.concat([Buffer.from('{"reference":"'), Buffer.from([0xbf, 0xa8, 0xc3, 0xdc]), Buffer.from('"}')]), 'application/json'), says: { en: /UTF-8/, zh: /UTF-8/ }, mend: again,
  },
  {
    name: 'GBK bytes in a form', class: 'technical', code: 'protocol.charset_mismatch', ways: SHOPS, msg: /字符集|UTF-8|编码/, stranger: true,
    ask: async (stage) => shownShop(await post(stage.docking.baseUrl, FORM_PATH[stage.way as 'acg0'], `app_id=${stage.docking.appId}&shared_code=%BF%A8%C3%DC&sign=${'0'.repeat(32)}`, stage.way === 'acg1' ? { 'Api-Id': stage.docking.appId!, 'Api-Signature': '0'.repeat(32) } : {})),
    says: { en: /UTF-8/, zh: /UTF-8/ }, mend: again,
  },
  {
    name: 'a form where JSON is read', class: 'technical', code: 'protocol.unsupported_media', ways: ['json'], because: () => ({ seen: /x-www-form-urlencoded/ }),
    ask: (stage) => signedBytes(stage, 'reference=1', 'application/x-www-form-urlencoded'), says: { en: /application\/json/, zh: /application\/json/ }, mend: again,
  },
  {
    name: 'a field is missing', class: 'technical', code: 'protocol.invalid_field', ways: ['json'], because: () => ({ path: /maxUnitPrice/ }),
    ask: (stage) => signed(stage, { maxUnitPrice: undefined }), says: { en: /because\.path|field/i, zh: /字段/ }, mend: again,
  },
  {
    name: 'a quantity that is no number', class: 'technical', code: 'protocol.invalid_field', ways: SHOPS, msg: /num|quantity/, because: (stage) => ({ path: `/${quantityField(stage)}` }),
    ask: (stage) => bent(stage, (fields) => { fields[quantityField(stage)] = 'two' }), says: { en: /because\.path|field/i, zh: /字段/ }, mend: again,
  },
  {
    name: 'an order without a number', class: 'technical', code: 'protocol.invalid_field', ways: SHOPS, msg: /request_no|trade_no/, because: (stage) => ({ path: stage.way === 'acg1' ? '/trade_no' : '/request_no' }),
    ask: (stage) => bent(stage, (fields) => { fields[stage.way === 'acg1' ? 'trade_no' : 'request_no'] = '' }), says: { en: /because\.path|field/i, zh: /字段/ }, mend: again,
  },
  {
    name: 'an unknown version', class: 'technical', code: 'protocol.version_unknown', ways: ['json'], because: () => ({ seen: '2019-01-01' }), stranger: true,
    ask: (stage) => raw(stage, 'GET', '/api/goods', { ...bearerOf(stage), 'berth-version': '2019-01-01' }), says: { en: /version/i, zh: /版本/ },
    mend: (stage) => raw(stage, 'GET', '/api/goods', { ...bearerOf(stage), 'berth-version': '2026-12-01' }),
  },
  {
    name: 'an address that is none', class: 'technical', code: 'protocol.route_not_found', ways: ['json'], stranger: true, because: () => ({ path: '/api/order' }),
    ask: (stage) => raw(stage, 'GET', '/api/order', bearerOf(stage)), says: { en: /path|address|openapi/i, zh: /地址|路径|openapi/ }, mend: (stage) => raw(stage, 'GET', '/api/orders', bearerOf(stage)),
  },
  {
    name: 'a path of another protocol', class: 'technical', code: 'protocol.route_not_found', ways: SHOPS, stranger: true, msg: /地址不存在/,
    ask: async (stage) => shownShop(await stage.shop.call('/api/v1/upstream/ping')), says: { en: /path|address/i, zh: /地址|路径/ }, mend: again,
  },
  {
    name: 'the wrong verb', class: 'technical', code: 'protocol.method_not_allowed', ways: ['json'], stranger: true, because: () => ({ allowed: /POST/ }),
    ask: (stage) => raw(stage, 'PUT', '/api/orders', { ...bearerOf(stage), 'content-type': 'application/json' }, '{}'), says: { en: /verb/i, zh: /方法|动词/ }, mend: again,
  },
  {
    name: 'a good that nobody knows', class: 'technical', code: 'catalogue.good_not_found', ways: WAYS, msg: /商品不存在/, because: () => ({ good: /.+/ }),
    ask: (stage) => stage.buy({ good: 'gds_01jd0000000000000000000000', code: 'NOWHERE' }), says: { en: /good/i, zh: /商品/ }, mend: again,
  },
  {
    name: 'a number that belongs to another order', class: 'technical', code: 'orders.reference_reused', ways: WAYS, msg: /订单号/, because: () => ({ differs: 'quantity' }),
    ask: async (stage) => {
      const reference = stage.reference()
      await stage.buy({ reference })
      return stage.buy({ reference, quantity: 2 })
    },
    says: { en: /reference|number/i, zh: /单号/ }, mend: (stage) => stage.buy({ quantity: 2 }),
  },
  {
    name: 'a choice that was not made', class: 'technical', code: 'orders.choice_missing', ways: ['json', 'acg0', 'acg2'], msg: /请选择/,
    set: { cards: 0, good: { races: [{ name: '月卡', unitPrice: '9.50' }] } },
    inject: async (stage) => stage.hub.stockKind({ code: stage.code, race: '月卡', lines: [`${stage.code}-M1`, `${stage.code}-M2`] }),
    says: { en: /race|choice|choose/i, zh: /选择|种类/ }, mend: (stage) => stage.buy({ race: '月卡' }),
  },
  {
    name: 'an option that the good does not have', class: 'technical', code: 'orders.option_not_supported', ways: ['json', 'acg0', 'acg2'], msg: /选项|种类|race/, because: () => ({ option: /race|年卡|种类/ }),
    ask: (stage) => stage.buy({ race: '年卡' }), says: { en: /option|without/i, zh: /选项/ }, mend: again,
  },
  {
    name: 'a price that the protocol cannot say', class: 'technical', code: 'catalogue.price_too_fine', ways: ['acg0', 'acg2'], msg: /小数/, set: { good: { unitPrice: '0.0125', maximum: 1000 }, cards: 1100 },
    says: { en: /thousand|JSON/i, zh: /千|JSON/ }, mend: (stage) => stage.buy({ code: `${stage.code}x1000` }),
  },
]

/** Signs bytes as they are, and sends them, or others in their place: so that nothing but the bytes is wrong. */
async function signedBytes(stage: Stage, bytes: string | Uint8Array, type: string, sent: string | Uint8Array = bytes): Promise<Shown> {
  const headers = signRequest({ method: 'POST', url: `${stage.hub.url}/api/orders`, body: bytes as string }, {
    keyid: stage.docking.keyId!, created: nowS(), nonce: stage.reference(),
    hmacSha256: (base) => createHmac('sha256', stage.docking.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
  })
  return raw(stage, 'POST', '/api/orders', { ...(headers as Record<string, string>), 'content-type': type }, sent)
}

/** The list of a docking is the operator's: here it is set by hand, as no command changes it yet. */
async function setAllowed(stage: Stage, addresses: readonly string[]): Promise<void> {
  const owner = new pg.Client({ connectionString: stage.hub.ownerUrl })
  await owner.connect()
  try {
    await owner.query('update partners.dockings set allowed_addresses = $2 where id = $1', [stage.docking.id, addresses])
  } finally {
    await owner.end()
  }
  stage.hub.hub.keys.forget()
}
