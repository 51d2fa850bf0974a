import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mendingOf } from '../../protocol/reason-page.ts'
import type { ReasonCode } from '../../protocol/reasons.ts'

const PAGES = join(import.meta.dirname, '../../docs/reasons')

const known = new Map<ReasonCode, { en: string; zh: string }>()

/** What helps, in the words of the page of a reason: one text, so that page and report cannot say two things. */
export function remedyOf(code: ReasonCode): { en: string; zh: string } {
  let remedy = known.get(code)
  if (!remedy) known.set(code, (remedy = mendingOf(readFileSync(join(PAGES, `${code}.md`), 'utf8'))))
  return remedy
}
