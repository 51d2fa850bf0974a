import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { open, read, redactedBase, signed, who, write, type AcgRequest, type Flavor, type Manner } from '../../dialects/acg/server.ts'
import type { Ask, Reply } from '../../dialects/dialect.ts'
import { accept, type Because, type Refusal } from '../../protocol/outcome.ts'
import { reasonOf } from '../../protocol/reasons.ts'
import { variantOf } from '../domain/catalogue/index.ts'
import { addressAllowed, keyInForce, mayUse, type Docking, type LiveKey } from '../domain/partners/index.ts'
import type { Meeting } from '../domain/sandbox/index.ts'
import { networkOf } from '../kernel/networks.ts'
import { crashpoint } from '../platform/crashpoints.ts'
import { AcgAnswers, type Done } from './acg.ts'
import { addressOf } from './address.ts'
import type { Hub } from './hub.ts'
import { keepEntry, refusalOfError, watch } from './pipeline.ts'
import { answerImage } from './public/images.ts'
import { openEntry, type Entry } from './request-log.ts'
import { sightCall } from './sightings.ts'
import { timeOf } from './signin.ts'
import { markStruck, mayMeetFault, meetFault, plainly, rehearse, sufferFault, type Send } from './struck.ts'
import { enter, throttleOf } from './throttle.ts'

export const ACG_MOUNT = '/d/acg/'
const MOUNT = ACG_MOUNT

/** What a key must be allowed for each call: the same scopes as for the same thing over JSON. */
export const SHOP_SCOPES = {
  connect: 'funds:read', items: 'goods:read', item: 'goods:read', stock: 'goods:read', valuation: 'goods:read', inventory: 'goods:read', inventoryState: 'goods:read', draft: 'goods:read',
  query: 'orders:read', trade: 'orders:write',
} as const

/** Whether a request came to the mount of this dialect, whatever else is wrong with it. */
export function isAcg(request: FastifyRequest): boolean {
  return (request.raw.url ?? '').startsWith(MOUNT)
}

export function answerAcg(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return send(reply, write({ ok: false, refusal }))
}

/** The pattern of its addresses, as the request log names it. */
const ROUTE = `${MOUNT}{docking}/*`

/**
 * acg-faka's types 0, 1 and 2 at /d/acg/<docking>: the dialect translates, the handlers, limits and reasons are those of the JSON
 * API. Every answer is HTTP 200 with JSON, because that is all the peer understands.
 */
export function acgRoutes(app: FastifyInstance, hub: Hub): void {
  const answers = new AcgAnswers(hub)
  // A shop that joins a cover's path to the base address of its docking asks for it here.
  app.get(`${MOUNT}:docking/images/:name`, { schema: { hide: true } as never }, (request, reply) => answerImage(hub, reply, (request.params as { name: string }).name))
  app.all(`${MOUNT}:docking/*`, { schema: { hide: true } as never }, async (request, reply) => {
    const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
    const docking = (request.params as { docking: string }).docking
    const address = addressOf(request)
    const entry = openEntry(request, ROUTE, body.byteLength, hub.clock.nowMs())
    try {
      const { done, manner } = await serve(hub, answers, request, reply, docking, body, address, entry)
      if (!done.outcome.ok) hub.metrics.refusals.inc({ code: done.outcome.refusal.code, class: reasonOf(done.outcome.refusal.code).class })
      if (hub.conformance.isWatched(entry.docking)) sightCall(hub, entry, done.outcome)
      if (entry.struck !== null) return kept(hub, entry, await sendStruck(hub, reply, entry.struck, done, manner), done.outcome.ok ? null : done.outcome.refusal)
      if (done.receipt) watch(reply, done.receipt)
      crashpoint('before_answer')
      if (!done.outcome.ok) reply.header(CODE_HEADER, done.outcome.refusal.code)
      return kept(hub, entry, send(reply, done.reply ?? wordsOf(hub, done.outcome, manner)), done.outcome.ok ? null : done.outcome.refusal)
    } catch (error) {
      const refusal = refusalOfError(error)
      if (refusal.code === 'platform.internal_error') hub.log.error({ err: error, requestId: request.id }, 'a bug')
      return kept(hub, entry, send(reply, write({ ok: false, refusal: { ...refusal, because: { ...refusal.because, requestId: request.id } } })), refusal)
    }
  })
}

/** Shops do not read it; the doctor at the owner's side does, where `msg` has words for people alone. */
const CODE_HEADER = 'berth-code'

function kept(hub: Hub, entry: Entry, reply: FastifyReply, refusal: Refusal | null): FastifyReply {
  keepEntry(hub, entry, reply.statusCode, refusal, Number(reply.getHeader('content-length') ?? 0))
  return reply
}

/** An answer in the words of its protocol; a refusal that a decision stands behind names the page that the owner's letter names. */
function wordsOf(hub: Hub, outcome: Done['outcome'], manner: Manner | undefined): Reply {
  return outcome.ok || outcome.refusal.decision === undefined ? write(outcome, manner) : write(outcome, { ...(manner ?? manners.store), pages: `${hub.publicUrl}/reasons/` })
}

/** The answer of a sandbox that asked for a fault. */
function sendStruck(hub: Hub, reply: FastifyReply, struck: Meeting, done: Done, manner: Manner | undefined): Promise<FastifyReply> | FastifyReply {
  const written = done.reply ?? wordsOf(hub, done.outcome, manner)
  markStruck(reply, struck, !done.outcome.ok)
  const answer = (letGo: Send) => {
    if (done.receipt) watch(reply, done.receipt)
    return letGo(reply.code(written.status).header('content-type', written.contentType), written.body.toString())
  }
  return struck.asked.fault.strikes === 'answer' ? sufferFault(hub, reply, struck, done.receipt, answer) : answer(plainly)
}

type Served = { done: Done; manner?: Manner }

async function serve(hub: Hub, answers: AcgAnswers, request: FastifyRequest, reply: FastifyReply, dockingId: string, body: Buffer, address: string, entry: Entry): Promise<Served> {
  const nowMs = hub.clock.nowMs()
  const url = request.raw.url ?? ''
  const mark = url.indexOf('?')
  // The id as it was written: it may have come percent-encoded.
  const written = mark < 0 ? url : url.slice(0, mark)
  const path = written.slice(written.indexOf('/', MOUNT.length))
  const opened = open({ method: request.method, path, query: mark < 0 ? '' : url.slice(mark + 1), contentType: request.headers['content-type'] ?? '', body, headers: request.headers as Record<string, string | undefined> })
  if (!opened.ok) return { done: { outcome: opened } }
  const manner = manners[opened.value.flavor]
  crashpoint('parsed')
  const asker = await signInShop(hub, opened.value, dockingId, address, entry)
  if (!asker.ok) {
    hub.limiter.failed(networkOf(address), nowMs)
    const admitted = hub.limiter.admits(networkOf(address), nowMs)
    if (!admitted.ok) {
      // Anybody can name an id: beyond the limit nothing of it is kept, so that nobody fills a docking's books and log.
      Object.assign(entry, { docking: '', keyId: '' })
      return { done: { outcome: admitted } }
    }
    if (asker.seen) note(hub, asker.seen, asker.refusal, `acg ${opened.value.call}`, asker.more ?? {})
    return { done: { outcome: asker } }
  }
  entry.isProven = true
  crashpoint('authenticated')
  const { docking, key } = asker.value
  const place = enter(hub, key, nowMs, throttleOf(key, nowMs))
  if (!place.ok) {
    if (reasonOf(place.refusal.code).kind === 'condition') hub.notices.meet({ lane: docking.lane, docking: docking.id }, place.refusal.code, nowMs)
    return { done: { outcome: place } }
  }
  try {
    entry.body = { call: opened.value.call }
    if (mayMeetFault(request, key)) {
      entry.isSigned = true
      if (docking.mode === 'sandbox') await hub.conformance.takeUp(docking)
      if (hub.conformance.isWatched(docking.id)) {
        const early = read(opened.value)
        if (early.ok) entry.body = bodyOf(early.value)
      }
      // No request of this protocol carries the time at which it was signed.
      const met = await meetFault(hub, { key, signed: false }, request, reply, entry, { isOrder: opened.value.call === 'trade', isPlacing: opened.value.call === 'trade', isControl: false })
      if (!met.ok) {
        if (!(met as { written?: boolean }).written) note(hub, key, met.refusal, `acg ${opened.value.call}`, {})
        return { done: { outcome: met }, manner }
      }
    }
    const permitted = mayUse(key, SHOP_SCOPES[opened.value.call])
    const ask = permitted.ok ? read(opened.value) : permitted
    // Never the form itself: it carries the shop's key in clear.
    if (ask.ok) entry.body = bodyOf(ask.value)
    const done: Done = ask.ok ? await answers.to(docking, ask.value, manner, docking.mode === 'sandbox' ? (placed) => rehearse(hub, docking, entry.struck, placed) : null) : { outcome: ask }
    if (!done.outcome.ok && !(done.outcome as { written?: boolean }).written) {
      note(hub, key, done.outcome.refusal, `acg ${opened.value.call}`, ask.ok ? goodIn(ask.value) : {})
    }
    return { done, manner }
  } finally {
    place.value.leave()
  }
}

/** A refusal with the key that was tried, if there is one. */
type Tried = { ok: true; value: { docking: Docking; key: LiveKey } } | { ok: false; refusal: Refusal; seen?: LiveKey; more?: Because }

/** The key is tried before anything else is said; several keys live at once while a shop changes its own. Without an address that is not asked about. */
export async function signInShop(hub: Pick<Hub, 'keys' | 'clock'>, request: AcgRequest, dockingId: string, address: string | null, entry: Pick<Entry, 'docking' | 'keyId'>): Promise<Tried> {
  const named = who(request)
  if (!named.ok) return named
  const keys = (await hub.keys.ofDocking(dockingId)).filter((key) => key.kind === 'acg' && key.docking.appId === named.value.appId)
  const tried = keys.length > 0 ? keys : [null]
  let refusal: Refusal | null = null
  for (const key of tried) {
    if (key) Object.assign(entry, { docking: key.docking.id, keyId: key.id })
    const outcome = signed(request, key?.text ?? null, digests)
    if (outcome.ok && key) {
      const inForce = keyInForce(key, timeOf(key, hub.clock.nowMs()))
      const allowed = inForce.ok && address !== null ? addressAllowed(key.docking.allowedAddresses, address) : inForce
      if (allowed.ok) return accept({ docking: key.docking, key })
      return { ...allowed, seen: key }
    }
    if (!outcome.ok) refusal = outcome.refusal
  }
  return { ok: false, refusal: refusal!, ...(keys[0] ? { seen: keys[0], more: { base: redactedBase(request).slice(0, 2000) } } : {}) }
}

export const digests = {
  md5Hex: (text: string) => createHash('md5').update(text).digest('hex'),
  sha256Hex: (text: string) => createHash('sha256').update(text).digest('hex'),
  equal: (a: string, b: string) => timingSafeEqual(Buffer.from(a), Buffer.from(b)),
}

export const manners: Readonly<Record<Flavor, Manner>> = {
  store: { flavor: 'store', keyOf: variantOf }, open: { flavor: 'open', keyOf: variantOf }, plugin: { flavor: 'plugin', keyOf: variantOf },
}

/** What the request log keeps of an ask. */
function bodyOf(ask: Ask): object {
  return {
    call: ask.kind, ...codeIn(ask), ...('quantity' in ask ? { quantity: ask.quantity } : {}), ...('reference' in ask ? { reference: ask.reference } : 'order' in ask ? { reference: ask.order } : {}),
  }
}

/** Which good a refused ask was about, for the docking's report. */
function goodIn(ask: Ask): Because {
  return 'good' in ask ? { good: String(Object.values(ask.good)[0]) } : {}
}

/** The name that a shop gave the good, for its request log. */
function codeIn(ask: Ask): { code?: string } {
  return 'good' in ask ? { code: String(Object.values(ask.good)[0]) } : {}
}

function note(hub: Hub, key: LiveKey, refusal: Refusal, subject: string, more: Because): void {
  if (reasonOf(refusal.code).kind !== 'condition') hub.orders.noteRefusal(key.docking, 'request.refused', subject, refusal.code, refusal.because, more)
}

function send(reply: FastifyReply, answer: Omit<Reply, 'body'> & { body: string | Buffer }): FastifyReply {
  return reply.code(answer.status).header('content-type', answer.contentType).send(answer.body)
}
