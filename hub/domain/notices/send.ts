import { crashpoint } from '../../platform/crashpoints.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { addressContext } from './contacts.ts'
import type { Language, Notice } from './model.ts'
import type { Mail, MailPort } from './ports.ts'
import { maskError, MOST_ATTEMPTS, waitMs } from './rules.ts'
import { endNotice, loadAddress, loadDue, readNotices, takeAttempt } from './store.ts'

export type SenderOptions = {
  db: Database
  vault: Vault
  log: Log
  mail: MailPort
  dice: () => number
  /** Makes the letter of a notice as of now. */
  compose: (notice: Notice, to: string, language: Language) => Promise<Mail>
}

const AT_ONCE = 50

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
    for (const notice of due) if (await this.#attempt(notice)) made++
    return made
  }

  async #attempt(notice: Notice): Promise<boolean> {
    const { db, vault, mail, dice, compose } = this.#options
    const attempt = notice.attempts + 1
    if ((await db.run(takeAttempt(notice, waitMs(attempt, dice())))).length === 0) return false
    crashpoint('notice_taken')
    const [contact] = await db.run(loadAddress(notice.lane, notice.contact))
    if (!contact) {
      await db.run(endNotice(notice, 'dropped', 'the contact was removed'))
      return true
    }
    try {
      const to = vault.open(contact[0] as Buffer, addressContext(notice.contact)).toString()
      await mail.send(await compose(notice, to, contact[1] as Language))
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
