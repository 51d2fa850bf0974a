import { explain, isReasonCode, reasonOf } from '../../../protocol/reasons.ts'
import type { CheckResult } from '../../kernel/checks.ts'
import type { RefusalFact } from '../../platform/facts.ts'
import type { Approach, Report } from './model.ts'

const SKEW_WARN_S = 30
const SKEW_FAIL_S = 300
const EXPIRY_WARN_MS = 14 * 86_400_000
const PROBE = '卡密'

/** A refusal older than this has stopped being news, however true it was. */
const RECENT_MS = 24 * 3_600_000

/** The checks of the wire, in the order in which things break. The last refusals are their evidence. */
export function wireChecks(approach: Approach, refusals: readonly RefusalFact[], lane: number, at: Date): CheckResult[] {
  const recent = refusals.filter((fact) => at.getTime() - fact.at.getTime() < RECENT_MS)
  const last = (...codes: string[]) => recent.find((fact) => codes.includes(fact.code))
  return [
    clock(approach, last('partners.clock_skew', 'partners.freshness_unknown'), lane),
    charset(approach, last('protocol.charset_mismatch'), lane),
    seenLast('protocol.form', last('protocol.malformed_request', 'protocol.invalid_field', 'protocol.unsupported_media', 'protocol.request_too_large'), lane, {
      en: 'The last requests could be read.', zh: '近期请求均可正常解析。',
    }),
    signature(approach, last('partners.signature_invalid', 'partners.digest_mismatch', 'partners.nonce_reused'), lane),
    key(approach, last('partners.key_expired', 'partners.key_revoked'), lane, at),
    scope(approach, last('partners.scope_missing', 'partners.address_not_allowed', 'partners.signature_required'), lane),
    seenLast('platform.condition', last('platform.rate_limited', 'platform.too_many_in_flight', 'platform.overloaded', 'platform.storage_unavailable'), lane, {
      en: 'No limit or condition of the hub was met lately.', zh: '近期未触发限流或本站异常。',
    }),
  ]
}

function clock(approach: Approach, refusal: RefusalFact | undefined, lane: number): CheckResult {
  if (approach.skewS === null) {
    return seenLast('partners.clock', refusal, lane, { en: 'This request was not signed; sign it to have the clock compared.', zh: '本次请求未签名，签名后可比对时钟。' })
  }
  const skew = Math.abs(approach.skewS)
  return {
    check: 'partners.clock', class: 'technical', side: 'partner', verdict: skew > SKEW_WARN_S ? 'warn' : 'pass',
    code: skew > SKEW_WARN_S ? 'partners.clock_skew' : null, because: { skewS: approach.skewS, allowedS: SKEW_FAIL_S },
    seen: { en: `Your clock is ${approach.skewS} s from the hub's.`, zh: `贵方时钟与本站相差 ${approach.skewS} 秒。` }, evidence: null,
  }
}

function charset(approach: Approach, refusal: RefusalFact | undefined, lane: number): CheckResult {
  if (approach.probe === null) {
    return seenLast('protocol.charset', refusal, lane, { en: `No bytes of a wrong character set were seen; send {"probe":"${PROBE}"} to test.`, zh: `未见字符集错误；可提交 {"probe":"${PROBE}"} 测试。` })
  }
  const whole = approach.probe === PROBE
  return {
    check: 'protocol.charset', class: 'technical', side: 'partner', verdict: whole ? 'pass' : 'fail', code: whole ? null : 'protocol.charset_mismatch',
    because: whole ? {} : { declared: 'UTF-8', at: 0, seen: approach.probe.slice(0, 20), expected: PROBE },
    seen: whole ? { en: `${PROBE} arrived whole.`, zh: `“${PROBE}”完整到达。` } : { en: `${PROBE} arrived as ${approach.probe.slice(0, 20)}.`, zh: `“${PROBE}”到达时变成“${approach.probe.slice(0, 20)}”。` },
    evidence: null,
  }
}

/** The string that the hub built, and the first place where the partner's own differs. It never holds a key. */
function signature(approach: Approach, refusal: RefusalFact | undefined, lane: number): CheckResult {
  const refused = refusal ? (JSON.parse(refusal.body) as { base?: string }).base : undefined
  const ours = refused ?? approach.base
  if (approach.partnerBase !== null && ours) {
    const difference = firstDifference(ours, approach.partnerBase)
    return {
      check: 'partners.signature', class: 'technical', side: 'partner', verdict: difference ? 'fail' : 'pass', code: difference ? 'partners.signature_invalid' : null,
      because: difference ?? { hub: ours }, evidence: refusal ? `fact ${lane}/${refusal.position}` : null,
      seen: difference
        ? { en: `The canonical strings differ in line ${difference.line}: the hub built "${difference.hub}", yours is "${difference.yours}".`, zh: `待签名串第 ${difference.line} 行不同：本站为“${difference.hub}”，贵方为“${difference.yours}”。` }
        : { en: 'Your canonical string equals the hub\'s; if the signature still fails, the key differs.', zh: '待签名串一致；若签名仍不符，则是密钥不同。' },
    }
  }
  const seen = seenLast('partners.signature', refusal, lane, approach.base ? { en: 'This request was signed and verified.', zh: '本次请求签名验证通过。' } : { en: 'No wrong signature was seen lately.', zh: '近期没有签名错误。' })
  return ours ? { ...seen, because: { ...seen.because, hub: ours } } : seen
}

function firstDifference(hub: string, yours: string): { line: number; hub: string; yours: string } | null {
  const ours = hub.split('\n')
  const theirs = yours.split('\n')
  for (let i = 0; i < Math.max(ours.length, theirs.length); i++) {
    if (ours[i] !== theirs[i]) return { line: i + 1, hub: (ours[i] ?? '(nothing)').slice(0, 300), yours: (theirs[i] ?? '(nothing)').slice(0, 300) }
  }
  return null
}

function key(approach: Approach, refusal: RefusalFact | undefined, lane: number, at: Date): CheckResult {
  const { id, kind, createdAt, expiresAt } = approach.key
  if (expiresAt && expiresAt.getTime() - at.getTime() < EXPIRY_WARN_MS) {
    return {
      check: 'partners.key', class: 'technical', side: 'partner', verdict: 'warn', code: 'partners.key_expired', because: { key: id, endedAt: expiresAt.toISOString() },
      seen: { en: `The key ${id} (${kind}) ends at ${expiresAt.toISOString()}; add another before.`, zh: `密钥 ${id}（${kind}）将于 ${expiresAt.toISOString()} 到期，请提前更换。` }, evidence: null,
    }
  }
  const days = Math.floor((at.getTime() - createdAt.getTime()) / 86_400_000)
  return seenLast('partners.key', refusal, lane, { en: `The key ${id} (${kind}) is valid, ${days} days old.`, zh: `密钥 ${id}（${kind}）有效，已使用 ${days} 天。` })
}

function scope(approach: Approach, refusal: RefusalFact | undefined, lane: number): CheckResult {
  const missing = approach.allScopes.filter((name) => !approach.key.scopes.includes(name))
  return seenLast('partners.scope', refusal, lane, missing.length === 0
    ? { en: 'The key has every scope.', zh: '密钥拥有全部权限。' }
    : { en: `The key may do what it was given; not given: ${missing.join(', ')}.`, zh: `密钥在已授予的权限内可用；未授予：${missing.join('、')}。` })
}

/** Passed, unless a refusal of this kind was given lately: then a warning with that refusal as its evidence. */
function seenLast(check: string, refusal: RefusalFact | undefined, lane: number, fine: { en: string; zh: string }): CheckResult {
  if (!refusal || !isReasonCode(refusal.code)) return { check, class: 'technical', side: 'partner', verdict: 'pass', code: null, because: {}, seen: fine, evidence: null }
  const reason = reasonOf(refusal.code)
  const because = (JSON.parse(refusal.body) as { because?: CheckResult['because'] }).because ?? {}
  const text = (lang: 'en' | 'zh') => explain({ code: refusal.code as never, because }, lang)
  return {
    check, class: reason.class, side: reason.side, verdict: 'warn', code: refusal.code, because,
    seen: { en: `Refused at ${refusal.at.toISOString()}: ${text('en')}`, zh: `${refusal.at.toISOString()} 被拒：${text('zh')}` }, evidence: `fact ${lane}/${refusal.position}`,
  }
}

/**
 * One verdict. What stands now beats what was seen lately; among those that fail a measure comes first, because nothing
 * that the partner repairs elsewhere helps while it stands.
 */
export function verdictOf(checks: readonly CheckResult[]): Report['verdict'] {
  const failed = checks.filter((check) => check.verdict === 'fail')
  const first = failed.find((check) => check.check === 'decisions.standing') ?? failed[0]
  if (!first) {
    const warned = checks.filter((check) => check.verdict === 'warn').length
    return {
      class: 'healthy', code: null, side: null,
      text: warned === 0
        ? { en: 'Healthy: nothing stands in the way of this docking.', zh: '正常：该对接没有任何障碍。' }
        : { en: `Healthy now; ${warned} earlier refusals are listed with their causes.`, zh: `目前正常；另列出 ${warned} 项此前被拒的原因。` },
    }
  }
  const name = { technical: { en: 'Technical', zh: '技术原因' }, commercial: { en: 'Commercial', zh: '商业原因' }, compliance: { en: 'Compliance', zh: '合规原因' } }[first.class]
  return { class: first.class, code: first.code, side: first.side, text: { en: `${name.en}: ${first.seen.en}`, zh: `${name.zh}：${first.seen.zh}` } }
}
