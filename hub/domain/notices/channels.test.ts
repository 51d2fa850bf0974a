import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { codeOf, must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { readMails } from '../../../test/mails.ts'
import { hold, type StatementDraft } from '../decisions/index.ts'
import { addKey, createOwnKey, endKeyAt, rollKey, type Docking } from '../partners/index.ts'
import { Conditions } from './conditions.ts'
import { addContact, contactsOf, MAIN_SITE_OWNER, replaceContacts, type ContactAsk } from './index.ts'
import { OutageWatch } from './outage.ts'
import type { Channels, Dispatch } from './ports.ts'

const DAY_MS = 86_400_000
const KINDS: ContactAsk['kinds'] = ['decisions', 'keys', 'conditions']
const MAIL: ContactAsk = { channel: 'email', address: 'owner@shop.example', language: 'en', kinds: KINDS }
const SMS: ContactAsk = { channel: 'sms', address: '138 0013 8000', language: 'zh-CN', kinds: KINDS }
const WECOM: ContactAsk = { channel: 'wecom', address: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=ROBOTKEY-1', language: 'zh-CN', kinds: KINDS }
const DINGTALK: ContactAsk = { channel: 'dingtalk', address: 'https://oapi.dingtalk.com/robot/send?access_token=ROBOTKEY2', secret: 'SEC0123456789abcdef', language: 'en', kinds: KINDS }
const ownerOf = (docking: Docking) => ({ lane: docking.lane, docking: docking.id })

function statement(changes: Partial<StatementDraft> = {}): StatementDraft {
  const days = (n: number) => new Date(Date.now() + n * DAY_MS).toISOString()
  return {
    measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: days(0), endsAt: null, liftsWhen: null }, cause: { class: 'compliance', code: 'compliance.identity_unverified', side: 'partner' },
    ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }], facts: [{ text: 'SECRET-FACT of the licence.' }], evidence: [], source: 'own_review',
    automation: { detection: false, decision: 'not', reviewer: 'wang' }, remedy: [{ step: 1, action: { en: 'Send [a licence](https://evil.example) @all.', zh: '请提交执照。' }, who: 'partner', evidenceNeeded: [] }],
    clocks: { respondBy: days(7), decideAppealBy: days(15), reviewAt: days(89) }, appeal: { channel: 'https://hub.example/appeals', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' }, ...changes,
  }
}
const decide = async (rooms: Rooms, docking: Docking, changes: Partial<StatementDraft> = {}) =>
  must(await hold(rooms.db, { id: rooms.ids.make('dec', rooms.clock.nowMs()), lane: docking.lane, docking: docking.id, statement: statement(changes), by: 'wang' }))
const told = async (rooms: Rooms) => (await rooms.owner.query<{ kind: string; subject: string }>('select kind, subject from notices.outbox order by id')).rows.map((row) => [row.kind, row.subject])
const files = (rooms: Rooms) => {
  const folder = join(rooms.dataDir, 'outbox')
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8'))) : []
}

test('a person is reached on every channel, each in its own form, and what is secret stays so', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  for (const ask of [MAIL, SMS, WECOM, DINGTALK]) must(await addContact(rooms.hub.notices.desk, ownerOf(docking), ask, 'operator'))
  assert.deepEqual((await contactsOf(rooms.db, ownerOf(docking))).map(({ channel, masked }) => [channel, masked]), [
    ['email', 'o***@shop.example'], ['sms', '+86138****8000'], ['wecom', 'qyapi.weixin.qq.com ***EY-1'], ['dingtalk', 'oapi.dingtalk.com ***KEY2'],
  ])
  const decision = await decide(rooms, docking)
  await rooms.hub.notices.follow()
  assert.equal(await rooms.hub.notices.send(), 4)
  const [sms, wecom, dingtalk] = ['sms', 'wecom', 'dingtalk'].map((channel) => files(rooms).find((file) => file.channel === channel))
  assert.match(sms.text, /^处理决定：合规 compliance\.identity_unverified http\S+\/n\/[\w-]{22}$/, 'class, code and link, and nothing else')
  assert.equal(sms.to, '+8613800138000')
  assert.match(wecom.markdown, /^\*\*对接“Shop”的处理决定：主体实名未核验\*\*[^]*合规[^]*请提交执照。[^]*\]\(http\S+\/n\/[\w-]{22}\)$/)
  assert.match(dingtalk.markdown, /Send ［a licence］（https:\/\/evil\.example） ＠all\./, 'what a person typed makes no link and calls nobody')
  assert.ok(wecom.markdown.includes(decision.id))
  for (const { markdown, text } of [sms, wecom, dingtalk]) assert.doesNotMatch(`${markdown}${text}`, /SECRET-FACT|wang/)
  const dump = (await rooms.owner.query(`select (select string_agg(c::text, '') from notices.contacts c) || (select string_agg(body, '') from platform.facts) as all`)).rows[0].all as string
  assert.doesNotMatch(dump + JSON.stringify(files(rooms)), /ROBOTKEY|SEC0123/)
})

test('what a channel cannot take is refused in words, and a robot whose secret has changed keeps its place', async (t) => {
  const rooms = await openRooms(t, { NOTICE_ROBOT_ORIGINS: 'https://wecom.corp.example' })
  const docking = await rooms.openDocking()
  const desk = rooms.hub.notices.desk
  const table: [ContactAsk, string][] = [
    [{ ...SMS, address: '12345' }, '/address'], [{ ...WECOM, address: DINGTALK.address }, '/address'], [{ ...WECOM, address: 'https://evil.example/cgi-bin/webhook/send?key=ROBOTKEY-1' }, '/address'],
    [{ ...DINGTALK, secret: undefined }, '/secret'], [{ ...DINGTALK, secret: 'short' }, '/secret'], [{ ...WECOM, secret: DINGTALK.secret }, '/secret'],
  ]
  for (const [ask, path] of table) {
    const refused = await addContact(desk, ownerOf(docking), ask, 'operator')
    assert.equal(refused.ok ? 'accepted' : refused.refusal.because.path, path, JSON.stringify(ask))
    assert.equal(codeOf(await replaceContacts(desk, ownerOf(docking), [ask])), 'protocol.invalid_field')
  }
  assert.equal(codeOf(await addContact(desk, MAIN_SITE_OWNER, { ...SMS, kinds: ['conditions', 'appeals', 'stock'] }, 'operator')), 'accepted')
  assert.equal(codeOf(await addContact(desk, MAIN_SITE_OWNER, { ...SMS, kinds: ['keys'] }, 'operator')), 'protocol.invalid_field')
  assert.equal(codeOf(await addContact(desk, ownerOf(docking), { ...WECOM, address: 'https://wecom.corp.example/cgi-bin/webhook/send?key=ROBOTKEY-1' }, 'operator')), 'accepted')
  const first = must(await addContact(desk, ownerOf(docking), DINGTALK, 'operator'))
  const again = must(await addContact(desk, ownerOf(docking), { ...DINGTALK, secret: 'SECfedcba9876543210' }, 'operator'))
  assert.deepEqual([again.added, again.contact.id], [false, first.contact.id])
  assert.equal((await rooms.owner.query(`select count(*)::int as n from platform.facts where kind = 'contact.changed'`)).rows[0].n, 1)
})

test('over the wire: sent to the robot itself, and tried again when it says no', async (t) => {
  let answer = { errcode: 45009, errmsg: 'api freq out of limit' }
  const came: string[] = []
  const robot = createServer((request, response) => {
    came.push(request.url!)
    request.resume().once('end', () => response.end(JSON.stringify(answer)))
  })
  await new Promise<void>((ready) => robot.listen(0, '127.0.0.1', ready))
  t.after(() => robot.close())
  const origin = `http://127.0.0.1:${(robot.address() as AddressInfo).port}`
  const rooms = await openRooms(t, { NOTICE_WIRE: 'wecom', NOTICE_ROBOT_ORIGINS: origin, OUTBOUND_PRIVATE: 'yes' })
  const docking = await rooms.openDocking()
  must(await addContact(rooms.hub.notices.desk, ownerOf(docking), { ...WECOM, address: `${origin}/cgi-bin/webhook/send?key=ROBOTKEY-1` }, 'operator'))
  await decide(rooms, docking)
  await rooms.hub.notices.follow()
  await rooms.hub.notices.send()
  const [waiting] = await rooms.hub.notices.list(null, null, 10)
  assert.deepEqual([waiting!.state, waiting!.channel, waiting!.lastError], ['waiting', 'wecom', 'not_accepted the robot answered errcode 45009: api freq out of limit'])
  answer = { errcode: 0, errmsg: 'ok' }
  await rooms.owner.query('update notices.outbox set next_at = now()')
  await rooms.hub.notices.send()
  assert.deepEqual([(await rooms.hub.notices.list(null, 'sent', 10)).length, came], [1, ['/cgi-bin/webhook/send?key=ROBOTKEY-1', '/cgi-bin/webhook/send?key=ROBOTKEY-1']])
  assert.deepEqual(files(rooms), [])
})

test('a key is told to end in time, once for each of 14, 3 and 1 days, and at once when somebody ended it', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  must(await addContact(rooms.hub.notices.desk, ownerOf(docking), { ...MAIL, kinds: ['keys'] }, 'operator'))
  const add = async () => {
    const id = rooms.ids.make('key', rooms.clock.nowMs())
    must(await addKey(rooms.db, rooms.vault, { id, docking, kind: 'bearer', publicKeyPem: null, scopes: ['docking:read'] }))
    return id
  }
  const [ending, later, revoked] = [await add(), await add(), await add()]
  must(await endKeyAt(rooms.db, ending, new Date(Date.now() + 10 * DAY_MS)))
  must(await endKeyAt(rooms.db, later, new Date(Date.now() + 20 * DAY_MS)))
  must(await endKeyAt(rooms.db, revoked, null))
  const look = async () => {
    await rooms.hub.notices.follow()
    await rooms.hub.notices.lookAhead()
    return told(rooms)
  }
  assert.deepEqual(await look(), [['key_revoked', revoked], ['key_ending', ending]])
  assert.equal((await look()).length, 2, 'once a threshold')
  await rooms.owner.query(`update partners.keys set expires_at = expires_at - interval '8 days' where id = $1`, [ending])
  assert.equal((await look()).length, 3)
  const asker = { docking, key: { id: docking.credentials.keyId!, scopes: ['docking:read', 'keys:write'] }, idempotencyKey: null, onlyReplay: null }
  const made = must(await createOwnKey(rooms.db, rooms.vault, asker, { id: rooms.ids.make('key', rooms.clock.nowMs()), kind: 'ed25519', publicKeyPem: PEM, scopes: ['docking:read'] }))
  must(await rollKey(rooms.db, rooms.vault, asker, { id: rooms.ids.make('key', rooms.clock.nowMs()), old: made.key.id, overlapMs: 0, publicKeyPem: PEM_2 }))
  assert.deepEqual((await look()).at(-1), ['key_revoked', made.key.id], 'a roll without an overlap ends the old key too')
  await decide(rooms, docking, { measure: { ...statement().measure, scope: ['key'] } })
  await decide(rooms, docking)
  assert.deepEqual((await look()).slice(4).map(([kind]) => kind), ['decision_taken'], 'a decision that holds keys is a matter of keys; another one is not')
  await rooms.hub.notices.send()
  const mails = readMails(rooms.dataDir)
  assert.ok(mails.some(({ subject }) => subject === `A key of Shop ends within 2 days: ${ending}`), mails.map(({ subject }) => subject).join('\n'))
  const page = await rooms.hub.notices.open(mails.find(({ subject }) => subject.includes('was revoked'))!.token, 'zh-CN')
  assert.match(page!.head, /密钥已吊销[^]*若不是您的操作，请立即联系主站运营人员/)
})
const PEM = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=\n-----END PUBLIC KEY-----\n'
const PEM_2 = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n'

test('a condition is told when it has lasted for minutes, once an hour, and never when it passed', () => {
  const conditions = new Conditions()
  const owner = { lane: 1, docking: 'dck_1' }
  const meet = (fromS: number, toS: number, code = 'platform.rate_limited') => {
    for (let s = fromS; s <= toS; s += 10) conditions.meet(owner, code, s * 1_000)
  }
  meet(0, 170)
  assert.deepEqual(conditions.lasting(170_000), [], 'not yet three minutes')
  meet(180, 200)
  const [event] = conditions.lasting(201_000)
  assert.deepEqual([event!.kind, event!.subject, event!.wanted, JSON.parse(event!.body)], ['condition_lasting', 'dck_1', ['conditions'], { code: 'platform.rate_limited', since: '1970-01-01T00:00:00.000Z', until: '1970-01-01T00:03:20.000Z', count: 21 }])
  meet(210, 3_700)
  assert.deepEqual(conditions.lasting(3_700_000), [], 'once an hour')
  meet(3_710, 3_900)
  assert.equal(conditions.lasting(3_900_000).length, 1)
  meet(3_910, 3_910, 'platform.too_many_in_flight')
  meet(4_100, 4_100, 'platform.too_many_in_flight')
  assert.deepEqual(conditions.lasting(4_100_000), [], 'two that lie apart do not last')
  for (let i = 0; i < 6_000; i++) conditions.meet({ lane: 1, docking: `d${i}` }, 'platform.rate_limited', 4_100_000)
})

test('the people of a docking hear of a limit that lasts, and read on the page what it is', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  must(await addContact(rooms.hub.notices.desk, ownerOf(docking), { ...MAIL, kinds: ['conditions'] }, 'operator'))
  for (let s = 0; s <= 190; s += 10) rooms.hub.notices.meet(ownerOf(docking), 'platform.rate_limited', Date.now() - 190_000 + s * 1_000)
  await rooms.hub.notices.round()
  const [mail] = readMails(rooms.dataDir)
  assert.equal(mail!.subject, 'Shop keeps meeting this: Too many requests in this time')
  assert.match((await rooms.hub.notices.open(mail!.token, null))!.body, /platform\.rate_limited[^]*Times<\/dt><dd>20</)
})

test('an outage of the database is told to the main site past the database, once, and so is its end', async (t) => {
  const rooms = await openRooms(t)
  must(await addContact(rooms.hub.notices.desk, MAIN_SITE_OWNER, { ...MAIL, kinds: ['conditions'] }, 'operator'))
  must(await addContact(rooms.hub.notices.desk, MAIN_SITE_OWNER, { ...SMS, kinds: ['stock'] }, 'operator'))
  const sent: Dispatch[] = []
  let fails = true
  const port = { send: async (dispatch: Dispatch) => { if (fails) throw new Error('no'); sent.push(dispatch) } }
  const channels: Channels = { email: port, sms: port, wecom: port, dingtalk: port, sweep: async () => {} }
  const watch = new OutageWatch({ db: rooms.db, vault: rooms.vault, channels, log: rooms.hub.log, publicUrl: () => 'https://hub.example' })
  await watch.healthy(0)
  await watch.away(1_000)
  await watch.away(120_000)
  assert.equal(sent.length, 0, 'a database that restarts is nobody\'s news')
  await watch.away(122_000)
  fails = false
  for (const ms of [123_000, 124_000]) await watch.away(ms)
  assert.deepEqual(sent.map(({ to, subject }) => [to, subject]), [['owner@shop.example', 'The database of the main site cannot be reached']])
  assert.match((sent as readonly Dispatch[])[0]!.text, /platform\.storage_unavailable[^]*https:\/\/hub\.example\/readyz/)
  await watch.healthy(200_000)
  assert.deepEqual(sent.map(({ subject }) => subject).slice(1), ['The database of the main site is back'])
})
