import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { beside, table } from '../screen.ts'
import { readText } from '../text-file.ts'
import type { OrderView } from './partner.ts'

type WaitingView = OrderView & { docking: string; dockingName?: string; goodCode?: string; goodName?: string; form?: Record<string, string>; pickup: string; reason?: string; doubt?: string }

const orderOperand = { name: 'ORDER', what: { en: 'The id of the order (ord_…).', zh: '订单编号（ord_…）。' } }
const LONGEST_TEXT = 10_000

export const listWaiting: Command = {
  name: 'order waiting',
  who: 'operator',
  summary: { en: 'Orders that a person must deliver, oldest first', zh: '列出待人工发货的订单，最早的在前' },
  operands: [],
  options: [],
  teaches: [{ en: 'Each is charged already. What its buyer filled in stands beside it; deliver it, or give the money back.', zh: '这些订单均已扣款，买家填写的内容附在旁边；请发货，或退款。' }],
  examples: [{ line: 'berth order waiting', what: { en: 'the work list', zh: '待办清单' } }, { line: "berth order waiting --json | jq -r '.items[] | [.id, .form.account] | @tsv'", what: { en: 'for another program', zh: '交给其他程序' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: WaitingView[]; next: string | null }>('/operator/orders/waiting')
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const head = zh ? ['订单', '对接', '商品', '数量', '填写内容', '时间'] : ['order', 'docking', 'good', 'quantity', 'form', 'since']
    const rows = list.body.items.map((order) => [order.id, beside(order.docking, order.dockingName), beside(order.good, order.goodCode, order.goodName), String(order.quantity), Object.entries(order.form ?? {}).map(([name, value]) => `${name}=${value}`).join(' '), order.createdAt])
    return done(list.body, rows.length > 0 ? table([head, ...rows], 0) : zh ? '没有待发货的订单。' : 'No order waits for a person.')
  },
}

export const deliverOrder: Command = {
  name: 'order deliver',
  who: 'operator',
  summary: { en: 'Deliver an order that waits for a person', zh: '为待人工发货的订单发货' },
  operands: [orderOperand],
  options: [{ name: 'text-file', value: 'FILE', isRequired: true, what: { en: 'What its buyer gets, in UTF-8, at most 10000 characters; "-" is stdin.', zh: '交给买家的内容，UTF-8，最多 10000 字；- 为标准输入。' } }],
  teaches: [
    { en: 'The text comes from a file, so that nobody on this machine reads it in the list of programs. It is sealed at rest; the partner gets it by looking the order up, the buyer on the pick-up page.', zh: '内容取自文件，避免被本机其他用户看到；保存时加密。对接方查询订单即可取得，买家可在取货页看到。' },
    { en: 'The same text again changes nothing; another text is refused: what was delivered stands.', zh: '同一内容重复提交不会有变化；不同内容会被拒绝，已发的内容不再更改。' },
  ],
  examples: [{ line: 'berth order deliver ord_01jd… --text-file delivered.txt', what: { en: 'from a file', zh: '取自文件' } }, { line: 'echo "充值成功" | berth order deliver ord_01jd… --text-file -', what: { en: 'from another program', zh: '来自其他程序' } }],
  run: async (asked) => {
    const file = asked.needed('text-file')
    let text = ''
    for await (const chunk of readText(file, asked.stdin, 'utf-8')) {
      text += chunk
      if (text.length > LONGEST_TEXT + 1) break
    }
    text = text.trim()
    if (text === '' || text.length > LONGEST_TEXT) throw new WrongUsage({ en: `${file} holds ${text === '' ? 'nothing' : 'too much'}: 1 to ${LONGEST_TEXT} characters are delivered.`, zh: `${file} ${text === '' ? '没有内容' : '内容过长'}：须为 1 至 ${LONGEST_TEXT} 字。` })
    const delivered = await operatorClient(asked).post<WaitingView>(`/operator/orders/${encodeURIComponent(asked.operands[0]!)}/deliver`, { text })
    if (!delivered.ok) return refused(delivered.problem)
    const { id, reference, pickup } = delivered.body
    return done(delivered.body, asked.lang === 'zh' ? `订单 ${id}（${reference}）已发货，取货页：${pickup}` : `Order ${id} (${reference}) is delivered; its pick-up page: ${pickup}`)
  },
}

export const refundOrder: Command = {
  name: 'order refund',
  who: 'operator',
  summary: { en: 'Give the money of a waiting order back', zh: '将待人工发货的订单退款' },
  operands: [orderOperand],
  options: [{ name: 'reason', value: 'TEXT', isRequired: true, what: { en: 'Why it cannot be delivered, 3 to 200 characters; partner and buyer read it.', zh: '无法发货的原因，3 至 200 字，对接方与买家都能看到。' } }],
  teaches: [{ en: 'Goods and fee go back to the deposit at once. Only an order that waits for a person can be given back here; a refund is final, and so is its reason.', zh: '货款与服务费立即退回预付款。只有待人工发货的订单可以在此退款；退款后不可撤回，原因也不再更改。' }],
  examples: [{ line: 'berth order refund ord_01jd… --reason "账号不存在"', what: { en: 'a wrong account', zh: '账号填错' } }],
  run: async (asked) => {
    const refundedOrder = await operatorClient(asked).post<WaitingView>(`/operator/orders/${encodeURIComponent(asked.operands[0]!)}/refund`, { reason: asked.needed('reason') })
    if (!refundedOrder.ok) return refused(refundedOrder.problem)
    const { id, charged, reason } = refundedOrder.body
    if (reason !== asked.needed('reason')) return done(refundedOrder.body, asked.lang === 'zh' ? `订单 ${id} 此前已退款，原因：${reason}；本次没有变动` : `Order ${id} was given back before, reason: ${reason}; nothing new was done`)
    return done(refundedOrder.body, asked.lang === 'zh' ? `订单 ${id} 已退款 ${charged} 元` : `Order ${id}: ${charged} yuan were given back`)
  },
}
