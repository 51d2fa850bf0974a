import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { must, openRooms } from '../../../test/house/rooms.ts'

const rooms = await openRooms({ after })
const app = new Client({ connectionString: rooms.database.appUrl })
app.on('error', () => {})
await app.connect()
after(() => app.end())

const docking = await rooms.openDocking({ deposit: '100.00' })
const good = await rooms.addGood('ROLES')
await rooms.addCards(good, 3)
must(await rooms.place(docking, 'A', good))

/** null when the statement was allowed, the SQLSTATE otherwise. It is rolled back in any case. */
async function tryAs(client: Client, statement: string): Promise<string | null> {
  await client.query('begin')
  try {
    await client.query(statement)
    return null
  } catch (error) {
    return (error as { code: string }).code
  } finally {
    await client.query('rollback')
  }
}

/** No right to, or a number that the database gives once. */
const REFUSED: readonly (string | null)[] = ['42501', '428C9']

const HISTORY = ['platform.facts', 'ledger.transfers', 'ledger.deposits', 'catalogue.cards', 'catalogue.card_index', 'orders.sold', 'orders.orders', 'decisions.decisions', 'partners.keys', 'partners.dockings', 'platform.meta', 'platform.migrations', 'terms.price_history']

test('the hub\'s own role cannot edit, delete, truncate, drop or take over any history', async () => {
  const tables = (await rooms.owner.query<{ t: string; c: string }>(`select c.oid::regclass::text as t, (select quote_ident(attname) from pg_attribute where attrelid = c.oid and attnum = 1) as c
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('platform', 'ledger', 'partners', 'terms', 'decisions', 'catalogue', 'orders') and c.relkind = 'r'`)).rows
  assert.ok(tables.length >= 17)
  const allowed: string[] = []
  for (const { t, c } of tables) {
    const deeds = [`delete from ${t}`, `truncate ${t}`, `truncate ${t} cascade`, `drop table ${t}`, `alter table ${t} disable trigger all`, `alter table ${t} add column spoiled int`, `create index on ${t} (${c})`]
    if (HISTORY.includes(t)) deeds.push(`update ${t} set ${c} = ${c}`)
    for (const deed of deeds) {
      const code = await tryAs(app, deed)
      if (!REFUSED.includes(code)) allowed.push(`${deed}: ${code}`)
    }
  }
  assert.deepEqual(allowed, [])
})

test('the hub\'s role hands no right on to anybody', async () => {
  const rights = async () => (await rooms.owner.query(`select c.relname, c.relacl::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('platform', 'ledger', 'orders') order by 1`)).rows
  const before = await rights()
  // Postgres only warns when there is nothing to grant.
  for (const table of ['orders.orders', 'ledger.balances', 'platform.facts']) await app.query(`grant all on ${table} to public`)
  assert.deepEqual(await rights(), before)
})

test('of an order only its state moves, of a key only its end, of a decision nothing, of a lot only its cursor', async () => {
  const columns = (await rooms.owner.query<{ t: string; c: string }>(`select format('%I.%I', table_schema, table_name) as t, quote_ident(column_name) as c from information_schema.columns
    where format('%I.%I', table_schema, table_name) in ('orders.orders', 'partners.keys', 'decisions.decisions', 'catalogue.lots', 'catalogue.changes', 'catalogue.feed') order by 1, 2`)).rows
  const movable: string[] = []
  for (const { t, c } of columns) if (!REFUSED.includes(await tryAs(app, `update ${t} set ${c} = ${c}`))) movable.push(`${t}.${c}`)
  assert.deepEqual(movable, [
    'catalogue.changes."position"', 'catalogue.feed.head', 'catalogue.lots.next_seq', 'catalogue.lots.published_at', 'catalogue.lots.size', 'catalogue.lots.state',
    'orders.orders.doubt', 'orders.orders.state', 'partners.keys.expires_at', 'partners.keys.revoked_at',
  ])
})

test('the hub\'s role makes nothing of its own and is nobody else', async () => {
  for (const deed of ['create schema mine', 'create table orders.mine (n int)', 'create table public.mine (n int)', 'create role other', 'set role berth_owner', 'alter role berth_app superuser', `copy orders.orders to program 'cat'`, `alter system set fsync = off`]) {
    const code = await tryAs(app, deed)
    assert.ok(code === '42501' || code === '25001' || code === '22023' || code === '42704', `${deed}: ${code}`)
  }
  const { rows } = await app.query('select rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication from pg_roles where rolname = current_user')
  assert.deepEqual(rows, [{ rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolbypassrls: false, rolreplication: false }])
})

test('a balance below zero, a card in two orders and a number bound twice are refused by the database itself', async () => {
  const [order] = (await rooms.owner.query('select * from orders.orders')).rows
  const guards: [string, string][] = [
    [`update ledger.balances set available = -1`, '23514'],
    [`insert into orders.sold select lot, seq, lane, 'ord_other' from orders.sold`, '23505'],
    [`insert into orders.orders (lane, docking, id, reference, attempt, mode, good, quantity, unit_price, total, fee, state, doubt, scheme, fingerprint, picks, member, position, created_at) select lane, docking, 'ord_other', reference, attempt, mode, good, quantity, unit_price, total, fee, state, doubt, scheme, fingerprint, picks, member, position, created_at from orders.orders`, '23505'],
    [`insert into ledger.transfers select lane, account, position, leg, 'again', kind, debit, credit, amount, after, at from ledger.transfers`, '23505'],
    [`insert into ledger.transfers select lane, account, position + 1000, leg, event, kind, debit, debit, amount, after, at from ledger.transfers`, '23514'],
    [`insert into ledger.transfers select lane, account, position + 1000, leg, event, kind, debit, credit, 0, after, at from ledger.transfers`, '23514'],
    [`insert into platform.facts select * from platform.facts`, '23505'],
    [`update catalogue.lots set next_seq = size + 2`, '23514'],
    [`update platform.lanes set answered = head + 1`, '23514'],
    [`update orders.orders set state = 'lost'`, '23514'],
  ]
  assert.equal(order.reference, 'A')
  for (const [deed, code] of guards) assert.equal(await tryAs(app, deed), code, deed)
})
