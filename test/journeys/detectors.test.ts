import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { Client } from 'pg'
import type { Profile } from '../../hub/domain/risk/model.ts'
import { addOrder, isFound } from '../../hub/domain/risk/rules.ts'
import { canonicalJson } from '../../protocol/canonical.ts'
import { openShop } from '../acg-shop.ts'
import { startHub, type TestDocking, type TestHub } from '../hub.ts'

const DAY_MS = 86_400_000
const GAP_MS = 30_000

/** Yesterday at eight in China, so that a whole day of orders lies in one day and none at night. */
const MORNING_MS = Math.floor((Date.now() + 8 * 3_600_000 - DAY_MS) / DAY_MS) * DAY_MS

/** Accepted orders as the log tells of them, with these gaps between them. */
async function tellOrders(hub: TestHub, docking: TestDocking, good: string, gapsMs: readonly number[]): Promise<void> {
  const client = new Client({ connectionString: hub.ownerUrl })
  await client.connect()
  try {
    await client.query(`with d as (select lane from partners.dockings where id = $1),
      moved as (update platform.lanes l set head = head + $2, answered = answered + $2 from d where l.lane = d.lane returning l.lane, l.head - $2 as before)
      insert into platform.facts (lane, position, docking, kind, subject, code, body, at)
      select moved.lane, before + n, $1, 'order.accepted', 'ord_' || lpad(n::text, 20, '0'), null, $3, at from moved, unnest($4::timestamptz[]) with ordinality t(at, n)`,
    [docking.id, gapsMs.length + 1, JSON.stringify({ good }), timesOf(gapsMs)])
  } finally {
    await client.end()
  }
}

function timesOf(gapsMs: readonly number[]): Date[] {
  const times = [new Date(MORNING_MS)]
  for (const gap of gapsMs) times.push(new Date(times.at(-1)!.getTime() + gap))
  return times
}

/** Orders whose gaps scatter by so much of their length. */
const scattered = (orders: number, share: number) => Array.from({ length: orders - 1 }, (_, i) => Math.round(GAP_MS * (1 + (i % 2 === 0 ? share : -share))))

async function profileOf(hub: TestHub): Promise<Profile> {
  await hub.hub.risk.round()
  const sealed = (await hub.hub.db.run({ text: 'select sealed from risk.profiles', values: [] }))[0]![0] as Buffer
  return JSON.parse(hub.hub.vault.open(sealed, 'risk profile').toString('utf8')) as Profile
}

/** The two scatters that lie a hair above and below the threshold of this hub. */
function besideThreshold(profile: Profile, orders: number): { above: number[]; below: number[] } {
  const found = (share: number) => {
    let tally: Parameters<typeof addOrder>[0] = null
    for (const at of timesOf(scattered(orders, share))) tally = addOrder(tally, { lane: 0, docking: '', good: '', at })
    return isFound(tally!, profile).found
  }
  let [above, below] = [0, 1]
  while (below - above > 2 / GAP_MS) {
    const middle = (above + below) / 2
    if (found(middle)) above = middle
    else below = middle
  }
  assert.deepEqual([found(above), found(below)], [true, false])
  return { above: scattered(orders, above), below: scattered(orders, below) }
}

const countOf = async (hub: TestHub, table: 'tallies' | 'findings') => (await hub.hub.db.run({ text: `select count(*)::int from risk.${table}`, values: [] }))[0]![0]

test('a pattern that is repeated ten thousand times in the sandbox is not even counted, and nothing shows it', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 1 })
  const play = await hub.openDocking({ mode: 'sandbox', deposit: '10.00' })
  const before = (await hub.bearer(play, 'GET', '/api/docking/report')).body
  await profileOf(hub)
  await tellOrders(hub, play, good, Array(9_999).fill(5_000))
  await hub.hub.risk.round()
  assert.deepEqual([await countOf(hub, 'tallies'), await countOf(hub, 'findings')], [0, 0])
  const after = (await hub.bearer(play, 'GET', '/api/docking/report')).body
  // The time and the signature over it differ between any two reports.
  const { at: _a, signature: _c, ...was } = before
  const { at: _b, signature: _d, ...is } = after
  assert.deepEqual(is, was)
  assert.ok(after.checks.every(({ check }: { check: string }) => !check.startsWith('risk')), 'no detector is among the checks')
  assert.deepEqual((await hub.operator('GET', '/operator/findings')).body.items, [])

  const live = await hub.openDocking({ mode: 'live' })
  await tellOrders(hub, live, good, Array(9_999).fill(5_000))
  await hub.hub.risk.round()
  assert.deepEqual([await countOf(hub, 'tallies'), await countOf(hub, 'findings')], [1, 1], 'the same of a live docking is found')
})

/** Everything that a partner and the public are told, as bytes but for times and ids of requests. */
async function lookAsPartner(hub: TestHub, shop: TestDocking, acg: TestDocking, order: string): Promise<string[]> {
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as { paths: Record<string, Record<string, unknown>> }
  const seen: string[] = []
  for (const path of [...Object.keys(document.paths).filter((path) => document.paths[path]!.get), '/.well-known/berth', '/figures', '/openapi.json', '/reasons/ledger.insufficient_funds']) {
    const address = path.replace('{order}', order).replace(/\{\w+\}/, 'none')
    for (const key of [null, shop.apiKey!]) {
      const reply = await fetch(hub.url + address, { headers: key === null ? {} : { authorization: `Bearer ${key}` } })
      seen.push(`${path} ${reply.status} ${JSON.stringify([...reply.headers].filter(([name]) => !['date', 'content-length'].includes(name)))} ${await reply.text()}`)
    }
  }
  const foreign = openShop(acg)
  for (const reply of [await foreign.connect(), await foreign.items(), await foreign.stock('Q10')]) seen.push(JSON.stringify(reply.body))
  seen.push(...(await (await fetch(`${hub.url}/metrics`)).text()).split('\n').filter((line) => !/(process_|nodejs_|berth_order_batches)/.test(line)))
  return seen.map((text) => text.replaceAll(hub.url, 'HUB').replace(/req_\w+/g, 'req').replace(/sig_\w+/g, 'sig').replace(/"(publicKey|value)":"[^"]+"/g, '').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replace(/\b\d{10,13}\b/g, 'TIME')
    .replace(/"durationMs":[\d.e-]+/g, '').replace(/"bytes(In|Out)":\d+/g, '').replace(/r=\d+/g, ''))
}

async function openWorld(t: TestContext) {
  const hub = await startHub(t)
  const made: Record<string, number> = {}
  hub.hub.ids.make = (prefix) => `${prefix}_${String((made[prefix] = (made[prefix] ?? 0) + 1)).padStart(20, '0')}`
  const good = await hub.stockGood({ code: 'Q10', cards: 20, mode: 'live' })
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const acg = await hub.openDocking({ mode: 'live', dialect: 'acg0', deposit: '100.00', appId: '1234', appKey: 'ABCDEF0123456789' })
  const order = (await hub.order(shop, { reference: 'A-1', good })).body.id as string
  return { hub, good, shop, acg, order, profile: await profileOf(hub) }
}

test('just below and just above the threshold every answer is the same, until a person decides; the statement tells no threshold', async (t) => {
  const [one, two] = [await openWorld(t), await openWorld(t)]
  // Each hub has thresholds of its own: one pattern lies a hair above those of the first, the other a hair below those of the second.
  const orders = 2 * Math.max(one.profile.leastOrders, two.profile.leastOrders)
  await tellOrders(one.hub, one.shop, one.good, besideThreshold(one.profile, orders).above)
  await tellOrders(two.hub, two.shop, two.good, besideThreshold(two.profile, orders).below)
  const looks: string[][] = []
  for (const { hub, good, shop, acg, order } of [one, two]) {
    await hub.hub.risk.round()
    await hub.order(shop, { reference: 'A-2', good })
    await hub.hub.notices.follow()
    looks.push(await lookAsPartner(hub, shop, acg, order))
  }
  assert.deepEqual([await countOf(one.hub, 'findings'), await countOf(two.hub, 'findings')], [1, 0], 'one of them was found')
  assert.ok(looks[0]!.length > 60)
  for (const [i, text] of looks[0]!.entries()) assert.equal(looks[1]![i], text)

  const { hub, shop, profile } = one
  const listed = await hub.operator('GET', '/operator/findings')
  const [finding] = listed.body.items
  assert.deepEqual([finding.docking, finding.bands.beat, finding.bands.notEvaluated], [shop.id, 'even', ['payer', 'redeemer', 'device', 'refund_loop']])
  const template = await hub.operator('POST', '/operator/rules', { kind: 'contract_template', slug: 'supply', title: { en: 'Supply contract', zh: '供货合同' }, text: { en: 'Article 5.1. Orders are made by buyers.', zh: '第五条之一　订单须由真实买家产生。' } })
  const contract = await hub.operator('POST', `/operator/dockings/${shop.id}/contracts`, { rule: template.body.id, signedAt: new Date().toISOString(), signedBy: 'Shop' })
  assert.equal(contract.status, 201, contract.text)
  const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'terms.brushing', scope: ['orders'], facts: [`Orders of one good on ${finding.day}: ${finding.bands.orders}, at an ${finding.bands.beat} beat.`], ground: [{ type: 'contract', ref: contract.body.id, article: '5.1' }],
    remedy: { en: 'Say who ordered.', zh: '请说明下单人。' }, evidence: [{ id: finding.evidence.id, kind: finding.evidence.kind, sha256: finding.evidence.sha256 }],
  })
  assert.equal(held.status, 201, held.text)
  const told = await hub.bearer(shop, 'GET', '/api/docking')
  assert.ok(told.text.includes(finding.evidence.sha256) && told.text.includes('withheld_detection'))
  for (const number of Object.values(profile)) for (const text of [told.text, listed.text]) assert.equal(text.includes(String(number).slice(0, 6)) && String(number).length > 4, false, 'no threshold and no weight')

  assert.equal((await hub.operator('GET', `/operator/findings/evidence?finding=${finding.id}`)).status, 403, 'an ordinary operator does not see them either')
  const { key } = (await hub.operator('POST', '/operator/operators', { name: 'chen', roles: ['reviewer'] })).body
  const { items: [opened] } = await (await fetch(`${hub.url}/operator/findings/evidence?finding=${finding.id}`, { headers: { authorization: `Bearer ${key}` } })).json() as { items: { evidence: { profile: Profile }; commitment: string }[] }
  assert.deepEqual(opened!.evidence.profile, profile)
  assert.equal(createHash('sha256').update(canonicalJson(opened!.evidence)).digest('hex'), finding.evidence.sha256, 'it is what the hub was bound to')
})
