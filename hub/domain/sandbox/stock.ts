import { randomBytes } from 'node:crypto'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { chooseVariant, importCards, offeredById, offeredPage, stockOfChoice, variantOf, type Choice, type Offered } from '../catalogue/index.ts'

type Viewer = { id: string; lane: number; mode: 'sandbox' | 'live' }

/** Below this a kind gets another lot of test cards. */
const LOW = 20
const CARDS_A_LOT = 50
/** Combinations of race and options of one good; a buyer who tries another meets an honest `out_of_stock`. */
const MOST_KINDS = 30
/** Goods that are filled while somebody waits; the others follow behind. */
const AT_ONCE = 25
const PAGE = 200
const MOST_GOODS = 5_000
/** Cards made a day for one sandbox, and for all: strangers must not fill the disk. */
const CARDS_A_DAY = 5_000
const CARDS_A_DAY_IN_ALL = 200_000
const DAY_MS = 86_400_000

/**
 * Test cards for sandboxes: whatever is on sale can be bought there, also at a main site that never imported a sandbox card.
 * They say TEST- and open nothing. Where the operator gave the sandbox cards of its own, none are made until those run low.
 */
export class TestStock {
  readonly #db: Database
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #log: Log
  readonly #filling = new Map<string, Promise<void>>()
  #behind: Promise<void> = Promise.resolve()
  #isBehind = false
  #closed = false
  #day = 0
  #inAll = 0
  #made = new Map<string, number>()

  constructor(options: { db: Database; vault: Vault; clock: Clock; log: Log }) {
    this.#db = options.db
    this.#vault = options.vault
    this.#clock = options.clock
    this.#log = options.log
  }

  /** Fills the first goods now and all others behind the answer. */
  async fillAll(viewer: Viewer): Promise<void> {
    const first = await offeredPage(this.#db, viewer, '', AT_ONCE)
    for (const good of first) await this.#fill(viewer, good, LOW)
    if (first.length < AT_ONCE || this.#isBehind) return
    this.#isBehind = true
    this.#behind = this.#fillBehind(viewer, first.at(-1)!.id)
      .catch((error: unknown) => this.#log.warn({ err: error }, 'not all goods got their test cards; an order gets them when it comes'))
      .finally(() => {
        this.#isBehind = false
      })
  }

  /** Enough of one good for an order that is about to come. */
  async fillFor(viewer: Viewer, good: string, choice: Choice, quantity: number): Promise<void> {
    const [offered] = await offeredById(this.#db, viewer, [good])
    if (!offered || offered.options.delivery !== 'card' || !offered.onSale || !chooseVariant(offered, choice).ok) return
    await this.#fillKind(viewer, offered, choice, Math.max(LOW, quantity))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#behind
    await Promise.allSettled(this.#filling.values())
  }

  async #fillBehind(viewer: Viewer, after: string): Promise<void> {
    for (let read = 0; read < MOST_GOODS && !this.#closed; read += PAGE) {
      const page = await offeredPage(this.#db, viewer, after, PAGE)
      for (const good of page) if (!this.#closed) await this.#fill(viewer, good, LOW)
      if (page.length < PAGE) return
      after = page.at(-1)!.id
    }
  }

  async #fill(viewer: Viewer, good: Offered, least: number): Promise<void> {
    if (!good.onSale || good.options.delivery !== 'card') return
    for (const choice of kindsOf(good)) await this.#fillKind(viewer, good, choice, least)
  }

  /** Two that ask for the same kind at once get the one lot. */
  #fillKind(viewer: Viewer, good: Offered, choice: Choice, least: number): Promise<void> {
    const isPlain = good.options.races.length === 0 && good.options.groups.length === 0
    if ((isPlain ? good.stock : stockOfChoice(good.stockByVariant, choice)) >= least) return Promise.resolve()
    const variant = variantOf(choice)
    const name = `${good.id} ${variant}`
    const under = this.#filling.get(name)
    if (under) return under
    const filling = this.#make(viewer, good.id, variant, Math.max(CARDS_A_LOT, least)).finally(() => this.#filling.delete(name))
    this.#filling.set(name, filling)
    return filling
  }

  async #make(viewer: Viewer, good: string, variant: string, count: number): Promise<void> {
    const day = Math.floor(this.#clock.nowMs() / DAY_MS)
    if (day !== this.#day) {
      this.#day = day
      this.#inAll = 0
      this.#made = new Map()
    }
    const made = this.#made.get(viewer.id) ?? 0
    if (made + count > CARDS_A_DAY || this.#inAll + count > CARDS_A_DAY_IN_ALL) return
    this.#made.set(viewer.id, made + count)
    this.#inAll += count
    await importCards(this.#db, this.#vault, { good, mode: 'sandbox', batch: 'test', expiresAt: null, variant }, testCards(count))
  }
}

async function* testCards(count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) yield `TEST-${randomBytes(8).toString('hex').toUpperCase().replace(/(.{4})(?=.)/g, '$1-')}`
}

/** Every combination of race and one choice of each group, up to the bound. */
function kindsOf({ options }: Offered): Choice[] {
  const races: (string | null)[] = options.races.length > 0 ? options.races.map((race) => race.name) : [null]
  let kinds: Choice[] = races.map((race) => ({ race, options: {} }))
  for (const group of options.groups) kinds = kinds.flatMap((kind) => group.choices.map((choice) => ({ race: kind.race, options: { ...kind.options, [group.name]: choice.name } }))).slice(0, MOST_KINDS)
  return kinds.slice(0, MOST_KINDS)
}
