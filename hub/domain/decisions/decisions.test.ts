import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { codeOf, must, openRooms } from '../../../test/house/rooms.ts'
import { signContract } from '../../../test/rule-text.ts'
import { reasonOf } from '../../../protocol/reasons.ts'
import type { Docking } from '../partners/index.ts'
import { checkStanding, decisionsOf, DecisionClock, dropToWarn, findDecision, hold, lift, SCOPES, supersede, type StatementDraft } from './index.ts'

const DAY_MS = 86_400_000
const days = (n: number, from = new Date()) => new Date(from.getTime() + n * DAY_MS).toISOString()
const LAW: StatementDraft['ground'][number] = { type: 'law', ref: '电子商务法', article: '第二十七条' }

type Changes = { code?: StatementDraft['cause']['code'] } & Partial<Omit<StatementDraft, 'cause' | 'measure'>> & { measure?: Partial<StatementDraft['measure']> }

/** A statement that may stand. */
function statement({ code = 'compliance.identity_unverified', measure, ...changes }: Changes = {}): StatementDraft {
  return {
    measure: { kind: 'suspend', scope: ['orders'], ...measure }, cause: { class: reasonOf(code).class, code, side: 'partner' },
    ground: [LAW], facts: [{ text: 'The business licence that was sent has expired.' }], evidence: [], source: 'own_review',
    automation: { detection: false, decision: 'not', reviewer: 'wang' },
    remedy: [{ step: 1, action: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' }, who: 'partner', evidenceNeeded: [] }],
    clocks: { respondBy: days(7), decideAppealBy: days(15), reviewAt: days(90) },
    appeal: { channel: 'https://hub.example/appeals', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
    ...changes,
  }
}

const rooms = await openRooms({ after })

let made = 0
const decide = (docking: Docking, changes: Changes = {}, id = `dec_${`${++made}`.padStart(20, '0')}`) =>
  hold(rooms.db, { id, lane: docking.lane, docking: docking.id, statement: statement(changes), by: 'wang' })

test('a hold stops orders, tells its own decision, and leaves a fact; a hold without a reason is refused, written down, and stops nobody', async () => {
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const good = await rooms.addGood('HOLD')
  await rooms.addCards(good, 10)
  assert.equal(codeOf(await decide(docking, { ground: [] })), 'decisions.statement_incomplete')
  assert.equal(codeOf(await rooms.place(docking, 'A', good)), 'accepted')
  const decision = must(await decide(docking))
  const stopped = await rooms.place(docking, 'B', good)
  assert.ok(!stopped.ok)
  assert.deepEqual([stopped.refusal.code, stopped.refusal.decision], ['compliance.identity_unverified', decision.id])
  assert.equal(codeOf(await rooms.place(docking, 'A', good)), 'accepted', 'what was bought before is still handed over')
  const [check] = await checkStanding(rooms.db)(docking, new Date())
  assert.deepEqual([check!.verdict, check!.class, check!.code, check!.evidence], ['fail', 'compliance', 'compliance.identity_unverified', decision.id])
  const facts = await rooms.owner.query('select kind, code from platform.facts where docking = $1 and kind like $2 order by position', [docking.id, 'decision.%'])
  assert.deepEqual(facts.rows, [{ kind: 'decision.refused', code: 'decisions.statement_incomplete' }, { kind: 'decision.taken', code: null }])

  const lifted = must(await lift(rooms.db, { id: decision.id, by: 'li', note: 'Licence seen.' }))
  assert.deepEqual([lifted.liftedBy, lifted.liftNote], ['li', 'Licence seen.'])
  assert.equal(codeOf(await rooms.place(docking, 'B', good)), 'accepted')
  assert.equal((await checkStanding(rooms.db)(docking, new Date()))[0]!.verdict, 'pass')
  const again = await lift(rooms.db, { id: decision.id, by: 'wu', note: 'Once more.' })
  assert.ok(!again.ok)
  assert.deepEqual([again.refusal.code, again.refusal.because.liftedAt], ['decisions.already_lifted', lifted.liftedAt!.toISOString()])
  assert.equal(codeOf(await lift(rooms.db, { id: 'dec_00000000000000000999', by: 'li', note: '' })), 'decisions.not_found')
  assert.deepEqual((await decisionsOf(rooms.db, docking.lane, docking.id, false)).map((one) => [one.id, one.liftedBy]), [[decision.id, 'li']])
  assert.deepEqual(await decisionsOf(rooms.db, docking.lane, docking.id, true), [])
})

test('a hold names goods, an end and a scope, and stops only those', async () => {
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const [held, free] = [await rooms.addGood('SCOPED'), await rooms.addGood('FREE')]
  for (const good of [held, free]) await rooms.addCards(good, 10)
  must(await decide(docking, { measure: { goods: [held] } }))
  assert.deepEqual([codeOf(await rooms.place(docking, 'A', held)), codeOf(await rooms.place(docking, 'A', free))], ['compliance.identity_unverified', 'accepted'])
  const other = await rooms.openDocking({ deposit: '100.00' })
  must(await decide(other, { measure: { endsAt: new Date(Date.now() + 250).toISOString() } }))
  assert.equal(codeOf(await rooms.place(other, 'A', held)), 'compliance.identity_unverified')
  await new Promise((later) => setTimeout(later, 300))
  assert.equal(codeOf(await rooms.place(other, 'A', held)), 'accepted', 'it ended by itself')
})

test('several measures are all told, the oldest in front', async () => {
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const good = await rooms.addGood('SEVERAL')
  const first = must(await decide(docking, { code: 'terms.contract_breach', ground: [{ type: 'contract', ref: await signContract(rooms, docking), article: '7.2' }] }))
  const second = must(await decide(docking))
  const stopped = await rooms.place(docking, 'A', good)
  assert.ok(!stopped.ok)
  assert.deepEqual([stopped.refusal, ...stopped.refusal.also!].map(({ code, decision }) => [code, decision]), [['terms.contract_breach', first.id], ['compliance.identity_unverified', second.id]])
  const checks = await checkStanding(rooms.db)(docking, new Date())
  assert.deepEqual(checks.map(({ class: cls, evidence }) => [cls, evidence]), [['commercial', first.id], ['compliance', second.id]])
})

test('once hold has answered no later order passes, with fifty orders racing it', async () => {
  const good = await rooms.addGood('RACE')
  await rooms.addCards(good, 600)
  for (let round = 0; round < 4; round++) {
    const docking = await rooms.openDocking({ deposit: '10000.00' })
    let answered = false
    let lateAccepted = 0
    let before = 0
    let stopped = 0
    const order = async (n: number) => {
      const asked = answered
      const outcome = await rooms.place(docking, `R-${n}`, good)
      if (!outcome.ok) stopped++
      else if (asked) lateAccepted++
      else before++
    }
    const racing = Array.from({ length: 25 }, (_, i) => order(i))
    const holding = decide(docking).then((outcome) => {
      must(outcome)
      answered = true
    })
    for (let i = 25; i < 50; i++) {
      racing.push(order(i))
      if (i % 5 === 0) await new Promise((turn) => setImmediate(turn))
    }
    await holding
    for (let i = 50; i < 60; i++) racing.push(order(i))
    await Promise.all(racing)
    assert.equal(lateAccepted, 0)
    assert.ok(stopped >= 10 && before + stopped === 60, `${before} before, ${stopped} stopped`)
    const { rows } = await rooms.owner.query(`select (select max(position) from platform.facts where docking = $1 and kind = 'order.accepted') as last,
      (select position from platform.facts where docking = $1 and kind = 'decision.taken') as held`, [docking.id])
    assert.ok(rows[0].last === null || BigInt(rows[0].last) < BigInt(rows[0].held), 'in the log, too, no acceptance stands behind the hold')
  }
})

test('every scope that a decision may have is known to the database', async () => {
  const docking = await rooms.openDocking()
  must(await decide(docking, { measure: { scope: [...SCOPES] }, funds: { held: 'all', releaseAt: new Date(Date.now() + DAY_MS).toISOString(), ordersInFlight: 'finish' } }))
})

const kindsOf = async (docking: Docking) => (await rooms.owner.query<{ kind: string }>('select kind from platform.facts where docking = $1 and kind like $2 order by position', [docking.id, 'decision.%'])).rows.map((row) => row.kind)
const stops = async (docking: Docking, reference: string, good: string, quantity = 1) => codeOf(await rooms.place(docking, reference, good, quantity))

test('each kind of measure does what it says, and no more', async () => {
  const [one, two] = [await rooms.addGood('KIND-1'), await rooms.addGood('KIND-2')]
  for (const good of [one, two]) await rooms.addCards(good, 30)
  const held = async (measure: Changes['measure'], more: Changes = {}) => {
    const docking = await rooms.openDocking({ deposit: '500.00' })
    must(await decide(docking, { ...more, measure }))
    return docking
  }
  const REFUSED = 'compliance.identity_unverified'
  const answers = async (docking: Docking) => [await stops(docking, 'A', one), await stops(docking, 'B', two), await stops(docking, 'C', one, 3)]
  assert.deepEqual(await answers(await held({ kind: 'warn' })), ['accepted', 'accepted', 'accepted'])
  assert.deepEqual(await answers(await held({ kind: 'throttle', allows: { requestsPerSecond: 1 } })), ['accepted', 'accepted', 'accepted'], 'the door slows down, the order does not')
  assert.deepEqual(await answers(await held({ kind: 'refuse' })), [REFUSED, REFUSED, REFUSED])
  for (const kind of ['delist', 'withdraw_offer'] as const) assert.deepEqual(await answers(await held({ kind, scope: ['goods'], goods: [one] })), [REFUSED, 'accepted', REFUSED], kind)
  assert.deepEqual(await answers(await held({ kind: 'limit', allows: { unitsPerOrder: 2 } })), ['accepted', 'accepted', REFUSED])
  assert.deepEqual(await answers(await held({ kind: 'limit', goods: [two], allows: { unitsPerOrder: 2 } })), ['accepted', 'accepted', 'accepted'])
  const pays = { funds: { held: '0', releaseAt: days(60), ordersInFlight: 'finish' as const } }
  assert.deepEqual(await answers(await held({ kind: 'terminate' }, pays)), ['accepted', 'accepted', 'accepted'], 'thirty days go by before it counts')
  assert.deepEqual(await answers(await held({ kind: 'terminate' }, { ...pays, code: 'compliance.fraud_found' })), ['compliance.fraud_found', 'compliance.fraud_found', 'compliance.fraud_found'])
  const warned = await held({ kind: 'warn' })
  const [check] = await checkStanding(rooms.db)(warned, new Date())
  assert.deepEqual([check!.verdict, check!.code], ['warn', REFUSED], 'a report tells a warning as one')
})

test('a measure that would hold nothing is refused and written down, and nothing else', async () => {
  const docking = await rooms.openDocking()
  for (const kind of ['restrict_payout', 'credit', 'channel', 'delist', 'key_quarantine', 'throttle', 'limit', 'reprice', 'level'] as const) assert.equal(codeOf(await decide(docking, { measure: { kind } })), 'decisions.nothing_to_hold', kind)
  assert.deepEqual(new Set(await kindsOf(docking)), new Set(['decision.refused']))
})

test('a decision takes the place of another: the new one names the old, the old ends with it, and never the one without the other', async () => {
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const good = await rooms.addGood('SUPER')
  await rooms.addCards(good, 5)
  const old = must(await decide(docking))
  const dress = (changes: Changes) => supersede(rooms.db, { old: old.id, id: `dec_${`${++made}`.padStart(20, '0')}`, statement: statement(changes), by: 'li', note: 'Only one good is concerned.' })
  assert.equal(codeOf(await dress({ facts: [] })), 'decisions.statement_incomplete')
  assert.equal((await findDecision(rooms.db, docking.lane, old.id))!.liftedAt, null, 'the old one stands as long as the new one does not')
  const next = must(await dress({ measure: { kind: 'limit', allows: { unitsPerOrder: 1 } } }))
  assert.equal(next.statement.supersedes, old.id)
  const ended = (await findDecision(rooms.db, docking.lane, old.id))!
  assert.deepEqual([ended.liftHow, ended.supersededBy], ['superseded', next.id])
  assert.deepEqual([await stops(docking, 'A', good), await stops(docking, 'B', good, 2)], ['accepted', 'compliance.identity_unverified'])
  assert.equal(codeOf(await dress({})), 'decisions.already_lifted')
  const warned = must(await dropToWarn(rooms.db, { old: next.id, id: `dec_${`${++made}`.padStart(20, '0')}`, by: 'hub', note: 'The appeal was not decided in time.', how: 'appeal_clock' }))
  assert.deepEqual([warned.statement.measure.kind, warned.statement.supersedes, await stops(docking, 'B', good, 2)], ['warn', next.id, 'accepted'])
  assert.equal((await findDecision(rooms.db, docking.lane, next.id))!.liftHow, 'appeal_clock')
  must(await lift(rooms.db, { id: warned.id, by: 'wu', note: 'The appeal was right.', source: 'appeal' }))
  assert.deepEqual(await kindsOf(docking), ['decision.taken', 'decision.refused', 'decision.taken', 'decision.superseded', 'decision.taken', 'decision.superseded', 'decision.lifted'])
})

test('what is over ends by itself, and what is mended is lifted by the check that turned green', async () => {
  await rooms.hub.decisions.lapse()
  const good = await rooms.addGood('CLOCK')
  await rooms.addCards(good, 5)
  const docking = await rooms.openDocking()
  const lapsing = must(await decide(docking, { measure: { endsAt: new Date(Date.now() + 150).toISOString() } }))
  const poor = await rooms.openDocking()
  const conditional = must(await decide(poor, { measure: { liftsWhen: { check: 'ledger.funds' } } }))
  const promised = must(await decide(await rooms.openDocking(), { measure: { liftsWhen: 'A person has seen the licence.' } }))
  const ended: string[] = []
  const clock = new DecisionClock({
    db: rooms.db, log: rooms.hub.log, desk: () => ({ checks: rooms.hub.checks, inputs: rooms.hub.inputChecks }), nowMs: () => Date.now(), makeId: () => rooms.ids.make('dec', rooms.clock.nowMs()), onEnded: ({ id }) => void ended.push(id),
    findDocking: async (id) => [docking, poor].find((one) => one.id === id) ?? null,
  })
  assert.deepEqual([await clock.lapse(), await clock.askConditions()], [0, 0], 'nothing is over, and there is no money')
  await new Promise((later) => setTimeout(later, 200))
  must(await rooms.deposit(poor, '50.00', 'pays'))
  assert.deepEqual([await clock.lapse(), await clock.askConditions()], [1, 1])
  assert.deepEqual([await clock.lapse(), await clock.askConditions()], [0, 0], 'once')
  assert.deepEqual(ended, [lapsing.id, conditional.id])
  assert.deepEqual([(await findDecision(rooms.db, docking.lane, lapsing.id))!.liftHow, (await findDecision(rooms.db, poor.lane, conditional.id))!.liftHow], ['lapse', 'condition'])
  assert.equal((await findDecision(rooms.db, promised.lane, promised.id))!.liftedAt, null, 'words are a person\'s to keep')
  assert.deepEqual([await kindsOf(docking), await kindsOf(poor)], [['decision.taken', 'decision.lapsed'], ['decision.taken', 'decision.lifted']])
  assert.equal(await stops(poor, 'A', good), 'accepted')
})

test('a statement of an earlier version is read as it was written, and may still be lifted', async () => {
  const docking = await rooms.openDocking()
  const old = { ...statement(), measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: new Date().toISOString(), endsAt: null, liftsWhen: 'The licence is verified.' } }
  await rooms.owner.query(`insert into decisions.decisions (lane, id, docking, form, measure, scope, class, code, statement, effective_at, review_at, decided_by, decided_at)
    values ($1, 'dec_old', $2, 1, 'suspend', '{orders}', 'compliance', 'compliance.identity_unverified', $3, now(), now() + interval '80 days', 'wang', now())`, [docking.lane, docking.id, JSON.stringify(old)])
  const read = (await findDecision(rooms.db, docking.lane, 'dec_old'))!
  assert.deepEqual([read.statement.measure.liftsWhen, read.statement.addressee.docking, read.statement.facts[0]!.period, read.statement.evidence], [{ words: 'The licence is verified.' }, docking.id, null, []])
  must(await decide(docking))
  must(await lift(rooms.db, { id: 'dec_old', by: 'li', note: 'Seen.' }))
})
