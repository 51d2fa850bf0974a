import { table, type Lang } from '../screen.ts'
import type { Applied } from './apply.ts'
import type { Checked } from './check.ts'
import type { Changes } from './compare.ts'
import type { Problem } from './old-site.ts'
import type { Plan } from './plan-folder.ts'

const MOST_SHOWN = 20

/** What would come over, what would not, and what a person should look at. */
export function showPlan(plan: Plan, problems: readonly Problem[], lang: Lang): string {
  const zh = lang === 'zh'
  const { counts, sums, source } = plan
  const row = (en: string, chinese: string, ...cells: (string | number)[]) => [zh ? chinese : en, ...cells.map(String)]
  const left = (count: number) => (count === 0 ? '' : zh ? `另有 ${count} 不迁入` : `${count} stay behind`)
  return [
    zh ? `迁移 ${plan.migration} 第 ${plan.step} 次读取（试算，未写入主站）` : `Migration ${plan.migration}, reading ${plan.step} (a dry run: nothing was written to any hub)`,
    `  ${source.path}`, `  sha256 ${source.sha256}`,
    table([
      row('partners', '对接方', counts.partners, left(counts.partnersLeft)), row('balances', '余额', sums.balances, sums.balancesLeft === '0.00' ? '' : zh ? `另有 ${sums.balancesLeft} 元留在旧站` : `${sums.balancesLeft} yuan stay behind`),
      row('goods', '商品', counts.goods, left(counts.goodsLeft)), row('own prices', '密价', counts.prices),
      row('unsold cards', '未售卡密', counts.cards, left(counts.cardsLeft + counts.cardsOfKinds)),
      row('old orders', '旧订单', counts.orders, `${zh ? '其中带商户订单号' : 'with a number of the shop'} ${counts.references}`), row('their amounts', '订单金额', sums.orders),
    ]),
    ...notes(plan, zh),
    ...(problems.length > 0 ? [zh ? `需要留意的 ${counts.problems} 处（全部见 problems.ndjson）：` : `${counts.problems} things to look at (problems.ndjson has all):`, table(problems.slice(0, MOST_SHOWN).map((problem) => [OUTCOMES[problem.outcome][lang], `${problem.table} ${problem.id}`, zh ? `第 ${problem.line} 行` : `line ${problem.line}`, problem.what[lang]]))] : []),
  ].join('\n')
}

const OUTCOMES = { left: { en: 'stays', zh: '不迁入' }, changed: { en: 'changes', zh: '有变化' }, decide: { en: 'decide', zh: '待决定' } } as const

function notes({ counts, suspended, aside }: Plan, zh: boolean): string[] {
  const lines: string[] = []
  if (counts.suspended > 0 && suspended === null) lines.push(zh ? `  ${counts.suspended} 个会员在旧站被封禁：请加 --suspended open 或 --suspended leave 重新生成计划。` : `  ${counts.suspended} members are suspended there: make the plan anew with --suspended open or --suspended leave.`)
  if (counts.cardsOfKinds > 0) lines.push(zh ? `  ${counts.cardsOfKinds} 张卡密属于按种类销售的商品。` : `  ${counts.cardsOfKinds} of the cards belong to goods that are sold by kinds.`)
  if (counts.ordersUndelivered > 0) lines.push(zh ? `  ${counts.ordersUndelivered} 笔订单已付款未发货。` : `  ${counts.ordersUndelivered} orders are paid and not delivered.`)
  if (Object.keys(aside).length > 0) lines.push(`  ${zh ? '未读取的表：' : 'tables that are not read: '}${Object.entries(aside).map(([name, rows]) => `${name} (${rows})`).join(', ')}`)
  return lines
}

export function showApplied(done: Applied, lang: Lang): string {
  const zh = lang === 'zh'
  const known = (count: number) => (count === 0 ? '' : zh ? `（另有 ${count} 此前已完成）` : ` (${count} were there before)`)
  const { partners, goods, orders, balances, cards, published, left } = done
  return [
    table([
      [zh ? '对接方' : 'partners', `${partners.opened}${known(partners.known)}`],
      [zh ? '商品' : 'goods', zh ? `新增 ${goods.added}，修改 ${goods.changed}，未变 ${goods.unchanged}` : `${goods.added} added, ${goods.changed} changed, ${goods.unchanged} unchanged`],
      [zh ? '旧订单' : 'old orders', `${orders.written}${known(orders.known)}`], [zh ? '余额' : 'balances', `${balances.moved}${known(balances.known)}`], [zh ? '密价' : 'own prices', String(done.prices)],
      [zh ? '卡密' : 'cards', published ? `${cards.staged}${known(cards.known)}` : zh ? '未迁入（--without-cards）' : 'left for another day (--without-cards)'],
      ...(published ? [[zh ? '上架' : 'on sale', zh ? `${published.cards} 张，撤下旧批 ${published.withdrawn} 张，因已在本站售出扣下 ${published.keptBack} 张` : `${published.cards}; ${published.withdrawn} of earlier readings went away; ${published.keptBack} were kept back, being sold here`]] : []),
    ]),
    ...(left.length > 0 ? [zh ? `有 ${left.length} 项未能迁入：` : `${left.length} rows were left out:`, table(left.slice(0, MOST_SHOWN).map(({ what, id, code, message }) => [`${what} ${id}`, code, message[lang]]))] : []),
    zh ? '下一步：berth migrate check 核对，对接地址见计划目录中的 addresses.csv。' : 'Next: berth migrate check; the addresses for the shops are in addresses.csv of the plan.',
  ].join('\n')
}

export function showChecked(checked: Checked, lang: Lang): string {
  const zh = lang === 'zh'
  const { balances, orders, references, cards, differences } = checked
  return [
    table([
      ['', zh ? '旧站' : 'old site', zh ? '本站' : 'hub'], [zh ? '余额合计' : 'balances', balances.old, balances.new], [zh ? '旧订单' : 'old orders', String(orders.old), String(orders.new)],
      [zh ? '商户订单号' : 'shop numbers', String(references.old), String(references.new)],
      [zh ? '卡密' : 'cards', String(cards.old), cards.keptBack === 0 ? String(cards.new) : `${cards.new} + ${cards.keptBack}`],
    ]),
    differences.length === 0
      ? zh ? '核对无误，分毫不差；账本自检通过。' : 'Both sides agree to the fen, and the books are clean.'
      : zh ? `有 ${differences.length} 处不一致：` : `${differences.length} ${differences.length === 1 ? 'row differs' : 'rows differ'}:`,
    ...(differences.length > 0 ? [table(differences.slice(0, MOST_SHOWN).map(({ what, id, old, new: now }) => [what, id, old, now]))] : []),
  ].join('\n')
}

export function showChanges(changes: Changes, lang: Lang): string {
  const zh = lang === 'zh'
  const { partners, balances, goods, cards } = changes
  const some = (names: readonly string[]) => `${names.length}${names.length === 0 ? '' : ` (${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''})`}`
  return [
    zh ? '自上次读取以来的变化：' : 'Since the reading before:',
    table([
      [zh ? '新对接方' : 'new partners', some(partners.added)], [zh ? '已不在的对接方' : 'partners gone', some(partners.gone)], [zh ? '余额变动' : 'balances changed', some(balances.map((row) => `${row.member} ${row.change}`))],
      [zh ? '新订单' : 'new orders', String(changes.orders)], [zh ? '新增商品' : 'goods added', some(goods.added)], [zh ? '变更商品' : 'goods changed', some(goods.changed)], [zh ? '删除商品' : 'goods gone', some(goods.gone)],
      [zh ? '库存变动' : 'stock changed', some(cards.map((row) => `${row.good} ${row.from}→${row.to}`))],
    ]),
  ].join('\n')
}
