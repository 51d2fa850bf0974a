import type { FastifyInstance } from 'fastify'
import { tasksOf } from '../../../protocol/conformance.ts'
import { BeginTask, ConformancePage, RunText, RunView } from '../../../protocol/runs.ts'
import { accept } from '../../../protocol/outcome.ts'
import { Nothing } from '../../../protocol/sandbox.ts'
import { BADGE_DAYS, validUntil, type Run } from '../../domain/conformance/index.ts'
import type { Hub } from '../hub.ts'
import { addRoute } from '../pipeline.ts'

const SCOPE = 'docking:read'

/** Runs of the public kit by a platform in its sandbox. */
export function conformanceRoutes(app: FastifyInstance, hub: Hub): void {
  addRoute(app, hub, {
    method: 'GET', path: '/api/conformance', summary: 'The runs of this docking, its badge, and how it was admitted', scope: SCOPE, answers: { 200: ConformancePage },
    handler: async ({ docking, nowMs }) => {
      const runs = await hub.conformance.runsOf(docking)
      const admission = await hub.conformance.admissionOf(docking)
      const badge = runs.find((run) => run.state === 'green' && validUntil(run.finishedAt!).getTime() > nowMs)
      return accept({
        status: 200,
        body: {
          items: runs.map((run) => presentRun(hub, run)), next: null, badge: badge ? { run: badge.id, page: pageOf(hub, badge), validUntil: validUntil(badge.finishedAt!).toISOString() } : null,
          admission: admission === null ? null : { run: admission.run, waiver: admission.reason, by: admission.by, at: admission.at.toISOString() },
        },
      })
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/conformance', summary: 'Begin a run of the kit in this sandbox; one that is open is judged as it stands', scope: SCOPE, body: Nothing, answers: { 201: RunView },
    handler: async ({ docking, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const run = await hub.conformance.begin(docking)
      return run.ok ? accept({ status: 201, body: presentRun(hub, run.value) }) : run
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/conformance/:run', summary: 'A run with its tasks, and its signed report once it is over', scope: SCOPE, answers: { 200: RunView },
    handler: async ({ docking, params }) => {
      const run = await hub.conformance.find(docking, params.run!)
      return run.ok ? accept({ status: 200, body: presentRun(hub, run.value) }) : run
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/conformance/:run/tasks', summary: 'Begin a task: what it needs is armed, and what comes in from now on counts for it', scope: SCOPE, body: BeginTask, answers: { 200: RunView },
    handler: async ({ docking, params, body, onlyReplay }) => {
      if (onlyReplay) return { ok: false, refusal: onlyReplay }
      const run = await hub.conformance.beginTask(docking, params.run!, body.task)
      return run.ok ? accept({ status: 200, body: presentRun(hub, run.value) }) : run
    },
  })

  addRoute(app, hub, {
    method: 'GET', path: '/api/conformance/:run/text', summary: 'The text of the run, in GBK', scope: SCOPE, answers: { 200: RunText },
    handler: async ({ docking, params }) => {
      const text = await hub.conformance.text(docking, params.run!, null)
      return text.ok ? accept({ status: 200, body: { text: text.value }, charset: 'gbk' }) : text
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/conformance/:run/text', summary: 'The text of the run, sent back in UTF-8', scope: SCOPE, body: RunText, answers: { 200: RunView },
    handler: async ({ docking, key, params, body, signed, nowMs }) => {
      const text = await hub.conformance.text(docking, params.run!, { isSigned: signed, keyId: key.id, atMs: nowMs, text: body.text })
      if (!text.ok) return text
      const run = await hub.conformance.find(docking, params.run!)
      return run.ok ? accept({ status: 200, body: presentRun(hub, run.value) }) : run
    },
  })

  addRoute(app, hub, {
    method: 'POST', path: '/api/conformance/:run/finish', summary: 'Have the run judged; its report is signed and never changes', scope: SCOPE, body: Nothing, answers: { 200: RunView },
    handler: async ({ docking, params }) => {
      const run = await hub.conformance.finish(docking, params.run!)
      return run.ok ? accept({ status: 200, body: presentRun(hub, run.value) }) : run
    },
  })
}

function pageOf(hub: Hub, run: Run): string {
  return `${hub.publicUrl}/conformance/${run.id}`
}

function presentRun(hub: Hub, run: Run) {
  return {
    id: run.id, dialect: run.dialect, kit: run.kit, state: run.state, task: run.task, startedAt: run.startedAt.toISOString(), finishedAt: run.finishedAt?.toISOString() ?? null, page: pageOf(hub, run), validDays: BADGE_DAYS,
    tasks: tasksOf(run.dialect).map(({ id, what }) => ({ id, what, verdict: run.report?.cases.find((one) => one.id === id)?.verdict ?? null })), ...(run.report === null ? {} : { report: run.report }),
  }
}

