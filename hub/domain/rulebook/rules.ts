import { canonicalJson } from '../../../protocol/canonical.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { PublishAsk, RuleText } from './model.ts'

/** 电子商务法 第三十四条: a change is told seven days before it counts. */
export const NOTICE_DAYS = 7
const DAY_MS = 86_400_000

/** What the hash of a version is made of: RFC 8785 of all that a reader is held to. */
export function hashedForm({ kind, slug, version, title, text }: Pick<RuleText, 'kind' | 'slug' | 'version' | 'title' | 'text'>): string {
  return canonicalJson({ kind, slug, version, title, text })
}

/** Whether a text may follow the version before it. Refuses `rulebook.notice_too_short` with the earliest time that may be. */
export function mayPublish(ask: PublishAsk, before: RuleText | null, at: Date): Outcome<null> {
  if (before && before.kind !== ask.kind) return refuse('protocol.invalid_field', { path: '/kind', expected: 'the kind that the versions before it have' })
  if (ask.relief !== null && before === null) return refuse('protocol.invalid_field', { path: '/relief', expected: 'none for a first version: a relief changes what stood before' })
  if (ask.legalBasis !== null && !ask.resalePrice) return refuse('protocol.invalid_field', { path: '/legalBasis', expected: 'none for a rule without a least resale price' })
  const earliestMs = at.getTime() + (ask.relief === null ? NOTICE_DAYS * DAY_MS : 0)
  if (ask.effectiveAt !== null && ask.effectiveAt.getTime() < earliestMs) {
    return refuse('rulebook.notice_too_short', { asked: ask.effectiveAt.toISOString(), earliest: new Date(earliestMs).toISOString() })
  }
  return accept(null)
}

/** Comments are heard until the text counts. */
export function mayComment(text: Pick<RuleText, 'id' | 'effectiveAt'>, at: Date): Outcome<null> {
  return at < text.effectiveAt ? accept(null) : refuse('rulebook.comments_closed', { rule: text.id, effectiveAt: text.effectiveAt.toISOString() })
}

/** The version that counts at a time: the newest in force; null when none is yet. `versions` newest first. */
export function inForce<T extends Pick<RuleText, 'effectiveAt' | 'version'>>(versions: readonly T[], at: Date): T | null {
  return versions.toSorted((a, b) => b.version - a.version).find((one) => one.effectiveAt <= at) ?? null
}

/** Whether a version may ground a measure: in force, and public for seven days. */
export function mayGround(text: Pick<RuleText, 'publishedAt' | 'effectiveAt'>, at: Date): boolean {
  return text.effectiveAt <= at && text.publishedAt.getTime() + NOTICE_DAYS * DAY_MS <= at.getTime()
}
