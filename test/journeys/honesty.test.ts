import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'
import { signContract } from '../rule-text.ts'

const LAW = [{ type: 'law', ref: '电子商务法', article: '第二十七条' }]
const REMEDY = [{ action: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' } }]
const FACTS = ['The business licence that was sent has expired.']
const statement = (measure: object, more: object = {}) => ({ measure, code: 'compliance.identity_unverified', ground: LAW, facts: FACTS, remedy: REMEDY, ...more })

async function open(t: TestContext, env: Record<string, string> = {}) {
  const hub = await startHub(t, env)
  const shop = await hub.openDocking({ mode: 'live', deposit: '500.00' })
  const good = await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' })
  const decide = (body: object, docking: TestDocking = shop) => hub.operator('POST', `/operator/dockings/${docking.id}/decisions`, body)
  return { hub, shop, good, decide }
}

async function personOf(hub: TestHub, name: string): Promise<(path: string, body?: unknown) => Promise<Reply>> {
  const added = await hub.operator('POST', '/operator/operators', { name, roles: ['operator'] })
  return async (path, body) => {
    const response = await fetch(hub.url + path, { method: 'POST', headers: { authorization: `Bearer ${added.body.key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
  }
}

test('told technical, shows green, lifted by itself: a leaked key is proven, quarantined, ended, and nothing stands any more', async (t) => {
  const { hub, shop, good, decide } = await open(t)
  const leaked = { code: 'partners.key_leaked', ground: [], facts: ['The key stood in a public repository.'], remedy: [{ action: { en: 'Revoke the key.', zh: '请吊销此密钥。' } }] }
  const claim = (evidence: unknown[], more: object = {}) => decide({ ...leaked, evidence, measure: { kind: 'key_quarantine', keys: [keyId], ...more } })
  const keyId = (await hub.bearer(shop, 'GET', '/api/docking')).body.key.id
  assert.equal((await claim([])).body.code, 'decisions.statement_incomplete')
  assert.equal((await claim([{ id: 'chk_made_up', kind: 'check_run', sha256: 'a'.repeat(64) }])).body.code, 'decisions.statement_incomplete')
  const check = (secret: string) => hub.operator('POST', `/operator/dockings/${shop.id}/checks`, { check: 'partners.key_leaked', secret })
  const [green] = (await check('nobody-has-this-key')).body.items
  assert.equal((await claim([{ id: green.id, kind: 'check_run', sha256: green.sha256 }])).body.code, 'decisions.statement_incomplete', 'a green check proves nothing')
  const ran = await check(shop.apiKey!)
  assert.deepEqual([ran.status, ran.body.items[0].verdict, ran.text.includes(shop.apiKey!)], [201, 'fail', false])
  const [red] = ran.body.items
  const held = await claim([{ id: red.id, kind: 'check_run', sha256: red.sha256 }], { liftsWhen: { check: 'partners.key_leaked', inputHash: red.inputHash } })
  assert.equal(held.status, 201, held.text)
  assert.deepEqual(held.body.statement.evidence[0].reproduce, { check: 'partners.key_leaked', version: '1', inputHash: red.inputHash })

  const stopped = await hub.bearer(shop, 'GET', '/api/docking')
  assert.deepEqual([stopped.status, stopped.body.code, stopped.body.decision], [403, 'partners.key_leaked', held.body.id])
  assert.equal((await hub.order(shop, { reference: 'A', good })).status, 201, 'the other key works on')
  assert.equal(await hub.hub.decisions.askConditions(), 0)
  assert.equal((await hub.operator('POST', `/operator/keys/${keyId}/end`, {})).status, 200)
  assert.equal(await hub.hub.decisions.askConditions(), 1)
  const read = await hub.signed(shop, 'GET', `/api/decisions/${held.body.id}`)
  assert.deepEqual([read.body.standing.state, read.body.standing.how], ['lifted', 'condition'])
})

test('a docking that is slowed down is told by which decision, under its true class, and what it may still ask', async (t) => {
  const { hub, shop, decide } = await open(t)
  assert.equal((await decide(statement({ kind: 'throttle', allows: { requestsPerSecond: 100_000 } }))).body.code, 'decisions.nothing_to_hold')
  const held = await decide(statement({ kind: 'throttle', allows: { requestsPerSecond: 2 } }))
  assert.equal(held.status, 201, held.text)
  let refused: Reply | null = null
  for (let i = 0; i < 10 && !refused; i++) {
    const reply = await hub.bearer(shop, 'GET', '/api/docking')
    if (reply.status === 429) refused = reply
    else assert.deepEqual([reply.body.limits.requestsPerSecond, reply.body.state], [2, 'open'])
  }
  assert.ok(refused)
  assert.deepEqual([refused.body.decision, refused.body.code, refused.body.class, refused.body.because.requestsPerSecond, refused.body.retry, refused.body.also[0].code], [held.body.id, 'compliance.identity_unverified', 'compliance', 2, 'same_request_after', 'platform.rate_limited'])
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.equal((await hub.operator('POST', `/operator/decisions/${held.body.id}/lift`, { note: 'Seen.' })).status, 200)
  assert.deepEqual(await Promise.all(Array.from({ length: 8 }, async () => (await hub.bearer(shop, 'GET', '/api/docking')).status)), Array(8).fill(200))
})

test('a price times ten for one docking needs a decision, counts while that is in force, and not a moment longer', async (t) => {
  const { hub, shop, good, decide } = await open(t)
  const price = (unitPrice: string) => hub.operator('POST', `/operator/dockings/${shop.id}/offers`, { good: 'Q10', unitPrice })
  assert.equal((await price('95.00')).body.code, 'terms.price_worse_than_published')
  for (const body of [{ good: 'Q10', unitPrice: '9.00', stock: 0 }, { good: 'Q10', unitPrice: '9.00', hidden: true }, { good: 'Q10', unitPrice: '0' }]) {
    assert.equal((await hub.operator('POST', `/operator/dockings/${shop.id}/offers`, body)).body.code, 'protocol.invalid_field', 'no offer of one docking is hidden, and none has a stock of its own')
  }
  assert.equal((await decide(statement({ kind: 'reprice', goods: ['Q10'] }))).body.code, 'decisions.nothing_to_hold')
  const contract = await signContract(hub.hub, shop)
  const commercial = { code: 'terms.contract_breach', ground: [{ type: 'contract', ref: contract, article: '7.2' }] }
  const held = await decide(statement({ kind: 'reprice', goods: ['Q10'], allows: { unitPriceMax: '95.00' } }, commercial))
  assert.equal(held.status, 201, held.text)
  assert.equal((await price('95.01')).body.code, 'terms.price_worse_than_published')
  assert.equal((await price('95.00')).status, 200)
  const costs = async (reference: string) => (await hub.order(shop, { reference, good })).body.unitPrice
  const shownAs = async () => (await hub.bearer(shop, 'GET', `/api/goods/${good}`)).body.unitPrice
  assert.deepEqual([await costs('A'), await shownAs()], ['95.00', '95.00'])
  assert.equal((await hub.operator('POST', `/operator/decisions/${held.body.id}/lift`, { note: 'Paid.' })).status, 200)
  assert.deepEqual([await costs('B'), await shownAs()], ['9.50', '9.50'])
})

test('goods that are withdrawn from one docking are refused with their decision, and everybody else buys them', async (t) => {
  const { hub, shop, good, decide } = await open(t)
  const other = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const held = await decide(statement({ kind: 'withdraw_offer', goods: ['Q10'] }))
  const refused = await hub.order(shop, { reference: 'A', good })
  assert.deepEqual([refused.body.code, refused.body.decision], ['compliance.identity_unverified', held.body.id])
  assert.equal((await hub.order(other, { reference: 'A', good })).status, 201)
  assert.deepEqual([(await hub.bearer(shop, 'GET', `/api/goods/${good}`)).body.stock, (await hub.bearer(other, 'GET', `/api/goods/${good}`)).body.stock], [19, 19], 'stock is the same for everybody')
})

test('no class-hopping, no fog, no hold for ever: each cheat is refused in words and holds nobody', async (t) => {
  const { hub, shop, good, decide } = await open(t)
  const contract = await signContract(hub.hub, shop)
  const commercial = { code: 'terms.contract_breach', ground: [{ type: 'contract', ref: contract, article: '7.2' }], facts: ['An invoice of October is unpaid.'] }
  const first = await decide(statement({ kind: 'warn' }, { ...commercial, code: 'terms.contract_breach' }))
  assert.equal(first.status, 201, first.text)
  const [red] = (await hub.operator('POST', `/operator/dockings/${shop.id}/checks`, { check: 'partners.key_leaked', secret: shop.apiKey })).body.items
  const second = { code: 'partners.key_leaked', ground: [], evidence: [{ id: red.id, kind: 'check_run', sha256: red.sha256 }] }
  assert.equal((await decide(statement({ kind: 'suspend', scope: ['orders'] }, second))).status, 201, 'a run after the first statement is news')
  const third = await decide(statement({ kind: 'suspend', scope: ['orders'] }, commercial))
  assert.deepEqual([third.status, third.body.code, third.body.because.told], [409, 'decisions.known_before', 'technical'])
  for (const [body, code] of [
    [statement({ kind: 'suspend', scope: ['orders'] }, { facts: ['Your system is ｉｎｃｏｍｐａｔｉｂｌｅ.'] }), 'decisions.statement_incomplete'],
    [statement({ kind: 'suspend', scope: ['funds'] }), 'protocol.invalid_field'],
    [statement({ kind: 'terminate', effectiveAt: new Date(Date.now() + 86_400_000).toISOString() }, { funds: { releaseAt: new Date(Date.now() + 90 * 86_400_000).toISOString() } }), 'decisions.statement_incomplete'],
    [statement({ kind: 'terminate' }), 'decisions.statement_incomplete'],
    [statement({ kind: 'restrict_payout' }), 'decisions.nothing_to_hold'],
    [statement({ kind: 'suspend', scope: ['orders'], liftsWhen: { check: 'no.such_check' } }), 'protocol.invalid_field'],
    [statement({ kind: 'suspend', scope: ['orders'] }, { reviewAt: new Date(Date.now() + 91 * 86_400_000).toISOString() }), 'decisions.statement_incomplete'],
  ] as const) assert.equal((await decide(body)).body.code, code, JSON.stringify(body))
  const other = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  assert.equal((await decide(statement({ kind: 'suspend', scope: ['orders'] }, commercial), other)).body.code, 'decisions.statement_incomplete', 'a contract of somebody else')
  assert.equal((await hub.order(other, { reference: 'A', good })).status, 201)
})

test('sealed by law, told so: facts that may not be told need two persons, and stand in nothing that the partner reads', async (t) => {
  const { hub, shop, decide } = await open(t)
  const li = await personOf(hub, 'li.wei')
  const secret = 'SECRET-FACT of the case'
  const drafted = await decide(statement({ kind: 'suspend', scope: ['orders'] }, { code: 'compliance.withheld_by_law', facts: [secret], evidence: [{ id: 'SECRET-FILE', kind: 'file', sha256: 'a'.repeat(64), disclosure: 'withheld_by_law', withheldGround: '反电信网络诈骗法 第三十二条' }] }))
  assert.equal(drafted.status, 202, drafted.text)
  assert.equal((await hub.bearer(shop, 'GET', '/api/decisions')).body.items.length, 0, 'a draft holds nobody')
  const own = await hub.operator('POST', `/operator/drafts/${drafted.body.draft}/approve`)
  assert.deepEqual([own.status, own.body.code], [403, 'decisions.second_person_needed'])
  const approved = await li(`/operator/drafts/${drafted.body.draft}/approve`)
  assert.deepEqual([approved.status, approved.body.decidedBy, approved.body.approvedBy], [201, 'owner', 'li.wei'])
  assert.equal((await li(`/operator/drafts/${drafted.body.draft}/approve`)).body.code, 'decisions.draft_not_found')
  for (const path of ['/api/docking', '/api/docking/report', '/api/decisions', `/api/decisions/${approved.body.id}`]) {
    const reply = await hub.bearer(shop, 'GET', path)
    assert.doesNotMatch(reply.text, /SECRET/, path)
    assert.match(reply.text, /withheld_by_law/, path)
  }
  const other = await hub.openDocking({ mode: 'live' })
  assert.equal((await hub.bearer(other, 'GET', `/api/decisions/${approved.body.id}`)).body.code, 'decisions.not_found', 'nobody learns who else is held')
})

test('nobody is moved to a dearer level or group without a decision, and with it back again when that ends', async (t) => {
  const { hub, shop, good, decide } = await open(t)
  for (const group of ['cheap', 'dear']) assert.equal((await hub.operator('POST', '/operator/prices/groups', { name: group })).status < 300, true)
  const rule = async (group: string, factor: string) => assert.ok((await hub.operator('POST', `/operator/prices/groups/${group}/rules`, { scope: 'all', formula: { factor } })).status < 300)
  await rule('cheap', '0.9')
  await rule('dear', '10')
  const move = (group: string | null) => hub.operator('POST', `/operator/dockings/${shop.id}/prices`, { group })
  const costs = async (reference: string) => (await hub.order(shop, { reference, good })).body.unitPrice
  assert.equal((await move('cheap')).status, 200, 'better for one needs nothing')
  const refused = await move('dear')
  assert.deepEqual([refused.status, refused.body.code, refused.body.because], [409, 'terms.placing_worse_than_published', { good: 'Q10', price: '95.00', published: '8.55', count: 1 }])
  assert.equal((await move(null)).body.code, 'terms.placing_worse_than_published', 'to take a better place away is to be worse')
  assert.equal(await costs('A'), '8.55')
  assert.equal((await decide(statement({ kind: 'level' }))).body.code, 'decisions.nothing_to_hold')
  const held = await decide(statement({ kind: 'level', allows: { priceGroup: 'dear' } }))
  assert.equal((await move(null)).body.code, 'terms.placing_worse_than_published', 'the decision names another place')
  assert.equal((await move('dear')).status, 200)
  assert.equal(await costs('B'), '95.00')
  assert.equal((await hub.operator('POST', `/operator/decisions/${held.body.id}/lift`, { note: 'Paid.' })).status, 200)
  assert.equal(await costs('C'), '8.55')
})
