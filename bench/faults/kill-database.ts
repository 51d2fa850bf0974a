import { setTimeout as sleep } from 'node:timers/promises'
import { Checker } from './check.ts'
import { countsOf, isOver, secondsOf, since, type Result, type Run } from './figures.ts'
import type { Journal } from './journal.ts'
import { Shop } from './shop.ts'
import { topUp } from './world.ts'

const WRITERS = 12
const ROUNDS = 10
const RECONNECT_WITHIN_MS = 2_000

/**
 * F3: kill -9 of Postgres and all its children while twelve writers order. The hub itself lives on, says 503 with a
 * Retry-After and a code that is true, and takes orders again two seconds after the database is back. Every third
 * round the hub is killed as well, soon after the database came back: the next start must know what is in doubt.
 */
export async function killDatabase(run: Run): Promise<Result> {
  const { bed, world, journal } = run
  const mark = journal.mark()
  const check = new Checker(bed, world, journal)
  const startedAtMs = performance.now()
  const slowest = { up: 0, reconnect: 0, answer: 0 }
  let rounds = 0
  await bed.endHub('SIGTERM')
  await bed.startHub()
  for (; rounds < (run.isSmoke ? 1 : ROUNDS) && !isOver(run, startedAtMs); rounds++) {
    const shop = new Shop(bed, world, journal, { workers: WRITERS, thinkMs: 4, hangUpShare: 0, deposits: true })
    shop.open()
    await sleep(300 + Math.random() * 700)
    await bed.killDatabase()
    await sleep(Math.random() * 800)
    slowest.up = Math.max(slowest.up, await bed.startDatabase())
    const upAtMs = performance.now()
    if (rounds % 3 === 2) await killHubToo(run, journal, check, shop)
    else slowest.reconnect = Math.max(slowest.reconnect, await reconnect(run, journal, shop, upAtMs))
    await sleep(200)
    await shop.settle()
    await check.atRest(shop)
    slowest.answer = Math.max(slowest.answer, shop.slowestMs)
    shop.close()
    await topUp(bed, world, run.cardsEach)
  }
  const { entries, violations } = since(journal, mark)
  const answers = entries.flatMap((entry) => entry.attempts).filter((attempt) => attempt.status !== null && attempt.status >= 500)
  return {
    fault: 'F3', violations,
    figures: [
      ['rounds', rounds], ...countsOf(entries), ['unavailable', answers.filter((attempt) => attempt.code === 'platform.storage_unavailable').length],
      ['outcome_unknown', answers.filter((attempt) => attempt.code === 'platform.outcome_unknown').length],
      ['db_up_max', secondsOf(slowest.up)], ['reconnect_max', secondsOf(slowest.reconnect)], ['answer_max', secondsOf(slowest.answer)],
    ],
  }
}

/** @returns how long after the database came back the first order was acknowledged, in milliseconds */
async function reconnect({ bed }: Run, journal: Journal, shop: Shop, upAtMs: number): Promise<number> {
  while (shop.lastOkAtMs < upAtMs && performance.now() < upAtMs + 10_000 && bed.life.isAlive()) await sleep(5)
  if (!bed.life.isAlive()) {
    journal.violate('the hub lives on', `it ended with the database: ${lastWords(bed.output)}`)
    await bed.startHub()
    return 0
  }
  const tookMs = performance.now() - upAtMs
  if (tookMs > RECONNECT_WITHIN_MS) journal.violate('reconnect', `the first order came ${secondsOf(tookMs)} after the database was back, allowed are ${secondsOf(RECONNECT_WITHIN_MS)}`)
  return tookMs
}

async function killHubToo({ bed }: Run, journal: Journal, check: Checker, shop: Shop): Promise<void> {
  await sleep(Math.random() * 400)
  if (!bed.life.isAlive()) journal.violate('the hub lives on', `it ended with the database: ${lastWords(bed.output)}`)
  await bed.endHub('SIGKILL')
  await shop.hold()
  await bed.startHub()
  await check.afterStart()
  shop.release()
}

function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => /error/i.test(line) && !line.startsWith('{'))
  return lines.at(-1)?.trim() ?? output.trim().split('\n').at(-1) ?? ''
}
