import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { revokeKeysOf } from '../partners/index.ts'
import { liftDrills } from './drill.ts'
import { endBox, loadUnused, readBoxes } from './store.ts'

const AT_ONCE = 100

/** Ends sandboxes that were applied for and met no request since `before`: their keys die, their orders stay. */
export async function endUnused(db: Database, before: Date): Promise<number> {
  let ended = 0
  for (;;) {
    const boxes = readBoxes(await db.run(loadUnused(before, AT_ONCE)))
    for (const { lane, docking } of boxes) {
      await db.transaction((connection) =>
        underLanes(connection, [lane], async ({ at, append }) => {
          if ((await connection.run(endBox(lane, docking, at))).length === 0) return
          await connection.run(revokeKeysOf([{ lane, id: docking }], at))
          append({ lane, docking, kind: 'sandbox.ended', subject: docking, code: null, body: JSON.stringify({ unusedSince: before.toISOString() }) })
          ended++
        }))
      await liftDrills(db, { lane, id: docking }, 'The sandbox has ended. · 沙箱已结束。')
    }
    if (boxes.length < AT_ONCE) return ended
  }
}
