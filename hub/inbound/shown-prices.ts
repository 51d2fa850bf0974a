import { chooseVariant, listPriceOf, PLAIN, variantOf, type Choice, type Good } from '../domain/catalogue/index.ts'
import type { ShownGood } from '../../dialects/dialect.ts'

/** The number of prices that are kept for a docking: ten thousand goods of a few kinds each, about 4 MB. */
const MOST_PRICES = 50_000

type List = Pick<Good, 'unitPriceMicro' | 'costMicro' | 'options'>
/** What was said of a good: its whole list, and then single prices by quantity and variant. A good of one price is that price alone. */
type Shown = { list: bigint | List | null; valued: Map<string, bigint> | null; weight: number }

/**
 * What each docking was last told that one of a good costs: a shop whose protocol cannot say the most that it pays is
 * not charged more. In memory and bounded for each docking by itself; what is forgotten guards nothing, and the next
 * look at the good tells it again.
 */
export class ShownPrices {
  readonly #dockings = new Map<string, { goods: Map<number, Shown>; weight: number }>()

  /** The whole price list of a good was shown, and stands in place of what was said of it before. */
  showed(docking: string, good: ShownGood): void {
    const { unitPriceMicro, races, groups, tiers } = good
    if (races.length === 0 && groups.length === 0 && tiers.length === 0) return this.#keep(docking, good.number, { list: unitPriceMicro, valued: null, weight: 1 })
    const options = { ...PLAIN, races: races.map((race) => ({ ...race, costMicro: null })), groups, tiers }
    const weight = 1 + tiers.length + races.reduce((sum, race) => sum + 1 + race.tiers.length, 0) + groups.reduce((sum, group) => sum + group.choices.length, 0)
    this.#keep(docking, good.number, { list: { unitPriceMicro, costMicro: null, options }, valued: null, weight })
  }

  /** One price was shown, for this choice and this quantity. */
  valued(docking: string, number: number, choice: Choice, quantity: number, unitPriceMicro: bigint): void {
    const before = this.#dockings.get(docking)?.goods.get(number)
    const valued = new Map(before?.valued).set(`${quantity} ${variantOf(choice)}`, unitPriceMicro)
    // Who asks for more quantities of one good than this is not about to buy them all.
    if (valued.size > 100) valued.delete(valued.keys().next().value!)
    this.#keep(docking, number, { list: before?.list ?? null, valued, weight: (before?.weight ?? 1) - (before?.valued?.size ?? 0) + valued.size })
  }

  /** The most that one may cost now: what was told last, by the races, tiers and surcharges of then; null when nothing was. */
  guardFor(docking: string, number: number, choice: Choice, quantity: number): bigint | null {
    const shown = this.#dockings.get(docking)?.goods.get(number)
    if (!shown) return null
    const { list } = shown
    const one = shown.valued?.get(`${quantity} ${variantOf(choice)}`)
    if (one !== undefined || list === null) return one ?? null
    const prices = typeof list === 'bigint' ? { unitPriceMicro: list, costMicro: null, options: PLAIN } : list
    const chosen = chooseVariant(prices, choice)
    return chosen.ok ? listPriceOf(prices, chosen.value, quantity).listMicro + chosen.value.surchargeMicro : null
  }

  /** What was shown last stands last; what was shown longest ago is forgotten first. */
  #keep(docking: string, number: number, shown: Shown): void {
    let kept = this.#dockings.get(docking)
    if (!kept) this.#dockings.set(docking, (kept = { goods: new Map(), weight: 0 }))
    kept.weight += shown.weight - (kept.goods.get(number)?.weight ?? 0)
    kept.goods.delete(number)
    kept.goods.set(number, shown)
    for (const [oldest, { weight }] of kept.goods) {
      if (kept.weight <= MOST_PRICES || oldest === number) return
      kept.goods.delete(oldest)
      kept.weight -= weight
    }
  }
}
