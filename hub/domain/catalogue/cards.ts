import { type KeyObject } from 'node:crypto'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { openWith, type Vault } from '../../platform/sealing/vault.ts'
import type { Card, Pick } from './model.ts'
import { readCard } from './rules.ts'
import { loadCards, loadDataKeys, readCards, type SealedCards } from './store.ts'

const MOST_KEYS = 10_000

/** Opens sealed cards. Data keys of lots are kept as key objects, which open a card in a fifth of the time. */
export class CardOpener {
  readonly #keys = new Map<bigint, { key: KeyObject; good: string }>()
  readonly #db: Database
  readonly #vault: Vault

  constructor(db: Database, vault: Vault) {
    this.#db = db
    this.#vault = vault
  }

  /** The keys of all these lots are at hand afterwards; a look-up only for lots not seen before. */
  async prepare(lots: readonly bigint[], connection: Connection = this.#db): Promise<void> {
    const missing = [...new Set(lots)].filter((lot) => !this.#keys.has(lot))
    if (missing.length === 0) return
    if (this.#keys.size + missing.length > MOST_KEYS) this.#keys.clear()
    for (const row of await connection.run(loadDataKeys(missing))) {
      const [lot, good, sealed] = row as [bigint, string, Buffer]
      this.#keys.set(lot, { key: this.#vault.openDataKey(sealed, dataKeyContext(good)), good })
    }
  }

  /** Looks cards up and opens them, one list a pick. What a transaction has just written is seen on its own connection. */
  async read(connection: Connection, picks: readonly Pick[]): Promise<Card[][]> {
    await this.prepare(picks.map((pick) => pick.lot), connection)
    const sealed = readCards(await connection.run(loadCards(picks)))
    return picks.map((pick) => this.open([pick], sealed))
  }

  /** The cards of an order in the order of its picks. prepare() came before. */
  open(picks: readonly Pick[], sealed: SealedCards): Card[] {
    const cards: Card[] = []
    for (const pick of picks) {
      const lot = this.#keys.get(pick.lot)
      const rows = sealed.get(pick.lot)
      for (let seq = pick.first; seq < pick.first + pick.count; seq++) {
        const bytes = rows?.get(seq)
        if (!lot || !bytes) throw new Error(`card ${seq} of lot ${pick.lot} is missing`)
        cards.push(readCard(openWith(lot.key, bytes, cardContext(lot.good, pick.lot, seq)).toString('utf8')))
      }
    }
    return cards
  }
}

export function dataKeyContext(good: string): string {
  return `data key|${good}`
}

export function cardContext(good: string, lot: bigint, seq: number): string {
  return `card|${good}|${lot}|${seq}`
}
