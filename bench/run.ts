import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { StartRefused } from '../hub/platform/refusal-to-start.ts'
import { batchRound } from './batch.ts'
import { isMet, lineOf, tableOf } from './figures.ts'
import { BenchRefused, buildLoad } from './load.ts'
import { replayRound } from './replays.ts'
import { latencyRound, throughputRound, warmUp, type Ground, type Plan } from './rounds.ts'
import { startHub, startPeer, type Server } from './servers.ts'
import { storedRound, storeOrders } from './stored.ts'
import { TOGETHER_PER_SECOND, togetherRound, whyNotTogether } from './together.ts'
import { sealingRound } from './sealing.ts'
import { openTypical, typicalRound } from './typical.ts'
import { KNOWN, verdictsOf, type Found, type PromiseName } from './verdicts.ts'
import { makeDatabase, makeWorld, startPostgres, writePeerWorld, type Postgres, type World } from './world.ts'

// node bench/run.ts [P1 P4 …] [--quick] [--profile]: each promise as a ratio of two things that ran in turn in this one
// program, because no machine is as fast twice.

/** These take minutes or an installation of their own, and run only when they are named. */
const ONLY_WHEN_NAMED: ReadonlySet<PromiseName> = new Set(['P3', 'P8', 'P13'])

const FULL: Plan = { rounds: 5, seconds: 5, warmOrders: 3_000, warmUpSeconds: 5, latencySeconds: 4, batches: 60, replays: 20_000, stored: 3_000_000, leaves: 1_000_000 }
const QUICK: Plan = { rounds: 2, seconds: 2, warmOrders: 1_000, warmUpSeconds: 2, latencySeconds: 2, batches: 20, replays: 6_000, stored: 300_000, leaves: 50_000 }
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
  const wanted = new Set<PromiseName>(asked.length > 0 ? (asked as PromiseName[]) : KNOWN.filter((name) => !ONLY_WHEN_NAMED.has(name)))
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

async function measure(postgres: Postgres, wanted: ReadonlySet<PromiseName>, plan: Plan, isProfiled: boolean): Promise<Found> {
  const found: Found = { throughput: [], latency: [], batch: [], typical: [], together: [], replays: [], stored: [], sealing: null, storing: null, skipped: new Map(), runs: [], wanted }
  const furnish = (name: string, cards: { hot: number; spread: number }) => makeWorld(postgres, name, cards, async (urls, work) => {
    const hub = await startHub(urls)
    await work(`http://127.0.0.1:${hub.port}`).finally(() => hub.stop())
  })
  const world = await furnish('bench', cardsFor(plan, wanted))
  if (KNOWN.some((name) => name !== 'P2' && wanted.has(name))) {
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
      await underLoad(ground, found, keep)
      if (wanted.has('P8')) await withStored(ground, found, furnish, keep)
      // The hub seals no more afterwards.
      if (wanted.has('P13')) found.sealing = await sealingRound(ground, plan.leaves)
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

/** Everything that one hub on one database can show. */
async function underLoad(ground: Ground, found: Found, keep: (starting: Promise<Server>) => Promise<Server>): Promise<void> {
  const { wanted } = found
  const { rounds, replays } = ground.plan
  if (wanted.has('P1') || wanted.has('P4') || wanted.has('P13') || wanted.has('P14')) for (let round = 0; round < rounds; round++) found.throughput.push(await throughputRound(ground, round))
  if (wanted.has('P5')) for (let round = 0; round < rounds; round++) found.latency.push(await latencyRound(ground))
  if (wanted.has('P7')) for (let round = 0; round < rounds; round++) found.replays.push(await replayRound(ground, replays))
  if (wanted.has('P6')) {
    const why = await whyNotTogether(ground)
    if (why !== null) found.skipped.set('P6', why)
    else for (let round = 0; round < rounds; round++) found.together.push(await togetherRound(ground))
  }
  if (wanted.has('P3')) {
    const typical = await keep(openTypical(ground))
    for (let round = 0; round < rounds; round++) found.typical.push(await typicalRound(ground, typical, round))
    await typical.stop()
  }
}

/** A second world with millions of orders in it, beside the first. */
async function withStored(
  ground: Ground, found: Found, furnish: (name: string, cards: { hot: number; spread: number }) => Promise<World>, keep: (starting: Promise<Server>) => Promise<Server>,
): Promise<void> {
  const { plan } = ground
  const world = await furnish('stored', cardsFor(plan, new Set(['P8'])))
  found.storing = { orders: plan.stored, seconds: await storeOrders(world, plan.stored) }
  console.log(`${plan.stored} orders and cards were stored in ${found.storing.seconds.toFixed(0)} s.`)
  const stored: Ground = { ...ground, world, hub: await keep(startHub({ databaseUrl: world.appUrl, dataDir: world.dataDir })), peer: null }
  await storedRound(ground, stored, 0)
  for (let round = 0; round < plan.rounds; round++) found.stored.push(await storedRound(ground, stored, round))
}

/** Enough for every run at a rate that this hub does not reach; spread orders fall on their goods by chance, so with room. */
function cardsFor(plan: Plan, wanted: ReadonlySet<PromiseName>): { hot: number; spread: number } {
  const each = plan.seconds * CARDS_PER_SECOND + plan.warmOrders
  const of = (name: PromiseName, cards: number) => (wanted.has(name) ? plan.rounds * cards : 0)
  const warm = plan.warmUpSeconds * CARDS_PER_SECOND + plan.warmOrders + 10_000
  const hot = warm + Math.max(of('P1', each), of('P4', each), of('P13', each), of('P14', each)) + of('P3', each)
  const together = of('P6', each + plan.seconds * TOGETHER_PER_SECOND)
  const spread = hot + of('P5', plan.latencySeconds * 2 * CARDS_PER_SECOND + plan.warmOrders * 3) + (wanted.has('P2') ? (plan.rounds + 1) * plan.batches * 256 : 0) +
    of('P7', plan.replays) + together + (wanted.has('P8') ? (plan.rounds + 1) * each : 0)
  return { hot, spread: Math.ceil((spread / 1_000) * 1.2) + 80 }
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
  const skipped = [...found.skipped].map(([name, why]) => `${name} skipped: ${why}`)
  console.log(`${found.runs.length > 0 ? `${runs}\n\n` : ''}${[...verdicts.map(lineOf), ...skipped].join('\n')}`)
  writeFileSync(join(import.meta.dirname, 'results.json'), `${JSON.stringify({
    at: new Date().toISOString(), machine: { node: process.version, cores: cpus().length, cpu: cpus()[0]?.model, memoryGb: Math.round(totalmem() / 2 ** 30), loadBefore },
    plan, verdicts: verdicts.map((verdict) => ({ ...verdict, met: isMet(verdict) })), skipped: Object.fromEntries(found.skipped), runs: found.runs, latency: found.latency, batch: found.batch,
  }, null, 2)}\n`)
  return verdicts.some((verdict) => verdict.weight === 'promised' && !isMet(verdict)) ? 1 : 0
}
