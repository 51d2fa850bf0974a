import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { must, openRooms, until } from '../house/rooms.ts'
import { startHub } from '../hub.ts'

// What somebody found who used the hub with nothing but its documents.

const CAR = { code: 'video', name: '视频会员', category: '会员', unitPrice: '20', cost: '14', races: [{ name: '月卡', unitPrice: '19', cost: '15' }, { name: '年卡', unitPrice: '188.50' }] }
const PLAIN = { code: 'plain', name: '点卡', category: '会员', unitPrice: '9.80', cost: '7' }

test('prices know what goods cost: nobody halves a category below it by a slip, and a group by cost is counted rightly', async (t) => {
  const hub = await startHub(t)
  const imported = await hub.operator('POST', '/operator/goods', { items: [PLAIN, CAR] })
  assert.equal(imported.body.added, 2, imported.text)
  const halve = { selector: { category: '会员' }, change: { percent: '-50' }, note: '' }
  const preview = await hub.operator('POST', '/operator/prices/changes', { ...halve, dryRun: true })
  assert.deepEqual(preview.body.rows.map((row: { code: string; belowCost: boolean }) => [row.code, row.belowCost]), [['plain', true]])
  assert.match(preview.text, /a good without races/, 'a good in races is named and left out')
  assert.equal((await hub.operator('POST', '/operator/prices/changes', halve)).body.code, 'terms.price_below_cost')
  const shop = await hub.openDocking({ mode: 'live', deposit: '100.00' })
  const own = (body: object) => hub.operator('POST', `/operator/dockings/${shop.id}/offers`, body)
  assert.equal((await own({ good: 'plain', unitPrice: '6.99' })).body.code, 'terms.price_below_cost')
  assert.equal((await own({ good: 'plain', unitPrice: '6.99', allowBelowCost: true })).status, 200)
})

test('an own price for a good in races names its race, is held against that race, and is what the order costs', async (t) => {
  const hub = await startHub(t)
  await hub.operator('POST', '/operator/goods', { items: [CAR] })
  const shop = await hub.openDocking({ mode: 'sandbox', deposit: '100.00' })
  const own = (body: object) => hub.operator('POST', `/operator/dockings/${shop.id}/offers`, { good: 'video', ...body })
  assert.equal((await own({ unitPrice: '18' })).body.because.path, '/race')
  assert.equal((await own({ unitPrice: '18', race: '周卡' })).body.because.path, '/race')
  assert.equal((await own({ unitPrice: '19.50', race: '月卡' })).body.code, 'terms.price_worse_than_published')
  assert.equal((await own({ unitPrice: '14.50', race: '月卡' })).body.code, 'terms.price_below_cost', 'the cost of the race counts')
  assert.equal((await own({ unitPrice: '18', race: '月卡' })).status, 200)
  const good = (await hub.hub.db.run({ text: "select id from catalogue.goods where code = 'video'", values: [] }))[0]![0] as string
  const priced = async (race: string) => (await hub.bearer(shop, 'POST', '/api/quotes', { good, quantity: 1, race })).body.because?.price ?? (await hub.bearer(shop, 'GET', `/api/goods/${good}`)).body.races.find((one: { name: string }) => one.name === race).unitPrice
  assert.deepEqual([await priced('月卡'), await priced('年卡')], ['18.00', '188.50'])
  assert.equal((await hub.operator('POST', `/operator/dockings/${shop.id}/offers/end`, { good: 'video', race: '月卡' })).body.ended, true)
  assert.equal(await priced('月卡'), '19.00')
})

test('an own price counts for every quantity, so it is held against the lowest wholesale price', async (t) => {
  const hub = await startHub(t)
  const imported = await hub.operator('POST', '/operator/goods', { items: [{ code: 'W', name: 'W', category: 'C', unitPrice: '10', wholesale: [{ from: 10, unitPrice: '8' }] }] })
  assert.equal(imported.body.added, 1, imported.text)
  const shop = await hub.openDocking({ mode: 'sandbox', deposit: '100.00' })
  const own = (unitPrice: string) => hub.operator('POST', `/operator/dockings/${shop.id}/offers`, { good: 'W', unitPrice })
  const worse = await own('9.50')
  assert.deepEqual([worse.body.code, worse.body.because?.published], ['terms.price_worse_than_published', '8.00'])
  assert.equal((await own('7.90')).status, 200)
  await hub.operator('POST', '/operator/prices/groups', { name: 'G' })
  const bulk = await hub.operator('POST', '/operator/prices/changes', { selector: { group: 'G' }, change: { percent: '-5' }, dryRun: true })
  assert.match(bulk.text, /a good without wholesale prices/)
})

test('a reference of a price change that was used for another one is refused', async (t) => {
  const hub = await startHub(t)
  await hub.operator('POST', '/operator/goods', { items: [PLAIN] })
  const change = (price: string) => hub.operator('POST', '/operator/prices/changes', { selector: {}, rows: [{ code: 'plain', price }], note: 'n', reference: '2026-11-1' })
  assert.equal((await change('9.70')).body.replayed ?? false, false)
  const again = await change('9.70')
  assert.deepEqual([again.status < 300, again.body.replayed], [true, true])
  assert.equal((await change('9.60')).body.because.path, '/reference')
})

test('importing the same goods again changes nothing, also with races, options and a form', async (t) => {
  const hub = await startHub(t)
  const items = [PLAIN, { ...CAR, options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1' }] }] }]
  assert.equal((await hub.operator('POST', '/operator/goods', { items })).body.added, 2)
  const again = (await hub.operator('POST', '/operator/goods', { items })).body
  assert.deepEqual([again.added, again.changed, again.unchanged], [0, 0, 2])
})

test('a private key is no public key', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const make = (pem: string) => hub.operator('POST', `/operator/dockings/${shop.id}/keys`, { kind: 'ed25519', publicKey: pem })
  const refused = await make(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  assert.deepEqual([refused.body.code, refused.body.because?.path], ['protocol.invalid_field', '/publicKey'])
  assert.equal((await make(publicKey.export({ type: 'spki', format: 'pem' }) as string)).status, 201)
})

test('a card that comes back keeps the day on which it expires', async (t) => {
  const rooms = await openRooms(t)
  const good = await rooms.addGood('soon')
  await rooms.addCards(good, 1, 'live', new Date(Date.now() + 1_500))
  await rooms.addCards(good, 1)
  const docking = await rooms.openDocking({ deposit: '100.00' })
  const both = must(await rooms.place(docking, 'A', good, 2))
  both.receipt.unsent()
  await until(async () => (await rooms.orders.findByReference(docking, 'A'))!.state === 'cancelled')
  await new Promise((later) => setTimeout(later, 1_600))
  const left = await rooms.place(docking, 'B', good, 2)
  assert.deepEqual(left.ok ? left : left.refusal.because, { asked: 2, available: 1 })
  assert.deepEqual(must(await rooms.place(docking, 'C', good)).cards, [both.cards[1]])
  assert.deepEqual(await rooms.findings(), [])
})

test('a line that never says what it wants, at a port of a docking, keeps no hub from stopping', async (t) => {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live', dialect: 'acg0' })
  const port = await freePort()
  assert.equal((await hub.operator('POST', `/operator/dockings/${shop.id}/port`, { port })).status, 200)
  const half = connect(port, '127.0.0.1')
  half.on('error', () => {})
  await new Promise((go) => half.once('connect', go))
  half.write('GET / HTTP/1.1\r\nHos')
  await new Promise((later) => setTimeout(later, 50))
  const cut = new Promise((end) => half.once('close', end))
  await Promise.all([hub.close(), cut])
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((go) => server.listen(0, '127.0.0.1', go))
  const { port } = server.address() as { port: number }
  await new Promise((end) => server.close(end))
  return port
}

test('a caller who resets its connection leaves no trace that breaks the request log', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 1 })
  const shop = await hub.openDocking({ deposit: '100.00' })
  const body = JSON.stringify({ good, quantity: 1 })
  for (let i = 0; i < 40; i++) {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1')
    socket.on('error', () => {})
    await new Promise((go) => socket.once('connect', go))
    socket.write(`POST /api/quotes HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer ${shop.apiKey}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`, () => socket.resetAndDestroy())
    await new Promise((end) => socket.once('close', end))
  }
  await new Promise((later) => setTimeout(later, 100))
  const log = await hub.bearer(shop, 'GET', '/api/requests?limit=100')
  assert.equal(log.status, 200, log.text)
  assert.ok(log.body.items.every((item: { status: number; route: string }) => item.status === 200 && item.route === '/api/quotes'), log.text)
})
