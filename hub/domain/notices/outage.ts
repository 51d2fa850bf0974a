import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { outageLetter } from '../letters/index.ts'
import { openAddress } from './contacts.ts'
import { dispatchOf } from './dispatch.ts'
import { MAIN_SITE_OWNER } from './model.ts'
import type { Channels } from './ports.ts'
import { loadContacts, readContacts, type KeptContact } from './store.ts'

/** A database that restarts is nobody's news; one that stays away is. */
const AWAY_MS = 120_000
const LOOK_EVERY_MS = 60_000

type OutageOptions = { db: Database; vault: Vault; channels: Channels; log: Log; publicUrl: () => string }

/**
 * Tells the main site's people that the hub's own database is away, and that it is back. Contacts and letters lie in that
 * very database, so the people are kept in memory, their addresses sealed, and the letter goes past every table, once.
 */
export class OutageWatch {
  readonly #options: OutageOptions
  #people: readonly KeptContact[] = []
  #lookedMs = -Infinity
  #sinceMs: number | null = null
  #told: Set<string> = new Set()

  constructor(options: OutageOptions) {
    this.#options = options
  }

  /** The database answered. */
  async healthy(nowMs: number): Promise<void> {
    if (this.#sinceMs !== null) {
      if (this.#told.size > 0) await this.#send('storage_back', this.#people.filter(({ id }) => this.#told.has(id)), this.#sinceMs, nowMs)
      this.#sinceMs = null
      this.#told = new Set()
    }
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return
    this.#people = readContacts(await this.#options.db.run(loadContacts([MAIN_SITE_OWNER]))).filter(({ kinds }) => kinds.includes('conditions'))
    this.#lookedMs = nowMs
  }

  /** The database did not answer. */
  async away(nowMs: number): Promise<void> {
    this.#sinceMs ??= nowMs
    if (nowMs - this.#sinceMs < AWAY_MS) return
    for (const id of await this.#send('storage_away', this.#people.filter(({ id }) => !this.#told.has(id)), this.#sinceMs, nowMs)) this.#told.add(id)
  }

  /** @returns who was reached */
  async #send(kind: 'storage_away' | 'storage_back', people: readonly KeptContact[], sinceMs: number, nowMs: number): Promise<string[]> {
    const { vault, channels, log, publicUrl } = this.#options
    const reached = await Promise.all(people.map(async (contact) => {
      const at = new Date(nowMs)
      const letter = outageLetter(kind, { sinceMs, untilMs: nowMs }, { language: contact.language, docking: '', publicUrl: publicUrl(), at, full: false })
      try {
        await channels[contact.channel].send(dispatchOf(letter, {
          id: `${kind}_${sinceMs}_${contact.id}`, contact, address: openAddress(vault, contact), link: `${publicUrl()}/readyz`, isAboutDecision: false, publicUrl: publicUrl(), at,
        }))
        return [contact.id]
      } catch (error) {
        log.warn({ err: error, contact: contact.id }, 'the outage could not be told; it is tried again')
        return []
      }
    }))
    return reached.flat()
  }
}
