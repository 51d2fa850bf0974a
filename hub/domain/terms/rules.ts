/** The service fee on a total, in µCNY, rounded down: a fraction of a µ is never the partner's to pay. */
export function feeOn(totalMicro: bigint, feePpm: number): bigint {
  return feePpm === 0 ? 0n : (totalMicro * BigInt(feePpm)) / 1_000_000n
}

/** The docking's own price (密价) where it has one, the list price otherwise. */
export function priceFor(listMicro: bigint, ownMicro: bigint | undefined): bigint {
  return ownMicro ?? listMicro
}
