import assert from 'node:assert/strict'
import { test } from 'node:test'
import { types as pgTypes } from 'pg'
import { must, openRooms, type Rooms } from '../../../test/house/rooms.ts'
import { underLanes } from '../../platform/facts.ts'
import { findDecision, hold } from '../decisions/index.ts'
import { auditLog } from './index.ts'

const audit = (rooms: Rooms) => rooms.db.transaction((connection) => auditLog(connection, rooms.hub.signer, async (lane, id) => (await findDecision(rooms.db, lane, id))?.statement ?? null))

/** A log of some seals, with leaves of a docking, a decision and blocks of several lanes. */
async function sealedRooms(t: Parameters<typeof openRooms>[0]) {
  const rooms = await openRooms(t)
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const soon = new Date(Date.now() + 86_400_000).toISOString()
  const decision = must(await hold(rooms.db, {
    id: rooms.ids.make('dec', Date.now()), lane: docking.lane, docking: docking.id, by: 'ann',
    statement: {
      measure: { kind: 'suspend', scope: ['goods'], goods: [], effectiveAt: soon, endsAt: null, liftsWhen: null }, cause: { class: 'compliance', code: 'compliance.identity_unverified', side: 'partner' },
      ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条', quote: '', publishedAt: '' }], facts: [{ text: 'No licence was handed in.' }], evidence: [], source: 'own_review',
      automation: { detection: false, decision: 'not', reviewer: 'ann' }, remedy: [{ step: 1, action: { en: 'Hand it in.', zh: '请提交。' }, who: 'partner', evidenceNeeded: [] }],
      clocks: { respondBy: soon, decideAppealBy: soon, reviewAt: soon }, appeal: { channel: 'x', free: true, differentReviewer: true }, funds: { held: '0', releaseAt: null, ordersInFlight: 'finish' },
    },
  }))
  for (let i = 0; i < 12; i++) {
    await rooms.db.transaction((connection) => underLanes(connection, [docking.lane, -1], async ({ append }) => {
      append({ lane: docking.lane, docking: docking.id, kind: 'key.added', subject: `key ${i}`, code: null, body: '{}' })
      for (let j = 0; j < 3; j++) append({ lane: docking.lane, docking: docking.id, kind: 'order.accepted', subject: `ord ${i} ${j}`, code: null, body: '{"good":"x"}' })
      append({ lane: -1, docking: null, kind: 'goods.imported', subject: null, code: null, body: '{}' })
    }))
    await rooms.hub.logbook.seal()
  }
  assert.deepEqual(await audit(rooms), [])
  return { rooms, docking, decision }
}

test('every change that the owner of the database could make to the log, its payloads or the facts is found and named', async (t) => {
  const { rooms, docking, decision } = await sealedRooms(t)
  const own = (await rooms.owner.query(`select index from logbook.payloads where docking = $1 order by index`, [docking.id])).rows.map((row) => Number(row.index))
  const size = Number((await rooms.owner.query('select size from logbook.sealer')).rows[0].size)
  const block = Number((await rooms.owner.query('select max(index) as i from logbook.leaves where is_block and lane = $1', [docking.lane])).rows[0].i)
  const spoils: [sql: string, names: RegExp][] = [
    [`update logbook.leaves set bytes = replace(bytes, '"kind":"key.added"', '"kind":"key.adden"') where index = ${own[4]}`, new RegExp(`^leaf ${own[4]}: a leaf is what was sealed`, 'm')],
    [`delete from logbook.leaves where index = ${own[4]}`, new RegExp(`^leaf ${own[4]}: no leaf is missing`, 'm')],
    [`delete from logbook.leaves where index >= ${size - 2}`, new RegExp(`^leaf ${size - 2}: the log was not cut`, 'm')],
    [`update logbook.leaves a set bytes = b.bytes from logbook.leaves b where (a.index, b.index) in ((${own[4]}, ${own[5]}), (${own[5]}, ${own[4]}))`, new RegExp(`^leaf ${own[4]}: a leaf says its own place`, 'm')],
    [`update logbook.payloads set payload = replace(payload, 'key 3', 'key 4') where index = ${own[5]}`, new RegExp(`^leaf ${own[5]}: a payload opens the commitment`, 'm')],
    [`update logbook.payloads set salt = set_byte(salt, 3, get_byte(salt, 3) # 1) where index = ${own[5]}`, new RegExp(`^leaf ${own[5]}: a payload opens the commitment`, 'm')],
    [`delete from logbook.payloads where index = ${own[5]}`, new RegExp(`^leaf ${own[5]}: a leaf has its payload`, 'm')],
    [`update logbook.nodes set hash = set_byte(hash, 31, get_byte(hash, 31) # 128) where level = 2 and index = 1`, /^node 1 of level 2: a node is the hash of what is below it/m],
    [`update logbook.nodes set hash = set_byte(hash, 0, get_byte(hash, 0) # 1) where level = 0 and index = 5`, /^node 5 of level 0: a node is the hash/m],
    [`delete from logbook.nodes where level = 1 and index = 3`, /^node 3 of level 1: a node is the hash/m],
    [`insert into logbook.nodes values (0, 99999, decode(repeat('00', 32), 'hex'))`, /^nodes: there is no node but those/m],
    [`update logbook.checkpoints set root = set_byte(root, 0, get_byte(root, 0) # 1) where size = ${size}`, new RegExp(`^checkpoint ${size}: a checkpoint says what its row says`, 'm')],
    [`update logbook.checkpoints set note = replace(note, E'\\n${size}\\n', E'\\n${size + 1}\\n') where size = ${size}`, new RegExp(`^checkpoint ${size}: a checkpoint is signed by the hub`, 'm')],
    [`delete from logbook.checkpoints where size = ${size}`, /^checkpoints: the newest checkpoint is the end of the log/m],
    [`update logbook.sealer set peaks = set_byte(peaks, 0, get_byte(peaks, 0) # 1)`, /^sealer: the tree that grows/m],
    [`update logbook.cursors set position = position - 1 where lane = -1`, /^lane -1: a lane is sealed as far/m],
    [`update logbook.dockings set salt = set_byte(salt, 0, get_byte(salt, 0) # 1)`, new RegExp(`^leaf ${own[0]}: a leaf names its docking`, 'm')],
    [`update platform.facts set body = '{"good":"y"}' where lane = ${docking.lane} and kind = 'order.accepted' and subject = 'ord 11 1'`, new RegExp(`^leaf ${block}: the facts of a block are what was sealed`, 'm')],
    [`update platform.facts set at = at + interval '1 microsecond' where lane = ${docking.lane} and subject = 'ord 11 1'`, new RegExp(`^leaf ${block}: the facts of a block are what was sealed`, 'm')],
    [`delete from platform.facts where lane = ${docking.lane} and subject = 'ord 11 1'`, new RegExp(`^leaf ${block}: every fact of a block is still there`, 'm')],
    [`update platform.facts set kind = 'key.removed' where lane = ${docking.lane} and subject = 'key 3'`, /a leaf says the kind and time of its fact/m],
    [`update platform.facts set kind = 'key.added' where lane = ${docking.lane} and subject = 'ord 11 1'`, new RegExp(`^leaf ${block}: every fact that matters has a leaf of its own`, 'm')],
    [`update decisions.decisions set statement = jsonb_set(statement, '{facts,0,text}', '"Another fact."') where id = '${decision.id}'`, /a payload says its fact and its statement/m],
  ]
  for (const [sql, names] of spoils) {
    await rooms.owner.query('begin')
    assert.ok((await rooms.owner.query(sql)).rowCount! > 0, sql)
    // The owner's own line sees the spoilt rows; nothing of it stays.
    const seen = await auditLog({ run: async ({ text, values }) => (await rooms.owner.query({ text, values: values as unknown[], rowMode: 'array', types: INT8 as never })).rows }, rooms.hub.signer,
      async (lane, id) => (await rooms.owner.query('select statement from decisions.decisions where lane = $1 and id = $2', [lane, id])).rows[0]?.statement ?? null)
    await rooms.owner.query('rollback')
    assert.match(seen.map(({ row, rule }) => `${row}: ${rule}`).join('\n'), names, sql)
    assert.ok(seen.length <= 16, `${sql}: ${seen.length} findings say less than one`)
  }
  assert.deepEqual(await audit(rooms), [])
})

const INT8 = { getTypeParser: (oid: number, format: 'text' | 'binary') => (oid === 20 && format !== 'binary' ? BigInt : pgTypes.getTypeParser(oid, format as 'text')) }
