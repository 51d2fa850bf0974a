import type { IdMaker } from '../../kernel/ids.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { offeredById } from '../catalogue/index.ts'
import { findDecision } from '../decisions/index.ts'
import { findDocking } from '../partners/index.ts'
import { Follower } from './follow.ts'
import { writeMailHtml, writePageHtml, writeText, type Envelope } from './layout.ts'
import { alertLetter, decisionLetter, type Letter, type LetterContext } from './letters.ts'
import { hashToken, isToken, linkTokenOf } from './link.ts'
import type { Language, Notice, NoticeState, Seen, Watch } from './model.ts'
import type { Mail, MailPort } from './ports.ts'
import { isLinkAlive } from './rules.ts'
import { Sender } from './send.ts'
import { loadByToken, loadNotices, readNotices, retryNotice } from './store.ts'
import { keyOf, valuesOf } from './watches.ts'

export type NoticesOptions = {
  db: Database
  vault: Vault
  clock: Clock
  ids: IdMaker
  log: Log
  mail: MailPort
  /** The address under which people reach the hub. */
  publicUrl: () => string
  quietMs: number
  /** A number in [0, 1) that spreads attempts. */
  dice: () => number
}

const EVERY_MS = 1_000
const SWEEP_EVERY_MS = 60_000

/** Tells people: reads facts, writes what is to be told, sends it, and opens the links that were sent. */
export class Notices {
  readonly #options: NoticesOptions
  readonly #follower: Follower
  readonly #sender: Sender
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  #sweptAtMs = 0
  #ailing = false
  #open = true

  constructor(options: NoticesOptions) {
    this.#options = options
    const { db, vault, clock, ids, log, mail, quietMs, dice } = options
    this.#follower = new Follower({ db, keys: vault, nowMs: () => clock.nowMs(), quietMs, makeId: () => ids.make('ntc', clock.nowMs()) })
    this.#sender = new Sender({ db, vault, log, mail, dice, compose: (notice, to, language) => this.#compose(notice, to, language) })
  }

  /** Begins to follow and to send, once a second. */
  start(): void {
    const tick = () => {
      this.#round = this.#tick().finally(() => {
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

  /** Makes every attempt that is due; answers how many. */
  send(): Promise<number> {
    return this.#sender.send()
  }

  /**
   * The inside of the page behind a link, in the language asked for or that of the contact, as it stands now. Null for a
   * token that was never given out, has run out, or whose contact was removed: nobody is told which.
   */
  async open(token: string, asked: Language | null): Promise<{ letter: Letter; html: string } | null> {
    if (!isToken(token)) return null
    const { db, clock } = this.#options
    const row = (await db.run(loadByToken(hashToken(token))))[0]
    if (!row) return null
    const notice = readNotices([row])[0]!
    const at = new Date(clock.nowMs())
    const decision = isAboutDecision(notice) ? await findDecision(db, notice.lane, notice.subject) : null
    if (!isLinkAlive(notice.createdAt, decision, at)) return null
    const letter = await this.#letterOf(notice, asked ?? (row.at(-1) as Language), true)
    return { letter, html: writePageHtml(letter) }
  }

  /** A page of notices, newest first, each with the masked address of its contact. */
  async list(before: string | null, state: NoticeState | null, limit: number): Promise<(Notice & { masked: string })[]> {
    const rows = await this.#options.db.run(loadNotices(before, state, limit))
    return readNotices(rows).map((notice, i) => ({ ...notice, masked: rows[i]!.at(-1) as string }))
  }

  /** @returns whether a notice of this id had been given up and is now tried anew */
  async retry(id: string): Promise<boolean> {
    return (await this.#options.db.run(retryNotice(id))).length > 0
  }

  async #tick(): Promise<void> {
    try {
      await this.follow()
      const nowMs = this.#options.clock.nowMs()
      if (nowMs - this.#sweptAtMs >= SWEEP_EVERY_MS) {
        await this.sweep()
        this.#sweptAtMs = nowMs
      }
      await this.send()
      this.#ailing = false
    } catch (error) {
      // Told once and not once a second: an outage of the database is everybody's news already.
      if (!this.#ailing) this.#options.log.warn({ err: error }, 'notices cannot be followed or sent now; nothing is lost')
      this.#ailing = true
    }
  }

  async #letterOf(notice: Notice, language: Language, full: boolean): Promise<Letter> {
    const { db, clock, publicUrl } = this.#options
    const docking = notice.docking === '' ? '' : ((await findDocking(db, notice.docking))?.name ?? notice.docking)
    const context: LetterContext = { language, docking, publicUrl: publicUrl(), at: new Date(clock.nowMs()), full }
    if (isAboutDecision(notice)) {
      const decision = await findDecision(db, notice.lane, notice.subject)
      if (!decision) throw new Error(`the decision ${notice.subject} of the notice ${notice.id} is gone`)
      return decisionLetter(full ? null : notice.kind, decision, context)
    }
    const seen = JSON.parse(notice.body) as Seen
    const kind = notice.kind as 'balance_low' | 'stock_low'
    const good = kind === 'stock_low' ? (await offeredById(db, { id: '', lane: 0, mode: seen.mode }, [notice.subject]))[0] : undefined
    const subject = good ? { name: good.name, code: good.code } : { name: notice.subject, code: null }
    return alertLetter(kind, seen, subject, notice.createdAt, full ? await this.#valueOf(notice, seen) : null, context)
  }

  async #valueOf(notice: Notice, seen: Seen): Promise<bigint | null> {
    const isStock = notice.kind === 'stock_low'
    const watch: Watch = {
      lane: notice.lane, docking: notice.docking, what: isStock ? 'stock' : 'balance', good: isStock ? notice.subject : '', mode: seen.mode,
      below: BigInt(seen.below), isLow: true, round: 0n, toldAt: null,
    }
    return (await valuesOf(this.#options.db, [watch])).get(keyOf(watch)) ?? null
  }

  async #compose(notice: Notice, to: string, language: Language): Promise<Mail> {
    const { vault, publicUrl } = this.#options
    const letter = await this.#letterOf(notice, language, false)
    const host = new URL(publicUrl()).hostname.replace(/[^A-Za-z0-9.-]/g, '') || 'localhost'
    const envelope = envelopeOf(notice, `${publicUrl()}/n/${linkTokenOf(vault, notice.id).token}`, language, host)
    return {
      messageId: `<${notice.id}@${host}>`, to, subject: letter.title, text: writeText(letter, envelope), html: writeMailHtml(letter, envelope), language, at: notice.createdAt,
    }
  }
}

function isAboutDecision(notice: Notice): boolean {
  return notice.kind.startsWith('decision_')
}

function envelopeOf(notice: Notice, link: string, language: Language, host: string): Envelope {
  const decision = isAboutDecision(notice)
  return language === 'zh-CN'
    ? {
        link, linkText: decision ? '查看完整的处理说明与当前状态（无需登录）' : '查看当前状态（无需登录）',
        footer: [`您的地址已登记为主站 ${host} 的联系人，因此收到本通知。请勿转发：持有链接即可查看。`, '本站不会通过邮件索要密钥或密码。不想再收到，请联系主站运营人员移除。'],
      }
    : {
        link, linkText: decision ? 'Read the whole statement and how it stands now (no sign-in)' : 'See how it stands now (no sign-in)',
        footer: [`You get this because your address is a contact at the main site ${host}. Do not pass it on: whoever has the link can read it.`, 'The main site never asks for a key or a password by mail. To get no more of these, ask its operator to remove you.'],
      }
}
