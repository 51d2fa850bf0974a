import { accept, type Outcome } from '../../../protocol/outcome.ts'
import { laneOf } from '../../kernel/lanes.ts'
import { underLanes } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { Docking } from './model.ts'
import { makeCredentials, writeDocking, type AlsoWrite, type Credentials } from './service.ts'
import { insertKey, loadTwin, loadTwinsOf, readDocking, revokeKeysOf, setClockOffset } from './store.ts'

export type TwinIds = { docking: string; keys: [string, string] }
export type Twin = { docking: Docking; credentials: Credentials; renewed: boolean }

/** The sandbox of a live docking; null before the first time that it was asked for. */
async function findTwin(db: Database, live: string): Promise<Docking | null> {
  const row = (await db.run(loadTwin(live)))[0]
  return row ? readDocking(row) : null
}

/** The sandboxes of live dockings, by the live one's id; who has none is not there. */
export async function twinsOf(db: Database, lives: readonly string[]): Promise<Map<string, string>> {
  return lives.length === 0 ? new Map() : new Map((await db.run(loadTwinsOf(lives))).map((row) => [row[0] as string, row[1] as string]))
}

/**
 * The sandbox of a live docking: same partner, same dialect, keys of its own. The first time it is opened, and `also` writes
 * what other rooms keep of it; every further time its keys are replaced by new ones.
 */
export async function openTwin(db: Database, vault: Vault, live: Docking, ids: TwinIds, also: AlsoWrite): Promise<Outcome<Twin>> {
  const known = await findTwin(db, live.id)
  if (known) return accept({ docking: known, credentials: await renewKeys(db, vault, known, ids.keys), renewed: true })
  const command = {
    ids: { partner: live.partner, docking: ids.docking, keys: ids.keys }, name: live.name, mode: 'sandbox' as const, dialect: live.dialect, appId: null, appKey: null, allowedAddresses: [], twinOf: live.id,
  }
  const opened = await db.transaction((connection) =>
    // Under the live docking's lane too: of two that ask at once the second finds what the first has opened.
    underLanes(connection, [live.lane, laneOf(ids.docking)], async (work) => {
      const meanwhile = (await connection.run(loadTwin(live.id)))[0]
      return meanwhile ? readDocking(meanwhile) : writeDocking(connection, vault, command, also, work)
    }))
  if ('id' in opened) return accept({ docking: opened, credentials: await renewKeys(db, vault, opened, ids.keys), renewed: true })
  return opened.ok ? accept({ ...opened.value, renewed: false }) : opened
}

/** Ends every key of a docking and makes the first ones anew. */
export async function renewKeys(db: Database, vault: Vault, docking: Docking, ids: [string, string]): Promise<Credentials> {
  return db.transaction((connection) =>
    underLanes(connection, [docking.lane], async ({ at, append }) => {
      for (const [id] of await connection.run(revokeKeysOf([docking], at))) {
        append({ lane: docking.lane, docking: docking.id, kind: 'key.revoked', subject: id as string, code: null, body: JSON.stringify({ at: at.toISOString() }) })
      }
      const { rows, credentials } = makeCredentials(vault, docking, { ids: { keys: ids }, appKey: null }, at)
      for (const row of rows) {
        await connection.run(insertKey(row))
        append({ lane: docking.lane, docking: docking.id, kind: 'key.added', subject: row.id, code: null, body: JSON.stringify({ kind: row.kind, scopes: row.scopes }) })
      }
      return credentials
    }))
}

/** Moves the clock of a sandbox. Its keys are judged by it; the hub's own clock and every signature's time stay as they are. */
export async function travel(db: Database, docking: Docking, offsetS: number): Promise<void> {
  await db.transaction((connection) =>
    underLanes(connection, [docking.lane], async ({ append }) => {
      await connection.run(setClockOffset(docking.lane, docking.id, offsetS))
      append({ lane: docking.lane, docking: docking.id, kind: 'docking.travelled', subject: docking.id, code: null, body: JSON.stringify({ offsetS }) })
    }))
}
