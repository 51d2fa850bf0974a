export const DRILL_KINDS = ['key_roll', 'rush', 'outage', 'tampered_log'] as const
export type DrillKind = (typeof DRILL_KINDS)[number]

export type DrillState = 'planned' | 'running' | 'scored' | 'abandoned'
export type DrillOrigin = 'partner' | 'operator' | 'schedule'
/**
 * Why a rehearsal has no score. nobody_came: its first step saw no platform at work. steered: the partner set or took back faults of
 * the sandbox itself. flooded: more requests than are kept. given_up: partner or operator ended it. not_possible: it could not begin.
 */
export type AbandonReason = 'nobody_came' | 'steered' | 'flooded' | 'given_up' | 'not_possible'

export type Words = { en: string; zh: string }

/** One stretch of a drill: what the hub does, what it asks of the platform, and how long at most. The first is the gate. */
export type PlanStep = { name: string; limitS: number; what: Words; asks: Words }

export type PlanCriterion = { name: string; points: number; what: Words; advice: Words }

/** What will happen and what is judged, published. A change of either is a new version. */
export type Plan = { kind: DrillKind; version: number; title: Words; what: Words; steps: readonly PlanStep[]; criteria: readonly PlanCriterion[] }

export type Run = {
  lane: number
  id: string
  docking: string
  kind: DrillKind
  version: number
  origin: DrillOrigin
  askedBy: string
  tempo: number
  state: DrillState
  plannedAt: Date
  startsAt: Date
  startedAt: Date | null
  seenAt: Date | null
  endedAt: Date | null
  reason: AbandonReason | null
  score: number | null
  /** The signed document. */
  result: string | null
}

/** What the hub had to remember of a step: the key that ends, the good whose price is told anew. */
export type StepData = { key?: string; keyEndsMs?: number; good?: string; feedAt?: string }

export type Step = {
  ordinal: number; name: string; begunAt: Date; dueAt: Date; actedAt: Date | null; endedAt: Date | null; endedBy: 'done' | 'limit' | null; data: StepData
}

/**
 * What the doors saw: one request, or one order of a batch. `atMs` is when it came, `endedMs` when its answer was ready. An answer
 * that was made to get lost is not answered.
 */
export type Seen = {
  id: string
  what: 'order' | 'look' | 'feed' | 'other' | 'cosigned' | 'disputed'
  atMs: number
  endedMs: number
  request: string
  key: string
  status: number
  code: string | null
  isAnswered: boolean
  reference: string | null
  retryAfterS: number | null
  /** feed: how far the answer read. */
  after: string | null
  /** cosigned, disputed: of which checkpoint, and whether it holds. */
  size: number | null
  holds: boolean | null
}

/** An order as the books have it. */
export type Booked = { reference: string; id: string; position: string; atMs: number; isCancelled: boolean }

/** All that a rehearsal is judged by. */
export type Evidence = {
  kind: DrillKind
  /** How long a second of the plan lasted, in milliseconds. */
  secondMs: number
  steps: readonly { name: string; begunMs: number; endedMs: number; data: StepData }[]
  seen: readonly Seen[]
  booked: readonly Booked[]
  /** outage: up to where the feed of the docking reached when the change of the drill stood in it; null without one. */
  feedPosition: string | null
}

/** How far a criterion is met, 0 to 1, what was seen, and where it stands: request ids, positions of facts. */
export type Finding = { share: number; seen: Words; evidence: readonly string[] }

export type Criterion = { name: string; points: number; of: number; what: Words; seen: Words; advice: Words | null; evidence: readonly string[] }

export type Judgement = { score: number; criteria: Criterion[]; measured: Record<string, number | null> }

export type Schedule = { lane: number; docking: string; kind: DrillKind; everyDays: number; nextAt: Date; setBy: string; setAt: Date }

/** The best score of a kind in the last 90 days. */
export type Best = { kind: DrillKind; score: number; run: string; at: Date }

export const LIMITS = {
  /** Requests that one rehearsal may make. */
  seen: 10_000,
  /** Requests of one step of a rush: then the next begins. */
  seenOfStep: 2_500,
  runsADay: 20,
  runningOnHub: 20,
  bestDays: 90,
  keptDays: 90,
  /** So long before it begins a scheduled drill is told. */
  noticeMs: 24 * 3_600_000,
} as const

/** outage: so many orders are asked for, one and no more a buyer. */
export const OUTAGE_ORDERS = 12
