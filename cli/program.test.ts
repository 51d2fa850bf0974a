import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHmac, createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { authorityOf, checkContentDigest, readSignature, verifyClaim } from '../protocol/signature.ts'
import { commands, run } from './program.ts'

/** Stands in for a hub where only the command line itself is asked about: answers what the test laid out, and keeps what came. */
type Laid = { status: number; body: unknown; headers?: Record<string, string> }
type Came = { method: string; url: string; headers: IncomingMessage['headers']; body: string }
let laid: Record<string, Laid> = {}
let came: Came[] = []
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  came.push({ method: request.method!, url: request.url!, headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
  const answer = laid[`${request.method} ${request.url!.split('?')[0]}`] ?? { status: 599, body: '<html>' }
  response.writeHead(answer.status, answer.headers).end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
})
let url = ''
const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'))
before(() => new Promise<void>((ready) => server.listen(0, '127.0.0.1', () => {
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  ready()
})))
after(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  laid = {}
  came = []
})

async function berth(line: string | string[], options: { env?: NodeJS.ProcessEnv; stdin?: string } = {}): Promise<{ code: number; out: string; err: string }> {
  let out = ''
  let err = ''
  const code = await run(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, {
    env: { BERTH_URL: url, DATA_DIR: folder, BERTH_OPERATOR_KEY: 'operator-secret', BERTH_KEY_ID: 'key_1', BERTH_KEY_SECRET: 'partner-secret', ...options.env },
    stdin: (async function* () { yield Buffer.from(options.stdin ?? '') })(),
    stdout: (text) => (out += text), stderr: (text) => (err += text), isTerminal: false, nowMs: () => 1_800_000_000_000,
  })
  return { code, out, err }
}

const problem = {
  type: 'https://hub.example/reasons/ledger.insufficient_funds', title: 'The deposit does not cover the order', status: 402,
  detail: 'The order needs 19.19 yuan; 4.20 are available.', code: 'ledger.insufficient_funds', class: 'commercial', side: 'partner',
  because: { needed: '19.19', available: '4.20' }, retry: 'after_change', requestId: 'req_1', serverTime: '2026-12-01T00:00:00Z',
}

test('a refusal says class, title, detail, page and what to do, and exits with 1', async () => {
  laid['POST /api/orders'] = { status: 402, body: problem }
  const { code, out, err } = await berth('order --good gds_1 --quantity 2 --max-price 9.80 --reference A-1')
  assert.equal(code, 1)
  assert.equal(out, '')
  assert.match(err, /^Refused \(commercial\): The deposit does not cover the order\n {2}The order needs 19\.19 yuan; 4\.20 are available\.\n/)
  assert.match(err, /what to do +Change what the sentence above names/)
  assert.match(err, /page +https:\/\/hub\.example\/reasons\/ledger\.insufficient_funds/)
  assert.match(err, /request +req_1/)
})

test('the same refusal in Chinese asks the hub for Chinese', async () => {
  laid['POST /api/orders'] = { status: 402, body: { ...problem, title: '余额不足', detail: '余额不足：需要 19.19 元，可用 4.20 元。' } }
  const { code, err } = await berth('order --good gds_1 --quantity 2 --max-price 9.80', { env: { LANG: 'zh_CN.UTF-8' } })
  assert.equal(code, 1)
  assert.equal(came[0]!.headers['accept-language'], 'zh-CN')
  assert.match(err, /^被拒绝（商业）：余额不足\n/)
  assert.match(err, /怎么办 +请按说明页修改/)
  assert.match(err, /责任方 +对接方/)
})

test('what to do follows from the refusal: never, later, after the decision, on the main site', async () => {
  const said = async (change: object) => {
    laid['GET /api/funds/balance'] = { status: 429, body: { ...problem, ...change } }
    return (await berth('balance')).err
  }
  assert.match(await said({ retry: 'never' }), /Do not send the same again/)
  assert.match(await said({ retry: 'same_request_after', because: { retryAfterS: 7 } }), /again in 7 s/)
  assert.match(await said({ decision: 'dec_1', appeal: 'https://hub.example/appeal' }), /statement of the decision.*\n(.*\n)*.*decision +dec_1\n.*appeal +https/)
  assert.match(await said({ side: 'hub' }), /main site's side/)
})

test('with --json one document stands on stdout: the answer, the refusal, or what was wrong with the command', async () => {
  laid['GET /api/funds/balance'] = { status: 200, body: { available: '4.20', mode: 'live', currency: 'CNY' } }
  const good = await berth('balance --json')
  assert.deepEqual([good.code, JSON.parse(good.out), good.err], [0, { available: '4.20', mode: 'live', currency: 'CNY' }, ''])
  laid['GET /api/funds/balance'] = { status: 402, body: problem }
  const refused = await berth('--json balance')
  assert.deepEqual([refused.code, JSON.parse(refused.out), refused.err], [1, problem, ''])
  const typo = await berth('balance --jsno --json')
  assert.deepEqual([typo.code, JSON.parse(typo.out).code, typo.err], [2, 'cli.wrong_usage', ''])
  const nobody = await berth('balance --json', { env: { BERTH_URL: 'http://127.0.0.1:1' } })
  assert.deepEqual([nobody.code, JSON.parse(nobody.out).code, nobody.err], [4, 'cli.hub_unreachable', ''])
})

test('a fault of the hub, nobody there, and somebody who is no hub are 4', async () => {
  laid['GET /api/funds/balance'] = { status: 503, body: { ...problem, status: 503, code: 'platform.storage_unavailable' }, headers: { 'retry-after': '2' } }
  const fault = await berth('balance')
  assert.equal(fault.code, 4)
  assert.match(fault.err, /platform\.storage_unavailable/)
  assert.equal((await berth('balance', { env: { BERTH_URL: 'http://127.0.0.1:1' } })).code, 4)
  laid['GET /api/funds/balance'] = { status: 200, body: '<html>' }
  const stranger = await berth('balance')
  assert.equal(stranger.code, 4)
  assert.match(stranger.err, /not as a hub does/)
})

const good = { id: 'gds_1', code: 'junnet-10', name: '骏网一卡通 10元', category: '游戏点卡', description: '', unitPrice: '9.50', onSale: true, stock: 5, stockClass: 'low', minimum: 1, maximum: 10, form: {} }
const order = {
  id: 'ord_1', reference: 'A-1', state: 'delivered', good: 'gds_1', quantity: 2, unitPrice: '9.50', total: '19.00', fee: '0', charged: '19.00',
  cards: [{ number: 'N1', secret: 'S1', expiresAt: null }, { number: null, secret: 'S2', expiresAt: null }], createdAt: '2026-12-01T00:00:00Z',
}

test('an order by code looks up id and price on every page, guards by that price and says so', async () => {
  laid['GET /api/goods'] = { status: 200, body: { items: [good], next: null } }
  laid['POST /api/orders'] = { status: 201, body: order }
  const { code, out } = await berth('order --good junnet-10 --quantity 2')
  assert.equal(code, 0)
  const sent = JSON.parse(came[1]!.body)
  assert.deepEqual([sent.good, sent.quantity, sent.maxUnitPrice], ['gds_1', 2, '9.50'])
  assert.match(out, /guard +9\.50 \(the price of now/)
  assert.match(out, /N1 +S1\n +S2/)
})

test('an order is signed over its very bytes, as the hub reads signatures', async () => {
  laid['POST /api/orders'] = { status: 201, body: order }
  await berth('order --good gds_1 --quantity 2 --max-price 9.80 --reference A-1')
  const { headers, body } = came[0]!
  assert.equal(body, '{"reference":"A-1","good":"gds_1","quantity":2,"maxUnitPrice":"9.80"}')
  const claim = readSignature({
    method: 'POST', scheme: 'http', authority: authorityOf(headers.host!, 'http'), path: '/api/orders', query: '', hasBody: true,
    header: (name) => headers[name] as string | undefined,
  })
  assert.ok(claim.ok)
  assert.equal(claim.value.keyid, 'key_1')
  assert.ok(verifyClaim(claim.value, { kind: 'hmac-sha256' }, {
    hmacSha256: (base) => createHmac('sha256', 'partner-secret').update(base).digest(), equal: (a, b) => Buffer.compare(a, b) === 0,
  }))
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
  assert.ok(checkContentDigest(headers['content-digest'] as string, Buffer.from(body), sha256, sha256).ok)
})

test('an order without an answer names the reference under which it can be asked again', async () => {
  laid['POST /api/orders'] = { status: 503, body: { ...problem, status: 503, code: 'platform.outcome_unknown', retry: 'same_request_after' } }
  const fault = await berth('order --good gds_1 --quantity 2 --max-price 9.80 --reference A-1')
  assert.equal(fault.code, 4)
  assert.match(fault.err, /--reference A-1/)
  laid['POST /api/orders'] = { status: 502, body: 'Bad Gateway' }
  const gone = await berth('order --good gds_1 --quantity 2 --max-price 9.80')
  assert.equal(gone.code, 4)
  assert.match(gone.err, /--reference berth-\w+-[0-9a-f]{8}/)
})

test('a repeated order says that it is the same one', async () => {
  laid['POST /api/orders'] = { status: 200, body: order, headers: { 'idempotent-replayed': 'true' } }
  assert.match((await berth('order --good gds_1 --quantity 2 --max-price 9.80 --reference A-1')).out, /here is that same order/)
})

test('keys come from the environment, or from the docking of demo.json that is named', async () => {
  laid['GET /api/funds/balance'] = { status: 200, body: { available: '1.00', mode: 'sandbox', currency: 'CNY' } }
  const dataDir = mkdtempSync(join(folder, 'demo-'))
  const dockings = [
    { name: 'live', id: 'dck_1', mode: 'live', dialect: 'json', keyId: 'key_live', keySecret: 's' }, { name: 'box', id: 'dck_2', mode: 'sandbox', dialect: 'json', apiKey: 'bth_test_box' },
    { name: 'shop', id: 'dck_3', mode: 'live', dialect: 'acg0', baseUrl: 'https://hub.example/d/acg/dck_3', appId: '1', appKey: 'k' },
  ]
  writeFileSync(join(dataDir, 'demo.json'), JSON.stringify({ hub: url, operator: 'o', dockings, next: [] }))
  const bare = { BERTH_URL: '', DATA_DIR: dataDir, BERTH_KEY_ID: '', BERTH_KEY_SECRET: '' }
  await berth('balance', { env: bare })
  assert.equal(came[0]!.headers.authorization, 'Bearer bth_test_box')
  await berth('balance --docking live', { env: bare })
  assert.match(came[1]!.headers['signature-input'] as string, /keyid="key_live"/)
  await berth('balance', { env: { DATA_DIR: dataDir } })
  assert.match(came[2]!.headers['signature-input'] as string, /keyid="key_1"/)
  assert.match((await berth('balance --docking shop', { env: bare })).err, /speaks acg0, not JSON: enter https:\/\/hub\.example\/d\/acg\/dck_3/)
  assert.equal((await berth('balance --docking nobody', { env: bare })).code, 2)
  assert.equal((await berth('balance', { env: { ...bare, BERTH_KEY_ID: 'half' } })).code, 2)
  assert.equal((await berth('docking list', { env: { ...bare, BERTH_OPERATOR_KEY: '' } })).code, 2)
  assert.equal(came.length, 3)
})

test('no key and no secret of the caller is ever printed', async () => {
  laid['POST /api/orders'] = { status: 402, body: problem }
  for (const line of ['docking list', 'order --good gds_1 --quantity 2 --max-price 9.80', 'docking add --name x --mode live --dialect acg0 --app-key TYPED-SECRET-12345']) {
    for (const form of ['', ' --json']) {
      const { out, err } = await berth(line + form)
      assert.doesNotMatch(out + err, /operator-secret|partner-secret|TYPED-SECRET/)
    }
  }
})

test('the ledger check exits with 3 and names the row that is wrong', async () => {
  laid['GET /operator/ledger/check'] = { status: 200, body: { ok: true, findings: [] } }
  assert.deepEqual(await berth('ledger check'), { code: 0, out: 'The books are clean.\n', err: '' })
  laid['GET /operator/ledger/check'] = { status: 200, body: { ok: false, findings: [{ rule: 'stored balance', row: 'ledger.balances lane=3', expected: '1.00', seen: '2.00' }] } }
  const { code, out } = await berth('ledger check')
  assert.equal(code, 3)
  assert.match(out, /1 row is wrong:\n.*stored balance\n +row +ledger\.balances lane=3\n +expected +1\.00\n +seen +2\.00/)
})

test('goods go in batches of 1000, and errors carry the lines of the file', async () => {
  const file = join(folder, 'goods.csv')
  const rows = Array.from({ length: 1_500 }, (_, i) => `g-${i},"name\n${i}",c,1.00`)
  writeFileSync(file, `code,name,category,unitPrice\n${rows.join('\n')}\ng-7,again,c,1.00\nshort\n`)
  laid['POST /operator/goods'] = { status: 200, body: { added: 1, changed: 0, unchanged: 0, errors: [{ line: 3, code: 'protocol.invalid_field', message: { en: 'bad', zh: '错' } }] } }
  const { code, out } = await berth(`goods import ${file} --json`)
  assert.equal(code, 3)
  assert.deepEqual(came.map(({ body }) => JSON.parse(body).items.length), [1_000, 500])
  const result = JSON.parse(out)
  assert.deepEqual([result.added, result.errors.map(({ line, code }: { line: number; code: string }) => [line, code])], [
    2, [[6, 'protocol.invalid_field'], [2_006, 'protocol.invalid_field'], [3_002, 'catalogue.good_reused'], [3_003, 'protocol.malformed_request']],
  ])
})

test('cards stream from stdin as they are, and lines that were left out exit with 3', async () => {
  laid['POST /operator/cards'] = {
    status: 200, body: { lot: '7', published: 2, errorCount: 2, errors: [{ line: 4, code: 'b', message: { en: 'four', zh: '四' } }, { line: 2, code: 'a', message: { en: 'two', zh: '二' } }] },
  }
  const { code, out } = await berth('cards import - --good junnet-10 --mode live --batch b1 --expires 2028-01-01', { stdin: '\ufeffN1,S1\r\nN2,卡\n' })
  assert.equal(code, 3)
  assert.deepEqual([came[0]!.url, came[0]!.body], ['/operator/cards?good=junnet-10&mode=live&batch=b1&expiresAt=2028-01-01T00%3A00%3A00.000Z', 'N1,S1\r\nN2,卡\n'])
  assert.match(out, /2 cards are on sale: good junnet-10, live, lot b1 \(7\)\n2 lines, [\d,]+ lines\/s, 2 left out\n2 lines were left out:\n +line 2 +a +two\n +line 4 +b +four/)
  assert.equal((await berth('cards import - --good a --mode live --batch b --expires 2020-01-01')).code, 2)
})

test('an import shows a bar to a person, plain lines to a log now and then, and nothing beside --json', async () => {
  const file = join(folder, 'many-cards.txt')
  writeFileSync(file, 'N000001,SECRET\n'.repeat(100_000))
  laid['POST /operator/cards'] = { status: 200, body: { lot: '7', published: 100_000, errorCount: 0, errors: [] } }
  let nowMs = 1_800_000_000_000
  const shown = async (isTerminal: boolean, json: string[] = []) => {
    let err = ''
    await run(['cards', 'import', file, '--good', 'q', '--mode', 'live', '--batch', 'b', ...json], {
      env: { BERTH_URL: url, BERTH_OPERATOR_KEY: 'k' }, stdin: (async function* () {})(), stdout: () => {}, stderr: (text) => (err += text), isTerminal, nowMs: () => (nowMs += 2_000),
    })
    return err
  }
  assert.match(await shown(true), /\r\u001b\[K\[#+-*\] +\d+ % {2}[\d,]+ lines, [\d,]+ lines\/s/)
  assert.match(await shown(false), /^(\[#+-*\] +\d+ % {2}[\d,]+ lines, [\d,]+ lines\/s\n)+$/)
  assert.equal(await shown(true, ['--json']), '')
})

test('a file of orders goes in requests of 500, codes become ids, and lines that were not placed are named', async () => {
  laid['GET /api/goods'] = { status: 200, body: { items: [good], next: null } }
  const verdicts = Array.from({ length: 500 }, (_, i) => (i === 1 ? { status: 402, problem } : { status: i === 2 ? 200 : 201, order }))
  laid['POST /api/orders/batch'] = { status: 200, body: { items: verdicts } }
  const file = join(folder, 'orders.csv')
  writeFileSync(file, `reference,good,quantity,maxUnitPrice\n${Array.from({ length: 500 }, (_, i) => `R-${i},junnet-10,2,${i === 0 ? '' : '9.80'}`).join('\n')}\nshort\n`)
  const { code, out } = await berth(`order --batch ${file}`)
  assert.equal(code, 3)
  const sent = JSON.parse(came.find((one) => one.method === 'POST')!.body).orders
  assert.deepEqual([sent.length, sent[0], sent[1].maxUnitPrice], [500, { reference: 'R-0', good: 'gds_1', quantity: 2, maxUnitPrice: '9.50' }, '9.80'])
  assert.match(out, /498 placed, 1 stood before, 2 not placed\n2 lines were not placed:\n +line 3 +ledger\.insufficient_funds +The order needs.*\n +line 502 +protocol\.malformed_request/)
  laid['POST /api/orders/batch'] = { status: 503, body: { ...problem, status: 503, code: 'platform.storage_unavailable' } }
  const fault = await berth('order --batch -', { stdin: '{"reference":"A","good":"junnet-10","quantity":1}\n' })
  assert.deepEqual([fault.code, /Send the same file again/.test(fault.err)], [4, true])
  assert.equal((await berth('order --batch - --good a')).code, 2)
})

test('a quote is a table for a person, and its refusal is the order\'s', async () => {
  laid['GET /api/goods'] = { status: 200, body: { items: [good], next: null } }
  laid['POST /api/quotes'] = { status: 200, body: { good: 'gds_1', quantity: 2, unitPrice: '9.50', total: '19.00', fee: '0.19', charged: '19.19', stockClass: 'low', at: '2026-12-01T00:00:00Z', validForS: 30 } }
  const quoted = await berth('quote --good junnet-10 --quantity 2')
  assert.deepEqual([quoted.code, JSON.parse(came.at(-1)!.body)], [0, { good: 'gds_1', quantity: 2 }])
  assert.match(quoted.out, /total +2 × 9\.50 = 19\.00\nfee +0\.19\ncharged +19\.19\nstock +few are left/)
  laid['POST /api/quotes'] = { status: 402, body: problem }
  assert.equal((await berth('quote --good gds_1 --quantity 2 --max-price 9')).code, 1)
})

test('keys are listed, made, rolled and revoked, and a secret is printed once', async () => {
  const key = { id: 'key_2', kind: 'hmac-sha256', scopes: ['keys:write'], state: 'live', current: true, createdAt: '2026-12-01T00:00:00Z', expiresAt: null, revokedAt: null }
  laid['GET /api/keys'] = { status: 200, body: { items: [key], next: null } }
  assert.match((await berth('keys')).out, /\* +key_2 +hmac-sha256 +live +keys:write/)
  laid['POST /api/keys'] = { status: 201, body: { key, secret: 'NEW-SECRET' } }
  assert.match((await berth('keys create --kind hmac-sha256 --scope keys:write')).out, /keyId +key_2\n.*\n.*\n +secret +NEW-SECRET\nThe secret is shown this once/)
  assert.deepEqual(JSON.parse(came.at(-1)!.body), { kind: 'hmac-sha256', scopes: ['keys:write'] })
  laid['POST /api/keys/key_1/roll'] = { status: 201, body: { key, secret: 'S', old: { ...key, id: 'key_1', state: 'ending', expiresAt: '2026-12-02T00:00:00Z' } } }
  assert.match((await berth('keys roll key_1 --overlap 24h')).out, /The old key key_1 ends at 2026-12-02T00:00:00Z/)
  laid['POST /api/keys/key_1/revoke'] = { status: 200, body: { key: { ...key, id: 'key_1', state: 'ended', revokedAt: '2026-12-01T01:00:00Z' } } }
  assert.match((await berth('keys revoke key_1')).out, /key_1 was revoked at 2026-12-01T01:00:00Z/)
  for (const line of ['keys create --kind ed25519', 'keys roll key_1', 'keys roll key_1 --overlap 2h', 'keys revoke']) assert.equal((await berth(line)).code, 2, line)
})

test('the log of requests is a table, or one request by its id', async () => {
  const one = {
    id: 'req_1', at: '2026-12-01T00:00:00Z', method: 'POST', path: '/api/orders', route: '/api/orders', status: 402, code: 'ledger.insufficient_funds', class: 'commercial', durationMs: 3.25,
    key: 'key_1', bytesIn: 120, bytesOut: 400, addressPrefix: '192.0.2.0/24', fields: { reference: 'A-1', member: '***' },
  }
  laid['GET /api/requests'] = { status: 200, body: { items: [one], next: null, since: '2026-12-01T00:00:00Z', kept: 200 } }
  assert.match((await berth('requests --limit 5')).out, /req_1 +POST \/api\/orders +402 +ledger\.insufficient_funds +3\.3/)
  assert.match(came.at(-1)!.url, /limit=5$/)
  laid['GET /api/requests/req_1'] = { status: 200, body: one }
  assert.match((await berth('requests --id req_1')).out, /code +ledger\.insufficient_funds \(commercial\)[^]*· reference +A-1\n· member +\*\*\*/)
  assert.equal((await berth('requests --limit 0')).code, 2)
})

test('a docking is named by its id, or by a name that only one has', async () => {
  const docking = (id: string, name: string) => ({ id, name, mode: 'live', dialect: 'json', appId: null, createdAt: '', baseUrl: '' })
  laid['GET /operator/dockings'] = { status: 200, body: { items: [docking('dck_1', 'one'), docking('dck_2', 'two'), docking('dck_3', 'two')], next: null } }
  laid['POST /operator/dockings/dck_1/deposits'] = { status: 201, body: { id: 'dep_1', amount: '5.00', available: '5.00', replayed: false } }
  assert.equal((await berth('deposit one 5 --reference r')).out, '5.00 yuan booked; 5.00 yuan available\n')
  assert.equal((await berth('deposit dck_1 5 --reference r')).code, 0)
  const twice = await berth('deposit two 5 --reference r')
  assert.deepEqual([twice.code, /dck_2, dck_3/.test(twice.err)], [2, true])
})

test('wrong usage sends nothing and exits with 2, with the usage line', async () => {
  for (const line of ['', 'sail', 'docking', 'docking sail', 'order --good a', 'order --good a --quantity 1 --fast', 'balance extra', 'order --good a --quantity 1001', 'balance --lang fr']) {
    const { code, out, err } = await berth(line)
    assert.deepEqual([line, code, out], [line, 2, ''])
    assert.match(err, /See: berth .*--help/)
  }
  assert.match((await berth('help order --lang zh')).out, /^berth order：下单购卡/)
  assert.match((await berth('order --good a --fast')).err, /Usage: berth order --good CODE --quantity N/)
  assert.equal(came.length, 0)
})

for (const lang of ['en', 'zh']) {
  test(`every command teaches in ${lang}, with examples that can be typed`, async () => {
    const top = await berth(`--help --lang ${lang}`)
    assert.equal(top.code, 0)
    const cases = await berth(`help case --lang ${lang}`)
    for (const { name, who, examples } of commands) {
      const isListed = who !== 'compliance'
      assert.deepEqual([top.out.includes(`  ${name} `), cases.out.includes(`  ${name} `)], [isListed, !isListed], name)
      const { code, out } = await berth(`${name} --help --lang ${lang}`)
      assert.equal(code, 0)
      assert.ok(examples.length > 0 && examples.every(({ line }) => line.includes(`berth ${name}`) && out.includes(line)), name)
      assert.equal(/\p{Script=Han}{4}/u.test(out.split('\n')[0]!), lang === 'zh', name)
    }
  })
}

test('the launcher runs the program and hands its exit code on', async () => {
  const berthOf = (args: string[]) => new Promise<number | null>((ended) => {
    spawn(process.execPath, [join(import.meta.dirname, 'berth.mjs'), ...args], { stdio: 'ignore' }).once('exit', ended)
  })
  assert.deepEqual(await Promise.all([berthOf(['--version']), berthOf(['--nothing'])]), [0, 2])
})
