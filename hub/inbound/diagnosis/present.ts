import type { Static } from '../../../protocol/schema.ts'
import type { DiagnoseAsk as Asked } from '../../../protocol/messages.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { limits } from '../../kernel/limits.ts'
import { wellFormed } from '../present-report.ts'
import { remedyOf } from '../remedies.ts'
import { firstFailed, type DiagnoseAsk } from './diagnose.ts'
import type { Diagnosis, Step } from './model.ts'

/** A pasted request and its answer in base64, and the JSON around them. */
export const ASK_BYTES = 256 * 1024

/** Refuses `protocol.request_too_large` and, for what is no base64, `protocol.invalid_field`. */
export function readAsk({ request, encoding = 'text', response, base, sentAt }: Static<typeof Asked>): Outcome<DiagnoseAsk> {
  if (encoding === 'base64' && !/^[A-Za-z0-9+/]*={0,2}$/.test(request.replace(/\s/g, ''))) return refuse('protocol.invalid_field', { path: '/request', expected: 'base64' })
  const bytes = Buffer.from(request, encoding === 'base64' ? 'base64' : 'utf8')
  if (bytes.byteLength > limits.requestBytes + limits.headerBytes) return refuse('protocol.request_too_large', { what: 'body', allowed: `${(limits.requestBytes + limits.headerBytes) / 1024} KB` })
  return accept({ bytes, isText: encoding === 'text', response: response ?? null, yours: base ?? null, sentAt: sentAt === undefined ? null : new Date(sentAt) })
}

/** A diagnosis in the words of the API: the layer that broke, one verdict, and every layer that was looked at. */
export function presentDiagnosis(publicUrl: string, { at, dialect, steps, lookalikes, canonical, notes }: Diagnosis) {
  const first = firstFailed(steps)
  return wellFormed({
    at: at.toISOString(), dialect, layer: first?.layer ?? null, verdict: verdictOf(steps, first),
    steps: steps.map(({ layer, verdict, class: cls, side, code, because, seen, decision }) => ({
      layer, verdict, class: cls, side, code, because, seen, page: code === null ? null : `${publicUrl}/reasons/${code}`,
      remedy: code === null || verdict === 'pass' ? null : remedyOf(code), decision: decision ?? null,
    })),
    lookalikes: lookalikes.map(({ family, name, score, marks, signs, isServed }) => ({ family, name, score, marks: [...marks], signs, served: isServed })),
    canonical, notes,
  })
}

const CLASSES = { technical: { en: 'Technical', zh: '技术原因' }, commercial: { en: 'Commercial', zh: '商业原因' }, compliance: { en: 'Compliance', zh: '合规原因' } } as const

function verdictOf(steps: readonly Step[], first: Step | null) {
  if (first) {
    const name = CLASSES[first.class]
    return { class: first.class, code: first.code, side: first.side, text: { en: `${name.en}: ${first.seen.en}`, zh: `${name.zh}：${first.seen.zh}` } }
  }
  const warned = steps.filter(({ verdict }) => verdict === 'warn' || verdict === 'unknown').length
  return {
    class: 'healthy' as const, code: null, side: null,
    text: warned === 0
      ? { en: 'Healthy: nothing in these bytes stands in the way.', zh: '正常：这份报文没有任何障碍。' }
      : { en: `Nothing in these bytes is certainly wrong; ${warned} ${warned === 1 ? 'layer' : 'layers'} to look at.`, zh: `未见确定的错误；另有 ${warned} 层需要留意。` },
  }
}
