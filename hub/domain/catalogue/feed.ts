import type { Connection, Database } from '../../platform/postgres/database.ts'
import type { Change } from './model.ts'
import { loadChanges, readChanges } from './store.ts'

const CHUNK = 5_000

/**
 * Numbers the changes that are seen to be committed. Whoever holds the feed's row lock numbers; a change whose
 * transaction is still open is not seen and gets a later position when it is, so a reader never steps over it.
 * @returns how many were numbered
 */
export async function sequenceChanges(db: Database): Promise<number> {
  return db.transaction(async (connection) => {
    await connection.run({ text: 'select head from catalogue.feed where one for update', values: [] })
    // A statement of its own: its snapshot is taken after the wait for the lock.
    return numberWaiting(connection)
  })
}

async function numberWaiting(connection: Connection): Promise<number> {
  const rows = await connection.run({
    text: `with waiting as (select id from catalogue.changes where position is null order by id limit $1),
        numbered as (select w.id, f.head + row_number() over (order by w.id) as position from waiting w, catalogue.feed f where f.one),
        written as (update catalogue.changes c set position = n.position from numbered n where c.id = n.id returning c.position),
        moved as (update catalogue.feed set head = coalesce((select max(position) from written), head) where one returning head)
      select (select count(*)::int from written), (select head from moved)`,
    values: [CHUNK],
  })
  return rows[0]![0] as number
}

/**
 * A page of the feed for one docking. `head` is the position to ask from next, even where others' changes were left out.
 * @param group the price group that counts for the docking now; moving it to another writes changes of the docking's own
 */
export async function changesFor(db: Database, docking: string, after: bigint, limit: number, group: string | null = null): Promise<{ changes: Change[]; head: bigint }> {
  const waiting = await db.run({ name: 'catalogue.waiting', text: 'select exists (select from catalogue.changes where position is null)', values: [] })
  if (waiting[0]![0]) await sequenceChanges(db)
  const head = await feedHead(db)
  const changes = readChanges(await db.run(loadChanges(docking, group, after, limit)))
  const last = changes.at(-1)?.position
  return { changes, head: changes.length === limit ? last! : last !== undefined && last > head ? last : head < after ? after : head }
}

/** Up to where the feed is numbered. */
export async function feedHead(db: Connection): Promise<bigint> {
  return (await db.run({ name: 'catalogue.head', text: 'select head from catalogue.feed where one', values: [] }))[0]![0] as bigint
}
