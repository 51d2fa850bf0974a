import { array, type Rows, type Statement } from '../../platform/postgres/database.ts'
import type { Migration } from './model.ts'

export function lockMigration(id: string): Statement {
  return { text: 'select id, step, state, published_step, source from migration.migrations where id = $1 for update', values: [id] }
}

export function loadMigration(id: string): Statement {
  return { text: 'select id, step, state, published_step, source from migration.migrations where id = $1', values: [id] }
}

export function readMigration(rows: Rows): Migration | null {
  const row = rows[0]
  return row ? { id: row[0] as string, step: row[1] as number, state: row[2] as Migration['state'], publishedStep: row[3] as number, source: row[4] as string } : null
}

export function insertMigration(id: string, step: number, source: string): Statement {
  return {
    text: `insert into migration.migrations (id, step, source, state, begun_at, changed_at) values ($1, $2, $3, 'open', clock_timestamp(), clock_timestamp()) on conflict do nothing`,
    values: [id, step, source],
  }
}

export function moveMigration(id: string, step: number, source: string): Statement {
  return { text: 'update migration.migrations set step = $2, source = $3, changed_at = clock_timestamp() where id = $1', values: [id, step, source] }
}

export function markWithdrawn(id: string): Statement {
  return { text: `update migration.migrations set state = 'withdrawn', changed_at = clock_timestamp() where id = $1`, values: [id] }
}

export function markPublished(id: string, step: number): Statement {
  return { text: 'update migration.migrations set published_step = $2, changed_at = clock_timestamp() where id = $1', values: [id, step] }
}

/** Writes down which goods a migration is about to bring, before it brings them. */
export function insertBrought(migration: string, codes: readonly string[]): Statement {
  return {
    text: 'insert into migration.goods (migration, code) select $1, code from unnest($2::text[]) code on conflict do nothing',
    values: [migration, array.text(codes)],
  }
}

/** Of these codes, the ones that this migration brought, or one that was withdrawn since. */
export function loadBrought(migration: string, codes: readonly string[]): Statement {
  return {
    text: `select distinct g.code from migration.goods g join migration.migrations m on m.id = g.migration
      where g.code = any($2::text[]) and (g.migration = $1 or m.state = 'withdrawn')`,
    values: [migration, array.text(codes)],
  }
}

export function loadBroughtPage(migration: string, after: string, limit: number): Statement {
  return { text: 'select code, kept_back from migration.goods where migration = $1 and code > $2 order by code limit $3', values: [migration, after, limit] }
}

/** What the last flip kept back, of these goods; all others kept nothing. */
export function writeKeptBack(migration: string, kept: ReadonlyMap<string, number>): Statement {
  return {
    text: `update migration.goods g set kept_back = coalesce((select k.count from unnest($2::text[], $3::int[]) k(code, count) where k.code = g.code), 0)
      where g.migration = $1 and (g.kept_back > 0 or g.code = any($2::text[]))`,
    values: [migration, array.text([...kept.keys()]), array.bare([...kept.values()])],
  }
}
