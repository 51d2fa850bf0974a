import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { readPattern, walkPattern } from '../../kernel/pattern.ts'
import type { Field } from './model.ts'

const LONGEST_VALUE = 200
const LONGEST_TEXT = 1_000
const NUMBER = /^-?\d{1,15}(\.\d{1,6})?$/
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** The order form as a JSON Schema. Every value is text; a checkbox holds its values joined by commas. */
export function formSchema(fields: readonly Field[]): Record<string, unknown> {
  return {
    type: 'object', additionalProperties: false,
    ...(fields.some((field) => field.required) ? { required: fields.filter((field) => field.required).map((field) => field.name) } : {}),
    properties: Object.fromEntries(fields.map((field) => [field.name, {
      type: 'string', title: field.label, ...(field.placeholder === '' ? {} : { description: field.placeholder }),
      ...(field.choices.length === 0 || field.type === 'checkbox' ? { minLength: field.required ? 1 : 0, maxLength: mostOf(field) } : { oneOf: field.choices.map(({ label, value }) => ({ const: value, title: label })) }),
      ...(field.pattern === '' ? (field.type === 'number' ? { pattern: NUMBER.source } : {}) : { pattern: field.pattern }),
    }])),
  }
}

/** Whether the values fit the form: every needed field, no other, each of its kind. Refuses `protocol.invalid_field` at /form/<name>. */
export function checkForm(fields: readonly Field[], values: Readonly<Record<string, string>>): Outcome<null> {
  for (const name in values) {
    if (!fields.some((field) => field.name === name)) return refuse('protocol.invalid_field', { path: `/form/${name.slice(0, 64)}`, expected: 'no such field in the form of this good' })
  }
  for (const field of fields) {
    const value = Object.hasOwn(values, field.name) ? values[field.name]! : ''
    const expected = value === '' ? (field.required ? 'this field is required' : null) : expectedOf(field, value)
    if (expected !== null) return refuse('protocol.invalid_field', { path: `/form/${field.name}`, expected })
  }
  return accept(null)
}

/** What the value should have been, in words; null when it fits. The operator's own words, where there are some, come first. */
function expectedOf(field: Field, value: string): string | null {
  const known = new Set(field.choices.map((choice) => choice.value))
  if (value.length > mostOf(field)) return field.type === 'textarea' ? 'at most 1000 characters' : 'at most 200 characters'
  if (UNSEEN.test(field.type === 'textarea' ? value.replace(/[\r\n\t]/g, '') : value)) return 'text without control, direction or zero-width characters'
  if (known.size > 0 && (field.type === 'checkbox' ? value.split(',') : [value]).some((one) => !known.has(one))) return field.error || `one of ${[...known].join(', ')}`.slice(0, 200)
  if (field.type === 'number' && !NUMBER.test(value)) return field.error || 'a number in digits'
  // A good that was kept under an older rule may have a pattern that cannot be walked: the shop checks it, the hub never runs it.
  const pattern = field.pattern === '' ? null : readPattern(field.pattern)
  if (pattern && !walkPattern(pattern, value).fits) return field.error || 'a value that fits the pattern of the form'
  return null
}

function mostOf(field: Field): number {
  return field.type === 'textarea' ? LONGEST_TEXT : LONGEST_VALUE
}
