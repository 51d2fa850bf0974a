import type { FastifyInstance } from 'fastify'
import { AskDrill, EndDrillSchedule, ScheduleDrill } from '../../../protocol/drills.ts'
import { accept } from '../../../protocol/outcome.ts'
import { Type } from '../../../protocol/schema.ts'
import type { DrillKind } from '../../domain/drills/index.ts'
import { presentDrill, presentRun, presentSchedule } from '../drill-views.ts'
import type { Hub } from '../hub.ts'
import { readStart } from '../partner/drills.ts'
import { withDocking } from './dockings.ts'
import { addOperatorRoute } from './route.ts'

const closed = { additionalProperties: false }

export function operatorDrillRoutes(app: FastifyInstance, hub: Hub): void {
  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/drills', summary: 'Drills of one docking or of all, newest first',
    query: Type.Object({
      docking: Type.Optional(Type.String({ maxLength: 40 })), before: Type.Optional(Type.String({ maxLength: 40 })),
      limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits' })),
    }, closed),
    handler: async ({ query }) => {
      const limit = Math.min(Number(query.limit ?? 100), 500)
      const runs = await hub.drills.list(query.docking ?? null, query.before ?? null, limit)
      return accept({ status: 200, body: { items: runs.map(presentRun), next: runs.length === limit ? runs.at(-1)!.id : null } })
    },
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/drills/:drill', summary: 'One drill with its steps and its signed result',
    handler: async ({ params }) => {
      const run = await hub.drills.find(params.drill!, null)
      return run.ok ? accept({ status: 200, body: await presentDrill(hub, run.value) }) : run
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/drills/:drill/abandon', summary: 'End a drill without a score', body: Type.Object({}, closed),
    handler: async ({ params, by }) => {
      const ended = await hub.drills.giveUp(params.drill!, by, null)
      return ended.ok ? accept({ status: 200, body: await presentDrill(hub, ended.value) }) : ended
    },
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/drills', summary: 'Have a sandbox rehearse, at once or at a time', body: AskDrill,
    handler: ({ params, body, by }) => withDocking(hub, params.docking!, async (docking) => {
      const startsAt = readStart(body.startsAt, hub.clock.nowMs())
      if (!startsAt.ok) return startsAt
      const run = await hub.drills.plan(docking, { kind: body.kind as DrillKind, origin: 'operator', by, startsAt: startsAt.value })
      return run.ok ? accept({ status: 201, body: await presentDrill(hub, run.value) }) : run
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'GET', path: '/operator/drill-schedules', summary: 'What is rehearsed again and again, the next one first', query: Type.Object({ docking: Type.Optional(Type.String({ maxLength: 40 })) }, closed),
    handler: async ({ query }) => accept({ status: 200, body: { items: (await hub.drills.schedules(query.docking ?? null)).map(presentSchedule), next: null } }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/drills/schedule', summary: 'Have a sandbox rehearse a kind again and again; it is told a day before', body: ScheduleDrill,
    handler: ({ params, body, by }) => withDocking(hub, params.docking!, async (docking) => {
      const nowMs = hub.clock.nowMs()
      const firstAt = readStart(body.firstAt, nowMs)
      if (!firstAt.ok) return firstAt
      const schedule = await hub.drills.schedule(docking, { kind: body.kind as DrillKind, everyDays: body.everyDays, firstAt: firstAt.value ?? new Date(nowMs + body.everyDays * 86_400_000), by })
      return schedule.ok ? accept({ status: 200, body: presentSchedule(schedule.value) }) : schedule
    }),
  })

  addOperatorRoute(app, hub, {
    method: 'POST', path: '/operator/dockings/:docking/drills/schedule/end', summary: 'Rehearse a kind no more', body: EndDrillSchedule,
    handler: ({ params, body, by }) => withDocking(hub, params.docking!, async (docking) => accept({ status: 200, body: await hub.drills.endSchedule(docking, body.kind as DrillKind, by) })),
  })
}
