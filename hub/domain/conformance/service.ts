import { createHash, randomInt } from 'node:crypto'
import { canonicalJson } from '../../../protocol/canonical.ts'
import { judgeRun, KIT_VERSION, tasksOf, type Sighting } from '../../../protocol/conformance.ts'
import type { Signed } from '../../../protocol/documents.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { IdMaker } from '../../kernel/ids.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Signer } from '../../platform/sealing/signer.ts'
import type { Docking } from '../partners/index.ts'
import type { Sandboxes } from '../sandbox/index.ts'
import { MOST_SIGHTINGS, RUN_HOURS, type Admission, type Run, type RunReport } from './model.ts'
import { kitDialect, validUntil } from './rules.ts'
import { countAdmissions, finishRun, insertRun, insertSighting, loadAdmission, loadRun, loadRunsOf, loadSightings, readAdmissions, readRuns, readSightings, setTask } from './store.ts'

export type ConformanceOptions = { db: Database; clock: Clock; ids: IdMaker; log: Log; signer: Signer; sandboxes: Sandboxes; publicUrl: () => string }

/** What a door saw of one request; the rest is known here. */
export type Seen = Omit<Sighting, 'seq' | 'task'>

/** An open run as this process watches it. `written` ends when all that was seen is written down. */
type Watch = { run: Run; seq: number; written: Promise<void> }

const LOOK_AGAIN_MS = 2_000
const MOST_LOOKS = 10_000
const HOUR_MS = 3_600_000

/** Runs of the public kit: a platform does its tasks in its sandbox, and the hub judges from what it saw of the requests. */
export class Conformance {
  readonly #options: ConformanceOptions
  readonly #watches = new Map<string, Watch>()
  /** When it was last seen that a docking has no open run. */
  readonly #looked = new Map<string, number>()

  constructor(options: ConformanceOptions) {
    this.#options = options
  }

  isWatched(docking: string): boolean {
    return this.#watches.size > 0 && this.#watches.has(docking)
  }

  /** Takes up a run that an earlier life of the hub began. */
  async takeUp(docking: Docking): Promise<void> {
    const { db, clock } = this.#options
    if (this.#watches.has(docking.id) || (this.#looked.get(docking.id) ?? 0) > clock.nowMs() - LOOK_AGAIN_MS) return
    if (this.#looked.size >= MOST_LOOKS) this.#looked.clear()
    this.#looked.set(docking.id, clock.nowMs())
    const [newest] = readRuns(await db.run(loadRunsOf(docking.lane, docking.id, 1)))
    if (newest?.state !== 'open') return
    const seen = readSightings(await db.run(loadSightings(newest.lane, newest.id)))
    this.#watches.set(docking.id, { run: newest, seq: seen.at(-1)?.seq ?? 0, written: Promise.resolve() })
  }

  /** Writes down one request of a docking that is watched, behind its answer. */
  saw(docking: string, seen: Seen): void {
    const watch = this.#watches.get(docking)
    if (watch === undefined || watch.run.task === null || watch.seq >= MOST_SIGHTINGS) return
    const { db, log } = this.#options
    const { run } = watch
    const sighting: Sighting = { ...seen, seq: ++watch.seq, task: run.task! }
    watch.written = watch.written.then(async () => void (await db.run(insertSighting(run.lane, run.id, sighting))))
      .catch((error: unknown) => log.warn({ err: error, run: run.id }, 'a request of a conformance run was not written down'))
  }

  /** Begins a run on a sandbox. One that was open is judged as it stands. */
  async begin(docking: Docking): Promise<Outcome<Run>> {
    if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
    const { db, clock, ids } = this.#options
    await this.takeUp(docking)
    const open = this.#watches.get(docking.id)
    if (open) await this.finish(docking, open.run.id)
    const run: Run = {
      lane: docking.lane, id: ids.make('cfr', clock.nowMs()), docking: docking.id, dialect: kitDialect(docking.dialect), kit: KIT_VERSION, text: challenge(), task: null, state: 'open',
      startedAt: new Date(clock.nowMs()), finishedAt: null, report: null,
    }
    await db.run(insertRun(run))
    this.#watches.set(docking.id, { run, seq: 0, written: Promise.resolve() })
    return accept(run)
  }

  /** Begins a task of an open run: what it needs is armed, and whatever was armed before is not. */
  async beginTask(docking: Docking, id: string, name: string): Promise<Outcome<Run>> {
    const found = await this.#open(docking, id)
    if (!found.ok) return found
    const { run } = found.value
    const task = tasksOf(run.dialect).find((one) => one.id === name)
    if (!task) return refuse('protocol.invalid_field', { path: '/task', expected: `one of ${tasksOf(run.dialect).map((one) => one.id).join(', ')}` })
    const { db, sandboxes } = this.#options
    await sandboxes.clear(docking)
    if (task.fault !== null) {
      const armed = await sandboxes.setFault(docking, task.fault, 1)
      if (!armed.ok) return armed
    }
    await db.run(setTask(run.lane, run.id, task.id))
    run.task = task.id
    return accept(run)
  }

  /** The text that is read in GBK, and takes what came back for it. */
  async text(docking: Docking, id: string, sent: Pick<Seen, 'isSigned' | 'keyId' | 'atMs'> & { text: string } | null): Promise<Outcome<string>> {
    const found = await this.#open(docking, id)
    if (!found.ok) return found
    if (sent !== null) this.saw(docking.id, { ...sent, call: 'POST /api/conformance/:run/text', isAccepted: true, code: null, reference: null, order: null, guardMicro: null, priceMicro: null, fault: null })
    return accept(found.value.run.text)
  }

  /** Judges a run from what was seen of it, signs the report and closes the run. A closed one keeps its report. */
  async finish(docking: Docking, id: string): Promise<Outcome<Run>> {
    const known = await this.find(docking, id)
    if (!known.ok || known.value.state !== 'open') return known
    const { db, clock, sandboxes, signer, publicUrl } = this.#options
    await this.#watches.get(docking.id)?.written
    await sandboxes.clear(docking)
    const run = known.value
    const sightings = readSightings(await db.run(loadSightings(run.lane, run.id)))
    const { verdict, cases } = judgeRun(run.dialect, sightings, run.text)
    const finishedAt = new Date(clock.nowMs())
    const report: Signed<RunReport> = signer.signDocument({
      kit: run.kit, direction: 'platform', run: run.id, docking: run.docking, dialect: run.dialect, hub: publicUrl(), startedAt: run.startedAt.toISOString(), finishedAt: finishedAt.toISOString(),
      validUntil: validUntil(finishedAt).toISOString(), text: run.text, verdict, cases, inputHash: createHash('sha256').update(canonicalJson(sightings)).digest('hex'), sightings,
    })
    const finished: Run = { ...run, state: verdict, finishedAt, report }
    const isFirst = await db.transaction((connection) =>
      underLanes(connection, [run.lane], async ({ append }) => {
        if ((await connection.run(finishRun(finished))).length === 0) return false
        append({ lane: run.lane, docking: run.docking, kind: 'conformance.finished', subject: run.id, code: null, body: JSON.stringify({ kit: run.kit, dialect: run.dialect, verdict, inputHash: report.inputHash }) })
        return true
      }))
    if (this.#watches.get(docking.id)?.run.id === run.id) this.#watches.delete(docking.id)
    return isFirst ? accept(finished) : this.find(docking, id)
  }

  async find(docking: Docking, id: string): Promise<Outcome<Run>> {
    const run = await this.findRun(id)
    return run?.docking === docking.id ? accept(run) : refuse('conformance.run_not_found', { run: id.slice(0, 64) })
  }

  /** A run by its id, whoever asks: a badge is public. */
  async findRun(id: string): Promise<Run | null> {
    return readRuns(await this.#options.db.run(loadRun(id)))[0] ?? null
  }

  /** Runs of a docking, newest first. */
  async runsOf(docking: { id: string; lane: number }): Promise<Run[]> {
    return readRuns(await this.#options.db.run(loadRunsOf(docking.lane, docking.id, 20)))
  }

  async sightingsOf(run: Run): Promise<Sighting[]> {
    await this.#watches.get(run.docking)?.written
    return readSightings(await this.#options.db.run(loadSightings(run.lane, run.id)))
  }

  /** How a live docking was admitted; null for one that is older than this rule, and for sandboxes. */
  async admissionOf(docking: { id: string; lane: number }): Promise<Admission | null> {
    return readAdmissions(await this.#options.db.run(loadAdmission(docking.lane, docking.id)))[0] ?? null
  }

  /** How many live dockings came in by a badge, and how many by a waiver. */
  async countAdmissions(): Promise<{ badges: number; waivers: number }> {
    const [badges = 0, waivers = 0] = ((await this.#options.db.run(countAdmissions()))[0] ?? []) as number[]
    return { badges, waivers }
  }

  async #open(docking: Docking, id: string): Promise<Outcome<Watch>> {
    await this.takeUp(docking)
    const watch = this.#watches.get(docking.id)
    if (watch?.run.id === id) {
      if (watch.run.startedAt.getTime() + RUN_HOURS * HOUR_MS > this.#options.clock.nowMs()) return accept(watch)
      await this.finish(docking, id)
    }
    const known = await this.find(docking, id)
    return known.ok ? refuse('conformance.run_finished', { run: id, state: known.value.state }) : known
  }
}

/** Eight Chinese characters that differ from run to run, all of which GBK has. */
function challenge(): string {
  return `泊位${Array.from({ length: 8 }, () => String.fromCharCode(0x4e00 + randomInt(0x5000))).join('')}`
}
