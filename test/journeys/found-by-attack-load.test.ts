import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHub } from '../hub.ts'

test('a paste of nothing but line ends is read like any other', async (t) => {
  const hub = await startHub(t)
  for (const run of ['\r', '\n', '\r\r\n']) {
    const request = `GET / HTTP/1.1${run.repeat(Math.floor(60_000 / run.length))}x`
    const told = await fetch(`${hub.url}/doctor`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ request }) })
    assert.deepEqual([told.status, ((await told.json()) as { verdict: { class: string } }).verdict.class], [200, 'technical'])
  }
  const blank = await fetch(`${hub.url}/doctor`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ request: `${' '.repeat(200_000)}!`, encoding: 'base64' }) })
  assert.equal(blank.status, 422)
})
