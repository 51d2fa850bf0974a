import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { run } from '../../cli/program.ts'
import { startHub, type TestHub } from '../hub.ts'

function openShell(t: TestContext, hub: TestHub) {
  const folder = mkdtempSync(join(tmpdir(), 'berth-conform-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const berth = async (line: string, env: Record<string, string> = {}) => {
    let out = ''
    const code = await run(line.split(' '), {
      env: { BERTH_URL: hub.url, DATA_DIR: folder, LANG: 'en', ...env }, stdin: (async function* () {})(), stdout: (text) => (out += text), stderr: (text) => (out += text), isTerminal: false, nowMs: () => Date.now(),
    })
    return { code, out }
  }
  return { folder, berth }
}

for (const [dialect, least] of [['json', 25], ['acg0', 12], ['acg1', 12], ['acg2', 12]] as const) {
  test(`the hub keeps every promise of the kit over ${dialect}`, async (t) => {
    const hub = await startHub(t)
    await hub.stockGood({ code: 'Q10', maximum: 10 })
    const { berth } = openShell(t, hub)
    const ended = await berth(`conform --dialect ${dialect} --seed 7 --json`)
    const report = JSON.parse(ended.out)
    assert.deepEqual(report.cases.filter((one: any) => one.verdict === 'fail').map((one: any) => [one.id, one.seen]), [])
    assert.deepEqual([ended.code, report.verdict, report.seed, report.cases.length >= least], [0, 'green', '7', true])
    const again = JSON.parse((await berth(`conform --dialect ${dialect} --seed 7 --json`)).out)
    assert.equal(again.inputHash, report.inputHash, 'the same kit, seed and cases')
    assert.deepEqual(await hub.findings(), [])
  })
}

test('a hub that breaks its promises is found out, case by case', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10' })
  // A careless copy of the hub: it takes whatever is signed for the same thing, and answers every refusal as a plain 400.
  const careless = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !['host', 'connection', 'content-length'].includes(name))) as Record<string, string>
    const reply = await fetch(hub.url + request.url!, { method: request.method!, headers: { ...headers, host: request.headers.host! }, ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}) })
    const text = await reply.text()
    if (reply.status >= 400) return void response.writeHead(400, { 'content-type': 'text/plain' }).end('system error')
    response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? '' }).end(text.replaceAll(hub.url, `http://${request.headers.host}`))
  })
  await new Promise<void>((ready) => careless.listen(0, '127.0.0.1', ready))
  t.after(() => new Promise((closed) => {
    careless.closeAllConnections()
    careless.close(closed)
  }))
  const { berth } = openShell(t, hub)
  const ended = await berth(`conform --url http://127.0.0.1:${(careless.address() as AddressInfo).port} --dialect json --json`)
  const report = JSON.parse(ended.out)
  assert.deepEqual([ended.code, report.verdict], [3, 'red'])
  const failed = report.cases.filter((one: any) => one.verdict === 'fail').map((one: any) => one.id)
  for (const id of ['signature.wrong_secret', 'version.echo', 'limits.told', 'body.broken', 'order.guard', 'language.chinese']) assert.ok(failed.includes(id), id)
})

test('from the command line: a run is begun, done, judged, and its report is worked out again', async (t) => {
  const hub = await startHub(t)
  await hub.stockGood({ code: 'Q10' })
  const { berth, folder } = openShell(t, hub)
  const says = async (line: string, expected: RegExp, code = 0) => {
    const ended = await berth(line)
    assert.match(ended.out, expected)
    assert.equal(ended.code, code, ended.out)
    return ended.out
  }
  await says('sandbox --name Acme', /is open/)
  await says('conform task sign', /There is no run yet/, 2)
  await says('conform platform', /· +survive_timeout +Buy one piece/)
  await says('conform task sign', /> +sign/)
  await says('balance', /10000/)
  await says('conform task order', /> +order/)
  await says('order --good Q10 --quantity 1', /TEST-/)
  const report = await says('conform finish --json', /"verdict": "red"/, 3)
  const file = join(folder, 'report.json')
  writeFileSync(file, report)
  await says(`conform verify ${file}`, /✓ +signature of the hub\n✓ +input hash\n✓ +verdict worked out again\n✓ +kit/)
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('"red"', '"green"'))
  await says(`conform verify ${file}`, /✗ +signature of the hub\n✓ +input hash\n✗ +verdict/, 3)
  await says('conform show', /cfr_\w+ +json +red/)
})
