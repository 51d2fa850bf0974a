import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { test } from 'node:test'
import { signRequest } from '../../protocol/signature.ts'
import { readContract } from '../contract.ts'
import { startHub, type Reply, type TestDocking } from '../hub.ts'
import type { Json } from '../raw-http.ts'

async function openShop(t: Parameters<typeof startHub>[0], mode: 'live' | 'sandbox' = 'live') {
  const hub = await startHub(t)
  const contract = await readContract(hub.url)
  const shop = await hub.openDocking({ mode, deposit: '100.00' })
  const call = async (method: string, path: string, body?: unknown, options: { as?: TestDocking; key?: string; nonce?: string } = {}): Promise<Reply> => {
    const { as = shop, key, nonce } = options
    const reply = await hub.signed(as, method, path, body, { ...(key === undefined ? {} : { idempotencyKey: key }), ...(nonce === undefined ? {} : { nonce }) })
    contract.check(method, path, reply)
    return reply
  }
  const by = (made: Reply): TestDocking => ({ ...shop, keyId: made.body.key.id, keySecret: made.body.secret })
  const works = async (as: TestDocking) => (await hub.signed(as, 'GET', '/api/docking')).status === 200
  return { hub, contract, shop, call, by, works }
}

test('a partner rolls its key with an overlap: both work, then the old one is ended, and no request in between is refused', async (t) => {
  const { hub, shop, call, by, works } = await openShop(t)
  const rolled = await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '1h' })
  assert.equal(rolled.status, 201)
  assert.equal(rolled.body.old.state, 'ending')
  const left = Date.parse(rolled.body.old.expiresAt) - Date.now()
  assert.ok(left > 3_590_000 && left < 3_610_000, String(left))
  const next = by(rolled)
  assert.ok(await works(shop) && await works(next))
  assert.equal((await hub.signed(shop, 'GET', '/api/docking')).headers.get('berth-key-expires'), rolled.body.old.expiresAt)
  const listed = (await call('GET', '/api/keys', undefined, { as: next })).body.items
  assert.deepEqual(listed.map((key: Json) => `${key.kind} ${key.state} ${key.current}`).sort(), ['bearer live false', 'hmac-sha256 ending false', 'hmac-sha256 live true'])
  assert.doesNotMatch(JSON.stringify(listed), new RegExp(`${next.keySecret}|${shop.keySecret}|${shop.apiKey}`))
  assert.equal((await call('POST', `/api/keys/${shop.keyId}/revoke`, {}, { as: next })).body.key.state, 'ended')
  assert.deepEqual([await works(shop), await works(next)], [false, true], 'a revoked key is dead at once')
  const facts = (await hub.hub.db.run({ text: `select kind, subject from platform.facts where docking = $1 and kind like 'key.%' order by position`, values: [shop.id] })).map((row) => row.join(' '))
  assert.deepEqual(facts, [`key.rolled ${next.keyId}`, `key.revoked ${shop.keyId}`])
})

test('a leaked key is rolled without overlap and is dead at once; the only one that manages keys is not, since the answer could get lost', async (t) => {
  const { hub, shop, call, by, works } = await openShop(t)
  const alone = await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '0' }, { key: 'lost' })
  assert.deepEqual([alone.status, alone.body.code, await works(shop)], [409, 'partners.last_key', true])
  const ed25519 = await call('POST', '/api/keys', { kind: 'ed25519', publicKey: publicPem() })
  const rolled = await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '0' })
  assert.deepEqual([rolled.status, rolled.body.old.state, await works(shop), await works(by(rolled))], [201, 'ended', false, true])
  const again = await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '0' }, { as: by(rolled) })
  assert.equal(again.body.code, 'partners.key_ended')
  assert.equal((await call('POST', `/api/keys/${rolled.body.key.id}/revoke`, {}, { as: by(rolled) })).status, 200)
  const publicKey = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' })
  const reply = await signedBy(ed25519.body.key.id, `${hub.url}/api/keys/${ed25519.body.key.id}/roll`, { overlap: '0', publicKey })
  assert.equal(reply.status, 201, 'no secret can get lost')
})

test('a repeat under one Idempotency-Key gets the same key and never its secret; another ask under it is refused', async (t) => {
  const { shop, call } = await openShop(t)
  const first = await call('POST', '/api/keys', { kind: 'hmac-sha256' }, { key: 'make-1' })
  assert.deepEqual([first.status, typeof first.body.secret], [201, 'string'])
  const again = await call('POST', '/api/keys', { kind: 'hmac-sha256' }, { key: 'make-1' })
  assert.deepEqual([again.status, again.body.key.id, again.body.secret, again.headers.get('idempotent-replayed')], [200, first.body.key.id, null, 'true'])
  assert.equal((await call('POST', '/api/keys', { kind: 'bearer' }, { key: 'make-1' })).body.code, 'protocol.idempotency_key_reused')
  assert.equal((await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '1h' }, { key: 'make-1' })).body.code, 'protocol.idempotency_key_reused')
  assert.equal((await call('POST', `/api/keys/${first.body.key.id}/revoke`, {})).status, 200)
  const rolled = await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '24h' }, { key: 'roll-1' })
  const repeat = await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '24h' }, { key: 'roll-1' })
  assert.deepEqual([repeat.body.key.id, repeat.body.secret, repeat.body.old.expiresAt], [rolled.body.key.id, null, rolled.body.old.expiresAt])
})

test('equal asks for a key at once make one key, and two kinds of limit hold when they come at once', async (t) => {
  const { hub, shop, call } = await openShop(t)
  const same = await Promise.all(Array.from({ length: 6 }, () => call('POST', '/api/keys', { kind: 'ed25519', publicKey: publicPem() }, { key: 'same' }).catch((error: Error) => error)))
  assert.ok(same.every((reply) => !(reply instanceof Error)))
  const many = await Promise.all(Array.from({ length: 6 }, () => call('POST', '/api/keys', { kind: 'bearer' })))
  assert.deepEqual(many.map((reply) => reply.body.code ?? 'made').sort(), ['made', ...Array(5).fill('partners.keys_at_limit')])
  const live = await hub.hub.db.run({ text: 'select kind, count(*)::int from partners.keys where docking = $1 and revoked_at is null group by kind order by kind', values: [shop.id] })
  assert.deepEqual(live, [['bearer', 2], ['ed25519', 1], ['hmac-sha256', 1]])
})

const pem = generateKeyPairSync('ed25519')
function publicPem(): string {
  return pem.publicKey.export({ format: 'pem', type: 'spki' }) as string
}

/** GET, or POST with what is given, signed with the private half. */
async function signedBy(keyid: string, url: string, given?: object): Promise<Response> {
  const method = given === undefined ? 'GET' : 'POST'
  const body = given === undefined ? undefined : JSON.stringify(given)
  const headers = signRequest({ method, url, ...(body === undefined ? {} : { body: Buffer.from(body) }) }, {
    keyid, created: Math.floor(Date.now() / 1000), nonce: randomBytes(12).toString('hex'),
    hmacSha256: (base) => sign(null, Buffer.from(base, 'latin1'), pem.privateKey), sha256: (data) => createHash('sha256').update(data).digest(),
  })
  return fetch(url, { method, headers: { ...(headers as Record<string, string>), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, ...(body === undefined ? {} : { body }) })
}

test('an Ed25519 key is made of its public half, has no secret to show, and signs', async (t) => {
  const { hub, call } = await openShop(t)
  const made = await call('POST', '/api/keys', { kind: 'ed25519', publicKey: publicPem() })
  assert.deepEqual([made.status, made.body.secret], [201, null])
  const reply = await signedBy(made.body.key.id, `${hub.url}/api/docking`)
  assert.equal(reply.status, 200)
  assert.equal((await call('POST', '/api/keys', { kind: 'ed25519', publicKey: 'x' })).body.because.path, '/publicKey')
})

test('no key hands on, rolls or ends more than it may do itself, and none touches a foreign one', async (t) => {
  const { hub, shop, call } = await openShop(t)
  const added = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'hmac-sha256', scopes: ['keys:write', 'goods:read'] })
  const narrow = { as: { ...shop, keyId: added.body.keyId, keySecret: added.body.secret } }
  const code = async (path: string, body: unknown, as: object = narrow) => (await call('POST', path, body, as)).body.code
  assert.equal(await code('/api/keys', { kind: 'bearer', scopes: ['orders:write'] }), 'partners.scope_missing')
  assert.equal(await code('/api/keys', { kind: 'bearer', scopes: ['everything'] }), 'protocol.invalid_field')
  assert.equal(await code(`/api/keys/${shop.keyId}/roll`, { overlap: '0' }), 'partners.scope_missing')
  assert.equal(await code(`/api/keys/${shop.keyId}/revoke`, {}), 'partners.scope_missing')
  assert.deepEqual((await call('POST', '/api/keys', { kind: 'bearer' }, narrow)).body.key.scopes, ['keys:write', 'goods:read'])
  const foreign = await hub.openDocking({ mode: 'live' })
  assert.equal(await code(`/api/keys/${foreign.keyId}/revoke`, {}, {}), 'partners.key_not_found')
  assert.equal(await code(`/api/keys/${foreign.keyId}/roll`, { overlap: '1h' }, {}), 'partners.key_not_found')
  assert.equal((await hub.bearer(shop, 'POST', '/api/keys', { kind: 'bearer' })).body.code, 'partners.signature_required')
})

test('the last lasting key that can make others is not revoked, and its successor need only be there', async (t) => {
  const { shop, call, by } = await openShop(t)
  const revoke = (id: string, as = shop) => call('POST', `/api/keys/${id}/revoke`, {}, { as })
  assert.equal((await revoke(shop.keyId!)).body.code, 'partners.last_key')
  const rolled = await call('POST', `/api/keys/${shop.keyId}/roll`, { overlap: '7d' })
  assert.equal((await revoke(rolled.body.key.id)).body.code, 'partners.last_key', 'the other one only has seven days')
  assert.equal((await revoke(shop.keyId!, by(rolled))).status, 200)
  assert.equal((await revoke(rolled.body.key.id, by(rolled))).body.code, 'partners.last_key')
})

test('a signature that was sent before changes no key, and still gets the answer of its Idempotency-Key', async (t) => {
  const { call } = await openShop(t)
  const first = await call('POST', '/api/keys', { kind: 'bearer' }, { key: 'once', nonce: 'n-1'.padEnd(16, 'x') })
  assert.equal(first.status, 201)
  const again = await call('POST', '/api/keys', { kind: 'bearer' }, { key: 'once', nonce: 'n-1'.padEnd(16, 'x') })
  assert.deepEqual([again.status, again.body.key.id], [200, first.body.key.id])
  const other = await call('POST', '/api/keys', { kind: 'hmac-sha256' }, { key: 'twice', nonce: 'n-1'.padEnd(16, 'x') })
  assert.equal(other.body.code, 'partners.nonce_reused')
  assert.equal((await call('POST', `/api/keys/${first.body.key.id}/revoke`, {}, { nonce: 'n-1'.padEnd(16, 'x') })).body.code, 'partners.nonce_reused')
})

test('keys are listed in pages, the newest first', async (t) => {
  const { shop, call } = await openShop(t, 'sandbox')
  await call('POST', '/api/keys', { kind: 'hmac-sha256' })
  const ids: string[] = []
  for (let cursor = ''; ; ) {
    const page = (await call('GET', `/api/keys?limit=1${cursor}`)).body
    ids.push(...page.items.map((key: Json) => key.id))
    if (page.next === null) break
    cursor = `&cursor=${page.next}`
  }
  assert.deepEqual(ids, ids.toSorted().toReversed())
  assert.ok(ids.length === 3 && ids.includes(shop.keyId!))
})
