import { connect, type Socket } from 'node:net'

/** JSON whose shape the test that reads it asserts. */
export type Json = any

/** One answer as it stood on the wire. `body` is the JSON of the text when the answer says it is JSON. */
export type RawReply = { status: number; headers: Headers; text: string; body: Json }

/** What was read until enough answers had come, the peer closed, or the time was over. */
export type Exchange = { replies: RawReply[]; closed: boolean; afterMs: number }

/**
 * Speaks to a server without an HTTP client in between, for requests that no client would send.
 * Never rejects: a peer that closes or stays silent is an answer too. `write` may send more, and later.
 */
export function exchange(
  url: string,
  bytes: string | Uint8Array,
  { replies = 1, timeoutMs = 5_000, write, halfClose = false }: { replies?: number; timeoutMs?: number; write?: (socket: Socket) => void; halfClose?: boolean } = {},
): Promise<Exchange> {
  const { hostname, port } = new URL(url)
  const startedMs = performance.now()
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0)
    const socket = connect(Number(port), hostname)
    const end = (closed: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ replies: readReplies(seen, closed).slice(0, Math.max(replies, 1)), closed, afterMs: performance.now() - startedMs })
    }
    const timer = setTimeout(() => end(false), timeoutMs)
    socket.on('connect', () => {
      socket.write(bytes)
      if (halfClose) socket.end()
      write?.(socket)
    })
    socket.on('data', (chunk) => {
      seen = Buffer.concat([seen, chunk])
      if (readReplies(seen, false).length >= replies) end(false)
    })
    socket.on('error', () => end(true))
    socket.on('close', () => end(true))
  })
}

/** Whole answers only; the last one may be ended by the close of the connection. */
function readReplies(bytes: Buffer, closed: boolean): RawReply[] {
  const replies: RawReply[] = []
  let at = 0
  for (;;) {
    const headEnd = bytes.indexOf('\r\n\r\n', at)
    if (headEnd < 0) return replies
    const [statusLine = '', ...lines] = bytes.subarray(at, headEnd).toString('latin1').split('\r\n')
    const headers = new Headers()
    for (const line of lines) headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim())
    const status = Number(statusLine.split(' ')[1])
    const length = headers.get('content-length')
    const start = headEnd + 4
    if (status === 100) {
      at = start
      continue
    }
    const end = length === null ? (closed ? bytes.length : Infinity) : start + Number(length)
    if (end > bytes.length) return replies
    const text = bytes.subarray(start, end).toString('utf8')
    replies.push({ status, headers, text, body: headers.get('content-type')?.includes('json') ? parsed(text) : null })
    at = end
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
