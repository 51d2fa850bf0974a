import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { IdMaker } from '../../kernel/ids.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import type { Docking } from '../partners/index.ts'
import { LogCopy, SIZES, type CopyPhase } from './copy.ts'
import { LIMITS, type Best, type DrillKind, type DrillOrigin, type Run, type Schedule, type Seen, type Step } from './model.ts'
import { PLANS } from './plans.ts'
import { levelPointsOf, mayRehearse } from './rules.ts'
import { Runner, type Live, type RunnerOptions } from './runner.ts'
import {
  abandonRun, endSchedule, forgetSeen, insertRun, loadBest, loadNextSchedules, loadOpenRuns, loadRun, loadRunPage, loadSchedules, loadSteps, loadUsage, moveSchedule, putSchedule, readBest, readRuns,
  readSchedules, readSteps, touchRuns,
} from './store.ts'

export type DrillsOptions = RunnerOptions & {
  ids: IdMaker
  /** How many times as fast as its plan a drill runs; 1 but where nobody can wait. */
  tempo: number
}

const IDLE_MS = 1_000
const BUSY_MS = 250
const DAY_MS = 86_400_000
const MOVES_AT_ONCE = 3
const SWEEP_EVERY_MS = 3_600_000

export type PlanAsk = { kind: DrillKind; origin: DrillOrigin; by: string; startsAt: Date | null }

/** Rehearsals in sandboxes: asked for or scheduled, carried out step by step, judged by what the hub itself saw. */
export class Drills {
  readonly #options: DrillsOptions
  readonly #runner: Runner
  /** By docking: one at a time. */
  readonly #live = new Map<string, Live>()
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  #touchedMs = 0
  #sweptMs = 0
  #open = true

  constructor(options: DrillsOptions) {
    this.#options = options
    this.#runner = new Runner(options)
  }

  /** From now on rehearsals move; those that an earlier life has begun go on. */
  start(): void {
    const tick = () => {
      void this.#beat().finally(() => {
        if (this.#open) this.#timer = setTimeout(tick, this.#live.size > 0 ? BUSY_MS : IDLE_MS).unref()
      })
    }
    this.#timer = setTimeout(tick, 0).unref()
  }

  /** Lets the round that is under way end and writes down what was seen. The next life goes on. */
  async close(): Promise<void> {
    this.#open = false
    if (this.#timer) clearTimeout(this.#timer)
    await this.#round
    for (const live of this.#live.values()) await this.#runner.save(live).catch(() => {})
  }

  /** Whether the doors must tell what they see of a docking. It is asked with every request. */
  isWatched(docking: string): boolean {
    return this.#live.size > 0 && this.#live.has(docking)
  }

  observe(docking: string, seen: Seen): void {
    const live = this.#live.get(docking)
    if (!live || live.seen.length >= LIMITS.seen) return
    live.seen.push(seen)
    live.unsaved.push(seen)
  }

  /** Somebody has looked at the log of a drill. Once a checkpoint is enough: a witness asks again and again. */
  looked(docking: string, phase: CopyPhase, request: string): void {
    const id = `looked ${phase}`
    if (this.#live.get(docking)?.seen.some((one) => one.id === id)) return
    const atMs = this.#options.clock.nowMs()
    this.observe(docking, { id, what: 'look', atMs, endedMs: atMs, request, key: '', status: 200, code: null, isAnswered: true, reference: null, retryAfterS: null, after: null, size: SIZES[phase], holds: phase !== 'forged' })
  }

  /** The partner has set or taken back faults of its sandbox meanwhile: what comes of the rehearsal says nothing. */
  upset(docking: string): void {
    const live = this.#live.get(docking)
    if (live) live.upset ??= 'steered'
  }

  /**
   * Asks for a rehearsal, now or at a time. Refuses `sandbox.live_docking`, `drills.dialect_not_rehearsed`, `drills.under_way`
   * and `platform.rate_limited`.
   */
  async plan(docking: Docking, ask: PlanAsk): Promise<Outcome<Run>> {
    const permitted = mayRehearse(docking)
    if (!permitted.ok) return permitted
    const { clock } = this.#options
    return this.#underLane(docking.lane, async (connection, append) => {
      const nowMs = clock.nowMs()
      const [count, first, open] = (await connection.run(loadUsage(docking.lane, docking.id, new Date(nowMs - DAY_MS))))[0] as [number, Date | null, string | null]
      if (open !== null) return refuse('drills.under_way', { drill: open })
      if (count >= LIMITS.runsADay) {
        const retryAfterS = Math.max(1, Math.ceil((first!.getTime() + DAY_MS - nowMs) / 1000))
        return refuse('platform.rate_limited', { allowed: `${LIMITS.runsADay} drills a day`, retryAfterS }, { retryAfterS })
      }
      return accept(await this.#insert(connection, append, docking, ask))
    })
  }

  /** Ends a rehearsal without a score. Refuses `drills.not_found` and `drills.ended`. */
  async giveUp(id: string, by: string, docking: string | null): Promise<Outcome<Run>> {
    const run = await this.find(id, docking)
    if (!run.ok) return run
    const { state, lane } = run.value
    if (state === 'scored' || state === 'abandoned') return refuse('drills.ended', { drill: id, state })
    const live = this.#live.get(run.value.docking)
    if (live?.run.id === id) {
      live.upset ??= 'given_up'
      await this.#beat()
    } else {
      const at = new Date(this.#options.clock.nowMs())
      await this.#underLane(lane, async (connection, append) => {
        if ((await connection.run(abandonRun(lane, id, at, 'given_up'))).length > 0) append({ lane, docking: run.value.docking, kind: 'drill.abandoned', subject: id, code: null, body: JSON.stringify({ kind: run.value.kind, reason: 'given_up', by }) })
      })
    }
    return this.find(id, docking)
  }

  /** One rehearsal, of one docking or of any. */
  async find(id: string, docking: string | null): Promise<Outcome<Run>> {
    const run = readRuns(await this.#options.db.run(loadRun(id)))[0]
    return run && (docking === null || run.docking === docking) ? accept(run) : refuse('drills.not_found', { drill: id.slice(0, 64) })
  }

  async list(docking: string | null, before: string | null, limit: number): Promise<Run[]> {
    return readRuns(await this.#options.db.run(loadRunPage(docking, before, limit)))
  }

  async stepsOf(run: Run): Promise<Step[]> {
    return readSteps(await this.#options.db.run(loadSteps(run)))
  }

  /** Rehearses a kind again and again, from a time on. An earlier schedule of the kind is replaced. */
  async schedule(docking: Docking, ask: { kind: DrillKind; everyDays: number; firstAt: Date; by: string }): Promise<Outcome<Schedule>> {
    const permitted = mayRehearse(docking)
    if (!permitted.ok) return permitted
    const schedule: Schedule = { lane: docking.lane, docking: docking.id, kind: ask.kind, everyDays: ask.everyDays, nextAt: ask.firstAt, setBy: ask.by, setAt: new Date(this.#options.clock.nowMs()) }
    await this.#underLane(docking.lane, async (connection, append) => {
      await connection.run(putSchedule(schedule))
      append({ lane: docking.lane, docking: docking.id, kind: 'drill.scheduled', subject: ask.kind, code: null, body: JSON.stringify({ everyDays: ask.everyDays, firstAt: ask.firstAt.toISOString(), by: ask.by }) })
    })
    return accept(schedule)
  }

  async endSchedule(docking: Docking, kind: DrillKind, by: string): Promise<{ ended: boolean }> {
    return this.#underLane(docking.lane, async (connection, append) => {
      const ended = (await connection.run(endSchedule(docking.lane, docking.id, kind, new Date(this.#options.clock.nowMs())))).length > 0
      if (ended) append({ lane: docking.lane, docking: docking.id, kind: 'drill.unscheduled', subject: kind, code: null, body: JSON.stringify({ by }) })
      return { ended }
    })
  }

  async schedules(docking: string | null): Promise<Schedule[]> {
    return readSchedules(await this.#options.db.run(loadSchedules(docking)))
  }

  /** The best score a kind in the last 90 days, of each of these dockings. */
  async best(dockings: readonly string[]): Promise<Map<string, Best[]>> {
    const found = new Map<string, Best[]>(dockings.map((docking) => [docking, []]))
    if (dockings.length === 0) return found
    const since = new Date(this.#options.clock.nowMs() - LIMITS.bestDays * DAY_MS)
    for (const { docking, ...best } of readBest(await this.#options.db.run(loadBest(dockings, since)))) found.get(docking)!.push(best)
    return found
  }

  /** What the rehearsals of a sandbox are worth where levels are given out: 25 points a kind at most, 100 in all. */
  async levelPoints(docking: string): Promise<{ points: number; of: number; best: Best[] }> {
    const best = (await this.best([docking])).get(docking)!
    return { ...levelPointsOf(best), best }
  }

  /** The log of a rehearsal under way, and what it shows now; null where there is none. It needs no key: whoever was given its address may look. */
  copyOf(id: string): { copy: LogCopy; phase: CopyPhase; docking: string } | null {
    for (const { run, steps, docking } of this.#live.values()) {
      if (run.id === id && run.kind === 'tampered_log') return { copy: new LogCopy(id, this.#options.publicUrl(), this.#options.signer), phase: steps.at(-1)!.name as CopyPhase, docking: docking.id }
    }
    return null
  }

  /** One round, as the clock does it. */
  tick(): Promise<void> {
    return this.#beat()
  }

  /** A round of its own behind the one that is under way. */
  #beat(): Promise<void> {
    return (this.#round = this.#round.then(() => this.#tick()))
  }

  async #tick(): Promise<void> {
    const { db, clock, log } = this.#options
    try {
      const nowMs = clock.nowMs()
      await this.#planScheduled(nowMs)
      await this.#takeUp(nowMs)
      const all = [...this.#live.values()]
      // A few at once: the pool of the database is everybody's.
      for (let i = 0; i < all.length; i += MOVES_AT_ONCE) await Promise.all(all.slice(i, i + MOVES_AT_ONCE).map((live) => this.#move(live)))
      if (nowMs - this.#touchedMs >= IDLE_MS && this.#live.size > 0) {
        await db.run(touchRuns([...this.#live.values()].map(({ run }) => run), new Date(nowMs)))
        this.#touchedMs = nowMs
      }
      if (nowMs - this.#sweptMs >= SWEEP_EVERY_MS) {
        await db.run(forgetSeen(new Date(nowMs - LIMITS.keptDays * DAY_MS)))
        this.#sweptMs = nowMs
      }
    } catch (error) {
      log.warn({ err: error }, 'drills cannot be carried on now; they go on when they can')
    }
  }

  async #move(live: Live): Promise<void> {
    try {
      if (!(await this.#runner.move(live))) this.#live.delete(live.docking.id)
    } catch (error) {
      // The next round does it again: every move is one transaction, and what a step begins with may be done twice.
      this.#options.log.warn({ err: error, drill: live.run.id }, 'a drill could not be moved on')
    }
  }

  async #takeUp(nowMs: number): Promise<void> {
    const known = new Set([...this.#live.values()].map(({ run }) => run.id))
    for (const run of readRuns(await this.#options.db.run(loadOpenRuns(new Date(nowMs), LIMITS.runningOnHub * 2)))) {
      if (known.has(run.id) || this.#live.has(run.docking)) continue
      if (run.state === 'planned' && this.#live.size >= LIMITS.runningOnHub) continue
      const live = await (run.state === 'running' ? this.#runner.resume(run) : this.#runner.begin(run))
      if (live) this.#live.set(run.docking, live)
    }
  }

  /** A scheduled rehearsal is planned a day before it begins: the fact of it is the notice. What fell due while no hub lived begins once. */
  async #planScheduled(nowMs: number): Promise<void> {
    for (const schedule of readSchedules(await this.#options.db.run(loadNextSchedules(new Date(nowMs + LIMITS.noticeMs))))) {
      let nextMs = schedule.nextAt.getTime()
      do nextMs += schedule.everyDays * DAY_MS
      while (nextMs <= nowMs)
      const { lane, docking, kind, setBy } = schedule
      await this.#underLane(lane, async (connection, append) => {
        if ((await connection.run(moveSchedule(schedule, new Date(nextMs)))).length === 0) return
        await this.#insert(connection, append, { id: docking, lane }, { kind, origin: 'schedule', by: setBy, startsAt: new Date(Math.max(nowMs, schedule.nextAt.getTime())) })
      })
    }
  }

  async #insert(connection: Connection, append: Append, docking: { id: string; lane: number }, { kind, origin, by, startsAt }: PlanAsk): Promise<Run> {
    const { ids, clock, tempo } = this.#options
    const at = new Date(clock.nowMs())
    const run: Run = {
      lane: docking.lane, id: ids.make('drl', at.getTime()), docking: docking.id, kind, version: PLANS[kind].version, origin, askedBy: by, tempo, state: 'planned', plannedAt: at, startsAt: startsAt ?? at,
      startedAt: null, seenAt: null, endedAt: null, reason: null, score: null, result: null,
    }
    await connection.run(insertRun(run))
    append({ lane: docking.lane, docking: docking.id, kind: 'drill.planned', subject: run.id, code: null, body: JSON.stringify({ kind, version: run.version, origin, startsAt: run.startsAt.toISOString() }) })
    return run
  }

  #underLane<T>(lane: number, work: (connection: Connection, append: Append) => Promise<T>): Promise<T> {
    return this.#options.db.transaction((connection) => underLanes(connection, [lane], ({ append }) => work(connection, append)))
  }
}

type Append = Parameters<Parameters<typeof underLanes>[2]>[0]['append']
