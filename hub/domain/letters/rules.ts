import type { Decision } from '../decisions/index.ts'

export type Standing = 'in_force' | 'to_come' | 'lifted' | 'ended' | 'superseded'

export function standingOf(decision: Pick<Decision, 'liftedAt' | 'statement'> & Partial<Pick<Decision, 'supersededBy'>>, at: Date): Standing {
  if (decision.liftedAt !== null && decision.supersededBy) return 'superseded'
  const ends = decision.statement.measure.endsAt
  if (ends !== null && Date.parse(ends) <= at.getTime() && (decision.liftedAt === null || Date.parse(ends) <= decision.liftedAt.getTime())) return 'ended'
  if (decision.liftedAt !== null) return 'lifted'
  return Date.parse(decision.statement.measure.effectiveAt) > at.getTime() ? 'to_come' : 'in_force'
}
