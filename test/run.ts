import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { startEmbedded } from '../hub/platform/postgres/embedded.ts'
import { migrate } from '../hub/platform/postgres/migrate.ts'
import { withDatabase } from './postgres.ts'

// node test/run.ts [part of a file name …] [--option of node …]: one Postgres for all files, a database for each.
type Server = { readonly ownerUrl: string; readonly appUrl: string; stop(): Promise<void> }

const root = join(import.meta.dirname, '..')
const template = `berth_template_${randomBytes(4).toString('hex')}`
let interrupted: NodeJS.Signals | undefined
let forward: (name: NodeJS.Signals) => void = () => {}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    interrupted = name
    forward(name)
  })
}
process.exitCode = await run(process.argv.slice(2))

async function run(words: readonly string[]): Promise<number> {
  const files = findTests(words.filter((word) => !word.startsWith('-')))
  if (files.length === 0) {
    console.error(`No test file has ${words.join(' or ')} in its name.`)
    return 1
  }
  const server = await startServer()
  try {
    await makeTemplate(server.ownerUrl)
    if (interrupted !== undefined) return 130
    return await runTests(files, words.filter((word) => word.startsWith('-')), server)
  } finally {
    await server.stop()
  }
}

function findTests(filters: readonly string[]): readonly string[] {
  const outside = (path: string) => path === 'node_modules' || path.endsWith('/node_modules') || path.startsWith('.')
  return globSync('**/*.test.ts', { cwd: root, exclude: outside })
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort()
}

async function startServer(): Promise<Server> {
  const given = process.env.BERTH_TEST_DATABASE_URL
  if (given) return useServer(given)
  const folder = mkdtempSync(join(tmpdir(), 'berth-test-'))
  // Under root the server runs as somebody else, who has to enter the folder.
  chmodSync(folder, 0o711)
  const remove = (...folders: string[]) => folders.forEach((path) => rmSync(path, { recursive: true, force: true }))
  try {
    const { ownerUrl, appUrl, home, stop } = await startEmbedded({ dataDir: folder, log: (line) => console.error(line) })
    return { ownerUrl, appUrl, stop: () => stop().finally(() => remove(folder, home)) }
  } catch (error) {
    remove(folder)
    throw error
  }
}

/** A server of somebody else, kept for tests: berth_app gets a password that holds until the next run. */
async function useServer(ownerUrl: string): Promise<Server> {
  const password = randomBytes(24).toString('base64url')
  await asOwner(ownerUrl, async (client) => {
    const { rowCount } = await client.query(`select from pg_roles where rolname = 'berth_app'`)
    await client.query(`${rowCount === 0 ? 'create' : 'alter'} role berth_app login password '${password}'`)
  })
  const appUrl = new URL(ownerUrl)
  appUrl.username = 'berth_app'
  appUrl.password = password
  const stop = () =>
    asOwner(ownerUrl, async (client) => void (await client.query(`drop database if exists ${template} with (force)`)))
  return { ownerUrl, appUrl: appUrl.href, stop }
}

async function makeTemplate(ownerUrl: string): Promise<void> {
  await asOwner(ownerUrl, async (client) => void (await client.query(`create database ${template}`)))
  await asOwner(withDatabase(ownerUrl, template), async (client) => void (await migrate(client)))
}

async function asOwner(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function runTests(files: readonly string[], options: readonly string[], server: Server): Promise<number> {
  const env = {
    ...process.env,
    BERTH_TEST_OWNER_URL: server.ownerUrl,
    BERTH_TEST_APP_URL: server.appUrl,
    BERTH_TEST_TEMPLATE: template,
  }
  const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...options, ...files], {
    cwd: root,
    env,
    stdio: 'inherit',
  })
  forward = (name) => {
    child.kill(name)
    // A test that does not let go must not keep the database alive.
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref()
  }
  return new Promise((end, fail) => {
    child.once('error', fail)
    child.once('exit', (code) => end(code ?? 130))
  })
}
