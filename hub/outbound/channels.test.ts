import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import type { Dispatch } from '../domain/notices/ports.ts'
import { makeLog } from '../platform/log.ts'
import { isInside, openCall } from './call.ts'
import { dingtalkRobot, openChannels, smsGateway, wecomRobot } from './channels.ts'

type Came = { method: string; url: URL; headers: IncomingMessage['headers']; body: any }
type Manner = (response: ServerResponse) => void

/** Somebody else's server, as well or as badly behaved as the test wants it. */
async function openSimulator(t: TestContext, manner: { now: Manner }): Promise<{ origin: string; came: Came[] }> {
  const came: Came[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    came.push({ method: request.method!, url: new URL(request.url!, 'http://x'), headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null') })
    manner.now(response)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, came }
}

const json = (status: number, body: unknown): Manner => (response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const silent = makeLog('silent')
const SECRET = 'SEC0123456789abcdef'
const dispatch = (more: Partial<Dispatch>): Dispatch => ({
  messageId: '<ntc_1@hub.example>', channel: 'email', to: 'owner@shop.example', masked: 'o***', secret: null, subject: '处理决定', text: 'text', html: '<p>', markdown: '**处理决定**', short: '合规 x.y https://hub.example/n/t',
  language: 'zh-CN', at: new Date('2026-12-01T00:00:00Z'), ...more,
})
const code = (promise: Promise<unknown>) => promise.then(() => 'sent', (error: { code?: string }) => error.code ?? String(error))

/** Whatever a robot or gateway may do that is no receipt. */
const BAD: [string, Manner, string][] = [
  ['an error code', json(200, { errcode: 93000, errmsg: 'invalid webhook url', accepted: false }), 'not_accepted'],
  ['5xx', json(503, { errcode: 0, accepted: true }), 'not_accepted'],
  ['a redirect', (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'not_accepted'],
  ['a page', (response) => void response.end('<html>'), 'not_accepted'],
  ['a receipt that is none', json(200, { errcode: '0', accepted: 'true' }), 'not_accepted'],
  ['null', json(200, null), 'not_accepted'],
  ['nothing in time', () => {}, 'timed_out'],
  ['half an answer and then nothing', (response) => void response.writeHead(200, { 'content-length': '100' }).write('{"errcode":'), 'timed_out'],
  ['a dropped line', (response) => void response.destroy(), 'ECONNRESET'],
  ['an endless answer', (response) => {
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    }
    response.on('drain', more)
    more()
  }, 'answer_too_long'],
]

test('a WeCom robot gets markdown as its maker wants it, and only errcode 0 is a receipt', async (t) => {
  const manner = { now: json(200, { errcode: 0, errmsg: 'ok' }) }
  const { origin, came } = await openSimulator(t, manner)
  const robot = wecomRobot(openCall({ log: silent, allowPrivate: true, timeoutMs: 300 }))
  const letter = dispatch({ channel: 'wecom', to: `${origin}/cgi-bin/webhook/send?key=abcdefgh` })
  await robot.send(letter)
  assert.deepEqual([came[0]!.method, came[0]!.url.pathname, came[0]!.url.searchParams.get('key'), came[0]!.body], ['POST', '/cgi-bin/webhook/send', 'abcdefgh', { msgtype: 'markdown', markdown: { content: '**处理决定**' } }])
  for (const [name, bad, expected] of BAD) {
    manner.now = bad
    assert.equal(await code(robot.send(letter)), expected, name)
  }
})

test('a DingTalk robot gets a time and a signature that its maker can check', async (t) => {
  const manner: { now: Manner } = { now: json(200, { errcode: 0, errmsg: 'ok' }) }
  const { origin, came } = await openSimulator(t, manner)
  const robot = dingtalkRobot(openCall({ log: silent, allowPrivate: true, timeoutMs: 300 }), { nowMs: () => 1_800_000_000_123 })
  const letter = dispatch({ channel: 'dingtalk', to: `${origin}/robot/send?access_token=a+b%2Fc`, secret: SECRET })
  await robot.send(letter)
  const { url, body } = came[0]!
  assert.deepEqual([url.searchParams.get('access_token'), url.searchParams.get('timestamp'), url.searchParams.get('sign')], ['a b/c', '1800000000123', createHmac('sha256', SECRET).update(`1800000000123\n${SECRET}`).digest('base64')])
  assert.deepEqual(body, { msgtype: 'markdown', markdown: { title: '处理决定', text: '**处理决定**' } })
  for (const [name, bad, expected] of BAD) {
    manner.now = bad
    assert.equal(await code(robot.send(letter)), expected, name)
  }
})

test('a gateway gets the short text alone, under an id that makes a repeat harmless', async (t) => {
  const manner: { now: Manner } = { now: json(202, { accepted: true }) }
  const { origin, came } = await openSimulator(t, manner)
  const gateway = smsGateway(openCall({ log: silent, allowPrivate: true, timeoutMs: 300 }), { url: `${origin}/send`, key: 'gateway-key' })
  const letter = dispatch({ channel: 'sms', to: '+8613800138000' })
  await gateway.send(letter)
  assert.deepEqual(came[0]!.body, { id: 'ntc_1', to: '+8613800138000', text: '合规 x.y https://hub.example/n/t', language: 'zh-CN' })
  assert.deepEqual([came[0]!.headers.authorization, came[0]!.headers['idempotency-key']], ['Bearer gateway-key', 'ntc_1'])
  for (const [name, bad, expected] of BAD) {
    manner.now = bad
    assert.equal(await code(gateway.send(letter)), expected, name)
  }
})

test('nobody makes the hub call into its own network, by number, by name or by another scheme', async () => {
  const call = openCall({ log: silent, allowPrivate: false, timeoutMs: 2_000 })
  const asked = (url: string) => code(call({ method: 'GET', url }))
  for (const url of [
    'https://127.0.0.1/x', 'https://10.1.2.3/', 'https://169.254.169.254/latest', 'https://[::1]/', 'https://[::ffff:10.0.0.1]/', 'https://[fd00::1]/', 'https://2130706433/', 'https://0x7f.1/', 'https://localhost/', 'https://me:pw@example.com/',
    'http://example.com/', 'file:///etc/passwd', 'gopher://example.com/', 'x',
  ]) assert.equal(await asked(url), 'address_refused', url)
  for (const inside of ['0.0.0.0', '100.64.0.1', '172.31.255.255', '192.168.1.1', '224.0.0.1', '255.255.255.255', '::', 'fe80::1', 'ff02::1', '64:ff9b::a00:1', '2002:a00:1::', '::ffff:192.168.0.1', '2001:db8::1']) assert.ok(isInside(inside), inside)
  for (const outside of ['1.1.1.1', '172.32.0.1', '100.128.0.1', '2400:3200::1', '::ffff:1.1.1.1']) assert.ok(!isInside(outside), outside)
})

test('the log shows where a call went, and never the key in its address', async (t) => {
  const { origin } = await openSimulator(t, { now: (response) => void response.destroy() })
  let lines = ''
  const log = pino({ level: 'debug' }, new Writable({ write(chunk, _, done) { lines += String(chunk); done() } }))
  const robot = wecomRobot(openCall({ log, allowPrivate: true }))
  await assert.rejects(robot.send(dispatch({ channel: 'wecom', to: `${origin}/cgi-bin/webhook/send?key=SECRETKEY` })), (error: Error) => !/SECRETKEY|webhook/.test(`${error.message} ${error.stack}`))
  assert.ok(lines.includes(origin))
  assert.doesNotMatch(lines, /SECRETKEY|webhook/)
})

test('without a wire every channel is a file of the local outbox, with no robot\'s address in it; files go after a time, those of others stay', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'berth-outbox-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const channels = openChannels({ dataDir, mailFrom: 'berth@localhost', noticeWire: [], smsGateway: null, outboundPrivate: false }, { log: silent, clock: { nowMs: () => 0 } })
  await channels.sweep(new Date())
  assert.ok(!existsSync(join(dataDir, 'outbox')))
  await channels.email.send(dispatch({}))
  await channels.sms.send(dispatch({ channel: 'sms', to: '+8613800138000' }))
  await channels.wecom.send(dispatch({ channel: 'wecom', to: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=SECRETKEY', masked: 'qyapi.weixin.qq.com ***TKEY' }))
  await channels.dingtalk.send(dispatch({ channel: 'dingtalk', to: 'https://oapi.dingtalk.com/robot/send?access_token=SECRETKEY', masked: 'oapi.dingtalk.com ***TKEY', secret: SECRET }))
  const folder = join(dataDir, 'outbox')
  const names = readdirSync(folder).toSorted()
  assert.deepEqual(names, ['dingtalk.json', 'eml', 'sms.json', 'wecom.json'].map((kind) => `20261201T000000Z-ntc_1.${kind}`))
  for (const name of names) {
    assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /SECRETKEY|SEC0/, name)
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600)
  }
  assert.deepEqual(JSON.parse(readFileSync(join(folder, names[2]!), 'utf8')).text, '合规 x.y https://hub.example/n/t')
  writeFileSync(join(folder, 'notes.txt'), 'of the operator')
  const old = new Date(Date.now() - 91 * 86_400_000)
  for (const name of [...names.slice(0, 3), 'notes.txt']) utimesSync(join(folder, name), old, old)
  await channels.sweep(new Date(Date.now() - 90 * 86_400_000))
  assert.deepEqual(readdirSync(folder).toSorted(), [names[3], 'notes.txt'])
})
