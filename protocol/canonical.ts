/** A value that JSON can say. `undefined` members are left out, as JSON.stringify leaves them out. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json | undefined }

/**
 * The one way to write a value down, so that two parties hash and sign the same bytes: RFC 8785 (JSON Canonicalization
 * Scheme). Members are ordered by their UTF-16 code units; numbers and strings are what ECMAScript makes of them, which is
 * how the RFC defines them. Throws a TypeError for what JSON cannot say: NaN, infinities, lone surrogates, and everything that is no value.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('JSON has no word for this number')
    return JSON.stringify(value)
  }
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) throw new TypeError('a string holds half of a surrogate pair')
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`JSON has no word for a ${typeof value}`)
  const members = value as Record<string, unknown>
  const names = Object.keys(members).filter((name) => members[name] !== undefined).sort(byCodeUnits)
  return `{${names.map((name) => `${canonicalJson(name)}:${canonicalJson(members[name])}`).join(',')}}`
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
