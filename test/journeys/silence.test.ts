import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import { run } from '../../cli/program.ts'
import { openShop } from '../acg-shop.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'
import { readMails } from '../mails.ts'
import type { Json } from '../raw-http.ts'

const DOSSIER = {
  found: 'Seen on 2026-11-20.', subjects: ['Shop Ltd'], accounts: 'One deposit account.', transactions: { from: '2026-11-01', to: '2026-11-20', text: 'Many orders out.', movements: [] },
  relatedParties: [], reasons: ['It pays to move money.'], crimeType: '洗钱', measuresTaken: 'None.', evidence: ['a'.repeat(64)],
}
const HOLD = { code: 'compliance.identity_unverified', scope: ['orders'], facts: ['The business licence has expired.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' } }

type World = { hub: TestHub; shop: TestDocking; acg: TestDocking; known: Record<string, string>; persons: Record<string, string>; log: string[] }

/** A hub with a past: two shops, orders, a refusal, a hold with its notice, and four persons. */
async function openWorld(t: TestContext): Promise<World> {
  const hub = await startHub(t)
  // The same ids in every world, so that their lanes and positions can be compared; those of requests are as many as requests.
  const made: Record<string, number> = {}
  hub.hub.ids.make = (prefix) => `${prefix}_${String((made[prefix] = (made[prefix] ?? 0) + 1)).padStart(20, '0')}`
  const log: string[] = []
  for (const level of ['debug', 'info', 'warn', 'error', 'fatal'] as const) hub.hub.log[level] = ((...line: unknown[]) => void log.push(`${level} ${JSON.stringify(line)}`)) as never
  const persons: Record<string, string> = {}
  for (const [name, roles] of [['wang', ['operator']], ['chen', ['reviewer']], ['li', ['compliance']], ['wu', ['compliance']]] as const) {
    persons[name] = (await hub.operator('POST', '/operator/operators', { name, roles })).body.key
  }
  const good = await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' })
  const shop = await hub.openDocking({ name: 'Shop', mode: 'live', deposit: '100.00' })
  const acg = await hub.openDocking({ name: 'Acg', mode: 'live', dialect: 'acg0', deposit: '100.00', appId: '1234', appKey: 'ABCDEF0123456789' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, { channel: 'email', address: 'owner@shop.example', language: 'en', kinds: ['decisions', 'funds'] })
  const order = await hub.order(shop, { reference: 'A-1', good })
  await hub.order(shop, { reference: 'A-2', good, maxUnitPrice: '1.00' })
  await openShop(acg).trade('Q10', 1, 'T-1')
  return { hub, shop, acg, persons, log, known: { good, order: order.body.id, docking: shop.id, key: shop.keyId! } }
}

/** What happens on in both worlds, whether there is a case or not. */
async function goOn({ hub, shop, acg, known }: World): Promise<void> {
  await hub.order(shop, { reference: 'A-3', good: known.good! })
  await openShop(acg).trade('Q10', 1, 'T-2')
  await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, HOLD)
  await hub.order(shop, { reference: 'A-4', good: known.good! })
  await hub.hub.notices.follow()
  await hub.hub.notices.send()
}

async function as(hub: TestHub, key: string | null, method: string, path: string, body?: unknown) {
  const headers = { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const response = await fetch(hub.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await response.text()
  return { status: response.status, head: [...response.headers].filter(([name]) => name !== 'date' && name !== 'content-length').sort(), text, body: (/json/.test(response.headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) : null) as Json }
}

/** A case about the shop, worked by two persons to its end, with looks at everything on the way. */
async function workCase({ hub, shop, persons }: World): Promise<string> {
  const li = async (method: string, path: string, body?: unknown) => as(hub, persons.li!, method, path, body)
  const opened = await li('POST', '/operator/cases', { title: 'Laundry', dockings: [shop.id] })
  assert.equal(opened.status, 201, opened.text)
  const { id } = opened.body
  const steps: [string, string, unknown, number][] = [
    ['li', 'moves', { to: 'investigate' }, 409], ['li', 'moves', { to: 'triage' }, 200], ['li', 'moves', { to: 'investigate', note: 'Worth it.' }, 200],
    ['li', 'notes', { note: 'Named for the record.', decisions: ['dec_x'] }, 200], ['li', 'dossier', { dossier: { ...DOSSIER, reasons: [] } }, 422], ['li', 'dossier', { dossier: DOSSIER }, 200],
    ['li', 'proposals', { as: 'filed', note: 'Whole.' }, 200], ['li', 'confirmations', {}, 403], ['wu', 'confirmations', { receipt: 'R-1' }, 200],
  ]
  for (const [by, part, body, status] of steps) {
    const reply = await as(hub, persons[by]!, 'POST', `/operator/cases/${id}/${part}`, body)
    assert.equal(reply.status, status, `${part}: ${reply.text}`)
  }
  for (const [path, status] of [['', 200], [`/${id}`, 200], [`/${id}/movements?docking=${shop.id}`, 200], [`/${id}/accesses`, 200], ['/accesses', 200], ['/cas_none', 404], ['?state=sung', 422]] as const) {
    assert.equal((await li('GET', `/operator/cases${path}`)).status, status, path)
  }
  return id
}

/** Everything that a partner, the public, an ordinary operator and whoever reads the log can see, as one text. */
async function lookAtAll({ hub, shop, acg, known, persons, log }: World): Promise<string[]> {
  const seen: string[] = []
  const document = (await as(hub, null, 'GET', '/openapi.json')).body
  const paths = Object.entries<Json>(document.paths).filter(([, item]) => item.get).map(([path]) => path)
  const hidden = ['/openapi.json', '/.well-known/berth', '/healthz', '/readyz', '/docs', '/reasons/ledger.insufficient_funds', '/figures', '/figures?lang=zh-CN']
  for (const path of [...paths, ...hidden, '/operator/cases', '/operator/cases/accesses']) {
    const address = path.replace(/\{(\w+)\}/g, (_, name: string) => known[name] ?? 'none')
    for (const key of [null, shop.apiKey!, persons.wang!, persons.chen!, hub.operatorKey]) {
      const { status, head, text } = await as(hub, key, 'GET', address)
      seen.push(`GET ${path} ${status} ${JSON.stringify(head)} ${text}`)
    }
  }
  const foreign = openShop(acg)
  for (const reply of [await foreign.connect(), await foreign.items(), await foreign.item('Q10'), await foreign.stock('Q10'), await foreign.query('T-1'), await foreign.call('/shared/cases'), await foreign.open('/user/info')]) seen.push(`acg ${reply.status} ${JSON.stringify(reply.body)}`)
  for (const line of ['docking list', 'ledger check', 'orders doubtful', 'operator list', 'notices list', 'case list', 'help', 'report', 'balance', 'requests']) seen.push(`berth ${line}: ${await berth(hub, persons.wang!, shop, line)}`)
  seen.push(...(await readMails(hub.dataDir)).map((mail) => JSON.stringify(mail)), ...log)
  const metrics = (await as(hub, null, 'GET', '/metrics')).text
  // The load of the process is what it is; the number of batches depends on what arrived at once.
  seen.push(...metrics.split('\n').filter((line) => !/^(# )?(HELP |TYPE )?(process_|nodejs_|berth_order_batches)/.test(line)))
  return [...seen, ...await lookAtDatabase(hub)]
}

/** The log of facts, and how much lies in every table of every other room. */
async function lookAtDatabase(hub: TestHub): Promise<string[]> {
  const client = new Client({ connectionString: hub.ownerUrl })
  await client.connect()
  try {
    const facts = (await client.query('select docking, kind, subject, code, body from platform.facts order by docking nulls first, lane, position')).rows
    const heads = (await client.query('select sum(head) as heads, sum(epoch) as epochs from platform.lanes')).rows
    const tables = (await client.query(`select table_schema || '.' || table_name as name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema', 'compliance') order by 1`)).rows
    const sizes: string[] = []
    for (const { name } of tables) sizes.push(`${name} ${(await client.query(`select count(*)::int as n from ${name}`)).rows[0].n}`)
    const sequences = (await client.query('select schemaname, sequencename, last_value from pg_sequences order by 1, 2')).rows
    return [...facts, ...heads, ...sizes, ...sequences].map((row) => JSON.stringify(row))
  } finally {
    await client.end()
  }
}

async function berth(hub: TestHub, operatorKey: string, shop: TestDocking, line: string): Promise<string> {
  let text = ''
  const code = await run(line.split(' '), {
    env: { BERTH_URL: hub.url, BERTH_OPERATOR_KEY: operatorKey, BERTH_API_KEY: shop.apiKey!, LANG: 'en', DATA_DIR: hub.dataDir }, stdin: (async function* () {})(), isTerminal: false, nowMs: () => 0,
    stdout: (more) => void (text += more), stderr: (more) => void (text += more),
  })
  return `${code} ${text}`
}

/** Times, durations and what is drawn by chance left out: what is left is what is said. */
function plain(seen: readonly string[], hub: TestHub): string[] {
  return seen.map((text) => text.replaceAll(hub.url, 'HUB').replaceAll(new URL(hub.url).host, 'HUB')
    .replace(/\b(req|sig)_[0-9a-z]{16,}/g, '$1').replace(/^— (\S+) \S+$/gm, '— $1')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+\d\d:?\d\d)?|[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d{4} [\d:]+ \S+/g, 'TIME').replace(/\b\d{10,13}\b/g, 'TIME')
    .replace(/"durationMs":[\d.e-]+/g, '"durationMs":0').replace(/ +(ms|\d+\.\d)$/gm, ' N').replace(/"sinceMs":\d+/g, '')
    .replace(/\/n\/[\w-]{16,}/g, '/n/TOKEN').replace(/"token":"[^"]+"/g, '').replace(/"(publicKey|value)":"[^"]+"/g, '"$1":""').replace(/bytes(In|Out)":\d+/g, 'bytes":0').replace(/[0-9a-f]{32,}/g, 'HEX').replace(/r=\d+/g, 'r=N'))
}

/** Where two texts part, with what stands around it. */
function difference(a: string, b: string): { what: string; a: string; b: string } | null {
  if (a === b) return null
  const at = [...a].findIndex((letter, i) => letter !== b[i])
  return { what: a.slice(0, 60), a: a.slice(Math.max(0, at - 60), at + 60), b: b.slice(Math.max(0, at - 60), at + 60) }
}

test('a case that is opened, worked and filed is seen by nobody: not by partner, public, ordinary operator, log, counters or facts', async (t) => {
  const [silent, loud] = [await openWorld(t), await openWorld(t)]
  const looks: [string[], string[]][] = []
  for (const when of ['before', 'after']) {
    looks.push([plain(await lookAtAll(silent), silent.hub), plain(await lookAtAll(loud), loud.hub)])
    if (when === 'before') await workCase(loud)
    await goOn(silent)
    await goOn(loud)
  }
  for (const [without, within] of looks) {
    assert.ok(without.length > 100, `${without.length} things were looked at`)
    for (const [i, text] of without.entries()) assert.deepEqual(difference(within[i]!, text), null)
    assert.equal(within.length, without.length)
  }
  assert.notDeepEqual(looks[0]![0], looks[1]![0], 'the two looks can tell one state from another')
  const all = looks.flat(2)
  assert.deepEqual(all.filter((text) => /Laundry|\bcas_[0-9a-z]{26}/.test(text)), [])
  assert.deepEqual(all.filter((text) => text.startsWith('GET /openapi.json') && text.includes('/operator/cases')), [])
})

test('whoever lacks the role is told of no such address: same answer, same head, same work, whatever stands behind it', async (t) => {
  const world = await openWorld(t)
  const { hub, persons, shop } = world
  const id = await workCase(world)
  const ended = (await hub.operator('POST', '/operator/operators', { name: 'gone', roles: ['compliance'] })).body.key
  await hub.operator('POST', '/operator/operators/gone/end', {})
  let asked = 0
  const { db } = hub.hub
  const { run: really } = db
  // The persons are read anew every two seconds, whatever is asked; of the cases nothing may be read at all.
  db.run = (statement) => ((asked += statement.text.includes('compliance.') ? 1 : 0), really.call(db, statement))
  const callers = { nobody: null, partner: shop.apiKey!, operator: persons.wang!, reviewer: persons.chen!, owner: hub.operatorKey, ended, wrong: `${persons.li!.slice(0, -6)}000000` }
  const addresses = ['/operator/cases', `/operator/cases/${id}`, `/operator/cases/${id}/accesses`, `/operator/cases/${id}/confirmations`, '/operator/cases/accesses?before=1', '/operator/cases/cas_none']
  const counted = async () => (await as(hub, null, 'GET', '/metrics')).text.split('\n').filter((line) => /^berth_(requests|refusals)_total/.test(line)).map((line) => line.split(' ')).reduce((map, [name, n]) => map.set(name!, Number(n)), new Map<string, number>())
  const grown = (before: Map<string, number>, after: Map<string, number>) => [...after].map(([name, n]) => [name, n - (before.get(name) ?? 0)] as const).filter(([name, n]) => n > 0 && !name.includes('/metrics'))
  for (const [name, key] of Object.entries(callers)) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      for (const address of addresses) {
        const look = async (path: string) => {
          const before = await counted()
          asked = 0
          const { status, head, text } = await as(hub, key, method, path, method === 'POST' ? { title: 'x', dockings: [] } : undefined)
          return { status, head, text: text.replace(/req_\w+/, 'req').replace(/"serverTime":"[^"]+"/, '').replaceAll('/operator/cases', '/operator/casez'), asked, grown: grown(before, await counted()) }
        }
        const [hidden, unknown] = [await look(address), await look(address.replace('/operator/cases', '/operator/casez'))]
        assert.equal(hidden.status, 404, `${name} ${method} ${address}: ${hidden.text}`)
        assert.deepEqual([hidden.asked, hidden], [0, unknown], `${name} ${method} ${address}`)
      }
    }
  }
  for (const [key, status] of [[persons.li!, 200], [persons.wang!, 404]] as const) assert.equal((await as(hub, key, 'GET', `/operator/cases/${id}`)).status, status)
  assert.equal((await as(hub, persons.li!, 'GET', '/operator/dockings')).status, 403, 'a compliance person is no operator')
})
