/** A card as the bench seeds it and as the peer shows it: a number of 16 digits and a secret of 18. */
export function cardOf(i: number): string {
  return `${String(6_000_000_000_000_000 + i)}\t${String(100_000_000_000_000_000n + BigInt(i) * 7_919n)}`
}
