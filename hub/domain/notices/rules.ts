import type { Decision } from '../decisions/index.ts'
import type { Watch } from './model.ts'

/** Ordinary addresses of one person: no quoted parts, no comments, no bare hosts; a Chinese domain is written in its xn-- form. */
const LOCAL = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
const DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/

/** The address with its domain in lower case; null when a mail server could not be handed it as it stands. */
export function readAddress(text: string): string | null {
  const at = text.lastIndexOf('@')
  if (at < 1 || text.length > 254) return null
  const [local, domain] = [text.slice(0, at), text.slice(at + 1).toLowerCase()]
  return local.length <= 64 && LOCAL.test(local) && DOMAIN.test(domain) ? `${local}@${domain}` : null
}

/** Enough to recognise one's own address by, too little to write to it. */
export function maskAddress(address: string): string {
  return `${address.slice(0, 1)}***${address.slice(address.lastIndexOf('@'))}`
}

/** No address stands in an error that is shown, whoever worded it. */
export function maskError(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').replace(/[^\s<>@"']+@[^\s<>@"']+/g, '***').slice(0, MOST_ERROR)
}

const MOST_ERROR = 200

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000]
/** How long after each attempt the next one comes: 99 hours in all, and 79 when every dice falls low. */
const WAITS_MS = [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, ...[2, 5, 10, 14, 20, 24, 24].map((hours) => hours * HOUR_MS)]
export const MOST_ATTEMPTS = WAITS_MS.length + 1

/** @param attempt the attempt that is being made, from 1  @param dice in [0, 1): spreads the next one by ±20 % */
export function waitMs(attempt: number, dice: number): number {
  return Math.round(WAITS_MS[Math.min(attempt, WAITS_MS.length) - 1]! * (0.8 + 0.4 * dice))
}

/** A link lives until so long after its decision has ended, or its alert was written. */
const LINK_DAYS = 90
const DAY_MS = 86_400_000

export function isLinkAlive(startedAt: Date, decision: Pick<Decision, 'liftedAt' | 'statement'> | null, at: Date): boolean {
  if (!decision) return at.getTime() - startedAt.getTime() < LINK_DAYS * DAY_MS
  const ended = endOf(decision)
  return ended === null || at.getTime() - ended.getTime() < LINK_DAYS * DAY_MS
}

/** When a measure ended or will end by itself; null while nobody knows. */
function endOf({ liftedAt, statement }: Pick<Decision, 'liftedAt' | 'statement'>): Date | null {
  const ends = statement.measure.endsAt === null ? null : new Date(statement.measure.endsAt)
  if (liftedAt === null || ends === null) return liftedAt ?? ends
  return ends < liftedAt ? ends : liftedAt
}

export type Standing = 'in_force' | 'to_come' | 'lifted' | 'ended'

export function standingOf(decision: Pick<Decision, 'liftedAt' | 'statement'>, at: Date): Standing {
  const ends = decision.statement.measure.endsAt
  if (ends !== null && Date.parse(ends) <= at.getTime() && (decision.liftedAt === null || Date.parse(ends) <= decision.liftedAt.getTime())) return 'ended'
  if (decision.liftedAt !== null) return 'lifted'
  return Date.parse(decision.statement.measure.effectiveAt) > at.getTime() ? 'to_come' : 'in_force'
}

/**
 * What a look at a watch comes to. It is told once when the value falls below the threshold, and re-armed when the value
 * is above it again; on the threshold nothing changes. A value that swings is told at most once in `quietMs`: it stays
 * armed meanwhile, so that a fall that lasts is told when the quiet is over.
 */
export function look(watch: Pick<Watch, 'below' | 'isLow' | 'toldAt'>, value: bigint, at: Date, quietMs: number): 'tell' | 'rearm' | null {
  if (watch.isLow) return value > watch.below ? 'rearm' : null
  if (value >= watch.below) return null
  return watch.toldAt === null || at.getTime() - watch.toldAt.getTime() >= quietMs ? 'tell' : null
}
