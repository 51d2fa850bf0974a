import { HubUnreachable, type Client, type Problem } from '../client.ts'
import { done, exitCodes, refused, type Asked, type Ending } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { readOrdersFile, type OrderRow } from '../orders-file.ts'
import { readText } from '../text-file.ts'
import { showLineErrors, type LineError } from './lines.ts'
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
    const answer = await postOrders(client, batch.map(({ order }) => completed(order!, known)), items.length)
    if (!answer.ok) return answer.problem
    answer.body.items.forEach((verdict, i) => items.push({ line: batch[i]!.line, ...verdict }))
    batch = []
    asked.progress(`${items.length}`)
    return null
  }
  let problem: Problem | null = null
  for await (const row of readOrdersFile(file, readText(file, asked.stdin, 'utf-8'))) {
    if (row.problem) unread.push({ line: row.line, code: 'protocol.malformed_request', message: row.problem })
    else batch.push(row)
    if (batch.length === BATCH_ORDERS && (problem = await send())) break
  }
  problem ??= await send()
  asked.progress('')
  const errors = [...unread, ...items.flatMap((item) => ('problem' in item ? [errorOf(item.line, item.problem)] : []))].sort((a, b) => a.line - b.line)
  const count = (status: number) => items.filter((item) => item.status === status).length
  const summary = zh ? `已下单 ${count(201)}，此前已有 ${count(200)}，未成交 ${errors.length}` : `${count(201)} placed, ${count(200)} stood before, ${errors.length} not placed`
  const shown = [summary, showLineErrors(errors, errors.length, asked.lang)].filter(Boolean).join('\n')
  if (problem) return { ...refused(problem), text: `${zh ? '此前各批的结果：' : 'The batches before it: '}${shown}\n${again(zh)}` }
  return done({ items, unread }, shown, errors.length > 0 ? exitCodes.found : exitCodes.done)
}

/** Codes become ids; an order without a guard gets the price of now, so that it can only become cheaper. */
function completed(order: Record<string, unknown>, known: ReadonlyMap<unknown, GoodView>): Record<string, unknown> {
  const good = known.get(order.good)
  return good ? { ...order, good: good.id, maxUnitPrice: order.maxUnitPrice ?? good.unitPrice } : order
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
