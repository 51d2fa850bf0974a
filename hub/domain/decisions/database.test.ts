import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { must, openRooms } from '../../../test/house/rooms.ts'
import { oldRule, signContract } from '../../../test/rule-text.ts'
import type { Docking } from '../partners/index.ts'
import { runChecks } from './index.ts'
import { hashOfFact } from './wording.ts'

/**
 * The same cheats as in honesty.test.ts, by somebody who writes SQL with the hub's own role and asks no rule. Each one is
 * an honest row with one thing changed, so that what refuses it is the constraint that it is meant for.
 */
const DAY_MS = 86_400_000
const inDays = (n: number) => new Date(Date.now() + n * DAY_MS)
// Hooks run in the order in which they were registered: this line ends before its database goes.
let app: Client
after(() => app.end())
const rooms = await openRooms({ after })
app = new Client({ connectionString: rooms.database.appUrl })
await app.connect()

type Row = Record<string, unknown>
let n = 0

const FACT = 'The business licence that was sent has expired.'
function statementOf(row: Row, more: Row = {}): Row {
  return {
    measure: { kind: row.measure }, cause: { class: row.class, code: row.code, side: row.side }, facts: [{ text: FACT }], remedy: [{ step: 1 }], supersedes: row.supersedes ?? null,
    ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], evidence: [], funds: { releaseAt: null }, ...more,
  }
}

/** Columns of an honest compliance decision; `statement` is made to agree with them unless it is given. */
async function insert(docking: Docking, changes: Row = {}, told: Row = {}): Promise<string> {
  const id = `dec_sql_${String(++n).padStart(12, '0')}`
  const row: Row = {
    lane: docking.lane, id, docking: docking.id, measure: 'suspend', scope: ['orders'], class: 'compliance', code: 'compliance.identity_unverified', side: 'partner', effective_at: new Date(),
    review_at: inDays(89), decided_by: 'somebody', ...changes,
  }
  row.statement = JSON.stringify(changes.statement ?? statementOf(row, told))
  await app.query(`insert into decisions.decisions (${Object.keys(row).join(', ')}) values (${Object.keys(row).map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(row))
  return id
}

async function refused(name: string, cheat: () => Promise<unknown>, codes: readonly string[] = ['23514']): Promise<void> {
  const code = await cheat().then(() => 'it passed', (error: { code?: string; message?: string }) => error.code ?? error.message)
  assert.ok(codes.includes(code!), `${name}: ${code}`)
}

const columnsOf = (rule: { id: string; sha256: string; publishedAt: Date; effectiveAt: Date }) => ({ class: 'commercial', code: 'terms.published_rule_breach', rule: rule.id, rule_sha256: rule.sha256, rule_published_at: rule.publishedAt, rule_effective_at: rule.effectiveAt, rule_bare: false })
const namesRule = (rule: { id: string; sha256: string }) => ({ ground: [{ type: 'published_rule', ref: rule.id, versionHash: rule.sha256, article: '1' }] })

test('a compliance decision needs its article, and whatever it keeps back needs two persons', async () => {
  await insert(await rooms.openDocking())
  const held = async (changes: Row, told: Row = {}) => insert(await rooms.openDocking(), changes, told)
  await refused('without a ground', () => held({}, { ground: [] }))
  await refused('an article of null', () => held({}, { ground: [{ type: 'law', ref: 'x', article: null }] }))
  await refused('an article of blanks', () => held({}, { ground: [{ type: 'law', ref: 'x', article: '  ' }] }))
  await refused('withheld by one person', () => held({ code: 'compliance.withheld_by_law' }))
  await refused('withheld evidence by one person', () => held({}, { evidence: [{ kind: 'file', disclosure: 'withheld_by_law' }] }))
  const docking = await rooms.openDocking()
  await app.query(`insert into decisions.drafts (lane, id, docking, statement, made_by) values ($1, 'dft_1', $2, '{}', 'somebody')`, [docking.lane, docking.id])
  const two = { code: 'compliance.withheld_by_law', draft: 'dft_1' }
  await refused('approved by whoever drafted it', () => insert(docking, { ...two, approved_by: 'somebody' }))
  await refused('approved by nobody', () => insert(docking, two))
  await refused('drafted by nobody', () => insert(docking, { ...two, draft: 'dft_2', approved_by: 'li' }), ['23503'])
  await refused('drafted by somebody else than is said', () => insert(docking, { ...two, decided_by: 'wang', approved_by: 'li' }), ['23503'])
  await insert(docking, { ...two, approved_by: 'li' })
  await refused('approved twice', () => insert(docking, { ...two, approved_by: 'wu' }), ['23505'])
})

test('a technical decision needs a red run of the same docking for the same code, made by the hub within a day', async () => {
  const docking = await rooms.openDocking()
  const other = await rooms.openDocking()
  const runOf = async (one: Docking) => (await runChecks(rooms.db, { checks: [], inputs: rooms.hub.inputChecks }, one, {
    check: 'partners.key_leaked', inputHash: await hashOf(one), by: 'wang', makeId: () => rooms.ids.make('chk', rooms.clock.nowMs()),
  }, new Date()))[0]!
  const red = await runOf(docking)
  const others = await runOf(other)
  assert.equal(red.verdict, 'fail')
  const technical = (run: { id: string; ranAt: Date } | null) => ({ class: 'technical', code: 'partners.key_leaked', run: run?.id ?? null, run_at: run?.ranAt ?? null, lifts_check: 'partners.key_leaked' })
  const shows = (run: { id: string }) => ({ ground: [], evidence: [{ kind: 'check_run', id: run.id }] })
  const named = { evidence: [{ kind: 'check_run', id: 'chk_x' }] }
  await refused('without a run', () => insert(docking, technical(null), named))
  await refused('a run of another docking', () => insert(docking, technical(others), shows(others)), ['23503'])
  await refused('a run that nobody made', () => insert(docking, technical({ id: 'chk_x', ranAt: red.ranAt }), named), ['23503'])
  await refused('a run that the statement does not name', () => insert(docking, technical(red), named))
  const green = (await app.query(`insert into decisions.check_runs (lane, id, docking, check_name, version, verdict, code, side, reproducible, result, sha256, ran_by)
    values ($1, 'chk_green', $2, 'x', '1', 'pass', null, 'partner', true, '{}', $3, 'y') returning id, ran_at as "ranAt"`, [docking.lane, docking.id, 'a'.repeat(64)])).rows[0]
  await refused('one that nothing lifts', () => insert(docking, { ...technical(red), lifts_check: null }, shows(red)))
  await refused('one that another check lifts', () => insert(docking, { ...technical(red), lifts_check: 'ledger.funds' }, shows(red)), ['23503'])
  await refused('an end of relations', () => insert(docking, { ...technical(red), measure: 'terminate', effective_at: inDays(31) }, { ...shows(red), funds: { releaseAt: inDays(40).toISOString() } }))
  await refused('a green run', () => insert(docking, technical(green), shows(green)), ['23503'])
  const secret = (await app.query(`insert into decisions.check_runs (lane, id, docking, check_name, version, verdict, code, side, reproducible, result, sha256, ran_by)
    values ($1, 'chk_secret', $2, 'x', '1', 'fail', 'partners.key_leaked', 'partner', false, '{}', $3, 'y') returning id, ran_at as "ranAt"`, [docking.lane, docking.id, 'a'.repeat(64)])).rows[0]
  await refused('a run on the partner\'s side that it cannot repeat', () => insert(docking, technical(secret), shows(secret)), ['23503'])
  await refused('a run said to be of another time', () => app.query(`insert into decisions.check_runs (lane, id, docking, check_name, version, verdict, side, reproducible, result, sha256, ran_by, ran_at) values ($1, 'chk_9', $2, 'x', '1', 'pass', 'partner', true, '{}', $3, 'y', now())`, [docking.lane, docking.id, 'a'.repeat(64)]), ['42501'])
  const old = (await rooms.owner.query(`insert into decisions.check_runs (lane, id, docking, check_name, version, verdict, code, side, reproducible, result, sha256, ran_by, ran_at)
    values ($1, 'chk_old', $2, 'x', '1', 'fail', 'partners.key_leaked', 'partner', true, '{}', $3, 'y', now() - interval '25 hours') returning id, ran_at as "ranAt"`, [docking.lane, docking.id, 'a'.repeat(64)])).rows[0]
  await refused('a run of the day before', () => insert(docking, technical(old), shows(old)))
  await refused('a decision said to be of another day', () => insert(docking, { ...technical(old), decided_at: inDays(-1) }, shows(old)), ['42501'])
  await insert(docking, technical(red), shows(red))
})

async function hashOf(docking: Docking): Promise<string> {
  const row = (await rooms.owner.query<{ hash: Buffer }>('select hash from partners.keys where docking = $1 and hash is not null', [docking.id])).rows[0]!
  return row.hash.toString('hex')
}

test('a commercial decision needs a signed contract, or a rule in force that was public for seven days', async () => {
  const fine = await oldRule(rooms.owner, { ageDays: 8 })
  const young = await oldRule(rooms.owner, { ageDays: 6.9, isRelief: true })
  const bare = await oldRule(rooms.owner, { ageDays: 8, resalePrice: true })
  const docking = await rooms.openDocking()
  const held = async (changes: Row, told: Row = {}) => insert(await rooms.openDocking(), changes, told)
  await refused('a law only', () => held({ class: 'commercial', code: 'terms.contract_breach' }))
  await refused('a rule that is named and is none', () => held({ class: 'commercial', code: 'terms.published_rule_breach' }, namesRule(fine)))
  await refused('a rule younger than seven days', () => held(columnsOf(young), namesRule(young)))
  await refused('a young rule said to be old', () => held({ ...columnsOf(young), rule_published_at: inDays(-30) }, namesRule(young)), ['23503'])
  await refused('another text under the same id', () => held({ ...columnsOf(fine), rule_sha256: 'f'.repeat(64) }, namesRule({ ...fine, sha256: 'f'.repeat(64) })), ['23503'])
  await refused('a rule that the statement does not name', () => held(columnsOf(fine), namesRule(young)))
  await refused('a least resale price without a law', () => held({ ...columnsOf(bare), rule_bare: true }, namesRule(bare)))
  await refused('a least resale price said to have one', () => held(columnsOf(bare), namesRule(bare)), ['23503'])
  await held({ ...columnsOf(bare), rule_bare: true, measure: 'warn' }, namesRule(bare))
  await held(columnsOf(fine), namesRule(fine))
  const contract = await signContract(rooms, docking)
  const { sha256 } = (await rooms.owner.query('select sha256 from rulebook.contracts where id = $1', [contract])).rows[0]
  const signed = { class: 'commercial', code: 'terms.contract_breach', contract, contract_sha256: sha256 }
  const names = { ground: [{ type: 'contract', ref: contract, versionHash: sha256, article: '7.2' }] }
  await refused('the contract of another docking', () => held(signed, names), ['23503'])
  await refused('a contract over another text', () => insert(docking, { ...signed, contract_sha256: 'f'.repeat(64) }, { ground: [{ ...names.ground[0], versionHash: 'f'.repeat(64) }] }), ['23503'])
  await insert(docking, signed, names)
})

test('no second class over what was known before: each statement follows the last one, and names what is new', async () => {
  const docking = await rooms.openDocking()
  const fine = await oldRule(rooms.owner, { ageDays: 8 })
  const know = async (text: string) => {
    await app.query('insert into decisions.known (lane, docking, sha256) values ($1, $2, $3) on conflict do nothing', [docking.lane, docking.id, hashOfFact(text)])
    return (await app.query('select sha256, first_known_at as at from decisions.known where docking = $1 and sha256 = $2', [docking.id, hashOfFact(text)])).rows[0]
  }
  const early = await know('Known from the beginning.')
  const first = await insert(docking)
  const { decided_at } = (await app.query('select decided_at from decisions.decisions where id = $1', [first])).rows[0]
  const commercial = (changes: Row) => insert(docking, { ...columnsOf(fine), prior: first, prior_class: 'compliance', prior_at: decided_at, ...changes }, namesRule(fine))
  await refused('as if nothing had been told', () => insert(docking, columnsOf(fine), namesRule(fine)), ['23505'])
  await refused('over nothing new', () => commercial({}))
  await refused('over what was known', () => commercial({ fresh_sha256: early.sha256, fresh_at: early.at }))
  await refused('over what was known, said to be new', () => commercial({ fresh_sha256: early.sha256, fresh_at: new Date() }), ['23503'])
  await refused('after a statement of another class than it had', () => commercial({ prior_class: 'commercial' }), ['23503'])
  await refused('after a statement of long ago that was none', () => commercial({ prior_at: inDays(-91) }), ['23503'])
  await refused('half a statement before', () => commercial({ prior_class: null }))
  await refused('by a law that it does not name', () => commercial({ by_law: true }))
  await refused('when something was known, of another time', () => app.query('insert into decisions.known (lane, docking, sha256, first_known_at) values ($1, $2, $3, now())', [docking.lane, docking.id, 'd'.repeat(64)]), ['42501'])
  const late = await know('Found out afterwards.')
  await commercial({ fresh_sha256: late.sha256, fresh_at: late.at })
  await refused('two statements after the same one', () => commercial({ fresh_sha256: late.sha256, fresh_at: late.at }), ['23505'])
})

test('every measure ends or is looked at again, money has a date, an end of relations is told before, and words are plain', async () => {
  const held = async (changes: Row, told: Row = {}) => insert(await rooms.openDocking(), changes, told)
  const date = { funds: { releaseAt: inDays(40).toISOString() } }
  await refused('no review', () => held({ review_at: inDays(91) }))
  for (const funds of [{}, { releaseAt: '' }, { releaseAt: null }]) await refused(`funds held for ever: ${JSON.stringify(funds)}`, () => held({ scope: ['funds'] }, { funds }))
  for (const releaseAt of [inDays(182).toISOString(), '9999-01-01T00:00:00.000Z', '+010000-01-01T00:00:00.000Z', 'never']) await refused(`money let go ${releaseAt}`, () => held({}, { funds: { releaseAt } }))
  await refused('an end without end', () => held({ ends_at: new Date('9999-01-01T00:00:00Z') }))
  await refused('a beginning in a year', () => held({ effective_at: inDays(365) }))
  await refused('an end of relations tomorrow', () => held({ measure: 'terminate', effective_at: inDays(29) }, date))
  await refused('an end of relations without a date for the balance', () => held({ measure: 'terminate', effective_at: inDays(31) }))
  await held({ measure: 'terminate', effective_at: inDays(30) }, date)
  await held({ measure: 'terminate', code: 'compliance.fraud_found' }, date)
  for (const fog of ['Your system is INCOMPATIBLE.', 'i n c o m p a t i b l e', 'ｉｎｃｏｍｐａｔｉｂｌｅ', 'incom\u200bpatible', '系统不兼容', '系 统 错 误', '兼容性问题', 'System_Error', '不，兼，容', '不/兼/容', 'incom\u3164patible', '系统报错', 'system fault', '接口不支持']) await refused(fog, () => held({}, { facts: [{ text: fog }] }))
  await refused('no facts', () => held({}, { facts: [] }))
  await refused('no way back', () => held({}, { remedy: [] }))
  await refused('another kind in the statement', () => held({}, { measure: { kind: 'warn' } }))
  await refused('another class in the statement', () => held({}, { cause: { class: 'technical', code: 'compliance.identity_unverified', side: 'partner' } }))
  await refused('compliance under a technical name', () => held({ class: 'technical' }))
  await refused('an empty statement', () => held({ statement: {} }))
  await refused('a scope of nothing', () => held({ scope: [] }))
  await refused('an unknown scope', () => held({ scope: ['everything'] }))
  for (const measure of ['forget', 'credit', 'channel', 'restrict_payout', 'throttle', 'limit', 'delist', 'withdraw_offer', 'key_quarantine', 'reprice']) await refused(`${measure} of nothing`, () => held({ measure }))
  await refused('a row of the old form', () => held({ form: 1 }), ['42501'])
})

test('a decision is never edited or deleted, ends once, and not in silence', async () => {
  const docking = await rooms.openDocking()
  const id = await insert(docking)
  for (const [name, sql] of [
    ['an edit of the statement', `update decisions.decisions set statement = '{}'`], ['an edit of the class', `update decisions.decisions set class = 'technical'`], ['a longer end', 'update decisions.decisions set ends_at = null'],
    ['a lift by hand', `update decisions.decisions set lifted_at = now(), lifted_by = 'x'`], ['a deletion', 'delete from decisions.decisions'], ['a truncation', 'truncate decisions.decisions'],
    ['an edit of a run', `update decisions.check_runs set verdict = 'fail'`], ['an edit of what was known', 'update decisions.known set first_known_at = now()'], ['a deletion of what was known', 'delete from decisions.known'],
  ]) await refused(name!, () => app.query(sql!), ['42501'])
  const end = (how: string, by: string | null) => app.query('select decisions.end_measure($1, $2, $3, $4, $5, null) as at', [docking.lane, id, how, by, 'Seen.'])
  await refused('an end by nobody', () => end('person', null))
  await refused('an end for no reason that is known', () => end('whim', 'li'))
  assert.notEqual((await end('person', 'li')).rows[0].at, null)
  assert.equal((await end('person', 'wu')).rows[0].at, null, 'a second end changes nothing')
  assert.equal((await app.query('select lifted_by from decisions.decisions where id = $1', [id])).rows[0].lifted_by, 'li')
})

test('a price for one docking that is dearer than the published one cannot be written without its decision', async () => {
  const docking = await rooms.openDocking()
  const good = await rooms.addGood('SOFT')
  const offer = (price: number, more: Row) => {
    const row: Row = { lane: docking.lane, docking: docking.id, good, race: '', unit_price: price, since: new Date(), ...more }
    return app.query(`insert into terms.offers (${Object.keys(row).join(', ')}) values (${Object.keys(row).map((_, i) => `$${i + 1}`).join(', ')}) on conflict (lane, docking, good, race) do update set unit_price = excluded.unit_price`, Object.values(row))
  }
  await refused('ten times the price', () => offer(95_000_000, { published: 9_500_000 }))
  await refused('ten times the price, in silence', () => offer(95_000_000, {}))
  await refused('with a decision that nobody took', () => offer(95_000_000, { published: 9_500_000, decision: 'dec_nobody' }), ['23503'])
  await refused('a dearer place', () => app.query('update terms.contracts set dearer = true where docking = $1', [docking.id]))
  // Who lies about what is published gets the row in, and nothing for it: orders ask what is published themselves.
  await offer(95_000_000, { published: 95_000_000 })
  await rooms.addCards(good, 2)
  must(await rooms.deposit(docking, '100.00', 'soft'))
  const placed = must(await rooms.place(docking, 'SOFT-1', good))
  assert.equal(placed.order.unitPriceMicro, 9_500_000n)
})
