import { existsSync } from 'node:fs'
import type { Client } from '../client.ts'
import { done, refused, WrongUsage, type Asked, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { readSmallFile } from '../text-file.ts'

export type DockingView = { id: string; name: string; mode: string; dialect: string; appId: string | null; createdAt: string; baseUrl: string; port?: number | null }
export type NewCredentials = { appId?: string; appKey?: string; keyId?: string; keySecret?: string; apiKey?: string }

export const addDocking: Command = {
  name: 'docking add',
  who: 'operator',
  summary: { en: 'Open a docking for a partner; its credentials are shown this once', zh: '为对接方开通对接，凭据仅显示这一次' },
  operands: [],
  options: [
    { name: 'name', value: 'NAME', isRequired: true, what: { en: 'What people call it, 1 to 80 characters.', zh: '对接名称，1 至 80 字。' } },
    { name: 'mode', value: 'MODE', isRequired: true, oneOf: ['sandbox', 'live'], what: { en: 'sandbox: play money and play cards; live: real ones. It never changes.', zh: 'sandbox 为沙箱（虚拟资金与卡密），live 为正式；开通后不可更改。' } },
    { name: 'dialect', value: 'DIALECT', isRequired: true, oneOf: ['json', 'acg', 'acg0'], what: { en: 'json: the open API; acg (or acg0): an acg-faka shop, whose types 0, 1 and 2 are all served.', zh: 'json 为开放接口；acg（或 acg0）为异次元发卡，协议类型 0、1、2 均可对接。' } },
    { name: 'app-id', value: 'ID', what: { en: 'acg0: the merchant id that the shop keeps already; else one is made.', zh: 'acg0：店铺已在用的商户 ID；不填则自动生成。' } },
    { name: 'app-key', value: 'FILE', what: { en: 'acg0: a file with the secret that the shop keeps already ("-" is stdin), which is not shown again; else one is made.', zh: 'acg0：存有店铺现用密钥的文件（- 为标准输入），不再显示；不填则自动生成。' } },
    { name: 'allow', value: 'ADDRESS', isMany: true, what: { en: 'An address that may call; without any, every address may.', zh: '允许访问的来源地址，可多次给出；不填则不限。' } },
    { name: 'badge', value: 'RUN', what: { en: 'live: the green conformance run of its sandbox.', zh: 'live：其沙箱已通过的对接测试编号。' } },
    { name: 'waive', value: 'REASON', what: { en: 'live: why no badge is asked for. Without either it is a waiver in your name; the partner sees it.', zh: 'live：不要求测试的理由。两者都不填即以您的名义豁免；对接方可见。' } },
    { name: 'fee-ppm', value: 'N', what: { en: 'Service fee in millionths of the turnover: 10000 is 1 %; default 0.', zh: '服务费，按成交额百万分比：10000 即 1%；默认 0。' } },
  ],
  teaches: [
    {
      en: "The secrets stand in this command's output and nowhere else: hand them to the partner now. A lost one is replaced by `berth key add` and `berth key end`.",
      zh: '密钥只在本次输出中出现，请立即交给对接方；遗失后用 berth key add 换新，再用 berth key end 停用旧的。',
    },
  ],
  examples: [
    { line: 'berth docking add --name "Acme cards" --mode sandbox --dialect json', what: { en: 'a sandbox for a partner who writes a program', zh: '给自行开发的对接方开沙箱' } },
    { line: 'berth docking add --name "Acme cards" --mode live --dialect json --badge cfr_01jd…', what: { en: 'live, by the badge of its sandbox', zh: '凭沙箱徽章开通正式环境' } },
    { line: 'berth docking add --name 小卡铺 --mode live --dialect acg --allow 203.0.113.7', what: { en: 'an acg-faka shop, from one address only', zh: '异次元发卡店铺，仅限一个来源地址' } },
    { line: 'berth docking add --name 老店 --mode live --dialect acg --app-id 1000 --app-key key.txt', what: { en: 'a shop that keeps the id and the key that it has stored', zh: '店铺沿用已保存的商户ID与密钥' } },
  ],
  run: async (asked) => {
    const fee = asked.option('fee-ppm')
    if (fee !== undefined && !/^\d{1,6}$/.test(fee)) throw new WrongUsage({ en: '--fee-ppm is a whole number from 0 to 100000.', zh: '--fee-ppm 为 0 至 100000 的整数。' })
    const keyFile = asked.option('app-key')
    if (asked.needed('dialect') === 'json' && (keyFile !== undefined || asked.option('app-id') !== undefined)) throw new WrongUsage({ en: '--app-id and --app-key go with --dialect acg: a docking of the open API has a key id and a secret of its own.', zh: '--app-id 与 --app-key 仅用于 --dialect acg；开放接口的对接使用自动生成的密钥编号与密钥。' })
    const opened = await operatorClient(asked).post<{ docking: DockingView; credentials: NewCredentials }>('/operator/dockings', {
      name: asked.needed('name'), mode: asked.needed('mode'), dialect: asked.needed('dialect') === 'acg' ? 'acg0' : asked.needed('dialect'), appId: asked.option('app-id'),
      appKey: keyFile === undefined ? undefined : await readSecret(keyFile, asked), allowedAddresses: asked.all('allow'), badge: asked.option('badge'), waiver: asked.option('waive'), feePpm: fee === undefined ? undefined : Number(fee),
    })
    return opened.ok ? done(opened.body, showOpened(opened.body.docking, opened.body.credentials, asked.lang)) : refused(opened.problem)
  },
}

async function readSecret(file: string, { stdin }: Asked): Promise<string> {
  if (file !== '-') {
    if (existsSync(file)) return readSmallFile(file).trim()
    // What was typed may be the secret itself, so it is not repeated.
    throw new WrongUsage({ en: '--app-key takes a file that holds the key; there is no such file. A key on the command line could be seen by everyone on this machine.', zh: '--app-key 须为存有密钥的文件，该文件不存在；直接写在命令行上的密钥会被本机其他用户看到。' })
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8').trim()
}

function showOpened(docking: DockingView, credentials: NewCredentials, lang: Lang): string {
  const zh = lang === 'zh'
  return [
    zh ? `已开通对接 ${docking.name}` : `Docking ${docking.name} is open`,
    table([
      [zh ? '编号' : 'id', docking.id], [zh ? '环境' : 'mode', docking.mode], [zh ? '协议' : 'dialect', docking.dialect], [zh ? '接口地址' : 'address', docking.baseUrl],
      ...Object.entries(credentials),
    ]),
    zh ? '以上凭据仅显示这一次，请立即妥善保存。' : 'The credentials above are shown this once: keep them now.',
  ].join('\n')
}

export const listDockings: Command = {
  name: 'docking list',
  who: 'operator',
  summary: { en: 'All dockings with their ids and addresses', zh: '列出所有对接及其编号、地址' },
  operands: [],
  options: [],
  teaches: [{ en: 'Commands that ask for a docking take its id, or its name if no other docking has the same.', zh: '需要指定对接的命令可用编号；名称唯一时也可用名称。' }],
  examples: [{ line: 'berth docking list', what: { en: 'as a table', zh: '表格形式' } }, { line: "berth docking list --json | jq -r '.items[].id'", what: { en: 'the ids alone', zh: '只取编号' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).list<DockingView>('/operator/dockings', 'after')
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const head = zh ? ['名称', '编号', '环境', '协议', '接口地址'] : ['name', 'id', 'mode', 'dialect', 'address']
    const rows = list.body.map((docking) => [docking.name, docking.id, docking.mode, docking.dialect, docking.baseUrl])
    return done({ items: list.body }, rows.length > 0 ? table([head, ...rows], 0) : zh ? '还没有对接，用 berth docking add 开通。' : 'No docking yet; berth docking add opens one.')
  },
}

export const dockingOperand = { name: 'DOCKING', what: { en: 'Its id, or its name.', zh: '对接的编号或名称。' } }

/** The id of the docking that was typed by id or by name. Throws WrongUsage when no one, or more than one, has the name. */
export async function findDocking(client: Client, typed: string): Promise<{ ok: true; id: string } | Extract<Awaited<ReturnType<Client['get']>>, { ok: false }>> {
  if (/^dck_[0-9a-z]+$/.test(typed)) return { ok: true, id: typed }
  const list = await client.list<DockingView>('/operator/dockings', 'after')
  if (!list.ok) return list
  const called = list.body.filter((docking) => docking.name === typed)
  // Anybody can give a sandbox a name; the live docking of that name is the one that an operator means.
  const live = called.filter(({ mode }) => mode === 'live')
  const found = live.length === 1 ? live : called
  if (found.length === 1) return { ok: true, id: found[0]!.id }
  if (found.length === 0) throw new WrongUsage({ en: `No docking is called "${typed}"; berth docking list shows all.`, zh: `没有名为“${typed}”的对接，可用 berth docking list 查看。` })
  const ids = found.map((docking) => docking.id)
  throw new WrongUsage({ en: `${found.length} dockings are called "${typed}": name one by its id: ${ids.join(', ')}.`, zh: `有 ${found.length} 个对接名为“${typed}”，请用编号指定：${ids.join('、')}。` })
}
