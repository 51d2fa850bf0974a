import { explain, reasonOf } from '../../../protocol/reasons.ts'
import type { Check } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { isInForce, isStopping, refusalOf } from './rules.ts'
import { loadMeasures, readMeasures } from './store.ts'

/** Every measure in force, under its own true class. None is hidden behind another; one that stops nothing is a warning. */
export function checkStanding(db: Database): Check {
  return async (docking, at) => {
    const measures = (readMeasures(await db.run(loadMeasures([docking.lane], [docking.id]))).get(docking.id) ?? [])
      .filter((one) => isInForce(one, at)).sort((a, b) => a.effectiveAt.getTime() - b.effectiveAt.getTime())
    if (measures.length === 0) {
      return [{
        check: 'decisions.standing', class: 'commercial', side: 'hub', verdict: 'pass', code: null, because: {},
        seen: { en: 'No measure stands against this docking.', zh: '该对接没有任何生效中的措施。' }, evidence: null,
      }]
    }
    return measures.map((measure) => {
      const refusal = refusalOf(measure)
      return {
        check: 'decisions.standing', class: reasonOf(refusal.code).class, side: reasonOf(refusal.code).side, verdict: isStopping(measure.kind) ? 'fail' as const : 'warn' as const,
        code: refusal.code, because: refusal.because,
        seen: { en: explain(refusal, 'en'), zh: explain(refusal, 'zh') }, evidence: measure.decision,
      }
    })
  }
}
