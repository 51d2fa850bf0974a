import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { judgeRun } from '../../protocol/conformance.ts'
import { verifyDocument } from '../../protocol/documents.ts'
import { openShop } from '../acg-shop.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

/** A sandbox as a stranger gets it. */
async function openOwn(hub: TestHub, dialect: 'json' | 'acg' = 'json'): Promise<TestDocking> {
  const response = await fetch(`${hub.url}/api/sandbox/applications`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'Platform', dialect }) })
  const opened = (await response.json()) as any
  return { id: opened.docking, name: 'Platform', mode: 'sandbox', dialect, baseUrl: opened.baseUrl, appId: null, ...opened.credentials }
}

async function begin(hub: TestHub, shop: TestDocking): Promise<{ id: string; task(name: string): Promise<void> }> {
  const run = await hub.bearer(shop, 'POST', '/api/conformance', {})
  assert.equal(run.status, 201, run.text)
  return {
    id: run.body.id,
    async task(name) {
      const begun = await hub.bearer(shop, 'POST', `/api/conformance/${run.body.id}/tasks`, { task: name })
      assert.deepEqual([begun.status, begun.body.task], [200, name], begun.text)
    },
  }
}

/** A platform that does everything right. */
async function doAll(hub: TestHub, shop: TestDocking, good: string, run: { id: string; task(name: string): Promise<void> }): Promise<void> {
  const order = (reference: string) => hub.order(shop, { reference, good, maxUnitPrice: '9.50' })
  await run.task('sign')
  assert.equal((await hub.signed(shop, 'GET', '/api/docking')).status, 200)
  await run.task('order')
  assert.equal((await order('A-1')).status, 201)
  await run.task('repeat_reference')
  assert.deepEqual([(await order('A-2')).status, (await order('A-2')).status], [201, 200])
  await run.task('survive_timeout')
  await hub.bearer(shop, 'PUT', '/api/sandbox/faults', { fault: 'timeout_after_debit;ms=0' })
  await assert.rejects(order('A-3'))
  assert.equal((await order('A-3')).status, 200)
  await run.task('survive_outage')
  assert.deepEqual([(await order('A-4')).status, (await order('A-4')).status], [503, 201])
  await run.task('back_off')
  const refused = await hub.bearer(shop, 'GET', '/api/goods')
  await sleep(Number(refused.headers.get('retry-after')) * 1000)
  assert.equal((await hub.bearer(shop, 'GET', '/api/goods')).status, 200)
  await run.task('price_guard')
  assert.deepEqual([(await order('A-5')).body.code, (await order('A-5')).status], ['catalogue.price_above_guard', 201])
  await run.task('charset')
  const read = await fetch(`${hub.url}/api/conformance/${run.id}/text`, { headers: { authorization: `Bearer ${shop.apiKey}` } })
  assert.match(read.headers.get('content-type') ?? '', /charset=gbk$/)
  const { text } = JSON.parse(new TextDecoder('gbk').decode(await read.arrayBuffer()))
  assert.equal((await hub.signed(shop, 'POST', `/api/conformance/${run.id}/text`, { text })).status, 200)
  await run.task('roll_key')
  const rolled = await hub.signed(shop, 'POST', `/api/keys/${shop.keyId}/roll`, { overlap: '1h' })
  assert.equal((await hub.signed({ ...shop, keyId: rolled.body.key.id, keySecret: rolled.body.secret }, 'GET', '/api/docking')).status, 200)
}

test('a platform does the tasks in its sandbox: a green run, a report that proves itself, a badge, and a live docking by it', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10' })
  const shop = await openOwn(hub)
  const run = await begin(hub, shop)
  await doAll(hub, shop, good, run)
  const finished = await hub.bearer(shop, 'POST', `/api/conformance/${run.id}/finish`, {})
  assert.equal(finished.body.state, 'green', JSON.stringify(finished.body.report?.cases, null, 1))
  const { report } = finished.body
  const published = ((await (await fetch(`${hub.url}/.well-known/berth`)).json()) as any).keys
  const checkSignature = (publicKey: Uint8Array, signature: Uint8Array, bytes: Uint8Array) =>
    verify(null, bytes, createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]), format: 'der', type: 'spki' }), signature)
  assert.equal(await verifyDocument(report, published, checkSignature), true)
  assert.equal(await verifyDocument({ ...report, verdict: 'red' }, published, checkSignature), false)
  assert.deepEqual(judgeRun('json', report.sightings, report.text), { verdict: 'green', cases: report.cases }, 'whoever has the report works out the same verdict')

  const list = await hub.bearer(shop, 'GET', '/api/conformance')
  assert.deepEqual([list.body.badge.run, list.body.admission], [run.id, null])
  const page = await fetch(`${hub.url}/conformance/${run.id}?lang=en`)
  assert.match(await page.text(), /<strong>green<\/strong>/)
  assert.match(await (await fetch(`${hub.url}/conformance/${run.id}/badge.svg`)).text(), /json · green/)
  assert.deepEqual(await (await fetch(`${hub.url}/conformance/${run.id}/report.json`)).json(), report)
  assert.equal((await hub.bearer(shop, 'POST', `/api/conformance/${run.id}/tasks`, { task: 'sign' })).body.code, 'conformance.run_finished')

  const live = await hub.operator('POST', '/operator/dockings', { name: 'Platform', mode: 'live', dialect: 'json', badge: run.id })
  assert.equal(live.status, 201, live.text)
  const admitted = await hub.bearer({ ...shop, apiKey: live.body.credentials.apiKey }, 'GET', '/api/conformance')
  assert.deepEqual([admitted.body.admission.run, admitted.body.admission.waiver, admitted.body.admission.by], [run.id, null, 'owner'])
  const other = await hub.operator('POST', '/operator/dockings', { name: 'Shop', mode: 'live', dialect: 'acg0', badge: run.id })
  assert.deepEqual([other.status, other.body.code, other.body.because.seen], [409, 'conformance.badge_missing', 'green for json'])
})

test('a live docking without a badge is a waiver in somebody\'s name, seen by the partner and counted', async (t) => {
  const hub = await startHub(t)
  const byHand = await hub.openDocking({ mode: 'live' })
  const seen = (await hub.bearer(byHand, 'GET', '/api/conformance')).body.admission
  assert.deepEqual([seen.run, seen.waiver, seen.by], [null, 'opened by the operator by hand', 'owner'])
  const waived = await hub.operator('POST', '/operator/dockings', { name: 'W', mode: 'live', dialect: 'json', waiver: 'A partner of ten years.' })
  assert.equal((await hub.bearer({ ...byHand, apiKey: waived.body.credentials.apiKey }, 'GET', '/api/conformance')).body.admission.waiver, 'A partner of ten years.')
  assert.deepEqual((await hub.operator('GET', '/operator/conformance')).body, { badges: 0, waivers: 2 })
  const fact = await hub.hub.db.run({ text: `select body from platform.facts where kind = 'conformance.waived' order by position`, values: [] })
  assert.equal(fact.length, 2)
  assert.equal((await hub.operator('POST', '/operator/dockings', { name: 'W', mode: 'live', dialect: 'json', waiver: 'x', badge: 'cfr_1' })).body.code, 'protocol.invalid_field')
  assert.equal((await hub.operator('POST', '/operator/dockings', { name: 'W', mode: 'sandbox', dialect: 'json', waiver: 'x' })).body.code, 'protocol.invalid_field')
  assert.equal((await hub.operator('POST', '/operator/dockings', { name: 'W', mode: 'live', dialect: 'json', badge: 'cfr_1' })).body.code, 'conformance.run_not_found')
  assert.equal((await hub.bearer(byHand, 'POST', '/api/conformance', {})).body.code, 'sandbox.live_docking')
  assert.match(JSON.stringify((await hub.bearer(byHand, 'GET', '/api/docking/report')).body), /Admitted without a badge by owner/)
})

test('each task is failed by the mistake that it is about, and the report of the sandbox says so', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10' })
  const shop = await openOwn(hub)
  const run = await begin(hub, shop)
  const order = (reference: string, maxUnitPrice = '9.50') => hub.order(shop, { reference, good, maxUnitPrice })
  await run.task('sign')
  assert.equal((await hub.signed({ ...shop, keySecret: 'wrong' }, 'GET', '/api/docking')).status, 401)
  assert.equal((await hub.signed(shop, 'GET', '/api/docking')).status, 200)
  await run.task('repeat_reference')
  await order('B-1')
  await order('B-2')
  await run.task('survive_timeout')
  await hub.bearer(shop, 'PUT', '/api/sandbox/faults', { fault: 'timeout_after_debit;ms=0' })
  await assert.rejects(order('B-3'))
  await order('B-4')
  await run.task('survive_outage')
  await order('B-5')
  await order('B-6')
  await run.task('back_off')
  await hub.bearer(shop, 'GET', '/api/goods')
  await hub.bearer(shop, 'GET', '/api/goods')
  await run.task('price_guard')
  await order('B-7')
  await order('B-7', '20.00')
  await run.task('charset')
  await hub.bearer(shop, 'POST', `/api/conformance/${run.id}/text`, { text: '²´Î»' })
  await run.task('roll_key')
  await hub.signed(shop, 'POST', `/api/keys/${shop.keyId}/roll`, { overlap: '1h' })
  await hub.signed(shop, 'GET', '/api/docking')
  const finished = await hub.bearer(shop, 'POST', `/api/conformance/${run.id}/finish`, {})
  assert.equal(finished.body.state, 'red')
  const failed = Object.fromEntries(finished.body.report.cases.map((one: any) => [one.id, one.verdict === 'fail' ? one.seen.en : 'pass']))
  assert.match(failed.back_off, /^The next request came \d+ ms later; Retry-After said 2 s\.$/)
  assert.deepEqual({ ...failed, back_off: 'early' }, {
    sign: 'A signature was refused.', order: 'No order was placed.', repeat_reference: 'More than one order was placed.', survive_timeout: 'Another order was placed for the lost one.',
    survive_outage: 'It was tried again under another reference.', back_off: 'early', price_guard: 'The guard was raised after the refusal.', charset: 'Another text came back.', roll_key: 'No request was signed with the new key.',
  })
  const { checks } = (await hub.bearer(shop, 'GET', '/api/docking/report')).body
  assert.deepEqual(checks.filter((check: any) => check.check === 'conformance.run').map((check: any) => [check.verdict, check.code]), [['fail', 'conformance.badge_missing']])
  assert.equal((await hub.operator('POST', '/operator/dockings', { name: 'P', mode: 'live', dialect: 'json', badge: run.id })).body.because.seen, 'red')
})

test('a shop of the acg-faka family gets its badge by what it does anyway', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10' })
  const own = await openOwn(hub, 'acg')
  const shop = openShop(own)
  const run = await begin(hub, own)
  await run.task('sign')
  await shop.connect()
  await run.task('order')
  assert.equal((await shop.trade('Q10', 1, 'R-1')).code, 200)
  await run.task('repeat_reference')
  await shop.trade('Q10', 1, 'R-2')
  await shop.trade('Q10', 1, 'R-2')
  await run.task('survive_timeout')
  await hub.bearer(own, 'PUT', '/api/sandbox/faults', { fault: 'timeout_after_debit;ms=0' })
  await assert.rejects(shop.trade('Q10', 1, 'R-3'))
  assert.equal((await shop.query('R-3')).code, 200)
  await run.task('survive_outage')
  assert.notEqual((await shop.trade('Q10', 1, 'R-4')).code, 200)
  assert.equal((await shop.trade('Q10', 1, 'R-4')).code, 200)
  const finished = await hub.bearer(own, 'POST', `/api/conformance/${run.id}/finish`, {})
  assert.equal(finished.body.state, 'green', JSON.stringify(finished.body.report.cases))
  assert.equal((await hub.operator('POST', '/operator/dockings', { name: 'Shop', mode: 'live', dialect: 'acg0', badge: run.id })).status, 201)
})

test('a run is its own sandbox\'s, is closed by the next one, and a badge ends after 90 days', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10' })
  const [shop, other] = [await openOwn(hub), await openOwn(hub)]
  const run = await begin(hub, shop)
  assert.equal((await hub.bearer(other, 'GET', `/api/conformance/${run.id}`)).body.code, 'conformance.run_not_found')
  assert.equal((await hub.bearer(shop, 'POST', `/api/conformance/${run.id}/tasks`, { task: 'nothing' })).body.code, 'protocol.invalid_field')
  const next = await begin(hub, shop)
  assert.equal((await hub.bearer(shop, 'GET', `/api/conformance/${run.id}`)).body.state, 'red')
  await doAll(hub, shop, good, next)
  assert.equal((await hub.bearer(shop, 'POST', `/api/conformance/${next.id}/finish`, {})).body.state, 'green')
  await hub.hub.db.run({ text: `update conformance.runs set finished_at = finished_at - interval '91 days' where id = $1`, values: [next.id] })
  assert.equal((await hub.bearer(shop, 'GET', '/api/conformance')).body.badge, null)
  assert.match(await (await fetch(`${hub.url}/conformance/${next.id}/badge.svg`)).text(), /expired/)
  assert.equal((await hub.operator('POST', '/operator/dockings', { name: 'P', mode: 'live', dialect: 'json', badge: next.id })).body.because.seen, 'older than 90 days')
  assert.equal((await fetch(`${hub.url}/conformance/cfr_00000000000000000000`)).status, 404)
})
