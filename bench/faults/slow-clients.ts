import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Checker } from './check.ts'
import { countsOf, p99Of, patience, secondsOf, since, type Result, type Run } from './figures.ts'
import { Shop } from './shop.ts'
import { topUp } from './world.ts'

const OPEN_FILES = 256
const SLOW = 2_000
const SMOKE_SLOW = 600
/** Long enough for the slowest to be cut and to come again. */
const LASTS_MS = 30_000
const SMOKE_LASTS_MS = 16_000
const CUT_WITHIN_MS = 20_000
const HEALTHY_P99_MS = 500
/** A line to the database that is cut under a batch is told to its buyers; nothing else may be. */
const MOST_REFUSED = 0.01
const BYTE_EVERY_MS = 1_000

/**
 * F20: a hub that may open 256 files, and two thousand clients that send their heads a byte a second and come again
 * when they are cut. Each is answered 408 or cut in bounded time; shops that are connected order as always; the hub
 * can still open what it needs itself, a line to its database above all.
 */
export async function slowClients(run: Run): Promise<Result> {
  const { bed, world, journal } = run
  const mark = journal.mark()
  const check = new Checker(bed, world, journal)
  const slow: Slow = { told408: 0, cut: 0, longestMs: 0, isOpen: true }
  await bed.endHub('SIGTERM')
  await bed.startHub({ openFiles: OPEN_FILES })
  const shop = new Shop(bed, world, journal, { workers: 8, thinkMs: 20, hangUpShare: 0, tellers: 0 })
  shop.open()
  await sleep(1_000)
  const beganAtMs = performance.now()
  const clients = Array.from({ length: run.isSmoke ? SMOKE_SLOW : SLOW }, () => beSlow(bed.port, slow))
  const untilMs = beganAtMs + (run.isSmoke ? SMOKE_LASTS_MS : Math.max(LASTS_MS, run.seconds * 1000))
  while (performance.now() < untilMs && bed.life.isAlive() && !run.isInterrupted()) {
    await sleep(100)
    // New lines to the database must be had in the middle of it.
    if (Math.random() < 0.05) await bed.asOwner((client) => client.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'berth hub' and state = 'idle'`))
  }
  if (!bed.life.isAlive()) journal.violate('the hub lives on', `it ended: ${bed.output.slice(-400)}`)
  const p99Ms = p99Of(journal.entries.slice(mark.entries), beganAtMs)
  const healthy = journal.entries.slice(mark.entries).flatMap((entry) => entry.attempts).filter((attempt) => attempt.invokedAtMs >= beganAtMs && attempt.status !== null)
  slow.isOpen = false
  await Promise.all(clients)
  await shop.settle()
  if (healthy.length === 0) journal.violate('run', 'no shop was answered while the slow ones were there')
  const refused = healthy.filter((attempt) => attempt.status! >= 500).length
  if (refused > healthy.length * MOST_REFUSED) journal.violate('orders go on', `${refused} of ${healthy.length} answers to connected shops were 5xx`)
  if (p99Ms > patience(run, HEALTHY_P99_MS)) journal.violate('bounded', `p99 of the shops was ${secondsOf(p99Ms)}, allowed are ${secondsOf(HEALTHY_P99_MS)}`)
  if (slow.longestMs > CUT_WITHIN_MS) journal.violate('bounded', `a slow client was let go on for ${secondsOf(slow.longestMs)}, allowed are ${secondsOf(CUT_WITHIN_MS)}`)
  if (slow.told408 === 0) journal.violate('run', 'no slow client was told 408')
  await check.atRest(shop)
  shop.close()
  await topUp(bed, world, run.cardsEach)
  await bed.endHub('SIGTERM')
  await bed.startHub()
  const { entries, violations } = since(journal, mark)
  return {
    fault: 'F20', violations,
    figures: [...countsOf(entries), ['slow', clients.length], ['told_408', slow.told408], ['cut', slow.cut], ['slow_max', secondsOf(slow.longestMs)], ['healthy', healthy.length], ['healthy_5xx', refused], ['healthy_p99', secondsOf(p99Ms)]],
  }
}

type Slow = { told408: number; cut: number; longestMs: number; isOpen: boolean }

/** One client that comes again and again; each time it is timed from its connection to its end. */
async function beSlow(port: number, slow: Slow): Promise<void> {
  while (slow.isOpen) {
    const startedAtMs = performance.now()
    let said = ''
    await new Promise<void>((ended) => {
      const socket = connect(port, '127.0.0.1', () => void socket.write('POST /api/orders HTTP/1.1\r\nHost: hub\r\nX-Slow: '))
      const drip = setInterval(() => (slow.isOpen ? socket.writable && socket.write('a') : socket.destroy()), BYTE_EVERY_MS)
      socket.on('data', (chunk: Buffer) => (said += chunk.toString('latin1').slice(0, 40 - said.length)))
      socket.on('error', () => {})
      socket.once('close', () => {
        clearInterval(drip)
        ended()
      })
    })
    if (!slow.isOpen) return
    slow.longestMs = Math.max(slow.longestMs, performance.now() - startedAtMs)
    if (said.startsWith('HTTP/1.1 408')) slow.told408++
    else slow.cut++
    await sleep(1_000 + Math.random() * 2_000)
  }
}
