import { fastify, type FastifyInstance } from 'fastify'

const MOUNT = '/docs'

/**
 * The contract as pages at /docs. The reader is five megabytes of script, so it is loaded when somebody first looks at
 * it and not with the hub; it lives in a small server of its own that listens nowhere.
 */
export function referenceRoutes(app: FastifyInstance): void {
  let reader: Promise<FastifyInstance> | null = null
  const show = async (url: string) => {
    reader ??= openReader()
    return (await reader).inject({ method: 'GET', url })
  }
  for (const path of [MOUNT, `${MOUNT}/*`]) {
    app.get(path, { schema: { hide: true } as never }, async (request, reply) => {
      const page = await show(request.raw.url ?? MOUNT)
      const type = page.headers['content-type']
      if (typeof page.headers.location === 'string') reply.header('location', page.headers.location)
      return reply.code(page.statusCode).header('content-type', type ?? 'text/plain').send(page.rawPayload)
    })
  }
}

async function openReader(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const reader = fastify()
  await reader.register(scalar, {
    routePrefix: MOUNT,
    configuration: { url: '/openapi.json', telemetry: false, withDefaultFonts: false, hideClientButton: true, showDeveloperTools: 'never', agent: { disabled: true } } as never,
  })
  await reader.ready()
  return reader
}
