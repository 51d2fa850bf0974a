/**
 * A lane is the unit of scale: the leading column of every key of the order path. The numbers are chosen so that on a
 * Postgres that spreads rows over 64 shards by its own hash each lane falls on a shard of its own (docs/adr/0001-lanes.md).
 * The table and the hash never change: a docking stores its lane, and rows of ten years depend on it.
 */
export const LANES: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 21, 22, 24, 27, 28, 31, 36, 37, 39, 41, 43, 44, 45, 46,
  48, 50, 52, 58, 59, 60, 62, 66, 70, 79, 80, 82, 83, 85, 88, 89, 92, 95, 96, 99, 101, 109, 112, 113, 136, 149, 166, 168,
  170, 172, 179, 351,
]

/** Facts that belong to no docking (goods, cards) stand in a lane of the main site itself. */
export const HOUSE_LANE = -1

/** The lane of a docking: FNV-1a over its id, 32 bits, modulo 64, looked up in the table. */
export function laneOf(docking: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < docking.length; i++) {
    hash ^= docking.charCodeAt(i)
    hash = Math.imul(hash, 0x01000193)
  }
  return LANES[(hash >>> 0) % LANES.length]!
}
