import { createHash, createPublicKey, createSecretKey } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { loadMeasures, readMeasures, type Measure } from '../decisions/index.ts'
import type { LiveKey } from './model.ts'
import { loadKeyByHash, loadKeyById, loadKeysOf, readKeys, type KeyRow } from './store.ts'
import type { Docking } from './model.ts'

/** A revoked key is dead on every node within this time: well inside the promised five seconds. */
const FRESH_MS = 2_000
const MOST_ENTRIES = 20_000

/** `docking` is null until it is loaded, and stays so where there is no key. */
type Entry = { until: number; docking: string | null; keys: Promise<LiveKey[]> }

/**
 * Keys by id, by hash and by docking, kept for two seconds so that an order costs no look-up, with the sealed secrets
 * open. An unknown key is remembered for the same two seconds, in a bounded map: nobody can fill the memory by guessing.
 */
export class KeyRing {
  readonly #entries = new Map<string, Entry>()
  readonly #db: Database
  readonly #vault: Vault
  readonly #clock: Clock

  constructor(db: Database, vault: Vault, clock: Clock) {
    this.#db = db
    this.#vault = vault
    this.#clock = clock
  }

  async byId(id: string): Promise<LiveKey | null> {
    return (await this.#find(`id ${id}`, () => this.#load(loadKeyById(id))))[0] ?? null
  }

  async byBearer(token: string): Promise<LiveKey | null> {
    const hash = hashBearer(token)
    return (await this.#find(`hash ${hash.toString('base64')}`, () => this.#load(loadKeyByHash(hash))))[0] ?? null
  }

  /** All keys of a docking, the newest first: several are live at once while they rotate. */
  async ofDocking(docking: string): Promise<LiveKey[]> {
    return this.#find(`of ${docking}`, () => this.#load(loadKeysOf(docking)))
  }

  /** Looks anew at the keys of one docking, or of all. Keys that nobody had may be there now. */
  forget(docking?: string): void {
    if (docking === undefined) return this.#entries.clear()
    for (const [name, entry] of this.#entries) if (entry.docking === null || entry.docking === docking) this.#entries.delete(name)
  }

  #find(name: string, load: () => Promise<LiveKey[]>): Promise<LiveKey[]> {
    const now = this.#clock.nowMs()
    const known = this.#entries.get(name)
    if (known && known.until > now) return known.keys
    if (this.#entries.size >= MOST_ENTRIES) this.#entries.clear()
    const entry: Entry = { until: now + FRESH_MS, docking: null, keys: load() }
    this.#entries.set(name, entry)
    entry.keys.then((keys) => (entry.docking = keys[0]?.docking.id ?? null), () => this.#entries.delete(name))
    return entry.keys
  }

  async #load(statement: ReturnType<typeof loadKeyById>): Promise<LiveKey[]> {
    const rows = readKeys(await this.#db.urgent.run(statement))
    if (rows.length === 0) return []
    // A key in quarantine and a docking that is slowed down are known with the key; orders ask all measures in their batch.
    const dockings = new Map(rows.map(({ docking }) => [docking.id, docking.lane]))
    const measures = readMeasures(await this.#db.urgent.run(loadMeasures([...dockings.values()], [...dockings.keys()])))
    return rows.map(({ docking, key }) => openKey(this.#vault, docking, key, measures.get(docking.id) ?? NONE))
  }
}

export function hashBearer(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

const NONE: readonly Measure[] = []

function openKey(vault: Vault, docking: Docking, row: KeyRow, measures: readonly Measure[]): LiveKey {
  const secret = row.sealed ? vault.open(row.sealed, `key|${row.id}`) : null
  return {
    id: row.id, kind: row.kind, mode: row.mode, docking, scopes: row.scopes, createdAt: row.createdAt,
    expiresAt: row.expiresAt, revokedAt: row.revokedAt, measures,
    key: row.kind === 'ed25519' ? createPublicKey({ key: row.publicKey!, format: 'der', type: 'spki' }) : secret ? createSecretKey(secret) : null,
    text: row.kind === 'acg' ? secret!.toString('utf8') : null,
  }
}
