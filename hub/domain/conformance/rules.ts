import type { KitDialect } from '../../../protocol/conformance.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { BADGE_DAYS, type Run } from './model.ts'

const DAY_MS = 86_400_000

export function kitDialect(dialect: string): KitDialect {
  return dialect === 'json' ? 'json' : 'acg'
}

/** Until when a badge counts. */
export function validUntil(finishedAt: Date): Date {
  return new Date(finishedAt.getTime() + BADGE_DAYS * DAY_MS)
}

/** Whether a run admits a docking of this dialect. It reads the verdict of the published kit and asks for nothing else. */
export function admits(run: Run, dialect: KitDialect, at: Date): Outcome<null> {
  const missing = (seen: string) => refuse('conformance.badge_missing', { run: run.id, seen, dialect })
  if (run.state === 'open') return missing('not finished')
  if (run.state === 'red') return missing('red')
  if (run.dialect !== dialect) return missing(`green for ${run.dialect}`)
  return validUntil(run.finishedAt!) > at ? accept(null) : missing(`older than ${BADGE_DAYS} days`)
}
