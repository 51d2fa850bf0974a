import type { Rows, Statement } from '../../platform/postgres/database.ts'
import type { Vault } from '../../platform/sealing/vault.ts'
import type { Access, Case } from './model.ts'

/** Sealed texts come in steps of so many bytes: their lengths tell no more than a number of pages. */
const CASE_PAGE = 4_096
const ACCESS_PAGE = 1_024

export type KeptCase = { one: Case; version: number }

export function insertCase(vault: Vault, one: Case): Statement {
  return { text: 'insert into compliance.cases (id, version, sealed) values ($1, 1, $2)', values: [one.id, sealPadded(vault, one, caseContext(one.id), CASE_PAGE)] }
}

/** Writes a case over the version that was read; no row if somebody was quicker. */
export function writeCase(vault: Vault, one: Case, version: number): Statement {
  return {
    text: 'update compliance.cases set sealed = $2, version = version + 1 where id = $1 and version = $3 returning id',
    values: [one.id, sealPadded(vault, one, caseContext(one.id), CASE_PAGE), version],
  }
}

export function loadCase(id: string): Statement {
  return { text: 'select id, version, sealed from compliance.cases where id = $1', values: [id] }
}

/** A page of cases by their ids, which tell no order. */
export function loadCases(after: string, limit: number): Statement {
  return { text: 'select id, version, sealed from compliance.cases where id > $1 order by id limit $2', values: [after, limit] }
}

export function readCases(vault: Vault, rows: Rows): KeptCase[] {
  return rows.map((row) => ({ one: openPadded<Case>(vault, row[2] as Buffer, caseContext(row[0] as string)), version: row[1] as number }))
}

/** The end of a case, once. The two hashes of one person are equal, and the database refuses the row. */
export function insertEnding(vault: Vault, id: string, maker: string, checker: string): Statement {
  const hash = (name: string) => vault.blind(`case ${id} ${name}`)
  return { text: 'insert into compliance.endings (case_id, maker, checker) values ($1, $2, $3)', values: [id, hash(maker), hash(checker)] }
}

/** No row when another line took the number meanwhile. */
export function insertAccess(vault: Vault, caseId: string, access: Omit<Access, 'number'>): Statement {
  return {
    text: `insert into compliance.accesses (case_id, number, sealed) select $1, coalesce(max(number), 0) + 1, $2 from compliance.accesses where case_id = $1
      on conflict do nothing returning number`,
    values: [caseId, sealPadded(vault, access, accessContext(caseId), ACCESS_PAGE)],
  }
}

/** The newest lines first. */
export function loadAccesses(caseId: string, before: number | null, limit: number): Statement {
  return {
    text: 'select number, sealed from compliance.accesses where case_id = $1 and ($2::int is null or number < $2) order by number desc limit $3',
    values: [caseId, before, limit],
  }
}

export function readAccesses(vault: Vault, caseId: string, rows: Rows): Access[] {
  return rows.map((row) => ({ ...openPadded<Omit<Access, 'number'>>(vault, row[1] as Buffer, accessContext(caseId)), number: row[0] as number }))
}

function sealPadded(vault: Vault, value: object, context: string, page: number): Buffer {
  const text = Buffer.from(JSON.stringify(value))
  const padded = Buffer.alloc(Math.ceil(text.length / page) * page, ' ')
  text.copy(padded)
  return vault.seal(padded, context)
}

function openPadded<T>(vault: Vault, sealed: Buffer, context: string): T {
  return JSON.parse(vault.open(sealed, context).toString('utf8')) as T
}

function caseContext(id: string): string {
  return `case|${id}`
}

function accessContext(caseId: string): string {
  return `case access|${caseId}`
}
