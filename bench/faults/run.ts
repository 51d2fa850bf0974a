import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Bed } from './bed.ts'
import { changedBody } from './changed-body.ts'
import { lineOf, type Result, type Run } from './figures.ts'
import { fullDisk } from './full-disk.ts'
import { fullPool } from './full-pool.ts'
import { Journal } from './journal.ts'
import { killDatabase } from './kill-database.ts'
import { killHub } from './kill-hub.ts'
import { MUTANTS, plant } from './mutants.ts'
import { randomKill } from './random-kill.ts'
import { retryStorm } from './retry-storm.ts'
import { slowClients } from './slow-clients.ts'
import { stopDatabase } from './stop-database.ts'
import { furnish } from './world.ts'

// npm run faults -- F1 F3 … [--seconds N] [--smoke] [--mutant NAME] [--log FILE]
// Exit code 0: nothing found (of a mutant: it was caught). 1: violations (a mutant survived). 2: asked wrongly.
// 3: nothing found, but a fault could not be made on this machine; its line says why.
const SKIPPED = 3
const FAULTS: Readonly<Record<string, { run: (run: Run) => Promise<Result>; seconds: number }>> = {
  F1: { run: killHub, seconds: 100 },
  F2: { run: randomKill, seconds: 240 },
  F3: { run: killDatabase, seconds: 90 },
  F4: { run: stopDatabase, seconds: 60 },
  F12: { run: fullDisk, seconds: 60 },
  F13: { run: fullPool, seconds: 25 },
  F14: { run: retryStorm, seconds: 30 },
  F15: { run: changedBody, seconds: 15 },
  F20: { run: slowClients, seconds: 30 },
}
const MUTANT_SECONDS = 60
const MOST_SHOWN = 25
const root = join(import.meta.dirname, '../..')

type Asked = { faults: readonly string[]; mutant: string | null; seconds: number | null; isSmoke: boolean; log: string | null }

const interruption = { isAsked: false }
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // The round under way ends by itself; whoever asks twice gets the processes stopped at once.
    if (interruption.isAsked) void Bed.closeAll().finally(() => process.exit(130))
    interruption.isAsked = true
  })
}

const asked = readArguments(process.argv.slice(2))
process.exitCode = asked === null ? 2 : asked.mutant !== null ? await runMutant(asked.mutant, asked) : await runFaults(asked)

function readArguments(words: readonly string[]): Asked | null {
  const faults: string[] = []
  const read: { -readonly [K in keyof Omit<Asked, 'faults'>]: Asked[K] } = { mutant: null, seconds: null, isSmoke: false, log: null }
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (FAULTS[word]) faults.push(word)
    else if (word === '--smoke') read.isSmoke = true
    else if (word === '--mutant' && MUTANTS[words[i + 1] ?? '']) read.mutant = words[++i]!
    else if (word === '--log' && words[i + 1]) read.log = words[++i]!
    else if (word === '--seconds' && Number(words[i + 1]) > 0) read.seconds = Number(words[++i])
    else {
      console.error(`"${word} ${words[i + 1] ?? ''}" is not understood. Usage: npm run faults -- [${Object.keys(FAULTS).join('] [')}] [--seconds N] [--smoke] [--log FILE] [--mutant ${Object.keys(MUTANTS).join(' | ')}]`)
      return null
    }
  }
  return { faults: faults.length > 0 ? faults : Object.keys(FAULTS), ...read }
}

async function runFaults({ faults, seconds, isSmoke, log }: Asked): Promise<number> {
  const results = await onBed(root, isSmoke ? 600 : 3_000, log, async (make) => {
    const list: Result[] = []
    for (const fault of faults) {
      if (interruption.isAsked) break
      const result = await FAULTS[fault]!.run(make({ seconds: seconds ?? FAULTS[fault]!.seconds, isSmoke }))
      show(result)
      list.push(result)
    }
    return list
  })
  if (interruption.isAsked) return 130
  if (results.some((result) => result.violations.length > 0)) return 1
  return results.some((result) => result.skipped !== undefined) ? SKIPPED : 0
}

async function runMutant(name: string, { seconds, log }: Asked): Promise<number> {
  const mutant = MUTANTS[name]!
  const copy = plant(root, name, mutant)
  try {
    const result = await onBed(copy, 1_000, log, (make) => FAULTS[mutant.fault]!.run(make({
      seconds: seconds ?? MUTANT_SECONDS, isSmoke: false, stopsAt: mutant.caughtBy, ...(mutant.points ? { points: mutant.points } : {}),
    })))
    const { length } = result.violations.filter(({ rule }) => mutant.caughtBy.includes(rule))
    show(result)
    if (interruption.isAsked) return 130
    console.log(length > 0 ? `mutant ${name} caught: ${length} violations` : `mutant ${name} survived`)
    return length > 0 ? 0 : 1
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** A Postgres and a hub for the time of `work`; whatever happens, both are stopped and their folder is removed. What the hub wrote is kept in `log`. */
async function onBed<T>(from: string, cardsEach: number, log: string | null, work: (make: (more: Pick<Run, 'seconds' | 'isSmoke' | 'points' | 'stopsAt'>) => Run) => Promise<T>): Promise<T> {
  const bed = await Bed.open(from)
  try {
    const life = await bed.startHub()
    if (!life.isAlive()) throw new Error(`The hub does not start: ${bed.output.trim().split('\n').slice(-5).join('\n')}`)
    const world = await furnish(bed, cardsEach)
    const journal = new Journal()
    return await work((more) => ({ bed, world, journal, cardsEach, isInterrupted: () => interruption.isAsked, ...more }))
  } finally {
    await bed.close()
    if (log !== null) writeFileSync(log, bed.output)
  }
}

function show(result: Result): void {
  console.log(lineOf(result))
  const { violations } = result
  for (const { rule, what } of violations.slice(0, MOST_SHOWN)) console.log(`  ${rule}: ${what}`)
  if (violations.length > MOST_SHOWN) console.log(`  and ${violations.length - MOST_SHOWN} more`)
}
