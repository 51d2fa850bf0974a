import { accept, type Outcome } from '../../../protocol/outcome.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { hold, lift, type Decision } from '../decisions/index.ts'
import type { Narrower } from './model.ts'
import { narrow } from './rules.ts'

/** Ends the measure at once. One that had ended already stays ended when it did. */
export async function overturnMeasure(db: Database, decision: Decision, by: string): Promise<Outcome<null>> {
  const lifted = await lift(db, { id: decision.id, by, note: 'overturned on appeal' })
  return lifted.ok || lifted.refusal.code === 'decisions.already_lifted' ? accept(null) : lifted
}

/** Puts a decision with a lesser measure in the place of this one; the new one stands before the old one ends. */
export async function narrowMeasure(db: Database, decision: Decision, change: Narrower, id: string, by: string): Promise<Outcome<Decision>> {
  const less = narrow(decision.statement.measure, change)
  if (!less.ok) return less
  const held = await hold(db, { id, lane: decision.lane, docking: decision.docking, by, statement: { ...decision.statement, measure: less.value } })
  if (!held.ok) return held
  const lifted = await overturnMeasure(db, decision, by)
  return lifted.ok ? held : lifted
}

/** What is left of a measure whose appeal was not decided in time: the statement, and nothing that blocks. */
export async function dropMeasure(db: Database, decision: Decision): Promise<Outcome<null>> {
  const lifted = await lift(db, { id: decision.id, by: 'appeal_clock', note: 'the appeal was not decided in time' })
  return lifted.ok || lifted.refusal.code === 'decisions.already_lifted' ? accept(null) : lifted
}
