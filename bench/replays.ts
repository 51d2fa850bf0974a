import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { drawAsks, writeAsks } from './requests.ts'
import { CONNECTIONS, runFile, type Ground, type Run } from './rounds.ts'
import { UNIT_PRICE } from './world.ts'

/** One round of P7: the same asks, first as fresh orders and then as repeats of them. */
export type ReplayRound = { fresh: Run; replay: Run }

/** The time is no bound here: a repeat can only be asked for what was placed before. */
const LONG_S = 120

/** Places `asks` orders and asks for every one of them again; what the database spends on each kind of answer is compared. */
export async function replayRound(ground: Ground, asks: number): Promise<ReplayRound> {
  const { hub, world, postgres, plan } = ground
  const drawn = drawAsks(world.spread, asks)
  const file = join(postgres.folder, 'requests-replay')
  const play = (expects: number) => {
    writeAsks(file, drawn, UNIT_PRICE)
    return runFile(ground, hub, { shape: 'spread', file, connections: CONNECTIONS, warm: Math.min(plan.warmOrders, asks >> 2), measure: asks, seconds: LONG_S, expects })
  }
  try {
    return { fresh: await play(201), replay: await play(200) }
  } finally {
    rmSync(file, { force: true })
  }
}
