import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { reasonOf } from '../../../protocol/reasons.ts'
import { mayGround, type Contract, type RuleText } from '../rulebook/index.ts'
import { isFog } from './fog.ts'
import type { CheckRun, Earlier, Known, Overturned, Place, Proof, Statement } from './model.ts'
import { BEGINS_WITHIN_DAYS, ENDS_WITHIN_DAYS, RELEASE_WITHIN_DAYS, REVIEW_WITHIN_DAYS, TERMINATION_NOTICE_DAYS, URGENT } from './rules.ts'

const DAY_MS = 86_400_000
/** A check run older than this proves nothing about today. */
const RUN_FRESH_MS = DAY_MS
/** 没有执照。 is a fact; less is not a sentence in any language. */
const LEAST_FACT = 5
/** Notes that a partner reads are held to the same. */
export const PLAIN = 'plain words instead of "incompatible" or "system error"'
/** How long an earlier statement that has ended still binds what may be said next. */
const HOP_DAYS = 90
/** What two readings of a clock within one command may differ by. */
const CLOCK_SLACK_MS = 60_000

/** What the records hold about the grounds and the evidence that a statement names. */
export type Records = { texts: readonly RuleText[]; contracts: readonly Contract[]; runs: readonly CheckRun[] }

/**
 * Whether a statement may stand, and what proves it. technical needs a red check run of this docking for this very code,
 * commercial a signed contract or a rule in force that was public for seven days, compliance an article. All that is
 * missing is named at once; the database holds the same line once more.
 */
export function admit(statement: Statement, records: Records, at: Date): Outcome<Proof> {
  const reason = reasonOf(statement.cause.code)
  if (reason.kind !== 'measure') return refuse('protocol.invalid_field', { path: '/code', expected: 'a code that a decision may give' })
  const missing = [...missingOfForm(statement, at)]
  if (reason.class !== statement.cause.class) missing.push(`class ${reason.class} for ${statement.cause.code}`)
  const proof: Proof = { run: null, rule: null, contract: null }
  if (statement.cause.class === 'technical') {
    const run = provingRun(statement, records.runs, at)
    if (typeof run === 'string') missing.push(run)
    else if (!liftsBy(statement.measure.liftsWhen, run)) missing.push('liftsWhen: the check that failed')
    else proof.run = { id: run.id, ranAt: run.ranAt }
    if (statement.measure.kind === 'terminate') missing.push('a measure that ends when the check is green: nothing technical ends a relation')
  }
  if (statement.cause.class === 'commercial') {
    const ground = provingGround(statement, records, at)
    if (typeof ground === 'string') missing.push(ground)
    else Object.assign(proof, ground)
  }
  if (statement.cause.class === 'compliance' && !statement.ground.some((g) => g.ref.trim() !== '' && g.article.trim() !== '')) missing.push('ground: an article')
  const { kind, scope } = statement.measure
  if ((scope.includes('funds') || kind === 'terminate') && !statement.funds.releaseAt) missing.push('funds.releaseAt')
  return missing.length === 0 ? accept(proof) : refuse('decisions.statement_incomplete', { missing })
}

function missingOfForm(statement: Statement, at: Date): string[] {
  const { measure, clocks, facts, remedy } = statement
  const missing: string[] = []
  if (facts.some(({ period }) => period !== null && !(Date.parse(period.to) <= at.getTime() + CLOCK_SLACK_MS))) missing.push('facts whose period is over')
  if (measure.scope.length === 0) missing.push('scope')
  if (!(Date.parse(clocks.reviewAt) <= at.getTime() + REVIEW_WITHIN_DAYS * DAY_MS)) missing.push('a review within 90 days')
  if (facts.length === 0 || facts.some((fact) => fact.text.trim().length < LEAST_FACT)) missing.push('facts of at least 5 characters each')
  if (remedy.length === 0) missing.push('remedy')
  missing.push(...lateTimes(statement, at))
  if (textsOf(statement).some(isFog)) missing.push(PLAIN)
  if (statement.evidence.some((one) => one.disclosure !== 'full' && !one.withheldGround?.trim())) missing.push('a ground for each piece of evidence that is not told in full')
  const earliestMs = at.getTime() + TERMINATION_NOTICE_DAYS * DAY_MS - CLOCK_SLACK_MS
  if (measure.kind === 'terminate' && !URGENT.includes(statement.cause.code) && Date.parse(measure.effectiveAt) < earliestMs) missing.push('30 days of notice before a termination')
  return missing
}

/** Times so late that they are none: each names the latest. A review has its own, and what is withheld until then is money. */
function lateTimes({ measure, clocks, remedy, funds }: Statement, at: Date): string[] {
  const isLate = (text: string | null | undefined, days: number) => text !== null && text !== undefined && text.trim() !== '' && !(Date.parse(text) <= at.getTime() + days * DAY_MS + CLOCK_SLACK_MS)
  const late: string[] = []
  if (isLate(measure.effectiveAt, BEGINS_WITHIN_DAYS)) late.push('effectiveAt within 180 days')
  if (isLate(measure.endsAt, ENDS_WITHIN_DAYS)) late.push('endsAt within 365 days')
  if (isLate(clocks.respondBy, REVIEW_WITHIN_DAYS)) late.push('respondBy within 90 days')
  if (isLate(funds.releaseAt, RELEASE_WITHIN_DAYS)) late.push('funds.releaseAt within 180 days')
  if (remedy.some((step) => isLate(step.due, ENDS_WITHIN_DAYS))) late.push('a due day of each step within 365 days')
  return late
}

/** Every text that a person wrote into a statement. */
function textsOf({ facts, remedy, ground, evidence, measure, appeal }: Statement): string[] {
  return [
    ...facts.flatMap((fact) => [fact.text, ...fact.metrics.flatMap((one) => [one.name, one.value, one.threshold, one.unit, one.query])]),
    ...remedy.flatMap((step) => [step.action.en, step.action.zh, step.selfTest ?? '', ...step.evidenceNeeded]),
    ...ground.flatMap((one) => [one.ref, one.article, one.quote]), ...evidence.flatMap((one) => [one.id, one.withheldGround ?? '']),
    ...(measure.liftsWhen && 'words' in measure.liftsWhen ? [measure.liftsWhen.words] : []), ...appeal.external.flatMap((one) => [one.en, one.zh]),
  ]
}

/** A warning that takes the place of a measure rests on the run of that, however old. */
function provingRun({ cause, evidence, measure, supersedes }: Statement, runs: readonly CheckRun[], at: Date): CheckRun | string {
  const named = runs.filter((run) => evidence.some((one) => one.kind === 'check_run' && one.id === run.id && one.sha256 === run.sha256))
  if (named.length === 0) return 'evidence of a red check'
  const sinceMs = measure.kind === 'warn' && supersedes !== null ? 0 : at.getTime() - RUN_FRESH_MS
  const red = named.filter((run) => run.verdict === 'fail' && run.code === cause.code && run.ranAt.getTime() > sinceMs)
  if (red.length === 0) return 'a check of this docking that failed within 24 hours for this very code'
  return red.find((run) => run.side !== 'partner' || run.reproducible) ?? 'a check that the partner can repeat'
}

/** Whether a condition is the very check that failed, on the very thing that it looked at. */
function liftsBy(condition: Statement['measure']['liftsWhen'], run: CheckRun): boolean {
  return condition !== null && 'check' in condition && condition.check === run.check && (condition.inputHash ?? null) === run.inputHash
}

const NO_RULE = 'ground: a contract, or a rule published at least 7 days ago'

function provingGround({ ground, measure }: Statement, { texts, contracts }: Records, at: Date): Pick<Proof, 'rule' | 'contract'> | string {
  const contract = contracts.find((one) => ground.some((g) => g.type === 'contract' && g.ref === one.id && g.article.trim() !== ''))
  if (contract) return { contract: { id: contract.id, sha256: contract.sha256 }, rule: null }
  const rules = texts.filter((text) => text.kind !== 'contract_template' && mayGround(text, at) && ground.some((g) => g.type === 'published_rule' && g.ref === text.id && g.article.trim() !== ''))
  const rule = rules.find((text) => measure.kind === 'warn' || !isBare(text))
  if (rule) return { rule: { id: rule.id, sha256: rule.sha256, publishedAt: rule.publishedAt, effectiveAt: rule.effectiveAt, bareResale: isBare(rule) }, contract: null }
  return rules.length > 0 ? 'a legal basis for a rule with a least resale price' : NO_RULE
}

/** A least resale price without a recorded basis is presumed unlawful (反垄断法 article 18): it grounds a warning at most. */
function isBare({ resalePrice, legalBasis }: Pick<RuleText, 'resalePrice' | 'legalBasis'>): boolean {
  return resalePrice && legalBasis === null
}

/** Whether the facts behind a decision are kept from its reader by law: then a second person approves it. */
export function isWithheld({ cause, evidence }: Statement): boolean {
  return cause.code === 'compliance.withheld_by_law' || evidence.some((one) => one.disclosure === 'withheld_by_law')
}

/**
 * Where a new statement stands among the earlier ones of its docking. Refuses `decisions.known_before` when an earlier one
 * told another class and nothing here became known after it, or when an appeal overturned this very matter and nothing did
 * since: who says "technical" first cannot say "commercial" over what was on the table all the time. For compliance a law or an
 * order of an authority may always be told. A piece of evidence is news when the hub itself made it: a red run for this very
 * code, or a finding. Any hash can be sent, and proves no day.
 * @param earlier newest first  @param hashes SHA-256 of the facts of the statement, in their order
 */
export function place(
  statement: Statement, earlier: readonly Earlier[], hashes: readonly string[], known: Known, runs: readonly CheckRun[], at: Date, overturned: readonly Overturned[] = [],
): Outcome<Place> {
  const byLaw = statement.cause.class === 'compliance' && statement.ground.some((g) => g.type === 'law' || g.type === 'authority_order')
  const things = [
    ...statement.facts.map((fact, i) => ({ sha256: hashes[i]!, at: knownAt(fact, known.get(hashes[i]!)?.at, earlier[0]?.decidedAt ?? null) })),
    ...statement.evidence.filter((one) => isNews(one, statement, runs, known)).map((one) => ({ sha256: one.sha256, at: known.get(one.sha256)?.at ?? null })),
  ].filter((thing): thing is { sha256: string; at: Date } => thing.at !== null)
  const newest = things.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0] ?? null
  const bound = earlier.filter((one) => one.class !== statement.cause.class && (one.endedAt === null || one.decidedAt.getTime() > at.getTime() - HOP_DAYS * DAY_MS))
  const hopped = byLaw ? undefined : bound.find((one) => newest === null || newest.at <= one.decidedAt)
  if (hopped) return refuse('decisions.known_before', { decision: hopped.id, told: hopped.class, toldAt: hopped.decidedAt.toISOString() })
  const again = overturned.find((one) => isSameMatter(statement, hashes, one) && (newest === null || newest.at <= one.at))
  if (again) return refuse('decisions.known_before', { decision: again.decision, told: again.class, toldAt: again.at.toISOString() })
  // The database takes the time at which the hash was first heard of; the rule above may have known it to be older still.
  const fresh = newest === null ? null : { sha256: newest.sha256, at: known.get(newest.sha256)!.at }
  return accept({ prior: earlier[0] ?? null, byLaw, fresh })
}

/** Whether the hub can say itself when a piece of evidence came to be. */
function isNews({ kind, id, sha256 }: Statement['evidence'][number], { cause }: Statement, runs: readonly CheckRun[], known: Known): boolean {
  if (kind === 'check_run') return runs.some((run) => run.id === id && run.sha256 === sha256 && run.verdict === 'fail' && run.code === cause.code)
  return known.get(sha256)?.source === kind
}

/** Whether a statement says again what was overturned: a fact of it, or its code where nothing that stands is merely told better. */
function isSameMatter({ cause, supersedes }: Pick<Statement, 'cause' | 'supersedes'>, hashes: readonly string[], overturned: Overturned): boolean {
  return hashes.some((one) => overturned.facts.includes(one)) || (supersedes === null && cause.code === overturned.code)
}

/** A fact is as old as the end of what it tells of. One without a period is no news once a statement was made. */
function knownAt({ period }: Statement['facts'][number], firstHeard: Date | undefined, lastTold: Date | null): Date | null {
  if (!firstHeard) return null
  if (period === null) return lastTold === null || firstHeard <= lastTold ? firstHeard : null
  const happened = new Date(period.to)
  return happened < firstHeard ? happened : firstHeard
}
