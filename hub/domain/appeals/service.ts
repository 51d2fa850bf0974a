import { hash } from 'node:crypto'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { findDecision, type Decision } from '../decisions/index.ts'
import type { Appeal, Entry, EntryKind, EvidenceAsk, Via, WholeAppeal } from './model.ts'
import { checkEvidence, DAY_MS, DECIDE_WITHIN_DAYS, FILED_A_DAY_MAX, mayFile, mayGo, mayWithdraw, resumedClock, standsWhenMissed } from './rules.ts'
import {
  countFiled, endPause, insertAppeal, insertEntry, insertEvidence, loadAppeal, loadAppeals, loadAppealsOf, loadAppealsOfDecision, loadEntries, loadEvidence, loadFile, moveAppeal,
  readAppeals, readEvidence,
} from './store.ts'

/** What is needed to work on appeals. */
export type AppealDesk = { db: Database; vault: Vault }

/** Who speaks for a docking: a key of it, or a contact through a link. */
export type Appellant = { lane: number; docking: string; via: Via; by: string; isOwnHand: boolean; isSandbox: boolean }

export type FileAsk = { id: string; decision: string; text: string; evidence: readonly EvidenceAsk[] }

/** Files an appeal against a decision about the docking. A decision about another one is as unknown as none. */
export async function fileAppeal({ db, vault }: AppealDesk, who: Appellant, ask: FileAsk): Promise<Outcome<Appeal>> {
  const checked = withHashes(ask.evidence, 0, who.isSandbox)
  if (!checked.ok) return checked
  const decision = await findDecision(db, who.lane, ask.decision)
  if (!decision || decision.docking !== who.docking) return refuse('decisions.not_found', { decision: ask.decision.slice(0, 64) })
  return db.transaction((connection) =>
    underLanes(connection, [who.lane], async (lane) => {
      const may = mayFile(decision, readAppeals(await connection.run(loadAppealsOfDecision(who.lane, decision.id))), lane.at, who.isOwnHand)
      if (!may.ok) return may
      const filed = (await connection.run(countFiled(who.lane, who.docking, new Date(lane.at.getTime() - DAY_MS), who.isOwnHand))).map((row) => row[0] as Date)
      if (filed.length >= FILED_A_DAY_MAX) {
        const retryAfterS = Math.max(1, Math.ceil((filed[filed.length - FILED_A_DAY_MAX]!.getTime() + DAY_MS - lane.at.getTime()) / 1_000))
        return refuse('platform.rate_limited', { allowed: `${FILED_A_DAY_MAX} appeals a day`, retryAfterS }, { retryAfterS })
      }
      const appeal = newAppeal(ask.id, who, decision, lane.at)
      await connection.run(insertAppeal(appeal))
      const note = await write(connection, vault, lane, appeal, { kind: 'filed', side: 'partner', by: who.by, text: ask.text, dueAt: null })
      await attach(connection, vault, appeal, note, 0, checked.value)
      tell(lane, appeal, 'appeal.filed', { class: appeal.class, code: appeal.code, via: who.via, evidence: ask.evidence.length, decideBy: appeal.decideBy.toISOString() })
      return accept(appeal)
    }))
}

/** Adds words and documents to an open appeal. Where they were asked for, the clock goes on. */
export async function giveEvidence(desk: AppealDesk, who: Appellant, id: string, text: string, evidence: readonly EvidenceAsk[]): Promise<Outcome<Appeal>> {
  return underOwn(desk, who, id, async (connection, lane, appeal) => {
    const kept = (await connection.run(loadEvidence(appeal.lane, appeal.id))).length
    const checked = withHashes(evidence, kept, who.isSandbox)
    if (!checked.ok) return checked
    const note = await write(connection, desk.vault, lane, appeal, { kind: 'given', side: 'partner', by: who.by, text, dueAt: null })
    await attach(connection, desk.vault, appeal, note, kept, checked.value)
    const now = appeal.pausedAt === null ? appeal : await resume(connection, appeal, lane.at)
    tell(lane, appeal, 'appeal.evidence_given', { evidence: evidence.length, decideBy: now.decideBy.toISOString() })
    return accept(now)
  })
}

/** Takes an open appeal back. It may be filed again. */
export async function withdrawAppeal(desk: AppealDesk, who: Appellant, id: string): Promise<Outcome<Appeal>> {
  return underOwn(desk, who, id, async (connection, lane, appeal) => {
    const may = mayWithdraw(appeal, who)
    if (!may.ok) return may
    const going = appeal.pausedAt === null ? appeal : await resume(connection, appeal, lane.at)
    const gone: Appeal = { ...going, state: 'withdrawn', closedAt: lane.at }
    await connection.run(moveAppeal(gone))
    await write(connection, desk.vault, lane, appeal, { kind: 'withdrawn', side: 'partner', by: who.by, text: null, dueAt: null })
    tell(lane, appeal, 'appeal.withdrawn', {})
    return accept(gone)
  })
}

/** Lets the clock of an appeal go on from a time: what it stood still is added. */
export async function resume(connection: Connection, appeal: Appeal, at: Date): Promise<Appeal> {
  const { decideBy, pausedMs } = resumedClock(appeal, at)
  const going: Appeal = { ...appeal, state: 'under_review', decideBy, pausedAt: null, evidenceDue: null }
  await connection.run(moveAppeal(going, pausedMs))
  await connection.run(endPause(appeal.lane, appeal.id, at))
  return going
}

/** The appeal under its lane's lock, whoever looks for it; null when there is none. */
export async function underAppeal<T>(db: Database, id: string, work: (connection: Connection, lane: LaneWork, appeal: Appeal) => Promise<Outcome<T>>): Promise<Outcome<T>> {
  return db.transaction(async (connection) => {
    const place = readAppeals(await connection.run(loadAppeal(id)))[0]
    if (!place) return refuse('appeals.not_found', { appeal: id.slice(0, 64) })
    return underLanes(connection, [place.lane], async (lane) => work(connection, lane, readAppeals(await connection.run(loadAppeal(id)))[0]!))
  })
}

async function underOwn(desk: AppealDesk, who: Appellant, id: string, work: (connection: Connection, lane: LaneWork, appeal: Appeal) => Promise<Outcome<Appeal>>): Promise<Outcome<Appeal>> {
  return underAppeal(desk.db, id, async (connection, lane, appeal) => {
    if (appeal.docking !== who.docking) return refuse('appeals.not_found', { appeal: id.slice(0, 64) })
    const may = mayGo(appeal)
    return may.ok ? work(connection, lane, appeal) : may
  })
}

function newAppeal(id: string, who: Appellant, decision: Decision, at: Date): Appeal {
  const { class: cls, code } = decision.statement.cause
  return {
    lane: who.lane, id, docking: who.docking, decision: decision.id, class: cls, code, decisionBy: decision.decidedBy, approvedBy: decision.approvedBy, deciders: [], standsWhenMissed: standsWhenMissed(decision.statement),
    via: who.via, filedBy: who.by, isOwnHand: who.isOwnHand, isSandbox: who.isSandbox, filedAt: at, state: 'filed', decideBy: new Date(at.getTime() + DECIDE_WITHIN_DAYS * DAY_MS), pausedAt: null, evidenceDue: null, extendedDays: 0,
    missedAt: null, decidedBy: null, closedAt: null, outcomeDecision: null,
  }
}

type Said = { kind: EntryKind; side: Entry['side']; by: string; text: string | null; dueAt: Date | null }

/** Writes what was said; the words are sealed. @returns the number of the entry */
export async function write(connection: Connection, vault: Vault, { at }: Pick<LaneWork, 'at'>, { lane, id }: Appeal, said: Said): Promise<number> {
  const sealed = said.text === null ? null : vault.seal(Buffer.from(said.text), textContext(id))
  return (await connection.run(insertEntry({ lane, appeal: id, kind: said.kind, side: said.side, by: said.by, sealed, at, dueAt: said.dueAt })))[0]![0] as number
}

/** A fact of an appeal. No words and no names of documents: facts are for ever. */
export function tell({ append }: LaneWork, { lane, docking, id, decision, isSandbox }: Appeal, kind: string, body: object): void {
  append({ lane, docking, kind, subject: id, code: null, body: JSON.stringify({ decision, ...(isSandbox ? { sandbox: true } : {}), ...body }) })
}

type Hashed = EvidenceAsk & { sha256: string }

function withHashes(items: readonly EvidenceAsk[], kept: number, isSandbox: boolean): Outcome<Hashed[]> {
  const file = isSandbox ? items.findIndex(({ content }) => content !== null) : -1
  if (file >= 0) return refuse('protocol.invalid_field', { path: `/evidence/${file}`, expected: 'the sha256 alone: a sandbox keeps no files' })
  const hashes = items.map(({ content, sha256 }) => (content === null ? (sha256 ?? '') : hash('sha256', content, 'hex')))
  const checked = checkEvidence(items, kept, hashes)
  return checked.ok ? accept(items.map((item, i) => ({ ...item, sha256: hashes[i]! }))) : checked
}

async function attach(connection: Connection, vault: Vault, { lane, id }: Appeal, entry: number, kept: number, items: readonly Hashed[]): Promise<void> {
  if (items.length === 0) return
  const rows = items.map(({ name, note, sha256, content }, i) => ({
    name, note, sha256, bytes: content?.byteLength ?? null, sealed: content === null ? null : vault.seal(content, fileContext(id, kept + i + 1)),
  }))
  await connection.run(insertEvidence(lane, id, entry, kept + 1, rows))
}

function textContext(appeal: string): string {
  return `appeal|${appeal}|text`
}

function fileContext(appeal: string, seq: number): string {
  return `appeal|${appeal}|file|${seq}`
}

/** An appeal with all that was said, for whoever may see it; `docking` narrows it to one's own. */
export async function findAppeal({ db, vault }: AppealDesk, id: string, docking: string | null): Promise<WholeAppeal | null> {
  const appeal = readAppeals(await db.run(loadAppeal(id)))[0]
  return !appeal || (docking !== null && appeal.docking !== docking) ? null : whole(db, vault, appeal)
}

/** The appeals of one decision, newest first, with all that was said. */
export async function appealsOfDecision({ db, vault }: AppealDesk, lane: number, decision: string): Promise<WholeAppeal[]> {
  const appeals = readAppeals(await db.run(loadAppealsOfDecision(lane, decision)))
  return Promise.all(appeals.slice(0, 10).map((appeal) => whole(db, vault, appeal)))
}

export async function listAppealsOf(db: Database, lane: number, docking: string, before: string | null, limit: number): Promise<Appeal[]> {
  return readAppeals(await db.run(loadAppealsOf(lane, docking, before, limit)))
}

export async function listAppeals(db: Database, open: boolean, before: string | null, limit: number): Promise<Appeal[]> {
  return readAppeals(await db.run(loadAppeals(open, before, limit)))
}

/** A document that was handed in with its content. */
export async function openFile({ db, vault }: AppealDesk, id: string, seq: number): Promise<{ name: string; content: Buffer } | null> {
  const appeal = readAppeals(await db.run(loadAppeal(id)))[0]
  const row = appeal ? (await db.run(loadFile(appeal.lane, id, seq)))[0] : undefined
  return row ? { name: row[0] as string, content: vault.open(row[1] as Buffer, fileContext(id, seq)) } : null
}

async function whole(db: Database, vault: Vault, appeal: Appeal): Promise<WholeAppeal> {
  const entries = (await db.run(loadEntries(appeal.lane, appeal.id))).map((row): Entry => ({
    seq: row[0] as number, kind: row[1] as EntryKind, side: row[2] as 'partner', by: row[3] as string,
    text: row[4] === null ? null : vault.open(row[4] as Buffer, textContext(appeal.id)).toString(), at: row[5] as Date, dueAt: row[6] as Date | null,
  }))
  return { appeal, entries, evidence: readEvidence(await db.run(loadEvidence(appeal.lane, appeal.id))) }
}
