import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../cli/program.ts'
import { startHub } from '../hub.ts'

test('an operator keeps the prices of two groups from the command line: rules, a file, later, taken back, looked up, checked', async (t) => {
  const hub = await startHub(t)
  const folder = mkdtempSync(join(tmpdir(), 'berth-prices-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const berth = async (line: string, lang = 'en') => {
    let out = ''
    let err = ''
    const code = await run(line.split(' '), {
      env: { BERTH_URL: hub.url, BERTH_OPERATOR_KEY: hub.operatorKey, DATA_DIR: folder, LANG: lang }, stdin: (async function* () {})(),
      stdout: (text) => (out += text), stderr: (text) => (err += text), isTerminal: false, nowMs: () => Date.now(),
    })
    return { code, out, err }
  }
  const says = async (line: string, expected: RegExp, code = 0, lang = 'en') => {
    const ended = await berth(line, lang)
    assert.equal(ended.code, code, ended.out + ended.err)
    assert.match(ended.out + ended.err, expected)
  }
  const q10 = await hub.stockGood({ code: 'Q10', unitPrice: '10.00', cards: 9 })
  await hub.stockGood({ code: 'Q30', unitPrice: '30.00' })
  const shop = await hub.openDocking({ name: 'Shop', deposit: '100.00' })

  await says('prices group add gold --note best', /gold is added/)
  await says('prices group add gold', /there already/)
  await says('prices group set gold --percent=-3 --preview', /^Preview: gold: list x 0\.97 up to 0\.01; 2 of 2 prices would move/)
  await says('prices group set gold --percent=-3', /2 of 2 prices moved/)
  await says('prices group set gold --good Q30 --set 28.50', /28\.50; 1 of 2|28\.50; 1 of 1/)
  await says('prices group set gold --percent=-3 --remove', /--remove/, 2)
  await says('prices level V3 --group gold', /V3 has the prices of gold/)
  await says('prices assign Shop --level V3', /现按价格组 gold/, 0, 'zh_CN.UTF-8')
  await says('prices assign Shop', /--level or --group/, 2)
  await says('prices group show', /gold +2 +V3 +best/)
  await says('prices group show --group gold', /all +list x 0\.97 up to 0\.01/)
  await says('prices own Shop Q10 --price 9.71', /worse than the published/, 1)
  await says('prices own Shop Q10 --price 9.50', /Q10 costs Shop 9\.50 yuan now/)
  assert.equal((await hub.order(shop, { reference: 'A', good: q10 })).body.unitPrice, '9.50')

  const file = join(folder, 'prices.csv')
  writeFileSync(file, '商品编码,名称,价格\nQ10,ten,10.40\nNONE,nothing,1.00\nQ30,thirty,free\nQ30,thirty\n')
  await says(`prices change --file ${file}`, /A preview: nothing was changed[^]*Q10 +10\.00 -> 10\.40[^]*3 left out:[^]*line 3[^]*line 4[^]*line 5/, 3)
  const asked = JSON.parse((await berth(`prices change --file ${file} --yes --json --reference F-1`)).out)
  assert.deepEqual([asked.state, asked.counts.changed, asked.errors.map((error: { line: number }) => error.line)], ['applied', 1, [3, 4, 5]])
  assert.equal(JSON.parse((await berth(`prices change --file ${file} --yes --json --reference F-1`)).out).replayed, true)
  await says('prices change --category Test', /--file, or a formula/, 2)
  await says('prices change --good Q10 --set 1.00 --at 2126-01-01 --yes', /within a year/, 1)
  const later = JSON.parse((await berth(`prices change --category Test --percent 5 --yes --json --note soon --at ${new Date(Date.now() + 3_600_000).toISOString()}`)).out)
  assert.deepEqual([later.state, later.rows.map((row: { new: string }) => row.new)], ['scheduled', ['10.92', '31.50']])
  await says('prices changes --state scheduled', new RegExp(`${later.id} +scheduled[^]*soon`))
  await says(`prices cancel ${later.id}`, /is taken back/)
  await says(`prices cancel ${later.id}`, /已取消/, 1, 'zh_CN.UTF-8')
  await says('prices history --good Q10', /list +\S+ +10\.00 -> 10\.40[^]*own +\S+ \S+ +9\.70 -> 9\.50/)
  await says('prices history --group gold', /rule[^]*– -> list x 0\.97 up to 0\.01/)
  await says('prices check', /Nothing is wrong/)
  await says('prices group set gold --set 9.50', /9\.50; 1 of 2/)
  await says('prices check', /Q10 +the own price is the published one/, 3)
  await says('prices own Shop Q10 --end', /no own price for Q10 any more/)
  await says('prices check', /没有问题/, 0, 'zh_CN.UTF-8')
  await says('help prices', /prices group set[^]*prices history/)
})
