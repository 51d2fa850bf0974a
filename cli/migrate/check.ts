import { IMPORT_TIMEOUT_MS, type Answer, type Client } from '../client.ts'
import { formatAmount, parseAmount } from '../../protocol/money.ts'
import { StepRefused } from './apply.ts'
import { readList, type Plan } from './plan-folder.ts'

/** Something that differs between the old site, as the plan has it, and the hub. */
export type Difference = { what: 'partner' | 'balance' | 'orders' | 'amount' | 'goods' | 'cards' | 'books'; id: string; old: string; new: string }

export type Checked = {
  ok: boolean
  /** Sums of both sides, to the fen. */
  balances: { old: string; new: string }
  orders: { old: number; new: number }
  references: { old: number; new: number }
  cards: { old: number; new: number; keptBack: number; left: number }
  differences: Difference[]
}

type BroughtDocking = { member: string; opened: string; available: string; orders: number; references: number; amount: string }
type BroughtGood = { code: string; brought: number; left: number; keptBack: number }

/** Holds the plan against what stands at the hub, row by row: every balance to the fen, every order, every card. */
export async function checkPlan(client: Client, folder: string, plan: Plan, withCards: boolean): Promise<Checked> {
  const path = `/operator/migrations/${plan.migration}`
  must(await client.get(path))
  const dockings = new Map(must(await client.list<BroughtDocking>(`${path}/dockings`, 'after')).map((row) => [row.member, row]))
  const goods = new Map(must(await client.list<BroughtGood>(`${path}/goods`, 'after')).map((row) => [row.code, row]))
  const checked: Checked = {
    ok: true, balances: { old: plan.sums.balances, new: '0.00' }, orders: { old: plan.counts.orders, new: 0 }, references: { old: plan.counts.references, new: 0 },
    cards: { old: withCards ? plan.counts.cards : 0, new: 0, keptBack: 0, left: 0 }, differences: [],
  }
  const differ = (what: Difference['what'], id: string, old: string | number, now: string | number) => {
    if (String(old) !== String(now)) checked.differences.push({ what, id, old: String(old), new: String(now) })
  }
  let openedMicro = 0n
  for await (const partner of readList(folder, 'partners')) {
    const brought = dockings.get(partner.member)
    dockings.delete(partner.member)
    if (!brought) {
      differ('partner', partner.member, partner.name, '–')
      continue
    }
    openedMicro += parseAmount(brought.opened)!
    checked.orders.new += brought.orders
    checked.references.new += brought.references
    differ('balance', partner.member, partner.balance, brought.opened)
    differ('orders', partner.member, `${partner.orders} / ${partner.references}`, `${brought.orders} / ${brought.references}`)
    differ('amount', partner.member, partner.amount, brought.amount)
  }
  for (const [member, brought] of dockings) if (brought.opened !== '0.00') differ('balance', member, '0.00', brought.opened)
  checked.balances.new = formatAmount(openedMicro)
  for await (const good of readList(folder, 'goods')) {
    if (!good.isTaken) continue
    const brought = goods.get(good.code)
    if (!brought) differ('goods', good.code, good.name, '–')
    else if (withCards) {
      checked.cards.new += brought.brought
      checked.cards.keptBack += brought.keptBack
      checked.cards.left += brought.left
      differ('cards', good.code, good.cards, brought.brought + brought.keptBack)
    }
  }
  const { findings } = must(await client.get<{ findings: { rule: string; row: string; expected: string; seen: string }[] }>('/operator/ledger/check', {}, IMPORT_TIMEOUT_MS))
  for (const finding of findings) checked.differences.push({ what: 'books', id: finding.row, old: finding.expected, new: finding.seen })
  return { ...checked, ok: checked.differences.length === 0 }
}

function must<T>(answer: Answer<T>): T {
  if (!answer.ok) throw new StepRefused(answer.problem)
  return answer.body
}
