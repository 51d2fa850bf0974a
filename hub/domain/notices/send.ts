import { crashpoint } from '../../platform/crashpoints.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { openAddress } from './contacts.ts'
import type { Contact, Notice } from './model.ts'
import type { Channels, Dispatch } from './ports.ts'
import { maskError, MOST_ATTEMPTS, waitMs } from './rules.ts'
import { endNotice, loadContact, loadDue, readContacts, readNotices, takeAttempt } from './store.ts'

export type SenderOptions = {
  db: Database
  vault: Vault
  log: Log
  channels: Channels
  dice: () => number
  /** Makes the letter of a notice as of now. */
  compose: (notice: Notice, contact: Contact, address: { to: string; secret: string | null }) => Promise<Dispatch>
}

const AT_ONCE = 50
/** A robot or a gateway that is slow holds up a quarter of what is due, and never all of it. */
const ABREAST = 4

/**
 * Sends what is due. An attempt is counted, and the next one named, before the letter goes: whatever ends the hub in
 * between, the letter is tried again. It may so arrive twice, under one Message-ID, and never not at all.
 */
export class Sender {
  readonly #options: SenderOptions

  constructor(options: SenderOptions) {
    this.#options = options
  }

  /** @returns how many attempts were made */
  async send(): Promise<number> {
    const due = readNotices(await this.#options.db.run(loadDue(AT_ONCE)))
    let made = 0
    let next = 0
    const walk = async () => {
      while (next < due.length) if (await this.#attempt(due[next++]!)) made++
    }
    await Promise.all(Array.from({ length: ABREAST }, walk))
    return made
  }

  async #attempt(notice: Notice): Promise<boolean> {
    const { db, vault, channels, dice, compose } = this.#options
    const attempt = notice.attempts + 1
    if ((await db.run(takeAttempt(notice, waitMs(attempt, dice())))).length === 0) return false
    crashpoint('notice_taken')
    const [contact] = readContacts(await db.run(loadContact(notice.lane, notice.contact)))
    if (!contact) {
      await db.run(endNotice(notice, 'dropped', 'the contact was removed'))
      return true
    }
    try {
      await channels[contact.channel].send(await compose(notice, contact, openAddress(vault, contact)))
    } catch (error) {
      await this.#failed(notice, attempt, error)
      return true
    }
    crashpoint('mail_sent')
    await db.run(endNotice(notice, 'sent', null))
    return true
  }

  async #failed(notice: Notice, attempt: number, error: unknown): Promise<void> {
    const gaveUp = attempt >= MOST_ATTEMPTS
    const { code, message } = error as { code?: string; message?: string }
    const said = maskError(`${code ?? ''} ${message ?? String(error)}`.trim())
    this.#options.log[gaveUp ? 'error' : 'warn']({ notice: notice.id, attempt, said }, gaveUp ? 'a letter was given up' : 'a letter could not be sent; it is tried again')
    await this.#options.db.run(endNotice(notice, gaveUp ? 'failed' : 'waiting', said))
  }
}
