import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { startHub } from '../hub.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const shop = mkdtempSync(join(tmpdir(), 'berth-shop-'))
const installed = join(shop, 'node_modules/berth-sdk')
// npm and tsc are scripts that ask for "node": it must be the one that runs here.
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`, npm_config_cache: join(shop, 'cache'), npm_config_update_notifier: 'false', npm_config_offline: 'true' }

/** Packs the client as it would be published, and unpacks it into a program that has nothing else. */
before(async () => {
  await run('npm', ['pack', './sdk', '--silent', '--pack-destination', shop], { cwd: root, env })
  const [packed] = globSync('berth-sdk-*.tgz', { cwd: shop })
  mkdirSync(installed, { recursive: true })
  await run('tar', ['-xzf', join(shop, packed!), '-C', installed, '--strip-components=1'])
  writeFileSync(join(shop, 'package.json'), '{ "type": "module" }')
})
after(() => rmSync(shop, { recursive: true, force: true }))

test('the package holds what it needs and nothing of the machine it runs on', () => {
  const files = globSync('**/*.*', { cwd: installed }).sort()
  const scripts = files.filter((path) => path.endsWith('.js'))
  assert.deepEqual(files.filter((path) => !/^dist\/(sdk|protocol)\/[a-z-]+\.(js|d\.ts)$/.test(path)), ['README.md', 'package.json'])
  assert.deepEqual(files.filter((path) => /test|messages/.test(path)), [])
  for (const path of ['dist/sdk/index.js', 'dist/sdk/index.d.ts', 'dist/protocol/signature.js']) assert.ok(files.includes(path), path)
  assert.match(readFileSync(join(installed, 'LICENSE'), 'utf8'), /Apache License/)
  for (const path of scripts) {
    const text = readFileSync(join(installed, path), 'utf8')
    assert.doesNotMatch(text, /node:|\bBuffer\b|\brequire\(/, path)
    for (const [, target] of text.matchAll(/\bfrom ['"]([^'"]+)['"]|\bimport\(/g)) assert.match(target!, /^\.\.?\/.*\.js$/, path)
  }
  const { dependencies, exports } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
  assert.equal(dependencies, undefined)
  for (const path of Object.values<string>(exports['.'])) assert.ok(files.includes(path.slice(2)), path)
})

test('a program in plain JavaScript orders with it, repeats, and gets a refusal as a value', async (t) => {
  const hub = await startHub(t)
  const good = await hub.stockGood({ code: 'Q10', cards: 5, mode: 'live' })
  const { keyId, keySecret } = await hub.openDocking({ mode: 'live', deposit: '20.00' })
  writeFileSync(join(shop, 'shop.js'), `
    import { Berth } from 'berth-sdk'
    const { url, keyId, keySecret, good } = JSON.parse(process.env.SHOP)
    const berth = new Berth({ url, credentials: { keyId, keySecret } })
    const ask = { reference: 'J-1', good, quantity: 2, maxUnitPrice: '9.50' }
    const answers = [await berth.placeOrder(ask), await berth.placeOrder(ask), await berth.placeOrder({ ...ask, reference: 'J-2' })]
    console.log(JSON.stringify(answers))
  `)
  const { stdout } = await run(process.execPath, [join(shop, 'shop.js')], { env: { ...env, SHOP: JSON.stringify({ url: hub.url, keyId, keySecret, good }) } })
  const [placed, repeated, refused] = JSON.parse(stdout)
  assert.deepEqual(placed.value.cards.map((card: { secret: string }) => card.secret), ['Q10-b1-live-1', 'Q10-b1-live-2'])
  assert.deepEqual([repeated.replayed, repeated.value], [true, placed.value])
  assert.deepEqual([refused.ok, refused.refusal.code, refused.refusal.class, refused.refusal.because], [false, 'ledger.insufficient_funds', 'commercial', { needed: '19.00', available: '1.00' }])
})

test('the example of the README runs as it stands there', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'junnet-10', cards: 5 })
  const { keyId, keySecret } = await hub.openDocking({ deposit: '15.00' })
  const [, example] = /```js\n(import \{ Berth \}.*?)```/s.exec(readFileSync(join(root, 'README.md'), 'utf8'))!
  writeFileSync(join(shop, 'shop.mjs'), example!)
  const order = async (reference: string) => (await run(process.execPath, [join(shop, 'shop.mjs'), reference], { env: { ...env, BERTH_URL: hub.url, BERTH_KEY_ID: keyId, BERTH_KEY_SECRET: keySecret } })).stdout
  assert.match(await order('A-1001'), /^Good junnet-10 9\.50 .*junnet-10-b1-sandbox-1.* a new order\n$/s)
  assert.match(await order('A-1001'), /^Good junnet-10 9\.50 .*junnet-10-b1-sandbox-1.* the same order as before\n$/s)
  assert.match(await order('A-1002'), /^ledger\.insufficient_funds commercial The order needs 9\.50 yuan; 5\.50 are available\. after_change http/)
})

test('its types are whole for a program in TypeScript: right use compiles, wrong use does not', async () => {
  const use = (guard: string) => `
    import { Berth, type Order } from 'berth-sdk'
    const berth = new Berth({ url: 'https://hub.example', credentials: { keyId: 'key_1', keySecret: 'x' } })
    const placed = await berth.placeOrder({ reference: 'A-1', good: 'gds_1', quantity: 1, maxUnitPrice: ${guard} })
    if (placed.ok) { const order: Order = placed.value; console.log(order.charged.length, order.cards?.map((card) => card.secret.length)) }
    else { const needed: string | number | boolean | null | undefined | readonly string[] = placed.refusal.because.needed; console.log(needed) }
    for await (const good of berth.listGoods()) if (good.ok) console.log(good.value.stock.toFixed())
    // @ts-expect-error nothing here is "any": a field that no order has is noticed
    if (placed.ok) console.log(placed.value.colour)
  `
  writeFileSync(join(shop, 'right.ts'), use("'9.50'"))
  writeFileSync(join(shop, 'wrong.ts'), use('9.5'))
  const compile = (file: string, ...options: string[]) => run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'), '--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2022,dom', '--types', '', ...options, file,
  ], { cwd: shop, env })
  await compile('right.ts', '--module', 'nodenext')
  await compile('right.ts', '--module', 'esnext', '--moduleResolution', 'bundler')
  await assert.rejects(compile('wrong.ts', '--module', 'nodenext'), ({ stdout }: { stdout: string }) => /^wrong\.ts.*number.*string/m.test(stdout) && stdout.trim().split('\n').length === 1)
})
