import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { after, before, test } from 'node:test'
import type { ReasonCode } from '../../protocol/reasons.ts'
import { everyRow, leavesNothing, openBadWorld, refusedAs, send, type BadWorld } from '../bad-inputs.ts'
import type { Json } from '../raw-http.ts'

// The rows are those of the published list of bad inputs; keys and signatures are in bad-inputs-keys, raw sockets in
// bad-inputs-wire, the acg dialect in bad-inputs-acg.
let world: BadWorld
const endings: (() => Promise<void>)[] = []
before(async () => {
  world = await openBadWorld({ after: (end) => void endings.unshift(end) })
})
after(async () => {
  for (const end of endings) await end()
})

const JSON_TYPE = { 'content-type': 'application/json' }
const operatorHeaders = () => ({ authorization: `Bearer ${world.hub.operatorKey}`, ...JSON_TYPE })
const playHeaders = () => ({ authorization: `Bearer ${world.play.apiKey}`, ...JSON_TYPE })

type Door = { path: string; headers: Record<string, string>; valid: Record<string, unknown>; bytes: number }

/** Every address that takes a JSON body, with a body that it would take. */
function doors(): Door[] {
  const { play, ask } = world
  const operator = operatorHeaders()
  const KB64 = 65_536
  return [
    { path: '/api/orders', headers: playHeaders(), valid: ask(), bytes: KB64 },
    { path: '/api/docking/report', headers: playHeaders(), valid: { probe: '卡密' }, bytes: KB64 },
    { path: '/operator/dockings', headers: operator, valid: { name: 'X', mode: 'sandbox', dialect: 'json' }, bytes: KB64 },
    { path: `/operator/dockings/${play.id}/keys`, headers: operator, valid: { kind: 'bearer' }, bytes: KB64 },
    { path: `/operator/keys/${play.keyId}/end`, headers: operator, valid: {}, bytes: KB64 },
    { path: `/operator/dockings/${play.id}/deposits`, headers: operator, valid: { reference: 'd-1', amount: '1.00' }, bytes: KB64 },
    { path: `/operator/dockings/${play.id}/offers`, headers: operator, valid: { good: 'Q10', unitPrice: '1.00' }, bytes: KB64 },
    { path: `/operator/dockings/${play.id}/offers/end`, headers: operator, valid: { good: 'Q10' }, bytes: KB64 },
    { path: `/operator/dockings/${play.id}/prices`, headers: operator, valid: { level: null }, bytes: KB64 },
    { path: '/operator/prices/groups', headers: operator, valid: { name: 'g' }, bytes: KB64 },
    { path: '/operator/prices/groups/g/rules', headers: operator, valid: { scope: 'all', formula: null }, bytes: KB64 },
    { path: '/operator/prices/levels', headers: operator, valid: { name: 'l', group: null }, bytes: KB64 },
    { path: '/operator/prices/changes', headers: operator, valid: { change: { set: '1' }, dryRun: true }, bytes: 5 * 1024 * 1024 },
    { path: '/operator/prices/changes/chg_nobody/cancel', headers: operator, valid: { note: 'x' }, bytes: KB64 },
    { path: '/operator/goods', headers: operator, valid: { items: [{ code: 'N', name: 'N', category: 'C', unitPrice: '1' }] }, bytes: 5 * 1024 * 1024 },
    { path: `/operator/dockings/${play.id}/holds`, headers: operator, valid: { code: 'terms.payment_overdue', scope: ['orders'], facts: [], ground: [], remedy: { en: 'x', zh: 'x' } }, bytes: KB64 },
    { path: '/operator/decisions/dec_nobody/lift', headers: operator, valid: { note: 'x' }, bytes: KB64 },
  ]
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
const withField = (body: Record<string, unknown>, field: string) => `{${field},${JSON.stringify(body).slice(1)}`.replace(',}', '}')

type BodyCase = [row: number, what: string, code: ReasonCode | ReasonCode[], body: (door: Door) => string | Uint8Array, headers?: Record<string, string>]

const BODIES: BodyCase[] = [
  [1, 'an empty body', 'protocol.malformed_request', () => ''],
  [1, 'blanks alone', 'protocol.malformed_request', () => ' \n'],
  [2, 'one byte too much', 'protocol.request_too_large', ({ bytes }) => ' '.repeat(bytes + 1)],
  [3, 'a gzip bomb', ['protocol.unsupported_media', 'protocol.request_too_large'], () => gzipSync(Buffer.alloc(20_000_000, 32)), { 'content-encoding': 'gzip' }],
  [7, 'depth 33', 'protocol.malformed_request', () => nested(33)],
  [7, 'depth 30,000', 'protocol.malformed_request', () => nested(30_000)],
  [7, 'an object of depth 33', 'protocol.malformed_request', () => `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
  [8, 'an array of 10,001', 'protocol.request_too_large', () => `[${'0,'.repeat(10_000)}0]`],
  [8, 'an array of 1,000,000', 'protocol.request_too_large', () => `[${'0,'.repeat(999_999)}0]`],
  [9, 'a key twice', 'protocol.malformed_request', ({ valid }) => withField(withName(valid), '"probe":"x","probe":"y"')],
  [9, 'a key twice, once escaped', 'protocol.malformed_request', ({ valid }) => withField(valid, '"zz":1,"\\u007az":2')],
  [10, '__proto__', 'protocol.invalid_field', ({ valid }) => withField(valid, '"__proto__":{"admin":true}')],
  [10, 'constructor', 'protocol.invalid_field', ({ valid }) => withField(valid, '"constructor":{"prototype":{}}')],
  [10, 'prototype, escaped', 'protocol.invalid_field', ({ valid }) => withField(valid, '"proto\\u0074ype":1')],
  [11, 'is_admin', 'protocol.invalid_field', ({ valid }) => withField(valid, '"is_admin":true')],
  [11, 'price', 'protocol.invalid_field', ({ valid }) => withField(valid, '"price":"0.01"')],
  [11, 'status', 'protocol.invalid_field', ({ valid }) => withField(valid, '"status":"delivered"')],
  [12, '1e309', 'protocol.invalid_field', ({ valid }) => withField(valid, '"quantity":1e309').replace(/,"quantity":1(?=[,}])/, '')],
  [14, '2^53+1', 'protocol.invalid_field', ({ valid }) => withField(valid, '"quantity":9007199254740993').replace(/,"quantity":1(?=[,}])/, '')],
  [19, 'NaN', 'protocol.malformed_request', ({ valid }) => withField(valid, '"x":NaN')],
  [19, '-Infinity', 'protocol.malformed_request', ({ valid }) => withField(valid, '"x":-Infinity')],
  [20, 'true for an object', 'protocol.invalid_field', () => 'true'],
  [20, 'null for an object', 'protocol.invalid_field', () => 'null'],
  [20, 'a list for an object', 'protocol.invalid_field', () => '[]'],
  [20, 'a string for an object', 'protocol.invalid_field', () => '"{}"'],
  [22, 'a NUL in a value', 'protocol.invalid_field', ({ valid }) => withField(valid, '"x":"a\\u0000b"')],
  [22, 'a raw NUL', 'protocol.malformed_request', ({ valid }) => withField(valid, '"x":"a\u0000b"')],
  [36, 'half a surrogate', ['protocol.malformed_request', 'protocol.invalid_field'], ({ valid }) => withField(valid, '"x":"\\ud800"')],
  [47, 'GBK bytes', 'protocol.charset_mismatch', () => Buffer.from([0x7b, 0x22, 0xbf, 0xa8, 0x22, 0x3a, 0x31, 0x7d])],
  [47, 'UTF-16 with its mark', ['protocol.charset_mismatch', 'protocol.malformed_request'], () => Buffer.from('\ufeff{}', 'utf16le')],
  [48, 'an overlong slash', 'protocol.charset_mismatch', () => Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  [48, 'a byte order mark', ['protocol.malformed_request', 'protocol.charset_mismatch'], () => '\ufeff{}'],
  [0, 'no JSON', 'protocol.malformed_request', () => '{"a":1'],
  [0, 'two documents', 'protocol.malformed_request', ({ valid }) => `${JSON.stringify(valid)}{}`],
  [0, 'a comment', 'protocol.malformed_request', () => '{/**/}'],
  [0, 'a trailing comma', 'protocol.malformed_request', () => '{"a":1,}'],
  [0, 'XML', 'protocol.unsupported_media', () => '<a/>', { 'content-type': 'application/xml' }],
  [0, 'a form', 'protocol.unsupported_media', () => 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }],
  [0, 'another charset', 'protocol.unsupported_media', ({ valid }) => JSON.stringify(valid), { 'content-type': 'application/json; charset=gbk' }],
  [0, 'a type that only begins as JSON', 'protocol.unsupported_media', ({ valid }) => JSON.stringify(valid), { 'content-type': 'application/jsonp' }],
]

function withName(body: Record<string, unknown>): Record<string, unknown> {
  const { probe: _, ...rest } = body
  return rest
}

for (const [row, what, code, body, headers] of BODIES) {
  test(`row ${row}, ${what}: refused by its class at every address that takes a body, and nothing is booked`, async () => {
    await leavesNothing(world.hub, async () => {
      for (const door of doors()) refusedAs(await send(world.hub, 'POST', door.path, { ...door.headers, ...headers }, body(door)), code, door.path)
    })
  })
}

test('row 2, ten megabytes are refused without being read to their end', async () => {
  await leavesNothing(world.hub, async () => {
    for (const door of doors()) {
      const seen = await send(world.hub, 'POST', door.path, door.headers, Buffer.alloc(10_000_000, 32)).catch((error: unknown) => error)
      // A client that is still sending may see the connection end before it reads the answer.
      if (!(seen instanceof Error)) refusedAs(seen as never, 'protocol.request_too_large', door.path)
    }
  })
})

type FieldCase = [row: number, path: string, change: Record<string, unknown>, code?: ReasonCode | ReasonCode[]]

const AMOUNTS: unknown[] = [19.99, 0, '19.9999999', '00.1', '.5', '1.', '-1', '-0', '+1', '1e3', '0x10', ' 1', '1 ', '1,000.00', '１９', '', 'NaN', 'Infinity', '1000000000.01', '9'.repeat(30), true, null, [], {}]
const STRANGE: unknown[] = [true, null, [], {}, 1]
/** What shows a person something else than what is stored: direction overrides, zero width, controls. */
const UNSEEN = ['\u202e', '\u202a', '\u2066', '\u200b', '\u200d', '\u200f', '\ufeff', '\u0007', '\u007f', '\n']
/** The same by rarer means: the Arabic direction mark, line and paragraph separators, the second block of controls, tags. */
const RARELY_UNSEEN = ['\u061c', '\u2028', '\u2029', '\u0085', '\u009b', '\u00ad', '\u{e0041}']

const FIELDS: FieldCase[] = [
  ...[0, -1, -0, 1.5, 1001, 2 ** 31, 1e9, '1', ...STRANGE.slice(0, 4)].map((quantity): FieldCase => [13, '/quantity', { quantity }]),
  ...AMOUNTS.map((maxUnitPrice): FieldCase => [17, '/maxUnitPrice', { maxUnitPrice }]),
  ...STRANGE.map((reference): FieldCase => [20, '/reference', { reference }]),
  ...['../../etc/passwd', '%2e%2e%2f', '%00', '/etc'].map((reference): FieldCase => [31, '/reference', { reference }]),
  ...[';id', '$(id)', '`id`', 'a|id', 'a&b', '=cmd()', '-rf', "' OR 1=1--"].map((reference): FieldCase => [32, '/reference', { reference }]),
  ...STRANGE.map((good): FieldCase => [20, '/good', { good }]),
  ...STRANGE.filter((value) => JSON.stringify(value) !== '{}').map((form): FieldCase => [20, '/form', { form }]),
  ...STRANGE.map((member): FieldCase => [20, '/member', { member }]),
  [21, '/reference', { reference: 'x'.repeat(60_000) }], [21, '/good', { good: 'x'.repeat(60_000) }], [21, '/member', { member: 'x'.repeat(60_000) }],
  ...UNSEEN.map((mark): FieldCase => [25, '/member', { member: `moc${mark}elpmaxe` }]),
  ...UNSEEN.map((mark): FieldCase => [25, '/reference', { reference: `A${mark}1` }]),
  ...["' OR 1=1--", '../../etc/passwd', '%2e%2e%2f', '%00', ';id', '$(id)', '卡', 'gds_', ''].map((good): FieldCase => [30, '/good', { good }, ['protocol.invalid_field', 'catalogue.good_not_found']]),
  ...["' OR 1=1--", 'a b', '"', '\\', '订单', ''].map((reference): FieldCase => [30, '/reference', { reference }]),
  [63, '/reference', { reference: 'x'.repeat(256) }], [63, '/reference', { reference: 'x'.repeat(65) }],
  [11, '/form/account', { form: { account: '1' } }], [11, '/sale', { sale: {} }],
]

test('rows 11 to 32, one wrong field in an order: named by its path, at both doors, and nothing is booked', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const [number, path, change, code = 'protocol.invalid_field'] of FIELDS) await row(() => wrongField(number, path, change, code))
  }))
})

test('row 25, rarer characters that nobody sees are refused as the acg dialect refuses them', async () => {
  await leavesNothing(world.hub, () => everyRow(async (row) => {
    for (const mark of RARELY_UNSEEN) await row(() => wrongField(25, '/member', { member: `moc${mark}elpmaxe` }, 'protocol.invalid_field'))
  }))
})

async function wrongField(row: number, path: string, change: Record<string, unknown>, code: ReasonCode | ReasonCode[]): Promise<void> {
  const { hub, play, live, ask } = world
  const what = `row ${row}, ${JSON.stringify(change).slice(0, 100)}`
  const body = ask({ reference: `F-${randomBytes(4).toString('hex')}`, ...change })
  for (const reply of [await hub.bearer(play, 'POST', '/api/orders', body), await hub.signed(live, 'POST', '/api/orders', body)]) {
    const problem = refusedAs(reply, code, what)
    if (problem.code === 'protocol.invalid_field') assert.equal(problem.because.path, path, what)
  }
}

test('row 20, every required field is missed by its name', async () => {
  const { hub, play, ask } = world
  await leavesNothing(hub, async () => {
    for (const name of ['reference', 'good', 'quantity', 'maxUnitPrice']) {
      const { [name]: _, ...rest } = ask()
      assert.equal(refusedAs(await hub.bearer(play, 'POST', '/api/orders', rest), 'protocol.invalid_field', name).because.path, `/${name}`)
    }
  })
})

test('rows 17 to 32 in what the operator sends: amounts, prices, names, keys, measures', async () => {
  const { hub, play } = world
  await leavesNothing(hub, () => everyRow(async (row) => {
    const bad = (path: string, body: Record<string, unknown>, field: string) => row(async () => {
      const what = `${path.slice(0, 24)} ${JSON.stringify(body).slice(0, 200)}`
      assert.equal(refusedAs(await hub.operator('POST', path, body), 'protocol.invalid_field', what).because.path, field, what)
    })
    for (const amount of [...AMOUNTS, '0']) {
      await bad(`/operator/dockings/${play.id}/deposits`, { reference: 'd-1', amount }, '/amount')
      await bad(`/operator/dockings/${play.id}/offers`, { good: 'Q10', unitPrice: amount }, '/unitPrice')
      const imported = await hub.operator('POST', '/operator/goods', { items: [{ code: 'BAD', name: 'Bad', category: 'C', unitPrice: amount }] })
      assert.deepEqual([imported.status, imported.body.added, imported.body.changed, imported.body.errors.length], [200, 0, 0, 1], JSON.stringify(amount))
    }
    for (const name of ['', 'x'.repeat(81), '<b>', 'a\u0000b', 'a\nb', 1, null]) {
      const reply = await hub.operator('POST', '/operator/dockings', { name, mode: 'sandbox', dialect: 'json' })
      refusedAs(reply, ['protocol.invalid_field', 'protocol.malformed_request'], JSON.stringify(name))
    }
    const docking = { name: 'X', mode: 'sandbox', dialect: 'json' }
    await bad('/operator/dockings', { ...docking, mode: 'test' }, '/mode')
    await bad('/operator/dockings', { ...docking, dialect: 'acg1' }, '/dialect')
    await bad('/operator/dockings', { ...docking, feePpm: -1 }, '/feePpm')
    await bad('/operator/dockings', { ...docking, feePpm: 0.5 }, '/feePpm')
    await bad('/operator/dockings', { ...docking, dialect: 'acg0', appId: 'a b' }, '/appId')
    await bad('/operator/dockings', { ...docking, dialect: 'acg0', appKey: 'short' }, '/appKey')
    await bad('/operator/dockings', { ...docking, dialect: 'acg0', appKey: 'with+plus%and-more' }, '/appKey')
    await bad('/operator/dockings', { ...docking, allowedAddresses: ["' OR 1=1--"] }, '/allowedAddresses/0')
    for (const reference of ["' OR 1=1--", 'a b', '', 'x'.repeat(65), '订单']) await bad(`/operator/dockings/${play.id}/deposits`, { reference, amount: '1.00' }, '/reference')
    await bad(`/operator/dockings/${play.id}/keys`, { kind: 'rsa' }, '/kind')
    await bad(`/operator/dockings/${play.id}/keys`, { kind: 'acg' }, '/kind')
    await bad(`/operator/dockings/${play.id}/keys`, { kind: 'bearer', scopes: ['root'] }, '/scopes')
    for (const at of ['tomorrow', '1e18', '']) await bad(`/operator/keys/${play.keyId}/end`, { at }, '/at')
    const remedy = { en: 'Pay the invoice of October.', zh: '请支付十月账单。' }
    const ground = [{ type: 'contract', ref: 'Master contract', article: '7.2', quote: 'Invoices are due in 30 days.' }]
    const hold = { code: 'terms.payment_overdue', scope: ['orders'], facts: ['The invoice of October is unpaid.'], ground, remedy, liftsWhen: 'It is paid.' }
    await bad(`/operator/dockings/${play.id}/holds`, { ...hold, code: 'no.such' }, '/code')
    await bad(`/operator/dockings/${play.id}/holds`, { ...hold, code: 'catalogue.out_of_stock' }, '/code')
    await bad(`/operator/dockings/${play.id}/holds`, { ...hold, scope: [] }, '/scope')
    for (const endsAt of ['tomorrow', '2020-01-01T00:00:00Z']) await bad(`/operator/dockings/${play.id}/holds`, { ...hold, endsAt }, '/endsAt')
    await row(async () => refusedAs(await hub.operator('POST', `/operator/dockings/${play.id}/holds`, { ...hold, facts: [] }), 'decisions.statement_incomplete', 'no facts'))
  }))
})

test('row 85, days that do not exist and times without a zone are refused, not guessed', async () => {
  const { hub } = world
  const docking = await hub.openDocking({ name: 'Times' })
  const hold = {
    code: 'terms.payment_overdue', scope: ['orders'], facts: ['The invoice of October is unpaid.'], ground: [{ type: 'contract', ref: 'Master contract', article: '7.2' }],
    remedy: { en: 'Pay.', zh: '请付款。' }, liftsWhen: 'It is paid.',
  }
  const keyId = docking.keyId!
  await leavesNothing(hub, () => everyRow(async (row) => {
    for (const time of ['2027-02-30T00:00:00Z', '2027-01-01T00:00:00', '2027-01-01', '2027', 'Jan 1 2030', '+012345-01-01T00:00:00Z', '2027-01-01T25:00:00Z']) {
      await row(async () => refusedAs(await hub.operator('POST', `/operator/keys/${keyId}/end`, { at: time }), 'protocol.invalid_field', `at ${time}`))
      for (const name of ['endsAt', 'releaseAt']) await row(async () => refusedAs(await hub.operator('POST', `/operator/dockings/${docking.id}/holds`, { ...hold, [name]: time }), 'protocol.invalid_field', `${name} ${time}`))
    }
  }))
})

/** Names that try to be something else: statements, ways up, commands, bytes that no text holds. */
const NAMES = ["'%20OR%201=1--", '1;drop%20table%20orders.orders', '..%2f..%2fetc%2fpasswd', '%252e%252e%252f', '%00', 'a%00b', '%0a', ';id', '$(id)', '%24%7Bjndi:ldap:x%7D', '%E5%8D%A1', 'x'.repeat(190), '__proto__', '-1', '9'.repeat(30), '*', '%25']

test('rows 30 to 32, an id that is none: not found or refused, at every address with an id in it', async () => {
  const { hub } = world
  const nothing: ReasonCode[] = ['protocol.route_not_found', 'protocol.malformed_request', 'protocol.invalid_field']
  const text = { ...operatorHeaders(), 'content-type': 'text/plain' }
  await leavesNothing(hub, () => everyRow(async (row) => {
    const expect = (method: string, path: string, code: ReasonCode, headers: Record<string, string>, body?: string) =>
      row(async () => refusedAs(await send(hub, method, path, headers, body), [code, ...nothing], `${method} ${path}`))
    for (const name of NAMES) {
      await expect('GET', `/api/orders/${name}`, 'orders.not_found', playHeaders())
      await expect('GET', `/api/goods/${name}`, 'catalogue.good_not_found', playHeaders())
      await expect('GET', `/reasons/${name}`, 'protocol.route_not_found', {})
      await expect('POST', `/operator/dockings/${name}/keys`, 'partners.docking_not_found', operatorHeaders(), '{"kind":"bearer"}')
      await expect('POST', `/operator/dockings/${name}/deposits`, 'partners.docking_not_found', operatorHeaders(), '{"reference":"x","amount":"1.00"}')
      await expect('POST', `/operator/keys/${name}/end`, 'partners.key_not_found', operatorHeaders(), '{}')
      await expect('POST', `/operator/decisions/${name}/lift`, 'decisions.not_found', operatorHeaders(), '{"note":"x"}')
      await expect('POST', `/operator/cards?good=${name}&mode=sandbox&batch=b`, 'catalogue.good_not_found', text, 'x')
      for (const path of ['/api/goods?cursor=', '/api/orders?cursor=', '/api/funds/movements?cursor=', '/api/goods/changes?after=', '/api/orders?reference=', '/operator/dockings?after=']) {
        await row(async () => {
          const seen = await send(hub, 'GET', `${path}${name}`, path.startsWith('/operator') ? operatorHeaders() : playHeaders())
          // A text that is nobody's name finds nothing; it need not be refused.
          if (seen.status !== 200) refusedAs(seen, nothing, `${path}${name}`)
          else if (path.includes('reference')) assert.deepEqual(seen.body.items, [])
        })
      }
    }
  }))
})

const BROKEN = ['%zz', '%', '%E5%8D', '%c0%af', '%ff']

test('row 36, a broken percent sign or half a character in the path is malformed', async () => {
  await everyRow(async (row) => {
    for (const bad of BROKEN) {
      for (const path of [`/api/orders/${bad}`, `/api/goods/${bad}`, `/${bad}`, `/reasons/${bad}`]) {
        await row(async () => refusedAs(await send(world.hub, 'GET', path, playHeaders()), 'protocol.malformed_request', path))
      }
    }
  })
})

test('row 36, a broken percent sign or half a character in the query is malformed, not another text', async () => {
  await everyRow(async (row) => {
    for (const bad of BROKEN) {
      for (const [path, headers] of [['/api/orders?reference=', playHeaders()], ['/operator/dockings?after=', operatorHeaders()]] as const) {
        await row(async () => refusedAs(await send(world.hub, 'GET', `${path}${bad}`, headers), 'protocol.malformed_request', `${path}${bad}`))
      }
    }
  })
})

test('row 35, a name twice, a list or a nested name in the query is refused with its path', async () => {
  const { hub, play } = world
  for (const query of ['limit=1&limit=2', 'limit[]=1', 'limit[a]=1', 'reference=a&reference=b', 'a[]=1', '__proto__[x]=1', 'constructor=1']) {
    for (const path of ['/api/orders', '/api/goods', '/api/funds/movements', '/api/goods/changes']) {
      refusedAs(await hub.bearer(play, 'GET', `${path}?${query}`), ['protocol.invalid_field', 'protocol.malformed_request'], `${path}?${query}`)
    }
  }
})

test('a reference with slashes and dots is asked for as RFC 3986 lets it stand in a query', async () => {
  const { hub, play, ask } = world
  for (const reference of ['2026//11/22', 'a/../b', 'a/./b']) {
    const placed = await hub.bearer(play, 'POST', '/api/orders', ask({ reference }))
    assert.equal(placed.status, 201, placed.text)
    const found = await hub.bearer(play, 'GET', `/api/orders?reference=${reference}`)
    assert.deepEqual([found.status, found.body.items?.length], [200, 1], `${reference}: ${found.text}`)
  }
})

test('rows 67 and 68, orders of others and goods of nobody are not found, in the same words as ids that never were', async () => {
  const { hub, live, play, ask } = world
  const mine = await hub.signed(live, 'POST', '/api/orders', ask({ reference: 'MINE' }))
  assert.equal(mine.status, 201, mine.text)
  await leavesNothing(hub, async () => {
    const id: string = mine.body.id
    const next = id.replace(/.$/, (last) => (last === 'z' ? 'y' : 'z'))
    for (const order of [id, next, id.toUpperCase(), `${id}0`, id.slice(0, -1)]) {
      const problem = refusedAs(await hub.bearer(play, 'GET', `/api/orders/${order}`), 'orders.not_found', order)
      assert.deepEqual(problem.because, { order })
    }
    refusedAs(await hub.signed(live, 'GET', `/api/orders/${next}`), 'orders.not_found', 'the id beside it')
    assert.deepEqual((await hub.bearer(play, 'GET', '/api/orders?reference=MINE')).body.items, [])
    assert.deepEqual((await hub.bearer(play, 'GET', `/api/orders?cursor=${id}`)).body.items.filter((item: Json) => item.reference === 'MINE'), [])
    refusedAs(await hub.bearer(play, 'GET', `/api/goods/${id}`), 'catalogue.good_not_found', 'the id of an order as a good')
    refusedAs(await hub.bearer(play, 'POST', '/api/orders', ask({ good: play.id })), 'catalogue.good_not_found', 'the id of a docking as a good')
  })
})

test('rows 69 and 70, a price that has risen and a balance that is one cent short are business, and nothing is charged', async () => {
  const { hub, ask } = world
  const poor = await hub.openDocking({ name: 'Poor', mode: 'live', deposit: '18.99' })
  await leavesNothing(hub, async () => {
    const short = refusedAs(await hub.signed(poor, 'POST', '/api/orders', ask({ quantity: 2 })), 'ledger.insufficient_funds', 'a cent short')
    assert.deepEqual([short.class, short.because], ['commercial', { needed: '19.00', available: '18.99' }])
    const dear = refusedAs(await hub.signed(poor, 'POST', '/api/orders', ask({ maxUnitPrice: '9.499999' })), 'catalogue.price_above_guard', 'a price above the guard')
    assert.deepEqual([dear.class, dear.because], ['commercial', { price: '9.50', allowed: '9.499999' }])
  })
})

test('row 72, a suspended partner is refused by the measure with its decision and its appeal, whatever else is wrong with the order', async () => {
  const { hub, ask } = world
  const held = await hub.openDocking({ name: 'Held', mode: 'live', deposit: '100.00' })
  const measure = await hub.operator('POST', `/operator/dockings/${held.id}/holds`, {
    code: 'compliance.licence_missing', scope: ['orders'], facts: ['No licence was shown for the goods in question.'],
    ground: [{ type: 'law', ref: '电子商务法', article: '第十二条' }], remedy: { en: 'Show the licence.', zh: '请出示许可。' }, liftsWhen: 'It was shown.',
  })
  assert.equal(measure.status, 201, measure.text)
  await leavesNothing(hub, async () => {
    for (const change of [{}, { quantity: 1000 }, { maxUnitPrice: '0.01' }, { good: 'gds_nobody' }]) {
      const problem = refusedAs(await hub.signed(held, 'POST', '/api/orders', ask(change)), 'compliance.licence_missing', JSON.stringify(change))
      assert.deepEqual([problem.class, problem.decision], ['compliance', measure.body.id])
      assert.equal(problem.appeal, `${hub.url}/api/decisions/${problem.decision}/appeals`)
      assert.equal((await fetch(problem.type)).status, 200, 'what can be done is told on the page')
    }
    for (const path of ['/api/docking', '/api/docking/report', '/api/goods', '/api/funds/balance', '/api/orders']) assert.equal((await hub.signed(held, 'GET', path)).status, 200, path)
  })
  assert.equal((await hub.signed(held, 'POST', `/api/decisions/${measure.body.id}/appeals`, { text: 'The licence was shown on the 3rd.' })).status, 201, 'the address of the appeal takes one')
})

test('a card file that is not UTF-8, compressed, or asked for with a wrong name or day is refused before a card is stored', async () => {
  const { hub } = world
  const text = { authorization: `Bearer ${hub.operatorKey}`, 'content-type': 'text/plain' }
  const query = 'good=Q10&mode=sandbox&batch=b9'
  await leavesNothing(hub, () => everyRow(async (row) => {
    const importing = (what: string, query: string, codes: ReasonCode[], body: string | Uint8Array, headers: Record<string, string> = {}) =>
      row(async () => refusedAs(await send(hub, 'POST', `/operator/cards?${query}`, { ...text, ...headers }, body), codes, what))
    await importing('GBK bytes', query, ['protocol.charset_mismatch'], Buffer.concat([Buffer.from('NUM1----'), Buffer.from([0xbf, 0xa8, 0xc3, 0xdc]), Buffer.from('\n')]))
    await importing('gzip', query, ['protocol.unsupported_media', 'protocol.charset_mismatch'], gzipSync('NUM1----SECRET1\n'), { 'content-encoding': 'gzip' })
    await importing('no good', 'mode=sandbox&batch=b9', ['protocol.invalid_field'], 'x')
    await importing('an unknown good', 'good=NOPE&mode=sandbox&batch=b9', ['catalogue.good_not_found'], 'x')
    await importing('an unknown mode', 'good=Q10&mode=test&batch=b9', ['protocol.invalid_field'], 'x')
    for (const expiresAt of ['tomorrow', '2027', '2026-02-30T00:00:00Z', '01/02/2027', '2027-01-01T00:00:00']) await importing(`expiresAt=${expiresAt}`, `${query}&expiresAt=${encodeURIComponent(expiresAt)}`, ['protocol.invalid_field'], `E-${expiresAt}`)
  }))
})
