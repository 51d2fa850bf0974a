import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { codeOf, must, openRooms } from '../../../test/house/rooms.ts'
import { reasonCodes, reasonOf } from '../../../protocol/reasons.ts'
import type { Docking } from '../partners/index.ts'
import { checkStanding, decisionsOf, hold, lift, SCOPES, type Statement } from './index.ts'
import { admit } from './rules.ts'

const AT = new Date('2026-11-22T08:00:00Z')
const DAY_MS = 86_400_000
const days = (n: number, from = AT) => new Date(from.getTime() + n * DAY_MS).toISOString()
const LAW: Statement['ground'][number] = { type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }
const RULE: Statement['ground'][number] = { type: 'published_rule', ref: '供货规则', article: '3.2', quote: '', publishedAt: days(-7) }
const RED: Statement['evidence'][number] = { id: 'chk_1', kind: 'check_run', sha256: 'a'.repeat(64), disclosure: 'full' }

type Changes = { code?: Statement['cause']['code']; class?: Statement['cause']['class']; now?: Date } & Partial<Omit<Statement, 'cause' | 'measure'>> & { measure?: Partial<Statement['measure']> }

/** A statement that may stand; each cheat changes one thing about it. */
function statement({ code = 'compliance.identity_unverified', class: claimed, now = AT, measure, ...changes }: Changes = {}): Statement {
  return {
    measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: now.toISOString(), endsAt: null, liftsWhen: null, ...measure },
    cause: { class: claimed ?? reasonOf(code).class, code, side: 'partner' },
    ground: [LAW], facts: [{ text: 'The business licence that was sent has expired.' }], evidence: [], source: 'own_review',
    automation: { detection: false, decision: 'not', reviewer: 'wang' },
    remedy: [{ step: 1, action: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' }, who: 'partner', evidenceNeeded: [] }],
    clocks: { respondBy: days(7, now), decideAppealBy: days(15, now), reviewAt: days(90, now) },
    appeal: { channel: 'https://hub.example/appeals', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
    ...changes,
  }
}

function missing(one: Statement): string {
  const admitted = admit(one, AT)
  if (admitted.ok) return 'admitted'
  return admitted.refusal.code === 'decisions.statement_incomplete' ? (admitted.refusal.because.missing as string[]).join(' + ') : admitted.refusal.code
}

const COMMERCIAL = { code: 'terms.contract_breach' as const, ground: [RULE] }
const TECHNICAL = { code: 'partners.key_leaked' as const, ground: [], evidence: [RED] }
const NO_PUBLIC_RULE = 'ground: a contract, or a rule published at least 7 days ago'

test('an honest statement of each class is admitted', () => {
  for (const honest of [{}, COMMERCIAL, TECHNICAL, { ...COMMERCIAL, ground: [{ ...RULE, type: 'contract' as const, publishedAt: '' }] }]) assert.equal(missing(statement(honest)), 'admitted')
})

test('whoever cheats is told what is missing', () => {
  const table: [string, Changes, string][] = [
    ['a technical claim without a red check', { ...TECHNICAL, evidence: [] }, 'evidence of a red check'],
    ['a technical claim with a mere file', { ...TECHNICAL, evidence: [{ ...RED, kind: 'file' }] }, 'evidence of a red check'],
    ['a commercial claim with a law only', { ...COMMERCIAL, ground: [LAW] }, NO_PUBLIC_RULE],
    ['a rule published yesterday', { ...COMMERCIAL, ground: [{ ...RULE, publishedAt: days(-1) }] }, NO_PUBLIC_RULE],
    ['a rule a second too young', { ...COMMERCIAL, ground: [{ ...RULE, publishedAt: new Date(AT.getTime() - 7 * DAY_MS + 1_000).toISOString() }] }, NO_PUBLIC_RULE],
    ['a rule published at no time', { ...COMMERCIAL, ground: [{ ...RULE, publishedAt: 'long ago' }] }, NO_PUBLIC_RULE],
    ['a rule without a paragraph', { ...COMMERCIAL, ground: [{ ...RULE, article: ' ' }] }, NO_PUBLIC_RULE],
    ['compliance without a ground', { ground: [] }, 'ground: an article'],
    ['compliance with a law but no article', { ground: [{ ...LAW, article: '' }] }, 'ground: an article'],
    ['compliance with an article of nothing', { ground: [{ ...LAW, ref: '  ' }] }, 'ground: an article'],
    ['compliance dressed as technical', { class: 'technical', evidence: [RED] }, 'class compliance for compliance.identity_unverified'],
    ['commercial dressed as compliance', { ...COMMERCIAL, class: 'compliance', ground: [LAW] }, 'class commercial for terms.contract_breach'],
    ['technical dressed as commercial', { ...TECHNICAL, class: 'commercial', ground: [RULE] }, 'class technical for partners.key_leaked'],
    ['no facts', { facts: [] }, 'facts of at least 5 characters each'], ['facts that say nothing', { facts: [{ text: 'bad' }] }, 'facts of at least 5 characters each'], ['facts of blanks', { facts: [{ text: ' '.repeat(40) }] }, 'facts of at least 5 characters each'],
    ['no way back', { remedy: [] }, 'remedy'],
    ['fog in the facts', { facts: [{ text: 'Your system is Incompatible with ours.' }] }, 'plain words instead of "incompatible" or "system error"'],
    ['fog in the remedy', { remedy: [{ step: 1, action: { en: 'Wait.', zh: '系统不兼容，请等待。' }, who: 'hub', evidenceNeeded: [] }] }, 'plain words instead of "incompatible" or "system error"'],
    ['funds held for ever', { measure: { scope: ['orders', 'funds'] } }, 'funds.releaseAt'],
    ['a code that no decision may give', { code: 'catalogue.out_of_stock' }, 'protocol.invalid_field'],
    ['everything at once', { ground: [], facts: [], remedy: [], measure: { scope: ['funds'] } }, 'facts of at least 5 characters each + remedy + ground: an article + funds.releaseAt'],
  ]
  for (const [name, changes, answer] of table) assert.equal(missing(statement(changes)), answer, name)
  for (const code of reasonCodes.filter((code) => reasonOf(code).kind !== 'measure')) assert.equal(missing(statement({ code })), 'protocol.invalid_field', code)
})

test('a review later than 90 days, or a measure of no scope, is refused in words and not by the database', () => {
  assert.notEqual(missing(statement({ clocks: { respondBy: days(7), decideAppealBy: days(15), reviewAt: days(91) } })), 'admitted')
  assert.notEqual(missing(statement({ measure: { scope: [] } })), 'admitted')
})

const rooms = await openRooms({ after })

let made = 0
const decide = (docking: Docking, changes: Changes = {}, id = `dec_${`${++made}`.padStart(20, '0')}`) =>
  hold(rooms.db, { id, lane: docking.lane, docking: docking.id, statement: statement({ now: new Date(), ...changes }), by: 'wang' })

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
  const first = must(await decide(docking, { ...COMMERCIAL, now: new Date(Date.now() - 1_000), ground: [{ ...RULE, type: 'contract' }] }))
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

test('the database holds the same line against whoever writes past the rules', async (t) => {
  const docking = await rooms.openDocking()
  const app = new Client({ connectionString: rooms.database.appUrl })
  await app.connect()
  t.after(() => app.end())
  let n = 0
  const insert = (one: Statement, changes: { measure?: string; scope?: string[]; reviewAt?: string; statement?: unknown } = {}) =>
    app.query(`insert into decisions.decisions (lane, id, docking, measure, scope, class, code, statement, effective_at, review_at, decided_by, decided_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'somebody', $9)`, [
      docking.lane, `dec_sql_${++n}`, docking.id, changes.measure ?? one.measure.kind, changes.scope ?? one.measure.scope, one.cause.class, one.cause.code,
      JSON.stringify(changes.statement ?? one), AT, changes.reviewAt ?? one.clocks.reviewAt,
    ])
  const bare = (one: Statement, path: 'ground' | 'funds', value: unknown) => ({ statement: { ...one, [path]: value } })
  for (const honest of [{}, COMMERCIAL, TECHNICAL]) await insert(statement(honest))
  const cheats: [string, () => Promise<unknown>][] = [
    ['technical without a check run', () => insert(statement({ ...TECHNICAL, evidence: [{ ...RED, kind: 'file' }] }))],
    ['technical without any evidence', () => insert(statement(TECHNICAL), { statement: {} })],
    ['commercial with a law', () => insert(statement({ ...COMMERCIAL, ground: [LAW] }))],
    ['compliance without an article', () => insert(statement({ ground: [{ ...LAW, article: '' }] }))],
    ['compliance with an article of null', () => insert(statement(), bare(statement(), 'ground', [{ ...LAW, article: null }]))],
    ['compliance with an article of blanks', () => insert(statement({ ground: [{ ...LAW, article: '  ' }] }))],
    ['compliance without a ground', () => insert(statement({ ground: [] }))],
    ['funds held for ever by leaving the time out', () => insert(statement(), { scope: ['funds'], ...bare(statement(), 'funds', {}) })],
    ['funds held for ever by an empty time', () => insert(statement(), { scope: ['funds'], ...bare(statement(), 'funds', { releaseAt: '' }) })],
    ['funds held for ever by a time of null', () => insert(statement(), { scope: ['funds'], ...bare(statement(), 'funds', { releaseAt: null }) })],
    ['no review', () => insert(statement(), { reviewAt: days(91) })],
    ['an unknown measure', () => insert(statement(), { measure: 'forget' })],
    ['an unknown scope', () => insert(statement(), { scope: ['everything'] })],
    ['no scope', () => insert(statement(), { scope: [] })],
    ['compliance under a technical name', () => insert(statement({ class: 'technical', evidence: [RED] }))],
    ['an edit of the statement', () => app.query(`update decisions.decisions set statement = '{}'`)],
    ['an edit of the class', () => app.query(`update decisions.decisions set class = 'technical'`)],
    ['a longer end', () => app.query(`update decisions.decisions set ends_at = null, review_at = now()`)],
    ['a deletion', () => app.query('delete from decisions.decisions')],
    ['a truncation', () => app.query('truncate decisions.decisions')],
    ['a lift by nobody', () => app.query('update decisions.decisions set lifted_at = now()')],
  ]
  const passed: string[] = []
  for (const [name, cheat] of cheats) {
    const refused = await cheat().then(() => null, (error: { code?: string }) => error.code)
    if (refused === null) passed.push(name)
    else assert.ok(refused === '23514' || refused === '42501', `${name}: ${refused}`)
  }
  assert.deepEqual(passed, [])
})

test('every scope that a decision may have is known to the database', async () => {
  const docking = await rooms.openDocking()
  must(await decide(docking, { measure: { scope: [...SCOPES] }, funds: { held: 'all', releaseAt: new Date(Date.now() + DAY_MS).toISOString(), ordersInFlight: 'finish' } }))
})
