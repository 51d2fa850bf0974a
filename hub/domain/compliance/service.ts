import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { loadMovements, readMovements, type Movement } from '../ledger/index.ts'
import { findDocking } from '../partners/index.ts'
import type { Access, Case, CaseState, Dossier, Ending } from './model.ts'
import { confirm, move, note, openCase, propose, write, type Deed } from './rules.ts'
import { insertAccess, insertCase, insertEnding, loadAccesses, loadCase, loadCases, readAccesses, readCases, writeCase } from './store.ts'

export type CasesOptions = { db: Database; vault: Vault; clock: Clock; random: (bytes: number) => Buffer }

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const CASE_ID = /^cas_[0-9a-z]{26}$/
const ID_LETTERS = 26
const MOST_TRIES = 20
const PAGE = 200

/** Where the list, which is no case, stands in the access log. */
const LIST = ''

type By = { by: string; note: string }

/**
 * Cases that nobody else hears of: it locks no lane, appends no fact, counts nothing, logs nothing, and takes its ids
 * from chance and not from the maker whose ids tell a time. Each look and each deed leaves a line in its own access log.
 */
export class Cases {
  readonly #options: CasesOptions

  constructor(options: CasesOptions) {
    this.#options = options
  }

  async open(ask: { title: string; dockings: readonly string[] } & By): Promise<Case> {
    const { db, vault } = this.#options
    const one = openCase(this.#makeId(), ask, this.#deed(ask))
    await db.transaction(async (connection) => {
      await this.#keep(connection, one.id, ask.by, 'opened')
      await connection.run(insertCase(vault, one))
    })
    return one
  }

  /** All cases, newest first. A restricted store holds few enough to open each. */
  async list(state: CaseState | null, by: string): Promise<Case[]> {
    const { db, vault } = this.#options
    await this.#keep(db, LIST, by, state === null ? 'listed' : `listed ${state}`)
    const all: Case[] = []
    for (let after = ''; ; after = all.at(-1)!.id) {
      const page = readCases(vault, await db.run(loadCases(after, PAGE))).map(({ one }) => one)
      all.push(...page)
      if (page.length < PAGE) break
    }
    return all.filter((one) => state === null || one.state === state).toSorted((a, b) => (a.openedAt < b.openedAt ? 1 : -1))
  }

  async find(id: string, by: string): Promise<Outcome<Case>> {
    const { db, vault } = this.#options
    const kept = CASE_ID.test(id) ? readCases(vault, await db.run(loadCase(id)))[0] : undefined
    if (!kept) return unknown(id)
    await this.#keep(db, id, by, 'read')
    return accept(kept.one)
  }

  move(id: string, to: 'triage' | 'investigate', by: By): Promise<Outcome<Case>> {
    return this.#change(id, by, `moved to ${to}`, (one, deed) => move(one, to, deed))
  }

  note(id: string, decisions: readonly string[], by: By): Promise<Outcome<Case>> {
    return this.#change(id, by, 'noted', (one, deed) => note(one, decisions, deed))
  }

  write(id: string, dossier: Dossier, by: By): Promise<Outcome<Case>> {
    return this.#change(id, by, 'wrote the dossier', (one, deed) => write(one, dossier, deed))
  }

  propose(id: string, as: Ending, by: By): Promise<Outcome<Case>> {
    return this.#change(id, by, `proposed ${as}`, (one, deed) => propose(one, as, deed))
  }

  confirm(id: string, receipt: string, by: By): Promise<Outcome<Case>> {
    return this.#change(id, by, 'confirmed', (one, deed) => confirm(one, receipt, deed))
  }

  /** A page of a docking's movements, newest first, read from the ledger as its statement is, and like it without a trace there. */
  async movements(id: string, docking: string, before: { position: bigint; leg: number } | null, limit: number, by: string): Promise<Outcome<Movement[]>> {
    const { db } = this.#options
    const found = await this.find(id, by)
    if (!found.ok) return found
    await this.#keep(db, id, by, `read movements of ${docking}`)
    const subject = found.value.dockings.includes(docking) ? await findDocking(db, docking) : null
    if (!subject) return refuse('protocol.invalid_field', { path: '?/docking', expected: 'a docking that the case names' })
    return accept(readMovements(await db.run(loadMovements(subject.lane, subject.id, before, limit))))
  }

  /** Who looked and who did what, newest first; of a case, or with null of the list. Looking at it is a line too. */
  async accesses(id: string | null, before: number | null, limit: number, by: string): Promise<Outcome<Access[]>> {
    const { db, vault } = this.#options
    if (id !== null && (!CASE_ID.test(id) || (await db.run(loadCase(id))).length === 0)) return unknown(id)
    await this.#keep(db, id ?? LIST, by, 'read the access log')
    return accept(readAccesses(vault, id ?? LIST, await db.run(loadAccesses(id ?? LIST, before, limit))))
  }

  async #change(id: string, by: By, what: string, work: (one: Case, deed: Deed) => Outcome<Case>): Promise<Outcome<Case>> {
    const { db, vault } = this.#options
    if (!CASE_ID.test(id)) return unknown(id)
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const changed = await db.transaction(async (connection) => {
        const kept = readCases(vault, await connection.run(loadCase(id)))[0]
        if (!kept) return unknown(id)
        const outcome = work(kept.one, this.#deed(by))
        if (outcome.ok) {
          if ((await connection.run(writeCase(vault, outcome.value, kept.version))).length === 0) return null
          const { ended } = outcome.value
          if (ended) await connection.run(insertEnding(vault, id, ended.maker, ended.checker))
        }
        // What was refused is written down too.
        await this.#keep(connection, id, by.by, outcome.ok ? what : `refused: ${what}`)
        return outcome
      })
      if (changed) return changed
    }
    throw new Error('a case changes under everybody who writes it')
  }

  async #keep(connection: Connection, caseId: string, by: string, what: string): Promise<void> {
    const { vault } = this.#options
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if ((await connection.run(insertAccess(vault, caseId, { at: this.#now(), by, what }))).length === 1) return
    }
    throw new Error('an access could not be written down, so nothing is shown')
  }

  #deed({ by, note: said }: By): Deed {
    return { by, at: this.#now(), note: said }
  }

  #now(): string {
    return new Date(this.#options.clock.nowMs()).toISOString()
  }

  #makeId(): string {
    return `cas_${[...this.#options.random(ID_LETTERS)].map((byte) => ALPHABET[byte & 31]).join('')}`
  }
}

function unknown(id: string): Outcome<never> {
  return refuse('cases.not_found', { case: id.slice(0, 40) })
}
