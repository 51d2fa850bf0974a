import { accept, refuse } from '../../protocol/outcome.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import { readForm } from '../../protocol/wire/form.ts'
import type { Form } from '../../protocol/wire/form.ts'
import type { Ask, Raw } from '../dialect.ts'

/**
 * The three protocols by which a shop of the acg-faka family docks, from the side that is docked to: `store` is its own
 * (type 0), `open` the open API of MCY and V4 (type 1), `plugin` that of the SharedStock plugin (type 2), whose trade is
 * type 0's. The asks are read in asks.ts, the answers written in answers.ts.
 */
export type Flavor = 'store' | 'open' | 'plugin'
export type Call = Ask['kind'] | 'draft'

const CALLS: ReadonlyMap<string, readonly [Call, Flavor]> = new Map<string, readonly [Call, Flavor]>([
  ['/shared/authentication/connect', ['connect', 'store']],
  ['/shared/commodity/items', ['items', 'store']],
  ['/shared/commodity/item', ['item', 'store']],
  ['/shared/commodity/stock', ['stock', 'store']],
  ['/shared/commodity/valuation', ['valuation', 'store']],
  ['/shared/commodity/trade', ['trade', 'store']],
  ['/shared/commodity/query', ['query', 'store']],
  ['/shared/commodity/inventory', ['inventory', 'store']],
  ['/shared/commodity/inventoryState', ['inventoryState', 'store']],
  ['/shared/commodity/draftCard', ['draft', 'store']],
  ['/shared/commodity/draft', ['draft', 'store']],
  ['/plugin/open-api/connect', ['connect', 'open']],
  ['/plugin/open-api/items', ['items', 'open']],
  ['/plugin/open-api/item', ['item', 'open']],
  ['/plugin/open-api/sku/state', ['inventoryState', 'open']],
  ['/plugin/open-api/sku/stock', ['stock', 'open']],
  ['/plugin/open-api/amount', ['valuation', 'open']],
  ['/plugin/open-api/trade', ['trade', 'open']],
  ['/plugin/SharedStock/api/connect', ['connect', 'plugin']],
  ['/plugin/SharedStock/api/items', ['items', 'plugin']],
  ['/plugin/SharedStock/api/item', ['item', 'plugin']],
  ['/plugin/SharedStock/api/stock', ['stock', 'plugin']],
  ['/plugin/SharedStock/api/valuation', ['valuation', 'plugin']],
])

/**
 * One request taken apart. The form of types 0 and 2 carries the peer's key in clear (`app_key`): never log it, never
 * store it. `tradeNo` is the one thing that may stand in the address, where no signature covers it: it names an order of
 * the docking whose key signed, and moves nothing.
 */
export type AcgRequest = { readonly call: Call; readonly flavor: Flavor; readonly form: Form; readonly tradeNo: string | null; readonly appId: Field; readonly sign: Field }
type Field = string | ReadonlyMap<string, string>

const FORM_TYPE = 'application/x-www-form-urlencoded'
const FORM_TYPE_PATTERN = /^application\/x-www-form-urlencoded\s*(;\s*charset="?utf-8"?\s*)?$/i

/** PHP turns blanks and dots of a name into underscores: such a name is signed as one thing and read as another. */
const FIELD_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/

/** Takes a request apart. Refuses `protocol.*`: unknown path, other method, other media type, a form that is not plain. */
export function open(raw: Raw): Outcome<AcgRequest> {
  const [call, flavor] = CALLS.get(raw.path) ?? []
  if (call === undefined || flavor === undefined) return refuse('protocol.route_not_found', { method: raw.method, path: raw.path.slice(0, 200) })
  if (raw.method !== 'POST') {
    return refuse('protocol.method_not_allowed', { method: raw.method, path: raw.path, allowed: 'POST' })
  }
  if (!FORM_TYPE_PATTERN.test(raw.contentType.trim()) && !(flavor === 'open' && raw.body.length === 0)) {
    return refuse('protocol.unsupported_media', { expected: FORM_TYPE, seen: raw.contentType.slice(0, 100) })
  }
  // The signature covers the body alone, so what stands in the address could have been put there by anyone.
  const tradeNo = call === 'query' ? (/^tradeNo=([A-Za-z0-9_-]{1,64})$/.exec(raw.query)?.[1] ?? null) : null
  if (raw.query !== '' && tradeNo === null) return invalid('?', 'no query string, since only the body is signed')
  // Type 1 signs in its headers, and a call without fields has nothing to send.
  if (raw.body.length === 0 && flavor !== 'open') return refuse('protocol.malformed_request', { problem: 'the body is empty', at: 'byte 0' })
  const form = readForm(raw.body)
  if (!form.ok) return form
  for (const name of form.value.keys()) {
    if (!FIELD_NAME.test(name)) return invalid(`/${name.slice(0, 64)}`, 'a name of letters, digits and underscores')
  }
  const [appId, sign] = flavor === 'open' ? [raw.headers?.['api-id'] ?? '', raw.headers?.['api-signature'] ?? ''] : [form.value.get('app_id') ?? '', form.value.get('sign') ?? '']
  return accept({ call, flavor, form: form.value, tradeNo, appId, sign })
}

function invalid(path: string, expected: string): Outcome<never> {
  return refuse('protocol.invalid_field', { path, expected })
}
