import { setTimeout as sleep } from 'node:timers/promises'
import { Checker } from './check.ts'
import { countsOf, isOver, patience, secondsOf, since, type Result, type Run } from './figures.ts'
import { nameOf, type Journal } from './journal.ts'
import { Shop } from './shop.ts'
import { topUp } from './world.ts'

const WRITERS = 12
const ROUNDS = 16
const RECONNECT_WITHIN_MS = 2_000
/**
 * A commit waits this long (µs) before its log is flushed, so that most kills meet one under way. It is as durable as
 * without: nobody is answered before the flush.
 */
const COMMIT_DELAY_US = 15_000

/**
 * F3: kill -9 of Postgres and all its children while twelve writers order. The hub itself lives on, says 503 with a
 * Retry-After and a code that is true, and takes orders again two seconds after the database is back. Every other
 * round the hub is killed as well, as soon as the database is back: the next start must know what is in doubt.
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
  await delayCommits(run, COMMIT_DELAY_US)
  for (; rounds < (run.isSmoke ? 1 : ROUNDS) && !isOver(run, startedAtMs); rounds++) {
    const shop = new Shop(bed, world, journal, { workers: WRITERS, thinkMs: 4, hangUpShare: 0, tellers: 3 })
    shop.open()
    await sleep(300 + Math.random() * 700)
    await bed.killDatabase()
    await sleep(Math.random() * 800)
    slowest.up = Math.max(slowest.up, await bed.startDatabase())
    const upAtMs = performance.now()
    if (rounds % 2 === 1) await killHubToo(run, journal, check, shop)
    else slowest.reconnect = Math.max(slowest.reconnect, await reconnect(run, journal, shop, upAtMs))
    await sleep(200)
    await shop.settle()
    await check.atRest(shop)
    lateRefusals(journal, upAtMs + patience(run, RECONNECT_WITHIN_MS), upAtMs)
    slowest.answer = Math.max(slowest.answer, shop.slowestMs)
    shop.close()
    await topUp(bed, world, run.cardsEach)
  }
  await delayCommits(run, 0)
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

async function delayCommits({ bed }: Run, delayUs: number): Promise<void> {
  await bed.asOwner(async (client) => {
    await client.query(`alter system set commit_delay = ${delayUs}`)
    await client.query(`alter system set commit_siblings = ${delayUs > 0 ? 0 : 5}`)
    await client.query('select pg_reload_conf()')
  })
}

/** @returns how long after the database came back the first order was acknowledged, in milliseconds */
async function reconnect(run: Run, journal: Journal, shop: Shop, upAtMs: number): Promise<number> {
  const { bed } = run
  const patienceMs = patience(run, RECONNECT_WITHIN_MS)
  while (shop.lastOkAtMs < upAtMs && performance.now() < upAtMs + 15_000 && bed.life.isAlive()) await sleep(5)
  if (!bed.life.isAlive()) {
    journal.violate('the hub lives on', `it ended with the database: ${lastWords(bed.output)}`)
    await bed.startHub()
    return 0
  }
  const tookMs = performance.now() - upAtMs
  if (tookMs > patienceMs) journal.violate('reconnect', `the first order came ${secondsOf(tookMs)} after the database was back, allowed are ${secondsOf(patienceMs)}`)
  return tookMs
}

/** Once the database is back and the hub had its time to notice, nobody may be told that it is away. */
function lateRefusals(journal: Journal, sinceMs: number, upAtMs: number): void {
  for (const entry of journal.entries) {
    const late = entry.attempts.find((attempt) => attempt.invokedAtMs > sinceMs && attempt.status === 503)
    if (late) journal.violate('reconnect', `${secondsOf(late.invokedAtMs - upAtMs)} after the database was back, still 503 ${late.code}: ${nameOf(entry)}`)
  }
}

async function killHubToo({ bed }: Run, journal: Journal, check: Checker, shop: Shop): Promise<void> {
  await sleep(Math.random() * 80)
  if (!bed.life.isAlive()) journal.violate('the hub lives on', `it ended with the database: ${lastWords(bed.output)}`)
  await bed.endHub('SIGKILL')
  await shop.hold()
  await bed.startHub()
  await check.afterStart()
  shop.release()
}

/** The head of the stack that an uncaught exception leaves. */
function lastWords(output: string): string {
  const lines = output.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  const from = lines.findLastIndex((line) => /^\w*Error\b/.test(line))
  return from < 0 ? lines.at(-1) ?? '' : lines.slice(from, from + 2).map((line) => line.trim()).join(' ')
}
