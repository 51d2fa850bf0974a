import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { contractsOf, findTexts } from '../rulebook/index.ts'
import { isFog } from './fog.ts'
import { admit, isWithheld, place, PLAIN, type Records } from './honesty.ts'
import type { Decision, How, Place, Proof, Statement, StatementDraft } from './model.ts'
import { hollow, REVIEW_WITHIN_DAYS, TERMINATION_NOTICE_DAYS, URGENT } from './rules.ts'
import {
  endMeasure, insertDecision, insertDraft, insertKnown, insertOverturned, loadAfter, loadDeciders, loadDecision, loadDecisionsOf, loadDraft, loadEarlier, loadKnown, loadOverturned, loadRuns, locateDecision,
  readDecisions, readEarlier, readKnown, readOverturned, readRuns,
} from './store.ts'
import { complete, hashOfFact } from './wording.ts'

/** `publishedRate` is what everybody may ask a second: a throttle lies below it. */
export type HoldCommand = { id: string; lane: number; docking: string; statement: StatementDraft; by: string; publishedRate?: number }

/** Writes a measure under the docking's lane lock: once this has answered, no later order passes it. */
export async function hold(db: Database, command: HoldCommand): Promise<Outcome<Decision>> {
  return db.transaction((connection) => underLanes(connection, [command.lane], (lane) => write(connection, lane, command, null)))
}

/**
 * Puts a decision in the place of another that is still open: the new one names the old, and the old ends with it, or
 * nothing happens. Refuses `decisions.already_lifted`, and whatever the new statement itself is refused for.
 * @param command.how `superseded`, or what made it necessary: an `appeal`, or the clock of one
 */
export async function supersede(db: Database, command: { old: string; id: string; statement: StatementDraft; by: string; note: string; how?: How; publishedRate?: number }): Promise<Outcome<Decision>> {
  return isFog(command.note) ? refuse('decisions.statement_incomplete', { missing: [PLAIN] }) : underDecision(db, command.old, (connection, lane, old) => replace(connection, lane, old, command))
}

/**
 * Leaves of a measure nothing but a warning: another decision, which stops nothing, takes its place. One that has too
 * little ground even for a warning ends.
 */
export async function dropToWarn(db: Database, command: { old: string; id: string; by: string; note: string; how: How }): Promise<Outcome<Decision>> {
  return underDecision(db, command.old, async (connection, lane, old) => {
    const { measure, clocks } = old.statement
    const statement = {
      ...old.statement, measure: { ...measure, kind: 'warn' as const, allows: {}, effectiveAt: lane.at.toISOString(), endsAt: null },
      clocks: { ...clocks, noticeDays: 0, reviewAt: new Date(lane.at.getTime() + REVIEW_WITHIN_DAYS * DAY_MS).toISOString() },
    }
    const warned = await replace(connection, lane, old, { ...command, statement })
    return warned.ok ? warned : accept(await end(connection, lane, old, { how: command.how, by: command.by, note: command.note, successor: null }))
  })
}

/** Ends a measure by a person, or by what an appeal found. A second lift changes nothing and says when the first was. */
export async function lift(db: Database, command: { id: string; by: string; note: string; source?: 'person' | 'appeal' }): Promise<Outcome<Decision>> {
  if (isFog(command.note)) return refuse('decisions.statement_incomplete', { missing: [PLAIN] })
  return underDecision(db, command.id, async (connection, lane, decision) => accept(await end(connection, lane, decision, { how: command.source ?? 'person', by: command.by, note: command.note, successor: null })))
}

/**
 * What an appeal found wrong ends at once: the decision itself, whatever has taken its place, and whatever was taken beside
 * it in the same matter since. From here on it is not decided again over what was known by now. Ended already is no refusal.
 */
export async function overturn(db: Database, command: { id: string; by: string; note: string }): Promise<Outcome<null>> {
  return db.transaction(async (connection) => {
    const found = (await connection.run(locateDecision(command.id)))[0]
    if (!found) return refuse('decisions.not_found', { decision: command.id.slice(0, 64) })
    const [lane, docking] = found as [number, string]
    return underLanes(connection, [lane], async (locked) => {
      await connection.run(insertOverturned(lane, docking, command.id))
      const wrong = readOverturned(await connection.run(loadOverturned(lane, docking))).find((one) => one.decision === command.id)!
      const after = new Set([command.id, ...(await connection.run(loadAfter(lane, command.id))).map((row) => row[0] as string)])
      for (const one of readDecisions(await connection.run(loadDecisionsOf(lane, docking, true)))) {
        const hashes = one.statement.facts.map((fact) => hashOfFact(fact.text))
        const isCopy = one.id > command.id && one.statement.cause.code === wrong.code && hashes.every((hash) => wrong.facts.includes(hash))
        if (!after.has(one.id) && !isCopy) continue
        await end(connection, locked, one, { how: 'appeal', by: command.by, note: command.note, successor: null })
        if (one.id !== command.id) await connection.run(insertOverturned(lane, docking, one.id))
      }
      return accept(null)
    })
  })
}

/** Ends a measure by what it said of itself: its time is over, or its check is green. Does nothing where it has ended meanwhile. */
export async function endByItself(db: Database, id: string, how: 'lapse' | 'condition', note: string): Promise<Outcome<Decision>> {
  return underDecision(db, id, async (connection, lane, decision) => accept(await end(connection, lane, decision, { how, by: 'hub', note, successor: null })))
}

/** Keeps a measure whose facts may not be told for the second person who must approve it. Nothing is held until then. */
export async function draftDecision(db: Database, command: HoldCommand): Promise<Outcome<{ draft: string }>> {
  return db.transaction((connection) => underLanes(connection, [command.lane, HOUSE_LANE], async ({ at, append }): Promise<Outcome<{ draft: string }>> => {
    const judged = await judge(connection, at, command, command.id)
    if (!judged.ok) return judged
    await connection.run(insertDraft({ lane: command.lane, id: command.id, docking: command.docking, statement: command.statement, madeBy: command.by }))
    // In the lane of the main site: a block of the docking's own would show that something is being thought over.
    append({ lane: HOUSE_LANE, docking: null, kind: 'decision.drafted', subject: command.id, code: null, body: JSON.stringify({ by: command.by }) })
    return accept({ draft: command.id })
  }))
}

/** Turns a draft into a decision. Refuses `decisions.second_person_needed` to whoever drafted it. */
export async function approveDraft(db: Database, command: { draft: string; id: string; by: string }): Promise<Outcome<Decision>> {
  return db.transaction(async (connection) => {
    const row = (await connection.run(loadDraft(command.draft)))[0]
    if (!row) return refuse('decisions.draft_not_found', { draft: command.draft.slice(0, 64) })
    const [lane, docking, statement, madeBy] = row as [number, string, StatementDraft, string]
    if (madeBy === command.by) return refuse('decisions.second_person_needed', { draft: command.draft, by: madeBy })
    return underLanes(connection, [lane], async (work) => {
      // Once more under the lock: somebody else may have approved it meanwhile.
      if (!(await connection.run(loadDraft(command.draft)))[0]) return refuse('decisions.draft_not_found', { draft: command.draft })
      return write(connection, work, { id: command.id, lane, docking, statement, by: madeBy }, { draft: command.draft, by: command.by })
    })
  })
}

type Approval = { draft: string; by: string } | null

async function write(connection: Connection, { at, append }: LaneWork, command: HoldCommand, approval: Approval): Promise<Outcome<Decision>> {
  const { lane, docking, id, by } = command
  const judged = await judge(connection, at, command, approval?.draft ?? null)
  if (!judged.ok) {
    const { code, because } = judged.refusal
    append({ lane, docking, kind: 'decision.refused', subject: command.statement.cause.code, code, body: JSON.stringify({ because, by }) })
    return judged
  }
  const { statement, proof, where } = judged.value
  const decision = { id, lane, docking, statement, decidedBy: by, approvedBy: approval?.by ?? null, liftedAt: null, liftedBy: null, liftNote: null, liftHow: null, supersededBy: null }
  const decidedAt = (await connection.run(insertDecision({ ...decision, draft: approval?.draft ?? null }, proof, where)))[0]![0] as Date
  append({
    lane, docking, kind: 'decision.taken', subject: id, code: null,
    body: JSON.stringify({ code: statement.cause.code, class: statement.cause.class, measure: statement.measure.kind, scope: statement.measure.scope, supersedes: statement.supersedes, by }),
  })
  return accept({ ...decision, decidedAt })
}

/** All that is asked of a statement, in the order of the honesty rules. What it names is known from here on, refused or not. */
async function judge(connection: Connection, at: Date, command: HoldCommand, draft: string | null): Promise<Outcome<{ statement: Statement; proof: Proof; where: Place }>> {
  const { lane, docking } = command
  const drafted = timed(complete(command.statement, { docking, at }), command.statement, at)
  const problem = hollow(drafted.measure, command.publishedRate ?? Infinity)
  if (problem !== null) return refuse('decisions.nothing_to_hold', { measure: drafted.measure.kind, problem })
  const records = await recordsOf(connection, lane, docking, drafted)
  const statement = named(drafted, records)
  const hashes = statement.facts.map((fact) => hashOfFact(fact.text))
  const all = [...hashes, ...statement.evidence.map((one) => one.sha256)]
  await connection.run(insertKnown(lane, docking, all))
  const proof = admit(statement, records, at)
  if (!proof.ok) return proof
  if (draft === null && isWithheld(statement)) return refuse('decisions.statement_incomplete', { missing: ['a second person, since its facts are withheld'] })
  const where = place(statement, readEarlier(await connection.run(loadEarlier(lane, docking))), hashes, readKnown(await connection.run(loadKnown(lane, docking, all))), records.runs, at, readOverturned(await connection.run(loadOverturned(lane, docking))))
  return where.ok ? accept({ statement, proof: proof.value, where: where.value }) : where
}

const DAY_MS = 86_400_000
/** What two clocks may differ by without anyone having asked for another time. */
const CLOCK_SLACK_MS = 60_000

/** The database's clock, which the order path asks: with another one a hold could begin late or look too long. */
function timed(statement: Statement, draft: StatementDraft, at: Date): Statement {
  const { measure, clocks } = statement
  const earliestMs = measure.kind === 'terminate' && !URGENT.includes(statement.cause.code) ? at.getTime() + TERMINATION_NOTICE_DAYS * DAY_MS : at.getTime()
  const askedMs = draft.measure.effectiveAt === undefined ? earliestMs : Date.parse(draft.measure.effectiveAt)
  const effectiveMs = askedMs <= at.getTime() + CLOCK_SLACK_MS ? at.getTime() : askedMs
  return {
    ...statement,
    measure: { ...measure, effectiveAt: new Date(effectiveMs).toISOString() },
    clocks: { ...clocks, noticeDays: Math.max(0, Math.floor((effectiveMs - at.getTime()) / DAY_MS)), reviewAt: earlier(clocks.reviewAt, at) },
  }
}

/** The review that was asked for, brought back to the longest time when only the clocks disagree. */
function earlier(reviewAt: string, at: Date): string {
  const latestMs = at.getTime() + REVIEW_WITHIN_DAYS * DAY_MS
  const askedMs = Date.parse(reviewAt)
  return askedMs > latestMs && askedMs <= latestMs + CLOCK_SLACK_MS ? new Date(latestMs).toISOString() : reviewAt
}

async function recordsOf(connection: Connection, lane: number, docking: string, { ground, evidence }: Statement): Promise<Records> {
  const refs = (type: string) => ground.filter((one) => one.type === type).map((one) => one.ref)
  const runs = evidence.filter((one) => one.kind === 'check_run').map((one) => one.id)
  return {
    texts: await findTexts(connection, refs('published_rule')),
    contracts: refs('contract').length === 0 ? [] : await contractsOf(connection, { id: docking, lane }),
    runs: runs.length === 0 ? [] : readRuns(await connection.run(loadRuns(lane, docking, runs))),
  }
}

/** Rules and contracts with the hash and the day that the rulebook has for them, and runs with how they are repeated. What is technical ends by the check that failed, also where nobody says so. */
function named(statement: Statement, { texts, contracts, runs }: Records): Statement {
  const { measure, cause } = statement
  const red = cause.class === 'technical' && measure.liftsWhen === null ? runs.find((run) => run.verdict === 'fail' && run.code === cause.code) : undefined
  return {
    ...statement,
    ...(red === undefined ? {} : { measure: { ...measure, liftsWhen: { check: red.check, ...(red.inputHash === null ? {} : { inputHash: red.inputHash }) } } }),
    ground: statement.ground.map((one) => {
      const text = one.type === 'published_rule' ? texts.find((text) => text.id === one.ref) : undefined
      const contract = one.type === 'contract' ? contracts.find((contract) => contract.id === one.ref) : undefined
      if (text) return { ...one, versionHash: text.sha256, publishedAt: text.publishedAt.toISOString() }
      return contract ? { ...one, versionHash: contract.sha256, publishedAt: contract.signedAt.toISOString() } : { ...one, versionHash: null }
    }),
    evidence: statement.evidence.map((one) => {
      const run = one.kind === 'check_run' ? runs.find((run) => run.id === one.id) : undefined
      return run ? { ...one, reproduce: run.reproducible ? { check: run.check, version: run.version, inputHash: run.inputHash ?? run.sha256 } : null } : one
    }),
  }
}

async function underDecision(db: Database, id: string, work: (connection: Connection, lane: LaneWork, decision: Decision) => Promise<Outcome<Decision>>): Promise<Outcome<Decision>> {
  return db.transaction(async (connection) => {
    const found = (await connection.run(locateDecision(id)))[0]
    if (!found) return refuse('decisions.not_found', { decision: id.slice(0, 64) })
    const lane = found[0] as number
    return underLanes(connection, [lane], async (locked) => {
      const decision = readDecisions(await connection.run(loadDecision(lane, id)))[0]!
      return decision.liftedAt ? refuse('decisions.already_lifted', { decision: id, liftedAt: decision.liftedAt.toISOString() }) : work(connection, locked, decision)
    })
  })
}

async function replace(
  connection: Connection, lane: LaneWork, old: Decision, command: { id: string; statement: StatementDraft; by: string; note: string; how?: How; publishedRate?: number },
): Promise<Outcome<Decision>> {
  const { id, by, note, how = 'superseded' } = command
  const written = await write(connection, lane, {
    id, lane: old.lane, docking: old.docking, by, statement: { ...command.statement, supersedes: old.id }, ...(command.publishedRate === undefined ? {} : { publishedRate: command.publishedRate }),
  }, null)
  if (!written.ok) return written
  await end(connection, lane, old, { how, by, note, successor: id })
  return written
}

/** One kind of fact for each way in which a measure ends. */
const ENDED = { superseded: 'decision.superseded', lapse: 'decision.lapsed', lifted: 'decision.lifted' } as const

async function end(connection: Connection, { append }: LaneWork, decision: Decision, how: { how: How; by: string; note: string; successor: string | null }): Promise<Decision> {
  const at = (await connection.run(endMeasure(decision.lane, decision.id, how)))[0]![0] as Date | null
  if (!at) throw new Error(`the decision ${decision.id} was ended under its own lock`)
  append({
    lane: decision.lane, docking: decision.docking, kind: how.successor !== null ? ENDED.superseded : how.how === 'lapse' ? ENDED.lapse : ENDED.lifted, subject: decision.id, code: null,
    body: JSON.stringify({ how: how.how, by: how.by, note: how.note, ...(how.successor === null ? {} : { successor: how.successor }) }),
  })
  return { ...decision, liftedAt: at, liftedBy: how.by, liftNote: how.note, liftHow: how.how, supersededBy: how.successor }
}

/** The newest decisions of a docking, at most 100; only those that nothing has ended, where asked. */
export async function decisionsOf(db: Connection, lane: number, docking: string, onlyOpen: boolean): Promise<Decision[]> {
  return readDecisions(await db.run(loadDecisionsOf(lane, docking, onlyOpen)))
}

/** A page of a docking's decisions, newest first, from before an id. */
export async function decisionPage(db: Connection, docking: { id: string; lane: number }, options: { onlyOpen: boolean; before: string | null; limit: number }): Promise<Decision[]> {
  return readDecisions(await db.run(loadDecisionsOf(docking.lane, docking.id, options.onlyOpen, options.before, options.limit)))
}

export async function findDecision(db: Connection, lane: number, id: string): Promise<Decision | null> {
  return readDecisions(await db.run(loadDecision(lane, id)))[0] ?? null
}

/** A decision by its id alone. */
export async function findDecisionById(db: Connection, id: string): Promise<Decision | null> {
  const found = (await db.run(locateDecision(id)))[0]
  return found ? findDecision(db, found[0] as number, id) : null
}

/** Whoever took or approved a decision, those in whose place it stands, and those that took its place but on appeal. */
export async function decidersOf(db: Connection, lane: number, id: string): Promise<string[]> {
  return (await db.run(loadDeciders(lane, id))).map((row) => row[0] as string)
}

/** The last of those that took the place of a decision one after another, or the decision itself. */
export async function whatStands(db: Connection, lane: number, id: string): Promise<Decision> {
  const last = (await db.run(loadAfter(lane, id))).at(-1)
  return (await findDecision(db, lane, last ? (last[0] as string) : id))!
}
