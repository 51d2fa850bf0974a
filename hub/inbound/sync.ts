import { refuse } from '../../protocol/outcome.ts'
import { explain } from '../../protocol/reasons.ts'
import { changesFor } from '../domain/catalogue/index.ts'
import { priceGroupOf } from '../domain/pricing/index.ts'
import type { Check, CheckResult } from '../kernel/checks.ts'
import type { Hub } from './hub.ts'

/** Older than this and still unread, a change is no longer on its way. */
const BEHIND_MS = 15 * 60_000
const FEED = '/api/goods/changes'
const LOOKS: ReadonlySet<string> = new Set(['items', 'item', 'stock', 'inventory', 'valuation'])

/** How far the partner's reading of the catalogue is behind, from what the log of requests knows of this life of the hub. */
export function checkSync(hub: Pick<Hub, 'db' | 'requests'>): Check {
  return async (docking, at) => {
    const seen = hub.requests.page(docking.id, null, hub.requests.perDocking) ?? []
    const told = (en: string, zh: string, more: Partial<CheckResult> = {}): CheckResult[] =>
      [{ check: 'catalogue.sync', layer: 'sync', class: 'technical', side: 'partner', verdict: 'pass', code: null, because: {}, seen: { en, zh }, evidence: null, ...more }]
    if (docking.dialect !== 'json') {
      const look = seen.find(({ body, code }) => code === null && LOOKS.has(String((body as { call?: unknown } | null)?.call)))
      return look ? told(`The shop looked at goods or stock last at ${new Date(look.atMs).toISOString()}.`, `店铺最近一次查询商品或库存：${new Date(look.atMs).toISOString()}。`)
        : told('The shop has not looked at goods or stock since the hub started.', '主站启动以来，店铺未查询过商品或库存。')
    }
    const read = seen.find(({ route, code }) => route === FEED && code === null)
    const asked = Number((read?.body as { after?: unknown } | null)?.after ?? Number.NaN)
    if (!read || !Number.isSafeInteger(asked)) return told('The list of changes was not read since the hub started, so nothing is known about its lag.', '主站启动以来未读取过变更列表，无法判断是否滞后。')
    const { changes } = await changesFor(hub.db, docking.id, BigInt(asked), FEED_PAGE, await priceGroupOf(hub.db, docking))
    // What that call answered was read with it.
    const unread = changes.find((change) => change.at.getTime() > read.atMs)
    if (!unread || at.getTime() - unread.at.getTime() < BEHIND_MS) return told(`The list of changes was read up to the newest at ${new Date(read.atMs).toISOString()}.`, `变更列表最近读取于 ${new Date(read.atMs).toISOString()}，没有积压。`)
    const { refusal } = refuse('catalogue.sync_behind', { readTo: String(asked), since: unread.at.toISOString() })
    return told(explain(refusal, 'en'), explain(refusal, 'zh'), { verdict: 'warn', code: refusal.code, because: refusal.because, evidence: `request ${read.id}` })
  }
}

/** The most that one call reads. */
const FEED_PAGE = 500
