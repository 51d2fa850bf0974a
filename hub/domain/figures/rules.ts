import type { Class, Figures, Group, Remedy, RemedyGroup, Tally } from './model.ts'
import { FAMILIES } from './model.ts'

/** No line is about fewer partners than these. */
export const SMALLEST_GROUP = 5
/** Numbers of events come in steps: what two families share, such as appeals filed and decided, is not told by a difference. */
const ROUNDED_TO = 5

/** A cell before it is published: one code of one class, with whom it hit. */
export type Cell = { class: Class; code: string; partners: ReadonlySet<string> }

/** Cells that stand in one line together. */
export type Line<T extends Cell> = { class: Class | null; code: string | null; members: readonly T[] }

/**
 * Parts cells into lines of at least five partners each: a cell that has them stands alone, the small ones of a class
 * stand together, the small rest of all classes too, and where even that is too small the smallest line goes into it.
 * Each cell is in one line, and nothing else is ever told of them: whatever is added or taken away, five remain.
 * Without five partners in all there is no line.
 */
export function lines<T extends Cell>(cells: readonly T[]): Line<T>[] {
  const byClass = new Map<Class, T[]>()
  const alone: Line<T>[] = []
  for (const cell of cells) {
    if (cell.partners.size >= SMALLEST_GROUP) alone.push({ class: cell.class, code: cell.code, members: [cell] })
    else byClass.set(cell.class, [...(byClass.get(cell.class) ?? []), cell])
  }
  const together = [...byClass].map(([cls, members]): Line<T> => ({ class: cls, code: null, members }))
  const whole = [...alone, ...together.filter((line) => partnersOf(line).size >= SMALLEST_GROUP)]
  let rest = together.filter((line) => partnersOf(line).size < SMALLEST_GROUP).flatMap((line) => line.members)
  while (rest.length > 0 && partnersOf({ members: rest }).size < SMALLEST_GROUP) {
    const smallest = whole.toSorted((a, b) => partnersOf(a).size - partnersOf(b).size || compare(a, b))[0]
    if (!smallest) return []
    whole.splice(whole.indexOf(smallest), 1)
    rest = [...rest, ...smallest.members]
  }
  return [...whole.toSorted(compare), ...(rest.length > 0 ? [{ class: null, code: null, members: rest }] : [])]
}

function partnersOf({ members }: { members: readonly Cell[] }): Set<string> {
  return new Set(members.flatMap((cell) => [...cell.partners]))
}

function compare(a: Line<Cell>, b: Line<Cell>): number {
  const key = (line: Line<Cell>) => `${line.class ?? '~'} ${line.code ?? '~'}`
  return key(a) < key(b) ? -1 : 1
}

/** The tallies of one quarter as they are published. */
export function publish(span: { quarter: string; from: Date; to: Date }, tallies: readonly Tally[], remedies: readonly Remedy[], at: Date): Figures {
  const of = (family: string) => groups(tallies.filter((tally) => tally.family === family))
  const families = Object.fromEntries(FAMILIES.map((family) => [family, of(family)])) as Record<(typeof FAMILIES)[number], Group[]>
  return {
    quarter: span.quarter, state: 'published', from: span.from.toISOString(), to: span.to.toISOString(), publishedAt: at.toISOString(), smallestGroup: SMALLEST_GROUP, roundedTo: ROUNDED_TO,
    ...families, remedies: remedyGroups(remedies),
    ruleChanges: tallies.filter(({ family }) => family === 'rules').reduce((sum, { events }) => sum + events, 0),
    technicalLater: technicalLater(families),
  }
}

/** A quarter that still runs. Two looks at a moving number would show what one partner did between them, so there is none. */
export function running(span: { quarter: string; from: Date; to: Date }): Figures {
  return {
    quarter: span.quarter, state: 'running', from: span.from.toISOString(), to: span.to.toISOString(), publishedAt: null, smallestGroup: SMALLEST_GROUP, roundedTo: ROUNDED_TO,
    refusals: [], measures: [], remedies: [], appeals: [], missed: [], followed: [], conformance: [], admissions: [], ruleChanges: 0, technicalLater: { overturnedPercent: null, followedPercent: null },
  }
}

function groups(tallies: readonly Tally[]): Group[] {
  const cells = gather(tallies, (same) => ({ events: same.reduce((sum, tally) => sum + tally.events, 0) }))
  return lines(cells).map((line) => ({ class: line.class, code: line.code, events: rounded(line.members.reduce((sum, cell) => sum + cell.events, 0)) }))
}

function remedyGroups(remedies: readonly Remedy[]): RemedyGroup[] {
  const cells = gather(remedies, (same) => ({ standingMs: same.map((remedy) => remedy.standingMs) }))
  return lines(cells).map((line) => {
    const sorted = line.members.flatMap((cell) => cell.standingMs).sort((a, b) => a - b)
    return { class: line.class, code: line.code, medianHours: coarse(quantile(sorted, 0.5)), p90Hours: coarse(quantile(sorted, 0.9)) }
  })
}

function gather<T extends { class: Class; code: string; partner: string }, More>(rows: readonly T[], sum: (same: T[]) => More): (Cell & More)[] {
  const same = Map.groupBy(rows, (row) => `${row.class} ${row.code}`)
  return [...same.values()].map((rows) => ({ class: rows[0]!.class, code: rows[0]!.code, partners: new Set(rows.map((row) => row.partner)), ...sum(rows) }))
}

function rounded(events: number): number {
  return Math.max(ROUNDED_TO, Math.round(events / ROUNDED_TO) * ROUNDED_TO)
}

/** The smallest value that so great a share does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1]!
}

const HOUR_MS = 3_600_000
const DAY_H = 24

/** Whole hours up to two days, whole days in hours above: a duration to the minute would name its decision. */
function coarse(ms: number): number {
  const hours = Math.max(1, Math.ceil(ms / HOUR_MS))
  return hours <= 2 * DAY_H ? hours : Math.ceil(hours / DAY_H) * DAY_H
}

/** Computed from the published lines alone, as any reader could, so that it cannot tell more than they do. */
function technicalLater({ measures, appeals, followed }: { measures: Group[]; appeals: Group[]; followed: Group[] }): Figures['technicalLater'] {
  const sum = (lines: Group[]) => lines.reduce((total, { events }) => total + events, 0)
  const technical = (lines: Group[]) => lines.filter((line) => line.class === 'technical')
  const taken = sum(technical(measures))
  const percent = (lines: Group[]) => (taken === 0 || lines.length === 0 ? null : Math.min(100, Math.round((sum(lines) / taken) * 100)))
  return { overturnedPercent: percent(technical(appeals).filter(({ code }) => code === 'overturned' || code === 'partly')), followedPercent: percent(technical(followed)) }
}
