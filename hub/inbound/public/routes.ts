import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { API_VERSIONS, NEWEST_VERSION } from '../../../protocol/messages.ts'
import { isReasonCode } from '../../../protocol/reasons.ts'
import { refuse } from '../../../protocol/outcome.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { answerRefusal } from '../pipeline.ts'
import { langOf } from '../problem.ts'
import { renderPage } from './pages.ts'

const REASON_PAGES = join(import.meta.dirname, '../../../docs/reasons')

/** What anybody may read: health, the contract, the vocabulary and its pages. */
export function publicRoutes(app: FastifyInstance, hub: Hub): void {
  const hidden = { schema: { hide: true } as never }
  app.get('/healthz', hidden, async () => ({ ok: true }))
  app.get('/readyz', hidden, async (_request, reply) => {
    if (hub.state.stopping || !hub.state.ready) return reply.code(503).header('retry-after', '2').send({ ready: false })
    try {
      await hub.db.urgent.run({ name: 'platform.ping', text: 'select 1', values: [] })
    } catch {
      return reply.code(503).header('retry-after', '2').send({ ready: false, because: 'the database cannot be reached' })
    }
    return { ready: true }
  })
  app.get('/metrics', hidden, async (_request, reply) => reply.type(hub.metrics.registry.contentType).send(await hub.metrics.registry.metrics()))
  app.get('/openapi.json', hidden, async (_request, reply) => reply.send((app as unknown as { swagger(): unknown }).swagger()))
  app.get('/.well-known/berth', hidden, async () => ({
    versions: API_VERSIONS, newest: NEWEST_VERSION,
    dialects: [{ name: 'json', base: `${hub.publicUrl}/api` }, ...[0, 1, 2].map((type) => ({ name: `acg-faka type ${type}`, base: `${hub.publicUrl}/d/acg/<docking>` }))],
    limits: { ...limits, requestsPerSecond: hub.limiter.options.requestsPerSecond, inFlight: hub.limiter.options.inFlight },
    keys: [hub.signer.published], reasons: `${hub.publicUrl}/api/reasons`, serverTime: new Date(hub.clock.nowMs()).toISOString(),
  }))

  app.get('/', hidden, async (_request, reply) => reply.redirect('/docs'))

  app.get('/reasons/:code', hidden, async (request, reply) => {
    const { code } = request.params as { code: string }
    if (!isReasonCode(code)) return answerRefusal(hub, request, reply, refuse('protocol.route_not_found', { method: 'GET', path: `/reasons/${code}`.slice(0, 200) }).refusal)
    const markdown = await readFile(join(REASON_PAGES, `${code}.md`), 'utf8')
    if ((request.headers.accept ?? '').includes('text/html')) {
      return reply.header('vary', 'accept, accept-language').type('text/html; charset=utf-8').send(renderPage(code, markdown, langOf((request.query as { lang?: unknown }).lang === undefined ? request.headers['accept-language'] : String((request.query as { lang: unknown }).lang))))
    }
    return reply.type('text/markdown; charset=utf-8').send(markdown)
  })
}

export function openApiInfo(publicUrl: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Berth', version: NEWEST_VERSION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description: 'Docking hub of a main site. Money is yuan as decimal strings, times are RFC 3339 UTC, every refusal is an RFC 9457 problem with a code, a class and a page.',
    },
    servers: [{ url: publicUrl }],
    tags: [{ name: 'partner', description: 'For a docked card platform' }, { name: 'public', description: 'For anybody' }, { name: 'operator', description: 'For the main site' }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key: reads, and everything in the sandbox.' },
        signature: { type: 'apiKey', in: 'header', name: 'Signature', description: 'RFC 9421 over "@method" "@authority" "@path", "@query" if there is one, "content-digest" (RFC 9530) if there is a body, "idempotency-key" if sent; parameters created, nonce, keyid.' },
        operator: { type: 'http', scheme: 'bearer', description: "The operator's key." },
      },
    },
  }
}
