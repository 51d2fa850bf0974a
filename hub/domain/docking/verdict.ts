import { CHECK_LAYERS, type CheckLayer, type CheckResult } from '../../kernel/checks.ts'
import { isWithheld, tellable, type Decision } from '../decisions/index.ts'
import type { Cause, Finding, Report } from './model.ts'

/** Where the checks of a room stand that do not say it themselves. */
const LAYER_OF_ROOM: Readonly<Record<string, CheckLayer>> = { partners: 'key', ledger: 'funds', catalogue: 'goods', orders: 'goods', fulfilment: 'goods', terms: 'terms', pricing: 'terms', conformance: 'version', decisions: 'holds', compliance: 'holds', risk: 'holds' }

/** How a partner repeats a check by itself. */
const SELF_TESTS: Readonly<Record<CheckLayer, string>> = {
  name: 'npx berth doctor', tls: 'npx berth doctor', clock: 'npx berth doctor', charset: 'POST /api/docking/report {"probe":"卡密"}', form: 'POST /api/docking/diagnose {"request":"…"}',
  signature: 'POST /api/docking/report {"signature":{"base":"…"}}', key: 'GET /api/docking', scope: 'GET /api/docking', version: 'GET /.well-known/berth', condition: 'GET /api/requests',
  sync: 'GET /api/goods/changes', funds: 'GET /api/funds/balance', goods: 'POST /api/quotes', terms: 'GET /api/goods', holds: 'GET /api/docking',
}

/** Puts the checks into the order in which things break; a room that is new here stands before the holds. */
export function inOrder(results: readonly CheckResult[]): Finding[] {
  const found = results.map((result): Finding => {
    const layer = result.layer ?? LAYER_OF_ROOM[result.check.split('.', 1)[0]!] ?? 'terms'
    return { ...result, layer, selfTest: result.selfTest ?? SELF_TESTS[layer] }
  })
  return found.sort((a, b) => CHECK_LAYERS.indexOf(a.layer) - CHECK_LAYERS.indexOf(b.layer))
}

/**
 * A measure as its statement tells it: the steps that lift it, and where the law withholds the facts exactly that, with
 * the article and under the true class.
 */
export function statedBy(result: CheckResult, { statement }: Pick<Decision, 'statement'>): CheckResult {
  const { ground, remedy, measure } = tellable(statement)
  const articles = ground.map(({ ref, article }) => `${ref} ${article}`).join('; ')
  const steps = (lang: 'en' | 'zh') => [...remedy.map(({ action }) => action[lang]), ...liftsWhen(measure.liftsWhen, lang)].join(' ')
  return {
    ...result,
    verdict: isWithheld(statement) && result.verdict === 'fail' ? 'withheld' : result.verdict,
    because: { ...result.because, ...(articles === '' ? {} : { articles: articles.slice(0, 200) }) },
    seen: articles === '' ? result.seen : { en: `${result.seen.en} Ground: ${articles}.`, zh: `${result.seen.zh}依据：${articles}。` },
    remedy: remedy.length === 0 ? null : { en: steps('en'), zh: steps('zh') },
  }
}

function liftsWhen(condition: Decision['statement']['measure']['liftsWhen'], lang: 'en' | 'zh'): string[] {
  if (condition === null) return []
  if ('words' in condition) return [lang === 'zh' ? `解除条件：${condition.words}` : `Lifts when: ${condition.words}`]
  return [lang === 'zh' ? `检查 ${condition.check} 通过后自动解除。` : `Lifted by itself once the check ${condition.check} is green.`]
}

function stands({ verdict }: CheckResult): boolean {
  return verdict === 'fail' || verdict === 'withheld'
}

/**
 * All that stands in the way, the one to mend first in front. A measure comes first, because nothing that the partner
 * repairs elsewhere helps while it stands; then the layers in the order in which they break.
 */
export function causesOf(checks: readonly Finding[]): Cause[] {
  const standing = checks.filter((check) => stands(check) && check.code !== null)
  const measures = standing.filter(({ layer }) => layer === 'holds')
  return [...measures, ...standing.filter(({ layer }) => layer !== 'holds')].map(({ check, class: cls, side, code, evidence }) => ({ check, class: cls, side, code: code!, evidence }))
}

/** One verdict. What stands now beats what was seen lately. */
export function verdictOf(checks: readonly Finding[]): Report['verdict'] {
  const [first, ...also] = causesOf(checks)
  if (!first) {
    const warned = checks.filter(({ verdict }) => verdict === 'warn').length
    return {
      class: 'healthy', code: null, side: null,
      text: warned === 0
        ? { en: 'Healthy: nothing stands in the way of this docking.', zh: '正常：该对接没有任何障碍。' }
        : { en: `Healthy now; ${warned} ${warned === 1 ? 'thing' : 'things'} to know, listed with their causes.`, zh: `目前正常；另列出 ${warned} 项提醒及其原因。` },
    }
  }
  const { seen } = checks.find((check) => check.check === first.check && check.code === first.code && check.evidence === first.evidence)!
  const name = { technical: { en: 'Technical', zh: '技术原因' }, commercial: { en: 'Commercial', zh: '商业原因' }, compliance: { en: 'Compliance', zh: '合规原因' } }[first.class]
  const more = also.length === 0 ? { en: '', zh: '' } : { en: ` Also: ${also.map(({ code }) => code).join(', ')}.`, zh: `另有：${also.map(({ code }) => code).join('、')}。` }
  return { class: first.class, code: first.code, side: first.side, text: { en: `${name.en}: ${seen.en}${more.en}`, zh: `${name.zh}：${seen.zh}${more.zh}` } }
}
