import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
const LIMIT_MS = 120_000

/** Runs the fault program on a Postgres and a hub of its own, as `npm run faults` does. */
async function faults(...words: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [join(root, 'bench/faults/run.ts'), ...words], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  // It stops what it has started when it is asked to.
  const timer = setTimeout(() => child.kill('SIGTERM'), LIMIT_MS)
  const code = await new Promise<number | null>((end) => child.once('close', end))
  clearTimeout(timer)
  return { code, text }
}

const SMOKED = ['F1', 'F2', 'F3', 'F13', 'F14', 'F15']

test('kill -9 of the hub and of its database, a full pool, a storm of retries and changed repeats lose, double and hide nothing', async () => {
  const { code, text } = await faults(...SMOKED, '--smoke')
  for (const fault of SMOKED) {
    const line = new RegExp(`^${fault} rounds=([1-9]\\d*) orders=([1-9]\\d*) acknowledged=([1-9]\\d*) .*violations=0$`, 'm')
    assert.match(text, line, text.slice(0, 3_000))
  }
  assert.equal(code, 0, text.slice(0, 3_000))
})

test('a hub that answers before it has committed is caught', async () => {
  const { code, text } = await faults('--mutant', 'answer_before_commit', '--seconds', '20')
  assert.equal(code, 0, text.slice(0, 3_000))
  assert.match(text, /^mutant answer_before_commit caught: [1-9]\d* violations$/m)
})
