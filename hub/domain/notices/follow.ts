import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { loadFactsOf, readFactsOf, type AcceptedFact } from '../../platform/facts.ts'
import { loadHeads } from '../../platform/lanes.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Seen } from '../letters/index.ts'
import { dueAppeals, endingKeys, eventsOf, TELLING, type Event } from './events.ts'
import { linkTokenOf, type LinkKeys } from './link.ts'
import type { Watch } from './model.ts'
import {
  anyWatch, insertNotices, loadBalanceWatches, loadContacts, loadCursors, loadStockWatches, moveCursor, readContacts, readWatches, type KeptContact, type NewNotice,
} from './store.ts'
import { cross, crossingsOf, watchesOf, type Crossing } from './watches.ts'

export type FollowerOptions = {
  db: Database
  keys: LinkKeys
  makeId: () => string
  nowMs: () => number
  /** How long a watch that was told keeps quiet although its value swings. */
  quietMs: number
}

const ALWAYS = [...TELLING, 'alert.set']
/** Read only while somebody watches: they are as many as orders. Whatever else moves a deposit is seen by the sweep. */
const MOVING = ['order.accepted', 'order.voided', 'deposit.booked', 'lot.published']
/** Facts that move no deposit and make nobody a hearer. */
const STILL = /^(decision|key|appeal)\./
/** Positions of a lane that are read at once. */
const SPAN = 2_000n

/**
 * Reads the facts of every lane behind its cursor and writes what is to be told, each lane's cursor with it: after a
 * crash the same facts are read again and the unique key of a notice leaves what was written as it is. It takes no lock
 * that an order waits for, and reads nothing but heads while nothing happens.
 */
export class Follower {
  readonly #options: FollowerOptions

  constructor(options: FollowerOptions) {
    this.#options = options
  }

  /** Follows every lane to the head that it has now. */
  async follow(): Promise<void> {
    const { db } = this.#options
    // Heads before watches: a threshold that is set in between leaves a fact behind the head, which the next round reads.
    const heads = await db.run(loadHeads())
    const cursors = new Map((await db.run(loadCursors())).map((row) => [row[0] as number, row[1] as bigint]))
    const behind = (heads as [number, bigint][]).filter(([lane, head]) => (cursors.get(lane) ?? head) < head)
    if (behind.length === 0) return
    const watched = (await db.run(anyWatch()))[0]![0] as boolean
    for (const [lane, head] of behind) {
      for (let after = cursors.get(lane)!; after < head; ) {
        const upTo = after + SPAN < head ? after + SPAN : head
        if (!(await this.#step(lane, after, upTo, watched))) break
        after = upTo
      }
    }
  }

  /** Looks at every watch: a lot may expire and a fee be booked without a fact that names them, and a quiet time ends. */
  async sweep(): Promise<void> {
    for await (const page of watchesOf(this.#options.db)) await this.#write(await this.#crossings(page), [], async () => true)
  }

  /** Looks at what comes with time alone and leaves no fact: keys that will end, appeals that are due. */
  async lookAhead(): Promise<void> {
    for await (const events of endingKeys(this.#options.db, new Date(this.#options.nowMs()))) await this.tell(events)
    for await (const events of dueAppeals(this.#options.db, new Date(this.#options.nowMs()))) await this.tell(events)
  }

  /** Writes what somebody else has seen; what was told before is left as it is. */
  async tell(events: readonly Event[]): Promise<void> {
    if (events.length > 0) await this.#write([], events, async () => true)
  }

  /** @returns false when another follower has moved the cursor meanwhile */
  async #step(lane: number, after: bigint, upTo: bigint, watched: boolean): Promise<boolean> {
    const { db } = this.#options
    const facts = readFactsOf(await db.run(loadFactsOf(lane, after, upTo, watched ? [...ALWAYS, ...MOVING] : ALWAYS)))
    const events = await eventsOf(db, lane, facts, new Date(this.#options.nowMs()))
    const crossings = await this.#crossings(await this.#watchesMoved(lane, facts))
    return this.#write(crossings, events, async (move) => (await move(lane, after, upTo)).length === 1)
  }

  async #watchesMoved(lane: number, facts: readonly AcceptedFact[]): Promise<Watch[]> {
    const dockings = new Set<string>()
    const goods = new Set<string>()
    for (const { kind, docking, subject, body } of facts) {
      if (docking !== null && !STILL.test(kind)) dockings.add(docking)
      const good = kind === 'order.accepted' ? (JSON.parse(body) as { good?: string }).good : kind === 'lot.published' || kind === 'alert.set' ? subject : null
      if (good) goods.add(good)
    }
    const { db } = this.#options
    return [
      ...(dockings.size > 0 && lane !== HOUSE_LANE ? readWatches(await db.run(loadBalanceWatches(lane, [...dockings]))) : []),
      ...(goods.size > 0 ? readWatches(await db.run(loadStockWatches([...goods]))) : []),
    ]
  }

  #crossings(watches: readonly Watch[]): Promise<Crossing[]> {
    const { db, nowMs, quietMs } = this.#options
    return watches.length === 0 ? Promise.resolve([]) : crossingsOf(db, watches, new Date(nowMs()), quietMs)
  }

  /** Everything that was seen, in one transaction: watches moved on, notices written, and the cursor behind them. */
  async #write(crossings: readonly Crossing[], events: readonly Event[], moveOn: (move: Move) => Promise<boolean>): Promise<boolean> {
    return this.#options.db.transaction(async (connection) => {
      if (!(await moveOn((lane, from, to) => connection.run(moveCursor(lane, from, to))))) return false
      const alerts = crossings.map((crossing) => ({ crossing, event: crossing.kind ? alertOf(crossing) : null }))
      const owners = new Map([...events, ...alerts.flatMap(({ event }) => event ?? [])].map(({ owner }) => [`${owner.lane} ${owner.docking}`, owner]))
      const contacts = owners.size === 0 ? [] : readContacts(await connection.run(loadContacts([...owners.values()])))
      const hearers = (event: Event) => contacts.filter((contact) => hears(contact, event))
      const told = [...events]
      for (const { crossing, event } of alerts) {
        // An alert that nobody hears stays armed, for whoever is made a contact.
        if (event !== null && hearers(event).length === 0) continue
        if ((await cross(connection, crossing)) && event !== null) told.push(event)
      }
      const notices = told.flatMap((event) => hearers(event).map((contact) => this.#noticeOf(event, contact)))
      if (notices.length > 0) await connection.run(insertNotices(notices))
      return true
    })
  }

  #noticeOf({ owner, kind, subject, occasion, body }: Event, contact: KeptContact): NewNotice {
    const id = this.#options.makeId()
    return { ...owner, id, contact: contact.id, kind, subject, occasion, body, createdAt: new Date(this.#options.nowMs()), tokenHash: linkTokenOf(this.#options.keys, id).hash }
  }
}

type Move = (lane: number, from: bigint, to: bigint) => Promise<readonly unknown[]>

function hears(contact: KeptContact, { owner, wanted, only }: Event): boolean {
  return contact.lane === owner.lane && contact.docking === owner.docking && wanted.some((kind) => contact.kinds.includes(kind)) && (only === null || only === contact.id)
}

function alertOf({ watch, next, kind, value }: Crossing): Event {
  const seen: Seen = { below: String(watch.below), seen: String(value), mode: watch.mode }
  return {
    owner: { lane: watch.lane, docking: watch.docking }, wanted: [watch.what === 'balance' ? 'funds' : 'stock'], kind: kind!,
    subject: watch.what === 'balance' ? watch.docking : watch.good, occasion: next.round, body: JSON.stringify(seen), only: null,
  }
}
