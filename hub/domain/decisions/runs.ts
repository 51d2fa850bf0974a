import { createHash } from 'node:crypto'
import { canonicalJson } from '../../../protocol/canonical.ts'
import type { Check, CheckedDocking, CheckResult } from '../../kernel/checks.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { CheckRun } from './model.ts'
import { insertKnown, insertRun } from './store.ts'

/** How the checks of this hub are told apart from those of a later one. */
const VERSION = '1'
/** This room's own check looks at decisions: it can ground none, and lift none. */
const OWN = 'decisions.'

/** A check that looks for a found secret, given its SHA-256 alone. */
export type InputCheck = (docking: CheckedDocking, inputHash: string, at: Date) => Promise<CheckResult>

/** All that the hub can run against a docking: the checks of its report, and those that need an input, by name. */
export type CheckDesk = { checks: readonly Check[]; inputs: Readonly<Record<string, InputCheck>> }

/** What a check finds now; empty where no check has the name. Without a name every check of the report. */
export async function look(desk: CheckDesk, docking: CheckedDocking, asked: { check: string | null; inputHash: string | null }, at: Date): Promise<CheckResult[]> {
  const withInput = asked.check === null || asked.inputHash === null ? undefined : desk.inputs[asked.check]
  if (withInput) return [await withInput(docking, asked.inputHash!, at)]
  const results: CheckResult[] = []
  for (const check of desk.checks) results.push(...(await check(docking, at)))
  return results.filter((one) => !one.check.startsWith(OWN) && (asked.check === null || one.check === asked.check))
}

/** Runs checks against a docking and keeps what they found: these are the only runs that a technical measure can rest on. */
export async function runChecks(
  db: Database, desk: CheckDesk, docking: CheckedDocking, asked: { check: string | null; inputHash: string | null; by: string; makeId: () => string }, at: Date,
): Promise<CheckRun[]> {
  const found = await look(desk, docking, asked, at)
  if (found.length === 0) return []
  return db.transaction((connection) => underLanes(connection, [docking.lane], async ({ append }) => {
    const runs: CheckRun[] = []
    for (const result of found) {
      // What the law withholds is told by its decision and proves nothing here.
      if (result.verdict === 'withheld') continue
      const inputHash = Object.hasOwn(desk.inputs, result.check) ? asked.inputHash : null
      const run: Omit<CheckRun, 'ranAt'> = {
        lane: docking.lane, id: asked.makeId(), docking: docking.id, check: result.check, version: VERSION, inputHash, verdict: result.verdict as CheckRun['verdict'], code: result.code, side: result.side,
        // Whatever stands in the report the partner can ask for at any time; who holds a secret can hash it.
        reproducible: true, result, sha256: createHash('sha256').update(canonicalJson({ docking: docking.id, at: at.toISOString(), inputHash, result })).digest('hex'), ranBy: asked.by,
      }
      const ranAt = (await connection.run(insertRun(run)))[0]![0] as Date
      runs.push({ ...run, ranAt })
      append({ lane: docking.lane, docking: docking.id, kind: 'check.ran', subject: run.id, code: null, body: JSON.stringify({ check: run.check, verdict: run.verdict, sha256: run.sha256 }) })
    }
    await connection.run(insertKnown(docking.lane, docking.id, runs.map((run) => run.sha256)))
    return runs
  }))
}
