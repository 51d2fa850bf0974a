import { accept, type Outcome } from '../../../protocol/outcome.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { dropToWarn, findDecision, lift, supersede, type Decision } from '../decisions/index.ts'
import type { Appeal, Narrower } from './model.ts'
import { narrow } from './rules.ts'

/** The decision that stands now: the one appealed against, or the warning that a missed clock has left of it. */
async function standing(db: Database, appeal: Appeal): Promise<Decision> {
  return (await findDecision(db, appeal.lane, appeal.outcomeDecision ?? appeal.decision))!
}

/** Ends the measure at once. One that had ended already stays ended when it did. */
export async function overturnMeasure(db: Database, appeal: Appeal, by: string): Promise<Outcome<null>> {
  const lifted = await lift(db, { id: (await standing(db, appeal)).id, by, note: 'overturned on appeal', source: 'appeal' })
  return lifted.ok || lifted.refusal.code === 'decisions.already_lifted' ? accept(null) : lifted
}

/** Puts a decision with a lesser measure in the place of the one that stands. @returns the new one's id */
export async function narrowMeasure(db: Database, appeal: Appeal, change: Narrower, id: string, by: string): Promise<Outcome<string>> {
  const { id: old, statement } = await standing(db, appeal)
  const less = narrow(statement.measure, change)
  if (!less.ok) return less
  const put = await supersede(db, { old, id, by, note: 'right in part on appeal', how: 'appeal', statement: { ...statement, measure: less.value } })
  return put.ok ? accept(put.value.id) : put
}

/** Leaves a warning of a measure whose appeal was not decided in time. @returns the warning; null where nothing stood, or nothing is left */
export async function dropMeasure(db: Database, appeal: Appeal, id: string): Promise<Outcome<string | null>> {
  const dropped = await dropToWarn(db, { old: appeal.decision, id, by: 'appeal_clock', note: 'the appeal was not decided in time', how: 'appeal_clock' })
  if (dropped.ok) return accept(dropped.value.id === appeal.decision ? null : dropped.value.id)
  return dropped.refusal.code === 'decisions.already_lifted' ? accept(null) : dropped
}
