import type { Check, CheckResult } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { loadAdmission, loadRunsOf, readAdmissions, readRuns } from './store.ts'

/** What the newest finished run of the kit says of a sandbox's platform, and how a live docking was admitted. */
export function checkConformance(db: Database): Check {
  return async (docking) => {
    const told = (words: CheckResult['seen'], evidence: string | null = null): CheckResult[] => [{ check: 'conformance.run', class: 'technical', side: 'partner', verdict: 'pass', code: null, because: {}, seen: words, evidence }]
    if (docking.mode === 'live') {
      const [admission] = readAdmissions(await db.run(loadAdmission(docking.lane, docking.id)))
      if (!admission) return told({ en: 'This docking is older than the badge; nothing is asked of it.', zh: '该对接早于合规测试制度，无需徽章。' })
      return admission.run === null
        ? told({ en: `Admitted without a badge by ${admission.by}: ${admission.reason}`, zh: `由 ${admission.by} 豁免测试后开通：${admission.reason}` })
        : told({ en: `Admitted by the green run ${admission.run}.`, zh: `凭通过的测试 ${admission.run} 开通。` }, admission.run)
    }
    const last = readRuns(await db.run(loadRunsOf(docking.lane, docking.id, 20))).find((run) => run.state !== 'open')
    if (!last) return told({ en: 'No run of the conformance kit yet: berth conform platform.', zh: '尚未运行过对接测试：berth conform platform。' })
    if (last.state === 'green') return told({ en: `The last run ${last.id} is green.`, zh: `最近一次测试 ${last.id} 已通过。` }, last.id)
    const red = last.report!.cases.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)
    return [{
      check: 'conformance.run', class: 'technical', side: 'partner', verdict: 'fail', code: 'conformance.badge_missing', because: { run: last.id, seen: 'red', dialect: last.dialect },
      seen: { en: `The last run ${last.id} is red: ${red.join(', ')}.`, zh: `最近一次测试 ${last.id} 未通过：${red.join('、')}。` }, evidence: last.id,
    }]
  }
}
