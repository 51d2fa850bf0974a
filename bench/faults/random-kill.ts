import { setTimeout as sleep } from 'node:timers/promises'
import { Checker } from './check.ts'
import { countsOf, isOver, patience, secondsOf, since, type Result, type Run } from './figures.ts'
import { Shop } from './shop.ts'
import { topUp } from './world.ts'

const KILLS = 30
const SMOKE_KILLS = 2
const LIFE_MS = { least: 2_000, most: 5_000 }
const READY_WITHIN_MS = 3_000

/**
 * F2: kill -9 of the hub by its id, wherever it happens to be, two to five seconds after its start, thirty times. The
 * named points of F1 lie where somebody thought of a danger; this one finds the others.
 */
export async function randomKill(run: Run): Promise<Result> {
  const { bed, world, journal } = run
  const mark = journal.mark()
  const check = new Checker(bed, world, journal)
  const startedAtMs = performance.now()
  let kills = 0
  let slowestReadyMs = 0
  await bed.endHub('SIGTERM')
  await bed.startHub()
  for (; kills < (run.isSmoke ? SMOKE_KILLS : KILLS) && !isOver(run, startedAtMs); kills++) {
    const shop = new Shop(bed, world, journal, { workers: 24, thinkMs: 250, hangUpShare: 0.1, tellers: 1 })
    shop.open()
    await sleep(run.isSmoke ? Math.random() * 1_000 : LIFE_MS.least + Math.random() * (LIFE_MS.most - LIFE_MS.least))
    if (!bed.life.isAlive()) journal.violate('the hub lives on', `it ended by itself: ${bed.output.slice(-400)}`)
    await bed.endHub('SIGKILL')
    const isQuiet = kills % 2 === 0
    if (isQuiet) await shop.hold()
    const { readyMs } = await bed.startHub()
    slowestReadyMs = Math.max(slowestReadyMs, readyMs)
    if (readyMs > patience(run, READY_WITHIN_MS)) journal.violate('ready', `the hub was ready after ${secondsOf(readyMs)}, allowed are ${secondsOf(READY_WITHIN_MS)}`)
    if (isQuiet) await check.afterStart()
    shop.release()
    await sleep(200)
    await shop.settle()
    await check.atRest(shop)
    shop.close()
    await topUp(bed, world, run.cardsEach)
  }
  const { entries, violations } = since(journal, mark)
  return { fault: 'F2', violations, figures: [['rounds', kills], ...countsOf(entries), ['doubtful', check.doubtful], ['ready_max', secondsOf(slowestReadyMs)]] }
}
