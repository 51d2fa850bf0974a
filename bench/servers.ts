import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runtimeEnvironment, runtimeFlags } from '../hub/platform/runtime.ts'

/** A server under load, in a process of its own. */
export type Server = { name: string; port: number; pid: number; stop(): Promise<void> }

const root = join(import.meta.dirname, '..')
const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 20_000

/** Limits that nobody meets: what is measured is the work. */
const OPEN_LIMITS = { LIMIT_REQUESTS_PER_SECOND: '1000000', LIMIT_IN_FLIGHT: '100000', LIMIT_FAILED_SIGN_INS_PER_MINUTE: '1000000', LOG_LEVEL: 'warn' }

/** The hub as production runs it. `profileDir` makes it write a CPU profile there when it ends. */
export function startHub(options: { databaseUrl: string; dataDir: string; profileDir?: string }): Promise<Server> {
  const flags = options.profileDir ? ['--cpu-prof', `--cpu-prof-dir=${options.profileDir}`, '--cpu-prof-name=hub.cpuprofile'] : []
  return start({ name: 'hub', words: [...flags, join(root, 'hub', 'main.ts'), 'serve'], dataDir: options.dataDir, env: { DATABASE_URL: options.databaseUrl, DATA_DIR: options.dataDir } })
}

/** Run as the hub is run, in memory's bounds too. */
export function startPeer(options: { worldFile: string; dataDir: string }): Promise<Server> {
  return start({ name: 'peer', words: [join(import.meta.dirname, 'peer.ts')], dataDir: options.dataDir, env: { PEER_WORLD: options.worldFile } })
}

/** The peer of P3, which fills its own database before it is ready. */
export function startTypical(options: { script: string; worldFile: string; databaseUrl: string; dataDir: string }): Promise<Server> {
  return start({ name: 'typical', words: [options.script], dataDir: options.dataDir, env: { PEER_WORLD: options.worldFile, DATABASE_URL: options.databaseUrl } })
}

async function start(options: { name: string; words: readonly string[]; dataDir: string; env: Record<string, string> }): Promise<Server> {
  const { name, words } = options
  const port = await freePort()
  // The channel is how it notices that the bench is gone, even by kill -9.
  const child = spawn(process.execPath, [...runtimeFlags, ...words], {
    cwd: root, env: { ...process.env, ...runtimeEnvironment(options.dataDir), ...OPEN_LIMITS, ...options.env, HOST: '127.0.0.1', PORT: String(port) }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = new Promise<void>((end) => child.once('exit', () => end()))
  const stop = () => end(child, ended)
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await isReady(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`the ${name} did not become ready; its own words are above`)
    }
    await sleep(30)
  }
  return { name, port, pid: child.pid!, stop }
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const hurry = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await ended
  clearTimeout(hurry)
}

async function isReady(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then((response) => response.ok, () => false)
}

function freePort(): Promise<number> {
  return new Promise((found, fail) => {
    const server = createServer()
    server.once('error', fail)
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const { port } = server.address() as { port: number }
      server.close(() => found(port))
    })
  })
}
