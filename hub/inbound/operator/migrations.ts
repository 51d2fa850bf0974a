import type { FastifyInstance } from 'fastify'
import { Amount, Time } from '../../../protocol/messages.ts'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome, type Refusal } from '../../../protocol/outcome.ts'
import { explain } from '../../../protocol/reasons.ts'
import { Type, type TSchema } from '../../../protocol/schema.ts'
import { parseTime } from '../../../protocol/time.ts'
import {
  begin, bringCards, bringGoods, broughtDockings, broughtGoods, findMigration, openPartners, publishCards, setBalances, setPrices, takeOrders, withdraw,
} from '../../domain/migration/index.ts'
import { limits } from '../../kernel/limits.ts'
import type { Hub } from '../hub.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const Step = Type.Integer({ minimum: 1, maximum: 1_000_000 })
const Member = Type.String({ pattern: '^[A-Za-z0-9._:@-]{1,32}$', title: '1 to 32 letters, digits or . _ : @ -' })
const Code = Type.String({ minLength: 1, maxLength: 64 })
const OldNumber = Type.String({ minLength: 1, maxLength: 64, pattern: '^[!#-&(-\\[\\]-~]+$', title: 'visible ASCII characters without blanks, quotes or backslashes' })

const Partner = Type.Object({
  member: Member, name: Type.String({ minLength: 1, maxLength: 80, pattern: '^[^\\u0000-\\u001f\\u007f<>]+$', title: 'text without control characters, < or >' }),
  // Without + and %: the peer decodes them while it signs.
  appKey: Type.String({ pattern: '^[A-Za-z0-9._:@-]{16,64}$', title: '16 to 64 letters, digits or . _ : @ -' }),
}, closed)
const OldOrder = Type.Object({
  member: Member, tradeNo: OldNumber, reference: Type.Union([OldNumber, Type.Null()]), good: Type.Union([Code, Type.Null()]),
  quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }), amount: Amount, secret: Type.String({ maxLength: 1_000_000 }), at: Time,
}, closed)

const Name = Type.String({ minLength: 1, maxLength: 64 })
const OldCard = Type.Object({ good: Code, card: Type.String({ maxLength: 4_000 }), race: Type.Optional(Name), options: Type.Optional(Type.Record(Name, Name, { maxProperties: 10 })) }, closed)

/** A chunk of one reading. */
function chunkOf<T extends TSchema>(item: T, maxItems: number) {
  return Type.Object({ step: Step, items: Type.Array(item, { minItems: 1, maxItems }) }, closed)
}

const CHUNK = { bodyLimit: limits.importBytes } as const
const PAGE = Type.Object({ after: Type.Optional(Type.String({ maxLength: 64 })), limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits' })) }, closed)

/** Taking over another site. Every call may be repeated: it says what shall be, and answers what it changed. */
export function migrationRoutes(app: FastifyInstance, hub: Hub): void {
  const makeId = (prefix: 'key' | 'dep' | 'gds') => () => hub.ids.make(prefix, hub.clock.nowMs())
  readingRoutes(app, hub, makeId)

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/partners', summary: 'Open a docking for each partner of the old site, with the id and key that it has', ...CHUNK, body: chunkOf(Partner, 500),
    handler: async ({ body, params }) => {
      const opened = await openPartners(hub.db, hub.vault, { id: params.migration!, step: body.step }, body.items, makeId('key'))
      hub.keys.forget()
      return opened.ok ? accept({
        status: 200,
        body: { items: opened.value.map(({ docking, isNew }) => ({ member: docking.appId, docking: docking.id, baseUrl: `${hub.publicUrl}/d/acg/${docking.id}`, outcome: isNew ? 'done' : 'known' })) },
      }) : opened
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/goods', summary: 'Add or change goods of the old site; a code that was here before is left alone', ...CHUNK,
    body: chunkOf(Type.Object({}, { additionalProperties: true }), 1_000),
    handler: async ({ body, params }) => {
      const brought = await bringGoods(hub.db, { id: params.migration!, step: body.step }, body.items as Record<string, unknown>[], makeId('gds'))
      return brought.ok ? accept({ status: 200, body: brought.value }) : brought
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/prices', summary: 'Give dockings the prices of their own that they had', ...CHUNK,
    body: chunkOf(Type.Object({ member: Member, good: Code, race: Type.Optional(Name), unitPrice: Amount }, closed), 2_000),
    handler: async ({ body, params }) => {
      const rows = body.items.map((row) => ({ member: row.member, good: row.good, race: row.race ?? '', unitPriceMicro: parseAmount(row.unitPrice) ?? 0n }))
      const bad = rows.findIndex((row) => row.unitPriceMicro === 0n)
      if (bad >= 0) return refuse('protocol.invalid_field', { path: `/items/${bad}/unitPrice`, expected: 'an amount above zero' })
      const set = await setPrices(hub.db, { id: params.migration!, step: body.step }, rows)
      return set.ok ? accept({ status: 200, body: { changed: set.value.changed, left: set.value.left.map(({ member, good, race, refusal }) => ({ member, good, ...(race === '' ? {} : { race }), ...why(refusal) })) } }) : set
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/orders', summary: 'Bind the order numbers of the old site to what was delivered there', ...CHUNK, body: chunkOf(OldOrder, 1_000),
    handler: async ({ body, params }) => {
      const rows = body.items.map((row) => ({ ...row, amountMicro: parseAmount(row.amount), at: parseTime(row.at) }))
      const bad = rows.findIndex((row) => row.amountMicro === null || row.at === null)
      if (bad >= 0) return refuse('protocol.invalid_field', { path: `/items/${bad}`, expected: 'an amount of at most a thousand million yuan' })
      const taken = await takeOrders(hub.db, hub.vault, { id: params.migration!, step: body.step }, rows.map((row) => ({ ...row, amountMicro: row.amountMicro!, at: new Date(row.at!) })))
      return taken.ok ? accept({ status: 200, body: { items: taken.value.map(({ tradeNo, outcome, refusal }) => ({ tradeNo, outcome, ...why(refusal) })) } }) : taken
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/balances', summary: 'Bring balances to what they are at the old site', ...CHUNK,
    body: chunkOf(Type.Object({ member: Member, balance: Amount }, closed), 500),
    handler: async ({ body, params }) => {
      const rows = body.items.map((row) => ({ member: row.member, balanceMicro: parseAmount(row.balance) }))
      const bad = rows.findIndex((row) => row.balanceMicro === null)
      if (bad >= 0) return refuse('protocol.invalid_field', { path: `/items/${bad}/balance`, expected: 'an amount of at most a thousand million yuan' })
      const set = await setBalances(hub.db, { id: params.migration!, step: body.step }, rows.map((row) => ({ ...row, balanceMicro: row.balanceMicro! })), makeId('dep'))
      return set.ok ? accept({
        status: 200,
        body: { items: set.value.map((row) => ({ member: row.member, outcome: row.outcome, change: formatAmount(row.changeMicro), available: formatAmount(row.availableMicro), ...why(row.refusal) })) },
      }) : set
    },
  })
  cardRoutes(app, hub)
}

/** The migration as a whole: where it stands, the proof, and the way back. */
function readingRoutes(app: FastifyInstance, hub: Hub, makeId: (prefix: 'dep') => () => string): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration', summary: 'Begin a migration, or go on with a later reading of the old site',
    body: Type.Object({ step: Step, source: Type.String({ pattern: '^[0-9a-f]{64}$', title: '64 lower-case hexadecimal digits' }) }, closed),
    handler: async ({ body, params }) => {
      if (!/^[0-9a-z-]{3,32}$/.test(params.migration!)) return refuse('protocol.invalid_field', { path: '/migration', expected: '3 to 32 lower-case letters, digits or -' })
      return asAnswer(await begin(hub.db, { id: params.migration!, step: body.step }, body.source))
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/migrations/:migration', summary: 'How far a migration is',
    handler: async ({ params }) => asAnswer(await findMigration(hub.db, params.migration!)),
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/migrations/:migration/dockings', summary: 'What a migration brought to each docking, for the proof', query: PAGE,
    handler: async ({ params, query }) => {
      const limit = Number(query.limit ?? 500)
      const rows = await broughtDockings(hub.db, params.migration!, query.after ?? '', limit)
      const items = rows.map(({ openedMicro, availableMicro, amountMicro, ...row }) => ({ ...row, opened: formatAmount(openedMicro), available: formatAmount(availableMicro), amount: formatAmount(amountMicro) }))
      return accept({ status: 200, body: { items, next: rows.length === limit ? rows.at(-1)!.docking : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/migrations/:migration/goods', summary: 'What a migration brought of each good, for the proof', query: PAGE,
    handler: async ({ params, query }) => {
      const migration = await findMigration(hub.db, params.migration!)
      if (!migration.ok) return migration
      const limit = Number(query.limit ?? 500)
      const items = await broughtGoods(hub.db, migration.value, query.after ?? '', limit)
      return accept({ status: 200, body: { items, next: items.length === limit ? items.at(-1)!.code : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/withdrawal', summary: 'Take back what a migration brought, as long as nothing was sold from it', body: Type.Object({ step: Step }, closed),
    handler: async ({ body, params }) => {
      const withdrawn = await withdraw(hub.db, { id: params.migration!, step: body.step }, makeId('dep'))
      hub.keys.forget()
      if (!withdrawn.ok) return withdrawn
      const { amountMicro, ...counts } = withdrawn.value
      return accept({ status: 200, body: { ...counts, amount: formatAmount(amountMicro) } })
    },
  })
}

function cardRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/cards', summary: 'Stage cards of the old site where nobody can buy them yet', ...CHUNK,
    body: chunkOf(OldCard, 5_000),
    handler: async ({ body, params }) => {
      const staged = await bringCards(hub.db, hub.vault, { id: params.migration!, step: body.step }, body.items.map(({ good, card, race, options }) => ({ good, card, choice: { race: race ?? null, options: options ?? {} } })))
      return staged.ok ? accept({ status: 200, body: { ...staged.value, left: staged.value.left.map(({ index, refusal }) => ({ index, ...why(refusal) })) } }) : staged
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/migrations/:migration/publication', summary: 'Put the staged cards on sale in one step, in place of those of the reading before',
    body: Type.Object({ step: Step, cards: Type.Integer({ minimum: 0 }) }, closed),
    handler: async ({ body, params }) => asAnswer(await publishCards(hub.db, hub.vault, { id: params.migration!, step: body.step }, body.cards)),
  })
}

function asAnswer(outcome: Outcome<unknown>): Outcome<{ status: number; body: unknown }> {
  return outcome.ok ? accept({ status: 200, body: outcome.value }) : outcome
}

/** Why one row was left out, for a report in either language. */
function why(refusal: Refusal | null) {
  return refusal === null ? {} : { code: refusal.code, message: { en: explain(refusal, 'en'), zh: explain(refusal, 'zh') } }
}
