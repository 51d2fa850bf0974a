import { floorToFen, formatAmount, MICRO_PER_FEN } from '../../protocol/money.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Answer, Reply, ShownGood } from '../dialect.ts'
import { refusalText } from './words.ts'

/** What the shipped client takes of a catalogue; it refuses the whole of a larger one, so the rest is left out. */
const GOODS_MAX = 10_000
const CATEGORIES_MAX = 200
const NAME_LENGTH_MAX = 255
const CATEGORY_LENGTH_MAX = 128
const STOCK_MAX = 2_147_483_647

const SUCCESS = '{"code":200,"msg":"success","data":'
const DATA = '{"code":200,"data":'

/** Whether a unit price can be said in this protocol, which knows whole fen only. */
export function carries(unitPriceMicro: bigint): boolean {
  return unitPriceMicro % MICRO_PER_FEN === 0n
}

/**
 * Writes an answer or a refusal as the peer's own kind of main site writes it: HTTP 200 always, the recorded keys in
 * the recorded order, the recorded JSON types. `text` replaces the words of the table for a refusal.
 *
 * Bodies are put together by hand because prices are number tokens made from bigints, which JSON.stringify cannot write.
 */
export function write(answer: Outcome<Answer>, text?: string): Reply {
  const body = answer.ok
    ? bodyOf(answer.value)
    : `{"code":0,"msg":${quote(refusalText(answer.refusal, text))}}`
  return { status: 200, contentType: 'application/json;charset=utf-8', body }
}

function bodyOf(answer: Answer): string {
  switch (answer.kind) {
    case 'connect': {
      // A balance below zero fails the client's own check, which would then say that the connection failed.
      const balance = answer.balanceMicro > 0n ? floorToFen(answer.balanceMicro) : 0n
      return `${SUCCESS}{"shopName":${quote(head(answer.shopName, 128))},"balance":${numberToken(balance)}}}`
    }
    case 'items':
      return `${DATA}[${categories(answer.goods).join()}]}`
    case 'item':
      return `${DATA}${item(answer.good)}}`
    case 'stock':
      return `${DATA}{"stock":"${stockOf(answer.stock)}"}}`
    case 'valuation':
      return `${DATA}{"price":"${formatAmount(answer.totalMicro)}"}}`
    case 'trade':
      return `${SUCCESS}{"url":${quote(answer.url)},"amount":${numberToken(answer.totalMicro)},"tradeNo":${quote(answer.orderId)},` +
        `"secret":${quote(answer.cards.join('\n'))},"leave_message":null,"stock":"${stockOf(answer.stock)}"}}`
  }
}

function categories(goods: readonly ShownGood[]): string[] {
  const groups = new Map<number, { name: string; children: string[] }>()
  let count = 0
  for (const good of goods) {
    if (!carries(good.unitPriceMicro)) continue
    let group = groups.get(good.categoryNumber)
    if (group === undefined) {
      if (groups.size === CATEGORIES_MAX) continue
      group = { name: good.category, children: [] }
      groups.set(good.categoryNumber, group)
    }
    group.children.push(child(good))
    if (++count === GOODS_MAX) break
  }
  return [...groups].map(([number, { name, children }]) =>
    `{"id":${number},"name":${quote(head(name, CATEGORY_LENGTH_MAX))},"sort":1,"create_time":"2021-11-26 17:59:45","owner":0,` +
    `"icon":"/favicon.ico","status":1,"hide":0,"user_level_config":null,"pid":null,"children":[${children.join()}]}`)
}

/** A good in the list. `factory_price` is what the good costs the peer; where it is 0 some shops sell at a loss. */
function child(good: ShownGood): string {
  const price = numberToken(good.unitPriceMicro)
  return `{"id":${good.number},"category_id":${good.categoryNumber},"name":${quote(head(good.name, NAME_LENGTH_MAX))},` +
    `"description":${quote(good.description)},"cover":"/favicon.ico","factory_price":${price},"price":${price},"user_price":${price},` +
    '"status":1,"owner":0,"create_time":"2021-11-26 18:01:30","api_status":1,' +
    `"code":${quote(good.code)},"delivery_way":0,"delivery_auto_mode":0,"contact_type":0,"password_status":0,"sort":1,"coupon":1,` +
    '"shared_id":null,"shared_code":"","shared_premium":0,"shared_stock":null,' +
    `"stock":${stockOf(good.stock)},"shared_premium_type":0,"shared_premium_template":0,` +
    '"seckill_status":0,"seckill_start_time":null,"seckill_end_time":null,"draft_status":0,"draft_premium":0,' +
    '"inventory_hidden":0,"recommend":0,"send_email":0,"only_user":0,"purchase_count":0,"widget":null,"tags":null,' +
    `"level_price":null,"level_disable":0,"minimum":${good.minimum},"maximum":${good.maximum},"shared_sync":0,"config":null,` +
    '"hide":0,"inventory_sync":0,"shared_amount_sync":0,"shared_config_sync":0}'
}

/**
 * One good. `factory_price` stands behind the recorded keys: the main sites of this family leave it out, and shops that
 * synchronise then overwrite their cost with 0 (acg-faka issue 842).
 */
function item(good: ShownGood): string {
  const price = numberToken(good.unitPriceMicro)
  return `{"id":${good.number},"name":${quote(head(good.name, NAME_LENGTH_MAX))},"description":${quote(good.description)},` +
    `"only_user":0,"purchase_count":0,"category_id":${good.categoryNumber},"cover":"/favicon.ico","price":${price},"user_price":${price},` +
    '"status":1,"owner":null,"delivery_way":0,"contact_type":0,"password_status":0,"level_price":null,"level_disable":0,"coupon":1,' +
    '"shared_id":null,"shared_code":"","shared_premium":0,"shared_premium_type":0,' +
    '"seckill_status":0,"seckill_start_time":null,"seckill_end_time":null,"draft_status":0,"draft_premium":0,"inventory_hidden":0,' +
    `"widget":null,"minimum":${good.minimum},"maximum":${good.maximum},"shared_sync":0,"config":[],"stock":${stockOf(good.stock)},` +
    `"code":${quote(good.code)},"shared_amount_sync":0,"shared_config_sync":0,"tags":[],"order_sold":0,` +
    `"service_url":"","service_qq":"","share_url":"","login":false,"trade_captcha":0,"factory_price":${price}}`
}

/** An amount as PHP writes a number: "19.00" is 19, "9.50" is 9.5. The digits never pass through a float. */
function numberToken(micro: bigint): string {
  return formatAmount(micro).replace(/\.?0+$/, '')
}

function stockOf(stock: number): number {
  return Math.min(Math.max(stock, 0), STOCK_MAX)
}

function head(text: string, max: number): string {
  return text.length <= max ? text : [...text].slice(0, max).join('')
}

function quote(text: string): string {
  return JSON.stringify(text)
}
