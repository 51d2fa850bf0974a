import { join } from 'node:path'

/**
 * How the hub's process is run. Left alone, V8 sizes its heap by the machine and a busy hub takes 400 MB of which it
 * uses 60; with these bounds it stays under 160 MB at 256 connections (`npm run bench -- P14`).
 */
export const runtimeFlags: readonly string[] = ['--max-semi-space-size=16', '--max-old-space-size=256']

/** One arena: the hub has one busy thread. The compile cache spares a later start the stripping of types. */
export function runtimeEnvironment(dataDir: string): Record<string, string> {
  return { MALLOC_ARENA_MAX: '1', NODE_COMPILE_CACHE: join(dataDir, 'compile-cache') }
}
