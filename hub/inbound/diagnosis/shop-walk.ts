import { findSignMistake, firstDifference } from '../../../dialects/acg/mistakes.ts'
import { open, read, redactedBase, signed, who, type AcgRequest } from '../../../dialects/acg/server.ts'
import type { Ask } from '../../../dialects/dialect.ts'
import type { Outcome } from '../../../protocol/outcome.ts'
import { mojibakeOfBytes, mojibakeOfFields } from '../../../protocol/wire/mojibake.ts'
import { mayUse, type Docking, type LiveKey } from '../../domain/partners/index.ts'
import { AcgAnswers } from '../acg.ts'
import { ACG_MOUNT, digests, manners, SHOP_SCOPES, signInShop } from '../dialects.ts'
import type { Hub } from '../hub.ts'
import { failed, layerOf, passed, unknown, warned, type Canonical, type Step } from './model.ts'
import type { Parsed } from './paste.ts'

/** A walk over one request of an acg-faka shop. `docking` is null for somebody who did not sign in: then no key is tried. */
export type ShopWalk = { hub: Hub; docking: Docking | null; mounted: string; path: string; query: string; parsed: Parsed; yours: string | null; atMs: number }

export type ShopFound = { steps: Step[]; canonical: Canonical | null; flavor: AcgRequest['flavor'] | null; name: string | null }

/** The layers of a shop's request with the functions that its real way takes, in the same order. */
export async function walkShop(walk: ShopWalk): Promise<ShopFound> {
  const { parsed, path, query } = walk
  const opened = open({ method: parsed.method, path, query, contentType: parsed.headers['content-type'] ?? '', body: parsed.body, headers: parsed.headers })
  if (!opened.ok) {
    const layer = opened.refusal.code === 'protocol.invalid_field' && opened.refusal.because.path !== '?' ? 'form' : layerOf(opened.refusal)
    const garbled = opened.refusal.code === 'protocol.charset_mismatch' ? mojibakeOfBytes(undone(parsed.body)) : null
    return { steps: failed(layer, opened.refusal, garbled?.says), canonical: null, flavor: null, name: null }
  }
  const request = opened.value
  const steps: Step[] = [
    passed('route', { en: `The address is one of acg-faka ${TYPES[request.flavor]}.`, zh: `地址属于异次元${TYPES[request.flavor].replace('type', '类型')}。` }),
    passed('form', { en: 'Content type and form can be read.', zh: '内容类型与表单均可解析。' }),
  ]
  const garbled = mojibakeOfFields(flat(request))
  if (garbled) steps.push(warned('charset', 'protocol.text_garbled', { path: `/${garbled.field}`.slice(0, 60), seen: '***' }, garbled.garbled.says))
  const { steps: doors, key } = await signInSteps(walk, request)
  steps.push(...doors)
  const ask = read(request)
  if (key) {
    const permitted = mayUse(key, SHOP_SCOPES[request.call])
    steps.push(...(permitted.ok ? [passed('permission', { en: 'The key may do this.', zh: '密钥有此权限。' })] : failed('permission', permitted.refusal)))
  }
  steps.push(...(ask.ok ? [passed('fields', { en: 'Every field has an allowed value.', zh: '各字段取值均合要求。' })] : failed(layerOf(ask.refusal), ask.refusal)))
  if (ask.ok && key && walk.docking) steps.push(...(await business(walk.hub, walk.docking, ask.value, request)))
  const difference = walk.yours === null ? null : firstDifference(request, walk.yours)
  return { steps, canonical: { hub: redactedBase(request).slice(0, 4_000), difference }, flavor: request.flavor, name: request.call }
}

const TYPES = { store: 'type 0', open: 'type 1', plugin: 'type 2' } as const

async function signInSteps({ hub, docking, mounted, yours, atMs }: ShopWalk, request: AcgRequest): Promise<{ steps: Step[]; key: LiveKey | null }> {
  const named = who(request)
  if (!named.ok) return { steps: failed('credentials', named.refusal), key: null }
  const mistake = (keys: readonly string[]) => findSignMistake(request, keys, digests)
  if (!docking) {
    // A made-up secret: the form of sign is judged, and nothing is told about who is docked.
    const form = signed(request, null, digests)
    if (!form.ok && form.refusal.code === 'partners.signature_malformed') return { steps: failed('signature', form.refusal), key: null }
    const own = mistake([])
    const says = own ? { en: `Seen from the bytes alone: ${own.says.en}.`, zh: `仅从报文看：${own.says.zh}。` } : { en: 'Whether the key is right is told only to who signs in.', zh: '密钥是否正确只告诉已登录的对接方。' }
    return { steps: [own && own.name !== 'other_key' ? warned('signature', 'partners.signature_invalid', { baseSha256: digests.sha256Hex(redactedBase(request)) }, says) : unknown('signature', { en: 'Whether the key is right is told only to who signs in.', zh: '密钥是否正确只告诉已登录的对接方。' })], key: null }
  }
  const keys = { ofDocking: async (id: string) => (id === docking.id ? hub.keys.ofDocking(id) : []) } as Hub['keys']
  const tried = await signInShop({ keys, clock: { nowMs: () => atMs } }, request, mounted, null, { docking: '', keyId: '' })
  if (tried.ok) {
    return { steps: [passed('signature', { en: 'app_id is yours and the signature fits the key.', zh: '商户ID正确，签名与密钥相符。' }), passed('key', { en: `The key ${tried.value.key.id} is in force.`, zh: `密钥 ${tried.value.key.id} 有效。` })], key: tried.value.key }
  }
  return { steps: failed(layerOf(tried.refusal), tried.refusal, await whyRefused(hub, docking, mounted, request, named.value.appId, yours)), key: null }
}

/** The holder of the docking may be told what the one answer of the door does not tell strangers. */
async function whyRefused(hub: Hub, docking: Docking, mounted: string, request: AcgRequest, appId: string, yours: string | null): Promise<{ en: string; zh: string }> {
  if (mounted !== docking.id) return { en: 'The address names another docking than yours.', zh: '店铺地址中的对接编号不是贵方的。' }
  if (docking.appId !== appId) return { en: `app_id is not that of this docking, which is ${docking.appId ?? '(none)'}.`, zh: `app_id 不是本对接的商户ID，应为 ${docking.appId ?? '（无）'}。` }
  const keys = (await hub.keys.ofDocking(docking.id)).flatMap(({ kind, text }) => (kind === 'acg' && text !== null ? [text] : []))
  const mistake = findSignMistake(request, keys, digests)
  if (mistake) return { en: `What happened: ${mistake.says.en}.`, zh: `原因：${mistake.says.zh}。` }
  const difference = yours === null ? null : firstDifference(request, yours)
  if (difference) return { en: `Your string differs from the hub's in field ${difference.at}.`, zh: `贵方的待签名串从第 ${difference.at} 个字段起与本站不同。` }
  return { en: 'app_id is right, so the key or the string that was signed is not; send your own string as base to have them compared.', zh: '商户ID正确，因此是密钥或待签名串不对；可在 base 中提交贵方的待签名串进行比对。' }
}

/** What the hub would answer now. Prices that a shop is shown bind the guard of its next order, so a diary of its own takes them. */
async function business(hub: Hub, docking: Docking, ask: Ask, { flavor }: AcgRequest): Promise<Step[]> {
  const outcome = await answerOf(hub, docking, ask, flavor)
  if (outcome === null) return [unknown('business', { en: 'A look-up of an order settles it, so it is not tried here.', zh: '查单会改变订单状态，此处不做试算。' })]
  if (!outcome.ok) return failed('business', outcome.refusal)
  return [passed('business', { en: 'The hub would answer this now; nothing was placed.', zh: '本站现在会正常应答；未实际下单。' })]
}

async function answerOf(hub: Hub, docking: Docking, ask: Ask, flavor: AcgRequest['flavor']): Promise<Outcome<unknown> | null> {
  if (ask.kind === 'query') return null
  if (ask.kind === 'trade') {
    return new AcgAnswers(hub).wouldTrade(docking, ask, manners[flavor])
  }
  return (await new AcgAnswers(hub).to(docking, ask, manners[flavor])).outcome
}

function* flat({ form }: AcgRequest): Generator<[string, string]> {
  for (const [name, value] of form) {
    if (typeof value === 'string') yield [name, value]
    else for (const [inner, text] of value) yield [`${name}[${inner}]`, text]
  }
}

/** The bytes behind the percent signs, whatever their character set is. */
function undone(body: Uint8Array): Uint8Array {
  const bytes: number[] = []
  for (let at = 0; at < body.length; at++) {
    const code = body[at] === 0x25 ? Number.parseInt(String.fromCharCode(body[at + 1] ?? 0, body[at + 2] ?? 0), 16) : Number.NaN
    bytes.push(Number.isNaN(code) ? body[at]! : code)
    if (!Number.isNaN(code)) at += 2
  }
  return Uint8Array.from(bytes)
}

/** The docking that an address names, and the path below it; null where the address is not the mount of this dialect. */
export function mountOf(path: string): { docking: string; path: string } | null {
  if (!path.startsWith(ACG_MOUNT)) return null
  const end = path.indexOf('/', ACG_MOUNT.length)
  return end < 0 ? null : { docking: path.slice(ACG_MOUNT.length, end), path: path.slice(end) }
}
