import { MICRO_PER_FEN, formatAmount } from '../../protocol/money.ts'
import type { Choice, GoodName, ShownGood, ShownTier } from '../dialect.ts'

const NAME_LENGTH_MAX = 255
const STOCK_MAX = 2_147_483_647
const CODE_LENGTH_MAX = 64
/** Longer texts stand in the answer about one good; a list of ten thousand could be hundreds of megabytes with them. Old shops import from the list. */
const LISTED_TEXT_MAX = 2_000

/** Goods whose price is finer than a fen are offered by the thousand. */
export const PACK = 1_000
const PACK_MARK = `x${PACK}`
/** Above every number that a catalogue counts to, below what the peer's column holds. */
const PACK_NUMBERS = 2_000_000_000

function pricesOf(good: ShownGood): bigint[] {
  const raced = good.races.flatMap((race) => [race.priceMicro, ...race.tiers.map((tier) => tier.priceMicro)])
  return [
    ...(good.races.length > 0 ? raced : [good.unitPriceMicro, ...good.tiers.map((tier) => tier.priceMicro)]),
    ...good.groups.flatMap((group) => group.choices.map((choice) => choice.surchargeMicro)),
  ]
}

/** The first price of the good that this protocol cannot say, since it knows whole fen only; null when it can say all. */
export function fineOf(good: ShownGood): bigint | null {
  return pricesOf(good).find((micro) => micro % MICRO_PER_FEN !== 0n) ?? null
}

/** The good by the thousand, under a code and a number of its own; null when even that is no whole fen, or more than an order takes. */
export function packOf(good: ShownGood): ShownGood | null {
  const minimum = Math.max(1, Math.ceil(good.minimum / PACK))
  const maximum = Math.floor(good.maximum / PACK)
  if (maximum < minimum || good.code.length + PACK_MARK.length > CODE_LENGTH_MAX) return null
  const whole = (micro: bigint, tiers: readonly ShownTier[]) => (tiers.findLast((tier) => tier.from <= PACK)?.priceMicro ?? micro) * BigInt(PACK)
  const pack: ShownGood = {
    ...good, number: packNumber(good.number), code: `${good.code}${PACK_MARK}`, name: `${good.name}（${PACK}个）`, minimum, maximum,
    unitPriceMicro: whole(good.unitPriceMicro, good.tiers), tiers: [], stock: Math.floor(good.stock / PACK),
    stockByVariant: new Map([...good.stockByVariant].map(([variant, count]) => [variant, Math.floor(count / PACK)])),
    races: good.races.map((race) => ({ name: race.name, priceMicro: whole(race.priceMicro, race.tiers), tiers: [] })),
    groups: good.groups.map((group) => ({ ...group, choices: group.choices.map((choice) => ({ ...choice, surchargeMicro: choice.surchargeMicro * BigInt(PACK) })) })),
  }
  return fineOf(pack) === null ? pack : null
}

/** The code or the number of the good of which this names the pack; null when it names none. */
export function packedName(name: { code: string } | { number: number }): { code: string } | { number: number } | null {
  if ('number' in name) return name.number > PACK_NUMBERS ? { number: name.number - PACK_NUMBERS } : null
  return name.code.endsWith(PACK_MARK) && name.code.length > PACK_MARK.length ? { code: name.code.slice(0, -PACK_MARK.length) } : null
}

/** A good in the list. `factory_price` is what the good costs the peer; where it is 0 some shops sell at a loss. */
export function child(good: ShownGood): string {
  const price = numberToken(good.unitPriceMicro)
  const ini = iniOf(good)
  return `{"id":${good.number},"category_id":${good.categoryNumber},"name":${quote(head(good.name, NAME_LENGTH_MAX))},` +
    `"description":${quote(good.description.length > LISTED_TEXT_MAX ? '' : good.description)},"cover":${quote(good.cover)},"factory_price":${price},"price":${price},"user_price":${price},` +
    '"status":1,"owner":0,"create_time":"2021-11-26 18:01:30","api_status":1,' +
    `"code":${quote(good.code)},"delivery_way":${deliveryWay(good)},"delivery_auto_mode":0,"contact_type":${good.contact},"password_status":0,"sort":1,"coupon":1,` +
    '"shared_id":null,"shared_code":"","shared_premium":0,"shared_stock":null,' +
    `"stock":${stockToken(good.stock)},"shared_premium_type":0,"shared_premium_template":0,` +
    '"seckill_status":0,"seckill_start_time":null,"seckill_end_time":null,"draft_status":0,"draft_premium":0,' +
    `"inventory_hidden":0,"recommend":0,"send_email":0,"only_user":0,"purchase_count":0,"widget":${widgetOf(good)},"tags":null,` +
    `"level_price":null,"level_disable":0,"minimum":${good.minimum},"maximum":${good.maximum},"shared_sync":0,"config":${ini === '' ? 'null' : quote(ini)},` +
    '"hide":0,"inventory_sync":0,"shared_amount_sync":0,"shared_config_sync":0}'
}

/**
 * One good. `factory_price` stands behind the recorded keys: the main sites of this family leave it out, and shops that
 * synchronise then overwrite their cost with 0 (acg-faka issue 842).
 */
export function item(good: ShownGood): string {
  const price = numberToken(good.unitPriceMicro)
  return `{"id":${good.number},"name":${quote(head(good.name, NAME_LENGTH_MAX))},"description":${quote(good.description)},` +
    `"only_user":0,"purchase_count":0,"category_id":${good.categoryNumber},"cover":${quote(good.cover)},"price":${price},"user_price":${price},` +
    `"status":1,"owner":null,"delivery_way":${deliveryWay(good)},"contact_type":${good.contact},"password_status":0,"level_price":null,"level_disable":0,"coupon":1,` +
    '"shared_id":null,"shared_code":"","shared_premium":0,"shared_premium_type":0,' +
    '"seckill_status":0,"seckill_start_time":null,"seckill_end_time":null,"draft_status":0,"draft_premium":0,"inventory_hidden":0,' +
    `"widget":${widgetOf(good)},"minimum":${good.minimum},"maximum":${good.maximum},"shared_sync":0,"config":${configOf(good)},"stock":${stockToken(good.stock)},` +
    `"code":${quote(good.code)},"shared_amount_sync":0,"shared_config_sync":0,"tags":[],"order_sold":0,` +
    `"service_url":"","service_qq":"","share_url":"","login":false,"trade_captcha":0,"factory_price":${price}}`
}

function deliveryWay(good: ShownGood): 0 | 1 {
  return good.delivery === 'manual' ? 1 : 0
}

type Section = readonly [name: string, entries: readonly (readonly [name: string, value: string | readonly (readonly [string, string])[]])[]]

/** The peer's own table of races, options and tiers. `category_factory` is what each race costs the peer. */
function sectionsOf(good: ShownGood): Section[] {
  const tiersOf = (tiers: readonly ShownTier[]) => tiers.map((tier) => [String(tier.from), numberToken(tier.priceMicro)] as const)
  const tiered = good.races.filter((race) => race.tiers.length > 0)
  const sections: Section[] = [
    ['category', good.races.map((race) => [race.name, numberToken(race.priceMicro)])],
    ['sku', good.groups.map((group) => [group.name, group.choices.map((choice) => [choice.name, numberToken(choice.surchargeMicro)] as const)])],
    ['wholesale', tiersOf(good.tiers)],
    ['category_wholesale', tiered.map((race) => [race.name, tiersOf(race.tiers)])],
    ['category_factory', good.races.map((race) => [race.name, numberToken(race.priceMicro)])],
  ]
  return sections.filter(([, entries]) => entries.length > 0)
}

function configOf(good: ShownGood): string {
  const sections = sectionsOf(good)
  if (sections.length === 0) return '[]'
  const object = (pairs: readonly (readonly [string, string])[]) => `{${pairs.map(([name, value]) => `${quote(name)}:${quote(value)}`).join()}}`
  return `{${sections.map(([name, entries]) => `${quote(name)}:{${entries.map(([key, value]) => `${quote(key)}:${typeof value === 'string' ? quote(value) : object(value)}`).join()}}`).join()}}`
}

/** The same as the text of settings that the list carries; '' when there is nothing to say. */
export function iniOf(good: ShownGood): string {
  return sectionsOf(good).map(([name, entries]) => {
    const lines = entries.flatMap(([key, value]) => (typeof value === 'string' ? [`${key}=${value}`] : value.map(([inner, text]) => `${key}.${inner}=${text}`)))
    return [`[${name}]`, ...lines].join('\n')
  }).join('\n')
}

/** The order form as JSON inside JSON, as the peer stores it. */
export function widgetOf(good: ShownGood): string {
  if (good.fields.length === 0) return 'null'
  return quote(JSON.stringify(good.fields.map((field) => ({
    cn: field.label, name: field.name, placeholder: field.placeholder, type: field.type,
    regex: escapeSlashes(field.pattern), error: field.error,
    dict: field.choices.map((choice) => `${choice.label}=${choice.value}`).join(),
  }))))
}

/** The order form as type 1 has it: other names, and a choice a line. */
export function openWidgetOf(good: ShownGood): string {
  return quote(JSON.stringify(good.fields.map((field) => ({
    title: field.label, name: field.name, placeholder: field.placeholder, type: field.type, regex: escapeSlashes(field.pattern), error: field.error,
    data: field.choices.map((choice) => `${choice.label}=${choice.value}`).join('\n'),
  }))))
}

/** The peer puts the pattern between two slashes. */
function escapeSlashes(pattern: string): string {
  return pattern.replace(/\\.|\//g, (part) => (part === '/' ? '\\/' : part))
}

/** One kind of a good for type 1, which knows neither races nor options: each combination is a kind with a number of its own. */
export type Sku = { id: number; name: string; choice: Choice; unitPriceMicro: bigint; stock: number }

const SKUS_MAX = 200
/** A kind's name becomes a key in the peer's settings, where the name of a good might break the line. */
const ONLY_KIND = '默认'
/** A kind's number holds the good's number, a bit for its pack and 31 bits of its own: it must fit a whole number of every JSON reader, so goods are numbered below 2^21. */
const SKU_SPACE = 2 ** 31

/**
 * The kinds that type 1 can name, at most 200 in the order of the good. Two kinds that would share a number (one good of
 * 200 kinds in 100,000) are both left out: whichever stayed would be bought by who means the other.
 * @param keyOf the canonical text of a choice, which numbers a kind for ever
 */
export function skusOf(good: ShownGood, keyOf: (choice: Choice) => string): Sku[] {
  let kinds: { choice: Choice; names: string[]; priceMicro: bigint }[] = good.races.length === 0
    ? [{ choice: { race: null, options: {} }, names: [], priceMicro: good.unitPriceMicro }]
    : good.races.map((race) => ({ choice: { race: race.name, options: {} }, names: [race.name], priceMicro: race.priceMicro }))
  for (const group of good.groups) {
    kinds = kinds.slice(0, SKUS_MAX).flatMap((kind) => group.choices.map((choice) => ({
      choice: { race: kind.choice.race, options: { ...kind.choice.options, [group.name]: choice.name } }, names: [...kind.names, choice.name], priceMicro: kind.priceMicro + choice.surchargeMicro,
    })))
  }
  const skus = kinds.slice(0, SKUS_MAX).map(({ choice, names, priceMicro }) => {
    const key = keyOf(choice)
    const stock = key === '' || good.delivery === 'manual' ? good.stock : (good.stockByVariant.get(key) ?? 0)
    return { id: skuNumber(good.number, key), name: names.join(' ') || ONLY_KIND, choice, unitPriceMicro: priceMicro, stock }
  })
  const timesSeen = new Map<number, number>()
  for (const { id } of skus) timesSeen.set(id, (timesSeen.get(id) ?? 0) + 1)
  return skus.filter(({ id }) => timesSeen.get(id) === 1 && Number.isSafeInteger(id))
}

/** How many combinations the good has beyond those that type 1 lists. */
export function kindsLeftOut(good: ShownGood): number {
  return Math.max(0, good.groups.reduce((count, group) => count * group.choices.length, Math.max(1, good.races.length)) - SKUS_MAX)
}

/** A kind's number says its good and its own name and nothing else, so that no other kind that comes or goes ever moves it. */
export function skuNumber(good: number, key: string): number {
  const [number, isPack] = good > PACK_NUMBERS ? [good - PACK_NUMBERS, 1] : [good, 0]
  return (number * 2 + isPack) * SKU_SPACE + (key === '' ? 0 : (hash(key) >>> 1) || 1)
}

/** The number of the good of which this is a kind. */
export function goodOfSku(sku: number): number {
  const place = Math.floor(sku / SKU_SPACE)
  return Math.floor(place / 2) + (place % 2 === 1 ? PACK_NUMBERS : 0)
}

/** The pack's number for the good's. */
export function packNumber(number: number): number {
  return number + PACK_NUMBERS
}

/** How many pieces one of what was named is: 1 for the good itself, 1000 for its pack; null when something else was named. */
export function factorNamed(good: { code: string; number: number }, name: GoodName): number | null {
  const plain = 'sku' in name ? { number: goodOfSku(name.sku) } : name
  const isGood = (one: typeof plain | null) => one !== null && ('code' in one ? one.code === good.code : one.number === good.number)
  return isGood(plain) ? 1 : isGood(packedName(plain)) ? PACK : null
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** An amount as PHP writes a number: "19.00" is 19, "9.50" is 9.5. The digits never pass through a float. */
export function numberToken(micro: bigint): string {
  return formatAmount(micro).replace(/\.?0+$/, '')
}

export function stockToken(stock: number): number {
  return Math.min(Math.max(stock, 0), STOCK_MAX)
}

export function head(text: string, max: number): string {
  return text.length <= max ? text : [...text].slice(0, max).join('')
}

export function quote(text: string): string {
  return JSON.stringify(text)
}
