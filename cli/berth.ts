#!/usr/bin/env node
import { run } from './program.ts'

process.on('SIGINT', () => process.exit(130))
// A reader such as `head` may go before the end: that is its right, and nobody is left to tell.
process.stdout.on('error', () => process.exit())

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  stdin: process.stdin,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  nowMs: Date.now,
})
