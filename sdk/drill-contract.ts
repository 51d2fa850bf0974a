import type { DrillBest, InBothLanguages, Time } from './contract.ts'

/** Drills: what is rehearsed in a sandbox, how a rehearsal goes, and how it was judged. */
export type DrillKind = DrillBest['kind']

export type DrillPlan = {
  kind: DrillKind
  version: number
  title: InBothLanguages
  what: InBothLanguages
  steps: { name: string; limitS: number; what: InBothLanguages; asks: InBothLanguages }[]
  /** Their points are 100 in all. */
  criteria: { name: string; points: number; what: InBothLanguages; advice: InBothLanguages }[]
}

/** The signed judgement: what stands beside the signature is what was signed, as canonical JSON. */
export type DrillResult = {
  v: 1
  type: 'drill'
  hub: string
  drill: string
  kind: DrillKind
  version: number
  docking: string
  mode: 'sandbox'
  origin: string
  /** How many times as fast as planned it ran. */
  tempo: number
  startedAt: Time
  endedAt: Time
  requests: number
  score: number
  of: 100
  /** `evidence`: ids of requests, or lane/position of facts. `advice` is there where points were lost. */
  criteria: { name: string; points: number; of: number; what: InBothLanguages; seen: InBothLanguages; advice: InBothLanguages | null; evidence: string[] }[]
  measured: Readonly<Record<string, number | null>>
  signature: { keyId: string; algorithm: 'ed25519'; value: string }
}

export type DrillSummary = {
  id: string
  docking: string
  kind: DrillKind
  version: number
  state: 'planned' | 'running' | 'scored' | 'abandoned'
  origin: 'partner' | 'operator' | 'schedule'
  plannedAt: Time
  startsAt: Time
  startedAt: Time | null
  endedAt: Time | null
  /** Why an abandoned drill ended. */
  reason: string | null
  score: number | null
  tempo: number
}

export type Drill = DrillSummary & {
  steps: { name: string; begunAt: Time; dueAt: Time; endedAt: Time | null; endedBy: string | null }[]
  /** What the hub does now, and what it asks of you. */
  now: { step: string; dueAt: Time; what: InBothLanguages; asks: InBothLanguages } | null
  /** The address under which a tampered_log under way shows its log. */
  log: string | null
  result: DrillResult | null
}

export type DrillPage = {
  plans: DrillPlan[]
  /** The best score a kind in the last 90 days. */
  best: DrillBest[]
  /** What these are worth for a level, of 100. */
  points: number
  schedules: { docking: string; kind: DrillKind; everyDays: number; nextAt: Time; setBy: string }[]
  items: DrillSummary[]
  next: string | null
}

export type AskDrill = { kind: DrillKind; startsAt?: Time }
