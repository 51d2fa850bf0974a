import { explain, reasonOf } from '../../protocol/reasons.ts'
import type { Refusal } from '../../protocol/outcome.ts'

export type Lang = 'en' | 'zh'

/** Prefers Chinese when the caller does; English otherwise. */
export function langOf(acceptLanguage: string | undefined): Lang {
  return acceptLanguage !== undefined && /^\s*zh\b/i.test(acceptLanguage) ? 'zh' : 'en'
}

/** RFC 9457 problem details of a refusal: the one place where a "no" gets a status and a body over JSON. */
export function problemOf(refusal: Refusal, context: { publicUrl: string; requestId: string; lang: Lang; nowMs: number }) {
  const reason = reasonOf(refusal.code)
  const because = reason.because.includes('requestId') ? { ...refusal.because, requestId: context.requestId } : refusal.because
  return {
    type: `${context.publicUrl}/reasons/${refusal.code}`,
    title: reason.title[context.lang],
    status: reason.status,
    detail: explain({ code: refusal.code, because }, context.lang),
    code: refusal.code,
    class: reason.class,
    because,
    retry: reason.retry,
    side: reason.side,
    ...(refusal.decision ? { decision: refusal.decision, appeal: `${context.publicUrl}/reasons/${refusal.code}` } : {}),
    ...(refusal.also
      ? { also: refusal.also.map((other) => ({ code: other.code, class: reasonOf(other.code).class, detail: explain(other, context.lang), because: other.because })) }
      : {}),
    requestId: context.requestId,
    serverTime: new Date(context.nowMs).toISOString(),
  }
}
