import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { must, openRooms } from '../../../test/house/rooms.ts'
import type { Statement } from '../../platform/postgres/database.ts'
import { offeredPage } from '../catalogue/index.ts'
import { loadMovements } from '../ledger/index.ts'
import { loadByReference, loadPage } from './store.ts'

const ROWS = 100_000
const rooms = await openRooms({ after })

type Plan = { 'Node Type': string; 'Actual Rows'?: number; Plans?: Plan[] }

/** Every node of the plan as the server really ran it, with the rows that it gave. */
async function nodesOf(statement: Statement): Promise<{ type: string; rows: number }[]> {
  const [row] = (await rooms.owner.query({ text: `explain (analyze, format json) ${statement.text}`, values: statement.values as unknown[] })).rows
  const walk = (plan: Plan): { type: string; rows: number }[] => [{ type: plan['Node Type'], rows: plan['Actual Rows'] ?? 0 }, ...(plan.Plans ?? []).flatMap(walk)]
  return walk((row as { 'QUERY PLAN': { Plan: Plan }[] })['QUERY PLAN'][0]!.Plan)
}

/** A page is a walk down an index: nothing is sorted, and no row is read that is not shown. */
async function assertWalks(what: string, statement: Statement, limit: number): Promise<void> {
  const nodes = await nodesOf(statement)
  assert.ok(nodes.every(({ type }) => ['Limit', 'Index Scan', 'Index Scan Backward', 'Index Only Scan', 'Nested Loop', 'Function Scan'].includes(type)), `${what}: ${JSON.stringify(nodes)}`)
  assert.ok(nodes.every(({ rows }) => rows <= limit), `${what} reads more than it shows: ${JSON.stringify(nodes)}`)
}

test('among 100,000 rows a page is a walk down an index, from its beginning and from its middle', async () => {
  const { lane, id } = await rooms.openDocking({ deposit: '100.00' })
  const other = await rooms.openDocking({})
  await rooms.owner.query(`insert into orders.orders (lane, docking, id, reference, attempt, mode, good, quantity, unit_price, total, fee, state, scheme, fingerprint, picks, position, created_at)
    select $1, case when n % 2 = 0 then $2 else $3 end, 'ord_' || lpad(n::text, 20, '0'), 'R-' || n, 1, 'sandbox', 'gds_x', 1, 1, 1, 0, 'delivered', 1, '\\x00', '{1,1,1}', 1000 + n, now()
    from generate_series(1, ${ROWS}) n`, [lane, id, other.id])
  await rooms.owner.query(`insert into ledger.transfers (lane, account, position, leg, event, kind, debit, credit, amount, after, at)
    select $1, case when n % 2 = 0 then $2 else $3 end, 1000 + n, 1, 'ord_' || n, 'order', case when n % 2 = 0 then $2 else $3 end, 'house:sales:sandbox', 1, 1, now() from generate_series(1, ${ROWS}) n`, [lane, id, other.id])
  await rooms.owner.query('analyze orders.orders, ledger.transfers')
  const middle = `ord_${String(ROWS / 2).padStart(20, '0')}`
  await assertWalks('orders', loadPage(lane, id, null, 100), 100)
  await assertWalks('older orders', loadPage(lane, id, middle, 100), 100)
  await assertWalks('an order by its reference', loadByReference([{ lane, docking: id, reference: `R-${ROWS / 2}` }]), 1)
  await assertWalks('movements', loadMovements(lane, id, null, 100), 100)
  await assertWalks('older movements', loadMovements(lane, id, { position: BigInt(ROWS / 2), leg: 1 }, 100), 100)
  const page = await rooms.orders.list({ id, lane, mode: 'sandbox' }, middle, 500)
  assert.equal(page.length, 500)
  assert.equal(page[0]!.id, `ord_${String(ROWS / 2 - 2).padStart(20, '0')}`)
})

test('orders and goods are paged without a gap and without a repeat while others are added', async () => {
  const shop = await rooms.openDocking({ deposit: '1000.00' })
  const good = await rooms.addGood('PAGED', '1.00')
  await rooms.addCards(good, 40, shop.mode)
  const first: string[] = []
  for (let i = 0; i < 12; i++) first.push(must(await rooms.place(shop, `P-${i}`, good)).order.id)
  const seen: string[] = []
  for (let before: string | null = null, more = 0; ; ) {
    const page = await rooms.orders.list(shop, before, 5)
    seen.push(...page.map((order) => order.id))
    if (page.length < 5) break
    before = page.at(-1)!.id
    must(await rooms.place(shop, `M-${more++}`, good))
  }
  assert.deepEqual(seen, first.toReversed())

  const goods = new Set<string>()
  for (let i = 0; i < 7; i++) goods.add(await rooms.addGood(`G-${i}`))
  const listed: string[] = []
  for (let after = '', more = 0; ; ) {
    const page = await offeredPage(rooms.db, shop, after, 3)
    listed.push(...page.map((one) => one.id))
    if (page.length < 3) break
    after = page.at(-1)!.id
    if (more < 3) goods.add(await rooms.addGood(`H-${more++}`))
  }
  assert.equal(new Set(listed).size, listed.length)
  for (const id of goods) assert.ok(listed.includes(id))
})
