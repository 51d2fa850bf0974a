import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createHash, createHmac, createPublicKey, generateKeyPairSync, sign, timingSafeEqual, verify } from 'node:crypto'
import fc from 'fast-check'
import { createSigner, createVerifier, httpbis } from 'http-message-signatures'
import { authorityOf, checkContentDigest, checkFreshness, readSignature, signatureBase, signRequest, verifyClaim } from './signature.ts'
import type { SignatureClaim, SignatureCrypto, SignedRequest } from './signature.ts'
import type { Because } from './outcome.ts'

const SECRET = 'bth_test_a-secret-as-issued'
const NOW = 1795383129
const HMAC = { kind: 'hmac-sha256' } as const
const ED25519 = { kind: 'ed25519' } as const
const hmacSha256 = (base: string) => createHmac('sha256', SECRET).update(base, 'latin1').digest()
const sha256 = (body: Uint8Array) => createHash('sha256').update(body).digest()
const sha512 = (body: Uint8Array) => createHash('sha512').update(body).digest()
const hmacCrypto: SignatureCrypto = { hmacSha256, equal: timingSafeEqual }
const bytesOf = (text: string) => new TextEncoder().encode(text)

type Arrived = { method: string; url: string; headers: Record<string, string>; body?: string }

/** The request as the door would hand it over. */
function arrive({ method, url, headers, body }: Arrived): SignedRequest {
  const { protocol, host, pathname, search } = new URL(url)
  const lowered = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const header = (name: string) => lowered.get(name)
  return { method, scheme, authority: authorityOf(host, scheme), path: pathname, query: search, header, hasBody: Boolean(body) }
}

function claimOf(request: SignedRequest): SignatureClaim {
  const outcome = readSignature(request)
  if (!outcome.ok) assert.fail(JSON.stringify(outcome.refusal))
  return outcome.value
}

function refusalOf(outcome: { ok: true } | { ok: false; refusal: { code: string; because: Because } }) {
  return outcome.ok ? 'accepted' : { code: outcome.refusal.code, ...outcome.refusal.because }
}

/** An order as our own client signs it, with the headers to change. */
function order(change: Record<string, string | undefined> = {}, url = 'https://hub.example/api/orders'): Arrived {
  const body = '{"reference":"A-1001"}'
  const signed = signRequest({ method: 'POST', url, body }, { keyid: 'key_1', created: NOW, nonce: 'n-1', hmacSha256, sha256 })
  const headers = Object.entries({ ...signed, ...change }).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { method: 'POST', url, headers: Object.fromEntries(headers), body }
}

/** Signs any Signature-Input by hand, the way a client that reads only the RFC would. */
function handSigned(input: string, base: string, more: Partial<Arrived> = {}): SignedRequest {
  const signature = `sig1=:${hmacSha256(base).toString('base64')}:`
  const headers = { 'Signature-Input': `sig1=${input}`, Signature: signature, ...more.headers }
  return arrive({ method: 'GET', url: 'https://hub.example/api/docking', ...more, headers })
}

const LINES = '"@method": GET\n"@authority": hub.example\n"@path": /api/docking\n"@signature-params": '
const LIST = '("@method" "@authority" "@path")'

const JOURNEYS: Arrived[] = [
  { method: 'GET', url: 'https://hub.example/api/docking', headers: {} },
  { method: 'GET', url: 'http://127.0.0.1:8080/api/goods?after=%E5%8D%A1&limit=5', headers: {} },
  { method: 'POST', url: 'https://hub.example:443/api/orders', headers: {}, body: '{"reference":"卡-1"}' },
  { method: 'POST', url: 'https://Hub.Example/api/claims?x', headers: { 'idempotency-key': 'k"1' }, body: '{}' },
  { method: 'POST', url: 'http://hub.example:80/api/keys/k%2F1/roll?', headers: { 'idempotency-key': 'k 2' } },
]

test('what our client signs, the hub verifies, and another key does not', () => {
  for (const journey of JOURNEYS) {
    for (const withAlg of [false, true]) {
      const idempotencyKey = journey.headers['idempotency-key']
      const signer = { keyid: 'key_"\\1', created: NOW, nonce: 'a "b" \\c', hmacSha256, sha256, withAlg }
      const headers = signRequest({ ...journey, ...(idempotencyKey ? { idempotencyKey } : {}) }, signer)
      const request = arrive({ ...journey, headers: { ...journey.headers, ...headers } })
      const claim = claimOf(request)
      assert.equal(verifyClaim(claim, HMAC, hmacCrypto), true, journey.url)
      assert.equal(verifyClaim(claim, HMAC, { ...hmacCrypto, hmacSha256: (base) => hmacSha256(`${base} `) }), false)
      assert.deepEqual([claim.keyid, claim.nonce, claim.created, claim.expires], ['key_"\\1', 'a "b" \\c', NOW, null])
      assert.equal(claim.alg, withAlg ? 'hmac-sha256' : null)
      assert.equal(headers['content-digest'] === undefined, journey.body === undefined)
      if (journey.body) assert.equal(checkContentDigest(headers['content-digest']!, bytesOf(journey.body), sha256, sha512).ok, true)
    }
  }
})

test('a client with its own library is understood', async () => {
  for (const journey of JOURNEYS.slice(0, 4)) {
    for (const params of [['created', 'nonce', 'keyid'], ['keyid', 'alg', 'nonce', 'created', 'expires', 'tag']]) {
      const digest = journey.body && `sha-512=:${sha512(bytesOf(journey.body)).toString('base64')}:`
      const headers = { ...journey.headers, ...(digest ? { 'Content-Digest': digest } : {}), Accept: ' application/json ' }
      const covered = ['accept', ...Object.keys(journey.headers), '@target-uri', '@path', '@method', '@scheme', '@authority']
      const fields = [...covered, ...(digest ? ['content-digest'] : []), ...(new URL(journey.url).search ? ['@query'] : [])]
      const key = createSigner(SECRET, 'hmac-sha256', 'key_1')
      const paramValues = { created: new Date(NOW * 1000), nonce: 'n-2', expires: new Date((NOW + 60) * 1000), tag: 'berth' }
      const url = new URL(journey.url).href
      const signed = await httpbis.signMessage({ key, name: 'mine', fields, params, paramValues }, { ...journey, url, headers })
      const claim = claimOf(arrive(signed as Arrived))
      assert.equal(verifyClaim(claim, HMAC, hmacCrypto), true, journey.url)
      assert.deepEqual([claim.label, claim.keyid, claim.nonce, claim.created], ['mine', 'key_1', 'n-2', NOW])
      assert.equal(claim.expires, params.includes('expires') ? NOW + 60 : null)
      assert.equal(claim.alg, params.includes('alg') ? 'hmac-sha256' : null)
    }
  }
})

test('what our client signs, another library verifies', async () => {
  const verifier = { id: 'key_1', algs: ['hmac-sha256'], verify: createVerifier(SECRET, 'hmac-sha256') }
  for (const journey of JOURNEYS) {
    for (const withAlg of [false, true]) {
      const idempotencyKey = journey.headers['idempotency-key']
      const signer = { keyid: 'key_1', created: NOW, nonce: 'n-3', hmacSha256, sha256, withAlg }
      const headers = signRequest({ ...journey, ...(idempotencyKey ? { idempotencyKey } : {}) }, signer)
      const message = { method: journey.method, url: journey.url, headers: { ...journey.headers, ...headers } }
      const required = ['@method', '@authority', '@path', ...(journey.body ? ['content-digest'] : [])]
      // The library compares with the clock of the machine, which is not the clock of this test.
      const config = { keyLookup: async () => verifier, requiredFields: required, notAfter: NOW + 1 }
      assert.equal(await httpbis.verifyMessage(config, message), true, journey.url)
      const forged = { ...message, url: message.url.replace('/api', '/API') }
      assert.equal(await httpbis.verifyMessage(config, forged), false)
    }
  }
})

/** RFC 9421 appendix B.2: the request all its examples sign. */
const RFC_REQUEST: SignedRequest = arrive({
  method: 'POST',
  url: 'https://example.com/foo?param=Value&Pet=dog',
  headers: {
    Date: 'Tue, 20 Apr 2021 02:07:55 GMT',
    'Content-Type': 'application/json',
    'Content-Digest':
      'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
    'Content-Length': '18',
  },
  body: '{"hello": "world"}',
})

test('RFC 9421 B.2.5: the signature base and the HMAC of its shared secret', () => {
  const params = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
  const base = signatureBase(RFC_REQUEST, ['date', '@authority', 'content-type'], params)
  assert.ok(base.ok)
  assert.equal(base.value, [
    '"date": Tue, 20 Apr 2021 02:07:55 GMT',
    '"@authority": example.com',
    '"content-type": application/json',
    `"@signature-params": ${params}`,
  ].join('\n'))
  const secret = 'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=='
  const made = createHmac('sha256', Buffer.from(secret, 'base64')).update(base.value).digest('base64')
  assert.equal(made, 'pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=')
})

test('RFC 9421 B.2.6: the Ed25519 signature over derived components', () => {
  const components = ['date', '@method', '@path', '@authority', 'content-type', 'content-length']
  const params = `(${components.map((name) => `"${name}"`).join(' ')});created=1618884473;keyid="test-key-ed25519"`
  const base = signatureBase(RFC_REQUEST, components, params)
  assert.ok(base.ok)
  const spki = 'MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs='
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' })
  const signature = 'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=='
  assert.equal(verify(null, Buffer.from(base.value), key, Buffer.from(signature, 'base64')), true)
})

test('RFC 9421 B.2: the content digest of the example body', () => {
  const header = RFC_REQUEST.header('content-digest')!
  assert.equal(checkContentDigest(header, bytesOf('{"hello": "world"}'), sha256, sha512).ok, true)
})

test('the algorithm comes from the key, and a message that names another one is a mismatch', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const verifyEd25519 = (base: string, signature: Uint8Array) => verify(null, bytesOf(base), publicKey, signature)
  const crypto: SignatureCrypto = { ...hmacCrypto, verifyEd25519 }
  for (const [alg, fits] of [['', true], [';alg="ed25519"', true], [';alg="hmac-sha256"', false]] as const) {
    const params = `${LIST};created=${NOW};nonce="n";keyid="k"${alg}`
    const signature = sign(null, bytesOf(LINES + params), privateKey).toString('base64')
    const claim = claimOf(handSigned(params, '', { headers: { Signature: `sig1=:${signature}:` } }))
    assert.equal(verifyClaim(claim, ED25519, crypto), fits, alg)
    assert.equal(verifyClaim(claim, HMAC, crypto), false)
  }
  const named = `${LIST};created=${NOW};nonce="n";keyid="k";alg="ed25519"`
  const hmacMade = claimOf(handSigned(named, LINES + named))
  assert.equal(verifyClaim(hmacMade, HMAC, crypto), false)
  assert.equal(verifyClaim(hmacMade, ED25519, crypto), false)
  assert.throws(() => verifyClaim({ ...hmacMade, alg: null }, ED25519, hmacCrypto), TypeError)
})

test('a proxy may respace the header, the signature is over the canonical spelling', () => {
  const canonical = `${LIST};created=${NOW};nonce="a\\"b";keyid="k";live;rate=1.5;tag=T/1;bin=:AA==:;off=?0`
  const respaced =
    `( "@method"   "@authority" "@path" );  created=0${NOW}; nonce="a\\"b";keyid="k";live=?1; rate=1.50;tag=T/1;bin=:AA==:;off=?0`
  for (const spelling of [canonical, respaced]) {
    const claim = claimOf(handSigned(spelling, LINES + canonical))
    assert.equal(claim.base, LINES + canonical)
    assert.equal(verifyClaim(claim, HMAC, hmacCrypto), true)
  }
})

test('of several labels the first that covers all is taken, else the first is told about', () => {
  const good = `${LIST};created=${NOW};nonce="n";keyid="k"`
  const proxies = 'p1=("@query-param";name="a" "@method");created=1, p2=("@status");created=1;keyid="p";nonce="p"'
  const signature = `p1=:AA==:,\tp2=:AA==:, mine=:${hmacSha256(LINES + good).toString('base64')}:`
  const headers = { 'Signature-Input': `${proxies} ,\t mine=${good}, sig9=${good}`, Signature: signature }
  const claim = claimOf(handSigned('', '', { headers: { ...headers, 'Signature-Input': `p0=("@path");created=1, mine=${good}` } }))
  assert.equal(claim.label, 'mine')
  // p2 covers too little and p1 carries a parameter that is not read here: neither stands in the way of the third.
  assert.equal(verifyClaim(claimOf(handSigned('', '', { headers })), HMAC, hmacCrypto), true)
  const lacking = handSigned('', '', { headers: { ...headers, 'Signature-Input': `p0=("@path");created=1;nonce="n", ${proxies}` } })
  assert.deepEqual(refusalOf(readSignature(lacking)), {
    code: 'partners.signature_incomplete', missing: ['@method', '@authority', 'keyid'],
  })
})

const SIGNED = order().headers['signature-input']!
const MADE = order().headers.signature!

test('a signature that is not there or cannot be read is refused with the problem', () => {
  const full = '"@method" "@authority" "@path" "content-digest"'
  const hex = 'a'.repeat(64)
  const rows: [string, Record<string, string | undefined>, RegExp][] = [
    ['no input', { 'signature-input': undefined }, /Signature-Input is missing/],
    ['no signature', { signature: undefined }, /header Signature is missing/],
    ['empty input', { 'signature-input': '' }, /Signature-Input, character 1/],
    ['empty signature', { signature: '' }, /Signature, character 1/],
    ['zero', { signature: '0' }, /Signature, character 1/],
    ['null', { signature: 'null' }, /label needs a value/],
    ['an array', { signature: '[]' }, /lower-case label/],
    ['empty base64', { signature: 'sig1=::' }, /^0 bytes/],
    ['hex of 64', { signature: `sig1=:${hex}:` }, /^48 bytes/],
    ['hex of 63', { signature: `sig1=:${hex.slice(1)}:` }, /padded base64/],
    ['hex of 65', { signature: `sig1=:${hex}a:` }, /padded base64/],
    ['bare hex', { signature: hex }, /label needs a value/],
    ['quoted', { signature: 'sig1="abcd"' }, /padded base64/],
    ['no padding', { signature: MADE.replace(/=:$/, ':') }, /padded base64/],
    ['too much padding', { signature: 'sig1=:A===:' }, /padded base64/],
    ['bits behind the end', { signature: 'sig1=:AB==:' }, /padded base64/],
    ['space in base64', { signature: MADE.replace('=:', '=: ') }, /padded base64/],
    ['open end', { signature: MADE.slice(0, -1) }, /padded base64/],
    ['text behind', { signature: `${MADE}x` }, /a comma or the end/],
    ['comma at the end', { signature: `${MADE},` }, /lower-case label/],
    ['other label', { signature: MADE.replace('sig1', 'sig2') }, /no member sig1/],
    ['label twice', { signature: `${MADE}, ${MADE}` }, /stands twice/],
    ['input twice', { 'signature-input': `${SIGNED}, ${SIGNED}` }, /stands twice/],
    ['upper-case label', { 'signature-input': SIGNED.replace('sig1', 'Sig1') }, /lower-case label/],
    ['text behind a blank', { 'signature-input': `${SIGNED};expires=${NOW} x` }, /a comma or the end/],
    ['no list', { 'signature-input': 'sig1="@method"' }, /list in parentheses/],
    ['list not closed', { 'signature-input': `sig1=(${full}` }, /a space or a closing parenthesis/],
    ['bare names', { 'signature-input': SIGNED.replace('"@method"', 'method') }, /in double quotes/],
    ['names run together', { 'signature-input': SIGNED.replace('" "', '""') }, /a space or/],
    ['nameless parameter', { 'signature-input': `${SIGNED};` }, /parameter name/],
    ['parameter twice', { 'signature-input': `${SIGNED};keyid="k2"` }, /stands twice/],
    ['created twice', { 'signature-input': `${SIGNED};created=1` }, /stands twice/],
    ['nine labels', { 'signature-input': Array.from({ length: 9 }, (_, i) => SIGNED.replace('sig1', `s${i}`)).join() }, /at most 8/],
    ['33 components', { 'signature-input': `sig1=(${Array.from({ length: 33 }, (_, i) => `"x${i}"`).join(' ')})` }, /at most 32/],
    ['component twice', { 'signature-input': SIGNED.replace('"@path"', '"@path" "@path"') }, /covered twice/],
    ['component parameter', { 'signature-input': SIGNED.replace('"@path"', '"@path";req') }, /carries a parameter/],
    ['unread component', { 'signature-input': SIGNED.replace('"@path"', '"@path" "@status"') }, /"@status" is not a component/],
    ['itself', { 'signature-input': SIGNED.replace('"@path"', '"@path" "@signature-params"') }, /is not a component/],
    ['upper-case header', { 'signature-input': SIGNED.replace('"@path"', '"@path" "Content-Type"') }, /lower-case header/],
    ['header not sent', { 'signature-input': SIGNED.replace('"@path"', '"@path" "x-a"') }, /"x-a" is covered but was not sent/],
    ['digest not sent', { 'content-digest': undefined }, /"content-digest" is covered but was not sent/],
    ['line break', { 'content-digest': 'a\n"@path": /' }, /not plain ASCII/],
    ['not ASCII', { 'content-digest': 'sha-256=:\u00e9:' }, /not plain ASCII/],
    ['no-break space', { 'content-digest': '\u00a0sha-256=:AA==:' }, /not plain ASCII/],
    ['foreign alg', { 'signature-input': `${SIGNED};alg="none"` }, /alg is neither/],
    ['empty alg', { 'signature-input': `${SIGNED};alg=""` }, /alg is neither/],
    ['alg as token', { 'signature-input': `${SIGNED};alg=ed25519` }, /alg is neither/],
    ['empty keyid', { 'signature-input': SIGNED.replace('"key_1"', '""') }, /keyid/],
    ['long keyid', { 'signature-input': SIGNED.replace('key_1', 'k'.repeat(257)) }, /keyid/],
    ['keyid as token', { 'signature-input': SIGNED.replace('"key_1"', 'key_1') }, /keyid/],
    ['keyid unquoted at the end', { 'signature-input': SIGNED.replace('"key_1"', '"key_1') }, /value of keyid cannot be read/],
  ]
  for (const [name, change, problem] of rows) {
    const outcome = readSignature(arrive(order(change)))
    assert.ok(!outcome.ok, name)
    assert.equal(outcome.refusal.code, 'partners.signature_malformed', name)
    assert.match(String(outcome.refusal.because.problem), problem, name)
    assert.ok(String(outcome.refusal.because.problem).length <= 120, name)
  }
  const bare = arrive({ ...order(), headers: {} })
  assert.deepEqual(refusalOf(readSignature(bare)), { code: 'partners.credentials_missing' })
})

test('a problem never quotes more of the message than fits a line', () => {
  const outcome = readSignature(arrive(order({ 'signature-input': SIGNED.replace('"@path"', `"@path" "${'x'.repeat(9000)}"`) })))
  assert.ok(!outcome.ok)
  assert.equal(String(outcome.refusal.because.problem).length, 120)
})

test('what the signature leaves out is named, every piece of it', () => {
  const ask = { 'idempotency-key': 'k1' }
  const rows: [Record<string, string>, string, string[]][] = [
    [{ 'signature-input': 'sig1=()' }, '', ['@method', '@authority', '@path', 'content-digest', 'created', 'nonce', 'keyid']],
    [{ 'signature-input': SIGNED.replace('"@method" ', '') }, '', ['@method']],
    [{ 'signature-input': SIGNED.replace(' "@authority"', '') }, '', ['@authority']],
    [{ 'signature-input': SIGNED.replace('"@path"', '"@target-uri"') }, '', ['@path']],
    [{ 'signature-input': SIGNED.replace(' "content-digest"', '') }, '', ['content-digest']],
    [{ 'signature-input': SIGNED.replace(`created=${NOW};`, '') }, '', ['created']],
    [{ 'signature-input': SIGNED.replace('nonce="n-1";', '') }, '', ['nonce']],
    [{ 'signature-input': SIGNED.replace(';keyid="key_1"', '') }, '', ['keyid']],
    [{}, '?limit=5', ['@query']],
    [ask, '?limit=5', ['@query', 'idempotency-key']],
  ]
  for (const [change, query, missing] of rows) {
    const request = arrive({ ...order(change), url: `https://hub.example/api/orders${query}` })
    assert.deepEqual(refusalOf(readSignature(request)), { code: 'partners.signature_incomplete', missing })
  }
})

test('created, nonce and expires that are not what they must be are named by their path', () => {
  const rows: [string, string[]][] = [
    ['created', ['', '"1795383129"', 'soon', '1e18', '1000000000000000000', '1795383129000', '1795383129.5', '?1', ':AA==:', '@1795383129']],
    ['nonce', ['', '""', `"${'x'.repeat(129)}"`, `"${'x'.repeat(1024)}"`, 'abc', '7', ':AAAA:', '"a\tb"', '"卡"', '"a\\b"', '"a', '"a"b']],
    ['expires', ['', '"1"', '1795383128', '1795383129000', 'never']],
  ]
  for (const [name, values] of rows) {
    for (const value of values) {
      const member = `${SIGNED};${name}=${value}`
      const input = name === 'expires' ? member : SIGNED.replace(new RegExp(`${name}=[^;]+`), `${name}=${value}`)
      const outcome = readSignature(arrive(order({ 'signature-input': input })))
      assert.ok(!outcome.ok, input)
      assert.equal(outcome.refusal.code, 'protocol.invalid_field', input)
      assert.equal(outcome.refusal.because.path, `signature-input.${name}`, input)
    }
  }
  for (const nonce of ['x', ' ', '~'.repeat(128)]) {
    const input = SIGNED.replace('"n-1"', `"${nonce}"`)
    assert.equal(claimOf(arrive(order({ 'signature-input': input }))).nonce, nonce)
  }
})

test('a signature is fresh for five minutes to both sides and no longer than its own end', () => {
  const rows: [number, number | null, number, unknown][] = [
    [NOW, null, NOW, 'accepted'],
    [NOW, null, NOW + 300, 'accepted'],
    [NOW, null, NOW - 300, 'accepted'],
    [NOW, null, NOW + 301, { code: 'partners.clock_skew', skewS: -301, allowedS: 300 }],
    [NOW, null, NOW - 301, { code: 'partners.clock_skew', skewS: 301, allowedS: 300 }],
    [0, null, NOW, { code: 'partners.clock_skew', skewS: -NOW, allowedS: 300 }],
    [NOW, NOW + 30, NOW + 30, 'accepted'],
    [NOW, NOW + 30, NOW + 31, { code: 'partners.clock_skew', skewS: -31, allowedS: 30 }],
    [NOW, NOW + 9999, NOW + 301, { code: 'partners.clock_skew', skewS: -301, allowedS: 300 }],
  ]
  for (const [created, expires, nowS, expected] of rows) {
    assert.deepEqual(refusalOf(checkFreshness({ created, expires }, nowS)), expected)
  }
  assert.equal(checkFreshness({ created: NOW, expires: null }, NOW + 11, 10).ok, false)
})

test('the digest must be of the body that arrived', () => {
  const body = bytesOf('{"reference":"A-1001"}')
  const right = `sha-256=:${sha256(body).toString('base64')}:`
  const right512 = `sha-512=:${sha512(body).toString('base64')}:`
  const other = `sha-256=:${sha256(bytesOf('{"reference":"A-1002"}')).toString('base64')}:`
  const other512 = `sha-512=:${sha512(bytesOf('{"reference":"A-1002"}')).toString('base64')}:`
  for (const header of [right, right512, `${right}, ${right512}`, `md5=:AAAA:, ${right}`]) {
    assert.equal(checkContentDigest(header, body, sha256, sha512).ok, true, header)
  }
  for (const [header, seen] of [[other, right], [`${right512},${other}`, right], [`${right}, ${other512}`, right512]] as const) {
    assert.deepEqual(refusalOf(checkContentDigest(header, body, sha256, sha512)), { code: 'partners.digest_mismatch', seen })
  }
  const unread = ['', 'sha-256', 'sha-256=', 'sha-256=abc', 'sha-256=::', 'md5=:AAAA:', `${right},`, `${right}, ${right}`,
    right.replace('sha-256', 'SHA-256'), right.replace('sha-256', 'sha-512'), right.replace('=:', ':'), `${right};q=1`]
  for (const header of unread) {
    const outcome = checkContentDigest(header, body, sha256, sha512)
    assert.equal(!outcome.ok && outcome.refusal.code, 'partners.signature_malformed', header)
  }
})

test('any byte changed on the way breaks the signature', () => {
  const url = 'https://hub.example/api/orders/ord_1?limit=5&after=%20x'
  const sent = order({}, url)
  const parts = ['method', 'authority', 'path', 'query', 'content-digest', 'signature-input', 'signature'] as const
  const whole = arrive(sent)
  assert.equal(verifyClaim(claimOf(whole), HMAC, hmacCrypto), true)
  const textOf = (part: (typeof parts)[number]) =>
    part === 'method' || part === 'authority' || part === 'path' || part === 'query' ? whole[part] : sent.headers[part]!
  const change = fc.constantFrom(...parts).chain((part) => {
    const position = fc.nat({ max: textOf(part).length - 1 })
    return fc.tuple(fc.constant(part), position, fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)))
  })
  fc.assert(fc.property(change, ([part, at, char]) => {
    const text = textOf(part)
    fc.pre(text[at] !== char)
    const changed = text.slice(0, at) + char + text.slice(at + 1)
    const request: SignedRequest = part in whole && part !== 'signature'
      ? { ...whole, [part]: changed }
      : { ...whole, header: (name) => (name === part ? changed : whole.header(name)) }
    const outcome = readSignature(request)
    return !outcome.ok || !verifyClaim(outcome.value, HMAC, hmacCrypto)
  }), { numRuns: 3000 })
})

test('a path with a blank behind it is another path', () => {
  const whole = arrive(order())
  assert.equal(verifyClaim(claimOf({ ...whole, path: `${whole.path} ` }), HMAC, hmacCrypto), false)
})

test('a lone question mark need not be signed, a query of one character must', () => {
  const whole = arrive(order())
  assert.equal(verifyClaim(claimOf({ ...whole, query: '?' }), HMAC, hmacCrypto), true)
  assert.deepEqual(refusalOf(readSignature({ ...whole, query: '?a' })), { code: 'partners.signature_incomplete', missing: ['@query'] })
})

test('no bytes make the reader throw', () => {
  const noise = fc.string({ unit: fc.constantFrom(...'sig1=("@method" "x");created=1,:?*.-\\A\té'), maxLength: 200 })
  fc.assert(fc.property(noise, noise, (input, signature) => {
    const outcome = readSignature(arrive(order({ 'signature-input': input, signature })))
    return !outcome.ok || outcome.value.signature.length >= 32
  }), { numRuns: 2000 })
})

test('a value that no signature can carry is the fault of the program that signs', () => {
  const signer = { keyid: 'k', created: NOW, nonce: 'n', hmacSha256, sha256 }
  const ask = { method: 'POST', url: 'https://hub.example/api/keys' }
  assert.throws(() => signRequest(ask, { ...signer, nonce: '卡' }), TypeError)
  assert.throws(() => signRequest(ask, { ...signer, keyid: 'a\nb' }), TypeError)
  assert.throws(() => signRequest({ ...ask, idempotencyKey: 'a\r\nb' }, signer), TypeError)
})

test('the authority is the Host in lower case without the port that the scheme implies', () => {
  const rows = [
    ['Hub.Example', 'https', 'hub.example'], ['hub.example:443', 'https', 'hub.example'], ['hub.example:80', 'http', 'hub.example'],
    ['hub.example:80', 'https', 'hub.example:80'], ['hub.example:8443', 'https', 'hub.example:8443'], ['[::1]:443', 'https', '[::1]'],
  ] as const
  for (const [host, scheme, expected] of rows) assert.equal(authorityOf(host, scheme), expected)
})
