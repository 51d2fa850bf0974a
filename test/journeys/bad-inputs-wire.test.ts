import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { signRequest } from '../../protocol/signature.ts'
import type { ReasonCode } from '../../protocol/reasons.ts'
import { everyRow, leavesNothing, openBadWorld, refusedAs, type BadWorld } from '../bad-inputs.ts'
import { holdLanes, holdTable } from '../locks.ts'
import { exchange, type Exchange } from '../raw-http.ts'

// Requests that no client library would send. Slow senders are begun first and judged last.
const SLOWEST_MS = 20_000
let world: BadWorld
let host: string
let slow: Record<string, Promise<Exchange>>
const endings: (() => Promise<void>)[] = []

before(async () => {
  world = await openBadWorld({ after: (end) => void endings.unshift(end) })
  host = new URL(world.hub.url).host
  const drip = (first: string, byte: string) =>
    exchange(world.hub.url, first, {
      timeoutMs: SLOWEST_MS + 4_000,
      write: (socket) => {
        const timer = setInterval(() => (socket.writable ? socket.write(byte) : clearInterval(timer)), 1_000)
        socket.on('close', () => clearInterval(timer))
      },
    })
  slow = {
    'a body of one byte a second': drip(post('/api/orders', `Content-Length: 1000\r\n`, '{'), ' '),
    'a chunked body of one byte a second': drip(post('/api/orders', 'Transfer-Encoding: chunked\r\n', '1\r\n{\r\n'), '1\r\n \r\n'),
    'a body that never comes': drip(post('/api/docking/report', 'Content-Length: 10\r\n', ''), ''),
    "an operator's body of one byte a second": drip(post('/operator/dockings', `Authorization: Bearer ${world.hub.operatorKey}\r\nContent-Length: 1000\r\n`, '{'), ' '),
    "a shop's form of one byte a second": drip(`POST /d/acg/${world.acg.id}/shared/commodity/trade HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na`, 'a'),
    'a head of one byte a second': drip(`GET /api/docking HTTP/1.1\r\nHost: ${host}\r\nX: `, 'x'),
  }
})
after(async () => {
  await Promise.all(Object.values(slow))
  for (const end of endings) await end()
})

function post(path: string, head: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${head.includes('Authorization') ? '' : `Authorization: Bearer ${world.play.apiKey}\r\n`}Content-Type: application/json\r\n${head}\r\n${body}`
}

const get = (path: string, head = '', method = 'GET') => `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${world.play.apiKey}\r\n${head}\r\n`
const say = async (bytes: string | Uint8Array) => (await exchange(world.hub.url, bytes)).replies[0]

/** One address of each door, and all that a partner may read. */
const addresses = () => ['/api/docking', '/api/docking/report', '/api/goods', '/api/goods/changes', '/api/goods/gds_x', '/api/orders', '/api/orders/ord_x', '/api/funds/balance', '/api/funds/movements', '/api/reasons', '/operator/dockings', '/healthz', '/reasons/protocol.invalid_field', `/d/acg/${world.acg.id}/shared/commodity/items`]

test('rows 4 to 6, heads beyond the limits are refused at every door, up to the limits they are read', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const path of addresses()) {
      await row(async () => refusedAs(await say(get(path, `X: ${'x'.repeat(17 * 1024)}\r\n`)), 'protocol.headers_too_large', `17 KB ${path}`))
      await row(async () => refusedAs(await say(get(path, Array.from({ length: 63 }, (_, i) => `X${i}: 1\r\n`).join(''))), 'protocol.headers_too_large', `65 headers ${path}`, path))
      await row(async () => refusedAs(await say(get(`${path}?${'x'.repeat(9 * 1024)}`)), 'protocol.url_too_long', `9 KB ${path}`, path))
    }
    const most = Array.from({ length: 62 }, (_, i) => `X${i}: 1\r\n`).join('')
    await row(async () => assert.equal((await say(get('/api/docking', most)))?.status, 200, '64 headers'))
    await row(async () => assert.equal((await say(get('/api/docking', `X: ${'x'.repeat(15 * 1024)}\r\n`)))?.status, 200, '15 KB'))
  }))
})

test('a request that does not say plainly which host or path it means is refused', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    const bearer = `Authorization: Bearer ${world.play.apiKey}\r\n`
    const cases: [what: string, bytes: string][] = [
      ['two hosts', `GET /api/docking HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example\r\n${bearer}\r\n`],
      ['the same host twice', `GET /api/docking HTTP/1.1\r\nHost: ${host}\r\nhost: ${host}\r\n${bearer}\r\n`],
      ['no host', `GET /api/docking HTTP/1.1\r\n${bearer}\r\n`],
      ['an absolute address', `GET http://evil.example/api/docking HTTP/1.1\r\nHost: ${host}\r\n${bearer}\r\n`],
      ['an absolute address of its own', `GET http://${host}/api/docking HTTP/1.1\r\nHost: ${host}\r\n${bearer}\r\n`],
      ['the whole server', `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
      ['a way up', get('/api/../operator/dockings')],
      ['a way up at the end', get('/api/orders/..')],
      ['a dot', get('/api/./docking')],
      ['two slashes', get('//api/docking')],
      ['two slashes inside', get('/api//docking')],
    ]
    for (const [what, bytes] of cases) await row(async () => refusedAs(await say(bytes), ['protocol.host_ambiguous', ...(what === 'a way up at the end' ? ['protocol.route_not_found', 'orders.not_found'] as const : [])], what))
    for (const path of ['/api/%2e%2e/operator/dockings', '/api/..%2foperator/dockings', '/api\\..\\operator', '/%2e%2e/%2e%2e/etc/passwd', '/reasons/..%2f..%2fpackage.json', '/reasons/%2e%2e%2f%2e%2e%2fpackage', '/docs/../package.json', '/d/acg/../../operator/dockings']) {
      await row(async () => refusedAs(await say(get(path)), ['protocol.route_not_found', 'protocol.host_ambiguous', 'protocol.malformed_request'], path, path))
    }
  }))
})

test('row 79, methods that an address does not have are refused with those that it has', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const path of addresses().filter((path) => !path.startsWith('/d/'))) {
      for (const method of ['TRACE', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND']) {
        await row(async () => {
          const seen = await say(get(path, '', method))
          const problem = refusedAs(seen, 'protocol.method_not_allowed', `${method} ${path}`)
          assert.match(seen!.headers.get('allow') ?? '', /GET|POST/, `${method} ${path}: no Allow`)
          assert.equal(problem.because.method, method)
        })
      }
    }
    await row(async () => refusedAs(await say(`CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n`), 'protocol.method_not_allowed', 'CONNECT'))
    await row(async () => refusedAs(await say(get('/api/funds/balance', 'Content-Length: 0\r\n', 'POST')), 'protocol.method_not_allowed', 'POST of a read'))
  }))
})

test('bytes that are not HTTP, or HTTP that can be read two ways, are refused and the connection is closed', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    const cases: [what: string, bytes: string | Uint8Array, codes: ReasonCode[]][] = [
      ['a TLS greeting', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), ['protocol.malformed_request']],
      ['zeros', Buffer.alloc(64), ['protocol.malformed_request']],
      ['a line of text', 'hello\r\n\r\n', ['protocol.malformed_request']],
      ['a version that is none', 'GET / HTTP/9.9\r\n\r\n', ['protocol.malformed_request']],
      ['a header without a colon', `GET /api/docking HTTP/1.1\r\nHost: ${host}\r\nnonsense\r\n\r\n`, ['protocol.malformed_request']],
      ['a folded header', `GET /api/docking HTTP/1.1\r\nHost: ${host}\r\nX: a\r\n b\r\n\r\n`, ['protocol.malformed_request', 'partners.credentials_missing']],
      ['a NUL in a header', get('/api/docking', 'X: a\0b\r\n'), ['protocol.malformed_request']],
      ['a blank before the colon', get('/api/docking', 'X : a\r\n'), ['protocol.malformed_request']],
      ['two lengths', post('/api/orders', 'Content-Length: 2\r\nContent-Length: 3\r\n', '{}'), ['protocol.malformed_request']],
      ['a length below zero', post('/api/orders', 'Content-Length: -1\r\n', '{}'), ['protocol.malformed_request']],
      ['a length in words', post('/api/orders', 'Content-Length: two\r\n', '{}'), ['protocol.malformed_request']],
      ['a length and chunks', post('/api/orders', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n'), ['protocol.malformed_request']],
      ['chunks of another coding', post('/api/orders', 'Transfer-Encoding: gzip\r\n', '{}'), ['protocol.malformed_request']],
      ['a chunk without a size', post('/api/orders', 'Transfer-Encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n'), ['protocol.malformed_request']],
      ['a chunk of a size beyond numbers', post('/api/orders', 'Transfer-Encoding: chunked\r\n', 'fffffffffffffffff\r\n{}\r\n'), ['protocol.malformed_request', 'protocol.request_too_large']],
      ['a gzip body', Buffer.concat([Buffer.from(post('/api/orders', 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', '')), chunk(gzipSync(Buffer.alloc(1_000_000, 32))), Buffer.from('0\r\n\r\n')]), ['protocol.unsupported_media', 'protocol.request_too_large']],
    ]
    for (const [what, bytes, codes] of cases) {
      await row(async () => {
        const { replies } = await exchange(world.hub.url, bytes, { replies: 2, timeoutMs: 1_500 })
        refusedAs(replies[0], codes, what)
        assert.ok(replies.length === 1 || replies[1]!.status >= 400, `${what}: a second request was read out of the first`)
      })
    }
  }))
})

const chunk = (bytes: Uint8Array) => Buffer.concat([Buffer.from(`${bytes.byteLength.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

test('row 2, a chunked body that overflows is refused as soon as it does, at every address that takes one', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    const operator = `Authorization: Bearer ${world.hub.operatorKey}\r\n`
    for (const [path, more] of [['/api/orders', ''], ['/api/docking/report', ''], ['/operator/dockings', operator]] as const) {
      const flood = Buffer.concat([Buffer.from(post(path, `${more}Transfer-Encoding: chunked\r\n`, '')), ...Array.from({ length: 5 }, () => chunk(Buffer.alloc(16_384, 32)))])
      await row(async () => refusedAs(await say(flood), 'protocol.request_too_large', path))
    }
    const declared = post('/api/orders', 'Content-Length: 10000000\r\n', '')
    await row(async () => refusedAs(await say(declared), 'protocol.request_too_large', 'ten megabytes announced, none sent'))
  }))
})

test('two orders pipelined on one connection are two orders: both are answered in turn, charged, and kept', async () => {
  const { hub, live, play, good, ask } = world
  for (const docking of [play, live]) {
    const before = (await hub.bearer(docking, 'GET', '/api/funds/balance')).body.available
    const orders = ['P-1', 'P-2', 'P-3'].map((reference) => placing(docking, { ...ask({ reference }), good }))
    // Held until all of them wait, so that they are decided in one batch and answered in one breath.
    const letGo = await holdLanes(hub)
    const answers = exchange(hub.url, orders.join(''), { replies: 3 })
    await sleep(200)
    await letGo()
    const { replies } = await answers
    assert.deepEqual(replies.map((reply) => [reply.status, reply.body?.reference]), [[201, 'P-1'], [201, 'P-2'], [201, 'P-3']])
    assert.equal(new Set(replies.map((reply) => reply.body.cards[0].secret)).size, 3)
    // Longer than an order whose buyer hung up is kept before it is voided.
    await sleep(700)
    for (const reply of replies) assert.equal((await hub.bearer(docking, 'GET', `/api/orders/${reply.body.id}`)).body.state, 'delivered', `${docking.mode} ${reply.body.reference}: the cards were shown`)
    assert.equal((await hub.bearer(docking, 'GET', '/api/funds/balance')).body.available, (Number(before) - 28.5).toFixed(2))
  }
  assert.deepEqual(await hub.findings(), [])
})

test('an order pipelined behind a slow read is answered in its turn and kept', async () => {
  const { hub, play, good, ask } = world
  // Both keys are known for two seconds from here, so only the read in front needs the table.
  assert.equal((await hub.signed(play, 'GET', '/api/docking')).status, 200)
  const letGo = await holdTable(hub, 'partners.dockings')
  const read = `GET /operator/dockings HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${hub.operatorKey}\r\n\r\n`
  // The order's answer is ready long before it may be written.
  const answers = exchange(hub.url, read + placing(play, { ...ask({ reference: 'P-9' }), good }), { replies: 2 })
  await sleep(300)
  await letGo()
  const { replies } = await answers
  assert.deepEqual(replies.map((reply) => reply.status), [200, 201])
  await sleep(700)
  assert.equal((await hub.bearer(play, 'GET', `/api/orders/${replies[1]!.body.id}`)).body.state, 'delivered')
  assert.deepEqual(await hub.findings(), [])
})

function placing(docking: { keyId?: string; keySecret?: string }, body: Record<string, unknown>): string {
  const bytes = JSON.stringify(body)
  const headers = signRequest({ method: 'POST', url: `${world.hub.url}/api/orders`, body: bytes }, {
    keyid: docking.keyId!, created: Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
    hmacSha256: (base) => createHmac('sha256', docking.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
  }) as Record<string, string>
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `POST /api/orders HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(bytes)}\r\n${lines}\r\n${bytes}`
}

test('a connection that is answered with a refusal of its body does not read the rest as another request', async () => {
  const { hub, play } = world
  const smuggled = `GET /api/docking HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${play.apiKey}\r\n\r\n`
  const { replies } = await exchange(hub.url, post('/api/orders', 'Content-Length: 70000\r\n', smuggled), { replies: 2, timeoutMs: 1_000 })
  refusedAs(replies[0], 'protocol.request_too_large', 'announced too much')
  assert.equal(replies.length, 1)
})

test('row 88, who sends too slowly is told so within twenty seconds, and nothing is booked', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const [what, pending] of Object.entries(slow)) {
      await row(async () => {
        const { replies, closed, afterMs } = await pending
        assert.ok(replies[0] || closed, `${what}: still open after ${Math.round(afterMs)} ms`)
        refusedAs(replies[0], 'protocol.request_timeout', what)
        assert.ok(afterMs <= SLOWEST_MS + 500, `${what}: answered after ${Math.round(afterMs)} ms`)
      })
    }
  }))
})
