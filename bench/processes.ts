import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time of processes in hundredths of a second whatever the kernel was built with. */
const TICKS_PER_SECOND = 100

/** CPU seconds that a process has used; 0 where there is no /proc or the process is gone. */
export function cpuSecondsOf(pid: number): number {
  return statOf(pid)?.own ?? 0
}

/**
 * CPU seconds of a postmaster and all its processes, those included that have ended: a backend that ends leaves its
 * time to the postmaster that collects it.
 */
export function cpuSecondsOfTree(root: number): number {
  const top = statOf(root)
  if (!top) return 0
  let sum = top.own + top.ended
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = statOf(Number(name))
    if (stat?.parent === root) sum += stat.own
  }
  return sum
}

function statOf(pid: number): { parent: number; own: number; ended: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold blanks: what is counted begins behind the last of them, with the state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const seconds = (index: number) => Number(fields[index]) / TICKS_PER_SECOND
    return { parent: Number(fields[1]), own: seconds(11) + seconds(12), ended: seconds(13) + seconds(14) }
  } catch {
    return null
  }
}

/** Resident memory of a process in megabytes; 0 where there is no /proc. */
export function residentMegabytesOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}
