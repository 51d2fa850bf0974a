import { Ajv, type ErrorObject } from 'ajv'
import addFormats from 'ajv-formats'
import { accept, refuse, type Outcome } from '../../protocol/outcome.ts'
import type { TSchema } from '../../protocol/schema.ts'

export type Reader = (value: unknown) => Outcome<unknown>

const MOST_FAULTS = 10

// All faults at once: a partner mends them in one go. Sizes are bounded before, by the bytes of the body.
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, verbose: true, validateFormats: true })
addFormats.default(ajv, ['date-time'])

/** Makes the check of a value against its schema; the refusal names the first field that is wrong and all further ones. */
export function reader(schema: TSchema, prefix: string): Reader {
  const isRight = ajv.compile(schema)
  return (value) => {
    if (isRight(value)) return accept(value)
    const wrong = new Map<string, string>()
    for (const fault of isRight.errors ?? []) {
      const expected = expectedOf(fault)
      if (expected === null) continue
      const path = `${prefix}${fault.instancePath}${fieldOf(fault)}`.slice(0, 120).toWellFormed() || '/'
      if (!wrong.has(path) && wrong.size < MOST_FAULTS) wrong.set(path, expected)
    }
    const [first, ...also] = [...wrong].map(([path, expected]) => refuse('protocol.invalid_field', { path, expected }).refusal)
    return { ok: false, refusal: also.length > 0 ? { ...first!, also } : first! }
  }
}

/** The field that a fault is about, where the fault is told of the object around it. */
function fieldOf({ keyword, params }: ErrorObject): string {
  const name = keyword === 'required' ? params.missingProperty : keyword === 'additionalProperties' ? params.additionalProperty : keyword === 'propertyNames' ? params.propertyName : null
  return name === null ? '' : `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** The fault in words for a person; null when another fault of the same value says it better. */
function expectedOf(fault: ErrorObject): string | null {
  const rule = fault.parentSchema as Record<string, unknown>
  // The name of a field is judged by a schema of its own; the fault of the object around it follows.
  if (fault.propertyName !== undefined) return null
  switch (fault.keyword) {
    case 'required': return 'this field is required'
    case 'additionalProperties': return 'no such field here'
    case 'propertyNames': return ((rule.propertyNames as { title?: string }).title) ?? 'no such field here'
    case 'const': return isOneOfMany(fault) ? null : `one of ${String(fault.params.allowedValue)}`
    case 'anyOf': return `one of ${(rule.anyOf as { const?: unknown; type?: unknown }[]).map((choice) => String(choice.const ?? choice.type)).join(', ')}`
    // A pattern is for programs: the schema says beside it in words what it means.
    case 'pattern': return (rule.title as string | undefined) ?? 'written as /openapi.json says'
    default: return isOneOfMany(fault) ? null : (fault.message ?? 'written as /openapi.json says').replace(' NOT ', ' not ')
  }
}

/** One of many choices says little: the choice of them, which follows, lists all. */
function isOneOfMany(fault: ErrorObject): boolean {
  return /\/anyOf\/\d+\/[a-zA-Z]+$/.test(fault.schemaPath)
}
