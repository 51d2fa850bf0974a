import { readFileSync } from 'node:fs'
import type { Static } from '../../protocol/schema.ts'
import type { Diagnosis } from '../../protocol/messages.ts'
import { done, exitCodes, refused, WrongUsage, type Command } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { readSmallFile } from '../text-file.ts'
import { dockingOption } from './partner.ts'

type View = Static<typeof Diagnosis>

const EXITS = { healthy: exitCodes.done, technical: exitCodes.technical, commercial: exitCodes.commercial, compliance: exitCodes.compliance }

export const diagnoseRequest: Command = {
  name: 'diagnose',
  who: 'partner',
  summary: { en: 'Which layer of one raw request broke, and how to mend it', zh: '诊断一份原始请求：哪一层出错、如何解决' },
  operands: [{ name: 'FILE', what: { en: 'The request as it went out: line, headers, blank line, body; "-" is stdin.', zh: '原样的请求：请求行、请求头、空行、正文；- 为标准输入。' } }],
  options: [
    { name: 'response', value: 'FILE', what: { en: 'The answer that was seen; its Date tells when the request was sent.', zh: '看到的应答，其中的 Date 用于判断发送时间。' } },
    { name: 'base', value: 'FILE', what: { en: 'The string that your own program signed, to be compared.', zh: '自己程序的待签名串，用于比对。' } },
    dockingOption,
  ],
  teaches: [{
    en: 'Any protocol of the trade is recognised; JSON and acg-faka types 0, 1 and 2 are walked layer by layer with the functions of the real way. Nothing is ordered or spent. Keys and cards are hidden in the answer.',
    zh: '可识别业内各种对接协议；JSON 与异次元类型 0、1、2 会用真实处理流程的函数逐层检查。不下单、不消耗随机数。结果中隐藏密钥与卡号。',
  }],
  examples: [
    { line: 'berth diagnose request.http', what: { en: 'layer by layer', zh: '逐层检查' } },
    { line: 'berth diagnose request.http --response answer.http --base signed.txt', what: { en: 'with the answer, and with your own string', zh: '连同应答和自己的待签名串' } },
  ],
  run: async (asked) => {
    const bytes = await readBytes(asked.operands[0]!, asked.stdin)
    const [response, base] = [asked.option('response'), asked.option('base')].map((file) => (file === undefined ? undefined : readSmallFile(file)))
    const found = await partnerClient(asked).post<View>('/api/docking/diagnose', { request: bytes.toString('base64'), encoding: 'base64', response, base: base?.replace(/\r?\n$/, '') })
    return found.ok ? done(found.body, show(found.body, asked.lang), EXITS[found.body.verdict.class]) : refused(found.problem)
  },
}

const MOST_BYTES = 80 * 1024

async function readBytes(file: string, stdin: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  try {
    if (file === '-') for await (const chunk of stdin) chunks.push(chunk)
    else chunks.push(readFileSync(file))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new WrongUsage({ en: `${file} cannot be read (${code}).`, zh: `无法读取 ${file}（${code}）。` })
  }
  const bytes = Buffer.concat(chunks)
  if (bytes.byteLength > 0 && bytes.byteLength <= MOST_BYTES) return bytes
  throw new WrongUsage({ en: `A request has 1 byte to 80 KB; ${file} has ${bytes.byteLength} bytes.`, zh: `请求须为 1 字节至 80 KB；${file} 有 ${bytes.byteLength} 字节。` })
}

const MARKS = { pass: '✓', warn: '!', fail: '✗', unknown: '?' }

function show({ steps, verdict, lookalikes, canonical, notes }: View, lang: Lang): string {
  const zh = lang === 'zh'
  return [
    table([zh ? ['', '层', '所见'] : ['', 'layer', 'seen'], ...steps.map((step) => [MARKS[step.verdict], step.layer, step.seen[lang]])], 0),
    ...steps.filter((step) => step.verdict === 'fail' || step.verdict === 'warn').flatMap(({ code, page, remedy }) => ['', `${code}  ${page}`, ...(remedy === null ? [] : [`  ${zh ? '解决办法：' : 'How to mend it: '}${remedy[lang]}`])]),
    ...(lookalikes.length === 0 ? [] : ['', ...lookalikes.map(({ name, score, signs }) => `${zh ? '看起来像' : 'looks like'} ${name[lang]} (${Math.round(score * 100)} %): ${signs[lang]}`)]),
    ...(canonical === null ? [] : ['', zh ? '本站的待签名串（密钥已隐藏）：' : 'The string that the hub builds, keys hidden:', canonical.hub]),
    ...(canonical?.difference ? [`${zh ? '首个不同之处' : 'first difference'} ${canonical.difference.at}: ${zh ? '本站' : 'hub'} ${canonical.difference.hub} / ${zh ? '贵方' : 'yours'} ${canonical.difference.yours}`] : []),
    ...notes.map((one) => one[lang]),
    '', `${zh ? '结论：' : 'Verdict: '}${verdict.text[lang]}${verdict.code === null ? '' : ` (${verdict.code})`}`,
  ].join('\n')
}
