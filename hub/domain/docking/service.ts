import type { Check, CheckedDocking } from '../../kernel/checks.ts'
import { loadRefusals, readRefusals } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { findDecision } from '../decisions/index.ts'
import type { Approach, Report } from './model.ts'
import { wireChecks } from './rules.ts'
import { causesOf, inOrder, statedBy, verdictOf } from './verdict.ts'

/** Runs the checks of the wire and then every room's own, in the order in which things break, and ends with one verdict. */
export async function report(db: Database, checks: readonly Check[], docking: CheckedDocking, approach: Approach, at: Date): Promise<Report> {
  const refusals = readRefusals(await db.run(loadRefusals(docking.lane, docking.id, 100)))
  const results = wireChecks(approach, refusals, docking.lane, at)
  for (const check of checks) {
    for (const result of await check(docking, at)) {
      const decision = result.evidence?.startsWith('dec_') ? await findDecision(db, docking.lane, result.evidence) : null
      results.push(decision ? statedBy(result, decision) : result)
    }
  }
  const ordered = inOrder(results)
  return { docking: docking.id, mode: docking.mode, at, checks: ordered, causes: causesOf(ordered), verdict: verdictOf(ordered) }
}
