/** Quarters are those of the trade: they begin at midnight in China, which has had one offset since 1991. */
const OFFSET_MS = 8 * 3_600_000
const QUARTER = /^(\d{4})Q([1-4])$/

export function quarterOf(at: Date): string {
  const there = new Date(at.getTime() + OFFSET_MS)
  return `${there.getUTCFullYear()}Q${Math.floor(there.getUTCMonth() / 3) + 1}`
}

/** When a quarter begins and ends; null for a text that is none. */
export function spanOf(quarter: string): { from: Date; to: Date } | null {
  const found = QUARTER.exec(quarter)
  if (!found) return null
  const year = Number(found[1])
  const month = (Number(found[2]) - 1) * 3
  return { from: new Date(Date.UTC(year, month) - OFFSET_MS), to: new Date(Date.UTC(year, month + 3) - OFFSET_MS) }
}
