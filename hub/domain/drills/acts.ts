import { feedHead, insertChanges, sequenceChanges } from '../catalogue/index.ts'
import type { Orders } from '../orders/index.ts'
import { endKeyAt, keepKey, listOwnKeys, type Docking, type KeyRing } from '../partners/index.ts'
import type { Sandboxes } from '../sandbox/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Run, Seen, Step, StepData } from './model.ts'
import { isAccepted } from './stories.ts'

export type ActOptions = { db: Database; clock: Clock; orders: Orders; keys: KeyRing; sandboxes: Sandboxes }

/** Faults that a step sets with its beginning and takes back with its end. A fault that strikes fewer is spent by itself. */
const FAULTS: Readonly<Record<string, readonly { fault: string; params: string; times: number }[]>> = {
  'key_roll.roll': [{ fault: 'timeout_after_debit', params: 'ms=0', times: 1 }],
  'rush.squeeze': [{ fault: 'rate_limited', params: 's=1', times: 5 }],
  'rush.rush_again': [{ fault: 'rate_limited', params: 's=1', times: 3 }],
  'outage.doubt': [{ fault: 'timeout_after_debit', params: 'ms=0', times: 2 }],
  'outage.outage': [{ fault: 'http_503', params: 's=2', times: 1000 }],
}

type Stage = { run: Run; docking: Docking; step: Step; seen: readonly Seen[] }

/** What the hub does when a step begins. Doing it twice does no harm, so after a crash it is done again. */
export async function act(options: ActOptions, { run, docking, step, seen }: Stage): Promise<StepData> {
  const place = `${run.kind}.${step.name}`
  const data: StepData = place === 'key_roll.roll' ? await endKeyInUse(options, docking, step, seen) : place === 'outage.outage' ? await tellPrice(options, docking) : {}
  for (const { fault, params, times } of FAULTS[place] ?? []) await setFault(options, docking, `${fault};${params}`, times)
  return data
}

/** Takes back what a step has set. */
export async function undo(options: ActOptions, { run, docking, step }: Omit<Stage, 'seen'>): Promise<void> {
  for (const { fault, params } of FAULTS[`${run.kind}.${step.name}`] ?? []) await setFault(options, docking, `${fault};${params}`, 0)
}

/** The cut answers of an outage are meant for orders: where a look-up met one instead, the next order meets another. */
export async function cutAgain(options: ActOptions, { run, docking, step, seen }: Stage): Promise<void> {
  if (run.kind !== 'outage' || step.name !== 'doubt') return
  const cut = seen.filter((one) => one.what === 'order' && !one.isAnswered && one.atMs >= step.begunAt.getTime()).length
  const isSet = (await options.sandboxes.switchesOf(docking)).some((one) => one.fault === 'timeout_after_debit')
  if (cut < 2 && !isSet) await setFault(options, docking, 'timeout_after_debit;ms=0', 2 - cut)
}

/** A platform that took no new key in time is not locked out of its own sandbox: the old one lives on. */
export async function giveKeyBack({ db, keys }: ActOptions, docking: Docking, steps: readonly Step[]): Promise<void> {
  const roll = steps.find((step) => step.data.key !== undefined)
  if (!roll) return
  const isReplaced = (await listOwnKeys(db, docking, null, 20)).some((key) => key.createdAt >= roll.begunAt && key.revokedAt === null)
  if (isReplaced) return
  await keepKey(db, docking, roll.data.key!)
  keys.forget(docking.id)
}

async function setFault({ sandboxes }: ActOptions, docking: Docking, fault: string, times: number): Promise<void> {
  const set = await sandboxes.setFault(docking, fault, times)
  if (!set.ok) throw new Error(`the fault ${fault} of a drill was refused: ${set.refusal.code}`)
}

/** The key that orders are placed with ends when the step does; a sandbox whose clock is ahead is told so in its own time. */
async function endKeyInUse({ db, keys }: ActOptions, docking: Docking, step: Step, seen: readonly Seen[]): Promise<StepData> {
  const key = step.data.key ?? seen.findLast((one) => one.what === 'order' && isAccepted(one))!.key
  const ended = await endKeyAt(db, key, new Date(step.dueAt.getTime() + docking.clockOffsetS * 1000))
  if (!ended.ok) throw new Error(`the key ${key} of a drill could not be given an end: ${ended.refusal.code}`)
  keys.forget(docking.id)
  return { key, keyEndsMs: step.dueAt.getTime() }
}

/** A line in the feed of this docking alone: no price has moved, and whoever reads it sees the one that counts. */
async function tellPrice({ db, clock, orders }: ActOptions, docking: Docking): Promise<StepData> {
  const good = (await orders.list(docking, null, 1))[0]!.good
  await db.run(insertChanges([{ good, docking: docking.id, what: 'price', at: new Date(clock.nowMs()) }]))
  await sequenceChanges(db)
  return { good, feedAt: String(await feedHead(db)) }
}
