import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { Client } from 'pg'
import { codeOf, must, openRooms } from '../../../test/house/rooms.ts'
import { comment, commentsOn, contractsOf, hashedForm, inForce, mayGround, publish, recordContract, versionsOf, type PublishAsk } from './index.ts'

const DAY_MS = 86_400_000
const rooms = await openRooms({ after })
const id = (prefix: 'rul' | 'cmt' | 'ctr') => rooms.ids.make(prefix, rooms.clock.nowMs())
const RULE: PublishAsk = {
  kind: 'rule', slug: 'fair-supply', title: { zh: '公平供货规则', en: 'Fair supply' }, text: { zh: '同类对接同等供货。', en: 'Like dockings are supplied alike.' },
  resalePrice: false, legalBasis: null, relief: null, effectiveAt: null,
}
const put = (changes: Partial<PublishAsk> = {}) => publish(rooms.db, { id: id('rul'), ask: { ...RULE, ...changes }, by: 'wang' })

test('a text counts seven days after it was published, the first version too; a shorter notice is refused with the earliest time', async () => {
  const first = must(await put())
  assert.equal(first.effectiveAt.getTime() - first.publishedAt.getTime(), 7 * DAY_MS)
  assert.equal(first.sha256, createHash('sha256').update(hashedForm(first)).digest('hex'), 'anybody who has the text can make its hash')
  assert.equal(codeOf(await put({ effectiveAt: new Date(Date.now() + 6 * DAY_MS) })), 'rulebook.notice_too_short')
  const second = must(await put({ text: { zh: '改。', en: 'Changed.' }, effectiveAt: new Date(Date.now() + 10 * DAY_MS) }))
  assert.deepEqual([second.version, second.supersedes], [2, first.id])
  assert.notEqual(second.sha256, first.sha256)
  assert.equal(codeOf(await put({ kind: 'guide' })), 'protocol.invalid_field', 'a name keeps its kind')
  const versions = await versionsOf(rooms.db, 'fair-supply')
  assert.equal(inForce(versions, new Date()), null)
  assert.equal(inForce(versions, new Date(Date.now() + 8 * DAY_MS))!.id, first.id)
  assert.equal(inForce(versions, new Date(Date.now() + 11 * DAY_MS))!.id, second.id)
})

test('a relief counts at once with its reason, and yet grounds nothing before seven days; a first version is none', async () => {
  assert.equal(codeOf(await put({ slug: 'relief', relief: 'The fee falls for everybody.' })), 'protocol.invalid_field')
  must(await put({ slug: 'relief' }))
  const relief = must(await put({ slug: 'relief', relief: 'The fee falls for everybody.' }))
  assert.ok(relief.effectiveAt.getTime() === relief.publishedAt.getTime())
  const days = (n: number) => new Date(relief.publishedAt.getTime() + n * DAY_MS)
  assert.deepEqual([mayGround(relief, days(0)), mayGround(relief, days(6.99)), mayGround(relief, days(7))], [false, false, true])
})

test('dockings and the public comment until the text counts, and so many a day', async () => {
  const docking = await rooms.openDocking()
  must(await put({ slug: 'commented' }))
  const open = must(await put({ slug: 'commented' }))
  const closed = must(await put({ slug: 'commented', relief: 'Better for everybody.' }))
  const say = (text: string, who: typeof docking | null) => comment(rooms.db, { id: id('cmt'), text, docking: who, body: 'Seven days are few. 七天太短。' })
  must(await say(open.id, docking))
  must(await say(open.id, null))
  assert.deepEqual((await commentsOn(rooms.db, open.id, '', 10)).map((one) => one.docking), [docking.id, null])
  assert.equal(codeOf(await say(closed.id, docking)), 'rulebook.comments_closed')
  assert.equal(codeOf(await say('rul_nobody', docking)), 'rulebook.text_not_found')
  for (let i = 1; i < 20; i++) must(await say(open.id, docking))
  assert.equal(codeOf(await say(open.id, docking)), 'platform.rate_limited')
})

test('a contract names the version that was signed and its hash; a record is made once', async () => {
  const docking = await rooms.openDocking()
  const template = must(await put({ slug: 'master', kind: 'contract_template' }))
  const rule = must(await put({ slug: 'no-contract' }))
  const sign = (text: string, signedAt: Date) => recordContract(rooms.db, { id: id('ctr'), docking, text, signedAt, signedBy: '王小明', by: 'li' })
  assert.equal(codeOf(await sign(rule.id, new Date())), 'protocol.invalid_field')
  assert.equal(codeOf(await sign(template.id, new Date(Date.now() - DAY_MS))), 'protocol.invalid_field', 'nobody signs what is not written yet')
  assert.equal(codeOf(await sign(template.id, new Date(Date.now() + DAY_MS))), 'protocol.invalid_field')
  const made = must(await sign(template.id, new Date()))
  assert.equal(must(await sign(template.id, new Date())).id, made.id)
  assert.deepEqual((await contractsOf(rooms.db, docking)).map((one) => [one.id, one.sha256]), [[made.id, template.sha256]])
  const facts = await rooms.owner.query('select kind from platform.facts where docking = $1 and kind = $2', [docking.id, 'contract.signed'])
  assert.equal(facts.rowCount, 1)
})

test('the database keeps the times and the texts against whoever writes past the rules', async (t) => {
  const template = must(await put({ slug: 'kept', kind: 'contract_template' }))
  const docking = await rooms.openDocking()
  const app = new Client({ connectionString: rooms.database.appUrl })
  await app.connect()
  t.after(() => app.end())
  let n = 0
  const insert = (changes: Record<string, unknown> = {}) => {
    const row = {
      id: `rul_sql_${++n}`, kind: 'rule', slug: `sql-${n}`, version: 1, title_zh: '规则', title_en: 'Rule', text_zh: '文', text_en: 'Text', sha256: 'a'.repeat(64), resale_price: false,
      published_by: 'somebody', effective_at: new Date(Date.now() + 8 * DAY_MS), ...changes,
    }
    return app.query(`insert into rulebook.texts (${Object.keys(row).join(', ')}) values (${Object.keys(row).map((_, i) => `$${i + 1}`).join(', ')})`, Object.values(row))
  }
  await insert()
  const contract = (sha256: string, text: string) => app.query('insert into rulebook.contracts (lane, id, docking, text, sha256, signed_at, signed_by, recorded_by) values ($1, $2, $3, $4, $5, now(), $6, $7)', [docking.lane, `ctr_${++n}`, docking.id, text, sha256, 'x', 'y'])
  await contract(template.sha256, template.id)
  const cheats: [string, () => Promise<unknown>][] = [
    ['a rule that counts tomorrow', () => insert({ effective_at: new Date(Date.now() + DAY_MS) })],
    ['a rule that was published last month', () => insert({ published_at: new Date(Date.now() - 30 * DAY_MS) })],
    ['a rule that counted before it was published', () => insert({ effective_at: new Date(Date.now() - DAY_MS), relief: 'Because.' })],
    ['a relief without a reason', () => insert({ effective_at: new Date(Date.now() + DAY_MS), relief: ' ' })],
    ['a rule without its Chinese', () => insert({ text_zh: ' ' })],
    ['a hash that is none', () => insert({ sha256: 'x' })],
    ['a least resale price that says it has a basis', () => insert({ resale_price: true, bare_resale: false })],
    ['an edit of the text', () => app.query(`update rulebook.texts set text_en = 'Other.'`)],
    ['an edit of the time', () => app.query('update rulebook.texts set effective_at = now()')],
    ['a deletion', () => app.query('delete from rulebook.texts')],
    ['a comment after the time', () => app.query(`insert into rulebook.comments (id, text, text_effective_at, body) values ('cmt_1', $1, now() - interval '1 day', 'x')`, [template.id])],
    ['a contract over another text', () => contract('b'.repeat(64), template.id)],
    ['a contract over a rule', () => contract('a'.repeat(64), 'rul_sql_1')],
    ['an edit of a contract', () => app.query('update rulebook.contracts set signed_at = now()')],
  ]
  for (const [name, cheat] of cheats) {
    const refused = await cheat().then(() => 'it passed', (error: { code?: string }) => error.code)
    assert.ok(['23514', '42501', '23503', '428C9', '23505'].includes(refused!), `${name}: ${refused}`)
  }
})
