import type { BatchRound } from './batch.ts'
import { listOf, median, type Verdict } from './figures.ts'
import type { ReplayRound } from './replays.ts'
import { CONNECTIONS, type LatencyRound, type Run, type ThroughputRound } from './rounds.ts'
import type { Sealing } from './sealing.ts'
import type { StoredRound } from './stored.ts'
import type { TogetherRound } from './together.ts'
import type { TypicalRound } from './typical.ts'

export const KNOWN = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'P13', 'P14'] as const
export type PromiseName = (typeof KNOWN)[number]

/** All that was measured; the lists of what nobody asked for are empty. */
export type Found = {
  throughput: ThroughputRound[]
  latency: LatencyRound[]
  batch: BatchRound[]
  typical: TypicalRound[]
  together: TogetherRound[]
  replays: ReplayRound[]
  stored: StoredRound[]
  sealing: Sealing | null
  storing: { orders: number; seconds: number } | null
  /** Promises that could not be looked at, each with a sentence. */
  skipped: Map<PromiseName, string>
  runs: Run[]
  wanted: ReadonlySet<PromiseName>
}

export function verdictsOf(found: Found): Verdict[] {
  const { wanted, skipped } = found
  const by: Record<PromiseName, (found: Found) => Verdict[]> = { P1: peer, P2: plain, P3: typical, P4: hot, P5: tail, P6: together, P7: replay, P8: stored, P13: sealing, P14: memory }
  return KNOWN.filter((name) => wanted.has(name) && !skipped.has(name)).flatMap((name) => by[name](found))
}

function peer({ throughput, runs }: Found): Verdict[] {
  const ratios = (shape: 'hot' | 'spread') => throughput.map((round) => round[shape].hub.perSecond / round[shape].peer!.perSecond)
  const [worse, better] = [{ shape: 'hot', values: ratios('hot') }, { shape: 'spread', values: ratios('spread') }].sort((a, b) => median(a.values) - median(b.values))
  return [{
    promise: 'P1', value: median(worse!.values), goal: 0.9, bound: '>=', digits: 2, weight: 'promised',
    from: `${listOf(worse!.values)}, ${worse!.shape}; ${better!.shape} ${median(better!.values).toFixed(2)}, ${listOf(better!.values)}; CPU of the process ${cpuOf(runs, 'hub')} against ${cpuOf(runs, 'peer')} µs an order`,
  }]
}

function plain({ batch }: Found): Verdict[] {
  const ratios = batch.map((round) => round.batch.perSecond / round.plain.perSecond)
  const cpu = batch.map((round) => round.plain.databaseCpuUs / round.batch.databaseCpuUs)
  const us = (side: 'batch' | 'plain') => median(batch.map((round) => round[side].databaseCpuUs)).toFixed(0)
  return [{ promise: 'P2', value: median(ratios), goal: 0.5, bound: '>=', digits: 2, weight: 'shown', from: `${listOf(ratios)}; by CPU of the database ${median(cpu).toFixed(2)}, ${us('batch')} against ${us('plain')} µs an order` }]
}

function typical({ typical: rounds }: Found): Verdict[] {
  return ([['spread', 18], ['hot', 30]] as const).map(([shape, goal]) => {
    const ratios = rounds.map((round) => round[shape].hub.perSecond / round[shape].typical.perSecond)
    const rate = (who: 'hub' | 'typical') => median(rounds.map((round) => round[shape][who].perSecond)).toFixed(0)
    return { promise: `P3 ${shape}`, value: median(ratios), goal, bound: '>=', digits: 1, weight: 'promised', from: `${listOf(ratios, 1)}; ${rate('hub')} against ${rate('typical')} orders/s` } satisfies Verdict
  })
}

function hot({ throughput }: Found): Verdict[] {
  const ratios = throughput.map((round) => round.hot.hub.perSecond / round.spread.hub.perSecond)
  return [{ promise: 'P4', value: median(ratios), goal: 0.9, bound: '>=', digits: 2, weight: 'promised', from: listOf(ratios) }]
}

function tail({ latency }: Found): Verdict[] {
  const [at64, at256] = [latency.map((round) => round.tail64), latency.map((round) => round.tail256)]
  const single = (key: 'orderMs' | 'commitMs') => median(latency.map((round) => round.single[key])).toFixed(2)
  return [{
    promise: 'P5', value: Math.max(median(at64), median(at256)), goal: 3, bound: '<=', digits: 2, weight: 'shown',
    from: `p99/p50 at 64 connections ${median(at64).toFixed(2)}, ${listOf(at64)}; at 256 ${median(at256).toFixed(2)}, ${listOf(at256)}; at 1 connection p50 ${single('orderMs')} ms, a bare commit ${single('commitMs')} ms`,
  }]
}

function together({ together: rounds }: Found): Verdict[] {
  const ratios = rounds.map((round) => round.togetherPerSecond / round.single.perSecond)
  const rates = [median(rounds.map((round) => round.togetherPerSecond)), median(rounds.map((round) => round.single.perSecond))].map((rate) => rate.toFixed(0))
  return [{ promise: 'P6', value: median(ratios), goal: 3, bound: '>=', digits: 2, weight: 'promised', from: `${listOf(ratios)}; ${rates[0]} orders/s, 100 a request, against ${rates[1]}` }]
}

function replay({ replays }: Found): Verdict[] {
  const ratios = replays.map((round) => round.fresh.databaseCpuUs / round.replay.databaseCpuUs)
  const us = (side: 'fresh' | 'replay') => median(replays.map((round) => round[side].databaseCpuUs)).toFixed(0)
  return [{ promise: 'P7', value: median(ratios), goal: 3, bound: '>=', digits: 2, weight: 'promised', from: `${listOf(ratios)}; CPU of the database ${us('fresh')} µs for a fresh order, ${us('replay')} for a repeat` }]
}

function stored({ stored: rounds, storing }: Found): Verdict[] {
  const ratios = rounds.map((round) => round.stored.perSecond / round.empty.perSecond)
  return [{
    promise: 'P8', value: median(ratios), goal: 0.9, bound: '>=', digits: 2, weight: 'promised',
    from: `${listOf(ratios)}; ${(storing!.orders / 1e6).toFixed(1)} million orders and cards stored, which took ${storing!.seconds.toFixed(0)} s`,
  }]
}

function sealing({ sealing: seen }: Found): Verdict[] {
  const { orders, perSeal, sealUs, orderUs, lagP99S, leaves, proofBytes, verifyMs, growSeconds } = seen!
  const promised = (promise: string, value: number, goal: number, digits: number, from: string): Verdict => ({ promise, value, goal, bound: '<=', digits, weight: 'promised', from })
  return [
    promised('P13', (sealUs / orderUs) * 100, 3, 2, `% of an order's CPU: ${sealUs.toFixed(1)} of ${orderUs.toFixed(0)} µs, over ${orders} orders sealed ${perSeal} at a time`),
    promised('P13 lag', lagP99S, 3, 2, 's from a fact to its checkpoint, p99 under load'),
    promised('P13 proof', proofBytes, 2_048, 0, `bytes, the longest of 200 in a log of ${leaves} leaves, which took ${growSeconds.toFixed(0)} s to seal`),
    promised('P13 verify', verifyMs, 5, 2, 'ms, p99 of 200'),
  ]
}

function memory({ runs }: Found): Verdict[] {
  const most = runs.filter((run) => run.server === 'hub' && run.connections === CONNECTIONS).map((run) => run.residentMb)
  return [{ promise: 'P14', value: Math.max(...most), goal: 160, bound: '<=', digits: 0, weight: 'promised', from: `MB, the most in ${most.length} runs at ${CONNECTIONS} connections; after the last ${most.at(-1)!.toFixed(0)}` }]
}

function cpuOf(runs: readonly Run[], server: string): string {
  return median(runs.filter((run) => run.server === server && run.connections === CONNECTIONS).map((run) => run.serverCpuUs)).toFixed(0)
}
