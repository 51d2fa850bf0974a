import type { Check, CheckedDocking } from '../../kernel/checks.ts'
import { loadRefusals, readRefusals } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Approach, Report } from './model.ts'
import { verdictOf, wireChecks } from './rules.ts'

/** Runs the checks of the wire and then every room's own, and ends with one verdict. */
export async function report(db: Database, checks: readonly Check[], docking: CheckedDocking, approach: Approach, at: Date): Promise<Report> {
  const refusals = readRefusals(await db.run(loadRefusals(docking.lane, docking.id, 100)))
  const results = wireChecks(approach, refusals, docking.lane, at)
  for (const check of checks) results.push(...(await check(docking, at)))
  return { docking: docking.id, mode: docking.mode, at, checks: results, verdict: verdictOf(results) }
}
