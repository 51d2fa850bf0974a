/** A promise held against its goal. Only a `promised` one that is missed fails the bench; a `shown` one is for the eye. */
export type Verdict = {
  promise: string
  value: number
  goal: number
  /** Whether the goal is a least or a most value. */
  bound: '>=' | '<='
  digits: number
  weight: 'promised' | 'shown'
  /** Where the value comes from, for the parentheses. */
  from: string
}

export function isMet({ value, goal, bound }: Verdict): boolean {
  return bound === '>=' ? value >= goal : value <= goal
}

/** `P1 0.93 goal >= 0.90 ok (median of 5: 0.92 0.93 …)` */
export function lineOf(verdict: Verdict): string {
  const { promise, value, goal, bound, digits, weight, from } = verdict
  return `${promise} ${value.toFixed(digits)} goal ${bound} ${goal.toFixed(digits)} ${isMet(verdict) ? 'ok' : 'missed'} (${weight === 'shown' ? 'shown; ' : ''}${from})`
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('there is no median of nothing')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function listOf(values: readonly number[], digits = 2): string {
  return `median of ${values.length}: ${values.map((value) => value.toFixed(digits)).join(' ')}`
}

/** Lines of columns as wide as their widest cell, the first one aligned left and the others right. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)))
  return [head, ...rows].map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()).join('\n')
}
