import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { emptyDatabase } from '../../../test/postgres.ts'
import { StartRefused } from '../refusal-to-start.ts'
import { assertSchemaIsKnown, migrate, schemaVersion } from './migrate.ts'

const first = { '0001_shelf.sql': 'create schema shelf; create table shelf.goods (name text); grant usage on schema shelf to berth_app;' }
const second = { '0002_price.sql': 'alter table shelf.goods add column price bigint not null default 0;' }

function makeMigrations(t: TestContext, files: Record<string, string>): string {
  const dir = mkdtempSync(join(tmpdir(), 'berth-migrations-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}

async function connect(t: TestContext, url: string): Promise<Client> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  return client
}

const refused = (pattern: RegExp) => (error: unknown) => error instanceof StartRefused && pattern.test(error.message)

test('migrations are applied once, in order, and the hub may read which', async (t) => {
  const { ownerUrl, appUrl } = await emptyDatabase(t)
  const owner = await connect(t, ownerUrl)
  assert.equal(await schemaVersion(owner), 0)
  assert.deepEqual(await migrate(owner, makeMigrations(t, first)), { from: 0, to: 1 })

  const both = makeMigrations(t, { ...first, ...second, 'schema.sql': 'this is not a migration' })
  assert.deepEqual(await migrate(owner, both), { from: 1, to: 2 })
  assert.deepEqual(await migrate(owner, both), { from: 2, to: 2 })
  const { rows } = await owner.query(`select version, name, length(sha256) as hash from platform.migrations order by 1`)
  assert.deepEqual(rows, [{ version: 1, name: 'shelf', hash: 64 }, { version: 2, name: 'price', hash: 64 }])

  const app = await connect(t, appUrl)
  await assertSchemaIsKnown(app, both)
  assert.equal(await schemaVersion(app), 2)
})

test('ten migrators at once apply each migration one time', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const dir = makeMigrations(t, { ...first, ...second })
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect(t, ownerUrl)))
  const results = await Promise.all(clients.map((client) => migrate(client, dir)))
  assert.ok(results.every(({ to }) => to === 2))
})

test('a migration that fails leaves nothing behind, and those before it stay', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const owner = await connect(t, ownerUrl)
  const broken = makeMigrations(t, { ...first, '0002_broken.sql': 'create table shelf.half (n int); select 1 / 0;' })
  await assert.rejects(migrate(owner, broken), /Migration 2 \(broken\) failed/)
  const { rows } = await owner.query(`select to_regclass('shelf.half') as half, to_regclass('shelf.goods')::text as goods`)
  assert.deepEqual(rows[0], { half: null, goods: 'shelf.goods' })
  assert.deepEqual(await migrate(owner, makeMigrations(t, { ...first, ...second })), { from: 1, to: 2 })
})

test('a database newer or older than this version, or a rewritten past, refuses the start', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const owner = await connect(t, ownerUrl)
  const old = makeMigrations(t, first)
  const current = makeMigrations(t, { ...first, ...second })

  await assert.rejects(assertSchemaIsKnown(owner, old), refused(/version 0.*needs 1.*npm run migrate/))
  await migrate(owner, current)
  await assert.rejects(migrate(owner, old), refused(/version 2.*knows 1.*newer/))
  await assert.rejects(assertSchemaIsKnown(owner, old), refused(/version 2.*knows 1.*newer/))

  const rewritten = makeMigrations(t, { '0001_shelf.sql': `${first['0001_shelf.sql']} -- changed`, ...second })
  await assert.rejects(migrate(owner, rewritten), refused(/Migration 1 \(shelf\) was changed/))
  const slipped = makeMigrations(t, { '0002_price.sql': second['0002_price.sql'], '0003_more.sql': 'select 1' })
  await assert.rejects(migrate(owner, slipped), refused(/Migration 1 \(shelf\) stands in the database/))
})

test('a checkout with CRLF line ends is the same migration', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const owner = await connect(t, ownerUrl)
  const text = 'create schema shelf;\ncreate table shelf.goods (name text);\n'
  await migrate(owner, makeMigrations(t, { '0001_shelf.sql': text }))
  await assertSchemaIsKnown(owner, makeMigrations(t, { '0001_shelf.sql': text.replaceAll('\n', '\r\n') }))
})

test('a migration may not end the transaction it runs in, and numbers are unique', async (t) => {
  const { ownerUrl } = await emptyDatabase(t)
  const owner = await connect(t, ownerUrl)
  await assert.rejects(migrate(owner, makeMigrations(t, { '0001_a.sql': 'select 1;\ncommit;' })), /0001_a\.sql ends or begins/)
  await assert.rejects(migrate(owner, makeMigrations(t, { '0001_a.sql': '', '0001_b.sql': '' })), /Two migrations/)
})
