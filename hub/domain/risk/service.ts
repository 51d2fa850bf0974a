import { createHash, randomBytes } from 'node:crypto'
import { canonicalJson } from '../../../protocol/canonical.ts'
import type { Clock } from '../../kernel/clock.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { loadFactsOf, readFactsOf, type AcceptedFact } from '../../platform/facts.ts'
import { loadHeads } from '../../platform/lanes.ts'
import type { Log } from '../../platform/log.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { Rounds } from '../../platform/rounds.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import { insertKnown } from '../decisions/index.ts'
import { findDocking } from '../partners/index.ts'
import type { Evidence, Finding, Profile, Tally } from './model.ts'
import { addOrder, bandsOf, dayOf, drawProfile, isFound } from './rules.ts'
import { forgetTallies, insertFinding, insertProfile, loadCursors, loadFinding, loadFindings, loadProfile, loadTallies, moveCursor, readFindings, readTallies, writeTallies } from './store.ts'

const DETECTOR = 'brushing.beat'
const SPAN = 2_000n
const EVERY_MS = 10_000
const KEPT_DAYS = 35
const DAY_MS = 86_400_000
const PROFILE_CONTEXT = 'risk profile'

export type WatchOptions = { db: Database; vault: Vault; clock: Clock; log: Log; makeId: () => string; random: () => number }

/**
 * Reads accepted orders behind the hub's back, as it were: by cursor, without a lock, after they were answered. So no
 * answer and no time of an answer can depend on what it thinks. It suggests; only a decision does anything.
 */
export class Watch {
  readonly #options: WatchOptions
  readonly #rounds: Rounds
  #profile: Profile | null = null

  constructor(options: WatchOptions) {
    this.#options = options
    this.#rounds = new Rounds({ work: () => this.round(), everyMs: EVERY_MS, log: options.log, what: 'patterns are looked for' })
  }

  start(): void {
    this.#rounds.start()
  }

  close(): Promise<void> {
    return this.#rounds.close()
  }

  /** Follows every lane to its head, and forgets what is too old to be asked for. */
  async round(): Promise<void> {
    const { db, clock } = this.#options
    const profile = await this.#ownProfile()
    const heads = (await db.run(loadHeads())) as [number, bigint][]
    const cursors = new Map((await db.run(loadCursors())).map((row) => [row[0] as number, row[1] as bigint]))
    for (const [lane, head] of heads) {
      if (lane === HOUSE_LANE) continue
      for (let after = cursors.get(lane) ?? head; after < head; ) {
        const upTo = after + SPAN < head ? after + SPAN : head
        if (!(await this.#step(lane, after, upTo, profile))) break
        after = upTo
      }
    }
    await db.run(forgetTallies(dayOf(new Date(clock.nowMs() - KEPT_DAYS * DAY_MS)).day))
  }

  /** A page of findings as an operator may see them, newest first: bands, and never a threshold. */
  async findings(before: string | null, limit: number): Promise<Finding[]> {
    return readFindings(await this.#options.db.run(loadFindings(before, limit))).map(({ sealed: _sealed, ...finding }) => finding)
  }

  /** The whole evidence of one finding, for whoever decides an appeal; null for an unknown id. */
  async evidence(id: string): Promise<{ evidence: Evidence; commitment: string } | null> {
    const found = readFindings(await this.#options.db.run(loadFinding(id)))[0]
    return found ? { evidence: JSON.parse(this.#options.vault.open(found.sealed, contextOf(id)).toString('utf8')) as Evidence, commitment: found.commitment } : null
  }

  async #step(lane: number, after: bigint, upTo: bigint, profile: Profile): Promise<boolean> {
    const { db } = this.#options
    const orders = await this.#liveOrders(readFactsOf(await db.run(loadFactsOf(lane, after, upTo, ['order.accepted']))))
    return db.transaction(async (connection) => {
      if ((await connection.run(moveCursor(lane, after, upTo))).length === 0) return false
      if (orders.length === 0) return true
      const tallies = new Map<string, Tally>()
      const keyOf = (key: Pick<Tally, 'docking' | 'day' | 'good'>) => `${key.docking} ${key.day} ${key.good}`
      const keys = new Map(orders.map((order) => ({ docking: order.docking, day: dayOf(order.at).day, good: order.good })).map((key) => [keyOf(key), key]))
      for (const known of readTallies(await connection.run(loadTallies(lane, [...keys.values()])))) tallies.set(keyOf(known), known)
      for (const order of orders) {
        const key = keyOf({ docking: order.docking, day: dayOf(order.at).day, good: order.good })
        tallies.set(key, addOrder(tallies.get(key) ?? null, { lane, ...order }))
      }
      await connection.run(writeTallies([...tallies.values()]))
      for (const tally of tallies.values()) {
        const { features, score, found } = isFound(tally, profile)
        if (!found) continue
        const { finding, sealed } = this.#make(tally, features, score, profile)
        await connection.run(insertFinding(finding, sealed))
        await connection.run(insertKnown(finding.lane, finding.docking, [finding.commitment], 'finding'))
      }
      return true
    })
  }

  /** Orders of live dockings alone: a pattern that is tried out in the sandbox is not even counted. */
  async #liveOrders(facts: readonly AcceptedFact[]): Promise<{ docking: string; good: string; at: Date }[]> {
    const live = new Set<string>()
    for (const id of new Set(facts.map((fact) => fact.docking))) {
      if (id !== null && (await findDocking(this.#options.db, id))?.mode === 'live') live.add(id)
    }
    return facts.flatMap((fact) => {
      const good = fact.docking !== null && live.has(fact.docking) ? goodOf(fact.body) : null
      return good === null ? [] : [{ docking: fact.docking!, good, at: fact.at }]
    })
  }

  #make(tally: Tally, features: Evidence['features'], score: number, profile: Profile): { finding: Finding; sealed: Buffer } {
    const { vault, clock, makeId } = this.#options
    const { lane, docking, day, good } = tally
    const id = makeId()
    const evidence: Evidence = {
      finding: id, detector: DETECTOR, docking, good, day,
      tally: { orders: tally.orders, night: tally.night, gaps: String(tally.gaps), gapSquares: String(tally.gapSquares), lastAt: tally.lastAt.toISOString() }, features, profile, score, salt: randomBytes(16).toString('hex'),
    }
    const text = canonicalJson(evidence)
    return {
      finding: { id, lane, docking, detector: DETECTOR, day, good, bands: bandsOf(tally, features), commitment: createHash('sha256').update(text).digest('hex'), foundAt: new Date(clock.nowMs()) },
      sealed: vault.seal(Buffer.from(text), contextOf(id)),
    }
  }

  async #ownProfile(): Promise<Profile> {
    if (this.#profile) return this.#profile
    const { db, vault, random } = this.#options
    const load = async () => (await db.run(loadProfile()))[0]?.[0] as Buffer | undefined
    if (!(await load())) await db.run(insertProfile(vault.seal(Buffer.from(JSON.stringify(drawProfile(random))), PROFILE_CONTEXT)))
    // Read again: another node may have drawn at the same moment.
    this.#profile = JSON.parse(vault.open((await load())!, PROFILE_CONTEXT).toString('utf8')) as Profile
    return this.#profile
  }
}

function contextOf(id: string): string {
  return `finding|${id}`
}

function goodOf(body: string): string | null {
  try {
    const { good } = JSON.parse(body) as { good?: unknown }
    return typeof good === 'string' ? good : null
  } catch {
    return null
  }
}
