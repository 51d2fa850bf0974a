import { accept, refuse } from '../../protocol/outcome.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Form } from '../../protocol/wire/form.ts'
import type { Ask, Choice, GoodName } from '../dialect.ts'
import type { AcgRequest, Call } from './request.ts'

/** Fields that each call knows, beside the three that every call carries. */
const FIELDS: Readonly<Record<Call, readonly string[]>> = {
  connect: [],
  items: [],
  item: ['code'],
  stock: ['code', 'race', 'sku'],
  valuation: ['code', 'num', 'race', 'sku', 'card_id'],
  trade: ['shared_code', 'contact', 'num', 'card_id', 'device', 'password', 'race', 'sku', 'request_no'],
  inventory: ['sharedCode', 'race', 'sku'],
  inventoryState: ['shared_code', 'card_id', 'num', 'race', 'sku'],
  query: ['tradeNo'],
  draft: ['code', 'card_id', 'page', 'limit', 'race', 'sku'],
}
const CREDENTIALS: readonly string[] = ['app_id', 'app_key', 'sign']
const CODE_FIELD: Readonly<Partial<Record<Call, string>>> = { trade: 'shared_code', inventory: 'sharedCode', inventoryState: 'shared_code' }

/** The same for type 1, which names goods and their kinds by numbers and signs in its headers. */
const OPEN_FIELDS: Readonly<Partial<Record<Call, readonly string[]>>> = {
  item: ['id'], stock: ['sku_id'], inventoryState: ['sku_id', 'quantity'], valuation: ['sku_id', 'quantity'], trade: ['sku_id', 'quantity', 'trade_no'],
}

/** Where a buyer's own words stand. */
const PRIVATE: readonly string[] = ['contact', 'password']

/** Whether a field of this call holds what the protocol asked for, and nothing that a buyer or a stranger filled in. */
export function isOwnField({ call, flavor }: Pick<AcgRequest, 'call' | 'flavor'>, name: string): boolean {
  return name === 'app_id' || ((flavor === 'open' ? OPEN_FIELDS[call] : FIELDS[call])?.includes(name) === true && !PRIVATE.includes(name))
}

const NO_CHOICE: Choice = { race: null, options: {} }

/**
 * What the request asks for; an empty field is an absent one, as it is for the signature. Refuses
 * `protocol.invalid_field`, and `orders.option_not_supported` {option} for a pre-selected card or a password.
 */
export function read(request: AcgRequest): Outcome<Ask> {
  const { call, form, flavor } = request
  const values = ownFields(request, flavor === 'open' ? (OPEN_FIELDS[call] ?? []) : FIELDS[call])
  if (!values.ok) return values
  if (call === 'connect' || call === 'items') return accept({ kind: call })
  if (call === 'draft') return refuse('orders.option_not_supported', { option: 'card_id' })
  if (call === 'query') {
    const order = request.tradeNo ?? form.get('tradeNo') ?? ''
    return typeof order === 'string' && REFERENCE.test(order) ? accept({ kind: 'query', order }) : invalid('/tradeNo', '1 to 64 letters, digits, _ or -')
  }
  const good = flavor === 'open' ? readNumber(form, call === 'item' ? 'id' : 'sku_id') : readCode(form, CODE_FIELD[call] ?? 'code')
  if (!good.ok) return good
  if (call === 'item') return accept({ kind: call, good: good.value })
  const choice = flavor === 'open' ? accept(NO_CHOICE) : readChoice(form)
  if (!choice.ok) return choice
  const asked = { good: good.value, choice: choice.value }
  if (call === 'stock' || call === 'inventory') return accept({ kind: call, ...asked })
  const quantity = readQuantity(form, flavor === 'open' ? 'quantity' : 'num')
  if (!quantity.ok) return quantity
  if (call !== 'trade') return accept({ kind: call, ...asked, quantity: quantity.value })
  return readTrade(form, flavor === 'open' ? 'trade_no' : 'request_no', { ...asked, quantity: quantity.value, values: values.value })
}

/** Fields that only this good has (account, region): they travel beside the protocol's in a trade, and nowhere else. */
function ownFields({ call, form, flavor }: AcgRequest, known: readonly string[]): Outcome<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const [name, value] of form) {
    if (value === '' || known.includes(name) || (flavor !== 'open' && CREDENTIALS.includes(name))) continue
    if (call !== 'trade') return invalid(`/${name}`, 'no such field in this call')
    // Several ticks of one checkbox come as a list: name[0], name[1].
    const text = typeof value === 'string' ? value : [...value.keys()].every((key) => /^\d{1,3}$/.test(key)) ? [...value.values()].join() : null
    if (text === null || text.length > 1000 || Object.keys(values).length === 32) return invalid(`/${name}`, 'at most 32 fields of at most 1000 characters')
    values[name] = text
  }
  return accept(values)
}

/** Without blanks, as the peer demands, and without what no catalogue uses but every injection does. */
const GOOD_CODE = /^[\p{L}\p{N}._:@+-]{1,64}$/u

/** The peer's own column holds 19 characters; longer ones harm nobody here. */
const REFERENCE = /^[A-Za-z0-9_-]{1,64}$/

/** Direction marks and zero-width characters show a person something else than what is stored. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

function readCode(form: Form, field: string): Outcome<GoodName> {
  const code = form.get(field) ?? ''
  return typeof code === 'string' && GOOD_CODE.test(code) ? accept({ code }) : invalid(`/${field}`, 'the code of a good: 1 to 64 letters, digits or . _ : @ + -')
}

function readNumber(form: Form, field: 'id' | 'sku_id'): Outcome<GoodName> {
  const text = form.get(field) ?? ''
  if (typeof text !== 'string' || !/^[1-9]\d{0,15}$/.test(text) || !Number.isSafeInteger(Number(text))) return invalid(`/${field}`, 'a number that the list of goods answered')
  return accept(field === 'id' ? { number: Number(text) } : { sku: Number(text) })
}

/** One race and one level of options; a pre-selected card and a password are no choice that a hub can keep. */
function readChoice(form: Form): Outcome<Choice> {
  const card = form.get('card_id') ?? ''
  if (card !== '' && card !== '0') return refuse('orders.option_not_supported', { option: 'card_id' })
  if ((form.get('password') ?? '') !== '') return refuse('orders.option_not_supported', { option: 'password' })
  const race = form.get('race') ?? ''
  if (typeof race !== 'string' || race.length > 64 || UNSEEN.test(race)) return invalid('/race', 'at most 64 characters')
  const sku = form.get('sku') ?? ''
  if (typeof sku === 'string' && sku !== '') return invalid('/sku', 'sku[group]=choice')
  const options = typeof sku === 'string' ? [] : [...sku].filter(([, name]) => name !== '')
  if (options.length > 10 || options.some(([group, name]) => group.length > 64 || name.length > 64 || UNSEEN.test(group + name))) return invalid('/sku', 'at most 10 groups of at most 64 characters')
  return accept({ race: race === '' ? null : race, options: Object.fromEntries(options) })
}

function readQuantity(form: Form, field: string): Outcome<number> {
  const text = form.get(field) ?? ''
  const quantity = typeof text === 'string' && /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0
  return quantity >= 1 && quantity <= 1000 ? accept(quantity) : invalid(`/${field}`, 'a whole number from 1 to 1000, in digits')
}

function readTrade(form: Form, field: string, asked: { good: GoodName; choice: Choice; quantity: number; values: Record<string, string> }): Outcome<Ask> {
  const reference = form.get(field) ?? ''
  if (typeof reference !== 'string' || !REFERENCE.test(reference)) return invalid(`/${field}`, '1 to 64 letters, digits, _ or -')
  const contact = field === 'trade_no' ? '' : (form.get('contact') ?? '')
  if (typeof contact !== 'string' || contact.length > 256 || [...contact].length > 128 || UNSEEN.test(contact)) {
    return invalid('/contact', 'at most 128 visible characters')
  }
  return accept({ kind: 'trade', ...asked, reference, contact })
}

function invalid(path: string, expected: string): Outcome<never> {
  return refuse('protocol.invalid_field', { path, expected })
}
