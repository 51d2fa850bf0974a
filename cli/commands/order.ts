import { randomBytes } from 'node:crypto'
import { HubUnreachable, type Answer, type Client } from '../client.ts'
import { done, refused, WrongUsage, type Command, type Ending } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { readAmount } from './amount.ts'
import { choiceOptions, priceNow, readChoice } from './choice.ts'
import { placeBatch } from './order-batch.ts'
import { dockingOption, type GoodView, type OrderView } from './partner.ts'

export const placeOrder: Command = {
  name: 'order',
  who: 'partner',
  summary: { en: 'Buy cards', zh: '下单购卡' },
  operands: [],
  options: [
    { name: 'good', value: 'CODE', isRequired: true, unless: 'batch', what: { en: 'The code of the good, or its id (gds_…).', zh: '商品编码或编号（gds_…）。' } },
    { name: 'quantity', value: 'N', isRequired: true, unless: 'batch', what: { en: 'How many, 1 to 1000.', zh: '数量，1 至 1000。' } },
    { name: 'reference', value: 'REF', what: { en: 'Your own order number; without it one is made.', zh: '商户订单号；不填则自动生成。' } },
    { name: 'max-price', value: 'YUAN', what: { en: 'The most that a piece may cost; without it the price of now.', zh: '单价上限；不填则取当前价。' } },
    { name: 'batch', value: 'FILE', what: { en: 'Many orders: .csv with the columns reference,good,quantity[,maxUnitPrice,member,race,option] (option: group=name;group=name), or .ndjson with one a line, as POST /api/orders takes it, with race, options and form; "-" is stdin. No other option goes with it.', zh: '批量下单：.csv（列 reference,good,quantity[,maxUnitPrice,member,race,option]，option 写作 组=项;组=项）或 .ndjson（每行一单，写法同 POST /api/orders，可含 race、options、form）；- 为标准输入。不与其他下单选项并用。' } },
    ...choiceOptions,
    dockingOption,
  ],
  teaches: [
    { en: 'The request is signed (RFC 9421) with the key id and secret. A price above the guard is refused and nothing is charged.', zh: '请求以密钥编号与密钥按 RFC 9421 签名。单价高于上限时拒单，不扣款。' },
    { en: 'When no answer came, send the same command again with the same --reference: you get the one order, or it is placed once.', zh: '若未收到应答，请带同一 --reference 重发：得到的是同一张订单，或恰好下单一次。' },
  ],
  examples: [
    { line: 'berth order --batch orders.csv', what: { en: 'up to 500 orders a request, each with its own verdict; lines that were not placed are named', zh: '每次请求最多 500 单，逐单给出结果，未成交的标明行号' } },
    { line: 'berth order --good junnet-10 --quantity 2', what: { en: 'in the sandbox of the demo', zh: '在演示沙箱下单' } },
    { line: 'berth order --good junnet-10 --quantity 2 --reference A-1001 --max-price 9.80', what: { en: 'as a shop would', zh: '店铺的正式写法' } },
    { line: "berth order --good junnet-10 --quantity 1 --json | jq -r '.cards[].secret'", what: { en: 'the secret alone', zh: '只取卡密' } },
  ],
  run: async (asked) => {
    const { lang } = asked
    const file = asked.option('batch')
    if (file !== undefined) {
      if ([...['good', 'quantity', 'reference', 'max-price', 'race'].map(asked.option), ...['option', 'field'].flatMap(asked.all)].some((given) => given !== undefined)) throw new WrongUsage({ en: '--batch FILE stands alone: the file says what is ordered.', zh: '--batch 须单独使用，下单内容以文件为准。' })
      return placeBatch(asked, file)
    }
    const quantity = readQuantity(asked.needed('quantity'))
    const given = asked.option('max-price')
    const guard = given === undefined ? undefined : readAmount('--max-price', given)
    const choice = readChoice(asked)
    const client = partnerClient(asked)
    const wanted = await findGood(client, asked.needed('good'), guard === undefined)
    if (!wanted.ok) return refused(wanted.problem)
    const { id, good } = wanted.body
    const reference = asked.option('reference') ?? `berth-${asked.nowMs().toString(36)}-${randomBytes(4).toString('hex')}`
    const maxUnitPrice = guard ?? priceNow(good!, choice, quantity)
    let placed: Answer<OrderView>
    try {
      placed = await client.post<OrderView>('/api/orders', { reference, good: id, quantity, maxUnitPrice, ...choice })
    } catch (error) {
      if (!(error instanceof HubUnreachable)) throw error
      throw new HubUnreachable({ en: `${error.words.en}\n${inDoubt(reference, 'en')}`, zh: `${error.words.zh}\n${inDoubt(reference, 'zh')}` })
    }
    if (!placed.ok) return withReference(refused(placed.problem), reference, lang)
    return done(placed.body, showOrder(placed.body, { good, replayed: placed.replayed, lookedUp: guard === undefined, maxUnitPrice }, lang))
  },
}

export function readQuantity(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text) || Number(text) > 1000) throw new WrongUsage({ en: '--quantity is a whole number from 1 to 1000.', zh: '--quantity 为 1 至 1000 的整数。' })
  return Number(text)
}

/** After a fault of the hub the order may stand: the reference is what finds it again. */
function withReference(ending: Ending, reference: string, lang: Lang): Ending {
  return ending.refusal!.status < 500 ? ending : { ...ending, json: { ...ending.refusal, reference }, text: inDoubt(reference, lang) }
}

function inDoubt(reference: string, lang: Lang): string {
  return lang === 'zh'
    ? `订单可能已成立：请带 --reference ${reference} 重发同一命令，不会重复扣款。`
    : `The order may stand: send the same command again with --reference ${reference}; it is never charged twice.`
}

/** The id of a good by code or id; the good itself where it was looked up, which it must be for its price. */
export async function findGood(client: Client, typed: string, needsPrice: boolean): Promise<Answer<{ id: string; good: GoodView | null }>> {
  if (/^gds_[0-9a-z]+$/.test(typed)) {
    if (!needsPrice) return { ok: true, status: 200, replayed: false, body: { id: typed, good: null } }
    const good = await client.get<GoodView>(`/api/goods/${typed}`)
    return good.ok ? { ...good, body: { id: typed, good: good.body } } : good
  }
  const goods = await client.list<GoodView>('/api/goods', 'cursor')
  if (!goods.ok) return goods
  const good = goods.body.find(({ code }) => code === typed)
  if (!good) throw new WrongUsage({ en: `No good has the code "${typed}"; berth goods list shows all.`, zh: `没有编码为“${typed}”的商品，可用 berth goods list 查看。` })
  return { ...goods, body: { id: good.id, good } }
}

type Circumstances = { good: GoodView | null; replayed: boolean; lookedUp: boolean; maxUnitPrice: string }

function showOrder(order: OrderView, { good, replayed, lookedUp, maxUnitPrice }: Circumstances, lang: Lang): string {
  const zh = lang === 'zh'
  const guard = lookedUp ? `${maxUnitPrice} ${zh ? '（当前价；可用 --max-price 自定）' : '(the price of now; --max-price sets your own)'}` : maxUnitPrice
  const cards = order.cards ?? []
  return [
    zh ? `订单 ${order.id}：${STATES[order.state]?.zh ?? order.state}` : `Order ${order.id}: ${STATES[order.state]?.en ?? order.state}`,
    ...(replayed ? [zh ? '  此订单号此前已下单，这是原订单。' : '  This reference was ordered before: here is that same order.'] : []),
    table([
      [zh ? '订单号' : 'reference', order.reference],
      [zh ? '商品' : 'good', good ? `${good.name} (${good.code})` : order.good],
      [zh ? '金额' : 'total', `${order.quantity} × ${order.unitPrice} = ${order.total}`],
      [zh ? '服务费' : 'fee', order.fee],
      [zh ? '扣款' : 'charged', order.charged],
      [zh ? '单价上限' : 'guard', guard],
    ]),
    ...(order.text === undefined ? [] : [order.text]),
    ...(order.pickup === undefined ? [] : [`${zh ? '取货页' : 'pick-up page'}  ${order.pickup}`]),
    ...(cards.length > 0 ? [zh ? '卡密' : 'Cards', table(cards.map((card) => [...(card.number === null ? [] : [card.number]), card.secret, ...(card.expiresAt === null ? [] : [card.expiresAt])]))] : []),
  ].join('\n')
}

const STATES: Readonly<Record<string, { en: string; zh: string }>> = {
  delivered: { en: 'delivered', zh: '已发货' },
  delivering: { en: 'a person delivers it', zh: '待人工发货' },
  refunded: { en: 'given back', zh: '已退款' },
  unknown: { en: 'in doubt', zh: '存疑' },
  cancelled: { en: 'cancelled', zh: '已取消' },
}
