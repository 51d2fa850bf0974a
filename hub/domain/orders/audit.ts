import type { Connection, Rows } from '../../platform/postgres/database.ts'
import { cursorsOf } from '../catalogue/index.ts'
import { agreesWith, deliveriesOf } from '../fulfilment/index.ts'
import { chargesOf, type Finding } from '../ledger/index.ts'
import { LANES } from '../../kernel/lanes.ts'

/**
 * Proves the orders against themselves and against the ledger: one card in one order, as many cards as were bought, one
 * live order a reference, and exactly the charge that the order says.
 * @returns at most `limit` findings, empty when all is right
 */
export async function auditOrders(connection: Connection, limit = 100): Promise<Finding[]> {
  const found: Finding[] = []
  const collect = (rule: string, rows: Rows) => {
    for (const row of rows) found.push({ rule, row: String(row[0]), expected: String(row[1]), seen: String(row[2]) })
  }
  collect('an order has exactly its cards', await connection.run({
    text: `select format('orders.orders lane=%s id=%s', o.lane, o.id), o.quantity, count(s.seq)
      from orders.orders o
      cross join lateral generate_series(1, cardinality(o.picks) / 3) n
      left join orders.sold s on s.lot = o.picks[n * 3 - 2] and s.seq >= o.picks[n * 3 - 1] and s.seq < o.picks[n * 3 - 1] + o.picks[n * 3]
        and s.order_id = o.id and s.lane = o.lane
      group by o.lane, o.id, o.quantity having count(s.seq) <> o.quantity limit $1`,
    values: [limit],
  }))
  collect('a sold card belongs to an order', await connection.run({
    text: `select format('orders.sold lot=%s seq=%s', s.lot, s.seq), s.order_id, 'no such order'
      from orders.sold s where not exists (select from orders.orders o where o.lane = s.lane and o.id = s.order_id
        and exists (select from generate_series(1, cardinality(o.picks) / 3) n
          where o.picks[n * 3 - 2] = s.lot and s.seq >= o.picks[n * 3 - 1] and s.seq < o.picks[n * 3 - 1] + o.picks[n * 3]))
      limit $1`,
    values: [limit],
  }))
  collect('one live order a reference', await connection.run({
    text: `select format('orders.orders lane=%s docking=%s reference=%s', lane, docking, reference), 1, count(*)
      from orders.orders where state <> 'cancelled' group by lane, docking, reference having count(*) > 1 limit $1`,
    values: [limit],
  }))
  const cursors = await cursorsOf(connection)
  const sold = await connection.run({ text: 'select lot, count(*)::int, max(seq) from orders.sold group by lot', values: [] })
  for (const [lot, count, last] of sold as [bigint, number, number][]) {
    const cursor = cursors.get(lot)
    if (!cursor || cursor.nextSeq - 1 !== last || count !== last) {
      found.push({ rule: 'the cursor of a lot stands behind its last sold card', row: `catalogue.lots id=${lot}`, expected: `next_seq ${last + 1}, ${last} sold`, seen: `next_seq ${cursor?.nextSeq ?? 'none'}, ${count} sold` })
    }
  }
  const touched = new Set((sold as [bigint, number, number][]).map(([lot]) => lot))
  for (const [lot, { nextSeq }] of cursors) {
    if (nextSeq !== 1 && !touched.has(lot)) {
      found.push({ rule: 'the cursor of a lot stands behind its last sold card', row: `catalogue.lots id=${lot}`, expected: 'next_seq 1, 0 sold', seen: `next_seq ${nextSeq}, 0 sold` })
    }
  }
  const modes = await connection.run({ text: 'select distinct o.mode, s.lot, o.id from orders.orders o join orders.sold s on s.lane = o.lane and s.order_id = o.id where s.seq = 1', values: [] })
  for (const [mode, lot, order] of modes as [string, bigint, string][]) {
    if (cursors.get(lot)?.mode !== mode) found.push({ rule: 'sandbox and live cards never meet', row: `orders.orders id=${order}`, expected: mode, seen: cursors.get(lot)?.mode ?? 'no lot' })
  }
  for (const lane of LANES) {
    if (found.length >= limit) break
    found.push(...(await auditLane(connection, lane, limit - found.length)))
  }
  return found.slice(0, limit)
}

/** Charges, refunds and deliveries of one lane, held against its orders. */
async function auditLane(connection: Connection, lane: number, limit: number): Promise<Finding[]> {
  const charges = await chargesOf(connection, lane)
  const deliveries = await deliveriesOf(connection, lane)
  const found: Finding[] = []
  const rows = await connection.run({ text: 'select id, total + fee, state, cardinality(picks) = 0 from orders.orders where lane = $1', values: [lane] })
  for (const [id, charged, state, cardless] of rows as [string, bigint, string, boolean][]) {
    if (!agreesWith(state, cardless, deliveries.get(id))) {
      const { waiting } = deliveries.get(id) ?? { waiting: null }
      found.push({ rule: 'an order without cards waits for a person or was ended by one', row: `orders.orders lane=${lane} id=${id}`, expected: state, seen: waiting === null ? 'no delivery' : waiting ? 'waiting' : 'ended' })
    }
    const seen = charges.get(id)
    charges.delete(id)
    const refunded = state === 'cancelled' || state === 'refunded' ? charged : 0n
    if (seen?.charged !== charged || seen.refunded !== refunded) {
      found.push({ rule: 'an order is charged once, and given back when cancelled or refunded', row: `orders.orders lane=${lane} id=${id}`, expected: `${charged} -${refunded}`, seen: seen ? `${seen.charged} -${seen.refunded}` : 'no transfer' })
      if (found.length >= limit) return found
    }
  }
  for (const [event, seen] of charges) {
    found.push({ rule: 'a charge belongs to an order', row: `ledger.transfers lane=${lane} event=${event}`, expected: 'an order', seen: `${seen.charged}` })
    if (found.length >= limit) return found
  }
  return found
}
