import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { makeKey, readKey } from '../../../protocol/keys.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { OWNER, type Operator, type Role } from './model.ts'
import { mayEnd, NAME } from './rules.ts'
import { endOperator, insertOperator, loadOperators, readOperators, type KeptOperator } from './store.ts'

/** An ended key is dead on every node within this time. */
const KEPT_MS = 2_000

/** The persons of the main site, by their keys. */
export class Operators {
  readonly #db: Database
  readonly #clock: Clock
  #known: { operators: KeptOperator[]; readAtMs: number } | null = null

  constructor(db: Database, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Takes the first key in as that of the owner; a database that has it is left as it is. @param keyHash SHA-256 of the key */
  async welcomeOwner(keyHash: Buffer): Promise<void> {
    await this.#db.run(insertOperator({ name: OWNER, roles: ['owner', 'operator'], keyHash, by: OWNER, at: new Date(this.#clock.nowMs()) }))
  }

  /** Whose key this is. Refuses `partners.key_malformed` or `partners.key_unknown`; an ended key is an unknown one. */
  async byKey(key: string): Promise<Outcome<Operator>> {
    const read = readKey(key)
    if (!read.ok) return read
    const hash = createHash('sha256').update(key).digest()
    // Every row is compared, so that the time tells nothing about which one it was.
    let found: KeptOperator | null = null
    for (const one of await this.#all()) if (timingSafeEqual(one.keyHash, hash) && one.endedAt === null) found = one
    return found ? accept(bare(found)) : refuse('partners.key_unknown')
  }

  async list(): Promise<Operator[]> {
    return readOperators(await this.#db.run(loadOperators())).map(bare)
  }

  /** Names a person and makes the key, which is in this answer and nowhere else. */
  async add(ask: { name: string; roles: readonly Role[] }, by: string): Promise<Outcome<{ operator: Operator; key: string }>> {
    if (!NAME.test(ask.name)) return refuse('protocol.invalid_field', { path: '/name', expected: '1 to 40 of a-z, 0-9, dot, hyphen and underline, such as li.wei' })
    const roles = [...new Set(ask.roles)]
    const key = makeKey('bth_op_', randomBytes)
    const added = await this.#db.transaction((connection) =>
      underLanes(connection, [HOUSE_LANE], async ({ at, append }) => {
        const rows = await connection.run(insertOperator({ name: ask.name, roles, keyHash: createHash('sha256').update(key).digest(), by, at }))
        if (rows.length === 0) return refuse('operators.name_taken', { operator: ask.name })
        append({ lane: HOUSE_LANE, docking: null, kind: 'operator.added', subject: ask.name, code: null, body: JSON.stringify({ roles, by }) })
        return accept({ operator: { name: ask.name, roles, addedBy: by, addedAt: at, endedAt: null }, key })
      }))
    this.#known = null
    return added
  }

  async end(name: string, by: string): Promise<Outcome<Operator>> {
    const ended = await this.#db.transaction((connection) =>
      underLanes(connection, [HOUSE_LANE], async ({ at, append }) => {
        const living = readOperators(await connection.run(loadOperators())).filter((one) => one.endedAt === null)
        const operator = living.find((one) => one.name === name)
        if (!operator) return refuse('operators.not_found', { operator: name.slice(0, 40) })
        const permitted = mayEnd(name, living)
        if (!permitted.ok) return permitted
        await connection.run(endOperator(name, by, at))
        append({ lane: HOUSE_LANE, docking: null, kind: 'operator.ended', subject: name, code: null, body: JSON.stringify({ by }) })
        return accept({ ...bare(operator), endedAt: at })
      }))
    this.#known = null
    return ended
  }

  async #all(): Promise<KeptOperator[]> {
    const nowMs = this.#clock.nowMs()
    if (this.#known && nowMs - this.#known.readAtMs < KEPT_MS) return this.#known.operators
    const operators = readOperators(await this.#db.run(loadOperators()))
    this.#known = { operators, readAtMs: nowMs }
    return operators
  }
}

function bare({ name, roles, addedBy, addedAt, endedAt }: KeptOperator): Operator {
  return { name, roles, addedBy, addedAt, endedAt }
}
