import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { judge, readPasted } from '../../consoles/log/proof.ts'
import { LogWatch } from '../../sdk/log.ts'
import { startHub, type TestHub } from '../hub.ts'

const BROWSER = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find(existsSync)

async function sealedHub(t: Parameters<typeof startHub>[0]): Promise<{ hub: TestHub; shop: Awaited<ReturnType<TestHub['openDocking']>> }> {
  const hub = await startHub(t)
  const shop = await hub.openDocking({ mode: 'live' })
  await hub.operator('POST', `/operator/dockings/${shop.id}/holds`, {
    code: 'compliance.identity_unverified', scope: ['orders'], facts: ['No business licence was handed in.'], ground: [{ type: 'law', ref: '电子商务法', article: '第二十七条' }],
    remedy: { en: 'Hand in the licence.', zh: '请提交营业执照。' },
  })
  await hub.hub.logbook.seal()
  return { hub, shop }
}

test('the page runs only what the hub serves for it, in both languages, and the modules are all there and nothing else', async (t) => {
  const { hub } = await sealedHub(t)
  for (const [lang, title] of [['zh', '核验存证日志'], ['en', 'Verify the sealed log']]) {
    const page = await fetch(`${hub.url}/log?lang=${lang}`)
    const html = await page.text()
    assert.match(page.headers.get('content-security-policy')!, /default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'sha256-/)
    assert.ok(html.includes(`<h1>${title}</h1>`))
    assert.deepEqual([...html.matchAll(/<script\b[^>]*>([^<]*)/g)].map((match) => match[1]), [''], 'no script stands in the page itself')
    assert.doesNotMatch(html, /\son\w+=|javascript:/i)
  }
  const seen = new Set<string>()
  const wanted = ['/log/modules/consoles/log/page.ts']
  for (let path = wanted.pop(); path; path = wanted.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    const reply = await fetch(hub.url + path)
    assert.deepEqual([reply.status, reply.headers.get('content-type')], [200, 'text/javascript; charset=utf-8'], path)
    const script = await reply.text()
    assert.doesNotMatch(script, /^\s*(export )?(type|interface) \w+/m, path)
    for (const [, target] of script.matchAll(/ from '(\.[^']+)'/g)) wanted.push(new URL(target!, hub.url + path).pathname)
  }
  assert.ok(seen.size >= 8)
  for (const path of ['hub/main.ts', 'sdk/client.ts', 'consoles/log/../../hub/main.ts', '%2e%2e/package.json', 'protocol/reasons.ts', '']) assert.equal((await fetch(`${hub.url}/log/modules/${path}`)).status >= 400, true, path)
})

test('a proof that is pasted is judged step by step, and a spoilt one fails where it is spoilt', async (t) => {
  const { hub, shop } = await sealedHub(t)
  const watch = new LogWatch({ url: hub.url, store: { load: async () => null, save: async () => {} } })
  const [decision] = (await hub.bearer(shop, 'GET', '/api/docking')).body.decisions
  const own = (await hub.bearer(shop, 'GET', '/api/log/mine')).body.items.find((item: { index: number }) => item.index === decision.sealed.leafIndex)
  await hub.openDocking({ mode: 'live' })
  await hub.hub.logbook.seal()
  const { note, key } = await watch.look()
  const judged = async (value: unknown) => judge(watch.reader, key!, note!, readPasted(typeof value === 'string' ? value : JSON.stringify(value))!)
  const whole = { ...decision, salt: own.salt, payload: own.payload }
  assert.deepEqual(await judged('0').then(({ holds, fails }) => [holds, fails]), [['readable', 'included'], null])
  assert.deepEqual(await judged(decision).then(({ holds, fails }) => [holds.length, fails]), [5, null])
  assert.deepEqual(await judged(whole).then(({ holds, fails }) => [holds, fails]), [['readable', 'signed', 'same_leaf', 'included', 'goes_on', 'payload', 'statement'], null])
  const { sealed } = decision
  const other = Buffer.alloc(32, 7).toString('base64')
  for (const [spoilt, step] of [
    ['999999', 'readable'], [{ ...decision, sealed: { ...sealed, leafIndex: 0 } }, 'same_leaf'], [{ ...decision, sealed: { ...sealed, leafHash: other } }, 'same_leaf'],
    [{ ...decision, sealed: { ...sealed, inclusion: [other, ...sealed.inclusion.slice(1)] } }, 'included'], [{ ...decision, sealed: { ...sealed, inclusion: [] } }, 'included'],
    [{ ...decision, sealed: { ...sealed, checkpoint: sealed.checkpoint.replace(/\n\d+\n/, '\n99\n') } }, 'signed'], [{ ...whole, payload: `${own.payload} ` }, 'payload'],
    [{ ...whole, statement: { ...decision.statement, source: 'another' } }, 'statement'],
  ] as const) assert.equal((await judged(spoilt)).fails, step, JSON.stringify(spoilt).slice(0, 100))
  for (const text of ['', 'x', '{}', '[]', 'null', '{"leafIndex":-1}', '{"sealed":null}', '01']) assert.equal(readPasted(text), null, text)
})

test('a browser that opens the page verifies the log by itself', { skip: BROWSER === undefined && 'no Chromium on this machine' }, async (t) => {
  const { hub } = await sealedHub(t)
  const profile = mkdtempSync(join(tmpdir(), 'berth-browser-'))
  t.after(() => rmSync(profile, { recursive: true, force: true }))
  const see = async () => (await promisify(execFile)(BROWSER!, [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, '--virtual-time-budget=10000', '--dump-dom', `${hub.url}/log?lang=en`,
  ], { timeout: 60_000 })).stdout
  const { size, root } = (await new LogWatch({ url: hub.url, store: { load: async () => null, save: async () => {} } }).look()).note!.checkpoint
  // The browser's own clock may run out before a busy machine has answered.
  let shown = await see()
  for (let looks = 1; looks < 4 && shown.includes('class="plain" role="status" aria-live="polite"><p>Checking'); looks++) shown = await see()
  assert.match(shown, /<div id="verdict" class="good"/, shown.slice(-2_500))
  assert.ok(shown.includes(`<dd>${size}</dd>`) && shown.includes(Buffer.from(root).toString('base64')))
})
