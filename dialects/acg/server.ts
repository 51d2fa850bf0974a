import { accept, refuse } from '../../protocol/outcome.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Form } from '../../protocol/wire/form.ts'
import { isOwnField } from './asks.ts'
import type { AcgRequest } from './request.ts'

export { ItemList, write, type Manner } from './answers.ts'
export { read } from './asks.ts'
export { open, type AcgRequest, type Flavor } from './request.ts'
export { factorNamed, fineOf, goodOfSku, PACK, packedName, packNumber, packOf, skuNumber, skusOf, type Sku } from './goods.ts'

/** The hashes that the hub hands in. `equal` compares in constant time; both texts are then 32 characters long. */
export type Digests = {
  readonly md5Hex: (text: string) => string
  readonly sha256Hex: (text: string) => string
  readonly equal: (a: string, b: string) => boolean
}

/** Whose request it says it is. Refuses `partners.credentials_missing` or `protocol.invalid_field`. Proves nothing. */
export function who(request: AcgRequest): Outcome<{ appId: string }> {
  const { appId } = request
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
  return `${pairs(request, false)}&key=${secret}`
}

/**
 * The same string fit for the docking report: `***` stands for the key at its end and for the value of every field but
 * `app_id` and those that the protocol itself names. What a buyer filled in, an account or its password, is not kept.
 */
export function redactedBase(request: AcgRequest): string {
  return `${pairs(request, true)}&key=***`
}

function pairs(request: AcgRequest, redacted: boolean): string {
  const { form, flavor } = request
  const parts: string[] = []
  for (const name of [...form.keys()].sort()) {
    const value = form.get(name)
    if ((name === 'sign' && flavor !== 'open') || value === undefined || value === '') continue
    if (redacted && !isOwnField(request, name)) parts.push(`${name}=***`)
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
  const { sign } = request
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

function invalid(path: string, expected: string): Outcome<never> {
  return refuse('protocol.invalid_field', { path, expected })
}
