import assert from 'node:assert/strict'
import { createHmac, createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { signRequest } from '../protocol/signature.ts'
import type { Hub } from '../hub/inbound/hub.ts'
import { buildServer } from '../hub/inbound/server.ts'
import { buildHub, closeRooms } from '../hub/main.ts'
import { readConfig } from '../hub/platform/config.ts'
import { makeLog } from '../hub/platform/log.ts'
import { watchAnswers } from './contract.ts'
import { freshDatabase } from './postgres.ts'

/** What `after` needs of a test or of a file. */
type Owner = Parameters<typeof freshDatabase>[0]

export type Reply = { status: number; headers: Headers; body: any; text: string }

export type TestDocking = {
  id: string
  name: string
  mode: 'sandbox' | 'live'
  dialect: string
  baseUrl: string
  appId: string | null
  keyId?: string
  keySecret?: string
  apiKey?: string
  appKey?: string
}

/** A hub in this process, on a database of its own and a free port: the real doors, the real Postgres. */
export type TestHub = {
  url: string
  hub: Hub
  app: FastifyInstance
  ownerUrl: string
  dataDir: string
  operatorKey: string
  /** Approves, as a second person, what is drafted because its facts are withheld; answers the decision. */
  approve(draft: string): Promise<Reply>
  /** Calls the operator API. */
  operator(method: string, path: string, body?: unknown): Promise<Reply>
  openDocking(input: { name?: string; mode?: 'sandbox' | 'live'; dialect?: 'json' | 'acg0'; deposit?: string; feePpm?: number; appId?: string; appKey?: string; allowedAddresses?: string[] }): Promise<TestDocking>
  /** Adds one good with this many cards `${code}-1…` in the mode, and answers its id. */
  stockGood(input: { code: string; races?: unknown; options?: unknown; wholesale?: unknown; form?: unknown; delivery?: 'card' | 'manual'; cost?: string; description?: string; contact?: string; message?: string; stock?: number; unitPrice?: string; cards?: number; mode?: 'sandbox' | 'live'; minimum?: number; maximum?: number; batch?: string }): Promise<string>
  /** Adds cards of one race and option of a good. */
  stockKind(input: { code: string; race?: string; options?: Record<string, string>; lines: readonly string[]; mode?: 'sandbox' | 'live' }): Promise<void>
  /** Calls the partner API with the bearer key. */
  bearer(docking: TestDocking, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>
  /** Calls the partner API with an RFC 9421 signature. */
  signed(docking: TestDocking, method: string, path: string, body?: unknown, options?: { created?: number; nonce?: string; idempotencyKey?: string; headers?: Record<string, string> }): Promise<Reply>
  /** Places an order, signed. */
  order(docking: TestDocking, ask: { reference: string; good: string; quantity?: number; maxUnitPrice?: string; race?: string; options?: Record<string, string>; form?: Record<string, string> }): Promise<Reply>
  /** Every finding of the ledger check; empty when the books are right. */
  findings(): Promise<unknown[]>
  close(): Promise<void>
}

export async function startHub(t: Owner, env: Record<string, string> = {}): Promise<TestHub> {
  // Hooks run in the order in which they were registered: the hub must end before its database goes.
  let close = async () => {}
  t.after(() => close())
  const database = await freshDatabase(t)
  const dataDir = mkdtempSync(join(tmpdir(), 'berth-hub-'))
  const config = readConfig({ DATABASE_URL: database.appUrl, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', LIMIT_REQUESTS_PER_SECOND: '100000', LIMIT_IN_FLIGHT: '1000', LIMIT_FAILED_SIGN_INS_PER_MINUTE: '100000', VOID_AFTER_MS: '200', ...env })
  const hub = await buildHub(config, makeLog(config.logLevel), () => {})
  const app = await buildServer(hub)
  const unpromised = watchAnswers(app.server, () => (app as unknown as { swagger(): object }).swagger())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  hub.publicUrl = url
  hub.state.ready = true
  const operatorKey = readFileSync(join(dataDir, 'operator.key'), 'utf8').trim()
  t.after(async () => assert.deepEqual(unpromised, [], 'every answer is one that /openapi.json promises'))
  let open = true
  close = async () => {
    if (!open) return
    open = false
    await app.close()
    await closeRooms(hub)
    rmSync(dataDir, { recursive: true, force: true })
  }

  const call = async (method: string, path: string, headers: Record<string, string>, body?: string | Uint8Array): Promise<Reply> => {
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: body as string }) })
    const text = await response.text()
    const json = response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null
    return { status: response.status, headers: response.headers, body: json, text }
  }
  const operator: TestHub['operator'] = (method, path, body) =>
    call(method, path, { authorization: `Bearer ${operatorKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, body === undefined ? undefined : JSON.stringify(body))

  let second: Promise<string> | undefined
  const self: TestHub = {
    async approve(draft) {
      second ??= operator('POST', '/operator/operators', { name: 'second', roles: ['operator'] }).then((reply) => must(reply, 201).body.key as string)
      return must(await call('POST', `/operator/drafts/${draft}/approve`, { authorization: `Bearer ${await second}` }), 201)
    },
    url, hub, app, ownerUrl: database.ownerUrl, dataDir, operatorKey, operator, close: () => close(),
    async openDocking({ name = 'Shop', mode = 'sandbox', dialect = 'json', deposit, ...more }) {
      const opened = must(await operator('POST', '/operator/dockings', { name, mode, dialect, ...more }), 201).body
      if (deposit !== undefined) must(await operator('POST', `/operator/dockings/${opened.docking.id}/deposits`, { reference: `first-${opened.docking.id}`, amount: deposit }), 201)
      return { ...opened.docking, ...opened.credentials, ...(more.appKey === undefined ? {} : { appKey: more.appKey }) }
    },
    async stockGood({ code, unitPrice = '9.50', cards = 0, mode = 'sandbox', batch = 'b1', ...more }) {
      must(await operator('POST', '/operator/goods', { items: [{ code, name: `Good ${code}`, category: 'Test', unitPrice, ...more }] }), 200)
      if (cards > 0) {
        const lines = Array.from({ length: cards }, (_, i) => `${code}-${batch}-${mode}-${i + 1}`).join('\n')
        must(await call('POST', `/operator/cards?good=${encodeURIComponent(code)}&mode=${mode}&batch=${batch}`, { authorization: `Bearer ${operatorKey}`, 'content-type': 'text/plain' }, lines), 200)
      }
      return (await hub.db.run({ text: 'select id from catalogue.goods where code = $1', values: [code] }))[0]![0] as string
    },
    async stockKind({ code, race, options = {}, lines, mode = 'live' }) {
      const query = new URLSearchParams({ good: code, mode, batch: 'kind', ...(race === undefined ? {} : { race }) })
      for (const [group, name] of Object.entries(options)) query.append('option', `${group}=${name}`)
      must(await call('POST', `/operator/cards?${query}`, { authorization: `Bearer ${operatorKey}`, 'content-type': 'text/plain' }, lines.join('\n')), 200)
    },
    bearer: (docking, method, path, body, headers = {}) =>
      call(method, path, { authorization: `Bearer ${docking.apiKey}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }, body === undefined ? undefined : JSON.stringify(body)),
    signed: (docking, method, path, body, options = {}) => {
      const bytes = body === undefined ? undefined : JSON.stringify(body)
      const headers = signRequest(
        { method, url: url + path, ...(bytes === undefined ? {} : { body: bytes }), ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }) },
        {
          keyid: docking.keyId!, created: options.created ?? Math.floor(Date.now() / 1000), nonce: options.nonce ?? randomBytes(12).toString('hex'),
          hmacSha256: (base) => createHmac('sha256', docking.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
        },
      )
      return call(method, path, { ...(headers as Record<string, string>), ...(bytes === undefined ? {} : { 'content-type': 'application/json' }), ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }), ...options.headers }, bytes)
    },
    order: (docking, { quantity = 1, maxUnitPrice = '1000000', ...ask }) => self.signed(docking, 'POST', '/api/orders', { ...ask, quantity, maxUnitPrice }),
    findings: async () => must(await operator('GET', '/operator/ledger/check'), 200).body.findings,
  }
  return self
}

function must(reply: Reply, status: number): Reply {
  if (reply.status !== status) throw new Error(`expected ${status}, got ${reply.status}: ${reply.text.slice(0, 500)}`)
  return reply
}
