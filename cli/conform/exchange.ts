import { createHash, createHmac } from 'node:crypto'
import { signRequest } from '../../protocol/signature.ts'
import { HubUnreachable } from '../client.ts'
import type { DemoDocking } from '../credentials.ts'

/** What came back: the whole answer, and its body where it is JSON. */
export type Reply = { status: number; headers: Headers; text: string; body: any }

export type Sent = { method: string; path: string; headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }

const TIMEOUT_MS = 30_000

/** One hub and one sandbox, as the cases of the kit speak to them. Nonces and references follow the seed: two runs send the same. */
export class Stand {
  readonly hub: string
  readonly docking: DemoDocking
  readonly seed: string
  #count = 0

  constructor(hub: string, docking: DemoDocking, seed: string) {
    this.hub = hub
    this.docking = docking
    this.seed = seed
  }

  /** A name that differs within a run and is the same in two runs of one seed. */
  name(what: string): string {
    return `${what}-${createHash('sha256').update(`${this.seed} ${what} ${++this.#count}`).digest('hex').slice(0, 16)}`
  }

  async send({ method, path, headers = {}, body }: Sent, base = this.hub): Promise<Reply> {
    try {
      const response = await fetch(base + path, { method, headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS), ...(body === undefined ? {} : { body }) })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text, body: read(text) }
    } catch (error) {
      const code = ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? (error as Error).name
      throw new HubUnreachable({ en: `${base} gave no answer to ${method} ${path} (${code}).`, zh: `${base} 对 ${method} ${path} 没有应答（${code}）。` })
    }
  }

  bearer(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    return this.send({ method, path, headers: { authorization: `Bearer ${this.docking.apiKey ?? ''}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  }

  /** The headers of a signature by RFC 9421; `change` spoils what a case is about. */
  sign(method: string, path: string, body?: string, change: { keySecret?: string; created?: number; nonce?: string } = {}): Record<string, string> {
    const secret = change.keySecret ?? this.docking.keySecret ?? ''
    return signRequest({ method, url: this.hub + path, ...(body === undefined ? {} : { body }) }, {
      keyid: this.docking.keyId ?? '', created: change.created ?? Math.floor(Date.now() / 1000), nonce: change.nonce ?? `${this.name('nonce')}${Date.now()}`,
      hmacSha256: (base) => createHmac('sha256', secret).update(base).digest(), sha256: (bytes) => createHash('sha256').update(bytes).digest(),
    }) as Record<string, string>
  }

  signed(method: string, path: string, body?: unknown, change: Parameters<Stand['sign']>[3] = {}): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    return this.send({ method, path, headers: { ...this.sign(method, path, text, change), ...(text === undefined ? {} : { 'content-type': 'application/json' }) }, ...(text === undefined ? {} : { body: text }) })
  }
}

function read(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
