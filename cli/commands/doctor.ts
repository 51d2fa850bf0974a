import { done, exitCodes, WrongUsage, type Asked, type Command, type Ending } from '../command.ts'
import type { Credentials } from '../client.ts'
import { partnerCredentials } from '../credentials.ts'
import { causesOf, inOrder, verdictOf, type Finding, type Verdict } from '../doctor/finding.ts'
import { reach } from '../doctor/network.ts'
import { askHub } from '../doctor/partner.ts'
import { askAsShop, type ShopType } from '../doctor/shop.ts'
import { meet, walkTheWay } from '../doctor/way.ts'
import { nameOf, table, type Lang } from '../screen.ts'
import { readSmallFile } from '../text-file.ts'
import { dockingOption, type ReportView } from './partner.ts'

export const examineDocking: Command = {
  name: 'doctor',
  who: 'partner',
  summary: { en: 'Why can I not dock? Seen from here and from the hub, with one verdict', zh: '对接体检：从本机与主站两端检查，给出一个结论' },
  operands: [],
  options: [
    dockingOption,
    { name: 'url', value: 'URL', what: { en: 'The address of the hub, or of the docking of an acg-faka shop; the default is BERTH_URL.', zh: '主站地址，或异次元店铺的对接地址；默认取 BERTH_URL。' } },
    { name: 'dialect', value: 'DIALECT', oneOf: ['json', 'acg'], what: { en: 'json (the default), or acg: do what an acg-faka shop does first, and explain what its screens hide.', zh: 'json（默认），或 acg：模拟异次元店铺的连接与取商品，并解释店铺界面不显示的原因。' } },
    { name: 'type', value: 'TYPE', oneOf: ['0', '1', '2'], what: { en: 'acg: the protocol number of the shop; the default is 0.', zh: 'acg：店铺的协议类型，默认 0。' } },
    { name: 'app-id', value: 'ID', what: { en: 'acg: the merchant id that the shop has stored.', zh: 'acg：店铺保存的商户ID。' } },
    { name: 'app-key', value: 'FILE', what: { en: 'acg: a file with the key that the shop has stored ("-" is stdin); or set BERTH_APP_KEY.', zh: 'acg：存有店铺密钥的文件（- 为标准输入），或设置 BERTH_APP_KEY。' } },
  ],
  teaches: [
    {
      en: 'It works when nothing works: name, connection, TLS and certificate, whether something on the way rewrites requests, clock, version, signature; then the hub\'s own report, whose signature is checked against the keys of /.well-known/berth. Nothing is ordered.',
      zh: '什么都不通时也能用：依次检查域名、连接、TLS 与证书、途中是否改写请求、时钟、版本、签名；再取主站自己的报告，并用 /.well-known/berth 的公钥验证其签名。不会下单。',
    },
    {
      en: 'Exit codes: 0 healthy, 10 technical, 11 commercial, 12 compliance, 4 the hub could not be reached (then the verdict is not signed).',
      zh: '退出码：0 正常，10 技术，11 商业，12 合规，4 无法连接主站（此时结论没有签名）。',
    },
  ],
  examples: [
    { line: 'berth doctor', what: { en: 'the docking whose keys are in the environment, or the sandbox of the demo', zh: '环境变量中的对接，或演示沙箱' } },
    { line: 'berth doctor --url https://hub.example', what: { en: 'without a key: what can be seen from here', zh: '没有密钥时：只看本机这一端' } },
    { line: 'berth doctor --dialect acg --url https://hub.example/d/acg/dck_01… --app-id 1000 --app-key key.txt', what: { en: 'as the shop does; with BERTH_API_KEY the hub\'s report too', zh: '模拟店铺；设置 BERTH_API_KEY 时附带主站报告' } },
    { line: 'berth doctor --json | jq .verdict', what: { en: 'the verdict alone', zh: '只看结论' } },
  ],
  run: async (asked) => {
    const isShop = asked.option('dialect') === 'acg'
    const { url, credentials } = addressOf(asked, isShop)
    const shop = isShop ? { base: url, type: (asked.option('type') ?? '0') as ShopType, ...(await shopKeyOf(asked)) } : null
    const examined = await examine(asked, url, credentials, async () => (shop ? askAsShop(shop, asked.nowMs) : []))
    return endingOf(asked, url, examined)
  },
}

type Examined = { findings: Finding[]; report: ReportView | null; isSigned: boolean; isReached: boolean }

async function examine(asked: Asked, url: URL, credentials: Credentials | null, shop: () => Promise<Finding[]>): Promise<Examined> {
  const reached = await reach(url, asked.nowMs())
  const { findings } = reached
  const alone = { findings, report: null, isSigned: false, isReached: false }
  if (!reached.isOpen) return alone
  const met = await meet(url, asked.nowMs)
  findings.push(...met.findings)
  const way = met.about ? await walkTheWay(url, asked.nowMs) : { findings: [], echo: null }
  findings.push(...way.findings, ...(reached.isTrusted ? await shop() : []))
  if (!met.about) return alone
  if (!reached.isTrusted) findings.push(note('No key was sent, because the certificate does not hold.', '证书无效，因此没有发送任何密钥。'))
  else if (credentials === null) findings.push(note('No key is set here, so the hub\'s own report was not asked: set BERTH_KEY_ID and BERTH_KEY_SECRET, or BERTH_API_KEY.', '本机没有密钥，未取主站报告：请设置 BERTH_KEY_ID 与 BERTH_KEY_SECRET，或 BERTH_API_KEY。'))
  else {
    const asking = await askHub(url, credentials, { lang: asked.lang, nowMs: asked.nowMs, echo: way.echo, keys: met.about.keys })
    return { findings: [...findings, ...asking.findings], report: asking.report, isSigned: asking.isSigned, isReached: true }
  }
  return { ...alone, isReached: true }
}

function note(en: string, zh: string): Finding {
  return {
    check: 'here.key', layer: 'key', end: 'here', verdict: 'warn', class: 'technical', side: 'partner', code: null, because: {}, seen: { en, zh }, evidence: null, page: null, remedy: null, selfTest: null,
  }
}

/** The address and the key, as far as they are known; no key is no fault here. */
function addressOf(asked: Asked, isShop: boolean): { url: URL; credentials: Credentials | null } {
  const given = asked.option('url')
  if (isShop && given === undefined) throw new WrongUsage({ en: '--dialect acg needs --url: the address that the shop has stored.', zh: '--dialect acg 须给出 --url：店铺保存的对接地址。' })
  if (given !== undefined && (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol) || new URL(given).username !== '')) {
    throw new WrongUsage({ en: '--url is an address such as https://hub.example.', zh: '--url 须为地址，如 https://hub.example。' })
  }
  const known = partnerCredentials(asked, given !== undefined)
  return { url: new URL(given ?? known.url), credentials: known.credentials }
}

async function shopKeyOf(asked: Asked): Promise<{ appId: string; appKey: string }> {
  const appId = asked.option('app-id')
  const file = asked.option('app-key')
  const fromFile = file === undefined ? undefined : file === '-' ? await readStdin(asked) : readSmallFile(file).trim()
  const appKey = fromFile ?? asked.env.BERTH_APP_KEY
  if (!appId || !appKey) throw new WrongUsage({ en: '--dialect acg needs --app-id, and --app-key with a file or BERTH_APP_KEY.', zh: '--dialect acg 须给出 --app-id，以及 --app-key 文件或 BERTH_APP_KEY。' })
  return { appId, appKey }
}

async function readStdin({ stdin }: Asked): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8').trim()
}

const EXITS: Readonly<Record<Verdict['class'], number>> = { healthy: exitCodes.done, technical: exitCodes.technical, commercial: exitCodes.commercial, compliance: exitCodes.compliance }

function endingOf(asked: Asked, url: URL, { findings, report, isSigned, isReached }: Examined): Ending {
  const checks = inOrder(findings)
  const verdict = verdictOf(findings, report !== null)
  const causes = causesOf(findings).map(({ check, end, class: cls, side, code, evidence }) => ({ check, end, class: cls, side, code, evidence }))
  const json = { hub: url.origin, at: new Date(asked.nowMs()).toISOString(), reached: isReached, signed: isSigned, verdict, causes, checks, report }
  return done(json, show(checks, verdict, { isSigned, isReached, lang: asked.lang }), !isReached && verdict.class !== 'healthy' ? exitCodes.unreachable : EXITS[verdict.class])
}

const MARKS: Readonly<Record<Finding['verdict'], string>> = { pass: '✓', warn: '!', fail: '✗', withheld: '§' }

function show(checks: readonly Finding[], verdict: Verdict, { isSigned, isReached, lang }: { isSigned: boolean; isReached: boolean; lang: Lang }): string {
  const zh = lang === 'zh'
  const ends = { here: zh ? '本机' : 'here', hub: zh ? '主站' : 'hub' }
  const rows = checks.map((check) => [MARKS[check.verdict], ends[check.end], check.check, check.verdict === 'pass' || check.code === null ? '' : nameOf(check.class, lang), check.seen[lang]])
  const bad = checks.filter(({ verdict: one, code }) => one !== 'pass' && code !== null)
  const signed = isSigned ? (zh ? '主站的报告已签名，签名有效。' : "The hub's report is signed, and the signature holds.")
    : isReached ? (zh ? '结论没有主站签名：未取得或未能验证其报告。' : 'The verdict is not signed: the hub\'s report was not had, or its signature does not hold.')
    : zh ? '结论没有签名：未能连接主站。' : 'The verdict is not signed: the hub could not be reached.'
  return [
    table([zh ? ['', '哪端', '检查项', '类别', '所见'] : ['', 'end', 'check', 'class', 'seen'], ...rows], 0),
    ...bad.flatMap(({ code, remedy, page }) => ['', `${code}  ${page ?? ''}`, ...(remedy === null ? [] : [`  ${zh ? '解决办法：' : 'How to mend it: '}${remedy[lang]}`])]),
    '', signed, `${zh ? '结论：' : 'Verdict: '}${verdict.text[lang]}${verdict.code === null ? '' : ` (${verdict.code})`}`,
  ].join('\n')
}
