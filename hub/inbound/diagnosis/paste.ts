import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { limits } from '../../kernel/limits.ts'

/** One request out of the bytes that were pasted, as Node's own parser read it. */
export type Parsed = {
  method: string
  url: string
  rawHeaders: readonly string[]
  headers: Readonly<Record<string, string | undefined>>
  body: Buffer
  /** False where the bytes ended before the body did. */
  isWhole: boolean
}

/** What the parser of the doors makes of the bytes: requests, one behind the other, and the code of what it choked on. */
export type Reading = { requests: Parsed[]; fault: string | null }

const MOST_REQUESTS = 4

/**
 * Reads bytes as the doors would: they go through an HTTP server of their own that listens nowhere, with the limits of
 * the real one. Nothing is answered and nobody is called.
 */
export async function readAsDoor(bytes: Uint8Array): Promise<Reading> {
  const requests: Parsed[] = []
  let fault: string | null = null
  const server = createServer({ maxHeaderSize: limits.headerBytes, requireHostHeader: false })
  server.maxHeadersCount = 2_000
  server.on('request', (request, response) => {
    if (requests.length === MOST_REQUESTS) return void response.end()
    requests.push(gather(request))
    request.once('end', () => response.end())
  })
  server.on('connect', (request, socket: Socket) => {
    requests.push(gather(request))
    socket.destroy()
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    fault ??= error.code ?? 'unknown'
    socket.destroy()
  })
  await swallow(server, bytes)
  // A fault behind the body ends the stream before it has said that the body was whole.
  for (const parsed of requests) parsed.isWhole ||= parsed.headers['transfer-encoding'] === undefined && parsed.body.byteLength === Number(parsed.headers['content-length'] ?? 0)
  return { requests, fault }
}

function gather(request: IncomingMessage): Parsed {
  const chunks: Buffer[] = []
  const parsed: Parsed = {
    method: request.method ?? '', url: request.url ?? '', rawHeaders: request.rawHeaders, headers: joined(request), body: Buffer.alloc(0), isWhole: false,
  }
  request.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    parsed.body = Buffer.concat(chunks)
  })
  request.once('end', () => (parsed.isWhole = request.complete))
  request.on('error', () => {})
  return parsed
}

function joined(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]))
}

/** The turns of the loop that a parser, its streams and their ends need; they pass in well under a millisecond. */
const MOST_TURNS = 30

async function swallow(server: Server, bytes: Uint8Array): Promise<void> {
  const line = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), allowHalfOpen: true })
  line.on('error', () => {})
  server.emit('connection', line)
  line.push(bytes)
  line.push(null)
  for (let turn = 0; turn < MOST_TURNS && !line.destroyed; turn++) await new Promise((next) => setImmediate(next))
  line.destroy()
  server.closeAllConnections()
}
