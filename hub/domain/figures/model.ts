import type { ReasonClass } from '../../../protocol/reasons.ts'

/**
 * What is counted, each event in one family only. refusals: requests and orders that were refused. measures: decisions taken.
 * appeals: filed, and how decided. missed: appeal clocks that ran out. followed: a technical reason, and a measure of another
 * class after it. conformance: runs by result. admissions: live dockings by badge, or by a waiver of it. remedies: measures that were lifted.
 */
export const FAMILIES = ['refusals', 'measures', 'appeals', 'missed', 'followed', 'conformance', 'admissions'] as const
export type Family = (typeof FAMILIES)[number]

/** '' where a thing has no class: a run of the kit has none. */
export type Class = ReasonClass | ''

/** What one partner had of one thing in one quarter. */
export type Tally = { family: Family | 'rules'; class: Class; code: string; partner: string; events: number }

/** One measure that was lifted in the quarter, and how long it had stood. */
export type Remedy = { class: Class; code: string; partner: string; standingMs: number }

/** One published line. code null: the small ones of the class together. class null too: the small ones of all classes together. */
export type Group = { class: Class | null; code: string | null; events: number }
export type RemedyGroup = { class: Class | null; code: string | null; medianHours: number; p90Hours: number }

export type Figures = {
  quarter: string
  /** running: no number is shown before the quarter has ended. */
  state: 'running' | 'published'
  from: string
  to: string
  publishedAt: string | null
  smallestGroup: number
  roundedTo: number
  refusals: Group[]
  measures: Group[]
  remedies: RemedyGroup[]
  appeals: Group[]
  missed: Group[]
  followed: Group[]
  conformance: Group[]
  admissions: Group[]
  ruleChanges: number
  /** Out of a hundred technical measures so many, from the lines above and nothing else; null where those do not tell. */
  technicalLater: { overturnedPercent: number | null; followedPercent: number | null }
}
