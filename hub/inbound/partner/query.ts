import { Type } from '../../../protocol/schema.ts'
import { limits } from '../../kernel/limits.ts'

export const closed = { additionalProperties: false }
export const Cursor = Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[0-9a-z_.]+$', title: 'a cursor that the list before answered', description: 'As answered in `next`.' }))
export const Limit = Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$', title: 'a whole number from 1 to 999, in digits', description: `Items a page, at most ${limits.pageItems}.` }))

export function pageLimit(text: string | undefined): number {
  return Math.min(Number(text ?? '100'), limits.pageItems)
}
