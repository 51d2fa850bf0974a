import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHub } from '../hub.ts'
import { signContract } from '../rule-text.ts'

const LAW = [{ type: 'law', ref: '电子商务法', article: '第二十七条' }]
const REMEDY = [{ action: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' } }]
const FACTS = ['The business licence that was sent has expired.']
const statement = (measure: object, more: object = {}) => ({ measure, code: 'compliance.identity_unverified', ground: LAW, facts: FACTS, remedy: REMEDY, ...more })

test('a group of one, or a level that leads to it, is not made dearer for its one docking without a decision that moved it there', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '500.00' })
  const good = await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' })
  const costs = async (reference: string) => (await hub.order(shop, { reference, good })).body.unitPrice
  const rule = (group: string, formula: object | null) => hub.operator('POST', `/operator/prices/groups/${group}/rules`, { scope: 'all', formula })
  const move = (to: object) => hub.operator('POST', `/operator/dockings/${shop.id}/prices`, to)
  const level = (group: string) => hub.operator('POST', '/operator/prices/levels', { name: 'V1', group })
  for (const name of ['alone', 'dear', 'home']) assert.equal((await hub.operator('POST', '/operator/prices/groups', { name })).status, 201)
  assert.equal((await rule('dear', { factor: '10' })).status, 200, 'an empty group hits nobody')
  assert.equal((await move({ group: 'alone' })).status, 200)
  const refused = await rule('alone', { factor: '10' })
  assert.deepEqual([refused.status, refused.body.code, refused.body.because], [409, 'terms.placing_worse_than_published', { good: 'Q10', price: '95.00', published: '9.50', count: 1 }])
  const bulk = await hub.operator('POST', '/operator/prices/changes', { selector: { group: 'alone' }, change: { factor: '10' } })
  assert.equal(bulk.body.code, 'terms.placing_worse_than_published')
  assert.equal((await rule('alone', { factor: '0.9' })).status, 200, 'better for one needs nothing')
  assert.equal((await rule('alone', null)).body.code, 'terms.placing_worse_than_published', 'and is not taken away again')
  assert.equal((await level('home')).status, 200)
  assert.equal((await move({ level: 'V1' })).status, 200)
  assert.equal((await rule('home', { factor: '0.9' })).status, 200)
  assert.equal((await move({ group: null })).status, 200)
  assert.equal((await level('dear')).body.code, 'terms.placing_worse_than_published')
  assert.equal(await costs('A'), '8.55')

  const decided = await hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, statement({ kind: 'level', allows: { priceGroup: 'dear' } }))
  assert.equal(decided.status, 201, decided.text)
  assert.equal((await move({ group: 'dear' })).status, 200)
  assert.equal((await rule('dear', { factor: '11' })).status, 200, 'it stands there by a decision and goes back with it')
  assert.equal((await rule('home', { factor: '10' })).body.code, 'terms.placing_worse_than_published', 'where it will go back to stays as it was')
  assert.equal(await costs('B'), '104.50')
  assert.equal((await hub.operator('POST', `/operator/decisions/${decided.body.id}/lift`, { note: 'Paid.' })).status, 200)
  assert.equal(await costs('C'), '8.55')
  for (let i = 0; i < 4; i++) assert.equal((await hub.operator('POST', `/operator/dockings/${(await hub.openDocking({ mode: i < 3 ? 'live' : 'sandbox' })).id}/prices`, { group: 'home' })).status, 200)
  assert.equal((await rule('home', { factor: '1.2' })).body.code, 'terms.placing_worse_than_published', 'a sandbox fills no group')
  assert.equal((await hub.operator('POST', `/operator/dockings/${(await hub.openDocking({ mode: 'live' })).id}/prices`, { group: 'home' })).status, 200)
  assert.equal((await rule('home', { factor: '1.2' })).status, 200, 'five live dockings are a group')
})

test('a secret that the operator made itself proves no leak, and what is technical ends by its check and no relation', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  const check = async (secret: string) => (await hub.operator('POST', `/operator/dockings/${shop.id}/checks`, { check: 'partners.key_leaked', secret })).body.items[0]
  const made = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer' })
  assert.equal((await check(made.body.secret)).verdict, 'pass')
  const own = await hub.signed(shop, 'POST', '/api/keys', { kind: 'hmac-sha256', scopes: ['goods:read'] }, { idempotencyKey: 'mine' })
  assert.equal(own.status, 201, own.text)
  assert.equal((await check(own.body.secret)).verdict, 'fail', 'a key that the partner made')
  const red = await check(shop.apiKey!)
  const decide = (measure: object, more: object = {}) => hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, {
    measure, code: 'partners.key_leaked', ground: [], facts: ['The key stood in a public repository.'], remedy: REMEDY, evidence: [{ id: red.id, kind: 'check_run', sha256: red.sha256 }], ...more,
  })
  const ended = await decide({ kind: 'terminate' }, { funds: { releaseAt: new Date(Date.now() + 40 * 86_400_000).toISOString() } })
  assert.equal(ended.body.code, 'decisions.statement_incomplete')
  assert.equal((await decide({ kind: 'suspend', scope: ['orders'], liftsWhen: 'When we like.' })).body.code, 'decisions.statement_incomplete')
  const held = await decide({ kind: 'suspend', scope: ['orders'] })
  assert.equal(held.status, 201, held.text)
  assert.deepEqual(held.body.statement.measure.liftsWhen, { check: 'partners.key_leaked', inputHash: red.inputHash }, 'the check lifts it, also where nobody says so')
})

test('nobody hops to another class by a hash of nothing, by a period to come, or by two letters of law', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  const decide = (body: object) => hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, body)
  assert.equal((await decide(statement({ kind: 'warn' }))).status, 201)
  const contract = await signContract(hub.hub, shop)
  const commercial = (more: object) => decide(statement({ kind: 'suspend', scope: ['orders'] }, { code: 'terms.contract_breach', ground: [{ type: 'contract', ref: contract, article: '7.2' }], ...more }))
  assert.equal((await commercial({ evidence: [{ id: 'invoice', kind: 'file', sha256: 'ab'.repeat(32) }] })).body.code, 'decisions.known_before')
  assert.equal((await commercial({ ground: [{ type: 'contract', ref: contract, article: '7.2' }, { type: 'law', ref: 'x', article: 'y' }] })).body.code, 'decisions.known_before')
  const reworded = await commercial({ facts: [{ text: 'The licence of the business had expired.', period: { from: '2026-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z' } }] })
  assert.deepEqual([reworded.body.code, reworded.body.because.missing], ['decisions.statement_incomplete', ['facts whose period is over']])
})

test('a measure that nobody reviewed in time leaves a warning, and the warning ends; no time is put off for ever', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  const decide = (body: object) => hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, body)
  for (const body of [
    statement({ kind: 'suspend', scope: ['orders'], endsAt: '9999-01-01T00:00:00Z' }), statement({ kind: 'suspend', scope: ['orders'] }, { respondBy: '9998-01-01T00:00:00Z' }),
    statement({ kind: 'suspend', scope: ['orders'] }, { funds: { releaseAt: '9999-01-01T00:00:00Z' } }),
  ]) assert.equal((await decide(body)).body.code, 'decisions.statement_incomplete')
  const held = await decide(statement({ kind: 'suspend', scope: ['orders'] }, { reviewAt: new Date(Date.now() + 1_500).toISOString() }))
  assert.equal(held.status, 201, held.text)
  assert.equal((await hub.order(shop, { reference: 'A', good })).body.code, 'compliance.identity_unverified')
  while (Date.now() < Date.parse(held.body.statement.clocks.reviewAt)) await sleep(50)
  await hub.hub.decisions.review()
  const read = (await hub.operator('GET', `/operator/decisions/${held.body.id}`)).body
  assert.deepEqual([read.standing.state, read.standing.how], ['superseded', 'lapse'])
  const left = (await hub.operator('GET', `/operator/dockings/${shop.id}/decisions?state=open`)).body.items
  assert.deepEqual(left.map((one: { statement: { measure: { kind: string } } }) => one.statement.measure.kind), ['warn'])
  assert.equal((await hub.order(shop, { reference: 'B', good })).status, 201)
})
