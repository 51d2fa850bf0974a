import { formatAmount, MICRO_PER_FEN, parseAmount } from '../../protocol/money.ts'
import type { Row } from './acg-row.ts'
import { kindsOf, sectionsOf, type KindsRead } from './acg-kinds.ts'
import type { OldCard, OldGood, OldOrder, OldPartner, OldPrice, Problem } from './old-site.ts'

export type AcgRows = Record<'user' | 'user_group' | 'commodity' | 'category' | 'commodity_group', Row[]>

type Note = (problem: Problem) => void

const CODE = /^[\p{L}\p{N}._:@+-]{1,64}$/u
const LONGEST_DESCRIPTION = 20_000
const MOST_AN_ORDER = 1_000

/** A member with the id and key that its shop signs with. Coins are commission and no prepayment: they stay where they are. */
export function partnerOf(row: Row, note: Note): OldPartner {
  const member = row.needed('id')
  const coin = parseAmount(row.text('coin') || '0')
  if (coin !== null && coin > 0n) {
    note({ outcome: 'left', table: row.table, id: member, line: row.line, what: { en: `${formatAmount(coin)} yuan of coins are no prepayment for goods: pay them out at the old site`, zh: `硬币 ${formatAmount(coin)} 元不是预付货款，请在旧站提现结清` } })
  }
  return { member, name: row.text('username'), appKey: row.text('app_key'), balance: row.needed('balance'), isSuspended: row.needed('status') !== '1', line: row.line }
}

/** A good at its member's price, which is what every docking pays before its level counts. */
export function goodOf(row: Row, rows: AcgRows, note: Note): OldGood {
  const id = row.needed('id')
  const category = rows.category.find((one) => one.needed('id') === row.text('category_id'))
  const read = kindsOf(row)
  const code = row.text('code')
  const unitPrice = row.needed('user_price')
  const changed = (en: string, zh: string) => note({ outcome: 'changed', table: row.table, id, line: row.line, what: { en, zh } })
  const left = leftBecause(row, code, unitPrice) ?? read.left
  const offSale = left ? null : offSaleBecause(row, category, read)
  if (offSale) changed(`it comes over off sale: ${offSale.en}`, `迁入后为下架状态：${offSale.zh}`)
  const description = row.text('description').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
  if (!left) noteChanges(row, rows, read, description.length, changed)
  return {
    key: id, code, name: head(oneLine(row.text('name')) || code, 255), category: head(oneLine(category?.text('name') ?? '') || '未分类', 128),
    description: head(description, LONGEST_DESCRIPTION), unitPrice, ...limitsOf(row, changed), onSale: row.text('status') === '1' && !offSale,
    kinds: read.kinds, left, line: row.line,
  }
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]/g, ' ').trim()
}

/** The first characters, never half of one. */
function head(text: string, length: number): string {
  const cut = text.slice(0, length)
  return cut.isWellFormed() ? cut : cut.slice(0, -1)
}

function leftBecause(row: Row, code: string, unitPrice: string): OldGood['left'] {
  if (row.text('owner') !== '' && row.text('owner') !== '0') return { en: `it belongs to member ${row.text('owner')}, whose share the hub cannot pay`, zh: `属于会员 ${row.text('owner')} 的商品，本站不代其结算` }
  if (!CODE.test(code)) return { en: 'its code is empty or holds what no code may', zh: '商品代码为空或含有不允许的字符' }
  if (!parseAmount(unitPrice)) return { en: `its member's price is ${unitPrice}`, zh: `会员价为 ${unitPrice}` }
  return null
}

/** Goods that the old site would not sell to a docked shop, or whose form cannot be asked here. */
function offSaleBecause(row: Row, category: Row | undefined, { isFormLost }: KindsRead): OldGood['left'] {
  if (row.text('shared_id') !== '') return { en: 'it is bought from another site as it is sold', zh: '货源来自其他站点（共享店铺）' }
  if (isFormLost) return { en: 'it asks the buyer for fields that cannot be said here', zh: '下单控件无法沿用' }
  if (row.text('api_status') !== '1' && row.text('status') === '1') return { en: 'it was not open for docking', zh: '未开放 API 对接' }
  if (category && category.text('status') !== '1' && row.text('status') === '1') return { en: `its category ${category.text('name')} is off`, zh: `所属分类“${category.text('name')}”已停用` }
  return null
}

function noteChanges(row: Row, rows: AcgRows, { kinds, changes }: KindsRead, descriptionLength: number, changed: (en: string, zh: string) => void): void {
  for (const { en, zh } of changes) changed(en, zh)
  if (hasTiers(kinds) && hasLevelPrices(row, rows)) changed('its prices by level do not come over beside those for larger quantities: give a price group a rule', '设有批发价，等级价未迁入：请为价格组设置规则')
  if (row.text('draft_status') === '1') changed('single cards can no longer be chosen', '不再支持预选卡密')
  if (row.text('seckill_status') === '1') changed('the flash sale ends', '秒杀活动不再生效')
  if (row.text('hide') === '1') changed('it was hidden there and is shown here', '旧站为隐藏商品，迁入后可见')
  if (descriptionLength > LONGEST_DESCRIPTION) changed(`the description is cut at ${LONGEST_DESCRIPTION} characters`, `商品说明截断为 ${LONGEST_DESCRIPTION} 字`)
}

function hasTiers(kinds: KindsRead['kinds']): boolean {
  return kinds?.wholesale !== undefined || (kinds?.races ?? []).some((race) => race.wholesale !== undefined)
}

function hasLevelPrices(row: Row, rows: AcgRows): boolean {
  const named = !['', '[]', '{}', 'null'].includes(row.text('level_price').trim())
  return row.text('level_disable') !== '1' && (named || rows.user_group.some((level) => level.has('discount_config') || (parseAmount(level.text('discount') || '0') ?? 0n) > 0n))
}

function limitsOf(row: Row, changed: (en: string, zh: string) => void): { minimum: number; maximum: number } {
  const read = (column: string) => Number(/^\d{1,9}$/.exec(row.text(column) || '0')?.[0] ?? 0)
  const minimum = Math.min(Math.max(1, read('minimum')), MOST_AN_ORDER)
  const maximum = read('maximum')
  if (read('minimum') > MOST_AN_ORDER || maximum > MOST_AN_ORDER) changed(`an order has at most ${MOST_AN_ORDER} pieces here`, `单笔最多 ${MOST_AN_ORDER} 件`)
  return { minimum, maximum: Math.max(minimum, maximum === 0 ? MOST_AN_ORDER : Math.min(maximum, MOST_AN_ORDER)) }
}

type Level = { id: string; rechargeMicro: bigint; row: Row }

/**
 * What each member pays where it is not the list price: the level's own price for a good, else the level's discount.
 * A member's level is the highest whose threshold its recharges reach. Prices are cut to the fen, as the old site cuts totals.
 */
export function* pricesOf(rows: AcgRows, goods: readonly OldGood[]): Generator<OldPrice> {
  const levels = rows.user_group.map((row): Level => ({ id: row.needed('id'), rechargeMicro: parseAmount(row.text('recharge') || '0') ?? 0n, row }))
    .sort((a, b) => (a.rechargeMicro > b.rechargeMicro ? -1 : 1))
  const sold = goods.filter((good) => good.left === null)
  const rowOf = new Map(rows.commodity.map((row) => [row.needed('id'), row]))
  const priced = new Map<string, Omit<OldPrice, 'member'>[]>()
  for (const user of rows.user) {
    const recharge = parseAmount(user.text('recharge') || '0') ?? 0n
    const level = levels.find(({ rechargeMicro }) => recharge >= rechargeMicro)
    if (!level) continue
    let list = priced.get(level.id)
    if (!list) priced.set(level.id, (list = sold.flatMap((good) => levelPrices(good, rowOf.get(good.key)!, level, rows.commodity_group))))
    for (const price of list) yield { member: user.needed('id'), ...price }
  }
}

/** A level's prices for a good, one for each race where there are races. A price for one piece cannot stand beside prices for many. */
function levelPrices(good: OldGood, row: Row, level: Level, groups: readonly Row[]): Omit<OldPrice, 'member'>[] {
  if (row.text('level_disable') === '1' || hasTiers(good.kinds)) return []
  const own = ownTerms(row.text('level_price'), level.id)
  const shelves = good.kinds?.races?.map(({ name, unitPrice }) => ({ race: name, unitPrice, own: own && (parseAmount(own.races[name] ?? '') ?? parseAmount(unitPrice)!) }))
    ?? [{ race: undefined, unitPrice: good.unitPrice, own: own && own.micro }]
  return shelves.flatMap(({ race, unitPrice, own }) => {
    const list = parseAmount(unitPrice)!
    const micro = own ?? discounted(list, good.key, level.row, groups)
    const fen = micro - (micro % MICRO_PER_FEN)
    return fen > 0n && fen !== list ? [{ good: good.code, ...(race === undefined ? {} : { race }), unitPrice: formatAmount(fen) }] : []
  })
}

/** {"3":{"amount":"8.50","config":"[category]…"}}: what a level was given for this good; null where it was given nothing. */
function ownTerms(levelPrice: string, level: string): { micro: bigint; races: Record<string, string> } | null {
  const named = (readJson(levelPrice) as Record<string, { amount?: unknown; config?: unknown } | undefined> | null)?.[level]
  const micro = named?.amount === undefined ? null : parseAmount(String(named.amount))
  return micro !== null && micro > 0n ? { micro, races: (typeof named?.config === 'string' ? sectionsOf(named.config).category : undefined) ?? {} } : null
}

/** Older versions take a share off (0.10); newer ones leave a percentage (95) of goods that stand in a group of goods. */
function discounted(list: bigint, good: string, level: Row, groups: readonly Row[]): bigint {
  if (!level.has('discount_config')) {
    const discount = parseAmount(level.text('discount') || '0') ?? 0n
    return list - (list * discount) / 1_000_000n
  }
  const config = readJson(level.text('discount_config')) as Record<string, unknown> | null
  if (!config) return list
  const group = groups.find((row) => Object.hasOwn(config, row.needed('id')) && ((readJson(row.text('commodity_list')) as unknown[] | null) ?? []).some((id) => String(id) === good))
  const percent = group ? parseAmount(String(config[group.needed('id')])) : null
  return percent === null ? list : (list * percent) / 100_000_000n
}

function readJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

const CARD_STATES = { 0: 'unsold', 1: 'sold', 2: 'locked' } as const

export function cardOf(row: Row): OldCard {
  const status = row.needed('status') as '0'
  return { type: 'card', id: row.needed('id'), good: row.needed('commodity_id'), text: row.needed('secret'), race: row.text('race'), sku: row.text('sku'), state: CARD_STATES[status] ?? 'locked', line: row.line }
}

export function orderOf(row: Row): OldOrder {
  return {
    type: 'order', member: row.needed('owner'), tradeNo: row.needed('trade_no'), reference: row.text('request_no') || null, good: row.needed('commodity_id'),
    quantity: Math.max(1, Number(row.text('card_num') || 1)), amount: row.needed('amount'), secret: row.text('secret'), at: timeOf(row.text('create_time')),
    isPaid: row.needed('status') === '1', isDelivered: row.text('delivery_status') !== '0', line: row.line,
  }
}

/** MySQL writes local time without a zone; the shops of this family run in China. */
function timeOf(text: string): string {
  const found = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/.exec(text)
  const at = found ? new Date(`${found[1]}T${found[2]}+08:00`) : new Date(Number.NaN)
  return Number.isNaN(at.getTime()) ? '1970-01-01T00:00:00.000Z' : at.toISOString()
}
