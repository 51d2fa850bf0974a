/** The exit code of a program that refuses to start: EX_CONFIG of sysexits.h. Starting it again changes nothing. */
export const startRefusedExitCode = 78

/**
 * Thrown when the hub must not start as things are. The message is one sentence for the operator: what is wrong, and
 * what to do. It is printed without a stack, and the process ends with `startRefusedExitCode`.
 */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}
