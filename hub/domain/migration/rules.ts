import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Card, Family } from '../catalogue/index.ts'
import type { Migration } from './model.ts'

/** The lots of a migration: what is sealed under this batch belongs to this reading of the old site. */
export function familyOf({ id, step }: Pick<Migration, 'id' | 'step'>): Family {
  return { name: `migration:${id}:`, batch: `migration:${id}:${step}` }
}

/** Whether a reading may still write: an older one than the last would take back what has happened since. */
export function mayWrite(migration: Migration | null, id: string, step: number): Outcome<Migration> {
  if (!migration) return refuse('migration.not_found', { migration: id })
  if (migration.state === 'withdrawn') return refuse('migration.withdrawn', { migration: id })
  return migration.step === step ? accept(migration) : refuse('migration.superseded', { migration: id, asked: step, current: migration.step })
}

const LONGEST_CARD = 2_000
const CONTROL = /[\u0000-\u0008\u0009\u000b-\u001f\u007f]/

/**
 * A card of another site, which must come out here as it went in there: number and secret are parted only where joining
 * them again gives the same text. Null when it is empty, too long, or holds what a card cannot (a tab parts our own).
 */
export function readOldCard(text: string): Card | null {
  const whole = text.replaceAll('\r\n', '\n').trim()
  if (whole === '' || whole.length > LONGEST_CARD || CONTROL.test(whole)) return null
  const parts = whole.split('----')
  return parts.length === 2 && parts.every((part) => part !== '' && part === part.trim() && !part.includes('\n')) ? { number: parts[0]!, secret: parts[1]! } : { number: null, secret: whole }
}
