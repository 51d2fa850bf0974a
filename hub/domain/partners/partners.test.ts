import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, test } from 'node:test'
import { codeOf, must, openRooms } from '../../../test/house/rooms.ts'
import { readKey } from '../../../protocol/keys.ts'
import { addKey, addressAllowed, endKeyAt, findDocking, KEY_SCOPES, KeyRing, keyInForce, listDockings, mayUse, type Docking } from './index.ts'

const rooms = await openRooms({ after })
const AT = new Date('2026-11-22T08:00:00Z')

/** A ring with a clock that the test moves. */
function ring(): { keys: KeyRing; pass(ms: number): void } {
  let nowMs = AT.getTime()
  return { keys: new KeyRing(rooms.db, rooms.vault, { nowMs: () => nowMs }), pass: (ms) => void (nowMs += ms) }
}

const add = (docking: Docking, kind: 'bearer' | 'hmac-sha256' | 'ed25519' | 'acg', changes: { publicKeyPem?: string; scopes?: readonly string[] } = {}) =>
  addKey(rooms.db, rooms.vault, { id: rooms.ids.make('key', rooms.clock.nowMs()), docking, kind, publicKeyPem: null, scopes: KEY_SCOPES, ...changes })

test('a key is in force until it is revoked or has expired, to the millisecond', () => {
  const later = new Date(AT.getTime() + 1)
  const table: [Date | null, Date | null, string][] = [
    [null, null, 'accepted'], [later, null, 'accepted'], [AT, null, 'partners.key_expired'], [null, AT, 'partners.key_revoked'], [null, later, 'accepted'], [AT, AT, 'partners.key_revoked'],
  ]
  for (const [expiresAt, revokedAt, answer] of table) assert.equal(codeOf(keyInForce({ id: 'key_1', expiresAt, revokedAt }, AT)), answer)
})

test('a scope and an address are told with what is allowed', () => {
  const may = mayUse({ scopes: ['goods:read'] }, 'orders:write')
  assert.ok(!may.ok)
  assert.deepEqual(may.refusal.because, { needed: 'orders:write', granted: ['goods:read'] })
  assert.equal(codeOf(mayUse({ scopes: ['goods:read'] }, 'goods:read')), 'accepted')
  for (const [allowed, address, answer] of [[[], '203.0.113.9', 'accepted'], [['203.0.113.9'], '::ffff:203.0.113.9', 'accepted'], [['203.0.113.9'], '203.0.113.90', 'partners.address_not_allowed'], [['203.0.113.9'], '::1', 'partners.address_not_allowed']] as const) {
    assert.equal(codeOf(addressAllowed(allowed, address)), answer)
  }
})

test('a docking is opened with its keys, in its mode, and is found again', async () => {
  const docking = await rooms.openDocking({ mode: 'sandbox' })
  assert.deepEqual(Object.keys(docking.credentials).sort(), ['apiKey', 'keyId', 'keySecret'])
  assert.ok(readKey(docking.credentials.apiKey!).ok && docking.credentials.apiKey!.startsWith('bth_test_'))
  assert.equal((await findDocking(rooms.db, docking.id))?.lane, docking.lane)
  assert.equal(await findDocking(rooms.db, 'dck_nobody'), null)
  assert.ok((await listDockings(rooms.db, '', 100)).some((one) => one.id === docking.id))
  const shop = await rooms.openDocking({ dialect: 'acg0' })
  assert.match(shop.credentials.appId!, /^\d{4,6}$/)
  const [key] = await ring().keys.ofDocking(shop.id)
  assert.deepEqual([key!.kind, key!.text, key!.mode], ['acg', shop.credentials.appKey, 'live'])
  assert.equal((await rooms.owner.query(`select from platform.facts where kind = 'docking.opened' and subject = any($1)`, [[docking.id, shop.id]])).rowCount, 2)
})

test('a secret is told once, and never stands in the database', async () => {
  const docking = await rooms.openDocking()
  const shop = await rooms.openDocking({ dialect: 'acg0' })
  const added = must(await add(docking, 'hmac-sha256'))
  const secrets = [docking.credentials.apiKey!, docking.credentials.keySecret!, shop.credentials.appKey!, added.secret!]
  const { rows } = await rooms.owner.query(`select k::text as row, hash, sealed from partners.keys k union all select f::text, null, null from platform.facts f`)
  for (const secret of secrets) {
    for (const { row, hash, sealed } of rows as { row: string; hash: Buffer | null; sealed: Buffer | null }[]) {
      assert.ok(!row.includes(secret) && !hash?.includes(secret) && !sealed?.includes(secret))
      // Postgres shows bytes in hex.
      assert.ok(!row.includes(Buffer.from(secret).toString('hex')))
    }
  }
})

test('a sealed secret that was moved under another key\'s name does not open', async () => {
  const [one, other] = [await rooms.openDocking(), await rooms.openDocking()]
  await rooms.owner.query('update partners.keys set sealed = (select sealed from partners.keys where id = $1) where id = $2', [one.credentials.keyId, other.credentials.keyId])
  assert.ok(await ring().keys.byId(one.credentials.keyId!))
  await assert.rejects(ring().keys.byId(other.credentials.keyId!), /authenticate/)
  await rooms.owner.query('update partners.keys set revoked_at = now() where id = $1', [other.credentials.keyId])
})

test('keys rotate: the new lives beside the old until the old one ends, and the newest comes first', async () => {
  const docking = await rooms.openDocking()
  const { keys, pass } = ring()
  const old = docking.credentials.apiKey!
  const added = must(await add(docking, 'bearer'))
  assert.ok(readKey(added.secret!).ok && added.secret!.startsWith('bth_live_'))
  assert.equal((await keys.byBearer(old))!.docking.id, docking.id)
  assert.equal((await keys.byBearer(added.secret!))!.id, added.keyId)
  assert.equal((await keys.ofDocking(docking.id))[0]!.id, added.keyId)
  const oldId = (await keys.byBearer(old))!.id
  const endsAt = new Date(Date.now() + 60_000)
  assert.deepEqual(must(await endKeyAt(rooms.db, oldId, endsAt)), { keyId: oldId, endsAt })
  pass(2_001)
  const ending = (await keys.byBearer(old))!
  assert.deepEqual([ending.expiresAt, codeOf(keyInForce(ending, new Date())), codeOf(keyInForce(ending, endsAt))], [endsAt, 'accepted', 'partners.key_expired'])
  assert.equal(codeOf(await endKeyAt(rooms.db, 'key_00000000000000000000', null)), 'partners.key_not_found')
  const facts = await rooms.owner.query('select kind from platform.facts where docking = $1 order by position', [docking.id])
  assert.deepEqual(facts.rows.map((row) => row.kind), ['docking.opened', 'key.added', 'key.expires'])
})

test('a revoked key is dead within five seconds on a node that has just used it, and stays dead', async () => {
  const docking = await rooms.openDocking()
  const { keys, pass } = ring()
  const token = docking.credentials.apiKey!
  const { id } = (await keys.byBearer(token))!
  const { endsAt } = must(await endKeyAt(rooms.db, id, null))
  pass(5_000)
  for (const found of [await keys.byBearer(token), await keys.byId(id), (await keys.ofDocking(docking.id)).find((key) => key.id === id)]) assert.equal(codeOf(keyInForce(found!, new Date())), 'partners.key_revoked')
  for (const later of [null, new Date(Date.now() + 60_000)]) assert.deepEqual(must(await endKeyAt(rooms.db, id, later)), { keyId: id, endsAt }, 'it stays ended when it ended')
  pass(5_000)
  assert.deepEqual((await keys.byId(id))!.revokedAt, endsAt)
  assert.equal((await rooms.owner.query(`select from platform.facts where subject = $1 and kind in ('key.revoked', 'key.expires')`, [id])).rowCount, 1)
})

test('an unknown key is unknown, costs one look-up in two seconds, and is found soon after it was made', async () => {
  const docking = await rooms.openDocking()
  let lookups = 0
  let nowMs = 0
  const counting = { run: (statement: Parameters<typeof rooms.db.run>[0]) => (lookups++, rooms.db.run(statement)) }
  const keys = new KeyRing({ urgent: counting } as typeof rooms.db, rooms.vault, { nowMs: () => nowMs })
  for (let i = 0; i < 20; i++) assert.equal(await keys.byId('key_later'), null)
  assert.equal(lookups, 1)
  must(await addKey(rooms.db, rooms.vault, { id: 'key_later', docking, kind: 'hmac-sha256', publicKeyPem: null, scopes: ['goods:read'] }))
  nowMs += 2_001
  assert.deepEqual((await keys.byId('key_later'))!.scopes, ['goods:read'])
  await Promise.all(Array.from({ length: 50 }, () => keys.byId('key_together')))
  assert.equal(lookups, 4, 'callers of the same moment share one look-up, and a key that is there brings what stands against its docking')
})

test('a look-up that failed is not remembered', async () => {
  let broken = true
  const docking = await rooms.openDocking()
  const failing = { run: (statement: Parameters<typeof rooms.db.run>[0]) => (broken ? Promise.reject(new Error('no line')) : rooms.db.run(statement)) }
  const keys = new KeyRing({ urgent: failing } as typeof rooms.db, rooms.vault, { nowMs: () => 0 })
  await assert.rejects(keys.byId(docking.credentials.keyId!), /no line/)
  broken = false
  assert.equal((await keys.byId(docking.credentials.keyId!))!.id, docking.credentials.keyId)
})

test('a public key is taken in PEM, of the one kind that is verified; scopes are taken from the list', async () => {
  const docking = await rooms.openDocking()
  const pem = (kind: 'ed25519' | 'x25519') => (generateKeyPairSync as (kind: string) => { publicKey: { export(options: object): string } })(kind).publicKey.export({ type: 'spki', format: 'pem' })
  const added = must(await add(docking, 'ed25519', { publicKeyPem: pem('ed25519') }))
  assert.equal(added.secret, null)
  assert.equal((await ring().keys.byId(added.keyId))!.key!.asymmetricKeyType, 'ed25519')
  for (const publicKeyPem of [pem('x25519'), 'ssh-ed25519 AAAA', '']) assert.equal(codeOf(await add(docking, 'ed25519', { publicKeyPem })), 'protocol.invalid_field')
  assert.equal(codeOf(await add(docking, 'bearer', { scopes: ['goods:read', 'everything'] })), 'protocol.invalid_field')
})

test('a key that is in force is found however often the docking has rotated others', async () => {
  const shop = await rooms.openDocking({ dialect: 'acg0' })
  const first = (await ring().keys.ofDocking(shop.id)).find((key) => key.kind === 'acg')
  for (let i = 0; i < 21; i++) must(await endKeyAt(rooms.db, must(await add(shop, 'acg')).keyId, null))
  const found = (await ring().keys.ofDocking(shop.id)).filter((key) => key.kind === 'acg' && keyInForce(key, new Date()).ok)
  assert.deepEqual(found.map((key) => key.id), [first!.id])
})
