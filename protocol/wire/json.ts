import { accept, refuse } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'

export const JSON_DEPTH_MAX = 32
export const JSON_ARRAY_MAX = 10_000

/** Names through which a careless copy of an object would reach its prototype. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** What stopped the reader. A field fault gathers its path while the calls return, so a good document pays nothing for it. */
type Fault =
  | { kind: 'malformed'; problem: string; at: number }
  | { kind: 'field'; path: string; expected: string }
  | { kind: 'items' }

type Cursor = { readonly text: string; at: number; fault: Fault | null }

/**
 * Reads one JSON document strictly (RFC 8259 and our own limits). The value consists of null, booleans, finite doubles
 * of at most 2^53 - 1, well-formed strings, arrays, and objects that carry own data properties only.
 *
 * Refuses `protocol.malformed_request` {problem, at: "line L column C"} for anything that is not JSON, an empty body,
 * duplicate keys, more than 32 levels, NUL and lone surrogates; `protocol.invalid_field` {path, expected} for forbidden
 * keys and numbers that a double cannot carry; `protocol.request_too_large` for an array of more than 10,000 items.
 *
 * It is our own because JSON.parse keeps the last of two equal keys, rounds numbers in silence and creates own
 * `__proto__` properties, and because it runs once per order.
 */
export function readJson(text: string): Outcome<unknown> {
  const cursor: Cursor = { text, at: 0, fault: null }
  if (!text.isWellFormed()) malformed(cursor, 'half of a surrogate pair stands alone', loneSurrogate(text))
  else {
    const value = readDocument(cursor)
    if (value !== undefined) return accept(value)
  }
  return refusalOf(cursor)
}

function readDocument(cursor: Cursor): unknown {
  const { text } = cursor
  if (text.charCodeAt(0) === 0xfeff) return malformed(cursor, 'a byte order mark stands in front', 0)
  skipBlanks(cursor)
  if (cursor.at === text.length) return malformed(cursor, 'the body is empty')
  const value = readValue(cursor, 1)
  if (value === undefined) return undefined
  skipBlanks(cursor)
  return cursor.at < text.length ? malformed(cursor, 'something follows the end of the document') : value
}

/** Each reader answers undefined when it failed: JSON has no undefined, and `fault` then says why. */
function readValue(cursor: Cursor, depth: number): unknown {
  const { text } = cursor
  const code = cursor.at < text.length ? text.charCodeAt(cursor.at) : -1
  if (code === 34) return readText(cursor)
  if (code === 123 || code === 91) {
    if (depth > JSON_DEPTH_MAX) return malformed(cursor, `it is nested deeper than ${JSON_DEPTH_MAX} levels`)
    return code === 123 ? readObject(cursor, depth) : readArray(cursor, depth)
  }
  if (code === 45 || (code >= 48 && code <= 57)) return readNumber(cursor)
  if (text.startsWith('true', cursor.at)) return skip(cursor, 4, true)
  if (text.startsWith('false', cursor.at)) return skip(cursor, 5, false)
  if (text.startsWith('null', cursor.at)) return skip(cursor, 4, null)
  return malformed(cursor, strayProblem(cursor))
}

function readObject(cursor: Cursor, depth: number): unknown {
  const { text } = cursor
  const object: Record<string, unknown> = {}
  cursor.at++
  skipBlanks(cursor)
  if (text.charCodeAt(cursor.at) === 125) return skip(cursor, 1, object)
  for (;;) {
    if (text.charCodeAt(cursor.at) !== 34) return malformed(cursor, ended(cursor) ?? 'a key in double quotes should stand here')
    const keyAt = cursor.at
    const key = readText(cursor)
    if (key === undefined) return undefined
    if (FORBIDDEN_KEYS.has(key)) return invalid(cursor, `/${key}`, 'this key is not allowed')
    if (Object.hasOwn(object, key)) return malformed(cursor, 'a key occurs twice in one object', keyAt)
    skipBlanks(cursor)
    if (text.charCodeAt(cursor.at) !== 58) return malformed(cursor, ended(cursor) ?? 'a colon should follow the key')
    cursor.at++
    skipBlanks(cursor)
    const value = readValue(cursor, depth + 1)
    if (value === undefined) return below(cursor, key)
    object[key] = value
    skipBlanks(cursor)
    const code = text.charCodeAt(cursor.at)
    if (code === 125) return skip(cursor, 1, object)
    if (code !== 44) return malformed(cursor, ended(cursor) ?? 'a comma or } should follow the value')
    cursor.at++
    skipBlanks(cursor)
  }
}

function readArray(cursor: Cursor, depth: number): unknown {
  const { text } = cursor
  const items: unknown[] = []
  cursor.at++
  skipBlanks(cursor)
  if (text.charCodeAt(cursor.at) === 93) return skip(cursor, 1, items)
  for (;;) {
    if (items.length === JSON_ARRAY_MAX) {
      cursor.fault = { kind: 'items' }
      return undefined
    }
    const value = readValue(cursor, depth + 1)
    if (value === undefined) return below(cursor, String(items.length))
    items.push(value)
    skipBlanks(cursor)
    const code = text.charCodeAt(cursor.at)
    if (code === 93) return skip(cursor, 1, items)
    if (code !== 44) return malformed(cursor, ended(cursor) ?? 'a comma or ] should follow the item')
    cursor.at++
    skipBlanks(cursor)
  }
}

/** Most strings hold no escape and are one slice of the text; the others go on in readEscaped from the first backslash. */
function readText(cursor: Cursor): string | undefined {
  const { text } = cursor
  const start = cursor.at + 1
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      cursor.at = at + 1
      return text.slice(start, at)
    }
    if (code === 92) return readEscaped(cursor, start, at)
    if (code < 32) return malformed(cursor, controlProblem(code), at)
  }
  return malformed(cursor, 'a string is not closed', text.length)
}

function readEscaped(cursor: Cursor, start: number, backslash: number): string | undefined {
  const { text } = cursor
  let whole = text.slice(start, backslash)
  let at = backslash
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      cursor.at = at + 1
      return whole
    }
    if (code < 32) return malformed(cursor, controlProblem(code), at)
    if (code !== 92) {
      const plain = at
      do at++
      while (at < text.length && isPlain(text.charCodeAt(at)))
      whole += text.slice(plain, at)
      continue
    }
    cursor.at = at
    const unit = readEscape(cursor)
    if (unit === undefined) return undefined
    whole += unit
    at = cursor.at
  }
  return malformed(cursor, 'a string is not closed', text.length)
}

function isPlain(code: number): boolean {
  return code !== 34 && code !== 92 && code >= 32
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t',
}

/** One escape from its backslash on; an escaped high surrogate takes the escaped low one that must follow it. */
function readEscape(cursor: Cursor): string | undefined {
  const { text, at } = cursor
  const letter = text.charAt(at + 1)
  if (letter !== 'u') {
    const plain = letter !== '' && Object.hasOwn(SHORT_ESCAPES, letter) ? SHORT_ESCAPES[letter] : undefined
    return plain === undefined ? malformed(cursor, 'a backslash is followed by a letter that means nothing') : skip(cursor, 2, plain)
  }
  const unit = hexUnit(text, at + 2)
  if (unit < 0) return malformed(cursor, 'an escape \\u is not followed by four hexadecimal digits')
  // Well-formed JSON all the same: the field is wrong, not the document.
  if (unit === 0) return invalid(cursor, '', 'text without the NUL character')
  if (unit < 0xd800 || unit > 0xdfff) return skip(cursor, 6, String.fromCharCode(unit))
  const low = unit < 0xdc00 && text.startsWith('\\u', at + 6) ? hexUnit(text, at + 8) : -1
  if (low < 0xdc00 || low > 0xdfff) return malformed(cursor, 'half of a surrogate pair stands alone')
  return skip(cursor, 12, String.fromCharCode(unit, low))
}

/** Four hexadecimal digits as a number, -1 if they are not: parseInt would take "1x" for 1. */
function hexUnit(text: string, from: number): number {
  if (from + 4 > text.length) return -1
  let unit = 0
  for (let at = from; at < from + 4; at++) {
    const code = text.charCodeAt(at)
    const lower = code | 32
    if (code >= 48 && code <= 57) unit = unit * 16 + code - 48
    else if (lower >= 97 && lower <= 102) unit = unit * 16 + lower - 87
    else return -1
  }
  return unit
}

function readNumber(cursor: Cursor): number | undefined {
  const { text } = cursor
  const start = cursor.at
  const first = text.charCodeAt(start) === 45 ? start + 1 : start
  let at = first
  let whole = 0
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(++at)) whole = whole * 10 + code - 48
  if (at === first) return malformed(cursor, 'a digit should follow the minus sign', at)
  if (at > first + 1 && text.charCodeAt(first) === 48) return malformed(cursor, 'a number starts with a needless zero', first)
  let plain = first === start
  if (text.charCodeAt(at) === 46) {
    const from = ++at
    at = skipDigits(text, at)
    if (at === from) return malformed(cursor, 'a digit should follow the decimal point', at)
    plain = false
  }
  if ((text.charCodeAt(at) | 32) === 101) {
    const sign = text.charCodeAt(++at)
    const from = sign === 43 || sign === 45 ? ++at : at
    at = skipDigits(text, at)
    if (at === from) return malformed(cursor, 'a digit should follow the exponent sign', at)
    plain = false
  }
  cursor.at = at
  // Up to fifteen digits the running sum is exact, which is what quantities are.
  if (plain && at - start <= 15) return whole
  return checkedNumber(cursor, text.slice(start, at))
}

function checkedNumber(cursor: Cursor, token: string): number | undefined {
  const value = Number(token)
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return invalid(cursor, '', 'a number no further from zero than 9007199254740991')
  if (Object.is(value, -0)) return invalid(cursor, '', 'a number other than minus zero')
  if (value === 0 && /^[0.]*[1-9]/.test(token)) return invalid(cursor, '', 'a number that a double can carry')
  return value
}

function skipDigits(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(++at));
  return at
}

function skipBlanks(cursor: Cursor): void {
  const { text } = cursor
  let { at } = cursor
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 13 || code === 9; code = text.charCodeAt(++at));
  cursor.at = at
}

function skip<T>(cursor: Cursor, length: number, value: T): T {
  cursor.at += length
  return value
}

function malformed(cursor: Cursor, problem: string, at = cursor.at): undefined {
  cursor.fault = { kind: 'malformed', problem, at }
}

function invalid(cursor: Cursor, path: string, expected: string): undefined {
  cursor.fault = { kind: 'field', path, expected }
}

/** Puts one level in front of the path of a field fault, escaped as a JSON pointer (RFC 6901). */
function below(cursor: Cursor, key: string): undefined {
  const { fault } = cursor
  if (fault?.kind === 'field') fault.path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}${fault.path}`
}

function ended(cursor: Cursor): string | null {
  return cursor.at < cursor.text.length ? null : 'the document ends too early'
}

function strayProblem(cursor: Cursor): string {
  const word = /^-?[A-Za-z]+/.exec(cursor.text.slice(cursor.at, cursor.at + 12))?.[0]
  if (word !== undefined) return `${word} is not a JSON value`
  if (cursor.text.charCodeAt(cursor.at) === 0) return 'the NUL character is not allowed'
  return ended(cursor) ?? 'a value should stand here'
}

function controlProblem(code: number): string {
  return code === 0 ? 'the NUL character is not allowed' : 'a control character in a string is not escaped'
}

function loneSurrogate(text: string): number {
  return text.search(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/)
}

function refusalOf(cursor: Cursor): Outcome<never> {
  const { text, fault } = cursor
  if (fault?.kind === 'items') {
    return refuse('protocol.request_too_large', { what: 'array items', allowed: String(JSON_ARRAY_MAX) })
  }
  if (fault?.kind === 'field') {
    return refuse('protocol.invalid_field', { path: clip(fault.path === '' ? '/' : fault.path), expected: fault.expected })
  }
  const at = fault?.at ?? 0
  const lines = text.slice(0, at).split('\n')
  const place = `line ${lines.length} column ${(lines.at(-1)?.length ?? 0) + 1}`
  return refuse('protocol.malformed_request', { problem: fault?.problem ?? 'the document cannot be read', at: place })
}

/** A path is made of the asker's own keys: what a fact stores of it is bounded. */
function clip(path: string): string {
  return path.length > 200 ? `${path.slice(0, 199)}…`.toWellFormed() : path
}
