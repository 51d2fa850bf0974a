import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { CheckResult } from '../kernel/checks.ts'
import { checkPublicAddress } from './self.ts'

const docking = { id: 'dck_1', lane: 0, mode: 'live' as const, dialect: 'json' }
const at = new Date('2026-12-01T00:00:00Z')
const seen = (results: readonly CheckResult[]) => results.map(({ check, verdict, code }) => [check, verdict, code])

async function plainPort(t: TestContext): Promise<{ port: number; connections: () => number }> {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.on('error', () => {})
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}

test('an address of this machine without encryption is fine', async () => {
  assert.deepEqual(seen(await checkPublicAddress(() => 'http://127.0.0.1:8080', () => 0)(docking, at)), [['network.name', 'pass', null], ['network.tls', 'pass', null]])
})

test('what the hub finds wrong with its own address is told and never stands in a partner\'s way', async (t) => {
  const { port, connections } = await plainPort(t)
  let nowMs = 0
  const check = checkPublicAddress(() => `https://127.0.0.1:${port}`, () => nowMs)
  const found = await check(docking, at)
  assert.deepEqual(seen(found), [['network.name', 'pass', null], ['network.tls', 'warn', 'network.tls_failed']])
  assert.match(found[1]!.seen.zh, /该端口不是 TLS/)
  const once = connections()
  await check(docking, at)
  assert.equal(connections(), once, 'the next report costs no connection')
  nowMs += 600_001
  await check(docking, at)
  assert.ok(connections() > once, 'and after a while it is looked at again')
  const nobody = await checkPublicAddress(() => 'https://127.0.0.1:1', () => 0)(docking, at)
  assert.deepEqual(seen(nobody)[1], ['network.tls', 'warn', 'network.unreachable'])
})
