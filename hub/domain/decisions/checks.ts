import { explain, reasonOf } from '../../../protocol/reasons.ts'
import type { Check } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { refusalsInForce } from './rules.ts'
import { loadMeasures, readMeasures } from './store.ts'

/** Every measure in force, under its own true class. None is hidden behind another. */
export function checkStanding(db: Database): Check {
  return async (docking, at) => {
    const measures = readMeasures(await db.run(loadMeasures([docking.lane], [docking.id]))).get(docking.id) ?? []
    const scopes = ['orders', 'goods', 'funds', 'members', 'key'] as const
    const byDecision = new Map(scopes.flatMap((scope) =>
      measures.flatMap((m) => refusalsInForce([m], { scope, ...(m.goods[0] ? { good: m.goods[0] } : {}) }, at)).map((r) => [r.decision!, r] as const)))
    if (byDecision.size === 0) {
      return [{
        check: 'decisions.standing', class: 'commercial', side: 'hub', verdict: 'pass', code: null, because: {},
        seen: { en: 'No measure stands against this docking.', zh: '该对接没有任何生效中的措施。' }, evidence: null,
      }]
    }
    return [...byDecision.values()].map((refusal) => ({
      check: 'decisions.standing', class: reasonOf(refusal.code).class, side: reasonOf(refusal.code).side, verdict: 'fail' as const,
      code: refusal.code, because: refusal.because,
      seen: { en: explain(refusal, 'en'), zh: explain(refusal, 'zh') }, evidence: refusal.decision!,
    }))
  }
}
