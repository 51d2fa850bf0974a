import { join } from 'node:path'

/**
 * How the hub's process is run. Left alone, V8 sizes its heap by the machine and a busy hub takes 340 MB of which it uses
 * 35; bounded so it takes half of that. The scavenger works alone: with a core of its own for Postgres, its threads only
 * wait for each other, which cost 40 µs an order.
 */
export const runtimeFlags: readonly string[] = ['--max-semi-space-size=16', '--max-old-space-size=192', '--no-parallel-scavenge']

/** Few arenas: the hub has one busy thread. The compile cache spares a later start the stripping of types. */
export function runtimeEnvironment(dataDir: string): Record<string, string> {
  return { MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: join(dataDir, 'compile-cache') }
}
