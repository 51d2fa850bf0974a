import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { refuse, type Refusal } from '../../protocol/outcome.ts'
import { reasonOf } from '../../protocol/reasons.ts'
import { limits } from '../kernel/limits.ts'
import type { Hub } from './hub.ts'
import { answerRefusal } from './pipeline.ts'
import { problemOf } from './problem.ts'

/** What Node's parser lets through and nobody honest sends: refused before routing, with its own code. */
export function edgeRefusal(request: FastifyRequest): Refusal | null {
  return headRefusal(request.raw)
}

/** The same of a head that came otherwise, pasted into the doctor for one. */
export function headRefusal({ rawHeaders, url }: { rawHeaders: readonly string[]; url?: string | undefined }): Refusal | null {
  if (rawHeaders.length > limits.headerCount * 2) return refuse('protocol.headers_too_large', { what: 'headers', allowed: String(limits.headerCount) }).refusal
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  if (hosts !== 1) return refuse('protocol.host_ambiguous', { seen: `${hosts} Host headers` }).refusal
  const path = (url ?? '').split('?', 1)[0]!
  if (url!.length > limits.urlBytes) return refuse('protocol.url_too_long', { allowed: String(limits.urlBytes) }).refusal
  if (path.charCodeAt(0) !== 47) return refuse('protocol.host_ambiguous', { seen: 'an address with a host of its own' }).refusal
  if (url!.includes('%') && !isDecodable(url!)) return refuse('protocol.malformed_request', { problem: 'a percent sign is not followed by UTF-8 in hexadecimal', at: 'the address' }).refusal
  if (path.includes('/../') || path.includes('/./') || path.includes('//')) return refuse('protocol.host_ambiguous', { seen: 'a path with dots or double slashes' }).refusal
  return null
}

const NEVER_SERVED = 'CONNECT'

/** NUL is text that no field may hold and no database can store. */
function isDecodable(url: string): boolean {
  try {
    return !decodeURIComponent(url).includes('\0')
  } catch {
    return false
  }
}

/** Errors of the raw socket, which no route sees: a head that is too large or never ends, bytes that are not HTTP. */
export function answerSocketError(hub: Hub, error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  endWith(hub, socket, socketRefusal(error.code))
}

/** What a fault of Node's parser means. */
export function socketRefusal(code: string | undefined): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') return refuse('protocol.headers_too_large', { what: 'bytes', allowed: `${limits.headerBytes / 1024} KB` }).refusal
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refuse('protocol.request_timeout', { allowedS: limits.requestTimeoutS }).refusal
  return refuse('protocol.malformed_request', { problem: 'the bytes are not an HTTP request', at: 'the head' }).refusal
}

/** A body must arrive in time. Imports are the exception: they may be long, but never silent. */
export function boundBody(hub: Hub, request: FastifyRequest, reply: FastifyReply, payload: Readable): void {
  const timer = setTimeout(() => {
    answerRefusal(hub, request, reply.header('connection', 'close'), refuse('protocol.request_timeout', { allowedS: limits.requestTimeoutS }).refusal)
    reply.raw.once('finish', () => request.raw.destroy())
  }, limits.requestTimeoutS * 1000)
  const settle = () => clearTimeout(timer)
  payload.once('end', settle).once('close', settle)
}

/** CONNECT never reaches a route. */
export function guardSockets(server: Server, hub: Hub): void {
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    endWith(hub, socket, refuse('protocol.method_not_allowed', { method: NEVER_SERVED, path: String(request.url).slice(0, 60), allowed: 'GET, POST' }).refusal)
  })
}

function endWith(hub: Hub, socket: Socket, refusal: Refusal): void {
  const nowMs = hub.clock.nowMs()
  const body = JSON.stringify(problemOf(refusal, { publicUrl: hub.publicUrl, requestId: hub.ids.make('req', nowMs), lang: 'en', nowMs }))
  hub.metrics.refusals.inc({ code: refusal.code, class: reasonOf(refusal.code).class })
  socket.end(`HTTP/1.1 ${reasonOf(refusal.code).status} Refused\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}
