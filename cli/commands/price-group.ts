import { done, exitCodes, refused, WrongUsage, type Asked, type Command, type Option } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'
import { dockingOperand, findDocking } from './docking.ts'

const noteOption: Option = { name: 'note', value: 'TEXT', what: { en: 'Why; kept in the history.', zh: '原因，记入调价历史。' } }

/** How a price is made of another: these five stand for a formula wherever one is asked for. */
export const formulaOptions: readonly Option[] = [
  { name: 'percent', value: 'N', what: { en: 'Per cent more, or less with a minus: --percent=-5.', zh: '涨跌百分比，降价写成 --percent=-5。' } },
  { name: 'factor', value: 'N', what: { en: 'The same as a factor: 0.95.', zh: '同上，写成系数：0.95。' } },
  { name: 'add', value: 'AMOUNT', what: { en: 'Yuan more, or less with a minus: --add=-0.10.', zh: '加减金额（元），减价写成 --add=-0.10。' } },
  { name: 'set', value: 'AMOUNT', what: { en: 'A fixed price instead of all these.', zh: '直接定价，不与以上同用。' } },
  { name: 'round', value: 'AMOUNT', what: { en: 'Round up to a multiple of this; default 0.01, for --set as it stands.', zh: '向上进位到此单位的整数倍，默认 0.01；--set 默认不进位。' } },
]

/** The formula that was typed; null when there is none of it. */
export function formulaOf({ option }: Asked): Record<string, string> | null {
  const given = formulaOptions.flatMap(({ name }) => (option(name) === undefined ? [] : [[name, option(name)!]]))
  return given.length === 0 ? null : Object.fromEntries(given)
}

export const addPriceGroup: Command = {
  name: 'prices group add',
  who: 'operator',
  summary: { en: 'Add a price group', zh: '新增价格组' },
  operands: [{ name: 'GROUP', what: { en: 'Its name, 1 to 64 characters.', zh: '价格组名称，1 至 64 字。' } }],
  options: [noteOption],
  teaches: [{ en: 'A group without rules sells at the list prices. Give it rules with `berth prices group set`, and dockings with `berth prices assign`.', zh: '没有规则的价格组按目录价；用 berth prices group set 设规则，用 berth prices assign 分配对接。' }],
  examples: [{ line: 'berth prices group add 金牌', what: { en: 'a group for the best partners', zh: '给优质对接方的价格组' } }],
  run: async (asked) => {
    const [name] = asked.operands as [string]
    const added = await operatorClient(asked).post<{ name: string; added: boolean }>('/operator/prices/groups', { name, note: asked.option('note') })
    if (!added.ok) return refused(added.problem)
    const zh = asked.lang === 'zh'
    return done(added.body, added.body.added ? (zh ? `已新增价格组 ${name}` : `The price group ${name} is added`) : zh ? `价格组 ${name} 已存在` : `The price group ${name} is there already`)
  },
}

type RuleSet = { changed: number; selected: number; says: string | null; dryRun: boolean }

export const setPriceRule: Command = {
  name: 'prices group set',
  who: 'operator',
  summary: { en: 'Give a price group a rule for all goods, a category or one good', zh: '为价格组设定规则：全部商品、某分类或某商品' },
  operands: [{ name: 'GROUP', what: { en: 'The name of the group.', zh: '价格组名称。' } }],
  options: [
    { name: 'category', value: 'NAME', what: { en: 'For one category.', zh: '仅用于该分类。' } },
    { name: 'good', value: 'CODE', what: { en: 'For one good.', zh: '仅用于该商品。' } },
    { name: 'basis', value: 'BASIS', oneOf: ['list', 'cost'], what: { en: 'What the formula starts from, default list.', zh: '公式的基准：list 目录价（默认）、cost 成本价。' } },
    ...formulaOptions,
    { name: 'below-cost', what: { en: 'The price may go below the cost; else the cost is the floor.', zh: '允许低于成本；不加则以成本为底。' } },
    { name: 'remove', what: { en: 'Take the rule away.', zh: '删除该规则。' } },
    { name: 'preview', what: { en: 'Only say how many prices it would move.', zh: '只显示会影响多少个价格。' } },
    noteOption,
  ],
  teaches: [
    { en: 'The rule for a good goes before that of its category, and that before the rule for all. An own price of a docking goes before them all.', zh: '优先级：商品规则 > 分类规则 > 全部规则；对接的专属价优先于一切规则。' },
    { en: 'It counts from the next order on, and follows the list price or the cost when they move. A rule by cost leaves goods without a known cost to the next rule.', zh: '自下一单起生效，并随目录价或成本变动。按成本的规则遇到成本未知的商品时，改用下一级规则。' },
  ],
  examples: [
    { line: 'berth prices group set 金牌 --percent=-3', what: { en: '3 % off the whole list', zh: '全部商品九七折' } },
    { line: 'berth prices group set 金牌 --category 游戏点卡 --basis cost --factor 1.015', what: { en: 'cost plus 1.5 % for one category', zh: '某分类按成本加价 1.5%' } },
    { line: 'berth prices group set 金牌 --good junnet-10 --remove', what: { en: 'the rule for one good ends', zh: '取消某商品的规则' } },
  ],
  run: async (asked) => {
    const [group] = asked.operands as [string]
    const { option } = asked
    const formula = formulaOf(asked)
    if (option('category') !== undefined && option('good') !== undefined) throw new WrongUsage({ en: 'Give --category or --good, not both.', zh: '--category 与 --good 只能给一个。' })
    if ((option('remove') !== undefined) === (formula !== null)) throw new WrongUsage({ en: 'Give a formula (--percent, --factor, --add, --set) or --remove.', zh: '请给出公式（--percent、--factor、--add、--set）或 --remove。' })
    const subject = option('category') ?? option('good')
    const set = await operatorClient(asked).post<RuleSet>(`/operator/prices/groups/${encodeURIComponent(group)}/rules`, {
      scope: option('category') !== undefined ? 'category' : option('good') !== undefined ? 'good' : 'all', subject, formula, basis: option('basis'),
      belowCost: option('below-cost') !== undefined, dryRun: option('preview') !== undefined, note: option('note'),
    })
    if (!set.ok) return refused(set.problem)
    const { changed, selected, says, dryRun } = set.body
    const zh = asked.lang === 'zh'
    const said = says ?? (zh ? '删除规则' : 'rule removed')
    const idle = selected > 0 || says === null ? '' : zh ? `\n目前没有商品适用该规则${subject === undefined ? '' : `：“${subject}”下没有商品，请核对写法`}。` : `\nNo good falls under it now${subject === undefined ? '' : `: nothing is in "${subject}", check how it is written`}.`
    return done(set.body, (zh ? `${dryRun ? '预览：' : ''}价格组 ${group}：${said}；${selected} 个商品中有 ${changed} 个价格${dryRun ? '将变动' : '已变动'}` : `${dryRun ? 'Preview: ' : ''}${group}: ${said}; ${changed} of ${selected} prices ${dryRun ? 'would move' : 'moved'}`) + idle, idle === '' ? exitCodes.done : exitCodes.found)
  },
}

type Group = { name: string; note: string; rules: number; levels: string[] }
type Rule = { scope: string; subject: string; says: string }

export const showPriceGroups: Command = {
  name: 'prices group show',
  who: 'operator',
  summary: { en: 'Price groups with their levels, or the rules of one', zh: '列出价格组及等级，或某组的规则' },
  operands: [],
  options: [{ name: 'group', value: 'GROUP', what: { en: 'Show the rules of this one.', zh: '显示该组的规则。' } }],
  teaches: [{ en: 'A rule for one good is told by the id of the good.', zh: '单个商品的规则以商品编号列出。' }],
  examples: [{ line: 'berth prices group show', what: { en: 'all groups', zh: '全部价格组' } }, { line: 'berth prices group show --group 金牌', what: { en: 'the rules of one', zh: '某组的规则' } }],
  run: async (asked) => {
    const group = asked.option('group')
    const zh = asked.lang === 'zh'
    const client = operatorClient(asked)
    if (group === undefined) {
      const groups = await client.list<Group>('/operator/prices/groups', 'after')
      if (!groups.ok) return refused(groups.problem)
      const rows = groups.body.map(({ name, rules, levels, note }) => [name, String(rules), levels.join(', '), note])
      return done({ items: groups.body }, rows.length > 0 ? table([zh ? ['价格组', '规则数', '等级', '备注'] : ['group', 'rules', 'levels', 'note'], ...rows], 0) : zh ? '还没有价格组，用 berth prices group add 新增。' : 'No price group yet; berth prices group add makes one.')
    }
    const rules = await client.list<Rule>(`/operator/prices/groups/${encodeURIComponent(group)}/rules`, 'after')
    if (!rules.ok) return refused(rules.problem)
    const rows = rules.body.map(({ scope, subject, says }) => [scope, subject, says])
    return done({ items: rules.body }, rows.length > 0 ? table([zh ? ['范围', '对象', '公式'] : ['scope', 'of', 'formula'], ...rows], 0) : zh ? '该组没有规则，按目录价。' : 'No rules: the list prices count.')
  },
}

export const setLevel: Command = {
  name: 'prices level',
  who: 'operator',
  summary: { en: 'Add a level, or let it lead to another price group', zh: '新增等级，或让等级指向另一个价格组' },
  operands: [{ name: 'LEVEL', what: { en: 'Its name.', zh: '等级名称。' } }],
  options: [{ name: 'group', value: 'GROUP', isRequired: true, what: { en: 'The price group; "none" for the list prices.', zh: '价格组名称；none 表示按目录价。' } }, noteOption],
  teaches: [{ en: 'All dockings of the level move at once, but for those with a group of their own.', zh: '该等级的全部对接一并生效；另有价格组的对接不受影响。' }],
  examples: [{ line: 'berth prices level V3 --group 金牌', what: { en: 'level V3 has the prices of a group', zh: 'V3 等级使用金牌价' } }],
  run: async (asked) => {
    const [name] = asked.operands as [string]
    const set = await operatorClient(asked).post<{ name: string; group: string | null }>('/operator/prices/levels', { name, group: noneOr(asked.needed('group')), note: asked.option('note') })
    if (!set.ok) return refused(set.problem)
    const { group } = set.body
    return done(set.body, asked.lang === 'zh' ? `等级 ${name} 现按${group === null ? '目录价' : `价格组 ${group}`}` : `The level ${name} has ${group === null ? 'the list prices' : `the prices of ${group}`} now`)
  },
}

function noneOr(name: string): string | null {
  return name === 'none' ? null : name
}

export const assignPrices: Command = {
  name: 'prices assign',
  who: 'operator',
  summary: { en: 'Give a docking a level or a price group', zh: '为对接设定等级或价格组' },
  operands: [dockingOperand],
  options: [
    { name: 'level', value: 'LEVEL', what: { en: 'Its level; "none" takes it away.', zh: '等级；none 表示取消。' } },
    { name: 'group', value: 'GROUP', what: { en: 'A group of its own, before that of its level; "none" takes it away.', zh: '单独的价格组，优先于等级；none 表示取消。' } }, noteOption,
  ],
  teaches: [{ en: 'It counts from the next order on, and all goods stand in the docking\'s change feed.', zh: '自下一单起生效，全部商品进入该对接的变更流。' }],
  examples: [{ line: 'berth prices assign 小卡铺 --level V3', what: { en: 'a partner has earned its level', zh: '对接方升级' } }],
  run: async (asked) => {
    const [typed] = asked.operands as [string]
    const [level, group] = [asked.option('level'), asked.option('group')]
    if (level === undefined && group === undefined) throw new WrongUsage({ en: 'Give --level or --group.', zh: '请给出 --level 或 --group。' })
    const client = operatorClient(asked)
    const docking = await findDocking(client, typed)
    if (!docking.ok) return refused(docking.problem)
    const placed = await client.post<{ counts: string | null }>(`/operator/dockings/${docking.id}/prices`, {
      ...(level === undefined ? {} : { level: noneOr(level) }), ...(group === undefined ? {} : { group: noneOr(group) }), note: asked.option('note'),
    })
    if (!placed.ok) return refused(placed.problem)
    const { counts } = placed.body
    return done(placed.body, asked.lang === 'zh' ? `对接 ${typed} 现按${counts === null ? '目录价' : `价格组 ${counts}`}` : `${typed} has ${counts === null ? 'the list prices' : `the prices of ${counts}`} now`)
  },
}
