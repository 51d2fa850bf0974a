import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { findDocking } from '../partners/index.ts'
import { eraseName, erasePayload, erasePayloadsOf, eraseWitness } from './store.ts'

export type EraseCommand = { target: { leaf: number } | { docking: string }; reason: string; by: string; size: number }
export type Erased = { leaves: number; at: Date }

/**
 * Destroys what leaves committed to: of one leaf, or of all leaves of a docking together with the salt of its name, so that
 * nobody can tell any more whose they were. The tree stays as it is; that something was erased is a fact, and a leaf, itself.
 */
export async function erase(db: Database, { target, reason, by, size }: EraseCommand): Promise<Outcome<Erased>> {
  if ('leaf' in target && target.leaf >= size) return refuse('logbook.not_sealed', { asked: target.leaf, size })
  const docking = 'docking' in target ? await findDocking(db, target.docking) : null
  if ('docking' in target && docking === null) return refuse('partners.docking_not_found', { docking: target.docking })
  return db.transaction((connection) => underLanes(connection, docking ? [HOUSE_LANE, docking.lane] : [HOUSE_LANE], async ({ at, append }) => {
    const leaves = 'leaf' in target ? (await connection.run(erasePayload(target.leaf))).length : await eraseDocking(connection, docking!)
    append({
      lane: HOUSE_LANE, docking: null, kind: 'erasure.done', subject: 'leaf' in target ? String(target.leaf) : target.docking, code: null, body: JSON.stringify({ leaves, reason, by }),
    })
    return accept({ leaves, at })
  }))
}

async function eraseDocking(connection: Connection, { id, lane }: { id: string; lane: number }): Promise<number> {
  // The name first: a seal that counts leaves of this docking waits for its row, and then begins a new name.
  await connection.run(eraseName(lane, id))
  await connection.run(eraseWitness(lane, id))
  return (await connection.run(erasePayloadsOf(lane, id))).length
}
