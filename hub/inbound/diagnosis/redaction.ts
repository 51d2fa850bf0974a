import type { Parsed } from './paste.ts'

const HIDDEN = '***'

/** Fields in which somebody's key, password or card travels, whatever the dialect. `pw` and `pass` as parts of a name too. */
const SECRET_FIELD = /key|secret|token|passw|pass$|pwd|userpws|^pw$|card_?(no|number|secret|pwd)|^cards?$|kami|卡密|cookie|session|credential|authorization|account|contact|mobile|phone|email|^qq$/i
/** Names of keys that are no secret. */
const OPEN_FIELD = /^(keyid|key_id|idempotency-key)$/i
/** A secret that is one of these anywhere else would hide ordinary words. */
const LEAST_SECRET = 4

/** Keys of a hub, and runs of digits as long as those of bank and prepaid cards. */
const SHAPES = /bth_[0-9A-Za-z_]+|(?<![0-9A-Fa-f.:])\d{13,19}(?![0-9A-Fa-f])/g

/**
 * Hides in a value, however deep, every secret that was found in the paste, wherever it is repeated, and whatever looks
 * like a key or a card. `known` are secrets that the hub itself knows, such as the keys of the docking.
 */
export function redact<T>(value: T, secrets: readonly string[]): T {
  const longest = secrets.filter((secret) => secret.length >= LEAST_SECRET).toSorted((a, b) => b.length - a.length)
  return walk(value, (text) => longest.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text).replace(SHAPES, HIDDEN)) as T
}

function walk(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === 'string') return hide(value)
  if (Array.isArray(value)) return value.map((one) => walk(one, hide))
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [hide(name), walk(one, hide)]))
}

/** The secrets that a paste carries: in headers, in its query, in its body, in the string that was signed. */
export function secretsIn(requests: readonly Parsed[], texts: readonly string[]): string[] {
  const found = new Set<string>()
  const add = (name: string, value: string) => {
    if (!SECRET_FIELD.test(name) || OPEN_FIELD.test(name)) return
    for (const form of [value, decoded(value), value.replace(/^(Bearer|Basic)\s+/i, '')]) if (form.length >= LEAST_SECRET) found.add(form)
  }
  for (const { headers, url, body } of requests) {
    for (const [name, value] of Object.entries(headers)) add(name, value ?? '')
    for (const text of [url, body.toString('utf8'), body.toString('latin1')]) for (const [name, value] of pairsOf(text)) add(name, value)
  }
  for (const text of texts) for (const [name, value] of pairsOf(text)) add(name, value)
  return [...found]
}

/** Names with values as they stand in forms, in JSON, in XML and in lines of headers, however broken the text around them is. */
function* pairsOf(text: string): Generator<[string, string]> {
  for (const [, name, value] of text.matchAll(/([^\s=&?,;"'<>{}]{1,80})=([^&\s]{1,4096})/g)) yield [decoded(name!), value!]
  for (const [, name, value] of text.matchAll(/"([^"\\\n]{1,80})"\s{0,20}:\s{0,20}"((?:[^"\\]|\\.){1,4096})"?/g)) yield [name!, value!]
  for (const [, name, value] of text.matchAll(/"([^"\\\n]{1,80})"\s{0,20}:\s{0,20}(\d{4,40})/g)) yield [name!, value!]
  for (const [, name, value] of text.matchAll(/<([A-Za-z_][\w.-]{0,60})>([^<]{1,4096})/g)) yield [name!, value!]
  for (const [, name, value] of text.matchAll(/^([A-Za-z][\w-]{0,60}):[ \t]{0,20}([^\r\n]{1,4096})/gm)) yield [name!, value!]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
