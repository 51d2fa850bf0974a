import { done, refused, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { readAmount } from './amount.ts'
import { dockingOperand, findDocking } from './docking.ts'

export const setPrice: Command = {
  name: 'price',
  who: 'operator',
  summary: { en: 'Give one docking a price of its own for a good', zh: '为某个对接设定商品的专属价' },
  operands: [dockingOperand, { name: 'GOOD', what: { en: 'The code or the id of the good.', zh: '商品编码或编号。' } }, { name: 'AMOUNT', what: { en: 'Yuan a piece, up to 6 decimals.', zh: '单价（元），最多 6 位小数。' } }],
  options: [],
  teaches: [{ en: "It counts from the next order on, and stands in the docking's change feed. Orders that guard a lower price are refused, never charged more.", zh: '自下一单起生效，并进入该对接的变更流；限价更低的订单会被拒绝，不会多扣。' }],
  examples: [{ line: 'berth price dck_01jd… junnet-10 9.42', what: { en: 'a better price for a good partner', zh: '给优质对接方的优惠价' } }],
  run: async (asked) => {
    const [typed, good, amount] = asked.operands as [string, string, string]
    const unitPrice = readAmount('AMOUNT', amount)
    const client = operatorClient(asked)
    const docking = await findDocking(client, typed)
    if (!docking.ok) return refused(docking.problem)
    const set = await client.post<{ docking: string; good: string; unitPrice: string }>(`/operator/dockings/${docking.id}/offers`, { good, unitPrice })
    if (!set.ok) return refused(set.problem)
    return done(set.body, asked.lang === 'zh' ? `对接 ${typed} 的商品 ${good} 单价现为 ${set.body.unitPrice} 元` : `${good} costs ${typed} ${set.body.unitPrice} yuan now`)
  },
}
