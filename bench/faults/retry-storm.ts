import { Agent } from 'node:http'
import { askFor, book, HIGH_GUARD, mustBeSame } from './by-hand.ts'
import { Checker } from './check.ts'
import { countsOf, isOver, p99Of, secondsOf, since, type Result, type Run } from './figures.ts'
import { Shop } from './shop.ts'
import { codeOf } from './wire.ts'
import { openPartner, topUp, type Partner } from './world.ts'

const PARTNERS = 200
const SMOKE_PARTNERS = 40
const REPEATS = 20
const CONNECTIONS = 400
const LEAST_REPLAYED = 0.99
const DEPOSIT = '5000'

/**
 * F14: two hundred partners send the same reference twenty times at once, as shops do whose queue comes back after an
 * outage, while others order as always. Each gets one order; every other answer is that order again.
 */
export async function retryStorm(run: Run): Promise<Result> {
  const { bed, journal } = run
  const mark = journal.mark()
  const startedAtMs = performance.now()
  await bed.endHub('SIGTERM')
  await bed.startHub()
  const crowd: Partner[] = []
  for (let i = 0; i < (run.isSmoke ? SMOKE_PARTNERS : PARTNERS); i++) crowd.push(await openPartner(bed, { name: `Crowd ${i}`, mode: i % 2 === 0 ? 'live' : 'sandbox', deposit: DEPOSIT, feePpm: 0 }))
  const world = { ...run.world, partners: [...run.world.partners, ...crowd] }
  const goods = world.goods.filter((good) => good.code === 'CENT' || good.code === 'FINE')
  const check = new Checker(bed, world, journal)
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const answers = { repeats: 0, replayed: 0, shed: 0 }
  let rounds = 0
  let p99Ms = 0
  for (; rounds < 1 || (!run.isSmoke && !isOver(run, startedAtMs)); rounds++) {
    const others = new Shop(bed, run.world, journal, { workers: 8, thinkMs: 100, hangUpShare: 0, tellers: 1 })
    others.open()
    const beganAtMs = performance.now()
    await Promise.all(crowd.map(async (partner, i) => {
      const good = goods[i % goods.length]!
      const body = { reference: `STORM-${rounds}`, good: good.id, quantity: 1, maxUnitPrice: HIGH_GUARD }
      const replies = await Promise.all(Array.from({ length: REPEATS }, () => askFor(bed, agent, partner, body)))
      const first = replies.filter((reply) => reply.status === 201)
      if (first.length !== 1) return journal.violate('I2', `${REPEATS} asks at once under ${partner.name}/${body.reference} placed ${first.length} orders: ${replies.map((reply) => reply.status ?? reply.problem).join(' ')}`)
      const entry = book('F14', journal, partner, good, body, first[0]!)!
      for (const reply of replies) {
        if (reply === first[0]) continue
        answers.repeats++
        if (reply.status === 503 || reply.status === 429) {
          answers.shed++
          if (reply.headers['retry-after'] === undefined) journal.violate('honest outage', `${reply.status} ${codeOf(reply.text)} without Retry-After`)
          continue
        }
        answers.replayed++
        mustBeSame('F14', journal, entry, reply)
      }
    }))
    p99Ms = Math.max(p99Ms, p99Of(journal.entries, beganAtMs))
    await others.settle()
    await check.atRest(others)
    others.close()
    await topUp(bed, world, run.cardsEach)
  }
  agent.destroy()
  const share = answers.replayed / answers.repeats
  if (!(share >= LEAST_REPLAYED)) journal.violate('F14', `${(share * 100).toFixed(2)} % of the repeats were answered with their order, promised are ${LEAST_REPLAYED * 100} %`)
  const { entries, violations } = since(journal, mark)
  return {
    fault: 'F14', violations,
    figures: [['rounds', rounds], ...countsOf(entries), ['repeats', answers.repeats], ['replayed', answers.replayed], ['shed', answers.shed], ['others_p99', secondsOf(p99Ms)]],
  }
}
