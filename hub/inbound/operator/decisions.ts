import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { parseTime } from '../../../protocol/time.ts'
import { isReasonCode, reasonOf } from '../../../protocol/reasons.ts'
import { hold, lift, REVIEW_WITHIN_DAYS, SCOPES, type Scope, type Statement } from '../../domain/decisions/index.ts'
import { presentDecision } from '../present.ts'
import type { Hub } from '../hub.ts'
import { withDocking } from './dockings.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const Text = Type.String({ minLength: 1, maxLength: 2000 })
const DAY_MS = 86_400_000
/** What a measure can stop today. A hold on anything else would be a statement that does nothing. */
const HELD: readonly Scope[] = ['orders', 'goods', 'key']

const Hold = Type.Object({
  code: Type.String({ maxLength: 60 }),
  scope: Type.Array(Type.Union(SCOPES.map((scope) => Type.Literal(scope))), { minItems: 1, maxItems: 5 }),
  facts: Type.Array(Text, { maxItems: 20 }),
  ground: Type.Array(Type.Object({
    type: Type.Union(['law', 'contract', 'published_rule', 'authority_order'].map((type) => Type.Literal(type))),
    ref: Type.String({ maxLength: 200 }), article: Type.String({ maxLength: 100 }), quote: Type.Optional(Type.String({ maxLength: 2000 })), publishedAt: Type.Optional(Type.String({ maxLength: 40 })),
  }, closed), { maxItems: 10 }),
  remedy: Type.Object({ en: Text, zh: Text }, closed),
  evidence: Type.Optional(Type.Array(Type.Object({ id: Type.String({ maxLength: 80 }), kind: Type.String({ maxLength: 20 }), sha256: Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 lower-case hexadecimal digits' }) }, closed), { maxItems: 20 })),
  liftsWhen: Type.Optional(Type.String({ maxLength: 500 })),
  endsAt: Type.Optional(Type.String({ maxLength: 40 })),
  releaseAt: Type.Optional(Type.String({ maxLength: 40 })),
}, closed)

export function decisionRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/holds', summary: 'Hold a docking by a decision with its statement of reasons', body: Hold,
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      if (!isReasonCode(body.code) || reasonOf(body.code).kind !== 'measure') return refuse('protocol.invalid_field', { path: '/code', expected: 'the code of a measure; GET /api/reasons lists them' })
      const hollow = (body.scope as Scope[]).find((scope) => !HELD.includes(scope))
      if (hollow !== undefined) return refuse('protocol.invalid_field', { path: '/scope', expected: 'orders, goods or key: nothing else can be held yet' })
      const now = new Date(hub.clock.nowMs())
      const bad = (['endsAt', 'releaseAt'] as const).find((name) => body[name] !== undefined && !((parseTime(body[name]!) ?? 0) > now.getTime()))
      if (bad) return refuse('protocol.invalid_field', { path: `/${bad}`, expected: 'a time to come, in RFC 3339' })
      const undated = body.ground.findIndex((g) => g.publishedAt !== undefined && publishedMs(g.publishedAt) === null)
      if (undated >= 0) return refuse('protocol.invalid_field', { path: `/ground/${undated}/publishedAt`, expected: 'a day such as 2018-08-31, or a time in RFC 3339' })
      const reason = reasonOf(body.code)
      const statement: Statement = {
        measure: { kind: 'suspend', scope: body.scope as Scope[], goods: [], effectiveAt: now.toISOString(), endsAt: body.endsAt ?? null, liftsWhen: body.liftsWhen ?? null },
        cause: { class: reason.class, code: body.code, side: reason.side },
        ground: body.ground.map((g) => ({ ...g, type: g.type as 'law', quote: g.quote ?? '', publishedAt: g.publishedAt === undefined ? '' : new Date(publishedMs(g.publishedAt)!).toISOString() })),
        facts: body.facts.map((text) => ({ text })),
        evidence: (body.evidence ?? []).map((e) => ({ ...e, kind: e.kind as 'file', disclosure: 'full' as const })),
        source: body.code === 'compliance.authority_order' ? 'authority_order' : 'own_review',
        automation: { detection: false, decision: 'not', reviewer: by },
        remedy: [{ step: 1, action: body.remedy, who: 'partner', evidenceNeeded: [] }],
        clocks: { respondBy: after(now, 7), decideAppealBy: after(now, 15), reviewAt: after(now, REVIEW_WITHIN_DAYS) },
        appeal: { channel: `${hub.publicUrl}/reasons/${body.code}`, free: true, differentReviewer: true },
        funds: { held: (body.scope as Scope[]).includes('funds') ? 'all' : '0', releaseAt: body.releaseAt ?? null, ordersInFlight: 'finish' },
      }
      const held = await hold(hub.db, { id: hub.ids.make('dec', now.getTime()), lane: docking.lane, docking: docking.id, statement, by })
      return held.ok ? accept({ status: 201, body: presentDecision(held.value) }) : held
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/decisions/:decision/lift', summary: 'Lift a measure', body: Type.Object({ note: Text }, closed),
    handler: async ({ body, params, by }) => {
      const lifted = await lift(hub.db, { id: params.decision!, by, note: body.note })
      return lifted.ok ? accept({ status: 200, body: { ...presentDecision(lifted.value), liftedAt: lifted.value.liftedAt!.toISOString() } }) : lifted
    },
  })
}

/** Laws and rules are published on a day; the day begins at midnight in China. */
function publishedMs(text: string): number | null {
  return parseTime(text) ?? parseTime(`${text}T00:00:00+08:00`)
}

function after(now: Date, days: number): string {
  return new Date(now.getTime() + days * DAY_MS).toISOString()
}
