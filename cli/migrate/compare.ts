import { formatAmount, parseAmount } from '../../protocol/money.ts'
import { readList, type Plan } from './plan-folder.ts'

/** What has changed at the old site between two readings of it. */
export type Changes = {
  partners: { added: string[]; gone: string[] }
  balances: { member: string; from: string; to: string; change: string }[]
  orders: number
  goods: { added: string[]; gone: string[]; changed: string[] }
  /** Unsold cards of a good, where their number has changed. */
  cards: { good: string; from: number; to: number }[]
}

/** Compares two plans by what they say; neither the dump nor the hub is asked. */
export async function comparePlans(older: { folder: string; plan: Plan }, newer: { folder: string; plan: Plan }): Promise<Changes> {
  const changes: Changes = { partners: { added: [], gone: [] }, balances: [], orders: newer.plan.counts.orders - older.plan.counts.orders, goods: { added: [], gone: [], changed: [] }, cards: [] }
  const balances = new Map<string, string>()
  for await (const partner of readList(older.folder, 'partners')) balances.set(partner.member, partner.balance)
  for await (const { member, balance } of readList(newer.folder, 'partners')) {
    const from = balances.get(member)
    balances.delete(member)
    if (from === undefined) changes.partners.added.push(member)
    if ((from ?? '0.00') !== balance) changes.balances.push({ member, from: from ?? '0.00', to: balance, change: formatAmount(parseAmount(balance)! - parseAmount(from ?? '0')!) })
  }
  changes.partners.gone.push(...balances.keys())
  const goods = new Map<string, { shown: string; cards: number }>()
  const shownOf = ({ key: _, cards: __, ...shown }: { key: string; cards: number }) => JSON.stringify(shown)
  for await (const good of readList(older.folder, 'goods')) if (good.isTaken) goods.set(good.code, { shown: shownOf(good), cards: good.cards })
  for await (const good of readList(newer.folder, 'goods')) {
    if (!good.isTaken) continue
    const before = goods.get(good.code)
    goods.delete(good.code)
    if (!before) changes.goods.added.push(good.code)
    else if (before.shown !== shownOf(good)) changes.goods.changed.push(good.code)
    if ((before?.cards ?? 0) !== good.cards) changes.cards.push({ good: good.code, from: before?.cards ?? 0, to: good.cards })
  }
  changes.goods.gone.push(...goods.keys())
  return changes
}
