import assert from 'node:assert/strict'
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { makeKey } from '../../protocol/keys.ts'
import type { ReasonCode } from '../../protocol/reasons.ts'
import { signRequest } from '../../protocol/signature.ts'
import { leavesNothing, openBadWorld, refusedAs, send, type BadWorld } from '../bad-inputs.ts'

// Rows 49 to 64 of the list of bad inputs: signatures, keys, clocks, nonces and references.
const JSON_TYPE = { 'content-type': 'application/json' }
let world: BadWorld
const endings: (() => Promise<void>)[] = []
before(async () => {
  world = await openBadWorld({ after: (end) => void endings.unshift(end) })
})
after(async () => {
  for (const end of endings) await end()
})

type Signed = { headers: Record<string, string>; bytes: string }
type SignOptions = { keyid?: string; secret?: string; created?: number; nonce?: string; alg?: string; drop?: string; body?: Record<string, unknown>; idempotencyKey?: string }

/** A live order signed by hand, so that any part of it can be wrong. */
function signOrder({ keyid = world.live.keyId!, secret = world.live.keySecret!, created = Math.floor(Date.now() / 1000), nonce = randomBytes(12).toString('hex'), body = world.ask(), idempotencyKey }: SignOptions = {}): Signed {
  const bytes = JSON.stringify(body)
  const headers = signRequest({ method: 'POST', url: `${world.hub.url}/api/orders`, body: bytes, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) }, {
    keyid, created, nonce, hmacSha256: (base) => createHmac('sha256', secret).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
  })
  return { headers: { ...(headers as Record<string, string>), ...JSON_TYPE, ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }) }, bytes }
}

const place = ({ headers, bytes }: Signed) => send(world.hub, 'POST', '/api/orders', headers, bytes)

test('rows 49 to 56, a signature that is missing, misshapen, over something else or by another algorithm', async () => {
  const cases: [what: string, code: ReasonCode | ReasonCode[], change: (signed: Signed) => Signed][] = []
  const header = (name: string, value: string | ((old: string) => string) | undefined) => ({ headers, bytes }: Signed): Signed => {
    const { [name]: old, ...rest } = headers
    return { bytes, headers: value === undefined ? rest : { ...rest, [name]: typeof value === 'string' ? value : value(old!) } }
  }
  const add = (what: string, code: ReasonCode | ReasonCode[], ...steps: ((signed: Signed) => Signed)[]) => cases.push([what, code, (signed) => steps.reduce((now, step) => step(now), signed)])
  add('no signature at all', 'partners.credentials_missing', header('signature', undefined), header('signature-input', undefined))
  add('no Signature', 'partners.signature_malformed', header('signature', undefined))
  add('no Signature-Input', 'partners.signature_malformed', header('signature-input', undefined))
  for (const value of ['', '0', 'sig1=0', 'sig1=[]', 'sig1=null', 'sig1=""', 'sig1=::', 'sig1', '[]', 'null']) add(`Signature: ${value}`, 'partners.signature_malformed', header('signature', value))
  for (const value of ['', '0', '[]', 'null', 'sig1=()', 'sig1', 'sig1=(', 'x'.repeat(4_000)]) add(`Signature-Input: ${value.slice(0, 20)}`, ['partners.signature_malformed', 'partners.signature_incomplete'], header('signature-input', value))
  const bytesOf = (old: string) => Buffer.from(old.slice(6, -1), 'base64')
  const spelled = (bytes: Uint8Array) => `sig1=:${Buffer.from(bytes).toString('base64')}:`
  add('31 bytes', 'partners.signature_malformed', header('signature', (old) => spelled(bytesOf(old).subarray(1))))
  add('33 bytes', 'partners.signature_malformed', header('signature', (old) => spelled(Buffer.concat([bytesOf(old), Buffer.from([0])]))))
  add('hexadecimal digits', 'partners.signature_malformed', header('signature', (old) => `sig1=:${bytesOf(old).toString('hex')}:`))
  add('a blank inside', 'partners.signature_malformed', header('signature', (old) => `${old.slice(0, 20)} ${old.slice(20)}`))
  add('another label', 'partners.signature_malformed', header('signature', (old) => old.replace('sig1', 'sig2')))
  add('one bit', 'partners.signature_invalid', header('signature', (old) => spelled(bytesOf(old).map((byte, i) => (i === 7 ? byte ^ 1 : byte)))))
  add('components in another order', 'partners.signature_invalid', header('signature-input', (old) => old.replace('"@method" "@authority"', '"@authority" "@method"')))
  add('alg none', 'partners.signature_malformed', header('signature-input', (old) => `${old};alg="none"`))
  add('alg of another kind', 'partners.signature_invalid', header('signature-input', (old) => `${old};alg="ed25519"`))
  add('alg added afterwards', 'partners.signature_invalid', header('signature-input', (old) => `${old};alg="hmac-sha256"`))
  for (const name of ['@method', '@authority', '@path', 'content-digest']) add(`${name} not covered`, 'partners.signature_incomplete', header('signature-input', (old) => old.replace(` "${name}"`, '').replace(`"${name}" `, '')))
  for (const name of ['created', 'nonce', 'keyid']) add(`${name} not given`, 'partners.signature_incomplete', header('signature-input', (old) => old.replace(new RegExp(`;${name}=("[^"]*"|\\d+)`), '')))
  add('a body of its own', 'partners.digest_mismatch', ({ headers, bytes }) => ({ headers, bytes: bytes.replace('"quantity":1', '"quantity":9') }))
  add('a digest of its own', 'partners.signature_invalid', header('content-digest', `sha-256=:${createHash('sha256').update('x').digest('base64')}:`))
  add('no digest', ['partners.signature_malformed', 'partners.signature_incomplete'], header('content-digest', undefined))
  add('an idempotency key that is not signed', 'partners.signature_incomplete', header('idempotency-key', 'x'))
  add('the key of nobody', 'partners.signature_invalid', header('signature-input', (old) => old.replace(world.live.keyId!, 'key_00000000000000000000')))
  const { hub } = world
  await leavesNothing(hub, async () => {
    for (const [what, code, change] of cases) {
      const problem = refusedAs(await place(change(signOrder())), code, what)
      assert.doesNotMatch(JSON.stringify(problem), new RegExp(world.live.keySecret!), what)
    }
    refusedAs(await send(hub, 'GET', '/api/orders?limit=1', signGet('/api/orders')), 'partners.signature_incomplete', 'a query that is not covered')
    refusedAs(await send(hub, 'POST', '/api/orders', { ...signOrder().headers, ...signGet('/api/orders') }, JSON.stringify(world.ask())), 'partners.signature_incomplete', 'the signature of a GET on a POST')
  })
})

function signGet(path: string): Record<string, string> {
  return signRequest({ method: 'GET', url: world.hub.url + path }, {
    keyid: world.live.keyId!, created: Math.floor(Date.now() / 1000), nonce: randomBytes(8).toString('hex'),
    hmacSha256: (base) => createHmac('sha256', world.live.keySecret!).update(base).digest(), sha256: (data) => createHash('sha256').update(data).digest(),
  }) as Record<string, string>
}

test('rows 57 to 59, keys of somebody else, of the other mode, ended, or badly copied', async () => {
  const { hub, live, play, ask } = world
  await leavesNothing(hub, async () => {
    refusedAs(await place(signOrder({ keyid: play.keyId! })), 'partners.signature_invalid', 'the secret of A with the id of B')
    refusedAs(await place(signOrder({ secret: play.keySecret! })), 'partners.signature_invalid', 'the secret of B with the id of A')
    const lookups: string[] = []
    const ring = hub.hub.keys
    const byBearer = ring.byBearer.bind(ring)
    ring.byBearer = (token) => (lookups.push(token), byBearer(token))
    const key = live.apiKey!
    for (const copied of [key.slice(0, -1), `${key}0`, key.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')), key.replace('bth_live_', 'bth_test_'), key.toUpperCase(), key.replace('bth_live_', ''), 'x', '0', 'null', 'undefined', '{}']) {
      refusedAs(await hub.bearer({ ...live, apiKey: copied }, 'GET', '/api/docking'), 'partners.key_malformed', copied)
    }
    assert.deepEqual(lookups, [], 'a badly copied key is never looked up')
    refusedAs(await hub.bearer({ ...live, apiKey: makeKey('bth_live_', randomBytes) }, 'GET', '/api/docking'), 'partners.key_unknown', 'a key of nobody')
    assert.equal(lookups.length, 1)
    ring.byBearer = byBearer
    refusedAs(await hub.bearer({ ...live, apiKey: hub.operatorKey }, 'GET', '/api/docking'), 'partners.key_unknown', "the operator's key at the partner's door")
    for (const authorization of [`Bearer ${live.apiKey}`, `Bearer ${makeKey('bth_op_', randomBytes)}`]) refusedAs(await send(hub, 'GET', '/operator/dockings', { authorization }), 'partners.key_unknown', "a partner's key at the operator's door")
    for (const [authorization, code] of [[undefined, 'partners.credentials_missing'], ['', 'partners.credentials_missing'], ['Basic YTpi', 'partners.credentials_missing'], ['Bearer', 'partners.credentials_missing'], ['Bearer x', 'partners.key_malformed'], [`Bearer ${'x'.repeat(5_000)}`, 'partners.credentials_missing']] as const) {
      const headers = authorization === undefined ? {} : { authorization }
      for (const path of ['/api/docking', '/api/orders', '/operator/dockings', '/operator/ledger/check']) refusedAs(await send(hub, 'GET', path, headers as Record<string, string>), code, `${path} ${String(authorization).slice(0, 30)}`)
    }
    // The sandbox's bearer cannot reach live money: its orders are the sandbox's own, and a live order stays unknown to it.
    refusedAs(await hub.bearer(live, 'POST', '/api/orders', ask()), 'partners.signature_required', 'a bearer in live mode')
  })
})

test('rows 60 and 62, times and nonces outside of what is allowed', async () => {
  const nowS = Math.floor(Date.now() / 1000)
  const { hub } = world
  await leavesNothing(hub, async () => {
    for (const [created, skewed] of [[nowS - 302, true], [nowS + 330, true], [0, true], [Date.now(), false], [1e15, false]] as const) {
      const problem = refusedAs(await place(signOrder({ created })), skewed ? 'partners.clock_skew' : 'protocol.invalid_field', `created=${created}`)
      if (skewed) {
        assert.ok(Math.abs(problem.because.skewS - (created - nowS)) <= 5)
        assert.ok(Math.abs(Date.parse(problem.serverTime) / 1000 - nowS) <= 10)
      } else assert.equal(problem.because.path, 'signature-input.created')
    }
    for (const created of ['"yesterday"', '"1795383129"', '1795383129.5', '1000000000000000000', '-1e5', 'now', '?1', '']) {
      const { headers, bytes } = signOrder()
      const input = headers['signature-input']!.replace(/created=\d+/, `created=${created}`)
      refusedAs(await place({ headers: { ...headers, 'signature-input': input }, bytes }), ['protocol.invalid_field', 'partners.signature_malformed', 'partners.signature_incomplete'], `created=${created}`)
    }
    for (const nonce of ['', 'x'.repeat(129), 'x'.repeat(1_024)]) {
      const problem = refusedAs(await place(signOrder({ nonce })), 'protocol.invalid_field', `a nonce of ${nonce.length}`)
      assert.equal(problem.because.path, 'signature-input.nonce')
    }
  })
})

test('rows 61 and 64, a nonce serves once; a reference stands for one order of one docking', async () => {
  const { hub, live, play, ask } = world
  const once = signOrder({ nonce: 'once-only', body: ask({ reference: 'N-1' }) })
  const together = await Promise.all([place(once), place(once), place(once)])
  assert.deepEqual(together.map((seen) => seen.status).sort(), [200, 200, 201], 'the same bytes get the same order')
  assert.equal(new Set(together.map((seen) => seen.text)).size, 1)
  await leavesNothing(hub, async () => {
    refusedAs(await place(signOrder({ nonce: 'once-only', body: ask({ reference: 'N-2' }) })), 'partners.nonce_reused', 'the nonce with another order')
    const other = refusedAs(await hub.signed(live, 'POST', '/api/orders', ask({ reference: 'N-1', quantity: 2 })), 'orders.reference_reused', 'the reference with another body')
    assert.deepEqual(other.because, { reference: 'N-1', differs: 'quantity' })
    refusedAs(await hub.signed(live, 'POST', '/api/orders', ask({ reference: 'N-1', member: 'm' })), 'orders.reference_reused', 'the reference with another member')
    const get = signGet('/api/funds/balance')
    assert.equal((await send(hub, 'GET', '/api/funds/balance', get)).status, 200)
    refusedAs(await send(hub, 'GET', '/api/funds/balance', get), 'partners.nonce_reused', 'a read sent twice')
  })
  assert.equal((await hub.bearer(play, 'POST', '/api/orders', ask({ reference: 'N-1' }))).status, 201, 'another docking may use the same number')
})

test('row 63, an idempotency key that is too long, empty or not ASCII is refused, and never breaks anything', async () => {
  const { hub, play, ask } = world
  await leavesNothing(hub, async () => {
    for (const key of ['x'.repeat(256), '', '\u00e9\u00e9']) refusedAs(await hub.bearer(play, 'POST', '/api/docking/report', {}, { 'idempotency-key': key }), 'protocol.invalid_field', `a key of ${key.length}`)
    for (const key of ['x'.repeat(256)]) refusedAs(await place(signOrder({ idempotencyKey: key, body: ask({ reference: 'K-1' }) })), 'protocol.invalid_field', `a signed key of ${key.length}`)
  })
})
