import { createHash } from 'node:crypto'
import { reasonOf, type ReasonCode } from '../../../protocol/reasons.ts'
import { REVIEW_WITHIN_DAYS, type Statement } from '../decisions/index.ts'

const DAY_MS = 86_400_000
/** A drill that nobody ends ends by itself. */
const ENDS_AFTER_DAYS = 7

/** Who signs the decisions that a partner asked for in its own sandbox. */
export const DRILL_HAND = 'sandbox'

/**
 * The statement of a decision that a partner asked for in its own sandbox: of the true class, with every part that such a
 * statement has, and saying in its facts that it is a drill.
 */
export function drillStatement(code: ReasonCode, publicUrl: string, at: Date): Statement {
  const { class: cls, side } = reasonOf(code)
  const after = (days: number) => new Date(at.getTime() + days * DAY_MS).toISOString()
  const page = `${publicUrl}/reasons/${code}`
  return {
    measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: at.toISOString(), endsAt: after(ENDS_AFTER_DAYS), liftsWhen: null },
    cause: { class: cls, code, side },
    ground: [
      cls === 'compliance'
        ? { type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '2018-08-31T00:00:00.000Z' }
        : { type: 'contract', ref: 'Terms of the sandbox · 沙箱条款', article: '1', quote: 'A partner may ask for any decision in its own sandbox. · 对接方可在自己的沙箱中申请任意处理决定。', publishedAt: '' },
    ],
    facts: [{ text: 'Asked for by the partner itself in its sandbox, as a drill. · 由对接方在其沙箱中自行申请的演练。' }],
    evidence: cls === 'technical' ? [{ id: 'sandbox.drill', kind: 'check_run', sha256: createHash('sha256').update(`sandbox.drill ${code}`).digest('hex'), disclosure: 'full' }] : [],
    source: cls === 'technical' ? 'automatic_check' : code === 'compliance.authority_order' ? 'authority_order' : 'own_review',
    automation: { detection: false, decision: 'fully', reviewer: DRILL_HAND },
    remedy: [{ step: 1, action: { en: 'Send DELETE /api/sandbox/faults, or "berth sandbox fault clear".', zh: '发送 DELETE /api/sandbox/faults，或执行 berth sandbox fault clear。' }, who: 'partner', evidenceNeeded: [] }],
    clocks: { respondBy: after(7), decideAppealBy: after(15), reviewAt: after(REVIEW_WITHIN_DAYS) },
    appeal: { channel: page, free: true, differentReviewer: true },
    funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
  }
}
