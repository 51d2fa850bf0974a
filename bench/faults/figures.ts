import type { Bed } from './bed.ts'
import type { Entry, Journal, Mark, Violation } from './journal.ts'
import type { World } from './world.ts'

const SMOKE_PATIENCE = 5

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

/**
 * The result of a fault: its figures in the order of the line, and what was found. `skipped` says in a sentence why this
 * machine cannot show it: that is neither a pass nor a violation, and has an exit code of its own.
 */
export type Result = { fault: string; figures: readonly (readonly [string, string | number])[]; violations: readonly Violation[]; skipped?: string }

export function isOver(run: Run, startedAtMs: number): boolean {
  if (run.isInterrupted() || run.journal.violations.some(({ rule }) => run.stopsAt?.includes(rule))) return true
  return performance.now() - startedAtMs > run.seconds * 1000
}

export function lineOf({ fault, figures, violations, skipped }: Result): string {
  if (skipped !== undefined) return `${fault} skipped: ${skipped}`
  return [fault, ...figures.map(([name, value]) => `${name}=${value}`), `violations=${violations.length}`].join(' ')
}

/** What a bound in time becomes in a smoke, which runs beside other tests on a machine that is busy with them. */
export function patience(run: Run, ms: number): number {
  return ms * (run.isSmoke ? SMOKE_PATIENCE : 1)
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

/** p99 of what lies between asking and the answer, over the attempts from `sinceMs` on that were answered; 0 without any. */
export function p99Of(entries: readonly Entry[], sinceMs: number): number {
  const times = entries.flatMap((entry) => entry.attempts)
    .filter((attempt) => attempt.invokedAtMs >= sinceMs && attempt.status !== null)
    .map((attempt) => attempt.completedAtMs - attempt.invokedAtMs)
    .sort((a, b) => a - b)
  return times[Math.floor((times.length - 1) * 0.99)] ?? 0
}
