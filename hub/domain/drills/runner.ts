import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Log } from '../../platform/log.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import type { Signer } from '../../platform/sealing/signer.ts'
import { findDocking, type Docking } from '../partners/index.ts'
import { act, cutAgain, giveKeyBack, undo, type ActOptions } from './acts.ts'
import { LIMITS, type AbandonReason, type Booked, type Evidence, type Run, type Seen, type Step } from './model.ts'
import { PLANS, stepOf } from './plans.ts'
import { isStepDone, judge, mayRehearse } from './rules.ts'
import { abandonRun, endStep, insertSeen, insertStep, loadSeen, loadSteps, markActed, putOff, readSteps, scoreRun, startRun } from './store.ts'

export type RunnerOptions = ActOptions & { log: Log; signer: Signer; publicUrl: () => string }

/** A rehearsal under way, as this life of the hub holds it; its rows hold all of it but `unsaved`. */
export type Live = { run: Run; docking: Docking; steps: Step[]; seen: Seen[]; unsaved: Seen[]; upset: AbandonReason | null }

const PAGE = 500
/** A gap of less is the beat of the clock. */
const GAP_MS = 3_000

/** Moves rehearsals from step to step. Every move is one transaction under the lane of the docking. */
export class Runner {
  readonly #options: RunnerOptions

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Begins a planned rehearsal; null when it cannot begin, or another life has begun it. */
  async begin(run: Run): Promise<Live | null> {
    const { db, clock } = this.#options
    const docking = await findDocking(db, run.docking)
    if (!docking || !mayRehearse(docking).ok) {
      await this.#end(run, (connection) => connection.run(abandonRun(run.lane, run.id, this.#now(), 'not_possible')), 'drill.abandoned', { kind: run.kind, reason: 'not_possible' })
      return null
    }
    const at = new Date(clock.nowMs())
    const begun = await this.#underLane(run, async (connection, { append }) => {
      if ((await connection.run(startRun(run.lane, run.id, at))).length === 0) return false
      await connection.run(insertStep(run, stepRow(run, 0, at)))
      append({ lane: run.lane, docking: run.docking, kind: 'drill.started', subject: run.id, code: null, body: JSON.stringify({ kind: run.kind, version: run.version }) })
      return true
    })
    return begun ? this.#live({ ...run, state: 'running', startedAt: at, seenAt: at }, docking) : null
  }

  /** Takes up a rehearsal that an earlier life has begun. The time in which no hub lived is given back, and what the step begins with is done again. */
  async resume(run: Run): Promise<Live | null> {
    const { db, clock } = this.#options
    const docking = await findDocking(db, run.docking)
    if (!docking) return null
    const gapMs = clock.nowMs() - (run.seenAt ?? run.startedAt!).getTime()
    if (gapMs > GAP_MS) await db.run(putOff(run, gapMs))
    const live = await this.#live(run, docking)
    const step = live.steps.at(-1)
    if (step) step.actedAt = null
    return live
  }

  async #live(run: Run, docking: Docking): Promise<Live> {
    const { db } = this.#options
    return { run, docking, steps: readSteps(await db.run(loadSteps(run))), seen: (await db.run(loadSeen(run))).map(([body]) => body as Seen), unsaved: [], upset: null }
  }

  /** Writes down what was seen since the last time. */
  async save(live: Live): Promise<void> {
    const unsaved = live.unsaved.splice(0)
    if (unsaved.length === 0) return
    try {
      await this.#options.db.run(insertSeen(live.run, unsaved))
    } catch (error) {
      live.unsaved.unshift(...unsaved)
      throw error
    }
  }

  /** One look: does what the step begins with, and ends it when it is done or its time is over. @returns whether the rehearsal goes on */
  async move(live: Live): Promise<boolean> {
    await this.save(live)
    const step = live.steps.at(-1)!
    if (live.upset === null && live.seen.length >= LIMITS.seen) live.upset = 'flooded'
    if (live.upset !== null) return this.abandon(live, live.upset)
    const stage = { run: live.run, docking: live.docking, step, seen: live.seen }
    if (step.actedAt === null) {
      step.data = { ...step.data, ...(await act(this.#options, stage)) }
      step.actedAt = this.#now()
      await this.#options.db.run(markActed(live.run, step.ordinal, step.actedAt, step.data))
    }
    const isDone = isStepDone(await this.#evidence(live, []))
    if (!isDone && this.#options.clock.nowMs() < step.dueAt.getTime()) {
      await cutAgain(this.#options, stage)
      return true
    }
    if (!isDone && step.ordinal === 0) return this.abandon(live, 'nobody_came')
    await undo(this.#options, stage)
    return this.#next(live, step, isDone ? 'done' : 'limit')
  }

  async abandon(live: Live, reason: AbandonReason): Promise<false> {
    const { run, docking, steps } = live
    await undo(this.#options, { run, docking, step: steps.at(-1)! })
    await giveKeyBack(this.#options, docking, steps)
    await this.#end(run, (connection) => connection.run(abandonRun(run.lane, run.id, this.#now(), reason)), 'drill.abandoned', { kind: run.kind, reason })
    return false
  }

  async #next(live: Live, step: Step, by: 'done' | 'limit'): Promise<boolean> {
    const { run } = live
    const at = this.#now()
    const next = stepOf(run.kind, step.ordinal + 1)
    if (!next) {
      step.endedAt = at
      await this.#score(live, step, by, at)
      return false
    }
    await this.#underLane(run, async (connection) => {
      if ((await connection.run(endStep(run, step.ordinal, at, by))).length > 0) await connection.run(insertStep(run, stepRow(run, step.ordinal + 1, at)))
    })
    live.steps = readSteps(await this.#options.db.run(loadSteps(run)))
    return this.move(live)
  }

  async #score(live: Live, step: Step, by: 'done' | 'limit', at: Date): Promise<void> {
    const { run, docking, steps } = live
    await giveKeyBack(this.#options, docking, steps)
    const plan = PLANS[run.kind]
    const { score, criteria, measured } = judge(plan, await this.#evidence(live, await this.#booked(live)))
    const document = this.#options.signer.signDocument({
      v: 1, type: 'drill', hub: this.#options.publicUrl(), drill: run.id, kind: run.kind, version: plan.version, docking: run.docking, mode: 'sandbox', origin: run.origin, tempo: run.tempo,
      startedAt: run.startedAt!.toISOString(), endedAt: at.toISOString(), requests: live.seen.length, score, of: 100, criteria, measured,
    })
    await this.#end(run, async (connection) => {
      await connection.run(endStep(run, step.ordinal, at, by))
      return connection.run(scoreRun(run.lane, run.id, at, score, JSON.stringify(document)))
    }, 'drill.scored', { kind: run.kind, version: plan.version, score, lost: criteria.filter(({ points, of }) => points < of).map(({ name }) => name) })
  }

  async #evidence(live: Live, booked: readonly Booked[]): Promise<Evidence> {
    const { run, steps, seen } = live
    const nowMs = this.#options.clock.nowMs()
    return {
      kind: run.kind, secondMs: 1000 / run.tempo, seen, booked, feedPosition: steps.find((step) => step.data.feedAt !== undefined)?.data.feedAt ?? null,
      steps: steps.map(({ name, begunAt, endedAt, data }) => ({ name, begunMs: begunAt.getTime(), endedMs: endedAt?.getTime() ?? nowMs, data })),
    }
  }

  /** The orders of this rehearsal as the books have them, the earliest first. */
  async #booked({ run, docking }: Live): Promise<Booked[]> {
    const booked: Booked[] = []
    for (let before: string | null = null; ; ) {
      const page = await this.#options.orders.list(docking, before, PAGE)
      const since = page.filter((order) => order.createdAt >= run.startedAt!)
      booked.push(...since.map((order) => ({ reference: order.reference, id: order.id, position: `${order.lane}/${order.position}`, atMs: order.createdAt.getTime(), isCancelled: order.state === 'cancelled' })))
      if (since.length < PAGE) return booked.toReversed()
      before = page.at(-1)!.id
    }
  }

  /** The last word over a rehearsal with its fact; nothing of it when another life has spoken before. */
  async #end(run: Run, write: (connection: Connection) => Promise<readonly unknown[]>, kind: string, body: object): Promise<void> {
    await this.#underLane(run, async (connection, { append }) => {
      if ((await write(connection)).length > 0) append({ lane: run.lane, docking: run.docking, kind, subject: run.id, code: null, body: JSON.stringify(body) })
    })
  }

  #underLane<T>(run: Run, work: (connection: Connection, lane: LaneWork) => Promise<T>): Promise<T> {
    return this.#options.db.transaction((connection) => underLanes(connection, [run.lane], (lane) => work(connection, lane)))
  }

  #now(): Date {
    return new Date(this.#options.clock.nowMs())
  }
}

function stepRow(run: Run, ordinal: number, at: Date): Pick<Step, 'ordinal' | 'name' | 'begunAt' | 'dueAt'> {
  const step = stepOf(run.kind, ordinal)!
  return { ordinal, name: step.name, begunAt: at, dueAt: new Date(at.getTime() + (step.limitS * 1000) / run.tempo) }
}
