import type { Answer, Client } from '../client.ts'
import { done, refused, type Command } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { nameOf, table, type Lang } from '../screen.ts'
import { dockingOption, type DecisionView, type ReportView } from './partner.ts'

/** The hub compares these letters byte by byte: whoever sends them through a wrong character set hears of it. */
const PROBE = '卡密'

export const showReport: Command = {
  name: 'report',
  who: 'partner',
  summary: { en: 'Why can I not dock? Every check, and one verdict', zh: '对接体检：逐项检查，给出一个结论' },
  operands: [],
  options: [dockingOption],
  teaches: [{
    en: 'Checks the clock, the character set, the signature, the key, its scope, standing, stock and price of what was last refused, and funds. Each says whose side it is on, and its page says what helps.',
    zh: '检查时钟、字符集、签名、密钥、权限、合作状态、最近被拒商品的库存与价格、资金；逐项标明责任方，说明页给出办法。',
  }],
  examples: [
    { line: 'berth report', what: { en: 'the sandbox of the demo', zh: '演示沙箱' } },
    { line: 'berth report --docking demo-held --lang zh', what: { en: 'a docking under a measure', zh: '被采取措施的对接' } },
    { line: "berth report --json | jq .verdict", what: { en: 'the verdict alone', zh: '只看结论' } },
  ],
  run: async (asked) => {
    const client = partnerClient(asked)
    const report = await client.post<ReportView>('/api/docking/report', { probe: PROBE })
    if (!report.ok) return refused(report.problem)
    const decisions = await openDecisions(client, report.body)
    if (!decisions.ok) return refused(decisions.problem)
    return done({ ...report.body, decisions: decisions.body }, show(report.body, decisions.body, asked.lang))
  },
}

const MARKS = { pass: '✓', warn: '!', fail: '✗', withheld: '§' }

/** The statements behind a standing that is not clean: what a partner must know to mend it. */
async function openDecisions(client: Client, report: ReportView): Promise<Answer<DecisionView[]>> {
  if (report.checks.every((check) => check.check !== 'decisions.standing' || check.verdict === 'pass')) return { ok: true, status: 200, replayed: false, body: [] }
  const docking = await client.get<{ decisions: DecisionView[] }>('/api/docking')
  return docking.ok ? { ...docking, body: docking.body.decisions } : docking
}

function show(report: ReportView, decisions: readonly DecisionView[], lang: Lang): string {
  const zh = lang === 'zh'
  const rows = report.checks.map((check) => [
    MARKS[check.verdict], check.check, check.verdict === 'pass' ? '' : nameOf(check.class, lang), check.verdict === 'pass' ? '' : nameOf(check.side, lang), check.seen[lang],
  ])
  const bad = report.checks.filter((check) => check.verdict !== 'pass' && check.code !== null)
  const { verdict } = report
  return [
    `${report.docking} (${report.mode})  ${report.at}`,
    '',
    table([zh ? ['', '检查项', '类别', '责任方', '所见'] : ['', 'check', 'class', 'side', 'seen'], ...rows], 0),
    ...(bad.length > 0
      ? ['', zh ? '说明与办法' : 'What it means, and what helps', table(bad.map((check) => [check.code!, check.page ?? '', check.evidence === null ? '' : `${zh ? '依据' : 'evidence'} ${check.evidence}`]))]
      : []),
    ...decisions.flatMap((decision) => ['', showStatement(decision, lang)]),
    '',
    `${zh ? '结论：' : 'Verdict: '}${verdict.text[lang]}${verdict.code === null ? '' : ` (${verdict.code})`}`,
  ].join('\n')
}

function conditionOf(condition: { words: string } | { check: string }, zh: boolean): string {
  return 'words' in condition ? condition.words : zh ? `检查 ${condition.check} 通过后自动解除` : `by itself, once the check ${condition.check} is green`
}

function showStatement({ id, code, scope, effectiveAt, endsAt, statement }: DecisionView, lang: Lang): string {
  const zh = lang === 'zh'
  const rows = [
    [zh ? '范围' : 'held', scope.join(', ')],
    [zh ? '期限' : 'since', endsAt === null ? effectiveAt : `${effectiveAt} – ${endsAt}`],
    ...(statement.facts ?? []).map((fact) => [zh ? '事实' : 'fact', fact.text]),
    ...(statement.ground ?? []).map((ground) => [zh ? '依据' : 'ground', `${ground.ref} ${ground.article}`]),
    ...(statement.remedy ?? []).map((remedy) => [zh ? '补救' : 'remedy', remedy.action[lang]]),
    ...(statement.measure?.liftsWhen ? [[zh ? '解除条件' : 'lifts when', conditionOf(statement.measure.liftsWhen, zh)]] : []),
    ...(statement.appeal ? [[zh ? '申诉' : 'appeal', statement.appeal.channel]] : []),
  ]
  return `${zh ? '处理决定' : 'Decision'} ${id} (${code})\n${table(rows)}`
}
