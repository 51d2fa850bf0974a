import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { run } from '../../cli/program.ts'
import { Logbook } from '../../hub/domain/logbook/index.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

type Ground = { hub: TestHub; owner: Client; shop: TestDocking; folder: string; berth: (line: string, as?: TestDocking | null) => Promise<{ code: number; json: any; err: string }> }

async function openGround(t: TestContext): Promise<Ground> {
  const hub = await startHub(t)
  const folder = mkdtempSync(join(tmpdir(), 'berth-verify-'))
  const owner = new Client({ connectionString: hub.ownerUrl })
  owner.on('error', () => {})
  await owner.connect()
  t.after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await owner.end()
  })
  const shop = await hub.openDocking({ mode: 'live' })
  const berth: Ground['berth'] = async (line, as = shop) => {
    let [out, err] = ['', '']
    const code = await run([...line.split(' '), '--json', '--hub', hub.url], {
      env: { DATA_DIR: folder, ...(as === null ? {} : { BERTH_KEY_ID: as.keyId!, BERTH_KEY_SECRET: as.keySecret! }) }, stdin: (async function* () {})(), stdout: (text) => (out += text), stderr: (text) => (err += text), isTerminal: false, nowMs: Date.now,
    })
    return { code, json: JSON.parse(out), err }
  }
  return { hub, owner, shop, folder, berth }
}

/** A hub that started again: it remembers nothing but what the database says. */
function restart({ hub }: Ground): void {
  hub.hub.logbook = new Logbook({ db: hub.hub.db, clock: hub.hub.clock, log: hub.hub.log, signer: hub.hub.signer, publicUrl: () => hub.url })
}

async function live({ hub, shop }: Ground, seals: number): Promise<void> {
  for (let i = 0; i < seals; i++) {
    await hub.openDocking({ mode: 'live' })
    await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'bearer', scopes: ['docking:read'] })
    await hub.hub.logbook.seal()
  }
}

const TABLES = ['logbook.leaves', 'logbook.payloads', 'logbook.dockings', 'logbook.nodes', 'logbook.checkpoints']

const hold = ({ hub, shop }: Ground) => hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
  code: 'compliance.identity_unverified', scope: ['orders'], facts: ['No business licence was handed in.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }],
  remedy: { en: 'Hand in the licence.', zh: '请提交营业执照。' },
})

test('a log that was not touched verifies, again and again, with and without a docking, and through its witnesses', async (t) => {
  const ground = await openGround(t)
  const { berth, hub } = ground
  assert.equal((await berth('verify')).code, 0, 'an empty log')
  await live(ground, 3)
  await hold(ground)
  await hub.hub.logbook.seal()
  const first = await berth('verify')
  assert.deepEqual([first.code, first.json.ok, first.json.faults], [0, true, []], JSON.stringify(first.json))
  assert.ok(first.json.own >= 5 && first.json.leaves > first.json.own)
  assert.equal((await berth('witness')).code, 0)
  await live(ground, 2)
  const [again, stranger] = [await berth('verify'), await berth('verify --state stranger.json'.replace('stranger', join(ground.folder, 'stranger')), null)]
  assert.deepEqual([again.code, again.json.witnesses, stranger.code, stranger.json.own, stranger.json.before], [0, 1, 0, null, null])
  assert.ok(again.json.before > 0)
  assert.equal((await berth('witness')).json.size, again.json.checkpoint.size, 'the same key signs on')
  const { rows } = await ground.owner.query(`select index from logbook.payloads where kind = 'decision.taken'`)
  assert.equal((await hub.operator('POST', '/operator/log/erase', { leaf: Number(rows[0].index), reason: 'a person asked for it' })).status, 200)
  await hub.hub.logbook.seal()
  assert.deepEqual((await berth('verify')).json.faults, [], 'what was erased is no fault')
  assert.deepEqual((await hub.operator('GET', '/operator/log/check')).body, { ok: true, findings: [] })
})

test('every change of the owner of the database is found from outside and named, with what proves it', async (t) => {
  const ground = await openGround(t)
  const { berth, owner, shop, folder, hub } = ground
  await live(ground, 3)
  await hold(ground)
  await hub.hub.logbook.seal()
  const state = join(folder, `log-${new URL(hub.url).host.replace(':', '-')}.json`)
  assert.equal((await berth('verify')).code, 0)
  copyFileSync(state, `${state}.kept`)
  await live(ground, 3)
  const one = async (sql: string) => Number((await owner.query<{ x: string }>(sql)).rows[0]!.x)
  const size = await one('select size as x from logbook.sealer')
  const [mine, other] = [await one(`select max(index) as x from logbook.payloads where docking = '${shop.id}' and kind = 'key.added'`), await one(`select min(index) as x from logbook.leaves where is_block and index > 4`)]
  const decided = await one(`select index as x from logbook.payloads where kind = 'decision.taken'`)

  const cases: [spoil: string, kind: string, leaf: number | null][] = [
    [`update logbook.leaves set bytes = overlay(bytes placing '0' from position('"commitment":"' in bytes) + 14) where index = ${other}`, 'leaf_edited', other],
    [`update logbook.leaves set bytes = replace(bytes, '"kind":"key.added"', '"kind":"key.adden"') where index = ${mine}`, 'leaf_edited', mine],
    [`update logbook.leaves set bytes = bytes || ' ' where index = ${other}`, 'leaf_unreadable', other],
    [`delete from logbook.leaves where index = ${other}`, 'leaf_missing', other],
    [`delete from logbook.leaves where index >= ${size - 2}`, 'truncated', size - 2],
    [`delete from logbook.leaves where index = ${other}; update logbook.leaves set index = -index where index > ${other}; update logbook.leaves set index = -index - 1 where index < 0`, 'leaf_moved', other],
    [`update logbook.leaves a set bytes = b.bytes from logbook.leaves b where (a.index, b.index) in ((${other}, ${mine}), (${mine}, ${other}))`, 'leaf_moved', other],
    [`update logbook.payloads set payload = replace(payload, 'key.added', 'key.adden') where index = ${mine}`, 'payload_edited', mine],
    [`update logbook.payloads set salt = set_byte(salt, 15, get_byte(salt, 15) # 1) where index = ${mine}`, 'payload_edited', mine],
    [`update logbook.payloads set docking = null, counter = null where index = ${mine}`, 'leaf_withheld', mine],
    [`update logbook.dockings set salt = set_byte(salt, 0, get_byte(salt, 0) # 1) where docking = '${shop.id}'`, 'own_leaf_differs', null],
    [`update decisions.decisions set statement = jsonb_set(statement, '{facts,0,text}', '"Another fact was found."')`, 'statement_edited', decided],
    [`update logbook.nodes set hash = set_byte(hash, 9, get_byte(hash, 9) # 4) where level = 1 and index = ${Math.floor(mine / 2)}`, 'proof_broken', null],
    [`update logbook.nodes set hash = set_byte(hash, 9, get_byte(hash, 9) # 4) where level = 0`, 'proof_broken', mine],
    [`delete from logbook.nodes where level = 2`, 'proof_broken', null],
    [`update logbook.checkpoints set note = replace(note, E'/log\\n', E'/lag\\n')`, 'not_signed', null],
    [`update logbook.checkpoints set note = regexp_replace(note, E'\\n\\\\d+\\n', E'\\n1\\n')`, 'not_signed', null],
    [`update logbook.checkpoints set note = 'x'`, 'not_a_checkpoint', null],
    [`delete from logbook.checkpoints where size > (select min(size) from logbook.checkpoints)`, 'truncated', null],
  ]
  await owner.query('create schema copies')
  for (const table of [...TABLES, 'decisions.decisions']) await owner.query(`create table copies.${table.split('.')[1]} as table ${table}`)
  for (const [spoil, kind, leaf] of cases) {
    copyFileSync(`${state}.kept`, state)
    await owner.query(spoil)
    restart(ground)
    const { code, json } = await berth('verify')
    assert.equal(code, 3, `${spoil}: ${JSON.stringify(json)}`)
    const isNamed = json.faults.some((fault: { kind: string; leaf: number | null }) => fault.kind === kind && (leaf === null || fault.leaf === leaf))
    assert.ok(isNamed, `${spoil}: ${JSON.stringify(json.faults).slice(0, 800)}`)
    assert.match(readFileSync(json.evidence, 'utf8'), new RegExp(kind))
    await owner.query('update decisions.decisions d set statement = c.statement from copies.decisions c where c.id = d.id')
    for (const table of TABLES) {
      await owner.query(`truncate ${table}`)
      await owner.query(`insert into ${table} select * from copies.${table.split('.')[1]}`)
    }
  }
  restart(ground)
  copyFileSync(`${state}.kept`, state)
  assert.deepEqual((await berth('verify')).json.faults, [], 'what was put back verifies')
  assert.ok(existsSync(`${state}.kept`))
})

test('a second history, signed with the same key, is told by whoever saw the first, longer or as long', async (t) => {
  const ground = await openGround(t)
  const { berth, owner, hub, folder } = ground
  await live(ground, 3)
  assert.equal((await berth('verify')).code, 0)
  assert.equal((await berth('witness')).code, 0)
  const rewrite = async () => {
    await owner.query(`truncate logbook.leaves, logbook.payloads, logbook.dockings, logbook.nodes, logbook.checkpoints; update logbook.cursors set position = 0; update logbook.sealer set size = 0, peaks = '', epoch = 0`)
    restart(ground)
    await hub.hub.logbook.seal()
  }
  await rewrite()
  const shown = await berth('verify')
  const other = shown.json.faults.find((fault: { kind: string }) => fault.kind === 'split_view' || fault.kind === 'truncated')
  assert.ok(shown.code === 3 && other, JSON.stringify(shown.json.faults).slice(0, 500))
  assert.equal(other.evidence.length, 2, 'both checkpoints are shown')
  assert.notEqual(other.evidence[0], other.evidence[1])
  for (const note of other.evidence) assert.match(note, /^127\.0\.0\.1:\d+\/log\n\d+\n/)
  await live(ground, 4)
  const longer = await berth('verify')
  assert.equal(longer.json.faults[0].kind, 'split_view', JSON.stringify(longer.json.faults).slice(0, 500))
  assert.ok(longer.json.faults.some((fault: { kind: string }) => fault.kind === 'cosignature_broken'), 'the witness had signed another root')
  const refused = await berth('witness')
  assert.deepEqual([refused.code, refused.json.faults[0].kind], [3, 'split_view'], 'and signs no second one')
  const newcomer = await berth(`verify --state ${join(folder, 'newcomer.json')}`, null)
  assert.deepEqual(newcomer.json.faults.map((fault: { kind: string }) => fault.kind), ['cosignature_broken'], 'who sees it for the first time learns it from the witnesses')
})
