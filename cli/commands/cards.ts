import { done, exitCodes, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { Progress } from '../progress.ts'
import { charsetGiven, charsetOption, readText } from '../text-file.ts'
import { showLineErrors, type LineError } from './lines.ts'
import { readTime, timeForm } from './time.ts'

export type CardsImported = { lot: string | null; published: number; errors: LineError[]; errorCount: number }

export const importCards: Command = {
  name: 'cards import',
  who: 'operator',
  summary: { en: 'Import cards from a file into one lot of a good', zh: '从文件导入卡密，成为某商品的一个批次' },
  operands: [{ name: 'FILE', what: { en: 'One card a line; "-" is stdin.', zh: '每行一张卡密；- 为标准输入。' } }],
  options: [
    { name: 'good', value: 'CODE', isRequired: true, what: { en: 'The code of the good.', zh: '商品编码。' } },
    { name: 'mode', value: 'MODE', isRequired: true, oneOf: ['sandbox', 'live'], what: { en: 'Whom the cards are for; sandbox and live never mix.', zh: '卡密所属环境；沙箱与正式互不相通。' } },
    { name: 'batch', value: 'NAME', isRequired: true, what: { en: 'Your name for the lot, such as the delivery it came with.', zh: '批次名称，如到货单号。' } },
    { name: 'expires', value: 'TIME', what: { en: `When the cards expire (${timeForm.en}); expired ones are not sold.`, zh: `卡密到期时间（${timeForm.zh}）；到期不再出售。` } },
    { name: 'race', value: 'NAME', what: { en: 'Which of the races of the good these cards are of.', zh: '卡密所属的种类。' } },
    { name: 'option', value: 'GROUP=NAME', isMany: true, what: { en: 'Which choice of an option group these cards are of; once for each group.', zh: '卡密所属的规格（组=项），每组一次。' } },
    charsetOption,
  ],
  teaches: [
    {
      en: 'A line is the secret alone, or number and secret parted by the first tab, comma or ----. The file goes to the hub as it is read, however long it is; cards are sealed as they arrive.',
      zh: '每行只写卡密，或“卡号 + 卡密”，以第一个制表符、逗号或 ---- 分隔。文件边读边传，长度不限；卡密到达即加密保存。',
    },
    {
      en: 'The lot goes on sale at the end, all at once; if the import breaks, none of it does and the same file can be sent again. A card that the good has had before is left out and its line is named.',
      zh: '整批在结束时一次性上架；中途断开则全部作废，可重新导入同一文件。同一商品已有的卡密会跳过并标明行号。',
    },
  ],
  examples: [
    { line: 'berth cards import month.txt --good video --race 月卡 --option 区服=一区 --mode live --batch 2026-12-01-c', what: { en: 'cards of one race and option', zh: '某一种类与规格的卡密' } },
    { line: 'berth cards import cards.txt --good junnet-10 --mode live --batch 2026-12-01-a', what: { en: 'a delivery', zh: '一次到货' } },
    { line: 'zcat cards.txt.gz | berth cards import - --good junnet-10 --mode live --batch 2026-12-01-b', what: { en: 'from another program', zh: '来自其他程序' } },
  ],
  run: async (asked) => {
    const wrong = asked.all('option').find((option) => !/^[^=]+=[^=]+$/.test(option))
    if (wrong !== undefined) throw new WrongUsage({ en: `--option is written GROUP=NAME, not "${wrong}".`, zh: `--option 须写成 组=项，不能是“${wrong}”。` })
    const expiresAt = readTime('expires', asked.option('expires'))
    if (expiresAt !== undefined && Date.parse(expiresAt) <= asked.nowMs()) {
      throw new WrongUsage({ en: `--expires ${expiresAt} is past: nothing of the lot could be sold.`, zh: `--expires ${expiresAt} 已过期，整批都无法出售。` })
    }
    const client = operatorClient(asked)
    const query = { good: asked.needed('good'), mode: asked.needed('mode'), batch: asked.needed('batch'), expiresAt, race: asked.option('race'), option: asked.all('option') }
    const zh = asked.lang === 'zh'
    const progress = new Progress(asked)
    const text = readText(asked.operands[0]!, asked.stdin, charsetGiven(asked.option('charset')), (read, size) => progress.draw(read, size))
    const imported = await client.upload<CardsImported>('/operator/cards', query, progress.count(text))
    asked.progress('')
    if (!imported.ok) return refused(imported.problem)
    const { lot, published, errorCount } = imported.body
    const errors = imported.body.errors.toSorted((a, b) => a.line - b.line)
    const summary = lot === null
      ? zh ? '没有可导入的卡密，未生成批次。' : 'No card was imported; there is no lot.'
      : zh ? `已上架 ${published} 张：商品 ${query.good}，${query.mode}，批次 ${query.batch}（${lot}）` : `${published} cards are on sale: good ${query.good}, ${query.mode}, lot ${query.batch} (${lot})`
    const shown = [summary, `${progress.pace()}${zh ? `，错误 ${errorCount}` : `, ${errorCount} left out`}`, showLineErrors(errors, errorCount, asked.lang)].filter(Boolean).join('\n')
    return done({ good: query.good, mode: query.mode, batch: query.batch, ...imported.body, errors }, shown, errorCount > 0 ? exitCodes.found : exitCodes.done)
  },
}
