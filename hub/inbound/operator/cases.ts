import type { FastifyReply, FastifyRequest } from 'fastify'
import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { reasonOf } from '../../../protocol/reasons.ts'
import { Type, type Static, type TSchema } from '../../../protocol/schema.ts'
import { CASE_STATES, type CaseState, type Dossier } from '../../domain/compliance/index.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { readBody, refusalOfError, type Answer } from '../pipeline.ts'
import { langOf, problemOf } from '../problem.ts'
import { reader } from '../shape.ts'

const closed = { additionalProperties: false }
const Line = Type.String({ minLength: 1, maxLength: 500 })
const Text = Type.String({ minLength: 1, maxLength: 10_000 })
const Note = Type.Optional(Type.String({ maxLength: 4_000 }))
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 lower-case hexadecimal digits' })
const lines = (most: number, item: TSchema = Line) => Type.Array(item, { maxItems: most })
const oneOf = (words: readonly string[]) => Type.Union(words.map((word) => Type.Literal(word)))

const Open = Type.Object({ title: Line, dockings: lines(50, Type.String({ maxLength: 64 })), note: Note }, closed)
const Move = Type.Object({ to: oneOf(['triage', 'investigate']), note: Note }, closed)
const Remark = Type.Object({ note: Type.String({ minLength: 1, maxLength: 4_000 }), decisions: Type.Optional(lines(50, Type.String({ maxLength: 64 }))) }, closed)
const Write = Type.Object({
  note: Note,
  dossier: Type.Object({
    found: Text, subjects: Type.Array(Text, { minItems: 1, maxItems: 20 }), accounts: Text,
    transactions: Type.Object({ from: Line, to: Line, text: Text, movements: lines(500, Type.String({ maxLength: 64 })) }, closed),
    relatedParties: lines(50, Text), reasons: Type.Array(Text, { minItems: 1, maxItems: 50 }), crimeType: Line, measuresTaken: Text, evidence: lines(100, Sha256),
  }, closed),
}, closed)
const Propose = Type.Object({ as: oneOf(['filed', 'closed']), note: Type.String({ minLength: 1, maxLength: 4_000 }) }, closed)
const Confirm = Type.Object({ note: Note, receipt: Type.Optional(Type.String({ maxLength: 200 })) }, closed)
const ListQuery = Type.Object({ state: Type.Optional(oneOf(CASE_STATES)) }, closed)
const PageNumber = Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,8}$', title: 'a whole number' }))
const AccessQuery = Type.Object({ before: PageNumber }, closed)
const MovementQuery = Type.Object({ docking: Type.String({ maxLength: 64 }), before: Type.Optional(Type.String({ pattern: '^\\d{1,18}\\.\\d{1,4}$', title: 'what the page before called next' })) }, closed)
const MOVEMENTS = 500
const ACCESSES = 500

type Asked<B, Q> = { id: string; body: B; query: Q; by: string; note: string }
type Door = { method: string; pattern: RegExp; body: ReturnType<typeof reader> | null; query: ReturnType<typeof reader>; handler: (hub: Hub, asked: Asked<never, never>) => Promise<Outcome<Answer>> }

function door<B extends TSchema, Q extends TSchema>(method: string, path: string, shape: { body?: B; query?: Q }, handler: (hub: Hub, asked: Asked<Static<B>, Static<Q>>) => Promise<Outcome<Answer>>): Door {
  return {
    method, pattern: new RegExp(`^/operator/cases${path.replace(':case', '([0-9a-zA-Z_]{1,64})')}$`), handler: handler as Door['handler'],
    body: shape.body ? reader(shape.body, '') : null, query: reader(shape.query ?? Type.Object({}, closed), '?'),
  }
}

const ok = (body: unknown, status = 200): Outcome<Answer> => accept({ status, body })
const changed = (outcome: Outcome<object>): Outcome<Answer> => (outcome.ok ? ok(outcome.value) : outcome)

const DOORS: readonly Door[] = [
  door('POST', '', { body: Open }, async (hub, { body, by, note }) => ok(await hub.cases.open({ title: body.title, dockings: body.dockings as string[], by, note }), 201)),
  door('GET', '', { query: ListQuery }, async (hub, { query, by }) => ok({ items: await hub.cases.list((query.state as CaseState | undefined) ?? null, by), next: null })),
  door('GET', '/accesses', { query: AccessQuery }, (hub, { query, by }) => accesses(hub, null, query.before, by)),
  door('GET', '/:case', {}, async (hub, { id, by }) => changed(await hub.cases.find(id, by))),
  door('POST', '/:case/moves', { body: Move }, async (hub, { id, body, by, note }) => changed(await hub.cases.move(id, body.to as 'triage', { by, note }))),
  door('POST', '/:case/notes', { body: Remark }, async (hub, { id, body, by, note }) => changed(await hub.cases.note(id, (body.decisions ?? []) as string[], { by, note }))),
  door('POST', '/:case/dossier', { body: Write }, async (hub, { id, body, by, note }) => changed(await hub.cases.write(id, body.dossier as Dossier, { by, note }))),
  door('POST', '/:case/proposals', { body: Propose }, async (hub, { id, body, by, note }) => changed(await hub.cases.propose(id, body.as as 'filed', { by, note }))),
  door('POST', '/:case/confirmations', { body: Confirm }, async (hub, { id, body, by, note }) => changed(await hub.cases.confirm(id, body.receipt ?? '', { by, note }))),
  door('GET', '/:case/accesses', { query: AccessQuery }, (hub, { id, query, by }) => accesses(hub, id, query.before, by)),
  door('GET', '/:case/movements', { query: MovementQuery }, async (hub, { id, query, by }) => {
    const [position, leg] = (query.before ?? '').split('.')
    const page = await hub.cases.movements(id, query.docking, query.before === undefined ? null : { position: BigInt(position!), leg: Number(leg) }, MOVEMENTS, by)
    if (!page.ok) return page
    const last = page.value.length === MOVEMENTS ? page.value.at(-1)! : null
    return ok({
      items: page.value.map((one) => ({ kind: one.kind, subject: one.event, amount: `${one.incoming ? '' : '-'}${formatAmount(one.amountMicro)}`, balance: formatAmount(one.afterMicro), at: one.at.toISOString() })),
      next: last === null ? null : `${last.position}.${last.leg}`,
    })
  }),
]

async function accesses(hub: Hub, id: string | null, before: string | undefined, by: string): Promise<Outcome<Answer>> {
  const page = await hub.cases.accesses(id, before === undefined ? null : Number(before), ACCESSES, by)
  return page.ok ? ok({ items: page.value, next: page.value.length === ACCESSES ? String(page.value.at(-1)!.number) : null }) : page
}

/** Requests that the doors of the cases have answered: no counter of the hub may hear of them. */
const unseen = new WeakSet<FastifyRequest>()

export function isUnseen(request: FastifyRequest): boolean {
  return unseen.has(request)
}

/** A dossier of the largest fields that its shape allows, in Chinese. */
const CASE_BYTES = 4 * 1024 * 1024

/**
 * The doors of the cases. The server knows no such routes: it asks here about every address that it does not know, before
 * a byte of the body is read, and the first question is whether the caller is a compliance person. Only then is the address
 * looked at; so for everybody else the work, the answer and its head are those of any unknown address, because they are
 * that answer. What is a door's is counted nowhere from here on, whatever comes of it.
 * @returns whether it was answered; otherwise the address is to be answered as unknown
 */
export async function answerCases(hub: Hub, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const token = /^Bearer (bth_op_[!-~]{1,190})$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) return false
  const person = await hub.operators.byKey(token)
  if (!person.ok || !person.value.roles.includes('compliance')) return false
  const [path = '', query = ''] = (request.raw.url ?? '').split('?', 2)
  const door = DOORS.find(({ method, pattern }) => method === request.method && pattern.test(path))
  if (!door) return false
  unseen.add(request)
  reply.header('cache-control', 'no-store')
  try {
    const body = await gather(request)
    const outcome = body.ok ? await walk(hub, door, door.pattern.exec(path)![1] ?? '', query, request, body.value, person.value.name) : body
    if (!body.ok) reply.header('connection', 'close')
    if (!outcome.ok) refuseUnseen(hub, request, reply, outcome.refusal)
    else void reply.code(outcome.value.status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(outcome.value.body))
  } catch (error) {
    // Not one line in the log of the hub, which ordinary operators read: the person sees it and can tell.
    refuseUnseen(hub, request, reply, refusalOfError(error))
  }
  return true
}

/** The body, bounded in size and time by these doors alone: the bounds of the others count what they refuse. */
async function gather({ raw }: FastifyRequest): Promise<Outcome<Buffer>> {
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((settle, fail) => {
    const late = setTimeout(() => settle(refuse('protocol.request_timeout', { allowedS: limits.requestTimeoutS })), limits.requestTimeoutS * 1000)
    raw.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength
      if (bytes <= CASE_BYTES) return void chunks.push(chunk)
      chunks.length = 0
      clearTimeout(late)
      settle(refuse('protocol.request_too_large', { what: 'body', allowed: `${CASE_BYTES / 1024} KB` }))
    })
    raw.once('end', () => (clearTimeout(late), settle(accept(Buffer.concat(chunks)))))
    raw.once('error', (error) => (clearTimeout(late), fail(error)))
  })
}

async function walk(hub: Hub, door: Door, id: string, queryText: string, request: FastifyRequest, bytes: Buffer, by: string): Promise<Outcome<Answer>> {
  const query = door.query(Object.fromEntries(new URLSearchParams(queryText)))
  if (!query.ok) return query
  let body: unknown
  if (door.body) {
    const json = readBody(request, bytes)
    if (!json.ok) return json
    const checked = door.body(json.value)
    if (!checked.ok) return checked
    body = checked.value
  }
  return door.handler(hub, { id, body: body as never, query: query.value as never, by, note: (body as { note?: string } | undefined)?.note ?? '' })
}

/** A refusal that is counted nowhere. */
function refuseUnseen(hub: Hub, request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void {
  const lang = langOf(request.headers['accept-language'])
  const problem = problemOf(refusal, { publicUrl: hub.publicUrl, requestId: request.id, lang, nowMs: hub.clock.nowMs() })
  void reply.code(reasonOf(refusal.code).status).header('content-type', 'application/problem+json').header('content-language', lang).send(JSON.stringify(problem))
}
