import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import { isTamePattern } from '../../kernel/pattern.ts'
import { FIELD_TYPES, PLAIN, type Field, type FieldType, type GoodOptions, type OptionGroup, type Race, type Tier } from './model.ts'

/** What a person reads and a program keeps apart: no mark that any dialect, its file of settings or its address uses for itself. */
const CHOICE_NAME = /^(?!\s)[^\p{C}\p{Zl}\p{Zp}=.|[\]{};,"'\\&#<>!?^~$]{1,64}(?<!\s)$/u
const FIELD_NAME = /^[A-Za-z]\w{0,31}$/
/** Fields of the protocols themselves: a form field of the same name would be read as one of them. */
const TAKEN = new Set(['shared_code', 'contact', 'num', 'card_id', 'device', 'password', 'race', 'sku', 'request_no', 'app_id', 'app_key', 'sign', 'code', 'sku_id', 'quantity', 'trade_no'])
const CONTACTS = ['any', 'phone', 'email', 'qq']
const MOST_MANUAL_STOCK = 1_000_000

type Faults = { path: string; expected: string }[]

/**
 * Reads what makes a good more than a plain card from one row of an import: races, options, wholesale, form, contact,
 * delivery, stock, message. Money comes as decimal strings. Refuses `protocol.invalid_field` with the path of the field.
 */
export function readOptions(row: Readonly<Record<string, unknown>>): Outcome<GoodOptions> {
  const faults: Faults = []
  const bad = (path: string, expected: string) => void faults.push({ path, expected })
  const races = entries(row.races, '/races', 100, bad).map(({ item, path }) => readRace(item, path, bad))
  const groups = entries(row.options, '/options', 10, bad).map(({ item, path }) => readGroup(item, path, bad))
  const fields = entries(row.form, '/form', 32, bad).map(({ item, path }) => readField(item, path, bad))
  const tiers = readTiers(row.wholesale, '/wholesale', bad)
  if (races.length > 0 && tiers.length > 0) bad('/wholesale', 'the wholesale prices of a good with races stand in its races')
  for (const [path, list] of [['/races', races], ['/options', groups], ['/form', fields]] as const) {
    if (new Set(list.map((one) => one.name)).size !== list.length) bad(path, 'names that differ')
  }
  const contact = row.contact === undefined ? 0 : CONTACTS.indexOf(row.contact as string)
  if (contact < 0) bad('/contact', 'one of any, phone, email, qq')
  const delivery = row.delivery ?? 'card'
  if (delivery !== 'card' && delivery !== 'manual') bad('/delivery', 'one of card, manual')
  const stock = row.stock ?? (delivery === 'manual' ? 1000 : 0)
  if (!Number.isInteger(stock) || (stock as number) < 0 || (stock as number) > MOST_MANUAL_STOCK) bad('/stock', 'a whole number from 0 to 1000000')
  if (delivery === 'card' && row.stock !== undefined) bad('/stock', 'no stock of its own: cards count themselves')
  const message = row.message ?? ''
  if (!isText(message, 200)) bad('/message', 'at most 200 characters')
  const [first] = faults
  if (first) return refuse('protocol.invalid_field', { path: first.path, expected: first.expected })
  const options: GoodOptions = { races, groups, tiers, fields, contact: contact as 0, delivery: delivery as 'card', manualStock: stock as number, message: message as string }
  return accept(writeOptions(options) === null ? PLAIN : options)
}

type Bad = (path: string, expected: string) => void

function entries(value: unknown, path: string, most: number, bad: Bad): { item: Record<string, unknown>; path: string }[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > most || value.some((item) => typeof item !== 'object' || item === null || Array.isArray(item))) {
    bad(path, `a list of at most ${most} objects`)
    return []
  }
  return value.map((item, i) => ({ item: item as Record<string, unknown>, path: `${path}/${i}` }))
}

function readRace(item: Record<string, unknown>, path: string, bad: Bad): Race {
  return {
    name: readName(item.name, path, bad), priceMicro: readPrice(item.unitPrice, `${path}/unitPrice`, 1n, bad),
    costMicro: item.cost === undefined ? null : readPrice(item.cost, `${path}/cost`, 0n, bad), tiers: readTiers(item.wholesale, `${path}/wholesale`, bad),
  }
}

function readGroup(item: Record<string, unknown>, path: string, bad: Bad): OptionGroup {
  const choices = entries(item.choices, `${path}/choices`, 100, bad).map(({ item, path }) => ({
    name: readName(item.name, path, bad), surchargeMicro: item.surcharge === undefined ? 0n : readPrice(item.surcharge, `${path}/surcharge`, 0n, bad),
  }))
  if (choices.length === 0) bad(`${path}/choices`, 'at least one choice')
  if (new Set(choices.map((choice) => choice.name)).size !== choices.length) bad(`${path}/choices`, 'names that differ')
  return { name: readName(item.name, path, bad), choices }
}

function readTiers(value: unknown, path: string, bad: Bad): Tier[] {
  const tiers = entries(value, path, 20, bad).map(({ item, path }) => {
    if (!Number.isInteger(item.from) || (item.from as number) < 2 || (item.from as number) > 1000) bad(`${path}/from`, 'a whole number from 2 to 1000')
    return { from: item.from as number, priceMicro: readPrice(item.unitPrice, `${path}/unitPrice`, 1n, bad) }
  }).sort((a, b) => a.from - b.from)
  if (new Set(tiers.map((tier) => tier.from)).size !== tiers.length) bad(path, 'quantities that differ')
  return tiers
}

function readField(item: Record<string, unknown>, path: string, bad: Bad): Field {
  const name = item.name as string
  if (typeof name !== 'string' || !FIELD_NAME.test(name) || TAKEN.has(name)) bad(`${path}/name`, 'a letter and up to 31 letters, digits or _, and no name of the protocol itself')
  const type = (item.type ?? 'text') as FieldType
  if (!FIELD_TYPES.includes(type)) bad(`${path}/type`, 'one of text, password, number, select, checkbox, radio, textarea')
  for (const [key, most] of [['label', 64], ['placeholder', 128], ['error', 128]] as const) {
    if (!isText(item[key] ?? '', most)) bad(`${path}/${key}`, key === 'label' ? 'at most 64 characters' : 'at most 128 characters')
  }
  const pattern = item.pattern ?? ''
  if (typeof pattern !== 'string' || !isTamePattern(pattern)) bad(`${path}/pattern`, 'a pattern of at most 200 characters without look-around, back references or word boundaries, and at most 300 repeats in all')
  const choices = entries(item.choices, `${path}/choices`, 100, bad).map(({ item, path }) => {
    const value = item.value ?? item.label
    for (const text of [item.label, value]) if (!isText(text, 64) || text === '' || /[=,]/.test(text as string)) bad(path, 'label and value of 1 to 64 characters without = and commas')
    return { label: item.label as string, value: value as string }
  })
  if (choices.length === 0 && ['select', 'checkbox', 'radio'].includes(type)) bad(`${path}/choices`, 'at least one choice')
  const required = item.required ?? true
  if (typeof required !== 'boolean') bad(`${path}/required`, 'true or false')
  return {
    name, label: ((item.label as string | undefined) ?? '') || name, type, placeholder: (item.placeholder ?? '') as string, pattern: pattern as string,
    error: (item.error ?? '') as string, required: required as boolean, choices,
  }
}

function readName(value: unknown, path: string, bad: Bad): string {
  if (typeof value !== 'string' || !CHOICE_NAME.test(value)) bad(`${path}/name`, '1 to 64 characters without marks such as = . | , [ ] or quotes')
  return value as string
}

function readPrice(value: unknown, path: string, least: bigint, bad: Bad): bigint {
  const price = typeof value === 'string' ? parseAmount(value) : null
  if (price === null || price < least) bad(path, least > 0n ? 'yuan above zero with at most 6 decimals, such as "9.50"' : 'yuan with at most 6 decimals, such as "9.50"')
  return price ?? 0n
}

function isText(value: unknown, most: number): boolean {
  return typeof value === 'string' && value.length <= most && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value)
}

/** The stored form of the options; null for a plain card good, so that the hot path reads nothing. */
export function writeOptions(options: GoodOptions): string | null {
  const { races, groups, tiers, fields, contact, delivery, manualStock, message } = options
  const isPlain = races.length + groups.length + tiers.length + fields.length + contact === 0 && delivery === 'card' && message === ''
  return isPlain ? null : JSON.stringify({ races, groups, tiers, fields, contact, delivery, manualStock, message }, (_, value: unknown) => (typeof value === 'bigint' ? formatAmount(value) : inOrder(value)))
}

/** The database gives names back in an order of its own: in this one the same options are the same text. */
function inOrder(value: unknown): unknown {
  return typeof value !== 'object' || value === null || Array.isArray(value) ? value : Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const AMOUNTS = new Set(['priceMicro', 'surchargeMicro', 'costMicro'])

/** The options as they were stored; they were checked before. */
export function optionsOf(stored: unknown): GoodOptions {
  if (stored === null || stored === undefined) return PLAIN
  const withAmounts = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(withAmounts)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, AMOUNTS.has(name) && inner !== null ? parseAmount(inner as string) : withAmounts(inner)]))
  }
  return withAmounts(stored) as GoodOptions
}
