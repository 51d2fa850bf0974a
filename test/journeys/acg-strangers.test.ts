import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openShop, tradeFields } from '../acg-shop.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'
import type { Json } from '../raw-http.ts'

const ACCOUNT = { mode: 'live', dialect: 'acg0', deposit: '1000.00', appId: '1000', appKey: 'KEY-OF-DOWNSTREAM-0001' } as const

async function factsOf(hub: TestHub, docking: TestDocking): Promise<string[]> {
  // Facts of refusals are written behind the answer.
  await sleep(300)
  return (await hub.hub.db.run({ text: 'select body from platform.facts where docking = $1 and code is not null', values: [docking.id] })).map((row) => String(row[0]))
}

test('what a buyer filled in stands in no fact and no report when the shop signed wrongly', async (t) => {
  const hub = await startHub(t)
  const docking = await hub.openDocking(ACCOUNT)
  await hub.stockGood({ code: 'T', unitPrice: '19', delivery: 'manual', form: [{ name: 'account' }, { name: 'secretword', type: 'password' }] })
  const wrong = openShop({ ...docking, appKey: 'WRONG-KEY-OF-NOBODY-01' })
  const filled = { account: 'CANARY-1', secretword: 'CANARY-2', contact: 'CANARY-3', password: 'CANARY-4', ticks: { 0: 'CANARY-5' } }
  assert.equal((await wrong.call('/shared/commodity/trade', tradeFields('T', 1, 'R1', filled))).code, 0)
  const facts = await factsOf(hub, docking)
  assert.equal(facts.length, 1)
  assert.match(facts[0]!, /account=\*\*\*.*request_no=R1&secretword=\*\*\*&shared_code=T/, 'what the shop needs to find its mistake is there')
  assert.doesNotMatch(facts[0]!, /CANARY|WRONG-KEY/)
  const report = await hub.bearer(docking, 'GET', '/api/docking/report')
  assert.equal(report.status, 200)
  assert.doesNotMatch(report.text, /CANARY|WRONG-KEY/)
})

for (const door of ['acg', 'json'] as const) {
  test(`strangers who name the key of a docking (${door}) fill neither its books nor its log of requests`, async (t) => {
    const hub = await startHub(t, { LIMIT_FAILED_SIGN_INS_PER_MINUTE: '6' })
    const docking = await hub.openDocking(door === 'acg' ? ACCOUNT : { mode: 'live', deposit: '1000.00' })
    const shop = openShop(docking)
    const call = async () => (door === 'acg' ? (await shop.connect()).code : (await hub.signed(docking, 'GET', '/api/docking')).status)
    assert.equal(await call(), 200)
    const wrong = openShop({ ...docking, appKey: 'WRONG-KEY-OF-NOBODY-01' })
    for (let i = 0; i < 40; i++) {
      if (door === 'acg') await wrong.connect()
      else await hub.signed({ ...docking, keySecret: 'another secret of forty-three characters 01' }, 'GET', '/api/docking')
    }
    // The count may begin again with a new minute.
    const facts = await factsOf(hub, docking)
    assert.ok(facts.length >= 5 && facts.length <= 10, String(facts.length))
    const { items } = (await hub.bearer(docking, 'GET', '/api/requests')).body
    assert.equal(items.filter((item: Json) => item.code === 'partners.signature_invalid').length, facts.length)
    assert.equal(items.filter((item: Json) => item.code === null).length, 1, 'what was proven is still there')
    assert.equal(await call(), 200, 'and the right key passes')
  })
}
