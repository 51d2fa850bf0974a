import { setTimeout as sleep } from 'node:timers/promises'
import { laneOf } from '../../hub/kernel/lanes.ts'
import { Checker } from './check.ts'
import { countsOf, isOver, p99Of, patience, secondsOf, since, type Result, type Run } from './figures.ts'
import { Readers } from './readers.ts'
import { Shop } from './shop.ts'
import { openPartner, topUp, type Partner, type World } from './world.ts'

const HOLD_MS = 8_000
const SMOKE_HOLD_MS = 3_000
/** Each takes a line of the pool for as long as the hub lets a statement wait for a lock. */
const HOLDERS = 40
/** The pool makes nobody wait longer than 500 ms; the rest is the machine. */
const READ_WITHIN_MS = 1_500
const ORDER_WITHIN_MS = 2_500

/**
 * F13: somebody holds the lane of one docking, and forty deposits to it sit on every line of the hub's pool, again and
 * again. Whoever needs the pool is turned away in half a second with 503; orders have lines of their own and go on.
 */
export async function fullPool(run: Run): Promise<Result> {
  const { bed, world, journal } = run
  const mark = journal.mark()
  const check = new Checker(bed, world, journal)
  const startedAtMs = performance.now()
  const seen = { shed: 0, readMs: 0, p99Ms: 0, heldAnswers: 0, orders: 0, rounds: 0 }
  await bed.endHub('SIGTERM')
  await bed.startHub()
  const held = await aloneInItsLane(run, world)
  for (; seen.rounds < 1 || (!run.isSmoke && !isOver(run, startedAtMs)); seen.rounds++) {
    const shop = new Shop(bed, world, journal, { workers: 12, thinkMs: 20, hangUpShare: 0, tellers: 0 })
    const readers = new Readers(bed, world, journal)
    shop.open()
    await sleep(300)
    await bed.asOwner(async (client) => {
      await client.query('begin')
      await client.query('select from platform.lanes where lane = $1 for update', [laneOf(held.id)])
      const untilMs = performance.now() + (run.isSmoke ? SMOKE_HOLD_MS : HOLD_MS)
      const holders = Array.from({ length: HOLDERS }, (_, i) => hold(run, held, `${seen.rounds}-${i}`, untilMs, () => seen.heldAnswers++))
      await sleep(700)
      const fromMs = performance.now()
      readers.open(20)
      while (performance.now() < untilMs) await sleep(50)
      // The row is free only when the last of them has been answered: none of them may have got through.
      await Promise.all(holders)
      const attempts = journal.entries.slice(mark.entries).flatMap((entry) => entry.attempts).filter((attempt) => attempt.invokedAtMs >= fromMs && attempt.invokedAtMs < untilMs)
      seen.orders += attempts.filter((attempt) => attempt.status === 201).length
      const refused = attempts.find((attempt) => attempt.status === null || attempt.status >= 500)
      if (refused) journal.violate('orders go on', `an order was answered ${refused.status} ${refused.code ?? refused.problem} while only the pool was full`)
      await readers.close()
      await client.query('rollback')
      seen.readMs = Math.max(seen.readMs, readers.slowestMs(fromMs, untilMs))
      seen.p99Ms = Math.max(seen.p99Ms, p99Of(journal.entries.slice(mark.entries), fromMs))
    })
    seen.shed += readers.count(503)
    await shop.settle()
    await check.atRest(shop)
    shop.close()
    await topUp(bed, world, run.cardsEach)
  }
  if (seen.shed === 0) journal.violate('run', 'the pool was never full: nobody was turned away')
  if (seen.orders === 0) journal.violate('orders go on', 'no order was placed while the pool was full')
  if (seen.heldAnswers > 0) journal.violate('I4', `${seen.heldAnswers} deposits were answered with success though their lane was held`)
  if (seen.readMs > patience(run, READ_WITHIN_MS)) journal.violate('bounded', `a look at the balance waited ${secondsOf(seen.readMs)}, allowed are ${secondsOf(READ_WITHIN_MS)}`)
  if (seen.p99Ms > patience(run, ORDER_WITHIN_MS)) journal.violate('bounded', `p99 of the orders was ${secondsOf(seen.p99Ms)}, allowed are ${secondsOf(ORDER_WITHIN_MS)}`)
  const { entries, violations } = since(journal, mark)
  return {
    fault: 'F13', violations,
    figures: [['rounds', seen.rounds], ...countsOf(entries), ['placed_meanwhile', seen.orders], ['reads_shed', seen.shed], ['read_max', secondsOf(seen.readMs)], ['order_p99', secondsOf(seen.p99Ms)]],
  }
}

/** A docking whose lane no other one has: who holds it, holds nobody else. */
async function aloneInItsLane(run: Run, world: World): Promise<Partner> {
  const taken = new Set(world.partners.map((partner) => laneOf(partner.id)))
  for (let i = 0; ; i++) {
    const partner = await openPartner(run.bed, { name: `Held ${i}`, mode: 'live', deposit: '1.00', feePpm: 0 })
    if (!taken.has(laneOf(partner.id))) return partner
  }
}

async function hold({ bed, journal }: Run, held: Partner, name: string, untilMs: number, onSuccess: () => void): Promise<void> {
  for (let i = 0; performance.now() < untilMs; i++) {
    const reply = await bed.operator('POST', `/operator/dockings/${held.id}/deposits`, { reference: `held-${name}-${i}`, amount: '1.00' })
    if (reply.status === 200 || reply.status === 201) onSuccess()
    else if (reply.status !== 503 || reply.headers['retry-after'] === undefined) journal.violate('honest outage', `a deposit to a held lane was answered ${reply.status} ${reply.problem}`)
  }
}
