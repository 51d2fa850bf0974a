import { execFile, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { startEmbedded, type Embedded } from '../../hub/platform/postgres/embedded.ts'
import { isAlive, processesIn, signal, waitForEnd } from '../../hub/platform/process-table.ts'
import { runtimeEnvironment, runtimeFlags } from '../../hub/platform/runtime.ts'
import { send, type Reply } from './wire.ts'

/** One life of the hub, from its start to whatever ended it. */
export type Life = {
  readonly pid: number
  /** From the start of the process to the first 200 of /readyz; Infinity if it died before. */
  readonly readyMs: number
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  isAlive(): boolean
}

/** What a start of the hub may be given: a crash point as `name:count`, and the most files that it may have open. */
export type StartOptions = { crashpoint?: string; openFiles?: number }

/** An order whose buyer hung up is voided after so long: short, so that a run meets the race with the repeat often. */
export const VOID_AFTER_MS = 150
const START_WITHIN_MS = 30_000
const open = new Set<Bed>()

/**
 * A real Postgres and a real hub as child processes in a folder of their own, to be killed. `root` is the repository
 * that the hub is run from: this one, or a mutant's copy.
 */
export class Bed {
  readonly root: string
  readonly dataDir: string
  readonly port: number
  /** All that the hub has written to stdout and stderr, over all its lives. */
  output = ''
  #postgres: Embedded
  #life: Life | null = null
  #killHub: (name: NodeJS.Signals) => void = () => {}
  #stopped: readonly number[] = []

  private constructor(root: string, dataDir: string, port: number, postgres: Embedded) {
    this.root = root
    this.dataDir = dataDir
    this.port = port
    this.#postgres = postgres
  }

  /** @param within the folder in which it makes its own: that for temporary files, unless a fault brings a disk of its own */
  static async open(root: string, within = tmpdir()): Promise<Bed> {
    const dataDir = mkdtempSync(join(within, 'berth-faults-'))
    // Under root the server runs as somebody else, who has to enter the folder.
    chmodSync(dataDir, 0o711)
    try {
      const postgres = await startEmbedded({ dataDir, log: () => {} })
      const bed = new Bed(root, dataDir, await freePort(), postgres)
      open.add(bed)
      await bed.#migrate()
      return bed
    } catch (error) {
      rmSync(dataDir, { recursive: true, force: true })
      throw error
    }
  }

  /** By the repository that is looked at: a mutant may have a mistake in its schema. */
  async #migrate(): Promise<void> {
    await promisify(execFile)(process.execPath, [join(this.root, 'hub/main.ts'), 'migrate'], { env: { PATH: process.env.PATH, DATABASE_OWNER_URL: this.#postgres.ownerUrl } })
  }

  /** Whatever is still open, for a run that is broken off. */
  static async closeAll(): Promise<void> {
    for (const bed of open) await bed.close()
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get life(): Life {
    if (!this.#life) throw new Error('no hub was started')
    return this.#life
  }

  /** Starts a hub and waits until it is ready or dead. */
  async startHub({ crashpoint = '', openFiles }: StartOptions = {}): Promise<Life> {
    const startedAtMs = performance.now()
    // As production runs it: how much it grows under a fault is one of the questions.
    const words = [process.execPath, ...runtimeFlags, join(this.root, 'hub/main.ts'), 'serve']
    // Soft and hard: Node raises the soft limit to the hard one.
    const bounded = openFiles === undefined ? words : ['sh', '-c', `ulimit -n ${openFiles} && exec "$@"`, 'sh', ...words]
    const child = spawn(bounded[0]!, bounded.slice(1), {
      cwd: this.root,
      env: {
        PATH: process.env.PATH, ...runtimeEnvironment(this.dataDir), DATABASE_URL: this.#postgres.appUrl, DATA_DIR: this.dataDir, HOST: '127.0.0.1', PORT: String(this.port),
        BERTH_CRASHPOINT: crashpoint, LOG_LEVEL: 'info', VOID_AFTER_MS: String(VOID_AFTER_MS),
        LIMIT_REQUESTS_PER_SECOND: '1000000', LIMIT_IN_FLIGHT: '10000', LIMIT_FAILED_SIGN_INS_PER_MINUTE: '1000000',
      },
      // Detached: a Ctrl-C reaches this program alone. The channel is how the hub notices that we are gone, even by kill -9.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true,
    })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    const running = { alive: true }
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((end) => {
      child.once('exit', (code, by) => {
        running.alive = false
        end({ code, signal: by })
      })
    })
    this.#killHub = (name) => void child.kill(name)
    let readyMs = Infinity
    while (running.alive && readyMs === Infinity && performance.now() - startedAtMs < START_WITHIN_MS) {
      const reply = await send({ url: `${this.url}/readyz`, method: 'GET', headers: {}, timeoutMs: 2_000 })
      if (reply.status === 200) readyMs = performance.now() - startedAtMs
      else await sleep(20)
    }
    this.#life = { pid: child.pid ?? 0, readyMs, ended, isAlive: () => running.alive }
    return this.#life
  }

  /** Ends the hub by a signal and waits until it is gone. */
  async endHub(name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!this.#life?.isAlive()) return
    this.#killHub(name)
    const { ended } = this.#life
    if ((await Promise.race([ended, sleep(20_000, 'late' as const, { ref: false })])) === 'late') {
      this.#killHub('SIGKILL')
      await ended
    }
  }

  /** kill -9 of the postmaster and all of its children, by their ids. */
  async killDatabase(): Promise<void> {
    const { pid, home } = this.#postgres
    const pids = [pid, ...processesIn(join(home, 'postgres'))]
    for (const each of pids) signal(each, 'SIGKILL')
    for (const each of pids) await waitForEnd(each, 5_000)
  }

  /** SIGSTOP of the postmaster and all of its children: they neither answer nor break the line. */
  stopDatabase(): void {
    const { pid, home } = this.#postgres
    // The postmaster first: what it has forked by then is all there is.
    signal(pid, 'SIGSTOP')
    this.#stopped = [pid, ...processesIn(join(home, 'postgres')).filter((each) => each !== pid)]
    for (const each of this.#stopped) signal(each, 'SIGSTOP')
  }

  continueDatabase(): void {
    for (const each of this.#stopped) signal(each, 'SIGCONT')
    this.#stopped = []
  }

  /** A server that ends by itself leaves its processes a moment behind it. */
  isDatabaseAlive(): boolean {
    return isAlive(this.#postgres.pid)
  }

  /** @returns how long it took until the database took connections again, in milliseconds */
  async startDatabase(): Promise<number> {
    const startedAtMs = performance.now()
    this.#postgres = await startEmbedded({ dataDir: this.dataDir, log: () => {} })
    return performance.now() - startedAtMs
  }

  async operator(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply> {
    const key = readFileSync(join(this.dataDir, 'operator.key'), 'utf8').trim()
    const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body)
    return send({
      url: this.url + path, method, body: text, timeoutMs: 120_000,
      headers: { authorization: `Bearer ${key}`, ...(text === undefined ? {} : { 'content-type': typeof body === 'string' ? 'text/plain' : 'application/json' }) },
    })
  }

  /** What the database's own server has written; a secret has no business there either. */
  databaseLog(): string {
    return readFileSync(join(this.dataDir, 'postgres.log'), 'utf8')
  }

  async asOwner<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ connectionString: this.#postgres.ownerUrl })
    client.on('error', () => {})
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }

  async close(): Promise<void> {
    if (!open.delete(this)) return
    this.continueDatabase()
    await this.endHub('SIGTERM')
    await this.#postgres.stop()
    rmSync(this.dataDir, { recursive: true, force: true })
    rmSync(this.#postgres.home, { recursive: true, force: true })
  }
}

/**
 * Below the ports that the kernel gives to outgoing connections: while the hub is down, such a one, even our own asking
 * whether it is back, could otherwise take its port.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((found) => {
      server.once('error', () => found(false))
      server.listen(port, '127.0.0.1', () => found(true))
    })
    if (!isFree) continue
    await new Promise<void>((closed) => server.close(() => closed()))
    return port
  }
}
