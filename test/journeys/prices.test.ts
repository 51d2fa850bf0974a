import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'

function ok(reply: Reply, status: number): Reply['body'] {
  assert.equal(reply.status, status, reply.text)
  return reply.body
}

async function feedOf(hub: TestHub, docking: TestDocking, after: string): Promise<{ seen: string[]; after: string }> {
  const seen: string[] = []
  for (;;) {
    const page = ok(await hub.bearer(docking, 'GET', `/api/goods/changes?after=${after}&limit=500`), 200)
    seen.push(...page.items.map((item: { good: string; what: string; now: { unitPrice: string } }) => `${item.good} ${item.what} ${item.now.unitPrice}`))
    after = page.after
    if (!page.more) return { seen, after }
  }
}

test('a price changes between two orders: the second pays the new one, its guard holds it, and the feed of each shop tells its own', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 20, unitPrice: '10.00' })
  const other = await hub.stockGood({ code: 'Q30', cards: 20, unitPrice: '30.00' })
  const [member, guest] = [await hub.openDocking({ name: 'Member', deposit: '500.00' }), await hub.openDocking({ name: 'Guest', deposit: '500.00' })]
  ok(await hub.operator('POST', '/operator/prices/groups', { name: '金牌' }), 201)
  ok(await hub.operator('POST', '/operator/prices/levels', { name: 'V3', group: '金牌' }), 200)
  assert.equal(ok(await hub.operator('POST', `/operator/dockings/${member.id}/prices`, { level: 'V3' }), 200).counts, '金牌')
  const [memberFeed, guestFeed] = [await feedOf(hub, member, '0'), await feedOf(hub, guest, '0')]

  assert.equal(ok(await hub.order(member, { reference: 'A-1', good }), 201).unitPrice, '10.00')
  const set = ok(await hub.operator('POST', '/operator/prices/groups/%E9%87%91%E7%89%8C/rules', { scope: 'category', subject: 'Test', formula: { percent: '-4.5' } }), 200)
  assert.deepEqual([set.changed, set.selected, set.says], [2, 2, 'list x 0.955 up to 0.01'])
  assert.equal(ok(await hub.order(member, { reference: 'A-2', good }), 201).unitPrice, '9.55')
  assert.equal(ok(await hub.order(guest, { reference: 'A-2', good }), 201).unitPrice, '10.00')
  assert.equal(ok(await hub.order(member, { reference: 'A-1', good }), 200).unitPrice, '10.00', 'a repeat is the order that it was')
  assert.deepEqual((await feedOf(hub, member, memberFeed.after)).seen, [`${good} price 9.55`, `${other} price 28.65`])
  assert.deepEqual((await feedOf(hub, guest, guestFeed.after)).seen, [], 'what only a group sees is told to the group alone')

  ok(await hub.operator('POST', '/operator/prices/changes', { selector: { codes: ['Q10'] }, change: { add: '2' } }), 201)
  const guarded = await hub.order(member, { reference: 'A-3', good, maxUnitPrice: '9.55' })
  assert.deepEqual([guarded.body.code, guarded.body.because], ['catalogue.price_above_guard', { price: '11.46', allowed: '9.55' }])
  assert.deepEqual((await feedOf(hub, guest, guestFeed.after)).seen, [`${good} price 12.00`])
  ok(await hub.operator('POST', `/operator/dockings/${guest.id}/offers`, { good: 'Q10', unitPrice: '11.00', note: '老客户' }), 200)
  const dear = await hub.operator('POST', `/operator/dockings/${guest.id}/offers`, { good: 'Q10', unitPrice: '12.01' })
  assert.deepEqual([dear.status, dear.body.code, dear.body.class], [409, 'terms.price_worse_than_published', 'commercial'])
  const history = ok(await hub.operator('GET', `/operator/prices/history?docking=${guest.id}`), 200).items
  assert.deepEqual(history.map(({ what, old, new: now, note }: Record<string, string>) => [what, old, now, note]), [['own', '12.00', '11.00', '老客户']])
  assert.equal(ok(await hub.operator('POST', `/operator/dockings/${guest.id}/offers/end`, { good: 'Q10' }), 200).ended, true)
  assert.equal(ok(await hub.order(guest, { reference: 'A-4', good }), 201).unitPrice, '12.00')
  const ofGood = []
  for (let next: string | null = ''; next !== null; ) {
    const page: { items: unknown[]; next: string | null } = ok(await hub.operator('GET', `/operator/prices/history?good=Q10&limit=1${next === '' ? '' : `&before=${next}`}`), 200)
    ofGood.push(...page.items)
    next = page.next
  }
  assert.equal(ofGood.length, 3, 'the list once, the own price twice, page by page')
  assert.deepEqual(await hub.findings(), [])
})

test('a change of later counts from its time on, and not before; what is taken back never does', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 50, unitPrice: '10.00' })
  const shop = await hub.openDocking({ deposit: '500.00' })
  const at = new Date(Date.now() + 900).toISOString()
  const kept = ok(await hub.operator('POST', '/operator/prices/changes', { change: { percent: '10' }, at, note: '双十二' }), 201)
  const never = ok(await hub.operator('POST', '/operator/prices/changes', { change: { set: '1.00' }, at, reference: 'slip' }), 201)
  assert.deepEqual([kept.state, kept.rows.map((row: { old: string; new: string }) => [row.old, row.new])], ['scheduled', [['10.00', '11.00']]])
  ok(await hub.operator('POST', `/operator/prices/changes/${never.id}/cancel`, { note: 'slip' }), 200)
  assert.equal(ok(await hub.operator('POST', '/operator/prices/changes', { change: { set: '1.00' }, reference: 'slip' }), 200).state, 'cancelled', 'a reference that was used is answered, not done')
  assert.equal(ok(await hub.order(shop, { reference: 'B-1', good }), 201).unitPrice, '10.00')
  for (let i = 2; ; i++) {
    const { unitPrice } = ok(await hub.order(shop, { reference: `B-${i}`, good }), 201)
    assert.equal(unitPrice, Date.now() < Date.parse(at) ? '10.00' : unitPrice)
    if (unitPrice === '11.00') break
    assert.ok(i < 40 && unitPrice === '10.00', 'the change never came')
    await sleep(150)
  }
  const list = ok(await hub.operator('GET', '/operator/prices/changes'), 200).items
  assert.deepEqual(list.map((change: { id: string; state: string }) => [change.id, change.state]), [[never.id, 'cancelled'], [kept.id, 'applied']])
  assert.deepEqual([list[1].outcome.changed, list[1].note, list[1].by], [1, '双十二', 'owner'])
  const gone = await hub.operator('POST', `/operator/prices/changes/${kept.id}/cancel`, {})
  assert.deepEqual([gone.body.code, gone.body.because.seen], ['terms.price_change_ended', 'applied'])
  for (const wrong of [new Date(Date.now() - 1_000).toISOString(), '2100-01-01T00:00:00Z', 'tomorrow']) {
    assert.equal((await hub.operator('POST', '/operator/prices/changes', { change: { set: '1.00' }, at: wrong })).body.because.path, '/at')
  }
})

test('ten thousand prices change in one transaction while orders go on; an order after the answer never pays an old one', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'HOT', cards: 900, unitPrice: '10.00' })
  for (let part = 0; part < 2; part++) {
    const items = Array.from({ length: 4_999 + part }, (_, i) => ({ code: `M-${part}-${i}`, name: 'Many', category: 'Many', unitPrice: '5.00' }))
    ok(await hub.operator('POST', '/operator/goods', { items }), 200)
  }
  const shops = await Promise.all(Array.from({ length: 4 }, (_, i) => hub.openDocking({ name: `Shop ${i}`, deposit: '100000.00' })))
  ok(await hub.operator('POST', '/operator/prices/groups', { name: 'g' }), 201)
  for (const shop of shops) ok(await hub.operator('POST', `/operator/dockings/${shop.id}/prices`, { group: 'g' }), 200)

  const state = { answered: '', isOver: false, isApplying: false }
  let during = 0
  let orders = 0
  const buying = shops.map(async (shop) => {
    while (!state.isOver) {
      const floor = state.answered
      const order = ok(await hub.order(shop, { reference: `C-${++orders}`, good }), 201)
      assert.ok(floor === '' || Number(order.unitPrice) >= Number(floor), `${order.unitPrice} after ${floor} was answered`)
      if (state.isApplying) during++
    }
  })
  for (const [target, set] of [[{}, '10.50'], [{ group: 'g' }, '11.00'], [{ group: 'g' }, '11.50']] as const) {
    state.isApplying = true
    const applied = ok(await hub.operator('POST', '/operator/prices/changes', { selector: target, change: { set } }), 201)
    state.isApplying = false
    state.answered = set
    assert.deepEqual([applied.counts.changed, applied.rows.length, applied.errors.length], [10_000, 10_000, 0])
    await sleep(30)
  }
  state.isOver = true
  await Promise.all(buying)
  assert.ok(during > 0, 'orders were placed while prices were written')
  const rows = Number((await hub.hub.db.run({ text: `select count(*)::int from catalogue.changes where what = 'price'`, values: [] }))[0]![0])
  assert.equal(rows, 10_000 * (3 + shops.length), 'a row a good for a change of a group, whatever the number of its dockings; and one a good for each docking that joined')
  const more = await hub.operator('POST', '/operator/goods', { items: [{ code: 'ONE-MORE', name: 'x', category: 'Many', unitPrice: '5.00' }] })
  ok(more, 200)
  assert.equal((await hub.operator('POST', '/operator/prices/changes', { change: { set: '1.00' }, dryRun: true })).body.because.path, '/selector')
  assert.deepEqual(await hub.findings(), [])
})

test('the doors of prices take what they say and name what they do not', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10', unitPrice: '10.00' })
  ok(await hub.operator('POST', '/operator/prices/groups', { name: 'g', note: 'n' }), 201)
  ok(await hub.operator('POST', '/operator/prices/groups', { name: 'g' }), 200)
  const paths: [string, unknown, string][] = [
    ['/operator/prices/changes', {}, '/change'], ['/operator/prices/changes', { change: { set: '1' }, rows: [{ code: 'Q10', price: '1' }] }, '/change'], ['/operator/prices/changes', { change: { sett: '1' } }, '/change/sett'],
    ['/operator/prices/changes', { rows: [{ code: 'Q10', price: '1' }], selector: { codes: ['Q10'] } }, '/selector/codes'], ['/operator/prices/changes', { change: { set: '0.0000001' } }, '/change/set'],
    ['/operator/prices/changes', { rows: [] }, '/rows'], ['/operator/prices/changes', { change: { set: '1' }, selector: { group: 'x' } }, '/selector/group'],
    ['/operator/prices/groups/g/rules', { scope: 'all', subject: 'Test', formula: { factor: '1' } }, '/subject'], ['/operator/prices/groups/g/rules', { scope: 'good', formula: { factor: '1' } }, '/subject'],
    ['/operator/prices/groups/x/rules', { scope: 'all', formula: { factor: '1' } }, '/group'], ['/operator/prices/levels', { name: 'L', group: 'x' }, '/group'],
  ]
  for (const [path, body, field] of paths) assert.equal((await hub.operator('POST', path, body)).body?.because?.path, field, `${path} ${JSON.stringify(body)}`)
  assert.equal((await hub.operator('POST', '/operator/prices/groups/g/rules', { scope: 'good', subject: 'NONE', formula: { factor: '1' } })).body.code, 'catalogue.good_not_found')
  assert.equal((await hub.operator('POST', '/operator/prices/changes', { change: { set: '1' }, selector: { docking: 'dck_nobody' } })).body.code, 'partners.docking_not_found')
  assert.equal((await hub.operator('POST', '/operator/prices/changes/chg_nobody/cancel', {})).body.code, 'terms.price_change_not_found')
  const dry = ok(await hub.operator('POST', '/operator/prices/groups/g/rules', { scope: 'all', formula: { factor: '0.9' }, dryRun: true }), 200)
  assert.deepEqual([dry.changed, ok(await hub.operator('GET', '/operator/prices/groups/g/rules'), 200).items], [1, []])
  for (const [scope, subject] of [['all'], ['category', 'Test'], ['good', 'Q10']]) ok(await hub.operator('POST', '/operator/prices/groups/g/rules', { scope, subject, basis: 'cost', formula: { percent: '8', add: '-0.02' } }), 200)
  const rules: string[] = []
  for (let after: string | null = ''; after !== null; ) {
    const page: { items: { scope: string; says: string }[]; next: string | null } = ok(await hub.operator('GET', `/operator/prices/groups/g/rules?limit=1${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`), 200)
    rules.push(...page.items.map((item) => `${item.scope}: ${item.says}`))
    after = page.next
  }
  assert.deepEqual(rules, ['all', 'category', 'good'].map((scope) => `${scope}: cost x 1.08 - 0.02 up to 0.01`))
  const check = ok(await hub.operator('GET', '/operator/prices/check'), 200)
  assert.deepEqual(check, { ok: false, more: false, findings: [{ what: 'cost_unknown', group: 'g', docking: null, good: 'Q10', price: null, against: null }] })
  assert.deepEqual(ok(await hub.operator('GET', '/operator/prices/groups'), 200).items.map((group: { name: string; rules: number }) => [group.name, group.rules]), [['g', 3]])
  assert.deepEqual(ok(await hub.operator('GET', '/operator/prices/levels'), 200).items, [])
})
