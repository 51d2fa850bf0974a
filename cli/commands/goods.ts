import { IMPORT_TIMEOUT_MS, type Client, type Problem } from '../client.ts'
import { done, exitCodes, refused, type Command } from '../command.ts'
import { operatorClient, partnerClient } from '../credentials.ts'
import { readGoodsFile, type GoodRow } from '../goods-file.ts'
import { table } from '../screen.ts'
import { charsetGiven, charsetOption, readText } from '../text-file.ts'
import { showLineErrors, type LineError } from './lines.ts'
import { dockingOption, type GoodView } from './partner.ts'

const BATCH_ROWS = 1_000
/** The hub reads 5 MB at once; a description may be long. */
const BATCH_BYTES = 4_000_000

type GoodsImported = { added: number; changed: number; unchanged: number; errors: LineError[] }

export const importGoods: Command = {
  name: 'goods import',
  who: 'operator',
  summary: { en: 'Add or change goods from a file, by their codes', zh: '从文件批量新增或修改商品（按编码）' },
  operands: [{ name: 'FILE', what: { en: '.csv with a header, .json with an array, or .ndjson with one good a line.', zh: '.csv（首行为表头）、.json（数组）或 .ndjson（每行一个商品）。' } }],
  options: [charsetOption],
  teaches: [
    {
      en: 'Columns: code,name,category,unitPrice and, if wanted, description,minimum,maximum,onSale,cost,delivery. unitPrice is yuan with up to 6 decimals; in JSON it is text ("9.50"). minimum and maximum are for one order, default 1 and 1000.',
      zh: '列：code,name,category,unitPrice，可选 description,minimum,maximum,onSale,cost,delivery。unitPrice 为元，最多 6 位小数，JSON 中写成文本（"9.50"）；minimum、maximum 为单笔数量上下限，默认 1 与 1000。',
    },
    {
      en: 'In JSON a good may also have races [{name, unitPrice, cost, wholesale}], options [{name, choices: [{name, surcharge}]}], wholesale [{from, unitPrice}], form [{name, label, type, pattern, error, choices: [{label, value}]}], contact (any, phone, email, qq), delivery (card, manual), stock and message (manual goods), cost. The stock of a manual good is a limit for one order: it is not counted down.',
      zh: 'JSON 中还可写 races（种类）[{name, unitPrice, cost, wholesale}]、options（规格）[{name, choices: [{name, surcharge}]}]、wholesale（批发价）[{from, unitPrice}]、form（下单表单）[{name, label, type, pattern, error, choices: [{label, value}]}]、contact（any、phone、email、qq）、delivery（card、manual）、stock 与 message（人工发货商品）、cost（成本）。人工发货商品的 stock 是单笔订单的数量上限，不会递减。',
    },
    {
      en: 'A line states the whole good: what it leaves out (cost, races, options, form, description and so on) is empty or at its default afterwards, also where the good had it before. Only the picture stays.',
      zh: '每一行都是商品的完整内容：未写出的项（cost、races、options、form、description 等）导入后即为空或默认值，原有内容不保留；只有图片保留。',
    },
    {
      en: 'A pattern of a form fits any part of a value; write ^ and $ to mean all of it. Look-around, back references and word boundaries are refused, and repeats beyond 300 in all.',
      zh: '下单表单的 pattern 匹配值的任意一段，整段匹配请写 ^ 与 $；不支持环视、反向引用和单词边界，重复次数合计最多 300。',
    },
    {
      en: 'A line that cannot be read is left out and named; all others are imported. Importing the same file again changes nothing.',
      zh: '有误的行会跳过并标明行号，其余照常导入；重复导入同一文件不会产生变化。',
    },
  ],
  examples: [
    { line: 'berth goods import goods.csv', what: { en: 'new goods and new prices', zh: '新商品与新价格' } },
    { line: 'berth goods import goods.csv --charset gb18030', what: { en: 'a file that a Chinese Excel has saved', zh: '中文版 Excel 直接保存的文件' } },
  ],
  run: async (asked) => {
    const file = asked.operands[0]!
    const text = readText(file, asked.stdin, charsetGiven(asked.option('charset')))
    const client = operatorClient(asked)
    const { total, problem } = await sendGoods(client, readGoodsFile(file, text), (rows) => asked.progress(`${rows}`))
    asked.progress('')
    const zh = asked.lang === 'zh'
    const { added, changed, unchanged, errors } = total
    const summary = zh ? `新增 ${added}，修改 ${changed}，未变 ${unchanged}，错误 ${errors.length}` : `${added} added, ${changed} changed, ${unchanged} unchanged, ${errors.length} left out`
    const shown = [summary, showLineErrors(errors, errors.length, asked.lang)].filter(Boolean).join('\n')
    if (problem) return { ...refused(problem), text: `${zh ? '此前各批已导入：' : 'The batches before it are imported: '}${shown}` }
    return done(total, shown, errors.length > 0 ? exitCodes.found : exitCodes.done)
  },
}

/** Sends goods in batches; the numbers of lines in `errors` are those of the file. A refusal ends it between two batches. */
export async function sendGoods(client: Client, rows: AsyncIterable<GoodRow>, onRows: (rows: number) => void = () => {}): Promise<{ total: GoodsImported; problem: Problem | null }> {
  const total: GoodsImported = { added: 0, changed: 0, unchanged: 0, errors: [] }
  const lineOfCode = new Map<unknown, number>()
  let batch: { line: number; good: Record<string, unknown> }[] = []
  let bytes = 0
  let sent = 0
  const send = async (): Promise<Problem | null> => {
    if (batch.length === 0) return null
    const answer = await client.post<GoodsImported>('/operator/goods', { items: batch.map(({ good }) => good) }, IMPORT_TIMEOUT_MS)
    if (!answer.ok) return answer.problem
    total.added += answer.body.added
    total.changed += answer.body.changed
    total.unchanged += answer.body.unchanged
    // The hub counts the rows of one request from 1; blank lines and long fields make the file count otherwise.
    total.errors.push(...answer.body.errors.map((error) => ({ ...error, line: batch[error.line - 1]?.line ?? error.line })))
    onRows(sent += batch.length)
    batch = []
    bytes = 0
    return null
  }
  for await (const { line, good, problem } of rows) {
    const before = good === null ? undefined : lineOfCode.get(good.code)
    if (!good) total.errors.push({ line, code: 'protocol.malformed_request', message: problem! })
    else if (before !== undefined) {
      total.errors.push({ line, code: 'catalogue.good_reused', message: { en: `The code ${String(good.code)} stands on line ${before} already.`, zh: `编码 ${String(good.code)} 已在第 ${before} 行出现。` } })
    } else {
      if (typeof good.code === 'string') lineOfCode.set(good.code, line)
      const size = Buffer.byteLength(JSON.stringify(good))
      const refusal = batch.length === BATCH_ROWS || bytes + size > BATCH_BYTES ? await send() : null
      if (refusal) return { total, problem: refusal }
      batch.push({ line, good })
      bytes += size
    }
  }
  const refusal = await send()
  total.errors.sort((a, b) => a.line - b.line)
  return { total, problem: refusal }
}

export const listGoods: Command = {
  name: 'goods list',
  who: 'partner',
  summary: { en: 'Goods as offered to this docking, with its own prices and stock', zh: '本对接可见的商品、价格与库存' },
  operands: [],
  options: [dockingOption],
  teaches: [{ en: 'Price and stock are those of the docking whose key is used: sandbox and live have their own.', zh: '价格与库存以所用密钥的对接为准；沙箱与正式互不相通。' }],
  examples: [{ line: 'berth goods list', what: { en: 'the sandbox of the demo', zh: '演示沙箱' } }, { line: 'berth goods list --docking demo-live', what: { en: 'what a live partner sees', zh: '正式对接所见' } }],
  run: async (asked) => {
    const goods = await partnerClient(asked).list<GoodView>('/api/goods', 'cursor')
    if (!goods.ok) return refused(goods.problem)
    const zh = asked.lang === 'zh'
    const head = zh ? ['编码', '名称', '分类', '单价', '库存', ''] : ['code', 'name', 'category', 'price', 'stock', '']
    const rows = goods.body.map((good) => [good.code, good.name, good.category, good.unitPrice, String(good.stock), good.onSale ? '' : zh ? '停售' : 'not on sale'])
    return done({ items: goods.body }, rows.length > 0 ? table([head, ...rows], 0) : zh ? '没有商品。' : 'No goods.')
  },
}
