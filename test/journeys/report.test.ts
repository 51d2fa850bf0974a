import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, test } from 'node:test'
import { verifyDocument } from '../../protocol/documents.ts'
import { CHECK_LAYERS, type Check } from '../../hub/kernel/checks.ts'
import { checkSync } from '../../hub/inbound/sync.ts'
import { openShop } from '../acg-shop.ts'
import { startHub, type TestDocking } from '../hub.ts'
import type { Json } from '../raw-http.ts'

const hub = await startHub({ after })
const good = await hub.stockGood({ code: 'CARD', cards: 50, mode: 'live' })

async function reportOf(docking: TestDocking, body?: unknown): Promise<Json> {
  const reply = body === undefined ? await hub.bearer(docking, 'GET', '/api/docking/report') : await hub.bearer(docking, 'POST', '/api/docking/report', body)
  assert.equal(reply.status, 200, reply.text)
  return reply.body
}

const open = (more: Parameters<typeof hub.openDocking>[0] = {}) => hub.openDocking({ mode: 'live', deposit: '100.00', ...more })
const checkOf = (report: Json, name: string) => report.checks.find(({ check }: Json) => check === name)
const causes = (report: Json) => report.causes.map(({ code }: Json) => code)

const hold = (code: string, more: object = {}) => ({
  code, scope: ['orders'], facts: ['The business licence that was sent has expired.'],
  ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' }, ...more,
})

async function held(docking: TestDocking, code: string): Promise<string> {
  const reply = await hub.operator('POST', `/operator/dockings/${docking.id}/holds`, hold(code))
  assert.equal(reply.status, 201, reply.text)
  return reply.body.id
}

test('a report stands in the order in which things break, each check with the way to repeat it, and is signed', async () => {
  const shop = await open()
  const report = await reportOf(shop)
  const layers = report.checks.map(({ layer }: Json) => CHECK_LAYERS.indexOf(layer))
  assert.deepEqual(layers, layers.toSorted((a: number, b: number) => a - b))
  for (const layer of ['name', 'tls', 'clock', 'charset', 'form', 'signature', 'key', 'scope', 'version', 'condition', 'sync', 'funds', 'terms', 'holds']) assert.ok(report.checks.some((check: Json) => check.layer === layer), layer)
  assert.ok(report.checks.every(({ selfTest, seen }: Json) => selfTest && /\p{Script=Han}/u.test(seen.zh) && seen.en))
  assert.deepEqual([report.verdict.class, report.causes], ['healthy', []])
  const { keys } = (await (await fetch(`${hub.url}/.well-known/berth`)).json()) as Json
  const check = (publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array) => verify(null, bytes, createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') }, format: 'jwk' }), signature)
  assert.equal(await verifyDocument(report, keys, check), true)
  assert.equal(await verifyDocument({ ...report, verdict: { ...report.verdict, class: 'technical' } }, keys, check), false)
})

test('a room that comes later joins by its check alone, and stands before the holds', async () => {
  const shop = await open()
  const later: Check = async () => [{ check: 'warehouse.shelf', class: 'commercial', side: 'hub', verdict: 'fail', code: 'catalogue.out_of_stock', because: { asked: 1, available: 0 }, seen: { en: 'Empty.', zh: '空的。' }, evidence: null }]
  const { checks } = hub.hub
  hub.hub.checks = [...checks, later]
  const report = await reportOf(shop)
  hub.hub.checks = checks
  assert.deepEqual([report.verdict.class, report.verdict.code], ['commercial', 'catalogue.out_of_stock'])
  assert.ok(report.checks.findIndex(({ check }: Json) => check === 'warehouse.shelf') < report.checks.findIndex(({ check }: Json) => check === 'decisions.standing'))
  assert.match(checkOf(report, 'warehouse.shelf').remedy.zh, /\p{Script=Han}/u)
})

test('a signature that fails stands in the way until one passes, and then is only told', async () => {
  const shop = await open()
  await hub.signed({ ...shop, keySecret: 'wrong' }, 'POST', '/api/orders', { reference: 'S-1', good, quantity: 1, maxUnitPrice: '9.50' })
  const broken = await reportOf(shop)
  assert.deepEqual([broken.verdict.class, broken.verdict.code, broken.verdict.side, causes(broken)], ['technical', 'partners.signature_invalid', 'partner', ['partners.signature_invalid']])
  assert.match(checkOf(broken, 'partners.signature').remedy.en, /signing secret/)
  assert.equal((await hub.signed(shop, 'GET', '/api/goods')).status, 200)
  const mended = await reportOf(shop)
  assert.deepEqual([mended.verdict.class, checkOf(mended, 'partners.signature').verdict, mended.causes], ['healthy', 'warn', []])
})

test('each refusal of the wire is the verdict of the report until the same call goes through', async () => {
  const rows: readonly [name: string, code: string, wrong: (shop: TestDocking) => Promise<{ status: number }>, right: (shop: TestDocking) => Promise<{ status: number }>][] = [
    ['a price as a number', 'protocol.invalid_field', (shop) => hub.signed(shop, 'POST', '/api/orders', { reference: 'W-1', good, quantity: 1, maxUnitPrice: 9.5 }), (shop) => hub.order(shop, { reference: 'W-1', good })],
    ['a bearer key for an order', 'partners.signature_required', (shop) => hub.bearer(shop, 'POST', '/api/orders', { reference: 'W-1', good, quantity: 1, maxUnitPrice: '9.50' }), (shop) => hub.bearer(shop, 'GET', '/api/orders')],
    ['an old signature', 'partners.clock_skew', (shop) => hub.signed(shop, 'GET', '/api/goods', undefined, { created: Math.floor(Date.now() / 1000) - 4_000 }), (shop) => hub.signed(shop, 'GET', '/api/funds/balance')],
    ['more than the deposit', 'ledger.insufficient_funds', (shop) => hub.order(shop, { reference: 'W-1', good, quantity: 20 }), (shop) => hub.order(shop, { reference: 'W-1', good })],
    ['a reference of another order', 'orders.reference_reused', async (shop) => (await hub.order(shop, { reference: 'W-0', good }), hub.order(shop, { reference: 'W-0', good, quantity: 2 })), (shop) => hub.order(shop, { reference: 'W-1', good })],
    ['a price above the guard', 'catalogue.price_above_guard', (shop) => hub.order(shop, { reference: 'W-1', good, maxUnitPrice: '1' }), async () => ({ status: 200 })],
  ]
  for (const [name, code, wrong, right] of rows) {
    const shop = await open()
    const refused = await wrong(shop)
    assert.ok(refused.status >= 400, name)
    // Facts of refusals before the batch are written behind the answer.
    for (let waited = 0; waited < 40 && (await reportOf(shop)).verdict.code !== code; waited++) await sleep(25)
    const report = await reportOf(shop)
    assert.deepEqual([report.verdict.code, causes(report)], [code, [code]], name)
    const found = report.checks.find((check: Json) => check.code === code)
    assert.ok(found.remedy.en.length > 30 && found.page.endsWith(`/reasons/${code}`) && found.evidence, name)
    await right(shop)
    if (code !== 'partners.signature_required' && code !== 'catalogue.price_above_guard') assert.equal((await reportOf(shop)).verdict.class, 'healthy', `${name}: mended`)
  }
})

test('an acg shop whose key is wrong is technical in the report that its owner reads with the other key, for all three types', async () => {
  for (const call of ['/shared/authentication/connect', '/plugin/SharedStock/api/connect', '/connect']) {
    const docking = await open({ dialect: 'acg0', appId: '1000' })
    const wrong = openShop({ ...docking, appKey: 'WRONG-KEY-0000001' })
    assert.equal((await (call === '/connect' ? wrong.open(call) : wrong.call(call))).code, 0)
    const broken = await reportOf(docking)
    assert.deepEqual([broken.verdict.class, broken.verdict.code], ['technical', 'partners.signature_invalid'], call)
    const right = openShop(docking)
    assert.equal((await (call === '/connect' ? right.open(call) : right.call(call))).code, 200)
    assert.equal((await reportOf(docking)).verdict.class, 'healthy', call)
  }
})

test('several causes are all named, a measure in front, and what helps is the statement\'s own remedy', async () => {
  const shop = await open({ deposit: '1.00' })
  const decision = await held(shop, 'compliance.identity_unverified')
  await hub.signed({ ...shop, keySecret: 'wrong' }, 'GET', '/api/goods')
  assert.equal((await hub.order(await open({ deposit: '1.00' }), { reference: 'C-0', good })).status, 402)
  const report = await reportOf(shop)
  assert.deepEqual([report.verdict.class, causes(report)], ['compliance', ['compliance.identity_unverified', 'partners.signature_invalid']])
  assert.match(report.verdict.text.en, /Also: partners\.signature_invalid/)
  const standing = checkOf(report, 'decisions.standing')
  assert.deepEqual([standing.evidence, standing.verdict], [decision, 'fail'])
  assert.match(standing.remedy.zh, /请提交有效的营业执照/)
  assert.match(standing.seen.zh, /电子商务法 第二十七条/)
})

test('where the law withholds, the report says that, the article, the true class, and nothing of the facts', async () => {
  const shop = await open()
  const reply = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, hold('compliance.withheld_by_law', { facts: ['CANARY of an investigation'] }))
  assert.equal(reply.status, 202, reply.text)
  await hub.approve(reply.body.draft)
  const report = await reportOf(shop)
  const standing = checkOf(report, 'decisions.standing')
  assert.deepEqual([standing.verdict, standing.class, report.verdict.class, report.verdict.code], ['withheld', 'compliance', 'compliance', 'compliance.withheld_by_law'])
  assert.match(standing.seen.en, /facts may not be told.*电子商务法 第二十七条/)
  assert.doesNotMatch(JSON.stringify(report), /CANARY/)
  assert.equal(report.checks.filter(({ verdict, layer }: Json) => verdict !== 'pass' && layer !== 'holds').length, 0, 'nothing else is blamed')
})

test('a measure with a condition says when it is lifted, beside what helps', async () => {
  const shop = await open()
  const reply = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, hold('compliance.identity_unverified', { liftsWhen: 'The licence is verified.' }))
  assert.equal(reply.status, 201, reply.text)
  const { remedy } = checkOf(await reportOf(shop), 'decisions.standing')
  assert.match(remedy.en, /^Send a valid business licence\. Lifts when: The licence is verified\.$/)
  assert.match(remedy.zh, /解除条件：The licence is verified\.$/)
})

test('a probe that came garbled names the mistake and what was meant', async () => {
  const shop = await open()
  for (const [probe, says] of [['鍗″瘑', /read as GBK/], ['å\u008d¡å¯†', /read as Latin-1/], ['锟斤拷', /replaced/], ['??', /question marks/]] as const) {
    const report = await reportOf(shop, { probe })
    const charset = checkOf(report, 'protocol.charset')
    assert.deepEqual([report.verdict.class, charset.code, charset.because.expected], ['technical', 'protocol.text_garbled', '卡密'], probe)
    assert.match(charset.seen.en, says)
  }
})

test('a limit that was met is a condition of the hub, and is over when it is over', async (t) => {
  const few = await startHub(t, { LIMIT_REQUESTS_PER_SECOND: '5' })
  const shop = await few.openDocking({ mode: 'live', deposit: '10.00' })
  await Promise.all(Array.from({ length: 12 }, () => few.signed(shop, 'GET', '/api/goods')))
  await sleep(1_100)
  const limited = (await few.bearer(shop, 'GET', '/api/docking/report')).body
  const condition = checkOf(limited, 'platform.condition')
  assert.deepEqual([condition.code, condition.side], ['platform.rate_limited', 'hub'])
  assert.equal((await few.signed(shop, 'GET', '/api/goods')).status, 200)
  await sleep(1_100)
  assert.equal((await few.bearer(shop, 'GET', '/api/docking/report')).body.verdict.class, 'healthy')
})

test('a reader of changes that stopped is told how far it is behind; one that goes on, and a shop that looks, are fine', async () => {
  const shop = await open()
  const docking = await hub.hub.keys.byId(shop.keyId!).then((key) => key!.docking)
  const look = (inMinutes: number) => checkSync(hub.hub)(docking, new Date(Date.now() + inMinutes * 60_000)).then(([found]) => found!)
  assert.equal((await look(0)).verdict, 'pass')
  const read = await hub.bearer(shop, 'GET', '/api/goods/changes?after=0')
  await sleep(20)
  await hub.stockGood({ code: 'CARD', unitPrice: '9.60' })
  assert.equal((await look(1)).verdict, 'pass', 'a change of a minute ago is on its way')
  const behind = await look(60)
  assert.deepEqual([behind.verdict, behind.code, behind.because.readTo], ['warn', 'catalogue.sync_behind', '0'])
  await hub.bearer(shop, 'GET', `/api/goods/changes?after=${read.body.after}`)
  assert.equal((await look(60)).verdict, 'pass')
  const acg = await open({ dialect: 'acg0', appId: '1000' })
  assert.equal((await openShop(acg).items()).code, 200)
  assert.match(checkOf(await reportOf(acg), 'catalogue.sync').seen.en, /looked at goods or stock last at/)
})

test('a docking whose last trading key is ending, or has ended, is told so in the report of another key', async () => {
  const shop = await open()
  const inAWeek = new Date(Date.now() + 6 * 86_400_000).toISOString()
  assert.equal((await hub.operator('POST', `/operator/keys/${shop.keyId}/end`, { at: inAWeek })).status, 200)
  const ending = await reportOf(shop)
  assert.deepEqual([ending.verdict.class, checkOf(ending, 'partners.keys').verdict, checkOf(ending, 'partners.keys').code], ['healthy', 'warn', 'partners.key_expired'])
  assert.equal((await hub.operator('POST', `/operator/keys/${shop.keyId}/end`, {})).status, 200)
  const ended = await reportOf(shop)
  assert.deepEqual([ended.verdict.class, ended.verdict.code], ['technical', 'partners.key_revoked'])
})
