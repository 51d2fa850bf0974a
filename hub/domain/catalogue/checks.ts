import { parseAmount } from '../../../protocol/money.ts'
import type { Because } from '../../../protocol/outcome.ts'
import { reasonOf, type ReasonCode } from '../../../protocol/reasons.ts'
import type { Check } from '../../kernel/checks.ts'
import type { Database } from '../../platform/postgres/database.ts'
import { causesIn, loadRefusals, readRefusals } from '../../platform/facts.ts'
import { loadMovements, readMovements } from '../ledger/index.ts'
import { offeredByCode, offeredById } from './offering.ts'

/** A refusal younger than this, whose cause still holds, is what stands in the way; an older one is only told. */
const STILL_MS = 24 * 3_600_000

/** What can be asked again without placing an order; the report shows the others as they were refused. */
const ASKED_AGAIN: ReadonlySet<string> = new Set(['catalogue.out_of_stock', 'catalogue.good_not_on_sale', 'catalogue.price_above_guard'])

/**
 * Stock and price of what was last refused: the refusal itself is the evidence, and the same question is asked again now,
 * so a cause that is gone shows as passed.
 */
export function checkLastRefusedGood(db: Database): Check {
  return async (docking, at) => {
    const found = readRefusals(await db.run(loadRefusals(docking.lane, docking.id, 20)))
      .map((fact) => causesIn(fact).filter(({ code }) => ASKED_AGAIN.has(code)).map(({ code, because }) => ({ ...fact, code: code as ReasonCode, because: because as Because }))).find((causes) => causes.length > 0)
    if (!found) {
      return [{
        check: 'catalogue.last_refused', class: 'commercial', side: 'hub', verdict: 'pass', code: null, because: {},
        seen: { en: 'No good was refused lately.', zh: '近期没有因商品被拒的请求。' }, evidence: null,
      }]
    }
    const refusal = found[0]!
    const asked = JSON.parse(refusal.body) as { good?: string; quantity?: number; guard?: string | null }
    const good = asked.good ? ((await offeredById(db, docking, [asked.good]))[0] ?? (await offeredByCode(db, docking, asked.good))) : undefined
    const isGone = (code: string) =>
      code === 'catalogue.out_of_stock' ? good !== null && good !== undefined && good.stock >= (asked.quantity ?? 1)
      : code === 'catalogue.good_not_on_sale' ? Boolean(good?.onSale)
      : code === 'catalogue.price_above_guard' ? good !== null && good !== undefined && good.unitPriceMicro <= (parseAmount(asked.guard ?? '') ?? 0n)
      : false
    // Whoever has ordered something since is not kept from trading by this one good.
    const [ordered] = readMovements(await db.run(loadMovements(docking.lane, docking.id, null, 10))).filter(({ kind }) => kind === 'order')
    const stands = at.getTime() - refusal.at.getTime() < STILL_MS && !(ordered && ordered.position > refusal.position)
    return found.map(({ code, because }) => ({
      check: 'catalogue.last_refused', class: reasonOf(code).class, side: reasonOf(code).side, verdict: isGone(code) ? 'pass' : stands ? 'fail' : 'warn',
      code: isGone(code) ? null : code, because,
      seen: {
        en: `Last refused at ${refusal.at.toISOString()}: ${asked.good ?? 'a good'}${good ? `, now ${good.stock} in stock` : ''}.`,
        zh: `最近一次被拒：${refusal.at.toISOString()}，商品 ${asked.good ?? ''}${good ? `，现有库存 ${good.stock}` : ''}。`,
      },
      evidence: `fact ${docking.lane}/${refusal.position}`,
    }))
  }
}
