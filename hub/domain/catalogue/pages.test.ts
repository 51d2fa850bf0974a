import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openRooms } from '../../../test/house/rooms.ts'
import type { Statement } from '../../platform/postgres/database.ts'
import { loadChanges, loadGoods } from './store.ts'

const ROWS = 100_000
const rooms = await openRooms({ after })

type Plan = { 'Node Type': string; 'Actual Rows'?: number; Plans?: Plan[] }

/** A page is a walk down an index that reads no more rows than it shows. */
async function assertWalks(what: string, statement: Statement, limit: number): Promise<void> {
  const [row] = (await rooms.owner.query({ text: `explain (analyze, format json) ${statement.text}`, values: statement.values as unknown[] })).rows
  const { Plan: top } = (row as { 'QUERY PLAN': { Plan: Plan }[] })['QUERY PLAN'][0]!
  const nodes = [top, ...(top.Plans ?? [])].map((plan) => ({ type: plan['Node Type'], rows: plan['Actual Rows'] }))
  assert.deepEqual(nodes.map(({ type }) => type), ['Limit', 'Index Scan'], what)
  assert.ok(nodes.every(({ rows }) => rows! <= limit), `${what}: ${JSON.stringify(nodes)}`)
}

test('goods and their changes are paged down an index, however many there are', async () => {
  await rooms.owner.query(`insert into catalogue.goods (id, number, code, name, category, description, unit_price, minimum, maximum, on_sale, changed_at)
    select 'gds_' || lpad(n::text, 20, '0'), n, 'c-' || n, 'n', 'c', '', 1, 1, 1, true, now() from generate_series(1, ${ROWS}) n`)
  await rooms.owner.query(`insert into catalogue.changes (good, docking, what, at, position) select 'gds_x', null, 'stock', now(), 1000000 + n from generate_series(1, ${ROWS}) n`)
  await rooms.owner.query('analyze catalogue.goods, catalogue.changes')
  await assertWalks('goods', loadGoods('', 100), 100)
  await assertWalks('later goods', loadGoods(`gds_${String(ROWS / 2).padStart(20, '0')}`, 500), 500)
  await assertWalks('changes', loadChanges('dck_x', null, 1_050_000n, 100), 100)
})
