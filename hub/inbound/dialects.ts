import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { carries, open, read, redactedBase, signed, who, write, type AcgRequest } from '../../dialects/acg/server.ts'
import type { Answer as DialectAnswer, Ask, Reply, ShownGood } from '../../dialects/dialect.ts'
import { formatAmount } from '../../protocol/money.ts'
import { accept, refuse, type Because, type Outcome, type Refusal } from '../../protocol/outcome.ts'
import { reasonOf } from '../../protocol/reasons.ts'
import { offeredByCode, offeredPage, quantityOffered, showCard, type Offered } from '../domain/catalogue/index.ts'
import { loadBalances, readBalances } from '../domain/ledger/index.ts'
import type { Receipt } from '../domain/orders/index.ts'
import { addressAllowed, keyInForce, mayUse, type Docking, type LiveKey } from '../domain/partners/index.ts'
import { crashpoint } from '../platform/crashpoints.ts'
import type { Hub } from './hub.ts'
import { alreadyWritten, refusalOfError, watch } from './pipeline.ts'

const MOUNT = '/d/acg/'
const MOST_GOODS = 10_000

/** What a key must be allowed for each call: the same scopes as for the same thing over JSON. */
const SCOPES = { connect: 'funds:read', items: 'goods:read', item: 'goods:read', stock: 'goods:read', valuation: 'goods:read', trade: 'orders:write' } as const

/** Whether a request came to the mount of this dialect, whatever else is wrong with it. */
export function isAcg(request: FastifyRequest): boolean {
  return (request.raw.url ?? '').startsWith(MOUNT)
}

export function answerAcg(reply: FastifyReply, refusal: Refusal): FastifyReply {
  return send(reply, write({ ok: false, refusal }))
}

type Done = { outcome: Outcome<DialectAnswer>; receipt?: Receipt }

/**
 * acg-faka type 0 at /d/acg/<docking>: the dialect translates, the handlers, limits and reasons are those of the JSON
 * API. Every answer is HTTP 200 with JSON, because that is all the peer understands.
 */
export function acgRoutes(app: FastifyInstance, hub: Hub): void {
  app.all(`${MOUNT}:docking/*`, { schema: { hide: true } as never }, async (request, reply) => {
    const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
    const docking = (request.params as { docking: string }).docking
    const address = request.ip
    try {
      const done = await serve(hub, request, docking, body, address)
      if (!done.outcome.ok) hub.metrics.refusals.inc({ code: done.outcome.refusal.code, class: reasonOf(done.outcome.refusal.code).class })
      if (done.receipt) watch(reply, done.receipt)
      crashpoint('before_answer')
      return send(reply, write(done.outcome))
    } catch (error) {
      const refusal = refusalOfError(error)
      if (refusal.code === 'platform.internal_error') hub.log.error({ err: error, requestId: request.id }, 'a bug')
      return send(reply, write({ ok: false, refusal: { ...refusal, because: { ...refusal.because, requestId: request.id } } }))
    }
  })
}

async function serve(hub: Hub, request: FastifyRequest, dockingId: string, body: Buffer, address: string): Promise<Done> {
  const nowMs = hub.clock.nowMs()
  const url = request.raw.url ?? ''
  const mark = url.indexOf('?')
  // The id as it was written: it may have come percent-encoded.
  const written = mark < 0 ? url : url.slice(0, mark)
  const path = written.slice(written.indexOf('/', MOUNT.length))
  const opened = open({ method: request.method, path, query: mark < 0 ? '' : url.slice(mark + 1), contentType: request.headers['content-type'] ?? '', body })
  if (!opened.ok) return { outcome: opened }
  crashpoint('parsed')
  const asker = await signIn(hub, opened.value, dockingId, address)
  if (!asker.ok) {
    hub.limiter.failed(address, nowMs)
    const admitted = hub.limiter.admits(address, nowMs)
    return { outcome: admitted.ok ? asker : admitted }
  }
  crashpoint('authenticated')
  const { docking, key } = asker.value
  const place = hub.limiter.enter(docking.id, nowMs)
  if (!place.ok) return { outcome: place }
  try {
    const permitted = mayUse(key, SCOPES[opened.value.call])
    const ask = permitted.ok ? read(opened.value) : permitted
    const done: Done = ask.ok ? await handle(hub, docking, ask.value) : { outcome: ask }
    if (!done.outcome.ok && !(done.outcome as { written?: boolean }).written) {
      note(hub, key, done.outcome.refusal, `acg ${opened.value.call}`, ask.ok && 'code' in ask.value ? { good: ask.value.code } : {})
    }
    return done
  } finally {
    place.value.leave()
  }
}

/** The key is tried before anything else is said; several keys live at once while a shop changes its own. */
async function signIn(hub: Hub, request: AcgRequest, dockingId: string, address: string): Promise<Outcome<{ docking: Docking; key: LiveKey }>> {
  const named = who(request)
  if (!named.ok) return named
  const keys = (await hub.keys.ofDocking(dockingId)).filter((key) => key.kind === 'acg' && key.docking.appId === named.value.appId)
  const tried = keys.length > 0 ? keys : [null]
  let refusal: Refusal | null = null
  for (const key of tried) {
    const outcome = signed(request, key?.text ?? null, digests)
    if (outcome.ok && key) {
      const inForce = keyInForce(key, new Date(hub.clock.nowMs()))
      const allowed = inForce.ok ? addressAllowed(key.docking.allowedAddresses, address) : inForce
      if (allowed.ok) return accept({ docking: key.docking, key })
      note(hub, key, allowed.refusal, `acg ${request.call}`, {})
      return allowed
    }
    if (!outcome.ok) refusal = outcome.refusal
  }
  if (keys[0]) note(hub, keys[0], refusal!, `acg ${request.call}`, { base: redactedBase(request).slice(0, 2000) })
  return { ok: false, refusal: refusal! }
}

const digests = {
  md5Hex: (text: string) => createHash('md5').update(text).digest('hex'),
  sha256Hex: (text: string) => createHash('sha256').update(text).digest('hex'),
  equal: (a: string, b: string) => timingSafeEqual(Buffer.from(a), Buffer.from(b)),
}

async function handle(hub: Hub, docking: Docking, ask: Ask): Promise<Done> {
  if (ask.kind === 'connect') {
    const balance = readBalances(await hub.db.run(loadBalances([docking.lane], [docking.id]))).get(docking.id)
    if (balance === undefined) throw new Error(`docking ${docking.id} has no balance row`)
    return { outcome: accept({ kind: 'connect', shopName: docking.name, balanceMicro: balance }) }
  }
  if (ask.kind === 'items') {
    const goods = await offeredPage(hub.db, docking, '', MOST_GOODS)
    return { outcome: accept({ kind: 'items', goods: goods.filter((good) => good.onSale).map(show) }) }
  }
  const good = await offeredByCode(hub.db, docking, ask.code)
  if (!good) return { outcome: refuse('catalogue.good_not_found', { good: ask.code }) }
  // A number that an accepted order has bound is answered with that order, whatever became of the good meanwhile.
  const bound = ask.kind === 'trade' ? await hub.orders.findByReference(docking, ask.reference) : null
  const repeats = (bound !== null && bound.state !== 'cancelled') || (ask.kind === 'trade' && (await hub.orders.findTakenOver(docking, { reference: ask.reference })) !== null)
  if (!repeats && !carries(good.unitPriceMicro)) return { outcome: refuse('catalogue.price_too_fine', { price: formatAmount(good.unitPriceMicro) }) }
  if (ask.kind === 'stock') return { outcome: accept({ kind: 'stock', stock: good.onSale ? good.stock : 0 }) }
  if (!good.onSale && ask.kind !== 'trade') return { outcome: refuse('catalogue.good_not_on_sale', { good: good.code }) }
  if (ask.kind === 'item') return { outcome: accept({ kind: 'item', good: show(good) }) }
  if (ask.kind === 'valuation') {
    const offered = quantityOffered(good, ask.quantity)
    return { outcome: offered.ok ? accept({ kind: 'valuation', totalMicro: good.unitPriceMicro * BigInt(ask.quantity) }) : offered }
  }
  const outcome = await hub.orders.place(docking, {
    reference: ask.reference, good: good.id, quantity: ask.quantity, guardMicro: null, member: null, form: ask.contact === '' ? '' : `contact=${ask.contact}`, onlyReplay: null,
  })
  if (!outcome.ok) return { outcome: alreadyWritten(outcome) }
  const { order, cards, receipt, replayed } = outcome.value
  return {
    outcome: accept({
      kind: 'trade', orderId: order.id, totalMicro: order.totalMicro, cards: cards.map(showCard),
      stock: Math.max(0, good.stock - (replayed ? 0 : order.quantity)), url: `${hub.publicUrl}/docs`,
    }),
    receipt,
  }
}

function show(good: Offered): ShownGood {
  return {
    number: good.number, code: good.code, name: good.name, description: good.description, categoryNumber: categoryNumber(good.category), category: good.category,
    unitPriceMicro: good.unitPriceMicro, stock: good.stock, minimum: good.minimum, maximum: good.maximum,
  }
}

/** A stable integer for a category's name: FNV-1a, 31 bits, never zero. */
function categoryNumber(name: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash >>> 1) || 1
}

function note(hub: Hub, key: LiveKey, refusal: Refusal, subject: string, more: Because): void {
  if (reasonOf(refusal.code).kind !== 'condition') hub.orders.noteRefusal(key.docking, 'request.refused', subject, refusal.code, refusal.because, more)
}

function send(reply: FastifyReply, answer: Reply): FastifyReply {
  return reply.code(answer.status).header('content-type', answer.contentType).send(answer.body)
}
