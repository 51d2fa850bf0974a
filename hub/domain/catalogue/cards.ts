import { type KeyObject } from 'node:crypto'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { openWith, type Vault } from '../../platform/sealing/vault.ts'
import type { Card, Pick } from './model.ts'
import { readCard } from './rules.ts'
import { loadCards, loadDataKeys, readCards, type SealedCards } from './store.ts'

const MOST_KEYS = 10_000

type LotKey = { key: KeyObject; good: string }
type Round = { lots: Set<bigint>; keys: Promise<Map<bigint, LotKey>> }

/**
 * Opens sealed cards. Data keys of lots are kept as key objects, which open a card in a fifth of the time. Lots not seen
 * before are looked up together, one statement at a time: after a restart hundreds of orders ask at once, and a look-up
 * for each would wait for a connection longer than an order may.
 */
export class CardOpener {
  readonly #keys = new Map<bigint, LotKey>()
  readonly #db: Database
  readonly #vault: Vault
  #next: Round | null = null
  #running: Promise<unknown> = Promise.resolve()

  constructor(db: Database, vault: Vault) {
    this.#db = db
    this.#vault = vault
  }

  /** The cards of an order in the order of its picks; at once when the keys of its lots are at hand. */
  open(picks: readonly Pick[], sealed: SealedCards): Card[] | Promise<Card[]> {
    if (picks.every((pick) => this.#keys.has(pick.lot))) return openCards(picks, sealed, this.#keys)
    const missing = picks.map((pick) => pick.lot).filter((lot) => !this.#keys.has(lot))
    // Those at hand are held from here on: the cache may be emptied while the others are looked up.
    const atHand = picks.flatMap((pick): [bigint, LotKey][] => (this.#keys.has(pick.lot) ? [[pick.lot, this.#keys.get(pick.lot)!]] : []))
    return this.#lookUp(missing).then((found) => openCards(picks, sealed, new Map([...found, ...atHand])))
  }

  #lookUp(lots: readonly bigint[]): Promise<Map<bigint, LotKey>> {
    let round = this.#next
    if (!round) {
      const keys = this.#running.then(() => this.#load())
      this.#next = round = { lots: new Set(), keys }
      this.#running = keys.catch(() => {})
    }
    for (const lot of lots) round.lots.add(lot)
    return round.keys
  }

  async #load(): Promise<Map<bigint, LotKey>> {
    const { lots } = this.#next!
    this.#next = null
    return this.#keysOf(this.#db.urgent, lots)
  }

  /** Looks cards up and opens them, one list a pick. What a transaction has just written is seen on its own connection. */
  async read(connection: Connection, picks: readonly Pick[]): Promise<Card[][]> {
    const keys = await this.#keysOf(connection, new Set(picks.map((pick) => pick.lot)))
    const sealed = readCards(await connection.run(loadCards(picks)))
    return picks.map((pick) => openCards([pick], sealed, keys))
  }

  async #keysOf(connection: Connection, lots: ReadonlySet<bigint>): Promise<Map<bigint, LotKey>> {
    const found = new Map<bigint, LotKey>()
    for (const row of await connection.run(loadDataKeys([...lots]))) {
      const [lot, good, sealed] = row as [bigint, string, Buffer]
      found.set(lot, { key: this.#vault.openDataKey(sealed, dataKeyContext(good)), good })
    }
    if (this.#keys.size + found.size > MOST_KEYS) this.#keys.clear()
    for (const [lot, key] of found) this.#keys.set(lot, key)
    return found
  }
}

function openCards(picks: readonly Pick[], sealed: SealedCards, keys: ReadonlyMap<bigint, LotKey>): Card[] {
  const cards: Card[] = []
  for (const pick of picks) {
    const lot = keys.get(pick.lot)
    const rows = sealed.get(pick.lot)
    for (let seq = pick.first; seq < pick.first + pick.count; seq++) {
      const bytes = rows?.get(seq)
      if (!lot || !bytes) throw new Error(`card ${seq} of lot ${pick.lot} is missing`)
      cards.push(readCard(openWith(lot.key, bytes, cardContext(lot.good, pick.lot, seq)).toString('utf8')))
    }
  }
  return cards
}

export function dataKeyContext(good: string): string {
  return `data key|${good}`
}

export function cardContext(good: string, lot: bigint, seq: number): string {
  return `card|${good}|${lot}|${seq}`
}
