import { readFileSync } from 'node:fs'

const MOST_CONNECTIONS = 4_096
/** What the hub opens besides: its lines to the database, its log, a page that is read, and room for a reconnect. */
const KEPT_FILES = 64
const LEAST_CONNECTIONS = 16

/** How many files this process may have open; Infinity where that cannot be seen. */
export function openFileLimit(): number {
  try {
    const soft = /^Max open files\s+(\w+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}

/**
 * How many clients may be connected at once. Each takes a file, and one too many would take the one that the next line
 * to the database needs: a hub of which strangers hold every file can be reached and can do nothing.
 */
export function connectionsWithin(openFiles: number): number {
  return Math.min(MOST_CONNECTIONS, Math.max(LEAST_CONNECTIONS, openFiles - KEPT_FILES))
}
