import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { reasonCodes, reasonOf } from '../../protocol/reasons.ts'
import { openShop } from '../acg-shop.ts'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'

type Opened = TestDocking & { keyId: string; apiKey: string }

async function apply(hub: TestHub, body: unknown): Promise<Reply> {
  const response = await fetch(`${hub.url}/api/sandbox/applications`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
}

/** A sandbox as a stranger gets it, in the shape that the rest of the tests know. */
async function openOwn(hub: TestHub, dialect: 'json' | 'acg' = 'json', name = 'Newcomer'): Promise<Opened> {
  const opened = await apply(hub, { name, dialect })
  assert.equal(opened.status, 201, opened.text)
  const { docking, baseUrl, credentials } = opened.body
  return { id: docking, name, mode: 'sandbox', dialect: opened.body.dialect, baseUrl, appId: null, ...credentials }
}

async function rejects(work: Promise<unknown>): Promise<void> {
  await assert.rejects(work)
}

test('from nothing to the first order, with no person in between and at a main site without a single sandbox card', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10', cards: 2, mode: 'live' })
  const opened = await apply(hub, { name: '小卡铺', dialect: 'json', contact: 'owner@shop.example' })
  assert.equal(opened.status, 201, opened.text)
  assert.deepEqual([opened.body.mode, opened.body.available, opened.headers.get('cache-control')], ['sandbox', '10000.00', 'no-store'])
  const shop = { ...opened.body, ...opened.body.credentials, id: opened.body.docking }
  const goods = await hub.bearer(shop, 'GET', '/api/goods')
  assert.equal(goods.body.items[0].stock, 50)
  const order = await hub.bearer(shop, 'POST', '/api/orders', { reference: 'A-1', good: goods.body.items[0].id, quantity: 2, maxUnitPrice: '9.50' })
  assert.equal(order.status, 201, order.text)
  assert.equal(order.body.cards.length, 2)
  for (const card of order.body.cards) assert.match(card.secret, /^TEST-[0-9A-F-]{19}$/)
  assert.equal((await hub.bearer(shop, 'GET', '/api/funds/balance')).body.available, '9981.00')
  assert.equal((await hub.bearer(shop, 'POST', '/api/sandbox/deposits', { amount: '19.00', reference: 'more' })).body.available, '10000.00')
  assert.equal((await hub.bearer(shop, 'POST', '/api/sandbox/deposits', { amount: '19.00', reference: 'more' })).body.replayed, true)
  assert.equal((await hub.bearer(shop, 'POST', '/api/sandbox/deposits', { amount: '100000.01', reference: 'much' })).body.code, 'protocol.invalid_field')
  assert.deepEqual(await hub.findings(), [])
})

test('the same from nothing for an acg-faka shop, and by the page without a script', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10', cards: 0, mode: 'live' })
  const own = await openOwn(hub, 'acg')
  const shop = openShop(own)
  assert.equal((await shop.connect()).data.balance, 10000)
  assert.equal((await shop.stock('Q10')).data.stock, '50')
  const traded = await shop.trade('Q10', 1, 'R-1')
  assert.equal(traded.code, 200, traded.text)
  assert.match(traded.data.secret, /^TEST-/)

  const page = await fetch(`${hub.url}/start?lang=zh`)
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*form-action 'self'/)
  assert.doesNotMatch(await page.text(), /<script/)
  const posted = await fetch(`${hub.url}/start?lang=zh`, { method: 'POST', body: new URLSearchParams({ name: '页面', dialect: 'json', contact: '' }) })
  const html = await posted.text()
  assert.deepEqual([posted.status, /keySecret/.test(html), /以下凭据只显示这一次/.test(html)], [201, true, true])
  const apiKey = /bth_test_[0-9A-Za-z]{36}/.exec(html)![0]
  assert.equal((await hub.bearer({ apiKey } as TestDocking, 'GET', '/api/docking')).body.name, '页面')
  const wrong = await fetch(`${hub.url}/start?lang=en`, { method: 'POST', body: new URLSearchParams({ name: '<b>', dialect: 'json' }) })
  assert.deepEqual([wrong.status, /protocol\.invalid_field/.test(await wrong.text())], [422, true])
})

test('strangers are bounded: by network, by the day for all, and by the operator', async (t) => {
  const hub = await startHub(t, { SANDBOXES_A_DAY: '3' })
  for (let i = 0; i < 3; i++) assert.equal((await apply(hub, { name: 'A', dialect: 'json' })).status, 201)
  const full = await apply(hub, { name: 'A', dialect: 'json' })
  assert.deepEqual([full.status, full.body.code, full.body.because.allowed], [429, 'sandbox.applications_at_limit', 3])
  assert.match(full.headers.get('retry-after') ?? '', /^\d+$/)
  for (let i = 0; i < 6; i++) await apply(hub, { name: 'A', dialect: 'json' })
  const many = await apply(hub, { name: 'A', dialect: 'json' })
  assert.deepEqual([many.body.code, many.body.because.allowed], ['platform.rate_limited', '10 sandboxes an hour'])
  for (const body of [{}, { name: 'x', dialect: 'xml' }, { name: 'x\n', dialect: 'json' }, { name: 'x', dialect: 'json', contact: 'nobody' }, { name: 'x', dialect: 'json', mode: 'live' }]) {
    assert.equal((await apply(hub, body)).body.code, 'protocol.invalid_field', JSON.stringify(body))
  }
  const small = await startHub(t, { SANDBOX_REQUESTS_A_DAY: '2' })
  const own = await openOwn(small)
  const replies = [await small.bearer(own, 'GET', '/api/goods'), await small.bearer(own, 'GET', '/api/goods'), await small.bearer(own, 'GET', '/api/goods')]
  assert.deepEqual(replies.map((reply) => reply.status), [200, 200, 429])
  assert.equal(replies[2]!.body.because.allowed, '2 requests a day')
  const closed = await startHub(t, { SANDBOXES_A_DAY: '0' })
  assert.equal((await apply(closed, { name: 'A', dialect: 'json' })).body.code, 'sandbox.applications_closed')
})

test('every live docking has a sandbox apart from it in money, cards and keys, and asking again changes its keys', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 3, mode: 'live' })
  for (const dialect of ['json', 'acg0'] as const) {
    const live = await hub.openDocking({ mode: 'live', dialect, deposit: '50.00' })
    const first = await hub.bearer(live, 'POST', '/api/sandbox', {})
    assert.deepEqual([first.status, first.body.dialect], [201, dialect], first.text)
    const again = await hub.bearer(live, 'POST', '/api/sandbox', {})
    assert.deepEqual([again.status, again.body.docking], [200, first.body.docking])
    const old = { ...live, ...first.body.credentials, mode: 'sandbox' as const }
    const twin = { ...live, ...again.body.credentials, mode: 'sandbox' as const, id: again.body.docking, baseUrl: again.body.baseUrl }
    assert.equal((await hub.bearer(old, 'GET', '/api/docking')).body.code, 'partners.key_revoked')
    const view = await hub.bearer(twin, 'GET', '/api/docking')
    assert.deepEqual([view.body.mode, view.body.sandbox.live], ['sandbox', live.id])
    if (dialect === 'json') {
      const order = await hub.order(twin, { reference: 'S-1', good, quantity: 2 })
      assert.match(order.body.cards[0].secret, /^TEST-/)
    } else assert.match((await openShop(twin).trade('Q10', 1, 'S-1')).data.secret, /^TEST-/)
    assert.equal((await hub.bearer(live, 'GET', '/api/funds/balance')).body.available, '50.00')
    assert.equal((await hub.bearer(live, 'GET', '/api/goods')).body.items[0].stock, 3)
    // A key of one does not open the other.
    if (dialect === 'acg0') assert.equal((await openShop({ ...twin, baseUrl: live.baseUrl }).connect()).msg, '商户ID不存在或密钥错误')
    assert.equal((await hub.bearer(twin, 'GET', '/api/orders')).body.items.length, 1)
    assert.equal((await hub.bearer(live, 'GET', '/api/orders')).body.items.length, 0)
  }
  assert.deepEqual(await hub.findings(), [])
})

test('a live docking is refused everything that belongs to sandboxes, over both protocols', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 3, mode: 'live' })
  const live = await hub.openDocking({ mode: 'live', deposit: '50.00' })
  for (const [method, path, body] of [
    ['GET', '/api/sandbox', undefined], ['PUT', '/api/sandbox/faults', { fault: 'sold_out' }], ['DELETE', '/api/sandbox/faults', undefined], ['PUT', '/api/sandbox/clock', { offsetS: 60 }],
    ['POST', '/api/sandbox/deposits', { amount: '1.00', reference: 'x' }],
  ] as const) assert.equal((await hub.bearer(live, method, path, body)).body.code, 'sandbox.live_docking', path)
  const order = await hub.signed(live, 'POST', '/api/orders', { reference: 'A-1', good, quantity: 1, maxUnitPrice: '9.50' }, { headers: { 'berth-sandbox-fault': 'slow;ms=0' } })
  assert.deepEqual([order.body.code, order.headers.get('berth-sandbox-fault')], ['sandbox.live_docking', null])
  const shop = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '50.00' })
  const { post } = await import('../acg-shop.ts')
  const { form } = openShop(shop)
  assert.match((await post(shop.baseUrl, '/shared/authentication/connect', form({}), { 'Berth-Sandbox-Fault': 'slow;ms=0' })).msg, /正式环境/)
  assert.equal((await hub.bearer(live, 'GET', '/api/funds/balance')).body.available, '50.00')
})

const BEFORE = [
  ['http_500', 500, 'platform.internal_error', '本站自身故障'], ['http_503', 503, 'platform.storage_unavailable', '2 秒后重试'], ['rate_limited;s=7', 429, 'platform.rate_limited', '7 秒后'],
  ['rotated_key', 401, 'partners.key_revoked', '吊销'], ['low_balance', 402, 'ledger.insufficient_funds', '余额不足'], ['price_jump;percent=20', 409, 'catalogue.price_above_guard', '11.40'], ['sold_out', 409, 'catalogue.out_of_stock', '库存不足'],
] as const

test('each fault that books nothing answers with the code, class and shape of the true cause, and the next order goes through', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10' })
  const shop = await openOwn(hub)
  for (const [i, [fault, status, code]] of BEFORE.entries()) {
    const ask = { reference: `A-${i}`, good, quantity: 1, maxUnitPrice: '9.50' }
    const struck = await hub.bearer(shop, 'POST', '/api/orders', ask, { 'berth-sandbox-fault': fault })
    assert.deepEqual([struck.status, struck.body.code, struck.headers.get('berth-sandbox-fault')], [status, code, fault.split(';')[0]], struck.text)
    assert.equal(struck.body.type, `${hub.url}/reasons/${code}`)
    if (status === 429 || status === 503) assert.ok(Number(struck.headers.get('retry-after')) > 0)
    const placed = await hub.bearer(shop, 'POST', '/api/orders', ask)
    assert.deepEqual([placed.status, placed.headers.get('berth-sandbox-fault')], [201, null], placed.text)
    // A reference that is bound gets its order, whatever happens to others.
    if (['low_balance', 'price_jump', 'sold_out'].includes(fault.split(';')[0]!)) {
      const repeated = await hub.bearer(shop, 'POST', '/api/orders', ask, { 'berth-sandbox-fault': fault })
      assert.deepEqual([repeated.status, repeated.body.id, repeated.headers.get('berth-sandbox-fault')], [200, placed.body.id, null])
    }
  }
  const low = await hub.bearer(shop, 'POST', '/api/quotes', { good, quantity: 2 }, { 'berth-sandbox-fault': 'low_balance' })
  assert.deepEqual([low.body.code, low.body.because], ['ledger.insufficient_funds', { needed: '19.00', available: '9.50' }])
  const skewed = await hub.signed(shop, 'GET', '/api/goods', undefined, { headers: { 'berth-sandbox-fault': 'clock_skew;s=900' } })
  assert.deepEqual([skewed.body.code, skewed.body.because.skewS], ['partners.clock_skew', 900])
  for (const [path, fault] of [['/api/goods', 'sold_out'], ['/api/goods', 'clock_skew'], ['/api/goods', 'nothing'], ['/api/goods', 'slow;ms=30001'], ['/api/goods', 'slow;x=1'], ['/api/goods', 'late_callback'], ['/api/goods', 'decision:terms.contract_breach'], ['/api/sandbox', 'http_500']] as const) {
    const refused = await hub.bearer(shop, 'GET', path, undefined, { 'berth-sandbox-fault': fault })
    assert.deepEqual([refused.body.code, refused.body.because.path], ['protocol.invalid_field', 'Berth-Sandbox-Fault'], fault)
  }
  assert.deepEqual(await hub.findings(), [])
})

test('the same faults by switch reach an acg-faka shop in its own words', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10' })
  const own = await openOwn(hub, 'acg')
  const shop = openShop(own)
  for (const [i, [fault, , , words]] of BEFORE.entries()) {
    const set = await hub.bearer(own, 'PUT', '/api/sandbox/faults', { fault })
    assert.deepEqual([set.status, set.body.switches.length], [200, 1], set.text)
    const struck = await shop.trade('Q10', 1, `R-${i}`)
    assert.notEqual(struck.code, 200)
    assert.match(struck.msg, new RegExp(words), fault)
    assert.equal(struck.headers.get('berth-sandbox-fault'), fault.split(';')[0])
    assert.equal((await shop.trade('Q10', 1, `R-${i}`)).code, 200, `after ${fault}`)
  }
  assert.equal((await hub.bearer(own, 'PUT', '/api/sandbox/faults', { fault: 'clock_skew' })).body.because.expected, 'another fault: requests of this dialect carry no time')
  assert.deepEqual(await hub.findings(), [])
})

test('a time-out after the debit: booked, never answered, and the repeat gets the one order', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10' })
  const shop = await openOwn(hub)
  const ask = { reference: 'A-1', good, quantity: 1, maxUnitPrice: '9.50' }
  for (const ms of [0, 300]) {
    await rejects(hub.bearer(shop, 'POST', '/api/orders', { ...ask, reference: `A-${ms}` }, { 'berth-sandbox-fault': `timeout_after_debit;ms=${ms}` }))
    const again = await hub.bearer(shop, 'POST', '/api/orders', { ...ask, reference: `A-${ms}` })
    assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [200, 'true'], again.text)
  }
  assert.equal((await hub.bearer(shop, 'GET', '/api/funds/balance')).body.available, '9981.00')
  const own = await openOwn(hub, 'acg')
  const acg = openShop(own)
  await hub.bearer(own, 'PUT', '/api/sandbox/faults', { fault: 'timeout_after_debit;ms=0' })
  await rejects(acg.trade('Q10', 1, 'R-1'))
  const first = await acg.trade('Q10', 1, 'R-1')
  assert.deepEqual([first.code, (await acg.connect()).data.balance], [200, 9990.5])
  assert.deepEqual(await hub.findings(), [])
})

test('answers that come late, in GBK, or break off', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10', description: '卡密' })
  const shop = await openOwn(hub)
  const slow = await hub.bearer(shop, 'GET', '/api/goods', undefined, { 'berth-sandbox-fault': 'slow;ms=150' })
  assert.deepEqual([slow.status, slow.headers.get('berth-sandbox-fault')], [200, 'slow'])
  const own = await openOwn(hub, 'acg')
  for (const [url, init] of [
    [`${hub.url}/api/goods`, { headers: { authorization: `Bearer ${shop.apiKey}`, 'berth-sandbox-fault': 'gbk_body' } }],
    [`${own.baseUrl}/shared/commodity/items`, { method: 'POST', body: openShop(own).form({}), headers: { 'content-type': 'application/x-www-form-urlencoded', 'berth-sandbox-fault': 'gbk_body' } }],
  ] as const) {
    const reply = await fetch(url, init)
    const bytes = Buffer.from(await reply.arrayBuffer())
    assert.match(reply.headers.get('content-type') ?? '', /charset=gbk$/)
    assert.throws(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    assert.match(new TextDecoder('gbk', { fatal: true }).decode(bytes), /卡密/)
  }
  await rejects(hub.bearer(shop, 'GET', '/api/goods', undefined, { 'berth-sandbox-fault': 'cut_in_body' }))
  await hub.bearer(own, 'PUT', '/api/sandbox/faults', { fault: 'cut_in_body' })
  await rejects(openShop(own).items().then((reply) => JSON.parse(reply.text)))
  assert.equal((await hub.bearer(shop, 'GET', '/api/goods')).status, 200)
})

test('a switch strikes as often as it was set for, whatever comes at once, and is taken back', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10' })
  const shop = await openOwn(hub)
  await hub.bearer(shop, 'PUT', '/api/sandbox/faults', { fault: 'http_503', times: 3 })
  const replies = await Promise.all(Array.from({ length: 8 }, () => hub.bearer(shop, 'GET', '/api/goods')))
  assert.equal(replies.filter((reply) => reply.status === 503).length, 3)
  const view = await hub.bearer(shop, 'PUT', '/api/sandbox/faults', { fault: 'http_503', times: 1000 })
  assert.equal(view.body.switches[0].remaining, 1000)
  assert.deepEqual((await hub.bearer(shop, 'GET', '/api/docking')).status, 503)
  assert.deepEqual((await hub.bearer(shop, 'DELETE', '/api/sandbox/faults')).body.switches, [])
  assert.deepEqual((await hub.bearer(shop, 'GET', '/api/docking')).body.sandbox.faults, [])
})

const MEASURES = reasonCodes.filter((code) => reasonOf(code).kind === 'measure')

test('a decision of each kind is a real one: it blocks, has its statement, shows in the report, and the partner lifts it', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10' })
  const shop = await openOwn(hub)
  const acg = openShop(await openOwn(hub, 'acg'))
  assert.equal((await acg.connect()).code, 200)
  for (const [i, code] of MEASURES.entries()) {
    const set = await hub.bearer(shop, 'PUT', '/api/sandbox/faults', { fault: `decision:${code}` })
    assert.equal(set.status, 200, set.text)
    assert.deepEqual(set.body.decisions.map((decision: { code: string }) => decision.code), [code])
    const refused = await hub.order(shop, { reference: `A-${i}`, good })
    assert.deepEqual([refused.status, refused.body.code, refused.body.decision], [403, code, set.body.decisions[0].id])
    assert.equal((await hub.bearer(shop, 'GET', '/api/docking/report')).body.verdict.code, code)
    assert.deepEqual((await hub.bearer(shop, 'DELETE', '/api/sandbox/faults')).body.decisions, [])
    assert.equal((await hub.order(shop, { reference: `A-${i}`, good })).status, 201)
  }
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.licence_missing', scope: ['orders'], facts: ['No licence was handed in.'], ground: [{ type: 'law', ref: '电子商务法', article: '第十条' }], remedy: { en: 'Hand it in.', zh: '请提交。' },
  })
  assert.equal(held.status, 201, held.text)
  assert.equal((await hub.bearer(shop, 'DELETE', '/api/sandbox/faults')).body.decisions.length, 1, "an operator's decision stays")
})

test('time travel ends what ends: keys, decisions and cards, and every answer tells the time', async (t: TestContext) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'OLD', cards: 0 })
  const soon = new Date(Date.now() + 86_400_000).toISOString()
  const shop = await hub.openDocking({ mode: 'sandbox', deposit: '100.00' })
  const loaded = await fetch(`${hub.url}/operator/cards?good=OLD&mode=sandbox&batch=b1&expiresAt=${encodeURIComponent(soon)}`, { method: 'POST', headers: { authorization: `Bearer ${hub.operatorKey}`, 'content-type': 'text/plain' }, body: 'ends-tomorrow' })
  assert.equal(loaded.status, 200, await loaded.text())
  const quote = () => hub.bearer(shop, 'POST', '/api/quotes', { good, quantity: 1 })
  assert.equal((await quote()).status, 200)
  const moved = await hub.bearer(shop, 'PUT', '/api/sandbox/clock', { offsetS: 2 * 86_400 })
  assert.equal(moved.body.clockOffsetS, 2 * 86_400, moved.text)
  const late = await quote()
  assert.deepEqual([late.status, late.body.code], [409, 'catalogue.out_of_stock'])
  assert.equal((await hub.bearer(shop, 'GET', `/api/goods/${good}`)).body.stock, 0)
  assert.ok(Math.abs(Date.parse(late.headers.get('berth-sandbox-time')!) - Date.now() - 2 * 86_400_000) < 60_000)
  assert.ok(Math.abs(Date.parse(late.body.serverTime) - Date.now()) < 60_000, "the hub's own clock stays true")
  await hub.bearer(shop, 'PUT', '/api/sandbox/clock', { offsetS: 0 })
  await hub.bearer(shop, 'PUT', '/api/sandbox/faults', { fault: 'decision:terms.payment_overdue' })
  assert.equal((await quote()).body.code, 'terms.payment_overdue')
  await hub.bearer(shop, 'PUT', '/api/sandbox/clock', { offsetS: 8 * 86_400 })
  assert.equal((await quote()).body.code, 'catalogue.out_of_stock', 'the decision has ended by then')
  await hub.bearer(shop, 'PUT', '/api/sandbox/clock', { offsetS: 0 })
  const { key } = (await hub.bearer(shop, 'GET', '/api/docking')).body
  assert.equal((await hub.operator('POST', `/operator/keys/${key.id}/end`, { at: soon })).status, 200)
  assert.equal((await hub.bearer(shop, 'GET', '/api/docking')).status, 200)
  assert.equal((await hub.signed(shop, 'PUT', '/api/sandbox/clock', { offsetS: 2 * 86_400 })).status, 200)
  assert.equal((await hub.bearer(shop, 'GET', '/api/docking')).body.code, 'partners.key_expired')
  assert.equal((await hub.signed(shop, 'PUT', '/api/sandbox/clock', { offsetS: 400 * 86_400 + 1 })).body.code, 'protocol.invalid_field')
})

test('a sandbox that was applied for and is never used ends after 30 days, and a used one stays', async (t) => {
  const { endUnused } = await import('../../hub/domain/sandbox/index.ts')
  const hub = await startHub(t)
  const [used, unused] = [await openOwn(hub), await openOwn(hub)]
  const twin = (await hub.bearer(await hub.openDocking({ mode: 'live' }), 'POST', '/api/sandbox', {})).body
  await hub.hub.db.run({ text: `update sandbox.boxes set used_at = used_at - interval '31 days' where docking <> $1`, values: [used.id] })
  assert.equal(await endUnused(hub.hub.db, new Date(Date.now() - 30 * 86_400_000)), 1)
  hub.hub.keys.forget()
  assert.equal((await hub.bearer(unused, 'GET', '/api/docking')).body.code, 'partners.key_revoked')
  assert.equal((await hub.bearer(used, 'GET', '/api/docking')).status, 200)
  assert.equal((await hub.bearer({ ...used, apiKey: twin.credentials.apiKey }, 'GET', '/api/docking')).status, 200)
})
