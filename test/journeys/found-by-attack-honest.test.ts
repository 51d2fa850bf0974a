import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHub } from '../hub.ts'

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
