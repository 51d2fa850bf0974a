import type { SandboxOpened, SandboxView } from '../../protocol/sandbox.ts'
import type { Answer } from '../client.ts'
import { done, refused, WrongUsage, type Asked, type Command, type Ending } from '../command.ts'
import { keepSandbox, partnerClient, strangerClient, type DemoDocking } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { readAmount } from './amount.ts'
import { dockingOption } from './partner.ts'

const KEPT = {
  en: 'The credentials go into DATA_DIR/sandbox.json, which nobody but you can read; every other command uses the newest sandbox in it.',
  zh: '凭据写入 DATA_DIR/sandbox.json（仅本人可读），其他命令默认使用其中最新的沙箱。',
}

export const openSandbox: Command = {
  name: 'sandbox',
  who: 'partner',
  summary: { en: 'Open a sandbox of your own at a hub, at once and without asking anybody', zh: '自助开通沙箱，立即可用，无需人工' },
  operands: [],
  options: [
    { name: 'hub', value: 'URL', what: { en: 'The address of the main site; the default is BERTH_URL.', zh: '主站地址，默认取 BERTH_URL。' } },
    { name: 'name', value: 'NAME', what: { en: 'What your platform is called.', zh: '平台名称。' } },
    { name: 'dialect', value: 'DIALECT', oneOf: ['json', 'acg'], what: { en: 'json: the open API, the default; acg: a shop of the acg-faka family.', zh: 'json 为开放接口（默认）；acg 为异次元发卡店铺。' } },
    { name: 'email', value: 'ADDRESS', what: { en: 'Never needed; kept sealed, gone with the sandbox.', zh: '选填；加密保存，随沙箱一并删除。' } },
  ],
  teaches: [
    { en: 'It comes with 10000 yuan of test money and test cards (TEST-…) for whatever is on sale. Money, cards and keys have nothing to do with the live ones.', zh: '开通即有 10000 元测试余额，在售商品都有测试卡密（TEST-…）。资金、卡密、密钥与正式环境完全分开。' },
    KEPT,
  ],
  examples: [
    { line: 'berth sandbox --hub https://hub.example --name "Acme cards"', what: { en: 'from nothing', zh: '从零开始' } },
    { line: 'berth sandbox --hub https://hub.example --name 小卡铺 --dialect acg', what: { en: 'for a shop', zh: '发卡店铺' } },
  ],
  run: async (asked) => {
    const opened = await strangerClient(asked).post<SandboxOpened>('/api/sandbox/applications', { name: asked.option('name') ?? 'Sandbox', dialect: asked.option('dialect') ?? 'json', contact: asked.option('email') })
    return opened.ok ? keptEnding(asked, opened.body) : refused(opened.problem)
  },
}

export const openTwin: Command = {
  name: 'sandbox twin',
  who: 'partner',
  summary: { en: 'The sandbox of your live docking, with new credentials', zh: '取得正式对接所对应的沙箱及其新凭据' },
  operands: [],
  options: [dockingOption],
  teaches: [{ en: 'Asked with a live key. The sandbox is opened the first time; every further time the keys that it had end.', zh: '用正式密钥执行；首次执行时开通，再次执行会换发凭据、停用旧凭据。' }, KEPT],
  examples: [{ line: 'berth sandbox twin', what: { en: 'with the live keys in the environment', zh: '环境变量中为正式密钥' } }],
  run: async (asked) => {
    const opened = await partnerClient(asked).post<SandboxOpened>('/api/sandbox', {})
    return opened.ok ? keptEnding(asked, opened.body) : refused(opened.problem)
  },
}

function keptEnding({ env, lang }: Pick<Asked, 'env' | 'lang'>, opened: SandboxOpened): Ending {
  const { docking: id, name, mode, dialect, baseUrl, credentials } = opened
  const file = keepSandbox(env, opened.hub, { name, id, mode, dialect, baseUrl, ...credentials } as DemoDocking)
  const zh = lang === 'zh'
  return done({ ...opened, file }, [
    zh ? `沙箱 ${name} 已开通，凭据已写入 ${file}` : `The sandbox ${name} is open; its credentials stand in ${file}`,
    table([[zh ? '编号' : 'id', id], [zh ? '接口地址' : 'address', baseUrl], [zh ? '测试余额' : 'test money', opened.available], ...Object.entries(credentials).filter(([key]) => !/secret|appKey|apiKey/i.test(key)).map(([key, value]) => [key, String(value)])]),
    ...(dialect === 'json' ? [] : [zh ? `在发卡系统后台填写接口地址、商户ID（appId）与商户密钥（appKey，见 ${file}）。` : `Enter the address, appId and appKey (in ${file}) in the shop.`]),
    zh ? '接着试试' : 'Try next',
    ...opened.next.map((line) => `  ${line}`),
  ].join('\n'))
}

export const keepSandboxFile: Command = {
  name: 'sandbox keep',
  who: 'partner',
  summary: { en: 'Keep credentials from the page /start, read from stdin', zh: '保存网页 /start 给出的凭据（从标准输入读取）' },
  operands: [],
  options: [],
  teaches: [KEPT],
  examples: [{ line: 'berth sandbox keep < sandbox.txt', what: { en: 'what the page showed', zh: '网页所示内容' } }],
  run: async ({ stdin, env, lang }) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of stdin) chunks.push(chunk)
    const read = readKept(Buffer.concat(chunks).toString('utf8'))
    if (!read) throw new WrongUsage({ en: 'stdin holds no credentials as the page shows them.', zh: '标准输入不是网页所示的凭据。' })
    const file = keepSandbox(env, read.hub, read.docking)
    return done({ file, docking: read.docking.id }, lang === 'zh' ? `已保存到 ${file}` : `Kept in ${file}`)
  },
}

function readKept(text: string): { hub: string; docking: DemoDocking } | null {
  try {
    const { hub, dockings } = JSON.parse(text) as { hub?: unknown; dockings?: unknown }
    const docking = Array.isArray(dockings) ? (dockings[0] as DemoDocking | undefined) : undefined
    return typeof hub === 'string' && docking && typeof docking.id === 'string' && typeof docking.name === 'string' ? { hub, docking } : null
  } catch {
    return null
  }
}

export const showSandbox: Command = {
  name: 'sandbox show',
  who: 'partner',
  summary: { en: 'The clock and the switches of your sandbox, and every fault that there is', zh: '查看沙箱的时钟、故障开关与全部可用故障' },
  operands: [],
  options: [dockingOption],
  teaches: [],
  examples: [{ line: 'berth sandbox show', what: { en: 'the newest', zh: '最新的沙箱' } }],
  run: (asked) => shown(asked, partnerClient(asked).get<SandboxView>('/api/sandbox')),
}

export const setFault: Command = {
  name: 'sandbox fault set',
  who: 'partner',
  summary: { en: 'Let the next requests meet a fault, or have a decision made', zh: '让接下来的请求遇到指定故障，或申请一份处理决定' },
  operands: [{ name: 'FAULT', what: { en: 'Such as timeout_after_debit, slow;ms=3000, decision:terms.payment_overdue; "berth sandbox show" lists all.', zh: '如 timeout_after_debit、slow;ms=3000、decision:terms.payment_overdue；berth sandbox show 列出全部。' } }],
  options: [{ name: 'times', value: 'N', what: { en: 'How many requests it strikes, 1 to 1000; default 1.', zh: '作用的请求数，1 至 1000，默认 1。' } }, dockingOption],
  teaches: [{ en: 'One request alone can name its fault in the header Berth-Sandbox-Fault. Every struck answer carries that header, so that nobody takes it for real.', zh: '单个请求也可用请求头 Berth-Sandbox-Fault 指定故障。凡注入的应答都带此头，以免误认。' }],
  examples: [
    { line: 'berth sandbox fault set timeout_after_debit', what: { en: 'the next answer never comes', zh: '下一个应答永不到达' } },
    { line: "berth sandbox fault set 'rate_limited;s=5' --times 3", what: { en: 'three times too many requests', zh: '连续三次限流' } },
    { line: 'berth sandbox fault set decision:compliance.licence_missing', what: { en: 'a real decision, until it is cleared', zh: '真实的处理决定，直到清除' } },
  ],
  run: (asked) => {
    const times = asked.option('times') ?? '1'
    if (!/^\d{1,4}$/.test(times) || Number(times) < 1 || Number(times) > 1000) throw new WrongUsage({ en: '--times is a whole number from 1 to 1000.', zh: '--times 为 1 至 1000 的整数。' })
    return shown(asked, partnerClient(asked).put<SandboxView>('/api/sandbox/faults', { fault: asked.operands[0]!, times: Number(times) }))
  },
}

export const clearFaults: Command = {
  name: 'sandbox fault clear',
  who: 'partner',
  summary: { en: 'Take every switch back and lift the decisions that you asked for', zh: '清除全部故障开关，并解除自行申请的处理决定' },
  operands: [],
  options: [dockingOption],
  teaches: [],
  examples: [{ line: 'berth sandbox fault clear', what: { en: 'back to normal', zh: '恢复正常' } }],
  run: (asked) => shown(asked, partnerClient(asked).delete<SandboxView>('/api/sandbox/faults')),
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

export const moveClock: Command = {
  name: 'sandbox clock',
  who: 'partner',
  summary: { en: 'Move the clock of your sandbox ahead, to see what ends', zh: '把沙箱时钟向后拨，观察到期行为' },
  operands: [{ name: 'AHEAD', what: { en: 'Such as 90d, 36h, 15m or 0, which brings it back; at most 400d.', zh: '如 90d、36h、15m；0 为恢复；最多 400d。' } }],
  options: [dockingOption],
  teaches: [{ en: 'Keys, card lots and decisions end by it. What happens is written down at the true time, and signatures are judged by it.', zh: '密钥、卡批与处理决定按此时钟到期；记账与签名校验仍按真实时间。' }],
  examples: [{ line: 'berth sandbox clock 8d', what: { en: 'eight days ahead', zh: '拨快八天' } }, { line: 'berth sandbox clock 0', what: { en: 'back', zh: '恢复' } }],
  run: (asked) => {
    const read = /^(\d{1,8})([smhd]?)$/.exec(asked.operands[0]!)
    const offsetS = read ? Number(read[1]) * (UNITS[read[2] || 's'] ?? 1) : Number.NaN
    if (!(offsetS <= 400 * 86_400)) throw new WrongUsage({ en: 'AHEAD is a number with s, m, h or d, at most 400d.', zh: 'AHEAD 为带 s、m、h、d 单位的数，最多 400d。' })
    return shown(asked, partnerClient(asked).put<SandboxView>('/api/sandbox/clock', { offsetS }))
  },
}

export const depositTestMoney: Command = {
  name: 'sandbox deposit',
  who: 'partner',
  summary: { en: 'More test money', zh: '为沙箱增加测试余额' },
  operands: [{ name: 'AMOUNT', what: { en: 'Yuan in whole fen, at most 100000 at once.', zh: '金额（元，精确到分），单次最多 100000。' } }],
  options: [{ name: 'reference', value: 'REF', isRequired: true, what: { en: 'A number of your own: the same one books nothing twice.', zh: '自定流水号，相同流水号不会重复入账。' } }, dockingOption],
  teaches: [],
  examples: [{ line: 'berth sandbox deposit 500 --reference more-1', what: { en: '500 yuan that never were', zh: '500 元测试资金' } }],
  run: async (asked) => {
    const amount = readAmount('AMOUNT', asked.operands[0]!)
    const booked = await partnerClient(asked).post<{ available: string }>('/api/sandbox/deposits', { amount, reference: asked.needed('reference') })
    if (!booked.ok) return refused(booked.problem)
    return done(booked.body, asked.lang === 'zh' ? `测试余额 ${booked.body.available} 元` : `${booked.body.available} yuan of test money`)
  },
}

async function shown({ lang }: { lang: Lang }, asked: Promise<Answer<SandboxView>>): Promise<Ending> {
  const view = await asked
  if (!view.ok) return refused(view.problem)
  const { docking, live, clockOffsetS, time, switches, decisions, faults } = view.body
  const zh = lang === 'zh'
  return done(view.body, [
    table([
      [zh ? '沙箱' : 'sandbox', docking], ...(live === null ? [] : [[zh ? '正式对接' : 'of the live docking', live]]), [zh ? '时钟' : 'clock', `${time}${clockOffsetS > 0 ? ` (+${clockOffsetS} s)` : ''}`],
      ...switches.map((one) => [zh ? '故障开关' : 'switch', `${one.fault} × ${one.remaining}`]), ...decisions.map((decision) => [zh ? '处理决定' : 'decision', `${decision.id} ${decision.code}`]),
    ], 0),
    '',
    table(faults.map(({ name, params, what }) => [[name, ...params.map((param) => `${param.name}=${param.otherwise}`)].join(';'), what[lang]])),
  ].join('\n'))
}
