import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { randomBytes } from 'node:crypto'
import { codeOf, must, openRooms } from '../../../test/house/rooms.ts'
import { Cases, type Case, type Dossier } from './index.ts'
import { confirm, move, note, openCase, propose, write } from './rules.ts'

const deed = (by: string) => ({ by, at: '2026-11-22T08:00:00.000Z', note: 'Seen.' })
const DOSSIER: Dossier = {
  found: 'Rule 4, 2026-11-20', subjects: ['Shop Ltd, 91350211M000100Y43'], accounts: 'One deposit account.', transactions: { from: '2026-11-01', to: '2026-11-20', text: '900 orders out.', movements: [] },
  relatedParties: [], reasons: ['Pays to move money.'], crimeType: '洗钱', measuresTaken: 'None.', evidence: [],
}
const at: Record<string, Case> = {}
at.alert = openCase('cas_1', { title: 'Ring', dockings: [] }, deed('li'))
at.triage = must(move(at.alert, 'triage', deed('li')))
at.investigate = must(move(at.triage, 'investigate', deed('li')))
at.dossier = must(write(at.investigate, DOSSIER, deed('li')))
at.filed = must(confirm(must(propose(at.dossier, 'filed', deed('li'))), 'R-1', deed('wu')))
at.closed = must(confirm(must(propose(at.triage, 'closed', deed('li'))), '', deed('wu')))

test('a case goes step by step, and no step is left out', () => {
  const next: Record<string, string> = {}
  for (const [state, one] of Object.entries(at)) {
    assert.equal(one.state, state)
    next[state] = [
      ...(['triage', 'investigate'] as const).filter((to) => move(one, to, deed('li')).ok), ...(write(one, DOSSIER, deed('li')).ok ? ['dossier'] : []),
      ...(['filed', 'closed'] as const).filter((as) => propose(one, as, deed('li')).ok),
    ].join(' ')
    assert.equal(note(one, [], deed('li')).ok, state !== 'filed' && state !== 'closed', `a note at ${state}`)
  }
  assert.deepEqual(next, { alert: 'triage', triage: 'investigate closed', investigate: 'dossier closed', dossier: 'investigate dossier filed closed', filed: '', closed: '' })
  assert.equal(codeOf(confirm(at.dossier!, '', deed('wu'))), 'cases.step_out_of_order', 'nothing was proposed')
})

test('two persons end a case: neither who proposed nor who wrote is the second', () => {
  const proposed = must(propose(at.dossier!, 'filed', deed('wu')))
  assert.deepEqual(['wu', 'li', 'chen'].map((by) => codeOf(confirm(proposed, '', deed(by)))), ['cases.same_person', 'cases.same_person', 'accepted'])
  const back = must(move(proposed, 'investigate', deed('chen')))
  assert.deepEqual([back.state, back.proposal, back.dossier], ['investigate', null, DOSSIER], 'sent back, the proposal is off the table')
  assert.equal(must(write(proposed, DOSSIER, deed('chen'))).proposal, null, 'a proposal was about the dossier before')
})

const rooms = await openRooms({ after })
const cases = new Cases({ db: rooms.db, vault: rooms.vault, clock: rooms.clock, random: randomBytes })
const heads = async () => (await rooms.owner.query('select lane, head, answered from platform.lanes order by lane')).rows

test('a case is worked to its end without a fact, and the database tells little of it', async () => {
  const docking = await rooms.openDocking({ deposit: '50.00' })
  const before = await heads()
  const { id } = await cases.open({ title: 'Laundry ring of Shop', dockings: [docking.id], by: 'li', note: '' })
  must(await cases.move(id, 'triage', { by: 'li', note: '' }))
  must(await cases.move(id, 'investigate', { by: 'li', note: '' }))
  assert.equal(must(await cases.movements(id, docking.id, null, 10, 'li'))[0]!.kind, 'deposit')
  assert.equal(codeOf(await cases.movements(id, 'dck_another', null, 10, 'li')), 'protocol.invalid_field')
  must(await cases.write(id, DOSSIER, { by: 'li', note: '' }))
  must(await cases.propose(id, 'filed', { by: 'li', note: 'Whole.' }))
  assert.equal(codeOf(await cases.confirm(id, 'R-1', { by: 'li', note: '' })), 'cases.same_person')
  const ended = must(await cases.confirm(id, 'R-1', { by: 'wu', note: '' }))
  assert.deepEqual([ended.state, ended.ended!.maker, ended.ended!.checker], ['filed', 'li', 'wu'])
  assert.equal(codeOf(await cases.note(id, [], { by: 'li', note: 'More.' })), 'cases.step_out_of_order')
  assert.deepEqual((await cases.list('filed', 'wu')).map((one) => one.id), [id])
  assert.deepEqual(await heads(), before, 'no lane has moved')

  const log = must(await cases.accesses(id, null, 100, 'wu'))
  assert.deepEqual(log.map(({ by, what }) => `${by} ${what}`).toReversed(), [
    'li opened', 'li moved to triage', 'li moved to investigate', 'li read', `li read movements of ${docking.id}`, 'li read', 'li read movements of dck_another',
    'li wrote the dossier', 'li proposed filed', 'li refused: confirmed', 'wu confirmed', 'li refused: noted', 'wu read the access log',
  ])
  assert.deepEqual(log.map(({ number }) => number).toReversed(), log.map((_, i) => i + 1), 'a line that is gone would leave a hole')
  for (const table of ['cases', 'endings', 'accesses']) {
    const bytes = JSON.stringify((await rooms.owner.query(`select * from compliance.${table}`)).rows, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value))
    for (const word of ['Laundry', docking.id, 'li', 'filed', '洗钱'].filter((word) => word.length > 4)) assert.equal(bytes.includes(word), false, `${table} says ${word}`)
  }
  const sizes = (await rooms.owner.query('select distinct octet_length(sealed) as bytes from compliance.cases')).rows.map((row) => row.bytes)
  await cases.open({ title: 'x', dockings: [], by: 'li', note: '' })
  assert.deepEqual((await rooms.owner.query('select distinct octet_length(sealed) as bytes from compliance.cases')).rows.map((row) => row.bytes), sizes, 'a long case and a short one lie there alike')
})

test('persons who work at once lose nothing of each other', async () => {
  const { id } = await cases.open({ title: 'Busy', dockings: [], by: 'li', note: '' })
  await Promise.all(Array.from({ length: 8 }, (_, i) => cases.note(id, [], { by: 'wu', note: `note ${i}` })))
  assert.deepEqual(must(await cases.find(id, 'li')).steps.filter(({ what }) => what === 'noted').map((step) => step.note).sort(), Array.from({ length: 8 }, (_, i) => `note ${i}`))
})

test('the database holds four eyes and history against whoever writes past the rules', async () => {
  const hash = (name: string) => rooms.vault.blind(`case cas_x ${name}`)
  const end = (maker: string, checker: string) => rooms.db.run({ text: 'insert into compliance.endings (case_id, maker, checker) values ($1, $2, $3)', values: ['cas_x', hash(maker), hash(checker)] })
  await assert.rejects(end('li', 'li'), { code: '23514' })
  await end('li', 'wu')
  await assert.rejects(end('li', 'chen'), { code: '23505' }, 'it ends once')
  for (const text of ['delete from compliance.cases', 'delete from compliance.accesses', 'update compliance.accesses set number = 1', 'update compliance.endings set checker = maker', 'delete from compliance.endings']) {
    await assert.rejects(rooms.db.run({ text, values: [] }), { code: '42501' }, text)
  }
})
