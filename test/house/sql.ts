import type { ClientBase } from 'pg'
import { isSource, type HouseFile, type Rule } from './files.ts'
import { cut } from './source.ts'

const STATEMENT = /\b(select|insert\s+into|update|delete\s+from|truncate|alter|create|drop|lock\s+table)\b/i

/** The strings of a source that are SQL. A reason code such as `orders.not_found` alone is none. */
function statementsOf(file: HouseFile): readonly { text: string; line: number }[] {
  return isSource(file.path) ? cut(file.text).strings.filter(({ text }) => STATEMENT.test(text)) : []
}

/**
 * One schema a room, and platform's tables are written and read by platform alone. `names`: all tables and functions of
 * the database as `schema.name`, so that a word with a dot in it is not taken for a table.
 */
export function roomsKeepToTheirTables(names: ReadonlySet<string>): Rule {
  return (files) => files.filter(({ path }) => path.startsWith('hub/')).flatMap((file) => {
    const owner = /^hub\/domain\/([^/]+)\//.exec(file.path)?.[1] ?? (file.path.startsWith('hub/platform/') ? 'platform' : 'no schema')
    return statementsOf(file).flatMap(({ text, line }) =>
      [...text.matchAll(/\b([a-z_]+)\.([a-z_]+)\b/g)]
        .filter(([name, schema]) => names.has(name) && schema !== owner)
        .map(([name]) => `${file.path}:${line} writes SQL against ${name}`))
  })
}

const FORBIDDEN: readonly [RegExp, string][] = [
  [/\bpg_(try_)?advisory_\w+/i, 'takes an advisory lock, which holds on one node only'],
  [/(^|;|\$\$)\s*notify\s+\w|\bpg_notify\s*\(/i, 'uses NOTIFY, which does not reach other nodes'],
  [/(^|;)\s*listen\s+\w/i, 'uses LISTEN, which does not hear other nodes'],
  [/\bcreate\s+(or\s+replace\s+)?(constraint\s+)?trigger\b/i, 'makes a row trigger, which a sharded table cannot have'],
  [/\bon\s+delete\s+set\s+(null|default)\b/i, 'sets null on delete, which a lane key forbids'],
  [/\b(small|big)?serial\b/i, 'counts with serial: ids are made in the app'],
  [/\bon\s+conflict\s+on\s+constraint\b/i, 'names a constraint, and a sharded Postgres changes that name'],
]

/** Waiting for another migrator is no part of the order path, and migrations run on one node. */
const MAY_LOCK = 'hub/platform/postgres/migrate.ts'

export const doorToManyMachinesStaysOpen: Rule = (files) => files.filter(({ path }) => path.startsWith('hub/')).flatMap((file) => {
  const parts = isMigration(file.path) ? [{ text: withoutComments(file.text), line: 1 }] : statementsOf(file)
  return parts.flatMap(({ text, line }) => FORBIDDEN.flatMap(([pattern, deed]) => {
    const at = pattern.exec(text)
    if (!at || (file.path === MAY_LOCK && deed.startsWith('takes an advisory lock'))) return []
    return [`${file.path}:${line + text.slice(0, at.index + 1).split('\n').length - 1} ${deed}`]
  }))
})

/** `names`: every constraint and unique index. Code looks at SQLSTATE and at row counts. */
export function constraintsAreNotNamed(names: ReadonlySet<string>): Rule {
  return (files) => files.filter(({ path }) => isSource(path) && /^(hub|cli|sdk)\//.test(path)).flatMap(({ path, text }) => {
    const { code, strings } = cut(text)
    const asked = code.split('\n').flatMap((line, i) => (/\.constraint\b/.test(line) ? [`${path}:${i + 1} asks an error for its constraint`] : []))
    const named = strings.flatMap((string) => [...string.text.matchAll(/(?<![\w.])[a-z]+(_[a-z]+)+(?![\w.])/g)]
      .filter(([name]) => names.has(name)).map(([name]) => `${path}:${string.line} names the constraint ${name}`))
    return [...asked, ...named]
  })
}

export type Key = { readonly table: string; readonly name: string; readonly columns: readonly string[]; readonly tableColumns: readonly string[] }

/** Every unique key of a table with lanes holds the lane, or it could not be spread over shards. */
export function keysHoldTheLane(keys: readonly Key[], justified: Readonly<Record<string, string>>): string[] {
  return keys
    .filter(({ table, columns, tableColumns }) => tableColumns.includes('lane') && !columns.includes('lane') && !(`${table} (${columns.join(', ')})` in justified))
    .map(({ table, name, columns }) => `${table} has the unique key ${name} (${columns.join(', ')}) without lane`)
}

/** Numbers that the database counts. Named with a reason, or an offence. */
export function countedColumns(columns: readonly string[], justified: Readonly<Record<string, string>>): string[] {
  return columns.filter((column) => !(column in justified)).map((column) => `${column} is counted by the database: ids are made in the app`)
}

/** An exception whose case is gone must go too. */
export function staleExceptions(seen: readonly string[], justified: Readonly<Record<string, string>>): string[] {
  return Object.keys(justified).filter((name) => !seen.includes(name)).map((name) => `${name} is excused but does not exist`)
}

export type SchemaFacts = {
  names: Set<string>; constraints: Set<string>; keys: Key[]; counted: string[]; triggers: string[]; crossings: string[]; setNull: string[]
}

/** What the rules ask of a migrated database. */
export async function readSchema(client: ClientBase): Promise<SchemaFacts> {
  const ours = `(select oid from pg_namespace where nspname not like 'pg\\_%' and nspname not in ('public', 'information_schema'))`
  const list = async (query: string) => (await client.query<{ x: string }>(query)).rows.map((row) => row.x)
  return {
    names: new Set(await list(`select n.nspname || '.' || c.relname as x from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relnamespace in ${ours} and c.relkind in ('r', 'p', 'v', 'm')
      union select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.pronamespace in ${ours}`)),
    constraints: new Set(await list(`select conname as x from pg_constraint where connamespace in ${ours}
      union select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where i.indisunique and c.relnamespace in ${ours}`)),
    keys: (await client.query<Key>(`select t.oid::regclass::text as table, c.relname as name,
        array(select a.attname::text from unnest(i.indkey) with ordinality k(n, place) join pg_attribute a on a.attrelid = t.oid and a.attnum = k.n order by k.place) as columns,
        array(select attname::text from pg_attribute where attrelid = t.oid and attnum > 0 and not attisdropped) as "tableColumns"
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
      where i.indisunique and t.relnamespace in ${ours} order by 1, 2`)).rows,
    counted: await list(`select a.attrelid::regclass || '.' || a.attname as x from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace in ${ours} and c.relkind in ('r', 'p') and a.attnum > 0 and (a.attidentity <> ''
        or exists (select from pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and pg_get_expr(d.adbin, d.adrelid) like 'nextval(%'))`),
    triggers: await list(`select tgrelid::regclass || ' ' || tgname as x from pg_trigger t join pg_class c on c.oid = t.tgrelid where not tgisinternal and c.relnamespace in ${ours}`),
    crossings: await list(`select conrelid::regclass || ' refers to ' || confrelid::regclass as x from pg_constraint k
        join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid where a.relnamespace <> b.relnamespace
      union all select n.nspname || '.' || p.proname || ' reads ' || m[1] from pg_proc p join pg_namespace n on n.oid = p.pronamespace,
        regexp_matches(p.prosrc, '\\m(?:from|join|into|update)\\s+((?:[a-z_]+)\\.[a-z_]+)', 'g') m
        where p.pronamespace in ${ours} and split_part(m[1], '.', 1) not in (n.nspname, 'pg_catalog')`),
    setNull: await list(`select conname as x from pg_constraint where connamespace in ${ours} and contype = 'f' and confdeltype in ('n', 'd')`),
  }
}

function isMigration(path: string): boolean {
  return path.startsWith('hub/migrations/') && path.endsWith('.sql')
}

function withoutComments(sql: string): string {
  return sql.replace(/--[^\n]*/g, (comment) => ' '.repeat(comment.length))
}
