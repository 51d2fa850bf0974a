import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** Where a test's database is: the owner migrates and looks at everything, the app is what the hub connects as. */
export type TestDatabase = { readonly ownerUrl: string; readonly appUrl: string; readonly name: string }

/** A test context, or the `after` of node:test for a database that a whole file shares. */
type Owner = { after(drop: () => Promise<void>): void }

/**
 * A database of its own, migrated and empty, copied from the template that test/run.ts made (about 30 ms). It is
 * dropped when the test ends, whoever is still connected.
 */
export async function freshDatabase(t: Owner): Promise<TestDatabase> {
  return makeDatabase(t, readEnvironment().template)
}

/** A database without any schema of ours, for tests of the migrations themselves. */
export async function emptyDatabase(t: Owner): Promise<TestDatabase> {
  return makeDatabase(t, 'template1')
}

async function makeDatabase(t: Owner, template: string): Promise<TestDatabase> {
  const { owner, app } = readEnvironment()
  const name = `berth_test_${randomBytes(8).toString('hex')}`
  await asOwner(owner, `create database ${name} template ${template}`)
  t.after(() => asOwner(owner, `drop database if exists ${name} with (force)`))
  return { ownerUrl: withDatabase(owner, name), appUrl: withDatabase(app, name), name }
}

function readEnvironment(): { owner: string; app: string; template: string } {
  const { BERTH_TEST_OWNER_URL: owner, BERTH_TEST_APP_URL: app, BERTH_TEST_TEMPLATE: template } = process.env
  if (owner && app && template) return { owner, app, template }
  throw new Error('There is no test database: run "npm test", or "node test/run.ts" with a part of the file\'s name')
}

/** The same server and user, another database. */
export function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

async function asOwner(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
