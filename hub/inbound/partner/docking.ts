import type { FastifyInstance } from 'fastify'
import { DecisionPage, DecisionView, DiagnoseAsk, Diagnosis, Docking, NEWEST_VERSION, ReasonList, Report, ReportAsk } from '../../../protocol/messages.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { reasonCodes, reasonOf } from '../../../protocol/reasons.ts'
import { Type } from '../../../protocol/schema.ts'
import { decisionPage, decisionsOf, findDecision, isInForce, isStopping, type Decision } from '../../domain/decisions/index.ts'
import { report, type SeenRequest } from '../../domain/docking/index.ts'
import { KEY_SCOPES } from '../../domain/partners/index.ts'
import { isId } from '../../kernel/ids.ts'
import { limits } from '../../kernel/limits.ts'
import { bestOf } from '../drill-views.ts'
import { enterPaste } from '../diagnosis/budget.ts'
import { diagnose } from '../diagnosis/diagnose.ts'
import { ASK_BYTES, presentDiagnosis, readAsk } from '../diagnosis/present.ts'
import type { Hub } from '../hub.ts'
import { addRoute, problems, type Asked } from '../pipeline.ts'
import { timeOf } from '../signin.ts'
import { presentDecision } from '../present.ts'
import { presentReport } from '../present-report.ts'
import { withSeals } from '../sealed.ts'
import { presentSandbox } from './sandbox.ts'
import { throttleOf } from '../throttle.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

/** Whoever reads the report has come through: the request itself is the newest proof of it. */
const REPORT_PATH = '/api/docking/report'

export function dockingRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/docking', summary: 'Who am I: mode, key, limits, open decisions', scope: 'docking:read', answers: { 200: Docking },
    handler: async ({ docking, key, nowMs }) => {
      const decisions = await decisionsOf(hub.db, docking.lane, docking.id, true)
      return accept({
        status: 200,
        body: {
          id: docking.id, name: docking.name, mode: docking.mode, dialect: docking.dialect, state: decisions.some((one) => isStopping(one.statement.measure.kind) && inForceAt(one, nowMs)) ? 'held' : 'open',
          key: { id: key.id, kind: key.kind, scopes: key.scopes, createdAt: key.createdAt.toISOString(), expiresAt: key.expiresAt?.toISOString() ?? null },
          version: NEWEST_VERSION,
          limits: {
            requestsPerSecond: throttleOf(key, nowMs)?.requestsPerSecond ?? hub.limiter.options.requestsPerSecond, inFlight: hub.limiter.options.inFlight, requestBytes: limits.requestBytes, cardsPerOrder: limits.cardsPerOrder,
            batchOrders: limits.batchOrders, batchCards: limits.batchCards, batchBytes: limits.batchBytes,
          },
          decisions: await withSeals(hub, docking.lane, decisions.map((decision) => presentDecision(decision, nowMs))), drills: (await bestOf(hub, [docking])).get(docking.id),
          serverTime: new Date(nowMs).toISOString(),
          ...(docking.mode === 'sandbox' ? { sandbox: await presentSandbox(hub, docking, nowMs) } : {}),
        },
      })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: REPORT_PATH, summary: 'Why can I not dock? Every check, one verdict', scope: 'docking:read', answers: { 200: Report },
    handler: async (asked) => accept({ status: 200, body: await reportFor(hub, asked, null, null) }),
  })

  addRoute(app, hub, {
    method: 'POST', path: REPORT_PATH, summary: 'The report, with your own canonical string or a probe text compared', scope: 'docking:read', body: ReportAsk, answers: { 200: Report },
    handler: async (asked) => accept({ status: 200, body: await reportFor(hub, asked, asked.body.signature?.base ?? null, asked.body.probe ?? null) }),
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/docking/diagnose', summary: 'Which layer of one pasted request broke; nothing is changed, spent or placed', scope: 'docking:read', body: DiagnoseAsk, bodyLimit: ASK_BYTES, unlogged: true,
    answers: { 200: Diagnosis },
    handler: async ({ body, docking }) => {
      const ask = readAsk(body)
      if (!ask.ok) return ask
      const place = docking.mode === 'sandbox' ? enterPaste(hub.limiter, null, hub.clock.nowMs()) : null
      if (place?.ok === false) return place
      try {
        return accept({ status: 200, body: presentDiagnosis(hub.publicUrl, await diagnose(hub, docking, ask.value)) })
      } finally {
        place?.value.leave()
      }
    },
  })
}

function inForceAt({ statement: { measure } }: Decision, nowMs: number): boolean {
  return isInForce({ effectiveAt: new Date(measure.effectiveAt), endsAt: measure.endsAt === null ? null : new Date(measure.endsAt) }, new Date(nowMs))
}

/** The decisions about a docking, each with its whole statement: a key that can only look is enough to read why. */
export function decisionRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/decisions', summary: 'Decisions about this docking, newest first, each with its statement of reasons', scope: 'docking:read', answers: { 200: DecisionPage },
    query: Type.Object({ state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('all')])), cursor: Cursor, limit: Limit }, closed),
    handler: async ({ docking, query, nowMs }) => {
      const before = query.cursor ?? null
      if (before !== null && !isId('dec', before)) return refuse('protocol.invalid_field', { path: '?/cursor', expected: 'a cursor that the list before answered' })
      const limit = pageLimit(query.limit)
      const decisions = await decisionPage(hub.db, docking, { onlyOpen: query.state !== 'all', before, limit })
      return accept({ status: 200, body: { items: await withSeals(hub, docking.lane, decisions.map((one) => presentDecision(one, nowMs))), next: decisions.length === limit ? decisions.at(-1)!.id : null } })
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/decisions/:decision', summary: 'One decision with its statement of reasons', scope: 'docking:read', answers: { 200: DecisionView },
    handler: async ({ docking, params, nowMs }) => {
      const found = isId('dec', params.decision!) ? await findDecision(hub.db, docking.lane, params.decision!) : null
      // Another docking's decision is none: nobody learns who else is held.
      return found && found.docking === docking.id ? accept({ status: 200, body: (await withSeals(hub, docking.lane, [presentDecision(found, nowMs)]))[0] }) : refuse('decisions.not_found', { decision: params.decision!.slice(0, 64) })
    },
  })
}

async function reportFor(hub: Hub, asked: Asked, partnerBase: string | null, probe: string | null) {
  const made = await report(hub.db, hub.checks, asked.docking, {
    key: asked.key, allScopes: KEY_SCOPES, skewS: asked.skewS, base: asked.base, partnerBase, probe, requests: [{ id: asked.requestId, atMs: asked.nowMs, key: asked.key.id, route: REPORT_PATH, call: null, code: null }, ...requestsOf(hub, asked.docking.id)], version: NEWEST_VERSION, limits: hub.limiter.options, nowMs: asked.nowMs,
  }, timeOf(asked.key, asked.nowMs))
  return hub.signer.signDocument(presentReport(hub.publicUrl, made))
}

/** The last requests of the docking, as far as its report asks about them. */
function requestsOf(hub: Hub, docking: string): SeenRequest[] {
  return (hub.requests.page(docking, null, hub.requests.perDocking) ?? []).map(({ id, atMs, keyId, route, body, code }) => {
    const { call } = (typeof body === 'object' && body !== null ? body : {}) as { call?: unknown }
    return { id, atMs, key: keyId, route, call: typeof call === 'string' ? call : null, code }
  })
}

export function reasonRoutes(app: FastifyInstance, hub: Hub): void {
  app.get('/api/reasons', { schema: { summary: 'The vocabulary of refusal', tags: ['public'], response: { 200: { description: 'Every code', content: { 'application/json': { schema: ReasonList } } }, ...problems } } }, async () => ({
    items: reasonCodes.map((code) => ({ code, ...reasonOf(code), docs: `${hub.publicUrl}/reasons/${code}` })), next: null,
  }))
}
