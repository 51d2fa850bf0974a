import { explain, reasonOf } from '../../protocol/reasons.ts'
import type { Refusal } from '../../protocol/outcome.ts'

export type Lang = 'en' | 'zh'

/** The one of our two languages that the caller weighs more (RFC 9110); English when neither is named. */
export function langOf(acceptLanguage: string | undefined): Lang {
  if (acceptLanguage === undefined || acceptLanguage === '') return 'en'
  let best: { lang: Lang; weight: number } = { lang: 'en', weight: 0 }
  for (const range of acceptLanguage.slice(0, 200).split(',')) {
    const [tag = '', ...parameters] = range.trim().toLowerCase().split(';')
    const lang = tag === 'zh' || tag.startsWith('zh-') ? 'zh' : tag === 'en' || tag.startsWith('en-') ? 'en' : null
    const weight = Number(parameters.find((parameter) => parameter.trim().startsWith('q='))?.trim().slice(2) ?? 1)
    if (lang !== null && weight > best.weight) best = { lang, weight }
  }
  return best.lang
}

/** A measure that slows down is no door that is shut: whoever waits comes through, and is answered as one who came too often. */
export function statusOf(refusal: Pick<Refusal, 'code' | 'retryAfterS'>): number {
  return isPaced(refusal) ? 429 : reasonOf(refusal.code).status
}

function isPaced({ code, retryAfterS }: Pick<Refusal, 'code' | 'retryAfterS'>): boolean {
  return retryAfterS !== undefined && reasonOf(code).kind === 'measure'
}

/** RFC 9457 problem details of a refusal: the one place where a "no" gets a status and a body over JSON. */
export function problemOf(refusal: Refusal, context: { publicUrl: string; requestId: string; lang: Lang; nowMs: number }) {
  const reason = reasonOf(refusal.code)
  const because = reason.because.includes('requestId') ? { ...refusal.because, requestId: context.requestId } : refusal.because
  return {
    type: `${context.publicUrl}/reasons/${refusal.code}`,
    title: reason.title[context.lang],
    status: statusOf(refusal),
    detail: explain({ code: refusal.code, because }, context.lang),
    code: refusal.code,
    class: reason.class,
    because,
    retry: isPaced(refusal) ? 'same_request_after' : reason.retry,
    side: reason.side,
    ...(refusal.decision ? { decision: refusal.decision, appeal: `${context.publicUrl}/api/decisions/${refusal.decision}/appeals` } : {}),
    ...(refusal.also
      ? { also: refusal.also.map((other) => ({ code: other.code, class: reasonOf(other.code).class, detail: explain(other, context.lang), because: other.because })) }
      : {}),
    requestId: context.requestId,
    serverTime: new Date(context.nowMs).toISOString(),
  }
}
