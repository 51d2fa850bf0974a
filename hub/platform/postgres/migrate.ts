import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ClientBase } from 'pg'
import { StartRefused } from '../refusal-to-start.ts'

type Migration = { readonly version: number; readonly name: string; readonly text: string; readonly sha256: string }
type Applied = { readonly version: number; readonly name: string; readonly sha256: string }

const ourMigrations = fileURLToPath(new URL('../../migrations', import.meta.url))

/** "berth" in ASCII: all migrators of one database wait for each other on it. */
const migratorLock = 0x6265727468

/**
 * Applies the files `NNNN_name.sql` of `dir` that the database has not seen, in order, each in a transaction of its own
 * with its record in platform.migrations. Several migrators may run at once: one works, the others find it done. Safe
 * behind pgbouncer, since the lock ends with its transaction. `client` is the owner of the database and not in a
 * transaction. Throws StartRefused if an applied file was changed or the database knows more than `dir`.
 */
export async function migrate(client: ClientBase, dir = ourMigrations): Promise<{ from: number; to: number }> {
  const migrations = readMigrations(dir)
  const from = await inLockedTransaction(client, async () => {
    await prepare(client)
    return lastOf(await readApplied(client))
  })
  let to = from
  for (;;) {
    const next = await inLockedTransaction(client, async () => {
      const applied = await readApplied(client)
      assertPrefix(applied, migrations)
      const migration = migrations[applied.length]
      if (migration !== undefined) await apply(client, migration)
      return migration
    })
    if (next === undefined) return { from, to: Math.max(to, lastOf(migrations)) }
    to = next.version
  }
}

/** The version of the last applied migration; 0 for a database that was never migrated. */
export async function schemaVersion(client: ClientBase): Promise<number> {
  return lastOf(await readAppliedIfAny(client))
}

/**
 * Throws StartRefused unless the database has exactly the migrations of `dir`: a hub on a schema newer than it knows
 * would write rows that it does not understand, on an older one it would fail at the first order.
 */
export async function assertSchemaIsKnown(client: ClientBase, dir = ourMigrations): Promise<void> {
  const migrations = readMigrations(dir)
  const applied = await readAppliedIfAny(client)
  assertPrefix(applied, migrations)
  if (applied.length < migrations.length) {
    throw new StartRefused(
      `The database's schema is at version ${lastOf(applied)}, this Berth needs ${lastOf(migrations)}: run "npm run migrate" first.`,
    )
  }
}

function readMigrations(dir: string): readonly Migration[] {
  const files = readdirSync(dir).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort()
  const migrations = files.map((file) => {
    // A checkout with CRLF line ends is the same migration.
    const text = readFileSync(`${dir}/${file}`, 'utf8').replaceAll('\r\n', '\n')
    if (/^\s*(begin|commit|rollback|end)\s*;/im.test(text)) {
      throw new Error(`${file} ends or begins a transaction: each migration runs in one that is made for it`)
    }
    const sha256 = createHash('sha256').update(text).digest('hex')
    return { version: Number(file.slice(0, 4)), name: file.slice(5, -4), text, sha256 }
  })
  migrations.forEach(({ version, name }, index) => {
    if (migrations[index + 1]?.version === version) throw new Error(`Two migrations have the number of ${name}: ${version}`)
  })
  return migrations
}

function assertPrefix(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const known = lastOf(migrations)
  if (lastOf(applied) > known) {
    throw new StartRefused(
      `The database's schema is at version ${lastOf(applied)}, this Berth knows ${known}: start the newer Berth that migrated it, or restore the backup from before.`,
    )
  }
  applied.forEach((was, index) => {
    const is = migrations[index]
    if (is?.version !== was.version) {
      throw new StartRefused(
        `Migration ${was.version} (${was.name}) stands in the database where the files have ${is?.version ?? 'none'}: put the migrations folder back to what was released, and give new migrations higher numbers.`,
      )
    }
    if (is.sha256 !== was.sha256) {
      throw new StartRefused(
        `Migration ${was.version} (${was.name}) was changed after it was applied: put the file back, and write the change as a new migration.`,
      )
    }
  })
}

async function inLockedTransaction<T>(client: ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock($1)', [migratorLock])
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

async function prepare(client: ClientBase): Promise<void> {
  // Roles belong to the whole server, and the lock to one database: another database may make the role meanwhile.
  await client
    .query(
      `do $$ begin
         if not exists (select from pg_roles where rolname = 'berth_app') then create role berth_app login; end if;
       exception when duplicate_object or unique_violation then null;
       end $$`,
    )
    .catch((error: { code?: string }) => {
      if (error.code !== '42501') throw error
      throw new StartRefused(
        'The owner in DATABASE_OWNER_URL may not create roles: have an administrator run "create role berth_app login password \'…\'" once.',
      )
    })
  await client.query(
    `create schema if not exists platform;
     create table if not exists platform.migrations (
       version int primary key,
       name text not null,
       sha256 text not null,
       applied_at timestamptz not null default now()
     );
     grant usage on schema platform to berth_app;
     grant select on platform.migrations to berth_app`,
  )
}

async function apply(client: ClientBase, migration: Migration): Promise<void> {
  try {
    await client.query(migration.text)
  } catch (error) {
    const { message, position } = error as { message: string; position?: string }
    const where = position === undefined ? '' : ` at line ${migration.text.slice(0, Number(position)).split('\n').length}`
    throw new Error(`Migration ${migration.version} (${migration.name}) failed${where} and left nothing behind: ${message}`, {
      cause: error,
    })
  }
  await client.query('insert into platform.migrations (version, name, sha256) values ($1, $2, $3)', [
    migration.version,
    migration.name,
    migration.sha256,
  ])
}

async function readApplied(client: ClientBase): Promise<readonly Applied[]> {
  const { rows } = await client.query<Applied>('select version, name, sha256 from platform.migrations order by version')
  return rows
}

async function readAppliedIfAny(client: ClientBase): Promise<readonly Applied[]> {
  const { rows } = await client.query<{ made: boolean }>(`select to_regclass('platform.migrations') is not null as made`)
  return rows[0]?.made === true ? readApplied(client) : []
}

function lastOf(list: readonly { readonly version: number }[]): number {
  return list.at(-1)?.version ?? 0
}
