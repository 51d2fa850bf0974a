import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { accept, type Outcome } from '../../../protocol/outcome.ts'
import { dropMeasure } from './measures.ts'
import type { Appeal } from './model.ts'
import { isOpen } from './rules.ts'
import { resume, tell, underAppeal, write } from './service.ts'
import { loadDueAppeals, moveAppeal, readAppeals } from './store.ts'

const EVERY_MS = 60_000
const A_PAGE = 100

export type AppealClockOptions = { db: Database; vault: Vault; clock: Clock; log: Log; makeId: () => string }

/** Runs the clocks of appeals: evidence that was not given in time, and decisions that were not taken in time. */
export class AppealClock {
  readonly #options: AppealClockOptions
  #timer: NodeJS.Timeout | null = null
  #busy: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: AppealClockOptions) {
    this.#options = options
  }

  /** What fell due while no hub lived is the first; from then on looks once a minute. */
  start(): void {
    this.#busy = this.#quietly()
    this.#timer = setInterval(() => {
      this.#busy = this.#busy.then(() => this.#quietly())
    }, EVERY_MS).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearInterval(this.#timer)
    await this.#busy
  }

  /** Does all that is due by now. An appeal that cannot be dealt with holds up no other. */
  async tick(): Promise<void> {
    const { db, clock, log } = this.#options
    const now = new Date(clock.nowMs())
    let after = ''
    while (!this.#closed) {
      const due = readAppeals(await db.run(loadDueAppeals(now, after, A_PAGE)))
      for (const appeal of due) {
        await this.#deal(appeal, now).catch((error: unknown) => log.error({ err: error, appeal: appeal.id }, 'the clock of an appeal could not be run; it is tried again'))
      }
      if (due.length < A_PAGE) return
      after = due.at(-1)!.id
    }
  }

  async #quietly(): Promise<void> {
    await this.tick().catch((error: unknown) => this.#options.log.warn({ err: error }, 'the clocks of appeals cannot be read now; nothing is lost'))
  }

  async #deal(appeal: Appeal, now: Date): Promise<void> {
    if (appeal.state === 'evidence_owed') return void (await this.#resume(appeal.id, now))
    if (appeal.missedAt === null) await this.#miss(appeal, now)
  }

  /** The clock goes on from the due date and not from when somebody looked. */
  #resume(id: string, now: Date): Promise<Outcome<null>> {
    const { db, vault } = this.#options
    return underAppeal(db, id, async (connection, lane, appeal) => {
      if (appeal.state !== 'evidence_owed' || appeal.evidenceDue! > now) return accept(null)
      const going = await resume(connection, appeal, appeal.evidenceDue!)
      await write(connection, vault, lane, appeal, { kind: 'resumed', side: 'clock', by: 'appeal_clock', text: null, dueAt: going.decideBy })
      tell(lane, appeal, 'appeal.resumed', { decideBy: going.decideBy.toISOString() })
      return accept(null)
    })
  }

  /** The measure goes first and the record follows, as where a person decides: nobody is held by a clock that was missed. */
  async #miss(due: Appeal, now: Date): Promise<void> {
    const { db, vault, log, makeId } = this.#options
    const { id, standsWhenMissed } = due
    let warning: string | null = null
    if (!standsWhenMissed) {
      const dropped = await dropMeasure(db, due, makeId())
      if (dropped.ok) warning = dropped.value
      else return log.error({ appeal: id, code: dropped.refusal.code }, 'a measure could not be dropped although the clock of its appeal was missed')
    }
    await underAppeal(db, id, async (connection, lane, appeal) => {
      if (!isOpen(appeal) || appeal.missedAt !== null || appeal.state === 'evidence_owed' || appeal.decideBy > now) return accept(null)
      await connection.run(moveAppeal({ ...appeal, missedAt: lane.at > appeal.decideBy ? lane.at : now, outcomeDecision: warning }))
      await write(connection, vault, lane, appeal, { kind: 'missed', side: 'clock', by: 'appeal_clock', text: null, dueAt: null })
      tell(lane, appeal, 'appeal.clock_missed', { class: appeal.class, code: appeal.code, stands: standsWhenMissed, outcomeDecision: warning })
      return accept(null)
    })
  }
}
