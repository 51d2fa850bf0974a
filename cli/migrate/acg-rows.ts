import { formatAmount, MICRO_PER_FEN, parseAmount } from '../../protocol/money.ts'
import type { OldCard, OldGood, OldKinds, OldOrder, OldPartner, OldPrice, Problem } from './old-site.ts'

/** A row of acg-faka's database. `text` is '' for null and for a column that this version does not have. */
export type Row = { line: number; table: string; text: (column: string) => string; needed: (column: string) => string; has: (column: string) => boolean }

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
  const sections = sectionsOf(row.text('config'))
  const kinds: OldKinds = { races: sections.category ?? {}, options: sections.sku ?? {}, tiers: { ...sections.wholesale, ...sections.category_wholesale } }
  const code = row.text('code')
  const unitPrice = row.needed('user_price')
  const changed = (en: string, zh: string) => note({ outcome: 'changed', table: row.table, id, line: row.line, what: { en, zh } })
  const left = leftBecause(row, code, unitPrice, kinds)
  const offSale = left ? null : offSaleBecause(row, category)
  if (offSale) changed(`it comes over off sale: ${offSale.en}`, `迁入后为下架状态：${offSale.zh}`)
  const description = row.text('description').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
  if (!left) noteChanges(row, kinds, description.length, changed)
  return {
    key: id, code, name: head(oneLine(row.text('name')) || code, 255), category: head(oneLine(category?.text('name') ?? '') || '未分类', 128),
    description: head(description, LONGEST_DESCRIPTION), unitPrice, ...limitsOf(row, changed), onSale: row.text('status') === '1' && !offSale,
    kinds: Object.values(kinds).some((prices) => Object.keys(prices).length > 0) ? kinds : null, left, line: row.line,
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

function leftBecause(row: Row, code: string, unitPrice: string, kinds: OldKinds): OldGood['left'] {
  if (row.text('owner') !== '' && row.text('owner') !== '0') return { en: `it belongs to member ${row.text('owner')}, whose share the hub cannot pay`, zh: `属于会员 ${row.text('owner')} 的商品，本站不代其结算` }
  if (!CODE.test(code)) return { en: 'its code is empty or holds what no code may', zh: '商品代码为空或含有不允许的字符' }
  if (!parseAmount(unitPrice)) return { en: `its member's price is ${unitPrice}`, zh: `会员价为 ${unitPrice}` }
  if (Object.keys(kinds.races).length + Object.keys(kinds.options).length > 0) return { en: 'it is sold by kinds or options (race, sku); they stand in the plan', zh: '按种类或 SKU 销售；其种类与价格已写入计划' }
  return null
}

/** Goods that the old site would not sell to a docked shop, or that the hub cannot deliver from cards. */
function offSaleBecause(row: Row, category: Row | undefined): OldGood['left'] {
  if (row.text('delivery_way') === '1') return { en: 'a person delivers it', zh: '人工发货' }
  if (row.text('shared_id') !== '') return { en: 'it is bought from another site as it is sold', zh: '货源来自其他站点（共享店铺）' }
  if (isWidget(row.text('widget'))) return { en: 'it asks the buyer for fields of its own', zh: '下单需填写自定义控件' }
  if (row.text('api_status') !== '1' && row.text('status') === '1') return { en: 'it was not open for docking', zh: '未开放 API 对接' }
  if (category && category.text('status') !== '1' && row.text('status') === '1') return { en: `its category ${category.text('name')} is off`, zh: `所属分类“${category.text('name')}”已停用` }
  return null
}

function isWidget(text: string): boolean {
  return !['', '[]', 'null', '{}'].includes(text.trim())
}

function noteChanges(row: Row, kinds: OldKinds, descriptionLength: number, changed: (en: string, zh: string) => void): void {
  const tiers = Object.keys(kinds.tiers).length
  if (tiers > 0) changed(`its ${tiers} ${tiers === 1 ? 'price' : 'prices'} for larger quantities ${tiers === 1 ? 'does' : 'do'} not come over`, `${tiers} 档批发价未迁入`)
  if (row.text('draft_status') === '1') changed('single cards can no longer be chosen', '不再支持预选卡密')
  if (row.text('seckill_status') === '1') changed('the flash sale ends', '秒杀活动不再生效')
  if (row.text('hide') === '1') changed('it was hidden there and is shown here', '旧站为隐藏商品，迁入后可见')
  if (descriptionLength > LONGEST_DESCRIPTION) changed(`the description is cut at ${LONGEST_DESCRIPTION} characters`, `商品说明截断为 ${LONGEST_DESCRIPTION} 字`)
}

function limitsOf(row: Row, changed: (en: string, zh: string) => void): { minimum: number; maximum: number } {
  const read = (column: string) => Number(/^\d{1,9}$/.exec(row.text(column) || '0')?.[0] ?? 0)
  const minimum = Math.min(Math.max(1, read('minimum')), MOST_AN_ORDER)
  const maximum = read('maximum')
  if (read('minimum') > MOST_AN_ORDER || maximum > MOST_AN_ORDER) changed(`an order has at most ${MOST_AN_ORDER} pieces here`, `单笔最多 ${MOST_AN_ORDER} 件`)
  return { minimum, maximum: Math.max(minimum, maximum === 0 ? MOST_AN_ORDER : Math.min(maximum, MOST_AN_ORDER)) }
}

/** The sections of an INI text with their pairs: [category] 月卡=10 and the like. */
function sectionsOf(config: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {}
  let name = ''
  for (const line of config.split(/\r?\n/)) {
    const head = /^\s*\[([^\]]+)\]/.exec(line)
    const equals = line.indexOf('=')
    if (head) name = head[1]!.trim()
    else if (equals > 0 && name !== '') (sections[name] ??= {})[line.slice(0, equals).trim()] = line.slice(equals + 1).trim()
  }
  return sections
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
  const priced = new Map<string, { good: string; unitPrice: string }[]>()
  for (const user of rows.user) {
    const recharge = parseAmount(user.text('recharge') || '0') ?? 0n
    const level = levels.find(({ rechargeMicro }) => recharge >= rechargeMicro)
    if (!level) continue
    let list = priced.get(level.id)
    if (!list) priced.set(level.id, (list = sold.flatMap((good) => levelPrice(good, rowOf.get(good.key)!, level, rows.commodity_group))))
    for (const price of list) yield { member: user.needed('id'), ...price }
  }
}

function levelPrice(good: OldGood, row: Row, level: Level, groups: readonly Row[]): { good: string; unitPrice: string }[] {
  const list = parseAmount(good.unitPrice)!
  if (row.text('level_disable') === '1') return []
  const own = ownPrice(row.text('level_price'), level.id)
  const micro = own ?? discounted(list, good.key, level.row, groups)
  const fen = micro - (micro % MICRO_PER_FEN)
  return fen > 0n && fen !== list ? [{ good: good.code, unitPrice: formatAmount(fen) }] : []
}

/** {"3":{"amount":"8.50",…}}: the price that a level was given for this good; null where it was given none. */
function ownPrice(levelPrice: string, level: string): bigint | null {
  const named = (readJson(levelPrice) as Record<string, { amount?: unknown } | undefined> | null)?.[level]?.amount
  const micro = named === undefined ? null : parseAmount(String(named))
  return micro !== null && micro > 0n ? micro : null
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
