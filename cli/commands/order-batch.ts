import { HubUnreachable, type Client, type Problem } from '../client.ts'
import { done, exitCodes, refused, type Asked, type Ending } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { readOrdersFile, type OrderRow } from '../orders-file.ts'
import { table } from '../screen.ts'
import { readText } from '../text-file.ts'
import { priceNow, type Choice } from './choice.ts'
import { MOST_SHOWN, showLineErrors, type LineError } from './lines.ts'
import type { GoodView, OrderView } from './partner.ts'

/** As many as the hub takes with one request. */
const BATCH_ORDERS = 500

type Verdict = { status: number; order: OrderView } | { status: number; problem: Problem }
type Numbered = Verdict & { line: number }

/** Places the orders of a file, 500 a request. The same file sent again finds the same orders: no one is charged twice. */
export async function placeBatch(asked: Asked, file: string): Promise<Ending> {
  const zh = asked.lang === 'zh'
  const client = partnerClient(asked)
  const goods = await client.list<GoodView>('/api/goods', 'cursor')
  if (!goods.ok) return refused(goods.problem)
  const known = new Map(goods.body.flatMap((good) => [[good.code, good], [good.id, good]]))
  const items: Numbered[] = []
  const unread: LineError[] = []
  let batch: OrderRow[] = []
  const send = async (): Promise<Problem | null> => {
    if (batch.length === 0) return null
    const answer = await postOrders(client, batch.map(({ order }) => order), items.length)
    if (!answer.ok) return answer.problem
    answer.body.items.forEach((verdict, i) => items.push({ line: batch[i]!.line, ...verdict }))
    batch = []
    asked.progress(`${items.length}`)
    return null
  }
  let problem: Problem | null = null
  for await (const row of readOrdersFile(file, readText(file, asked.stdin, 'utf-8'))) {
    if (row.problem) unread.push({ line: row.line, code: 'protocol.malformed_request', message: row.problem })
    else {
      const order = completed(row.order!, known)
      if (order) batch.push({ ...row, order })
      else unread.push({ line: row.line, code: 'catalogue.good_not_found', message: { en: `No good has the code or id "${String(row.order!.good)}".`, zh: `没有编码或编号为“${String(row.order!.good)}”的商品。` } })
    }
    if (batch.length === BATCH_ORDERS && (problem = await send())) break
  }
  problem ??= await send()
  asked.progress('')
  const errors = [...unread, ...items.flatMap((item) => ('problem' in item ? [errorOf(item.line, item.problem)] : []))].sort((a, b) => a.line - b.line)
  const shown = [summaryOf(items, errors.length, zh), showWaiting(items, zh), showLineErrors(errors, errors.length, asked.lang, 'placed')].filter(Boolean).join('\n')
  if (problem) return { ...refused(problem), text: `${zh ? '此前各批的结果：' : 'The batches before it: '}${shown}\n${again(zh)}` }
  return done({ items, unread }, shown, errors.length > 0 ? exitCodes.found : exitCodes.done)
}

function summaryOf(items: readonly Numbered[], failed: number, zh: boolean): string {
  const count = (status: number) => items.filter((item) => item.status === status).length
  const waiting = count(202)
  if (zh) return `已下单 ${count(201) + waiting}${waiting > 0 ? `（其中 ${waiting} 待人工发货）` : ''}，此前已有 ${count(200)}，未下单 ${failed}`
  return `${count(201) + waiting} placed${waiting > 0 ? ` (${waiting} delivering: a person delivers)` : ''}, ${count(200)} stood before, ${failed} not placed`
}

/** Orders that a person delivers, each with the page at which its buyer can wait for it. */
function showWaiting(items: readonly Numbered[], zh: boolean): string {
  const rows = items.flatMap((item) => ('order' in item && item.status === 202 ? [[zh ? `第 ${item.line} 行` : `line ${item.line}`, item.order.reference, zh ? '待人工发货' : 'delivering', item.order.pickup ?? '']] : []))
  const more = rows.length - MOST_SHOWN
  return [...(rows.length > 0 ? [table(rows.slice(0, MOST_SHOWN))] : []), ...(more > 0 ? [zh ? `  另有 ${more} 单，用 --json 查看。` : `  and ${more} more; --json lists them.`] : [])].join('\n')
}

/**
 * Codes become ids; an order without a guard gets the price of now, so that it can only become cheaper. Null when the good is
 * not there; an id with a guard is sent all the same, since the order may stand already.
 */
function completed(order: Record<string, unknown>, known: ReadonlyMap<unknown, GoodView>): Record<string, unknown> | null {
  const good = known.get(order.good)
  if (good) return { ...order, good: good.id, maxUnitPrice: order.maxUnitPrice ?? priceNow(good, choiceOf(order), Number(order.quantity)) }
  return typeof order.good === 'string' && (order.maxUnitPrice === undefined || !/^gds_[0-9a-z]+$/.test(order.good)) ? null : order
}

/** What is written of the choice; the hub says what is wrong with it. */
function choiceOf({ race, options }: Record<string, unknown>): Choice {
  return { race: typeof race === 'string' ? race : undefined, options: typeof options === 'object' && options !== null ? options as Record<string, string> : undefined }
}

async function postOrders(client: Client, orders: unknown[], before: number) {
  try {
    return await client.post<{ items: Verdict[] }>('/api/orders/batch', { orders })
  } catch (error) {
    if (!(error instanceof HubUnreachable)) throw error
    throw new HubUnreachable({ en: `${error.words.en}\nAnswered so far: ${before}. ${again(false)}`, zh: `${error.words.zh}\n已有应答：${before}。${again(true)}` })
  }
}

function again(zh: boolean): string {
  return zh ? '请重发同一文件：已成立的订单不会重复扣款。' : 'Send the same file again: an order that stands is never charged twice.'
}

function errorOf(line: number, problem: Problem): LineError {
  // The hub has worded it in the language that was asked for.
  return { line, code: problem.code ?? String(problem.status), message: { en: problem.detail, zh: problem.detail } }
}
