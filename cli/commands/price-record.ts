import { done, exitCodes, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table, type Words } from '../screen.ts'
import { readAmount } from './amount.ts'
import { dockingOperand, findDocking } from './docking.ts'

export const ownPrice: Command = {
  name: 'prices own',
  who: 'operator',
  summary: { en: 'Give one docking a price of its own for a good, or end it', zh: '设定或取消某个对接的专属价' },
  operands: [dockingOperand, { name: 'GOOD', what: { en: 'The code or the id of the good.', zh: '商品编码或编号。' } }],
  options: [
    { name: 'price', value: 'AMOUNT', what: { en: 'Yuan a piece, up to 6 decimals.', zh: '单价（元），最多 6 位小数。' } },
    { name: 'race', value: 'NAME', what: { en: 'For one race, where the good has any.', zh: '某一种类（分种类的商品）。' } },
    { name: 'below-cost', what: { en: 'The price may be below the cost.', zh: '允许低于成本。' } },
    { name: 'end', what: { en: 'End the own price.', zh: '取消专属价。' } },
    { name: 'note', value: 'TEXT', what: { en: 'Why; kept in the history.', zh: '原因，记入调价历史。' } },
  ],
  teaches: [{ en: "An own price goes before every rule. It may not be above what the docking's group or the list gives to everybody.", zh: '专属价优先于一切规则，但不得高于该对接所在价格组或目录的公示价。' }],
  examples: [{ line: 'berth prices own 小卡铺 junnet-10 --price 9.42', what: { en: 'a better price for one partner', zh: '给某家的优惠价' } }, { line: 'berth prices own 小卡铺 junnet-10 --end', what: { en: 'back to what everybody gets', zh: '恢复公示价' } }],
  run: async (asked) => {
    const [typed, good] = asked.operands as [string, string]
    const price = asked.option('price')
    const isEnd = asked.option('end') !== undefined
    if ((price === undefined) !== isEnd) throw new WrongUsage({ en: 'Give either --price or --end.', zh: '请在 --price 与 --end 中给出一个。' })
    const unitPrice = price === undefined ? undefined : readAmount('--price', price)
    const client = operatorClient(asked)
    const docking = await findDocking(client, typed)
    if (!docking.ok) return refused(docking.problem)
    const zh = asked.lang === 'zh'
    const note = asked.option('note')
    const race = asked.option('race')
    if (isEnd) {
      const ended = await client.post<{ ended: boolean }>(`/operator/dockings/${docking.id}/offers/end`, { good, race, note })
      if (!ended.ok) return refused(ended.problem)
      return done(ended.body, ended.body.ended ? (zh ? `已取消 ${typed} 的商品 ${good} 专属价` : `${typed} has no own price for ${good} any more`) : zh ? '没有专属价可取消' : 'There was no own price')
    }
    const set = await client.post<{ unitPrice: string }>(`/operator/dockings/${docking.id}/offers`, { good, race, unitPrice, note, ...(asked.option('below-cost') === undefined ? {} : { allowBelowCost: true }) })
    if (!set.ok) return refused(set.problem)
    return done(set.body, zh ? `对接 ${typed} 的商品 ${good} 单价现为 ${set.body.unitPrice} 元` : `${good} costs ${typed} ${set.body.unitPrice} yuan now`)
  },
}

type Entry = { at: string; what: string; group: string | null; docking: string | null; good: string | null; subject: string; old: string | null; new: string | null; by: string; change: string | null; note: string }

export const showPriceHistory: Command = {
  name: 'prices history',
  who: 'operator',
  summary: { en: 'Who changed which price, when and why', zh: '调价历史：谁、何时、为何改了什么' },
  operands: [],
  options: [
    { name: 'good', value: 'GOOD', what: { en: 'Of one good, by code or id.', zh: '某商品（编码或编号）。' } },
    { name: 'docking', value: 'DOCKING', what: { en: 'Of one docking.', zh: '某对接。' } },
    { name: 'group', value: 'GROUP', what: { en: 'Of one price group.', zh: '某价格组。' } },
    { name: 'before', value: 'CURSOR', what: { en: 'Go on behind the page before.', zh: '翻页：上一页给出的位置。' } },
  ],
  teaches: [{ en: '100 a page, newest first. Nobody can edit it, the hub included.', zh: '每页 100 条，最新在前；任何人（包括系统）都不能修改。' }],
  examples: [{ line: 'berth prices history --good junnet-10', what: { en: 'what one good has cost', zh: '某商品的历次价格' } }],
  run: async (asked) => {
    const client = operatorClient(asked)
    const typed = asked.option('docking')
    const docking = typed === undefined ? null : await findDocking(client, typed)
    if (docking && !docking.ok) return refused(docking.problem)
    const page = await client.get<{ items: Entry[]; next: string | null }>('/operator/prices/history', { good: asked.option('good'), docking: docking?.id, group: asked.option('group'), before: asked.option('before'), limit: '100' })
    if (!page.ok) return refused(page.problem)
    const zh = asked.lang === 'zh'
    const rows = page.body.items.map((entry) => [entry.at, entry.what, [entry.group, entry.docking, entry.subject, entry.good].filter(Boolean).join(' '), `${entry.old ?? '–'} -> ${entry.new ?? '–'}`, entry.by, entry.note])
    const next = page.body.next === null ? [] : [zh ? `更早的：--before ${page.body.next}` : `Earlier ones: --before ${page.body.next}`]
    return done(page.body, rows.length > 0 ? [table([zh ? ['时间', '类别', '对象', '旧 -> 新', '操作人', '备注'] : ['at', 'what', 'of', 'old -> new', 'by', 'note'], ...rows], 0), ...next].join('\n') : zh ? '没有记录。' : 'Nothing yet.')
  },
}

type Finding = { what: string; group: string | null; docking: string | null; good: string; price: string | null; against: string | null }

const FINDINGS: Readonly<Record<string, Words>> = {
  below_cost: { en: 'the rule comes to less than the cost', zh: '按规则低于成本' },
  cost_unknown: { en: 'the rule goes by a cost that is not known', zh: '规则按成本，但成本未知' },
  no_price: { en: 'the rule comes to no price', zh: '按规则得不出价格' },
  own_worse_than_published: { en: 'the own price is worse than the published one', zh: '专属价高于公示价' },
  own_without_effect: { en: 'the own price is the published one', zh: '专属价与公示价相同' },
  own_below_cost: { en: 'the own price is below the cost', zh: '专属价低于成本' },
}

export const checkPrices: Command = {
  name: 'prices check',
  who: 'operator',
  summary: { en: 'Look for prices below cost, unknown costs and own prices without a reason', zh: '检查倒挂、成本缺失与失去意义的专属价' },
  operands: [],
  options: [],
  teaches: [{ en: 'Nothing is changed. Ends with 3 when something was found; the first 500 findings are shown.', zh: '只检查不修改；发现问题时退出码为 3，最多列出 500 项。' }],
  examples: [{ line: 'berth prices check', what: { en: 'after new costs were imported', zh: '导入新成本之后' } }],
  run: async (asked) => {
    const checked = await operatorClient(asked).get<{ ok: boolean; findings: Finding[]; more: boolean }>('/operator/prices/check', { limit: '500' })
    if (!checked.ok) return refused(checked.problem)
    const zh = asked.lang === 'zh'
    const { ok, findings, more } = checked.body
    const rows = findings.map(({ what, group, docking, good, price, against }) => [group ?? docking ?? '', good, FINDINGS[what]?.[asked.lang] ?? what, [price, against].filter(Boolean).join(' / ')])
    const text = [table(rows, 0), ...(more ? [zh ? '还有更多，未列出。' : 'There are more.'] : [])].join('\n')
    return done(checked.body, ok ? (zh ? '价格没有问题。' : 'Nothing is wrong with the prices.') : text, ok ? exitCodes.done : exitCodes.found)
  },
}
