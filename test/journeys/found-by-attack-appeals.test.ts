import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AppealClock } from '../../hub/domain/appeals/index.ts'
import { signContract } from '../rule-text.ts'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'

const LAW = [{ type: 'law', ref: '电子商务法', article: '第二十七条' }]
const REMEDY = { en: 'Send a valid business licence.', zh: '请提交有效的营业执照。' }
const FACT = 'The business licence that was sent has expired.'
const HOLD = { code: 'compliance.identity_unverified', scope: ['orders'], facts: [FACT], ground: LAW, remedy: REMEDY }
const WHOLE = { code: HOLD.code, ground: LAW, facts: [FACT], remedy: [{ action: REMEDY }], measure: { kind: 'suspend', scope: ['orders'] } }
const OVERTURNED = { outcome: 'overturned', text: 'The licence is valid.' }
const UPHELD = { outcome: 'upheld', text: 'It stands as it is.' }

type As = (key: string, method: string, path: string, body?: unknown) => Promise<Reply>
type Stage = { hub: TestHub; shop: TestDocking; as: As; alice: string; bob: string; carol: string }

/** A main site of three people who decide and judge, all named by the owner. */
async function openStage(t: TestContext): Promise<Stage> {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live', deposit: '50.00' })
  const as: As = async (key, method, path, body) => {
    const reply = await fetch(hub.url + path, { method, headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) })
    const text = await reply.text()
    return { status: reply.status, headers: reply.headers, text, body: JSON.parse(text) }
  }
  const name = async (person: string) => (await hub.operator('POST', '/operator/operators', { name: person, roles: ['operator', 'reviewer'] })).body.key as string
  return { hub, shop, as, alice: await name('alice'), bob: await name('bob'), carol: await name('carol') }
}

const hold = ({ as, shop }: Stage, key: string, change = {}) => as(key, 'POST', `/operator/dockings/${shop.id}/holds`, { ...HOLD, ...change })
const supersede = ({ as }: Stage, key: string, old: string, change = {}) => as(key, 'POST', `/operator/decisions/${old}/supersede`, { note: 'Told once more.', statement: { ...WHOLE, ...change } })
const judge = ({ as }: Stage, key: string, appeal: string, verdict: object = UPHELD) => as(key, 'POST', `/operator/appeals/${appeal}/decide`, verdict)
const appeal = async ({ hub, shop }: Stage, decision: string, by = shop) => hub.bearer(by, 'POST', `/api/decisions/${decision}/appeals`, { text: 'It is valid.' })
const standing = async ({ hub, shop }: Stage) => (await hub.operator('GET', `/operator/dockings/${shop.id}/decisions?state=open`)).body.items.map(({ id }: { id: string }) => id)

test('whoever took a decision does not judge the one that took its place, nor the one that an appeal left of it', async (t) => {
  const stage = await openStage(t)
  const { alice, bob, carol } = stage
  const first = await hold(stage, alice, { scope: ['orders', 'goods'] })
  const second = await supersede(stage, bob, first.body.id, { measure: { kind: 'suspend', scope: ['orders', 'goods'] } })
  assert.equal(second.status, 201, second.text)
  const filed = (await appeal(stage, second.body.id)).body.id
  for (const key of [alice, bob]) assert.equal((await judge(stage, key, filed)).body.code, 'appeals.same_person')
  const partly = await judge(stage, carol, filed, { outcome: 'partly', text: 'Orders alone.', narrower: { scope: ['orders'] } })
  assert.equal(partly.status, 200, partly.text)
  const again = (await appeal(stage, partly.body.outcomeDecision)).body.id
  for (const key of [alice, bob, carol]) assert.equal((await judge(stage, key, again)).body.code, 'appeals.same_person')
  await assert.rejects(stage.hub.hub.db.run({ text: `update appeals.appeals set state = 'upheld', decided_by = 'alice', closed_at = now() where id = $1`, values: [again] }), { code: '23514' })
})

test('the database names who decided, and lets nobody who ended begin again', async (t) => {
  const stage = await openStage(t)
  const { hub, shop } = stage
  const { lane } = (await hub.hub.db.run({ text: 'select lane from partners.dockings where id = $1', values: [shop.id] })).map((row) => ({ lane: row[0] }))[0]!
  const run = (text: string, values: unknown[] = []) => hub.hub.db.run({ text, values } as Parameters<typeof hub.hub.db.run>[0])
  await assert.rejects(run(`insert into appeals.appeals (lane, id, docking, decision, class, code, decision_by, stands_when_missed, via, filed_by, filed_at, decide_by)
    values ($1, 'apl_x', $2, 'dec_none', 'compliance', 'x', 'somebody', false, 'api', 'x', now(), now())`, [lane, shop.id]), { code: '42501' })
  await run(`select appeals.file_appeal($1, 'apl_x', $2, 'dec_none', false, 'api', 'x', now(), now(), true, false)`, [lane, shop.id])
  assert.deepEqual(await run('select id from appeals.appeals where lane = $1', [lane]), [], 'about no decision there is no appeal')
  assert.equal((await hub.operator('POST', '/operator/operators/bob/end', {})).status, 200)
  assert.equal((await hub.operator('POST', '/operator/operators/bob/end', {})).status, 404)
  for (const end of ['null, ended_by = null', `now() + interval '1 year', ended_by = 'x'`]) await assert.rejects(run(`update operators.operators set ended_at = ${end} where name = $1`, ['bob']), { code: '42501' })
  await run('select operators.end_operator($1, $2, now())', ['bob', 'somebody'])
  assert.equal((await run('select ended_by from operators.operators where name = $1', ['bob']))[0]![0], 'owner')
})

test('an overturned measure ends whatever was put in its place or beside it meanwhile, and is not taken again over what was known', async (t) => {
  const stage = await openStage(t)
  const { hub, shop, alice, bob } = stage
  const first = await hold(stage, alice)
  const filed = (await appeal(stage, first.body.id)).body.id
  const second = await supersede(stage, alice, first.body.id)
  const beside = await hold(stage, alice)
  const other = await hold(stage, alice, { code: 'compliance.licence_missing', facts: ['No permit for telecom services was handed in.'] })
  assert.deepEqual([second.status, beside.status, other.status], [201, 201, 201])
  assert.equal((await judge(stage, bob, filed, OVERTURNED)).status, 200)
  assert.deepEqual(await standing(stage), [other.body.id], 'a matter of its own stands')
  for (const again of [await hold(stage, alice), await hold(stage, bob), await hold(stage, alice, { facts: ['The business licence of the shop is out of date.'] }), await hold(stage, alice, { code: 'compliance.licence_missing' }), await supersede(stage, alice, other.body.id)]) {
    assert.deepEqual([again.status, again.body.code, again.body.because.decision], [409, 'decisions.known_before', again.body.because.decision])
  }
  assert.deepEqual(await standing(stage), [other.body.id])
  await hub.hub.db.run({ text: 'select 1 from pg_sleep(0.01)', values: [] })
  const now = new Date().toISOString()
  const news = await stage.as(alice, 'POST', `/operator/dockings/${shop.id}/decisions`, { ...WHOLE, facts: [{ text: 'The licence that was handed in today is of another company.', period: { from: now, to: now } }] })
  assert.equal(news.status, 201, news.text)
})

test('a missed clock leaves a warning of whatever stands by then', async (t) => {
  const stage = await openStage(t)
  const { hub, alice } = stage
  const contract = [{ type: 'contract', ref: await signContract(hub.hub, stage.shop), article: '7.2' }]
  const first = await hold(stage, alice, { code: 'terms.payment_overdue', ground: contract })
  const filed = await appeal(stage, first.body.id)
  assert.equal((await supersede(stage, alice, first.body.id, { code: 'terms.payment_overdue', ground: contract })).status, 201)
  await new AppealClock({ db: hub.hub.db, vault: hub.hub.vault, clock: { nowMs: () => Date.parse(filed.body.decideBy) }, log: hub.hub.log, makeId: () => hub.hub.ids.make('dec', Date.now()) }).tick()
  const left = (await hub.operator('GET', `/operator/dockings/${stage.shop.id}/decisions?state=open`)).body.items
  assert.deepEqual(left.map(({ statement }: { statement: { measure: { kind: string } } }) => statement.measure.kind), ['warn'])
})

test('a key that the main site made neither spends the appeal of the partner nor takes it back', async (t) => {
  const stage = await openStage(t)
  const { hub, shop, alice, bob } = stage
  const made = async (scopes: string[]) => ({ ...shop, apiKey: (await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer', scopes })).body.secret as string })
  const own = { ...shop, apiKey: (await hub.signed(shop, 'POST', '/api/keys', { kind: 'bearer' }, { idempotencyKey: 'mine' })).body.secret as string }
  assert.ok(own.apiKey)
  const planted = await made(['docking:read'])
  const first = await hold(stage, alice)
  const forged = await appeal(stage, first.body.id, planted)
  assert.equal((await judge(stage, bob, forged.body.id)).status, 200)
  assert.equal((await appeal(stage, first.body.id, planted)).body.code, 'appeals.ended')
  const mine = await appeal(stage, first.body.id, own)
  assert.equal(mine.status, 201, mine.text)
  const takeBack = (by: TestDocking) => hub.bearer(by, 'POST', `/api/appeals/${mine.body.id}/withdraw`, {})
  assert.equal((await takeBack(planted)).body.code, 'protocol.invalid_field')
  assert.equal((await judge(stage, bob, mine.body.id)).status, 200)
  for (const by of [planted, own]) assert.equal((await appeal(stage, first.body.id, by)).body.code, 'appeals.ended')
})

test('an appeal of a sandbox keeps no files and stands in nobody\'s queue', async (t) => {
  const stage = await openStage(t)
  const { hub, alice } = stage
  const shop = await hub.openDocking({ mode: 'sandbox' })
  const held = await hold({ ...stage, shop }, alice)
  const file = (evidence: object[]) => hub.bearer(shop, 'POST', `/api/decisions/${held.body.id}/appeals`, { text: 'It is valid.', evidence })
  assert.equal((await file([{ name: 'a', content: Buffer.from('x').toString('base64') }])).body.code, 'protocol.invalid_field')
  assert.equal((await file([{ name: 'a', sha256: 'a'.repeat(64) }])).status, 201)
  assert.deepEqual((await hub.operator('GET', '/operator/appeals?state=all')).body.items, [])
})

test('a law beside a commercial cause does not make a measure outlive the clock of its appeal', async (t) => {
  const stage = await openStage(t)
  const ground = [{ type: 'contract', ref: await signContract(stage.hub.hub, stage.shop), article: '7.2' }, { type: 'law', ref: 'xx', article: 'yy' }]
  const first = await hold(stage, stage.alice, { code: 'terms.payment_overdue', ground })
  const filed = (await appeal(stage, first.body.id)).body.id
  assert.equal((await stage.as(stage.bob, 'GET', `/operator/appeals/${filed}`)).body.standsWhenMissed, false)
})
