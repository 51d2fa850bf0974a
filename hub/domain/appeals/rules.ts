import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Decision, Statement } from '../decisions/index.ts'
import { OPEN_STATES, type Appeal, type EvidenceAsk, type Narrower } from './model.ts'

export const DECIDE_WITHIN_DAYS = 15
export const EXTENSION_MAX_DAYS = 15
export const QUESTIONS_MAX = 3
export const EVIDENCE_DUE_MAX_DAYS = 15
export const TEXT_MAX = 4_000
export const EVIDENCE_AT_ONCE = 5
export const EVIDENCE_MAX = 20
export const FILE_BYTES_MAX = 256 * 1024
/** Filed and withdrawn and filed again is no way to keep people busy. */
export const FILED_A_DAY_MAX = 5
const FILE_WITHIN_DAYS = 90
export const DAY_MS = 86_400_000

export function isOpen(appeal: Pick<Appeal, 'state'>): boolean {
  return (OPEN_STATES as readonly string[]).includes(appeal.state)
}

/**
 * Whether a decision may be appealed against: one open appeal at a time, none after a verdict, none long after its end. A
 * verdict on what was filed with a key or a contact that the main site made does not spend the appeal of the partner's own hand.
 */
export function mayFile(decision: Pick<Decision, 'id' | 'liftedAt' | 'statement'>, known: readonly Appeal[], at: Date, isOwnHand: boolean): Outcome<null> {
  const open = known.find(isOpen)
  if (open) return refuse('appeals.open_already', { appeal: open.id, decision: decision.id })
  const decided = known.find((one) => one.state !== 'withdrawn' && (one.isOwnHand || !isOwnHand))
  if (decided) return ended(decided)
  const { endsAt } = decision.statement.measure
  const endedMs = Math.min(decision.liftedAt?.getTime() ?? Infinity, endsAt === null ? Infinity : Date.parse(endsAt))
  if (at.getTime() - endedMs >= FILE_WITHIN_DAYS * DAY_MS) return refuse('appeals.too_late', { decision: decision.id, endedAt: new Date(endedMs).toISOString(), allowedDays: FILE_WITHIN_DAYS })
  return accept(null)
}

/** Whether the partner may still say or hand in something. */
export function mayGo(appeal: Appeal): Outcome<null> {
  return isOpen(appeal) ? accept(null) : ended(appeal)
}

/** What one hand filed another takes back only with something that the partner made itself: the main site makes keys too. */
export function mayWithdraw(appeal: Appeal, who: { by: string; isOwnHand: boolean }): Outcome<null> {
  return who.isOwnHand || appeal.filedBy === who.by ? accept(null)
    : refuse('protocol.invalid_field', { path: '/appeal', expected: 'the key or link that the appeal was filed with, or a key that you made yourself' })
}

/**
 * Whether this person may work on the appeal: it is open, and he or she had no part in the decision.
 * @param deciders those of the chain as it stands now
 */
export function mayReview(appeal: Appeal, by: string, deciders: readonly string[]): Outcome<null> {
  if (!isOpen(appeal)) return ended(appeal)
  return [appeal.decisionBy, ...appeal.deciders, ...deciders].some((one) => one.toLowerCase() === by.toLowerCase()) ? refuse('appeals.same_person', { appeal: appeal.id, decision: appeal.decision }) : accept(null)
}

function ended(appeal: Appeal): Outcome<never> {
  return refuse('appeals.ended', { appeal: appeal.id, state: appeal.state, endedAt: appeal.closedAt?.toISOString() ?? '' })
}

/** A question stops the clock, so there are few of them. */
export function mayAsk(questions: number): Outcome<null> {
  return questions < QUESTIONS_MAX ? accept(null) : refuse('appeals.delays_spent', { what: 'questions', allowed: QUESTIONS_MAX })
}

/** The clock is put off once, and for no longer than it was set. */
export function mayExtend(appeal: Appeal): Outcome<null> {
  return appeal.extendedDays === 0 ? accept(null) : refuse('appeals.delays_spent', { what: 'extensions', allowed: 1 })
}

/** Documents as they may come in; `kept` is how many the appeal has. The hash of a content is made before. */
export function checkEvidence(items: readonly EvidenceAsk[], kept: number, hashes: readonly string[]): Outcome<null> {
  if (items.length > EVIDENCE_AT_ONCE) return refuse('protocol.invalid_field', { path: '/evidence', expected: 'at most 5 documents at once' })
  if (kept + items.length > EVIDENCE_MAX) return refuse('protocol.invalid_field', { path: '/evidence', expected: 'at most 20 documents in all' })
  for (const [i, { content, sha256 }] of items.entries()) {
    if (content === null && sha256 === null) return refuse('protocol.invalid_field', { path: `/evidence/${i}`, expected: 'content, or the sha256 of a document that is handed over elsewhere' })
    if (content !== null && (content.byteLength === 0 || content.byteLength > FILE_BYTES_MAX)) return refuse('protocol.invalid_field', { path: `/evidence/${i}/content`, expected: 'a file of 1 byte to 256 KB' })
    if (content !== null && sha256 !== null && sha256 !== hashes[i]) return refuse('protocol.invalid_field', { path: `/evidence/${i}/sha256`, expected: 'the SHA-256 of the content' })
  }
  return accept(null)
}

/** Until when the appeal has to be decided once the clock runs again. */
export function resumedClock(appeal: Appeal, at: Date): { decideBy: Date; pausedMs: number } {
  const pausedMs = appeal.pausedAt === null ? 0 : Math.max(0, at.getTime() - appeal.pausedAt.getTime())
  return { decideBy: new Date(appeal.decideBy.getTime() + pausedMs), pausedMs }
}

const FRAUD: readonly string[] = ['compliance.fraud_found']

/** Whether a missed clock leaves the measure as it is: a law beside another cause than compliance is no such ground. */
export function standsWhenMissed({ ground, cause }: Pick<Statement, 'ground' | 'cause'>): boolean {
  return (cause.class === 'compliance' && ground.some(({ type }) => type === 'law' || type === 'authority_order')) || FRAUD.includes(cause.code)
}

/** The measure made less. Refuses what is not named, and what would not be less. */
export function narrow(measure: Statement['measure'], change: Narrower): Outcome<Statement['measure']> {
  const less = { ...measure }
  if (change.scope !== undefined) {
    if (change.scope.length === 0 || change.scope.length >= measure.scope.length || change.scope.some((one) => !(measure.scope as string[]).includes(one))) {
      return refuse('protocol.invalid_field', { path: '/narrower/scope', expected: 'fewer of the scopes that the decision has' })
    }
    less.scope = [...change.scope] as typeof measure.scope
  }
  if (change.goods !== undefined) {
    const fits = change.goods.length > 0 && (measure.goods.length === 0 || (change.goods.length < measure.goods.length && change.goods.every((good) => measure.goods.includes(good))))
    if (!fits) return refuse('protocol.invalid_field', { path: '/narrower/goods', expected: 'fewer goods than the decision has' })
    less.goods = [...change.goods]
  }
  if (change.endsAt !== undefined) {
    if (measure.endsAt !== null && Date.parse(change.endsAt) >= Date.parse(measure.endsAt)) return refuse('protocol.invalid_field', { path: '/narrower/endsAt', expected: 'an earlier end than the decision has' })
    less.endsAt = change.endsAt
  }
  return change.scope === undefined && change.goods === undefined && change.endsAt === undefined
    ? refuse('protocol.invalid_field', { path: '/narrower', expected: 'fewer scopes, fewer goods or an earlier end' })
    : accept(less)
}
