import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AppealClock } from '../../hub/domain/appeals/index.ts'
import { PARTNER_ROUTES, PUBLIC_ROUTES } from '../contract.ts'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'
import { readMails, type ReadMail } from '../mails.ts'
import { signContract } from '../rule-text.ts'

const OWNER = { channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions', 'funds'] }
const HOLD = {
  code: 'compliance.identity_unverified', scope: ['orders'], facts: ['The business licence that was sent has expired.'], liftsWhen: 'The licence is verified.',
  ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' },
}

type Stage = { hub: TestHub; shop: TestDocking; good: string; mails: (to?: string) => Promise<ReadMail[]>; as: (key: string, method: string, path: string, body?: unknown) => Promise<Reply>; reviewer: string }

async function openStage(t: TestContext, env: Record<string, string> = {}): Promise<Stage> {
  const hub = await startHub(t, env)
  const shop = await hub.openDocking({ mode: 'live', deposit: '50.00' })
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  const mails = async (to?: string) => {
    await hub.hub.notices.follow()
    await hub.hub.notices.lookAhead()
    await hub.hub.notices.send()
    return readMails(hub.dataDir).filter((mail) => to === undefined || mail.to === to)
  }
  const as: Stage['as'] = async (key, method, path, body) => {
    const reply = await fetch(hub.url + path, { method, headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) })
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, text, body: JSON.parse(text) }
  }
  const { key } = (await hub.operator('POST', '/operator/operators', { name: 'li.wei', roles: ['reviewer'] })).body
  return { hub, shop, good, mails, as, reviewer: key }
}

const page = async (link: string, headers: Record<string, string> = {}) => {
  const reply = await fetch(link, { headers })
  return { status: reply.status, headers: reply.headers, text: await reply.text() }
}

/** Sends the form as a browser does. */
async function send(link: string, fields: Record<string, string>, files: { name: string; content: string | Uint8Array }[] = [], headers: Record<string, string> = {}): Promise<{ status: number; location: string | null; text: string; headers: Headers }> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  for (const { name, content } of files) form.append('files', new Blob([content as string]), name)
  const reply = await fetch(`${link}/appeal?lang=zh-CN`, { method: 'POST', body: form, redirect: 'manual', headers: { 'sec-fetch-site': 'same-origin', ...headers } })
  return { status: reply.status, location: reply.headers.get('location'), text: await reply.text(), headers: reply.headers }
}

test('refused for identity, told why, appeals without a key, is asked for more, is heard, trades again', async (t) => {
  const { hub, shop, good, mails, as, reviewer } = await openStage(t)
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, OWNER)
  await hub.operator('POST', '/operator/main-site/contacts', { ...OWNER, address: 'desk@main.example', language: 'en', kinds: ['appeals'] })
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, HOLD)
  const refused = await hub.order(shop, { reference: 'A-1', good })
  assert.deepEqual([refused.status, refused.body.code, refused.body.class, refused.body.decision, refused.body.appeal], [403, 'compliance.identity_unverified', 'compliance', held.body.id, `${hub.url}/api/decisions/${held.body.id}/appeals`])

  const [letter] = await mails('owner@shop.example')
  assert.match((await page(letter!.link)).text, /The business licence that was sent has expired\.[^]*在此申诉[^]*<textarea[^>]*required/)
  const sent = await send(letter!.link, { deed: 'file', text: '营业执照已于 11 月 20 日换发。\r\n<b>见附件</b>' }, [{ name: '..\\执照<1>.pdf', content: '%PDF-1.7 licence' }])
  assert.deepEqual([sent.status, sent.location], [303, `/n/${letter!.token}?done=1&lang=zh-CN`])
  const received = await page(hub.url + sent.location!)
  assert.match(received.text, /class="done"[^]*已受理[^]*营业执照已于 11 月 20 日换发。<br>\n&lt;b&gt;见附件&lt;\/b&gt;[^]*执照&lt;1&gt;\.pdf/)
  assert.doesNotMatch(received.text, /<b>|<script|owner@/)
  assert.equal((await hub.order(shop, { reference: 'A-1', good })).status, 403, 'an appeal alone lifts nothing')

  const [receipt] = (await mails('owner@shop.example')).filter(({ subject }) => subject.includes('申诉已受理'))
  const [filed] = (await mails('desk@main.example')).filter(({ subject }) => subject.includes('an appeal was filed'))
  assert.doesNotMatch(receipt!.raw + filed!.raw, /11 月 20 日|licence|执照<1>/, 'no words of an appeal travel by mail')
  const listed = (await as(reviewer, 'GET', '/operator/appeals')).body.items
  assert.deepEqual([listed.length, listed[0].decision, listed[0].via, listed[0].decisionBy, listed[0].dockingName, listed[0].overdue], [1, held.body.id, 'link', 'owner', 'Shop', false])
  const { id } = listed[0]
  assert.ok(filed!.text.includes(`berth appeal show ${id}`))
  assert.equal(Buffer.from((await as(reviewer, 'GET', `/operator/appeals/${id}/evidence/1`)).body.content, 'base64').toString(), '%PDF-1.7 licence')

  assert.equal((await as(reviewer, 'POST', `/operator/appeals/${id}/ask`, { text: '请补充执照副本正面。', days: 5 })).status, 200)
  const [question] = (await mails('owner@shop.example')).filter(({ subject }) => subject.includes('需补充材料'))
  assert.match((await page(question!.link)).text, /待补充材料[^]*请补充执照副本正面。[^]*请在此提交所要求的材料/)
  assert.equal((await send(question!.link, { deed: 'give', text: '' }, [{ name: 'front.jpg', content: 'jpeg' }])).status, 303)
  const decided = await as(reviewer, 'POST', `/operator/appeals/${id}/decide`, { outcome: 'overturned', text: '执照有效，原审查有误。' })
  assert.deepEqual([decided.status, decided.body.state, decided.body.decidedBy], [200, 'overturned', 'li.wei'])
  assert.equal((await hub.order(shop, { reference: 'A-1', good })).status, 201, 'the refusal had not bound the reference')

  const [outcome] = (await mails('owner@shop.example')).filter(({ subject }) => subject.includes('已撤销原决定'))
  const last = await page(outcome!.link)
  assert.match(last.text, /class="standing over">已解除[^]*执照有效，原审查有误。/)
  assert.doesNotMatch(last.text, /<form|li\.wei/, 'what is over takes no more, and names nobody')
  assert.match((await page(outcome!.link)).headers.get('content-security-policy')!, /form-action 'none'/)
  const whole = (await hub.bearer(shop, 'GET', `/api/appeals/${id}`)).body
  assert.deepEqual(whole.entries.map(({ kind }: { kind: string }) => kind), ['filed', 'asked', 'given', 'overturned'])
  assert.doesNotMatch(JSON.stringify(whole), /li\.wei|owner/)
  const outcomes = (await as(reviewer, 'GET', `/operator/appeals/outcomes?from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z`)).body.items
  assert.deepEqual(outcomes.map(({ code, outcome, count }: Record<string, unknown>) => [code, outcome, count]), [['compliance.identity_unverified', 'overturned', 1]])
  assert.deepEqual(await hub.findings(), [])
})

test('the same person, an operator without the role, and the same name under another key decide nothing', async (t) => {
  const { hub, shop, as, reviewer } = await openStage(t)
  const wang = (await hub.operator('POST', '/operator/operators', { name: 'wang', roles: ['operator', 'reviewer'] })).body.key
  const chen = (await hub.operator('POST', '/operator/operators', { name: 'chen', roles: ['operator'] })).body.key
  const held = await as(wang, 'POST', `/operator/dockings/${shop.id}/holds`, HOLD)
  const { body: { id } } = await hub.bearer(shop, 'POST', `/api/decisions/${held.body.id}/appeals`, { text: 'It is valid.' })
  const verdict = { outcome: 'upheld', text: 'It stands as it is.' }
  for (const [path, body] of [['decide', verdict], ['ask', { text: 'Send more.', days: 3 }], ['extend', { text: 'It takes longer.', days: 3 }]] as const) {
    assert.equal((await as(wang, 'POST', `/operator/appeals/${id}/${path}`, body)).body.code, 'appeals.same_person', path)
    for (const key of [chen, hub.operatorKey]) assert.equal((await as(key, 'POST', `/operator/appeals/${id}/${path}`, body)).body.code, 'operators.role_missing', path)
    assert.equal((await hub.bearer(shop, 'POST', `/operator/appeals/${id}/${path}`, body)).status, 401)
  }
  // A name is never given again, ended or not: one person has one name, whatever keys he or she had.
  assert.equal((await hub.operator('POST', '/operator/operators', { name: 'wang', roles: ['reviewer'] })).body.code, 'operators.name_taken')
  assert.equal((await hub.operator('POST', '/operator/operators/wang/end', {})).status, 200)
  assert.equal((await hub.operator('POST', '/operator/operators', { name: 'wang', roles: ['reviewer'] })).body.code, 'operators.name_taken')
  assert.equal((await hub.operator('POST', '/operator/operators', { name: 'Wang', roles: ['reviewer'] })).body.code, 'protocol.invalid_field')
  assert.equal((await as(chen, 'GET', `/operator/appeals/${id}/evidence/1`)).body.code, 'operators.role_missing', 'documents are for the one who decides')
  assert.equal((await as(chen, 'GET', `/operator/appeals/${id}`)).body.state, 'filed')
  assert.equal((await as(reviewer, 'POST', `/operator/appeals/${id}/decide`, verdict)).status, 200)
})

test('a form from elsewhere, a stranger\'s, a broken one and one too many are refused in words, and nothing is kept', async (t) => {
  const { hub, shop, mails } = await openStage(t, { LIMIT_FAILED_SIGN_INS_PER_MINUTE: '30' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, OWNER)
  await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, HOLD)
  const [{ link } = { link: '' }] = await mails()
  const filing = { deed: 'file', text: '执照有效。' }
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }]) assert.equal((await send(link, filing, [], headers)).status, 422)
  const plain = async (headers: Record<string, string>, body: string | Uint8Array, to = link) => {
    const reply = await fetch(`${to}/appeal`, { method: 'POST', body: body as string, headers, redirect: 'manual' })
    return { status: reply.status, text: await reply.text() }
  }
  const urlencoded = { 'content-type': 'application/x-www-form-urlencoded' }
  assert.equal((await plain({ ...urlencoded, origin: 'https://evil.example' }, 'deed=file&text=x')).status, 422)
  assert.equal((await plain(urlencoded, 'deed=file&text=x', `${hub.url}/n/${'A'.repeat(22)}`)).status, 404)
  const table: [string, Promise<{ status: number; text: string }>, number, RegExp][] = [
    ['no words', send(link, { deed: 'file', text: ' \n ' }), 422, /1 至 4000 字/], ['too many words', send(link, { deed: 'file', text: '长'.repeat(4_001) }), 422, /1 至 4000 字/],
    ['another deed', send(link, { deed: 'lift', text: 'x' }), 422, /本页的表单/], ['nothing is open', send(link, { deed: 'give', text: 'x' }), 422, /本页的表单/], ['nothing to take back', send(link, { deed: 'withdraw' }), 422, /本页的表单/],
    ['six documents', send(link, filing, Array.from({ length: 6 }, (_, i) => ({ name: `${i}`, content: 'x' }))), 422, /最多 5 份材料/], ['an empty document', send(link, filing, [{ name: 'a', content: '' }]), 422, /1 字节至 256 KB/],
    ['a large document', send(link, filing, [{ name: 'a', content: 'x'.repeat(256 * 1024 + 1) }]), 422, /执照有效。<\/textarea>/], ['more than a form may hold', send(link, filing, [{ name: 'a', content: 'x'.repeat(1_500_000) }]), 413, /过大|larger/],
    ['JSON', plain({ 'content-type': 'application/json' }, '{}'), 415, /./], ['half a form', plain({ 'content-type': 'multipart/form-data; boundary=x' }, '--x\r\nContent-Disposition: form-data; name="deed"\r\n\r\nfi'), 400, /./],
  ]
  for (const [name, sent, status, words] of table) {
    const reply = await sent
    assert.equal(reply.status, status, name)
    assert.match(reply.text, words, name)
    assert.match(reply.text, /^<!doctype html>/, name)
  }
  assert.deepEqual((await hub.operator('GET', '/operator/appeals?state=all')).body.items, [])
  assert.equal((await plain(urlencoded, `deed=file&text=${encodeURIComponent('执照有效')}`)).status, 303, 'a form without documents, and a program without a browser')
  assert.match((await send(link, filing)).text, /已有未结的申诉/)
  let last = await send(link, { deed: 'give', text: 'x' })
  for (let i = 0; i < 30 && last.status !== 429; i++) last = await send(link, { deed: 'give', text: 'x' })
  assert.deepEqual([last.status, /30 次表单提交|30 forms/.test(last.text), /^\d+$/.test(last.headers.get('retry-after')!)], [429, true, true])
  assert.equal((await page(link)).status, 200, 'reading goes on')
})

test('a clock that is missed frees the partner and tells both sides; the main site is told three days before', async (t) => {
  const { hub, shop, good, mails } = await openStage(t)
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, OWNER)
  await hub.operator('POST', '/operator/main-site/contacts', { ...OWNER, address: 'desk@main.example', language: 'en', kinds: ['appeals'] })
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, { ...HOLD, code: 'terms.payment_overdue', ground: [{ type: 'contract', ref: await signContract(hub.hub, shop), article: '7.2' }] })
  const filed = await hub.bearer(shop, 'POST', `/api/decisions/${held.body.id}/appeals`, { text: 'It was paid.' })
  const at = (ms: number) => new AppealClock({ db: hub.hub.db, vault: hub.hub.vault, clock: { nowMs: () => ms }, log: hub.hub.log, makeId: () => hub.hub.ids.make('dec', Date.now()) }).tick()
  const due = Date.parse(filed.body.decideBy)
  await at(due - 1)
  assert.equal((await hub.order(shop, { reference: 'A-1', good })).status, 403)
  await hub.hub.db.run({ text: `update appeals.appeals set decide_by = decide_by - interval '13 days' where lane >= $1`, values: [0] })
  assert.equal((await mails('desk@main.example')).filter(({ subject }) => subject.includes('due within three days')).length, 1)
  await at(due)
  assert.equal((await hub.order(shop, { reference: 'A-1', good })).status, 201)
  assert.equal((await mails('desk@main.example')).filter(({ subject }) => subject.includes('not decided in time')).length, 1)
  assert.match((await mails('owner@shop.example')).find(({ subject }) => subject.includes('逾期未裁定'))!.text, /措施已不再限制贵方/)
})

test('a key that can only look sees the docking, its report, its decisions and appeals, files an appeal, and does nothing else', async (t) => {
  const { hub, shop } = await openStage(t)
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, HOLD)
  const { body: { secret } } = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer', scopes: ['docking:read'] })
  const reader = { ...shop, apiKey: secret }
  const opens: string[] = []
  for (const route of PARTNER_ROUTES.filter((one) => !PUBLIC_ROUTES.includes(one))) {
    const [method, path] = route.split(' ') as [string, string]
    const reply = await hub.bearer(reader, method, path.replace('{decision}', held.body.id).replace(/\{\w+\}/, 'x'), method === 'GET' ? undefined : route.includes('decisions') ? { text: 'It is valid.' } : {})
    if (!['partners.scope_missing', 'partners.signature_required'].includes(reply.body?.code)) opens.push(route)
  }
  // Whatever is about the docking itself, and play in its sandbox: a route that joins later shows here and is looked at.
  const OWN = /^GET \/api\/(docking|docking\/report|decisions|decisions\/\{\w+\}|log\/.*|contacts|keys|requests|requests\/\{\w+\}|appeals|appeals\/\{\w+\}|rules.*|conformance.*|drills.*)$|^(GET|POST|PUT|DELETE) \/api\/(sandbox|conformance)(\/.*)?$|^POST \/api\/(docking\/\w+|decisions\/\{\w+\}\/appeals|appeals\/\{\w+\}\/(evidence|withdraw)|rules\/.*|log\/witness|drills\/\{\w+\}\/(witness|dispute))$/
  assert.deepEqual(opens.filter((route) => !OWN.test(route)), [])
  for (const route of ['GET /api/docking', 'GET /api/docking/report', 'POST /api/decisions/{decision}/appeals', 'GET /api/appeals']) assert.ok(opens.includes(route), route)
  for (const [method, path] of [['GET', '/api/goods'], ['GET', '/api/orders'], ['GET', '/api/funds/balance'], ['POST', '/api/orders'], ['PUT', '/api/contacts'], ['POST', '/api/keys']] as const) {
    assert.equal((await hub.bearer(reader, method, path, method === 'GET' ? undefined : {})).body.code, 'partners.scope_missing', path)
  }
  assert.equal((await hub.bearer(reader, 'GET', '/api/appeals')).body.items.length, 1)
  assert.equal((await hub.bearer(await hub.openDocking({ mode: 'live' }), 'POST', `/api/decisions/${held.body.id}/appeals`, { text: 'Not mine.' })).body.code, 'decisions.not_found')
})
