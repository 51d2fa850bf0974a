import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { codeOf, must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { toQuery } from '../../platform/postgres/database.ts'
import { changesFor, importCards, importGoods, insertChanges, offeredById, sequenceChanges, sweepAbandoned } from './index.ts'

const rooms = await openRooms({ after })
const AT = new Date('2026-11-22T08:00:00Z')

async function stockOf(own: Rooms, good: string, mode: 'sandbox' | 'live' = 'live'): Promise<number> {
  return (await offeredById(own.db, { id: 'dck_looker', lane: 0, mode }, [good]))[0]!.stock
}

async function countOf(own: Rooms, query: string, values: unknown[] = []): Promise<number> {
  return Number((await own.owner.query<{ n: string }>(`select count(*) as n from ${query}`, values)).rows[0]!.n)
}

test('the feed loses nothing when two transactions commit in reverse order and a reader polls between', async (t) => {
  const [slow, fast] = [new Client({ connectionString: rooms.database.appUrl }), new Client({ connectionString: rooms.database.appUrl })]
  await Promise.all([slow.connect(), fast.connect()])
  t.after(() => Promise.all([slow.end(), fast.end()]))
  const write = (client: Client, good: string) => client.query(toQuery(insertChanges([{ good, docking: null, what: 'price', at: AT }])))
  let head = (await changesFor(rooms.db, 'dck_reader', 0n, 100)).head
  const seen: string[] = []
  const poll = async () => {
    const page = await changesFor(rooms.db, 'dck_reader', head, 100)
    assert.ok(page.head >= head, 'a position never goes back')
    head = page.head
    seen.push(...page.changes.map((change) => change.good))
  }
  await slow.query('begin')
  await write(slow, 'gds_slow')
  await fast.query('begin')
  await write(fast, 'gds_fast')
  await poll()
  await fast.query('commit')
  await poll()
  assert.deepEqual(seen, ['gds_fast'], 'the slower one is not committed yet')
  await poll()
  await slow.query('commit')
  await poll()
  await poll()
  assert.deepEqual(seen, ['gds_fast', 'gds_slow'])
})

test('many writers and many readers: every reader sees every change of its own once, in one order, and none of others', async () => {
  const writers = 12
  const each = 15
  const start = (await changesFor(rooms.db, 'dck_a', 0n, 500)).head
  let writing = true
  const reader = async (docking: string) => {
    const seen: string[] = []
    let head = start
    for (;;) {
      const over = !writing
      const page = await changesFor(rooms.db, docking, head, 7)
      for (const change of page.changes) {
        assert.ok(change.position > head)
        seen.push(change.good)
      }
      head = page.head
      if (over && page.changes.length === 0) return seen
    }
  }
  const reading = ['dck_a', 'dck_b', 'dck_b'].map(reader)
  await Promise.all(Array.from({ length: writers }, async (_, w) => {
    for (let n = 0; n < each; n++) {
      await rooms.db.transaction(async (connection) => {
        await connection.run(insertChanges([{ good: `gds_${w}_${n}`, docking: w % 3 === 0 ? 'dck_a' : null, what: 'stock', at: AT }]))
        await new Promise((later) => setTimeout(later, (w * 7 + n * 3) % 5))
      })
    }
  }))
  writing = false
  const [a, b, b2] = await Promise.all(reading)
  assert.equal(a!.length, writers * each)
  assert.equal(new Set(a).size, writers * each, 'nothing twice, nothing lost')
  assert.equal(new Set(b).size, (writers - 4) * each)
  assert.deepEqual(b, b2, 'every reader sees the same order')
  assert.deepEqual(a!.filter((good) => b!.includes(good)), b)
})

test('a reader that is ahead of nothing new stays where it is; a feed that numbers in chunks ends complete', async (t) => {
  const own = await openRooms(t)
  const changes = Array.from({ length: 5_003 }, (_, i) => ({ good: `gds_${i}`, docking: null, what: 'good' as const, at: AT }))
  await own.db.run(insertChanges(changes))
  assert.deepEqual([await sequenceChanges(own.db), await sequenceChanges(own.db), await sequenceChanges(own.db)], [5_000, 3, 0])
  const page = await changesFor(own.db, 'dck_a', 5_000n, 100)
  assert.deepEqual([page.changes.map((change) => change.position), page.head], [[5_001n, 5_002n, 5_003n], 5_003n])
  assert.deepEqual(await changesFor(own.db, 'dck_a', 5_003n, 100), { changes: [], head: 5_003n })
  assert.deepEqual((await changesFor(own.db, 'dck_a', 9_999n, 100)).head, 9_999n)
})

test('goods are added, changed or left by their code; numbers run without gaps and a wrong row is named by its line', async (t) => {
  const own = await openRooms(t)
  const row = (code: string, unitPrice = '1.00') => ({ code, name: code, category: 'C', unitPrice })
  const load = (rows: Record<string, unknown>[]) => importGoods(own.db, rows, 2, () => own.ids.make('gds', own.clock.nowMs()))
  const first = await load([row('A'), row('B'), row('A'), { code: 'C' }, row('D', 'free')])
  assert.deepEqual([first.added, first.changed, first.unchanged], [2, 0, 0])
  assert.deepEqual(first.errors.map(({ line, code }) => [line, code]), [[4, 'catalogue.good_reused'], [5, 'protocol.invalid_field'], [6, 'protocol.invalid_field']])
  assert.deepEqual(Object.values(await load([row('A'), row('B', '2.00'), row('C')])).slice(0, 3), [1, 1, 1])
  const kinds = { ...row('A'), races: [{ name: '月卡', unitPrice: '1.00', cost: '0.50', wholesale: [{ from: 10, unitPrice: '0.90' }] }], options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1.00' }] }] }
  assert.deepEqual([(await load([kinds])).changed, (await load([kinds])).unchanged, (await load([row('A')])).changed], [1, 1, 1], 'kinds are compared, in whatever order the database gives them back')
  const { rows } = await own.owner.query('select number, code, unit_price::text from catalogue.goods order by number')
  assert.deepEqual(rows.map(Object.values), [[1, 'A', '1000000'], [2, 'B', '2000000'], [3, 'C', '1000000']])
  assert.deepEqual((await changesFor(own.db, 'dck_a', 0n, 100)).changes.length, 6)
  await Promise.all(Array.from({ length: 8 }, (_, i) => load([row(`P${i}`), row('SAME')])))
  assert.equal(await countOf(own, 'catalogue.goods'), 12)
  assert.equal(Number((await own.owner.query('select max(number) as n from catalogue.goods')).rows[0].n), 12)
})

test('a row states the whole good: what it leaves out is cleared', async (t) => {
  const own = await openRooms(t)
  const stored = async (row: object) => {
    await importGoods(own.db, [{ code: 'WHOLE', name: 'Whole', category: 'Test', unitPrice: '5', ...row }], 1, () => own.ids.make('gds', own.clock.nowMs()))
    return (await own.owner.query(`select cost is null as costless, options is null as plain, maximum from catalogue.goods where code = 'WHOLE'`)).rows.map(Object.values)
  }
  assert.deepEqual(await stored({ cost: '4', races: [{ name: '月卡', unitPrice: '30' }], maximum: 9 }), [[false, false, 9]])
  assert.deepEqual(await stored({}), [[true, true, 1000]])
})

test('cards are imported line by line: what is wrong is named by its line, duplicates in the file and across files are left out', async () => {
  const good = await rooms.addGood('LINES')
  const first = await rooms.addCards(good, ['A', 'B', '', 'A', 'N1,C', 'bad\u0001line', 'x'.repeat(2_001), 'D'])
  assert.equal(first.published, 4)
  assert.deepEqual(first.errors.map(({ line, code }) => [line, code]), [[4, 'catalogue.card_duplicate'], [6, 'protocol.invalid_field'], [7, 'protocol.invalid_field']])
  for (const error of first.errors) assert.ok(error.message.zh !== '' && !error.message.en.includes('{'), error.message.en)
  const second = await rooms.addCards(good, ['B', 'N1----C', 'E', 'N2,C', 'c'])
  assert.deepEqual(second.errors.map(({ line, code }) => [line, code]), [[1, 'catalogue.card_duplicate'], [2, 'catalogue.card_duplicate']])
  assert.equal(second.published, 3)
  assert.equal(await stockOf(rooms, good), 7)
  const other = await rooms.addGood('LINES2')
  assert.equal((await rooms.addCards(other, ['A'])).published, 1, 'another good may have a card of the same text')
  assert.equal((await rooms.addCards(good, ['A'], 'sandbox')).published, 1, 'and so may play money')
  const none = await rooms.addCards(good, ['A', 'B'])
  assert.deepEqual([none.lot, none.published, none.errorCount], [null, 0, 2])
})

test('duplicates are found across the chunks of a long file, and beside another import that runs at the same time', async () => {
  const good = await rooms.addGood('LONG')
  const lines = Array.from({ length: 2_500 }, (_, i) => `L-${i % 2_400}`)
  const imported = await rooms.addCards(good, lines)
  assert.deepEqual([imported.published, imported.errorCount], [2_400, 100])
  assert.deepEqual(imported.errors.map((error) => error.line), Array.from({ length: 100 }, (_, i) => 2_401 + i))
  const both = await Promise.all([1, 2, 3].map(() => rooms.addCards(good, Array.from({ length: 300 }, (_, i) => `M-${i}`))))
  assert.equal(both.reduce((sum, one) => sum + one.published, 0), 300)
  assert.equal(await stockOf(rooms, good), 2_700)
  assert.deepEqual(await rooms.findings(), [])
})

test('two imports of the same cards in opposite orders do not stand in each other\'s way', async () => {
  const good = await rooms.addGood('OPPOSITE')
  for (let round = 0; round < 3; round++) {
    const lines = Array.from({ length: 1_000 }, (_, i) => `X-${round}-${i}`)
    const both = await Promise.all([rooms.addCards(good, lines), rooms.addCards(good, lines.toReversed())])
    assert.equal(both.reduce((sum, one) => sum + one.published, 0), 1_000)
  }
})

test('nothing of an import is for sale before its end, and then all of it at once', async () => {
  const good = await rooms.addGood('FLIP')
  const docking = await rooms.openDocking({ deposit: '1000.00' })
  let goOn = () => {}
  const pause = new Promise<void>((resolve) => (goOn = resolve))
  async function* slow() {
    for (let i = 0; i < 1_100; i++) yield `F-${i}`
    await pause
    yield 'F-last'
  }
  const importing = importCards(rooms.db, rooms.vault, { good, mode: 'live', batch: 'b', expiresAt: null }, slow())
  while ((await countOf(rooms, 'catalogue.card_index where good = $1', [good])) < 1_000) await new Promise((later) => setTimeout(later, 10))
  assert.equal(await stockOf(rooms, good), 0)
  assert.equal(codeOf(await rooms.place(docking, 'EARLY', good)), 'catalogue.out_of_stock')
  goOn()
  assert.equal((await importing).published, 1_101)
  assert.equal(await stockOf(rooms, good), 1_101)
  assert.equal(codeOf(await rooms.place(docking, 'EARLY', good)), 'accepted')
})

test('a stream that breaks leaves nothing: no stock, no card, no trace in the index, so the file can be sent again', async () => {
  const good = await rooms.addGood('BROKEN')
  async function* broken() {
    for (let i = 0; i < 1_500; i++) yield `B-${i}`
    throw new Error('the line went dead')
  }
  await assert.rejects(importCards(rooms.db, rooms.vault, { good, mode: 'live', batch: 'b', expiresAt: null }, broken()), /went dead/)
  assert.equal(await stockOf(rooms, good), 0)
  assert.equal(await countOf(rooms, 'catalogue.card_index where good = $1', [good]), 0)
  assert.equal(await countOf(rooms, 'catalogue.cards c join catalogue.lots l on l.id = c.lot where l.good = $1', [good]), 0)
  assert.equal((await rooms.addCards(good, Array.from({ length: 1_500 }, (_, i) => `B-${i}`))).published, 1_500)
})

test('what a dead process left of an import is swept by the next life, and a published lot never is', async () => {
  const good = await rooms.addGood('SWEPT')
  await rooms.addCards(good, ['S-published'])
  const never = importCards(rooms.db, rooms.vault, { good, mode: 'live', batch: 'dead', expiresAt: null }, (async function* () {
    for (let i = 0; i < 1_000; i++) yield `S-${i}`
    await new Promise(() => {})
  })())
  void never
  while ((await countOf(rooms, 'catalogue.card_index where good = $1', [good])) < 1_001) await new Promise((later) => setTimeout(later, 10))
  assert.equal(await sweepAbandoned(rooms.db), 1)
  assert.equal(await stockOf(rooms, good), 1)
  assert.equal(await countOf(rooms, 'catalogue.card_index where good = $1', [good]), 1)
  await rooms.owner.query(`select catalogue.sweep_staged(id) from catalogue.lots where good = $1 and state = 'published'`, [good])
  assert.equal(await stockOf(rooms, good), 1)
})

test('an import that outlives its hub publishes nothing that the next life has swept', async () => {
  const good = await rooms.addGood('OUTLIVED')
  let goOn = () => {}
  const pause = new Promise<void>((resolve) => (goOn = resolve))
  const importing = importCards(rooms.db, rooms.vault, { good, mode: 'live', batch: 'old life', expiresAt: null }, (async function* () {
    for (let i = 0; i < 1_000; i++) yield `O-${i}`
    await pause
    yield 'O-last'
  })()).then(() => 'published', () => 'failed')
  while ((await countOf(rooms, 'catalogue.card_index where good = $1', [good])) < 1_000) await new Promise((later) => setTimeout(later, 10))
  assert.equal(await sweepAbandoned(rooms.db), 1)
  goOn()
  await importing
  assert.deepEqual((await rooms.findings()).filter((line) => line.includes('catalogue.lots')), [])
  assert.equal(await stockOf(rooms, good), 0)
  await rooms.owner.query(`update catalogue.lots set state = 'withdrawn' where good = $1`, [good])
})

test('cards are sealed at rest: no column of any table holds one, nor does a sealed card open in another place', async () => {
  const good = await rooms.addGood('SEALED')
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const secrets = ['PLAINTEXT-7f3a91', 'NUMBER-5521,PLAINTEXT-88b2c0', '明文卡密-三四五']
  await rooms.addCards(good, secrets)
  const bought = must(await rooms.place(docking, 'SEALED', good, 3))
  assert.deepEqual(bought.cards, [{ number: null, secret: 'PLAINTEXT-7f3a91' }, { number: 'NUMBER-5521', secret: 'PLAINTEXT-88b2c0' }, { number: null, secret: '明文卡密-三四五' }])
  const columns = (await rooms.owner.query<{ t: string; c: string; b: boolean }>(`select format('%I.%I', table_schema, table_name) as t, quote_ident(column_name) as c, data_type = 'bytea' as b
    from information_schema.columns where table_schema in ('platform', 'ledger', 'partners', 'terms', 'decisions', 'catalogue', 'orders')`)).rows
  assert.ok(columns.length > 60)
  const words = ['PLAINTEXT', 'NUMBER-5521', '明文卡密']
  for (const { t, c, b } of columns) {
    const needle = b ? `position($1::bytea in ${c}) > 0` : `${c}::text like '%' || $1 || '%'`
    for (const word of words) {
      const hits = await countOf(rooms, `${t} where ${needle}`, [b ? Buffer.from(word) : word])
      assert.equal(hits, 0, `${word} stands in ${t}.${c}`)
    }
  }
  // Two sealed cards that change places: each is bound to its lot and number.
  await rooms.owner.query(`update catalogue.cards c set sealed = o.sealed from catalogue.cards o where o.lot = c.lot and c.lot = $1 and c.seq in (1, 2) and o.seq = 3 - c.seq`, [bought.order.picks[0]!.lot])
  assert.equal(codeOf(await rooms.place(docking, 'SEALED', good, 3)), 'platform.outcome_unknown', 'a damaged card is never handed over')
})

test('sandbox and live stay apart: each mode sees and sells its own cards only', async () => {
  const good = await rooms.addGood('APART')
  const live = await rooms.openDocking({ deposit: '100.00' })
  const play = await rooms.openDocking({ deposit: '100.00', mode: 'sandbox' })
  await rooms.addCards(good, ['L-1', 'L-2'])
  await rooms.addCards(good, ['S-1'], 'sandbox')
  assert.deepEqual([await stockOf(rooms, good), await stockOf(rooms, good, 'sandbox')], [2, 1])
  assert.equal(codeOf(await rooms.place(play, 'A', good, 2)), 'catalogue.out_of_stock')
  assert.deepEqual(must(await rooms.place(play, 'B', good)).cards, [{ number: null, secret: 'S-1' }])
  assert.deepEqual(must(await rooms.place(live, 'A', good, 2)).cards.map((card) => card.secret), ['L-1', 'L-2'])
  assert.equal(codeOf(await rooms.place(play, 'C', good)), 'catalogue.out_of_stock')
  assert.deepEqual((await rooms.findings()).filter((line) => line.includes('never meet')), [])
})

test('an expired lot is neither shown nor sold, while the next one is', async () => {
  const good = await rooms.addGood('EXPIRED')
  const docking = await rooms.openDocking({ deposit: '100.00' })
  await rooms.addCards(good, ['OLD-1', 'OLD-2'], 'live', new Date(Date.now() - 1_000))
  assert.equal(await stockOf(rooms, good), 0)
  assert.equal(codeOf(await rooms.place(docking, 'A', good)), 'catalogue.out_of_stock')
  await rooms.addCards(good, ['NEW-1'], 'live', new Date(Date.now() + 60_000))
  assert.deepEqual(must(await rooms.place(docking, 'A', good)).cards.map((card) => card.secret), ['NEW-1'])
})
