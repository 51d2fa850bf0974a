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

test('a key that may only look at a live docking gets no keys of its sandbox, and ends none', async (t) => {
  const hub = await startHub(t)
  for (const [dialect, needed] of [['json', 'keys:write'], ['acg0', 'goods:read']] as const) {
    const live = await hub.openDocking({ mode: 'live', dialect })
    const twin = await hub.bearer(live, 'POST', '/api/sandbox', {})
    assert.equal(twin.status, 201, twin.text)
    const added = await hub.operator('POST', `/operator/dockings/${live.id}/keys`, { kind: 'bearer', scopes: ['docking:read'] })
    const refused = await hub.bearer({ ...live, apiKey: added.body.secret }, 'POST', '/api/sandbox', {})
    assert.deepEqual([refused.status, refused.body.code, refused.body.because.needed], [403, 'partners.scope_missing', needed])
    assert.equal((await hub.bearer({ ...live, ...twin.body.credentials }, 'GET', '/api/docking')).status, 200)
  }
})

test('a live docking that comes in by a badge belongs to the partner whose sandbox earned it', async (t) => {
  const hub = await startHub(t)
  const shop = await apply(hub, 'Earner')
  const partnerOf = async (docking: string) => (await hub.hub.db.run({ text: 'select partner from partners.dockings where id = $1', values: [docking] }))[0]![0]
  const begun = await hub.bearer(shop, 'POST', '/api/conformance', {})
  assert.equal(begun.status, 201, begun.text)
  const run = begun.body.id
  await hub.hub.db.run({ text: `update conformance.runs set state = 'green', finished_at = now(), report = '{}' where id = $1`, values: [run] })
  const opened = await hub.operator('POST', '/operator/dockings', { name: 'Another', mode: 'live', dialect: 'json', badge: run })
  assert.equal(opened.status, 201, opened.text)
  assert.equal(await partnerOf(opened.body.docking.id), await partnerOf(shop.id))
  assert.notEqual(await partnerOf((await hub.openDocking({ mode: 'live' })).id), await partnerOf(shop.id))
})

test('no sandbox has a name that turns a line around or hides in it', async (t) => {
  const hub = await startHub(t)
  for (const mark of ['\u202e', '\u2028', '\u2029', '\u200b', '\u0085', '\ufeff']) {
    const response = await fetch(`${hub.url}/api/sandbox/applications`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: `Card${mark}shop`, dialect: 'json' }) })
    assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [422, 'protocol.invalid_field'], JSON.stringify(mark))
  }
})

test('the form for a sandbox is taken from its own page only', async (t) => {
  const hub = await startHub(t)
  const send = (headers: Record<string, string>) => fetch(`${hub.url}/start?lang=en`, { method: 'POST', headers, body: new URLSearchParams({ name: 'Form', dialect: 'json' }) })
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://elsewhere.example' }] as Record<string, string>[]) {
    const refused = await send(headers)
    assert.deepEqual([refused.status, /protocol\.invalid_field/.test(await refused.text())], [422, true], JSON.stringify(headers))
  }
  assert.equal((await send({ 'sec-fetch-site': 'same-origin' })).status, 201)
})

test('whoever comments first and most does not hide who comments last', async (t) => {
  const hub = await startHub(t)
  const published = await hub.operator('POST', '/operator/rules', { kind: 'rule', slug: 'talked-about', title: { en: 'Rule', zh: '规则' }, text: { en: 'One.', zh: '一。' } })
  const next = await hub.operator('POST', '/operator/rules', { kind: 'rule', slug: 'talked-about', title: { en: 'Rule', zh: '规则' }, text: { en: 'Two.', zh: '二。' } })
  assert.deepEqual([published.status, next.status], [201, 201], next.text)
  const say = (comment: string) => fetch(`${hub.url}/rules/talked-about/comments`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ version: '2', comment }) })
  for (let i = 0; i < 205; i++) assert.equal((await say(`noise ${i}.`)).status, 303)
  await say('a true objection')
  const page = await (await fetch(`${hub.url}/rules/talked-about?version=2`)).text()
  assert.ok(page.includes('a true objection') && page.includes('noise 204.') && !page.includes('noise 0.'))
})

test('a dossier of any size that its shape allows is kept, and no counter hears of it or of what is too large', async (t) => {
  const hub = await startHub(t)
  const { key } = (await hub.operator('POST', '/operator/operators', { name: 'li', roles: ['compliance'] })).body
  const send = async (path: string, body: string) => {
    const response = await fetch(hub.url + path, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body })
    return { status: response.status, body: (await response.json()) as { id?: string; code?: string } }
  }
  const counted = async () => (await hub.operator('GET', '/metrics')).text.split('\n').filter((line) => /^berth_(requests|refusals)/.test(line) && !/metrics/.test(line))
  const opened = await send('/operator/cases', JSON.stringify({ title: 'Case', dockings: [] }))
  assert.equal(opened.status, 201)
  assert.equal((await send(`/operator/cases/${opened.body.id}/moves`, JSON.stringify({ to: 'triage' }))).status, 200)
  assert.equal((await send(`/operator/cases/${opened.body.id}/moves`, JSON.stringify({ to: 'investigate' }))).status, 200)
  const before = await counted()
  const dossier = (text: string) => JSON.stringify({ dossier: { found: text, subjects: Array.from({ length: 20 }, () => text), accounts: text, transactions: { from: 'a', to: 'b', text, movements: [] }, relatedParties: [], reasons: [text], crimeType: 'c', measuresTaken: text, evidence: [] } })
  const kept = await send(`/operator/cases/${opened.body.id}/dossier`, dossier('查'.repeat(9_000)))
  assert.equal(kept.status, 200, JSON.stringify(kept.body))
  assert.equal((await send(`/operator/cases/${opened.body.id}/dossier`, ' '.repeat(5 * 1024 * 1024)).catch(() => ({ status: 413 }))).status, 413)
  assert.ok(before.some((line) => line.includes('/operator/operators')))
  assert.deepEqual(await counted(), before)
})
