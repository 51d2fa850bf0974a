import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../cli/program.ts'
import { startHub } from '../hub.ts'

test('from the command line: an owner without a developer reads the plan, rehearses, sees the mistakes, and the operator schedules', { timeout: 90_000 }, async (t) => {
  const hub = await startHub(t, { DRILL_TEMPO: '10' })
  await hub.stockGood({ code: 'Q10', unitPrice: '0.10' })
  hub.hub.drills.start()
  const folder = mkdtempSync(join(tmpdir(), 'berth-drills-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const says = async (line: string, expected: RegExp, code = 0) => {
    let out = ''
    const ended = await run(line.split(' '), {
      env: { DATA_DIR: folder, LANG: 'en', BERTH_OPERATOR_KEY: hub.operatorKey, BERTH_URL: hub.url }, stdin: (async function* () {})(),
      stdout: (text) => (out += text), stderr: (text) => (out += text), isTerminal: false, nowMs: () => Date.now(),
    })
    assert.match(out, expected, line)
    assert.equal(ended, code, out)
    return out
  }
  const { docking } = JSON.parse(await says(`sandbox --hub ${hub.url} --name Acme --json`, /"docking"/)) as { docking: string }
  await says('drill plan tampered_log', /refused_forged +40/)
  await says('drill plan storm', /"storm" is none of key_roll, rush, outage, tampered_log/, 2)
  await says('drill run tampered_log', /scored[^]*Score 100 of 100/)
  const bad = await says('drill run tampered_log --clumsy', /refused_forged +0\/40[^]*reported_split +0\/30[^]*How to win the rest/, 3)
  await says('drill list', /tampered_log +100\n[^]*25 of 100 points for a level[^]*scored/)
  await says('drill list --lang zh', /等级分 25 \/ 100/)
  await says(`drill show ${/drl_\w+/.exec(bad)![0]}`, /reported_split/)
  const begun = await says('drill start outage', /planned/)
  await says('drill start rush', /drills\.under_way/, 1)
  await says(`drill abandon ${/drl_\w+/.exec(begun)![0]}`, /abandoned \(given up\)/)
  // The key of a key roll is one of its own: the stored one orders on.
  await says('drill run key_roll', /Score 100 of 100/)
  await says('order --good Q10 --quantity 1', /TEST-/)
  await says(`drill schedule ${docking} outage --every 30d`, /outage every 30 days, first at /)
  await says('drill schedules', /outage/)
  await says(`drill unschedule ${docking} outage`, /rehearsed no more/)
  await says(`drill unschedule ${docking} outage`, /was not scheduled/)
  await says(`drill schedule ${docking} outage --every 400d`, /1 to 365/, 2)
})
