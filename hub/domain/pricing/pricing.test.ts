import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { codeOf, must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { formatAmount, parseAmount } from '../../../protocol/money.ts'
import { changesFor, importGoods, loadPricedByCode, readPriced, offeredById } from '../catalogue/index.ts'
import type { Docking } from '../partners/index.ts'
import { loadWholeHistory, readHistory, type Formula } from '../terms/index.ts'
import {
  addGroup, applyChange, cancelChange, checkPrices, endOwnPrice, placeDocking, previewChange, priceGroupOf, setLevel, setOwnPrice, setRule, type ChangeAsk,
} from './index.ts'

const rooms = await openRooms({ after })
const done = { by: 'wang', note: 'autumn' }
const formula = (factor: string, changes: Partial<Formula> = {}): Formula => ({ basis: 'list', factorPpm: parseAmount(factor)!, additionMicro: 0n, stepMicro: 10_000n, belowCost: false, ...changes })
const ask = (changes: Partial<ChangeAsk> = {}): ChangeAsk => ({ selector: {}, change: null, rows: null, allowBelowCost: false, ...done, ...changes })
const apply = (own: Rooms, changes: Partial<ChangeAsk>, more: { reference?: string; dueAt?: Date } = {}) =>
  applyChange(own.db, ask(changes), { id: own.ids.make('chg', own.clock.nowMs()), reference: more.reference ?? null, dueAt: more.dueAt ?? null })

let orders = 0
/** What one piece costs a docking: as it is listed, and as an order is charged. The two must agree. */
async function priceOf(own: Rooms, docking: Docking, good: string): Promise<string> {
  const listed = (await offeredById(own.db, docking, [good]))[0]!.unitPriceMicro
  const { order } = must(await own.place(docking, `P-${++orders}`, good))
  assert.equal(order.unitPriceMicro, listed, 'an order pays what the list of goods shows')
  return formatAmount(listed)
}

async function goodsOf(own: Rooms, codes: readonly string[], category = 'Test', unitPrice = '10.00'): Promise<string[]> {
  await importGoods(own.db, codes.map((code) => ({ code, name: code, category, unitPrice })), 1, () => own.ids.make('gds', own.clock.nowMs()))
  const ids = new Map(readPriced(await own.db.run(loadPricedByCode(codes))).map((good) => [good.code, good.id]))
  for (const code of codes) await own.addCards(ids.get(code)!, 30)
  return codes.map((code) => ids.get(code)!)
}

const priced = async (own: Rooms, code: string) => readPriced(await own.db.run(loadPricedByCode([code])))[0]!
const rule = (own: Rooms, group: string, scope: 'all' | 'category' | 'good', subject: Parameters<typeof setRule>[1]['subject'], given: Formula | null) =>
  setRule(own.db, { group, scope, subject, formula: given }, { ...done, dryRun: false })

/** Four others in a group: what makes five dockings dearer is a condition of the group, and no measure. */
async function fill(own: Rooms, group: string): Promise<void> {
  for (let i = 0; i < 4; i++) must(await placeDocking(own.db, await own.openDocking(), { group }, done))
}

test('own price before the rule for the good, its category, all, before the list; each counts from the next order on', async () => {
  const [good] = await goodsOf(rooms, ['ORDERLY'], 'Games')
  const docking = await rooms.openDocking({ deposit: '1000.00' })
  const other = await rooms.openDocking({ deposit: '1000.00' })
  assert.equal(await priceOf(rooms, docking, good!), '10.00')
  assert.deepEqual([(await addGroup(rooms.db, 'gold', '')).added, (await addGroup(rooms.db, 'gold', '')).added], [true, false])
  assert.equal(must(await placeDocking(rooms.db, docking, { group: 'gold' }, done)).counts, 'gold')
  await fill(rooms, 'gold')
  assert.equal(await priceOf(rooms, docking, good!), '10.00', 'a group without rules is the list')
  assert.deepEqual(must(await rule(rooms, 'gold', 'all', '', formula('0.99'))), { changed: 1, selected: 1 })
  assert.equal(await priceOf(rooms, docking, good!), '9.90')
  must(await rule(rooms, 'gold', 'category', 'Games', formula('0.98')))
  assert.equal(await priceOf(rooms, docking, good!), '9.80')
  must(await rule(rooms, 'gold', 'good', await priced(rooms, 'ORDERLY'), formula('0.97')))
  assert.equal(await priceOf(rooms, docking, good!), '9.70')
  must(await setOwnPrice(rooms.db, docking, { good: await priced(rooms, 'ORDERLY'), race: '', unitPriceMicro: parseAmount('9.60')! }, done))
  assert.equal(await priceOf(rooms, docking, good!), '9.60')
  assert.equal(await priceOf(rooms, other, good!), '10.00', 'who is in no group pays the list price')

  assert.equal((await endOwnPrice(rooms.db, docking, { good: await priced(rooms, 'ORDERLY'), race: '' }, done)).ended, true)
  assert.equal((await endOwnPrice(rooms.db, docking, { good: await priced(rooms, 'ORDERLY'), race: '' }, done)).ended, false)
  assert.equal(await priceOf(rooms, docking, good!), '9.70')
  must(await setOwnPrice(rooms.db, docking, { good: await priced(rooms, 'ORDERLY'), race: '', unitPriceMicro: parseAmount('9.65')! }, done))
  assert.equal(await priceOf(rooms, docking, good!), '9.65', 'what ended can be given again')
  assert.equal((await endOwnPrice(rooms.db, docking, { good: await priced(rooms, 'ORDERLY'), race: '' }, done)).ended, true)
  must(await rule(rooms, 'gold', 'good', await priced(rooms, 'ORDERLY'), null))
  assert.equal(await priceOf(rooms, docking, good!), '9.80')
  must(await rule(rooms, 'gold', 'category', 'Games', null))
  assert.equal(await priceOf(rooms, docking, good!), '9.90')
  must(await rule(rooms, 'gold', 'all', '', formula('1', { basis: 'cost' })))
  assert.equal(await priceOf(rooms, docking, good!), '10.00', 'without a known cost the rule leaves it to the list')
  const { findings } = await checkPrices(rooms.db, 100)
  assert.ok(findings.some((found) => found.what === 'cost_unknown' && found.group === 'gold' && found.good === 'ORDERLY'))
  must(await rule(rooms, 'gold', 'all', '', null))
  assert.deepEqual(must(await rule(rooms, 'gold', 'all', '', null)), { changed: 0, selected: 1 })
  must(await rule(rooms, 'gold', 'category', 'Games', formula('0.9')))
  assert.equal(await priceOf(rooms, docking, good!), '9.00', 'a rule that ended can be given again')
})

test('a level leads to a group, and a group of its own goes before it; all dockings of a level move together', async () => {
  const [good] = await goodsOf(rooms, ['LEVELS'])
  const [a, b] = [await rooms.openDocking({ deposit: '1000.00' }), await rooms.openDocking({ deposit: '1000.00' })]
  for (const [name, factor] of [['silver', '0.95'], ['bronze', '0.98']] as const) {
    await addGroup(rooms.db, name, '')
    must(await rule(rooms, name, 'all', '', formula(factor)))
  }
  assert.equal(codeOf(await setLevel(rooms.db, 'L1', 'nobody', done)), 'protocol.invalid_field')
  must(await setLevel(rooms.db, 'L1', 'bronze', done))
  for (const docking of [a, b]) must(await placeDocking(rooms.db, docking, { level: 'L1' }, done))
  must(await placeDocking(rooms.db, b, { group: 'silver' }, done))
  assert.deepEqual([await priceOf(rooms, a, good!), await priceOf(rooms, b, good!)], ['9.80', '9.50'])
  const head = (await changesFor(rooms.db, a.id, 0n, 500, 'bronze')).head
  must(await setLevel(rooms.db, 'L1', 'silver', done))
  assert.deepEqual([await priceOf(rooms, a, good!), await priceOf(rooms, b, good!)], ['9.50', '9.50'])
  assert.equal(await priceGroupOf(rooms.db, a), 'silver')
  const seen = await changesFor(rooms.db, a.id, head, 500, 'silver')
  assert.ok(seen.changes.some((change) => change.good === good && change.what === 'price'))
  must(await placeDocking(rooms.db, b, { group: null }, done))
  assert.equal(codeOf(await placeDocking(rooms.db, b, { level: null }, done)), 'terms.placing_worse_than_published', 'a better place is not taken away without a decision')
  assert.equal(await priceOf(rooms, b, good!), '9.50')
  assert.equal(codeOf(await placeDocking(rooms.db, b, { level: 'nobody' }, done)), 'protocol.invalid_field')
})

test('an own price worse than what everybody gets is refused, alone and among many, and nothing of the change stands', async () => {
  const own = await openRooms({ after })
  const [good] = await goodsOf(own, ['FAIR', 'FAIR2'])
  const docking = await own.openDocking({ deposit: '1000.00' })
  const give = async (text: string) => codeOf(await setOwnPrice(own.db, docking, { good: await priced(own, 'FAIR'), race: '', unitPriceMicro: parseAmount(text)! }, done))
  assert.deepEqual([await give('10.000001'), await give('10'), await give('9')], ['terms.price_worse_than_published', 'accepted', 'accepted'])
  await addGroup(own.db, 'g', '')
  must(await rule(own, 'g', 'all', '', formula('0.5')))
  must(await placeDocking(own.db, docking, { group: 'g' }, done))
  assert.equal(await give('6'), 'terms.price_worse_than_published', 'the group gives 5.00 to everybody')
  const { findings } = await checkPrices(own.db, 100)
  assert.deepEqual(findings, [{ what: 'own_worse_than_published', group: null, docking: docking.id, good: 'FAIR', price: '9.00', against: '5.00' }])
  const many = await apply(own, { selector: { docking: docking.id }, rows: [{ code: 'FAIR', price: '4' }, { code: 'FAIR2', price: '5.01' }] })
  assert.ok(!many.ok)
  assert.deepEqual([many.refusal.code, many.refusal.because], ['terms.price_worse_than_published', { good: 'FAIR2', price: '5.01', published: '5.00', count: 1 }])
  assert.equal(await priceOf(own, docking, good!), '5.00', 'an own price that the group has overtaken counts no more')
})

test('a preview is what the change then does: of the list, of a group, of one docking; by formula and by file', async () => {
  const own = await openRooms({ after })
  const goods = await goodsOf(own, ['A', 'B', 'C'])
  await goodsOf(own, ['X'], 'Other', '0.0015')
  const docking = await own.openDocking({ deposit: '1000.00' })
  await addGroup(own.db, 'g', '')
  must(await placeDocking(own.db, docking, { group: 'g' }, done))
  await fill(own, 'g')
  must(await setLevel(own.db, 'vip', 'g', done))
  const cases: [Partial<ChangeAsk>, string[]][] = [
    [{ selector: { category: 'Test' }, change: { percent: '5' } }, ['10.50', '10.50', '10.50']],
    [{ selector: { codes: ['A', 'B'] }, change: { factor: '0.9', add: '-0.10' } }, ['9.35', '9.35', '10.50']],
    [{ selector: { group: 'g', codes: ['A'] }, change: { add: '-0.35' } }, ['9.00', '9.35', '10.50']],
    [{ selector: { level: 'vip', codes: ['B'] }, change: { set: '8.123456' } }, ['9.00', '8.123456', '10.50']],
    [{ selector: { level: 'vip', codes: ['B'] }, change: { set: '8.123456', round: '0.1' } }, ['9.00', '8.20', '10.50']],
    [{ selector: { docking: docking.id }, rows: [{ code: 'C', price: '7.5' }, { code: 'A', price: '8' }] }, ['8.00', '8.20', '7.50']],
    [{ rows: [{ code: 'B', price: '20' }] }, ['8.00', '8.20', '7.50']],
  ]
  for (const [changes, prices] of cases) {
    const preview = must(await previewChange(own.db, ask(changes)))
    const { result, stored } = must(await apply(own, changes))
    assert.deepEqual(result, preview)
    assert.ok(result!.lines.length > 0 && stored.state === 'applied')
    assert.deepEqual(await Promise.all(goods.map((good) => priceOf(own, docking, good))), prices)
  }
  assert.equal((await priced(own, 'X')).listMicro, 1_500n, 'what was not selected stays')
  const again = must(await apply(own, { rows: [{ code: 'B', price: '20' }] }))
  assert.deepEqual([again.result!.lines.length, again.result!.unchanged], [0, 1])
})

test('a row that names no good, one twice, or no price is left out under its line; a change that comes to nothing too', async () => {
  const own = await openRooms({ after })
  await goodsOf(own, ['R1', 'R2'])
  const { result } = must(await apply(own, { rows: [{ code: 'R1', price: '5', line: 2 }, { code: 'NONE', price: '5', line: 3 }, { code: 'R1', price: '6', line: 5 }, { code: 'R2', price: 'free', line: 7 }] }))
  assert.deepEqual(result!.errors.map(({ line, good, code }) => [line, good, code]), [[3, 'NONE', 'catalogue.good_not_found'], [5, 'R1', 'protocol.invalid_field'], [7, 'R2', 'protocol.invalid_field']])
  for (const { message } of result!.errors) assert.ok(/\p{Script=Han}/u.test(message.zh) && !message.en.includes('{'), message.en)
  assert.deepEqual([formatAmount((await priced(own, 'R1')).listMicro), formatAmount((await priced(own, 'R2')).listMicro)], ['5.00', '10.00'])
  const nothing = must(await previewChange(own.db, ask({ selector: { category: 'Test' }, change: { add: '-5' } })))
  assert.deepEqual([nothing.lines.map((line) => line.code), nothing.errors.map((error) => error.good)], [['R2'], ['R1']])
  const wrong: [Partial<ChangeAsk>, string][] = [
    [{ change: {} }, '/change'], [{ change: { set: '1', add: '1' } }, '/change/set'], [{ change: { factor: '1', percent: '1' } }, '/change/percent'], [{ change: { percent: '0.00001' } }, '/change/percent'],
    [{ change: { percent: '-101' } }, '/change/percent'], [{ change: { add: '1e3' } }, '/change/add'], [{ change: { set: '0' } }, '/change/set'], [{ change: { factor: '1', round: '0' } }, '/change/round'],
    [{ change: { set: '1' }, selector: { group: 'none' } }, '/selector/group'], [{ change: { set: '1' }, selector: { level: 'none' } }, '/selector/level'], [{ change: { set: '1' }, selector: { group: 'g', docking: 'd' } }, '/selector'],
  ]
  for (const [changes, path] of wrong) {
    const refused = await previewChange(own.db, ask(changes))
    assert.deepEqual(refused.ok ? 'accepted' : refused.refusal.because.path, path, JSON.stringify(changes))
  }
})

test('a reference is carried out once; a change is told in the history by good, by docking and by group, and nobody edits it', async () => {
  const own = await openRooms({ after })
  const [good] = await goodsOf(own, ['ONCE'])
  const first = must(await apply(own, { change: { percent: '10' } }, { reference: 'autumn-1' }))
  const second = must(await apply(own, { change: { percent: '10' } }, { reference: 'autumn-1' }))
  assert.deepEqual([first.replayed, second.replayed, second.stored.id], [false, true, first.stored.id])
  assert.equal(formatAmount((await priced(own, 'ONCE')).listMicro), '11.00')
  await importGoods(own.db, [{ code: 'ONCE', name: 'ONCE', category: 'Test', unitPrice: '12.00' }], 1, () => 'gds_x')
  const history = readHistory(await own.db.run(loadWholeHistory({ position: 1_000n, line: 0 }, 10)))
  assert.deepEqual(history.map(({ what, good: about, old, new: now, change, by, note }) => [what, about, old, now, change, by, note]), [
    ['list', good, '11.00', '12.00', null, 'operator', 'goods import'], ['list', good, '10.00', '11.00', first.stored.id, 'wang', 'autumn'],
  ])
  await assert.rejects(own.db.run({ text: 'update terms.price_history set note = $1', values: ['another'] }), /permission denied/)
  await assert.rejects(own.db.run({ text: 'delete from terms.price_history', values: [] }), /permission denied/)
})

test('a change of later waits, is listed, can be taken back, and is carried out once across lives of the hub', async () => {
  const own = await openRooms({ after })
  const [good] = await goodsOf(own, ['LATER'])
  const docking = await own.openDocking({ deposit: '1000.00' })
  const soon = () => new Date(Date.now() + 400)
  const taken = must(await apply(own, { change: { set: '1' } }, { dueAt: soon() })).stored
  assert.equal(taken.state, 'scheduled')
  assert.equal(must(await cancelChange(own.db, taken.id, 'li', 'too early')).state, 'cancelled')
  assert.deepEqual([codeOf(await cancelChange(own.db, taken.id, 'li', '')), codeOf(await cancelChange(own.db, 'chg_nobody', 'li', ''))], ['terms.price_change_ended', 'terms.price_change_not_found'])
  await own.hub.prices.close()
  const due = [must(await apply(own, { change: { percent: '10' } }, { dueAt: soon() })).stored, must(await apply(own, { change: { add: '1' } }, { dueAt: new Date(Date.now() + 500) })).stored]
  assert.equal(await priceOf(own, docking, good!), '10.00')
  await new Promise((later) => setTimeout(later, 600))
  assert.equal(await priceOf(own, docking, good!), '10.00', 'no hub looks at the clock')
  const lives = await Promise.all([own.nextLife(), own.nextLife(), own.nextLife()])
  assert.equal(formatAmount((await priced(own, 'LATER')).listMicro), '12.00', 'both, in the order of their times, and each once')
  const { rows } = await own.owner.query('select id, state from terms.price_changes order by id')
  assert.deepEqual(rows.map(Object.values), [[taken.id, 'cancelled'], [due[0]!.id, 'applied'], [due[1]!.id, 'applied']])
  assert.equal((await own.owner.query('select from terms.price_history')).rowCount, 2)
  for (const life of lives) await life.close()
})

test('a change of later that cannot be carried out any more ends as refused, with its reason, and the next one goes on', async () => {
  const own = await openRooms({ after })
  await goodsOf(own, ['GONE'])
  const docking = await own.openDocking({ deposit: '1000.00' })
  await own.hub.prices.close()
  const dueAt = new Date(Date.now() + 200)
  const doomed = must(await apply(own, { selector: { docking: docking.id }, change: { set: '9.50' } }, { dueAt })).stored
  must(await apply(own, { selector: { codes: ['GONE'] }, change: { set: '9.00' } }))
  must(await apply(own, { change: { add: '0.5' } }, { dueAt: new Date(Date.now() + 300) }))
  await new Promise((later) => setTimeout(later, 400))
  const life = await own.nextLife()
  const { rows } = await own.owner.query('select state, outcome from terms.price_changes where id = $1', [doomed.id])
  assert.deepEqual([rows[0].state, rows[0].outcome.code], ['refused', 'terms.price_worse_than_published'])
  assert.equal(formatAmount((await priced(own, 'GONE')).listMicro), '9.50')
  await life.close()
})

test('a change of later waits for the end of an outage; a fault of the hub ends it as refused, and both are told', async () => {
  const own = await openRooms({ after })
  await goodsOf(own, ['DISK'])
  await own.hub.prices.close()
  const failWith = (state: string) => own.owner.query(`create or replace function public.fail() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = '${state}'; end $$;
    create or replace trigger fail before insert on terms.price_history for each row execute function public.fail()`)
  const told = async () => (await own.owner.query(`select c.state, f.kind, f.code from terms.price_changes c left join platform.facts f on f.subject = c.id and f.kind like 'prices.%' order by c.id`)).rows.map(Object.values)
  const later = async (change: ChangeAsk['change']) => {
    must(await apply(own, { change }, { dueAt: new Date(Date.now() + 100) }))
    await new Promise((later) => setTimeout(later, 200))
  }
  await later({ set: '7' })
  for (const outage of ['53100', '57014']) {
    await failWith(outage)
    await (await own.nextLife()).close()
    assert.deepEqual(await told(), [['scheduled', null, null]], outage)
  }
  await own.owner.query('drop trigger fail on terms.price_history')
  await (await own.nextLife()).close()
  assert.equal(formatAmount((await priced(own, 'DISK')).listMicro), '7.00')
  await later({ set: '8' })
  await failWith('22012')
  await (await own.nextLife()).close()
  assert.deepEqual(await told(), [['applied', 'prices.changed', null], ['refused', 'prices.refused', 'platform.internal_error']])
})

test('no order mixes two states of the prices, whatever changes between the statements of its load', async () => {
  const own = await openRooms({ after })
  const [good] = await goodsOf(own, ['MIX'])
  await own.addCards(good!, 2_000)
  await addGroup(own.db, 'g', '')
  const docking = await own.openDocking({ deposit: '1000000.00' })
  must(await placeDocking(own.db, docking, { group: 'g' }, done))
  // The list price and the factor move against each other, so that each state costs 10.00 and every mix of two does not.
  const race = { isOn: true }
  const moving = (async () => {
    for (let n = 0; race.isOn; n++) {
      const [list, factor] = n % 2 === 0 ? ['20.00', '0.5'] : ['10.00', '1']
      await own.db.transaction(async (connection) => {
        await connection.run({ text: 'select lane from platform.lanes where lane = -1 for update', values: [] })
        await connection.run({ text: 'update catalogue.goods set unit_price = $1 where id = $2', values: [parseAmount(list!)!, good] })
        await connection.run({ text: `insert into terms.price_rules values ('g', 'all', '', 'list', $1, 0, 10000, false, true, now()) on conflict (grp, scope, subject) do update set factor_ppm = excluded.factor_ppm`, values: [parseAmount(factor!)!] })
        await connection.run({ text: 'update terms.book set version = version + 1', values: [] })
      })
    }
  })()
  await new Promise((later) => setTimeout(later, 20))
  const prices = new Set<string>()
  let n = 0
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 60; i++) prices.add(formatAmount(must(await own.place(docking, `M-${++n}`, good!)).order.unitPriceMicro))
  }))
  race.isOn = false
  await moving
  assert.deepEqual([...prices], ['10.00'])
})
