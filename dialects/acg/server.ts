import { accept, refuse } from '../../protocol/outcome.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { readForm } from '../../protocol/wire/form.ts'
import type { Form } from '../../protocol/wire/form.ts'
import type { Ask, Raw } from '../dialect.ts'

export { carries, write } from './answers.ts'

/** acg-faka's shared-store protocol, type 0, from the side that is docked to. The answers are in answers.ts. */
type Call = Ask['kind']

const CALLS: ReadonlyMap<string, Call> = new Map([
  ['/shared/authentication/connect', 'connect'],
  ['/shared/commodity/items', 'items'],
  ['/shared/commodity/item', 'item'],
  ['/shared/commodity/stock', 'stock'],
  ['/shared/commodity/valuation', 'valuation'],
  ['/shared/commodity/trade', 'trade'],
])

/** One request taken apart. The form carries the peer's key in clear (`app_key`): never log it, never store it. */
export type AcgRequest = { readonly call: Call; readonly form: Form }

/** The hashes that the hub hands in. `equal` compares in constant time; both texts are then 32 characters long. */
export type Digests = {
  readonly md5Hex: (text: string) => string
  readonly sha256Hex: (text: string) => string
  readonly equal: (a: string, b: string) => boolean
}

const FORM_TYPE = 'application/x-www-form-urlencoded'
const FORM_TYPE_PATTERN = /^application\/x-www-form-urlencoded\s*(;\s*charset="?utf-8"?\s*)?$/i

/** PHP turns blanks and dots of a name into underscores: such a name is signed as one thing and read as another. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

/** Takes a request apart. Refuses `protocol.*`: unknown path, other method, other media type, a form that is not plain. */
export function open(raw: Raw): Outcome<AcgRequest> {
  const call = CALLS.get(raw.path)
  if (call === undefined) return refuse('protocol.route_not_found', { method: raw.method, path: raw.path.slice(0, 200) })
  if (raw.method !== 'POST') {
    return refuse('protocol.method_not_allowed', { method: raw.method, path: raw.path, allowed: 'POST' })
  }
  if (!FORM_TYPE_PATTERN.test(raw.contentType.trim())) {
    return refuse('protocol.unsupported_media', { expected: FORM_TYPE, seen: raw.contentType.slice(0, 100) })
  }
  // The signature covers the body alone, so what stands in the address could have been put there by anyone.
  if (raw.query !== '') return invalid('?', 'no query string, since only the body is signed')
  if (raw.body.length === 0) return refuse('protocol.malformed_request', { problem: 'the body is empty', at: 'byte 0' })
  const form = readForm(raw.body)
  if (!form.ok) return form
  for (const name of form.value.keys()) {
    if (!FIELD_NAME.test(name)) return invalid(`/${name.slice(0, 64)}`, 'a name of letters, digits and underscores')
  }
  return accept({ call, form: form.value })
}

/** Whose request it says it is. Refuses `partners.credentials_missing` or `protocol.invalid_field`. Proves nothing. */
export function who(request: AcgRequest): Outcome<{ appId: string }> {
  const appId = request.form.get('app_id') ?? ''
  if (appId === '') return refuse('partners.credentials_missing')
  if (typeof appId !== 'string' || !/^[A-Za-z0-9._:@-]{1,32}$/.test(appId)) {
    return invalid('/app_id', '1 to 32 letters, digits or . _ : @ -')
  }
  return accept({ appId })
}

/**
 * The string that is hashed: all fields but `sign` and the empty ones, sorted by name, undecorated, and the key at the
 * end. **It holds the key**: hash it at once and forget it. The key must be without `+` and `%`, which the peer decodes.
 */
export function base(request: AcgRequest, secret: string): string {
  return `${pairs(request.form, false)}&key=${secret}`
}

/** The same string with `***` for the key at its end and for the body's `app_key`: fit for the docking report. */
export function redactedBase(request: AcgRequest): string {
  return `${pairs(request.form, true)}&key=***`
}

function pairs(form: Form, redacted: boolean): string {
  const parts: string[] = []
  for (const name of [...form.keys()].sort()) {
    const value = form.get(name)
    if (name === 'sign' || value === undefined || value === '') continue
    if (redacted && name === 'app_key') parts.push('app_key=***')
    else if (typeof value === 'string') parts.push(`${name}=${value}`)
    else for (const [inner, text] of value) parts.push(`${name}[${inner}]=${text}`)
  }
  return parts.join('&')
}

/**
 * Whether the key made the signature. `secret` is null when nobody has this id: the same work is done and the same
 * refusal given, so that neither words nor time tell a stranger who is docked.
 *
 * Refuses `partners.signature_malformed` {problem} before any hash is made, then `partners.signature_invalid`
 * {baseSha256}: the SHA-256 of `redactedBase`. The peer can compute it too; a hash over the key itself would let
 * anyone who knows an id try keys at home.
 */
export function signed(request: AcgRequest, secret: string | null, digests: Digests): Outcome<null> {
  const sign = request.form.get('sign') ?? ''
  if (sign === '') return refuse('partners.signature_malformed', { problem: 'the field sign is missing or empty' })
  if (typeof sign !== 'string' || !/^[0-9a-f]{32}$/.test(sign)) {
    return refuse('partners.signature_malformed', { problem: 'sign must be 32 lower-case hexadecimal digits' })
  }
  if (isAmbiguous(request.form)) {
    return refuse('partners.signature_malformed', { problem: 'a value contains & and =, so the signed text has two readings' })
  }
  const matches = digests.equal(digests.md5Hex(base(request, secret ?? 'nobody')), sign)
  if (matches && secret !== null && secret !== '') return accept(null)
  return refuse('partners.signature_invalid', { baseSha256: digests.sha256Hex(redactedBase(request)) })
}

/** Values are not escaped before they are hashed: `contact=x&num=9` as one value has the signature of two fields. */
function isAmbiguous(form: Form): boolean {
  for (const value of form.values()) {
    if (typeof value === 'string') {
      if (holdsPair(value)) return true
    } else {
      for (const [inner, text] of value) if (/[&=]/.test(inner) || holdsPair(text)) return true
    }
  }
  return false
}

/** Two searches instead of a pattern: /&.*=/ is quadratic on a value of nothing but & signs. */
function holdsPair(text: string): boolean {
  const mark = text.indexOf('&')
  return mark >= 0 && text.includes('=', mark)
}

/** Fields that each call knows, beside the three that every call carries. */
const FIELDS: Readonly<Record<Call, readonly string[]>> = {
  connect: [],
  items: [],
  item: ['code'],
  stock: ['code', 'race', 'sku'],
  valuation: ['code', 'num', 'race', 'sku', 'card_id'],
  trade: ['shared_code', 'contact', 'num', 'card_id', 'device', 'password', 'race', 'sku', 'request_no'],
}
const CREDENTIALS: readonly string[] = ['app_id', 'app_key', 'sign']

/**
 * What the request asks for; an empty field is an absent one, as it is for the signature. Refuses
 * `protocol.invalid_field`, and `orders.option_not_supported` {option} for choices that plain card goods do not have.
 */
export function read(request: AcgRequest): Outcome<Ask> {
  const { call, form } = request
  const known = FIELDS[call]
  for (const [name, value] of form) {
    if (value === '' || known.includes(name) || CREDENTIALS.includes(name)) continue
    // A product's own fields (account, region) travel beside the protocol's, under names that the shop chose.
    if (call === 'trade') return refuse('orders.option_not_supported', { option: name })
    return invalid(`/${name}`, 'no such field in this call')
  }
  if (call === 'connect' || call === 'items') return accept({ kind: call })

  const codeName = call === 'trade' ? 'shared_code' : 'code'
  const code = form.get(codeName) ?? ''
  if (typeof code !== 'string' || !GOOD_CODE.test(code)) {
    return invalid(`/${codeName}`, 'the code of a good: 1 to 64 letters, digits or . _ : @ + -')
  }
  const option = chosenOption(form)
  if (option !== null) return refuse('orders.option_not_supported', { option })
  if (call === 'item' || call === 'stock') return accept({ kind: call, code })

  const quantity = readQuantity(form)
  if (!quantity.ok) return quantity
  if (call === 'valuation') return accept({ kind: call, code, quantity: quantity.value })
  return readTrade(form, code, quantity.value)
}

/** Without blanks, as the peer demands, and without what no catalogue uses but every injection does. */
const GOOD_CODE = /^[\p{L}\p{N}._:@+-]{1,64}$/u

/** Direction marks and zero-width characters show a person something else than what is stored. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

function readTrade(form: Form, code: string, quantity: number): Outcome<Ask> {
  const reference = form.get('request_no') ?? ''
  // The peer's own column holds 19 characters; longer ones harm nobody here.
  if (typeof reference !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(reference)) {
    return invalid('/request_no', '1 to 64 letters, digits, _ or -')
  }
  const contact = form.get('contact') ?? ''
  if (typeof contact !== 'string' || contact.length > 256 || [...contact].length > 128 || UNSEEN.test(contact)) {
    return invalid('/contact', 'at most 128 visible characters')
  }
  return accept({ kind: 'trade', code, quantity, reference, contact })
}

function readQuantity(form: Form): Outcome<number> {
  const text = form.get('num') ?? ''
  const quantity = typeof text === 'string' && /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0
  return quantity >= 1 && quantity <= 1000 ? accept(quantity) : invalid('/num', 'a whole number from 1 to 1000, in digits')
}

/** The first choice that was made beyond good and quantity, null if there is none. */
function chosenOption(form: Form): string | null {
  const card = form.get('card_id') ?? ''
  if (card !== '' && card !== '0') return 'card_id'
  return ['race', 'sku', 'password'].find((name) => (form.get(name) ?? '') !== '') ?? null
}

function invalid(path: string, expected: string): Outcome<never> {
  return refuse('protocol.invalid_field', { path, expected })
}
