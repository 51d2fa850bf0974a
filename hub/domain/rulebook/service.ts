import { createHash } from 'node:crypto'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Comment, Contract, PublishAsk, RuleText, TextKind } from './model.ts'
import { hashedForm, mayComment, mayPublish } from './rules.ts'
import {
  countComments, insertComment, insertContract, insertText, loadComments, loadContractsOf, loadNewestComments, loadShelf, loadText, loadTexts, loadVersions, readComments, readContracts, readTexts,
} from './store.ts'

/** Comments that one docking may make on one text a day, and everybody from the public together. */
const OF_A_DOCKING = 20
const OF_THE_PUBLIC = 500
const DAY_S = 86_400

/** Publishes the next version of a text. Under the lock of the lane of the main site, so that versions follow each other. */
export async function publish(db: Database, { id, ask, by }: { id: string; ask: PublishAsk; by: string }): Promise<Outcome<RuleText>> {
  return db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async ({ at, append }): Promise<Outcome<RuleText>> => {
      const before = readTexts(await connection.run(loadVersions(ask.slug)))[0] ?? null
      const permitted = mayPublish(ask, before, at)
      if (!permitted.ok) return permitted
      const version = (before?.version ?? 0) + 1
      const sha256 = createHash('sha256').update(hashedForm({ ...ask, version })).digest('hex')
      const text = readTexts(await connection.run(insertText({ ...ask, id, version, sha256, supersedes: before?.id ?? null, publishedBy: by })))[0]!
      append({
        lane: HOUSE_LANE, docking: null, kind: 'rule.published', subject: id, code: null,
        body: JSON.stringify({ kind: ask.kind, slug: ask.slug, version, sha256, effectiveAt: text.effectiveAt.toISOString(), relief: ask.relief !== null, by }),
      })
      return accept(text)
    }))
}

/** Keeps what a docking, or somebody from the public (docking null), thinks of a text that is not yet in force. */
export async function comment(db: Database, ask: { id: string; text: string; docking: { id: string; lane: number } | null; body: string }): Promise<Outcome<Comment>> {
  const lane = ask.docking?.lane ?? HOUSE_LANE
  const docking = ask.docking?.id ?? null
  return db.transaction((connection) =>
    underLanes(connection, [lane], async ({ at, append }): Promise<Outcome<Comment>> => {
      const text = readTexts(await connection.run(loadText(ask.text)))[0]
      if (!text) return refuse('rulebook.text_not_found', { rule: ask.text.slice(0, 64) })
      const permitted = mayComment(text, at)
      if (!permitted.ok) return permitted
      const most = docking === null ? OF_THE_PUBLIC : OF_A_DOCKING
      if (((await connection.run(countComments(text.id, docking)))[0]![0] as number) >= most) {
        return refuse('platform.rate_limited', { allowed: `${most} comments a day`, retryAfterS: DAY_S }, { retryAfterS: DAY_S })
      }
      const kept = readComments(await connection.run(insertComment({ id: ask.id, text: text.id, textEffectiveAt: text.effectiveAt, docking, body: ask.body })))[0]!
      append({ lane, docking, kind: 'rule.commented', subject: text.id, code: null, body: JSON.stringify({ comment: kept.id }) })
      return accept(kept)
    }))
}

/** Records that the partner of a docking has signed a version of a contract template; a second record changes nothing. */
export async function recordContract(
  db: Database, ask: { id: string; docking: { id: string; lane: number }; text: string; signedAt: Date; signedBy: string; by: string },
): Promise<Outcome<Contract>> {
  const { id: docking, lane } = ask.docking
  return db.transaction((connection) =>
    underLanes(connection, [lane], async ({ at, append }): Promise<Outcome<Contract>> => {
      const text = readTexts(await connection.run(loadText(ask.text)))[0]
      if (!text) return refuse('rulebook.text_not_found', { rule: ask.text.slice(0, 64) })
      if (text.kind !== 'contract_template') return refuse('protocol.invalid_field', { path: '/rule', expected: 'a version of a contract template' })
      if (ask.signedAt > at || ask.signedAt < text.publishedAt) return refuse('protocol.invalid_field', { path: '/signedAt', expected: 'a time between the publication of the text and now' })
      const made = readContracts(await connection.run(insertContract({ lane, id: ask.id, docking, text: text.id, sha256: text.sha256, signedAt: ask.signedAt, signedBy: ask.signedBy, recordedBy: ask.by })))[0]
      if (!made) return accept((await contractsOf(connection, ask.docking)).find((one) => one.text === text.id)!)
      append({ lane, docking, kind: 'contract.signed', subject: made.id, code: null, body: JSON.stringify({ text: text.id, sha256: text.sha256, signedAt: ask.signedAt.toISOString(), signedBy: ask.signedBy, by: ask.by }) })
      return accept(made)
    }))
}

export async function contractsOf(db: Connection, docking: { id: string; lane: number }): Promise<Contract[]> {
  return readContracts(await db.run(loadContractsOf(docking.lane, docking.id)))
}

export async function findTexts(db: Connection, ids: readonly string[]): Promise<RuleText[]> {
  return ids.length === 0 ? [] : readTexts(await db.run(loadTexts(ids)))
}

/** All versions of a text, newest first. */
export async function versionsOf(db: Connection, slug: string): Promise<RuleText[]> {
  return readTexts(await db.run(loadVersions(slug)))
}

/** The newest version of each text, by slug. */
export async function shelf(db: Connection, kind: TextKind | null, after: string, limit: number): Promise<RuleText[]> {
  return readTexts(await db.run(loadShelf(kind, after, limit)))
}

export async function commentsOn(db: Connection, text: string, after: string, limit: number): Promise<Comment[]> {
  return readComments(await db.run(loadComments(text, after, limit)))
}

/** What was said last, in front: whoever speaks first a thousand times hides nobody. */
export async function newestCommentsOn(db: Connection, text: string, limit: number): Promise<Comment[]> {
  return readComments(await db.run(loadNewestComments(text, limit)))
}
