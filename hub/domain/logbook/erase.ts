import { BLOCK } from '../../../protocol/leaf.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { HOUSE_LANE } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Connection, Database } from '../../platform/postgres/database.ts'
import { findDocking } from '../partners/index.ts'
import { ERASURE } from './rules.ts'
import { eraseAsSaid, loadPayloadPlace } from './store.ts'

export type EraseCommand = { target: { leaf: number } | { docking: string }; reason: string; by: string; size: number }
export type Erased = { leaves: number; at: Date }

type Target = { lane: number; docking: string | null; subject: string }

/**
 * Destroys what leaves committed to: of one leaf, or of all leaves of a docking together with the salt of its name, so that
 * nobody can tell any more whose they were. The tree stays as it is; that something was erased is a fact, and a leaf of
 * the docking whose it was. A leaf that names a decision goes on naming it. Refuses a block and an erasure: they hold
 * nothing of a person, and prove what is left.
 */
export async function erase(db: Database, { target, reason, by, size }: EraseCommand): Promise<Outcome<Erased>> {
  const found = 'leaf' in target ? await targetOfLeaf(db, target.leaf, size) : await targetOfDocking(db, target.docking)
  if (!found.ok) return found
  const { lane, docking, subject } = found.value
  return db.transaction(async (connection) => {
    const { position, at } = await underLanes(connection, [lane], async ({ at, append }) => ({
      position: append({ lane, docking, kind: ERASURE, subject, code: null, body: JSON.stringify({ reason, by }) }), at,
    }))
    // After the fact: the database erases what the fact says, and only that.
    return accept({ leaves: Number((await connection.run(eraseAsSaid(lane, position)))[0]![0]), at })
  })
}

async function targetOfLeaf(connection: Connection, leaf: number, size: number): Promise<Outcome<Target>> {
  const row = leaf < size ? (await connection.run(loadPayloadPlace(leaf)))[0] : undefined
  if (!row) return refuse('logbook.not_sealed', { asked: leaf, size })
  const [lane, docking, kind] = row as [number, string | null, string]
  if (kind === BLOCK || kind === ERASURE) return refuse('protocol.invalid_field', { path: '/leaf', expected: 'the leaf of a fact; neither a block nor an erasure' })
  return accept({ lane: docking === null ? HOUSE_LANE : lane, docking, subject: String(leaf) })
}

async function targetOfDocking(db: Database, id: string): Promise<Outcome<Target>> {
  const docking = await findDocking(db, id)
  return docking === null ? refuse('partners.docking_not_found', { docking: id }) : accept({ lane: docking.lane, docking: docking.id, subject: docking.id })
}
