import type { FastifyRequest } from 'fastify'

/** A browser says where a form came from; who holds the link and no browser needs none of that. */
export function isOwnForm(request: FastifyRequest, publicUrl: string): boolean {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const { origin } = request.headers
  return origin === undefined || origin === 'null' || origin === new URL(publicUrl).origin
}
