/**
 * Which accepted orders have had their answer written. Per lane it knows the positions that still wait; everything in
 * front of the oldest of them is answered. That watermark rides along with the next batch, so after a crash the orders
 * behind it are exactly those that nobody can say arrived, and no order pays a write for it.
 */
export class HandoverLog {
  readonly #lanes = new Map<number, { waiting: Set<bigint>; head: bigint }>()

  accepted(lane: number, position: bigint): void {
    // The head stays where it is until the commit is known: a position that was never committed is nobody's.
    this.#lane(lane).waiting.add(position)
  }

  settled(lane: number, position: bigint): void {
    this.#lane(lane).waiting.delete(position)
  }

  /** Whether nobody has yet had the answer of this order. */
  waits(lane: number, position: bigint): boolean {
    return this.#lanes.get(lane)?.waiting.has(position) ?? false
  }

  /** Facts of the lane up to here are known to this life; called when a batch has moved the lane's head. */
  reached(lane: number, head: bigint): void {
    const log = this.#lane(lane)
    if (head > log.head) log.head = head
  }

  /** Up to here every order was answered. Positions are added in ascending order, so the first that waits is the oldest. */
  watermark(lane: number): bigint {
    const log = this.#lanes.get(lane)
    if (!log) return 0n
    const oldest = log.waiting.values().next()
    return oldest.done ? log.head : oldest.value - 1n
  }

  /** Lanes of this life with their watermarks. */
  watermarks(): { lane: number; answered: bigint }[] {
    return [...this.#lanes.keys()].sort((a, b) => a - b).map((lane) => ({ lane, answered: this.watermark(lane) }))
  }

  get waiting(): number {
    let count = 0
    for (const log of this.#lanes.values()) count += log.waiting.size
    return count
  }

  #lane(lane: number): { waiting: Set<bigint>; head: bigint } {
    let log = this.#lanes.get(lane)
    if (!log) this.#lanes.set(lane, (log = { waiting: new Set(), head: 0n }))
    return log
  }
}
