import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

export type Sent = { method: string; headers?: Record<string, string>; body?: Uint8Array }
export type Heard = { status: number; headers: Record<string, string | string[] | undefined>; text: string; json: unknown; sentMs: number; heardMs: number }

const TIMEOUT_MS = 30_000
const MOST_BYTES = 4 * 1024 * 1024

/**
 * One request without any key, redirects not followed. The certificate was judged before and is not judged again, so
 * that what lies behind a bad one can still be told. Answers an Error where no answer came.
 */
export function ask(url: URL, { method, headers = {}, body }: Sent, nowMs: () => number): Promise<Heard | Error> {
  return new Promise((resolve) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const sentMs = nowMs()
    const request = send(url, { method, headers: { ...headers, ...(body ? { 'content-length': String(body.byteLength) } : {}) }, rejectUnauthorized: false, timeout: TIMEOUT_MS, agent: false })
    request.once('error', resolve)
    request.once('timeout', () => request.destroy(new Error('ETIMEDOUT')))
    request.once('response', (response) => {
      const heardMs = nowMs()
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength
        if (bytes > MOST_BYTES) request.destroy(new Error('EMSGSIZE'))
        else chunks.push(chunk)
      })
      response.once('error', resolve)
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text), sentMs, heardMs })
      })
    })
    request.end(body)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
