import { formatAmount } from '../../../protocol/money.ts'
import { accept, refuse, type Outcome } from '../../../protocol/outcome.ts'
import type { Connection } from '../../platform/postgres/database.ts'
import { loadPricedPage, readPriced, type PricedGood } from '../catalogue/index.ts'
import { isInForce, loadMeasures, readMeasures } from '../decisions/index.ts'
import { loadLiveAmong } from '../partners/index.ts'
import { loadStanding, publishedPriceFor, type DockingPrices } from '../terms/index.ts'
import { rulesFor } from './target.ts'

const PAGE = 2_000
/** What is changed for fewer is no condition of a group: it is a measure against those who stand in it. */
const FEW = 5

/** The first good that would cost more than now, and how many; null when none does. Prices are yuan. */
export type Dearer = { good: string; price: string; published: string; count: number } | null

/** Keeps the first good that is dearer and counts them all. */
export function addDearer(dearer: Dearer, code: string, oldMicro: bigint, newMicro: bigint): Dearer {
  if (newMicro <= oldMicro) return dearer
  return dearer === null ? { good: code, price: formatAmount(newMicro), published: formatAmount(oldMicro), count: 1 } : { ...dearer, count: dearer.count + 1 }
}

/** The same for one piece and for every quantity: the worst that one good has to say about two sets of rules. */
export function addDearerGood(dearer: Dearer, good: PricedGood, was: DockingPrices, is: DockingPrices): Dearer {
  const worse = [good, ...good.tiers.map((tier) => ({ ...good, listMicro: tier.priceMicro }))]
    .map((one) => [publishedPriceFor(one, was).unitPriceMicro, publishedPriceFor(one, is).unitPriceMicro] as const).find(([old, next]) => next > old)
  return worse ? addDearer(dearer, good.code, worse[0], worse[1]) : dearer
}

/** The goods that cost more in one group than in another. */
export async function dearerIn(connection: Connection, from: string | null, to: string | null): Promise<Dearer> {
  let dearer: Dearer = null
  for (let after = ''; ;) {
    const goods = readPriced(await connection.run(loadPricedPage(null, after, PAGE)))
    const [was, is] = [await pricesIn(connection, from, goods), await pricesIn(connection, to, goods)]
    for (const good of goods) dearer = addDearerGood(dearer, good, was(good.id), is(good.id))
    if (goods.length < PAGE) return dearer
    after = goods.at(-1)!.id
  }
}

async function pricesIn(connection: Connection, group: string | null, goods: readonly PricedGood[]): Promise<(good: string) => DockingPrices> {
  return group === null ? () => ({}) : rulesFor(connection, group, goods)
}

/**
 * Whether a group, or a level, may become dearer. With fewer than five live dockings in it that is a measure against each
 * of them: all must stand there by a decision in force, so that they go back when it ends. One that will come back to it
 * when such a decision ends counts as well. Refuses `terms.placing_worse_than_published`.
 */
export async function admitDearer(connection: Connection, place: { group: string } | { level: string }, dearer: Dearer, at: Date): Promise<Outcome<null>> {
  if (dearer === null) return accept(null)
  const rows = await connection.run(loadStanding(place)) as unknown as [lane: number, docking: string, decision: string | null, stands: boolean][]
  const live = new Set((await connection.run(loadLiveAmong(rows.map((row) => row[1])))).map((row) => row[0] as string))
  const hit = rows.filter((row) => live.has(row[1]))
  if (hit.length === 0 || hit.length >= FEW) return accept(null)
  const measures = readMeasures(await connection.run(loadMeasures(hit.map((row) => row[0]), hit.map((row) => row[1]))))
  const isGrounded = hit.every(([, docking, decision, stands]) => stands && (measures.get(docking) ?? []).some((one) => one.decision === decision && isInForce(one, at)))
  return isGrounded ? accept(null) : refuse('terms.placing_worse_than_published', dearer)
}
