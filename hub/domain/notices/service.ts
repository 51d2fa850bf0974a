import type { IdMaker } from '../../kernel/ids.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../platform/log.ts'
import { isOutage, type Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { appealsOfDecision, findAppeal, isOpen, mayFile } from '../appeals/index.ts'
import { offeredById } from '../catalogue/index.ts'
import { findDecision } from '../decisions/index.ts'
import {
  alertLetter, appealLetter, appealSections, conditionLetter, decisionLetter, keyLetter, writePageHtml, writeSections, type AppealEvent, type DecisionEvent, type KeyEvent, type Language, type Lasting, type Letter,
  type LetterContext, type Seen,
} from '../letters/index.ts'
import { findDocking } from '../partners/index.ts'
import { Conditions } from './conditions.ts'
import type { Desk } from './contacts.ts'
import { dispatchOf } from './dispatch.ts'
import type { AboutAppeal } from './events.ts'
import { Follower } from './follow.ts'
import { hashToken, isToken, linkTokenOf } from './link.ts'
import type { Channel, Contact, Notice, NoticeState, Owner, Watch } from './model.ts'
import { OutageWatch } from './outage.ts'
import type { Channels, Dispatch } from './ports.ts'
import { isLinkAlive } from './rules.ts'
import { Sender } from './send.ts'
import { loadByToken, loadContact, loadNotices, readContacts, readNotices, retryNotice } from './store.ts'
import { keyOf, valuesOf } from './watches.ts'

export type NoticesOptions = {
  db: Database
  vault: Vault
  clock: Clock
  ids: IdMaker
  log: Log
  channels: Channels
  /** Where group robots may live besides their makers' own servers. */
  robotOrigins: readonly string[]
  /** The address under which people reach the hub. */
  publicUrl: () => string
  quietMs: number
  /** A number in [0, 1) that spreads attempts. */
  dice: () => number
}

/** What a person may do at a link about a decision: which appeal is open, or whether one may be filed. */
export type Matter = { lane: number; docking: string; contact: string; decision: string; open: string | null; isOwed: boolean; mayFile: boolean; isOwnHand: boolean; isSandbox: boolean }
/** `head` says what it is about, `body` all of it, `appeals` what was said against it. */
export type LinkPage = { letter: Letter; head: string; body: string; appeals: string; matter: Matter | null }

const EVERY_MS = 1_000
const SWEEP_EVERY_MS = 60_000
const LOOK_AHEAD_EVERY_MS = 600_000
/** Copies of letters in the local outbox are kept as long as their links live. */
const COPIES_KEPT_MS = 90 * 86_400_000

/** Tells people: reads facts, writes what is to be told, sends it, and opens the links that were sent. */
export class Notices {
  readonly #options: NoticesOptions
  readonly #follower: Follower
  readonly #sender: Sender
  readonly #conditions = new Conditions()
  readonly #outage: OutageWatch
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  #sweptAtMs = 0
  #lookedAheadAtMs = 0
  #ailing = false
  #open = true

  constructor(options: NoticesOptions) {
    this.#options = options
    const { db, vault, clock, ids, log, channels, publicUrl, quietMs, dice } = options
    this.#follower = new Follower({ db, keys: vault, nowMs: () => clock.nowMs(), quietMs, makeId: () => ids.make('ntc', clock.nowMs()) })
    this.#sender = new Sender({ db, vault, log, channels, dice, compose: (notice, contact, address) => this.#compose(notice, contact, address) })
    this.#outage = new OutageWatch({ db, vault, channels, log, publicUrl })
  }

  /** What is needed to write contacts. */
  get desk(): Desk {
    const { db, vault, clock, ids, robotOrigins } = this.#options
    return { db, vault, robotOrigins, makeId: () => ids.make('ctc', clock.nowMs()) }
  }

  /** Notes that a docking met a condition; one that lasts is told. */
  meet(owner: Owner, code: string, nowMs: number): void {
    this.#conditions.meet(owner, code, nowMs)
  }

  /** Begins to follow and to send, once a second. */
  start(): void {
    const tick = () => {
      this.#round = this.round().finally(() => {
        if (this.#open) this.#timer = setTimeout(tick, EVERY_MS).unref()
      })
    }
    this.#timer = setTimeout(tick, 0).unref()
  }

  /** Lets the round that is under way end. What it has not sent, the next life sends. */
  async close(): Promise<void> {
    this.#open = false
    if (this.#timer) clearTimeout(this.#timer)
    await this.#round
  }

  /** One round: everything that was written as a fact until now is written as a notice. */
  follow(): Promise<void> {
    return this.#follower.follow()
  }

  sweep(): Promise<void> {
    return this.#follower.sweep()
  }

  /** What comes with time alone: keys that will end, and copies in the outbox that are old. */
  async lookAhead(): Promise<void> {
    await this.#follower.lookAhead()
    await this.#options.channels.sweep(new Date(this.#options.clock.nowMs() - COPIES_KEPT_MS))
  }

  /** Makes every attempt that is due; answers how many. */
  send(): Promise<number> {
    return this.#sender.send()
  }

  /**
   * The page behind a link, in the language asked for or that of the contact, as it stands now. Null for a token that was
   * never given out, has run out, or whose contact was removed: nobody is told which.
   */
  async open(token: string, asked: Language | null): Promise<LinkPage | null> {
    if (!isToken(token)) return null
    const { db, vault, clock } = this.#options
    const row = (await db.run(loadByToken(hashToken(token))))[0]
    if (!row) return null
    const notice = readNotices([row])[0]!
    const at = new Date(clock.nowMs())
    const decisionId = decisionOf(notice)
    const decision = decisionId === null ? null : await findDecision(db, notice.lane, decisionId)
    const appeals = decision ? await appealsOfDecision({ db, vault }, notice.lane, decision.id) : []
    const open = appeals.find(({ appeal }) => isOpen(appeal))?.appeal ?? null
    if (open === null && !isLinkAlive(notice.createdAt, decision, at)) return null
    const letter = await this.#letterOf(notice, asked ?? (row.at(-1) as Language), true)
    const contact = (await db.run(loadContact(notice.lane, notice.contact)))[0]
    const isOwnHand = contact !== undefined && readContacts([contact])[0]!.setBy === 'partner'
    const matter: Matter | null = decision && {
      lane: notice.lane, docking: notice.docking, contact: notice.contact, decision: decision.id, open: open?.id ?? null, isOwed: open?.state === 'evidence_owed',
      mayFile: mayFile(decision, appeals.map(({ appeal }) => appeal), at, isOwnHand).ok, isOwnHand, isSandbox: (await findDocking(db, notice.docking))?.mode === 'sandbox',
    }
    return { letter, ...writePageHtml(letter), appeals: writeSections(appeals.flatMap((one) => appealSections(one, letter.language))), matter }
  }

  /** A page of notices, newest first, each with the channel and the masked address of its contact. */
  async list(before: string | null, state: NoticeState | null, limit: number): Promise<(Notice & { channel: Channel; masked: string })[]> {
    const rows = await this.#options.db.run(loadNotices(before, state, limit))
    return readNotices(rows).map((notice, i) => ({ ...notice, channel: rows[i]!.at(-2) as Channel, masked: rows[i]!.at(-1) as string }))
  }

  /** @returns whether a notice of this id had been given up and is now tried anew */
  async retry(id: string): Promise<boolean> {
    return (await this.#options.db.run(retryNotice(id))).length > 0
  }

  /** Everything that is to be done now, as once a second. An outage is written down once, and told past the database when it lasts. */
  async round(): Promise<void> {
    const { clock, log } = this.#options
    try {
      await this.follow()
      const nowMs = clock.nowMs()
      await this.#follower.tell(this.#conditions.lasting(nowMs))
      if (nowMs - this.#sweptAtMs >= SWEEP_EVERY_MS) {
        await this.sweep()
        this.#sweptAtMs = nowMs
      }
      if (nowMs - this.#lookedAheadAtMs >= LOOK_AHEAD_EVERY_MS) {
        await this.lookAhead()
        this.#lookedAheadAtMs = nowMs
      }
      await this.send()
      await this.#outage.healthy(clock.nowMs())
      this.#ailing = false
    } catch (error) {
      // Told once and not once a second: an outage of the database is everybody's news already.
      if (!this.#ailing) log.warn({ err: error }, 'notices cannot be followed or sent now; nothing is lost')
      this.#ailing = true
      if (isOutage(error)) await this.#outage.away(clock.nowMs())
    }
  }

  async #letterOf(notice: Notice, language: Language, full: boolean): Promise<Letter> {
    const { db, clock, publicUrl } = this.#options
    const docking = notice.docking === '' ? '' : ((await findDocking(db, notice.docking))?.name ?? notice.docking)
    const context: LetterContext = { language, docking, publicUrl: publicUrl(), at: new Date(clock.nowMs()), full }
    const decisionId = decisionOf(notice)
    if (decisionId !== null && (full || isAboutDecision(notice))) {
      const decision = await findDecision(db, notice.lane, decisionId)
      if (!decision) throw new Error(`the decision ${decisionId} of the notice ${notice.id} is gone`)
      return decisionLetter(full ? null : (notice.kind as DecisionEvent), decision, context)
    }
    if (isAboutAppeal(notice)) return this.#appealLetterOf(notice, context)
    if (notice.kind === 'key_ending' || notice.kind === 'key_revoked') return keyLetter(notice.kind, JSON.parse(notice.body) as KeyEvent, context)
    if (notice.kind === 'condition_lasting') return conditionLetter(JSON.parse(notice.body) as Lasting, context)
    const seen = JSON.parse(notice.body) as Seen
    const kind = notice.kind as 'balance_low' | 'stock_low'
    const good = kind === 'stock_low' ? (await offeredById(db, { id: '', lane: 0, mode: seen.mode }, [notice.subject]))[0] : undefined
    const subject = good ? { name: good.name, code: good.code } : { name: notice.subject, code: null }
    return alertLetter(kind, seen, subject, notice.createdAt, full ? await this.#valueOf(notice, seen) : null, context)
  }

  async #appealLetterOf(notice: Notice, context: LetterContext): Promise<Letter> {
    const { db, vault } = this.#options
    const { appeal: id, docking } = JSON.parse(notice.body) as AboutAppeal
    const found = await findAppeal({ db, vault }, id, null)
    if (!found) throw new Error(`the appeal ${id} of the notice ${notice.id} is gone`)
    const name = notice.docking === '' ? ((await findDocking(db, docking))?.name ?? docking) : context.docking
    return appealLetter(notice.kind as AppealEvent, found.appeal, notice.docking === '', { ...context, docking: name })
  }

  async #valueOf(notice: Notice, seen: Seen): Promise<bigint | null> {
    const isStock = notice.kind === 'stock_low'
    const watch: Watch = {
      lane: notice.lane, docking: notice.docking, what: isStock ? 'stock' : 'balance', good: isStock ? notice.subject : '', mode: seen.mode,
      below: BigInt(seen.below), isLow: true, round: 0n, toldAt: null,
    }
    return (await valuesOf(this.#options.db, [watch])).get(keyOf(watch)) ?? null
  }

  async #compose(notice: Notice, contact: Contact, address: { to: string; secret: string | null }): Promise<Dispatch> {
    const { vault, publicUrl } = this.#options
    return dispatchOf(await this.#letterOf(notice, contact.language, false), {
      id: notice.id, contact, address, link: `${publicUrl()}/n/${linkTokenOf(vault, notice.id).token}`, isAboutDecision: decisionOf(notice) !== null, publicUrl: publicUrl(), at: notice.createdAt,
    })
  }
}

function isAboutDecision(notice: Notice): boolean {
  return notice.kind.startsWith('decision_')
}

function isAboutAppeal(notice: Notice): boolean {
  return notice.kind.startsWith('appeal_')
}

/** The decision behind a notice to a docking, whose page is that of the decision; null for all others. */
function decisionOf(notice: Notice): string | null {
  if (isAboutDecision(notice)) return notice.subject
  return isAboutAppeal(notice) && notice.docking !== '' ? (JSON.parse(notice.body) as AboutAppeal).decision : null
}
