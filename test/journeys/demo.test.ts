import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startHub, type TestDocking } from '../hub.ts'
import { readMails } from '../mails.ts'

const root = join(import.meta.dirname, '../..')

test('the demo main site is made by the operator commands: 40 goods, 20,000 cards, four dockings, one held by a real decision', async (t) => {
  const hub = await startHub(t)
  const dataDir = mkdtempSync(join(tmpdir(), 'berth-demo-'))
  t.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const env = { ...process.env, BERTH_URL: hub.url, DATA_DIR: dataDir, BERTH_OPERATOR_KEY: hub.operatorKey }
  await promisify(execFile)(process.execPath, [join(root, 'cli/demo.ts')], { env })

  assert.equal(statSync(join(dataDir, 'demo.json')).mode & 0o777, 0o600)
  const demo = JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as { dockings: TestDocking[] }
  assert.deepEqual(demo.dockings.map((docking) => [docking.mode, docking.dialect]), [['sandbox', 'json'], ['live', 'json'], ['live', 'acg0'], ['live', 'json']])
  const [sandbox, live, , held] = demo.dockings as [TestDocking, TestDocking, TestDocking, TestDocking]

  const goods = (await hub.bearer(sandbox, 'GET', '/api/goods?limit=500')).body.items as { id: string; category: string; unitPrice: string; stock: number; onSale: boolean }[]
  assert.ok(goods.length >= 40)
  assert.ok(new Set(goods.map((good) => good.category)).size >= 6)
  assert.ok(goods.some((good) => good.unitPrice === '0.0015'))
  assert.ok(((await hub.hub.db.run({ text: 'select count(*)::int from catalogue.cards', values: [] }))[0]![0] as number) >= 20_000)

  const good = goods.find((each) => each.stock > 0 && each.onSale)!.id
  assert.equal((await hub.order(live, { reference: 'D-1', good })).status, 201)
  const stopped = await hub.order(held, { reference: 'D-1', good })
  assert.deepEqual([stopped.status, stopped.body.class], [403, 'compliance'])
  assert.match(stopped.body.decision, /^dec_/)

  await hub.hub.notices.follow()
  await hub.hub.notices.send()
  const [mail, ...others] = readMails(hub.dataDir)
  assert.deepEqual([mail!.to, others.length], ['owner@demo-held.example', 0])
  assert.match(await (await fetch(mail!.link)).text(), /主体实名未核验[^]*没有登记营业执照[^]*请提交营业执照/)
  assert.deepEqual(await hub.findings(), [])
})
