import type { FastifyInstance, FastifyReply } from 'fastify'
import { loadImage } from '../../domain/catalogue/index.ts'
import type { Hub } from '../hub.ts'

/** Pictures of goods, on the same host and port as everything else: a shop takes them from nowhere else. */
export function imageRoutes(app: FastifyInstance, hub: Hub): void {
  app.get('/images/:name', { schema: { hide: true } as never }, (request, reply) => answerImage(hub, reply, (request.params as { name: string }).name))
}

/** A name is the hash of its picture, so it may be kept for ever. Nothing but pictures was ever stored. */
export async function answerImage(hub: Hub, reply: FastifyReply, name: string): Promise<FastifyReply> {
  const image = await loadImage(hub.db, name)
  reply.header('x-content-type-options', 'nosniff').header('content-security-policy', "default-src 'none'; sandbox")
  if (!image) return reply.code(404).type('text/plain; charset=utf-8').send('没有这张图片。 There is no such picture.\n')
  return reply.header('cache-control', 'public, max-age=31536000, immutable').type(image.type).send(image.bytes)
}
