import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { StartRefused } from '../hub/platform/refusal-to-start.ts'
import { batchRound, type BatchRound } from './batch.ts'
import { isMet, lineOf, listOf, median, tableOf, type Verdict } from './figures.ts'
import { BenchRefused, buildLoad } from './load.ts'
import { CONNECTIONS, latencyRound, throughputRound, warmUp, type Ground, type LatencyRound, type Plan, type Run, type ThroughputRound } from './rounds.ts'
import { startHub, startPeer, type Server } from './servers.ts'
import { makeDatabase, makeWorld, startPostgres, writePeerWorld, type Postgres } from './world.ts'

// node bench/run.ts [P1 P4 …] [--quick] [--profile]: each promise as a ratio of two things that ran in turn in this one
// program, because no machine is as fast twice.

const KNOWN = ['P1', 'P2', 'P4', 'P5', 'P14'] as const
type PromiseName = (typeof KNOWN)[number]

const FULL: Plan = { rounds: 5, seconds: 5, warmOrders: 3_000, warmUpSeconds: 5, latencySeconds: 4, batches: 60 }
const QUICK: Plan = { rounds: 2, seconds: 2, warmOrders: 1_000, warmUpSeconds: 2, latencySeconds: 2, batches: 20 }
/** Cards are seeded for so many orders a second in every run. */
const CARDS_PER_SECOND = 10_000

/** Above a few tenths somebody else is at work here: a server that needs two cores then loses more than one that needs one. */
const loadBefore = Number(loadavg()[0]!.toFixed(2))
const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupted.abort())

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (interrupted.signal.aborted) process.exitCode = 130
  else {
    const isSentence = error instanceof BenchRefused || error instanceof StartRefused
    console.error(isSentence ? error.message : error)
    process.exitCode = isSentence ? 2 : 1
  }
}

async function main(words: readonly string[]): Promise<number> {
  const asked = words.filter((word) => !word.startsWith('-'))
  const wrong = [...asked.filter((word) => !(KNOWN as readonly string[]).includes(word)), ...words.filter((word) => word.startsWith('-') && word !== '--quick' && word !== '--profile')]
  if (wrong.length > 0) throw new BenchRefused(`The bench knows no ${wrong.join(', ')}: it knows ${KNOWN.join(', ')}, and --quick and --profile.`)
  const wanted = new Set<PromiseName>(asked.length > 0 ? (asked as PromiseName[]) : KNOWN)
  const plan = words.includes('--quick') ? QUICK : FULL
  buildLoad()
  const postgres = await startPostgres()
  try {
    const found = await measure(postgres, wanted, plan, words.includes('--profile'))
    return report(found, plan)
  } finally {
    await postgres.stop()
  }
}

type Found = { throughput: ThroughputRound[]; latency: LatencyRound[]; batch: BatchRound[]; runs: Run[]; wanted: ReadonlySet<PromiseName> }

async function measure(postgres: Postgres, wanted: ReadonlySet<PromiseName>, plan: Plan, isProfiled: boolean): Promise<Found> {
  const found: Found = { throughput: [], latency: [], batch: [], runs: [], wanted }
  const needsRounds = wanted.has('P1') || wanted.has('P4') || wanted.has('P14')
  const world = await makeWorld(postgres, 'bench', cardsFor(plan, wanted), async (urls, work) => {
    const hub = await startHub(urls)
    await work(`http://127.0.0.1:${hub.port}`).finally(() => hub.stop())
  })
  if (needsRounds || wanted.has('P5')) {
    const servers: Server[] = []
    const keep = async (starting: Promise<Server>) => {
      const server = await starting
      servers.push(server)
      return server
    }
    try {
      const hub = await keep(startHub({ databaseUrl: world.appUrl, dataDir: world.dataDir, ...(isProfiled ? { profileDir: join(import.meta.dirname, '.build') } : {}) }))
      const peer = wanted.has('P1') ? await keep(startPeer({ worldFile: writePeerWorld(postgres, world), dataDir: world.dataDir })) : null
      const ground: Ground = { postgres, world, hub, peer, plan, signal: interrupted.signal, runs: [] }
      await warmUp(ground)
      for (let round = 0; round < (needsRounds ? plan.rounds : 0); round++) found.throughput.push(await throughputRound(ground, round))
      for (let round = 0; round < (wanted.has('P5') ? plan.rounds : 0); round++) found.latency.push(await latencyRound(ground))
      found.runs = ground.runs
    } finally {
      for (const server of servers) await server.stop()
    }
  }
  if (wanted.has('P2')) {
    const twin = await makeDatabase(postgres, 'twin')
    await batchRound(world, twin.appUrl, Math.ceil(plan.batches / 3))
    for (let round = 0; round < plan.rounds; round++) {
      interrupted.signal.throwIfAborted()
      found.batch.push(await batchRound(world, twin.appUrl, plan.batches))
    }
  }
  return found
}

/** Enough for every run at a rate that this hub does not reach; spread orders fall on their goods by chance, so with room. */
function cardsFor(plan: Plan, wanted: ReadonlySet<PromiseName>): { hot: number; spread: number } {
  const rounds = wanted.has('P1') || wanted.has('P4') || wanted.has('P14') ? plan.rounds : 0
  const hot = (plan.warmUpSeconds + rounds * plan.seconds) * CARDS_PER_SECOND + (rounds + 1) * plan.warmOrders
  const latency = wanted.has('P5') ? plan.rounds * (plan.latencySeconds * 2 * CARDS_PER_SECOND + plan.warmOrders * 3) : 0
  const batches = wanted.has('P2') ? (plan.rounds + 1) * plan.batches * 256 : 0
  return { hot: hot + 10_000, spread: Math.ceil(((hot + latency + batches) / 1_000) * 1.2) + 80 }
}

function report(found: Found, plan: Plan): number {
  const verdicts = verdictsOf(found)
  const runs = tableOf(
    ['run', 'connections', 'orders/s', 'p50 ms', 'p99 ms', 'server µs/order', 'database µs/order', 'server MB'],
    found.runs.map((run) => [
      `${run.server} ${run.shape}`, String(run.connections), run.perSecond.toFixed(0), run.p50.toFixed(2), run.p99.toFixed(2),
      run.serverCpuUs.toFixed(0), run.server === 'hub' ? run.databaseCpuUs.toFixed(0) : '-', run.residentMb.toFixed(0),
    ]),
  )
  if (loadBefore > 0.5) console.log(`The machine was not idle when the bench began (load ${loadBefore}): ratios under load speak against the hub.\n`)
  console.log(`${found.runs.length > 0 ? `${runs}\n\n` : ''}${verdicts.map(lineOf).join('\n')}`)
  writeFileSync(join(import.meta.dirname, 'results.json'), `${JSON.stringify({
    at: new Date().toISOString(), machine: { node: process.version, cores: cpus().length, cpu: cpus()[0]?.model, memoryGb: Math.round(totalmem() / 2 ** 30), loadBefore },
    plan, verdicts: verdicts.map((verdict) => ({ ...verdict, met: isMet(verdict) })), runs: found.runs, latency: found.latency, batch: found.batch,
  }, null, 2)}\n`)
  return verdicts.some((verdict) => verdict.weight === 'promised' && !isMet(verdict)) ? 1 : 0
}

function verdictsOf({ throughput, latency, batch, runs, wanted }: Found): Verdict[] {
  const verdicts: Verdict[] = []
  if (wanted.has('P1')) {
    const ratios = (shape: 'hot' | 'spread') => throughput.map((round) => round[shape].hub.perSecond / round[shape].peer!.perSecond)
    const [worse, better] = [{ shape: 'hot', values: ratios('hot') }, { shape: 'spread', values: ratios('spread') }].sort((a, b) => median(a.values) - median(b.values))
    verdicts.push({
      promise: 'P1', value: median(worse!.values), goal: 0.9, bound: '>=', digits: 2, weight: 'promised',
      from: `${listOf(worse!.values)}, ${worse!.shape}; ${better!.shape} ${median(better!.values).toFixed(2)}, ${listOf(better!.values)}; CPU of the process ${cpuOf(runs, 'hub')} against ${cpuOf(runs, 'peer')} µs an order`,
    })
  }
  if (wanted.has('P2')) {
    const ratios = batch.map((round) => round.batch.perSecond / round.plain.perSecond)
    const cpu = batch.map((round) => round.plain.databaseCpuUs / round.batch.databaseCpuUs)
    const us = (side: 'batch' | 'plain') => median(batch.map((round) => round[side].databaseCpuUs)).toFixed(0)
    verdicts.push({ promise: 'P2', value: median(ratios), goal: 0.5, bound: '>=', digits: 2, weight: 'shown', from: `${listOf(ratios)}; by CPU of the database ${median(cpu).toFixed(2)}, ${us('batch')} against ${us('plain')} µs an order` })
  }
  if (wanted.has('P4')) {
    const ratios = throughput.map((round) => round.hot.hub.perSecond / round.spread.hub.perSecond)
    verdicts.push({ promise: 'P4', value: median(ratios), goal: 0.9, bound: '>=', digits: 2, weight: 'promised', from: listOf(ratios) })
  }
  if (wanted.has('P5')) {
    const [at64, at256] = [latency.map((round) => round.tail64), latency.map((round) => round.tail256)]
    const single = (key: 'orderMs' | 'commitMs') => median(latency.map((round) => round.single[key])).toFixed(2)
    verdicts.push({
      promise: 'P5', value: Math.max(median(at64), median(at256)), goal: 3, bound: '<=', digits: 2, weight: 'shown',
      from: `p99/p50 at 64 connections ${median(at64).toFixed(2)}, ${listOf(at64)}; at 256 ${median(at256).toFixed(2)}, ${listOf(at256)}; at 1 connection p50 ${single('orderMs')} ms, a bare commit ${single('commitMs')} ms`,
    })
  }
  if (wanted.has('P14')) {
    const most = runs.filter((run) => run.server === 'hub' && run.connections === CONNECTIONS).map((run) => run.residentMb)
    verdicts.push({ promise: 'P14', value: Math.max(...most), goal: 160, bound: '<=', digits: 0, weight: 'promised', from: `MB, the most in ${most.length} runs at ${CONNECTIONS} connections; after the last ${most.at(-1)!.toFixed(0)}` })
  }
  return verdicts
}

function cpuOf(runs: readonly Run[], server: string): string {
  return median(runs.filter((run) => run.server === server && run.connections === CONNECTIONS).map((run) => run.serverCpuUs)).toFixed(0)
}
