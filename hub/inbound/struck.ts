import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { accept, refuse, type Outcome, type Refusal } from '../../protocol/outcome.ts'
import { encodeGbk } from '../../protocol/wire/gbk.ts'
import { NO_CHOICE, variantOf } from '../domain/catalogue/index.ts'
import { quote, type PlaceAsk, type Receipt } from '../domain/orders/index.ts'
import type { Docking, LiveKey } from '../domain/partners/index.ts'
import { FAULT_HEADER, refusalBefore, refusalOfOrder, type Meeting } from '../domain/sandbox/index.ts'
import type { Hub } from './hub.ts'
import type { Entry } from './request-log.ts'

/** How a door lets its answer go: as text, whatever its status and headers. */
export type Send = (reply: FastifyReply, text: string) => FastifyReply

export const plainly: Send = (reply, text) => reply.send(text)

/** The answer in GBK bytes, which its type says. */
export const inGbk: Send = (reply, text) => reply.header('content-type', String(reply.getHeader('content-type') ?? '').replace(/(;.*)?$/, '; charset=gbk')).send(Buffer.from(encodeGbk(text)))

const NAME = FAULT_HEADER.toLowerCase()

/** Whether anybody must ask about faults: in live mode nobody has to, unless the header stands there. */
export function mayMeetFault(request: FastifyRequest, { mode }: LiveKey): boolean {
  return mode === 'sandbox' || request.headers[NAME] !== undefined
}

/**
 * Asks which fault this request of a sandbox meets. Those that strike before anything is booked are answered here, under the
 * code of the true cause; the others stand in `entry` and strike later. A live docking is refused.
 */
export async function meetFault(hub: Hub, who: { key: LiveKey; signed: boolean }, request: FastifyRequest, reply: FastifyReply, entry: Entry, call: { isOrder: boolean; isPlacing: boolean; isControl: boolean }): Promise<Outcome<null>> {
  const { docking, id } = who.key
  if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
  const at = new Date(hub.clock.nowMs() + docking.clockOffsetS * 1000)
  if (docking.clockOffsetS > 0) reply.header('berth-sandbox-time', at.toISOString())
  const header = request.headers[NAME]
  const met = await hub.sandboxes.meet(docking, Array.isArray(header) ? header.join(', ') : header, { ...call, isSigned: who.signed })
  if (!met.ok) return met
  const struck = met.value
  if (struck === null) return accept(null)
  const { fault } = struck.asked
  if (fault.strikes === 'order' || (await hub.sandboxes.spend(docking, struck))) entry.struck = struck
  if (fault.strikes === 'order' || entry.struck === null) return accept(null)
  struck.isStruck = true
  reply.header(NAME, fault.name)
  if (fault.strikes === 'answer') return accept(null)
  const refusal = refusalBefore(struck.asked, { key: id, requestId: request.id, allowed: `${hub.limiter.options.requestsPerSecond}/s`, at })
  hub.orders.noteRefusal(docking, 'request.refused', id, refusal.code, refusal.because, { sandboxFault: fault.name })
  return { ok: false, refusal, written: true } as Outcome<never>
}

/**
 * What goes before an order of a sandbox: test cards where they run low, and the fault that it meets. The refusal is handed to the
 * order as what answers everything but a bound reference; null when the order goes its way.
 */
export async function rehearse(hub: Hub, docking: Docking, struck: Meeting | null, ask: Omit<PlaceAsk, 'reference' | 'onlyReplay'>): Promise<Refusal | null> {
  if (await hub.sandboxes.isFilled(docking)) await hub.sandboxes.stock.fillFor(docking, ask.good, ask.choice ?? NO_CHOICE, ask.quantity)
  if (struck === null || struck.asked.fault.strikes !== 'order') return null
  // The numbers of the refusal are those of this very order; one that is refused anyway hears its own cause.
  const quoted = await quote(hub.db, docking, ask)
  if (!quoted.ok || !(await hub.sandboxes.spend(docking, struck))) return null
  struck.isStruck = true
  const { quantity, unitPriceMicro, totalMicro, feeMicro } = quoted.value
  return refusalOfOrder(struck.asked, { quantity, unitPriceMicro, chargedMicro: totalMicro + feeMicro, guardMicro: ask.guardMicro })
}

/** The test cards of many orders; each good is asked for once. */
export async function rehearseMany(hub: Hub, docking: Docking, asks: readonly PlaceAsk[]): Promise<void> {
  if (!(await hub.sandboxes.isFilled(docking))) return
  const kinds = new Map<string, { ask: PlaceAsk; quantity: number }>()
  for (const ask of asks) {
    const name = `${ask.good} ${variantOf(ask.choice ?? NO_CHOICE)}`
    const known = kinds.get(name)
    if (known) known.quantity += ask.quantity
    else kinds.set(name, { ask, quantity: ask.quantity })
  }
  for (const { ask, quantity } of kinds.values()) await hub.sandboxes.stock.fillFor(docking, ask.good, ask.choice ?? NO_CHOICE, quantity)
}

/** Says on the answer which fault it was, so that nobody takes it for real. An order that was bound before was not struck. */
export function markStruck(reply: FastifyReply, struck: Meeting | null, isRefused: boolean): void {
  if (struck !== null && struck.isStruck && (struck.asked.fault.strikes !== 'order' || isRefused)) reply.header(NAME, struck.asked.fault.name)
}

/** Lets an answer suffer its fault. `answer` renders it and hands its text to the `Send` that it is given. */
export async function sufferFault(hub: Hub, reply: FastifyReply, { asked }: Meeting, receipt: Receipt | undefined, answer: (send: Send) => FastifyReply): Promise<FastifyReply> {
  const { fault, params } = asked
  switch (fault.name) {
    case 'slow':
      for (let leftMs = params.ms ?? 0; leftMs > 0 && !hub.state.stopping; leftMs -= STEP_MS) await sleep(Math.min(leftMs, STEP_MS))
      return answer(plainly)
    case 'gbk_body':
      return answer(inGbk)
    case 'cut_in_body':
      return answer((to, text) => {
        const bytes = Buffer.from(text)
        to.hijack()
        to.raw.writeHead(to.statusCode, { ...to.getHeaders(), 'content-length': bytes.byteLength } as unknown as Record<string, string>)
        to.raw.write(bytes.subarray(0, bytes.byteLength >> 1), () => to.request.raw.socket.destroySoon())
        return to
      })
    default:
      // Nobody will ever know whether the answer arrived: the order stays charged, and its reference gets it.
      receipt?.broken()
      reply.hijack()
      holdLine(hub, reply.request.raw.socket, params.ms ?? 0)
      return reply
  }
}

const STEP_MS = 100
/** Lines that are kept open in silence, in all: beyond that they are cut at once. */
const MOST_HELD = 200
const held = new WeakMap<Hub, Set<Socket>>()

function holdLine(hub: Hub, socket: Socket, ms: number): void {
  const lines = held.get(hub) ?? new Set<Socket>()
  held.set(hub, lines)
  if (ms === 0 || lines.size >= MOST_HELD || hub.state.stopping) return void socket.destroy()
  lines.add(socket)
  const timer = setTimeout(() => socket.destroy(), ms).unref()
  socket.once('close', () => {
    clearTimeout(timer)
    lines.delete(socket)
  })
}

/** A hub that stops waits for no answer that was never to come. */
export function cutHeldLines(hub: Hub): void {
  for (const socket of held.get(hub) ?? []) socket.destroy()
}
