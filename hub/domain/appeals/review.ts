import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { decidersOf } from '../decisions/index.ts'
import { narrowMeasure, overturnMeasure } from './measures.ts'
import type { Appeal, Narrower, Verdict } from './model.ts'
import { DAY_MS, mayAsk, mayExtend, mayReview } from './rules.ts'
import { resume, tell, underAppeal, write, type AppealDesk } from './service.ts'
import { countOutcomes, countPauses, loadAppeal, moveAppeal, readAppeals, readOutcomes, startPause, type OutcomeCount } from './store.ts'

async function mayJudge(connection: Connection, appeal: Appeal, by: string): Promise<Outcome<null>> {
  return mayReview(appeal, by, await decidersOf(connection, appeal.lane, appeal.decision))
}

/** Asks the partner for more. The clock stands still until it is given, or until its own due date. */
export async function askEvidence({ db, vault }: AppealDesk, ask: { id: string; text: string; days: number; by: string }): Promise<Outcome<Appeal>> {
  return underAppeal(db, ask.id, async (connection, lane, found) => {
    const may = await mayJudge(connection, found, ask.by)
    if (!may.ok) return may
    const spent = mayAsk((await connection.run(countPauses(found.lane, found.id)))[0]![0] as number)
    if (!spent.ok) return spent
    const appeal = found.pausedAt === null ? found : await resume(connection, found, lane.at)
    const asked: Appeal = { ...appeal, state: 'evidence_owed', pausedAt: lane.at, evidenceDue: new Date(lane.at.getTime() + ask.days * DAY_MS) }
    await connection.run(moveAppeal(asked))
    await connection.run(startPause(asked))
    await write(connection, vault, lane, appeal, { kind: 'asked', side: 'main_site', by: ask.by, text: ask.text, dueAt: asked.evidenceDue })
    tell(lane, appeal, 'appeal.evidence_asked', { due: asked.evidenceDue!.toISOString(), by: ask.by })
    return accept(asked)
  })
}

/** Puts the clock off, once and with a reason that the partner reads. */
export async function extendAppeal({ db, vault }: AppealDesk, ask: { id: string; text: string; days: number; by: string }): Promise<Outcome<Appeal>> {
  return underAppeal(db, ask.id, async (connection, lane, appeal) => {
    const may = await mayJudge(connection, appeal, ask.by)
    if (!may.ok) return may
    const spent = mayExtend(appeal)
    if (!spent.ok) return spent
    const later: Appeal = { ...appeal, state: appeal.state === 'filed' ? 'under_review' : appeal.state, extendedDays: ask.days, decideBy: new Date(appeal.decideBy.getTime() + ask.days * DAY_MS) }
    await connection.run(moveAppeal(later))
    await write(connection, vault, lane, appeal, { kind: 'extended', side: 'main_site', by: ask.by, text: ask.text, dueAt: later.decideBy })
    tell(lane, appeal, 'appeal.extended', { days: ask.days, decideBy: later.decideBy.toISOString(), by: ask.by })
    return accept(later)
  })
}

/** `decisionId`: the id of the decision that takes the place of the old one, where the verdict is `partly`. */
export type DecideAsk = { id: string; verdict: Verdict; text: string; narrower: Narrower | null; decisionId: string; by: string }

/**
 * Decides an appeal. The measure is dealt with first: whatever ends the hub in between, a partner who was right is free,
 * and the reviewer who decides once more finds it so and only writes it down.
 */
export async function decideAppeal({ db, vault }: AppealDesk, ask: DecideAsk): Promise<Outcome<Appeal>> {
  const found = readAppeals(await db.run(loadAppeal(ask.id)))[0]
  if (!found) return refuse('appeals.not_found', { appeal: ask.id.slice(0, 64) })
  const may = await mayJudge(db, found, ask.by)
  if (!may.ok) return may
  if ((ask.verdict === 'partly') !== (ask.narrower !== null)) return refuse('protocol.invalid_field', { path: '/narrower', expected: 'with the outcome partly, and with no other' })
  const dealt = await dealWith(db, found, ask)
  if (!dealt.ok) return dealt
  return underAppeal(db, ask.id, async (connection, lane, appeal) => {
    const still = await mayJudge(connection, appeal, ask.by)
    if (!still.ok) return still
    const going = appeal.pausedAt === null ? appeal : await resume(connection, appeal, lane.at)
    const decided: Appeal = { ...going, state: ask.verdict, decidedBy: ask.by, closedAt: lane.at, outcomeDecision: dealt.value }
    await connection.run(moveAppeal(decided))
    await write(connection, vault, lane, appeal, { kind: ask.verdict, side: 'main_site', by: ask.by, text: ask.text, dueAt: null })
    tell(lane, appeal, 'appeal.decided', { outcome: ask.verdict, class: appeal.class, code: appeal.code, outcomeDecision: dealt.value, by: ask.by })
    return accept(decided)
  })
}

/** @returns the decision that took the place of the old one, if one did */
async function dealWith(db: Database, appeal: Appeal, { verdict, narrower, decisionId, by }: DecideAsk): Promise<Outcome<string | null>> {
  if (verdict === 'upheld') return accept(appeal.outcomeDecision)
  if (verdict === 'overturned') {
    const ended = await overturnMeasure(db, appeal, by)
    return ended.ok ? accept(appeal.outcomeDecision) : ended
  }
  return narrowMeasure(db, appeal, narrower!, decisionId, by)
}

/** How appeals ended between two times, by class and code of the decision that they were about. */
export async function appealOutcomes(db: Database, from: Date, to: Date): Promise<OutcomeCount[]> {
  return readOutcomes(await db.run(countOutcomes(from, to)))
}
