import { Agent } from 'node:http'
import { countsOf, isOver, since, type Result, type Run } from './figures.ts'
import { askFor, book, HIGH_GUARD, mustBeSame, type Body } from './by-hand.ts'
import type { Entry, Journal } from './journal.ts'
import { Checker } from './check.ts'
import { Shop } from './shop.ts'
import type { Reply } from './wire.ts'
import { topUp, type Good, type Partner } from './world.ts'

const CONCURRENT = 24

/**
 * F15: a bound reference with another body is refused with 422 `orders.reference_reused`, always: one after the other,
 * many at once, and after a restart. The same body is the same order, and a refusal binds nothing.
 */
export async function changedBody(run: Run): Promise<Result> {
  const { bed, world, journal } = run
  const mark = journal.mark()
  const check = new Checker(bed, world, journal)
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENT })
  const startedAtMs = performance.now()
  const tally = { changed: 0, refused: 0 }
  const partners = world.partners.filter((partner) => !partner.name.startsWith('Poor'))
  const goods = world.goods.filter((good) => !good.isScarce)
  const ask: Ask = (partner, body) => askFor(bed, agent, partner, body)
  const mustBeReused = (partner: Partner, body: Body, differs: string, reply: Reply) => {
    tally.changed++
    const seen = reply.status === null || reply.text === '' ? {} : JSON.parse(reply.text) as { code?: string; because?: { differs?: string } }
    if (reply.status === 422 && seen.code === 'orders.reference_reused' && seen.because?.differs === differs) tally.refused++
    else journal.violate('F15', `${partner.name}/${body.reference} with another ${differs} was answered ${reply.status} ${seen.code ?? reply.problem} differs=${seen.because?.differs}`)
  }

  await bed.endHub('SIGTERM')
  await bed.startHub()
  let rounds = 0
  const bound: { partner: Partner; body: Body; entry: Entry }[] = []
  for (; rounds < (run.isSmoke ? 6 : 1_000) && !isOver(run, startedAtMs); rounds++) {
    const partner = partners[rounds % partners.length]!
    const [good, other] = [goods[rounds % goods.length]!, goods[(rounds + 1) % goods.length]!]
    const body: Body = { reference: `S-${rounds}`, good: good.id, quantity: 2, maxUnitPrice: HIGH_GUARD }
    const first = book('F15', journal, partner, good, body, await ask(partner, body))
    if (!first) continue
    bound.push({ partner, body, entry: first })
    mustBeReused(partner, body, 'quantity', await ask(partner, { ...body, quantity: 1 }))
    mustBeReused(partner, body, 'good', await ask(partner, { ...body, good: other.id }))
    mustBeReused(partner, body, 'member', await ask(partner, { ...body, member: 'm-1' }))
    // The guard is no part of what was bought: the same order comes back, whatever the buyer would now pay.
    mustBeSame('F15', journal, first, await ask(partner, { ...body, maxUnitPrice: '0.0001' }))
    await refusalBindsNothing(journal, ask, partner, good, `N-${rounds}`)
    await atOnce(journal, ask, mustBeReused, partner, good, `C-${rounds}`)
    if (rounds % 10 === 9) await topUp(bed, world, run.cardsEach)
  }
  await bed.endHub('SIGKILL')
  const again = await bed.startHub()
  if (!again.isAlive()) journal.violate('ready', `the hub does not start again: ${bed.output.trim().split('\n').slice(-3).join(' ')}`)
  for (const { partner, body, entry } of bound.slice(-20)) {
    mustBeReused(partner, body, 'quantity', await ask(partner, { ...body, quantity: 3 }))
    mustBeSame('F15', journal, entry, await ask(partner, body))
  }
  const shop = new Shop(bed, world, journal, { workers: 0, thinkMs: 0, hangUpShare: 0, tellers: 0 })
  await shop.settle()
  await check.atRest(shop)
  shop.close()
  agent.destroy()
  const { entries, violations } = since(journal, mark)
  return { fault: 'F15', violations, figures: [['rounds', rounds], ...countsOf(entries), ['changed', tally.changed], ['refused_422', tally.refused]] }
}

type Ask = (partner: Partner, body: Body) => Promise<Reply>

/** A refused order leaves its reference free: another body under it is a first order. */
async function refusalBindsNothing(journal: Journal, ask: Ask, partner: Partner, good: Good, reference: string): Promise<void> {
  const body: Body = { reference, good: good.id, quantity: 3, maxUnitPrice: '0.000001' }
  const refused = await ask(partner, body)
  if (refused.status !== 409 && refused.status !== 422 && refused.status !== 402) journal.violate('F15', `a price above the guard was answered ${refused.status}`)
  book('F15', journal, partner, good, { ...body, quantity: 1, maxUnitPrice: HIGH_GUARD }, await ask(partner, { ...body, quantity: 1, maxUnitPrice: HIGH_GUARD }))
}

/** Two bodies under one new reference, many times at once: one body wins, all of its asks are one order, the rest is refused. */
async function atOnce(
  journal: Journal, ask: Ask, mustBeReused: (partner: Partner, body: Body, differs: string, reply: Reply) => void,
  partner: Partner, good: Good, reference: string,
): Promise<void> {
  const bodies = Array.from({ length: CONCURRENT }, (_, i): Body => ({ reference, good: good.id, quantity: 1 + (i % 2), maxUnitPrice: HIGH_GUARD }))
  const replies = await Promise.all(bodies.map((body) => ask(partner, body)))
  const placed = replies.flatMap((reply, i) => (reply.status === 201 ? [i] : []))
  if (placed.length !== 1) return journal.violate('F15', `${CONCURRENT} asks at once under ${partner.name}/${reference} placed ${placed.length} orders: ${replies.map((reply) => reply.status ?? reply.problem).join(' ')}`)
  const winner = bodies[placed[0]!]!
  const entry = book('F15', journal, partner, good, winner, replies[placed[0]!]!)!
  replies.forEach((reply, i) => {
    if (i === placed[0]) return
    if (bodies[i]!.quantity === winner.quantity) mustBeSame('F15', journal, entry, reply)
    else mustBeReused(partner, bodies[i]!, 'quantity', reply)
  })
}
