import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { Amount, REFERENCE, Time } from '../../../protocol/messages.ts'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { parseTime } from '../../../protocol/time.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { loadPricedByCode, loadPricedById, readPriced, type PricedGood } from '../../domain/catalogue/index.ts'
import { deposit, openBalance } from '../../domain/ledger/index.ts'
import { addKey, endKeyAt, findDocking, guardPrice, KEY_SCOPES, listDockings, mountAt, openDocking, PRICE_GUARDS, type Docking } from '../../domain/partners/index.ts'
import { endOwnPrice, setOwnPrice } from '../../domain/pricing/index.ts'
import { openContract } from '../../domain/terms/index.ts'
import { writeAdmission } from '../../domain/conformance/index.ts'
import { bestOf } from '../drill-views.ts'
import type { Hub } from '../hub.ts'
import { admissionFor, partnerBehind } from './conformance.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const Name = Type.String({ minLength: 1, maxLength: 80, pattern: '^[^\\u0000-\\u001f\\u007f<>]+$', title: 'text without control characters, < or >' })

const Race = Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\u0000-\\u001f\\u007f]+$', title: 'text without control characters' })
export const Note = Type.String({ maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]*$', title: 'text without control characters' })

const OpenDocking = Type.Object({
  name: Name,
  mode: Type.Union([Type.Literal('sandbox'), Type.Literal('live')]),
  dialect: Type.Union([Type.Literal('json'), Type.Literal('acg0')]),
  appId: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._:@-]{1,32}$', title: '1 to 32 letters, digits or . _ : @ -' })),
  // Without + and %: the peer decodes them while it signs.
  appKey: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._:@-]{16,64}$', title: '16 to 64 letters, digits or . _ : @ -' })),
  allowedAddresses: Type.Optional(Type.Array(Type.String({ minLength: 2, maxLength: 45, pattern: '^[0-9a-fA-F.:]+$', title: 'an IP address' }), { maxItems: 64 })),
  badge: Type.Optional(Type.String({ maxLength: 64, description: 'live: the green conformance run of its sandbox.' })),
  waiver: Type.Optional(Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]+$', title: 'text without control characters', description: 'live: why no badge is asked for.' })),
  feePpm: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'Service fee in millionths of the turnover, e.g. 10000 is 1 %.' })),
}, closed)

const AddKey = Type.Object({
  kind: Type.Union(['bearer', 'hmac-sha256', 'ed25519', 'acg'].map((kind) => Type.Literal(kind))),
  publicKey: Type.Optional(Type.String({ maxLength: 1000 })),
  scopes: Type.Optional(Type.Array(Type.String({ maxLength: 40 }), { minItems: 1, maxItems: 10 })),
}, closed)

const Deposit = Type.Object({
  reference: Type.String({ minLength: 1, maxLength: 64, pattern: REFERENCE, title: 'a letter or digit, then letters, digits or . _ : @ # + = ~ / -' }), amount: Amount, note: Type.Optional(Type.String({ maxLength: 200 })),
}, closed)

export function dockingRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings', summary: 'Open a docking; its credentials are shown this once', body: OpenDocking,
    handler: async ({ body, by }) => {
      const nowMs = hub.clock.nowMs()
      const admission = await admissionFor(hub, body, by)
      if (!admission.ok) return admission
      const make = (prefix: 'prt' | 'dck' | 'key') => hub.ids.make(prefix, nowMs)
      const partner = admission.value !== null && 'run' in admission.value ? await partnerBehind(hub, admission.value.run) : make('prt')
      const opened = await openDocking(hub.db, hub.vault, {
        ids: { partner, docking: make('dck'), keys: [make('key'), make('key')] }, name: body.name, mode: body.mode, dialect: body.dialect,
        appId: body.appId ?? null, appKey: body.appKey ?? null, allowedAddresses: body.allowedAddresses ?? [],
      }, async (connection, docking, at, append) => {
        await connection.run(openBalance(docking.lane, docking.id, docking.mode))
        await connection.run(openContract(docking.lane, docking.id, body.feePpm ?? 0, at))
        if (admission.value) await writeAdmission(connection, docking, admission.value, at, append)
      })
      if (!opened.ok) return opened
      const { docking, credentials } = opened.value
      return accept({ status: 201, body: { docking: view(hub, docking), credentials } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/dockings', summary: 'All dockings by id',
    query: Type.Object({ after: Type.Optional(Type.String({ maxLength: 40 })), limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits' })) }, closed),
    handler: async ({ query }) => {
      const limit = Math.min(Number(query.limit ?? 100), 500)
      const dockings = await listDockings(hub.db, query.after ?? '', limit)
      const best = await bestOf(hub, dockings)
      return accept({ status: 200, body: { items: dockings.map((docking) => ({ ...view(hub, docking), drills: best.get(docking.id) })), next: dockings.length === limit ? dockings.at(-1)!.id : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/keys', summary: 'Add a key beside those that live', body: AddKey,
    handler: ({ body, params }) => withDocking(hub, params.docking!, async (docking) => {
      if ((body.kind === 'acg') !== (docking.dialect === 'acg0') && body.kind !== 'bearer') {
        return refuse('protocol.invalid_field', { path: '/kind', expected: docking.dialect === 'acg0' ? 'acg or bearer' : 'bearer, hmac-sha256 or ed25519' })
      }
      const added = await addKey(hub.db, hub.vault, {
        id: hub.ids.make('key', hub.clock.nowMs()), docking, kind: body.kind as 'bearer', publicKeyPem: body.publicKey ?? null, scopes: body.scopes ?? KEY_SCOPES,
      })
      if (!added.ok) return added
      hub.keys.forget()
      return accept({ status: 201, body: added.value })
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/keys/:key/end', summary: 'Revoke a key at once, or let it expire at a time', body: Type.Object({ at: Type.Optional(Time) }, closed),
    handler: async ({ body, params }) => {
      const at = body.at === undefined ? null : new Date(parseTime(body.at) ?? Number.NaN)
      if (at !== null && !(at.getTime() > hub.clock.nowMs())) return refuse('protocol.invalid_field', { path: '/at', expected: 'a time to come, in RFC 3339' })
      const ended = await endKeyAt(hub.db, params.key!, at)
      if (!ended.ok) return ended
      hub.keys.forget()
      return accept({ status: 200, body: { keyId: ended.value.keyId, endsAt: ended.value.endsAt.toISOString() } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/deposits', summary: 'Book a deposit once per reference', body: Deposit,
    handler: ({ body, params }) => withDocking(hub, params.docking!, async (docking) => {
      const amountMicro = parseAmount(body.amount)
      if (amountMicro === null) return refuse('protocol.invalid_field', { path: '/amount', expected: 'an amount of at most a thousand million yuan' })
      const booked = await deposit(hub.db, {
        id: hub.ids.make('dep', hub.clock.nowMs()), lane: docking.lane, account: docking.id, mode: docking.mode, reference: body.reference, amountMicro, note: body.note ?? '',
      })
      if (!booked.ok) return booked
      const { id, availableMicro, replayed } = booked.value
      return accept({ status: replayed ? 200 : 201, body: { id, amount: formatAmount(amountMicro), available: formatAmount(availableMicro), replayed } })
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/offers', summary: 'Give one docking a price of its own, no worse than the published one',
    body: Type.Object({ good: Type.String({ maxLength: 64 }), race: Type.Optional(Race), unitPrice: Amount, allowBelowCost: Type.Optional(Type.Boolean()), note: Type.Optional(Note) }, closed),
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      const price = parseAmount(body.unitPrice)
      if (!price) return refuse('protocol.invalid_field', { path: '/unitPrice', expected: 'an amount above zero' })
      const good = await findPriced(hub, body.good)
      if (!good) return refuse('catalogue.good_not_found', { good: body.good })
      const set = await setOwnPrice(hub.db, docking, { good, race: body.race ?? '', unitPriceMicro: price, allowBelowCost: body.allowBelowCost ?? false }, { by, note: body.note ?? '' })
      return set.ok ? accept({ status: 200, body: { docking: docking.id, good: good.id, unitPrice: formatAmount(price) } }) : set
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/offers/end', summary: 'End an own price: what its group or the list gives counts again',
    body: Type.Object({ good: Type.String({ maxLength: 64 }), race: Type.Optional(Race), note: Type.Optional(Note) }, closed),
    handler: ({ body, params, by }) => withDocking(hub, params.docking!, async (docking) => {
      const good = await findPriced(hub, body.good)
      if (!good) return refuse('catalogue.good_not_found', { good: body.good })
      const { ended } = await endOwnPrice(hub.db, docking, { good, race: body.race ?? '' }, { by, note: body.note ?? '' })
      return accept({ status: 200, body: { docking: docking.id, good: good.id, ended } })
    }),
  })
}

/** A good by its code or its id. */
export async function findPriced(hub: Hub, named: string): Promise<PricedGood | undefined> {
  return readPriced(await hub.db.run(loadPricedByCode([named])))[0] ?? readPriced(await hub.db.run(loadPricedById(named)))[0]
}

/** What only a docking of a foreign protocol has: a guard in place of the one that it cannot send, and a port of its own. */
export function dialectRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/guard', summary: 'Choose what guards the price of a shop whose protocol cannot',
    body: Type.Object({ guard: Type.Union(PRICE_GUARDS.map((guard) => Type.Literal(guard))), cap: Type.Optional(Amount) }, closed),
    handler: ({ body, params }) => withDocking(hub, params.docking!, async (docking) => {
      const capMicro = body.cap === undefined ? null : parseAmount(body.cap)
      if ((body.guard === 'max') !== Boolean(capMicro)) return refuse('protocol.invalid_field', { path: '/cap', expected: 'an amount above zero with the guard max, and none with any other' })
      await guardPrice(hub.db, docking, body.guard, capMicro)
      hub.keys.forget()
      return accept({ status: 200, body: view(hub, { ...docking, priceGuard: body.guard, priceCapMicro: capMicro }) })
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/port', summary: 'Serve an acg-faka docking at the root of a port of its own, or no longer',
    body: Type.Object({ port: Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.Null()]) }, closed),
    handler: ({ body, params }) => withDocking(hub, params.docking!, async (docking) => {
      if (docking.dialect !== 'acg0') return refuse('protocol.invalid_field', { path: '/port', expected: 'a docking of an acg-faka shop' })
      const before = docking.port
      const written = await mountAt(hub.db, docking, body.port)
      if (!written.ok) return written
      if (body.port === null) await hub.mounts?.close(docking.id)
      else {
        const opened = await hub.mounts!.open(docking.id, body.port)
        if (!opened.ok) {
          await mountAt(hub.db, docking, before)
          return opened
        }
      }
      return accept({ status: 200, body: view(hub, { ...docking, port: body.port }) })
    }),
  })
}

export async function withDocking<T>(hub: Hub, id: string, work: (docking: Docking) => Promise<Outcome<T>>): Promise<Outcome<T>> {
  const docking = await findDocking(hub.db, id)
  return docking ? work(docking) : refuse('partners.docking_not_found', { docking: id.slice(0, 64) })
}

function view(hub: Hub, docking: Docking) {
  return {
    id: docking.id, name: docking.name, mode: docking.mode, dialect: docking.dialect, appId: docking.appId, createdAt: docking.createdAt.toISOString(),
    ...(docking.dialect === 'acg0' ? { priceGuard: docking.priceGuard, priceCap: docking.priceCapMicro === null ? null : formatAmount(docking.priceCapMicro), port: docking.port } : {}),
    baseUrl: docking.dialect === 'acg0' ? `${hub.publicUrl}/d/acg/${docking.id}` : `${hub.publicUrl}/api`,
  }
}
