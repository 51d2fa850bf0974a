import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Checker } from './check.ts'
import { countsOf, isOver, patience, secondsOf, since, type Result, type Run } from './figures.ts'
import { Shop } from './shop.ts'
import { decideOften, topUp } from './world.ts'

/** Orders that a point has under it before a run is content with it, as long as the time lasts. */
const ORDERS_A_POINT = 50
const SMOKE_POINTS = ['before_commit', 'committed', 'before_answer', 'answered']
const READY_WITHIN_MS = 3_000
const REACHED_WITHIN_MS = 8_000

/**
 * F1: the hub kills itself with SIGKILL at a named point while shops order, is started again, and must be ready in
 * three seconds with nothing lost, nothing doubled and everything that is in doubt in the work list.
 */
export async function killHub(run: Run): Promise<Result> {
  const { bed, world, journal } = run
  const mark = journal.mark()
  const check = new Checker(bed, world, journal)
  const wanted = run.points ?? (run.isSmoke ? SMOKE_POINTS : null)
  const points = pointsOf(bed.root).filter((point) => wanted === null || wanted.includes(point.name))
  const orders = new Map(points.map(({ name }) => [name, 0]))
  const startedAtMs = performance.now()
  let rounds = 0
  let slowestReadyMs = 0
  const start = async (crashpoint?: string) => {
    const life = await bed.startHub(crashpoint === undefined ? {} : { crashpoint })
    slowestReadyMs = Math.max(slowestReadyMs, life.readyMs)
    if (life.readyMs > patience(run, READY_WITHIN_MS)) journal.violate('ready', `the hub was ready after ${secondsOf(life.readyMs)}, allowed are ${secondsOf(READY_WITHIN_MS)}`)
    return life
  }

  // Every point once, whatever the clock says; then in turn until the time is up.
  for (let i = 0; (i < points.length && !isOver({ ...run, seconds: Infinity }, 0)) || (!run.isSmoke && !isOver(run, startedAtMs)); i++) {
    const { name, upTo } = points[i % points.length]!
    await bed.endHub('SIGTERM')
    const life = await start(`${name}:${1 + Math.floor(Math.random() * upTo)}`)
    await check.afterOrderlyStop()
    const before = journal.entries.length
    const shop = new Shop(bed, world, journal, { workers: 24, thinkMs: 60, hangUpShare: 0.1, tellers: 1 })
    shop.open()
    const stopDeciding = decideOften(bed, world)
    const ended = await Promise.race([life.ended, sleep(REACHED_WITHIN_MS, null, { ref: false })])
    if (ended === null) journal.violate('run', `the crash point ${name} was not reached in ${REACHED_WITHIN_MS / 1000} s of load`)
    else if (ended.signal !== 'SIGKILL') journal.violate('run', `the hub ended with ${ended.signal ?? ended.code} instead of its crash point: ${bed.output.slice(-400)}`)
    stopDeciding()
    await bed.endHub('SIGKILL')
    // Every other time the shops hammer on the hub while it starts; else they wait, and it is seen what it left.
    const isQuiet = i % 2 === 0
    if (isQuiet) await shop.hold()
    await start()
    if (isQuiet) await check.afterStart()
    shop.release()
    await sleep(300)
    await shop.settle()
    await check.atRest(shop)
    shop.close()
    orders.set(name, orders.get(name)! + journal.entries.length - before)
    await topUp(bed, world, run.cardsEach)
    rounds++
  }
  const { entries, violations } = since(journal, mark)
  const thin = [...orders].filter(([, count]) => count < ORDERS_A_POINT).map(([name]) => name)
  return {
    fault: 'F1', violations,
    figures: [
      ['rounds', rounds], ...countsOf(entries), ['points', orders.size], [`points_below_${ORDERS_A_POINT}_orders`, thin.length === 0 ? 0 : thin.join(',')],
      ['doubtful', check.doubtful], ['ready_max', secondsOf(slowestReadyMs)],
    ],
  }
}

/**
 * Every point that the code names, so that none is forgotten here, and how many passes a run may let go by before the
 * kill: the writer passes its points once a batch, which under this load holds a few orders, and letters are looked at once a second.
 */
export function pointsOf(root: string): { name: string; upTo: number }[] {
  const upTo = new Map<string, number>()
  for (const file of globSync('hub/**/*.ts', { cwd: root }).sort()) {
    for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(/\bcrashpoint\('(\w+)'\)/g)) {
      upTo.set(name!, Math.min(upTo.get(name!) ?? Infinity, file.includes('/notices/') ? 3 : basename(file) === 'writer.ts' ? 50 : 120))
    }
  }
  return [...upTo].map(([name, passes]) => ({ name, upTo: passes }))
}
