import { Client } from 'pg'
import type { TestHub } from './hub.ts'

/** Keeps every batch of orders waiting until it is let go: what happens meanwhile happens before any answer. */
export function holdLanes(hub: TestHub): Promise<() => Promise<void>> {
  return hold(hub, 'select 1 from platform.lanes for update')
}

/** Keeps all reads of a table waiting until it is let go. */
export function holdTable(hub: TestHub, table: string): Promise<() => Promise<void>> {
  return hold(hub, `lock table ${table} in access exclusive mode`)
}

async function hold(hub: TestHub, statement: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: hub.ownerUrl })
  await client.connect()
  await client.query('begin')
  await client.query(statement)
  return async () => {
    await client.query('rollback')
    await client.end()
  }
}
