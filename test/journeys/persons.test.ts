import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { verifyDocument, type PublishedKey } from '../../protocol/documents.ts'
import { startHub } from '../hub.ts'

test('who runs the main site is a person: the key tells the name, the role tells what may be done, an ended key does nothing', async (t) => {
  const hub = await startHub(t)
  const as = async (key: string, method: string, path: string, body?: unknown) => {
    const reply = await fetch(hub.url + path, { method, headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) }, ...(body ? { body: JSON.stringify(body) } : {}) })
    return { status: reply.status, body: await reply.json() as Record<string, string> }
  }
  const li = (await hub.operator('POST', '/operator/operators', { name: 'li.wei', roles: ['operator'] })).body
  assert.match(li.key, /^bth_op_/)
  assert.equal((await as(li.key, 'GET', '/operator/dockings')).status, 200)

  const docking = await hub.openDocking({ name: 'Held' })
  const held = await as(li.key, 'POST', `/operator/dockings/${docking.id}/holds`, {
    code: 'compliance.identity_unverified', scope: ['orders'], facts: ['No business licence was handed in.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Hand in the licence.', zh: '请提交营业执照。' },
  })
  assert.equal(held.status, 201, JSON.stringify(held.body))
  const [by] = (await hub.hub.db.run({ text: 'select decided_by from decisions.decisions where id = $1', values: [held.body.id] }))[0]!
  assert.equal(by, 'li.wei', 'the decision carries the name of the one whose key it was')

  const beyond = await as(li.key, 'POST', '/operator/operators', { name: 'friend', roles: ['owner'] })
  assert.deepEqual([beyond.status, beyond.body.code, beyond.body.because], [403, 'operators.role_missing', { needed: 'owner', granted: ['operator'] }])
  const again = await hub.operator('POST', '/operator/operators', { name: 'li.wei', roles: ['reviewer'] })
  assert.deepEqual([again.status, again.body.code], [409, 'operators.name_taken'])
  for (const name of ['Li', '', 'a b', 'x'.repeat(41), '../x']) assert.equal((await hub.operator('POST', '/operator/operators', { name, roles: ['operator'] })).body.code, 'protocol.invalid_field', name)

  const last = await hub.operator('POST', '/operator/operators/owner/end', {})
  assert.deepEqual([last.status, last.body.code], [409, 'operators.last_owner'])
  assert.equal((await hub.operator('POST', '/operator/operators/li.wei/end', {})).status, 200)
  assert.deepEqual([(await as(li.key, 'GET', '/operator/dockings')).body.code, (await hub.operator('POST', '/operator/operators/li.wei/end', {})).body.code], ['partners.key_unknown', 'operators.not_found'])
  const kept = await hub.hub.db.run({ text: `select count(*)::int from platform.facts where kind like 'operator.%' and body like '%bth_op_%'`, values: [] })
  assert.equal(kept[0]![0], 0, 'no key stands in a fact')
})

test('the hub signs with one hand for life, and anybody can check it with what the hub publishes', async (t) => {
  const hub = await startHub(t)
  const published = (await (await fetch(`${hub.url}/.well-known/berth`)).json() as { keys: PublishedKey[] }).keys
  const document = hub.hub.signer.signDocument({ verdict: 'healthy', at: '2026-12-01T00:00:00.000Z' })
  const check = (raw: Uint8Array, signature: Uint8Array, bytes: Uint8Array) =>
    verify(null, bytes, createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' }), signature)
  assert.equal(await verifyDocument(document, published, check), true)
  assert.equal(await verifyDocument({ ...document, verdict: 'technical' }, published, check), false)
  const sealed = (await hub.hub.db.run({ text: 'select sealed from platform.signing_keys', values: [] }))[0]![0] as Buffer
  assert.equal(sealed.includes(Buffer.from('302e020100300506032b6570', 'hex')), false, 'the private half does not lie there in plain')
})
