import { array, type Connection, type Statement } from './postgres/database.ts'

/** What the lock on a lane shows: how far its facts are numbered and which life of the hub may write. */
export type Lane = { lane: number; epoch: bigint; head: bigint }

/**
 * Locks the rows of the lanes, ascending. Every command that touches the money, measures or keys of a docking starts
 * with this statement and nothing else: the same order for everybody is what keeps deadlocks out, and a load in the same
 * statement would read a snapshot from before the wait.
 */
export function lockLanes(lanes: readonly number[]): Statement {
  return {
    name: 'lanes.lock',
    text: 'select lane, epoch, head from platform.lanes where lane = any($1::int[]) order by lane for update',
    values: [array.bare([...new Set(lanes)].sort((a, b) => a - b))],
  }
}

export function readLanes(rows: readonly (readonly unknown[])[]): Map<number, Lane> {
  return new Map(rows.map((row) => [row[0] as number, { lane: row[0] as number, epoch: row[1] as bigint, head: row[2] as bigint }]))
}

/**
 * Moves the heads of locked lanes. The row count must equal the number of lanes: fewer means that another life of the
 * hub has taken a lane over, and nothing of this transaction may stand.
 */
export function moveLanes(moves: readonly { lane: number; head: bigint; answered: bigint; epoch: bigint }[]): Statement {
  return {
    name: 'lanes.move',
    text: `update platform.lanes l set head = m.head, answered = greatest(l.answered, m.answered)
      from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[]) m(lane, head, answered, epoch)
      where l.lane = m.lane and l.epoch = m.epoch returning l.lane`,
    values: [
      array.bare(moves.map((m) => m.lane)), array.bare(moves.map((m) => m.head)),
      array.bare(moves.map((m) => m.answered)), array.bare(moves.map((m) => m.epoch)),
    ],
  }
}

/** How far the facts of every lane are numbered. Up to here all are committed: a follower may read without a lock. */
export function loadHeads(): Statement {
  return { name: 'lanes.heads', text: 'select lane, head from platform.lanes order by lane', values: [] }
}

/** Lanes of dockings in which the life before left orders that nobody can say were answered. */
export function loadUnanswered(): Statement {
  return { text: 'select lane, answered from platform.lanes where answered < head and lane >= 0 order by lane', values: [] }
}

/** Lets the watermark pass what is now written down as doubt. */
export function settleLane(lane: number, epoch: bigint): Statement {
  return { text: 'update platform.lanes set answered = head where lane = $1 and epoch = $2', values: [lane, epoch] }
}

/** Takes over all lanes for a new life of the hub: a writer of an earlier life that still breathes can no longer commit. */
export async function takeOverLanes(connection: Connection): Promise<Map<number, bigint>> {
  const rows = await connection.run({
    text: 'update platform.lanes set epoch = epoch + 1 where lane = any(select lane from platform.lanes order by lane for update) returning lane, epoch',
    values: [],
  })
  return new Map(rows.map((row) => [row[0] as number, row[1] as bigint]))
}
