import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { appealOperand, readWords, showAppeals, showSummary, showWhole, textOption, writeDocument, type Summary, type Whole } from './appeals.ts'
import { readTime, timeForm } from './time.ts'

type Reviewed = Summary & { docking: string; dockingName?: string; decisionBy: string; decidedBy: string | null; overdue: boolean }

const OUTCOMES = ['upheld', 'overturned', 'partly']
const ANOTHER = {
  en: 'Needs the role reviewer ("berth operator add NAME --role reviewer"), and another person than the one who decided. BERTH_OPERATOR_KEY is the key of who calls.',
  zh: '须具有 reviewer 角色（berth operator add NAME --role reviewer），且不得为原决定人。BERTH_OPERATOR_KEY 为操作人自己的密钥。',
}

export const listAppeals: Command = {
  name: 'appeal list',
  who: 'operator',
  summary: { en: 'Appeals that wait for a verdict, with their clocks', zh: '列出待裁定的申诉及期限' },
  operands: [],
  options: [{ name: 'all', what: { en: 'Those that have ended too.', zh: '也列出已结束的。' } }],
  teaches: [{ en: 'An appeal that is overdue has freed the partner from its measure already, unless that rests on a law, an order or a fraud.', zh: '逾期的申诉，其措施已自动降级；依据法律、主管机关指令或涉诈的除外。' }],
  examples: [{ line: 'berth appeal list', what: { en: 'what is to be decided', zh: '待裁定的申诉' } }, { line: 'berth appeal list --all', what: { en: 'and what was', zh: '包括已结束的' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: Reviewed[] }>('/operator/appeals', { state: asked.option('all') === undefined ? 'open' : 'all', limit: '500' })
    return list.ok ? done(list.body, showAppeals(list.body.items, asked.lang)) : refused(list.problem)
  },
}

export const showAppeal: Command = {
  name: 'appeal show',
  who: 'operator',
  summary: { en: 'One appeal with all that was said, or a document of it', zh: '查看一件申诉的全部经过，或导出其中的材料' },
  operands: [appealOperand],
  options: [
    { name: 'document', value: 'N', what: { en: 'The number of a document to open; needs the role reviewer, and --out.', zh: '要打开的材料序号；须有 reviewer 角色，并给出 --out。' } },
    { name: 'out', value: 'FILE', what: { en: 'Where to write it; nothing is overwritten.', zh: '写入的文件，不覆盖已有文件。' } },
  ],
  teaches: [{ en: 'Documents come from a stranger: open them as you would open a mail from one.', zh: '材料来自外部，请像对待陌生邮件附件一样小心打开。' }],
  examples: [{ line: 'berth appeal show apl_01jd…', what: { en: 'what was said so far', zh: '目前的经过' } }, { line: 'berth appeal show apl_01jd… --document 1 --out licence.pdf', what: { en: 'the first document', zh: '导出第一份材料' } }],
  run: async (asked) => {
    const path = `/operator/appeals/${encodeURIComponent(asked.operands[0]!)}`
    const [number, out] = [asked.option('document'), asked.option('out')]
    if ((number === undefined) !== (out === undefined)) throw new WrongUsage({ en: '--document N goes with --out FILE.', zh: '--document 与 --out 须一起给出。' })
    if (number !== undefined) {
      const file = await operatorClient(asked).get<{ name: string; content: string }>(`${path}/evidence/${encodeURIComponent(number)}`)
      return file.ok ? writeDocument(asked, out!, Buffer.from(file.body.content, 'base64')) : refused(file.problem)
    }
    const found = await operatorClient(asked).get<Whole & Reviewed>(path)
    return found.ok ? done(found.body, showWhole(found.body, asked.lang)) : refused(found.problem)
  },
}

const daysOption = (en: string, zh: string) => ({ name: 'days', value: 'N', isRequired: true, what: { en, zh } }) as const

function readDays(text: string): number {
  if (/^([1-9]|1[0-5])$/.test(text)) return Number(text)
  throw new WrongUsage({ en: `--days is a whole number from 1 to 15, not "${text}".`, zh: `--days 为 1 至 15 的整数，不能是“${text}”。` })
}

export const askEvidence: Command = {
  name: 'appeal ask',
  who: 'operator',
  summary: { en: 'Ask the partner for more; the clock stands still', zh: '要求对接方补充，时限暂停' },
  operands: [appealOperand],
  options: [textOption, daysOption('Until when: 1 to 15 days.', '补充期限，1 至 15 天。')],
  teaches: [{ en: 'Three questions at most. When nothing came by the day, the clock goes on.', zh: '最多提问三次；到期未补充的，时限继续计算。' }, ANOTHER],
  examples: [{ line: 'berth appeal ask apl_01jd… --text "Send the front of the licence too." --days 5', what: { en: 'a page is missing', zh: '缺少一页' } }],
  run: async (asked) => {
    const days = readDays(asked.needed('days'))
    const put = await operatorClient(asked).post<Reviewed>(`/operator/appeals/${encodeURIComponent(asked.operands[0]!)}/ask`, { text: readWords(asked.needed('text')), days })
    return put.ok ? done(put.body, showSummary(put.body, asked.lang)) : refused(put.problem)
  },
}

export const extendAppeal: Command = {
  name: 'appeal extend',
  who: 'operator',
  summary: { en: 'Put the clock of an appeal off, once', zh: '延长申诉裁定期限（仅一次）' },
  operands: [appealOperand],
  options: [textOption, daysOption('By how much: 1 to 15 days.', '延长天数，1 至 15 天。')],
  teaches: [{ en: 'The partner reads the reason.', zh: '对接方会看到延期理由。' }, ANOTHER],
  examples: [{ line: 'berth appeal extend apl_01jd… --text "The register answers on Friday." --days 5', what: { en: 'somebody else has to answer first', zh: '须等待第三方答复' } }],
  run: async (asked) => {
    const days = readDays(asked.needed('days'))
    const put = await operatorClient(asked).post<Reviewed>(`/operator/appeals/${encodeURIComponent(asked.operands[0]!)}/extend`, { text: readWords(asked.needed('text')), days })
    return put.ok ? done(put.body, showSummary(put.body, asked.lang)) : refused(put.problem)
  },
}

export const decideAppeal: Command = {
  name: 'appeal decide',
  who: 'operator',
  summary: { en: 'Decide an appeal', zh: '裁定申诉' },
  operands: [appealOperand],
  options: [
    { name: 'outcome', value: 'OUTCOME', isRequired: true, oneOf: OUTCOMES, what: { en: 'upheld: it stands. overturned: lifted at once. partly: a lesser measure in its place.', zh: 'upheld 维持；overturned 立即解除；partly 改为较轻的措施。' } },
    textOption,
    { name: 'scope', value: 'SCOPE', isMany: true, what: { en: 'partly: what is still held.', zh: 'partly：保留的范围。' } },
    { name: 'good', value: 'GOOD', isMany: true, what: { en: 'partly: for which goods, by id.', zh: 'partly：保留的商品编号。' } },
    { name: 'ends', value: 'TIME', what: { en: `partly: until when (${timeForm.en}).`, zh: `partly：终止时间（${timeForm.zh}）。` } },
  ],
  teaches: [{ en: 'The partner reads the reasons as you write them. There is no second verdict.', zh: '对接方会看到裁定理由原文；裁定后不再更改。' }, ANOTHER],
  examples: [
    { line: 'berth appeal decide apl_01jd… --outcome overturned --text "The licence is valid; it was misread."', what: { en: 'the partner is free at once', zh: '立即解除' } },
    { line: 'berth appeal decide apl_01jd… --outcome partly --scope goods --good gds_01jd… --text "Only this good needs the licence."', what: { en: 'less than before', zh: '缩小范围' } },
  ],
  run: async (asked) => {
    const [scope, goods, endsAt] = [asked.all('scope').flatMap((text) => text.split(',')), asked.all('good'), readTime('ends', asked.option('ends'))]
    const narrower = scope.length + goods.length === 0 && endsAt === undefined ? undefined : { ...(scope.length > 0 ? { scope } : {}), ...(goods.length > 0 ? { goods } : {}), ...(endsAt === undefined ? {} : { endsAt }) }
    const body = { outcome: asked.needed('outcome'), text: readWords(asked.needed('text')), narrower }
    const decided = await operatorClient(asked).post<Reviewed>(`/operator/appeals/${encodeURIComponent(asked.operands[0]!)}/decide`, body)
    return decided.ok ? done(decided.body, showSummary(decided.body, asked.lang)) : refused(decided.problem)
  },
}
