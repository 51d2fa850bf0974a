import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import type { LaneWork } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { insertPriceChangesOfAll } from '../catalogue/index.ts'
import { decisionsOf, isInForce, loadMeasures, readMeasures } from '../decisions/index.ts'
import { insertHistory, loadGroup, loadLevel, loadPlacedByDecision, loadPlacing, moveBook, writePlacing, type HistoryLine } from '../terms/index.ts'
import { dearerIn } from './few.ts'
import { tellDocking, told, underHouse, type Done } from './service.ts'

type Docking = { id: string; lane: number }
type Placed = { level: string | null; group: string | null; counts: string | null }

/**
 * Level and price group of a docking; undefined leaves one as it is. Where other prices count for it then, all goods stand
 * in its feed. A place in which anything is dearer is a measure: it takes a decision of the kind `level` that names it, and
 * the docking goes back when that ends. Refuses `terms.placing_worse_than_published`.
 */
export async function placeDocking(db: Database, docking: Docking, to: { level?: string | null | undefined; group?: string | null | undefined }, done: Done): Promise<Outcome<Placed>> {
  return underHouse(db, async (connection, lane): Promise<Outcome<Placed>> => {
    const [oldLevel, oldGroup, oldCounts] = (await connection.run(loadPlacing(docking.lane, docking.id)))[0] as [string | null, string | null, string | null]
    const level = to.level === undefined ? oldLevel : to.level
    const group = to.group === undefined ? oldGroup : to.group
    if (group !== null && (await connection.run(loadGroup(group))).length === 0) return refuse('protocol.invalid_field', { path: '/group', expected: 'a price group that exists' })
    const leads = level === null ? undefined : (await connection.run(loadLevel(level)))[0]
    if (level !== null && !leads) return refuse('protocol.invalid_field', { path: '/level', expected: 'a level that exists' })
    const counts = group ?? (leads?.[1] as string | null | undefined) ?? null
    if (level === oldLevel && group === oldGroup) return accept({ level, group, counts })
    const dearer = counts === oldCounts ? null : await dearerIn(connection, oldCounts, counts)
    const decision = dearer === null ? null : await behindPlace(connection, docking, { level, group }, lane.at)
    if (dearer !== null && decision === null) return refuse('terms.placing_worse_than_published', dearer)
    await write(connection, lane, docking, { level: oldLevel, group: oldGroup, counts: oldCounts }, { level, group, counts }, decision, done)
    return accept({ level, group, counts })
  })
}

/**
 * Takes dockings back to where they were before a decision made them dearer, once that decision has ended.
 * @returns how many went back
 */
export async function returnPlaced(db: Database): Promise<number> {
  const candidates = await db.run(loadPlacedByDecision())
  if (candidates.length === 0) return 0
  const measures = readMeasures(await db.run(loadMeasures(candidates.map((row) => row[0] as number), candidates.map((row) => row[1] as string))))
  let returned = 0
  for (const [lane, id, decision] of candidates as unknown as [number, string, string][]) {
    const stands = (at: Date) => (measures.get(id) ?? []).some((one) => one.decision === decision && isInForce(one, at))
    returned += await underHouse(db, async (connection, work) => {
      if (stands(work.at)) return 0
      // Once more under the lock: somebody may have moved it meanwhile.
      const row = (await connection.run(loadPlacedByDecision())).find((one) => one[1] === id && one[2] === decision)
      if (!row) return 0
      const [level, group, counts] = (await connection.run(loadPlacing(lane, id)))[0] as [string | null, string | null, string | null]
      const before = { level: row[3] as string | null, group: row[4] as string | null }
      const leads = before.level === null ? undefined : (await connection.run(loadLevel(before.level)))[0]
      await write(connection, work, { id, lane }, { level, group, counts }, { ...before, counts: before.group ?? (leads?.[1] as string | null | undefined) ?? null }, null, { by: 'hub', note: `The decision ${decision} has ended.` })
      return 1
    })
  }
  return returned
}

async function write(connection: Connection, { at, append }: LaneWork, docking: Docking, from: Placed, to: Placed, decision: string | null, done: Done): Promise<void> {
  const lines: HistoryLine[] = [
    ...(to.level === from.level ? [] : [{ subject: 'level', old: from.level, new: to.level }]), ...(to.group === from.group ? [] : [{ subject: 'group', old: from.group, new: to.group }]),
  ].map((line) => ({ what: 'contract', group: null, docking: docking.id, good: null, race: '', ...line }))
  await connection.run(writePlacing(docking.lane, docking.id, to, decision, from))
  const body = JSON.stringify({ target: 'contract', level: to.level, group: to.group, ...(decision === null ? {} : { decision }), by: done.by })
  const position = append({ lane: HOUSE_LANE, docking: null, kind: 'prices.changed', subject: docking.id, code: null, body })
  if (lines.length > 0) await connection.run(insertHistory({ position, change: null, ...told(done), at }, lines))
  if (to.counts !== from.counts) await connection.run(insertPriceChangesOfAll({ docking: docking.id, group: null }, at))
  await connection.run(moveBook())
  await tellDocking(connection, docking, 'docking.placed', null, body)
}

/** The decision in force that names the level or the group to which the docking is moved; null when none does. */
async function behindPlace(connection: Connection, docking: Docking, to: { level: string | null; group: string | null }, at: Date): Promise<string | null> {
  for (const { id, statement: { measure } } of await decisionsOf(connection, docking.lane, docking.id, true)) {
    const inForce = isInForce({ effectiveAt: new Date(measure.effectiveAt), endsAt: measure.endsAt === null ? null : new Date(measure.endsAt) }, at)
    const { level, priceGroup } = measure.allows
    if (measure.kind === 'level' && inForce && (priceGroup !== undefined ? priceGroup === to.group : to.group === null && level === to.level)) return id
  }
  return null
}
