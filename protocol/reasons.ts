import { inChinese, WORDED } from './phrases.ts'

/**
 * The vocabulary of refusal: every way the hub can say no, once.
 *
 * A code is stable for ever, has exactly one class and one cause, and a public page docs/reasons/<code>.md.
 * Doors, dialects, client and command line render from here; nobody else words a refusal.
 */
export type ReasonClass = 'technical' | 'commercial' | 'compliance'

/** On whose side the cause lies. A condition of the hub is never the partner's fault. */
export type Side = 'partner' | 'hub' | 'supplier' | 'network'

/** May the same bytes be sent again: never, after a time, or only after something was changed. */
export type Retry = 'never' | 'same_request_after' | 'after_change'

/** Who may give it: a check of the request, a rule over the books, a person by a decision. */
export type GivenBy = 'check' | 'rule' | 'person'

/**
 * answer: about this one request. condition: temporary, published, with a countdown. measure: stands in a decision.
 */
export type Kind = 'answer' | 'condition' | 'measure'

export type Reason = {
  readonly class: ReasonClass
  readonly kind: Kind
  readonly side: Side
  readonly by: readonly GivenBy[]
  readonly status: number
  readonly retry: Retry
  readonly appeal: boolean
  readonly title: { readonly en: string; readonly zh: string }
  /** One sentence with {names} filled from `because`. Plain text, at most 200 characters when filled. */
  readonly detail: { readonly en: string; readonly zh: string }
  /** The names that `because` carries. */
  readonly because: readonly string[]
}

type Row = Omit<Reason, 'class' | 'kind' | 'title' | 'detail' | 'because' | 'appeal'>

const asked: Row = { side: 'partner', by: ['check'], status: 400, retry: 'after_change' }
const ruled: Row = { side: 'partner', by: ['rule'], status: 409, retry: 'after_change' }
const between: Row = { side: 'network', by: ['check'], status: 503, retry: 'after_change' }
const decided: Row = { side: 'partner', by: ['person'], status: 403, retry: 'after_change' }
const strained: Row = { side: 'hub', by: ['check'], status: 503, retry: 'same_request_after' }

function answer(cls: ReasonClass, row: Row, en: [string, string], zh: [string, string], because: string[]): Reason {
  return { class: cls, kind: 'answer', appeal: false, ...row, title: { en: en[0], zh: zh[0] }, detail: { en: en[1], zh: zh[1] }, because }
}
function condition(row: Row, en: [string, string], zh: [string, string], because: string[]): Reason {
  return { class: 'technical', kind: 'condition', appeal: false, ...row, title: { en: en[0], zh: zh[0] }, detail: { en: en[1], zh: zh[1] }, because }
}
function measure(cls: ReasonClass, en: [string, string], zh: [string, string]): Reason {
  return {
    class: cls, kind: 'measure', appeal: true, ...decided,
    title: { en: en[0], zh: zh[0] }, detail: { en: en[1], zh: zh[1] }, because: ['measure', 'since'],
  }
}

export const reasons = {
  // The wire: what can be said about a request before anyone asks what it wants.
  'protocol.malformed_request': answer('technical', asked,
    ['The request cannot be read', 'The body is not well formed: {problem}, at {at}.'],
    ['请求内容无法解析', '请求正文格式有误：{problem}，位置 {at}。'], ['problem', 'at']),
  'protocol.unsupported_media': answer('technical', { ...asked, status: 415 },
    ['The content type is not one this address reads', 'This address reads {expected}; the request says {seen}.'],
    ['内容类型不受支持', '此接口接受 {expected}，收到的是 {seen}。'], ['expected', 'seen']),
  'protocol.request_too_large': answer('technical', { ...asked, status: 413 },
    ['The request is larger than the limit', 'At most {allowed} are read here: {what}.'],
    ['请求体过大', '此处最多接受 {allowed}（{what}）。'], ['what', 'allowed']),
  'protocol.headers_too_large': answer('technical', { ...asked, status: 431 },
    ['The headers are larger than the limit', 'At most {allowed} are read: {what}.'],
    ['请求头过大', '请求头最多接受 {allowed}（{what}）。'], ['what', 'allowed']),
  'protocol.url_too_long': answer('technical', { ...asked, status: 414 },
    ['The address line is longer than the limit', 'At most {allowed} bytes of path and query are read.'],
    ['请求地址过长', '路径与查询串最多 {allowed} 字节。'], ['allowed']),
  'protocol.host_ambiguous': answer('technical', asked,
    ['The request does not say plainly which host it means', 'Exactly one Host header and a plain path are read; seen: {seen}.'],
    ['请求的主机或路径不明确', '只接受一个 Host 头与普通路径，收到：{seen}。'], ['seen']),
  'protocol.invalid_field': answer('technical', { ...asked, status: 422 },
    ['A field has a value that is not allowed', '{path}: {expected}.'],
    ['字段取值不合要求', '字段 {path}：{expected}。'], ['path', 'expected']),
  'protocol.charset_mismatch': answer('technical', asked,
    ['The bytes are not in the declared character set', 'The bytes are not valid {declared}, first at byte {at}.'],
    ['字符集与声明不符', '内容不是有效的 {declared} 编码，首个错误在第 {at} 字节。'], ['declared', 'at']),
  'protocol.route_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such address', 'Nothing is served at {method} {path}; /openapi.json lists what is.'],
    ['接口地址不存在', '{method} {path} 不存在，接口清单见 /openapi.json。'], ['method', 'path']),
  'protocol.method_not_allowed': answer('technical', { ...asked, status: 405, retry: 'never' },
    ['This address does not take that method', '{path} takes {allowed}, not {method}.'],
    ['请求方法不被允许', '{path} 只接受 {allowed}，不接受 {method}。'], ['method', 'path', 'allowed']),
  'protocol.version_unknown': answer('technical', asked,
    ['The API version is not known', 'Berth-Version {seen} is not published; known: {known}.'],
    ['接口版本号不存在', '版本 {seen} 未发布，可用：{known}。'], ['seen', 'known']),
  'protocol.idempotency_key_reused': answer('technical', { ...asked, status: 422, retry: 'never' },
    ['The Idempotency-Key belongs to another request', 'This Idempotency-Key was sent before with another request, which made {key}.'],
    ['Idempotency-Key 已用于其他请求', '此 Idempotency-Key 此前已用于另一请求，生成的是 {key}。'], ['key']),
  'protocol.request_timeout': answer('technical', { ...asked, status: 408, side: 'network', retry: 'same_request_after' },
    ['The request did not arrive in time', 'The whole request must arrive within {allowedS} seconds.'],
    ['请求接收超时', '请求须在 {allowedS} 秒内完整到达。'], ['allowedS']),

  'protocol.text_garbled': answer('technical', { ...asked, status: 422 },
    ['The text was read in a wrong character set before it was sent', '{path} arrived as {seen}: valid UTF-8, and yet not what a person wrote.'],
    ['文字在发送前已成乱码', '{path} 收到的内容为“{seen}”：是有效的 UTF-8，但不是原来的文字。'], ['path', 'seen']),

  // What lies between the two sides; named by the doctor, from whichever side it is seen.
  'network.name_unresolved': answer('technical', between,
    ['The name of the hub does not resolve', 'No address was found for {host}: {problem}.'],
    ['主站域名无法解析', '域名 {host} 未解析到地址：{problem}。'], ['host', 'problem']),
  'network.unreachable': answer('technical', { ...between, retry: 'same_request_after' },
    ['Nobody answers at the address of the hub', 'No connection to {address}: {problem}.'],
    ['主站地址无法连接', '无法连接 {address}：{problem}。'], ['address', 'problem']),
  'network.tls_failed': answer('technical', between,
    ['The encrypted connection could not be agreed', 'The TLS handshake with {host} failed: {problem}.'],
    ['加密连接协商失败', '与 {host} 的 TLS 握手失败：{problem}。'], ['host', 'problem']),
  'network.certificate_invalid': answer('technical', between,
    ['The certificate of the hub does not hold', 'The certificate of {host} is not accepted: {problem}; it ends at {endsAt}.'],
    ['主站证书无效', '{host} 的证书不被接受：{problem}；有效期至 {endsAt}。'], ['host', 'problem', 'endsAt']),
  'network.not_a_hub': answer('technical', between,
    ['Something else than the hub answered', '{address} answered HTTP {status}, which is not an answer of a hub: {problem}.'],
    ['应答者不是主站', '{address} 返回 HTTP {status}，不是主站的应答：{problem}。'], ['address', 'status', 'problem']),
  'network.request_altered': answer('technical', between,
    ['Something on the way changed the request', 'Between you and the hub this was changed: {what}. Sent {sent}, arrived {arrived}.'],
    ['请求在途中被改动', '请求在途中被改动：{what}。发出 {sent}，到达 {arrived}。'], ['what', 'sent', 'arrived']),

  // Who is asking.
  'partners.credentials_missing': answer('technical', { ...asked, status: 401 },
    ['The request names no key', 'Send a bearer key, or an RFC 9421 signature with keyid.'],
    ['请求未带凭据', '请在请求中带上接口密钥或 RFC 9421 签名。'], []),
  'partners.signature_required': answer('technical', { ...asked, status: 401 },
    ['This call must be signed', 'A call that moves money in live mode must carry an RFC 9421 signature; a bearer key alone is not enough.'],
    ['此调用必须签名', '正式环境下涉及资金的调用必须带 RFC 9421 签名，仅有接口密钥不够。'], []),
  'partners.signature_malformed': answer('technical', { ...asked, status: 401 },
    ['The signature is not written as it must be', 'The signature cannot be read: {problem}.'],
    ['签名格式有误', '签名无法解析：{problem}。'], ['problem']),
  'partners.signature_incomplete': answer('technical', { ...asked, status: 401 },
    ['The signature does not cover what it must', 'The signature must cover {missing}.'],
    ['签名覆盖范围不足', '签名必须覆盖：{missing}。'], ['missing']),
  'partners.signature_invalid': answer('technical', { ...asked, status: 401 },
    ['The key and the signature do not belong together', 'No key of this name made this signature. SHA-256 of the string the hub built: {baseSha256}.'],
    ['商户ID不存在或密钥错误', '商户ID不存在或密钥错误（签名不符）。待签名串 SHA-256：{baseSha256}。'], ['baseSha256']),
  'partners.digest_mismatch': answer('technical', { ...asked, status: 401 },
    ['The body is not the one that was signed', 'Content-Digest does not match the body; the hub computed {seen}.'],
    ['正文摘要不符', 'Content-Digest 与正文不一致，收到正文的摘要为 {seen}。'], ['seen']),
  'partners.key_malformed': answer('technical', { ...asked, status: 401 },
    ['The key was not copied whole', 'The key has a wrong form or checksum: a character is missing or changed.'],
    ['密钥不完整', '密钥的格式或校验位不对，可能复制时缺字或改字。'], []),
  'partners.key_unknown': answer('technical', { ...asked, status: 401 },
    ['The hub does not know this key', 'The key is well formed, but this hub never issued it.'],
    ['密钥未知', '密钥格式正确，但并非本站签发。'], []),
  'partners.key_expired': answer('technical', { ...asked, status: 401 },
    ['The key has expired', 'The key {key} ended at {endedAt}.'],
    ['密钥已过期', '密钥 {key} 已于 {endedAt} 到期。'], ['key', 'endedAt']),
  'partners.key_revoked': answer('technical', { ...asked, status: 401 },
    ['The key was revoked', 'The key {key} was revoked at {endedAt}.'],
    ['密钥已吊销', '密钥 {key} 已于 {endedAt} 吊销。'], ['key', 'endedAt']),
  'partners.clock_skew': answer('technical', { ...asked, status: 401 },
    ['The signature was made too early or too late', 'created is {skewS} seconds from the hub clock; {allowedS} are allowed.'],
    ['时钟偏差过大', '签名时间与本站相差 {skewS} 秒，允许 {allowedS} 秒以内。'], ['skewS', 'allowedS']),
  'partners.nonce_reused': answer('technical', { ...asked, status: 409 },
    ['The nonce was used before', 'This nonce was already spent with this key; sign again with a new one.'],
    ['随机数重复使用', '此随机数已用过，请换新值重新签名。'], []),
  'partners.freshness_unknown': answer('technical', { ...asked, status: 401, side: 'hub' },
    ['Signed before the hub started', 'The hub restarted at {startedAt} and cannot know whether this older signature was used; sign again.'],
    ['签名早于本站启动', '本站于 {startedAt} 重启，无法确认此前的签名是否用过，请重新签名。'], ['startedAt']),
  'partners.scope_missing': answer('technical', { ...asked, status: 403 },
    ['The key may not do this', 'The call needs the scope {needed}; the key has {granted}.'],
    ['密钥无此权限', '此调用需要权限 {needed}，密钥现有 {granted}。'], ['needed', 'granted']),
  'partners.address_not_allowed': answer('technical', { ...asked, status: 403 },
    ['The call came from an address that is not on the list', 'The docking allows calls from listed addresses only; seen {seen}.'],
    ['来源地址不在白名单', '该对接只允许白名单地址访问，来源为 {seen}。'], ['seen']),
  'partners.docking_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such docking', 'No docking has the id {docking}.'],
    ['对接不存在', '没有编号为 {docking} 的对接。'], ['docking']),
  'partners.key_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such key', 'No key has the id {key}.'],
    ['密钥编号不存在', '没有编号为 {key} 的密钥。'], ['key']),
  'partners.key_ended': answer('technical', { ...ruled, retry: 'never' },
    ['The key has ended and cannot be rolled', 'The key {key} ended at {endedAt}; nothing can take over from it. Create a key instead.'],
    ['密钥已终止，无法轮换', '密钥 {key} 已于 {endedAt} 终止，不能再轮换，请改为新建密钥。'], ['key', 'endedAt']),
  'partners.keys_at_limit': answer('technical', ruled,
    ['As many keys of this kind live as may', '{allowed} keys of the kind {kind} may live at once; now {keys} do.'],
    ['同类有效密钥已达上限', '{kind} 类密钥最多同时有效 {allowed} 把，现有 {keys}。'], ['kind', 'allowed', 'keys']),
  'partners.last_key': answer('technical', ruled,
    ['This is the last key that can make others', 'Without {key} no lasting key of the docking could ask for another; create another first, or roll it with an overlap.'],
    ['最后一把可管理密钥不能立即终止', '{key} 终止后将没有长期有效、可申请新密钥的密钥，请先新建一把，或带过渡期轮换。'], ['key']),
  'partners.key_leaked': measure('technical',
    ['A key of this docking was found in public', 'Since {since}, because one of the keys of this docking was seen outside: {measure}.'],
    ['密钥已泄露', '因密钥外泄，自 {since} 起：{measure}。']),

  // Goods.
  'catalogue.good_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such good', 'This docking is offered no good {good}.'],
    ['商品不存在', '商品不存在：{good}。'], ['good']),
  'catalogue.good_not_on_sale': answer('commercial', { ...ruled, side: 'hub' },
    ['The good is not on sale', '{good} is not on sale now: the main site took it off the shelf.'],
    ['当前商品已停售', '当前商品已停售：{good}。'], ['good']),
  'catalogue.out_of_stock': answer('commercial', { ...ruled, side: 'hub' },
    ['There is not enough stock', 'Asked {asked}, in stock {available}.'],
    ['库存不足', '库存不足：需要 {asked}，现有 {available}。'], ['asked', 'available']),
  'catalogue.price_above_guard': answer('commercial', ruled,
    ['The price is above your guard', 'The unit price is {price}; maxUnitPrice allows {allowed}. Nothing was charged.'],
    ['价格高于您的上限', '当前单价 {price}，高于您允许的 {allowed}，未扣款。'], ['price', 'allowed']),
  'catalogue.quantity_outside_offer': answer('commercial', { ...ruled, status: 422 },
    ['The quantity is outside the offer', 'Asked {asked}; the offer takes {minimum} to {maximum} an order.'],
    ['购买数量超出范围', '购买数量 {asked} 不在每单 {minimum} 至 {maximum} 之间。'], ['asked', 'minimum', 'maximum']),
  'catalogue.price_too_fine': answer('technical', ruled,
    ['The price is finer than this dialect can say', 'The price {price} has more than two decimals, which this protocol cannot carry: {instead}.'],
    ['价格小数位超出协议', '单价 {price} 超过两位小数，此协议无法表示：{instead}。'], ['price', 'instead']),
  'catalogue.sync_behind': answer('technical', { ...ruled, status: 409 },
    ['Your copy of the catalogue is behind', 'Your program has read the changes up to {readTo}; the oldest that it has not read is from {since}.'],
    ['商品同步滞后', '贵方已读到变更 {readTo}；尚未读取的最早变更发生在 {since}。'], ['readTo', 'since']),
  'catalogue.good_reused': answer('technical', { ...ruled, status: 409 },
    ['A good with this code differs', 'The code {code} already names another good.'],
    ['商品编码已被占用', '编码 {code} 已用于另一商品。'], ['code']),
  'catalogue.card_duplicate': answer('technical', { ...ruled, status: 409, retry: 'never' },
    ['The card is already known', 'Line {line}: the same good has this card already, from this file or an earlier import.'],
    ['卡密重复', '第 {line} 行：同一商品下已有此卡密。'], ['line']),

  // Orders.
  'orders.reference_reused': answer('technical', { ...asked, status: 422, retry: 'never' },
    ['The reference belongs to another order', 'The reference {reference} is bound to an accepted order with another {differs}.'],
    ['商户订单号已被占用', '订单号 {reference} 已有订单，且{differs}不同。'], ['reference', 'differs']),
  'orders.not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such order', 'This docking has no order {order}.'],
    ['订单不存在', '订单不存在：{order}。'], ['order']),
  'orders.total_above_limit': answer('commercial', { ...ruled, status: 422 },
    ['The total is above the limit of one order', 'The total would be {total}; one order may come to {allowed}.'],
    ['订单金额超限', '订单金额 {total} 超过单笔上限 {allowed}。'], ['total', 'allowed']),
  'orders.option_not_supported': answer('technical', { ...asked, status: 422 },
    ['An option was asked for that this good does not have', '{option} is not offered for this good.'],
    ['商品没有此选项', '此商品不支持选项：{option}。'], ['option']),
  'orders.choice_missing': answer('technical', { ...asked, status: 422 },
    ['The good needs a choice that was not made', 'This good is sold in kinds; choose {missing}.'],
    ['请选择商品类型', '请选择商品类型：{missing}。'], ['missing']),
  'orders.not_waiting': answer('technical', { ...ruled, retry: 'never' },
    ['The order does not wait for a delivery', 'The order {order} is {state}; only one that waits for a person can be delivered or given back.'],
    ['订单不在待发货状态', '订单 {order} 的状态为{state}，只有待人工发货的订单可以发货或退款。'], ['order', 'state']),
  'orders.refunded': answer('commercial', { ...ruled, side: 'hub', retry: 'never' },
    ['The order was given back', 'The order {order} could not be delivered and its money was given back: {reason}.'],
    ['订单已退款', '订单 {order} 无法发货，款项已退回：{reason}。'], ['order', 'reason']),

  // Funds.
  'ledger.insufficient_funds': answer('commercial', { ...ruled, status: 402 },
    ['The deposit does not cover the order', 'The order needs {needed} yuan; {available} are available.'],
    ['余额不足', '余额不足：需要 {needed} 元，可用 {available} 元。'], ['needed', 'available']),
  'ledger.deposit_reused': answer('technical', { ...asked, status: 422, retry: 'never' },
    ['The deposit reference belongs to another deposit', 'The reference {reference} is bound to a deposit of {amount}.'],
    ['加款流水号已被占用', '流水号 {reference} 已对应一笔 {amount} 元的加款。'], ['reference', 'amount']),

  // Measures: a person decided, a statement of reasons stands behind each.
  'terms.contract_breach': measure('commercial',
    ['A term of the contract was broken', 'Since {since}, under the signed contract: {measure}.'],
    ['违反合同约定', '依据已签合同，自 {since} 起：{measure}。']),
  'terms.published_rule_breach': measure('commercial',
    ['A published rule was broken', 'Since {since}, under a published rule: {measure}.'],
    ['违反公示规则', '依据公示规则，自 {since} 起：{measure}。']),
  'terms.payment_overdue': measure('commercial',
    ['A payment is overdue', 'Since {since}, until an overdue amount is paid: {measure}.'],
    ['款项逾期', '因款项逾期未付，自 {since} 起：{measure}。']),
  'terms.fee_unpaid': measure('commercial',
    ['The service fee is unpaid', 'Since {since}, because an agreed service fee is unpaid: {measure}.'],
    ['技术服务费未付', '因约定的技术服务费未付，自 {since} 起：{measure}。']),
  'terms.payment_channel_required': measure('commercial',
    ['A payment channel of the contract is not connected', 'Since {since}, because a payment channel that the signed contract names is not connected: {measure}.'],
    ['合同约定的收款通道未接入', '因合同约定的支付或收款通道尚未接入，自 {since} 起：{measure}。']),
  'terms.dumping': measure('commercial',
    ['Goods were dumped below cost', 'Since {since}, because goods were sold on below cost: {measure}.'],
    ['低价倾销', '因低于成本倾销，自 {since} 起：{measure}。']),
  'terms.brushing': measure('commercial',
    ['Orders were brushed', 'Since {since}, because orders were found that no real buyer stands behind: {measure}.'],
    ['刷单冲量', '因查明存在没有真实买家的订单，自 {since} 起：{measure}。']),
  'terms.contract_unsigned': measure('commercial',
    ['The contract is not signed', 'Since {since}, until the contract is signed by both sides: {measure}.'],
    ['合同尚未签署', '因合同尚未由双方签署，自 {since} 起：{measure}。']),
  'terms.contract_expired': measure('commercial',
    ['The contract has run out', 'Since {since}, because the contract has run out and was not renewed: {measure}.'],
    ['合同已到期', '因合同到期且未续签，自 {since} 起：{measure}。']),
  'terms.guarantee_below_minimum': measure('commercial',
    ['The guarantee is below the agreed minimum', 'Since {since}, because the guarantee is below the agreed sum: {measure}.'],
    ['保证金不足', '因保证金低于约定数额，自 {since} 起：{measure}。']),
  'terms.turnover_below_minimum': measure('commercial',
    ['The turnover is below the agreed minimum', 'Since {since}, because the turnover of the period is below the agreed minimum: {measure}.'],
    ['交易额未达约定', '因当期交易额低于约定下限，自 {since} 起：{measure}。']),
  'terms.exclusivity_breach': measure('commercial',
    ['An exclusivity clause was broken', 'Since {since}, because an agreed exclusivity was broken: {measure}.'],
    ['违反独家约定', '因违反双方的独家约定，自 {since} 起：{measure}。']),
  // Prices, asked for by the operator.
  'terms.price_worse_than_published': answer('commercial', ruled,
    ['An own price would be worse than the published one', '{good} would cost this docking {price}, and everybody in its group {published} ({count} prices so). A dearer own price is a measure and needs a decision.'],
    ['专属价高于公示价', '商品 {good} 专属价 {price} 高于公示价 {published}（共 {count} 项）。更高的专属价属于措施，须有处理决定。'], ['good', 'price', 'published', 'count']),
  'terms.placing_worse_than_published': answer('commercial', ruled,
    ['The move would make goods dearer', '{good} would cost {price} in place of {published} ({count} goods so). What makes one docking, or a group of few, pay more is a measure and needs a decision.'],
    ['移组后价格变高', '移组后商品 {good} 将由 {published} 变为 {price}（共 {count} 种）。使单个对接（或不足五家的组）变贵属于措施，须有处理决定。'], ['good', 'price', 'published', 'count']),
  'terms.price_below_cost': answer('commercial', ruled,
    ['The new price is below the cost', '{good} would be sold at {price} and costs {cost} ({count} prices so). Nothing was changed; say allowBelowCost if it is meant.'],
    ['新价低于成本（倒挂）', '商品 {good} 新价 {price} 低于成本 {cost}（共 {count} 项），未作任何修改；确需如此请设 allowBelowCost。'], ['good', 'price', 'cost', 'count']),
  'terms.price_change_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such change of prices', 'No change of prices has the id {change}.'],
    ['调价记录不存在', '没有编号为 {change} 的调价。'], ['change']),
  'terms.price_change_ended': answer('technical', { ...ruled, retry: 'never' },
    ['The change of prices waits no longer', 'The change {change} ended at {endedAt}: {seen}.'],
    ['调价已结束', '调价 {change} 已于 {endedAt} 结束：{seen}。'], ['change', 'seen', 'endedAt']),

  'compliance.identity_unverified': measure('compliance',
    ['The identity of the business is not verified', 'Since {since}, until the business is verified: {measure}.'],
    ['主体实名未核验', '主体身份尚未核验，自 {since} 起：{measure}。']),
  'compliance.licence_missing': measure('compliance',
    ['A licence or authorisation is missing', 'Since {since}, until the licence or brand authorisation is shown: {measure}.'],
    ['缺少许可或授权', '缺少经营许可或品牌授权，自 {since} 起：{measure}。']),
  'compliance.fraud_found': measure('compliance',
    ['Fraud was found', 'Held since {since} because fraud was found: {measure}.'],
    ['查实欺诈行为', '因查实欺诈行为，自 {since} 起：{measure}。']),
  'compliance.authority_order': measure('compliance',
    ['An authority ordered the measure', 'Since {since}, by order of an authority: {measure}.'],
    ['执行主管机关指令', '依主管机关指令，自 {since} 起：{measure}。']),
  'compliance.withheld_by_law': measure('compliance',
    ['The law forbids naming the facts', 'Since {since}, on a ground of law; the facts may not be told, the article is named: {measure}.'],
    ['依法不予披露', '依法采取措施且不得披露事实，自 {since} 起：{measure}。']),
  'compliance.licence_expired': measure('compliance',
    ['A licence or authorisation has expired', 'Since {since}, because a licence or authorisation has expired: {measure}.'],
    ['许可或授权已过期', '因许可证照或品牌授权已过有效期，自 {since} 起：{measure}。']),
  'compliance.tax_report_missing': measure('compliance',
    ['Information for the tax report is missing', 'Since {since}, because information that must go into the tax report was not given: {measure}.'],
    ['涉税信息未报送', '因依法应报送的涉税信息尚未提供，自 {since} 起：{measure}。']),
  'compliance.invoice_missing': measure('compliance',
    ['An invoice is missing', 'Since {since}, because an invoice that is owed was not issued: {measure}.'],
    ['应开发票未开具', '因应当开具的发票尚未开具，自 {since} 起：{measure}。']),
  'compliance.payee_mismatch': measure('compliance',
    ['The payee is not the business', 'Since {since}, because the account that collects the money does not belong to the verified business: {measure}.'],
    ['收款账户与主体不一致', '因收款账户与经核验的主体不一致，自 {since} 起：{measure}。']),
  'compliance.real_name_missing': measure('compliance',
    ['End users are not verified by their real names', 'Since {since}, because end users are served without the real-name check that the law asks for: {measure}.'],
    ['终端用户未实名', '因未按规定对终端用户实名，自 {since} 起：{measure}。']),
  'compliance.list_match': measure('compliance',
    ['A name matches a statutory list', 'Since {since}, because a name matches one of the lists that the law orders to be checked: {measure}.'],
    ['命中法定名单', '因有关名称与法定名单相符，自 {since} 起：{measure}。']),
  'compliance.due_diligence_overdue': measure('compliance',
    ['Papers of due diligence are overdue', 'Since {since}, because papers that the due diligence asks for are overdue: {measure}.'],
    ['尽职调查材料逾期', '因尽职调查所需材料逾期未交，自 {since} 起：{measure}。']),
  'compliance.game_approval_missing': measure('compliance',
    ['The approval of a game is missing', 'Since {since}, until the approval number of the game, or the right to sell for it, is shown: {measure}.'],
    ['缺少游戏版号或授权', '因未出示游戏版号或相应授权，自 {since} 起：{measure}。']),
  'compliance.minor_protection': measure('compliance',
    ['Minors are not protected as the law asks', 'Since {since}, because the protection of minors that the law asks for is not in place: {measure}.'],
    ['未落实未成年人保护', '因未落实法定的未成年人保护措施，自 {since} 起：{measure}。']),
  'compliance.consent_missing': measure('compliance',
    ['The consent to hand on personal data is missing', 'Since {since}, because personal data is handed on without the separate consent of the person: {measure}.'],
    ['未取得个人单独同意', '因向他人提供个人信息未取得本人单独同意，自 {since} 起：{measure}。']),
  'compliance.prepaid_limit': measure('compliance',
    ['A limit for prepaid cards was not kept', 'Since {since}, because a statutory limit for prepaid cards was not kept: {measure}.'],
    ['超出预付卡限额', '因超出法定的预付卡限额，自 {since} 起：{measure}。']),
  'compliance.records_missing': measure('compliance',
    ['Records of transactions are missing', 'Since {since}, because records of transactions that must be kept are missing: {measure}.'],
    ['交易记录留存不全', '因应当留存的交易记录不全，自 {since} 起：{measure}。']),

  // Decisions, asked for by the operator.
  'decisions.not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such decision', 'No decision has the id {decision}.'],
    ['处理决定不存在', '没有编号为 {decision} 的处理决定。'], ['decision']),
  'decisions.already_lifted': answer('technical', { ...ruled, retry: 'never' },
    ['The measure was lifted before', 'The decision {decision} was lifted at {liftedAt}.'],
    ['措施已解除', '处理决定 {decision} 已于 {liftedAt} 解除。'], ['decision', 'liftedAt']),
  'decisions.known_before': answer('commercial', { ...ruled, side: 'hub' },
    ['These facts were known when another class was told', 'The decision {decision} told this docking another class ({told}) at {toldAt}; nothing here became known later. Only a law or an order of an authority allows that.'],
    ['所据事实早已知悉，不得换一类理由', '处理决定 {decision} 已于 {toldAt} 以{told}类理由告知，此次没有其后才知悉的事实；除法律或主管机关指令外不得换一类理由。'], ['decision', 'told', 'toldAt']),
  'decisions.nothing_to_hold': answer('technical', { ...asked, status: 422, side: 'hub' },
    ['The measure would hold nothing', '{measure}: {problem}. A statement that does nothing is not written.'],
    ['该措施没有可作用的对象', '{measure}：{problem}。不产生任何效果的处理决定不予登记。'], ['measure', 'problem']),
  'decisions.draft_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['No such draft waits', 'No draft of a decision with the id {draft} waits for a second person.'],
    ['没有待复核的草案', '没有编号为 {draft} 且待第二人复核的处理决定草案。'], ['draft']),
  'decisions.second_person_needed': answer('technical', { ...ruled, status: 403, side: 'hub' },
    ['Another person must approve it', '{by} wrote the draft {draft}; whoever approves it is somebody else.'],
    ['须由另一人复核', '草案 {draft} 由 {by} 起草，须由另一人复核。'], ['draft', 'by']),
  'decisions.statement_incomplete': answer('technical', { ...asked, status: 422 },
    ['The statement of reasons lacks a part', 'A measure of this class needs {missing}.'],
    ['处理说明不完整', '此类措施的处理说明缺少：{missing}。'], ['missing']),

  // The persons who run the main site.
  'operators.role_missing': answer('technical', { ...asked, status: 403 },
    ['The person does not have the role', 'The call needs the role {needed}; this person has {granted}.'],
    ['该运营人员没有此角色', '此操作需要角色 {needed}，该人员现有 {granted}。'], ['needed', 'granted']),
  'operators.not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such person', 'No operator with a live key has the name {operator}.'],
    ['没有此运营人员', '没有名为 {operator} 且密钥有效的运营人员。'], ['operator']),
  'operators.name_taken': answer('technical', { ...asked, status: 409 },
    ['The name belongs to another person', 'The name {operator} is or was given; names are never given again.'],
    ['名称已被占用', '名称 {operator} 已经用过，不会再次分配。'], ['operator']),
  'operators.last_owner': answer('technical', ruled,
    ['This is the last owner', 'Without {operator} nobody could name or end operators; add another owner first.'],
    ['最后一位所有者不能终止', '{operator} 终止后将无人能管理运营人员，请先添加另一位所有者。'], ['operator']),

  // Appeals against decisions.
  'appeals.not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such appeal', 'No appeal has the id {appeal}.'],
    ['申诉不存在', '没有编号为 {appeal} 的申诉。'], ['appeal']),
  'appeals.open_already': answer('technical', { ...ruled, retry: 'never' },
    ['An appeal against this decision is open', 'The appeal {appeal} against the decision {decision} is open; add to it instead.'],
    ['该处理决定已有未结申诉', '处理决定 {decision} 已有未结的申诉 {appeal}，请在其中补充。'], ['appeal', 'decision']),
  'appeals.ended': answer('technical', { ...ruled, retry: 'never' },
    ['The appeal has ended', 'The appeal {appeal} ended at {endedAt}: {state}.'],
    ['申诉已结束', '申诉 {appeal} 已于 {endedAt} 结束：{state}。'], ['appeal', 'state', 'endedAt']),
  'appeals.too_late': answer('technical', { ...ruled, retry: 'never' },
    ['The measure ended too long ago', 'The measure of the decision {decision} ended at {endedAt}; appeals are taken for {allowedDays} days after that.'],
    ['措施结束已久，不再受理申诉', '处理决定 {decision} 的措施已于 {endedAt} 结束，结束后 {allowedDays} 天内受理申诉。'], ['decision', 'endedAt', 'allowedDays']),
  'appeals.same_person': answer('technical', { ...asked, status: 403, retry: 'never' },
    ['Another person must decide this appeal', 'You took the decision {decision}; another person works on the appeal {appeal}.'],
    ['申诉须由他人裁定', '处理决定 {decision} 由您作出，申诉 {appeal} 须由他人处理。'], ['appeal', 'decision']),
  'appeals.delays_spent': answer('technical', { ...ruled, retry: 'never' },
    ['The appeal cannot be put off again', 'Allowed for one appeal: {allowed} ({what}). It has to be decided now.'],
    ['申诉不能再延后', '每件申诉最多 {allowed} 次（{what}），现应作出裁定。'], ['what', 'allowed']),

  // The restricted work of compliance persons. Nobody else is ever given one of these.
  'cases.not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such case', 'No case has the id {case}.'],
    ['没有此核查单', '没有编号为 {case} 的核查单。'], ['case']),
  'cases.step_out_of_order': answer('technical', ruled,
    ['The case is not at that step', 'The case stands at {state}; from there {asked} is not the next step.'],
    ['核查单尚未到此步骤', '核查单目前处于 {state}，不能直接进行 {asked}。'], ['state', 'asked']),
  'cases.same_person': answer('technical', { ...ruled, status: 403 },
    ['A second person is needed', 'What {person} wrote or proposed has to be confirmed by somebody else.'],
    ['需由另一人复核', '{person} 撰写或提出的内容须由另一人确认。'], ['person']),
  // Published texts.
  'rulebook.text_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such published text', 'No rule, template or guide has the id or name {rule}.'],
    ['没有此公示文本', '没有编号或名称为 {rule} 的规则、模板或指南。'], ['rule']),
  'rulebook.notice_too_short': answer('commercial', { ...ruled, status: 422, side: 'hub' },
    ['The notice would be shorter than seven days', 'The text would count from {asked}; seven days after publication is {earliest}.'],
    ['公示期不足七天', '文本拟自 {asked} 起施行，公示满七天为 {earliest}。'], ['asked', 'earliest']),
  'rulebook.comments_closed': answer('commercial', { ...ruled, retry: 'never', side: 'hub' },
    ['The time for comments is over', 'The text {rule} counts since {effectiveAt}; comments are taken before that.'],
    ['征求意见期已结束', '文本 {rule} 已于 {effectiveAt} 施行，意见须在此前提出。'], ['rule', 'effectiveAt']),

  // Who is told as a person, asked for by the operator.
  'notices.contact_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such contact', 'No contact that is still told anything has the id {contact}.'],
    ['联系人不存在', '没有编号为 {contact} 的有效联系人。'], ['contact']),
  'notices.notice_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such notice to send again', 'No notice with the id {notice} was given up.'],
    ['没有可重发的通知', '没有编号为 {notice} 且已停止发送的通知。'], ['notice']),

  // Taking over another site, asked for by the operator.
  'migration.not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such migration', 'No migration has the name {migration}.'],
    ['迁移不存在', '没有名为 {migration} 的迁移。'], ['migration']),
  'migration.superseded': answer('technical', { ...asked, status: 409, retry: 'never' },
    ['A later reading of the old site has begun', 'This plan is reading {asked} of the migration {migration}; reading {current} is in force.'],
    ['旧站已有更新的读取', '此计划是迁移 {migration} 的第 {asked} 次读取，当前为第 {current} 次。'], ['migration', 'asked', 'current']),
  'migration.other_source': answer('technical', { ...asked, status: 409, retry: 'never' },
    ['This reading was made from other data', 'Reading {step} of the migration {migration} was made from other data; a newer dump is a further reading.'],
    ['同一次读取的数据不一致', '迁移 {migration} 的第 {step} 次读取来自另一份数据；新的转储应作为下一次读取。'], ['migration', 'step']),
  'migration.withdrawn': answer('technical', { ...ruled, retry: 'never' },
    ['The migration was withdrawn', 'The migration {migration} was withdrawn; a new plan begins a new one.'],
    ['迁移已撤回', '迁移 {migration} 已撤回；请重新生成计划，另起一次迁移。'], ['migration']),
  'migration.cards_missing': answer('technical', { ...ruled, retry: 'after_change' },
    ['Not all cards are staged', '{staged} of {expected} cards are staged; none of them went on sale.'],
    ['卡密尚未全部就位', '应有 {expected} 张卡密，已就位 {staged} 张；尚未上架。'], ['expected', 'staged']),
  'migration.sold_from': answer('technical', { ...ruled, retry: 'never' },
    ['Something was sold since the migration', 'What the migration brought was sold from: {orders}. Nothing was withdrawn.'],
    ['迁移后已有成交', '迁入的内容已有成交：{orders}。未作任何撤回。'], ['orders']),

  // Sandboxes.
  'sandbox.live_docking': answer('technical', { ...ruled, retry: 'never' },
    ['This works in a sandbox only', 'The docking {docking} is live: faults, test money and time travel are for sandboxes.'],
    ['仅限沙箱使用', '对接 {docking} 为正式环境；故障注入、测试资金与时间推移仅限沙箱。'], ['docking']),
  'sandbox.applications_closed': answer('commercial', { ...ruled, side: 'hub', status: 403 },
    ['This main site opens sandboxes by hand', 'Sandboxes for whoever asks are switched off here; the operator opens one.'],
    ['本站未开放自助沙箱', '本站已关闭自助申请沙箱，请联系运营人员开通。'], []),
  'sandbox.applications_at_limit': condition({ ...strained, status: 429 },
    ['No more sandboxes can be opened today', 'This main site opens {allowed} sandboxes in 24 hours; ask again in {retryAfterS} seconds.'],
    ['今日沙箱名额已满', '本站 24 小时内最多开通 {allowed} 个沙箱，请 {retryAfterS} 秒后再申请。'], ['allowed', 'retryAfterS']),
  // Drills.
  'drills.not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such drill', 'This docking has no drill {drill}.'],
    ['演练不存在', '没有编号为 {drill} 的演练。'], ['drill']),
  'drills.under_way': answer('technical', ruled,
    ['A drill is under way', 'The drill {drill} is not over; one at a time.'],
    ['已有演练进行中', '演练 {drill} 尚未结束，同一时间只能进行一场。'], ['drill']),
  'drills.ended': answer('technical', { ...ruled, retry: 'never' },
    ['The drill is over', 'The drill {drill} has ended: {state}.'],
    ['演练已结束', '演练 {drill} 已结束：{state}。'], ['drill', 'state']),
  'drills.no_log': answer('technical', { ...ruled, retry: 'never' },
    ['This drill shows no log', 'The drill {drill} shows no log now: only a tampered_log under way does.'],
    ['此演练没有日志', '演练 {drill} 当前没有日志：仅进行中的 tampered_log 演练提供。'], ['drill']),
  'drills.dialect_not_rehearsed': answer('technical', { ...ruled, retry: 'never' },
    ['Drills are not made for this dialect', 'The docking speaks {dialect}; drills rehearse {rehearsed}.'],
    ['该协议暂无演练', '对接使用 {dialect} 协议；演练适用于 {rehearsed}。'], ['dialect', 'rehearsed']),

  // The log that partners verify.
  'logbook.not_sealed': answer('technical', { ...asked, status: 404 },
    ['Nothing is sealed at this place', 'The log holds {size} leaves; nothing is sealed at {asked}.'],
    ['该位置尚未存证', '存证日志现有 {size} 条记录，位置 {asked} 处没有已封存的内容。'], ['asked', 'size']),
  'logbook.cosignature_invalid': answer('technical', { ...asked, status: 422 },
    ['The signature of the witness does not hold', 'The line of {witness} is not taken: {problem}.'],
    ['见证签名无效', '见证人 {witness} 的签名未被接受：{problem}。'], ['witness', 'problem']),

  // Conformance.
  'conformance.badge_missing': answer('technical', ruled,
    ['The conformance run is not green', 'The run {run} is {seen}; a docking of {dialect} goes live with a green run of it, or by a waiver.'],
    ['对接测试未通过', '测试 {run} 的状态为{seen}；{dialect} 对接须凭通过的测试或豁免开通正式环境。'], ['run', 'seen', 'dialect']),
  'conformance.run_not_found': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['There is no such conformance run', 'This docking has no run {run}.'],
    ['没有此次对接测试', '该对接没有编号为 {run} 的测试。'], ['run']),
  'conformance.run_finished': answer('technical', { ...ruled, retry: 'never' },
    ['The conformance run is over', 'The run {run} was closed and is {state}; begin another.'],
    ['此次对接测试已结束', '测试 {run} 已结束，结果为{state}；请重新开始。'], ['run', 'state']),

  // The state of the hub itself.
  'platform.rate_limited': condition({ ...strained, status: 429 },
    ['Too many requests in this time', 'The published limit is {allowed}; try again in {retryAfterS} seconds.'],
    ['请求过于频繁', '公示上限为 {allowed}，请 {retryAfterS} 秒后重试。'], ['allowed', 'retryAfterS']),
  'platform.too_many_in_flight': condition({ ...strained, status: 429 },
    ['Too many requests at once', '{allowed} requests of one docking may be under way at once; try again in {retryAfterS} seconds.'],
    ['并发请求过多', '同一对接最多同时 {allowed} 个请求，请 {retryAfterS} 秒后重试。'], ['allowed', 'retryAfterS']),
  'platform.overloaded': condition(strained,
    ['The hub is shedding load', 'The queue of the hub is full; nothing was booked. Try again in {retryAfterS} seconds.'],
    ['本站繁忙', '本站队列已满，本次未入账，请 {retryAfterS} 秒后重试。'], ['retryAfterS']),
  'platform.storage_unavailable': condition(strained,
    ['The database of the hub cannot be reached', 'Nothing was booked. Try again in {retryAfterS} seconds.'],
    ['本站数据库暂不可用', '本次未入账，请 {retryAfterS} 秒后重试。'], ['retryAfterS']),
  'platform.outcome_unknown': condition(strained,
    ['The hub cannot yet say whether the order was booked', 'Send the same reference again in {retryAfterS} seconds: you get the one order, or it is placed once.'],
    ['结果暂未确定', '请 {retryAfterS} 秒后用同一订单号重试，不会重复扣款。'], ['retryAfterS']),
  'platform.stopping': condition(strained,
    ['The hub is stopping for maintenance', 'No new work is taken. Try again in {retryAfterS} seconds.'],
    ['本站正在停机维护', '暂不接收新请求，请 {retryAfterS} 秒后重试。'], ['retryAfterS']),
  'platform.request_not_kept': answer('technical', { ...asked, status: 404, retry: 'never' },
    ['The request is not in the log', 'The log holds the last {kept} requests of a docking since {since}; {request} is not among them.'],
    ['请求日志中没有此请求', '请求日志只保留每个对接自 {since} 起最近 {kept} 个请求，其中没有 {request}。'], ['request', 'kept', 'since']),
  'platform.internal_error': answer('technical', { side: 'hub', by: ['check'], status: 500, retry: 'same_request_after' },
    ['The hub made a mistake', 'A fault of the hub itself, recorded as {requestId}. Ask again with the same reference.'],
    ['本站内部故障', '本站自身故障，编号 {requestId}，请用同一订单号重试。'], ['requestId']),
} as const satisfies Record<string, Reason>

export type ReasonCode = keyof typeof reasons

export const reasonCodes = Object.keys(reasons) as ReasonCode[]

export function isReasonCode(text: string): text is ReasonCode {
  return Object.hasOwn(reasons, text)
}

export function reasonOf(code: ReasonCode): Reason {
  return reasons[code]
}

/**
 * The one sentence a person reads, with the named values filled in. Source: the registry above. In Chinese the words
 * among the values are Chinese too; names, amounts and times stay what they are.
 */
export function explain(refusal: { code: ReasonCode; because: Readonly<Record<string, unknown>> }, lang: 'en' | 'zh'): string {
  return reasonOf(refusal.code).detail[lang].replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = refusal.because[name]
    const said = (part: unknown) => (lang === 'zh' && WORDED.has(name) ? inChinese(String(part)) : String(part))
    const text = value === undefined || value === null ? '–' : Array.isArray(value) ? value.map(said).join(lang === 'zh' ? '、' : ', ') : said(value)
    return text.length > 100 ? `${text.slice(0, 99)}…` : text
  })
}
