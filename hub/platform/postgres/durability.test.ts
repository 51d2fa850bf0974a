import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { freshDatabase } from '../../../test/postgres.ts'
import { StartRefused } from '../refusal-to-start.ts'
import { assertDurable } from './durability.ts'

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const refused = (pattern: RegExp) => (error: unknown) => error instanceof StartRefused && pattern.test(error.message)

/** A client whose server answers with these settings: those that only a restart of a real server could change. */
function pretend(settings: Record<string, string>): Client {
  const all = { fsync: 'on', full_page_writes: 'on', server_version_num: '180004', synchronous_commit: 'on', synchronous_standby_names: '' }
  const rows = Object.entries({ ...all, ...settings }).map(([name, setting]) => ({ name, setting, reset_val: setting }))
  return { query: async (text: string) => ({ rows: text.includes('pg_settings') ? rows : [] }) } as unknown as Client
}

test('the embedded database loses nothing, seen by the hub and by the owner', async (t) => {
  const { ownerUrl, appUrl } = await freshDatabase(t)
  await withClient(appUrl, assertDurable)
  await withClient(ownerUrl, assertDurable)
})

test('a commit that does not wait for the disk is refused wherever it was set', async (t) => {
  const { ownerUrl, appUrl, name } = await freshDatabase(t)
  const pattern = refused(/synchronous_commit = (off|remote_write) and may lose/)

  await withClient(appUrl, async (client) => {
    for (const value of ['off', 'remote_write']) {
      await client.query(`set synchronous_commit = ${value}`)
      await assert.rejects(assertDurable(client), pattern)
    }
    await client.query('set synchronous_commit = local')
    await assertDurable(client)
  })

  const inUrl = new URL(appUrl)
  inUrl.searchParams.set('options', '-c synchronous_commit=off')
  await withClient(inUrl.href, (client) => assert.rejects(assertDurable(client), pattern))

  await withClient(ownerUrl, (client) => client.query(`alter role berth_app in database ${name} set synchronous_commit = off`))
  await withClient(appUrl, async (client) => {
    // A session that repairs itself hides it from this connection and from no other.
    await client.query('set synchronous_commit = on')
    await assert.rejects(assertDurable(client), pattern)
  })
})

test('settings of the server that may lose commits are named, as is a server that is too old', async (t: TestContext) => {
  const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ fsync: 'off' }, /fsync = off.*set fsync = on/],
    [{ full_page_writes: 'off' }, /full_page_writes = off/],
    [{ synchronous_commit: 'local', synchronous_standby_names: 'b' }, /synchronous_commit = local/],
    [{ server_version_num: '140011' }, /Postgres 14.*needs 15/],
  ]
  for (const [settings, pattern] of cases) {
    await t.test(JSON.stringify(settings), () => assert.rejects(assertDurable(pretend(settings)), refused(pattern)))
  }
  await assertDurable(pretend({ synchronous_commit: 'remote_apply', synchronous_standby_names: 'b' }))
  await assertDurable(pretend({ server_version_num: '150000' }))
})

test('a table that a crash would empty is refused by name; one that is not ours is not', async (t) => {
  const { ownerUrl } = await freshDatabase(t)
  await withClient(ownerUrl, async (client) => {
    await client.query('create unlogged table public.scratch (n int)')
    await assertDurable(client)
    await client.query('create schema shelf; create unlogged table shelf.orders (n int)')
    await assert.rejects(assertDurable(client), refused(/shelf\.orders.*set logged/))
  })
})
