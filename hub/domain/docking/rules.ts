import { FRESHNESS_WINDOW_S } from '../../../protocol/signature.ts'
import { explain, isReasonCode, reasonOf, type ReasonCode } from '../../../protocol/reasons.ts'
import { mojibakeOfText } from '../../../protocol/wire/mojibake.ts'
import type { CheckLayer, CheckResult } from '../../kernel/checks.ts'
import type { RefusalFact } from '../../platform/facts.ts'
import type { Approach, SeenRequest } from './model.ts'

const SKEW_WARN_S = 30
const EXPIRY_WARN_MS = 14 * 86_400_000
const PROBE = '卡密'

/** A refusal older than this has stopped being news, however true it was. */
const RECENT_MS = 24 * 3_600_000

/** The codes that each layer of the wire is asked about; what is in none of them belongs to the last one. */
const CODES = {
  clock: ['partners.clock_skew', 'partners.freshness_unknown', 'partners.nonce_reused'],
  charset: ['protocol.charset_mismatch', 'protocol.text_garbled'],
  form: [
    'protocol.malformed_request', 'protocol.invalid_field', 'protocol.unsupported_media', 'protocol.request_too_large', 'protocol.headers_too_large', 'protocol.url_too_long', 'protocol.host_ambiguous',
    'protocol.route_not_found', 'protocol.method_not_allowed', 'protocol.request_timeout', 'protocol.idempotency_key_reused',
  ],
  signature: ['partners.signature_invalid', 'partners.digest_mismatch', 'partners.signature_malformed', 'partners.signature_incomplete', 'partners.credentials_missing'],
  key: ['partners.key_expired', 'partners.key_revoked', 'partners.key_unknown', 'partners.key_malformed'],
  scope: ['partners.scope_missing', 'partners.address_not_allowed', 'partners.signature_required'],
  version: ['protocol.version_unknown'],
  condition: ['platform.rate_limited', 'platform.too_many_in_flight', 'platform.overloaded', 'platform.storage_unavailable', 'platform.outcome_unknown', 'platform.stopping', 'platform.internal_error'],
} as const satisfies Partial<Record<CheckLayer, readonly ReasonCode[]>>

/** Who signs wrongly does so wherever it calls; all else is a matter of one call. */
const OF_THE_KEY: ReadonlySet<CheckLayer> = new Set(['clock', 'signature', 'key'])

/** A condition of the hub that nobody has met for so long is over, whether or not somebody tried again. */
const CONDITION_MS = 60_000

/** What was refused lately in one layer: the fact that proves it, the request that met it, and whether it stands still. */
type Refused = { code: ReasonCode; because: CheckResult['because']; at: Date; evidence: string; stands: boolean }

/** The checks of the wire, in the order in which things break. The last refusals are their evidence. */
export function wireChecks(approach: Approach, refusals: readonly RefusalFact[], lane: number, at: Date): CheckResult[] {
  const recent = refusals.filter((fact) => approach.nowMs - fact.at.getTime() < RECENT_MS)
  const now = new Date(approach.nowMs)
  const met = (layer: keyof typeof CODES) => lastRefused(layer, CODES[layer], approach.requests, recent, lane, now)
  const base = recent.find((fact) => fact.code === 'partners.signature_invalid')
  return [
    clock(approach, met('clock')),
    charset(approach, met('charset')),
    shown('protocol.form', 'form', met('form'), { en: 'The last requests could be read.', zh: '近期请求均可正常解析。' }),
    signature(approach, met('signature'), base),
    key(approach, met('key'), at),
    scope(approach, met('scope')),
    shown('protocol.version', 'version', met('version'), { en: `This hub speaks ${approach.version}.`, zh: `本站接口版本 ${approach.version}。` }),
    shown('platform.condition', 'condition', met('condition'), {
      en: `No limit or condition of the hub was met lately; the limits are ${approach.limits.requestsPerSecond} requests a second and ${approach.limits.inFlight} at once.`,
      zh: `近期未触发限流或本站异常；上限为每秒 ${approach.limits.requestsPerSecond} 次、同时 ${approach.limits.inFlight} 个请求。`,
    }),
    ...othersRefused(approach.requests, recent, lane, now).map((met) => shown('orders.last_refused', 'goods', met, { en: 'No order was refused lately for another reason.', zh: '近期没有因其他原因被拒的订单。' })),
  ]
}

/**
 * The newest refusal of a layer. It stands while the newest request of the same key (and of the same call, where the
 * layer is one of the call) is that refusal and no other key has brought the same call through since: whoever has come
 * further has mended it.
 */
function lastRefused(layer: CheckLayer, codes: readonly string[], requests: readonly SeenRequest[], facts: readonly RefusalFact[], lane: number, at: Date): Refused | null {
  const fact = facts.find(({ code }) => codes.includes(code))
  const met = newestOf(requests, OF_THE_KEY.has(layer))
    .find((request) => request.code !== null && codes.includes(request.code) && at.getTime() - request.atMs < (layer === 'condition' ? CONDITION_MS : RECENT_MS) && !isMended(requests, request))
  if (met) {
    const proof = facts.find(({ code, at: when }) => code === met.code && Math.abs(when.getTime() - met.atMs) < SAME_MS)
    return { code: met.code!, because: proof ? becauseOf(proof) : {}, at: new Date(met.atMs), evidence: proof ? `fact ${lane}/${proof.position}` : `request ${met.id}`, stands: true }
  }
  if (!fact) {
    const before = requests.find(({ code, atMs }) => code !== null && codes.includes(code) && at.getTime() - atMs < RECENT_MS)
    return before ? { code: before.code!, because: {}, at: new Date(before.atMs), evidence: `request ${before.id}`, stands: false } : null
  }
  return isReasonCode(fact.code) ? { code: fact.code, because: becauseOf(fact), at: fact.at, evidence: `fact ${lane}/${fact.position}`, stands: false } : null
}

/** Whether the same call has succeeded since, by whichever key: a key that was replaced is not asked for again. */
function isMended(requests: readonly SeenRequest[], refused: SeenRequest): boolean {
  return requests.slice(0, requests.indexOf(refused)).some(({ code, route, call }) => code === null && route === refused.route && (refused.call === null || call === refused.call))
}

/** A fact is written a moment behind its answer. */
const SAME_MS = 5_000

/** The newest request of each key, or of each call of each key. */
function newestOf(requests: readonly SeenRequest[], isOfTheKey: boolean): SeenRequest[] {
  const newest = new Map<string, SeenRequest>()
  for (const request of requests) {
    const name = isOfTheKey ? request.key : `${request.key} ${request.route} ${request.call ?? ''}`
    if (!newest.has(name)) newest.set(name, request)
  }
  return [...newest.values()]
}

const LISTED: ReadonlySet<string> = new Set(Object.values(CODES).flat())

/** Whose cause a room itself looks for anew. */
const ASKED_BY_ROOMS: ReadonlySet<string> = new Set(['catalogue.out_of_stock', 'catalogue.good_not_on_sale', 'catalogue.price_above_guard', 'ledger.insufficient_funds'])

/** Refusals that belong to no layer of the wire and to no room that asks the same again: the order itself. One a code, the newest first; null alone when there is none. */
function othersRefused(requests: readonly SeenRequest[], facts: readonly RefusalFact[], lane: number, at: Date): (Refused | null)[] {
  const isOther = (code: string) => isReasonCode(code) && !LISTED.has(code) && !ASKED_BY_ROOMS.has(code) && reasonOf(code).kind === 'answer'
  const codes = [...new Set([...requests.flatMap(({ code }) => (code === null ? [] : [code])), ...facts.map(({ code }) => code)])].filter(isOther)
  const found = codes.slice(0, MOST_OTHERS).map((code) => lastRefused('goods', [code], requests, facts, lane, at)).filter((met) => met !== null)
  return found.length === 0 ? [null] : found
}

/** A report is read by a person. */
const MOST_OTHERS = 8

function becauseOf(fact: RefusalFact): CheckResult['because'] {
  return (JSON.parse(fact.body) as { because?: CheckResult['because'] }).because ?? {}
}

function clock(approach: Approach, met: Refused | null): CheckResult {
  if (approach.skewS === null) {
    return shown('partners.clock', 'clock', met, { en: 'This request was not signed; sign it to have the clock compared.', zh: '本次请求未签名，签名后可比对时钟。' })
  }
  const skew = Math.abs(approach.skewS)
  return {
    check: 'partners.clock', layer: 'clock', class: 'technical', side: 'partner', verdict: skew > SKEW_WARN_S ? 'warn' : 'pass',
    code: skew > SKEW_WARN_S ? 'partners.clock_skew' : null, because: { skewS: approach.skewS, allowedS: FRESHNESS_WINDOW_S },
    seen: { en: `Your clock is ${approach.skewS} s from the hub's.`, zh: `贵方时钟与本站相差 ${approach.skewS} 秒。` }, evidence: null,
  }
}

function charset(approach: Approach, met: Refused | null): CheckResult {
  if (approach.probe === null) {
    return shown('protocol.charset', 'charset', met, { en: `No bytes of a wrong character set were seen; send {"probe":"${PROBE}"} to test.`, zh: `未见字符集错误；可提交 {"probe":"${PROBE}"} 测试。` })
  }
  const whole = approach.probe === PROBE
  const arrived = approach.probe.slice(0, 20).toWellFormed()
  const says = whole ? null : (mojibakeOfText(approach.probe)?.says ?? (/^\?+$/.test(approach.probe) ? QUESTION_MARKS : null))
  return {
    check: 'protocol.charset', layer: 'charset', class: 'technical', side: 'partner', verdict: whole ? 'pass' : 'fail', code: whole ? null : 'protocol.text_garbled',
    because: whole ? {} : { path: '/probe', seen: arrived, expected: PROBE },
    seen: whole ? { en: `${PROBE} arrived whole.`, zh: `“${PROBE}”完整到达。` } : { en: `${PROBE} arrived as ${arrived}. ${says?.en ?? ''}`.trim(), zh: `“${PROBE}”到达时变成“${arrived}”。${says?.zh ?? ''}` },
    evidence: null,
  }
}

const QUESTION_MARKS = {
  en: 'Characters became question marks in the sending program: it was converted to a character set that has no Chinese.', zh: '文字在发送方程序里变成了问号：被转换成了不含中文的字符集。',
}

/** The string that the hub built, and the first place where the partner's own differs. It never holds a key. */
function signature(approach: Approach, met: Refused | null, refusal: RefusalFact | undefined): CheckResult {
  const refused = refusal ? (JSON.parse(refusal.body) as { base?: string }).base : undefined
  const ours = refused ?? approach.base
  if (approach.partnerBase !== null && ours) {
    const difference = firstDifference(ours, approach.partnerBase)
    return {
      check: 'partners.signature', layer: 'signature', class: 'technical', side: 'partner', verdict: difference ? 'fail' : 'pass', code: difference ? 'partners.signature_invalid' : null,
      because: difference ?? { hub: ours }, evidence: met?.evidence ?? null,
      seen: difference
        ? { en: `The canonical strings differ in line ${difference.line}: the hub built "${difference.hub}", yours is "${difference.yours}".`, zh: `待签名串第 ${difference.line} 行不同：本站为“${difference.hub}”，贵方为“${difference.yours}”。` }
        : { en: 'Your canonical string equals the hub\'s; if the signature still fails, the key differs.', zh: '待签名串一致；若签名仍不符，则是密钥不同。' },
    }
  }
  const result = shown('partners.signature', 'signature', met, approach.base ? { en: 'This request was signed and verified.', zh: '本次请求签名验证通过。' } : { en: 'No wrong signature was seen lately.', zh: '近期没有签名错误。' })
  return ours ? { ...result, because: { ...result.because, hub: ours } } : result
}

function firstDifference(hub: string, yours: string): { line: number; hub: string; yours: string } | null {
  const ours = hub.split('\n')
  const theirs = yours.split('\n')
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] !== theirs[i]) return { line: i + 1, hub: (ours[i] ?? '(nothing)').slice(0, 300), yours: (theirs[i] ?? '(nothing)').slice(0, 300).toWellFormed() }
  }
  return null
}

function key(approach: Approach, met: Refused | null, at: Date): CheckResult {
  const { id, kind, createdAt, expiresAt } = approach.key
  if (expiresAt && expiresAt.getTime() - at.getTime() < EXPIRY_WARN_MS) {
    return {
      check: 'partners.key', layer: 'key', class: 'technical', side: 'partner', verdict: 'warn', code: 'partners.key_expired', because: { key: id, endedAt: expiresAt.toISOString() },
      seen: { en: `The key ${id} (${kind}) ends at ${expiresAt.toISOString()}; add another before.`, zh: `密钥 ${id}（${kind}）将于 ${expiresAt.toISOString()} 到期，请提前更换。` }, evidence: null,
    }
  }
  const days = Math.floor((at.getTime() - createdAt.getTime()) / 86_400_000)
  return shown('partners.key', 'key', met, { en: `The key ${id} (${kind}) is valid, ${days} days old.`, zh: `密钥 ${id}（${kind}）有效，已使用 ${days} 天。` })
}

function scope(approach: Approach, met: Refused | null): CheckResult {
  const missing = approach.allScopes.filter((name) => !approach.key.scopes.includes(name))
  return shown('partners.scope', 'scope', met, missing.length === 0
    ? { en: 'The key has every scope.', zh: '密钥拥有全部权限。' }
    : { en: `The key may do what it was given; not given: ${missing.join(', ')}.`, zh: `密钥在已授予的权限内可用；未授予：${missing.join('、')}。` })
}

/** Passed, unless a refusal of this kind was given lately: a failure while it stands, and a warning once it is mended. */
function shown(check: string, layer: CheckLayer, met: Refused | null, fine: { en: string; zh: string }): CheckResult {
  if (!met) return { check, layer, class: 'technical', side: 'partner', verdict: 'pass', code: null, because: {}, seen: fine, evidence: null }
  const { class: cls, side } = reasonOf(met.code)
  const when = met.at.toISOString()
  const text = (lang: 'en' | 'zh') => (Object.keys(met.because).length === 0 && reasonOf(met.code).because.length > 0 ? `${reasonOf(met.code).title[lang]}${lang === 'zh' ? '。' : '.'}` : explain(met, lang))
  return {
    check, layer, class: cls, side, verdict: met.stands ? 'fail' : 'warn', code: met.code, because: met.because, evidence: met.evidence,
    seen: met.stands
      ? { en: `Refused at ${when}, and not tried with success since: ${text('en')}`, zh: `${when} 被拒，此后尚未成功：${text('zh')}` }
      : { en: `Refused at ${when}: ${text('en')}`, zh: `${when} 被拒：${text('zh')}` },
  }
}
