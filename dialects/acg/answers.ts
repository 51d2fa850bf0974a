import { floorToFen, formatAmount } from '../../protocol/money.ts'
import type { Outcome } from '../../protocol/outcome.ts'
import type { Answer, Choice, Reply, ShownGood } from '../dialect.ts'
import { child, head, iniOf, item, kindsLeftOut, numberToken, openWidgetOf, quote, skusOf, stockToken } from './goods.ts'
import type { Flavor } from './request.ts'
import { refusalText } from './words.ts'

/** What the shipped client takes of a catalogue; it refuses the whole of a larger one, so the rest is left out. */
const GOODS_MAX = 10_000
const CATEGORIES_MAX = 200
const NAME_LENGTH_MAX = 255
const CATEGORY_LENGTH_MAX = 128
const PART_GOODS = 100

const SUCCESS = '{"code":200,"msg":"success","data":'
const DATA = '{"code":200,"data":'

/** How an answer is worded: by which protocol was asked, and how a choice is written as one text. */
export type Manner = { readonly flavor: Flavor; readonly keyOf: (choice: Choice) => string; /** Where the pages of the reasons stand; '' where a refusal names none. */ readonly pages?: string; /** Words for a refusal instead of the table's. */ readonly text?: string }

const PLAIN_MANNER: Manner = { flavor: 'store', keyOf: () => '' }

/**
 * Writes an answer or a refusal as the peer's own kind of main site writes it: HTTP 200 always, the recorded keys in
 * the recorded order, the recorded JSON types.
 *
 * Bodies are put together by hand because prices are number tokens made from bigints, which JSON.stringify cannot write.
 */
export function write(answer: Outcome<Answer>, manner: Manner = PLAIN_MANNER): Reply {
  const body = !answer.ok ? `{"code":0,"msg":${quote(refusalText(answer.refusal, manner.text, manner.pages))}}`
    : manner.flavor === 'open' ? openBodyOf(answer.value, manner)
    : bodyOf(answer.value, manner)
  return { status: 200, contentType: 'application/json;charset=utf-8', body }
}

function bodyOf(answer: Answer, manner: Manner): string {
  switch (answer.kind) {
    case 'connect':
      return `${SUCCESS}{"shopName":${quote(head(answer.shopName, 128))},"balance":${balanceToken(answer.balanceMicro)}}}`
    case 'items': {
      const list = new ItemList(manner)
      list.add(answer.goods)
      return list.body()
    }
    case 'item':
      // The plugin's shops read a list of categories also where they asked for one good.
      return manner.flavor === 'plugin' ? `${DATA}[{"children":[${item(answer.good)}]}]}` : `${DATA}${item(answer.good)}}`
    case 'stock':
      return `${DATA}{"stock":"${stockToken(answer.stock)}"}}`
    case 'valuation':
      return `${DATA}{"price":"${formatAmount(answer.chargedMicro)}"}}`
    case 'inventory': {
      const price = numberToken(answer.priceMicro)
      return `${SUCCESS}{"count":${stockToken(answer.stock)},"delivery_way":${answer.good.delivery === 'manual' ? 1 : 0},"draft_status":0,"price":${price},"user_price":${price},` +
        `"config":${quote(iniOf(answer.good))},"factory_price":${price},"is_category":${answer.good.races.length > 0}}}`
    }
    case 'inventoryState':
      return `${SUCCESS}[]}`
    case 'query':
      return `${SUCCESS}{"secret":${quote(answer.secret)},"widget":${answer.values === null ? 'null' : quote(JSON.stringify(answer.values))},"status":1}}`
    case 'trade':
      return `${SUCCESS}{"url":${quote(answer.url)},"amount":${numberToken(answer.chargedMicro)},"tradeNo":${quote(answer.orderId)},` +
        `"secret":${quote(answer.secret)},"leave_message":null,"stock":"${stockToken(answer.stock)}"}}`
  }
}

/** Type 1: every kind of a good is a number, and the goods come without categories around them. */
function openBodyOf(answer: Answer, manner: Manner): string {
  switch (answer.kind) {
    case 'connect':
      return `${SUCCESS}{"username":${quote(head(answer.shopName, 128))},"balance":${balanceToken(answer.balanceMicro)}}}`
    case 'items':
    case 'inventory': {
      const list = new ItemList(manner)
      list.add(answer.kind === 'items' ? answer.goods : [answer.good])
      return list.body()
    }
    case 'item':
      return `${SUCCESS}${openItem(answer.good, manner)}}`
    case 'stock':
      return `${SUCCESS}{"stock":"${stockToken(answer.stock)}"}}`
    case 'valuation':
      return `${SUCCESS}{"amount":"${formatAmount(answer.chargedMicro)}"}}`
    case 'inventoryState':
      return `${SUCCESS}{"state":true}}`
    case 'query':
      return `${SUCCESS}{"contents":${quote(answer.secret)}}}`
    case 'trade':
      return `${SUCCESS}{"contents":${quote(answer.secret)},"trade_no":${quote(answer.orderId)},"amount":"${formatAmount(answer.chargedMicro)}"}}`
  }
}

function openItem(good: ShownGood, { keyOf }: Manner): string {
  const skus = skusOf(good, keyOf).map((sku) => `{"id":${sku.id},"name":${quote(head(sku.name, NAME_LENGTH_MAX))},"stock_price":"${formatAmount(sku.unitPriceMicro)}","stock":"${stockToken(sku.stock)}"}`)
  return `{"id":${good.number},"name":${quote(head(good.name, NAME_LENGTH_MAX))},"introduce":${quote(good.description + leftOut(good))},"picture_url":${quote(good.cover)},` +
    `"category":{"name":${quote(head(good.category, CATEGORY_LENGTH_MAX))}},"widget":${openWidgetOf(good)},"sku":[${skus.join()}]}`
}

/** A shop that sees two hundred kinds of a good should know that there are more. */
function leftOut(good: ShownGood): string {
  const count = kindsLeftOut(good)
  return count === 0 ? '' : `<p>另有 ${count} 种组合未列出。</p>`
}

/** A balance below zero fails the client's own check, which would then say that the connection failed. */
function balanceToken(micro: bigint): string {
  return numberToken(micro > 0n ? floorToFen(micro) : 0n)
}

/** A list of goods that is written piece by piece, so that ten thousand of them never hold up anybody else. */
export class ItemList {
  readonly #groups = new Map<number, { name: string; children: string[] }>()
  readonly #manner: Manner
  #count = 0

  constructor(manner: Manner) {
    this.#manner = manner
  }

  /** Takes as many as the peer takes; the goods' prices must be such as it can read. */
  add(goods: readonly ShownGood[]): void {
    for (const good of goods) {
      if (this.#count === GOODS_MAX) return
      let group = this.#groups.get(good.categoryNumber)
      if (group === undefined) {
        if (this.#groups.size === CATEGORIES_MAX) continue
        group = { name: good.category, children: [] }
        this.#groups.set(good.categoryNumber, group)
      }
      group.children.push(this.#manner.flavor === 'open' ? openItem(good, this.#manner) : child(good))
      this.#count++
    }
  }

  body(): string {
    return [...this.parts()].join('')
  }

  /** The body in pieces of at most PART_GOODS goods, to be sent one behind the other. */
  *parts(): Generator<string> {
    const open = this.#manner.flavor === 'open'
    yield open ? `${SUCCESS}[` : `${DATA}[`
    let comma = ''
    for (const [number, { name, children }] of this.#groups) {
      if (!open) {
        yield `${comma}{"id":${number},"name":${quote(head(name, CATEGORY_LENGTH_MAX))},"sort":1,"create_time":"2021-11-26 17:59:45","owner":0,` +
          '"icon":"/favicon.ico","status":1,"hide":0,"user_level_config":null,"pid":null,"children":['
        comma = ''
      }
      for (let i = 0; i < children.length; i += PART_GOODS) {
        yield `${comma}${children.slice(i, i + PART_GOODS).join()}`
        comma = ','
      }
      if (!open) yield ']}'
      comma = ','
    }
    yield ']}'
  }
}
