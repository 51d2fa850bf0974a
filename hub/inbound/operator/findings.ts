import type { FastifyInstance } from 'fastify'
import { accept } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import type { Finding } from '../../domain/risk/index.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const PAGE = 100
const FindingId = Type.String({ pattern: '^fnd_[0-9a-z]{20}$', title: 'the id of a finding, fnd_…' })

/** What the detectors suggest. None of it does anything before a person decides. */
export function findingRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/findings', summary: 'What pattern detectors saw, in bands, newest first', query: Type.Object({ before: Type.Optional(FindingId) }, closed),
    handler: async ({ query }) => {
      const items = await hub.risk.findings(query.before ?? null, PAGE)
      return accept({ status: 200, body: { items: items.map(present), next: items.length === PAGE ? items.at(-1)!.id : null } })
    },
  })
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/findings/evidence', summary: 'The whole evidence of a finding, for whoever decides the appeal', role: 'reviewer', query: Type.Object({ finding: FindingId }, closed),
    handler: async ({ query }) => {
      const found = await hub.risk.evidence(query.finding)
      return accept({ status: 200, body: { items: found ? [found] : [], next: null } })
    },
  })
}

/** `evidence` is what a hold may cite: the hash binds the hub to what it does not show. */
function present({ id, docking, detector, day, good, bands, commitment, foundAt }: Finding) {
  return { id, docking, detector, day, good, bands, evidence: { id, kind: 'finding', sha256: commitment, disclosure: 'withheld_detection' }, foundAt: foundAt.toISOString() }
}
