import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { run } from '../../cli/program.ts'
import { startHub, type TestHub } from '../hub.ts'
import { signContract } from '../rule-text.ts'

type Ended = { code: number; out: string }

async function open(t: TestContext, env: Record<string, string> = {}): Promise<{ hub: TestHub; folder: string; berth: (words: string[], env?: NodeJS.ProcessEnv) => Promise<Ended> }> {
  const hub = await startHub(t, env)
  const folder = mkdtempSync(join(tmpdir(), 'berth-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return {
    hub, folder,
    berth: async (words, more = {}) => {
      let out = ''
      const code = await run(words, {
        env: { BERTH_URL: hub.url, DATA_DIR: folder, BERTH_OPERATOR_KEY: hub.operatorKey, ...more }, stdin: (async function* () {})(),
        stdout: (text) => (out += text), stderr: (text) => (out += text), isTerminal: false, nowMs: Date.now,
      })
      return { code, out }
    },
  }
}

test('people of every channel, a key that only looks, and an appeal from filing to verdict, on the command line alone', async (t) => {
  const { hub, folder, berth } = await open(t)
  const shop = await hub.openDocking({ mode: 'live' })
  const robot = join(folder, 'robot.txt')
  const address = 'https://oapi.dingtalk.com/robot/send?access_token=ROBOTKEY2'
  writeFileSync(robot, `${address}\nSEC0123456789abcdef\n`)
  assert.match((await berth(['contact', 'add', 'Shop', robot, '--channel', 'dingtalk', '--lang', 'zh'])).out, /oapi\.dingtalk\.com \*\*\*KEY2.*decisions、funds、keys、conditions/)
  assert.match((await berth(['contact', 'add', 'Shop', '13800138000', '--channel', 'sms'])).out, /\+86138\*\*\*\*8000/)
  const typed = await berth(['contact', 'add', 'Shop', address, '--channel', 'dingtalk'])
  assert.deepEqual([typed.code, typed.out.includes('into a file')], [2, true])
  const list = (await berth(['contact', 'list', 'Shop'])).out
  assert.match(list, /dingtalk +oapi\.dingtalk\.com \*\*\*KEY2/)
  assert.doesNotMatch(list, /ROBOTKEY|SEC0/)

  for (const wrong of [['--read-only', '--kind', 'ed25519'], ['--read-only', '--scope', 'goods:read'], []]) assert.equal((await berth(['key', 'add', 'Shop', ...wrong])).code, 2, wrong.join(' '))
  const made = JSON.parse((await berth(['key', 'add', 'Shop', '--read-only', '--json'])).out)
  const owner = { BERTH_API_KEY: made.secret }
  assert.equal((await berth(['report'], owner)).code, 0)
  assert.equal((await berth(['balance'], owner)).code, 1)

  const held = await berth(['hold', 'Shop', '--code', 'terms.payment_overdue', '--scope', 'orders', '--scope', 'goods', '--fact', 'An invoice of October is unpaid.', '--ground', `contract:${await signContract(hub.hub, shop)}:7.2`, '--remedy-en', 'Pay it.', '--remedy-zh', '请付款。', '--json'])
  const { id: decision } = JSON.parse(held.out)
  const words = join(folder, 'words.txt')
  writeFileSync(words, 'It was paid on the 3rd.\n')
  const receipt = join(folder, 'receipt.txt')
  writeFileSync(receipt, 'paid')
  const filed = JSON.parse((await berth(['appeal', 'file', decision, '--text', `@${words}`, '--attach', receipt, '--json'], owner)).out)
  assert.equal((await berth(['appeal', 'file', decision, '--text', 'x', '--attach', join(folder, 'nothing')], owner)).code, 2)
  assert.match((await berth(['appeal', 'list'])).out, new RegExp(`${filed.id} +Shop +owner +${decision} +terms\\.payment_overdue`))
  const { key } = JSON.parse((await berth(['operator', 'add', 'li.wei', '--role', 'reviewer', '--json'])).out)
  const reviewer = { BERTH_OPERATOR_KEY: key }
  assert.match((await berth(['appeal', 'decide', filed.id, '--outcome', 'upheld', '--text', 'It stands.'])).out, /operators\.role_missing/)
  const out = join(folder, 'out.txt')
  assert.equal((await berth(['appeal', 'show', filed.id, '--document', '1', '--out', out], reviewer)).code, 0)
  assert.equal(readFileSync(out, 'utf8'), 'paid')
  assert.equal((await berth(['appeal', 'show', filed.id, '--document', '1', '--out', out], reviewer)).code, 2, 'nothing is overwritten')
  assert.equal((await berth(['appeal', 'ask', filed.id, '--text', 'Which bank?', '--days', '16'], reviewer)).code, 2)
  assert.match((await berth(['appeal', 'ask', filed.id, '--text', 'Which bank?', '--days', '5'], reviewer)).out, /waits for documents/)
  assert.match((await berth(['appeal', 'mine', '--id', filed.id, '--lang', 'zh'], owner)).out, /待补充材料[^]*asked +主站 +Which bank\?/)
  assert.match((await berth(['appeal', 'give', filed.id, '--text', 'The one on the corner.'], owner)).out, /under review/)
  assert.match((await berth(['appeal', 'extend', filed.id, '--text', 'The bank is slow.', '--days', '3'], reviewer)).out, /under review/)
  const verdict = await berth(['appeal', 'decide', filed.id, '--outcome', 'partly', '--scope', 'goods', '--text', 'Orders may go on.'], reviewer)
  assert.match(verdict.out, /overturned in part[^]*in its place +dec_/)
  assert.match((await berth(['appeal', 'show', filed.id])).out, /partly +li\.wei +Orders may go on\./)
  assert.match((await berth(['appeal', 'list'])).out, /There are no appeals/)
  assert.equal((await berth(['appeal', 'withdraw', filed.id], owner)).code, 1)
  assert.ok(existsSync(out))
})

test('a limit that a shop runs into is noted at the door, for whoever is told when it lasts', async (t) => {
  const { hub } = await open(t, { LIMIT_REQUESTS_PER_SECOND: '4' })
  const met: string[] = []
  const meet = hub.hub.notices.meet.bind(hub.hub.notices)
  hub.hub.notices.meet = (owner, code, nowMs) => {
    met.push(`${owner.docking} ${code}`)
    meet(owner, code, nowMs)
  }
  const shop = await hub.openDocking({ mode: 'live' })
  const replies = await Promise.all(Array.from({ length: 12 }, () => hub.bearer(shop, 'GET', '/api/docking')))
  const refused = replies.filter(({ status }) => status === 429).length
  assert.ok(refused >= 4, `${refused} refusals`)
  assert.deepEqual(met, Array.from({ length: refused }, () => `${shop.id} platform.rate_limited`))
})
