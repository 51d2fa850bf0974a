/**
 * The families of docking protocols that are spoken in the trade, told apart by the shape of one request: its path, its
 * headers, the names of its fields. Only what their own documents or recordings say is taken for a mark, and what fits
 * none of them stays unknown.
 */
export type Glimpse = {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: string
  readonly contentType: string
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as text, decoded as well as it may be. */
  readonly body: string
}

type Words = { readonly en: string; readonly zh: string }

export type FamilyId =
  | 'acg0' | 'acg1' | 'acg2' | 'json' | 'dujiao_next' | 'dujiaoka' | 'kasushou' | 'kayixin' | 'kakayun' | 'yile' | 'rainbow' | 'ofpay' | 'goofish' | 'fulu' | 'jd' | 'top' | 'xml'

/** A family that a request looks like. `score` is from 0.5 (likely) to 1 (all its marks). */
export type Likeness = {
  readonly family: FamilyId
  readonly name: Words
  readonly score: number
  /** The marks that were seen. */
  readonly marks: readonly string[]
  /** How this family signs. */
  readonly signs: Words
  /** Whether this hub answers it. */
  readonly isServed: boolean
}

/** Names and values of what a request carries, wherever it carries it. */
type Fields = { readonly names: ReadonlySet<string>; readonly valueOf: (name: string) => string | undefined }
type Mark = { readonly says: string; readonly weight: number; readonly fits: (glimpse: Glimpse, fields: Fields) => boolean }
type Family = Omit<Likeness, 'score' | 'marks' | 'family'> & { readonly id: FamilyId; readonly marks: readonly Mark[] }

const LEAST_SCORE = 0.5
const MOST_NAMED = 3
const LONGEST_BODY = 64 * 1024

/** The families that a request looks like, the most likely first; empty when it looks like none that is known. */
export function recognise(glimpse: Glimpse): Likeness[] {
  const fields = fieldsOf(glimpse)
  return FAMILIES.map(({ id, marks, ...family }) => {
    const seen = marks.filter((mark) => mark.fits(glimpse, fields))
    const score = Math.min(1, Math.round(seen.reduce((sum, mark) => sum + mark.weight, 0) * 100) / 100)
    return { family: id, ...family, score, marks: seen.map((mark) => mark.says) }
  }).filter(({ score }) => score >= LEAST_SCORE).sort((a, b) => b.score - a.score).slice(0, MOST_NAMED)
}

const path = (weight: number, pattern: RegExp): Mark => ({ says: `path ${plain(pattern)}`, weight, fits: (glimpse) => pattern.test(glimpse.path) })
const header = (weight: number, ...names: string[]): Mark => ({ says: `headers ${names.join(', ')}`, weight, fits: ({ headers }) => names.every((name) => headers[name.toLowerCase()] !== undefined) })
const carries = (weight: number, ...names: string[]): Mark => ({ says: `fields ${names.join(', ')}`, weight, fits: (_, fields) => names.every((name) => fields.names.has(name)) })
const value = (weight: number, name: string, pattern: RegExp, says: string): Mark => ({ says: `${name} is ${says}`, weight, fits: (_, fields) => pattern.test(fields.valueOf(name) ?? '') })
const form = (weight: number): Mark => ({ says: 'a form', weight, fits: ({ contentType }) => /^application\/x-www-form-urlencoded/i.test(contentType) })
const json = (weight: number): Mark => ({ says: 'JSON', weight, fits: ({ contentType, body }) => /json/i.test(contentType) || /^\s*[{[]/.test(body) })

const MD5 = /^[0-9a-f]{32}$/
const MD5_UPPER = /^[0-9A-F]{32}$/

const FAMILIES: readonly Family[] = [
  {
    id: 'acg0', name: { en: 'acg-faka shared store (type 0)', zh: '异次元店铺共享（类型 0）' }, isServed: true,
    signs: { en: 'md5 of all fields sorted by name, `&key=` and the key at the end, in the field sign', zh: '所有字段按名排序，末尾接 &key= 与密钥，取小写 md5，放在字段 sign' },
    marks: [path(0.6, /\/shared\/(authentication|commodity)\//), carries(0.35, 'app_id', 'sign'), carries(0.15, 'app_key'), carries(0.2, 'shared_code', 'request_no'), value(0.05, 'sign', MD5, 'an md5'), form(0.05)],
  },
  {
    id: 'acg1', name: { en: 'acg-faka open API of MCY / V4 (type 1)', zh: 'MCY / V4 开放接口（类型 1）' }, isServed: true,
    signs: { en: 'the same md5 over the body alone, in the header Api-Signature', zh: '同样的 md5，仅覆盖正文，放在请求头 Api-Signature' },
    marks: [path(0.6, /\/plugin\/open-api\//), header(0.5, 'Api-Id', 'Api-Signature'), carries(0.15, 'sku_id'), carries(0.15, 'trade_no')],
  },
  {
    id: 'acg2', name: { en: 'acg-faka SharedStock plugin (type 2)', zh: 'SharedStock 插件（类型 2）' }, isServed: true,
    signs: { en: 'as type 0', zh: '与类型 0 相同' },
    marks: [path(0.75, /\/plugin\/SharedStock\/api\//), carries(0.2, 'app_id', 'sign'), form(0.05)],
  },
  {
    id: 'json', name: { en: 'the open JSON API of this hub', zh: '本站开放接口（JSON）' }, isServed: true,
    signs: { en: 'RFC 9421 in Signature-Input and Signature, or a bearer key', zh: 'RFC 9421 签名（Signature-Input、Signature），或接口密钥' },
    marks: [
      path(0.4, /^\/api\/(docking|orders|goods|quotes|funds|keys|requests|contacts|reasons|decisions)(\/|$)/), header(0.4, 'Signature-Input'), header(0.3, 'Berth-Version'),
      { says: 'a bearer key of a hub', weight: 0.4, fits: ({ headers }) => /^Bearer bth_/i.test(headers.authorization ?? '') }, carries(0.3, 'reference', 'good', 'maxUnitPrice'),
    ],
  },
  {
    id: 'dujiao_next', name: { en: 'dujiao-next upstream API', zh: '独角数卡 Next 上游接口' }, isServed: false,
    signs: { en: 'HMAC-SHA256 of method, path, time in seconds and md5 of the body, in the header Dujiao-Next-Signature', zh: '对方法、路径、秒级时间、正文 md5 取 HMAC-SHA256，放在请求头 Dujiao-Next-Signature' },
    marks: [header(0.7, 'Dujiao-Next-Api-Key'), header(0.2, 'Dujiao-Next-Signature', 'Dujiao-Next-Timestamp'), path(0.5, /\/api\/v1\/upstream\//), carries(0.3, 'sku_id', 'downstream_order_no'), carries(0.1, 'callback_url', 'trace_id')],
  },
  {
    id: 'dujiaoka', name: { en: 'dujiaoka order hook', zh: '独角数卡旧版订单回调（api_hook）' }, isServed: false,
    signs: { en: 'not signed', zh: '无签名' },
    marks: [carries(0.6, 'title', 'order_sn', 'actual_price'), carries(0.25, 'order_info', 'good_id'), carries(0.1, 'gd_name'), json(0.05)],
  },
  {
    id: 'kasushou', name: { en: 'kasushou v2', zh: '卡速售 v2' }, isServed: false,
    signs: { en: 'sha1 of time in milliseconds, the JSON body with sorted keys and the key, in the header Sign', zh: '对毫秒时间、键排序后的 JSON 正文、密钥取 sha1，放在请求头 Sign' },
    marks: [header(0.7, 'Sign', 'Timestamp', 'UserId'), path(0.35, /\/api\/v1\/(goods\/(cate|list|info|attach|pricelog)|order\/(buy|info|close|complain)|user\/info)$/), carries(0.3, 'external_orderno'), carries(0.15, 'safe_price'), json(0.05)],
  },
  {
    id: 'kayixin', name: { en: 'kayixin API 3.0', zh: '卡易信 3.0' }, isServed: false,
    signs: { en: 'md5 of app id, secret, "3.0", time in seconds and the body, in the header X-Signature', zh: '对 appId、密钥、“3.0”、秒级时间、正文取 md5，放在请求头 X-Signature' },
    marks: [header(0.6, 'X-App-Id', 'X-Signature'), header(0.2, 'X-Version', 'X-Timestamp'), path(0.45, /\/api\/v3\/(user\/getAccount|order\/(create|getDetail))$/), carries(0.3, 'outerNumber'), carries(0.15, 'goodsId', 'notifyUrl')],
  },
  {
    id: 'kakayun', name: { en: 'kakayun v2', zh: '卡卡云 v2' }, isServed: false,
    signs: { en: 'md5 of the sorted fields and the secret without a separator, in the field sign', zh: '字段排序后直接接密钥（无分隔符）取 md5，放在字段 sign' },
    marks: [path(0.75, /\/dockapi\/(v2|index)\//), carries(0.3, 'userid', 'goodsid', 'sign'), carries(0.25, 'buynum'), carries(0.1, 'callbackurl'), form(0.05)],
  },
  {
    id: 'yile', name: { en: 'yile', zh: '亿乐' }, isServed: false,
    signs: { en: 'md5 of the sorted fields and the secret without a separator, in the field sign', zh: '字段排序后直接接密钥（无分隔符）取 md5，放在字段 sign' },
    marks: [carries(0.55, 'api_token', 'timestamp', 'sign'), path(0.25, /\/api\/(order|goods\/(list|info))$/), carries(0.2, 'gid'), carries(0.1, 'value1'), form(0.05)],
  },
  {
    id: 'rainbow', name: { en: 'Rainbow / daishua', zh: '彩虹 / 代刷同系统对接' }, isServed: false,
    signs: { en: 'not signed: user and pass travel in clear', zh: '无签名：user 与 pass 明文传输' },
    marks: [path(0.3, /\/api\.php$/), carries(0.4, 'user', 'pass'), value(0.35, 'act', /^(classlist|goodslist|goodslistbycid|goodsdetails|pay|search)$/, 'one of its calls'), carries(0.15, 'tid'), form(0.05)],
  },
  {
    id: 'ofpay', name: { en: 'ofpay 6.0 (XML, GB2312)', zh: '欧飞 6.0（XML，GB2312）' }, isServed: false,
    signs: { en: 'upper-case md5 of the values one behind the other and KeyStr, in md5_str', zh: '各值依次相接再接 KeyStr，取大写 md5，放在 md5_str' },
    marks: [carries(0.6, 'userid', 'md5_str'), carries(0.25, 'sporder_id'), carries(0.2, 'userpws'), path(0.35, /\/(onlineorder|querycardinfo|newqueryuserinfo|reissue)\.do$/), value(0.1, 'md5_str', MD5_UPPER, 'an upper-case md5')],
  },
  {
    id: 'goofish', name: { en: 'goofish manager supply interface', zh: '闲管家虚拟货源标准接口' }, isServed: false,
    signs: { en: 'md5 of app id, app secret, md5 of the body, time, merchant id and merchant secret with commas between, in the query', zh: '对 app_id、app_secret、正文 md5、时间、mch_id、mch_secret（逗号相接）取 md5，放在查询串' },
    marks: [path(0.7, /\/goofish\/(open|user|goods|order)\//), carries(0.5, 'mch_id', 'timestamp', 'sign'), carries(0.15, 'biz_content'), carries(0.15, 'out_order_no')],
  },
  {
    id: 'fulu', name: { en: 'Fulu', zh: '福禄开放平台' }, isServed: false,
    signs: { en: 'md5 of the sorted characters of the JSON and the secret', zh: 'JSON 全部字符排序后接密钥取 md5' },
    marks: [value(0.9, 'method', /^fulu\.(order|goods|user)\./, 'a call of fulu'), carries(0.2, 'app_key', 'sign'), carries(0.1, 'biz_content')],
  },
  {
    id: 'jd', name: { en: 'JD game cards / general trade', zh: '京东游戏点卡 / 通用交易' }, isServed: false,
    signs: { en: 'md5, in two forms that differ', zh: 'md5，有两种互不相同的写法' },
    marks: [carries(0.2, 'data', 'sign'), value(0.4, 'data', /^[A-Za-z0-9+/]{16,}={0,2}$/, 'Base64'), carries(0.15, 'customerId'), form(0.05)],
  },
  {
    id: 'top', name: { en: 'Taobao TOP', zh: '淘宝开放平台 TOP' }, isServed: false,
    signs: { en: 'md5 or HMAC over the sorted fields', zh: '字段排序后取 md5 或 HMAC' },
    marks: [path(0.5, /\/router\/rest$/), value(0.5, 'method', /^(taobao|tmall|alibaba)\./, 'a call of TOP'), carries(0.2, 'app_key', 'session'), carries(0.15, 'sign_method')],
  },
  {
    id: 'xml', name: { en: 'an XML protocol that is not known here', zh: '未识别的 XML 协议' }, isServed: false,
    signs: { en: 'unknown', zh: '未知' },
    marks: [{ says: 'XML', weight: 0.5, fits: ({ body, contentType }) => /^\s*<(\?xml|[A-Za-z])/.test(body) || /\b(text|application)\/xml\b/i.test(contentType) }],
  },
]

function fieldsOf({ query, contentType, body }: Glimpse): Fields {
  const values = new Map<string, string>()
  const text = body.slice(0, LONGEST_BODY)
  const add = (name: string, given: string) => void (values.has(name) || values.set(name, given))
  if (/^\s*\{/.test(text)) for (const [name, given] of members(text)) add(name, given)
  else if (!/^\s*</.test(text) && !/json|xml/i.test(contentType)) for (const [name, given] of new URLSearchParams(text)) add(name, given)
  for (const [name, given] of new URLSearchParams(query)) add(name, given)
  return { names: new Set(values.keys()), valueOf: (name) => values.get(name) }
}

/** The top-level members of JSON; of JSON that is broken the names that can still be seen. */
function members(text: string): [string, string][] {
  try {
    const read: unknown = JSON.parse(text)
    return Object.entries(read as object).map(([name, given]) => [name, typeof given === 'string' || typeof given === 'number' ? String(given) : ''])
  } catch {
    return [...text.matchAll(/"([A-Za-z_][\w.-]{0,63})"\s*:\s*(?:"([^"\\]{0,200})")?/g)].slice(0, 64).map(([, name, given]) => [name!, given ?? ''])
  }
}

function plain(pattern: RegExp): string {
  return pattern.source.replaceAll('\\/', '/').replace(/[\^$?]/g, '').replaceAll('\\.', '.')
}
