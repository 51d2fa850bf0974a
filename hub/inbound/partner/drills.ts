import { createPublicKey, hash, verify } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { fromBase64 } from '../../../protocol/bytes.ts'
import { cosignedAt, readNote, readSignature, witnessNameOf } from '../../../protocol/checkpoint.ts'
import { AskDrill, Drill, DrillCosign, DrillCosigned, DrillDispute, DrillDisputed, DrillPage } from '../../../protocol/drills.ts'
import { hashNow } from '../../../protocol/merkle.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import { Nothing } from '../../../protocol/sandbox.ts'
import { parseTime } from '../../../protocol/time.ts'
import { PLANS, SIZES, type CopyPhase, type DrillKind, type LogCopy, type Seen } from '../../domain/drills/index.ts'
import { isId } from '../../kernel/ids.ts'
import { presentBest, presentDrill, presentRun, presentSchedule } from '../drill-views.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'
import { closed, Cursor, Limit, pageLimit } from './query.ts'

/** A drill moves test money alone; but whoever only looks shall not begin one. */
const SCOPE = 'orders:write'
const MOST_AHEAD_MS = 30 * 86_400_000

export function drillRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/drills', summary: 'What can be rehearsed, how it is judged, and your own drills, newest first', scope: 'docking:read', answers: { 200: DrillPage },
    query: Type.Object({ cursor: Cursor, limit: Limit }, closed),
    handler: async ({ docking, query }) => {
      const before = query.cursor ?? null
      if (before !== null && !isId('drl', before)) return refuse('protocol.invalid_field', { path: '?/cursor', expected: 'a cursor that the list before answered' })
      const limit = pageLimit(query.limit)
      const runs = await hub.drills.list(docking.id, before, limit)
      const { points, best } = await hub.drills.levelPoints(docking.id)
      const schedules = await hub.drills.schedules(docking.id)
      return accept({
        status: 200,
        body: {
          plans: Object.values(PLANS), best: best.map(presentBest), points, schedules: schedules.map(presentSchedule), items: runs.map(presentRun),
          next: runs.length === limit ? runs.at(-1)!.id : null,
        },
      })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/drills', summary: 'Rehearse in this sandbox, at once or at a time', scope: SCOPE, body: AskDrill, answers: { 201: Drill },
    handler: async ({ docking, body, key, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const startsAt = readStart(body.startsAt, hub.clock.nowMs())
      if (!startsAt.ok) return startsAt
      const run = await hub.drills.plan(docking, { kind: body.kind as DrillKind, origin: 'partner', by: key.id, startsAt: startsAt.value })
      return run.ok ? accept({ status: 201, body: await presentDrill(hub, run.value) }) : run
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/drills/:drill', summary: 'One drill: where it stands, what it asks of you now, and its signed result', scope: 'docking:read', answers: { 200: Drill },
    handler: async ({ docking, params }) => {
      const run = await hub.drills.find(params.drill!, docking.id)
      return run.ok ? accept({ status: 200, body: await presentDrill(hub, run.value) }) : run
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/drills/:drill/abandon', summary: 'End a drill without a score', scope: SCOPE, body: Nothing, answers: { 200: Drill },
    handler: async ({ docking, params, key, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const ended = await hub.drills.giveUp(params.drill!, key.id, docking.id)
      return ended.ok ? accept({ status: 200, body: await presentDrill(hub, ended.value) }) : ended
    },
  })

  witnessRoutes(app, hub)
}

/** What a witness says in a drill: the calls of the true log, under the address of the drill. */
function witnessRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'POST', path: '/api/drills/:drill/witness', summary: 'Sign a checkpoint of the log that the drill shows', scope: 'docking:read', body: DrillCosign, answers: { 200: DrillCosigned },
    handler: async ({ docking, params, body, requestId, key, nowMs, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const shown = shownTo(hub, params.drill!, docking.id)
      if (!shown.ok) return shown
      const signed = await readCosignature(shown.value.copy, shown.value.phase, body)
      if (!signed.ok) return signed
      hub.drills.observe(docking.id, said('cosigned', requestId, key.id, nowMs, { size: body.size, holds: signed.value.isHonest }))
      return accept({ status: 200, body: { size: body.size, witness: signed.value.witness } })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/drills/:drill/dispute', summary: 'Report two notes of the drill that cannot both be true', scope: 'docking:read', body: DrillDispute, answers: { 200: DrillDisputed },
    handler: async ({ docking, params, body, requestId, key, nowMs, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const shown = shownTo(hub, params.drill!, docking.id)
      if (!shown.ok) return shown
      const holds = shown.value.copy.contradict(body.first, body.second)
      hub.drills.observe(docking.id, said('disputed', requestId, key.id, nowMs, { size: null, holds }))
      return accept({ status: 200, body: { holds } })
    },
  })
}

function shownTo(hub: Hub, drill: string, docking: string): Outcome<{ copy: LogCopy; phase: CopyPhase }> {
  const shown = hub.drills.copyOf(drill)
  return shown && shown.docking === docking ? accept(shown) : refuse('drills.no_log', { drill: drill.slice(0, 64) })
}

function said(what: 'cosigned' | 'disputed', request: string, key: string, atMs: number, { size, holds }: { size: number | null; holds: boolean }): Seen {
  return { id: request, what, atMs, endedMs: atMs, request, key, status: 200, code: null, isAnswered: true, reference: null, retryAfterS: null, after: null, size, holds }
}

/** Which of the shown checkpoints a witness has signed: an honest one, or the forged one. */
async function readCosignature(copy: LogCopy, phase: CopyPhase, ask: { size: number; publicKey: string; line: string }): Promise<Outcome<{ witness: string; isHonest: boolean }>> {
  const publicKey = fromBase64(ask.publicKey)
  if (publicKey?.length !== 32) return refuse('protocol.invalid_field', { path: '/publicKey', expected: '32 bytes in base64: a raw Ed25519 public key' })
  const name = hashNow(witnessNameOf(publicKey), sha256)
  const line = readSignature(`${ask.line}\n`)
  if (line === null) return refuse('logbook.cosignature_invalid', { problem: 'the line is not written as a note asks', witness: name })
  for (const one of (['watch', 'grow', 'forged'] as const).filter((each) => SIZES[each] <= SIZES[phase] && SIZES[each] === ask.size)) {
    const timeS = await cosignedAt(readNote(copy.note(one))!.text, line, { name, publicKey }, sha256, verifyEd25519)
    if (timeS !== null) return accept({ witness: name, isHonest: one !== 'forged' })
  }
  return refuse('logbook.cosignature_invalid', { problem: 'this key did not sign this checkpoint', witness: name })
}

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')

function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array): boolean {
  return verify(null, bytes, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' }), signature)
}

/** When a drill shall begin: now, or at a time within 30 days. */
export function readStart(text: string | undefined, nowMs: number): Outcome<Date | null> {
  if (text === undefined) return accept(null)
  const atMs = parseTime(text)
  return atMs !== null && atMs > nowMs && atMs <= nowMs + MOST_AHEAD_MS ? accept(new Date(atMs)) : refuse('protocol.invalid_field', { path: '/startsAt', expected: 'a time to come within 30 days, in RFC 3339' })
}
