import { formatAmount } from '../../../protocol/money.ts'
import type { Check } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { loadHistory, readHistory } from '../terms/index.ts'
import { priceGroupOf } from './service.ts'

const NEWEST = { position: 2n ** 62n, line: 0 }
const NEWS_MS = 7 * 86_400_000

/** By which prices the docking buys: its guard, its price group, and the last change that was its own. */
export function checkTerms(db: Database): Check {
  return async (docking, at) => {
    const [last] = readHistory(await db.run(loadHistory({ docking: docking.id }, NEWEST, 1)))
    const group = await priceGroupOf(db, docking)
    const guard = docking.dialect === 'json' ? 'maxUnitPrice' : (docking.priceGuard ?? 'last_shown')
    const cap = docking.priceCapMicro ? ` ${formatAmount(docking.priceCapMicro)}` : ''
    const isNews = last !== undefined && at.getTime() - last.at.getTime() < NEWS_MS
    return [{
      check: 'pricing.terms', layer: 'terms', class: 'commercial', side: 'hub', verdict: 'pass', code: null,
      because: { guard: guard + cap, group, lastChange: last?.at.toISOString() ?? null },
      seen: {
        en: `Price guard: ${guard}${cap}; price group: ${group ?? 'none'}; ${last ? `your own prices last changed at ${last.at.toISOString()} (${last.what}: ${last.old ?? '–'} to ${last.new ?? '–'})${isNews ? ', which your shop may not show yet' : ''}` : 'no price of your own was ever changed'}.`,
        zh: `价格保护：${guard}${cap}；价格组：${group ?? '无'}；${last ? `贵方专属价格最近一次变动于 ${last.at.toISOString()}（${last.old ?? '–'} → ${last.new ?? '–'}）${isNews ? '，店铺可能尚未同步' : ''}` : '从未变动过专属价格'}。`,
      },
      evidence: last === undefined ? null : `price history ${last.position}/${last.line}`,
    }]
  }
}
