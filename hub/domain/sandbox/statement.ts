import { reasonOf, type ReasonCode } from '../../../protocol/reasons.ts'
import type { CheckRun, StatementDraft } from '../decisions/index.ts'
import type { Contract } from '../rulebook/index.ts'

const DAY_MS = 86_400_000
/** A drill that nobody ends ends by itself. */
const ENDS_AFTER_DAYS = 7

/** Who signs the decisions that a partner asked for in its own sandbox. */
export const DRILL_HAND = 'sandbox'

/** What a commercial drill rests on: the contract template that every sandbox signs by asking for one. */
export const SANDBOX_TERMS = {
  kind: 'contract_template' as const, slug: 'sandbox-terms', title: { en: 'Terms of the sandbox', zh: '沙箱条款' },
  text: { en: 'Article 1. A partner may ask for any decision in its own sandbox, and take it back at any time.', zh: '第一条　对接方可在自己的沙箱中申请任意处理决定，并可随时撤回。' },
}

/** What a drill is proved by, as any decision of its class is: a red run of a check, or a signed contract. */
export type DrillProof = { run: CheckRun | null; contract: Contract | null }

/**
 * The statement of a decision that a partner asked for in its own sandbox: of the true class, with every part that such a
 * statement has, and saying in its facts that it is a drill.
 */
export function drillStatement(code: ReasonCode, publicUrl: string, { run, contract }: DrillProof, docking: { id: string; name: string }, at: Date): StatementDraft {
  const { class: cls, side } = reasonOf(code)
  const now = at.toISOString()
  const after = (days: number) => new Date(at.getTime() + days * DAY_MS).toISOString()
  return {
    addressee: { docking: docking.id, name: docking.name, lang: 'zh-CN' },
    measure: { kind: 'suspend', scope: ['orders'], goods: [], keys: [], allows: {}, endsAt: after(ENDS_AFTER_DAYS), liftsWhen: null },
    cause: { class: cls, code, side, secondary: [] },
    ground: contract
      ? [{ type: 'contract', ref: contract.id, article: '1', quote: SANDBOX_TERMS.text.zh, publishedAt: '' }]
      : cls === 'compliance' ? [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '2018-08-31T00:00:00.000Z' }] : [],
    facts: [{ text: `Asked for by the partner itself in its sandbox at ${now}, as a drill. · 由对接方于 ${now} 在其沙箱中自行申请的演练。`, period: { from: now, to: now }, metrics: [] }],
    evidence: run ? [{ id: run.id, kind: 'check_run', sha256: run.sha256, disclosure: 'full' }] : [],
    source: cls === 'technical' ? 'automatic_check' : code === 'compliance.authority_order' ? 'authority_order' : 'own_review',
    automation: { detection: false, decision: 'fully', reviewer: DRILL_HAND },
    remedy: [{ step: 1, action: { en: 'Send DELETE /api/sandbox/faults, or "berth sandbox fault clear".', zh: '发送 DELETE /api/sandbox/faults，或执行 berth sandbox fault clear。' }, who: 'partner', selfTest: null, evidenceNeeded: [], due: null }],
    clocks: { respondBy: after(7), decideAppealBy: after(15), reviewAt: after(ENDS_AFTER_DAYS) },
    appeal: { channel: `${publicUrl}/reasons/${code}`, free: true, differentReviewer: true, external: [], suspensiveEffect: false },
    funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
  }
}
