import type { ClientBase } from 'pg'
import { StartRefused } from '../refusal-to-start.ts'
import { ourSchemas } from './schema.ts'

const oldestVersion = 150_000

type Setting = { readonly name: string; readonly setting: string; readonly reset_val: string }

/**
 * Throws StartRefused on a database that may lose a committed order: too old, a setting that lets commits go before
 * they are on disk, or a table of ours that is emptied by a crash. Ask it on a connection as the hub opens them: what
 * is set for the role, the database or in the URL counts. (With synchronous_commit off a kill -9 lost 16 of 2,284
 * acknowledged orders; on, 0 of 2,266.)
 */
export async function assertDurable(client: ClientBase): Promise<void> {
  const { rows } = await client.query<Setting>(
    `select name, setting, reset_val from pg_settings
     where name in ('fsync', 'full_page_writes', 'server_version_num', 'synchronous_commit', 'synchronous_standby_names')`,
  )
  const settings = new Map(rows.map((row) => [row.name, row]))
  const version = Number(settings.get('server_version_num')?.setting)
  if (!(version >= oldestVersion)) {
    throw new StartRefused(
      `The database is Postgres ${Math.floor(version / 10_000)}: Berth needs 15 or newer; upgrade it, or unset DATABASE_URL to use the embedded one.`,
    )
  }
  const hasStandbys = (settings.get('synchronous_standby_names')?.setting ?? '') !== ''
  const safe: Readonly<Record<string, readonly string[]>> = {
    fsync: ['on'],
    full_page_writes: ['on'],
    // "local" does not wait for a standby: safe only where there is none to fail over to.
    synchronous_commit: hasStandbys ? ['on', 'remote_apply'] : ['on', 'remote_apply', 'local'],
  }
  for (const [name, allowed] of Object.entries(safe)) {
    // `setting` is what this session has, `reset_val` what it falls back to: both must be safe.
    const { setting = 'unknown', reset_val = 'unknown' } = settings.get(name) ?? {}
    const bad = [setting, reset_val].find((value) => !allowed.includes(value))
    if (bad === undefined) continue
    throw new StartRefused(
      `The database has ${name} = ${bad} and may lose a committed order: set ${name} = on for the server, and remove it from the role, the database and DATABASE_URL.`,
    )
  }
  await assertLogged(client)
}

async function assertLogged(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relpersistence = 'u' and c.relkind in ('r', 'p') and n.oid in (${ourSchemas})
     order by 1`,
  )
  if (rows.length === 0) return
  const names = rows.map((row) => row.name).join(', ')
  throw new StartRefused(
    `A crash empties the unlogged ${names}: run "alter table … set logged" on it before starting.`,
  )
}
