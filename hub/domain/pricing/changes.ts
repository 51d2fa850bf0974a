import { isDeepStrictEqual } from 'node:util'
import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes, type LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { insertChanges, writeListPrices } from '../catalogue/index.ts'
import {
  countScheduled, dueExists, endChange, insertChange, insertHistory, loadChangeByReference, lockChange, lockDue, moveBook, readChanges, writeOffers, writeRules, type StoredChange,
} from '../terms/index.ts'
import { addDearer, admitDearer, type Dearer } from './few.ts'
import type { ChangeAsk, ChangeResult, PlanLine } from './model.ts'
import { admitPlan, newPriceBy, plan, readFormula } from './rules.ts'
import { findItems, findTarget, type Target } from './target.ts'

const TIMEOUT_MS = 60_000
/** A change of later holds all its rows until then. */
const MOST_SCHEDULED = 200

export type Carried = { stored: StoredChange; result: ChangeResult | null; replayed: boolean }

/** What a change would do now, worked out by the same steps as the change itself. Nothing is written. */
export async function previewChange(db: Database, ask: ChangeAsk): Promise<Outcome<ChangeResult>> {
  return db.transaction(async (connection) => {
    await connection.run({ text: 'set transaction isolation level repeatable read, read only', values: [] })
    const worked = await workOut(connection, ask)
    return worked.ok ? accept(worked.value.result) : worked
  }, TIMEOUT_MS)
}

/**
 * Carries a change out in one transaction, or keeps it until it is due. A reference that was used before gets what came of
 * it then. Only the lane of the main site is locked meanwhile: orders go on, at the old prices until this is committed.
 */
export async function applyChange(db: Database, ask: ChangeAsk, more: { id: string; reference: string | null; dueAt: Date | null }): Promise<Outcome<Carried>> {
  return db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async (lane): Promise<Outcome<Carried>> => {
      const { id, reference, dueAt } = more
      const before = reference === null ? undefined : readChanges(await connection.run(loadChangeByReference(reference)))[0]
      const kept = { id, reference, dueAt: dueAt ?? lane.at, ask: { selector: ask.selector, change: ask.change, allowBelowCost: ask.allowBelowCost, note: ask.note }, rows: ask.rows, by: ask.by, madeAt: lane.at }
      if (before) return sameChange(before, kept) ? accept({ stored: before, result: null, replayed: true }) : refuse('protocol.invalid_field', { path: '/reference', expected: 'a reference that no other change was made under' })
      if (dueAt !== null) return keep(connection, ask, { ...kept, state: 'scheduled', endedAt: null, outcome: null })
      const done = await carryOut(connection, lane, ask, id)
      if (!done.ok) return done
      const stored: StoredChange = { ...kept, state: 'applied', endedAt: lane.at, outcome: countsOf(done.value) }
      await connection.run(insertChange(stored))
      return accept({ stored, result: done.value, replayed: false })
    }), TIMEOUT_MS)
}

/** Whether a change was asked for before in the same words. Both are looked at as they are stored: the database orders names its own way. */
function sameChange(before: Pick<StoredChange, 'ask' | 'rows'>, now: { ask: unknown; rows: unknown }): boolean {
  return isDeepStrictEqual([before.ask, before.rows], JSON.parse(JSON.stringify([now.ask, now.rows])))
}

/** A change of later is worked out now as well: what cannot be carried out today is most likely a slip of the hand. */
async function keep(connection: Connection, ask: ChangeAsk, stored: StoredChange): Promise<Outcome<Carried>> {
  if (((await connection.run(countScheduled()))[0]![0] as number) >= MOST_SCHEDULED) return refuse('protocol.invalid_field', { path: '/at', expected: `at most ${MOST_SCHEDULED} changes that wait for their time` })
  const worked = await workOut(connection, ask)
  if (!worked.ok) return worked
  const admitted = await admit(connection, ask, worked.value, stored.madeAt)
  if (!admitted.ok) return admitted
  await connection.run(insertChange(stored))
  return accept({ stored, result: worked.value.result, replayed: false })
}

/**
 * Carries out the first change that is due, once: its row is locked until its prices are committed, in whatever hub.
 * @returns the change, or null when none is due or another hub has it
 */
export async function applyNextDue(db: Database): Promise<StoredChange | null> {
  if (!(await db.run(dueExists()))[0]![0]) return null
  return db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async (lane) => {
      const due = readChanges(await connection.run(lockDue()))[0]
      if (!due) return null
      const ask = { ...(due.ask as ChangeAsk), rows: due.rows as ChangeAsk['rows'], by: due.by }
      const done = await carryOut(connection, lane, ask, due.id)
      const ended = done.ok ? { state: 'applied' as const, outcome: countsOf(done.value) } : { state: 'refused' as const, outcome: { code: done.refusal.code, because: done.refusal.because } }
      await connection.run(endChange(due.id, ended.state, lane.at, ended.outcome))
      if (!done.ok) lane.append({ lane: HOUSE_LANE, docking: null, kind: 'prices.refused', subject: due.id, code: done.refusal.code, body: JSON.stringify({ because: done.refusal.because, by: due.by }) })
      return { ...due, ...ended, endedAt: lane.at }
    }), TIMEOUT_MS)
}

/** Takes back a change that waits for its time. */
export async function cancelChange(db: Database, id: string, by: string, note: string): Promise<Outcome<StoredChange>> {
  return db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async ({ at, append }): Promise<Outcome<StoredChange>> => {
      const stored = readChanges(await connection.run(lockChange(id)))[0]
      if (!stored) return refuse('terms.price_change_not_found', { change: id.slice(0, 64) })
      if (stored.state !== 'scheduled') return refuse('terms.price_change_ended', { change: id, seen: stored.state, endedAt: stored.endedAt!.toISOString() })
      const outcome = { by, note }
      await connection.run(endChange(id, 'cancelled', at, outcome))
      append({ lane: HOUSE_LANE, docking: null, kind: 'prices.cancelled', subject: id, code: null, body: JSON.stringify(outcome) })
      return accept({ ...stored, state: 'cancelled', endedAt: at, outcome })
    }))
}

/** Marks a change that cannot be carried out for a fault of the hub itself, so that those behind it go on. */
export async function giveUpChange(db: Database): Promise<StoredChange | null> {
  return db.transaction((connection) =>
    underLanes(connection, [HOUSE_LANE], async ({ at, append }) => {
      const due = readChanges(await connection.run(lockDue()))[0]
      if (!due) return null
      const code = 'platform.internal_error'
      await connection.run(endChange(due.id, 'refused', at, { code, because: {} }))
      append({ lane: HOUSE_LANE, docking: null, kind: 'prices.refused', subject: due.id, code, body: JSON.stringify({ because: {}, by: due.by }) })
      return due
    }))
}

export function countsOf({ lines, selected, unchanged, errors }: ChangeResult) {
  return {
    selected, changed: lines.length, unchanged, errors: errors.length, belowCost: lines.filter((line) => line.belowCost).length,
    costUnknown: lines.filter((line) => line.costMicro === null).length, worseThanPublished: lines.filter((line) => line.worse).length,
  }
}

async function workOut(connection: Connection, ask: ChangeAsk): Promise<Outcome<{ target: Target; result: ChangeResult }>> {
  const formula = ask.change === null ? null : readFormula(ask.change, { basis: 'list', belowCost: true })
  if (formula && !formula.ok) return formula
  const target = await findTarget(connection, ask.selector)
  if (!target.ok) return target
  const found = await findItems(connection, ask, target.value)
  if (!found.ok) return found
  const { items, asked, errors } = found.value
  const planned = plan(items, formula ? newPriceBy(formula.value) : (item) => asked.get(item.code)!, target.value.kind === 'own')
  const all = [...errors, ...planned.errors].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
  return accept({ target: target.value, result: { lines: planned.lines, selected: items.length, unchanged: planned.unchanged, errors: all } })
}

/** What admits a plan, and who else must have a decision where a group of few would pay more. */
async function admit(connection: Connection, ask: ChangeAsk, { target, result }: { target: Target; result: ChangeResult }, at: Date): Promise<Outcome<null>> {
  const admitted = admitPlan(result.lines, ask.allowBelowCost)
  if (!admitted.ok || target.kind !== 'group') return admitted
  return admitDearer(connection, target, result.lines.reduce((dearer: Dearer, line) => addDearer(dearer, line.code, line.oldMicro, line.newMicro), null), at)
}

async function carryOut(connection: Connection, lane: LaneWork, ask: ChangeAsk, id: string): Promise<Outcome<ChangeResult>> {
  const worked = await workOut(connection, ask)
  if (!worked.ok) return worked
  const { target, result } = worked.value
  const admitted = await admit(connection, ask, worked.value, lane.at)
  if (!admitted.ok) return admitted
  if (result.lines.length > 0) await write(connection, lane, ask, id, target, result.lines)
  return accept(result)
}

async function write(connection: Connection, { at, append }: LaneWork, ask: ChangeAsk, id: string, target: Target, lines: readonly PlanLine[]): Promise<void> {
  const group = target.kind === 'group' ? target.group : null
  const docking = target.kind === 'own' ? target.docking : null
  const body = JSON.stringify({ change: id, target: target.kind, ...(group ? { group } : {}), changed: lines.length, by: ask.by })
  const position = append({ lane: HOUSE_LANE, docking: null, kind: 'prices.changed', subject: id, code: null, body })
  const written = await connection.run(
    target.kind === 'list' ? writeListPrices(lines.map((line) => ({ good: line.good, listMicro: line.newMicro })), at)
    : target.kind === 'own' ? writeOffers(target.lane, target.docking, lines.map((line) => ({ good: line.good, race: '', unitPriceMicro: line.newMicro, publishedMicro: line.publishedMicro, decision: null })), at)
    : writeRules(lines.map((line) => ({
        group: target.group, scope: 'good', subject: line.good,
        formula: { basis: 'list', factorPpm: 0n, additionMicro: line.newMicro, stepMicro: 1n, belowCost: line.belowCost },
      })), at))
  if (written.length !== lines.length) throw new Error(`${written.length} of ${lines.length} prices were written`)
  const what = target.kind
  await connection.run(insertHistory({ position, change: id, by: ask.by, note: ask.note, at }, lines.map((line) => ({
    what, group, docking, good: line.good, race: '', subject: '', old: formatAmount(line.oldMicro), new: formatAmount(line.newMicro),
  }))))
  await connection.run(insertChanges(lines.map((line) => ({ good: line.good, docking, group, what: 'price', at }))))
  await connection.run(moveBook())
  // Last, since its orders wait from here until the commit.
  if (target.kind === 'own') {
    await underLanes(connection, [target.lane], async (own) => {
      own.append({ lane: target.lane, docking, kind: 'offer.priced', subject: id, code: null, body })
    })
  }
}
