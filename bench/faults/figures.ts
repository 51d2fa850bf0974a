import type { Bed } from './bed.ts'
import type { Entry, Journal, Mark, Violation } from './journal.ts'
import type { World } from './world.ts'

/** What every fault is given: the processes, who buys what, and how long it may go on. */
export type Run = {
  readonly bed: Bed
  readonly world: World
  readonly journal: Journal
  /** Cards of a good that an import brings. */
  readonly cardsEach: number
  readonly seconds: number
  /** A short run touches everything once. */
  readonly isSmoke: boolean
  /** Names of crash points, for a run that looks at some only. */
  readonly points?: readonly string[]
  /** Ends a run at its first contradiction of one of these rules: a mutant is caught by one. */
  readonly stopsAt?: readonly string[]
  isInterrupted(): boolean
}

/** The result of a fault: its figures in the order of the line, and what was found. */
export type Result = { fault: string; figures: readonly (readonly [string, string | number])[]; violations: readonly Violation[] }

export function isOver(run: Run, startedAtMs: number): boolean {
  if (run.isInterrupted() || run.journal.violations.some(({ rule }) => run.stopsAt?.includes(rule))) return true
  return performance.now() - startedAtMs > run.seconds * 1000
}

export function lineOf({ fault, figures, violations }: Result): string {
  return [fault, ...figures.map(([name, value]) => `${name}=${value}`), `violations=${violations.length}`].join(' ')
}

export function countsOf(entries: readonly Entry[]): [string, number][] {
  const count = (is: (entry: Entry) => boolean) => entries.filter(is).length
  return [
    ['orders', entries.length],
    ['acknowledged', count((entry) => entry.result === 'ok')],
    ['refused', count((entry) => entry.result === 'refused')],
    ['unknown', count((entry) => entry.result === 'unknown')],
    ['retried', count((entry) => entry.attempts.length > 1)],
  ]
}

/** What was added to the journal since `mark`. */
export function since(journal: Journal, mark: Mark): { entries: readonly Entry[]; violations: readonly Violation[] } {
  return { entries: journal.entries.slice(mark.entries), violations: journal.violations.slice(mark.violations) }
}

export function secondsOf(ms: number): string {
  return `${(ms / 1000).toFixed(2)}s`
}
