import { listPriceOf, type Chosen, type Good } from '../domain/catalogue/index.ts'

const MOST = 20_000

type Prices = Pick<Good, 'unitPriceMicro' | 'costMicro' | 'options'>
type Entry = { turn: number; prices: Prices } | { turn: number; unitPriceMicro: bigint }

/**
 * What each docking was last told that a piece costs: a shop whose protocol cannot say the most that it pays is not
 * charged more. In memory and bounded; what is forgotten guards nothing, and the next look at the good tells it again.
 */
export class ShownPrices {
  readonly #entries = new Map<string, Entry>()
  #turn = 0

  /** The whole price list of a good was shown. */
  showed(docking: string, good: Prices & { id: string }): void {
    this.#keep(`${docking} ${good.id}`, { turn: ++this.#turn, prices: { unitPriceMicro: good.unitPriceMicro, costMicro: null, options: good.options } })
  }

  /** One price was shown, for this choice and this quantity. */
  valued(docking: string, good: string, variant: string, quantity: number, unitPriceMicro: bigint): void {
    this.#keep(`${docking} ${good} ${quantity} ${variant}`, { turn: ++this.#turn, unitPriceMicro })
  }

  /** The most that a piece may cost now: what was told last; null when nothing was. */
  guardFor(docking: string, good: string, chosen: Chosen, quantity: number): bigint | null {
    const list = this.#entries.get(`${docking} ${good}`)
    const one = this.#entries.get(`${docking} ${good} ${quantity} ${chosen.variant}`)
    const last = list && (!one || list.turn > one.turn) ? list : one
    if (!last) return null
    return 'unitPriceMicro' in last ? last.unitPriceMicro : listPriceOf(last.prices, chosen, quantity).listMicro + chosen.surchargeMicro
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key)
    if (this.#entries.size >= MOST) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, entry)
  }
}
