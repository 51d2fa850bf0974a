import type { FastifyInstance } from 'fastify'
import { accept, refuse } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { parseTime } from '../../../protocol/time.ts'
import { commentsOn, contractsOf, findTexts, publish, recordContract, TEXT_KINDS, type Contract, type TextKind } from '../../domain/rulebook/index.ts'
import type { Hub } from '../hub.ts'
import { presentRule } from '../public/rules.ts'
import { withDocking } from './dockings.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const Words = (maxLength: number) => Type.Object({ zh: Type.String({ minLength: 1, maxLength }), en: Type.String({ minLength: 1, maxLength }) }, closed)

const Publish = Type.Object({
  kind: Type.Union(TEXT_KINDS.map((kind) => Type.Literal(kind))),
  slug: Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$', title: 'lower-case letters, digits and hyphens' }),
  title: Words(200), text: Words(20_000),
  effectiveAt: Type.Optional(Type.String({ maxLength: 40 })),
  relief: Type.Optional(Type.String({ minLength: 5, maxLength: 1_000, pattern: '[^\\s]', title: 'why it favours partners and nobody else' })),
  resalePrice: Type.Optional(Type.Boolean()),
  legalBasis: Type.Optional(Type.String({ minLength: 2, maxLength: 1_000, pattern: '[^\\s]', title: 'the law that allows it' })),
}, closed)

const Sign = Type.Object({
  rule: Type.String({ minLength: 1, maxLength: 64 }), signedAt: Type.String({ maxLength: 40 }),
  signedBy: Type.String({ minLength: 1, maxLength: 120, pattern: '^[^\\u0000-\\u001f\\u007f]*[^\\s\\u0000-\\u001f\\u007f][^\\u0000-\\u001f\\u007f]*$', title: 'text without control characters' }),
}, closed)

const COMMENTS = 500

/** Publishing texts, reading what was said about them, and recording who has signed a contract. */
export function rulebookRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/rules', summary: 'Publish the next version of a rule, contract template, price rule or guide', body: Publish, bodyLimit: 256 * 1024,
    handler: async ({ body, by }) => {
      const effectiveMs = body.effectiveAt === undefined ? null : parseTime(body.effectiveAt)
      if (body.effectiveAt !== undefined && effectiveMs === null) return refuse('protocol.invalid_field', { path: '/effectiveAt', expected: 'a time to come, in RFC 3339' })
      const published = await publish(hub.db, {
        id: hub.ids.make('rul', hub.clock.nowMs()), by,
        ask: {
          kind: body.kind as TextKind, slug: body.slug, title: body.title, text: body.text, effectiveAt: effectiveMs === null ? null : new Date(effectiveMs), relief: body.relief ?? null,
          resalePrice: body.resalePrice ?? false, legalBasis: body.legalBasis ?? null,
        },
      })
      return published.ok ? accept({ status: 201, body: presentRule(published.value, hub) }) : published
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/rules/:rule/comments', summary: 'What was said about a text', query: Type.Object({ after: Type.Optional(Type.String({ maxLength: 40 })), limit: Type.Optional(Type.String({ maxLength: 3 })) }, closed),
    handler: async ({ params, query }) => {
      const [text] = await findTexts(hub.db, [params.rule!.slice(0, 64)])
      if (!text) return refuse('rulebook.text_not_found', { rule: params.rule!.slice(0, 64) })
      const comments = await commentsOn(hub.db, text.id, query.after ?? '', COMMENTS)
      return accept({
        status: 200,
        body: { items: comments.map(({ id, docking, body, at }) => ({ id, docking, comment: body, at: at.toISOString() })), next: comments.length === COMMENTS ? comments.at(-1)!.id : null },
      })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/contracts', summary: 'Record that the partner has signed a version of a contract template', body: Sign,
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      const signedMs = parseTime(body.signedAt)
      if (signedMs === null) return refuse('protocol.invalid_field', { path: '/signedAt', expected: 'a time between the publication of the text and now' })
      const recorded = await recordContract(hub.db, { id: hub.ids.make('ctr', hub.clock.nowMs()), docking, text: body.rule, signedAt: new Date(signedMs), signedBy: body.signedBy, by })
      return recorded.ok ? accept({ status: 201, body: presentContract(recorded.value) }) : recorded
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/dockings/:docking/contracts', summary: 'The contracts that a partner has signed',
    handler: ({ params }) => withDocking(hub, params.docking!, async (docking) => accept({ status: 200, body: { items: (await contractsOf(hub.db, docking)).map(presentContract), next: null } })),
  })
}

function presentContract({ id, docking, text, sha256, signedAt, signedBy, recordedBy, recordedAt }: Contract) {
  return { id, docking, rule: text, sha256, signedAt: signedAt.toISOString(), signedBy, recordedBy, recordedAt: recordedAt.toISOString() }
}
