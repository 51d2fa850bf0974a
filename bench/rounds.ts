import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { runLoad, type LoadResult } from './load.ts'
import { median } from './figures.ts'
import { cpuSecondsOf, cpuSecondsOfTree, residentMegabytesOf } from './processes.ts'
import { writeRequests, type Shape } from './requests.ts'
import type { Server } from './servers.ts'
import { UNIT_PRICE, type Postgres, type World } from './world.ts'

export const CONNECTIONS = 256

/** How long and how often: `--quick` shows that all works, the full plan is what a promise is judged by. */
export type Plan = { rounds: number; seconds: number; warmOrders: number; warmUpSeconds: number; latencySeconds: number; batches: number; replays: number; stored: number; leaves: number }

/** One run on one server. CPU is of the server's process and of all of Postgres, per order. */
export type Run = LoadResult & { server: string; shape: Shape['name']; connections: number; serverCpuUs: number; databaseCpuUs: number; residentMb: number }

export type Ground = { postgres: Postgres; world: World; hub: Server; peer: Server | null; plan: Plan; signal: AbortSignal; runs: Run[] }

/** Orders that a generator may send in a second; files are this long, and longer than that nothing here has been. */
const MOST_PER_SECOND = 12_000

/** Both servers run warm on both shapes; nothing of it is kept. */
export async function warmUp(ground: Ground): Promise<void> {
  const { hub, peer, world, plan } = ground
  for (const shape of [world.hot, world.spread]) {
    await onFile(ground, shape, plan.warmUpSeconds, async (file) => {
      for (const server of peer ? [hub, peer] : [hub]) await run(ground, server, shape, file, CONNECTIONS, plan.warmUpSeconds)
    })
  }
  ground.runs.length = 0
}

export type ThroughputRound = { hot: { hub: Run; peer: Run | null }; spread: { hub: Run; peer: Run | null } }

/** Hub and peer in turn on the same bytes, hot and spread in turn; every other round the other way round. */
export async function throughputRound(ground: Ground, round: number): Promise<ThroughputRound> {
  const { hub, peer, world, plan } = ground
  const done: Partial<ThroughputRound> = {}
  const shapes = round % 2 === 0 ? [world.hot, world.spread] : [world.spread, world.hot]
  for (const shape of shapes) {
    done[shape.name] = await onFile(ground, shape, plan.seconds, async (file) => {
      const onHub = () => run(ground, hub, shape, file, CONNECTIONS, plan.seconds)
      const onPeer = async () => (peer ? await run(ground, peer, shape, file, CONNECTIONS, plan.seconds) : null)
      if (round % 2 === 0) return { hub: await onHub(), peer: await onPeer() }
      const first = await onPeer()
      return { peer: first, hub: await onHub() }
    })
  }
  return done as ThroughputRound
}

export type LatencyRound = { tail64: number; tail256: number; single: { orderMs: number; commitMs: number } }

/** p99 over p50 at 64 and 256 connections, and an order of its own against a bare commit on the same disk. */
export async function latencyRound(ground: Ground): Promise<LatencyRound> {
  const { hub, world, plan } = ground
  const at = (connections: number) => onFile(ground, world.spread, plan.latencySeconds, (file) => run(ground, hub, world.spread, file, connections, plan.latencySeconds))
  const at64 = await at(64)
  const at256 = await at(256)
  const commitMs = await bareCommit(world.ownerUrl)
  const alone = await at(1)
  return { tail64: at64.p99 / at64.p50, tail256: at256.p99 / at256.p50, single: { orderMs: alone.p50, commitMs } }
}

/** The median time of a one-row transaction, which is what this disk takes to be sure. */
async function bareCommit(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('create table if not exists bench_commit (n int)')
    const times: number[] = []
    for (let i = 0; i < 200; i++) {
      const from = performance.now()
      await client.query({ name: 'commit', text: 'insert into bench_commit values ($1)', values: [i] })
      times.push(performance.now() - from)
    }
    return median(times)
  } finally {
    await client.end()
  }
}

export async function onFile<T>(ground: Ground, shape: Shape, seconds: number, work: (file: string) => Promise<T>): Promise<T> {
  const file = join(ground.postgres.folder, `requests-${shape.name}`)
  writeRequests(file, shape, UNIT_PRICE, ground.plan.warmOrders + CONNECTIONS + longest(ground, seconds))
  try {
    return await work(file)
  } finally {
    rmSync(file, { force: true })
  }
}

/** Half as many again as the fastest run so far would need. */
function longest({ runs }: Ground, seconds: number): number {
  const fastest = Math.max(0, ...runs.map((one) => one.perSecond))
  return Math.ceil(seconds * (fastest === 0 ? MOST_PER_SECOND : Math.min(MOST_PER_SECOND, fastest * 1.5)))
}

async function run(ground: Ground, server: Server, shape: Shape, file: string, connections: number, seconds: number): Promise<Run> {
  const warm = connections === 1 ? Math.min(200, ground.plan.warmOrders) : ground.plan.warmOrders
  return runFile(ground, server, { shape: shape.name, file, connections, warm, measure: longest(ground, seconds), seconds, expects: 201 })
}

export type FileRun = { shape: Shape['name']; file: string; connections: number; warm: number; measure: number; seconds: number; expects: number }

/** Plays a file on a server and measures both processes; the round is void when an answer has another status than was due. */
export async function runFile(ground: Ground, server: Server, { shape, expects, ...options }: FileRun): Promise<Run> {
  const { postgres, signal } = ground
  const used = () => ({ server: cpuSecondsOf(server.pid), database: cpuSecondsOfTree(postgres.server.pid) })
  let before = used()
  let residentMb = 0
  const watch = setInterval(() => (residentMb = Math.max(residentMb, residentMegabytesOf(server.pid))), 100)
  try {
    const result = await runLoad({ ...options, port: server.port, signal, onWarm: () => (before = used()) })
    const after = used()
    assertAllAnswered(server, result, expects)
    const done: Run = {
      ...result, server: server.name, shape, connections: options.connections, residentMb: Math.max(residentMb, residentMegabytesOf(server.pid)),
      serverCpuUs: ((after.server - before.server) / result.answered) * 1e6, databaseCpuUs: ((after.database - before.database) / result.answered) * 1e6,
    }
    ground.runs.push(done)
    return done
  } finally {
    clearInterval(watch)
  }
}

/** A refusal or a replay costs another amount than an order: a round with one in it says nothing. */
function assertAllAnswered(server: Server, { codes }: LoadResult, expects: number): void {
  const other = Object.entries(codes).filter(([code]) => code !== String(expects))
  if (other.length === 0) return
  throw new Error(`the round is void: the ${server.name} answered ${other.map(([code, count]) => `${count} times ${code}`).join(', ')} where ${expects} was due`)
}
