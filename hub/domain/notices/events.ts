import type { AcceptedFact } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { loadDueAppeals, readAppeals } from '../appeals/index.ts'
import { decisionsOf } from '../decisions/index.ts'
import { standingOf, type KeyEvent } from '../letters/index.ts'
import { keysEnding } from '../partners/index.ts'
import { MAIN_SITE_OWNER, type ContactKind, type NoticeKind, type Owner } from './model.ts'
import { KEY_NOTICE_DAYS, keyNoticeDue } from './rules.ts'

/** What is to be told to whom, before it is a letter. A contact hears it who waits for any of `wanted`. */
export type Event = { owner: Owner; wanted: readonly ContactKind[]; kind: NoticeKind; subject: string; occasion: bigint; body: string; only: string | null }

const DECIDED: Readonly<Record<string, NoticeKind>> = { 'decision.taken': 'decision_taken', 'decision.changed': 'decision_changed', 'decision.lifted': 'decision_lifted', 'decision.lapsed': 'decision_lifted' }

/** What is told of an appeal to the one who filed it, and to the main site. */
const APPEALED: Readonly<Record<string, { kind: NoticeKind; partner: boolean; mainSite: boolean }>> = {
  'appeal.filed': { kind: 'appeal_filed', partner: true, mainSite: true }, 'appeal.evidence_asked': { kind: 'appeal_asked', partner: true, mainSite: false },
  'appeal.evidence_given': { kind: 'appeal_given', partner: false, mainSite: true }, 'appeal.extended': { kind: 'appeal_extended', partner: true, mainSite: false },
  'appeal.decided': { kind: 'appeal_decided', partner: true, mainSite: false }, 'appeal.clock_missed': { kind: 'appeal_missed', partner: true, mainSite: true },
  'appeal.withdrawn': { kind: 'appeal_withdrawn', partner: false, mainSite: true },
}

/** Facts that tell of something by themselves; what moves a deposit or a stock is for the watches. */
export const TELLING: readonly string[] = [...Object.keys(DECIDED), ...Object.keys(APPEALED), 'contact.added', 'contact.changed', 'key.revoked', 'key.rolled']

/** What the facts of one lane tell people. */
export async function eventsOf(db: Database, lane: number, facts: readonly AcceptedFact[], at: Date): Promise<Event[]> {
  const events: Event[] = []
  for (const fact of facts) {
    const { kind, docking, subject } = fact
    if (docking === null || subject === null) continue
    const owner = { lane, docking }
    if (Object.hasOwn(DECIDED, kind)) events.push(decided(owner, fact, subject))
    else if (kind.startsWith('key.')) events.push(...keyEnded(owner, fact, subject))
    else if (Object.hasOwn(APPEALED, kind)) events.push(...appealed(owner, fact, subject))
    // Who is made a contact while measures stand is told of them.
    else if (kind.startsWith('contact.')) {
      for (const decision of await decisionsOf(db, lane, docking, true)) {
        if (standingOf(decision, at) !== 'ended') events.push({ owner, wanted: ['decisions'], kind: 'decision_taken', subject: decision.id, occasion: 0n, body: '{}', only: subject })
      }
    }
  }
  return events
}

/** A decision is taken once and lifted once; it may be changed several times. Who waits for keys hears of one that holds keys. */
function decided(owner: Owner, { kind: factKind, position, body }: AcceptedFact, subject: string): Event {
  const kind = DECIDED[factKind]!
  const holdsKeys = ((JSON.parse(body) as { scope?: string[] }).scope ?? []).includes('key')
  return { owner, wanted: holdsKeys ? ['decisions', 'keys'] : ['decisions'], kind, subject, occasion: kind === 'decision_changed' ? position : 0n, body: '{}', only: null }
}

/** A key that was revoked, or that ended at once when another took its place: whoever did not do it wants to know today. */
function keyEnded(owner: Owner, { kind, body, at }: AcceptedFact, subject: string): Event[] {
  const said = JSON.parse(body) as { at?: string; by?: string; old?: string; oldEndsAt?: string }
  const endsAt = kind === 'key.rolled' ? said.oldEndsAt : said.at
  const key = kind === 'key.rolled' ? said.old : subject
  if (key === undefined || endsAt === undefined || Date.parse(endsAt) > at.getTime()) return []
  const told: KeyEvent = { key, endsAt, by: said.by ?? null }
  return [{ owner, wanted: ['keys'], kind: 'key_revoked', subject: key, occasion: 0n, body: JSON.stringify(told), only: null }]
}

/** An appeal has two sides, each told what it did not do itself; the one who filed gets a receipt. */
function appealed(owner: Owner, { kind: factKind, position, body }: AcceptedFact, subject: string): Event[] {
  const { kind, partner, mainSite } = APPEALED[factKind]!
  const { decision, sandbox } = JSON.parse(body) as { decision: string; sandbox?: true }
  const about = aboutAppeal(subject, decision, owner)
  return [
    ...(partner ? [{ owner, wanted: ['decisions', 'appeals'] as const, kind, subject, occasion: position, body: about, only: null }] : []),
    ...(mainSite && !sandbox ? [{ owner: MAIN_SITE_OWNER, wanted: ['appeals'] as const, kind, subject, occasion: position, body: about, only: null }] : []),
  ]
}

/** What a notice of an appeal keeps: enough to find it by, and nothing that was said. */
export type AboutAppeal = { appeal: string; decision: string; lane: number; docking: string }

function aboutAppeal(appeal: string, decision: string, { lane, docking }: Owner): string {
  return JSON.stringify({ appeal, decision, lane, docking } satisfies AboutAppeal)
}

const DUE_DAYS = 3
const APPEALS_A_PAGE = 100

/** Appeals that the main site has to decide within three days; told once a due date. */
export async function* dueAppeals(db: Database, at: Date): AsyncGenerator<Event[]> {
  let after = ''
  for (;;) {
    const appeals = readAppeals(await db.run(loadDueAppeals(new Date(at.getTime() + DUE_DAYS * DAY_MS), after, APPEALS_A_PAGE)))
    yield appeals.flatMap((one): Event[] => one.isSandbox || one.state === 'evidence_owed' || one.missedAt !== null ? [] : [{
      owner: MAIN_SITE_OWNER, wanted: ['appeals'], kind: 'appeal_due', subject: one.id, occasion: BigInt(Math.floor(one.decideBy.getTime() / 1_000)), body: aboutAppeal(one.id, one.decision, one), only: null,
    }])
    if (appeals.length < APPEALS_A_PAGE) return
    after = appeals.at(-1)!.id
  }
}

const DAY_MS = 86_400_000
const KEYS_A_PAGE = 500

/** Keys that end in 14, 3 or 1 days, page by page. A key whose end is moved is told anew. */
export async function* endingKeys(db: Database, at: Date): AsyncGenerator<Event[]> {
  let after = ''
  for (;;) {
    const keys = await keysEnding(db, at, new Date(at.getTime() + KEY_NOTICE_DAYS * DAY_MS), after, KEYS_A_PAGE)
    yield keys.flatMap(({ lane, docking, id, expiresAt }): Event[] => {
      const due = keyNoticeDue(expiresAt!, at)
      if (due === null) return []
      const body: KeyEvent = { key: id, endsAt: expiresAt!.toISOString(), by: null }
      return [{ owner: { lane, docking }, wanted: ['keys'], kind: 'key_ending', subject: id, occasion: BigInt(Math.floor(expiresAt!.getTime() / 1_000)) * 100n + BigInt(due), body: JSON.stringify(body), only: null }]
    })
    if (keys.length < KEYS_A_PAGE) return
    after = keys.at(-1)!.id
  }
}
