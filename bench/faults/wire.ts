import { createHash, createHmac, randomBytes } from 'node:crypto'
import { request, type Agent, type IncomingHttpHeaders } from 'node:http'
import { signRequest } from '../../protocol/signature.ts'

/** An answer, or its absence: status null when the line broke, the time was up or the client hung up. */
export type Reply = { status: number | null; headers: IncomingHttpHeaders; text: string; problem: string }

export type Sending = {
  url: string
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
  agent?: Agent
  timeoutMs: number
  /** Cuts the line so long after the request was sent, as a buyer does who closes the page. */
  hangUpAfterMs?: number
}

/** Sends once, never again by itself, and never throws: a fault run lives on what goes wrong. */
export function send({ url, method, headers, body, agent, timeoutMs, hangUpAfterMs }: Sending): Promise<Reply> {
  return new Promise((done) => {
    const none = (problem: string) => done({ status: null, headers: {}, text: '', problem })
    const length: Record<string, string> = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request(url, { method, headers: { ...headers, ...length }, ...(agent ? { agent } : {}) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => {
        clearTimeout(timer)
        done({ status: response.statusCode ?? null, headers: response.headers, text: Buffer.concat(chunks).toString('utf8'), problem: '' })
      })
      response.once('error', (error) => none(`in the middle of the answer: ${error.message}`))
      response.once('aborted', () => none('the answer broke off'))
    })
    const timer = setTimeout(() => {
      none('no answer in time')
      sent.destroy()
    }, timeoutMs)
    sent.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      none(error.code ?? error.message)
    })
    sent.end(body)
    if (hangUpAfterMs !== undefined) {
      sent.once('finish', () => setTimeout(() => {
        none('hung up')
        sent.destroy()
      }, hangUpAfterMs))
    }
  })
}

/** The headers of a message signature with a nonce of its own. */
export function sign(method: 'GET' | 'POST', url: string, body: string | undefined, key: { keyId: string; keySecret: string }): Record<string, string> {
  return signRequest(
    { method, url, ...(body === undefined ? {} : { body }) },
    {
      keyid: key.keyId, created: Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
      hmacSha256: (base) => createHmac('sha256', key.keySecret).update(base).digest(),
      sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    },
  ) as Record<string, string>
}

/** The reason code of a problem; null where there is none. */
export function codeOf(text: string): string | null {
  try {
    const { code } = JSON.parse(text) as { code?: unknown }
    return typeof code === 'string' ? code : null
  } catch {
    return null
  }
}
