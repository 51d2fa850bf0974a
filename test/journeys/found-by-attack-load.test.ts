import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

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

async function apply(hub: TestHub, name = 'Newcomer'): Promise<TestDocking> {
  const response = await fetch(`${hub.url}/api/sandbox/applications`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name, dialect: 'json' }) })
  assert.equal(response.status, 201)
  const opened = (await response.json()) as { docking: string; baseUrl: string; credentials: object }
  return { id: opened.docking, name, mode: 'sandbox', dialect: 'json', baseUrl: opened.baseUrl, appId: null, ...opened.credentials }
}

test('a sandbox has five decisions made at a time and fifty a day, and the rest is refused however it comes in', async (t) => {
  const hub = await startHub(t)
  const shop = await apply(hub)
  const ask = () => hub.bearer(shop, 'PUT', '/api/sandbox/faults', { fault: 'decision:terms.payment_overdue' })
  const told = await Promise.all(Array.from({ length: 12 }, ask))
  assert.deepEqual(told.map(({ status }) => status).toSorted(), [...Array.from({ length: 5 }, () => 200), ...Array.from({ length: 7 }, () => 422)])
  assert.equal(told.find(({ status }) => status === 422)!.body.code, 'protocol.invalid_field')
  assert.ok((await hub.bearer(shop, 'GET', '/api/docking/report')).text.length < 60_000)
  for (let round = 1; round < 10; round++) {
    await hub.bearer(shop, 'DELETE', '/api/sandbox/faults')
    assert.deepEqual((await Promise.all(Array.from({ length: 5 }, ask))).map(({ status }) => status), [200, 200, 200, 200, 200])
  }
  await hub.bearer(shop, 'DELETE', '/api/sandbox/faults')
  const over = await ask()
  assert.deepEqual([over.status, over.body.code, over.body.because.allowed], [429, 'platform.rate_limited', '50 decisions a day'])
})
