import type { ShownGood } from '../../dialects/dialect.ts'
import { ceilToFen } from '../../protocol/money.ts'

const PPM = 1_000_000n

/**
 * What a piece takes from the deposit, in µCNY: its price and the service fee on it, rounded up to the fen. A shop whose
 * protocol has no fee beside the price reckons its profit from this alone, so no order may come to more than it says.
 */
export function chargedPrice(priceMicro: bigint, feePpm: number): bigint {
  return feePpm === 0 ? priceMicro : ceilToFen((priceMicro * (PPM + BigInt(feePpm)) + PPM - 1n) / PPM)
}

/** The good with every price as it is charged. */
export function withFee(good: ShownGood, feePpm: number): ShownGood {
  if (feePpm === 0) return good
  const charged = <P extends { readonly priceMicro: bigint }>(priced: P): P => ({ ...priced, priceMicro: chargedPrice(priced.priceMicro, feePpm) })
  return {
    ...good, unitPriceMicro: chargedPrice(good.unitPriceMicro, feePpm), tiers: good.tiers.map(charged),
    races: good.races.map((race) => ({ ...charged(race), tiers: race.tiers.map(charged) })),
    groups: good.groups.map((group) => ({
      ...group, choices: group.choices.map((choice) => ({ ...choice, surchargeMicro: chargedPrice(choice.surchargeMicro, feePpm) })),
    })),
  }
}
