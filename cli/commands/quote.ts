import type { Static } from '../../protocol/schema.ts'
import type { Quote } from '../../protocol/messages.ts'
import { done, refused, type Command } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { table } from '../screen.ts'
import { readAmount } from './amount.ts'
import { choiceOptions, readChoice } from './choice.ts'
import { findGood, readQuantity } from './order.ts'
import { dockingOption } from './partner.ts'

type QuoteView = Static<typeof Quote>

const STOCK: Readonly<Record<string, { en: string; zh: string }>> = {
  in_stock: { en: 'in stock', zh: '有货' }, low: { en: 'few are left', zh: '库存紧张' }, out_of_stock: { en: 'none', zh: '无货' },
}

export const showQuote: Command = {
  name: 'quote',
  who: 'partner',
  summary: { en: 'What an order would be answered now, without placing it', zh: '试算订单：只看结果，不下单' },
  operands: [],
  options: [
    { name: 'good', value: 'CODE', isRequired: true, what: { en: 'The code of the good, or its id (gds_…).', zh: '商品编码或编号（gds_…）。' } },
    { name: 'quantity', value: 'N', isRequired: true, what: { en: 'How many, 1 to 1000.', zh: '数量，1 至 1000。' } },
    { name: 'max-price', value: 'YUAN', what: { en: 'The guard of the order, if it should be tried as well.', zh: '单价上限；需要一并试算时填写。' } },
    ...choiceOptions,
    dockingOption,
  ],
  teaches: [{
    en: 'Price, fee and every refusal are those that the order would meet at this moment. Nothing is held: neither the price nor a card. Exit code 1 means that the order would be refused.',
    zh: '价格、服务费与拒绝原因均与此刻下单一致；不锁价、不占库存。退出码 1 表示此刻下单会被拒绝。',
  }],
  examples: [
    { line: 'berth quote --good junnet-10 --quantity 2', what: { en: 'in the sandbox of the demo', zh: '演示沙箱' } },
    { line: 'berth quote --good video --quantity 1 --race 年卡 --option 区服=一区', what: { en: 'a race and an option', zh: '指定种类与规格' } },
    { line: 'berth quote --good junnet-10 --quantity 2 --json | jq -r .charged', what: { en: 'what it would cost in all', zh: '只取应扣金额' } },
  ],
  run: async (asked) => {
    const zh = asked.lang === 'zh'
    const quantity = readQuantity(asked.needed('quantity'))
    const given = asked.option('max-price')
    const maxUnitPrice = given === undefined ? undefined : readAmount('--max-price', given)
    const choice = readChoice(asked)
    const client = partnerClient(asked)
    const wanted = await findGood(client, asked.needed('good'), false)
    if (!wanted.ok) return refused(wanted.problem)
    const quoted = await client.post<QuoteView>('/api/quotes', { good: wanted.body.id, quantity, maxUnitPrice, ...choice })
    if (!quoted.ok) return refused(quoted.problem)
    const { unitPrice, total, fee, charged, stockClass, validForS } = quoted.body
    return done(quoted.body, table([
      [zh ? '金额' : 'total', `${quantity} × ${unitPrice} = ${total}`],
      [zh ? '服务费' : 'fee', fee],
      [zh ? '应扣' : 'charged', charged],
      [zh ? '库存' : 'stock', STOCK[stockClass]?.[asked.lang] ?? stockClass],
      [zh ? '参考时效' : 'good for about', `${validForS} s`],
    ], 0))
  },
}
