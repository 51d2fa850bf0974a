import { rmSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { writeBatches } from './requests.ts'
import { CONNECTIONS, onFile, runFile, type Ground, type Run } from './rounds.ts'
import { UNIT_PRICE } from './world.ts'

/** One round of P6: orders a second as single requests and a hundred a request. */
export type TogetherRound = { single: Run; together: Run; togetherPerSecond: number }

const ORDERS_EACH = 100
const TOGETHER_CONNECTIONS = 16
/** Batches are written for so many orders a second; the file may end before the time does. */
export const TOGETHER_PER_SECOND = 30_000
const WARM_BATCHES = 20

/** @returns null when the hub has a batch endpoint, else a sentence that says that it has none */
export async function whyNotTogether(ground: Ground): Promise<string | null> {
  const { status } = await fetch(`http://127.0.0.1:${ground.hub.port}/api/orders/batch`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  return status === 404 || status === 405 ? `this hub does not take orders together yet: POST /api/orders/batch answers ${status}.` : null
}

/** Singles on as many connections as the hub is promised for, batches on few: each is how it is best used. */
export async function togetherRound(ground: Ground): Promise<TogetherRound> {
  const { hub, world, plan, postgres } = ground
  const single = await onFile(ground, world.spread, plan.seconds, (file) =>
    runFile(ground, hub, { shape: 'spread', file, connections: CONNECTIONS, warm: plan.warmOrders, measure: 1_000_000, seconds: plan.seconds, expects: 201 }))
  const file = join(postgres.folder, 'requests-together')
  const requests = Math.ceil((plan.seconds * TOGETHER_PER_SECOND) / ORDERS_EACH) + WARM_BATCHES
  try {
    writeBatches(file, world.spread, UNIT_PRICE, requests, ORDERS_EACH)
    const before = await countOrders(world.ownerUrl)
    const run = await runFile(ground, hub, { shape: 'spread', file, connections: TOGETHER_CONNECTIONS, warm: WARM_BATCHES, measure: requests, seconds: plan.seconds, expects: 200 })
    const placed = (await countOrders(world.ownerUrl)) - before
    const answers = Object.values(run.codes).reduce((sum, count) => sum + count, 0)
    // The status of a batch says nothing of its orders: the database does.
    if (placed !== answers * ORDERS_EACH) throw new Error(`the round is void: ${answers} batches of ${ORDERS_EACH} placed ${placed} orders`)
    return { single, together: run, togetherPerSecond: run.perSecond * ORDERS_EACH }
  } finally {
    rmSync(file, { force: true })
  }
}

async function countOrders(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return Number((await client.query<{ count: string }>('select count(*) from orders.orders')).rows[0]!.count)
  } finally {
    await client.end()
  }
}
