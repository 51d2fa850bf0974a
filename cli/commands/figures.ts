import { isReasonCode, reasonOf } from '../../protocol/reasons.ts'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { strangerClient } from '../credentials.ts'
import { nameOf, table, type Lang } from '../screen.ts'

type Line = { class: string | null; code: string | null; events: number }
type Figures = {
  quarter: string; state: 'running' | 'published'; to: string; remedies: { class: string | null; code: string | null; medianHours: number; p90Hours: number }[]; ruleChanges: number
  technicalLater: { overturnedPercent: number | null; followedPercent: number | null }
} & Record<(typeof FAMILIES)[number][0], Line[]>

const FAMILIES = [
  ['refusals', 'Refusals', '拒绝'], ['measures', 'Measures', '措施'], ['appeals', 'Appeals', '申诉'], ['missed', 'Appeal clocks missed', '申诉逾期未决'],
  ['followed', 'Technical, and then another reason', '先称技术原因，后换其他原因'], ['conformance', 'Runs of the conformance kit', '对接自测'], ['admissions', 'Gone live by a badge, or by a waiver of it', '上线方式'],
] as const

export const showFigures: Command = {
  name: 'figures',
  who: 'partner',
  summary: { en: 'Open figures of a main site: what it refused, held and took back', zh: '查看主站公开数据：拒绝、措施与撤回' },
  operands: [],
  options: [{ name: 'quarter', value: 'QUARTER', what: { en: 'Such as 2026Q4; without it the one that runs.', zh: '如 2026Q4；不给则为进行中的季度。' } }],
  teaches: [
    { en: 'No key is needed. No line is about fewer than five partners: small ones stand together as "other". A quarter that runs shows no number, since two looks would give away the one partner between them.', zh: '无需密钥。任何一行不少于五个对接方，过少的并入“其他”。进行中的季度不显示数字，以免前后对比看出单个对接方。' },
    { en: '--json prints the document as the hub signed it.', zh: '--json 输出主站签名的原文。' },
  ],
  examples: [{ line: 'berth figures --quarter 2026Q4', what: { en: 'one quarter', zh: '某一季度' } }],
  run: async (asked) => {
    const quarter = asked.option('quarter')
    if (quarter !== undefined && !/^\d{4}Q[1-4]$/.test(quarter)) throw new WrongUsage({ en: '--quarter is written as 2026Q4.', zh: '--quarter 的写法如 2026Q4。' })
    const answer = await strangerClient(asked).get<Figures>('/api/figures', { quarter })
    return answer.ok ? done(answer.body, told(answer.body, asked.lang)) : refused(answer.problem)
  },
}

function told(figures: Figures, lang: Lang): string {
  const zh = lang === 'zh'
  if (figures.state === 'running') return zh ? `${figures.quarter} 进行中，${figures.to} 之后公布数字。` : `${figures.quarter} still runs; its numbers appear after ${figures.to}.`
  const few = zh ? '不足五个对接方，不予公布' : 'fewer than five partners: nothing is told'
  const name = (line: { class: string | null; code: string | null }) => [
    line.class === null ? (zh ? '多类' : 'several') : nameOf(line.class, lang), line.code === null ? (zh ? '其他' : 'other') : isReasonCode(line.code) ? `${line.code} (${reasonOf(line.code).title[lang]})` : nameOf(line.code, lang),
  ]
  const percent = (value: number | null) => (value === null ? '–' : `${value} %`)
  return [
    `${zh ? '公开数据' : 'Open figures'} ${figures.quarter}`,
    table([
      [zh ? '技术原因被推翻' : 'technical reasons overturned', percent(figures.technicalLater.overturnedPercent)], [zh ? '技术原因后又换原因' : 'technical reasons followed by another', percent(figures.technicalLater.followedPercent)],
      [zh ? '规则变更' : 'rule changes', String(figures.ruleChanges)],
    ]),
    ...FAMILIES.flatMap(([family, en, chinese]) => [zh ? chinese : en, figures[family].length === 0 ? `  ${few}` : table(figures[family].map((line) => [...name(line), String(line.events)]))]),
    zh ? '恢复用时（中位数，九成不超过）' : 'Time to remedy (median, nine of ten within)',
    figures.remedies.length === 0 ? `  ${few}` : table(figures.remedies.map((line) => [...name(line), `${line.medianHours} h`, `${line.p90Hours} h`])),
  ].join('\n')
}
