import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reasonCodes, reasonOf } from '../../../protocol/reasons.ts'
import type { RuleText } from '../rulebook/index.ts'
import { isFog } from './fog.ts'
import { admit, place, type Records } from './honesty.ts'
import type { CheckRun, Earlier, StatementDraft } from './model.ts'
import { hollow } from './rules.ts'
import { complete, hashOfFact } from './wording.ts'

const AT = new Date('2026-11-22T08:00:00Z')
const DAY_MS = 86_400_000
const at = (days: number) => new Date(AT.getTime() + days * DAY_MS)
const days = (n: number) => at(n).toISOString()
const HASH = 'a'.repeat(64)

const rule = (id: string, ageDays: number, more: Partial<RuleText> = {}): RuleText => ({
  id, kind: 'rule', slug: id, version: 1, title: { zh: '', en: '' }, text: { zh: '', en: '' }, sha256: HASH, resalePrice: false, legalBasis: null, relief: null, supersedes: null,
  publishedBy: 'wang', publishedAt: at(-ageDays), effectiveAt: at(7 - ageDays), ...more,
})
const run = (id: string, more: Partial<CheckRun> = {}): CheckRun => ({
  lane: 0, id, docking: 'dck_a', check: 'partners.key_leaked', version: '1', inputHash: HASH, verdict: 'fail', code: 'partners.key_leaked', side: 'partner', reproducible: true, result: {}, sha256: HASH, ranBy: 'wang', ranAt: at(-0.5), ...more,
})
const RECORDS: Records = {
  texts: [
    rule('rul_old', 8), rule('rul_young', 6.999), rule('rul_announced', 8, { effectiveAt: at(1) }), rule('rul_relief', 1, { relief: 'Better for all.', effectiveAt: at(-1) }),
    rule('rul_resale', 8, { resalePrice: true }), rule('rul_lawful', 8, { resalePrice: true, legalBasis: '反垄断法 第二十条' }), rule('rul_template', 8, { kind: 'contract_template' }),
  ],
  contracts: [{ lane: 0, id: 'ctr_a', docking: 'dck_a', text: 'rul_template', sha256: HASH, signedAt: at(-1), signedBy: 'x', recordedBy: 'y', recordedAt: at(-1) }],
  runs: [run('chk_red'), run('chk_green', { verdict: 'pass', code: null }), run('chk_old', { ranAt: at(-1.01) }), run('chk_other', { code: 'ledger.insufficient_funds' }), run('chk_secret', { reproducible: false }), run('chk_hub', { reproducible: false, side: 'hub' })],
}

const LAW = { type: 'law' as const, ref: '电子商务法', article: '第二十七条' }
const rests = (ref: string) => ({ code: 'terms.published_rule_breach' as const, ground: [{ type: 'published_rule' as const, ref, article: '3.2' }] })
const shows = (id: string) => ({ code: 'partners.key_leaked' as const, ground: [], evidence: [{ id, kind: 'check_run' as const, sha256: HASH, disclosure: 'full' as const }], measure: { liftsWhen: { check: 'partners.key_leaked', inputHash: HASH } } })

type Changes = { code?: StatementDraft['cause']['code']; class?: StatementDraft['cause']['class'] } & Partial<Omit<StatementDraft, 'cause' | 'measure'>> & { measure?: Partial<StatementDraft['measure']> }

function statement({ code = 'compliance.identity_unverified', class: claimed, measure, ...changes }: Changes = {}) {
  return complete({
    measure: { kind: 'suspend', scope: ['orders'], effectiveAt: AT.toISOString(), ...measure }, cause: { class: claimed ?? reasonOf(code).class, code, side: 'partner' },
    ground: [LAW], facts: [{ text: 'The business licence that was sent has expired.' }], evidence: [], source: 'own_review', automation: { detection: false, decision: 'not', reviewer: 'wang' },
    remedy: [{ step: 1, action: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' }, who: 'partner', evidenceNeeded: [] }],
    clocks: { respondBy: days(7), decideAppealBy: days(15), reviewAt: days(90) },
    appeal: { channel: 'https://hub.example/appeals', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' }, ...changes,
  }, { docking: 'dck_a', at: AT })
}

function missing(changes: Changes): string {
  const admitted = admit(statement(changes), RECORDS, AT)
  if (admitted.ok) return 'admitted'
  return admitted.refusal.code === 'decisions.statement_incomplete' ? (admitted.refusal.because.missing as string[]).join(' + ') : admitted.refusal.code
}

const NO_RULE = 'ground: a contract, or a rule published at least 7 days ago'
const NO_RED = 'a check of this docking that failed within 24 hours for this very code'
const FOG = 'plain words instead of "incompatible" or "system error"'

test('an honest statement of each class is admitted', () => {
  const warn = { kind: 'warn' as const }
  for (const honest of [{}, rests('rul_old'), rests('rul_lawful'), { ...rests('rul_resale'), measure: warn }, { code: 'terms.contract_breach' as const, ground: [{ type: 'contract' as const, ref: 'ctr_a', article: '7.2' }] }, shows('chk_red'), shows('chk_hub'), { ...shows('chk_old'), measure: { ...warn, ...shows('').measure }, supersedes: 'dec_1' }]) {
    assert.equal(missing(honest), 'admitted', JSON.stringify(honest))
  }
})

test('whoever cheats is told what is missing', () => {
  const table: [string, Changes, string][] = [
    ['a technical claim without a red check', { ...shows('chk_red'), evidence: [] }, 'evidence of a red check'],
    ['a technical claim with a mere file', { ...shows('chk_red'), evidence: [{ id: 'chk_red', kind: 'file', sha256: HASH, disclosure: 'full' }] }, 'evidence of a red check'],
    ['a run that nobody made', shows('chk_made_up'), 'evidence of a red check'],
    ['a run with another hash', { ...shows('chk_red'), evidence: [{ id: 'chk_red', kind: 'check_run', sha256: 'b'.repeat(64), disclosure: 'full' }] }, 'evidence of a red check'],
    ['a green run', shows('chk_green'), NO_RED],
    ['a red run of the day before', shows('chk_old'), NO_RED],
    ['a red run about something else', shows('chk_other'), NO_RED],
    ['an old red run for a first warning', { ...shows('chk_old'), measure: { kind: 'warn' } }, NO_RED],
    ['a check that the partner cannot run', shows('chk_secret'), 'a check that the partner can repeat'],
    ['a technical measure that something else lifts', { ...shows('chk_red'), measure: { liftsWhen: { check: 'ledger.funds' } } }, 'liftsWhen: the check that failed'],
    ['a technical measure that looks at another secret', { ...shows('chk_red'), measure: { liftsWhen: { check: 'partners.key_leaked', inputHash: 'b'.repeat(64) } } }, 'liftsWhen: the check that failed'],
    ['a technical measure that a promise lifts', { ...shows('chk_red'), measure: { liftsWhen: 'When we like.' } }, 'liftsWhen: the check that failed'],
    ['an end of relations for a technical cause', { ...shows('chk_red'), measure: { kind: 'terminate', ...shows('').measure }, funds: { held: '0', releaseAt: days(40), ordersInFlight: 'finish' } }, 'a measure that ends when the check is green: nothing technical ends a relation'],
    ['a fact of years to come', { facts: [{ text: 'The shop sold below the floor.', period: { from: days(-40), to: '2099-01-01T00:00:00.000Z' } }] }, 'facts whose period is over'],
    ['a commercial claim with a law only', { ...rests('rul_old'), ground: [LAW] }, NO_RULE],
    ['a rule a second too young', rests('rul_young'), NO_RULE],
    ['a rule that does not count yet', rests('rul_announced'), NO_RULE],
    ['a relief of yesterday', rests('rul_relief'), NO_RULE],
    ['a rule of nobody', rests('rul_made_up'), NO_RULE],
    ['a rule without a paragraph', { ...rests('rul_old'), ground: [{ type: 'published_rule', ref: 'rul_old', article: ' ' }] }, NO_RULE],
    ['a template that nobody signed', rests('rul_template'), NO_RULE],
    ['a contract of somebody else', { ...rests('rul_old'), ground: [{ type: 'contract', ref: 'ctr_b', article: '7.2' }] }, NO_RULE],
    ['a least resale price without a law', rests('rul_resale'), 'a legal basis for a rule with a least resale price'],
    ['compliance without a ground', { ground: [] }, 'ground: an article'],
    ['compliance with a law but no article', { ground: [{ ...LAW, article: '' }] }, 'ground: an article'],
    ['compliance with an article of nothing', { ground: [{ ...LAW, ref: '  ' }] }, 'ground: an article'],
    ['compliance dressed as technical', { ...shows('chk_red'), code: 'compliance.identity_unverified', class: 'technical', ground: [LAW] }, `class compliance for compliance.identity_unverified + ${NO_RED}`],
    ['technical dressed as commercial', { ...rests('rul_old'), code: 'partners.key_leaked', class: 'commercial' }, 'class technical for partners.key_leaked'],
    ['no facts', { facts: [] }, 'facts of at least 5 characters each'], ['facts that say nothing', { facts: [{ text: 'bad' }] }, 'facts of at least 5 characters each'], ['facts of blanks', { facts: [{ text: ' '.repeat(40) }] }, 'facts of at least 5 characters each'],
    ['no way back', { remedy: [] }, 'remedy'],
    ['evidence kept back without saying why', { evidence: [{ id: 'x', kind: 'file', sha256: HASH, disclosure: 'withheld_detection' }] }, 'a ground for each piece of evidence that is not told in full'],
    ['funds held for ever', { measure: { scope: ['orders', 'funds'] } }, 'funds.releaseAt'],
    ['an end of relations whose balance has no date', { code: 'compliance.fraud_found', measure: { kind: 'terminate' } }, 'funds.releaseAt'],
    ['an end of relations tomorrow', { measure: { kind: 'terminate', effectiveAt: days(29) }, funds: { held: '0', releaseAt: days(40), ordersInFlight: 'finish' } }, '30 days of notice before a termination'],
    ['an end in eight thousand years', { measure: { endsAt: '9999-01-01T00:00:00.000Z' } }, 'endsAt within 365 days'],
    ['an answer within eight thousand years', { clocks: { respondBy: '9998-01-01T00:00:00.000Z', decideAppealBy: days(15), reviewAt: days(90) } }, 'respondBy within 90 days'],
    ['money let go in eight thousand years', { funds: { held: 'all', releaseAt: '9999-01-01T00:00:00.000Z', ordersInFlight: 'finish' } }, 'funds.releaseAt within 180 days'],
    ['a beginning in a year', { measure: { effectiveAt: days(365) } }, 'effectiveAt within 180 days'],
    ['no review', { clocks: { respondBy: days(7), decideAppealBy: days(15), reviewAt: days(91) } }, 'a review within 90 days'],
    ['a measure of no scope', { measure: { scope: [] } }, 'scope'],
    ['a code that no decision may give', { code: 'catalogue.out_of_stock' }, 'protocol.invalid_field'],
    ['everything at once', { ground: [], facts: [], remedy: [], measure: { scope: ['funds'] } }, 'facts of at least 5 characters each + remedy + ground: an article + funds.releaseAt'],
  ]
  for (const [name, changes, answer] of table) assert.equal(missing(changes), answer, name)
  for (const code of reasonCodes.filter((code) => reasonOf(code).kind !== 'measure')) assert.equal(missing({ code }), 'protocol.invalid_field', code)
  assert.equal(missing({ code: 'compliance.fraud_found', measure: { kind: 'terminate' }, funds: { held: '0', releaseAt: days(40), ordersInFlight: 'finish' } }), 'admitted', 'fraud cannot wait')
})

test('fog is seen in every text, however it is spaced, widened or spelled', () => {
  const fogs = [
    'Your system is Incompatible with ours.', 'i n c o m p a t i b l e', 'incom​patible', 'ｉｎｃｏｍｐａｔｉｂｌｅ', 'іnсоmраtіblе', 'in-com-pat-i-ble', 'SYSTEM   ERROR', 'System_Error 5', '系统不兼容，请等待。', '系 统 不 兼 容', '系统·错误', '系統錯誤', '兼容性问题', 'í́ncompatible',
    '不，兼，容', '不/兼/容', 'system，error', 'incompat1ble', 'ıncompatıble', 'incømpatible', '🅘ncompatible', 'incom\u3164patible', 'incom\u115fpatible', '不蒹容', '系统报错', '系统故障', '系统繁忙', '系統問題', 'system fault', '不匹配。', '接口不支持', '接口不匹配',
  ]
  for (const fog of fogs) {
    assert.equal(isFog(fog), true, fog)
    for (const changes of [
      { facts: [{ text: fog }] }, { remedy: [{ step: 1, action: { en: 'Wait.', zh: fog }, who: 'hub' as const, evidenceNeeded: [] }] }, { ground: [{ ...LAW, quote: fog }] }, { measure: { liftsWhen: fog } },
      { facts: [{ text: 'The turnover fell.', metrics: [{ name: fog, value: '1', threshold: '2', unit: 'yuan', query: 'x' }] }] },
    ]) assert.match(missing(changes), new RegExp(FOG.slice(0, 11)), fog)
  }
  for (const plain of ['The business licence has expired.', '系统对接测试未通过：签名算法为 MD5。', 'The error rate of the system was 4 %.', '营业执照上的名称与收款账户不匹配。', 'Order 4051 of 7 July was never paid.']) assert.equal(isFog(plain), false, plain)
  const between = fc.constantFrom('', ' ', '  ', '​', '-', '.', ' ')
  fc.assert(fc.property(fc.array(between, { minLength: 12, maxLength: 12 }), fc.constantFrom('incompatible', 'system error'), fc.boolean(), (gaps, word, upper) => {
    const spelled = [...word].map((letter, i) => letter + gaps[i % 12]).join('')
    assert.equal(isFog(upper ? spelled.toUpperCase() : spelled), true)
  }))
})

test('a measure that would hold nothing is refused in words, each kind for its own reason', () => {
  const said = (measure: Partial<StatementDraft['measure']>) => hollow(statement({ measure }).measure, 100)
  for (const kind of ['restrict_payout', 'credit', 'channel', 'delist', 'withdraw_offer', 'key_quarantine', 'throttle', 'limit', 'reprice', 'level'] as const) assert.notEqual(said({ kind }), null, kind)
  for (const kind of ['warn', 'suspend', 'refuse', 'terminate'] as const) assert.equal(said({ kind }), null, kind)
  assert.equal(said({ kind: 'throttle', allows: { requestsPerSecond: 100 } }), 'it names no rate below the published one')
  assert.equal(said({ kind: 'throttle', allows: { requestsPerSecond: 99 } }), null)
})

const STORED = 'c'.repeat(64)
const FIRST: Earlier = { id: 'dec_1', class: 'technical', decidedAt: at(-10), endedAt: at(-9) }

/** Where a commercial statement stands after a technical one. */
function hop(changes: Changes, known: [string, Date][], earlier: readonly Earlier[] = [FIRST]): string {
  const one = statement({ ...rests('rul_old'), ...changes })
  const hashes = one.facts.map((fact) => hashOfFact(fact.text))
  const map = new Map([...hashes.map((hash) => [hash, AT] as const), ...one.evidence.map((piece) => [piece.sha256, AT] as const), ...known].map(([hash, at]) => [hash, { at, source: hash === STORED ? 'file' as const : null }]))
  const placed = place(one, earlier, hashes, map, RECORDS.runs, AT)
  return placed.ok ? 'placed' : placed.refusal.code
}

test('nobody hops to another class over what was known before: only news, the same class, or the law may follow', () => {
  const fact = { text: 'The shop sold below the floor in October.' }
  const file = { id: 'f', kind: 'file' as const, sha256: STORED, disclosure: 'full' as const }
  assert.equal(hop({ facts: [fact] }, []), 'decisions.known_before', 'a fact without a period is no news')
  assert.equal(hop({ facts: [{ ...fact, period: { from: days(-40), to: days(-11) } }] }, []), 'decisions.known_before', 'it was over before the first statement')
  assert.equal(hop({ facts: [{ ...fact, period: { from: days(-11), to: days(-2) } }] }, []), 'placed', 'it went on after it')
  assert.equal(hop({ facts: [{ ...fact, period: { from: days(-11), to: days(-2) } }] }, [[hashOfFact(fact.text), at(-20)]]), 'decisions.known_before', 'the same words stood in an older statement')
  assert.equal(hop({ facts: [{ text: 'THE SHOP  sold below the floor, in October', period: { from: days(-11), to: days(-2) } }] }, [[hashOfFact(fact.text), at(-20)]]), 'decisions.known_before', 'and in other spacing')
  assert.equal(hop({ facts: [fact], evidence: [file] }, [[file.sha256, at(-11)]]), 'decisions.known_before', 'the file was on the table')
  assert.equal(hop({ facts: [fact], evidence: [file] }, [[file.sha256, at(-3)]]), 'placed', 'the hub got this file afterwards')
  assert.equal(hop({ facts: [fact], evidence: [{ ...file, sha256: 'd'.repeat(64) }] }, [['d'.repeat(64), at(-3)]]), 'decisions.known_before', 'anybody can send a hash')
  assert.equal(hop({ facts: [fact], evidence: [{ ...file, kind: 'check_run', id: 'chk_red', sha256: HASH }] }, [[HASH, at(-3)]]), 'decisions.known_before', 'a run about something else')
  const LEAK = { ...shows('chk_red'), facts: [fact] }
  assert.equal(hop(LEAK, [[HASH, at(-3)]], [{ ...FIRST, class: 'commercial' }]), 'placed', 'a red run for this very code')
  assert.equal(hop({ facts: [fact], ground: [...rests('rul_old').ground, { type: 'law', ref: 'x', article: 'y' }] }, []), 'decisions.known_before', 'a law makes nothing commercial new')
  assert.equal(hop({ facts: [fact], code: 'compliance.identity_unverified', ground: [{ type: 'authority_order', ref: 'Order 7', article: '1' }] }, []), 'placed', 'an order of an authority may always be told')
  assert.equal(hop({ facts: [fact] }, [], [{ ...FIRST, class: 'commercial' }]), 'placed')
  assert.equal(hop({ facts: [fact] }, [], [{ ...FIRST, decidedAt: at(-91) }]), 'placed', 'what ended long ago binds nobody')
  assert.equal(hop({ facts: [fact] }, [], [{ ...FIRST, decidedAt: at(-91), endedAt: null }]), 'decisions.known_before', 'unless it still stands')
  assert.equal(hop({ facts: [fact] }, [], [{ ...FIRST, class: 'commercial' }, { ...FIRST, id: 'dec_0', decidedAt: at(-20) }]), 'decisions.known_before', 'nor over one that stands behind another')
})
