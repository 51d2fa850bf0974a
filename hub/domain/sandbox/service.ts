import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { ReasonCode } from '../../../protocol/reasons.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { IdMaker } from '../../kernel/ids.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Log } from '../../platform/log.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { Decision } from '../decisions/index.ts'
import { deposit, openBalance, type Deposited } from '../ledger/index.ts'
import { openDocking, openTwin, travel, type Credentials, type Docking, type Twin } from '../partners/index.ts'
import { openContract } from '../terms/index.ts'
import { FAULTS, LIMITS, type Asked, type Box, type Call, type Origin, type Switch } from './model.ts'
import { AddressQuota } from './quota.ts'
import { fits, readFault } from './rules.ts'
import { liftDrills, mayTakeDrill, takeDrillDecision } from './drill.ts'
import { TestStock } from './stock.ts'
import { clearSwitches, countApplications, insertBox, loadBox, loadSwitches, putSwitch, readBoxes, readSwitches, spendSwitch, touchBox } from './store.ts'
import { endUnused } from './sweep.ts'

export type SandboxesOptions = { db: Database; vault: Vault; clock: Clock; ids: IdMaker; log: Log; publicUrl: () => string; applicationsADay: number; requestsADay: number }

export type Application = { name: string; dialect: 'json' | 'acg0'; contact: string | null; address: string }

/** A fault that a request meets; a switch is spent when it strikes, and `isStruck` says that it did. */
export type Meeting = { asked: Asked; isSwitch: boolean; isStruck: boolean }

/** What is known of a sandbox between two looks at the database. */
type State = { untilMs: number; box: Box | null; switches: Switch[] }

const FRESH_MS = 2_000
const MOST_STATES = 10_000
const DAY_MS = 86_400_000
const SWEEP_EVERY_MS = 3_600_000

/** Sandboxes: opened without a person, filled with test money and test cards, with faults and a clock of their own. */
export class Sandboxes {
  readonly stock: TestStock
  readonly #options: SandboxesOptions
  readonly #quota = new AddressQuota(LIMITS.applicationsAnHour)
  readonly #states = new Map<string, Promise<State>>()
  /** Requests of this day by sandbox: strangers must not fill the log of facts. */
  #paced = { day: 0, counts: new Map<string, number>() }
  #bounded: Promise<unknown> = Promise.resolve()
  #sweeping: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  constructor(options: SandboxesOptions) {
    this.#options = options
    this.stock = new TestStock(options)
  }

  /** From now on sandboxes that nobody uses end by themselves. */
  start(): void {
    const { db, clock, log } = this.#options
    const sweep = () => {
      this.#sweeping = endUnused(db, new Date(clock.nowMs() - LIMITS.unusedDays * DAY_MS)).then(
        (ended) => void (ended > 0 && log.info({ ended }, 'sandboxes that nobody used for 30 days have ended')),
        (error: unknown) => log.warn({ err: error }, 'sandboxes that nobody uses could not be ended'))
    }
    this.#timer = setInterval(sweep, SWEEP_EVERY_MS).unref()
    sweep()
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    await this.#sweeping
    await this.stock.close()
  }

  /**
   * Opens a sandbox for whoever asks. Refuses `sandbox.applications_closed`, `sandbox.applications_at_limit` for the whole hub
   * and `platform.rate_limited` for one network.
   */
  apply(ask: Application): Promise<Outcome<{ docking: Docking; credentials: Credentials }>> {
    const { applicationsADay, clock } = this.#options
    if (applicationsADay === 0) return Promise.resolve(refuse('sandbox.applications_closed'))
    const admitted = this.#quota.take(ask.address, clock.nowMs())
    if (!admitted.ok) return Promise.resolve(admitted)
    return this.#oneByOne(() => this.#open(ask))
  }

  /** One after the other, so that what was counted before it still holds. */
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#bounded.then(work)
    this.#bounded = done.catch(() => {})
    return done
  }

  async #open({ name, dialect, contact }: Application): Promise<Outcome<{ docking: Docking; credentials: Credentials }>> {
    const { db, vault, clock, ids, applicationsADay } = this.#options
    const nowMs = clock.nowMs()
    const [count = 0, first] = ((await db.run(countApplications(new Date(nowMs - DAY_MS))))[0] ?? []) as [number?, Date?]
    if (count >= applicationsADay) {
      const retryAfterS = Math.max(1, Math.ceil(((first?.getTime() ?? nowMs) + DAY_MS - nowMs) / 1000))
      return refuse('sandbox.applications_at_limit', { allowed: applicationsADay, retryAfterS }, { retryAfterS })
    }
    const opened = await openDocking(db, vault, {
      ids: { partner: ids.make('prt', nowMs), docking: ids.make('dck', nowMs), keys: [ids.make('key', nowMs), ids.make('key', nowMs)] },
      name, mode: 'sandbox', dialect, appId: null, appKey: null, allowedAddresses: [],
    }, this.#furnish('application', contact))
    if (opened.ok) await this.#fund(opened.value.docking)
    return opened
  }

  /** The sandbox of a live docking with new credentials; it is opened when it is first asked for. */
  async twinOf(live: Docking): Promise<Outcome<Twin>> {
    const { db, vault, clock, ids } = this.#options
    const nowMs = clock.nowMs()
    const twin = await openTwin(db, vault, live, { docking: ids.make('dck', nowMs), keys: [ids.make('key', nowMs), ids.make('key', nowMs)] }, this.#furnish('twin', null))
    if (twin.ok && !twin.value.renewed) await this.#fund(twin.value.docking)
    return twin
  }

  #furnish(origin: Origin, contact: string | null) {
    const { vault } = this.#options
    return async (connection: Connection, docking: Docking, at: Date, append: LaneWork['append']): Promise<void> => {
      await connection.run(openBalance(docking.lane, docking.id, docking.mode))
      await connection.run(openContract(docking.lane, docking.id, 0, at))
      const sealed = contact === null ? null : vault.seal(Buffer.from(contact), `sandbox contact|${docking.id}`)
      await connection.run(insertBox({ lane: docking.lane, docking: docking.id, origin, dialect: docking.dialect, openedAt: at, usedAt: at }, sealed))
      append({ lane: docking.lane, docking: docking.id, kind: 'sandbox.opened', subject: docking.id, code: null, body: JSON.stringify({ origin, dialect: docking.dialect, ...(docking.twinOf === null ? {} : { live: docking.twinOf }) }) })
    }
  }

  async #fund(docking: Docking): Promise<void> {
    const funded = await this.#deposit(docking, 'opening', LIMITS.openingMicro)
    if (!funded.ok) throw new Error(`the opening balance of ${docking.id} was refused: ${funded.refusal.code}`)
    await this.stock.fillAll(docking)
  }

  /** Test money, once per reference. Refuses what is no sandbox and what is beyond the bound. */
  async deposit(docking: Docking, reference: string, amountMicro: bigint, availableMicro: bigint): Promise<Outcome<Deposited>> {
    if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
    if (amountMicro > LIMITS.depositMicro) return refuse('protocol.invalid_field', { path: '/amount', expected: 'at most 100000 yuan of test money at once' })
    if (availableMicro + amountMicro > LIMITS.balanceMicro) return refuse('protocol.invalid_field', { path: '/amount', expected: 'a balance of at most 1000000 yuan of test money' })
    return this.#deposit(docking, reference, amountMicro)
  }

  #deposit(docking: Docking, reference: string, amountMicro: bigint): Promise<Outcome<Deposited>> {
    const { db, clock, ids } = this.#options
    return deposit(db, { id: ids.make('dep', clock.nowMs()), lane: docking.lane, account: docking.id, mode: 'sandbox', reference, amountMicro, note: 'test money' })
  }

  /** Sets a fault for the next requests, or makes the decision that was asked for. */
  async setFault(docking: Docking, text: string, times: number): Promise<Outcome<{ decision: Decision | null }>> {
    if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
    const asked = readFault(text, '/fault')
    if (!asked.ok) return asked
    const { fault, params, code } = asked.value
    if (fault.needsSignature && docking.dialect !== 'json') return refuse('protocol.invalid_field', { path: '/fault', expected: 'another fault: requests of this dialect carry no time' })
    const { db, vault, ids, clock, publicUrl } = this.#options
    const decided = code === null ? accept(null) : await this.#oneByOne(async () => {
      const allowed = await mayTakeDrill(db, docking, clock.nowMs())
      return allowed.ok ? takeDrillDecision({ db, vault, ids, publicUrl: publicUrl() }, docking, code as ReasonCode, clock.nowMs()) : allowed
    })
    if (!decided.ok) return decided
    await db.transaction((connection) =>
      underLanes(connection, [docking.lane], async ({ at, append }) => {
        if (code === null) await connection.run(putSwitch(docking.lane, docking.id, { fault: fault.name, params, remaining: times, setAt: at }))
        append({ lane: docking.lane, docking: docking.id, kind: 'sandbox.fault_set', subject: fault.name, code: null, body: JSON.stringify(code === null ? { params, times } : { decision: decided.value!.id, reason: code }) })
      }))
    this.forget(docking.id)
    return accept({ decision: decided.value })
  }

  /** Takes every switch back and lifts every decision that was asked for; others stay. */
  async clear(docking: Docking): Promise<Outcome<{ switches: string[]; decisions: string[] }>> {
    if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
    const { db } = this.#options
    const decisions = await liftDrills(db, docking, 'Lifted by the partner: the drill is over. · 演练结束，由对接方解除。')
    const switches = await db.transaction((connection) =>
      underLanes(connection, [docking.lane], async ({ append }) => {
        const cleared = (await connection.run(clearSwitches(docking.lane, docking.id))).map(([fault]) => fault as string)
        append({ lane: docking.lane, docking: docking.id, kind: 'sandbox.fault_set', subject: null, code: null, body: JSON.stringify({ cleared, lifted: decisions }) })
        return cleared
      }))
    this.forget(docking.id)
    return accept({ switches, decisions })
  }

  /** Moves the sandbox's clock ahead of the hub's, by up to 400 days, or back to it. */
  async setClock(docking: Docking, offsetS: number): Promise<Outcome<null>> {
    if (docking.mode === 'live') return refuse('sandbox.live_docking', { docking: docking.id })
    await travel(this.#options.db, docking, offsetS)
    return accept(null)
  }

  /** The faults that the next requests of a sandbox meet. */
  async switchesOf(docking: { id: string; lane: number }): Promise<readonly Switch[]> {
    return readSwitches(await this.#options.db.run(loadSwitches(docking.lane, docking.id)))
  }

  /** The fault that this request of a sandbox meets: the one that its header names, else the first switch that fits. */
  async meet(docking: Docking, header: string | undefined, call: Call): Promise<Outcome<Meeting | null>> {
    const { box, switches } = await this.#stateOf(docking)
    if (box !== null) this.#touch(docking, box)
    const paced = box?.origin === 'application' ? this.#pace(docking.id) : accept(null)
    if (!paced.ok) return paced
    if (header !== undefined) {
      const asked = readFault(header, HEADER)
      if (!asked.ok) return asked
      if (!fits(asked.value.fault, call)) return refuse('protocol.invalid_field', { path: HEADER, expected: whyNot(asked.value, call) })
      return accept({ asked: asked.value, isSwitch: false, isStruck: false })
    }
    for (const one of switches) {
      const fault = FAULTS.find(({ name }) => name === one.fault)
      if (fault && fits(fault, call)) return accept({ asked: { fault, params: one.params, code: null }, isSwitch: true, isStruck: false })
    }
    return accept(null)
  }

  /** Whether the fault may strike: a switch is spent, and the last of it by one request alone. */
  async spend(docking: Docking, { asked, isSwitch }: Meeting): Promise<boolean> {
    if (!isSwitch) return true
    const spent = await this.#options.db.run(spendSwitch(docking.lane, docking.id, asked.fault.name))
    if (((spent[0]?.[0] as number | undefined) ?? 0) === 0) this.forget(docking.id)
    return spent.length === 1
  }

  /** Whether the hub itself makes the test cards of this sandbox. */
  async isFilled(docking: Docking): Promise<boolean> {
    return (await this.#stateOf(docking)).box !== null
  }

  forget(docking: string): void {
    this.#states.delete(docking)
  }

  #stateOf(docking: Docking): Promise<State> {
    const { db, clock } = this.#options
    const load = async (): Promise<State> => {
      return {
        untilMs: clock.nowMs() + FRESH_MS, box: readBoxes(await db.urgent.run(loadBox(docking.lane, docking.id)))[0] ?? null,
        switches: readSwitches(await db.urgent.run(loadSwitches(docking.lane, docking.id))),
      }
    }
    const known = this.#states.get(docking.id)
    const fresh = known === undefined ? load() : known.then((state) => (state.untilMs > clock.nowMs() ? state : load()))
    if (this.#states.size >= MOST_STATES) this.#states.clear()
    this.#states.set(docking.id, fresh)
    fresh.catch(() => this.#states.delete(docking.id))
    return fresh
  }

  #pace(docking: string): Outcome<null> {
    const { clock, requestsADay } = this.#options
    const nowMs = clock.nowMs()
    const day = Math.floor(nowMs / DAY_MS)
    if (day !== this.#paced.day) this.#paced = { day, counts: new Map() }
    const count = (this.#paced.counts.get(docking) ?? 0) + 1
    this.#paced.counts.set(docking, count)
    if (count <= requestsADay) return accept(null)
    const retryAfterS = Math.ceil(((day + 1) * DAY_MS - nowMs) / 1000)
    return refuse('platform.rate_limited', { allowed: `${requestsADay} requests a day`, retryAfterS }, { retryAfterS })
  }

  /** Used today is enough to know. */
  #touch({ lane, id }: Docking, box: Box): void {
    const { db, clock, log } = this.#options
    const nowMs = clock.nowMs()
    if (nowMs - box.usedAt.getTime() < DAY_MS) return
    box.usedAt = new Date(nowMs)
    db.run(touchBox(lane, id, box.usedAt)).catch((error: unknown) => log.warn({ err: error }, 'the use of a sandbox was not written down'))
  }
}

export const HEADER = 'Berth-Sandbox-Fault'

function whyNot({ fault }: Asked, call: Call): string {
  if (call.isControl) return 'no fault on what steers the sandbox itself'
  if (fault.strikes === 'decision') return 'a decision is asked for by PUT /api/sandbox/faults'
  if (fault.needsOrder) return 'an order: this fault strikes nothing else'
  return fault.needsSignature && !call.isSigned ? 'a signed request: a bearer key carries no time' : 'an order or a quote: this fault strikes nothing else'
}
