import type { FastifyInstance } from 'fastify'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { mayAdmit, type AdmissionAsk } from '../../domain/conformance/index.ts'
import { findDocking } from '../../domain/partners/index.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

/** A docking that is opened with neither a badge nor a reason is a waiver too, and says in whose name. */
const BY_HAND = 'opened by the operator by hand'

export function admissionRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/conformance', summary: 'How many live dockings came in by a badge, and how many by a waiver',
    handler: async () => accept({ status: 200, body: await hub.conformance.countAdmissions() }),
  })
}

/** Whose sandbox the run was: the live docking that it admits belongs to the same partner, so that nobody goes live by another's badge. */
export async function partnerBehind(hub: Hub, run: { docking: string }): Promise<string> {
  const docking = await findDocking(hub.db, run.docking)
  if (!docking) throw new Error(`the docking ${run.docking} of a conformance run is not there`)
  return docking.partner
}

/** How a docking that is about to be opened is admitted; null for a sandbox, of which nothing is asked. */
export async function admissionFor(hub: Hub, ask: { mode: string; dialect: string; badge?: string | undefined; waiver?: string | undefined }, by: string): Promise<Outcome<AdmissionAsk | null>> {
  const { mode, dialect, badge, waiver } = ask
  if (badge !== undefined && waiver !== undefined) return refuse('protocol.invalid_field', { path: '/waiver', expected: 'a badge or a waiver, and not both' })
  if (mode !== 'live') return badge === undefined && waiver === undefined ? accept(null) : refuse('protocol.invalid_field', { path: badge === undefined ? '/waiver' : '/badge', expected: 'a live docking: nothing is asked of a sandbox' })
  if (badge === undefined) return accept({ reason: waiver ?? BY_HAND, by })
  const run = await hub.conformance.findRun(badge)
  if (!run) return refuse('conformance.run_not_found', { run: badge.slice(0, 64) })
  const admitted = mayAdmit({ run, by }, dialect, new Date(hub.clock.nowMs()))
  return admitted.ok ? accept({ run, by }) : admitted
}
