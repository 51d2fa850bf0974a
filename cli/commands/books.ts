import { IMPORT_TIMEOUT_MS } from '../client.ts'
import { done, exitCodes, refused, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'
import type { OrderView } from './partner.ts'

type Finding = { rule: string; row: string; expected: string; seen: string }

export const checkLedger: Command = {
  name: 'ledger check',
  who: 'operator',
  summary: { en: 'Prove the books: sums, balances, holds, one card in one order', zh: '核账：合计、余额、冻结、一卡一单' },
  operands: [],
  options: [],
  teaches: [{
    en: 'Everything is proven from the rows themselves, in one snapshot, while orders go on. What is wrong is named by its row. Exit code 3 says that something is.',
    zh: '在同一快照内逐行核对，不影响下单；有问题时指出具体行，退出码为 3。',
  }],
  examples: [{ line: 'berth ledger check', what: { en: 'every night', zh: '每晚执行' } }, { line: 'berth ledger check --json || notify-operator', what: { en: 'in a script', zh: '用于脚本' } }],
  run: async (asked) => {
    const checked = await operatorClient(asked).get<{ ok: boolean; findings: Finding[] }>('/operator/ledger/check', {}, IMPORT_TIMEOUT_MS)
    if (!checked.ok) return refused(checked.problem)
    const { ok, findings } = checked.body
    const zh = asked.lang === 'zh'
    if (ok) return done(checked.body, zh ? '账目无误。' : 'The books are clean.')
    const shown = findings.flatMap((finding) => [
      `${zh ? '✗ ' : '✗ '}${finding.rule}`,
      table([[zh ? '行' : 'row', finding.row], [zh ? '应为' : 'expected', finding.expected], [zh ? '实为' : 'seen', finding.seen]], 4),
    ])
    return done(checked.body, [zh ? `发现 ${findings.length} 处问题：` : `${findings.length} ${findings.length === 1 ? 'row is' : 'rows are'} wrong:`, ...shown].join('\n'), exitCodes.found)
  },
}

export const listDoubtful: Command = {
  name: 'doubtful',
  who: 'operator',
  summary: { en: 'Orders of which nobody can say that the answer arrived', zh: '列出无法确认是否送达的订单' },
  operands: [],
  options: [],
  teaches: [{ en: 'The money is held and the cards are kept apart. The partner settles one by asking for the order, or by sending its reference again.', zh: '款项冻结、卡密单独保留；对接方查询该订单或用同一订单号重发即可了结。' }],
  examples: [{ line: 'berth doubtful', what: { en: 'the work list', zh: '待处理清单' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: (OrderView & { docking: string })[]; next: string | null }>('/operator/orders/doubtful')
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const head = zh ? ['订单', '对接', '订单号', '商品', '数量', '扣款', '时间'] : ['order', 'docking', 'reference', 'good', 'quantity', 'charged', 'since']
    const rows = list.body.items.map((order) => [order.id, order.docking, order.reference, order.good, String(order.quantity), order.charged, order.createdAt])
    return done(list.body, rows.length > 0 ? table([head, ...rows], 0) : zh ? '没有存疑订单。' : 'No order is in doubt.')
  },
}
