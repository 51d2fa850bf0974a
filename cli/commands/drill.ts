import type { Drill, DrillPage, DrillResult } from '../../protocol/drills.ts'
import { done, exitCodes, refused, WrongUsage, type Asked, type Command, type Ending } from '../command.ts'
import { partnerAccess, partnerClient } from '../credentials.ts'
import { rehearse } from '../drills/rehearse.ts'
import { table, type Lang } from '../screen.ts'
import { dockingOption } from './partner.ts'

export const KINDS = ['key_roll', 'rush', 'outage', 'tampered_log'] as const
export const kindOperand = { name: 'KIND', what: { en: `One of ${KINDS.join(', ')}.`, zh: `${KINDS.join('、')} 之一。` } }
const drillOperand = { name: 'DRILL', what: { en: 'The id of the drill, drl_….', zh: '演练编号，drl_…。' } }

export function readKind(text: string): (typeof KINDS)[number] {
  const kind = KINDS.find((one) => one === text)
  if (kind) return kind
  throw new WrongUsage({ en: `"${text}" is none of ${KINDS.join(', ')}.`, zh: `“${text}”不在 ${KINDS.join('、')} 之内。` })
}

export const listDrills: Command = {
  name: 'drill list',
  who: 'partner',
  summary: { en: 'Your drills and the best score of each kind', zh: '列出演练记录与各类最好成绩' },
  operands: [],
  options: [dockingOption],
  teaches: [{ en: 'A drill rehearses in your sandbox what goes wrong in life. The best score of a kind in 90 days counts.', zh: '演练在沙箱中重现现实里的意外情况；每类以 90 天内最好成绩为准。' }],
  examples: [{ line: 'berth drill list', what: { en: 'newest first', zh: '按时间倒序' } }],
  run: async (asked) => {
    const page = await partnerClient(asked).get<DrillPage>('/api/drills')
    if (!page.ok) return refused(page.problem)
    const zh = asked.lang === 'zh'
    const { best, points, items, schedules } = page.body
    const rows = items.map((one) => [one.id, one.kind, one.state, one.score === null ? (one.reason ?? '') : String(one.score), one.endedAt ?? one.startsAt])
    return done(page.body, [
      table(KINDS.map((kind) => [kind, String(best.find((one) => one.kind === kind)?.score ?? '–')]), 0), zh ? `等级分 ${points} / 100` : `${points} of 100 points for a level`,
      ...schedules.map((one) => (zh ? `定期：${one.kind}，每 ${one.everyDays} 天，下次 ${one.nextAt}` : `Scheduled: ${one.kind} every ${one.everyDays} days, next at ${one.nextAt}`)),
      ...(rows.length === 0 ? [] : ['', table([zh ? ['编号', '种类', '状态', '得分', '时间'] : ['id', 'kind', 'state', 'score', 'time'], ...rows], 0)]),
    ].join('\n'))
  },
}

export const planDrill: Command = {
  name: 'drill plan',
  who: 'partner',
  summary: { en: 'What happens in a kind of drill, and what is judged', zh: '查看某类演练的过程与评分项' },
  operands: [kindOperand],
  options: [dockingOption],
  teaches: [],
  examples: [{ line: 'berth drill plan outage', what: { en: 'before you begin', zh: '开始之前' } }],
  run: async (asked) => {
    const kind = readKind(asked.operands[0]!)
    const page = await partnerClient(asked).get<DrillPage>('/api/drills')
    if (!page.ok) return refused(page.problem)
    const plan = page.body.plans.find((one) => one.kind === kind)!
    const { lang } = asked
    return done(plan, [
      `${plan.title[lang]} (${kind} v${plan.version})`, plan.what[lang], '',
      table(plan.steps.map((step) => [step.name, `${step.limitS} s`, `${step.what[lang]} ${step.asks[lang]}`])), '',
      table(plan.criteria.map(({ name, points, what }) => [name, String(points), what[lang]])),
    ].join('\n'))
  },
}

export const showDrill: Command = {
  name: 'drill show',
  who: 'partner',
  summary: { en: 'Where a drill stands, or how it was judged', zh: '查看演练进度或评判' },
  operands: [drillOperand],
  options: [dockingOption],
  teaches: [{ en: 'The result is signed by the hub: --json gives the document, which anybody can check against the key under /.well-known/berth.', zh: '成绩由主站签名：--json 给出原文件，任何人都可用 /.well-known/berth 的公钥核验。' }],
  examples: [{ line: 'berth drill show drl_01jd…', what: { en: 'points and advice', zh: '得分与建议' } }],
  run: async (asked) => {
    const drill = await partnerClient(asked).get<Drill>(`/api/drills/${encodeURIComponent(asked.operands[0]!)}`)
    return drill.ok ? done(drill.body, showOne(drill.body, asked.lang)) : refused(drill.problem)
  },
}

export const abandonDrill: Command = {
  name: 'drill abandon',
  who: 'partner',
  summary: { en: 'End a drill without a score', zh: '放弃演练（不计分）' },
  operands: [drillOperand],
  options: [dockingOption],
  teaches: [],
  examples: [{ line: 'berth drill abandon drl_01jd…', what: { en: 'the platform was not ready', zh: '平台尚未就绪' } }],
  run: async (asked) => {
    const ended = await partnerClient(asked).post<Drill>(`/api/drills/${encodeURIComponent(asked.operands[0]!)}/abandon`, {})
    return ended.ok ? done(ended.body, showOne(ended.body, asked.lang)) : refused(ended.problem)
  },
}

export const startDrill: Command = {
  name: 'drill start',
  who: 'partner',
  summary: { en: 'Begin a drill for your own platform', zh: '为自己的平台发起演练' },
  operands: [kindOperand],
  options: [dockingOption],
  teaches: [{ en: 'The hub waits five minutes for your platform to order; then it begins. "berth drill show" says what it asks of you.', zh: '主站最多等待五分钟，待平台开始下单后演练即开始；berth drill show 会说明当前要求。' }],
  examples: [{ line: 'berth drill start rush', what: { en: 'with your own program at work', zh: '由自己的程序参加' } }],
  run: async (asked) => {
    const begun = await partnerClient(asked).post<Drill>('/api/drills', { kind: readKind(asked.operands[0]!) })
    return begun.ok ? done(begun.body, showOne(begun.body, asked.lang)) : refused(begun.problem)
  },
}

export const runDrill: Command = {
  name: 'drill run',
  who: 'partner',
  summary: { en: 'Rehearse now, with this command in the place of your platform', zh: '立即演练，由本命令充当平台' },
  operands: [kindOperand],
  options: [
    { name: 'clumsy', what: { en: 'Make the usual mistakes, to see how they score.', zh: '故意犯常见错误，看看会怎样扣分。' } },
    { name: 'mistake', value: 'CRITERION', isMany: true, what: { en: 'Make this mistake alone; "berth drill plan KIND" names them.', zh: '只犯指定的错误；名称见 berth drill plan。' } },
    dockingOption,
  ],
  teaches: [
    { en: 'It acts as a correct platform through the client of the SDK and ends when the drill does, after some two minutes. Your stored keys stay as they are: a key roll uses keys of its own.', zh: '本命令通过 SDK 充当一个正确的平台，约两分钟后随演练结束。已保存的密钥不受影响：轮换演练使用另建的密钥。' },
    { en: 'Exit code 0 for a full score, 3 when points were lost or the drill was abandoned.', zh: '满分退出码为 0；有失分或演练被放弃时为 3。' },
  ],
  examples: [
    { line: 'berth drill run outage', what: { en: 'as it should be', zh: '正确的做法' } },
    { line: 'berth drill run outage --clumsy', what: { en: 'as it often is', zh: '常见的错误做法' } },
    { line: 'berth drill run rush --mistake honours_retry_after', what: { en: 'one mistake', zh: '单一错误' } },
  ],
  run: async (asked) => {
    const kind = readKind(asked.operands[0]!)
    const clumsy = new Set(asked.option('clumsy') === undefined ? asked.all('mistake').flatMap((text) => text.split(',')) : USUAL[kind])
    const begun = await partnerClient(asked).post<Drill>('/api/drills', { kind })
    if (!begun.ok) return refused(begun.problem)
    const told = ({ now }: Drill) => asked.progress(now === null ? '' : `${now.step}: ${now.what[asked.lang]}`)
    const drill = await rehearse({ ...partnerAccess(asked), drill: begun.body, clumsy, told })
    asked.progress('')
    return ended(drill, asked)
  },
}

/** The mistakes that are made most often, and most often together. */
const USUAL: Readonly<Record<(typeof KINDS)[number], readonly string[]>> = {
  key_roll: ['switched_in_time', 'none_lost'], rush: ['honours_retry_after', 'no_reference_twice'], outage: ['none_doubled', 'feed_caught_up'], tampered_log: ['refused_forged', 'reported_split'],
}

function ended(drill: Drill, { lang }: Pick<Asked, 'lang'>): Ending {
  return done(drill, showOne(drill, lang), drill.score === 100 ? exitCodes.done : exitCodes.found)
}

export function showOne(drill: Drill, lang: Lang): string {
  const zh = lang === 'zh'
  const rows = [[zh ? '编号' : 'id', drill.id], [zh ? '种类' : 'kind', drill.kind], [zh ? '状态' : 'state', drill.reason === null ? drill.state : `${drill.state} (${REASONS[drill.reason]?.[lang] ?? drill.reason})`]]
  if (drill.now) rows.push([zh ? '当前' : 'now', `${drill.now.step} → ${drill.now.dueAt}`], [zh ? '要求' : 'asks', drill.now.asks[lang]])
  if (drill.log) rows.push([zh ? '日志' : 'log', drill.log])
  return drill.result === null ? table(rows, 0) : `${table(rows, 0)}\n\n${showResult(drill.result, lang)}`
}

function showResult(result: DrillResult, lang: Lang): string {
  const zh = lang === 'zh'
  const advice = result.criteria.flatMap((one) => (one.advice === null ? [] : [`  ${one.name}: ${one.advice[lang]}`]))
  return [
    zh ? `得分 ${result.score} / 100` : `Score ${result.score} of 100`,
    table(result.criteria.map(({ name, points, of, seen }) => [name, `${points}/${of}`, seen[lang]])),
    ...(advice.length === 0 ? [] : ['', zh ? '建议' : 'How to win the rest', ...advice]),
  ].join('\n')
}

const REASONS: Readonly<Record<string, { en: string; zh: string }>> = {
  nobody_came: { en: 'no platform was at work', zh: '没有平台参加' },
  steered: { en: "the sandbox's own faults or clock were moved meanwhile", zh: '期间改动了沙箱的故障或时钟' },
  flooded: { en: 'more requests than are kept', zh: '请求数超出可记录的上限' },
  given_up: { en: 'given up', zh: '主动放弃' },
  not_possible: { en: 'it could not begin', zh: '无法开始' },
}
