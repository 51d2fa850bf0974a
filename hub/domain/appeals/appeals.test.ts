import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Client } from 'pg'
import { codeOf, must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { signContract } from '../../../test/rule-text.ts'
import { decisionsOf, findDecision, hold, lift, type Decision, type StatementDraft } from '../decisions/index.ts'
import type { Docking } from '../partners/index.ts'
import { AppealClock, appealOutcomes, askEvidence, decideAppeal, extendAppeal, fileAppeal, findAppeal, giveEvidence, openFile, withdrawAppeal, type Appeal, type Appellant, type EvidenceAsk, type Verdict } from './index.ts'

const DAY_MS = 86_400_000
const days = (n: number, from = Date.now()) => new Date(from + n * DAY_MS)
const LAW: StatementDraft['ground'] = [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }]

/** A decision by wang, on a contract unless told. */
async function decide(rooms: Rooms, docking: Docking, { ground: given, scope = ['orders'] }: { ground?: StatementDraft['ground']; scope?: StatementDraft['measure']['scope'] } = {}): Promise<Decision> {
  const commercial = given === undefined
  const ground = given ?? [{ type: 'contract', ref: await signContract(rooms, docking), article: '7.2' }]
  return must(await hold(rooms.db, {
    id: rooms.ids.make('dec', rooms.clock.nowMs()), lane: docking.lane, docking: docking.id, by: 'wang',
    statement: {
      measure: { kind: 'suspend', scope, goods: [], effectiveAt: days(0).toISOString(), endsAt: null, liftsWhen: null },
      cause: commercial ? { class: 'commercial', code: 'terms.contract_breach', side: 'partner' } : { class: 'compliance', code: 'compliance.identity_unverified', side: 'partner' },
      ground, facts: [{ text: 'An invoice of October is unpaid.' }], evidence: [], source: 'own_review', automation: { detection: false, decision: 'not', reviewer: 'wang' },
      remedy: [{ step: 1, action: { en: 'Pay it.', zh: '请付款。' }, who: 'partner', evidenceNeeded: [] }],
      clocks: { respondBy: days(7).toISOString(), decideAppealBy: days(15).toISOString(), reviewAt: days(89).toISOString() },
      appeal: { channel: 'https://hub.example/appeals', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
    },
  }))
}

const whoOf = (docking: Docking): Appellant => ({ lane: docking.lane, docking: docking.id, via: 'api', by: docking.id, isOwnHand: true, isSandbox: false })
const file = (rooms: Rooms, docking: Docking, decision: Decision, evidence: EvidenceAsk[] = []) =>
  fileAppeal(rooms, whoOf(docking), { id: rooms.ids.make('apl', rooms.clock.nowMs()), decision: decision.id, text: 'The invoice was paid on the 3rd.', evidence })
const judge = (rooms: Rooms, appeal: Appeal, verdict: Verdict, by = 'li', narrower: Parameters<typeof decideAppeal>[1]['narrower'] = null) =>
  decideAppeal(rooms, { id: appeal.id, verdict, text: 'Seen the receipt.', narrower, decisionId: rooms.ids.make('dec', rooms.clock.nowMs()), by })
const now = async (rooms: Rooms, appeal: Appeal) => (await findAppeal(rooms, appeal.id, null))!
const inForce = async (rooms: Rooms, docking: Docking) => (await decisionsOf(rooms.db, docking.lane, docking.id, true)).map((one) => one.id)
const facts = async (rooms: Rooms, docking: Docking) => (await rooms.owner.query<{ kind: string }>(`select kind from platform.facts where docking = $1 and kind like 'appeal.%' order by position`, [docking.id])).rows.map((row) => row.kind)
/** The clock of appeals as it looks at a later time. */
const travel = (rooms: Rooms, ms: number) => new AppealClock({ db: rooms.db, vault: rooms.vault, clock: { nowMs: () => ms }, log: rooms.hub.log, makeId: () => rooms.ids.make('dec', rooms.clock.nowMs()) }).tick()

test('an appeal that is right lifts the measure at once, by another person, with its words sealed and its documents kept', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const decision = await decide(rooms, docking)
  const receipt = Buffer.from('%PDF receipt')
  const appeal = must(await file(rooms, docking, decision, [{ name: 'receipt.pdf', note: 'of the bank', sha256: null, content: receipt }, { name: 'original', note: 'by post', sha256: 'b'.repeat(64), content: null }]))
  assert.deepEqual([appeal.state, appeal.decisionBy, appeal.class, appeal.code, appeal.decideBy.getTime() - appeal.filedAt.getTime()], ['filed', 'wang', 'commercial', 'terms.contract_breach', 15 * DAY_MS])
  assert.deepEqual((await openFile(rooms, appeal.id, 1))!.content, receipt)
  assert.equal(await openFile(rooms, appeal.id, 2), null)
  const dump = (await rooms.owner.query(`select (select string_agg(e::text, '') from appeals.entries e) || (select string_agg(e::text, '') from appeals.evidence e) || (select string_agg(body, '') from platform.facts) as all`)).rows[0].all as string
  assert.doesNotMatch(dump, new RegExp(`paid on the 3rd|${receipt.toString('hex')}`))
  const decided = must(await judge(rooms, appeal, 'overturned'))
  assert.deepEqual([decided.state, decided.decidedBy, await inForce(rooms, docking)], ['overturned', 'li', []])
  const { entries } = await now(rooms, appeal)
  assert.deepEqual(entries.map(({ kind, side, text }) => [kind, side, text]), [['filed', 'partner', 'The invoice was paid on the 3rd.'], ['overturned', 'main_site', 'Seen the receipt.']])
  assert.deepEqual(await facts(rooms, docking), ['appeal.filed', 'appeal.decided'])
  for (const act of [judge(rooms, appeal, 'upheld'), giveEvidence(rooms, whoOf(docking), appeal.id, 'more', []), withdrawAppeal(rooms, whoOf(docking), appeal.id), file(rooms, docking, decision)]) assert.equal(codeOf(await act), 'appeals.ended')
})

test('who decided may not ask, put off or decide, in whatever letters the name is written, in code and in the database', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const appeal = must(await file(rooms, docking, await decide(rooms, docking)))
  for (const by of ['wang', 'Wang']) {
    for (const act of [judge(rooms, appeal, 'upheld', by), askEvidence(rooms, { id: appeal.id, text: 'More.', days: 3, by }), extendAppeal(rooms, { id: appeal.id, text: 'More.', days: 3, by })]) assert.equal(codeOf(await act), 'appeals.same_person')
  }
  const app = new Client({ connectionString: rooms.database.appUrl })
  app.on('error', () => {})
  await app.connect()
  t.after(() => app.end())
  const refused = (sql: string) => app.query(sql).then(() => 'written', (error: { code: string }) => error.code)
  assert.equal(await refused(`update appeals.appeals set state = 'upheld', decided_by = 'WANG', closed_at = now()`), '23514')
  assert.equal(await refused(`update appeals.appeals set state = 'upheld', closed_at = now()`), '23514', 'nobody decided')
  assert.equal(await refused(`update appeals.appeals set state = 'overturned', decided_by = 'li'`), '23514', 'without an end')
  assert.equal(await refused(`update appeals.appeals set decide_by = decide_by + interval '1 day'`), '23514', 'a clock that was put off by hand')
  assert.equal(await refused(`update appeals.appeals set extended_days = 16, decide_by = decide_by + interval '16 days'`), '23514')
  for (const sql of [
    `update appeals.appeals set decision_by = 'li'`, `update appeals.appeals set filed_at = now() + interval '9 days'`, 'delete from appeals.appeals', `update appeals.entries set at = now()`, 'delete from appeals.entries', 'delete from appeals.pauses',
    `update appeals.pauses set due_at = now()`, 'delete from appeals.evidence', `update appeals.evidence set name = 'x'`,
  ]) assert.equal(await refused(sql), '42501', sql)
  assert.equal((await now(rooms, appeal)).appeal.state, 'filed')
})

test('one open appeal a decision, five a day, none about another docking, none long after the end', async (t) => {
  const rooms = await openRooms(t)
  const [docking, other] = [await rooms.openDocking(), await rooms.openDocking()]
  const decision = await decide(rooms, docking)
  assert.equal(codeOf(await file(rooms, other, decision)), 'decisions.not_found')
  const answers = await Promise.all(Array.from({ length: 5 }, () => file(rooms, docking, decision)))
  assert.deepEqual(answers.map(codeOf).toSorted(), ['accepted', ...Array.from({ length: 4 }, () => 'appeals.open_already')])
  let appeal = must(answers.find((one) => one.ok)!)
  assert.equal(codeOf(await withdrawAppeal(rooms, whoOf(other), appeal.id)), 'appeals.not_found')
  for (let i = 0; i < 4; i++) {
    must(await withdrawAppeal(rooms, whoOf(docking), appeal.id))
    appeal = must(await file(rooms, docking, decision))
  }
  must(await withdrawAppeal(rooms, whoOf(docking), appeal.id))
  const sixth = await file(rooms, docking, decision)
  assert.deepEqual([codeOf(sixth), sixth.ok ? null : sixth.refusal.because.allowed], ['platform.rate_limited', '5 appeals a day'])
  must(await lift(rooms.db, { id: decision.id, by: 'wang', note: 'paid' }))
  await rooms.owner.query(`update appeals.appeals set filed_at = filed_at - interval '2 days', decide_by = decide_by - interval '2 days'`)
  assert.equal(codeOf(await file(rooms, docking, decision)), 'accepted', 'what is over may be looked at again')
  must(await withdrawAppeal(rooms, whoOf(docking), (await rooms.owner.query<{ id: string }>(`select id from appeals.appeals where state = 'filed'`)).rows[0]!.id))
  await rooms.owner.query(`update decisions.decisions set lifted_at = now() - interval '91 days'`)
  assert.equal(codeOf(await file(rooms, docking, decision)), 'appeals.too_late')
})

test('the clock stands still while evidence is owed, goes on when it comes or is due, and is put off three questions and one extension at most', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const appeal = must(await file(rooms, docking, await decide(rooms, docking)))
  const ask = () => askEvidence(rooms, { id: appeal.id, text: 'Send the receipt of the bank.', days: 5, by: 'li' })
  const asked = must(await ask())
  assert.deepEqual([asked.state, asked.evidenceDue!.getTime() - asked.pausedAt!.getTime()], ['evidence_owed', 5 * DAY_MS])
  await travel(rooms, appeal.decideBy.getTime() - 11 * DAY_MS)
  assert.equal((await now(rooms, appeal)).appeal.state, 'evidence_owed')

  // As if it had been asked for four days ago and is given now.
  await rooms.owner.query(`update appeals.appeals set paused_at = paused_at - interval '4 days', filed_at = filed_at - interval '4 days', decide_by = decide_by - interval '4 days'`)
  await rooms.owner.query(`update appeals.pauses set from_at = from_at - interval '4 days'`)
  const given = must(await giveEvidence(rooms, whoOf(docking), appeal.id, 'Here it is.', [{ name: 'r.txt', note: '', sha256: null, content: Buffer.from('paid') }]))
  assert.equal(given.state, 'under_review')
  assert.ok(Math.abs(given.decideBy.getTime() - appeal.decideBy.getTime()) < 5_000, 'four days of waiting are four days more')

  const late = must(await ask())
  await travel(rooms, late.evidenceDue!.getTime() + 7 * DAY_MS)
  const resumed = (await now(rooms, appeal)).appeal
  assert.deepEqual([resumed.state, resumed.decideBy.getTime() - given.decideBy.getTime()], ['under_review', late.evidenceDue!.getTime() - late.pausedAt!.getTime()], 'from the due date and not from when somebody looked')
  const third = must(await ask())
  const again = await ask()
  assert.deepEqual([codeOf(again), again.ok ? null : again.refusal.because], ['appeals.delays_spent', { what: 'questions', allowed: 3 }])
  const extended = must(await extendAppeal(rooms, { id: appeal.id, text: 'The bank is slow.', days: 15, by: 'li' }))
  assert.equal(extended.decideBy.getTime() - third.decideBy.getTime(), 15 * DAY_MS)
  assert.equal(codeOf(await extendAppeal(rooms, { id: appeal.id, text: 'Once more.', days: 1, by: 'li' })), 'appeals.delays_spent')
  must(await judge(rooms, appeal, 'upheld'))
  assert.deepEqual(await facts(rooms, docking), ['filed', 'evidence_asked', 'evidence_given', 'evidence_asked', 'resumed', 'evidence_asked', 'extended', 'decided'].map((kind) => `appeal.${kind}`))
  const pauses = (await rooms.owner.query(`select count(*)::int as n from appeals.pauses where until_at is not null`)).rows[0].n
  assert.equal(pauses, 3)
})

test('a missed clock frees the partner, but for a ground of law; the appeal is decided all the same, and once missed is missed once', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const lawful = await rooms.openDocking()
  const [byContract, byLaw] = [await decide(rooms, docking), await decide(rooms, lawful, { ground: LAW })]
  const [free, held] = [must(await file(rooms, docking, byContract)), must(await file(rooms, lawful, byLaw))]
  await travel(rooms, free.decideBy.getTime() - 60_000)
  assert.deepEqual([await inForce(rooms, docking), await inForce(rooms, lawful)], [[byContract.id], [byLaw.id]])
  for (let i = 0; i < 3; i++) await travel(rooms, held.decideBy.getTime() + 1_000)
  assert.deepEqual(await inForce(rooms, lawful), [byLaw.id])
  const [warning] = await decisionsOf(rooms.db, docking.lane, docking.id, true)
  assert.deepEqual([(await inForce(rooms, docking)).length, warning!.statement.measure.kind, warning!.statement.supersedes, warning!.decidedBy], [1, 'warn', byContract.id, 'appeal_clock'], 'what is left is a warning that names the decision')
  assert.deepEqual([(await findDecision(rooms.db, docking.lane, byContract.id))!.liftHow, (await now(rooms, free)).appeal.outcomeDecision], ['appeal_clock', warning!.id])
  assert.deepEqual([...await facts(rooms, docking), ...await facts(rooms, lawful)].filter((kind) => kind === 'appeal.clock_missed').length, 2)
  const missed = (await now(rooms, free)).appeal
  assert.deepEqual([missed.state, missed.missedAt!.getTime() >= missed.decideBy.getTime()], ['filed', true])
  must(await judge(rooms, free, 'overturned'))
  assert.deepEqual(await inForce(rooms, docking), [], 'the warning goes too')
  must(await judge(rooms, held, 'upheld'))
  const outcomes = await appealOutcomes(rooms.db, days(-1), days(1))
  assert.deepEqual(outcomes.map(({ class: cls, code, outcome, count, missedClock }) => [cls, code, outcome, count, missedClock]), [
    ['commercial', 'terms.contract_breach', 'overturned', 1, 1], ['compliance', 'compliance.identity_unverified', 'upheld', 1, 1],
  ])
  assert.deepEqual(await appealOutcomes(rooms.db, days(1), days(2)), [])
})

test('right in part: a lesser decision takes the place of the old one, and a greater one is refused', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const decision = await decide(rooms, docking, { scope: ['orders', 'goods'] })
  const appeal = must(await file(rooms, docking, decision))
  for (const narrower of [{ scope: ['orders', 'goods'] }, { scope: ['orders', 'key'] }, { scope: [] }, { goods: [] }, {}, null]) assert.equal(codeOf(await judge(rooms, appeal, 'partly', 'li', narrower)), 'protocol.invalid_field', JSON.stringify(narrower))
  assert.equal(codeOf(await judge(rooms, appeal, 'upheld', 'li', { scope: ['orders'] })), 'protocol.invalid_field')
  const decided = must(await judge(rooms, appeal, 'partly', 'li', { scope: ['goods'], goods: ['gds_1'] }))
  assert.deepEqual(await inForce(rooms, docking), [decided.outcomeDecision])
  const less = (await findDecision(rooms.db, docking.lane, decided.outcomeDecision!))!
  assert.deepEqual([less.statement.measure.scope, less.statement.measure.goods, less.decidedBy, less.statement.supersedes], [['goods'], ['gds_1'], 'li', decision.id])
  assert.deepEqual((await findDecision(rooms.db, docking.lane, decision.id))!.liftHow, 'appeal')
})

test('documents are few and small, and are what their hash says', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const decision = await decide(rooms, docking)
  const item = (more: Partial<EvidenceAsk>): EvidenceAsk => ({ name: 'a', note: '', sha256: null, content: Buffer.from('x'), ...more })
  const table: [EvidenceAsk[], string][] = [
    [Array.from({ length: 6 }, () => item({})), '/evidence'], [[item({}), item({ content: null })], '/evidence/1'], [[item({ content: Buffer.alloc(0) })], '/evidence/0/content'],
    [[item({ content: Buffer.alloc(256 * 1024 + 1) })], '/evidence/0/content'], [[item({ sha256: 'a'.repeat(64) })], '/evidence/0/sha256'],
  ]
  for (const [evidence, path] of table) {
    const refused = await file(rooms, docking, decision, evidence)
    assert.equal(refused.ok ? 'accepted' : refused.refusal.because.path, path)
  }
  const appeal = must(await file(rooms, docking, decision, Array.from({ length: 5 }, () => item({ content: Buffer.alloc(256 * 1024, 1) }))))
  for (let i = 0; i < 3; i++) must(await giveEvidence(rooms, whoOf(docking), appeal.id, 'more', Array.from({ length: 5 }, () => item({}))))
  assert.equal(codeOf(await giveEvidence(rooms, whoOf(docking), appeal.id, 'more', [item({})])), 'protocol.invalid_field')
  assert.equal((await now(rooms, appeal)).evidence.length, 20)
})
