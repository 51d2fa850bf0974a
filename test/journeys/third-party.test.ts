import assert from 'node:assert/strict'
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { createSigner, httpbis, type Request, type SignConfig } from 'http-message-signatures'
import { readContract, type Contract } from '../contract.ts'
import { startHub, type Reply, type TestDocking, type TestHub } from '../hub.ts'
import type { Json } from '../raw-http.ts'

type Signer = { id: string; sign: SignConfig['key'] }
type Options = { name?: string; params?: string[]; fields?: string[]; values?: SignConfig['paramValues']; digest?: 'sha-256' | 'sha-512' }
type Call = (method: string, path: string, body?: unknown, options?: Options) => Promise<Reply & { base: string }>

/** A stranger's client: the published document, RFC 9421, RFC 9530 and a library that others wrote. Nothing of ours. */
function stranger(url: string, contract: Contract, signer: Signer): Call {
  return async (method, path, body, { name = 'sig1', params, fields, values, digest = 'sha-256' } = {}) => {
    const bytes = body === undefined ? undefined : JSON.stringify(body)
    const headers: Record<string, string> = bytes === undefined ? {} : {
      'content-type': 'application/json',
      'content-digest': `${digest}=:${createHash(digest.replace('-', '')).update(bytes).digest('base64')}:`,
    }
    const request: Request = { method, url: url + path, headers }
    const covered = fields ?? ['@method', '@authority', '@path', ...(path.includes('?') ? ['@query'] : []), ...(bytes === undefined ? [] : ['content-digest'])]
    const signed = await httpbis.signMessage({
      key: signer.sign, name, fields: covered, params: params ?? ['created', 'nonce', 'keyid'],
      paramValues: { keyid: signer.id, nonce: randomBytes(12).toString('hex'), ...values },
    }, request)
    const input = String(signed.headers['Signature-Input'] ?? signed.headers['signature-input']).slice(name.length + 1)
    const base = httpbis.formatSignatureBase([...httpbis.createSignatureBase({ fields: covered.map((field) => `"${field}"`) } as never, request), ['"@signature-params"', [input]]])
    const response = await fetch(url + path, { method, headers: signed.headers as Record<string, string>, ...(bytes === undefined ? {} : { body: bytes }) })
    const text = await response.text()
    const reply = { status: response.status, headers: response.headers, text, body: JSON.parse(text), base }
    contract.check(method, path, reply)
    return reply
  }
}

const hmac = (docking: Pick<TestDocking, 'keyId' | 'keySecret'>): Signer => ({ id: docking.keyId!, sign: createSigner(Buffer.from(docking.keySecret!, 'utf8'), 'hmac-sha256') })

type World = { hub: TestHub; shop: TestDocking; good: string; call: Call; as: (signer: Signer) => Call }

async function open(t: TestContext): Promise<World> {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '1000.00' })
  const contract = await readContract(hub.url)
  const as = (signer: Signer) => stranger(hub.url, contract, signer)
  return { hub, shop, good, as, call: as(hmac(shop)) }
}

const ask = (reference: string, good: string) => ({ reference, good, quantity: 1, maxUnitPrice: '9.50' })

test('a stranger signs a live order with a library from npm, gets the cards, and looks the order up', async (t) => {
  const { hub, shop, good, call } = await open(t)
  const placed = await call('POST', '/api/orders', { ...ask('A-1001', good), quantity: 2 })
  assert.equal(placed.status, 201, placed.text)
  assert.deepEqual(placed.body.cards.map((card: Json) => card.secret), ['Q10-b1-live-1', 'Q10-b1-live-2'])
  const found = await call('GET', `/api/orders/${placed.body.id}`)
  assert.deepEqual([found.status, found.body], [200, placed.body])
  const listed = await call('GET', '/api/orders?reference=A-1001&limit=5')
  assert.equal(listed.body.items[0].id, placed.body.id)

  const masked = await hub.bearer(shop, 'GET', `/api/orders/${placed.body.id}`)
  assert.deepEqual(masked.body.cards.map((card: Json) => card.secret), ['****', '****'])
  const unsigned = await hub.bearer(shop, 'POST', '/api/orders', ask('A-1002', good))
  assert.deepEqual([unsigned.status, unsigned.body.code], [401, 'partners.signature_required'])
  assert.deepEqual(await hub.findings(), [])
})

test('a card with a number shows neither its number nor its secret to a bearer in live mode', async (t) => {
  const { hub, shop, call } = await open(t)
  await hub.operator('POST', '/operator/goods', { items: [{ code: 'NUM', name: 'Numbered', category: 'Test', unitPrice: '1.00' }] })
  const response = await fetch(`${hub.url}/operator/cards?good=NUM&mode=live&batch=b1`, {
    method: 'POST', headers: { authorization: `Bearer ${hub.operatorKey}`, 'content-type': 'text/plain' }, body: '6222020000001234,PIN-77889900\n',
  })
  assert.equal(response.status, 200)
  const good = (await hub.bearer(shop, 'GET', '/api/goods')).body.items.find((item: Json) => item.code === 'NUM').id
  const placed = await call('POST', '/api/orders', ask('N-1', good))
  assert.deepEqual(placed.body.cards, [{ number: '6222020000001234', secret: 'PIN-77889900', expiresAt: null }])
  const masked = await hub.bearer(shop, 'GET', `/api/orders/${placed.body.id}`)
  assert.doesNotMatch(masked.text, /6222020000001234|PIN-77889900/)
})

test('label, order of parameters, order of components, digest algorithm and alg are the signer\'s choice', async (t) => {
  const { good, call } = await open(t)
  const ways: Options[] = [
    { name: 'x' }, { name: 'my-label_2' }, { params: ['keyid', 'nonce', 'created'] }, { params: ['nonce', 'created', 'keyid'] },
    { params: ['created', 'keyid', 'alg', 'nonce'], values: { alg: 'hmac-sha256' } }, { params: ['alg', 'created', 'nonce', 'keyid'], values: { alg: 'hmac-sha256' } },
    { fields: ['content-digest', '@path', '@authority', '@method'] }, { fields: ['@method', '@path', '@authority', 'content-digest', 'content-type', '@target-uri', '@scheme', '@query'] },
    { digest: 'sha-512' }, { params: ['created', 'expires', 'nonce', 'keyid', 'tag'], values: { expires: new Date(Date.now() + 60_000), tag: 'shop' } },
  ]
  for (const [i, way] of ways.entries()) {
    const placed = await call('POST', '/api/orders', ask(`W-${i}`, good), way)
    assert.equal(placed.status, 201, `${JSON.stringify(way)} ${placed.text}`)
  }
})

test('an Ed25519 key that the operator registered signs orders, with and without alg; its secret never leaves the shop', async (t) => {
  const { hub, shop, good, as } = await open(t)
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const added = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'ed25519', publicKey: publicKey.export({ type: 'spki', format: 'pem' }) })
  assert.equal(added.status, 201, added.text)
  assert.equal(added.body.secret, null)
  const call = as({ id: added.body.keyId, sign: createSigner(privateKey, 'ed25519') })
  assert.equal((await call('POST', '/api/orders', ask('E-1', good))).status, 201)
  const named = await call('POST', '/api/orders', ask('E-2', good), { params: ['created', 'nonce', 'keyid', 'alg'], values: { alg: 'ed25519' } })
  assert.equal(named.status, 201, named.text)
  const mixed = await call('POST', '/api/orders', ask('E-3', good), { params: ['created', 'nonce', 'keyid', 'alg'], values: { alg: 'hmac-sha256' } })
  assert.deepEqual([mixed.status, mixed.body.code], [401, 'partners.signature_invalid'])
  // The public key is public: it may not be taken for an HMAC secret.
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const forged = await as({ id: added.body.keyId, sign: createSigner(Buffer.from(pem), 'hmac-sha256') })('POST', '/api/orders', ask('E-4', good))
  assert.equal(forged.body.code, 'partners.signature_invalid')
})

test('a key that is no Ed25519 public key is not registered', async (t) => {
  const { hub, shop } = await open(t)
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' })
  for (const publicKey of ['', 'x', ec, undefined]) {
    const reply = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'ed25519', publicKey })
    assert.deepEqual([reply.status, reply.body.code, reply.body.because.path], [422, 'protocol.invalid_field', '/publicKey'])
  }
})

test('two keys live at once while a shop changes; after its end the old one is told when it ended', async (t) => {
  const { hub, shop, good, call, as } = await open(t)
  const added = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'hmac-sha256' })
  assert.equal(added.status, 201, added.text)
  const renewed = as(hmac({ keyId: added.body.keyId, keySecret: added.body.secret }))
  assert.equal((await call('POST', '/api/orders', ask('K-1', good))).status, 201)
  assert.equal((await renewed('POST', '/api/orders', ask('K-2', good))).status, 201)

  const endsAt = new Date(Date.now() + 1_000).toISOString()
  assert.equal((await hub.operator('POST', `/operator/keys/${shop.keyId}/end`, { at: endsAt })).status, 200)
  const overlap = await call('GET', '/api/docking')
  assert.equal(overlap.status, 200, 'the old key works until its end')
  assert.equal(overlap.body.key.expiresAt, endsAt)
  await sleep(1_100)
  const expired = await call('POST', '/api/orders', ask('K-3', good))
  assert.deepEqual([expired.status, expired.body.code, expired.body.because], [401, 'partners.key_expired', { key: shop.keyId, endedAt: endsAt }])

  assert.equal((await hub.operator('POST', `/operator/keys/${added.body.keyId}/end`, {})).status, 200)
  const revoked = await renewed('POST', '/api/orders', ask('K-3', good))
  assert.deepEqual([revoked.status, revoked.body.code, revoked.body.because.key], [401, 'partners.key_revoked', added.body.keyId])
  // Only the holder of a key is told its fate.
  const guessed = await as(hmac({ keyId: added.body.keyId, keySecret: 'guess' }))('POST', '/api/orders', ask('K-3', good))
  assert.equal(guessed.body.code, 'partners.signature_invalid')
  assert.equal((await hub.bearer(shop, 'GET', '/api/orders?reference=K-3')).body.items.length, 0)
})

test('a revoked bearer key is refused at once', async (t) => {
  const { hub, shop } = await open(t)
  const { body: { key } } = await hub.bearer(shop, 'GET', '/api/docking')
  assert.equal((await hub.operator('POST', `/operator/keys/${key.id}/end`, {})).status, 200)
  const revoked = await hub.bearer(shop, 'GET', '/api/docking')
  assert.deepEqual([revoked.status, revoked.body.code], [401, 'partners.key_revoked'])
})

test('a wrong key is told the hash of the string that both sides built; a known and an unknown name sound the same', async (t) => {
  const { shop, good, as } = await open(t)
  for (const keyId of [shop.keyId!, 'key_00000000000000000000']) {
    const refused = await as(hmac({ keyId, keySecret: 'not the secret' }))('POST', '/api/orders', ask('X-1', good))
    assert.deepEqual([refused.status, refused.body.code], [401, 'partners.signature_invalid'])
    assert.deepEqual(refused.body.because, { baseSha256: createHash('sha256').update(refused.base).digest('hex') })
    assert.match(refused.headers.get('www-authenticate') ?? '', /\S/)
  }
})

test('the report compares the stranger\'s canonical string with the hub\'s and shows the line that differs', async (t) => {
  const { hub, shop, good, call, as } = await open(t)
  const refused = await as(hmac({ keyId: shop.keyId!, keySecret: 'not the secret' }))('POST', '/api/orders?x=1', ask('X-1', good))
  assert.equal(refused.status, 401)
  // The refusal becomes evidence a moment after its answer has left.
  const last = async (): Promise<string | null> => (await call('GET', '/api/docking/report')).body.checks.find((check: Json) => check.check === 'partners.signature').evidence
  for (let waited = 0; !(await last())?.startsWith('fact') && waited < 40; waited++) await sleep(25)
  const wrong = refused.base.replace('"@authority": 127.0.0.1', '"@authority": hub.example')
  assert.notEqual(wrong, refused.base)
  const check = async (base: string) => {
    const report = await call('POST', '/api/docking/report', { signature: { base } })
    assert.equal(report.status, 200, report.text)
    return { verdict: report.body.verdict, signature: report.body.checks.find((check: Json) => check.check === 'partners.signature') }
  }
  const differing = await check(wrong)
  assert.equal(differing.signature.verdict, 'fail')
  const port = new URL(hub.url).port
  assert.deepEqual(differing.signature.because, { line: 2, hub: `"@authority": 127.0.0.1:${port}`, yours: `"@authority": hub.example:${port}` })
  assert.deepEqual([differing.verdict.class, differing.verdict.code, differing.verdict.side], ['technical', 'partners.signature_invalid', 'partner'])
  assert.match(differing.verdict.text.zh, /第 2 行/)
  assert.match(differing.signature.evidence, /^fact \d+\/\d+$/)
  const equal = await check(refused.base)
  assert.equal(equal.signature.verdict, 'pass')
  assert.match(equal.signature.seen.en, /the key differs/)
  assert.doesNotMatch(JSON.stringify([differing, equal]), new RegExp(shop.keySecret!))
})

test('a private key object of the shop\'s own platform works like its PEM', async (t) => {
  const { hub, shop, as } = await open(t)
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } })
  const added = await hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'ed25519', publicKey, scopes: ['docking:read'] })
  const call = as({ id: added.body.keyId, sign: createSigner(createPrivateKey(privateKey), 'ed25519') })
  assert.deepEqual((await call('GET', '/api/docking')).body.key.scopes, ['docking:read'])
  const refused = await call('GET', '/api/funds/balance')
  assert.deepEqual([refused.status, refused.body.code, refused.body.because], [403, 'partners.scope_missing', { needed: 'funds:read', granted: ['docking:read'] }])
})
