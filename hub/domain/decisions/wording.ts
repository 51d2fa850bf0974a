import { createHash } from 'node:crypto'
import type { Condition, Statement, StatementDraft } from './model.ts'

const DAY_MS = 86_400_000

/** A statement whole: what a draft left out is what goes without saying. Reads statements of earlier versions too. */
export function complete(draft: StatementDraft, context: { docking: string; at: Date }): Statement {
  const { measure, cause } = draft
  const effectiveAt = measure.effectiveAt ?? context.at.toISOString()
  return {
    addressee: draft.addressee ?? { docking: context.docking, name: context.docking, lang: 'zh-CN' },
    supersedes: draft.supersedes ?? null,
    measure: {
      kind: measure.kind, scope: measure.scope, goods: measure.goods ?? [], keys: measure.keys ?? [], allows: measure.allows ?? {}, effectiveAt,
      endsAt: measure.endsAt ?? null, liftsWhen: conditionOf(measure.liftsWhen),
    },
    cause: { ...cause, secondary: cause.secondary ?? [] },
    ground: draft.ground.map((one) => ({ type: one.type, ref: one.ref, article: one.article, versionHash: one.versionHash ?? null, quote: one.quote ?? '', publishedAt: one.publishedAt ?? '' })),
    facts: draft.facts.map(({ text, period, metrics }) => ({ text, period: period ?? null, metrics: metrics ?? [] })),
    evidence: draft.evidence.map((one) => ({ id: one.id, kind: one.kind, sha256: one.sha256, disclosure: one.disclosure, withheldGround: one.withheldGround ?? null, reproduce: one.reproduce ?? null })),
    source: draft.source,
    automation: draft.automation,
    remedy: draft.remedy.map((one) => ({ step: one.step, action: one.action, who: one.who, selfTest: one.selfTest ?? null, evidenceNeeded: one.evidenceNeeded, due: one.due ?? null })),
    clocks: { ...draft.clocks, noticeDays: draft.clocks.noticeDays ?? Math.max(0, Math.floor((Date.parse(effectiveAt) - context.at.getTime()) / DAY_MS)) },
    appeal: { ...draft.appeal, external: draft.appeal.external ?? [], suspensiveEffect: draft.appeal.suspensiveEffect ?? false },
    funds: draft.funds,
  }
}

function conditionOf(given: Condition | string | null | undefined): Condition | null {
  if (given === null || given === undefined) return null
  return typeof given === 'string' ? { words: given } : given
}

/**
 * A statement as its docking may read it: what is kept from it is said to be kept, and not in it. Pieces that may not be
 * told keep their hash, so that it can be shown later that they were there. This is also what is sealed.
 */
export function tellable<S extends Pick<Statement, 'cause' | 'facts' | 'evidence'>>(statement: S): S {
  return {
    ...statement, facts: statement.cause.code === 'compliance.withheld_by_law' ? [] : statement.facts,
    evidence: statement.evidence.map((one) => (one.disclosure === 'full' || one.disclosure === 'redacted' ? one : { ...one, id: '', reproduce: null })),
  }
}

/** SHA-256 of a fact as it is read: the same words in other spacing, width or case are the same fact. */
export function hashOfFact(text: string): string {
  return createHash('sha256').update(text.normalize('NFKC').toLowerCase().replace(/[\s\p{P}]+/gu, '')).digest('hex')
}
