import { setTimeout as sleep } from 'node:timers/promises'
import { residentMegabytesOf } from '../processes.ts'
import { Checker } from './check.ts'
import { countsOf, isOver, patience, secondsOf, since, type Result, type Run } from './figures.ts'
import { Readers } from './readers.ts'
import { Shop } from './shop.ts'
import { topUp } from './world.ts'

const ROUNDS = 3
/** Longer than any bound below, so that what has none is seen to have none. */
const STOPPED_MS = 20_000
const SMOKE_STOPPED_MS = 9_000
/** The hub gives a silent line eight seconds. */
const READ_WITHIN_MS = 9_500
/** An order may have waited for a batch of which the answer to COMMIT is missing: that is asked for another eight, and a new line gets two. */
const ORDER_WITHIN_MS = 19_000
const RECOVER_WITHIN_MS = 3_000
const MOST_GROWTH_MB = 100
const WALK_IN_EVERY_MS = 10

/**
 * F4: SIGSTOP of Postgres and all its processes for twenty seconds. It neither answers nor breaks a line, so nothing but
 * the hub's own clock can tell; meanwhile a hundred buyers a second walk in. Everybody is answered in bounded time,
 * with 503 and a Retry-After, memory does not pile up, and when the database goes on so do the orders.
 */
export async function stopDatabase(run: Run): Promise<Result> {
  const { bed, world, journal } = run
  const mark = journal.mark()
  const check = new Checker(bed, world, journal)
  const startedAtMs = performance.now()
  const seen = { recoverMs: 0, readMs: 0, answerMs: 0, growthMb: 0, unavailable: 0, rounds: 0 }
  await bed.endHub('SIGTERM')
  await bed.startHub()
  for (; seen.rounds < (run.isSmoke ? 1 : ROUNDS) && !isOver(run, startedAtMs); seen.rounds++) {
    const shop = new Shop(bed, world, journal, { workers: 24, thinkMs: 20, hangUpShare: 0, tellers: 2 })
    const readers = new Readers(bed, world, journal)
    shop.open()
    readers.open(20)
    await sleep(2_000)
    const before = residentMegabytesOf(bed.life.pid)
    let most = before
    const stoppedAtMs = performance.now()
    bed.stopDatabase()
    const untilMs = stoppedAtMs + (run.isSmoke ? SMOKE_STOPPED_MS : STOPPED_MS)
    while (performance.now() < untilMs) {
      shop.walkIn()
      most = Math.max(most, residentMegabytesOf(bed.life.pid))
      await sleep(WALK_IN_EVERY_MS)
    }
    const goesOnAtMs = performance.now()
    bed.continueDatabase()
    while (shop.lastOkAtMs < goesOnAtMs && performance.now() < goesOnAtMs + 20_000) await sleep(5)
    const recoverMs = performance.now() - goesOnAtMs
    if (recoverMs > patience(run, RECOVER_WITHIN_MS)) journal.violate('recovery', `the first order came ${secondsOf(recoverMs)} after the database went on, allowed are ${secondsOf(RECOVER_WITHIN_MS)}`)
    await readers.close()
    await shop.settle()
    const attempts = journal.entries.slice(mark.entries).flatMap((entry) => entry.attempts).filter((attempt) => attempt.invokedAtMs > stoppedAtMs - 1_000)
    const meanwhile = attempts.filter((attempt) => attempt.completedAtMs > stoppedAtMs + 500 && attempt.completedAtMs < goesOnAtMs && attempt.status !== null)
    seen.unavailable += meanwhile.filter((attempt) => attempt.status === 503).length
    const answered = meanwhile.find((attempt) => attempt.status! < 300)
    if (answered) journal.violate('I1', `an order was answered with ${answered.status} while the database stood still`)
    seen.answerMs = Math.max(seen.answerMs, ...attempts.map((attempt) => attempt.completedAtMs - attempt.invokedAtMs))
    seen.readMs = Math.max(seen.readMs, readers.slowestMs(stoppedAtMs - 1_000, goesOnAtMs))
    for (const [what, tookMs, allowedMs] of [['an order', seen.answerMs, ORDER_WITHIN_MS], ['a look at the balance', seen.readMs, READ_WITHIN_MS]] as const) {
      if (tookMs > patience(run, allowedMs)) journal.violate('bounded', `${what} waited ${secondsOf(tookMs)}, allowed are ${secondsOf(allowedMs)}`)
    }
    seen.growthMb = Math.max(seen.growthMb, most - before)
    if (seen.growthMb > MOST_GROWTH_MB) journal.violate('no pile-up', `the hub grew by ${seen.growthMb.toFixed(0)} MB, allowed are ${MOST_GROWTH_MB}`)
    seen.recoverMs = Math.max(seen.recoverMs, recoverMs)
    await check.atRest(shop)
    shop.close()
    await topUp(bed, world, run.cardsEach)
  }
  if (seen.unavailable === 0) journal.violate('run', 'nobody was told 503 while the database stood still')
  const { entries, violations } = since(journal, mark)
  return {
    fault: 'F4', violations,
    figures: [
      ['rounds', seen.rounds], ...countsOf(entries), ['unavailable', seen.unavailable], ['answer_max', secondsOf(seen.answerMs)], ['read_max', secondsOf(seen.readMs)],
      ['recover_max', secondsOf(seen.recoverMs)], ['growth_mb', seen.growthMb.toFixed(0)],
    ],
  }
}
