/**
 * The part of structured fields (RFC 8941) that Signature-Input, Signature and Content-Digest can hold, read strictly.
 * Each reader moves the cursor over what it took, or names the problem and returns null.
 */
const MAX_MEMBERS = 8
const MAX_COMPONENTS = 32

export type Cursor = {
  readonly field: string
  readonly text: string
  at: number
  /** The parameter last begun: what its value breaks off at is told as a fault of that parameter. */
  parameter: string
  problem: string
}

/** `text` is the value of a string, and the canonical spelling of anything else. */
export type BareItem = { readonly kind: 'integer' | 'decimal' | 'string' | 'token' | 'bytes' | 'boolean'; readonly text: string }

export type InputMember = {
  readonly components: readonly string[]
  readonly parameters: ReadonlyMap<string, BareItem>
  /** What makes this one member unusable, while the others may be good: a proxy may sign what is not read here. */
  readonly problem: string | null
}

/** What a header value may hold to be signed here, and a string to be quoted. */
export const PRINTABLE = /^[\t\x20-\x7e]*$/

const KEY = /[a-z*][a-z0-9_.*-]*/y
const SPACES = / */y
const BLANKS = /[ \t]*/y
const NUMBER = /-?\d{1,15}(?:\.\d{1,3})?/y
const STRING = /"[\x20\x21\x23-\x5b\x5d-\x7e]*(?:\\["\\][\x20\x21\x23-\x5b\x5d-\x7e]*)*"/y
const TOKEN = /[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/y
const BYTES = /:[A-Za-z0-9+/]*={0,2}:/y
const BOOLEAN = /\?[01]/y

export function cursorOn(field: string, text: string): Cursor {
  return { field, text, at: 0, parameter: '', problem: '' }
}

function take(cursor: Cursor, pattern: RegExp): string | null {
  pattern.lastIndex = cursor.at
  if (!pattern.test(cursor.text)) return null
  const start = cursor.at
  cursor.at = pattern.lastIndex
  return cursor.text.slice(start, cursor.at)
}

function stop(cursor: Cursor, needed: string): null {
  cursor.problem = `${cursor.field}, character ${cursor.at + 1}: ${needed}`
  return null
}

/** A label may occur once only (RFC 9421 §4.1), although RFC 8941 alone would let the last one win. */
export function readDictionary<T>(cursor: Cursor, readMember: (cursor: Cursor) => T | null): Map<string, T> | null {
  const members = new Map<string, T>()
  take(cursor, SPACES)
  for (;;) {
    cursor.parameter = ''
    const label = take(cursor, KEY)
    if (label === null) return stop(cursor, 'a lower-case label is needed')
    if (members.has(label)) return stop(cursor, 'this label stands twice')
    if (members.size === MAX_MEMBERS) return stop(cursor, `at most ${MAX_MEMBERS} members are read`)
    if (cursor.text[cursor.at] !== '=') return stop(cursor, 'the label needs a value')
    cursor.at++
    const member = readMember(cursor)
    if (member === null) return null
    members.set(label, member)
    // What follows a value at once has broken it; what follows a blank has nothing to do with it.
    if (take(cursor, BLANKS) !== '') cursor.parameter = ''
    if (cursor.at === cursor.text.length) return members
    if (cursor.text[cursor.at] !== ',') return stop(cursor, 'a comma or the end is needed')
    cursor.at++
    take(cursor, BLANKS)
  }
}

export function readBytesMember(cursor: Cursor): Uint8Array | null {
  const start = cursor.at
  const bytes = take(cursor, BYTES) === null ? null : decodeBase64(cursor.text, start + 1, cursor.at - 1)
  if (bytes !== null) return bytes
  cursor.at = start
  return stop(cursor, 'padded base64 between two colons is needed')
}

export function readInputMember(cursor: Cursor): InputMember | null {
  const components: string[] = []
  let problem: string | null = null
  if (cursor.text[cursor.at] !== '(') return stop(cursor, 'a list in parentheses is needed')
  cursor.at++
  for (;;) {
    const apart = take(cursor, SPACES) !== ''
    if (cursor.text[cursor.at] === ')') break
    if (components.length > 0 && !apart) return stop(cursor, 'a space or a closing parenthesis is needed')
    const quoted = take(cursor, STRING)
    if (quoted === null) return stop(cursor, 'a component name in double quotes is needed')
    const name = quoted.slice(1, -1)
    if (components.includes(name)) problem ??= `"${name}" is covered twice`
    if (components.push(name) > MAX_COMPONENTS) return stop(cursor, `at most ${MAX_COMPONENTS} components are read`)
    if (cursor.text[cursor.at] === ';') {
      if (readParameters(cursor) === null) return null
      problem = `"${name}" carries a parameter, which is not read here`
    }
  }
  cursor.at++
  const parameters = readParameters(cursor)
  if (parameters === null) return null
  return { components, parameters, problem }
}

/** A parameter given twice is refused: RFC 8941 lets the last one win, and two readers could then see two values. */
function readParameters(cursor: Cursor): Map<string, BareItem> | null {
  const parameters = new Map<string, BareItem>()
  while (cursor.text[cursor.at] === ';') {
    cursor.at++
    take(cursor, SPACES)
    cursor.parameter = ''
    const name = take(cursor, KEY)
    if (name === null) return stop(cursor, 'a parameter name is needed')
    if (parameters.has(name)) return stop(cursor, 'this parameter stands twice')
    cursor.parameter = name
    let value: BareItem | null = { kind: 'boolean', text: '?1' }
    if (cursor.text[cursor.at] === '=') {
      cursor.at++
      value = readBareItem(cursor)
    }
    if (value === null) return stop(cursor, `the value of ${name} cannot be read`)
    parameters.set(name, value)
  }
  return parameters
}

function readBareItem(cursor: Cursor): BareItem | null {
  let text = take(cursor, STRING)
  if (text !== null) return { kind: 'string', text: unquote(text) }
  if ((text = take(cursor, NUMBER)) !== null) {
    const value = Number(text)
    const decimal = text.includes('.')
    const canonical = decimal && Number.isInteger(value) ? value.toFixed(1) : String(value)
    return { kind: decimal ? 'decimal' : 'integer', text: canonical }
  }
  if ((text = take(cursor, TOKEN)) !== null) return { kind: 'token', text }
  const start = cursor.at
  if (readBytesMember(cursor) !== null) return { kind: 'bytes', text: cursor.text.slice(start, cursor.at) }
  text = take(cursor, BOOLEAN)
  return text === null ? null : { kind: 'boolean', text }
}

/**
 * The value of "@signature-params". RFC 9421 §3.2 says it is the member *serialised* anew by RFC 8941 §4.1, not the bytes
 * received: a proxy may respace a structured field on its way, and the signer signed the canonical spelling.
 */
export function serialiseInput({ components, parameters }: InputMember): string {
  // Never an empty list: a member is serialised only when it covers all that is required.
  let text = `("${components.join('" "')}")`
  for (const [name, { kind, text: value }] of parameters) {
    text += `;${name}`
    if (kind === 'string') text += `=${quote(value)}`
    else if (value !== '?1') text += `=${value}`
  }
  return text
}

export function quote(text: string): string {
  if (!PRINTABLE.test(text) || text.includes('\t')) throw new TypeError('a quoted string holds printable ASCII only')
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

function unquote(spelling: string): string {
  const text = spelling.slice(1, -1)
  return text.includes('\\') ? text.replace(/\\(["\\])/g, '$1') : text
}

const BASE64_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE64_VALUES = new Uint8Array(128)
for (let value = 0; value < 64; value++) BASE64_VALUES[BASE64_DIGITS.charCodeAt(value)] = value

/**
 * Reads base64 digits and padding, text[start, end); null when the padding is short or bits stand behind the last byte.
 * So each value has one spelling: a signature with changed bits at its end is not the signature that was made.
 */
function decodeBase64(text: string, start: number, end: number): Uint8Array | null {
  if ((end - start) % 4 !== 0) return null
  const padding = text[end - 1] !== '=' ? 0 : text[end - 2] !== '=' ? 1 : 2
  const bytes = new Uint8Array(((end - start) / 4) * 3 - padding)
  let bits = 0
  let held = 0
  let at = 0
  for (let i = start; i < end - padding; i++) {
    held = ((held << 6) | BASE64_VALUES[text.charCodeAt(i)]!) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = held >> bits
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null
}

export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const three = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text += BASE64_DIGITS[three >> 18]! + BASE64_DIGITS[(three >> 12) & 63]!
    text += i + 1 < bytes.length ? BASE64_DIGITS[(three >> 6) & 63]! : '='
    text += i + 2 < bytes.length ? BASE64_DIGITS[three & 63]! : '='
  }
  return text
}
