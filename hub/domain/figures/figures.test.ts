import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { must, openRooms } from '../../../test/house/rooms.ts'
import { underLanes } from '../../platform/facts.ts'
import { hold, lift, type StatementDraft } from '../decisions/index.ts'
import type { Docking } from '../partners/index.ts'
import { FigureBook } from './index.ts'
import { quarterOf, spanOf } from './quarters.ts'

const rooms = await openRooms({ after })
const DAY_MS = 86_400_000
const NOW = quarterOf(new Date())
const END = spanOf(NOW)!.to.getTime()
const at = (ms: number) => new FigureBook({ db: rooms.db, clock: { nowMs: () => ms }, log: rooms.hub.log })
const now = at(Date.now())

const STATEMENT = (): StatementDraft => ({
  measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: new Date().toISOString(), endsAt: null, liftsWhen: null }, cause: { class: 'compliance', code: 'compliance.identity_unverified', side: 'partner', secondary: [] },
  ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }], facts: [{ text: 'The licence has expired.' }], evidence: [], source: 'own_review', automation: { detection: false, decision: 'not', reviewer: 'wang' },
  remedy: [{ step: 1, action: { en: 'Send a licence.', zh: '请提交执照。' }, who: 'partner', evidenceNeeded: [] }],
  clocks: { respondBy: new Date(Date.now() + DAY_MS).toISOString(), decideAppealBy: new Date(Date.now() + DAY_MS).toISOString(), reviewAt: new Date(Date.now() + 80 * DAY_MS).toISOString() },
  appeal: { channel: 'https://hub.example/appeals', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
})
const tell = (docking: Docking, kind: string, subject: string | null, body: object | string) => rooms.db.transaction((connection) =>
  underLanes(connection, [docking.lane], async ({ append }) => void append({ lane: docking.lane, docking: docking.id, kind, subject, code: null, body: typeof body === 'string' ? body : JSON.stringify(body) })))

test('a quarter is counted from facts, published once when it has ended, and told only in groups', async () => {
  const good = await rooms.addGood('FIG')
  const dockings = await Promise.all(Array.from({ length: 6 }, () => rooms.openDocking()))
  const play = await rooms.openDocking({ mode: 'sandbox' })
  for (const docking of [...dockings, play]) for (const reference of ['A', 'B']) assert.equal((await rooms.place(docking, reference, good)).ok, false, 'no deposit, so refused')
  for (const [i, docking] of dockings.entries()) {
    const held = must(await hold(rooms.db, { id: rooms.ids.make('dec', Date.now()), lane: docking.lane, docking: docking.id, statement: STATEMENT(), by: 'wang' }))
    if (i < 5) must(await lift(rooms.db, { id: held.id, by: 'li', note: 'Seen.' }))
    await tell(docking, 'appeal.filed', `app_${i}`, { decision: held.id })
    await tell(docking, 'appeal.decided', held.id, { outcome: i < 4 ? 'overturned' : 'upheld' })
    await tell(docking, 'conformance.finished', null, { verdict: i < 5 ? 'green' : 'red' })
    await tell(docking, 'appeal.decided', held.id, '{"outcome":')
    // A technical measure, as another hand writes it, and then one of another class.
    await tell(docking, 'decision.taken', `dec_t${i}`, { code: 'partners.key_leaked' })
    await tell(docking, 'decision.taken', `dec_c${i}`, { code: 'terms.contract_breach' })
  }
  await tell(play, 'conformance.finished', null, { verdict: 'green' })
  for (const docking of dockings) await tell(docking, 'conformance.waived', docking.id, {})
  await tell(dockings[0]!, 'rule.published', 'rule_1', {})
  await Promise.all([now.round(), at(Date.now()).round()])
  await now.round()
  assert.deepEqual(await now.quarters(), [], 'the quarter runs')
  const meanwhile = (await now.of(null))!
  assert.deepEqual([meanwhile.quarter, meanwhile.state, meanwhile.refusals, meanwhile.ruleChanges], [NOW, 'running', [], 0])
  assert.equal(await now.of('2019Q1'), null)

  const later = at(END + DAY_MS)
  assert.deepEqual([await at(END + 60_000).publishEnded(), (await at(END + 60_000).of(NOW))!.state], [[], 'running'], 'what began before midnight may still end')
  assert.deepEqual(await later.publishEnded(), [NOW])
  assert.deepEqual(await later.publishEnded(), [], 'once')
  const told = (await later.of(NOW))!
  assert.deepEqual([told.state, told.refusals], ['published', [{ class: 'commercial', code: 'ledger.insufficient_funds', events: 10 }]])
  assert.deepEqual(told.measures, [
    { class: 'commercial', code: 'terms.contract_breach', events: 5 }, { class: 'compliance', code: 'compliance.identity_unverified', events: 5 }, { class: 'technical', code: 'partners.key_leaked', events: 5 },
  ])
  assert.deepEqual([told.appeals, told.remedies], [[{ class: 'compliance', code: null, events: 5 }, { class: 'compliance', code: 'filed', events: 5 }].toSorted((a) => (a.code === 'filed' ? -1 : 1)), [{ class: 'compliance', code: 'compliance.identity_unverified', medianHours: 1, p90Hours: 1 }]])
  assert.deepEqual(told.admissions, [{ class: '', code: 'waiver', events: 5 }])
  assert.deepEqual([told.conformance, told.followed, told.ruleChanges], [[{ class: null, code: null, events: 5 }], [{ class: 'technical', code: 'commercial', events: 5 }], 1])
  assert.deepEqual(told.technicalLater, { overturnedPercent: null, followedPercent: 100 })
  assert.equal((await rooms.owner.query('select from figures.tallies')).rowCount, 0, 'what single partners had is forgotten')
  for (const { id, partner } of [...dockings, play]) assert.doesNotMatch(JSON.stringify(told), new RegExp(`${id}|${partner}`))
  assert.deepEqual([(await later.of(null))!.quarter, (await later.of(null))!.state], [quarterOf(new Date(END)), 'running'])
})

test('published figures are for ever, and facts are folded once however often the hub ends in between', async () => {
  await assert.rejects(rooms.db.run({ text: `update figures.published set document = '{}'`, values: [] }), { code: '42501' })
  await assert.rejects(rooms.db.run({ text: 'delete from figures.published', values: [] }), { code: '42501' })
  const good = await rooms.addGood('AGAIN')
  const docking = await rooms.openDocking()
  for (let i = 0; i < 7; i++) {
    await rooms.place(docking, `A-${i}`, good)
    await Promise.all([now.fold(), at(Date.now()).fold()])
  }
  assert.deepEqual((await rooms.owner.query('select events::int from figures.tallies where partner = $1', [docking.partner])).rows, [{ events: 7 }])
})
