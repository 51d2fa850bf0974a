import { explain, reasonOf } from '../../../protocol/reasons.ts'
import type { Decision, Statement } from '../decisions/index.ts'
import type { Language, Letter, LetterContext, Row, Section } from './model.ts'
import { standingOf, type Standing } from './rules.ts'
import { CLASSES, pick, word, writeTime, type Pair } from './words.ts'

const SIDES: Readonly<Record<Statement['cause']['side'], Pair>> = { partner: ['对接方', 'partner'], hub: ['主站', 'main site'], supplier: ['供货方', 'supplier'], network: ['网络', 'network'] }
const MEASURES: Readonly<Record<Statement['measure']['kind'], Pair>> = {
  warn: ['警告（不限制）', 'warned, nothing is held'], throttle: ['限速', 'slowed down'], suspend: ['暂停', 'suspended'], refuse: ['拒绝', 'refused'], restrict_payout: ['限制提现', 'payouts restricted'],
  delist: ['下架', 'delisted'], key_quarantine: ['隔离', 'quarantined'], terminate: ['终止合作', 'terminated'], reprice: ['调价', 'repriced'], withdraw_offer: ['停止供应', 'no longer offered'],
  limit: ['限量', 'limited'], credit: ['限制授信', 'credit restricted'], level: ['调整等级', 'moved to another level'], channel: ['限制支付通道', 'channel restricted'],
}
const SCOPES: Readonly<Record<string, Pair>> = { goods: ['商品', 'goods'], orders: ['下单', 'orders'], funds: ['资金', 'funds'], members: ['用户数据', 'user data'], key: ['密钥', 'keys'] }
const GROUNDS: Readonly<Record<Statement['ground'][number]['type'], Pair>> = {
  law: ['法律法规', 'Law'], contract: ['合同', 'Contract'], published_rule: ['公示规则', 'Published rule'], authority_order: ['主管机关指令', 'Order of an authority'],
}
const SOURCES: Readonly<Record<Statement['source'], Pair>> = {
  automatic_check: ['自动检测', 'an automatic check'], own_review: ['主站自行审查', 'a review by the main site'], third_party_notice: ['第三方通知', 'a notice by a third party'], authority_order: ['主管机关指令', 'an order of an authority'],
}
const DECIDED: Readonly<Record<Statement['automation']['decision'], Pair>> = { fully: ['全自动作出', 'by a program alone'], partly: ['部分自动，经人工确认', 'by a person, with the help of a program'], not: ['由人工作出', 'by a person'] }
const EVIDENCE: Readonly<Record<Statement['evidence'][number]['kind'], Pair>> = {
  check_run: ['检测记录', 'Check run'], finding: ['核查发现', 'Finding'], ledger: ['账目', 'Ledger'], file: ['文件', 'File'], list_match: ['名单比对', 'List match'], notice: ['通知', 'Notice'],
}
const WITHHELD: Readonly<Record<Exclude<Statement['evidence'][number]['disclosure'], 'full'>, Pair>> = {
  redacted: ['部分内容已隐去', 'told in part'], withheld_by_law: ['依法不予披露', 'withheld by law'], withheld_third_party: ['涉及第三方，不予披露', 'withheld to protect others'],
  withheld_detection: ['检测方法不予披露', 'withheld, since it would show how things are detected'],
}
const STANDINGS: Readonly<Record<Standing, Pair>> = { in_force: ['生效中', 'In force'], to_come: ['尚未生效', 'Not yet in force'], lifted: ['已解除', 'Lifted'], ended: ['已期满终止', 'Ended'], superseded: ['已被取代', 'Superseded'] }

/** What a letter tells of a decision; the page behind its link tells how the decision stands, whatever the letter was. */
export type DecisionEvent = 'decision_taken' | 'decision_changed' | 'decision_lifted'

/** A decision as the one whom it hits reads it. */
export function decisionLetter(kind: DecisionEvent | null, decision: Decision, context: LetterContext): Letter {
  const { language, docking, at } = context
  const say = pick(language)
  const { code } = decision.statement.cause
  const reason = reasonOf(code).title[language === 'zh-CN' ? 'zh' : 'en']
  const standing = standingOf(decision, at)
  const over = standing !== 'in_force' && standing !== 'to_come'
  const titles: Partial<Record<DecisionEvent, string>> = {
    decision_lifted: standing === 'ended' ? say(`对接“${docking}”的措施已期满终止：${reason}`, `The measure against ${docking} has ended: ${reason}`) : say(`对接“${docking}”的措施已解除：${reason}`, `The measure against ${docking} was lifted: ${reason}`),
    decision_changed: say(`对接“${docking}”的处理决定有变更：${reason}`, `The decision about ${docking} was changed: ${reason}`),
  }
  return {
    language,
    title: (kind && titles[kind]) ?? say(`对接“${docking}”的处理决定：${reason}`, `Decision about ${docking}: ${reason}`),
    standing: { text: word(STANDINGS[standing], language, standing), tone: over ? 'over' : 'held' },
    lead: leadOf(decision, standing, context),
    short: shortOf(kind, decision, language),
    sections: [
      measureOf(decision, context),
      ...(context.full ? [factsOf(decision.statement, language), groundsOf(decision.statement, language), ...evidenceOf(decision.statement, language)] : []),
      ...(over && !context.full ? [] : [remedyOf(decision.statement, language), clocksOf(decision.statement, language)]),
      appealOf(decision, context),
      ...(context.full ? [fundsOf(decision.statement, language), originOf(decision.statement, language)] : []),
    ].filter((section) => section.rows.length > 0),
  }
}

function shortOf(kind: DecisionEvent | null, { statement: { cause } }: Decision, language: Language): string {
  const say = pick(language)
  const deed = kind === 'decision_lifted' ? say('措施已解除', 'Measure lifted') : kind === 'decision_changed' ? say('处理决定有变更', 'Decision changed') : say('处理决定', 'Decision')
  return `${deed}${say('：', ': ')}${word(CLASSES[cause.class], language, cause.class)} ${cause.code}`
}

function leadOf({ statement, liftedAt, supersededBy }: Decision, standing: Standing, { language }: LetterContext): string[] {
  const say = pick(language)
  if (standing === 'lifted') return [say(`该措施已于 ${writeTime(liftedAt!, language)} 解除，此后不再限制贵方。`, `The measure was lifted at ${writeTime(liftedAt!, language)} and stops nothing any more.`)]
  if (standing === 'superseded') return [say(`该决定已于 ${writeTime(liftedAt!, language)} 由另一份决定取代：${supersededBy}。`, `At ${writeTime(liftedAt!, language)} another decision took its place: ${supersededBy}.`)]
  if (standing === 'ended') return [say(`该措施已于 ${writeTime(statement.measure.endsAt!, language)} 期满终止。`, `The measure ended at ${writeTime(statement.measure.endsAt!, language)}.`)]
  const { code, class: cls } = statement.cause
  const because = { measure: nameMeasure(statement, language), since: writeTime(statement.measure.effectiveAt, language) }
  const what = explain({ code, because }, language === 'zh-CN' ? 'zh' : 'en').replace('） ', '）')
  if (cls === 'technical') return [what]
  // The trade's old sorrow: software is repaired for ever, and it was never the software.
  return [what, say(`这是${word(CLASSES[cls], language, cls)}原因，与贵方的程序和接口无关，修改程序不会使措施解除。`, `This is a ${cls} matter: no change to your software will lift it.`)]
}

function nameMeasure({ measure }: Statement, language: Language): string {
  const scopes = measure.scope.map((scope) => word(SCOPES[scope], language, scope)).join(language === 'zh-CN' ? '、' : ', ')
  const deed = word(MEASURES[measure.kind], language, measure.kind)
  return language === 'zh-CN' ? `${deed}${scopes}` : `${scopes} ${deed}`
}

function measureOf({ id, statement, liftedAt }: Decision, { language, publicUrl }: LetterContext): Section {
  const say = pick(language)
  const { measure, cause } = statement
  return {
    heading: say('处理决定', 'The decision'),
    rows: [
      { term: say('类别', 'Class'), text: `${word(CLASSES[cause.class], language, cause.class)}${say('（责任方：', ' (side: ')}${word(SIDES[cause.side], language, cause.side)}${say('）', ')')}` },
      { term: say('原因', 'Reason'), text: `${reasonOf(cause.code).title[language === 'zh-CN' ? 'zh' : 'en']} · ${cause.code}`, href: `${publicUrl}/reasons/${cause.code}` },
      { term: say('措施', 'Measure'), text: nameMeasure(statement, language) },
      ...(measure.goods.length > 0 ? [{ term: say('涉及商品', 'Goods'), text: measure.goods.join(say('、', ', ')) }] : []),
      { term: say('生效', 'Since'), text: writeTime(measure.effectiveAt, language) },
      ...(measure.endsAt === null ? [] : [{ term: say('期限至', 'Until'), text: writeTime(measure.endsAt, language) }]),
      ...(measure.liftsWhen === null ? [] : [{ term: say('解除条件', 'Lifts when'), text: 'words' in measure.liftsWhen ? measure.liftsWhen.words : say(`检查 ${measure.liftsWhen.check} 通过后自动解除`, `the check ${measure.liftsWhen.check} is green; it is then lifted by itself`) }]),
      ...(measure.keys.length > 0 ? [{ term: say('涉及密钥', 'Keys'), text: measure.keys.join(say('、', ', ')) }] : []),
      ...allowedRows(statement, language),
      ...(liftedAt === null ? [] : [{ term: say('解除时间', 'Lifted'), text: writeTime(liftedAt, language) }]),
      { term: say('决定编号', 'Decision'), text: id },
    ],
  }
}

function allowedRows({ measure: { allows } }: Statement, language: Language): Row[] {
  const say = pick(language)
  const rows: [string, string | number | undefined][] = [
    [say('每秒请求数', 'Requests a second'), allows.requestsPerSecond], [say('每单件数', 'Pieces an order'), allows.unitsPerOrder], [say('单价最高', 'Price up to'), allows.unitPriceMax],
    [say('等级', 'Level'), allows.level], [say('价格组', 'Price group'), allows.priceGroup],
  ]
  return rows.flatMap(([term, value]) => (value === undefined ? [] : [{ term, text: String(value) }]))
}

/** Where the law forbids telling, the letter says exactly that, under the true class and with the article. */
function factsOf(statement: Statement, language: Language): Section {
  const say = pick(language)
  const heading = say('查明的事实', 'What was found')
  if (isWithheld(statement)) {
    return { heading, rows: [{ term: say('不予披露', 'Withheld'), text: say('依法不得告知具体事实，所依据的条款见下。', 'The law forbids telling the facts; the article stands below.') }] }
  }
  return { heading, rows: statement.facts.map((fact, i) => ({ term: say(`事实 ${i + 1}`, `Fact ${i + 1}`), text: fact.text })) }
}

function isWithheld({ cause }: Statement): boolean {
  return cause.code === 'compliance.withheld_by_law'
}

function groundsOf({ ground }: Statement, language: Language): Section {
  const say = pick(language)
  return {
    heading: say('依据', 'On what ground'),
    rows: ground.map(({ type, ref, article, quote, publishedAt }) => ({
      term: word(GROUNDS[type], language, type),
      text: [
        `${ref} ${article}`, ...(quote === '' ? [] : [say(`“${quote}”`, `"${quote}"`)]),
        ...(publishedAt === '' ? [] : [say(`公布于 ${writeTime(publishedAt, language).slice(0, 10)}`, `published on ${writeTime(publishedAt, language).slice(0, 10)}`)]),
      ].join('\n'),
    })),
  }
}

function evidenceOf(statement: Statement, language: Language): Section[] {
  const say = pick(language)
  if (isWithheld(statement)) return []
  return [{
    heading: say('证据', 'Evidence'),
    rows: statement.evidence.map(({ kind, id, sha256, disclosure }) => ({
      term: word(EVIDENCE[kind], language, kind),
      text: disclosure === 'full' ? `${id}\nSHA-256 ${sha256}` : WITHHELD[disclosure][language === 'zh-CN' ? 0 : 1],
    })),
  }]
}

function remedyOf({ remedy }: Statement, language: Language): Section {
  const say = pick(language)
  return {
    heading: say('如何解决', 'How to mend it'),
    rows: remedy.map(({ step, action, who, evidenceNeeded }) => ({
      term: say(`第 ${step} 步（${word(SIDES[who], language, who)}）`, `Step ${step} (${word(SIDES[who], language, who)})`),
      text: [action[language === 'zh-CN' ? 'zh' : 'en'], ...(evidenceNeeded.length > 0 ? [say(`需提交：${evidenceNeeded.join('、')}`, `Needed: ${evidenceNeeded.join(', ')}`)] : [])].join('\n'),
    })),
  }
}

function clocksOf({ clocks }: Statement, language: Language): Section {
  const say = pick(language)
  return {
    heading: say('时限', 'Clocks'),
    rows: [
      { term: say('请在此前回复', 'Answer by'), text: writeTime(clocks.respondBy, language) },
      { term: say('申诉最迟裁定', 'Appeal decided by'), text: writeTime(clocks.decideAppealBy, language) },
      { term: say('最迟复核', 'Reviewed by'), text: writeTime(clocks.reviewAt, language) },
    ],
  }
}

function appealOf({ id, statement: { appeal } }: Decision, { language, publicUrl, full }: LetterContext): Section {
  const say = pick(language)
  return {
    heading: say('如何申诉', 'How to appeal'),
    rows: [
      ...(appeal.channel.startsWith(`${publicUrl}/`) ? [] : [{ term: say('申诉渠道', 'Where'), text: appeal.channel, ...(/^https?:\/\//.test(appeal.channel) ? { href: appeal.channel } : {}) }]),
      { term: say('不用密钥', 'Without a key'), text: full ? say('在本页的表单中填写即可，无需登录。', 'By the form on this page; no sign-in.') : say('打开链接，在页面的表单中填写即可，无需登录。', 'By the form on the page behind the link; no sign-in.') },
      { term: say('用密钥', 'With a key'), text: `POST /api/decisions/${id}/appeals\nberth appeal file ${id} --text …` },
      { term: say('说明', 'Terms'), text: say('申诉免费，由作出决定者以外的人裁定。', 'It is free, and another person than the one who decided decides it.') },
    ],
  }
}

function fundsOf({ funds, measure }: Statement, language: Language): Section {
  const say = pick(language)
  const held = funds.held === '0' || !measure.scope.includes('funds')
  return {
    heading: say('资金与在途订单', 'Funds and orders under way'),
    rows: [
      { term: say('资金', 'Funds'), text: held ? say('未冻结任何资金。', 'No money is held.') : say(`冻结：${funds.held === 'all' ? '全部余额' : `${funds.held} 元`}`, `Held: ${funds.held === 'all' ? 'the whole deposit' : `${funds.held} yuan`}`) },
      ...(funds.releaseAt === null ? [] : [{ term: say('最迟解冻', 'Released by'), text: writeTime(funds.releaseAt, language) }]),
      { term: say('在途订单', 'Orders under way'), text: funds.ordersInFlight === 'finish' ? say('照常完成', 'are finished') : say('退款', 'are refunded') },
    ],
  }
}

function originOf(statement: Statement, language: Language): Section {
  const say = pick(language)
  const heading = say('决定如何作出', 'How it was decided')
  return {
    heading,
    rows: [
      ...(isWithheld(statement) ? [] : [{ term: say('来源', 'Source'), text: word(SOURCES[statement.source], language, statement.source) }]),
      { term: say('作出方式', 'Decided'), text: word(DECIDED[statement.automation.decision], language, statement.automation.decision) },
    ],
  }
}
