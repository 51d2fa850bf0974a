import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startHub } from '../hub.ts'

const LONG = '卡'.repeat(20_000)

test('a hub that is told to stop finishes an answer that a slow shop has hardly begun to read, and lets nobody else in', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({})
  for (let from = 0; from < 300; from += 100) {
    const items = Array.from({ length: 100 }, (_, i) => ({ code: `G${from + i}`, name: 'Good', category: 'Test', unitPrice: '1.00', description: LONG }))
    for (let i = 0; i < items.length; i += 10) assert.equal((await hub.operator('POST', '/operator/goods', { items: items.slice(i, i + 10) })).status, 200)
  }
  const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
  t.after(() => socket.destroy())
  const idle = connect(Number(new URL(hub.url).port), '127.0.0.1')
  const idleEnded = new Promise((end) => idle.once('close', end))
  idle.on('error', () => {})
  socket.write(`GET /api/goods?limit=500 HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${shop.apiKey}\r\n\r\n`)
  const chunks: Buffer[] = []
  const begun = new Promise<void>((go) => socket.once('data', (chunk) => {
    chunks.push(chunk)
    socket.pause()
    go()
  }))
  await begun
  const closing = hub.close()
  await idleEnded
  await assert.rejects(fetch(`${hub.url}/healthz`), 'the door is closed to new callers')
  const over = new Promise((end) => socket.once('close', end))
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.resume()
  await over
  await closing
  const text = Buffer.concat(chunks).toString('utf8')
  const { items } = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as { items: { description: string }[] }
  assert.equal(items.length, 300)
  assert.ok(items.every(({ description }) => description === LONG))
})
