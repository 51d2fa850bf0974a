import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Decision, Statement } from './model.ts'
import { admit, REVIEW_WITHIN_DAYS } from './rules.ts'
import { insertDecision, liftDecision, loadDecision, loadDecisionsOf, locateDecision, readDecisions } from './store.ts'

export type HoldCommand = { id: string; lane: number; docking: string; statement: Statement; by: string }

/** Writes a measure under the docking's lane lock: once this has answered, no later order passes it. */
export async function hold(db: Database, command: HoldCommand): Promise<Outcome<Decision>> {
  return db.transaction((connection) =>
    underLanes(connection, [command.lane], async ({ at, append }) => {
      // The database's clock, which the order path asks: with another one a hold could begin late or look too long.
      const statement: Statement = {
        ...command.statement,
        measure: { ...command.statement.measure, effectiveAt: at.toISOString() },
        clocks: { ...command.statement.clocks, reviewAt: earlier(command.statement.clocks.reviewAt, at) },
      }
      const admitted = admit(statement, at)
      if (!admitted.ok) {
        const { code, because } = admitted.refusal
        append({ lane: command.lane, docking: command.docking, kind: 'decision.refused', subject: command.statement.cause.code, code, body: JSON.stringify({ because, by: command.by }) })
        return admitted
      }
      const decision: Decision = {
        id: command.id, lane: command.lane, docking: command.docking, statement, decidedBy: command.by, decidedAt: at,
        liftedAt: null, liftedBy: null, liftNote: null,
      }
      await connection.run(insertDecision(decision))
      append({
        lane: command.lane, docking: command.docking, kind: 'decision.taken', subject: command.id, code: null,
        body: JSON.stringify({ code: command.statement.cause.code, measure: command.statement.measure.kind, scope: command.statement.measure.scope, by: command.by }),
      })
      return accept(decision)
    }),
  )
}

const DAY_MS = 86_400_000
/** What two clocks may differ by without anyone having asked for a later review. */
const CLOCK_SLACK_MS = 60_000

/** The review that was asked for, brought back to the longest time when only the clocks disagree. */
function earlier(reviewAt: string, at: Date): string {
  const latestMs = at.getTime() + REVIEW_WITHIN_DAYS * DAY_MS
  const askedMs = Date.parse(reviewAt)
  return askedMs > latestMs && askedMs <= latestMs + CLOCK_SLACK_MS ? new Date(latestMs).toISOString() : reviewAt
}

/** Ends a measure by a person. A second lift changes nothing and says when the first was. */
export async function lift(db: Database, command: { id: string; by: string; note: string }): Promise<Outcome<Decision>> {
  return db.transaction(async (connection) => {
    const place = (await connection.run(locateDecision(command.id)))[0]
    if (!place) return refuse('decisions.not_found', { decision: command.id })
    const [lane, docking] = place as [number, string]
    return underLanes(connection, [lane], async ({ at, append }) => {
      const decision = readDecisions(await connection.run(loadDecision(lane, command.id)))[0]!
      if (decision.liftedAt) {
        return refuse('decisions.already_lifted', { decision: command.id, liftedAt: decision.liftedAt.toISOString() })
      }
      await connection.run(liftDecision(lane, command.id, at, command.by, command.note))
      append({
        lane, docking, kind: 'decision.lifted', subject: command.id, code: null,
        body: JSON.stringify({ by: command.by, note: command.note }),
      })
      return accept({ ...decision, liftedAt: at, liftedBy: command.by, liftNote: command.note })
    })
  })
}

export async function decisionsOf(db: Database, lane: number, docking: string, onlyOpen: boolean): Promise<Decision[]> {
  return readDecisions(await db.run(loadDecisionsOf(lane, docking, onlyOpen)))
}

export async function findDecision(db: Database, lane: number, id: string): Promise<Decision | null> {
  return readDecisions(await db.run(loadDecision(lane, id)))[0] ?? null
}
