import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../cli/program.ts'
import { startHub } from '../hub.ts'

test('from the command line: a sandbox from nothing, its first order, a fault, a decision, another day, and the twin of a live docking', async (t) => {
  const hub = await startHub(t)
  const folder = mkdtempSync(join(tmpdir(), 'berth-sandbox-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await hub.stockGood({ code: 'Q10' })
  const berth = async (line: string, { env = {}, stdin = '' }: { env?: Record<string, string>; stdin?: string } = {}) => {
    let out = ''
    const code = await run(line.split(' '), {
      env: { DATA_DIR: folder, LANG: 'en', ...env }, stdin: (async function* () { yield Buffer.from(stdin) })(),
      stdout: (text) => (out += text), stderr: (text) => (out += text), isTerminal: false, nowMs: () => Date.now(),
    })
    return { code, out }
  }
  const says = async (line: string, expected: RegExp, code = 0, more: Parameters<typeof berth>[1] = {}) => {
    const ended = await berth(line, more)
    assert.match(ended.out, expected)
    assert.equal(ended.code, code, ended.out)
    return ended.out
  }
  await says('report', /run "berth sandbox --hub URL"/, 2)
  const opened = await says(`sandbox --hub ${hub.url} --name Acme`, /The sandbox Acme is open; its credentials stand in .*sandbox\.json\n[^]*10000\.00[^]*berth goods list/)
  const file = join(folder, 'sandbox.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const [{ dockings: [own] }] = JSON.parse(readFileSync(file, 'utf8'))
  assert.ok(!opened.includes(own.keySecret) && !opened.includes(own.apiKey), 'secrets go into the file and not onto the screen')
  await says('order --good Q10 --quantity 1', /TEST-/)
  await says('sandbox fault set low_balance', /switch +low_balance × 1/)
  await says('order --good Q10 --quantity 1', /ledger\.insufficient_funds/, 1)
  await says('order --good Q10 --quantity 1', /delivered/)
  await says('sandbox fault set decision:terms.payment_overdue', /decision +dec_\w+ terms\.payment_overdue/)
  await says('report', /Commercial/)
  await says('sandbox clock 8d', /\(\+691200 s\)/)
  await says('order --good Q10 --quantity 1', /delivered/)
  await says('sandbox clock 0', /clock/)
  await says('sandbox fault clear', /clock/)
  await says('sandbox deposit 28.50 --reference more-1', /10000\.00 yuan of test money/)
  await says('sandbox show', /timeout_after_debit;ms=15000 +The order is booked/)
  await says('sandbox clock 500d', /at most 400d/, 2)
  await says('sandbox fault set nothing', /protocol\.invalid_field/, 1)
  const live = await hub.openDocking({ name: 'Live', mode: 'live' })
  const env = { BERTH_URL: hub.url, BERTH_KEY_ID: live.keyId!, BERTH_KEY_SECRET: live.keySecret! }
  await says('sandbox twin', /The sandbox Live is open/, 0, { env })
  await says('sandbox show', new RegExp(`of the live docking +${live.id}`))
  await says('balance --docking Acme', /10000\.00 yuan available \(sandbox\)/)
  await says('sandbox keep', /Kept in/, 0, { stdin: JSON.stringify({ hub: hub.url, dockings: [own] }) })
  await says('sandbox keep', /no credentials/, 2, { stdin: 'x' })
})
