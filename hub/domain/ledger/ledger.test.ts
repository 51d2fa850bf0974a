import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { codeOf, must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { formatAmount, MAX_AMOUNT_MICRO, MICRO_PER_FEN } from '../../../protocol/money.ts'
import { auditLedger, chargeLegs, checkFunds, deposit, house, loadMovements, readMovements, refundLegs, spend } from './index.ts'

const rooms = await openRooms({ after })

const event = { lane: 1, account: 'dck_a', mode: 'live' as const, position: 9n, event: 'ord_1', at: new Date(0) }
const micro = fc.bigInt({ min: 1n, max: MAX_AMOUNT_MICRO })

test('money is conserved: what a charge takes, its refund gives back, leg by leg, and houses get exactly what partners give', () => {
  fc.assert(fc.property(micro, fc.bigInt({ min: 0n, max: 1_000_000n }), micro, (total, fee, rest) => {
    const available = total + fee + rest
    const charged = chargeLegs(event, total, fee, available)
    const refunded = refundLegs({ ...event, position: 10n }, total, fee, charged.at(-1)!.afterMicro)
    assert.equal(charged.at(-1)!.afterMicro, rest)
    assert.equal(refunded.at(-1)!.afterMicro, available)
    assert.equal(charged.length, fee > 0n ? 2 : 1)
    const sums = new Map<string, bigint>()
    for (const { debit, credit, amountMicro } of [...charged, ...refunded]) {
      sums.set(debit, (sums.get(debit) ?? 0n) - amountMicro)
      sums.set(credit, (sums.get(credit) ?? 0n) + amountMicro)
    }
    for (const [account, sum] of sums) assert.equal(sum, 0n, account)
    assert.deepEqual(charged.map((leg) => [leg.debit, leg.credit]), refunded.map((leg) => [leg.credit, leg.debit]))
  }))
})

test('what is spent is there: to the last µ and not one more', () => {
  assert.deepEqual(spend(10n, 10n), { ok: true, value: 0n })
  const refused = spend(1_000_000n, 1_000_001n)
  assert.ok(!refused.ok)
  assert.deepEqual([refused.refusal.code, refused.refusal.because], ['ledger.insufficient_funds', { needed: '1.000001', available: '1.00' }])
})

test('a deposit is booked once for each reference, even when fifty come at once', async () => {
  const docking = await rooms.openDocking()
  const booked = await Promise.all(Array.from({ length: 50 }, () => rooms.deposit(docking, '12.34', 'bank-1')))
  const values = booked.map(must)
  assert.equal(values.filter((value) => !value.replayed).length, 1)
  assert.equal(new Set(values.map((value) => value.id)).size, 1, 'everybody is told the same booking')
  assert.equal(await rooms.balance(docking), 12_340_000n)
  const again = await rooms.deposit(docking, '12.35', 'bank-1')
  assert.ok(!again.ok)
  assert.deepEqual([again.refusal.code, again.refusal.because], ['ledger.deposit_reused', { reference: 'bank-1', amount: '12.34' }])
  assert.equal(must(await rooms.deposit(docking, '12.34', 'bank-2')).availableMicro, 24_680_000n)
  const other = await rooms.openDocking()
  assert.equal(must(await rooms.deposit(other, '1.00', 'bank-1')).replayed, false, 'a reference is one docking\'s own')
  const { rows } = await rooms.owner.query('select kind, subject, position from platform.facts where docking = $1 and kind = $2 order by position', [docking.id, 'deposit.booked'])
  assert.equal(rows.length, 2, 'one fact a booking')
})

test('cash comes in whole fen, above zero, and no balance passes a thousand million', async () => {
  const docking = await rooms.openDocking()
  const book = (amountMicro: bigint, reference: string) =>
    deposit(rooms.db, { id: rooms.ids.make('dep', rooms.clock.nowMs()), lane: docking.lane, account: docking.id, mode: docking.mode, reference, amountMicro, note: '' })
  for (const amount of [0n, -10_000n, 1n, 9_999n, 10_001n]) assert.equal(codeOf(await book(amount, `r${amount}`)), 'protocol.invalid_field', formatAmount(amount))
  assert.equal(codeOf(await book(MAX_AMOUNT_MICRO, 'all')), 'accepted')
  assert.equal(codeOf(await book(MICRO_PER_FEN, 'one more')), 'protocol.invalid_field')
  assert.equal(await rooms.balance(docking), MAX_AMOUNT_MICRO)
  await assert.rejects(rooms.owner.query(`insert into ledger.deposits values (1, 'dck_x', 'r', 'dep_x', 10001, '', now())`), /deposits_whole_fen/)
})

test('a deposit into an account that does not exist books nothing', async () => {
  await assert.rejects(deposit(rooms.db, { id: 'dep_none', lane: 1, account: 'dck_none', mode: 'live', reference: 'r', amountMicro: MICRO_PER_FEN, note: '' }), /no balance row/)
  assert.equal((await rooms.owner.query(`select from platform.facts where subject = 'dep_none'`)).rowCount, 0)
})

test('movements are told newest first, in pages that neither miss nor repeat one', async () => {
  const docking = await rooms.openDocking({ feePpm: 10_000, deposit: '100.00' })
  const good = await rooms.addGood('MOVE')
  await rooms.addCards(good, 4)
  for (const reference of ['A', 'B', 'C']) must(await rooms.place(docking, reference, good))
  const all = readMovements(await rooms.db.run(loadMovements(docking.lane, docking.id, null, 100)))
  assert.deepEqual(all.map(({ kind, incoming }) => `${kind} ${incoming ? 'in' : 'out'}`), ['fee out', 'order out', 'fee out', 'order out', 'fee out', 'order out', 'deposit in'])
  assert.equal(all[0]!.afterMicro, await rooms.balance(docking))
  const paged: typeof all = []
  for (;;) {
    const page = readMovements(await rooms.db.run(loadMovements(docking.lane, docking.id, paged.at(-1) ?? null, 2)))
    paged.push(...page)
    if (page.length < 2) break
  }
  assert.deepEqual(paged, all)
})

test('the report\'s check of funds is the same comparison', async () => {
  const docking = await rooms.openDocking()
  const [poor] = await checkFunds(rooms.db)(docking, new Date())
  assert.deepEqual([poor!.verdict, poor!.code, poor!.because], ['fail', 'ledger.insufficient_funds', { needed: '0.000001', available: '0.00' }])
  must(await rooms.deposit(docking, '0.01'))
  assert.equal((await checkFunds(rooms.db)(docking, new Date()))[0]!.verdict, 'pass')
})

test('the books are right, and each corruption of one row is found and named', async (t) => {
  const own = await openRooms(t)
  const live = await own.openDocking({ deposit: '100.00', feePpm: 10_000 })
  const play = await own.openDocking({ deposit: '50.00', mode: 'sandbox' })
  const good = await own.addGood('AUDIT')
  await own.addCards(good, 4)
  await own.addCards(good, 4, 'sandbox')
  await own.addCards(await own.addGood('UNSOLD'), 3)
  const first = must(await own.place(live, 'A', good, 2)).order
  must(await own.place(live, 'B', good, 1))
  must(await own.place(play, 'A', good, 1))
  const audit = async () => own.findings()
  assert.deepEqual(await audit(), [])

  const transfer = `lane=${live.lane} account=${live.id} position=${first.position} leg=1`
  const spoil: [string, string, string][] = [
    ['an amount', `update ledger.transfers set amount = amount + 1 where event = '${first.id}' and leg = 1`, `ledger.transfers ${transfer}`],
    ['a running balance', `update ledger.transfers set after = after + 1 where event = '${first.id}' and leg = 1`, `ledger.transfers ${transfer}`],
    ['a side', `update ledger.transfers set debit = credit, credit = debit where event = '${first.id}' and leg = 1`, `ledger.transfers ${transfer}`],
    ['the other mode\'s house', `update ledger.transfers set credit = '${house('sales', 'sandbox')}' where event = '${first.id}' and leg = 1`, `ledger.transfers ${transfer}`],
    ['another partner\'s account', `update ledger.transfers set credit = '${play.id}' where event = '${first.id}' and leg = 1`, `ledger.transfers ${transfer}`],
    ['a lost transfer', `delete from ledger.transfers where event = '${first.id}' and leg = 2`, `account=${live.id}`],
    ['a fee under another kind', `update ledger.transfers set kind = 'refund' where event = '${first.id}' and leg = 2`, `orders.orders lane=${live.lane} id=${first.id}`],
    ['a charge of nobody', `update ledger.transfers set event = 'ord_nobody' where event = '${first.id}'`, `ledger.transfers lane=${live.lane} event=ord_nobody`],
    ['a balance', `update ledger.balances set available = available + 1 where account = '${live.id}'`, `ledger.balances lane=${live.lane} account=${live.id}`],
    ['the mode of a balance', `update ledger.balances set mode = 'sandbox' where account = '${live.id}'`, `account=${live.id}`],
    ['a lost balance', `delete from ledger.balances where account = '${live.id}'`, `ledger.transfers lane=${live.lane} account=${live.id}`],
    ['an account out of nothing', `insert into ledger.balances values (2, 'dck_ghost', 'live', 5)`, 'ledger.balances lane=2 account=dck_ghost'],
    ['a deposit', `update ledger.deposits set amount = amount + 10000 where account = '${live.id}'`, `ledger.deposits lane=${live.lane} account=${live.id} reference=first`],
    ['a deposit without money', `insert into ledger.deposits values (${live.lane}, '${live.id}', 'ghost', 'dep_ghost', 10000, '', now())`, `ledger.deposits lane=${live.lane} account=${live.id} reference=ghost`],
    ['money without a deposit', `delete from ledger.deposits where account = '${live.id}'`, `account=${live.id}`],
    ['the total of an order', `update orders.orders set total = total + quantity, unit_price = unit_price + 1 where id = '${first.id}'`, `orders.orders lane=${live.lane} id=${first.id}`],
    ['a cancelled order without a refund', `update orders.orders set state = 'cancelled' where id = '${first.id}'`, `orders.orders lane=${live.lane} id=${first.id}`],
    ['a card of an order', `delete from orders.sold where order_id = '${first.id}' and seq = 1`, `orders.orders lane=${live.lane} id=${first.id}`],
    ['a card given to another order', `update orders.sold set order_id = 'ord_nobody' where order_id = '${first.id}' and seq = 1`, `id=${first.id}`],
    ['a card that nobody bought', `insert into orders.sold values (1, 4, ${live.lane}, 'ord_nobody')`, 'orders.sold lot=1 seq=4'],
    ['a cursor', `update catalogue.lots set next_seq = next_seq - 1 where id = 1`, 'catalogue.lots id=1'],
    ['a cursor that ran ahead', `update catalogue.lots set next_seq = next_seq + 1 where id = 1`, 'catalogue.lots id=1'],
    ['the cursor of a lot that nobody bought from', `update catalogue.lots set next_seq = 2 where id = 3`, 'catalogue.lots id=3'],
    ['the mode of a lot', `update catalogue.lots set mode = 'sandbox' where id = 1`, `orders.orders id=${first.id}`],
    ['a lost card', `delete from catalogue.cards where lot = 1 and seq = 2`, 'catalogue.lots id=1'],
  ]
  const missed: string[] = []
  for (const [name, statement, row] of spoil) {
    // One transaction that is rolled back; the books are read inside it, so every planting starts from right ones.
    await own.owner.query('begin')
    const { rowCount } = await own.owner.query(statement)
    assert.ok(rowCount! > 0, `${name} spoils a row`)
    const found = await auditInside(own)
    await own.owner.query('rollback')
    if (!found.some((line) => line.includes(row))) missed.push(`${name}: ${JSON.stringify(found)} does not name ${row}`)
  }
  assert.deepEqual(missed, [])
  assert.deepEqual(await audit(), [])
  assert.deepEqual(await auditLedger(own.db), [])
})

async function auditInside(own: Rooms): Promise<string[]> {
  const { auditOrders } = await import('../orders/index.ts')
  const { auditStock } = await import('../catalogue/index.ts')
  const { toQuery } = await import('../../platform/postgres/database.ts')
  const connection = { run: async (statement: Parameters<typeof toQuery>[0]) => (await own.owner.query(toQuery(statement))).rows as unknown[][] }
  return [...(await auditLedger(connection)), ...(await auditOrders(connection)), ...(await auditStock(connection))].map(({ row, rule }) => `${row}: ${rule}`)
}
