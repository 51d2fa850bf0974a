import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { run } from '../../cli/program.ts'
import { startHub } from '../hub.ts'
import { readMails } from '../mails.ts'

async function open(t: TestContext) {
  const hub = await startHub(t)
  const folder = mkdtempSync(join(tmpdir(), 'berth-again-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const says = async (line: string, expected: RegExp, code = 0, env: Record<string, string> = {}) => {
    let out = ''
    const ended = await run(line.split(' '), {
      env: { DATA_DIR: folder, LANG: 'en', BERTH_URL: hub.url, ...env }, stdin: (async function* () {})(), stdout: (text) => (out += text), stderr: (text) => (out += text), isTerminal: false, nowMs: () => Date.now(),
    })
    assert.match(out, expected)
    assert.equal(ended, code, out)
    return out
  }
  return { hub, folder, says }
}

test('the report of a held docking says when the measure is lifted, in words or by which check', async (t) => {
  const { hub, says } = await open(t)
  const shop = await hub.openDocking({ name: 'Held', mode: 'live', deposit: '1.00' })
  const hold = (liftsWhen: string) => hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.licence_missing', scope: ['orders'], facts: ['No licence was shown.'], ground: [{ type: 'law', ref: '电子商务法', article: '第十条' }], remedy: { en: 'Show it.', zh: '请提交。' }, liftsWhen,
  })
  assert.equal((await hold('The licence was seen.')).status, 201)
  assert.equal((await hold('ledger.funds')).status, 201)
  const env = { BERTH_KEY_ID: shop.keyId!, BERTH_KEY_SECRET: shop.keySecret! }
  const told = await says('report', /once the check ledger\.funds is green/, 0, env)
  assert.match(told, /lifts when +The licence was seen\./)
  const { items } = (await hub.signed(shop, 'GET', '/api/decisions')).body
  assert.deepEqual(items.map(({ statement }: { statement: { measure: { liftsWhen: object } } }) => statement.measure.liftsWhen), [{ check: 'ledger.funds' }, { words: 'The licence was seen.' }])
})

test('a stranger who takes the name of a live docking does not stand in the operator\'s way', async (t) => {
  const { hub, says } = await open(t)
  await hub.openDocking({ name: 'shop-9', mode: 'live' })
  await says(`sandbox --hub ${hub.url} --name shop-9`, /is open/)
  await says('deposit shop-9 10.00 --reference D-1', /10\.00/, 0, { BERTH_OPERATOR_KEY: hub.operatorKey })
})

test('whoever rolls the key of a sandbox goes on with the new one, and comes back from days to come', async (t) => {
  const { hub, folder, says } = await open(t)
  await says(`sandbox --hub ${hub.url} --name Acme`, /is open/)
  const own = () => JSON.parse(readFileSync(join(folder, 'sandbox.json'), 'utf8'))[0].dockings[0] as { keyId: string; keySecret: string }
  const { keyId } = own()
  await says(`keys roll ${keyId} --overlap 24h`, /sandbox\.json has the new key/)
  assert.notEqual(own().keyId, keyId)
  await says('sandbox clock 300d', /25920000/)
  await says('sandbox clock 0', /clock/)
  await says('keys', /live/)
})

test('a reason page opens in the language that its link names', async (t) => {
  const { hub } = await open(t)
  const page = async (query: string) => (await fetch(`${hub.url}/reasons/compliance.licence_missing${query}`, { headers: { accept: 'text/html', 'accept-language': 'en' } })).text()
  assert.match(await page('?lang=zh'), /<html lang="zh/)
  assert.match(await page(''), /<html lang="en/)
})

test('an appeal in bytes of another character set is not taken, since nobody could read it', async (t) => {
  const { hub } = await open(t)
  const shop = await hub.openDocking({ name: 'Held', mode: 'live' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/contacts`, { channel: 'email', address: 'owner@shop.example', language: 'zh-CN', kinds: ['decisions'] })
  await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.licence_missing', scope: ['orders'], facts: ['No licence was shown.'], ground: [{ type: 'law', ref: '电子商务法', article: '第十条' }], remedy: { en: 'Show it.', zh: '请提交。' },
  })
  await hub.hub.notices.follow()
  await hub.hub.notices.send()
  const [letter] = readMails(hub.dataDir)
  const gbk = Buffer.concat([Buffer.from('deed=file&text='), Buffer.from([0xd6, 0xa4, 0xd5, 0xd5])])
  const sent = await fetch(`${letter!.link}/appeal?lang=zh-CN`, { method: 'POST', body: gbk, redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' } })
  assert.equal(sent.status, 400)
  assert.equal((await hub.signed(shop, 'GET', '/api/appeals')).body.items.length, 0)
})
