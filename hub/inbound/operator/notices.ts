import type { FastifyInstance } from 'fastify'
import { Type } from '../../../protocol/schema.ts'
import { Amount, ContactAsk } from '../../../protocol/messages.ts'
import { parseAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { offeredByCode, offeredById } from '../../domain/catalogue/index.ts'
import {
  addContact, contactsOf, MAIN_SITE_OWNER, removeContact, setWatch, watchesOf, writeBelow, type ContactAsk as Ask, type Mode, type NoticeState, type Owner,
} from '../../domain/notices/index.ts'
import { isId } from '../../kernel/ids.ts'
import type { Hub } from '../hub.ts'
import type { Answer } from '../pipeline.ts'
import { presentContact } from '../present.ts'
import { withDocking } from './dockings.ts'
import { Names } from './names.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }
const Below = (value: ReturnType<typeof Type.Integer> | typeof Amount) => Type.Union([value, Type.Null()])
const StockAlert = Type.Object({
  good: Type.String({ minLength: 1, maxLength: 64 }), below: Below(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
  mode: Type.Optional(Type.Union([Type.Literal('sandbox'), Type.Literal('live')])),
}, closed)

export function noticeRoutes(app: FastifyInstance, hub: Hub): void {
  for (const { path, of, owner } of [
    { path: '/operator/dockings/:docking', of: 'of a docking', owner: ownerOf(hub) },
    // The main site's own people, who restock.
    { path: '/operator/main-site', of: 'of the main site itself', owner: async () => accept({ ...MAIN_SITE_OWNER, mode: null }) },
  ]) {
    addOperatorRoute(app, hub, {
      method: 'POST', path: `${path}/contacts`, summary: `Add a contact ${of}; one under the same address gets the new language and kinds`, body: ContactAsk,
      handler: ({ body, params }) => withOwner(owner, params, async (whose) => {
        const added = await addContact(hub.notices.desk, whose, body as Ask, 'operator')
        return added.ok ? accept({ status: added.value.added ? 201 : 200, body: presentContact(added.value.contact) }) : added
      }),
    })

    addOperatorRoute(app, hub, {
      method: 'GET', path: `${path}/contacts`, summary: `The contacts ${of}; addresses are masked`,
      handler: ({ params }) => withOwner(owner, params, async (whose) => accept({ status: 200, body: { items: (await contactsOf(hub.db, whose)).map(presentContact), next: null } })),
    })

    addOperatorRoute(app, hub, {
      method: 'POST', path: `${path}/alerts/stock`, summary: `Tell the contacts ${of} once when the stock of a good falls below a number; null for never`, body: StockAlert,
      handler: ({ body, params }) => withOwner(owner, params, async (whose) => {
        if (whose.mode !== null && body.mode !== undefined && body.mode !== whose.mode) return refuse('protocol.invalid_field', { path: '/mode', expected: `one of ${whose.mode}` })
        const mode = (whose.mode ?? body.mode ?? 'live') as Mode
        const viewer = { id: '', lane: 0, mode }
        const good = (await offeredByCode(hub.db, viewer, body.good)) ?? (await offeredById(hub.db, viewer, [body.good]))[0]
        if (!good) return refuse('catalogue.good_not_found', { good: body.good })
        const set = await setWatch(hub.db, whose, { what: 'stock', good: good.id, mode, below: body.below === null ? null : BigInt(body.below as number) }, 'operator')
        return set.ok ? accept({ status: 200, body: { docking: whose.docking || null, what: 'stock', good: good.id, mode, below: body.below } }) : set
      }),
    })
  }

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/alerts/balance', summary: 'Tell the contacts of a docking once when its deposit falls below an amount; null for never',
    body: Type.Object({ below: Below(Amount) }, closed),
    handler: ({ body, params }) => withDocking(hub, params.docking!, async ({ id, lane, mode }) => {
      const below = body.below === null ? null : parseAmount(body.below as string)
      if (body.below !== null && !below) return refuse('protocol.invalid_field', { path: '/below', expected: 'an amount above zero, or null for none' })
      const set = await setWatch(hub.db, { lane, docking: id }, { what: 'balance', good: '', mode, below }, 'operator')
      return set.ok ? accept({ status: 200, body: { docking: id, what: 'balance', good: null, mode, below: body.below } }) : set
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/alerts', summary: 'Every threshold that is on, and whether it was told',
    handler: async () => {
      const items: unknown[] = []
      const names = new Names(hub)
      for await (const page of watchesOf(hub.db)) {
        await names.learn(page.flatMap((watch) => watch.docking || []), page.flatMap((watch) => watch.good || []))
        for (const watch of page) {
          items.push({
            docking: watch.docking || null, what: watch.what, good: watch.good || null, mode: watch.mode, below: writeBelow(watch.what, watch.below), low: watch.isLow,
            toldAt: watch.toldAt?.toISOString() ?? null, ...names.of(watch.docking, watch.good),
          })
        }
      }
      return accept({ status: 200, body: { items, next: null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/contacts/:contact/remove', summary: 'Remove a contact and forget its address; its links end with it',
    handler: async ({ params }) => {
      const removed = await removeContact(hub.notices.desk, params.contact!)
      return removed.ok ? accept({ status: 200, body: presentContact(removed.value) }) : removed
    },
  })

  outboxRoutes(app, hub)
}

const STATES: readonly NoticeState[] = ['waiting', 'sent', 'failed', 'dropped']

function outboxRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/notices', summary: 'What people were told, newest first: state, attempts, last error',
    query: Type.Object({
      state: Type.Optional(Type.Union(STATES.map((state) => Type.Literal(state)))), before: Type.Optional(Type.String({ maxLength: 40 })),
      limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits' })),
    }, closed),
    handler: async ({ query }) => {
      if (query.before !== undefined && !isId('ntc', query.before)) return refuse('protocol.invalid_field', { path: '?/before', expected: 'a cursor that the list before answered' })
      const limit = Math.min(Number(query.limit ?? 100), 500)
      const notices = await hub.notices.list(query.before ?? null, (query.state as NoticeState | undefined) ?? null, limit)
      const items = notices.map((one) => ({
        id: one.id, docking: one.docking || null, contact: one.contact, channel: one.channel, address: one.masked, kind: one.kind, subject: one.subject, state: one.state, attempts: one.attempts,
        nextAt: one.state === 'waiting' ? one.nextAt.toISOString() : null, lastError: one.lastError, createdAt: one.createdAt.toISOString(), sentAt: one.sentAt?.toISOString() ?? null,
      }))
      return accept({ status: 200, body: { items, next: notices.length === limit ? notices.at(-1)!.id : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/notices/:notice/retry', summary: 'Try a letter anew that was given up',
    handler: async ({ params }) => {
      const id = params.notice!
      return (await hub.notices.retry(id)) ? accept({ status: 200, body: { id, state: 'waiting' } }) : refuse('notices.notice_not_found', { notice: id.slice(0, 64) })
    },
  })
}

/** Whose contacts or thresholds; the mode of a docking, or null where both are meant. */
type Whose = Owner & { mode: Mode | null }

function ownerOf(hub: Hub) {
  return (params: Record<string, string>): Promise<Outcome<Whose>> => withDocking(hub, params.docking!, async ({ id, lane, mode }) => accept({ lane, docking: id, mode }))
}

async function withOwner(owner: (params: Record<string, string>) => Promise<Outcome<Whose>>, params: Record<string, string>, work: (whose: Whose) => Promise<Outcome<Answer>>): Promise<Outcome<Answer>> {
  const whose = await owner(params)
  return whose.ok ? work(whose.value) : whose
}
