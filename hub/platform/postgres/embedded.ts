import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, closeSync, copyFileSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { realpathSync, renameSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeFolder } from '../folder.ts'
import { Client } from 'pg'
import { argumentsOf, isAlive, processesIn, signal, waitForEnd } from '../process-table.ts'
import { StartRefused } from '../refusal-to-start.ts'
import { chooseHome, chooseServerUser, findBinaries, handOver, makeOwnFolder, makeSocketFolder } from './home.ts'
import type { Binaries, ServerUser } from './home.ts'

/** A running server. Its URLs stay the same over restarts, so a hub keeps them for life. */
export type Embedded = {
  /** `berth_owner`, superuser of this server: migrations. */
  readonly ownerUrl: string
  /** `berth_app`, who can do what migrations grant and no more: the hub. */
  readonly appUrl: string
  /** The folder with the data: the data folder, or another that the server's user can enter. */
  readonly home: string
  /** The postmaster. */
  readonly pid: number
  /** Whether it is a healthy server that an earlier life left behind. */
  readonly adopted: boolean
  /** Fast shutdown (clients are cut off, the data is flushed); resolves when the server is gone. */
  stop(): Promise<void>
  /** Resolves when the server ended, for whatever reason: its exit code, or null if a signal or an adopted server. */
  readonly exited: Promise<number | null>
}

type Log = (sentence: string) => void

/** What `postgres.json` remembers. It is written before the first start, so no crash can lose a password. */
type Memory = { readonly home: string; readonly ownerPassword: string; readonly appPassword: string }

type Place = {
  readonly dataDir: string
  readonly pgdata: string
  readonly socketDir: string
  readonly logFile: string
  readonly user: ServerUser | undefined
  readonly memory: Memory
  readonly binaries: Binaries
}

const database = 'berth'
const pollMs = 20
/** How long a server of an earlier life may take to answer before it is taken for sick. */
const adoptTimeoutMs = 5_000
/** Recovery replays at most max_wal_size: seconds on a disk of today, a minute or two on a poor one. */
const recoveryTimeoutMs = 180_000
const stopTimeoutMs = 30_000
const maxLogBytes = 4 * 1024 * 1024

/** Durability is stated and not assumed; the sizes suit one machine that also runs the hub. */
const settings: Readonly<Record<string, string>> = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  listen_addresses: '',
  port: '5432',
  unix_socket_permissions: '0700',
  max_connections: '60',
  shared_buffers: '256MB',
  wal_compression: 'off',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  cluster_name: 'berth',
}

/**
 * Starts the embedded Postgres of `dataDir`, or adopts the one that already serves it. On the first start the data
 * (with checksums), the two roles and the database are made. Throws StartRefused when an operator has to do something.
 */
export async function startEmbedded(options: { dataDir: string; log: Log }): Promise<Embedded> {
  const { log } = options
  const place = settle(resolve(options.dataDir), log)
  const adoptedPid = await adoptOrClear(place, log)
  if (adoptedPid !== undefined) return adopt(place, adoptedPid)
  if (!existsSync(place.pgdata)) await initialise(place)
  assertMajor(place)
  boundLog(place.logFile)
  const child = launch(place)
  const exited = new Promise<number | null>((end) => {
    child.once('exit', (code) => end(code))
    child.once('error', () => end(null))
  })
  await untilReady(place, child, exited)
  await makeRolesAndDatabase(place)
  return handle(place, child.pid ?? 0, false, exited)
}

function settle(dataDir: string, log: Log): Place {
  try {
    // The folder holds credentials. Root's server user has to walk through it, so there it is 0711.
    makeFolder(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700)
    const real = realpathSync(dataDir)
    const remembered = recall(real)
    const user = chooseServerUser(join(remembered?.home ?? real, 'postgres'), process.env)
    const home = remembered?.home ?? chooseHome(real, user, log)
    const pgdata = join(home, 'postgres')
    if (remembered === undefined && existsSync(pgdata)) {
      throw new StartRefused(
        `There is a database in ${pgdata} but ${join(real, 'postgres.json')} with its passwords is missing: put it back from your backup, or move the database away to begin with an empty one.`,
      )
    }
    const memory = remembered ?? remember(real, { home, ownerPassword: newPassword(), appPassword: newPassword() })
    // A write that tells now, and not at the first order, that the disk is read-only.
    const logFile = join(real, 'postgres.log')
    closeSync(openSync(logFile, 'a', 0o600))
    if (user !== undefined && existsSync(pgdata) && statSync(pgdata).uid !== user.uid) handOver(pgdata, user)
    const socketDir = makeSocketFolder(home, user)
    return { dataDir: real, pgdata, socketDir, logFile, user, memory, binaries: findBinaries(home, user) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (!['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOSPC', 'EDQUOT'].includes(code)) throw error
    throw new StartRefused(
      code === 'ENOSPC' || code === 'EDQUOT'
        ? `The disk of the data folder ${dataDir} is full: make room, or set DATA_DIR to a folder on another disk.`
        : `Cannot write in the data folder ${dataDir} (${code}): give this user the right to, or set DATA_DIR to a folder where it may write.`,
    )
  }
}

function recall(dataDir: string): Memory | undefined {
  const file = join(dataDir, 'postgres.json')
  if (!existsSync(file)) return undefined
  const { home, ownerPassword, appPassword } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  if (typeof ownerPassword !== 'string' || typeof appPassword !== 'string') {
    throw new StartRefused(`${file} does not hold the database's passwords: put it back from your backup.`)
  }
  // Only another place is written down, so that a data folder may be moved.
  return { home: typeof home === 'string' ? home : dataDir, ownerPassword, appPassword }
}

function remember(dataDir: string, memory: Memory): Memory {
  const file = join(dataDir, 'postgres.json')
  const { home, ...passwords } = memory
  const text = JSON.stringify(home === dataDir ? passwords : { home, ...passwords }, undefined, 2)
  const handle = openSync(`${file}.new`, 'w', 0o600)
  writeSync(handle, `${text}\n`)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(`${file}.new`, file)
  return memory
}

function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/**
 * Deals with what an earlier life left. Returns the pid of a healthy server; stops a sick one; waits out backends whose
 * postmaster was killed; removes a stale postmaster.pid (whose number may by now belong to some other program).
 */
async function adoptOrClear(place: Place, log: Log): Promise<number | undefined> {
  const pidFile = join(place.pgdata, 'postmaster.pid')
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0
  if (pid > 0 && isOurServer(pid, place)) {
    if (await answers(place, pid)) return pid
    if (isAlive(pid)) {
      log(`The Postgres of an earlier life (process ${pid}) does not answer and is stopped.`)
      await end(pid, place)
    }
  }
  const orphans = processesIn(place.pgdata)
  for (const orphan of orphans) {
    // They notice by themselves that their postmaster is gone. A busy one may take long, and the lock is theirs.
    if (await waitForEnd(orphan, 2_000)) continue
    signal(orphan, 'SIGQUIT')
    if (!(await waitForEnd(orphan, 2_000))) signal(orphan, 'SIGKILL')
    await waitForEnd(orphan, 2_000)
  }
  // Without /proc we cannot see such backends: Postgres itself then judges a pid file whose process is dead.
  const judged = process.platform === 'linux' || isAlive(pid)
  if (pid > 0 && judged && !isOurServer(pid, place)) rmSync(pidFile, { force: true })
  // The folder of the socket is ours alone. Its lock names a process too, and that number may be a zombie's by now, or
  // some other program's: Postgres would take it for a server and refuse.
  for (const name of ['.s.PGSQL.5432', '.s.PGSQL.5432.lock']) rmSync(join(place.socketDir, name), { force: true })
  return undefined
}

/** True only for a postmaster that was started on this very data folder. */
function isOurServer(pid: number, place: Place): boolean {
  return isAlive(pid) && argumentsOf(pid).join(' ').includes(`/postgres -D ${place.pgdata} `)
}

/** A server that recovers says so, and is waited for; one that says nothing for 5 s is sick. */
async function answers(place: Place, pid: number): Promise<boolean> {
  let deadline = performance.now() + adoptTimeoutMs
  const lastCall = performance.now() + recoveryTimeoutMs
  while (performance.now() < Math.min(deadline, lastCall) && isAlive(pid)) {
    const left = Math.max(1, deadline - performance.now())
    const said = await ask(place, left)
    if (said === 'ready') return true
    if (said === 'busy') deadline = performance.now() + adoptTimeoutMs
    await sleep(pollMs)
  }
  return false
}

/** One question to the server. `busy`: it is there and starts, recovers or stops. */
async function ask(place: Place, timeoutMs: number): Promise<'ready' | 'busy' | 'silent'> {
  if (!existsSync(join(place.socketDir, '.s.PGSQL.5432'))) return 'silent'
  const client = new Client({ connectionString: url(place, 'owner', 'postgres'), connectionTimeoutMillis: timeoutMs })
  client.on('error', () => {})
  try {
    await client.connect()
    const timer = setTimeout(() => void client.end().catch(() => {}), timeoutMs)
    const answer = await client.query<{ data_directory: string }>('show data_directory').finally(() => clearTimeout(timer))
    return answer.rows[0]?.data_directory === place.pgdata ? 'ready' : 'silent'
  } catch (error) {
    const code = (error as { code?: string }).code
    // 57P03: starting, recovering or stopping. 53300: every connection is taken, which only a living server says.
    if (code === '53300') return 'ready'
    if (code === '28P01') throw new StartRefused(`Postgres does not take the password in ${join(place.dataDir, 'postgres.json')}: put that file back from your backup.`)
    return code === '57P03' ? 'busy' : 'silent'
  } finally {
    await Promise.race([client.end().catch(() => {}), sleep(1_000, undefined, { ref: false })])
  }
}

async function adopt(place: Place, pid: number): Promise<Embedded> {
  await makeRolesAndDatabase(place)
  const exited = (async () => {
    while (isAlive(pid)) await sleep(100)
    return null
  })()
  return handle(place, pid, true, exited)
}

async function initialise(place: Place): Promise<void> {
  // A first start that was killed half-way leaves only this folder, and begins again.
  const fresh = `${place.pgdata}.new`
  rmSync(fresh, { recursive: true, force: true })
  makeOwnFolder(fresh, 0o700, place.user)
  const passwordFile = join(place.socketDir, 'initdb.password')
  writeFileSync(passwordFile, `${place.memory.ownerPassword}\n`, { mode: 0o600 })
  if (place.user !== undefined) chownSync(passwordFile, place.user.uid, place.user.gid)
  const flags = ['--data-checksums', '--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-instructions']
  const child = spawn(
    place.binaries.initdb,
    ['-D', fresh, '-U', 'berth_owner', `--pwfile=${passwordFile}`, ...flags],
    { ...surroundings(place), stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)))
  const code = await new Promise<number | null>((end, fail) => {
    child.once('close', end)
    child.once('error', (error) => fail(cannotRun(place.binaries.initdb, error)))
  })
  rmSync(passwordFile, { force: true })
  if (code !== 0) throw explain(place, `initdb ended with ${code}`, complaint)
  renameSync(fresh, place.pgdata)
}

function launch(place: Place): ChildProcess {
  const flags = Object.entries({ ...settings, unix_socket_directories: place.socketDir })
  const output = openSync(place.logFile, 'a', 0o600)
  // Detached: a Ctrl-C in the terminal must reach the supervisor alone, which lets the hub finish first.
  const child = spawn(
    place.binaries.postgres,
    ['-D', place.pgdata, ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...surroundings(place), stdio: ['ignore', output, output], detached: true },
  )
  closeSync(output)
  return child
}

function surroundings(place: Place) {
  // Nothing of our own environment: PGOPTIONS, LC_ALL or secrets are no business of the server.
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' }
  return { cwd: dirname(place.pgdata), env, ...place.user }
}

async function untilReady(place: Place, child: ChildProcess, exited: Promise<number | null>): Promise<void> {
  const logStart = statSync(place.logFile).size
  let ended: { code: number | null } | undefined
  let failure: Error | undefined
  child.once('error', (error) => (failure = cannotRun(place.binaries.postgres, error)))
  void exited.then((code) => (ended = { code }))
  const deadline = performance.now() + recoveryTimeoutMs
  while ((await ask(place, 5_000)) !== 'ready') {
    if (failure !== undefined) throw failure
    if (ended !== undefined) {
      const said = readFileSync(place.logFile).subarray(logStart).toString()
      throw explain(place, `Postgres ended with ${ended.code}`, said)
    }
    if (performance.now() > deadline) {
      await end(child.pid ?? 0, place)
      throw new Error(`Postgres was not ready after ${recoveryTimeoutMs / 1000} s; see ${place.logFile}`)
    }
    await sleep(pollMs)
  }
}

function cannotRun(program: string, error: Error): StartRefused {
  return new StartRefused(
    `Cannot run ${program} (${(error as NodeJS.ErrnoException).code}): this machine needs glibc and a disk without noexec; else set DATABASE_URL to a Postgres 15 or newer.`,
  )
}

function explain(place: Place, what: string, said: string): Error {
  if (/No space left on device|Disk quota exceeded/.test(said)) {
    return new StartRefused(`The disk of ${place.pgdata} is full: make room and start again; nothing is lost.`)
  }
  if (/could not create shared memory|Cannot allocate memory/.test(said)) {
    return new StartRefused('There is not enough memory for Postgres (it needs about 400 MB): free some, or set DATABASE_URL.')
  }
  return new Error(`${what}. Its last words, also in ${place.logFile}:\n${said.trim().split('\n').slice(-8).join('\n')}`)
}

function assertMajor(place: Place): void {
  const found = readFileSync(join(place.pgdata, 'PG_VERSION'), 'utf8').trim()
  if (found === place.binaries.major) return
  throw new StartRefused(
    `The database in ${place.pgdata} is of Postgres ${found}, this version of Berth brings ${place.binaries.major}: start the earlier version of Berth, or move the data with pg_upgrade.`,
  )
}

/** Safe to repeat: a first start that was killed between two of the steps goes on with the next. */
async function makeRolesAndDatabase(place: Place): Promise<void> {
  const client = new Client({ connectionString: url(place, 'owner', 'postgres') })
  client.on('error', () => {})
  await client.connect()
  try {
    const found = await client.query<{ role: boolean; db: boolean }>(
      `select exists (select from pg_roles where rolname = 'berth_app') as role,
              exists (select from pg_database where datname = '${database}') as db`,
    )
    if (found.rows[0]?.role !== true) {
      const password = client.escapeLiteral(place.memory.appPassword)
      await client.query(`create role berth_app login nosuperuser nocreatedb nocreaterole password ${password}`)
    }
    if (found.rows[0]?.db !== true) await client.query(`create database ${database} owner berth_owner`)
  } finally {
    await client.end()
  }
}

/**
 * The form that node-postgres and libpq both read, and that `new URL` can edit: the host is the folder of the socket,
 * given as a parameter, which wins over the one in the usual place.
 */
function url(place: Place, who: 'owner' | 'app', name: string): string {
  const password = who === 'owner' ? place.memory.ownerPassword : place.memory.appPassword
  return `postgres://berth_${who}:${password}@localhost/${name}?host=${encodeURIComponent(place.socketDir)}`
}

function handle(place: Place, pid: number, adopted: boolean, exited: Promise<number | null>): Embedded {
  const watch = setInterval(() => boundLog(place.logFile), 30_000)
  watch.unref()
  void exited.then(() => clearInterval(watch))
  const stop = async () => {
    await end(pid, place, 'SIGINT')
    await exited
  }
  const urls = { ownerUrl: url(place, 'owner', database), appUrl: url(place, 'app', database) }
  return { ...urls, home: dirname(place.pgdata), pid, adopted, stop, exited }
}

/** SIGINT is Postgres' fast shutdown, SIGQUIT its immediate one (the next start recovers); SIGKILL is for a stopped one. */
async function end(pid: number, place: Place, first: 'SIGINT' | 'SIGQUIT' = 'SIGQUIT'): Promise<void> {
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    ...(first === 'SIGINT' ? [['SIGINT', stopTimeoutMs] as const] : []),
    ['SIGQUIT', 6_000],
    ['SIGKILL', 5_000],
  ]
  for (const [name, timeoutMs] of steps) {
    if (!isOurServer(pid, place)) return
    signal(pid, name)
    // One that was stopped hears nothing but SIGKILL until it goes on.
    signal(pid, 'SIGCONT')
    if (await waitForEnd(pid, timeoutMs)) return
  }
}

/** Keeps the log at two files of 4 MB. The server appends, so the file may be cut under its hands. */
function boundLog(file: string): void {
  if (!existsSync(file) || statSync(file).size <= maxLogBytes) return
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
}
