import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import {
  approveDraft, decisionPage, draftDecision, findDecisionById, hold, isWithheld, lift, runChecks, SCOPES, supersede, type CheckRun, type Decision, type Statement, type StatementDraft,
} from '../../domain/decisions/index.ts'
import type { Docking } from '../../domain/partners/index.ts'
import type { Hub } from '../hub.ts'
import type { Answer } from '../pipeline.ts'
import { presentDecisionToOperator } from '../present.ts'
import { withDocking } from './dockings.ts'
import { addOperatorRoute } from './route.ts'
import { Decide, Ground, readStatement } from './statement.ts'

const closed = { additionalProperties: false }
const Text = Type.String({ minLength: 1, maxLength: 2000 })

/** The short form: one measure that suspends, with one way back. */
const Hold = Type.Object({
  code: Type.String({ maxLength: 60 }),
  scope: Type.Array(Type.Union(SCOPES.map((scope) => Type.Literal(scope))), { minItems: 1, maxItems: 5 }),
  goods: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 500 })),
  facts: Type.Array(Text, { maxItems: 20 }),
  ground: Type.Array(Ground, { maxItems: 10 }),
  remedy: Type.Object({ en: Text, zh: Text }, closed),
  evidence: Type.Optional(Type.Array(Type.Object({ id: Type.String({ maxLength: 80 }), kind: Type.String({ maxLength: 20 }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 lower-case hexadecimal digits' }) }, closed), { maxItems: 20 })),
  liftsWhen: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  endsAt: Type.Optional(Type.String({ maxLength: 40 })),
  releaseAt: Type.Optional(Type.String({ maxLength: 40 })),
}, closed)

const Run = Type.Object({
  check: Type.Optional(Type.String({ maxLength: 60, pattern: '^[a-z]+\\.[a-z_]+$', title: 'the name of a check, such as ledger.funds' })),
  secret: Type.Optional(Type.String({ minLength: 8, maxLength: 4096, description: 'A secret that was found; only its SHA-256 is kept.' })),
}, closed)

const DECISIONS = 100

export function decisionRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/holds', summary: 'Suspend a docking by a decision with its statement of reasons: the short form', body: Hold,
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      const { scope, endsAt, liftsWhen, releaseAt, remedy, goods, ...rest } = body
      const read = await readStatement(hub, docking, {
        ...rest, remedy: [{ action: remedy }], funds: releaseAt === undefined ? {} : { releaseAt },
        measure: { kind: 'suspend', scope, ...(goods === undefined ? {} : { goods }), ...(endsAt === undefined ? {} : { endsAt }), ...(liftsWhen === undefined ? {} : { liftsWhen }) },
      } as Decide, by)
      return read.ok ? decide(hub, docking, read.value, by) : read
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/decisions', summary: 'Decide a measure of any kind, with its whole statement of reasons', body: Decide,
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      const read = await readStatement(hub, docking, body, by)
      return read.ok ? decide(hub, docking, read.value, by) : read
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/decisions/:decision/supersede', summary: 'Put another decision in the place of one that is open', body: Type.Object({ note: Text, statement: Decide }, closed),
    handler: async ({ body, params, by }) => {
      const old = await findDecisionById(hub.db, params.decision!.slice(0, 64))
      if (!old) return refuse('decisions.not_found', { decision: params.decision!.slice(0, 64) })
      return withDocking(hub, old.docking, async (docking) => {
        const read = await readStatement(hub, docking, body.statement, by)
        if (!read.ok) return read
        return told(hub, await supersede(hub.db, { old: old.id, id: makeId(hub), statement: read.value, by, note: body.note, publishedRate: hub.limiter.options.requestsPerSecond }), 201)
      })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/drafts/:draft/approve', summary: 'Approve a measure that another person drafted, since its facts are withheld by law',
    handler: async ({ params, by }) => told(hub, await approveDraft(hub.db, { draft: params.draft!.slice(0, 64), id: makeId(hub), by }), 201),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/decisions/:decision/lift', summary: 'Lift a measure', body: Type.Object({ note: Text }, closed),
    handler: async ({ body, params, by }) => told(hub, await lift(hub.db, { id: params.decision!, by, note: body.note }), 200),
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/decisions/:decision', summary: 'One decision, whole',
    handler: async ({ params }) => {
      const found = await findDecisionById(hub.db, params.decision!.slice(0, 64))
      return found ? accept({ status: 200, body: presentDecisionToOperator(found, hub.clock.nowMs()) }) : refuse('decisions.not_found', { decision: params.decision!.slice(0, 64) })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/dockings/:docking/decisions', summary: 'The decisions about a docking, newest first',
    query: Type.Object({ state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('all')])), before: Type.Optional(Type.String({ maxLength: 40 })), limit: Type.Optional(Type.String({ maxLength: 3 })) }, closed),
    handler: ({ params, query }) => withDocking(hub, params.docking!, async (docking) => {
      const found = await decisionPage(hub.db, docking, { onlyOpen: query.state === 'open', before: query.before ?? null, limit: DECISIONS })
      return accept({ status: 200, body: { items: found.map((one) => presentDecisionToOperator(one, hub.clock.nowMs())), next: found.length === DECISIONS ? found.at(-1)!.id : null } })
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/checks', summary: 'Run the checks of the report against a docking and keep what they found: what a technical measure rests on', body: Run,
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      const now = new Date(hub.clock.nowMs())
      const inputHash = body.secret === undefined ? null : createHash('sha256').update(body.secret).digest('hex')
      const runs = await runChecks(hub.db, { checks: hub.checks, inputs: hub.inputChecks }, docking, { check: body.check ?? null, inputHash, by, makeId: () => hub.ids.make('chk', now.getTime()) }, now)
      if (runs.length === 0) return refuse('protocol.invalid_field', { path: '/check', expected: Object.hasOwn(hub.inputChecks, body.check ?? '') ? 'a secret beside it: this check looks for one' : 'a check that this hub runs; berth check run lists them' })
      return accept({ status: 201, body: { items: runs.map(presentRun), next: null } })
    }),
  })
}

/** A measure whose facts may not be told waits for a second person; any other stands at once. */
async function decide(hub: Hub, docking: Docking, statement: StatementDraft, by: string): Promise<Outcome<Answer>> {
  const command = { id: makeId(hub), lane: docking.lane, docking: docking.id, statement, by, publishedRate: hub.limiter.options.requestsPerSecond }
  if (!isWithheld(statement as Statement)) return told(hub, await hold(hub.db, command), 201)
  const drafted = await draftDecision(hub.db, { ...command, id: hub.ids.make('dft', hub.clock.nowMs()) })
  return drafted.ok ? accept({ status: 202, body: { draft: drafted.value.draft, madeBy: by } }) : drafted
}

/** Whatever changed a measure counts in this process before the answer is out: rates and keys are asked at the door. */
async function told(hub: Hub, outcome: Outcome<Decision>, status: number): Promise<Outcome<Answer>> {
  if (!outcome.ok) return outcome
  hub.keys.forget(outcome.value.docking)
  const { value } = outcome
  // A dearer place ends with the decision behind it; of a superseded one the clock of prices sees within a second.
  if (value.liftedAt !== null && value.statement.measure.kind === 'level') await hub.prices.returnPlaced()
  return accept({ status, body: { ...presentDecisionToOperator(value, hub.clock.nowMs()), ...(value.liftedAt === null ? {} : { liftedAt: value.liftedAt.toISOString() }) } })
}

function makeId(hub: Hub): string {
  return hub.ids.make('dec', hub.clock.nowMs())
}

function presentRun({ id, docking, check, version, inputHash, verdict, code, side, reproducible, result, sha256, ranBy, ranAt }: CheckRun) {
  return { id, docking, check, version, inputHash, verdict, code, side, reproducible, result, sha256, ranBy, ranAt: ranAt.toISOString() }
}
