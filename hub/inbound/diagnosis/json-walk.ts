import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { readKey } from '../../../protocol/keys.ts'
import type { PlaceOrder } from '../../../protocol/messages.ts'
import { parseAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { checkContentDigest, checkFreshness, FRESHNESS_WINDOW_S, readSignature, signatureBase, type SignatureClaim } from '../../../protocol/signature.ts'
import { mojibakeOfBytes, mojibakeOfText } from '../../../protocol/wire/mojibake.ts'
import { quote } from '../../domain/orders/index.ts'
import { mayUse, type Docking, type LiveKey } from '../../domain/partners/index.ts'
import type { Hub } from '../hub.ts'
import type { KnownRoute } from '../known-routes.ts'
import { namedHeadersRefusal, readBody } from '../pipeline.ts'
import { redacted, sha256, sha512, toSigned, tryToSignIn, type Arrival } from '../signin.ts'
import { failed, layerOf, passed, unknown, warned, type Canonical, type Step } from './model.ts'
import type { Parsed } from './paste.ts'

/** A walk over one request of the JSON API. `docking` is null for somebody who did not sign in: then no key is looked up. */
export type JsonWalk = { hub: Hub; docking: Docking | null; route: KnownRoute; parsed: Parsed; yours: string | null; nowMs: number; sentMs: number | null }

export type JsonFound = { steps: Step[]; canonical: Canonical | null }

/** The layers of a JSON request in the order in which its real way takes them, each with the function of that way. */
export async function walkJson(walk: JsonWalk): Promise<JsonFound> {
  const { route, parsed } = walk
  const named = namedHeadersRefusal(parsed.headers)
  const steps: Step[] = [
    passed('route', { en: `${route.method} ${route.path} is served.`, zh: `${route.method} ${route.path} 是有效接口。` }),
    ...(named ? failed(layerOf(named), named) : [passed('version', { en: 'The version is one that is spoken here.', zh: '接口版本有效。' })]),
  ]
  const door = await signInSteps(walk)
  steps.push(...door.steps)
  if (door.key) steps.push(...permission(route, door.key, door.isSigned))
  const body = bodySteps(walk)
  steps.push(...body.steps)
  const { query } = partsOf(parsed.url)
  if (route.checkQuery) {
    const checked = route.checkQuery(Object.fromEntries(new URLSearchParams(query)))
    if (!checked.ok) steps.push(...failed('fields', checked.refusal))
  }
  if (door.key && walk.docking && body.value && !steps.some(({ verdict }) => verdict === 'fail')) steps.push(...(await business(walk.hub, walk.docking, route, body.value)))
  return { steps, canonical: door.canonical }
}

export function partsOf(url: string): { path: string; query: string } {
  const mark = url.indexOf('?')
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) }
}

function arrivalOf({ hub, parsed }: JsonWalk): Arrival {
  return {
    method: parsed.method, url: parsed.url, scheme: hub.publicUrl.startsWith('https:') ? 'https' : 'http',
    header: (name) => parsed.headers[name], body: parsed.body, address: '', onKnown: () => {},
  }
}

type Door = { steps: Step[]; key: LiveKey | null; isSigned: boolean; canonical: Canonical | null }

async function signInSteps(walk: JsonWalk): Promise<Door> {
  const { parsed } = walk
  const isSigned = parsed.headers['signature-input'] !== undefined || parsed.headers.signature !== undefined
  return isSigned ? bySignature(walk) : byBearer(walk)
}

async function byBearer(walk: JsonWalk): Promise<Door> {
  const door = { key: null, isSigned: false, canonical: null }
  if (!walk.docking) {
    const token = /^Bearer ([!-~]{1,200})$/i.exec(walk.parsed.headers.authorization ?? '')?.[1]
    if (token === undefined) return { ...door, steps: failed('credentials', refuse('partners.credentials_missing').refusal) }
    const read = readKey(token)
    return { ...door, steps: read.ok ? [unknown('key', { en: 'The key is written whole; whether it is known is told only to who signs in.', zh: '密钥书写完整；是否有效只告诉已登录的对接方。' })] : failed('key', read.refusal) }
  }
  const tried = await tryToSignIn(gateOf(walk, walk.docking, walk.nowMs), arrivalOf(walk))
  if (!tried.ok) return { ...door, steps: failed(layerOf(tried.refusal), tried.refusal) }
  const { key } = tried.value
  return { ...door, key, steps: [passed('key', { en: `The bearer key ${key.id} is in force.`, zh: `接口密钥 ${key.id} 有效。` }), ...addressStep(walk.docking)] }
}

/** The keys of one docking, and nobody else's: what somebody pastes must not tell whether another is docked. */
function gateOf({ hub }: JsonWalk, docking: Docking, atMs: number) {
  const own = (key: LiveKey | null) => (key?.docking.id === docking.id ? key : null)
  const keys = { byId: async (id: string) => own(await hub.keys.byId(id)), byBearer: async (token: string) => own(await hub.keys.byBearer(token)) }
  return { keys: keys as unknown as Hub['keys'], nobody: hub.nobody, clock: { nowMs: () => atMs } }
}

function addressStep({ allowedAddresses }: Docking): Step[] {
  if (allowedAddresses.length === 0) return []
  return [unknown('address', { en: `Only ${allowedAddresses.join(', ')} may call; the bytes do not tell where they came from.`, zh: `只允许 ${allowedAddresses.join('、')} 访问；报文本身看不出来源地址。` })]
}

async function bySignature(walk: JsonWalk): Promise<Door> {
  const { docking, nowMs, sentMs } = walk
  const door: Door = { key: null, isSigned: true, canonical: null, steps: [] }
  const arrival = arrivalOf(walk)
  const read = readSignature(toSigned(arrival))
  if (!read.ok) return { ...door, steps: failed(layerOf(read.refusal), read.refusal) }
  const claim = read.value
  const canonical: Canonical = { hub: redacted(claim.base), difference: walk.yours === null ? null : differenceOf(redacted(claim.base), redacted(walk.yours)) }
  // Judged at the time of its making where nobody says when it was sent: how long the paste took is nobody's fault.
  const createdMs = claim.created * 1_000
  const atMs = sentMs ?? (createdMs <= nowMs ? createdMs : nowMs)
  const clock = clockStep(claim, atMs, sentMs !== null, nowMs)
  if (!docking) {
    const digest = digestOf(arrival)
    const told = unknown('signature', { en: 'The signature is written as it must be; whether the key made it is told only to who signs in.', zh: '签名格式正确；是否由该密钥签出只告诉已登录的对接方。' })
    return { ...door, canonical, steps: digest.ok ? [told, clock].flat() : [...failed('signature', digest.refusal), ...[clock].flat()] }
  }
  const tried = await tryToSignIn(gateOf(walk, docking, atMs), arrival)
  if (!tried.ok) {
    const why = tried.refusal.code === 'partners.signature_invalid' ? await whyRefused(walk, docking, claim) : undefined
    return { ...door, canonical, steps: [...failed(layerOf(tried.refusal), tried.refusal, why), ...(tried.refusal.code === 'partners.clock_skew' ? [] : [clock].flat())] }
  }
  const { key } = tried.value
  const isSpent = walk.hub.nonces.spent(key.id, claim.nonce, Math.floor(nowMs / 1_000))
  return {
    ...door, canonical, key,
    steps: [
      [clock].flat(),
      passed('signature', { en: `The signature was made by ${key.id} over exactly this string.`, zh: `签名由 ${key.id} 对这个串签出，完全一致。` }),
      passed('key', isSpent ? { en: 'The key is in force. This very request has arrived before: sent again it needs a new nonce.', zh: '密钥有效。此请求已到达过本站：再次发送须换新随机数。' } : { en: 'The key is in force.', zh: '密钥有效。' }),
      ...addressStep(docking),
    ].flat(),
  }
}

function clockStep(claim: SignatureClaim, atMs: number, isTimed: boolean, nowMs: number): Step | Step[] {
  const fresh = checkFreshness(claim, Math.floor(atMs / 1_000))
  if (!fresh.ok) return failed('clock', fresh.refusal)
  const ageS = Math.round(nowMs / 1_000) - claim.created
  if (isTimed) return passed('clock', { en: `Signed ${claim.created - Math.floor(atMs / 1_000)} s from the time of sending.`, zh: `签名时间与发送时间相差 ${claim.created - Math.floor(atMs / 1_000)} 秒。` })
  if (ageS <= FRESHNESS_WINDOW_S) return passed('clock', { en: `Signed ${ageS} s ago.`, zh: `签名于 ${ageS} 秒前。` })
  return unknown('clock', { en: `Signed ${ageS} s before this paste; say sentAt, or paste the answer with its Date, to have the clock judged.`, zh: `签名早于本次提交 ${ageS} 秒；请给出 sentAt，或连同带 Date 的应答一起提交，才能判断时钟。` })
}

function digestOf(arrival: Arrival): Outcome<null> {
  return arrival.body && arrival.body.byteLength > 0 ? checkContentDigest(arrival.header('content-digest') ?? '', arrival.body, sha256, sha512) : accept(null)
}

/** Tries the mistakes that a program or a proxy makes, so that the holder of the key need not guess. */
async function whyRefused(walk: JsonWalk, docking: Docking, claim: SignatureClaim): Promise<{ en: string; zh: string }> {
  const key = await walk.hub.keys.byId(claim.keyid)
  if (key?.docking.id !== docking.id) return { en: 'The keyid is not a key of this docking.', zh: 'keyid 不是本对接的密钥编号。' }
  if (walk.yours !== null && createHash('sha256').update(walk.yours).digest('hex') === createHash('sha256').update(claim.base).digest('hex')) {
    return { en: 'Your string equals the hub\'s, so the secret differs.', zh: '贵方的待签名串与本站一致，因此是签名密钥不同。' }
  }
  if (key.kind !== 'hmac-sha256' || !key.key) return { en: 'The keyid is yours; the string or the secret differs.', zh: 'keyid 正确；待签名串或密钥不同。' }
  const secret = key.key
  const fits = (base: string) => {
    const made = createHmac('sha256', secret).update(base, 'latin1').digest()
    return made.byteLength === claim.signature.byteLength && timingSafeEqual(made, claim.signature)
  }
  const target = toSigned(arrivalOf(walk))
  const params = claim.base.slice(claim.base.lastIndexOf('"@signature-params": ') + '"@signature-params": '.length)
  const components = [...claim.base.matchAll(/^"([^"]+)": /gm)].map((match) => match[1]!).filter((name) => name !== '@signature-params')
  const rebuilt = (change: object) => {
    const made = signatureBase({ ...target, ...change }, components, params)
    return made.ok ? made.value : claim.base
  }
  const publicHost = new URL(walk.hub.publicUrl).host
  const tries: readonly [string, { en: string; zh: string }][] = [
    [rebuilt({ authority: publicHost }), { en: `It fits once "@authority" is ${publicHost}: something on the way changed the Host header.`, zh: `若 "@authority" 为 ${publicHost} 则签名相符：Host 头在途中被改动。` }],
    [rebuilt({ path: target.path + target.query }), { en: 'It fits once the query stands in "@path": it belongs into "@query".', zh: '若把查询串放进 "@path" 则相符：查询串应放在 "@query"。' }],
    [rebuilt({ authority: `${target.authority}:${target.scheme === 'https' ? 443 : 80}` }), { en: 'It fits once "@authority" has its default port: leave that out.', zh: '若 "@authority" 带默认端口则相符：默认端口应省略。' }],
    [rebuilt({ method: target.method.toLowerCase() }), { en: 'It fits once the method is in lower case: methods are upper case.', zh: '若方法为小写则相符：方法应为大写。' }],
    [`${claim.base}\n`, { en: 'It fits once a line end stands behind the string: there is none.', zh: '若串末尾多一个换行则相符：末尾不应有换行。' }],
    [claim.base.replaceAll('\n', '\r\n'), { en: 'It fits once lines end in CRLF: they end in LF.', zh: '若以 CRLF 换行则相符：应以 LF 换行。' }],
    [claim.base.slice(0, claim.base.lastIndexOf('\n"@signature-params"')), { en: 'It fits without the line "@signature-params": it must be signed too.', zh: '若缺少 "@signature-params" 一行则相符：该行也要签名。' }],
  ]
  return tries.find(([base]) => base !== claim.base && fits(base))?.[1] ?? { en: 'The keyid is yours; send your own string as base to have both compared.', zh: 'keyid 正确；可在 base 中提交贵方的待签名串进行比对。' }
}

function differenceOf(hub: string, yours: string): { at: number; hub: string; yours: string } | null {
  const [ours, theirs] = [hub.split('\n'), yours.split('\n')]
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] !== theirs[i]) return { at: i + 1, hub: (ours[i] ?? '(nothing)').slice(0, 300), yours: (theirs[i] ?? '(nothing)').slice(0, 300).toWellFormed() }
  }
  return null
}

function permission(route: KnownRoute, key: LiveKey, isSigned: boolean): Step[] {
  const permitted = mayUse(key, route.scope)
  if (!permitted.ok) return failed('permission', permitted.refusal)
  if (route.signed && !isSigned && key.mode === 'live') return failed('permission', refuse('partners.signature_required').refusal)
  return [passed('permission', { en: `The key has the scope ${route.scope}.`, zh: `密钥拥有权限 ${route.scope}。` })]
}

function bodySteps({ route, parsed }: JsonWalk): { steps: Step[]; value: unknown } {
  if (!route.checkBody) return { steps: [], value: undefined }
  const read = readBody({ headers: parsed.headers as never }, parsed.body)
  if (!read.ok) {
    const garbled = read.refusal.code === 'protocol.charset_mismatch' ? mojibakeOfBytes(parsed.body) : null
    return { steps: failed(layerOf(read.refusal), read.refusal, garbled?.says), value: undefined }
  }
  const steps: Step[] = []
  const text = parsed.body.toString('utf8')
  const garbled = garbledText(read.value)
  if (garbled) steps.push(warned('charset', 'protocol.text_garbled', { path: garbled.path, seen: '***' }, garbled.says))
  else steps.push(passed('charset', { en: 'The body is UTF-8, and its text looks as it was written.', zh: '正文为 UTF-8，文字正常。' }))
  steps.push(passed('form', { en: `${Buffer.byteLength(text)} bytes of JSON were read.`, zh: `已读取 ${Buffer.byteLength(text)} 字节 JSON。` }))
  const checked = route.checkBody(read.value)
  if (!checked.ok) return { steps: [...steps, ...failed('fields', checked.refusal)], value: undefined }
  return { steps: [...steps, passed('fields', { en: 'Every field has an allowed value.', zh: '各字段取值均合要求。' })], value: checked.value }
}

/** The first text of a JSON value that went through a wrong character set, with the path to it. */
function garbledText(value: unknown, path = ''): { path: string; says: { en: string; zh: string } } | null {
  if (typeof value === 'string') {
    const says = mojibakeOfText(value)?.says
    return says ? { path: path.slice(0, 60) || '/', says } : null
  }
  if (value === null || typeof value !== 'object') return null
  for (const [name, inner] of Object.entries(value)) {
    const found = garbledText(name, `${path}/*`) ?? garbledText(inner, `${path}/${name}`)
    if (found) return found
  }
  return null
}

const DRY = new Set(['/api/orders', '/api/quotes'])

/** What an order would be answered now, by the dry run that the hub offers anyway. */
async function business(hub: Hub, docking: Docking, route: KnownRoute, value: unknown): Promise<Step[]> {
  if (route.method !== 'POST' || !DRY.has(route.path)) return [unknown('business', { en: 'What the hub would answer is not tried for this call.', zh: '此接口不做试算。' })]
  const ask = value as Partial<PlaceOrder> & Pick<PlaceOrder, 'good' | 'quantity'>
  const known = ask.reference === undefined ? null : await hub.orders.findByReference(docking, ask.reference)
  if (known && known.state !== 'cancelled') {
    const differs = known.good !== ask.good ? 'good' : known.quantity !== ask.quantity ? 'quantity' : null
    if (differs !== null) return failed('business', refuse('orders.reference_reused', { reference: ask.reference!, differs }).refusal)
    return [passed('business', { en: `The reference is bound to ${known.id}: the same order is answered again.`, zh: `该订单号已对应 ${known.id}：将原样返回同一订单。` })]
  }
  const guardMicro = ask.maxUnitPrice === undefined ? null : parseAmount(ask.maxUnitPrice)
  const choice = { race: ask.race ?? null, options: ask.options ?? {} }
  const outcome = await quote(hub.db, docking, { good: ask.good, quantity: ask.quantity, guardMicro, member: ask.member ?? null, form: '', choice, values: ask.form ?? {} })
  if (!outcome.ok) return failed('business', outcome.refusal)
  return [passed('business', { en: 'The order would be accepted now; nothing was placed.', zh: '现在下单可以成交；未实际下单。' })]
}
