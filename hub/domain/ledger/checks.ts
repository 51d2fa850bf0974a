import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import type { Check, CheckedDocking } from '../../kernel/checks.ts'
import { causesIn, loadRefusals, readRefusals } from '../../platform/facts.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { spend } from './rules.ts'
import { loadBalances, loadMovements, readBalances, readMovements } from './store.ts'

/** A refusal older than this has stopped being news. */
const STILL_MS = 24 * 3_600_000

/**
 * Whether the docking could pay for what it was last refused for, or else for the cheapest thing there is: the same
 * comparison that the order path makes, with the balance of now.
 */
export function checkFunds(db: Database): Check {
  return async (docking, at) => {
    const available = readBalances(await db.run(loadBalances([docking.lane], [docking.id]))).get(docking.id) ?? 0n
    const short = await lastShort(db, docking, at)
    const paid = spend(available, short?.neededMicro ?? 1n)
    const amount = formatAmount(available)
    return [{
      check: 'ledger.funds', layer: 'funds', class: 'commercial', side: 'partner',
      verdict: paid.ok ? 'pass' : 'fail', code: paid.ok ? null : paid.refusal.code, because: paid.ok ? { available: amount } : paid.refusal.because,
      seen: short && !paid.ok
        ? { en: `The deposit has ${amount} yuan available; the order last refused needs ${formatAmount(short.neededMicro)}.`, zh: `预付货款可用余额 ${amount} 元，最近被拒的订单需要 ${formatAmount(short.neededMicro)} 元。` }
        : { en: `The deposit has ${amount} yuan available.`, zh: `预付货款可用余额 ${amount} 元。` },
      evidence: short && !paid.ok ? `fact ${docking.lane}/${short.position}` : null,
    }]
  }
}

/** What the last order needed that was refused for want of funds, unless another was paid since. */
async function lastShort(db: Database, { lane, id }: CheckedDocking, at: Date): Promise<{ neededMicro: bigint; position: bigint } | null> {
  for (const fact of readRefusals(await db.run(loadRefusals(lane, id, 20)))) {
    const cause = causesIn(fact).find(({ code }) => code === 'ledger.insufficient_funds')
    if (!cause || at.getTime() - fact.at.getTime() > STILL_MS) continue
    const [newest] = readMovements(await db.run(loadMovements(lane, id, null, 10))).filter(({ kind }) => kind === 'order')
    const neededMicro = parseAmount(String(cause.because.needed))
    return neededMicro === null || (newest && newest.position > fact.position) ? null : { neededMicro, position: fact.position }
  }
  return null
}
