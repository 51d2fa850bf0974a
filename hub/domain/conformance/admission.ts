import { accept, type Outcome } from '../../../protocol/outcome.ts'
import type { LaneWork } from '../../platform/facts.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import type { Docking } from '../partners/index.ts'
import type { Run } from './model.ts'
import { admits, kitDialect } from './rules.ts'
import { insertAdmission } from './store.ts'

/** What a person says with the opening of a live docking: a green run, or why none is asked for. */
export type AdmissionAsk = { run: Run; by: string } | { reason: string; by: string }

/** Whether a badge admits a docking of this dialect, before anything is opened. */
export function mayAdmit(ask: AdmissionAsk, dialect: string, at: Date): Outcome<null> {
  return 'run' in ask ? admits(ask.run, kitDialect(dialect), at) : accept(null)
}

/** Writes down with the opening how a live docking was admitted. */
export async function writeAdmission(connection: Connection, docking: Docking, ask: AdmissionAsk, at: Date, append: LaneWork['append']): Promise<void> {
  const run = 'run' in ask ? ask.run.id : null
  const reason = 'run' in ask ? null : ask.reason
  await connection.run(insertAdmission({ lane: docking.lane, docking: docking.id, run, reason, by: ask.by, at }))
  const kind = run === null ? 'conformance.waived' : 'conformance.admitted'
  append({ lane: docking.lane, docking: docking.id, kind, subject: docking.id, code: null, body: JSON.stringify({ ...(run === null ? { reason } : { run }), by: ask.by }) })
}
