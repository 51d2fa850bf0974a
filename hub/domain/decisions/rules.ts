import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { reasonOf } from '../../../protocol/reasons.ts'
import type { Measure, Scope, Statement } from './model.ts'

export const REVIEW_WITHIN_DAYS = 90

/** The measures that stand against an act at a time, as refusals under their own true class; the oldest in front. */
export function refusalsInForce(measures: readonly Measure[], act: { scope: Scope; good?: string }, at: Date): Refusal[] {
  return measures
    .filter((m) => m.scope.includes(act.scope) && m.effectiveAt <= at && (m.endsAt === null || m.endsAt > at))
    .filter((m) => m.goods.length === 0 || (act.good !== undefined && m.goods.includes(act.good)))
    .sort((a, b) => a.effectiveAt.getTime() - b.effectiveAt.getTime())
    .map((m) => ({
      code: m.code,
      because: { measure: m.kind, since: m.effectiveAt.toISOString() },
      decision: m.decision,
    }))
}

/**
 * Whether a statement may stand. Each class needs what proves it: technical a check run, commercial a contract or a rule
 * that was public for seven days, compliance an article. The database holds the same line once more.
 */
export function admit(statement: Statement, at: Date): Outcome<null> {
  const missing: string[] = []
  const reason = reasonOf(statement.cause.code)
  if (reason.kind !== 'measure') return refuse('protocol.invalid_field', { path: '/code', expected: 'a code that a decision may give' })
  if (reason.class !== statement.cause.class) missing.push(`class ${reason.class} for ${statement.cause.code}`)
  if (statement.measure.scope.length === 0) missing.push('scope')
  if (!(Date.parse(statement.clocks.reviewAt) <= at.getTime() + REVIEW_WITHIN_DAYS * DAY_MS)) missing.push('a review within 90 days')
  if (statement.facts.length === 0 || statement.facts.some((fact) => fact.text.trim().length < LEAST_FACT)) missing.push('facts of at least 5 characters each')
  if (statement.remedy.length === 0) missing.push('remedy')
  const written = JSON.stringify([statement.facts, statement.remedy, statement.ground]).toLowerCase()
  if (FOG.some((word) => written.includes(word))) missing.push('plain words instead of "incompatible" or "system error"')
  if (statement.cause.class === 'technical' && !statement.evidence.some((e) => e.kind === 'check_run')) missing.push('evidence of a red check')
  const grounds = statement.ground.filter((g) => g.ref.trim() !== '' && g.article.trim() !== '')
  if (statement.cause.class === 'commercial' && !grounds.some((g) => isRule(g) && isPublic(g, at))) {
    missing.push('ground: a contract, or a rule published at least 7 days ago')
  }
  if (statement.cause.class === 'compliance' && grounds.length === 0) missing.push('ground: an article')
  if (statement.measure.scope.includes('funds') && !statement.funds.releaseAt) missing.push('funds.releaseAt')
  return missing.length === 0 ? accept(null) : refuse('decisions.statement_incomplete', { missing })
}

/** 没有执照。 is a fact; less is not a sentence in any language. */
const LEAST_FACT = 5

/** Words that explain nothing. A statement that needs them has no reason. */
const FOG = ['incompatible', 'system error', '系统不兼容', '系统错误']
const NOTICE_DAYS = 7
const DAY_MS = 86_400_000

function isRule(ground: Statement['ground'][number]): boolean {
  return ground.type === 'contract' || ground.type === 'published_rule'
}

function isPublic(ground: Statement['ground'][number], at: Date): boolean {
  return ground.type === 'contract' || Date.parse(ground.publishedAt) <= at.getTime() - NOTICE_DAYS * DAY_MS
}
