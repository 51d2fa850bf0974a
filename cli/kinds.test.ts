import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startHub, type TestDocking, type TestHub } from '../test/hub.ts'
import type { Json } from '../test/raw-http.ts'
import { run } from './program.ts'

/** `json` is null where the words hold --text, which asks for what a person sees. */
type Ended = { code: number; out: string; json: Json }

async function open(t: TestContext): Promise<{ hub: TestHub; folder: string; berth: (words: string[], stdin?: string) => Promise<Ended>; as: (docking: TestDocking) => void }> {
  const hub = await startHub(t)
  const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const env: NodeJS.ProcessEnv = { BERTH_URL: hub.url, DATA_DIR: folder, BERTH_OPERATOR_KEY: hub.operatorKey }
  return {
    hub, folder,
    as: (docking) => Object.assign(env, { BERTH_KEY_ID: docking.keyId, BERTH_KEY_SECRET: docking.keySecret }),
    berth: async (words, stdin = '') => {
      let out = ''
      const code = await run(words.includes('--text') ? words.filter((word) => word !== '--text') : [...words, '--json'], {
        env, stdin: (async function* () { yield Buffer.from(stdin) })(), stdout: (text) => (out += text), stderr: (text) => (out += text), isTerminal: false, nowMs: Date.now,
      })
      return { code, out, json: words.includes('--text') ? null : JSON.parse(out) }
    },
  }
}

function done({ code, out, json }: Ended): Json {
  assert.equal(code, 0, out)
  return json
}

test('an operator sells a raced good and a partner buys of it, on the command line alone', async (t) => {
  const { hub, folder, berth, as } = await open(t)
  const goods = join(folder, 'goods.json')
  writeFileSync(goods, JSON.stringify([{
    code: 'video', name: '视频会员', category: '影音会员', unitPrice: '15', cost: '12', races: [{ name: '月卡', unitPrice: '15' }, { name: '年卡', unitPrice: '150' }],
    options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1.5' }] }],
  }]))
  assert.equal(done(await berth(['goods', 'import', goods])).added, 1)
  const cards = ['cards', 'import', '-', '--good', 'video', '--mode', 'live', '--batch', 'b1']
  assert.equal((await berth(cards, 'Y-0')).json.code, 'orders.choice_missing')
  assert.equal((await berth([...cards, '--race', '年卡', '--option', '一区'], 'Y-0')).code, 2)
  assert.equal(done(await berth([...cards, '--race', '年卡', '--option', '区服=一区'], 'Y-1\nY-2')).published, 2)
  const picture = join(folder, 'picture.png')
  writeFileSync(picture, Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(10)]))
  assert.match(done(await berth(['goods', 'image', 'video', picture])).image, /\/images\/[0-9a-f]{32}\.png$/)
  writeFileSync(picture, '<svg/>')
  assert.equal((await berth(['goods', 'image', 'video', picture])).code, 1)

  as(await hub.openDocking({ mode: 'live', deposit: '500.00' }))
  const order = ['order', '--good', 'video', '--quantity', '1', '--race', '年卡', '--option', '区服=一区']
  const bought = done(await berth(order))
  assert.deepEqual([bought.total, bought.race, bought.options, bought.cards[0].secret], ['151.50', '年卡', { 区服: '一区' }, 'Y-1'])
  assert.deepEqual(await hub.findings(), [])
})

test('an operator finds, delivers and refunds the orders that wait for a person', async (t) => {
  const { hub, folder, berth, as } = await open(t)
  const good = await hub.stockGood({ code: 'topup', delivery: 'manual', form: [{ name: 'account' }] })
  const docking = await hub.openDocking({ mode: 'live', deposit: '500.00' })
  as(docking)
  const ids = []
  for (const account of ['li', 'wu']) ids.push(done(await berth(['order', '--good', good, '--quantity', '1', '--max-price', '10', '--field', `account=${account}`])).id as string)
  assert.equal((await berth(['order', '--good', good, '--quantity', '1', '--max-price', '10', '--field', 'account'])).code, 2)
  assert.deepEqual(done(await berth(['order', 'waiting'])).items.map((order: { id: string; form: object }) => [order.id, order.form]), [[ids[0], { account: 'li' }], [ids[1], { account: 'wu' }]])
  const text = join(folder, 'delivered.txt')
  writeFileSync(text, '已充值\n')
  assert.equal(done(await berth(['order', 'deliver', ids[0]!, '--text-file', text])).state, 'delivered')
  assert.equal(done(await berth(['order', 'refund', ids[1]!, '--reason', '账号不存在'])).state, 'refunded')
  const again = await berth(['order', 'refund', ids[1]!, '--reason', '另一个原因', '--text'])
  assert.deepEqual([again.code, /was given back before, reason: 账号不存在; nothing new/.test(again.out)], [0, true], again.out)
  assert.deepEqual([done(await berth(['order', 'refund', ids[1]!, '--reason', '账号不存在'])).state, (await hub.signed(docking, 'GET', '/api/funds/balance')).body.available], ['refunded', '490.50'])
  assert.equal((await berth(['cards', 'import', '-', '--good', 'topup', '--mode', 'live', '--batch', 'b1'], 'C-1')).json.because.path, '?/good')
  const card = await hub.order(docking, { reference: 'K-1', good: await hub.stockGood({ code: 'card', mode: 'live', cards: 1 }) })
  assert.equal((await berth(['order', 'deliver', card.body.id, '--text-file', '-'], 'x')).json.code, 'orders.not_waiting')
  assert.equal((await berth(['order', 'refund', 'ord_00000000000000000000', '--reason', 'none such'])).json.code, 'orders.not_found')
  assert.equal((await berth(['order', 'refund', ids[0]!, '--reason', '账号不存在'])).code, 1)
  assert.equal((await berth(['order', 'deliver', ids[1]!, '--text-file', '-'], ' \n')).code, 2, 'nothing is no delivery')
  assert.deepEqual(done(await berth(['order', 'waiting'])).items, [])
  assert.equal((await hub.signed(docking, 'GET', `/api/orders/${ids[0]}`)).body.text, '已充值')
  assert.deepEqual(await hub.findings(), [])
})

test('lists call dockings and goods by their names, and who sets what nobody hears or sells is told so', async (t) => {
  const { hub, berth, as } = await open(t)
  const good = await hub.stockGood({ code: 'topup', delivery: 'manual' })
  const shop = await hub.openDocking({ name: '小卡铺', mode: 'live', deposit: '500.00' })
  as(shop)
  done(await berth(['order', '--good', 'topup', '--quantity', '1']))
  const [waiting] = done(await berth(['order', 'waiting'])).items
  assert.deepEqual([waiting.dockingName, waiting.docking, waiting.goodCode, waiting.goodName, waiting.good], ['小卡铺', shop.id, 'topup', 'Good topup', good])
  assert.match((await berth(['order', 'waiting', '--text'])).out, new RegExp(`小卡铺 ${shop.id} +topup Good topup ${good} `))
  const alert = ['alert', 'stock', 'topup', '--below', '5', '--docking', '小卡铺', '--text']
  assert.match((await berth(alert)).out, /nobody there is a contact for stock/)
  done(await berth(['contact', 'add', '小卡铺', 'owner@shop.example', '--kinds', 'stock']))
  assert.doesNotMatch((await berth(alert)).out, /nobody/)
  assert.match((await berth(['alert', 'list', '--text'])).out, new RegExp(`小卡铺 ${shop.id} +stock +topup Good topup ${good} `))
  done(await berth(['prices', 'group', 'add', '金牌']))
  assert.equal(done(await berth(['prices', 'group', 'set', '金牌', '--category', 'Test', '--percent=-1'])).selected, 1)
  const idle = await berth(['prices', 'group', 'set', '金牌', '--category', 'Tset', '--percent=-1', '--text'])
  assert.deepEqual([idle.code, /nothing is in "Tset"/.test(idle.out)], [3, true], idle.out)
  const none = await berth(['prices', 'change', '--category', 'Tset', '--percent=-1', '--text'])
  assert.deepEqual([none.code, /Nothing was selected/.test(none.out)], [3, true], none.out)
  assert.match((await berth(['help', 'oders', '--text'])).out, /no command "oders"\. Near it: order waiting, [^\n]*order[^\n]*; berth help lists all/)
  const hold = ['hold', '小卡铺', '--code', 'terms.payment_overdue', '--fact', 'Overdue since May.', '--remedy-en', 'Pay.', '--remedy-zh', '请付款。', '--scope']
  assert.deepEqual([(await berth([...hold, 'funds'])).code, /none of orders, goods, key/.test((await berth([...hold, 'funds', '--text'])).out)], [2, true], 'what cannot be held is not offered')
  assert.match((await berth(['xyzzy', '--text'])).out, /no command "xyzzy"; berth help lists all/)
})

test('a file orders raced goods and goods that a person delivers, at the price of each choice, and names a good that is not there', async (t) => {
  const { hub, folder, berth, as } = await open(t)
  await hub.stockGood({ code: 'topup', delivery: 'manual', form: [{ name: 'account' }] })
  await hub.stockGood({
    code: 'video', unitPrice: '15', races: [{ name: '月卡', unitPrice: '15', wholesale: [{ from: 2, unitPrice: '14' }] }, { name: '年卡', unitPrice: '150' }],
    options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1.5' }] }],
  })
  for (const race of ['月卡', '年卡']) await hub.stockKind({ code: 'video', race, options: { 区服: '一区' }, lines: [`${race}-1`, `${race}-2`, `${race}-3`] })
  as(await hub.openDocking({ mode: 'live', deposit: '500.00' }))
  const csv = join(folder, 'orders.csv')
  writeFileSync(csv, 'reference,good,quantity,race,option\nC-1,video,1,年卡,区服=一区\nC-2,video,2,月卡,区服=一区;\nC-3,nobody,1,,\nC-4,video,1,月卡,一区\n')
  const placed = await berth(['order', '--batch', csv])
  assert.equal(placed.code, 3)
  assert.deepEqual(placed.json.items.map((item: Json) => [item.status, item.order?.charged]), [[201, '151.50'], [201, '31.00']])
  assert.deepEqual(placed.json.unread.map(({ line, code }: Json) => [line, code]), [[4, 'catalogue.good_not_found'], [5, 'protocol.malformed_request']])
  const lines = [{ reference: 'N-1', good: 'topup', quantity: 1, form: { account: 'li' } }, { reference: 'N-2', good: 'video', quantity: 1, race: '月卡', options: { 区服: '一区' } }]
  const { code, out } = await berth(['order', '--batch', '-', '--text'], lines.map((line) => JSON.stringify(line)).join('\n'))
  assert.equal(code, 0, out)
  assert.match(out, /^2 placed \(1 delivering: a person delivers\), 0 stood before, 0 not placed\n +line 1 +N-1 +delivering +http\S+\/o\/\S+\n$/)
  const quoted = done(await berth(['quote', '--good', 'video', '--quantity', '1', '--race', '年卡', '--option', '区服=一区', '--max-price', '151.50']))
  assert.equal(quoted.charged, '151.50')
  assert.equal((await berth(['order', '--batch', '-', '--race', '年卡'])).code, 2)
  assert.deepEqual(await hub.findings(), [])
})

test('a shop keeps the id and the key that it has stored, and nobody is shown that key again', async (t) => {
  const { folder, berth } = await open(t)
  const key = join(folder, 'key.txt')
  writeFileSync(key, 'KEY-OF-DOWNSTREAM-0001\n')
  const opened = await berth(['docking', 'add', '--name', '老店', '--mode', 'live', '--dialect', 'acg', '--app-id', 'shop@1', '--app-key', key])
  assert.deepEqual([done(opened).docking.dialect, opened.json.credentials.appId, opened.json.credentials.appKey], ['acg0', 'shop@1', undefined])
  assert.doesNotMatch(opened.out, /KEY-OF-DOWNSTREAM/)
  assert.equal((await berth(['docking', 'add', '--name', 'x', '--mode', 'live', '--dialect', 'acg', '--app-key', '-'], 'with%percent+plus')).code, 1)
  assert.equal((await berth(['docking', 'add', '--name', 'x', '--mode', 'live', '--dialect', 'json', '--app-id', 'shop@1'])).code, 2)
  assert.equal(done(await berth(['docking', 'guard', '老店', 'max', '--cap', '200'])).priceCap, '200.00')
  assert.equal((await berth(['docking', 'guard', '老店', 'always'])).code, 2)
  assert.equal((await berth(['docking', 'port', '老店', '70000'])).code, 2)
  assert.equal(done(await berth(['docking', 'port', '老店', 'none'])).port, null)
})
