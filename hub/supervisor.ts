import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { greet } from './greeting.ts'
import { makeFolder } from './platform/folder.ts'
import { startEmbedded, type Embedded } from './platform/postgres/embedded.ts'
import { migrate } from './platform/postgres/migrate.ts'
import { argumentsOf, environmentOf, isAlive, signal, waitForEnd, workingFolderOf } from './platform/process-table.ts'
import { StartRefused, startRefusedExitCode } from './platform/refusal-to-start.ts'
import { runtimeEnvironment, runtimeFlags } from './platform/runtime.ts'

type Config = {
  readonly root: string
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** Where we ourselves reach the hub. */
  readonly url: string
  readonly hasDemo: boolean
  readonly env: NodeJS.ProcessEnv
}

type Urls = { readonly ownerUrl: string; readonly appUrl: string }

const defaultDataDir = '.data'
const pollMs = 20
/** So long may requests in flight take after the first Ctrl-C. */
const graceMs = 15_000
/** npm hands a Ctrl-C on to the script that has heard it already: an echo, and not a second wish. */
const echoMs = 500
const firstDelayMs = 100
const longestDelayMs = 10_000
const healthyMs = 30_000
const deathsBeforeReady = 5

/**
 * Runs Postgres and the hub as siblings until Ctrl-C or SIGTERM, and starts either again when it dies. Sets the
 * process's exit code: 0 after a stop that was asked for, 78 when an operator has to mend something first.
 * `root` is the folder of the repository: hub/main.ts and cli/demo.ts are run from it.
 */
export async function runSupervisor(options: {
  argv: readonly string[]
  env: NodeJS.ProcessEnv
  root?: string
}): Promise<void> {
  const ending = new Ending()
  ending.listen()
  try {
    process.exitCode = await supervise(readConfig(options), ending)
  } catch (error) {
    if (!(error instanceof StartRefused)) throw error
    console.error(error.message)
    process.exitCode = startRefusedExitCode
  }
}

/** The wish to end, from a signal or from a child that cannot go on. The first exit code counts. */
class Ending {
  readonly #asked = Promise.withResolvers<number>()
  readonly #hurried = Promise.withResolvers<void>()
  #askedAtMs: number | undefined

  /** Resolves with the exit code. */
  readonly asked = this.#asked.promise
  /** Resolves when somebody does not want to wait any longer. */
  readonly hurried = this.#hurried.promise

  get isAsked(): boolean {
    return this.#askedAtMs !== undefined
  }

  ask(exitCode: number): void {
    this.#askedAtMs ??= performance.now()
    this.#asked.resolve(exitCode)
  }

  listen(): void {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (this.#askedAtMs !== undefined && performance.now() - this.#askedAtMs > echoMs) this.#hurried.resolve()
        this.ask(0)
      })
    }
  }

  /** Waits for `work`, or not any longer once the end is asked for. */
  async whileRunning<T>(work: Promise<T>): Promise<T | undefined> {
    return Promise.race([work, this.asked.then(() => undefined)])
  }
}

function readConfig(options: { argv: readonly string[]; env: NodeJS.ProcessEnv; root?: string }): Config {
  const { env, root = join(import.meta.dirname, '..') } = options
  const port = Number(env.PORT || 8080)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new StartRefused(`PORT is "${env.PORT}": set it to a number from 1 to 65535, or leave it out for 8080.`)
  }
  const host = env.HOST || '127.0.0.1'
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
  const dataDir = resolve(env.DATA_DIR || defaultDataDir)
  try {
    // 0711: under root the user of Postgres walks through it to its own folder. What is in it is closed by itself.
    makeFolder(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700)
    writeFileSync(join(dataDir, '.probe'), '')
    rmSync(join(dataDir, '.probe'))
  } catch (error) {
    throw new StartRefused(
      `Cannot write in the data folder ${dataDir} (${(error as NodeJS.ErrnoException).code}): give this user the right to, or set DATA_DIR to a folder where it may write.`,
    )
  }
  return { root, dataDir: realpathSync(dataDir), host, port, url, hasDemo: !options.argv.includes('--empty'), env }
}

async function supervise(config: Config, ending: Ending): Promise<number> {
  const startedAtMs = performance.now()
  const unlock = lock(config)
  let postgres: PostgresKeeper | undefined
  let hub: HubKeeper | undefined
  try {
    await stopOrphan(config)
    await assertPortIsFree(config)
    const { DATABASE_URL: given, DATABASE_OWNER_URL: givenOwner } = config.env
    let urls: Urls
    if (given) urls = { ownerUrl: givenOwner || given, appUrl: given }
    else {
      postgres = new PostgresKeeper(config, ending)
      urls = await postgres.start()
    }
    const isNew = await bringUpToDate(urls.ownerUrl)
    if (isNew && config.hasDemo) writeFileSync(join(config.dataDir, 'demo.pending'), '')
    if (ending.isAsked) return await ending.asked
    hub = new HubKeeper(config, urls, ending)
    await ending.whileRunning(hub.start())
    if (!ending.isAsked) await makeDemo(config, ending)
    if (!ending.isAsked) {
      console.log(greet({ url: config.url, dataDir: config.dataDir, tookMs: performance.now() - startedAtMs }))
    }
    return await ending.asked
  } finally {
    ending.ask(1)
    await hub?.stop()
    await postgres?.stop()
    unlock()
  }
}

/** One supervisor a data folder: a second one would adopt the first one's Postgres and stop it when it goes. */
function lock({ dataDir }: Config): () => void {
  const file = join(dataDir, 'supervisor.pid')
  const pid = readPid(file)
  if (pid !== undefined && pid !== process.pid && isProgram(pid, 'start', dataDir)) {
    throw new StartRefused(`Berth already runs on ${dataDir} (process ${pid}): stop it first, or set DATA_DIR to another folder.`)
  }
  writeFileSync(file, `${process.pid}\n`)
  return () => rmSync(file, { force: true })
}

/** A hub whose supervisor was killed ends by itself; one that still finishes its requests, or hangs, is ended here. */
async function stopOrphan({ dataDir }: Config): Promise<void> {
  const pid = readPid(join(dataDir, 'hub.pid'))
  if (pid === undefined || pid === process.pid || !isProgram(pid, 'serve', dataDir)) return
  signal(pid, 'SIGTERM')
  if (await waitForEnd(pid, graceMs)) return
  signal(pid, 'SIGKILL')
  await waitForEnd(pid, 2_000)
}

/** Whether the process is our program in that role, on that data folder, and not somebody who got its number. */
function isProgram(pid: number, role: 'start' | 'serve', dataDir: string): boolean {
  if (!isAlive(pid)) return false
  const words = argumentsOf(pid)
  if (!words.some((word) => word.endsWith('main.ts')) || !words.includes(role)) return false
  const [env, folder] = [environmentOf(pid), workingFolderOf(pid)]
  if (env === undefined || folder === undefined) return true
  const theirs = resolve(folder, env.DATA_DIR || defaultDataDir)
  return existsSync(theirs) && realpathSync(theirs) === dataDir
}

function readPid(file: string): number | undefined {
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, 'utf8').trim())
  return Number.isInteger(pid) && pid > 1 ? pid : undefined
}

async function assertPortIsFree({ host, port }: Config): Promise<void> {
  const server = createServer()
  const code = await new Promise<string | undefined>((found) => {
    server.once('error', (error) => found((error as NodeJS.ErrnoException).code))
    server.listen({ host, port, exclusive: true }, () => server.close(() => found(undefined)))
  })
  if (code === undefined) return
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is taken by another program: stop that, or set PORT to a free one.`,
    EACCES: `This user may not open port ${port}: set PORT to 1024 or higher.`,
  }
  throw new StartRefused(advice[code] ?? `Cannot listen on ${host} (${code}): set HOST to an address of this machine.`)
}

/** Migrates; true if the database was empty. */
async function bringUpToDate(ownerUrl: string): Promise<boolean> {
  const client = new Client({ connectionString: ownerUrl, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    const { message, code } = error as { message: string; code?: string }
    throw new StartRefused(`Cannot connect to the database (${code ?? message}): check DATABASE_URL and that its server runs.`)
  }
  try {
    return (await migrate(client)).from === 0
  } finally {
    await client.end()
  }
}

class PostgresKeeper {
  readonly #config: Config
  readonly #ending: Ending
  #server: Embedded | undefined
  #keeping: Promise<void> = Promise.resolve()

  constructor(config: Config, ending: Ending) {
    this.#config = config
    this.#ending = ending
  }

  async start(): Promise<Urls> {
    this.#server = await this.#startServer()
    this.#keeping = this.#keep(this.#server)
    return this.#server
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    await this.#keeping
  }

  #startServer(): Promise<Embedded> {
    return startEmbedded({ dataDir: this.#config.dataDir, log: (sentence) => console.error(sentence) })
  }

  async #keep(first: Embedded): Promise<void> {
    const delay = new Delay()
    let server: Embedded | undefined = first
    while (!this.#ending.isAsked) {
      await server?.exited
      if (this.#ending.isAsked) return
      console.error('Postgres ended and is started again.')
      await this.#ending.whileRunning(delay.next())
      if (this.#ending.isAsked) return
      server = await this.#startServer().catch((error: unknown) => {
        console.error(error instanceof Error ? error.message : error)
        if (error instanceof StartRefused) this.#ending.ask(startRefusedExitCode)
        return undefined
      })
      this.#server = server
    }
    // The end was asked for while this one started.
    await server?.stop()
  }
}

class HubKeeper {
  readonly #config: Config
  readonly #urls: Urls
  readonly #ending: Ending
  #child: ChildProcess | undefined
  #isReady = false
  #keeping: Promise<void> = Promise.resolve()

  constructor(config: Config, urls: Urls, ending: Ending) {
    this.#config = config
    this.#urls = urls
    this.#ending = ending
  }

  /** Resolves when the hub is ready; never, if the end is asked for before. */
  async start(): Promise<void> {
    this.#keeping = this.#keep()
    while (!this.#ending.isAsked && !(await answersReady(this.#config.url))) await sleep(pollMs)
    this.#isReady = true
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child?.pid !== undefined) {
      const ended = exitOf(child)
      child.kill('SIGTERM')
      const grace = sleep(graceMs, undefined, { ref: false })
      await Promise.race([ended, grace, this.#ending.hurried])
      child.kill('SIGKILL')
      await ended
    }
    await this.#keeping
    rmSync(join(this.#config.dataDir, 'hub.pid'), { force: true })
  }

  async #keep(): Promise<void> {
    const delay = new Delay()
    for (let deaths = 1; !this.#ending.isAsked; deaths++) {
      this.#child = this.#spawn()
      const code = await exitOf(this.#child)
      if (this.#ending.isAsked) return
      if (code === startRefusedExitCode) return this.#ending.ask(startRefusedExitCode)
      if (!this.#isReady && deaths === deathsBeforeReady) {
        console.error(`The hub ended ${deaths} times before it was ready; its own words are above.`)
        return this.#ending.ask(1)
      }
      console.error(`The hub ended (${code ?? 'by a signal'}) and is started again.`)
      await this.#ending.whileRunning(delay.next())
    }
  }

  #spawn(): ChildProcess {
    const { root, dataDir, host, port, env } = this.#config
    // Detached: a Ctrl-C in the terminal reaches us alone, and the hub hears SIGTERM once. The channel is how it
    // notices that we are gone, even by kill -9.
    const child = spawn(process.execPath, [...runtimeFlags, join(root, 'hub', 'main.ts'), 'serve'], {
      cwd: root,
      env: {
        ...runtimeEnvironment(dataDir),
        ...env,
        DATABASE_URL: this.#urls.appUrl,
        DATABASE_OWNER_URL: this.#urls.ownerUrl,
        DATA_DIR: dataDir,
        HOST: host,
        PORT: String(port),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      detached: true,
    })
    if (child.pid !== undefined) writeFileSync(join(dataDir, 'hub.pid'), `${child.pid}\n`)
    return child
  }
}

/** Delays between restarts: 0.1 s, doubling to 10 s, and from the start again after half a minute of health. */
class Delay {
  #count = 0
  #lastAtMs = performance.now()

  next(): Promise<void> {
    const now = performance.now()
    if (now - this.#lastAtMs > healthyMs) this.#count = 0
    this.#lastAtMs = now
    return sleep(Math.min(firstDelayMs * 2 ** this.#count++, longestDelayMs), undefined, { ref: false })
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((end) => {
    child.once('exit', (code) => end(code))
    child.once('error', () => end(null))
  })
}

function answersReady(url: string): Promise<boolean> {
  return new Promise((found) => {
    const request = get(`${url}/readyz`, { agent: false, timeout: 2_000 }, (response) => {
      response.resume()
      found(response.statusCode === 200)
    })
    request.once('timeout', () => request.destroy())
    request.once('error', () => found(false))
  })
}

/**
 * The demo is wanted for a database that was empty. The mark stays until it is done, so that a start that was killed
 * in the middle of it makes it again: cli/demo.ts goes on from what it finds.
 */
async function makeDemo({ root, dataDir, url, env, hasDemo }: Config, ending: Ending): Promise<void> {
  const mark = join(dataDir, 'demo.pending')
  if (!hasDemo || !existsSync(mark)) return
  if (!existsSync(join(dataDir, 'demo.json'))) {
    const child = spawn(process.execPath, [join(root, 'cli', 'demo.ts')], {
      cwd: root,
      env: { ...env, BERTH_URL: url, DATA_DIR: dataDir },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const ended = exitOf(child)
    const code = await ending.whileRunning(ended)
    if (ending.isAsked) {
      child.kill('SIGTERM')
      await ended
      return
    }
    if (code !== 0) {
      console.error(`The demo was not made (${code ?? 'by a signal'}): the next start tries again; "npm start -- --empty" goes without.`)
      return
    }
  }
  rmSync(mark, { force: true })
}
