import { accept, type Outcome } from '../../../protocol/outcome.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { dropToWarn, findDecision, overturn, supersede, whatStands } from '../decisions/index.ts'
import type { Appeal, Narrower } from './model.ts'
import { narrow } from './rules.ts'

/** Ends the measure at once, whatever stands in its place by now. One that had ended already stays ended when it did. */
export async function overturnMeasure(db: Database, appeal: Appeal, by: string): Promise<Outcome<null>> {
  return overturn(db, { id: appeal.decision, by, note: 'overturned on appeal' })
}

/** Puts a decision with a lesser measure in the place of the one that stands. @returns the new one's id */
export async function narrowMeasure(db: Database, appeal: Appeal, change: Narrower, id: string, by: string): Promise<Outcome<string>> {
  const { id: old, statement, decidedBy } = await whatStands(db, appeal.lane, appeal.decision)
  const before = statement.supersedes === null || old === appeal.decision ? null : await findDecision(db, appeal.lane, statement.supersedes)
  // Done already by the same hand, and not written down.
  if (before?.liftHow === 'appeal' && decidedBy === by) return accept(old)
  const less = narrow(statement.measure, change)
  if (!less.ok) return less
  const put = await supersede(db, { old, id, by, note: 'right in part on appeal', how: 'appeal', statement: { ...statement, measure: less.value } })
  return put.ok ? accept(put.value.id) : put
}

/** Leaves a warning of a measure whose appeal was not decided in time. @returns the warning; null where nothing stood, or nothing is left */
export async function dropMeasure(db: Database, appeal: Appeal, id: string): Promise<Outcome<string | null>> {
  const stands = await whatStands(db, appeal.lane, appeal.decision)
  if (stands.liftedAt === null && stands.statement.measure.kind === 'warn') return accept(stands.id === appeal.decision ? null : stands.id)
  const dropped = await dropToWarn(db, { old: stands.id, id, by: 'appeal_clock', note: 'the appeal was not decided in time', how: 'appeal_clock' })
  if (dropped.ok) return accept(dropped.value.id === stands.id ? null : dropped.value.id)
  return dropped.refusal.code === 'decisions.already_lifted' ? accept(null) : dropped
}
