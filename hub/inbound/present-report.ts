import type { Report } from '../domain/docking/index.ts'
import { remedyOf } from './remedies.ts'

/** A report as it is signed: every check with its page, and with what helps in words. */
export function presentReport(publicUrl: string, made: Report) {
  return wellFormed({
    docking: made.docking, mode: made.mode, at: made.at.toISOString(),
    checks: made.checks.map(({ check, layer, verdict, class: cls, side, code, because, seen, evidence, remedy, selfTest }) => ({
      check, layer, verdict, class: cls, side, code, because, seen, evidence,
      page: code === null ? null : `${publicUrl}/reasons/${code}`, remedy: remedy ?? (code === null ? null : remedyOf(code)), selfTest,
    })),
    causes: made.causes,
    verdict: made.verdict,
  })
}

/** Partners' own bytes may stand in a report, and half a character has no canonical form. */
export function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return value.toWellFormed() as T
  if (Array.isArray(value)) return value.map(wellFormed) as T
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toWellFormed(), wellFormed(inner)])) as T
}
