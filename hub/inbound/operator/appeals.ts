import type { FastifyInstance } from 'fastify'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { parseTime } from '../../../protocol/time.ts'
import {
  appealOutcomes, askEvidence, decideAppeal, EVIDENCE_DUE_MAX_DAYS, extendAppeal, EXTENSION_MAX_DAYS, findAppeal, isOpen, listAppeals, openFile, type Appeal, type Narrower, type Verdict, type WholeAppeal,
} from '../../domain/appeals/index.ts'
import { isId } from '../../kernel/ids.ts'
import type { Hub } from '../hub.ts'
import type { Answer } from '../pipeline.ts'
import { presentAppeal, presentWholeAppeal } from '../present.ts'
import { Names } from './names.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const Text = Type.String({ minLength: 5, maxLength: 4000 })
const READERS = ['operator', 'reviewer'] as const

/** What the main site does with appeals. Everybody at work there may read; who decides is a reviewer, and another person than the one who decided. */
export function appealRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/appeals', summary: 'Appeals, newest first: their clocks, and who may not decide them', role: READERS,
    query: Type.Object({
      state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('all')])), before: Type.Optional(Type.String({ maxLength: 40 })),
      limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits' })),
    }, closed),
    handler: async ({ query }) => {
      if (query.before !== undefined && !isId('apl', query.before)) return refuse('protocol.invalid_field', { path: '?/before', expected: 'a cursor that the list before answered' })
      const limit = Math.min(Number(query.limit ?? 100), 500)
      const appeals = await listAppeals(hub.db, query.state !== 'all', query.before ?? null, limit)
      const names = new Names(hub)
      await names.learn(appeals.map(({ docking }) => docking), [])
      return accept({ status: 200, body: { items: appeals.map((one) => ({ ...present(hub, one), ...names.of(one.docking, '') })), next: appeals.length === limit ? appeals.at(-1)!.id : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/appeals/:appeal', summary: 'One appeal with all that was said, and by whom', role: READERS,
    handler: async ({ params }) => {
      const found = await findAppeal(hub, params.appeal!, null)
      return found ? accept({ status: 200, body: presentWhole(hub, found) }) : refuse('appeals.not_found', { appeal: params.appeal!.slice(0, 64) })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/appeals/:appeal/evidence/:number', summary: 'A document of an appeal, in base64', role: 'reviewer',
    handler: async ({ params }) => {
      const file = /^\d{1,2}$/.test(params.number!) ? await openFile(hub, params.appeal!, Number(params.number)) : null
      return file ? accept({ status: 200, body: { name: file.name, content: file.content.toString('base64') } }) : refuse('appeals.not_found', { appeal: `${params.appeal!.slice(0, 40)}/${params.number!.slice(0, 20)}` })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/appeals/:appeal/ask', summary: 'Ask the partner for more; the clock stands still until it is given or due', role: 'reviewer',
    body: Type.Object({ text: Text, days: Type.Integer({ minimum: 1, maximum: EVIDENCE_DUE_MAX_DAYS }) }, closed),
    handler: async ({ params, body, by }) => answerWith(hub, await askEvidence(hub, { id: params.appeal!, text: body.text, days: body.days, by })),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/appeals/:appeal/extend', summary: 'Put the clock off, once, with a reason that the partner reads', role: 'reviewer',
    body: Type.Object({ text: Text, days: Type.Integer({ minimum: 1, maximum: EXTENSION_MAX_DAYS }) }, closed),
    handler: async ({ params, body, by }) => answerWith(hub, await extendAppeal(hub, { id: params.appeal!, text: body.text, days: body.days, by })),
  })

  decideRoute(app, hub)

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/appeals/outcomes', summary: 'How appeals ended, by class and code of the decision', role: READERS,
    query: Type.Object({ from: Type.String({ maxLength: 40 }), to: Type.String({ maxLength: 40 }) }, closed),
    handler: async ({ query }) => {
      const [from, to] = [parseTime(query.from), parseTime(query.to)]
      if (from === null || to === null) return refuse('protocol.invalid_field', { path: from === null ? '?/from' : '?/to', expected: 'a time in RFC 3339' })
      return accept({ status: 200, body: { items: await appealOutcomes(hub.db, new Date(from), new Date(to)), next: null } })
    },
  })
}

function decideRoute(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/appeals/:appeal/decide', summary: 'Decide an appeal: upheld keeps the measure, overturned lifts it at once, partly puts a lesser one in its place', role: 'reviewer',
    body: Type.Object({
      outcome: Type.Union([Type.Literal('upheld'), Type.Literal('overturned'), Type.Literal('partly')]), text: Text,
      narrower: Type.Optional(Type.Object({
        scope: Type.Optional(Type.Array(Type.String({ maxLength: 20 }), { maxItems: 5 })), goods: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 500 })),
        endsAt: Type.Optional(Type.String({ maxLength: 40 })),
      }, closed)),
    }, closed),
    handler: async ({ params, body, by }) => {
      const nowMs = hub.clock.nowMs()
      const endsAt = body.narrower?.endsAt
      if (endsAt !== undefined && !((parseTime(endsAt) ?? 0) > nowMs)) return refuse('protocol.invalid_field', { path: '/narrower/endsAt', expected: 'a time to come, in RFC 3339' })
      return answerWith(hub, await decideAppeal(hub, {
        id: params.appeal!, verdict: body.outcome as Verdict, text: body.text, narrower: (body.narrower as Narrower | undefined) ?? null, decisionId: hub.ids.make('dec', nowMs), by,
      }))
    },
  })
}

function answerWith(hub: Hub, outcome: Outcome<Appeal>): Outcome<Answer> {
  return outcome.ok ? accept({ status: 200, body: present(hub, outcome.value) }) : outcome
}

function present(hub: Hub, appeal: Appeal) {
  const { docking, decisionBy, decidedBy, via, standsWhenMissed } = appeal
  const overdue = isOpen(appeal) && appeal.state !== 'evidence_owed' && appeal.decideBy.getTime() <= hub.clock.nowMs()
  return { ...presentAppeal(appeal), docking, via, decisionBy, decidedBy, overdue, standsWhenMissed }
}

function presentWhole(hub: Hub, found: WholeAppeal) {
  const shown = presentWholeAppeal(found)
  return { ...present(hub, found.appeal), entries: shown.entries.map((entry, i) => ({ ...entry, by: found.entries[i]!.by })), evidence: shown.evidence }
}
