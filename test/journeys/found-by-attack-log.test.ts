import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { run } from '../../cli/program.ts'
import { auditLog, cosign, LogWatch, type LogMemory, type Own } from '../../sdk/index.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

async function openGround(t: TestContext) {
  const hub = await startHub(t)
  const folder = mkdtempSync(join(tmpdir(), 'berth-attack-'))
  const owner = new Client({ connectionString: hub.ownerUrl })
  owner.on('error', () => {})
  await owner.connect()
  t.after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await owner.end()
  })
  const shop = await hub.openDocking({ mode: 'live' })
  const verify = async (state = 'log.json') => {
    let out = ''
    const code = await run(['verify', '--json', '--hub', hub.url, '--state', join(folder, state)], {
      env: { DATA_DIR: folder, BERTH_KEY_ID: shop.keyId!, BERTH_KEY_SECRET: shop.keySecret! }, stdin: (async function* () {})(), stdout: (text) => (out += text), stderr: () => {}, isTerminal: false, nowMs: Date.now,
    })
    return { code, json: JSON.parse(out), kinds: JSON.parse(out).faults?.map((one: { kind: string }) => one.kind) as string[] }
  }
  const check = async () => (await hub.operator('GET', '/operator/log/check')).body as { ok: boolean; findings: { rule: string }[] }
  return { hub, owner, shop, verify, check }
}

async function decide(hub: TestHub, shop: TestDocking, fact: string): Promise<string> {
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.identity_unverified', scope: ['orders'], facts: [fact], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }],
    remedy: { en: 'Hand in the licence.', zh: '请提交营业执照。' },
  })
  assert.equal(held.status, 201, held.text)
  await hub.hub.logbook.seal()
  return held.body.id
}

const leafOf = async (hub: TestHub, shop: TestDocking, decision: string): Promise<number> => (await hub.signed(shop, 'GET', `/api/decisions/${decision}`)).body.sealed.leafIndex
const erase = (hub: TestHub, target: { docking: string } | { leaf: number }) => hub.operator('POST', '/operator/log/erase', { ...target, reason: 'tidy up' })

test('a history that is erased and begun anew is told by whoever remembers the first, and its erasure is its first leaf', async (t) => {
  const { hub, shop, verify, check } = await openGround(t)
  await decide(hub, shop, 'No licence is on file, first.')
  await decide(hub, shop, 'No licence is on file, second.')
  const before = await verify()
  assert.deepEqual([before.code, before.kinds], [0, []])
  assert.equal((await erase(hub, { docking: shop.id })).status, 200)
  assert.match((await hub.signed(shop, 'GET', '/api/log/mine')).body.items[0].leaf, /"kind":"erasure\.done".*"n":1[,}]/)
  const third = await decide(hub, shop, 'No licence is on file, third.')
  assert.equal((await erase(hub, { leaf: await leafOf(hub, shop, third) })).status, 200)
  for (let i = 0; i < 2; i++) {
    const after = await verify()
    assert.deepEqual([after.code, after.kinds], [3, ['second_history']], 'as often as it is asked')
    assert.equal(after.json.faults[0].evidence[0].split(' ')[1], String(before.json.own))
  }
  assert.deepEqual(await check(), { ok: true, findings: [] }, 'what was erased as the log tells is no error of the operator')
})

test('an erased leaf excuses the one decision that it names, and no other', async (t) => {
  const { hub, shop, verify } = await openGround(t)
  const [first, second] = [await decide(hub, shop, 'No licence is on file, first.'), await decide(hub, shop, 'No licence is on file, second.')]
  const leaf = await leafOf(hub, shop, first)
  assert.equal((await erase(hub, { leaf })).status, 200)
  const seen = await verify()
  assert.deepEqual([seen.code, seen.json.erased], [0, [{ leaf, decision: first }]])
  const own: Own = { docking: shop.id, leaves: [(await hub.signed(shop, 'GET', '/api/log/mine')).body], decisions: (await hub.signed(shop, 'GET', '/api/decisions?state=all')).body.items }
  let kept: LogMemory | null = null
  const watch = new LogWatch({ url: hub.url, store: { load: async () => kept, save: async (memory) => void (kept = memory) } })
  const faultsOf = async (decisions: Own['decisions']) => (await auditLog(watch, await watch.look(), { ...own, decisions })).faults.map((one) => `${one.kind} ${one.evidence[0]}`)
  const old = own.decisions.map((one) => ({ ...one, decidedAt: '2026-01-01T00:00:00Z' }))
  assert.deepEqual(await faultsOf(old), [])
  const unsealed = { ...old.find((one) => one.id === second)!, id: 'dec_unsealed' }
  for (const sealed of [null, unsealed.sealed, old.find((one) => one.id === first)!.sealed]) {
    assert.deepEqual(await faultsOf([...old, { ...unsealed, sealed }]), ['statement_not_sealed dec_unsealed'])
  }
})

test('only an owner erases, and never a block or an erasure', async (t) => {
  const { hub, shop } = await openGround(t)
  await hub.hub.logbook.seal()
  const { key } = (await hub.operator('POST', '/operator/operators', { name: 'olga', roles: ['operator'] })).body
  const refused = await fetch(`${hub.url}/operator/log/erase`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify({ docking: shop.id, reason: 'tidy up' }) })
  assert.equal(refused.status, 403)
  const leaf = (await hub.signed(shop, 'GET', '/api/log/mine')).body.items[0].index
  assert.equal((await erase(hub, { leaf })).body.leaves, 1)
  const { items } = await (await fetch(`${hub.url}/api/log/leaves?from=0&limit=500`)).json() as { items: { index: number; leaf: string }[] }
  for (const kind of ['block', 'erasure.done']) {
    const one = items.find((item) => item.leaf.includes(`"kind":"${kind}"`))!
    assert.equal((await erase(hub, { leaf: one.index })).body.code, 'protocol.invalid_field', kind)
  }
})

test('the hub\'s own role erases nothing without a fact, and whoever owns the database is found out', async (t) => {
  const { hub, owner, shop, verify, check } = await openGround(t)
  const decision = await decide(hub, shop, 'No licence is on file, first.')
  const leaf = await leafOf(hub, shop, decision)
  const app = (text: string, ...values: (string | number)[]) => hub.hub.db.run({ text, values })
  for (const text of [
    'update logbook.payloads set salt = null, payload = null, erased_at = now()', 'update logbook.payloads set docking = null, counter = null', 'delete from logbook.payloads',
    'delete from logbook.dockings', 'update logbook.dockings set salt = salt', 'delete from logbook.witnesses',
  ]) await assert.rejects(app(text), /permission denied/, text)
  const lane = (await owner.query('select lane from partners.dockings where id = $1', [shop.id])).rows[0].lane as number
  await assert.rejects(app('select logbook.erase($1, 1)', lane), /nothing is erased without a fact/)
  const other = (await hub.signed(shop, 'GET', '/api/log/mine')).body.items.find((item: { index: number }) => item.index !== leaf).index
  assert.equal((await erase(hub, { leaf: other })).status, 200)
  const [said] = (await owner.query(`select lane, position from platform.facts where kind = 'erasure.done'`)).rows
  await assert.rejects(app('select logbook.erase($1, $2)', said.lane, said.position), /nothing is erased without a fact/, 'an old fact erases nothing again')
  assert.deepEqual([(await verify()).code, (await check()).ok], [0, true])
  await owner.query('update logbook.payloads set salt = null, payload = null, erased_at = now() where index = $1', [leaf])
  assert.deepEqual((await verify()).kinds, ['erasure_untold'])
  assert.deepEqual((await check()).findings.map((one) => one.rule), ['what was erased was erased by an erasure that the log tells'])
  await owner.query('update logbook.payloads set docking = null, counter = null where docking = $1', [shop.id])
  assert.ok((await check()).findings.some((one) => one.rule === 'a leaf names its docking'))
})

test('a docking is one witness however many keys it has, and a sandbox is none', async (t) => {
  const { hub, shop, verify } = await openGround(t)
  await hub.hub.logbook.seal()
  const { note } = await new LogWatch({ url: hub.url, store: { load: async () => null, save: async () => {} } }).look()
  const sandbox = await hub.openDocking({ mode: 'sandbox' })
  for (const docking of [shop, shop, shop, sandbox, sandbox]) {
    const { privateKey, publicKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']) as { privateKey: Parameters<typeof cosign>[1]['privateKey']; publicKey: Parameters<typeof cosign>[1]['privateKey'] }
    const ask = await cosign(note!, { privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)) }, Math.floor(Date.now() / 1000))
    const signed = await hub.signed(docking, 'POST', '/api/log/witness', ask)
    assert.equal(signed.status, 200, signed.text)
  }
  const seen = await verify()
  assert.deepEqual([seen.code, seen.json.witnesses], [0, 1])
})

test('a measure that waits for its second person leaves no trace in the lane of its docking', async (t) => {
  const { hub, owner, shop } = await openGround(t)
  await hub.hub.logbook.seal()
  const lane = (await owner.query('select lane from partners.dockings where id = $1', [shop.id])).rows[0].lane as number
  const blocksOf = async () => Number((await owner.query('select count(*) as x from logbook.leaves where lane = $1', [lane])).rows[0].x)
  const before = await blocksOf()
  const drafted = await hub.operator('POST', `/operator/dockings/${shop.id}/decisions`, {
    measure: { kind: 'suspend', scope: ['orders'] }, code: 'compliance.withheld_by_law', ground: [{ type: 'law', ref: '反洗钱法', article: '第五十四条' }], facts: ['What nobody may be told yet.'],
    remedy: [{ action: { en: 'Ask the office that is named.', zh: '请咨询所列机关。' } }],
  })
  assert.equal(drafted.status, 202, drafted.text)
  await hub.hub.logbook.seal()
  assert.equal(await blocksOf(), before)
  assert.equal((await owner.query(`select lane from platform.facts where kind = 'decision.drafted'`)).rows[0].lane, -1)
})
