import { canonicalJson } from '../../../protocol/canonical.ts'
import { isReasonCode, reasonOf } from '../../../protocol/reasons.ts'
import type { Clock } from '../../kernel/clock.ts'
import { loadTold, readTold, type ToldFact } from '../../platform/facts.ts'
import { loadHeads } from '../../platform/lanes.ts'
import type { Log } from '../../platform/log.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { Rounds } from '../../platform/rounds.ts'
import { findDocking } from '../partners/index.ts'
import type { Class, Figures } from './model.ts'
import { quarterOf, spanOf } from './quarters.ts'
import { publish, running } from './rules.ts'
import {
  addTallies, forgetTallies, insertDecision, insertPublished, loadClass, loadCursors, loadFirstQuarter, loadPublished, loadPublishedQuarters, loadRemedies, loadTallies, markFollowed, markLifted, moveCursor,
  readRemedies, readTallies, type LaneTally,
} from './store.ts'

const ACCEPTED = ['decision.taken', 'decision.lifted', 'appeal.filed', 'appeal.decided', 'appeal.clock_missed', 'conformance.finished', 'conformance.admitted', 'conformance.waived', 'rule.published']
/** Refusals of what a partner asked. What an operator was refused is nobody's figure. */
const REFUSED = ['request.refused', 'order.refused']
const OUTCOMES = ['upheld', 'overturned', 'partly', 'withdrawn']
const SPAN = 5_000n
const EVERY_MS = 60_000
/** A transaction that began before midnight has ended by then. */
const GRACE_MS = 600_000
const FOLLOWED_WITHIN_MS = 90 * 86_400_000
const PUBLISH_TIMEOUT_MS = 60_000

/** Whoever has a live docking is a partner that the main site knows; a sandbox anybody opens, five of them too. */
type Owner = { partner: string; isLive: boolean; isTwin: boolean }

/** Counts what the log of facts tells, publishes each quarter once when it has ended, and shows it for ever. */
export class FigureBook {
  readonly #db: Database
  readonly #clock: Clock
  readonly #rounds: Rounds

  constructor({ db, clock, log }: { db: Database; clock: Clock; log: Log }) {
    this.#db = db
    this.#clock = clock
    this.#rounds = new Rounds({ work: () => this.round(), everyMs: EVERY_MS, log, what: 'figures are folded' })
  }

  /** Begins to fold, behind the orders and in no hurry. */
  start(): void {
    this.#rounds.start()
  }

  close(): Promise<void> {
    return this.#rounds.close()
  }

  /** Folds every lane to its head, then publishes what has ended. It locks no lane and reads behind the orders. */
  async round(): Promise<void> {
    await this.fold()
    await this.publishEnded()
  }

  async fold(): Promise<void> {
    const heads = (await this.#db.run(loadHeads())) as [number, bigint][]
    const cursors = new Map((await this.#db.run(loadCursors())).map((row) => [row[0] as number, row[1] as bigint]))
    for (const [lane, head] of heads) {
      for (let after = cursors.get(lane) ?? head; after < head; ) {
        const upTo = after + SPAN < head ? after + SPAN : head
        if (!(await this.#step(lane, after, upTo))) break
        after = upTo
      }
    }
  }

  /** @returns the quarters that were published now */
  async publishEnded(): Promise<string[]> {
    const nowMs = this.#clock.nowMs()
    const first = (await this.#db.run(loadFirstQuarter()))[0]![0] as string | null
    if (first === null) return []
    const done = new Set(await this.quarters())
    const published: string[] = []
    for (let quarter = first; ; ) {
      const span = spanOf(quarter)!
      if (span.to.getTime() + GRACE_MS > nowMs) return published
      if (!done.has(quarter) && (await this.#publish({ quarter, ...span }))) published.push(quarter)
      quarter = quarterOf(span.to)
    }
  }

  /** Published quarters, newest first. */
  async quarters(): Promise<string[]> {
    return (await this.#db.run(loadPublishedQuarters())).map((row) => row[0] as string)
  }

  /** One quarter, or with null the one that runs; null for one that is not published and does not run. */
  async of(asked: string | null): Promise<Figures | null> {
    const current = quarterOf(new Date(this.#clock.nowMs()))
    const quarter = asked ?? current
    const document = (await this.#db.run(loadPublished(quarter)))[0]?.[0] as string | undefined
    if (document !== undefined) return JSON.parse(document) as Figures
    return quarter === current || (await this.#isEnding(quarter)) ? running({ quarter, ...spanOf(quarter)! }) : null
  }

  /** In the minutes after a quarter it runs out, and is not published yet. */
  async #isEnding(quarter: string): Promise<boolean> {
    const span = spanOf(quarter)
    return span !== null && quarterOf(new Date(this.#clock.nowMs() - 2 * GRACE_MS)) === quarter
  }

  async #publish(span: { quarter: string; from: Date; to: Date }): Promise<boolean> {
    return this.#db.transaction(async (connection) => {
      const tallies = readTallies(await connection.run(loadTallies(span.quarter)))
      const remedies = readRemedies(await connection.run(loadRemedies(span.from, span.to)))
      const at = new Date(this.#clock.nowMs())
      if ((await connection.run(insertPublished(span.quarter, canonicalJson(publish(span, tallies, remedies, at)), at))).length === 0) return false
      await connection.run(forgetTallies(span.quarter))
      return true
    }, PUBLISH_TIMEOUT_MS)
  }

  async #step(lane: number, after: bigint, upTo: bigint): Promise<boolean> {
    const facts = readTold(await this.#db.run(loadTold(lane, after, upTo, ACCEPTED)))
    const owners = new Map<string, Owner>()
    for (const id of new Set(facts.map((fact) => fact.docking))) {
      const docking = id === null ? null : await findDocking(this.#db, id)
      if (docking) owners.set(docking.id, { partner: docking.partner, isLive: docking.mode === 'live', isTwin: docking.twinOf !== null })
    }
    return this.#db.transaction(async (connection) => {
      if ((await connection.run(moveCursor(lane, after, upTo))).length === 0) return false
      const tallies = new Map<string, LaneTally>()
      const add: Add = (fact, family, cls, code, partner, events = 1) => {
        const quarter = quarterOf(fact.at)
        const key = [quarter, family, cls, code, partner].join(' ')
        const known = tallies.get(key)
        if (known) known.events += events
        else tallies.set(key, { quarter, family, class: cls, code, partner, events })
      }
      for (const fact of facts) await take(connection, lane, fact, fact.docking === null ? undefined : owners.get(fact.docking), add)
      if (tallies.size > 0) await connection.run(addTallies(lane, [...tallies.values()]))
      return true
    })
  }
}

type Add = (fact: ToldFact, family: LaneTally['family'], cls: Class, code: string, partner: string, events?: number) => void

/** Adds what one fact tells. */
async function take(connection: Connection, lane: number, fact: ToldFact, owner: Owner | undefined, add: Add): Promise<void> {
  const { kind, docking, subject, code, at } = fact
  const body = bodyOf(fact)
  if (kind === 'rule.published') return add(fact, 'rules', '', '', '')
  if (docking === null || !owner) return
  if (kind === 'conformance.finished' && (owner.isLive || owner.isTwin)) return add(fact, 'conformance', '', body.verdict === 'green' ? 'green' : 'red', owner.partner)
  if (!owner.isLive) return
  if (kind === 'conformance.admitted' || kind === 'conformance.waived') return add(fact, 'admissions', '', kind === 'conformance.waived' ? 'waiver' : 'badge', owner.partner)
  if (code !== null) return REFUSED.includes(kind) ? add(fact, 'refusals', classOf(code), code, owner.partner) : undefined
  if (kind === 'decision.taken' && subject !== null) {
    const cause = text(body.code)
    await connection.run(insertDecision({ lane, id: subject, docking, partner: owner.partner, class: classOf(cause), code: cause, takenAt: at }))
    add(fact, 'measures', classOf(cause), cause, owner.partner)
    if (classOf(cause) === 'technical' || classOf(cause) === '') return
    const followed = await connection.run(markFollowed(lane, docking, new Date(at.getTime() - FOLLOWED_WITHIN_MS)))
    if (followed.length > 0) add(fact, 'followed', 'technical', classOf(cause), owner.partner, followed.length)
  } else if (kind === 'decision.lifted' && subject !== null) await connection.run(markLifted(lane, subject, at))
  else if (kind.startsWith('appeal.')) {
    const decision = text(body.decision) || (subject?.startsWith('dec_') ? subject : '')
    const cls = ((await connection.run(loadClass(lane, decision)))[0]?.[0] as Class | undefined) ?? classOf(text(body.code))
    if (kind === 'appeal.clock_missed') return add(fact, 'missed', cls, '', owner.partner)
    const outcome = kind === 'appeal.filed' ? 'filed' : text(body.outcome)
    if (outcome === 'filed' || OUTCOMES.includes(outcome)) add(fact, 'appeals', cls, outcome, owner.partner)
  }
}

/** What stands in a fact's body may have been written by another version: whatever is not as expected is as if it were not there. */
function bodyOf(fact: ToldFact): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(fact.body)
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function classOf(code: string): Class {
  return isReasonCode(code) ? reasonOf(code).class : ''
}
