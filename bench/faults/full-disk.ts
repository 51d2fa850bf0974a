import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmbedded } from '../../hub/platform/postgres/embedded.ts'
import { StartRefused } from '../../hub/platform/refusal-to-start.ts'
import { Bed } from './bed.ts'
import { Checker } from './check.ts'
import { countsOf, isOver, since, type Result, type Run } from './figures.ts'
import { Journal } from './journal.ts'
import { Shop } from './shop.ts'
import { furnish, topUp } from './world.ts'

const DISK_MB = 260
/** Left to the database when the disk is filled: a moment of orders, so that it is in the middle of them that it ends. */
const LEFT_BYTES = 1_500_000
const CARDS_EACH = 1_500
const ROUNDS = 2
const FULL_FOR_MS = 6_000
const FULL_WITHIN_MS = 20_000

/**
 * F12: the disk with the database fills up under the orders, on a small disk of its own that is mounted for the run.
 * From then on nothing is acknowledged; buyers read 503 `platform.storage_unavailable`; a database that stopped for
 * want of room says so in a sentence instead of starting; and with room again everything that was acknowledged stands.
 */
export async function fullDisk(run: Run): Promise<Result> {
  const disk = mount()
  if (typeof disk === 'string') return { fault: 'F12', figures: [], violations: [], skipped: disk }
  const journal = new Journal()
  const startedAtMs = performance.now()
  const seen = { rounds: 0, unavailable: 0, outages: 0 }
  let bed: Bed | undefined
  try {
    bed = await Bed.open(run.bed.root, disk.folder)
    await bed.startHub()
    const world = await furnish(bed, CARDS_EACH)
    for (; seen.rounds < (run.isSmoke ? 1 : ROUNDS) && !isOver({ ...run, journal }, startedAtMs); seen.rounds++) {
      const shop = new Shop(bed, world, journal, { workers: 12, thinkMs: 10, hangUpShare: 0, tellers: 2 })
      shop.open()
      await sleep(500)
      const ballast = join(disk.folder, 'ballast')
      fill(ballast, disk.folder)
      const first = await untilRefused(journal)
      if (first === null) journal.violate('run', `${FULL_WITHIN_MS / 1000} s of orders did not fill the disk`)
      await sleep(FULL_FOR_MS)
      // Whatever the server still had room for has been used up by now: an acknowledgement would be one without a log.
      fill(ballast, disk.folder, 0)
      await sleep(500)
      // A table that cannot grow is refused and no more; a log that cannot grow ends the server. Every other round it is the log.
      if (seen.rounds % 2 === 1) await exhaustLog(bed)
      const fullAtMs = performance.now()
      await sleep(run.isSmoke ? 500 : 2_000)
      const meanwhile = journal.entries.flatMap((entry) => entry.attempts).filter((attempt) => attempt.completedAtMs > fullAtMs && attempt.status !== null)
      const acknowledged = meanwhile.find((attempt) => attempt.status! < 300 && attempt.invokedAtMs > fullAtMs && !isReplay(journal, attempt))
      if (acknowledged) journal.violate('I1', `an order was acknowledged with ${acknowledged.status} on a full disk`)
      seen.unavailable += journal.entries.flatMap((entry) => entry.attempts).filter((attempt) => attempt.code === 'platform.storage_unavailable').length
      if (!bed.isDatabaseAlive()) {
        seen.outages++
        await mustSayWhy(bed, journal)
      }
      rmSync(ballast)
      if (!bed.isDatabaseAlive()) await bed.startDatabase()
      await bed.endHub('SIGKILL')
      await shop.hold()
      const life = await bed.startHub()
      if (!life.isAlive()) journal.violate('ready', `with room again the hub does not start: ${bed.output.trim().split('\n').slice(-3).join(' ')}`)
      const check = new Checker(bed, world, journal)
      await check.afterStart()
      shop.release()
      await sleep(300)
      await shop.settle()
      await check.atRest(shop)
      shop.close()
      await topUp(bed, world, CARDS_EACH)
    }
    if (seen.unavailable === 0) journal.violate('run', 'nobody was told platform.storage_unavailable')
  } finally {
    await bed?.close()
    disk.unmount()
  }
  const { entries, violations } = since(journal, { entries: 0, violations: 0 })
  return { fault: 'F12', violations, figures: [['rounds', seen.rounds], ...countsOf(entries), ['unavailable', seen.unavailable], ['database_ended', seen.outages]] }
}

/** @returns the mounted folder, or a sentence that says why there is none */
function mount(): { folder: string; unmount(): void } | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a small disk can be mounted by root on Linux only; run this fault there.'
  const folder = mkdtempSync(join(tmpdir(), 'berth-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=0711`, 'berth-faults', folder], { stdio: 'pipe' })
  } catch (error) {
    rmSync(folder, { recursive: true })
    return `this system does not let a small disk be mounted (${String((error as Error).message).trim().split('\n').at(-1)}).`
  }
  const unmount = () => {
    execFileSync('umount', ['-l', folder], { stdio: 'pipe' })
    rmSync(folder, { recursive: true, force: true })
  }
  return { folder, unmount }
}

/** Takes all of the disk but a rest. */
function fill(ballast: string, folder: string, leftBytes = LEFT_BYTES): void {
  const file = openSync(ballast, 'a')
  const chunk = Buffer.alloc(64 * 1024, 1)
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(folder)
      const room = bavail * bsize - leftBytes
      if (room <= 0) return
      writeSync(file, chunk, 0, Math.min(room, chunk.length))
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}

/** Begins new files of the database's log until there is no room for one. */
async function exhaustLog(bed: Bed): Promise<void> {
  try {
    await bed.asOwner(async (client) => {
      for (let i = 0; i < 100; i++) {
        await client.query(`select pg_logical_emit_message(false, 'berth', 'full')`)
        await client.query('select pg_switch_wal()')
      }
    })
  } catch {
    // The server ended, which is what was wanted.
  }
}

/** @returns when a buyer was first told that the storage is unavailable; null if nobody was in time */
async function untilRefused(journal: Journal): Promise<number | null> {
  const fromMs = performance.now()
  while (performance.now() < fromMs + FULL_WITHIN_MS) {
    const told = journal.entries.slice(-200).flatMap((entry) => entry.attempts).find((attempt) => attempt.invokedAtMs > fromMs - 1_000 && attempt.status === 503)
    if (told) return told.completedAtMs
    await sleep(20)
  }
  return null
}

function isReplay(journal: Journal, attempt: { invokedAtMs: number }): boolean {
  const entry = journal.entries.find((each) => each.attempts.includes(attempt as never))
  return entry !== undefined && entry.attempts.some((other) => other.status === 201 && other.invokedAtMs < attempt.invokedAtMs)
}

/** A server that cannot even recover for want of room must tell the operator just that. */
async function mustSayWhy(bed: Bed, journal: Journal): Promise<void> {
  try {
    const server = await startEmbedded({ dataDir: bed.dataDir, log: () => {} })
    await server.stop()
  } catch (error) {
    const sentence = error instanceof StartRefused ? error.message : ''
    if (!/disk .* full/i.test(sentence)) journal.violate('sentence', `a start on a full disk says: ${String((error as Error).message).slice(0, 300)}`)
  }
}
