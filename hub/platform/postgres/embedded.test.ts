import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { isAlive, processesIn, waitForEnd } from '../process-table.ts'
import { StartRefused } from '../refusal-to-start.ts'
import { startEmbedded, type Embedded } from './embedded.ts'

const isRoot = process.getuid?.() === 0
const hasProc = process.platform === 'linux'

/** What each test leaves: servers are stopped before the folders under them go. */
const started = new WeakMap<TestContext, Embedded[]>()

function makeFolder(t: TestContext, mode = 0o711): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-embedded-'))
  chmodSync(folder, mode)
  const servers: Embedded[] = []
  started.set(t, servers)
  t.after(async () => {
    for (const server of servers) await server.stop()
    const sockets = servers.map((server) => new URL(server.appUrl).searchParams.get('host') ?? '')
    for (const path of [folder, ...servers.map((server) => server.home), ...sockets]) {
      rmSync(path, { recursive: true, force: true })
    }
  })
  return folder
}

async function start(t: TestContext, dataDir: string, log: (sentence: string) => void = () => {}): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir, log })
  started.get(t)?.push(embedded)
  return embedded
}

async function ask(url: string, text: string): Promise<Record<string, unknown>> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return ((await client.query(text)).rows[0] ?? {}) as Record<string, unknown>
  } finally {
    await client.end()
  }
}

test('a lock of the socket that names some other living process does not keep the next start from it', async (t) => {
  const dataDir = join(makeFolder(t), 'data')
  const first = await start(t, dataDir)
  const socketDir = new URL(first.appUrl).searchParams.get('host')!
  await first.stop()
  writeFileSync(join(socketDir, '.s.PGSQL.5432.lock'), `${process.pid}\n${dataDir}/postgres\n1795395000\n5432\n${socketDir}\n`)
  const { appUrl } = await start(t, dataDir)
  assert.deepEqual(await ask(appUrl, 'select 1 as one'), { one: 1 })
})

test('the first start makes two roles and a database that loses nothing, reachable by its socket alone', async (t) => {
  const dataDir = join(makeFolder(t), 'data')
  const { ownerUrl, appUrl, adopted, home } = await start(t, dataDir)

  assert.equal(adopted, false)
  assert.equal(home, dataDir)
  const found = await ask(
    ownerUrl,
    `select current_user as who, current_database() as db, inet_server_addr() as address,
       (select datcollate from pg_database where datname = 'berth') as collation, pg_encoding_to_char(encoding) as encoding,
       (select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name in
         ('data_checksums', 'fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses')) as settings
     from pg_database where datname = 'berth'`,
  )
  assert.deepEqual(found, {
    who: 'berth_owner',
    db: 'berth',
    address: null,
    collation: 'C',
    encoding: 'UTF8',
    settings: 'data_checksums=on fsync=on full_page_writes=on listen_addresses= synchronous_commit=on',
  })
  const app = await ask(appUrl, 'select rolname, rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user')
  assert.deepEqual(app, { rolname: 'berth_app', rolsuper: false, rolcreatedb: false, rolcreaterole: false })
  assert.equal(statSync(join(dataDir, 'postgres.json')).mode & 0o777, 0o600)
  assert.equal(statSync(join(dataDir, 'socket')).mode & 0o777, 0o700)
})

test('even on the socket nobody comes in with another password', async (t) => {
  const { ownerUrl } = await start(t, makeFolder(t))
  const wrong = new URL(ownerUrl)
  wrong.password = 'guess'
  await assert.rejects(ask(wrong.href, 'select 1'), { code: '28P01' })
})

test('a stop and a start keep the data, the passwords and the addresses', async (t) => {
  const dataDir = makeFolder(t)
  const first = await start(t, dataDir)
  await ask(first.ownerUrl, 'create table kept as select 7 as n')
  await first.stop()
  assert.equal(await first.exited, 0)
  assert.equal(isAlive(first.pid), false)

  const second = await start(t, dataDir)
  assert.deepEqual([second.ownerUrl, second.appUrl], [first.ownerUrl, first.appUrl])
  assert.deepEqual(await ask(second.ownerUrl, 'select n from kept'), { n: 7 })
})

test('the server survives a kill -9 of its parent, and the next start adopts it', async (t) => {
  const dataDir = makeFolder(t)
  const script = `import { startEmbedded } from ${JSON.stringify(join(import.meta.dirname, 'embedded.ts'))}
    const { pid } = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)}, log() {} })
    console.log(pid)`
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const pid = await new Promise<number>((found) => parent.stdout.once('data', (chunk: Buffer) => found(Number(chunk))))
  const gone = new Promise((end) => parent.once('exit', end))
  parent.kill('SIGKILL')
  await gone

  const next = await start(t, dataDir)
  assert.deepEqual([next.adopted, next.pid], [true, pid])
  assert.equal((await ask(next.appUrl, 'select 1 as one')).one, 1)
  await next.stop()
  assert.equal(isAlive(pid), false)
  assert.equal(await next.exited, null)
})

test('after kill -9 of the postmaster and all its children every acknowledged row is there', { skip: !hasProc }, async (t) => {
  const dataDir = makeFolder(t)
  let server = await start(t, dataDir)
  await ask(server.ownerUrl, 'create table written (n int primary key)')
  for (const victims of ['postmaster', 'everybody'] as const) {
    const acknowledged: number[] = []
    const client = new Client({ connectionString: server.ownerUrl })
    client.on('error', () => {})
    await client.connect()
    const base = victims === 'postmaster' ? 0 : 1_000_000
    const writer = (async () => {
      for (let n = base; ; n++) {
        await client.query('insert into written values ($1)', [n])
        acknowledged.push(n)
        if (acknowledged.length !== 50) continue
        const pids = victims === 'everybody' ? processesIn(join(server.home, 'postgres')) : [server.pid]
        for (const pid of pids) process.kill(pid, 'SIGKILL')
      }
    })()
    await assert.rejects(writer)
    assert.equal(await server.exited, null)

    server = await start(t, dataDir)
    assert.equal(server.adopted, false)
    const { kept } = await ask(server.ownerUrl, `select array_agg(n order by n) as kept from written where n >= ${base}`)
    assert.ok(acknowledged.length >= 50)
    assert.deepEqual((kept as number[]).slice(0, acknowledged.length), acknowledged)
  }
})

test('a stale postmaster.pid is no obstacle, even if its number is now another program', async (t) => {
  const dataDir = makeFolder(t)
  const first = await start(t, dataDir)
  const pidFile = join(first.home, 'postgres', 'postmaster.pid')
  const lines = readFileSync(pidFile, 'utf8').split('\n')
  await first.stop()
  for (const pid of [process.pid, 4_000_000]) {
    writeFileSync(pidFile, [pid, ...lines.slice(1)].join('\n'))
    const next = await start(t, dataDir)
    assert.equal(next.adopted, false)
    await next.stop()
  }
})

test('a server of an earlier life that does not answer is stopped, and another takes its place', { skip: !hasProc }, async (t) => {
  const dataDir = makeFolder(t)
  const sick = await start(t, dataDir)
  process.kill(sick.pid, 'SIGSTOP')
  const said: string[] = []
  const next = await start(t, dataDir, (sentence) => said.push(sentence))
  assert.equal(next.adopted, false)
  assert.notEqual(next.pid, sick.pid)
  assert.ok(await waitForEnd(sick.pid, 100))
  assert.match(said.join(), /does not answer/)
})

test('under root in a private home the data goes where the unprivileged user can reach it', { skip: !isRoot }, async (t) => {
  const privateHome = makeFolder(t, 0o700)
  const dataDir = join(privateHome, 'data')
  const first = await start(t, dataDir)
  assert.ok(!first.home.startsWith(privateHome))
  assert.notEqual(statSync(join(first.home, 'postgres')).uid, 0)
  await first.stop()
  // The place is remembered, also when the data folder is moved.
  const moved = join(privateHome, 'moved')
  mkdirSync(moved)
  writeFileSync(join(moved, 'postgres.json'), readFileSync(join(dataDir, 'postgres.json')), { mode: 0o600 })
  assert.equal((await start(t, moved)).home, first.home)
})

test('a path that is too long for a socket is served from a short one', async (t) => {
  const long = join(makeFolder(t), 'a'.repeat(60), 'b'.repeat(60))
  mkdirSync(long, { recursive: true })
  const { appUrl } = await start(t, long)
  const socketDir = new URL(appUrl).searchParams.get('host') ?? ''
  assert.ok(!socketDir.startsWith(long))
  assert.equal((await ask(appUrl, 'select 1 as one')).one, 1)
})

test('a first start that was killed while it made the data begins again', async (t) => {
  const dataDir = makeFolder(t)
  mkdirSync(join(dataDir, 'postgres.new', 'base'), { recursive: true })
  writeFileSync(join(dataDir, 'postgres.new', 'PG_VERSION'), '18\n')
  const { ownerUrl } = await start(t, dataDir)
  assert.equal((await ask(ownerUrl, 'select 1 as one')).one, 1)
  assert.equal(existsSync(join(dataDir, 'postgres.new')), false)
})

test('what an operator has to mend is one sentence with the way out', async (t) => {
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'file'), '')
  const refused = (pattern: RegExp) => (error: unknown) => error instanceof StartRefused && pattern.test(error.message)
  const begin = (dataDir: string) => startEmbedded({ dataDir, log() {} })

  await assert.rejects(begin(join(folder, 'file', 'data')), refused(/Cannot write.*set DATA_DIR/))

  const other = await start(t, join(folder, 'other'))
  await other.stop()
  writeFileSync(join(other.home, 'postgres', 'PG_VERSION'), '17\n')
  await assert.rejects(begin(join(folder, 'other')), refused(/Postgres 17.*pg_upgrade/))

  rmSync(join(folder, 'other', 'postgres.json'))
  await assert.rejects(begin(join(folder, 'other')), refused(/postgres\.json.*missing.*backup/))
})
