import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Client } from 'pg'
import { readContract } from '../contract.ts'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'
import type { Json } from '../raw-http.ts'

const RACED = {
  unitPrice: '10', cost: '7', races: [{ name: '月卡', unitPrice: '30', wholesale: [{ from: 2, unitPrice: '28.5' }] }, { name: '季卡', unitPrice: '80' }],
  options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1' }, { name: '二区' }] }],
}
const MANUAL = { unitPrice: '19', delivery: 'manual' as const, stock: 5, form: [{ name: 'account', label: '账号', pattern: '^[a-z]+$' }, { name: 'zone', type: 'select', choices: [{ label: '一区', value: '1' }] }] }

async function open(t: Parameters<typeof startHub>[0]): Promise<{ hub: TestHub; docking: TestDocking; raced: string; manual: string; check: (method: string, path: string, reply: Reply) => Reply }> {
  const hub = await startHub(t)
  const raced = await hub.stockGood({ code: 'RACED', ...RACED })
  const manual = await hub.stockGood({ code: 'TOPUP', ...MANUAL })
  await hub.stockKind({ code: 'RACED', race: '月卡', options: { 区服: '一区' }, lines: ['M-1', 'M-2', 'M-3'] })
  const contract = await readContract(hub.url)
  return {
    hub, raced, manual, docking: await hub.openDocking({ mode: 'live', deposit: '1000.00' }),
    check: (method, path, reply) => {
      contract.check(method, path, reply)
      return reply
    },
  }
}

function refusedAs(reply: Reply, code: string, because: Json = {}): void {
  assert.equal(reply.body.code, code, reply.text)
  for (const [name, value] of Object.entries(because)) assert.deepEqual(reply.body.because[name], value)
}

test('a good shows its kinds with the prices of the docking, and never what it costs the main site', async (t) => {
  const { hub, docking, raced, manual, check } = await open(t)
  const good = check('GET', `/api/goods/${raced}`, await hub.bearer(docking, 'GET', `/api/goods/${raced}`)).body
  assert.deepEqual(good.races, [{ name: '月卡', unitPrice: '30.00', wholesale: [{ from: 2, unitPrice: '28.50' }], stock: 3 }, { name: '季卡', unitPrice: '80.00', stock: 0 }])
  assert.deepEqual([good.options, good.stock, good.delivery], [[{ name: '区服', choices: [{ name: '一区', surcharge: '1.00' }, { name: '二区', surcharge: '0.00' }] }], 3, 'card'])
  assert.doesNotMatch(JSON.stringify(good), /cost|"7/)
  const list = check('GET', '/api/goods', await hub.bearer(docking, 'GET', '/api/goods')).body.items
  const topUp = list.find((one: Json) => one.id === manual)
  assert.deepEqual([topUp.delivery, topUp.stock, topUp.races], ['manual', 5, undefined])
  const form = new Ajv2020({ strict: true }).compile(topUp.form)
  for (const [values, fits] of [[{ account: 'li', zone: '1' }, true], [{ account: 'li' }, false], [{ account: 'Li', zone: '1' }, false], [{ account: 'li', zone: '2' }, false], [{ account: 'li', zone: '1', x: '' }, false]] as const) {
    assert.equal(form(values), fits, 'the published form is the one that is checked')
    const reply = check('POST', '/api/orders', await hub.order(docking, { reference: `F-${JSON.stringify(values).length}-${fits}`, good: manual, form: values as Record<string, string> }))
    assert.equal(reply.status, fits ? 202 : 422, reply.text)
  }
})

test('an order names race and options, is charged for them, and is told what is wrong before money moves', async (t) => {
  const { hub, docking, raced, check } = await open(t)
  const order = async (reference: string, more: Json) => check('POST', '/api/orders', await hub.order(docking, { reference, good: raced, ...more }))
  refusedAs(await order('A', {}), 'orders.choice_missing', { missing: ['race', '区服'] })
  refusedAs(await order('A', { race: '年卡', options: { 区服: '一区' } }), 'orders.option_not_supported', { option: 'race=年卡' })
  refusedAs(await order('A', { race: '月卡', options: { 区服: '一区' }, form: { account: 'x' } }), 'protocol.invalid_field', { path: '/form/account' })
  refusedAs(await order('A', { race: '月卡', options: { 区服: 1 } }), 'protocol.invalid_field', { path: '/options/区服' })
  refusedAs(await order('A', { race: '月卡', options: { 区服: '一区' }, maxUnitPrice: '30.99' }), 'catalogue.price_above_guard', { price: '31.00' })
  refusedAs(await order('A', { race: '季卡', options: { 区服: '一区' } }), 'catalogue.out_of_stock', { available: 0 })
  const bought = await order('A', { race: '月卡', options: { 区服: '一区' }, quantity: 2 })
  assert.deepEqual([bought.status, bought.body.race, bought.body.options, bought.body.total, bought.body.cards.map((card: Json) => card.secret)], [201, '月卡', { 区服: '一区' }, '59.00', ['M-1', 'M-2']])
  const again = await order('A', { race: '月卡', options: { 区服: '一区' }, quantity: 2 })
  assert.deepEqual([again.status, again.headers.get('idempotent-replayed'), again.body.cards], [200, 'true', bought.body.cards])
  refusedAs(await order('A', { race: '月卡', options: { 区服: '二区' }, quantity: 2 }), 'orders.reference_reused', { differs: 'variant' })
  const seen = check('GET', `/api/orders/${bought.body.id}`, await hub.signed(docking, 'GET', `/api/orders/${bought.body.id}`)).body
  assert.deepEqual([seen.race, seen.options, seen.cards], ['月卡', { 区服: '一区' }, bought.body.cards])
  assert.deepEqual(await hub.findings(), [])
})

test('guessed addresses of pick-up pages are slowed down, and are no failed sign-ins', async (t) => {
  const hub = await startHub(t, { LIMIT_FAILED_SIGN_INS_PER_MINUTE: '4' })
  const docking = await hub.openDocking({ mode: 'live' })
  const answers = []
  for (let i = 0; i < 10; i++) answers.push((await fetch(`${hub.url}/o/guess${i}`)).status)
  assert.ok(answers[0] === 404 && answers.includes(429), answers.join())
  assert.equal((await hub.bearer({ ...docking, apiKey: 'x' }, 'GET', '/api/docking')).status, 401)
  assert.equal((await hub.bearer(docking, 'GET', '/api/docking')).status, 200)
})

test('a manual order is answered with 202, and a look-up shows the text once a person has delivered it', async (t) => {
  const { hub, docking, manual, check } = await open(t)
  const form = { account: 'li', zone: '1' }
  const look = async (id: string) => check('GET', `/api/orders/${id}`, await hub.signed(docking, 'GET', `/api/orders/${id}`)).body
  const placed = check('POST', '/api/orders', await hub.order(docking, { reference: 'M-1', good: manual, form }))
  assert.deepEqual([placed.status, placed.body.state, placed.body.charged, placed.body.cards, placed.body.text], [202, 'delivering', '19.00', [], undefined])
  const { id, pickup } = placed.body
  assert.equal((await fetch(pickup)).status, 200)
  assert.deepEqual([(await look(id)).state, (await hub.bearer(docking, 'GET', '/api/funds/balance')).body.available], ['delivering', '981.00'])
  refusedAs(await hub.order(docking, { reference: 'M-1', good: manual, form: { account: 'wu', zone: '1' } }), 'orders.reference_reused', { differs: 'form' })
  refusedAs(await hub.order(docking, { reference: 'M-2', good: manual, form, quantity: 6 }), 'catalogue.out_of_stock', { available: 5 })
  assert.equal((await hub.operator('POST', `/operator/orders/${id}/deliver`, { text: '已充值' })).status, 200)
  const delivered = await look(id)
  assert.deepEqual([delivered.state, delivered.text, delivered.pickup], ['delivered', '已充值', pickup])
  const masked = check('GET', `/api/orders/${id}`, await hub.bearer(docking, 'GET', `/api/orders/${id}`)).body
  assert.deepEqual([masked.text, masked.pickup], ['****', undefined], 'a bearer key sees neither the text nor the way to it')
  const again = check('POST', '/api/orders', await hub.order(docking, { reference: 'M-1', good: manual, form }))
  assert.deepEqual([again.status, again.body.text], [200, '已充值'])

  const lost = (await hub.order(docking, { reference: 'M-3', good: manual, form })).body.id
  assert.equal((await hub.operator('POST', `/operator/orders/${lost}/refund`, { reason: '维护中' })).status, 200)
  assert.deepEqual([(await look(lost)).state, (await hub.bearer(docking, 'GET', '/api/funds/balance')).body.available], ['refunded', '981.00'])
  refusedAs(await hub.operator('POST', '/operator/orders/ord_00000000000000000000/refund', { reason: 'none such' }), 'orders.not_found')
  for (const path of ['goods', 'orders']) assert.ok(check('GET', `/api/${path}`, await hub.bearer(docking, 'GET', `/api/${path}`)).body.items.length > 0)
  assert.deepEqual(await hub.findings(), [])
})

test('an order from before goods had kinds is still replayed, and a choice under its number is told apart', async (t) => {
  const { hub, docking } = await open(t)
  const good = await hub.stockGood({ code: 'CARD', cards: 2, mode: 'live' })
  const placed = (await hub.order(docking, { reference: 'OLD', good })).body
  const first = createHash('sha256').update(`1\n${good}\n1\n\n`).digest().subarray(0, 16)
  const owner = new Client({ connectionString: hub.ownerUrl })
  await owner.connect()
  await owner.query('update orders.orders set scheme = 1, fingerprint = $1', [first])
  await owner.end()
  const again = await hub.order(docking, { reference: 'OLD', good })
  assert.deepEqual([again.status, again.body.id, again.body.cards], [200, placed.id, placed.cards])
  refusedAs(await hub.order(docking, { reference: 'OLD', good, race: '月卡' }), 'orders.reference_reused', { differs: 'variant' })
  refusedAs(await hub.order(docking, { reference: 'OLD', good, quantity: 2 }), 'orders.reference_reused', { differs: 'quantity' })
})
