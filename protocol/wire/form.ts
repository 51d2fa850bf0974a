import { accept, refuse } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'
import { decodeUtf8 } from './charset.ts'

export const FORM_FIELDS_MAX = 200

/** The fields in the order they came; `sku[区服]=一区` is the field `sku` with the one nested key `区服`. */
export type Form = ReadonlyMap<string, string | ReadonlyMap<string, string>>

/** A field's name taken apart: null when it has no nested key. */
type Name = { readonly outer: string; readonly inner: string | null }

/**
 * Reads application/x-www-form-urlencoded bytes strictly; an empty body is a form without fields. `+` is a blank.
 *
 * Refuses `protocol.malformed_request` {problem, at: "byte N"} for two fields of one name, list names (`a[]`), names of
 * more than one level, a name without `=`, a broken percent sign, NUL and more than 200 fields: each of them is read
 * differently by different programs, and what is signed must mean one thing. Refuses `protocol.charset_mismatch` for
 * bytes that are not UTF-8 and `protocol.invalid_field` for control characters other than tab and line ends.
 */
export function readForm(bytes: Uint8Array): Outcome<Form> {
  const decoded = decodeUtf8(bytes)
  if (!decoded.ok) return decoded
  const body = decoded.value
  const form = new Map<string, string | Map<string, string>>()
  if (body === '') return accept(form)

  let start = 0
  for (let count = 1; start <= body.length; count++) {
    if (count > FORM_FIELDS_MAX) return malformed(body, start, `it has more than ${FORM_FIELDS_MAX} fields`)
    const next = body.indexOf('&', start)
    const end = next < 0 ? body.length : next
    const equals = body.indexOf('=', start)
    if (equals < 0 || equals >= end) return malformed(body, start, 'a field is not written as name=value')
    const nameText = decodePart(body, start, equals)
    if (!nameText.ok) return nameText
    const name = readName(nameText.value)
    if (typeof name === 'string') return malformed(body, start, name)
    const value = decodePart(body, equals + 1, end)
    if (!value.ok) return value
    if (CONTROL.test(value.value)) {
      return refuse('protocol.invalid_field', { path: pathOf(name), expected: 'text without control characters' })
    }
    if (!put(form, name, value.value)) return malformed(body, start, 'a field occurs twice')
    start = end + 1
  }
  return accept(form)
}

/** Tab and line ends are text; every other control character, DEL and the C1 block are not. NUL is refused before. */
const CONTROL = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/
const CONTROL_OF_NAME = /[\u0001-\u001f\u007f-\u009f]/

/** The name taken apart, or a sentence that says what is wrong with it. */
function readName(text: string): Name | string {
  if (CONTROL_OF_NAME.test(text)) return 'a field name has a control character'
  const open = text.indexOf('[')
  if (open < 0 && !text.includes(']')) return text === '' ? 'a field has no name' : { outer: text, inner: null }
  const outer = text.slice(0, Math.max(open, 0))
  const inner = text.slice(open + 1, -1)
  if (outer === '' || !text.endsWith(']') || outer.includes(']')) return 'the brackets of a field name do not match'
  if (inner === '') return 'a field name ends in [], which makes a list'
  if (inner.includes('][')) return 'a field name is nested deeper than one level'
  if (inner.includes('[') || inner.includes(']')) return 'the brackets of a field name do not match'
  return { outer, inner }
}

/** Adds one field; false when the name is taken, also by a plain field where a nested one comes and the other way round. */
function put(form: Map<string, string | Map<string, string>>, name: Name, value: string): boolean {
  const there = form.get(name.outer)
  if (name.inner === null) {
    if (there !== undefined) return false
    form.set(name.outer, value)
    return true
  }
  if (there === undefined) {
    form.set(name.outer, new Map([[name.inner, value]]))
    return true
  }
  if (typeof there === 'string' || there.has(name.inner)) return false
  there.set(name.inner, value)
  return true
}

/** Most parts carry neither percent nor plus and are one slice of the body. */
function decodePart(body: string, start: number, end: number): Outcome<string> {
  const part = body.slice(start, end)
  const nul = part.indexOf('\0')
  if (nul >= 0) return malformed(body, start + nul, 'the NUL character is not allowed')
  if (!part.includes('%')) return accept(part.includes('+') ? part.replaceAll('+', ' ') : part)

  let text = ''
  let at = start
  while (at < end) {
    const percent = body.indexOf('%', at)
    const plainEnd = percent < 0 || percent > end ? end : percent
    if (plainEnd > at) text += body.slice(at, plainEnd).replaceAll('+', ' ')
    if (plainEnd === end) break
    let runEnd = percent
    while (runEnd < end && body.charCodeAt(runEnd) === 37) runEnd += 3
    const run = decodeRun(body, percent, runEnd)
    if (!run.ok) return run
    text += run.value
    at = runEnd
  }
  return accept(text)
}

/**
 * A run of percent signs without anything between them: its bytes must be whole UTF-8 characters by themselves.
 * A last sign that is cut short meets an ampersand or the end of the body, neither of which is a hexadecimal digit.
 */
function decodeRun(body: string, start: number, end: number): Outcome<string> {
  const bytes = new Uint8Array((end - start) / 3)
  for (let index = 0; index < bytes.length; index++) {
    const at = start + index * 3
    const high = hexDigit(body.charCodeAt(at + 1))
    const low = hexDigit(body.charCodeAt(at + 2))
    if (high < 0 || low < 0) return malformed(body, at, 'a percent sign is not followed by two hexadecimal digits')
    if (high === 0 && low === 0) return malformed(body, at, 'the NUL character is not allowed')
    bytes[index] = high * 16 + low
  }
  const text = decodeUtf8(bytes)
  if (text.ok) return text
  return refuse('protocol.charset_mismatch', { declared: 'UTF-8', at: byteIndex(body, start) + Number(text.refusal.because['at']) * 3 })
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Writes a form as PHP's http_build_query does (RFC 1738: a blank is `+`). The text must be well formed. */
export function writeForm(form: Form): string {
  const pairs: string[] = []
  for (const [name, value] of form) {
    if (typeof value === 'string') pairs.push(`${encode(name)}=${encode(value)}`)
    else for (const [inner, text] of value) pairs.push(`${encode(`${name}[${inner}]`)}=${encode(text)}`)
  }
  return pairs.join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*~]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`).replaceAll('%20', '+')
}

function malformed(body: string, at: number, problem: string): Outcome<never> {
  return refuse('protocol.malformed_request', { problem, at: `byte ${byteIndex(body, at)}` })
}

function byteIndex(body: string, at: number): number {
  return new TextEncoder().encode(body.slice(0, at)).length
}

function pathOf(name: Name): string {
  return `/${name.outer}${name.inner === null ? '' : `/${name.inner}`}`.slice(0, 200).toWellFormed()
}
