import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromBase64 } from '../../protocol/bytes.ts'
import { readNote } from '../../protocol/checkpoint.ts'
import { hashNow, leafHash, verifyConsistency, verifyInclusion, type Hashing } from '../../protocol/merkle.ts'
import { auditLog, Berth, cosign, LogWatch, type LogMemory, type LogStore, type Own } from '../../sdk/index.ts'
import { readContract } from '../contract.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

const now = <T>(hashing: Hashing<T>) => hashNow(hashing, (bytes) => createHash('sha256').update(bytes).digest())
const get = async (hub: TestHub, path: string) => {
  const response = await fetch(hub.url + path)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text }
}

const hold = (hub: TestHub, docking: TestDocking) => hub.operator('POST', `/operator/dockings/${docking.id}/holds`, {
  code: 'compliance.identity_unverified', scope: ['orders'], facts: ['No business licence was handed in.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }],
  remedy: { en: 'Hand in the licence.', zh: '请提交营业执照。' },
})

function memoryStore(): LogStore & { kept: LogMemory | null } {
  return { kept: null, async load() { return this.kept }, async save(memory) { this.kept = memory } }
}

const berthOf = (hub: TestHub, { keyId, keySecret }: TestDocking) => new Berth({ url: hub.url, credentials: { keyId: keyId!, keySecret: keySecret! } })

async function makePair() {
  const { privateKey, publicKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']) as { privateKey: Parameters<typeof cosign>[1]['privateKey']; publicKey: Parameters<typeof cosign>[1]['privateKey'] }
  return { privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)) }
}

/** All that a docking holds against the log, by its own client. */
async function ownOf(hub: TestHub, docking: TestDocking): Promise<Own> {
  const berth = berthOf(hub, docking)
  const [mine, me] = [await berth.call({ method: 'GET', path: '/api/log/mine', isRepeatable: true }, {}), await berth.getDocking()]
  assert.ok(mine.ok && me.ok)
  return { docking: docking.id, leaves: [mine.value as Own['leaves'][number]], decisions: me.value.decisions }
}

test('anybody reads and proves the log without a key, bounded, cacheable, as the document promises', async (t) => {
  const hub = await startHub(t)
  const contract = await readContract(hub.url)
  const read = async (path: string, status: number) => {
    const reply = await get(hub, path)
    contract.check('GET', path, reply)
    assert.equal(reply.status, status, `${path}: ${reply.text}`)
    return reply
  }
  assert.match((await read('/api/log/checkpoint', 200)).text, /^127\.0\.0\.1:\d+\/log\n0\n47DEQpj8HBSa\+\/TImW\+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— /, 'an empty log has a checkpoint too')
  await hub.openDocking({ mode: 'live' })
  await hub.hub.logbook.seal()
  const early = readNote((await read('/api/log/checkpoint', 200)).text)!.checkpoint
  await hub.openDocking({ mode: 'live' })
  await hub.hub.logbook.seal()
  const { size, root } = readNote((await read('/api/log/checkpoint', 200)).text)!.checkpoint
  const leaves = await read(`/api/log/leaves?from=0&limit=${size}`, 200)
  assert.equal(leaves.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.equal(leaves.headers.get('access-control-allow-origin'), '*')
  for (const { index, leaf } of leaves.body.items) {
    const proof = (await read(`/api/log/proof?leaf=${index}&size=${size}`, 200)).body
    assert.ok(now(verifyInclusion({ leafHash: now(leafHash(Buffer.from(leaf))), leaf: index, size, root, hashes: proof.hashes.map((hash: string) => fromBase64(hash)!) })))
  }
  const step = (await read(`/api/log/consistency?from=${early.size}`, 200)).body
  assert.ok(now(verifyConsistency({ from: early.size, fromRoot: early.root, to: size, toRoot: root, hashes: step.hashes.map((hash: string) => fromBase64(hash)!) })))
  assert.equal(readNote((await read(`/api/log/checkpoint?size=${early.size}`, 200)).text)!.checkpoint.size, early.size)
  assert.deepEqual((await read('/api/log/witnesses', 200)).body, { items: [], next: null })
  assert.deepEqual((await read(`/api/log/leaves?from=${size}`, 200)).body, { items: [], next: null })
  for (const path of [`proof?leaf=${size}`, `proof?leaf=0&size=${size + 1}`, `proof?leaf=3&size=2`, `consistency?from=${size + 1}`, `consistency?from=2&to=1`, `checkpoint?size=${size + 1}`, `checkpoint?size=${early.size + 1}`]) {
    assert.equal((await read(`/api/log/${path}`, 404)).body.code, 'logbook.not_sealed', path)
  }
  for (const path of ['proof', 'proof?leaf=-1', 'proof?leaf=01', 'proof?leaf=1e3', 'consistency', 'leaves', 'leaves?from=0&limit=0', 'leaves?from=0&limit=1000', 'leaves?from=0&nonsense=1', 'checkpoint?size=9999999999999999999', 'witnesses?x=1']) {
    assert.equal((await read(`/api/log/${path}`, 422)).body.code, 'protocol.invalid_field', path)
  }
})

test('a decision carries the proof of where it is sealed, answers the newest checkpoint, and a docking opens its leaves', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  assert.equal((await hold(hub, shop)).status, 201)
  const before = (await hub.signed(shop, 'GET', '/api/docking')).body.decisions[0]
  assert.equal(before.sealed, null, 'not sealed yet')
  await hub.hub.logbook.seal()
  const reply = await hub.bearer(shop, 'GET', '/api/docking')
  const { size, root } = readNote(reply.body.decisions[0].sealed.checkpoint)!.checkpoint
  assert.equal(reply.headers.get('berth-checkpoint'), `${size};${Buffer.from(root).toString('base64')}`)
  const mine = await hub.bearer(shop, 'GET', '/api/log/mine?limit=1')
  const { leaves } = mine.body.name
  assert.deepEqual([mine.body.items.length, mine.body.items[0].n, mine.body.next], [1, 1, 1])
  assert.deepEqual((await hub.bearer(shop, 'GET', '/api/log/mine')).body.items.map((item: { n: number }) => item.n), Array.from({ length: leaves }, (_, i) => i + 1))
  assert.deepEqual((await hub.bearer(shop, 'GET', `/api/log/mine?after=${leaves}`)).body.items, [])
  const look = await new LogWatch({ url: hub.url, store: memoryStore() }).look()
  assert.deepEqual(look.faults, [])
  const other = await hub.openDocking({ mode: 'live' })
  assert.deepEqual((await hub.bearer(other, 'GET', '/api/log/mine')).body, { name: null, items: [], next: null }, 'nobody sees the leaves of another')
})

test('a partner watches from the first look on, proves its own leaves and statements, and nothing is wrong', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  const store = memoryStore()
  const watch = new LogWatch({ url: hub.url, store })
  let opened = 0
  for (let i = 0; i < 3; i++) {
    if (i === 1) await hold(hub, shop)
    else await hub.openDocking({ mode: 'live' })
    await hub.hub.logbook.seal()
    const look = await watch.look()
    const own = await ownOf(hub, shop)
    const audit = await auditLog(watch, look, own)
    assert.deepEqual(audit.faults, [])
    assert.equal(audit.leaves, look.note!.checkpoint.size)
    if (i === 0) opened = audit.own
    assert.equal(audit.own, i === 0 ? opened : opened + 1)
  }
  assert.ok(store.kept)
})

test('dockings are the witnesses: what they signed is shown to all, and nothing else is taken for it', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  await hub.hub.logbook.seal()
  const { note } = await new LogWatch({ url: hub.url, store: memoryStore() }).look()
  const pair = await makePair()
  const timeS = Math.floor(Date.now() / 1000)
  const ask = await cosign(note!, pair, timeS)
  assert.equal((await hub.bearer(shop, 'POST', '/api/log/witness', ask)).body.code, 'partners.signature_required')
  const taken = await hub.signed(shop, 'POST', '/api/log/witness', ask)
  assert.equal(taken.status, 200, taken.text)
  assert.deepEqual((await hub.signed(shop, 'POST', '/api/log/witness', ask)).body, taken.body, 'again changes nothing')
  assert.deepEqual((await get(hub, '/api/log/witnesses')).body.items, [taken.body])
  assert.ok((await get(hub, `/api/log/checkpoint?size=${ask.size}`)).text.endsWith(`${ask.line}\n`))
  await hub.hub.logbook.seal()
  assert.equal((await hub.bearer(shop, 'GET', '/api/log/mine')).body.items.at(-1).leaf.includes('"kind":"witness.added"'), true, 'the log names its witnesses')
  const stale = await cosign(note!, pair, timeS - 3_600)
  const spoilt = { ...ask, line: ask.line.replace(/.(?=..$)/, (letter) => (letter === 'A' ? 'B' : 'A')) }
  for (const [body, code] of [
    [stale, 'logbook.cosignature_invalid'], [spoilt, 'logbook.cosignature_invalid'], [{ ...ask, line: 'x' }, 'logbook.cosignature_invalid'], [{ ...ask, publicKey: Buffer.alloc(32).toString('base64') }, 'logbook.cosignature_invalid'],
    [{ ...ask, size: ask.size + 1000 }, 'logbook.not_sealed'], [{ ...ask, publicKey: 'AAAA' }, 'protocol.invalid_field'],
  ] as const) assert.equal((await hub.signed(shop, 'POST', '/api/log/witness', body)).body.code, code, JSON.stringify(body))
  for (let i = 0; i < 5; i++) {
    const one = await cosign(note!, await makePair(), timeS)
    assert.equal((await hub.signed(shop, 'POST', '/api/log/witness', one)).status, i < 4 ? 200 : 422, `key ${i + 2}`)
  }
})

test('the operator checks the log and erases from it, for a reason', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  await hub.hub.logbook.seal()
  const { leaves } = (await hub.bearer(shop, 'GET', '/api/log/mine')).body.name
  assert.deepEqual((await hub.operator('GET', '/operator/log/check')).body, { ok: true, findings: [] })
  assert.equal((await hub.operator('POST', '/operator/log/erase', { reason: 'no target' })).body.code, 'protocol.invalid_field')
  assert.equal((await hub.operator('POST', '/operator/log/erase', { leaf: 0, docking: shop.id, reason: 'two targets' })).body.code, 'protocol.invalid_field')
  assert.equal((await hub.operator('POST', '/operator/log/erase', { leaf: 9_999, reason: 'not there' })).body.code, 'logbook.not_sealed')
  assert.equal((await hub.operator('POST', '/operator/log/erase', { docking: 'dck_nobody', reason: 'not there' })).body.code, 'partners.docking_not_found')
  assert.equal((await hub.operator('POST', '/operator/log/erase', { docking: shop.id, reason: 'the docking has ended' })).body.leaves, leaves)
  const { items } = (await hub.bearer(shop, 'GET', '/api/log/mine')).body
  assert.deepEqual(items.map((item: { n: number; payload: string }) => [item.n, JSON.parse(item.payload).kind]), [[1, 'erasure.done']], 'nothing is left but that it was erased')
  assert.deepEqual((await hub.operator('GET', '/operator/log/check')).body, { ok: true, findings: [] })
})

test('a hub that runs seals by itself, and what happened is proved a second later', async (t) => {
  const hub = await startHub(t)
  hub.hub.logbook.start()
  const shop = await hub.openDocking({ mode: 'live' })
  await hold(hub, shop)
  for (let i = 0; i < 100 && (await hub.bearer(shop, 'GET', '/api/docking')).body.decisions[0].sealed === null; i++) await sleep(50)
  assert.notEqual((await hub.bearer(shop, 'GET', '/api/docking')).body.decisions[0].sealed, null)
})
