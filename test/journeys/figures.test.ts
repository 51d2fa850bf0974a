import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { run } from '../../cli/program.ts'
import { FigureBook } from '../../hub/domain/figures/index.ts'
import { quarterOf, spanOf } from '../../hub/domain/figures/quarters.ts'
import { verifyDocument, type PublishedKey } from '../../protocol/documents.ts'
import { readContract } from '../contract.ts'
import { startHub, type TestHub } from '../hub.ts'

const HOLD = { code: 'compliance.identity_unverified', scope: ['orders'], facts: ['The business licence has expired.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }], remedy: { en: 'Send a valid licence.', zh: '请提交有效的营业执照。' } }
const QUARTER = quarterOf(new Date())

/** A hub in the quarter after one in which six shops were refused and five of them held. */
async function openLater(t: Parameters<typeof startHub>[0]): Promise<TestHub> {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  for (let i = 0; i < 6; i++) {
    const shop = await hub.openDocking({ name: `Shop ${i}`, mode: 'live' })
    await hub.order(shop, { reference: 'A-1', good })
    if (i === 5) continue
    const held = await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, HOLD)
    await hub.operator('POST', `/operator/decisions/${held.body.id}/lift`, { note: 'Seen.' })
  }
  hub.hub.figures = new FigureBook({ db: hub.hub.db, clock: { nowMs: () => spanOf(QUARTER)!.to.getTime() + 86_400_000 }, log: hub.hub.log })
  await hub.hub.figures.round()
  return hub
}

test('anybody reads the figures of a quarter, signed, on a page without script, and on the command line', async (t) => {
  const hub = await openLater(t)
  const contract = await readContract(hub.url)
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(hub.url + path, { headers })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: response.headers.get('content-type')!.includes('json') ? JSON.parse(text) : null }
  }
  const published = await get(`/api/figures?quarter=${QUARTER}`)
  contract.check('GET', '/api/figures', published)
  assert.deepEqual([published.body.state, published.headers.get('cache-control')], ['published', 'public, max-age=86400'])
  assert.deepEqual(published.body.measures, [{ class: 'compliance', code: 'compliance.identity_unverified', events: 5 }])
  assert.deepEqual(published.body.refusals, [{ class: 'commercial', code: 'ledger.insufficient_funds', events: 5 }])
  assert.equal((await get(`/api/figures?quarter=${QUARTER}`)).text, published.text, 'the same document at each look')
  const keys = (await get('/.well-known/berth')).body.keys as PublishedKey[]
  const check = (raw: Uint8Array, signature: Uint8Array, bytes: Uint8Array) => verify(null, bytes, createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]), format: 'der', type: 'spki' }), signature)
  assert.equal(await verifyDocument(published.body, keys, check), true)
  assert.equal(await verifyDocument({ ...published.body, ruleChanges: 9 }, keys, check), false)

  const running = await get('/api/figures')
  contract.check('GET', '/api/figures', running)
  assert.deepEqual([running.body.state, running.body.refusals, running.headers.get('cache-control')], ['running', [], 'public, max-age=300'])
  for (const path of ['/api/figures?quarter=2019Q1', '/api/figures?quarter=2999Q1', '/api/figures?quarter=x', '/api/figures?quarter=2026Q5', '/api/figures?colour=red', '/api/figures?quarter=2026Q4&quarter=2026Q3']) {
    const refused = await get(path)
    contract.check('GET', path, refused)
    assert.deepEqual([refused.status, refused.body.code], [422, 'protocol.invalid_field'], path)
  }

  for (const [address, accept, lang, words] of [
    [`/figures?quarter=${QUARTER}`, 'zh-CN', 'zh-CN', ['公开数据', '主体实名未核验', '不足五个对接方', '恢复用时', '1 小时']],
    [`/figures?quarter=${QUARTER}&lang=en`, 'zh-CN', 'en', ['Open figures', 'Time to remedy', '1 h', 'Fewer than five partners']], ['/figures', 'en', 'en', ['still runs', QUARTER]],
  ] as const) {
    const page = await get(address, { 'accept-language': accept })
    assert.deepEqual([page.status, page.headers.get('content-language')], [200, lang])
    for (const word of words) assert.ok(page.text.includes(word), `${address}: ${word}`)
    assert.match(page.headers.get('content-security-policy')!, /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; /)
    assert.doesNotMatch(page.text, /<script|<img|style=|dck_|prt_|Shop \d/)
  }
  assert.equal((await get('/figures?quarter=2019Q1')).status, 422)

  for (const [line, words] of [[`figures --quarter ${QUARTER}`, ['compliance.identity_unverified', 'fewer than five']], ['figures --lang zh', ['进行中']]] as const) {
    let text = ''
    const say = (more: string) => void (text += more)
    assert.equal(await run(line.split(' '), { env: { BERTH_URL: hub.url, LANG: 'en' }, stdin: (async function* () {})(), isTerminal: false, nowMs: () => 0, stdout: say, stderr: say }), 0, text)
    for (const word of words) assert.ok(text.includes(word), text)
  }
})
