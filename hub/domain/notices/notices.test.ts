import assert from 'node:assert/strict'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { readMails } from '../../../test/mails.ts'
import type { Outcome } from '../../../protocol/outcome.ts'
import { underLanes } from '../../platform/facts.ts'
import { approveDraft, draftDecision, hold, lift, type StatementDraft } from '../decisions/index.ts'
import type { Docking } from '../partners/index.ts'
import { addContact, contactsOf, MAIN_SITE_OWNER, removeContact, replaceContacts, setWatch, type ContactAsk, type Desk } from './index.ts'

const DAY_MS = 86_400_000
const days = (n: number) => new Date(Date.now() + n * DAY_MS).toISOString()
const OWNER: ContactAsk = { channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions', 'funds', 'stock'] }
const deskOf = (rooms: Rooms): Desk => rooms.hub.notices.desk
const ownerOf = (docking: Docking) => ({ lane: docking.lane, docking: docking.id })

function statement(changes: Partial<StatementDraft> = {}): StatementDraft {
  return {
    measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: days(0), endsAt: null, liftsWhen: 'The licence is verified.' },
    cause: { class: 'compliance', code: 'compliance.identity_unverified', side: 'partner' },
    ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }], facts: [{ text: 'The business licence that was sent has expired.' }], evidence: [], source: 'own_review',
    automation: { detection: false, decision: 'not', reviewer: 'wang' },
    remedy: [{ step: 1, action: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' }, who: 'partner', evidenceNeeded: [] }],
    clocks: { respondBy: days(7), decideAppealBy: days(15), reviewAt: days(89) },
    appeal: { channel: 'https://hub.example/appeals', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' }, ...changes,
  }
}
const decide = async (rooms: Rooms, docking: Docking, changes: Partial<StatementDraft> = {}) =>
  must(await hold(rooms.db, { id: rooms.ids.make('dec', rooms.clock.nowMs()), lane: docking.lane, docking: docking.id, statement: statement(changes), by: 'wang' }))
const kindsTold = async (rooms: Rooms) => (await rooms.owner.query<{ kind: string }>('select kind from notices.outbox order by id')).rows.map((row) => row.kind)
async function round(rooms: Rooms): Promise<string[]> {
  await rooms.hub.notices.follow()
  await rooms.hub.notices.send()
  return kindsTold(rooms)
}

test('a decision, its change and its lift are told once each, in the language of the contact, and to nobody else', async (t) => {
  const rooms = await openRooms(t)
  const [docking, other] = [await rooms.openDocking(), await rooms.openDocking()]
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  must(await addContact(deskOf(rooms), ownerOf(docking), { ...OWNER, address: 'dev@shop.example', language: 'en' }, 'operator'))
  must(await addContact(deskOf(rooms), ownerOf(docking), { ...OWNER, address: 'till@shop.example', kinds: ['funds'] }, 'operator'))
  must(await addContact(deskOf(rooms), ownerOf(other), { ...OWNER, address: 'other@shop.example' }, 'operator'))
  const decision = await decide(rooms, docking)
  assert.deepEqual(await round(rooms), ['decision_taken', 'decision_taken'])
  await rooms.db.transaction((connection) => underLanes(connection, [docking.lane], async ({ append }) => {
    append({ lane: docking.lane, docking: docking.id, kind: 'decision.changed', subject: decision.id, code: null, body: '{}' })
  }))
  must(await lift(rooms.db, { id: decision.id, by: 'li', note: 'internal words' }))
  for (let again = 0; again < 3; again++) await round(rooms)
  assert.deepEqual((await kindsTold(rooms)).toSorted(), ['decision_changed', 'decision_changed', 'decision_lifted', 'decision_lifted', 'decision_taken', 'decision_taken'])

  const mails = readMails(rooms.dataDir)
  assert.deepEqual(mails.map((mail) => mail.to).toSorted(), ['dev@shop.example', 'dev@shop.example', 'dev@shop.example', 'owner@shop.example', 'owner@shop.example', 'owner@shop.example'])
  const taken = mails.find((mail) => mail.to === 'owner@shop.example')!
  assert.equal(taken.subject, '对接“Shop”的处理决定：主体实名未核验')
  for (const part of [taken.text, taken.html]) {
    for (const words of ['合规', '主体实名未核验', '请提交有效的营业执照。', 'https://hub.example/appeals', decision.id]) assert.ok(part.includes(words), words)
    // Mail passes many hands: what was found stands behind the link only.
    assert.doesNotMatch(part, /has expired|wang|internal words/)
  }
  assert.match(mails.find((mail) => mail.to === 'dev@shop.example')!.text, /Send a valid licence\./)
  for (const mail of mails) assert.doesNotMatch(mail.raw, /internal words|wang/)
})

test('who becomes a contact while measures stand is told of them, and of each decision once', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const ended = await decide(rooms, docking)
  must(await lift(rooms.db, { id: ended.id, by: 'li', note: 'x' }))
  await decide(rooms, docking)
  assert.deepEqual(await round(rooms), [])
  await decide(rooms, docking)
  const { contact } = must(await addContact(deskOf(rooms), ownerOf(docking), { ...OWNER, kinds: ['funds'] }, 'operator'))
  await decide(rooms, docking)
  assert.deepEqual(await round(rooms), [])
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  assert.deepEqual(await round(rooms), ['decision_taken', 'decision_taken', 'decision_taken'])
  assert.deepEqual((await rooms.owner.query('select distinct contact from notices.outbox')).rows, [{ contact: contact.id }])
})

test('a follower that read the same facts before writes nothing twice, and two of them agree', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  await decide(rooms, docking)
  const next = await rooms.nextLife()
  await Promise.all([rooms.hub.notices.follow(), next.hub.notices.follow(), rooms.hub.notices.follow()])
  assert.deepEqual(await kindsTold(rooms), ['decision_taken'])
  await rooms.owner.query('update notices.cursors set position = 0')
  await next.hub.notices.follow()
  assert.deepEqual(await kindsTold(rooms), ['decision_taken'])
  const { rows } = await rooms.owner.query('select count(*)::int as behind from notices.cursors c join platform.lanes l using (lane) where c.position <> l.head')
  assert.deepEqual(rows, [{ behind: 0 }])
})

test('more facts than are read at once are read to the end', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  await rooms.db.transaction((connection) => underLanes(connection, [docking.lane], async ({ append }) => {
    for (let i = 0; i < 4_100; i++) append({ lane: docking.lane, docking: docking.id, kind: 'request.refused', subject: 'x', code: 'partners.clock_skew', body: '{}' })
  }))
  await decide(rooms, docking)
  assert.deepEqual(await round(rooms), ['decision_taken'])
})

test('a low deposit is told once a fall: armed again above the threshold, silent on it', async (t) => {
  const rooms = await openRooms(t, { ALERT_QUIET_MS: '0' })
  const docking = await rooms.openDocking({ deposit: '120.00' })
  const good = await rooms.addGood('A', '10.00')
  await rooms.addCards(good, 60)
  must(await addContact(deskOf(rooms), ownerOf(docking), { ...OWNER, language: 'en' }, 'operator'))
  must(await setWatch(rooms.db, ownerOf(docking), { what: 'balance', good: '', mode: 'live', below: 100_000_000n }, 'operator'))
  const alerts = async () => (await round(rooms)).filter((kind) => kind === 'balance_low').length
  assert.equal(await alerts(), 0)
  await rooms.place(docking, 'A-1', good, 2)
  assert.equal(await alerts(), 0, 'on the threshold nothing is told')
  await rooms.place(docking, 'A-2', good, 1)
  assert.equal(await alerts(), 1)
  await rooms.place(docking, 'A-3', good, 1)
  await rooms.deposit(docking, '20.00')
  assert.equal(await alerts(), 1, 'back on the threshold is not above it')
  await rooms.place(docking, 'A-4', good, 1)
  assert.equal(await alerts(), 1)
  await rooms.deposit(docking, '50.00')
  assert.equal(await alerts(), 1)
  await rooms.place(docking, 'A-5', good, 5)
  assert.equal(await alerts(), 2)
  const mail = readMails(rooms.dataDir)[0]!
  assert.equal(mail.subject, 'The deposit of Shop is below 100.00 yuan')
  assert.match(mail.text, /Seen: 90\.00 yuan/)
})

test('a value that swings is quiet for a while, and a fall that lasts is told when the quiet is over', async (t) => {
  const rooms = await openRooms(t, { ALERT_QUIET_MS: '60000' })
  const docking = await rooms.openDocking({ deposit: '50.00' })
  const good = await rooms.addGood('A', '10.00')
  await rooms.addCards(good, 60)
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  must(await setWatch(rooms.db, ownerOf(docking), { what: 'balance', good: '', mode: 'live', below: 100_000_000n }, 'operator'))
  assert.deepEqual(await round(rooms), ['balance_low'], 'who is below when the threshold is set is told')
  for (let swing = 0; swing < 4; swing++) {
    await rooms.deposit(docking, '100.00')
    await round(rooms)
    await rooms.place(docking, `A-${swing}`, good, 10)
    assert.deepEqual(await round(rooms), ['balance_low'])
  }
  await rooms.owner.query(`update notices.watches set told_at = told_at - interval '61 seconds'`)
  await rooms.hub.notices.sweep()
  assert.deepEqual(await kindsTold(rooms), ['balance_low', 'balance_low'])
})

test('low stock goes to the main site and to the docking that watches it, in its own mode; a lot that expires is seen by the sweep', async (t) => {
  const rooms = await openRooms(t, { ALERT_QUIET_MS: '0' })
  const docking = await rooms.openDocking({ deposit: '1000.00' })
  const good = await rooms.addGood('A', '10.00')
  await rooms.addCards(good, 6)
  await rooms.addCards(good, 3, 'sandbox')
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  must(await addContact(deskOf(rooms), MAIN_SITE_OWNER, { channel: 'email', address: 'stock@main.example', language: 'en', kinds: ['stock'] }, 'operator'))
  must(await setWatch(rooms.db, MAIN_SITE_OWNER, { what: 'stock', good, mode: 'live', below: 5n }, 'operator'))
  must(await setWatch(rooms.db, ownerOf(docking), { what: 'stock', good, mode: 'live', below: 3n }, 'operator'))
  assert.deepEqual(await round(rooms), [])
  await rooms.place(docking, 'A-1', good, 2)
  assert.deepEqual(await round(rooms), ['stock_low'])
  await rooms.place(docking, 'A-2', good, 2)
  assert.deepEqual(await round(rooms), ['stock_low', 'stock_low'])
  const mails = readMails(rooms.dataDir)
  assert.deepEqual(mails.map((mail) => mail.to), ['stock@main.example', 'owner@shop.example'])
  assert.deepEqual([mails[0]!.subject, mails[1]!.subject], ['The stock of Good A is below 5 pieces', '商品“Good A”库存不足 3 件'])

  await rooms.addCards(good, 20, 'live', new Date(Date.now() + 400))
  assert.deepEqual(await round(rooms), ['stock_low', 'stock_low'], 'a new lot arms both again')
  await new Promise((later) => setTimeout(later, 450))
  assert.deepEqual(await round(rooms), ['stock_low', 'stock_low'], 'no fact tells that a lot has expired')
  await rooms.hub.notices.sweep()
  assert.equal((await kindsTold(rooms)).length, 4)
})

test('an alert that nobody would hear waits for the one who will', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking({ deposit: '5.00' })
  must(await setWatch(rooms.db, ownerOf(docking), { what: 'balance', good: '', mode: 'live', below: 100_000_000n }, 'operator'))
  assert.deepEqual(await round(rooms), [])
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  assert.deepEqual(await round(rooms), ['balance_low'])
  must(await setWatch(rooms.db, ownerOf(docking), { what: 'balance', good: '', mode: 'live', below: null }, 'operator'))
  must(await setWatch(rooms.db, ownerOf(docking), { what: 'balance', good: '', mode: 'live', below: 50_000_000n }, 'operator'))
  assert.deepEqual(await round(rooms), ['balance_low', 'balance_low'], 'a threshold that is set anew is looked at afresh')
})

test('a letter that cannot leave is tried again under the same Message-ID and link, is seen with its error, and is given up in the end', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  await decide(rooms, docking)
  const folder = join(rooms.dataDir, 'outbox')
  writeFileSync(folder, 'a file where the folder should be')
  const outbox = async () => (await rooms.owner.query<{ state: string; attempts: number; waits: boolean }>(`select state, attempts, next_at > now() + interval '3 seconds' as waits from notices.outbox`)).rows
  await round(rooms)
  assert.deepEqual(await outbox(), [{ state: 'waiting', attempts: 1, waits: true }])
  assert.equal(await rooms.hub.notices.send(), 0, 'not before its time')
  const [listed] = await rooms.hub.notices.list(null, 'waiting', 10)
  assert.deepEqual([listed!.masked, listed!.attempts, /ENOTDIR/.test(listed!.lastError!)], ['o***@shop.example', 1, true])
  const due = () => rooms.owner.query(`update notices.outbox set next_at = now() where state = 'waiting'`)
  for (let attempt = 2; attempt <= 11; attempt++) {
    await due()
    assert.equal(await rooms.hub.notices.send(), 1)
  }
  assert.deepEqual((await outbox()).map(({ state, attempts }) => [state, attempts]), [['failed', 11]])
  await due()
  assert.equal(await rooms.hub.notices.send(), 0)
  rmSync(folder)
  assert.equal(await rooms.hub.notices.retry(listed!.id), true)
  assert.equal(await rooms.hub.notices.retry(listed!.id), false)
  assert.equal(await rooms.hub.notices.send(), 1)
  const [first] = readMails(rooms.dataDir)
  await rooms.owner.query(`update notices.outbox set state = 'waiting', sent_at = null, next_at = now()`)
  await rooms.hub.notices.send()
  const again = readMails(rooms.dataDir)
  assert.deepEqual(again.map(({ messageId, link }) => [messageId, link]), [[first!.messageId, first!.link]], 'sent twice, it is one letter')
  assert.deepEqual([statSync(folder).mode & 0o777, statSync(join(folder, readdirSync(folder)[0]!)).mode & 0o777], [0o700, 0o600])
})

test('a contact is one per address, bounded, masked, sealed and forgotten; the partner cannot take out whom the operator named', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const [desk, owner] = [deskOf(rooms), ownerOf(docking)]
  const named = must(await addContact(desk, owner, OWNER, 'operator'))
  assert.deepEqual([named.added, named.contact.masked], [true, 'o***@shop.example'])
  const twice = must(await addContact(desk, owner, { ...OWNER, address: 'OWNER@shop.example', language: 'en', kinds: ['funds', 'funds'] }, 'operator'))
  assert.deepEqual([twice.added, twice.contact.id, twice.contact.language, twice.contact.kinds], [false, named.contact.id, 'en', ['funds']])
  const mine = must(await replaceContacts(desk, owner, [{ ...OWNER, address: 'a@shop.example' }, { ...OWNER, address: 'b@shop.example' }]))
  assert.deepEqual(mine.map(({ masked, setBy }) => [masked, setBy]), [['o***@shop.example', 'operator'], ['a***@shop.example', 'partner'], ['b***@shop.example', 'partner']])
  const less = must(await replaceContacts(desk, owner, [{ ...OWNER, address: 'b@shop.example', kinds: ['stock'] }]))
  assert.deepEqual(less.map(({ id, kinds }) => [id, kinds]), [[named.contact.id, ['funds']], [mine[2]!.id, ['stock']]], 'who stays keeps the id')
  assert.deepEqual(must(await replaceContacts(desk, owner, [])).map(({ id }) => id), [named.contact.id])

  const refusals: [string, Promise<Outcome<unknown>>, string][] = [
    ['no address', addContact(desk, owner, { ...OWNER, address: 'nobody' }, 'operator'), '/address'],
    ['twice in a list', replaceContacts(desk, owner, [OWNER, OWNER]), '/items/1/address'],
    ['too many', replaceContacts(desk, owner, Array.from({ length: 20 }, (_, i) => ({ ...OWNER, address: `p${i}@shop.example` }))), '/items'],
    ['decisions to the main site', addContact(desk, MAIN_SITE_OWNER, { ...OWNER, kinds: ['stock', 'decisions'] }, 'operator'), '/kinds'],
  ]
  for (const [name, outcome, path] of refusals) {
    const told = await outcome
    assert.equal(told.ok ? 'accepted' : told.refusal.because.path, path, name)
  }
  assert.deepEqual((await contactsOf(rooms.db, owner)).length, 1)
  assert.ok((await removeContact(desk, named.contact.id)).ok)
  const gone = await removeContact(desk, named.contact.id)
  assert.deepEqual(gone.ok ? null : gone.refusal.code, 'notices.contact_not_found')
  const { rows } = await rooms.owner.query('select count(*)::int as kept from notices.contacts where sealed is not null or blind is not null')
  assert.deepEqual(rows, [{ kept: 0 }])
  const facts = (await rooms.owner.query(`select string_agg(body, '') as all from platform.facts`)).rows[0].all as string
  const dump = (await rooms.owner.query(`select string_agg(c::text, '') as all from notices.contacts c`)).rows[0].all as string
  assert.doesNotMatch(facts + dump, /owner@|@shop\.example.*@shop\.example@/)
  assert.doesNotMatch(facts, /shop\.example/)
})

test('a contact that is removed before its letter left gets none, and its link opens nothing', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const { contact } = must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  await decide(rooms, docking)
  await round(rooms)
  const { token } = readMails(rooms.dataDir)[0]!
  assert.ok(await rooms.hub.notices.open(token, null))
  await decide(rooms, docking)
  await rooms.hub.notices.follow()
  must(await removeContact(deskOf(rooms), contact.id))
  await rooms.hub.notices.send()
  assert.deepEqual((await rooms.hub.notices.list(null, 'dropped', 10)).length, 1)
  assert.equal(readMails(rooms.dataDir).length, 1)
  assert.equal(await rooms.hub.notices.open(token, null), null)
})

test('a link runs out 90 days after its decision has ended, and its token is stored nowhere', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  must(await addContact(deskOf(rooms), ownerOf(docking), OWNER, 'operator'))
  const decision = await decide(rooms, docking)
  await round(rooms)
  const { token } = readMails(rooms.dataDir)[0]!
  const dump = (await rooms.owner.query(`select string_agg(o::text, '') as all from notices.outbox o`)).rows[0].all as string
  assert.ok(!dump.includes(token))
  must(await lift(rooms.db, { id: decision.id, by: 'li', note: 'x' }))
  await rooms.owner.query(`update decisions.decisions set lifted_at = now() - interval '89 days'`)
  assert.ok(await rooms.hub.notices.open(token, null))
  await rooms.owner.query(`update decisions.decisions set lifted_at = now() - interval '91 days'`)
  assert.equal(await rooms.hub.notices.open(token, null), null)
  for (const wrong of ['', token.slice(1), `${token}A`, token.toLowerCase(), 'A'.repeat(22)]) assert.equal(await rooms.hub.notices.open(wrong, null), null)
})

test('what the law withholds stands neither in the mail nor behind the link', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  must(await addContact(deskOf(rooms), ownerOf(docking), { ...OWNER, language: 'en' }, 'operator'))
  const evidence = (disclosure: 'full' | 'redacted' | 'withheld_by_law', id: string) => ({ id, kind: 'file' as const, sha256: 'a'.repeat(64), disclosure, withheldGround: '反洗钱法 第五十四条' })
  const withTwo = async (changes: Partial<StatementDraft>) => {
    const { draft } = must(await draftDecision(rooms.db, { id: rooms.ids.make('dft', rooms.clock.nowMs()), lane: docking.lane, docking: docking.id, statement: statement(changes), by: 'wang' }))
    must(await approveDraft(rooms.db, { draft, id: rooms.ids.make('dec', rooms.clock.nowMs()), by: 'li' }))
  }
  await withTwo({
    cause: { class: 'compliance', code: 'compliance.withheld_by_law', side: 'partner' }, facts: [{ text: 'SECRET-FACT of the case.' }], evidence: [evidence('full', 'SECRET-1')], source: 'third_party_notice',
  })
  await withTwo({ evidence: [evidence('full', 'file_open'), evidence('redacted', 'SECRET-2'), evidence('withheld_by_law', 'SECRET-3')] })
  await round(rooms)
  const mails = readMails(rooms.dataDir)
  const pages = await Promise.all(mails.map(async ({ token }) => {
    const { head, body } = (await rooms.hub.notices.open(token, null))!
    return head + body
  }))
  for (const text of [...mails.map((mail) => mail.raw), ...pages]) assert.doesNotMatch(text, /SECRET|third party/)
  const withheld = pages.find((page) => page.includes('withheld_by_law'))!
  assert.match(withheld, /The law forbids telling the facts/)
  assert.match(withheld, /电子商务法 第二十七条/)
  assert.match(pages.find((page) => page !== withheld)!, /file_open[^]*told in part[^]*withheld by law/)
})
