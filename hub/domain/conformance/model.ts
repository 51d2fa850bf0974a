import type { KitDialect, Sighting, TaskVerdict } from '../../../protocol/conformance.ts'
import type { Signed } from '../../../protocol/documents.ts'

export type RunState = 'open' | 'green' | 'red'

/** What a finished run says, signed by the hub. `sightings` are what it was judged from. */
export type RunReport = {
  kit: string
  direction: 'platform'
  run: string
  docking: string
  dialect: KitDialect
  hub: string
  startedAt: string
  finishedAt: string
  /** Until then the badge counts. */
  validUntil: string
  /** The text that had to be read in GBK and sent back. */
  text: string
  verdict: 'green' | 'red'
  cases: TaskVerdict[]
  /** SHA-256 of the canonical JSON of the sightings. */
  inputHash: string
  sightings: Sighting[]
}

export type Run = {
  lane: number
  id: string
  docking: string
  dialect: KitDialect
  kit: string
  text: string
  /** The task that is under way; null before the first. */
  task: string | null
  state: RunState
  startedAt: Date
  finishedAt: Date | null
  report: Signed<RunReport> | null
}

/** How a live docking was admitted: `run` for a badge, `reason` for a waiver. */
export type Admission = { lane: number; docking: string; run: string | null; reason: string | null; by: string; at: Date }

export const BADGE_DAYS = 90
/** A run that is not finished by then is judged as it stands. */
export const RUN_HOURS = 24
/** Requests that one run keeps. */
export const MOST_SIGHTINGS = 2_000
