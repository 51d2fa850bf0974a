import { formatAmount } from '../../../protocol/money.ts'
import type { Check } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { spend } from './rules.ts'
import { loadBalances, readBalances } from './store.ts'

/** Whether the docking could pay for the cheapest thing there is: the same comparison that the order path makes. */
export function checkFunds(db: Database): Check {
  return async (docking) => {
    const available = readBalances(await db.run(loadBalances([docking.lane], [docking.id]))).get(docking.id) ?? 0n
    const paid = spend(available, 1n)
    const amount = formatAmount(available)
    return [{
      check: 'ledger.funds', class: 'commercial', side: 'partner',
      verdict: paid.ok ? 'pass' : 'fail', code: paid.ok ? null : paid.refusal.code, because: paid.ok ? { available: amount } : paid.refusal.because,
      seen: { en: `The deposit has ${amount} yuan available.`, zh: `预付货款可用余额 ${amount} 元。` }, evidence: null,
    }]
  }
}
