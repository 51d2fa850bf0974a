import type { ReasonClass, ReasonCode, Side } from '../../../protocol/reasons.ts'
import type { Standing, Statement as Told } from '../../../protocol/statement.ts'

export type Scope = 'goods' | 'orders' | 'funds' | 'members' | 'key'
export const SCOPES: readonly Scope[] = ['goods', 'orders', 'funds', 'members', 'key']

/** The statement of reasons: what is told to the one whom the measure hits. Times are RFC 3339. */
export type Statement = Omit<Told, 'cause'> & { cause: Omit<Told['cause'], 'code' | 'secondary'> & { code: ReasonCode; side: Side; secondary: { class: ReasonClass; code: string }[] } }
export type MeasureKind = Statement['measure']['kind']
export type Ground = Statement['ground'][number]
export type Condition = NonNullable<Statement['measure']['liftsWhen']>
export type How = NonNullable<Standing['how']>

/**
 * A statement as a person, or an older hub, wrote it: what goes without saying is left out. Words in the place of a
 * condition are a person's promise.
 */
export type StatementDraft = {
  addressee?: Statement['addressee']
  supersedes?: string | null
  measure: Pick<Statement['measure'], 'kind' | 'scope'> & { goods?: string[]; keys?: string[]; allows?: Statement['measure']['allows']; effectiveAt?: string; endsAt?: string | null; liftsWhen?: Condition | string | null }
  cause: Pick<Statement['cause'], 'class' | 'code' | 'side'> & { secondary?: Statement['cause']['secondary'] }
  ground: (Pick<Ground, 'type' | 'ref' | 'article'> & Partial<Ground>)[]
  facts: (Pick<Statement['facts'][number], 'text'> & Partial<Statement['facts'][number]>)[]
  evidence: (Pick<Statement['evidence'][number], 'id' | 'kind' | 'sha256' | 'disclosure'> & Partial<Statement['evidence'][number]>)[]
  source: Statement['source']
  automation: Pick<Statement['automation'], 'detection' | 'decision'> & { reviewer: string | null }
  remedy: (Pick<Statement['remedy'][number], 'step' | 'action' | 'who' | 'evidenceNeeded'> & Partial<Statement['remedy'][number]>)[]
  clocks: Pick<Statement['clocks'], 'respondBy' | 'decideAppealBy' | 'reviewAt'> & { noticeDays?: number }
  appeal: Pick<Statement['appeal'], 'channel' | 'free' | 'differentReviewer'> & Partial<Statement['appeal']>
  funds: Statement['funds']
}

export type Decision = {
  id: string
  lane: number
  docking: string
  statement: Statement
  decidedBy: string
  decidedAt: Date
  /** The second person, where facts are withheld. */
  approvedBy: string | null
  liftedAt: Date | null
  liftedBy: string | null
  liftNote: string | null
  liftHow: How | null
  supersededBy: string | null
}

/** What the order path and the door ask: the part of a decision that can hold. Prices are µCNY. */
export type Measure = {
  decision: string
  docking: string
  scope: readonly string[]
  goods: readonly string[]
  keys: readonly string[]
  code: ReasonCode
  kind: string
  effectiveAt: Date
  endsAt: Date | null
  requestsPerSecond: number | null
  unitsPerOrder: number | null
  unitPriceMaxMicro: bigint | null
}

/** A check that the hub ran against a docking and kept. */
export type CheckRun = {
  lane: number
  id: string
  docking: string
  check: string
  version: string
  inputHash: string | null
  verdict: 'pass' | 'warn' | 'fail'
  code: ReasonCode | null
  side: Side
  /** Whether the partner can run it too. */
  reproducible: boolean
  result: unknown
  sha256: string
  ranBy: string
  ranAt: Date
}

/** What a statement was proven with, as the database keeps it beside the statement. */
export type Proof = {
  run: Pick<CheckRun, 'id' | 'ranAt'> | null
  rule: { id: string; sha256: string; publishedAt: Date; effectiveAt: Date; bareResale: boolean } | null
  contract: { id: string; sha256: string } | null
}

/** An earlier statement about the same docking. */
export type Earlier = { id: string; class: ReasonClass; decidedAt: Date; endedAt: Date | null }

/** A decision that an appeal overturned, with what it rested on. `facts` are SHA-256. */
export type Overturned = { decision: string; class: ReasonClass; code: ReasonCode; at: Date; facts: readonly string[] }

/** When the hub first heard of each fact and piece of evidence, by SHA-256; `source` says what it is where the hub made or keeps it itself. */
export type Known = ReadonlyMap<string, { at: Date; source: Source | null }>
export type Source = 'finding' | 'file'

/** Where a new statement stands among those before it: the last one, and the newest thing that it rests on. */
export type Place = { prior: Earlier | null; byLaw: boolean; fresh: { sha256: string; at: Date } | null }
