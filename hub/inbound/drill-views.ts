import { PLANS, type Best, type Run, type Schedule } from '../domain/drills/index.ts'
import { twinsOf } from '../domain/partners/index.ts'
import type { Hub } from './hub.ts'

/** Drills in the words of the API. */
export function presentRun(run: Run) {
  const { id, docking, kind, version, state, origin, reason, score, tempo } = run
  return {
    id, docking, kind, version, state, origin, plannedAt: run.plannedAt.toISOString(), startsAt: run.startsAt.toISOString(), startedAt: run.startedAt?.toISOString() ?? null,
    endedAt: run.endedAt?.toISOString() ?? null, reason, score, tempo,
  }
}

export async function presentDrill(hub: Hub, run: Run) {
  const steps = await hub.drills.stepsOf(run)
  const current = run.state === 'running' ? steps.at(-1) : undefined
  const planned = current && PLANS[run.kind].steps[current.ordinal]
  return {
    ...presentRun(run),
    steps: steps.map(({ name, begunAt, dueAt, endedAt, endedBy }) => ({ name, begunAt: begunAt.toISOString(), dueAt: dueAt.toISOString(), endedAt: endedAt?.toISOString() ?? null, endedBy })),
    now: current && planned ? { step: current.name, dueAt: current.dueAt.toISOString(), what: planned.what, asks: planned.asks } : null,
    log: run.kind === 'tampered_log' && run.state === 'running' ? `${hub.publicUrl}/drills/${run.id}` : null,
    result: run.result === null ? null : (JSON.parse(run.result) as object),
  }
}

export function presentBest({ kind, score, run, at }: Best) {
  return { kind, score, drill: run, at: at.toISOString() }
}

export function presentSchedule({ docking, kind, everyDays, nextAt, setBy }: Schedule) {
  return { docking, kind, everyDays, nextAt: nextAt.toISOString(), setBy }
}

/** The best scores that a docking shows: its own, or those of its sandbox where it is live. */
export async function bestOf(hub: Hub, dockings: readonly { id: string; mode: string }[]) {
  const twins = await twinsOf(hub.db, dockings.filter(({ mode }) => mode === 'live').map(({ id }) => id))
  const best = await hub.drills.best(dockings.map(({ id }) => twins.get(id) ?? id))
  return new Map(dockings.map(({ id }) => [id, best.get(twins.get(id) ?? id)!.map(presentBest)]))
}
