import { existsSync, readFileSync } from 'node:fs'
import type { ReportCheck } from '../../protocol/messages.ts'
import { mendingOf } from '../../protocol/reason-page.ts'
import type { Refusal } from '../../protocol/outcome.ts'
import { explain, reasonOf, type ReasonCode } from '../../protocol/reasons.ts'
import type { Static } from '../../protocol/schema.ts'
import type { Words } from '../problem.ts'

/** A check as a report tells it, and from which end it was seen. */
export type Finding = Static<typeof ReportCheck> & { end: 'here' | 'hub' }

export type Verdict = { class: 'healthy' | 'technical' | 'commercial' | 'compliance'; code: string | null; side: string | null; text: Words }

/** The order in which things break, as the hub's report has it; what lies on the way stands between its layers. */
const LAYERS = ['name', 'connection', 'tls', 'answer', 'proxy', 'clock', 'charset', 'form', 'signature', 'key', 'scope', 'version', 'condition', 'sync', 'funds', 'goods', 'terms', 'holds', 'report']

export function passes(check: string, layer: string, words: Words): Finding {
  return { check, layer, end: 'here', verdict: 'pass', class: 'technical', side: 'partner', code: null, because: {}, seen: words, evidence: null, page: null, remedy: null, selfTest: null }
}

/** What could not be looked at from here, and why. */
export function notes(check: string, layer: string, words: Words): Finding {
  return { ...passes(check, layer, words), verdict: 'warn' }
}

/** A refusal as the doctor itself found it. `side` where the reason's own is not the one. */
export function fails(check: string, layer: string, hub: string, refusal: Refusal, more: { verdict?: 'warn' | 'fail'; side?: string; words?: Words } = {}): Finding {
  const reason = reasonOf(refusal.code)
  return {
    ...passes(check, layer, { en: `${explain(refusal, 'en')}${more.words ? ` ${more.words.en}` : ''}`, zh: `${explain(refusal, 'zh')}${more.words?.zh ?? ''}` }),
    verdict: more.verdict ?? 'fail', class: reason.class, side: more.side ?? reason.side, code: refusal.code, because: { ...refusal.because },
    page: `${hub}/reasons/${refusal.code}`, remedy: remedyOf(refusal.code),
  }
}

/** The pages come with the command, so that help is there when no hub answers. */
function remedyOf(code: ReasonCode): Words | null {
  const file = new URL(`../../docs/reasons/${code}.md`, import.meta.url)
  return existsSync(file) ? mendingOf(readFileSync(file, 'utf8')) : null
}

export function inOrder(findings: readonly Finding[]): Finding[] {
  const place = ({ layer }: Finding) => (LAYERS.includes(layer) ? LAYERS.indexOf(layer) : LAYERS.indexOf('terms'))
  return findings.toSorted((a, b) => place(a) - place(b) || (a.end === b.end ? 0 : a.end === 'here' ? -1 : 1))
}

/** All that stands in the way, from either end, the one to mend first in front: a measure before everything else. */
export function causesOf(findings: readonly Finding[]): Finding[] {
  const standing = inOrder(findings).filter(({ verdict, code }) => (verdict === 'fail' || verdict === 'withheld') && code !== null)
  return [...standing.filter(({ layer }) => layer === 'holds'), ...standing.filter(({ layer }) => layer !== 'holds')]
}

const CLASSES: Readonly<Record<string, Words>> = { technical: { en: 'Technical', zh: '技术原因' }, commercial: { en: 'Commercial', zh: '商业原因' }, compliance: { en: 'Compliance', zh: '合规原因' } }

/** One verdict over both ends. `isWhole` is false where the hub's own side could not be asked. */
export function verdictOf(findings: readonly Finding[], isWhole: boolean): Verdict {
  const [first, ...also] = causesOf(findings)
  if (first) {
    const name = CLASSES[first.class] ?? { en: first.class, zh: first.class }
    const codes = also.map(({ code }) => code!)
    return {
      class: first.class as Verdict['class'], code: first.code, side: first.side,
      text: { en: `${name.en}: ${first.seen.en}${codes.length === 0 ? '' : ` Also: ${codes.join(', ')}.`}`, zh: `${name.zh}：${first.seen.zh}${codes.length === 0 ? '' : `另有：${codes.join('、')}。`}` },
    }
  }
  return {
    class: 'healthy', code: null, side: null,
    text: isWhole ? { en: 'Healthy: nothing stands in the way, seen from both ends.', zh: '正常：从两端看都没有任何障碍。' }
      : { en: 'Nothing stands in the way as far as it can be seen from here; the hub\'s own report was not asked.', zh: '从这一端看没有障碍；未取得主站一侧的报告。' },
  }
}
