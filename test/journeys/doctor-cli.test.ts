import assert from 'node:assert/strict'
import { createServer, request as requestHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { run } from '../../cli/program.ts'
import { openShop, tradeFields } from '../acg-shop.ts'
import { startHub, type TestDocking } from '../hub.ts'
import { readMails } from '../mails.ts'
import { signedBytes } from '../pasted.ts'
import type { Json } from '../raw-http.ts'

const hub = await startHub({ after })
const folder = mkdtempSync(join(tmpdir(), 'berth-doctor-'))
after(() => rmSync(folder, { recursive: true }))
await hub.stockGood({ code: 'CARD', cards: 5, mode: 'live' })
const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })

type Told = { code: number; json: Json; text: string }

async function berth(line: string[], env: NodeJS.ProcessEnv = {}, nowMs = () => Date.now()): Promise<Told> {
  let out = ''
  let err = ''
  const code = await run(line, {
    env: { DATA_DIR: folder, ...env }, stdin: (async function* () {})(), stdout: (text) => (out += text), stderr: (text) => (err += text), isTerminal: false, nowMs,
  })
  return { code, json: line.includes('--json') ? JSON.parse(out) : null, text: out + err }
}

const keysOf = (docking: TestDocking, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ BERTH_URL: hub.url, BERTH_KEY_ID: docking.keyId, BERTH_KEY_SECRET: docking.keySecret, ...more })
const findingOf = (told: Told, check: string, end = 'here') => told.json.checks.find((one: Json) => one.check === check && one.end === end)

async function hold(docking: TestDocking, code: string): Promise<string> {
  const reply = await hub.operator('POST', `/operator/dockings/${docking.id}/holds`, {
    code, scope: ['orders'], facts: ['The business licence that was sent has expired.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' },
  })
  if (reply.status === 202) return (await hub.approve(reply.body.draft)).body.id
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id
}

/** Something that stands at an address until the test ends. */
async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server: Server = createServer(answer)
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => new Promise<void>((closed) => {
    server.closeAllConnections()
    server.close(() => closed())
  }))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A reverse proxy in front of the hub that changes what passes. */
function proxy(t: TestContext, change: (headers: Record<string, unknown>) => Record<string, unknown>): Promise<string> {
  return serve(t, (request, response) => {
    const { port } = new URL(hub.url)
    const passed = requestHttp({ host: '127.0.0.1', port, method: request.method, path: request.url, headers: change({ ...request.headers }) as Record<string, string> }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    request.pipe(passed)
  })
}

test('a healthy docking is healthy from both ends, and the hub\'s signature is checked', async () => {
  const told = await berth(['doctor', '--json'], keysOf(shop))
  assert.deepEqual([told.code, told.json.verdict.class, told.json.reached, told.json.signed], [0, 'healthy', true, true], told.text)
  for (const check of ['network.name', 'network.connection', 'network.answer', 'network.proxy', 'here.clock', 'here.version', 'here.signature', 'hub.signature']) assert.equal(findingOf(told, check)?.verdict, 'pass', check)
  assert.equal(findingOf(told, 'ledger.funds', 'hub').verdict, 'pass')
  const shown = await berth(['doctor', '--lang', 'zh'], keysOf(shop))
  assert.match(shown.text, /结论：正常/)
  assert.match(shown.text, /签名有效/)
  assert.ok(!told.text.includes(shop.keySecret!))
})

test('a wrong secret, an empty deposit, a missing licence and a secret of the law each end with the code of their class', async () => {
  const poor = await hub.openDocking({ mode: 'live' })
  const stopped = await hub.openDocking({ mode: 'live', deposit: '10.00' })
  const secret = await hub.openDocking({ mode: 'live', deposit: '10.00' })
  const decision = await hold(stopped, 'compliance.licence_missing')
  await hold(secret, 'compliance.withheld_by_law')
  const rows: readonly (readonly [env: NodeJS.ProcessEnv, exit: number, cls: string, code: string])[] = [
    [keysOf({ ...shop, keySecret: 'not the secret' }), 10, 'technical', 'partners.signature_invalid'],
    [keysOf(poor), 11, 'commercial', 'ledger.insufficient_funds'],
    [keysOf(stopped), 12, 'compliance', 'compliance.licence_missing'],
    [keysOf(secret), 12, 'compliance', 'compliance.withheld_by_law'],
  ]
  for (const [env, exit, cls, code] of rows) {
    const told = await berth(['doctor', '--json'], env)
    assert.deepEqual([told.code, told.json.verdict.class, told.json.verdict.code, told.json.causes[0].code], [exit, cls, code, code], told.text)
  }
  const wrong = await berth(['doctor', '--json'], keysOf({ ...shop, keySecret: 'not the secret' }))
  assert.match(findingOf(wrong, 'here.signature').seen.en, /Both strings are equal.*signing secret/)
  assert.equal(wrong.json.signed, false)
  assert.equal((await hub.signed(shop, 'GET', '/api/docking')).status, 200)
  const told = await berth(['doctor', '--json'], keysOf(stopped))
  assert.deepEqual([told.json.causes[0].evidence, told.json.signed], [decision, true])
  const law = await berth(['doctor'], keysOf(secret))
  assert.match(law.text, /§.*facts may not be told.*电子商务法 第二十七条/)
})

test('a proxy that rewrites the host or drops headers is found, and the signature is not blamed on the key', async (t) => {
  const rewriting = await proxy(t, (headers) => ({ ...headers, host: 'upstream.internal' }))
  const told = await berth(['doctor', '--json'], keysOf(shop, { BERTH_URL: rewriting }))
  assert.deepEqual([told.code, told.json.verdict.code], [10, 'network.request_altered'], told.text)
  assert.deepEqual(findingOf(told, 'network.proxy').because, { what: 'Host', sent: new URL(rewriting).host, arrived: 'upstream.internal' })
  assert.match(findingOf(told, 'here.signature').seen.en, /"@authority": yours is 127\.0\.0\.1:\d+, and at the hub the Host header was upstream\.internal/)
  const stripping = await proxy(t, ({ signature: _, 'content-digest': __, ...headers }) => headers)
  const stripped = await berth(['doctor', '--json'], keysOf(shop, { BERTH_URL: stripping }))
  assert.match(findingOf(stripped, 'network.proxy').because.what, /content-digest, signature$/)
  assert.equal((await hub.signed(shop, 'GET', '/api/docking')).status, 200)
})

test('when nothing works it still says what is broken, unsigned: no name, nobody there, no TLS, no hub, a redirect', async (t) => {
  const page = await serve(t, (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>宝塔面板</html>'))
  const moved = await serve(t, (_, response) => response.writeHead(301, { location: 'https://elsewhere.example' }).end())
  const rows: readonly (readonly [url: string, exit: number, code: string])[] = [
    ['http://no-such-hub.invalid', 4, 'network.name_unresolved'], ['http://127.0.0.1:1', 4, 'network.unreachable'], [hub.url.replace('http:', 'https:'), 4, 'network.tls_failed'],
    [page, 4, 'network.not_a_hub'], [moved, 4, 'network.not_a_hub'],
  ]
  for (const [url, exit, code] of rows) {
    const told = await berth(['doctor', '--json'], keysOf(shop, { BERTH_URL: url }))
    assert.deepEqual([told.code, told.json.verdict.class, told.json.verdict.code, told.json.signed, told.json.report], [exit, 'technical', code, false, null], url)
    assert.ok(told.json.checks.find((one: Json) => one.code === code).remedy.zh.length > 20, url)
    const shown = await berth(['doctor'], keysOf(shop, { BERTH_URL: url }))
    assert.match(shown.text, /not signed: the hub could not be reached/)
  }
  const keyless = await berth(['doctor', '--json', '--url', hub.url], { DATA_DIR: join(folder, 'none') })
  assert.deepEqual([keyless.code, keyless.json.verdict.class, keyless.json.signed], [0, 'healthy', false])
  assert.match(findingOf(keyless, 'here.key').seen.en, /No key is set/)
})

test('a clock an hour off is found here, before any signature is tried', async () => {
  const told = await berth(['doctor', '--json'], keysOf(shop), () => Date.now() + 3_600_000)
  assert.deepEqual([told.code, told.json.verdict.code], [10, 'partners.clock_skew'])
  assert.ok(Math.abs(findingOf(told, 'here.clock').because.skewS - 3_600) < 30)
})

test('for the owner of an acg shop it does what the shop does, for each of the three types, and agrees with the hub', async () => {
  const docking = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00', appId: '1000' })
  const file = (key: string) => {
    writeFileSync(join(folder, 'key.txt'), `${key}\n`)
    return join(folder, 'key.txt')
  }
  const baseUrl = docking.baseUrl.replace(/^http:\/\/[^/]+/, hub.url)
  const line = (type: string, key: string, url = baseUrl) => ['doctor', '--json', '--dialect', 'acg', '--type', type, '--url', url, '--app-id', '1000', '--app-key', file(key)]
  for (const type of ['0', '1', '2']) {
    const wrong = await berth(line(type, 'WRONG-KEY-0000001'), { BERTH_API_KEY: docking.apiKey })
    assert.deepEqual([wrong.code, wrong.json.verdict.code, findingOf(wrong, 'shop.connect').code], [10, 'partners.signature_invalid', 'partners.signature_invalid'], `type ${type}: ${wrong.text}`)
    assert.equal(findingOf(wrong, 'partners.signature', 'hub').verdict, 'fail', `type ${type}: both ends say the same`)
    assert.match(findingOf(wrong, 'shop.connect').seen.zh, /店铺上只会显示/)
    assert.doesNotMatch(wrong.text, /WRONG-KEY/)
    const right = await berth(line(type, docking.appKey!), { BERTH_API_KEY: docking.apiKey })
    assert.deepEqual([right.code, right.json.verdict.class, right.json.signed], [0, 'healthy', true], `type ${type}: ${right.text}`)
    assert.match(findingOf(right, 'shop.items').seen.en, /lists 1 goods/)
    assert.ok(!right.text.includes(docking.appKey!))
  }
  const rootless = await berth(line('0', docking.appKey!, hub.url), {})
  assert.deepEqual([rootless.code, rootless.json.verdict.code], [10, 'protocol.route_not_found'])
  const missing = await berth(['doctor', '--dialect', 'acg', '--url', baseUrl])
  assert.equal(missing.code, 2)
})

test('the message in the shop and the letter to its owner carry the same link, and it opens', async () => {
  const docking = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00', appId: '1000' })
  await hub.operator('POST', `/operator/dockings/${docking.id}/contacts`, { channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions'] })
  const decision = await hold(docking, 'compliance.identity_unverified')
  const refused = await openShop(docking).call('/shared/commodity/trade', tradeFields('CARD', 1, '844261123050741979'))
  const link = `${hub.url}/reasons/compliance.identity_unverified`
  assert.ok(refused.msg.includes(link) && refused.msg.includes(decision) && refused.msg.length <= 200, refused.msg)
  await hub.hub.notices.follow()
  await hub.hub.notices.send()
  const letter = readMails(hub.dataDir).find(({ text }) => text.includes(decision))
  assert.ok(letter?.text.includes(link), letter?.text)
  assert.equal((await fetch(link)).status, 200)
  const told = await berth(['doctor', '--json', '--url', hub.url], { BERTH_API_KEY: docking.apiKey })
  assert.deepEqual([told.code, told.json.verdict.code, told.json.causes[0].evidence], [12, 'compliance.identity_unverified', decision])
})

test('one raw request is diagnosed from a file, with the code of its class', async () => {
  const file = join(folder, 'request.http')
  writeFileSync(file, signedBytes(shop, hub.url, 'GET', '/api/goods', null, { secret: 'wrong' }))
  const broken = await berth(['diagnose', file, '--json'], keysOf(shop))
  assert.deepEqual([broken.code, broken.json.layer, broken.json.verdict.code], [10, 'signature', 'partners.signature_invalid'])
  const shown = await berth(['diagnose', file, '--lang', 'zh'], keysOf(shop))
  assert.match(shown.text, /✗ +signature[^]*解决办法：[^]*"@method": GET[^]*结论：技术原因/)
  writeFileSync(file, signedBytes(shop, hub.url, 'GET', '/api/goods', null))
  assert.equal((await berth(['diagnose', file], keysOf(shop))).code, 0)
  assert.equal((await berth(['diagnose', join(folder, 'nothing.http')], keysOf(shop))).code, 2)
})
