import { formatAmount, parseAmount } from '../../protocol/money.ts'
import type { Words } from '../problem.ts'
import type { Row } from './acg-row.ts'
import type { GoodKinds, OldField, OldTier } from './old-site.ts'

/** What a row says beside its price. `left`: why it cannot be said here, and the good stays; `changes`: what comes over otherwise than it was. */
export type KindsRead = { kinds: GoodKinds | null; left: Words | null; changes: Words[]; isFormLost: boolean }

/** Names that every protocol of the hub can carry; the hub has the last word. */
const NAME = /^(?!\s)[^\p{C}\p{Zl}\p{Zp}=.|[\]{};,"'\\&#<>!?^~$]{1,64}(?<!\s)$/u
const FIELD_NAME = /^[A-Za-z]\w{0,31}$/
const FIELD_TYPES = ['text', 'password', 'number', 'select', 'checkbox', 'radio', 'textarea']
const CONTACTS = ['any', 'phone', 'email', 'qq'] as const
const MOST_STOCK = 1_000_000

/** Races, options, prices for larger quantities, the order form, who delivers and what it costs, from one row of acg-faka's goods. */
export function kindsOf(row: Row): KindsRead {
  const sections = sectionsOf(row.text('config'))
  const read: KindsRead = { kinds: null, left: null, changes: [], isFormLost: false }
  const stay = (en: string, zh: string) => void (read.left ??= { en, zh })
  const cost = amountOf(row.text('factory_price'))
  const kinds: GoodKinds = {
    ...some('races', racesOf(sections, stay, read.changes)),
    ...some('options', groupsOf(sections.sku ?? {}, stay)),
    // A good in races has its tiers in them: the plain ones never counted beside races.
    ...some('wholesale', sections.category ? [] : tiersOf(Object.entries(sections.wholesale ?? {}), read.changes)),
    ...(CONTACTS[Number(row.text('contact_type'))] && row.text('contact_type') !== '0' ? { contact: CONTACTS[Number(row.text('contact_type'))]! } : {}),
    ...(row.text('delivery_way') === '1' ? deliveryOf(row) : {}),
    ...(cost && parseAmount(cost)! > 0n ? { cost } : {}),
  }
  const form = formOf(row.text('widget'), read.changes)
  if (form === null) read.isFormLost = true
  else Object.assign(kinds, some('form', form))
  if (Object.keys(kinds).length > 0) read.kinds = kinds
  return read
}

function some<K extends string, T>(name: K, list: readonly T[]): Partial<Record<K, T[]>> {
  return (list.length > 0 ? { [name]: list } : {}) as Partial<Record<K, T[]>>
}

function amountOf(text: string): string | null {
  const micro = parseAmount(text.trim())
  return micro === null ? null : formatAmount(micro)
}

type Stay = (en: string, zh: string) => void

function racesOf(sections: Record<string, Record<string, string>>, stay: Stay, changes: Words[]): NonNullable<GoodKinds['races']> {
  return Object.entries(sections.category ?? {}).map(([name, text]) => {
    const unitPrice = amountOf(text)
    if (!NAME.test(name)) stay(`its race "${name}" holds what no name may`, `种类“${name}”的名称含有不允许的字符`)
    if (unitPrice === null || parseAmount(unitPrice) === 0n) stay(`its race ${name} has the price "${text}"`, `种类“${name}”的价格为“${text}”`)
    const tiers = Object.entries(sections.category_wholesale ?? {}).flatMap(([key, price]): [string, string][] => (key.slice(0, key.lastIndexOf('.')) === name ? [[key.slice(key.lastIndexOf('.') + 1), price]] : []))
    const cost = amountOf(sections.category_factory?.[name] ?? '')
    return { name, unitPrice: unitPrice ?? '0', ...(cost === null ? {} : { cost }), ...some('wholesale', tiersOf(tiers, changes)) }
  })
}

/** Group.Option=what it adds; a group's options stand together, in the order in which they come. */
function groupsOf(section: Record<string, string>, stay: Stay): NonNullable<GoodKinds['options']> {
  const groups = new Map<string, { name: string; surcharge: string }[]>()
  for (const [key, text] of Object.entries(section)) {
    const dot = key.indexOf('.')
    const [group, name] = [key.slice(0, Math.max(dot, 0)), key.slice(dot + 1)]
    const surcharge = amountOf(text === '' ? '0' : text)
    if (dot < 1 || !NAME.test(group) || !NAME.test(name)) stay(`its option "${key}" holds what no name may`, `规格“${key}”的名称含有不允许的字符`)
    if (surcharge === null) stay(`its option ${key} adds "${text}"`, `规格“${key}”的加价为“${text}”`)
    const choices = groups.get(group) ?? []
    groups.set(group, choices)
    choices.push({ name, surcharge: surcharge ?? '0' })
  }
  return [...groups].map(([name, choices]) => ({ name, choices }))
}

function tiersOf(pairs: readonly [string, string][], changes: Words[]): OldTier[] {
  return pairs.flatMap(([quantity, text]): OldTier[] => {
    const from = Number(quantity)
    const unitPrice = amountOf(text)
    if (Number.isInteger(from) && from >= 2 && from <= 1000 && unitPrice !== null && parseAmount(unitPrice)! > 0n) return [{ from, unitPrice }]
    changes.push({ en: `its price of "${text}" from ${quantity} pieces on does not come over`, zh: `${quantity} 件起“${text}”的批发价未迁入` })
    return []
  })
}

function deliveryOf(row: Row): Pick<GoodKinds, 'delivery' | 'stock' | 'message'> {
  const stock = Number(/^\d{1,9}$/.exec(row.text('stock'))?.[0] ?? MOST_STOCK)
  const message = row.text('delivery_message').replace(/<[^>]*>/g, '').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim().slice(0, 200)
  return { delivery: 'manual', stock: Math.min(stock, MOST_STOCK), ...(message === '' || !message.isWellFormed() ? {} : { message }) }
}

/** The fields that the buyer fills in; null when one of them cannot be said here. */
function formOf(text: string, changes: Words[]): OldField[] | null {
  if (['', '[]', 'null', '{}'].includes(text.trim())) return []
  let widgets: unknown
  try {
    widgets = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(widgets)) return null
  const fields = widgets.map((widget) => fieldOf(widget as Record<string, unknown>, changes))
  return fields.every((field) => field !== null) && new Set(fields.map((field) => field.name)).size === fields.length ? fields : null
}

function fieldOf(widget: Record<string, unknown> | null, changes: Words[]): OldField | null {
  const word = (key: string, most: number) => (typeof widget?.[key] === 'string' ? (widget[key] as string) : '').replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim().slice(0, most)
  const name = word('name', 64)
  const type = word('type', 16) || 'text'
  if (!FIELD_NAME.test(name) || !FIELD_TYPES.includes(type)) return null
  const choices = word('dict', 20_000).split(',').filter((pair) => pair !== '').map((pair) => {
    const [label, value] = pair.split('=')
    return { label: label!, value: value ?? label! }
  })
  if (choices.some(({ label, value }) => label === '' || value === '' || label.length > 64 || value.length > 64)) return null
  const asked = word('regex', 1_000)
  const pattern = isSteady(asked) ? asked : ''
  if (pattern !== asked) changes.push({ en: `the pattern of its field ${name} does not come over`, zh: `控件“${name}”的校验规则未迁入` })
  return {
    name, label: word('cn', 64), type, placeholder: word('placeholder', 128), pattern, error: word('error', 128),
    // The old site asks for a value only where its pattern does.
    required: pattern !== '' && !new RegExp(pattern, 'u').test(''), ...(choices.length > 0 ? { choices } : {}),
  }
}

/** Whether the time that a pattern takes is bounded: no repeated groups, no looking back or ahead, few repeats. */
function isSteady(pattern: string): boolean {
  const plain = pattern.replace(/\\[^1-9k]/gu, 'x').replace(/\[[^\]]*\]/g, 'x')
  if (pattern.length > 200 || /\\|\)[*+{]|\(\?[<=!]/.test(plain) || (plain.match(/[*+{]/g)?.length ?? 0) > 3) return false
  try {
    return new RegExp(pattern, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/** The sections of an INI text with their pairs: [category] 月卡=10 and the like. */
export function sectionsOf(config: string): Record<string, Record<string, string>> {
  const sections = bare<Record<string, string>>()
  let name = ''
  for (const line of config.split(/\r?\n/)) {
    const head = /^\s*\[([^\]]+)\]/.exec(line)
    const equals = line.indexOf('=')
    if (head) name = head[1]!.trim()
    else if (equals > 0 && name !== '') (sections[name] ??= bare())[line.slice(0, equals).trim()] = line.slice(equals + 1).trim()
  }
  return sections
}

/** An object without a prototype: a section may be called anything. */
function bare<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}
