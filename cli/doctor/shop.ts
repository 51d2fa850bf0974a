import { createHash } from 'node:crypto'
import { refuse } from '../../protocol/outcome.ts'
import { isReasonCode } from '../../protocol/reasons.ts'
import { writeForm } from '../../protocol/wire/form.ts'
import { ask, type Heard } from './exchange.ts'
import { fails, notes, passes, type Finding } from './finding.ts'
import { problemOf, unanswered } from './way.ts'

export type ShopType = '0' | '1' | '2'
export type Shop = { base: URL; appId: string; appKey: string; type: ShopType }

const PATHS: Readonly<Record<ShopType, { connect: string; items: string }>> = {
  0: { connect: '/shared/authentication/connect', items: '/shared/commodity/items' },
  1: { connect: '/plugin/open-api/connect', items: '/plugin/open-api/items' },
  2: { connect: '/plugin/SharedStock/api/connect', items: '/plugin/SharedStock/api/items' },
}

/** What the hub says to whoever it does not know: one sentence for an unknown id and for a wrong key. */
const STRANGER = '商户ID不存在或密钥错误'

/** Does what a shop of the acg-faka family does first, and explains what its screens hide. Nothing is bought. */
export async function askAsShop(shop: Shop, nowMs: () => number): Promise<Finding[]> {
  const findings = addressFindings(shop)
  for (const call of ['connect', 'items'] as const) {
    const found = await callAsShop(shop, call, nowMs)
    findings.push(found)
    if (found.verdict === 'fail') break
  }
  return findings
}

function addressFindings({ base, appId, appKey }: Shop): Finding[] {
  const findings: Finding[] = []
  const tell = (en: string, zh: string) => findings.push(notes('shop.settings', 'form', { en, zh }))
  if (!/\/d\/acg\/dck_[0-9a-z]+$/.test(base.pathname.replace(/\/$/, '')) && base.pathname !== '/') tell(`The address ends in ${base.pathname}; a hub's ends in /d/acg/dck_….`, `地址以 ${base.pathname} 结尾，主站的对接地址以 /d/acg/dck_… 结尾。`)
  if (!/^[A-Za-z0-9._:@-]{1,32}$/.test(appId)) tell('app_id has a character that the protocol does not take: look for a blank at its ends.', '商户ID含有协议不接受的字符：请检查首尾空格。')
  if (/[\s+%]/.test(appKey)) tell('The key holds a blank, + or %, which shops of this family decode before they sign.', '密钥含有空格、+ 或 %，此类店铺签名前会解码。')
  return findings
}

/** The form as the shop's own program makes it: fields, the key in clear, the md5 over all that is not empty. */
function requestOf({ appId, appKey, type }: Shop): { body: string; headers: Record<string, string>; string: string } {
  const fields = new Map(type === '1' ? [] : [['app_id', appId], ['app_key', appKey]])
  const text = `${[...fields].map(([name, value]) => `${name}=${value}`).join('&')}&key=`
  const sign = createHash('md5').update(text + appKey).digest('hex')
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'GuzzleHttp/7', ...(type === '1' ? { 'api-id': appId, 'api-signature': sign } : {}) }
  return { body: writeForm(type === '1' ? fields : new Map([...fields, ['sign', sign]])), headers, string: `${text.replace(/app_key=[^&]*/, 'app_key=***')}***` }
}

async function callAsShop(shop: Shop, call: 'connect' | 'items', nowMs: () => number): Promise<Finding> {
  const hub = shop.base.origin
  const path = PATHS[shop.type][call]
  const address = `${shop.base.href.replace(/\/$/, '')}${path}`
  const { body, headers, string } = requestOf(shop)
  const heard = await ask(new URL(address), { method: 'POST', headers, body: Buffer.from(body) }, nowMs)
  const check = `shop.${call}`
  if (heard instanceof Error) return fails(check, 'answer', hub, unanswered(shop.base, heard))
  const answer = heard.json as { code?: unknown; msg?: unknown; data?: unknown } | undefined
  if (answer?.code === 200) return passes(check, 'form', successOf(call, shop.type, answer.data))
  const code = codeOf(heard, answer)
  if (code === null) {
    if (typeof answer?.msg === 'string') return { ...notes(check, 'form', { en: `The site said: ${answer.msg}`, zh: `对方返回：${answer.msg}` }), verdict: 'fail' }
    return fails(check, 'answer', hub, refuse('network.not_a_hub', { address, status: heard.status, problem: problemOf(heard) }).refusal, { words: redirect(heard) })
  }
  const finding = fails(check, code.startsWith('partners.') ? 'signature' : 'form', hub, refuse(code, becauseOf(heard.json)).refusal, { words: { en: `The shop itself shows only: ${String(answer?.msg ?? heard.status)}`, zh: `店铺上只会显示：${String(answer?.msg ?? heard.status)}` } })
  return { ...finding, because: { ...finding.because, string } }
}

function codeOf({ headers, json }: Heard, answer: { msg?: unknown } | undefined) {
  const named = headers['berth-code'] ?? (json as { code?: unknown } | undefined)?.code
  if (typeof named === 'string' && isReasonCode(named)) return named
  return answer?.msg === STRANGER ? 'partners.signature_invalid' as const : null
}

function becauseOf(json: unknown): Record<string, string> {
  const { because } = (json ?? {}) as { because?: Record<string, string> }
  return typeof because === 'object' && because !== null ? because : {}
}

function redirect({ status, headers }: Heard): { en: string; zh: string } {
  if (status < 300 || status >= 400) return { en: 'The shop shows it as 连接失败.', zh: '店铺会显示“连接失败”。' }
  return { en: `It points to ${String(headers.location ?? '-').slice(0, 200)}; shops of this family follow no redirect, so enter that address.`, zh: `它跳转到 ${String(headers.location ?? '-').slice(0, 200)}；此类店铺不跟随跳转，请直接填写该地址。` }
}

function successOf(call: 'connect' | 'items', type: ShopType, data: unknown): { en: string; zh: string } {
  if (call === 'connect') {
    const { shopName, username, balance } = (data ?? {}) as { shopName?: string; username?: string; balance?: number }
    return { en: `connect (type ${type}) succeeds: ${shopName ?? username ?? '-'}, balance ${balance ?? '-'}.`, zh: `connect（类型 ${type}）成功：${shopName ?? username ?? '-'}，余额 ${balance ?? '-'}。` }
  }
  const list = Array.isArray(data) ? (data as { children?: unknown[] }[]) : []
  const goods = list.reduce((sum, one) => sum + (Array.isArray(one.children) ? one.children.length : 1), 0)
  return { en: `items (type ${type}) lists ${goods} goods.`, zh: `items（类型 ${type}）列出 ${goods} 个商品。` }
}
