import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { fromBase64 } from '../../../protocol/bytes.ts'
import { isSignedBy, readNote } from '../../../protocol/checkpoint.ts'
import { BLOCK, commitmentOf, pseudonymOf, readLeaf, statementHash } from '../../../protocol/leaf.ts'
import { EMPTY_TREE, grow, hashNow, leafHash, rootOf, verifyConsistency, verifyInclusion, type Hashing } from '../../../protocol/merkle.ts'
import { laneOf } from '../../kernel/lanes.ts'
import { appendFacts, underLanes } from '../../platform/facts.ts'
import { loadBlocks, readBlocks } from '../../platform/blocks.ts'
import { Database } from '../../platform/postgres/database.ts'
import { findDecision, hold, tellable } from '../decisions/index.ts'
import { auditLog } from './index.ts'
import { Sealer } from './seal.ts'
import { verifyEd25519 } from './witness.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
const now = <T>(hashing: Hashing<T>) => hashNow(hashing, sha256)
const hashesOf = (texts: readonly string[]) => texts.map((text) => fromBase64(text)!)

/** Appends facts as a command would. */
async function tell(rooms: Rooms, lane: number, facts: readonly { docking?: string | null; kind: string; subject?: string | null; body?: string; code?: string | null }[]): Promise<void> {
  await rooms.db.transaction((connection) => underLanes(connection, [lane], async ({ append }) => {
    for (const fact of facts) append({ lane, docking: fact.docking ?? null, kind: fact.kind, subject: fact.subject ?? null, code: fact.code ?? null, body: fact.body ?? '{}' })
  }))
}

async function leavesOf(rooms: Rooms) {
  return (await rooms.hub.logbook.leaves(0, 1_000)).map(({ index, leaf }) => ({ index, text: leaf, leaf: readLeaf(leaf)! }))
}

const told = (decision: Awaited<ReturnType<typeof findDecision>>) => (decision === null ? null : tellable(decision.statement))
const audit = (rooms: Rooms) => rooms.db.transaction((connection) => auditLog(connection, rooms.hub.signer, async (lane, id) => told(await findDecision(rooms.db, lane, id))))

test('facts that matter have leaves of their own, every fact lies in one block, and everything is proved under a signed checkpoint', async (t) => {
  const rooms = await openRooms(t)
  const { logbook, signer } = rooms.hub
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const good = await rooms.addGood('SEAL')
  await rooms.addCards(good, 3)
  await logbook.seal()
  const early = must(await logbook.checkpoint())
  must(await rooms.place(docking, 'A-1', good))
  await logbook.seal()
  const newest = must(await logbook.checkpoint())
  assert.ok(newest.size > early.size && early.size > 0)

  const leaves = await leavesOf(rooms)
  assert.deepEqual(leaves.map(({ index, leaf }) => [index, leaf.i]), leaves.map((_, i) => [i, i]))
  assert.deepEqual(leaves.filter(({ leaf }) => leaf.kind !== BLOCK && leaf.lane === docking.lane).map(({ leaf }) => [leaf.kind, leaf.n]), [['docking.opened', 1]], 'orders and deposits have no leaf of their own')
  const blocks = leaves.filter(({ leaf }) => leaf.kind === BLOCK && leaf.lane === docking.lane).map(({ leaf }) => [leaf.from, leaf.position])
  assert.deepEqual(blocks, [[1, blocks[0]![1]], [blocks[0]![1]! + 1, blocks[0]![1]! + 1]], 'blocks follow each other without a gap')

  const note = readNote(newest.note)!
  const key = { name: note.checkpoint.origin, publicKey: fromBase64(signer.publicKey)! }
  assert.ok(await isSignedBy(note, key, sha256, verifyEd25519))
  const tree = now(grow(EMPTY_TREE, leaves.map(({ text }) => now(leafHash(Buffer.from(text))))))
  assert.deepEqual(Buffer.from(now(rootOf(tree))), newest.root)
  for (const { index, text } of leaves) {
    const proof = must(await logbook.inclusion(index))
    assert.ok(now(verifyInclusion({ leafHash: now(leafHash(Buffer.from(text))), leaf: index, size: proof.size, root: newest.root, hashes: hashesOf(proof.hashes) })))
  }
  const step = must(await logbook.consistency(early.size))
  assert.ok(now(verifyConsistency({ from: early.size, fromRoot: early.root, to: step.to, toRoot: newest.root, hashes: hashesOf(step.hashes) })))
  assert.equal(logbook.header, `${newest.size};${newest.root.toString('base64')}`)
  assert.deepEqual(await audit(rooms), [])
  assert.equal((await rooms.owner.query('select 1 from logbook.checkpoints')).rowCount, 2)
  await logbook.seal()
  assert.equal((await rooms.owner.query('select 1 from logbook.checkpoints')).rowCount, 2, 'where nothing happened nothing is sealed')
})

test('a docking opens its own leaves, the statement of a decision among them, and reads nothing that staff wrote for themselves', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const soon = new Date(Date.now() + 86_400_000).toISOString()
  const decision = must(await hold(rooms.db, {
    id: rooms.ids.make('dec', Date.now()), lane: docking.lane, docking: docking.id, by: 'secret-person',
    statement: {
      measure: { kind: 'suspend', scope: ['orders'], goods: [], effectiveAt: soon, endsAt: null, liftsWhen: null }, cause: { class: 'compliance', code: 'compliance.identity_unverified', side: 'partner' },
      ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }], facts: [{ text: 'No licence was handed in.' }], evidence: [], source: 'own_review',
      automation: { detection: false, decision: 'not', reviewer: 'x' }, remedy: [{ step: 1, action: { en: 'Hand it in.', zh: '请提交。' }, who: 'partner', evidenceNeeded: [] }],
      clocks: { respondBy: soon, decideAppealBy: soon, reviewAt: soon }, appeal: { channel: 'x', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
    },
  }))
  await tell(rooms, docking.lane, [{ docking: docking.id, kind: 'decision.refused', code: 'decisions.statement_incomplete', body: '{"by":"secret-person"}' }])
  await rooms.hub.logbook.seal()
  const { name, leaves } = await rooms.hub.logbook.mine(docking, 0, 100)
  const pseudonym = now(pseudonymOf(name!.salt, docking.id))
  assert.deepEqual(leaves.map((own) => [own.counter, readLeaf(own.leaf)!.kind, readLeaf(own.leaf)!.docking]), [[1, 'docking.opened', pseudonym], [2, 'decision.taken', pseudonym]], 'what was refused to staff is not told')
  for (const own of leaves) assert.equal(now(commitmentOf(own.salt!, own.payload!)), readLeaf(own.leaf)!.commitment)
  const payload = JSON.parse(leaves[1]!.payload!)
  assert.equal(payload.statement, now(statementHash(told(await findDecision(rooms.db, docking.lane, decision.id)))))
  assert.doesNotMatch(leaves.map((own) => own.payload).join(), /secret-person/)
  const sealed = (await rooms.hub.logbook.decisions(docking.lane, [decision.id, 'dec_none'])).get(decision.id)!
  const note = readNote(sealed.checkpoint)!
  assert.ok(now(verifyInclusion({ leafHash: now(leafHash(Buffer.from(leaves[1]!.leaf))), leaf: sealed.leafIndex, size: note.checkpoint.size, root: note.checkpoint.root, hashes: hashesOf(sealed.inclusion) })))
  assert.deepEqual((await rooms.hub.logbook.mine({ lane: laneOf('dck_nobody'), id: 'dck_nobody' }, 0, 10)), { name: null, leaves: [] })
  assert.deepEqual(await audit(rooms), [])
})

test('a fact that is written but not committed is neither sealed nor stepped over', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const late = new Database({ url: rooms.database.appUrl, size: 1, applicationName: 'late' })
  t.after(() => late.end())
  let commit = () => {}
  const held = new Promise<void>((go) => (commit = go))
  let written = () => {}
  const isWritten = new Promise<void>((go) => (written = go))
  const early = late.transaction((connection) => underLanes(connection, [docking.lane], async ({ append }) => {
    append({ lane: docking.lane, docking: docking.id, kind: 'key.added', subject: 'late', code: null, body: '{}' })
    written()
    await held
  }))
  await isWritten
  // Lanes of others go on and are sealed meanwhile.
  await tell(rooms, -1, [{ kind: 'operator.added', subject: 'meanwhile' }])
  await rooms.hub.logbook.seal()
  assert.ok(!(await leavesOf(rooms)).some(({ leaf }) => leaf.kind === 'key.added'))
  commit()
  await early
  await rooms.hub.logbook.seal()
  assert.equal((await leavesOf(rooms)).filter(({ leaf }) => leaf.kind === 'key.added').length, 1)
  assert.deepEqual(await audit(rooms), [])
})

test('a seal that breaks at any of its statements leaves nothing, and the next one goes on without a gap or a second leaf', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  const signer = rooms.hub.signer
  let broken = 0
  for (let at = 1; ; at++) {
    await tell(rooms, docking.lane, [{ docking: docking.id, kind: 'key.added', subject: `k${at}` }, { docking: docking.id, kind: 'order.accepted' }])
    const before = (await leavesOf(rooms)).length
    let count = 0
    const breaking = {
      run: (statement: Parameters<Database['run']>[0]) => rooms.db.run(statement),
      transaction: (work: Parameters<Database['transaction']>[0]) => rooms.db.transaction((connection) => work({
        run: async (statement) => {
          const rows = await connection.run(statement)
          if (++count === at) throw new Error('the power went')
          return rows
        },
      })),
    } as unknown as Database
    const round = await new Sealer(breaking, signer, () => 'http://hub.example').seal().catch((error: Error) => error.message)
    if (round !== 'the power went') break
    broken++
    assert.equal((await leavesOf(rooms)).length, before, `after statement ${at}`)
  }
  assert.ok(broken >= 12, `${broken} places`)
  assert.deepEqual(await audit(rooms), [])
  const own = (await leavesOf(rooms)).filter(({ leaf }) => leaf.kind === 'key.added')
  assert.deepEqual(own.map(({ leaf }) => leaf.n), own.map((_, i) => i + 2))
  assert.equal(own.length, broken + 1)
})

test('of two lives that would seal at once one is the sealer, and there is one history', async (t) => {
  const first = await openRooms(t)
  const docking = await first.openDocking()
  assert.equal(await first.hub.logbook.seal(), true)
  const second = await first.nextLife()
  for (let i = 0; i < 5; i++) {
    await tell(second, docking.lane, [{ docking: docking.id, kind: 'key.added', subject: `k${i}` }])
    const outcomes = await Promise.all([first.hub.logbook.seal(), second.hub.logbook.seal(), second.hub.logbook.seal()])
    assert.deepEqual(outcomes.slice(1), [true, true])
  }
  await tell(second, docking.lane, [{ kind: 'order.accepted' }])
  assert.equal(await first.hub.logbook.seal(), false, 'the earlier life never seals again')
  await second.hub.logbook.seal()
  assert.equal(await first.hub.logbook.seal().then(() => first.hub.logbook.header), second.hub.logbook.header, 'and shows what the other one sealed')
  assert.deepEqual(await audit(second), [])
})

test('the hub\'s own role cannot change, remove or rewrite what is sealed', async (t) => {
  const rooms = await openRooms(t)
  await rooms.openDocking()
  await rooms.hub.logbook.seal()
  for (const [table, column] of [['leaves', 'bytes'], ['nodes', 'hash'], ['checkpoints', 'note']]) {
    for (const text of [`update logbook.${table} set ${column} = ${column}`, `delete from logbook.${table}`, `truncate logbook.${table}`]) {
      await assert.rejects(rooms.db.run({ text, values: [] }), /permission denied/, text)
    }
  }
  await assert.rejects(rooms.db.run({ text: 'delete from logbook.payloads', values: [] }), /permission denied/)
  const [fact] = (await rooms.db.run({ text: 'select lane, position from logbook.leaves limit 1', values: [] }))
  await assert.rejects(rooms.owner.query(`insert into logbook.leaves values (9999, $1, $2, false, 'x'), (9998, $1, $2, false, 'x')`, fact as unknown[]), /duplicate key/)
})

test('nothing is signed on top of a tree that is not the one of the newest checkpoint', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  await rooms.hub.logbook.seal()
  await rooms.owner.query(`update logbook.sealer set peaks = set_byte(peaks, 0, (get_byte(peaks, 0) + 1) % 256)`)
  await tell(rooms, docking.lane, [{ kind: 'order.accepted' }])
  await assert.rejects(rooms.hub.logbook.seal(), /not the one of the newest checkpoint/)
  await rooms.owner.query(`update logbook.sealer set peaks = set_byte(peaks, 0, (get_byte(peaks, 0) + 255) % 256)`)
  await rooms.owner.query('delete from platform.facts where lane = $1 and position = (select head from platform.lanes where lane = $1)', [docking.lane])
  await assert.rejects(rooms.hub.logbook.seal(), /facts are missing/)
})

test('what erasure destroys is gone, the tree stands, and that something was erased is a leaf', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  await tell(rooms, docking.lane, [{ docking: docking.id, kind: 'consent.given', subject: 'mem_1' }])
  await rooms.hub.logbook.seal()
  const before = await leavesOf(rooms)
  const { name, leaves } = await rooms.hub.logbook.mine(docking, 0, 100)
  assert.equal(must(await rooms.hub.logbook.erase({ target: { leaf: leaves[1]!.index }, reason: 'consent withdrawn', by: 'ann' })).leaves, 1)
  const left = (await rooms.hub.logbook.mine(docking, 0, 100)).leaves
  assert.deepEqual(left.map((own) => [own.counter, own.payload === null, own.salt === null]), [[1, false, false], [2, true, true], [3, false, false]], 'the third tells of the erasure')
  assert.equal(must(await rooms.hub.logbook.erase({ target: { docking: docking.id }, reason: 'the docking has ended', by: 'ann' })).leaves, 3)
  const begun = await rooms.hub.logbook.mine(docking, 0, 100)
  assert.deepEqual(begun.leaves.map((own) => [own.counter, JSON.parse(own.leaf).kind]), [[1, 'erasure.done']], 'nothing is left but that it was erased')
  for (const kept of [name!.salt.toString('hex'), leaves[0]!.salt!.toString('hex')]) {
    const everything = await rooms.owner.query(`select (select string_agg(p::text, '') from logbook.payloads p) || coalesce((select string_agg(d::text, '') from logbook.dockings d), '') as all`)
    assert.ok(!everything.rows[0].all.includes(kept) && !everything.rows[0].all.includes('mem_1'))
  }
  await rooms.hub.logbook.seal()
  const after = await leavesOf(rooms)
  assert.deepEqual(after.slice(0, before.length), before, 'no leaf was touched')
  assert.equal(after.filter(({ leaf }) => leaf.kind === 'erasure.done').length, 2)
  assert.deepEqual(await audit(rooms), [])
  await tell(rooms, docking.lane, [{ docking: docking.id, kind: 'key.added' }])
  await rooms.hub.logbook.seal()
  const again = await rooms.hub.logbook.mine(docking, 0, 100)
  assert.equal(again.leaves.length, 2)
  assert.notDeepEqual(again.name!.salt, name!.salt, 'who goes on has a new name')
  assert.deepEqual(await audit(rooms), [])
  assert.equal((await rooms.hub.logbook.erase({ target: { leaf: 9_999 }, reason: 'x', by: 'ann' })).ok, false)
})

test('the digest of a block is that of the rows in their binary form, whatever stands in them', async (t) => {
  const rooms = await openRooms(t)
  const at = new Date('2026-12-01T08:00:00.120Z')
  const bodies = ['{}', '"\\/\b\f\n\r\t\u0001\u001f\u007f\u2028\ud83d\ude00中文', '', '[1, 2]', '{"a":null}', "'; drop", '\\u0041', '\\\\x00']
  const facts = bodies.map((body, i) => ({ lane: 7, position: BigInt(i + 1), docking: i % 2 ? 'dck_"1' : null, kind: i === 3 ? 'key.added' : 'order.accepted', subject: i % 3 ? body : null, code: i % 4 ? null : 'orders.not_found', body, at }))
  await rooms.db.run(appendFacts(facts))
  const blocks = readBlocks(await rooms.db.run(loadBlocks([{ lane: 7, after: 0n, upTo: BigInt(bodies.length) }, { lane: 7, after: 2n, upTo: 2n }], ['key'])))
  const field = (type: number, bytes: Buffer | null) => Buffer.concat([int4(type), int4(bytes === null ? -1 : bytes.length), bytes ?? Buffer.alloc(0)])
  const text = (value: string | null) => field(25, value === null ? null : Buffer.from(value))
  const hashes = facts.map((fact) => sha256(Buffer.concat([
    int4(8), field(23, int4(fact.lane)), field(20, int8(fact.position)), text(fact.docking), text(fact.kind), text(fact.subject), text(fact.code), text(fact.body),
    // Microseconds since the year 2000.
    field(1184, int8(BigInt(at.getTime() - Date.UTC(2000, 0, 1)) * 1_000n)),
  ])))
  assert.deepEqual(blocks.map(({ count, digest, chosen }) => [count, digest?.toString('hex') ?? null, chosen]), [[bodies.length, sha256(Buffer.concat(hashes)).toString('hex'), [4n]], [0, null, []]])
})

function int4(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int8(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

test('that a measure is being thought over is no leaf', async (t) => {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking()
  await tell(rooms, docking.lane, [{ kind: 'decision.drafted', subject: 'dec_draft' }, { docking: docking.id, kind: 'decision.lifted', subject: 'dec_old' }])
  await rooms.hub.logbook.seal()
  const kinds = (await leavesOf(rooms)).map(({ leaf }) => leaf.kind)
  assert.ok(kinds.includes('decision.lifted') && !kinds.includes('decision.drafted'))
  assert.deepEqual(await audit(rooms), [])
})
