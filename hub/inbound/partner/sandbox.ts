import type { FastifyInstance } from 'fastify'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { Nothing, PutClock, PutFault, SandboxDeposit, SandboxDeposited, SandboxOpened, SandboxView } from '../../../protocol/sandbox.ts'
import { decisionsOf } from '../../domain/decisions/index.ts'
import { loadBalances, readBalances } from '../../domain/ledger/index.ts'
import { mayUse, READ_SCOPES, renewKeys, type Credentials, type Docking } from '../../domain/partners/index.ts'
import { FAULTS } from '../../domain/sandbox/index.ts'
import type { Hub } from '../hub.ts'
import { addRoute, type Answer } from '../pipeline.ts'
import { presentDecision } from '../present.ts'

/** The scope of everything here, to which making keys adds its own: it steers test money alone, and an acg-faka shop's owner has no other key at hand. */
const SCOPE = 'docking:read'

export function sandboxRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/sandbox', summary: 'This sandbox: its clock, its switches, and every fault that there is', scope: SCOPE, answers: { 200: SandboxView },
    handler: ({ docking, nowMs }) => view(hub, docking, nowMs),
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/sandbox', summary: 'The sandbox of this live docking, with new credentials: keys that it had before end', scope: SCOPE, body: Nothing, answers: { 200: SandboxOpened, 201: SandboxOpened },
    handler: async ({ docking, key, nowMs, onlyReplay }) => {
      // An old request sent again would end the keys that came after it.
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      // Keys are not for whoever may only look. The owner of a live acg-faka shop has no key but the one that may look at everything.
      const needed = docking.mode === 'live' && docking.dialect !== 'json' ? READ_SCOPES : ['keys:write']
      for (const scope of needed) {
        const permitted = mayUse(key, scope)
        if (!permitted.ok) return permitted
      }
      if (docking.mode === 'sandbox') {
        const credentials = await renewKeys(hub.db, hub.vault, docking, [hub.ids.make('key', nowMs), hub.ids.make('key', nowMs)])
        hub.keys.forget(docking.id)
        return accept({ status: 200, body: await presentOpened(hub, docking, credentials) })
      }
      const twin = await hub.sandboxes.twinOf(docking)
      if (!twin.ok) return twin
      hub.keys.forget(twin.value.docking.id)
      return accept({ status: twin.value.renewed ? 200 : 201, body: await presentOpened(hub, twin.value.docking, twin.value.credentials) })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/sandbox/deposits', summary: 'Test money for this sandbox, once per reference', scope: SCOPE, body: SandboxDeposit, answers: { 200: SandboxDeposited, 201: SandboxDeposited },
    handler: async ({ docking, body }) => {
      const amountMicro = parseAmount(body.amount)
      if (amountMicro === null) return refuse('protocol.invalid_field', { path: '/amount', expected: 'an amount of at most a thousand million yuan' })
      const booked = await hub.sandboxes.deposit(docking, body.reference, amountMicro, await availableOf(hub, docking))
      if (!booked.ok) return booked
      const { id, availableMicro, replayed } = booked.value
      return accept({ status: replayed ? 200 : 201, body: { id, amount: formatAmount(amountMicro), available: formatAmount(availableMicro), replayed } })
    },
  })

  addRoute(app, hub, {
    method: 'PUT', path: '/api/sandbox/faults', summary: 'Let the next requests of this sandbox meet a fault, or have a decision made', scope: SCOPE, body: PutFault, answers: { 200: SandboxView },
    handler: async ({ docking, body, nowMs, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const set = await hub.sandboxes.setFault(docking, body.fault, body.times ?? 1)
      return set.ok ? view(hub, docking, nowMs) : set
    },
  })

  addRoute(app, hub, {
    method: 'DELETE', path: '/api/sandbox/faults', summary: 'Take every switch back, and lift the decisions that were asked for', scope: SCOPE, answers: { 200: SandboxView },
    handler: async ({ docking, nowMs, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const cleared = await hub.sandboxes.clear(docking)
      return cleared.ok ? view(hub, docking, nowMs) : cleared
    },
  })

  addRoute(app, hub, {
    method: 'PUT', path: '/api/sandbox/clock', summary: 'Move the clock of this sandbox ahead, by up to 400 days', scope: SCOPE, body: PutClock, answers: { 200: SandboxView },
    handler: async ({ docking, body, nowMs, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const moved = await hub.sandboxes.setClock(docking, body.offsetS)
      if (!moved.ok) return moved
      hub.keys.forget(docking.id)
      return view(hub, { ...docking, clockOffsetS: body.offsetS }, nowMs)
    },
  })
}

async function view(hub: Hub, docking: Docking, nowMs: number): Promise<Outcome<Answer>> {
  if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
  const { faults: switches, ...clock } = await presentSandbox(hub, docking, nowMs)
  return accept({
    status: 200,
    body: {
      docking: docking.id, ...clock, switches, decisions: (await decisionsOf(hub.db, docking.lane, docking.id, true)).map((one) => presentDecision(one, nowMs)),
      faults: FAULTS.map(({ name, strikes, params, what }) => ({ name, strikes, params: Object.entries(params).map(([param, bounds]) => ({ name: param, ...bounds })), what })),
    },
  })
}

/** What GET /api/docking says of a sandbox. */
export async function presentSandbox(hub: Hub, docking: Docking, nowMs: number) {
  const switches = await hub.sandboxes.switchesOf(docking)
  return {
    live: docking.twinOf, clockOffsetS: docking.clockOffsetS, time: new Date(nowMs + docking.clockOffsetS * 1000).toISOString(),
    faults: switches.map(({ fault, params, remaining }) => ({ fault: [fault, ...Object.entries(params).map(([name, value]) => `${name}=${value}`)].join(';'), remaining })),
  }
}

/** Credentials as they are shown once, with the address that belongs to them and what to try first. */
export async function presentOpened(hub: Hub, docking: Docking, credentials: Credentials) {
  const isAcg = docking.dialect !== 'json'
  return {
    docking: docking.id, name: docking.name, mode: docking.mode, dialect: docking.dialect, hub: hub.publicUrl,
    baseUrl: isAcg ? `${hub.publicUrl}/d/acg/${docking.id}` : `${hub.publicUrl}/api`, credentials, available: formatAmount(await availableOf(hub, docking)),
    next: isAcg
      ? ['berth report', 'berth sandbox fault set sold_out', 'berth sandbox deposit 100 --reference more-1']
      : ['berth goods list', 'berth report', 'berth sandbox fault set timeout_after_debit'],
  }
}

async function availableOf(hub: Hub, docking: Docking): Promise<bigint> {
  const available = readBalances(await hub.db.run(loadBalances([docking.lane], [docking.id]))).get(docking.id)
  if (available === undefined) throw new Error(`docking ${docking.id} has no balance row`)
  return available
}

