import pg from 'pg'
import { CONNECTIONS, onFile, runFile, type Ground, type Run } from './rounds.ts'
import { FEE_PPM, UNIT_PRICE, type World } from './world.ts'
import { parseAmount } from '../protocol/money.ts'

/** One round of P8: order rates of a hub with an empty database and of one with millions of orders and cards. */
export type StoredRound = { empty: Run; stored: Run }

const CHUNK = 100_000

/** Both hubs in turn, every other round the other way round. */
export async function storedRound(empty: Ground, stored: Ground, round: number): Promise<StoredRound> {
  const on = (ground: Ground) => onFile(ground, ground.world.spread, ground.plan.seconds, (file) => runFile(ground, ground.hub, {
    shape: 'spread', file, connections: CONNECTIONS, warm: ground.plan.warmOrders, measure: 1_000_000, seconds: ground.plan.seconds, expects: 201,
  }))
  if (round % 2 === 0) return { empty: await on(empty), stored: await on(stored) }
  const first = await on(stored)
  return { empty: await on(empty), stored: first }
}

/**
 * Writes `count` delivered orders with all that an order leaves behind straight into the tables, as the years before
 * would have: a card and its hash, a sold card, two transfers, a fact. No hub may be running on the database.
 * @returns how many seconds it took
 */
export async function storeOrders(world: World, count: number): Promise<number> {
  const startedAtMs = performance.now()
  const client = new pg.Client({ connectionString: world.ownerUrl })
  await client.connect()
  try {
    // Seeding need not survive a crash.
    await client.query('set synchronous_commit = off')
    await client.query(`create temp table places as select i - 1 as i, docking, lane
      from unnest(${literal(world.spread.askers.map((asker) => asker.docking))}::text[], ${literal(world.spread.askers.map((asker) => asker.lane))}::int[]) with ordinality p(docking, lane, i)`)
    await client.query(
      `insert into catalogue.lots (mode, good, batch, size, next_seq, state, data_key, created_at, published_at)
       select 'live', good, 'stored', $2::int, $2::int + 1, 'exhausted', '\\x00', now(), now() from unnest($1::text[]) g(good)`,
      [world.spread.goods, count / world.spread.goods.length],
    )
    await client.query(`create temp table shelf as select row_number() over (order by id) - 1 as i, id as lot, good from catalogue.lots where batch = 'stored'`)
    await client.query('create temp table heads as select lane, head from platform.lanes')
    for (let first = 0; first < count; first += CHUNK) await storeChunk(client, first, Math.min(CHUNK, count - first), world)
    await client.query('update platform.lanes set head = head + $1, answered = head + $1', [count])
    await client.query('vacuum analyze')
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
  return (performance.now() - startedAtMs) / 1000
}

/** Orders number `first` and so on: each knows by its number alone whose it is, which card it took, and where its facts stand. */
async function storeChunk(client: pg.Client, first: number, count: number, { spread }: World): Promise<void> {
  const price = parseAmount(UNIT_PRICE)!
  const fee = (price * BigInt(FEE_PPM)) / 1_000_000n
  await client.query(
    `create temp table chunk as
     select n, p.docking, p.lane, 'ord_' || lpad(to_hex(n), 20, '0') as id, left(md5('reference' || n), 24) as reference, s.lot, s.good, (n / ${spread.goods.length})::int + 1 as seq,
       h.head + n + 1 as position, now() - interval '1 year' as at
     from generate_series(${first}::bigint, ${first + count - 1}::bigint) n
     join places p on p.i = n / 7 % ${spread.askers.length} join shelf s on s.i = n % ${spread.goods.length} join heads h on h.lane = p.lane`)
  await client.query(
    `insert into orders.orders (lane, docking, id, reference, attempt, mode, good, quantity, unit_price, total, fee, state, scheme, fingerprint, picks, position, created_at)
     select lane, docking, id, reference, 1, 'live', good, 1, ${price}, ${price}, ${fee}, 'delivered', 1, decode(md5(id), 'hex'), array[lot, seq, 1], position, at from chunk`)
  await client.query('insert into orders.sold (lot, seq, lane, order_id) select lot, seq, lane, id from chunk')
  await client.query(`insert into catalogue.cards (lot, seq, sealed) select lot, seq, decode(md5('card' || n) || md5('sealed' || n), 'hex') from chunk`)
  await client.query(`insert into catalogue.card_index (good, mode, blind, generation, lot) select good, 'live', decode(md5('blind' || n), 'hex'), 0, lot from chunk`)
  await client.query(
    `insert into ledger.transfers (lane, account, position, leg, event, kind, debit, credit, amount, after, at)
     select lane, docking, position, leg, id, kind, docking, house, amount, 0, at
     from chunk, (values (1, 'order', 'house:sales:live', ${price}), (2, 'fee', 'house:fees:live', ${fee})) l(leg, kind, house, amount)`)
  await client.query(
    `insert into platform.facts (lane, position, docking, kind, subject, body, at)
     select lane, position, docking, 'order.accepted', id, json_build_object('reference', reference, 'good', good, 'quantity', 1, 'unitPrice', '${UNIT_PRICE}')::text, at from chunk`)
  await client.query('drop table chunk')
}

/** Ids of our own making and numbers, for a statement that takes no parameters. */
function literal(values: readonly (string | number)[]): string {
  return `'{${values.join(',')}}'`
}
