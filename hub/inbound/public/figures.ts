import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Figures } from '../../../protocol/messages.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import type { Figures as Quarter } from '../../domain/figures/index.ts'
import type { Hub } from '../hub.ts'
import { answer, answerRefusal, problems } from '../pipeline.ts'
import { langOf } from '../problem.ts'
import { reader } from '../shape.ts'
import { FIGURES_HEADERS, renderFigures, type PageLanguage } from './figures-page.ts'

const Query = Type.Object({ quarter: Type.Optional(Type.String({ pattern: '^\\d{4}Q[1-4]$', title: 'a quarter such as 2026Q4' })) }, { additionalProperties: false })
const checkQuery = reader(Query, '?')

/** What was published stays for ever; what runs will be replaced. Seconds. */
const KEPT_S = { published: 86_400, running: 300 } as const

/** The open figures, for anybody: signed as a document, and as a page that needs no script. */
export function figureRoutes(app: FastifyInstance, hub: Hub): void {
  app.get('/api/figures', {
    schema: {
      summary: 'Open figures of one quarter, signed: refusals, measures, appeals, time to remedy', tags: ['public'], querystring: Query,
      response: { 200: { description: 'The quarter that was asked for, or the one that runs', content: { 'application/json': { schema: Figures } } }, ...problems },
    },
  }, async (request, reply) => {
    const figures = await figuresOf(hub, request.query)
    return answer(hub, request, reply, figures.ok ? accept({ status: 200, body: hub.signer.signDocument(figures.value), headers: cached(figures.value) }) : figures)
  })

  app.get('/figures', { schema: { hide: true } as never }, async (request, reply) => {
    const { lang, ...query } = request.query as Record<string, unknown>
    const figures = await figuresOf(hub, query)
    if (!figures.ok) return answerRefusal(hub, request, reply, figures.refusal)
    return show(request, reply, lang, figures.value, await hub.figures.quarters())
  })
}

async function figuresOf(hub: Hub, query: unknown): Promise<Outcome<Quarter>> {
  const checked = checkQuery(query)
  if (!checked.ok) return checked
  const figures = await hub.figures.of((checked.value as { quarter?: string }).quarter ?? null)
  return figures ? accept(figures) : refuse('protocol.invalid_field', { path: '?/quarter', expected: 'a quarter that this hub has published, or the one that runs' })
}

function cached({ state }: Quarter): Record<string, string> {
  return { 'cache-control': `public, max-age=${KEPT_S[state]}` }
}

function show(request: FastifyRequest, reply: FastifyReply, asked: unknown, figures: Quarter, quarters: readonly string[]): FastifyReply {
  const language: PageLanguage = asked === 'zh' || asked === 'zh-CN' ? 'zh' : asked === 'en' ? 'en' : langOf(request.headers['accept-language'])
  const headers = { ...FIGURES_HEADERS, ...cached(figures), 'content-language': language === 'zh' ? 'zh-CN' : 'en', vary: 'accept-language' }
  for (const name in headers) reply.header(name, headers[name as keyof typeof headers])
  return reply.send(renderFigures(figures, quarters, language))
}
