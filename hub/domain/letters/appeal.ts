import { reasonOf } from '../../../protocol/reasons.ts'
import type { Appeal, Entry, WholeAppeal } from '../appeals/index.ts'
import type { Language, Letter, LetterContext, Row, Section } from './model.ts'
import { CLASSES, pick, word, writeTime, type Pair } from './words.ts'

/** What a letter tells of an appeal. `appeal_due` and `appeal_given` are for the main site alone. */
export type AppealEvent = 'appeal_filed' | 'appeal_asked' | 'appeal_given' | 'appeal_extended' | 'appeal_decided' | 'appeal_missed' | 'appeal_withdrawn' | 'appeal_due'

const STATES: Readonly<Record<Appeal['state'], Pair>> = {
  filed: ['已受理', 'Filed'], evidence_owed: ['待补充材料', 'Waits for documents'], under_review: ['审理中', 'Under review'], upheld: ['维持原决定', 'The decision stands'], overturned: ['已撤销原决定', 'The decision was overturned'],
  partly: ['部分撤销', 'Overturned in part'], withdrawn: ['已撤回', 'Taken back'],
}
const ENTRIES: Readonly<Record<Entry['kind'], Pair>> = {
  filed: ['提出申诉', 'Appeal filed'], asked: ['主站要求补充', 'Asked for more'], given: ['补充说明', 'Added'], resumed: ['补充期限已过，继续审理', 'Nothing came in time; the clock goes on'], extended: ['延期', 'Put off'],
  missed: ['逾期未裁定', 'Not decided in time'], upheld: ['裁定：维持', 'Decided: it stands'], overturned: ['裁定：撤销', 'Decided: overturned'], partly: ['裁定：部分撤销', 'Decided: overturned in part'], withdrawn: ['撤回申诉', 'Taken back'],
}

/** A letter about an appeal. It names no words that were said: those stand behind the link, or with the main site. */
export function appealLetter(kind: AppealEvent, appeal: Appeal, isForMainSite: boolean, { language, docking, publicUrl }: LetterContext): Letter {
  const say = pick(language)
  const reason = reasonOf(appeal.code).title[language === 'zh-CN' ? 'zh' : 'en']
  const open = ['filed', 'evidence_owed', 'under_review'].includes(appeal.state)
  const [title, lead] = wordsOf(kind, appeal, isForMainSite, language)
  return {
    language, title: `${say(`对接“${docking}”`, `${docking}: `)}${title}${say('：', ' · ')}${reason}`, lead: [lead],
    standing: { text: word(STATES[appeal.state], language, appeal.state), tone: open ? 'low' : appeal.state === 'upheld' ? 'held' : 'over' },
    short: `${title}${say('：', ': ')}${word(CLASSES[appeal.class], language, appeal.class)} ${appeal.code}`,
    sections: [{
      heading: say('申诉', 'The appeal'),
      rows: [
        { term: say('申诉编号', 'Appeal'), text: appeal.id }, { term: say('处理决定', 'Decision'), text: appeal.decision },
        { term: say('原因', 'Reason'), text: `${reason} · ${appeal.code}`, href: `${publicUrl}/reasons/${appeal.code}` },
        { term: say('状态', 'State'), text: word(STATES[appeal.state], language, appeal.state) }, ...clockRows(appeal, language),
        ...(isForMainSite ? [{ term: say('原决定人', 'Decided by'), text: appeal.decisionBy }, { term: say('处理', 'Work on it'), text: `berth appeal show ${appeal.id}` }] : []),
      ],
    }],
  }
}

function wordsOf(kind: AppealEvent, appeal: Appeal, isForMainSite: boolean, language: Language): [title: string, lead: string] {
  const say = pick(language)
  const by = writeTime(appeal.decideBy, language)
  switch (kind) {
    case 'appeal_filed': return isForMainSite
      ? [say('有新申诉', 'an appeal was filed'), say(`须由原决定人以外的人在 ${by} 前裁定；逾期措施将降为警示（依据法律、主管机关指令或涉诈的除外）。`, `Another person than the one who decided must decide it by ${by}; after that the measure drops to a warning, unless it rests on a law, an order or a fraud.`)]
      : [say('申诉已受理', 'your appeal was received'), say(`将由原决定人以外的人在 ${by} 前裁定。`, `Another person than the one who decided decides it by ${by}.`)]
    case 'appeal_asked': return [say('申诉需补充材料', 'your appeal needs more'), say('请打开链接查看要求并提交；补充期间不计入裁定期限。', 'Open the link to read what is asked for and to hand it in; the clock stands still meanwhile.')]
    case 'appeal_given': return [say('申诉有补充', 'something was added to the appeal'), say('对接方已补充说明或材料。', 'The partner has added words or documents.')]
    case 'appeal_extended': return [say('申诉裁定延期', 'your appeal takes longer'), say(`裁定期限延至 ${by}，理由见链接；不会再次延期。`, `It is decided by ${by}; the reason stands behind the link. It is put off once and not again.`)]
    case 'appeal_missed': return [
      say('申诉逾期未裁定', 'the appeal was not decided in time'),
      appeal.standsWhenMissed ? say('该措施依据法律、主管机关指令或涉诈，逾期不自动降级；申诉继续审理。', 'The measure rests on a law, an order or a fraud and stays; the appeal goes on.') : say('措施已不再限制贵方；申诉继续审理。', 'The measure stops nothing any more; the appeal goes on.'),
    ]
    case 'appeal_due': return [say('申诉三天内到期', 'an appeal is due within three days'), say(`请在 ${by} 前裁定。`, `Decide it by ${by}.`)]
    case 'appeal_withdrawn': return [say('申诉已撤回', 'the appeal was taken back'), say('措施不变。', 'The measure stays as it is.')]
    case 'appeal_decided': return [word(STATES[appeal.state], language, appeal.state), outcomeOf(appeal, language)]
  }
}

function outcomeOf({ state }: Appeal, language: Language): string {
  const say = pick(language)
  if (state === 'overturned') return say('原措施已立即解除。裁定理由见链接。', 'The measure was lifted at once. The reasons stand behind the link.')
  if (state === 'partly') return say('原决定已由较轻的决定取代。裁定理由见链接。', 'A lesser decision has taken its place. The reasons stand behind the link.')
  return say('原决定维持不变。裁定理由见链接；如仍不服，可依法另行主张。', 'The decision stands. The reasons are behind the link; what the law gives you besides is not touched.')
}

function clockRows(appeal: Appeal, language: Language): Row[] {
  const say = pick(language)
  const { state, evidenceDue, decideBy, extendedDays, closedAt } = appeal
  return [
    ...(evidenceDue === null ? [] : [{ term: say('请在此前补充', 'Hand in by'), text: writeTime(evidenceDue, language) }]),
    ...(state === 'filed' || state === 'under_review' ? [{ term: say('最迟裁定', 'Decided by'), text: `${writeTime(decideBy, language)}${extendedDays > 0 ? say(`（已延期 ${extendedDays} 天）`, ` (put off by ${extendedDays} days)`) : ''}` }] : []),
    ...(closedAt === null ? [] : [{ term: say('结束', 'Ended'), text: writeTime(closedAt, language) }]),
  ]
}

/** An appeal on the page of its decision: where it stands, and all that was said. */
export function appealSections({ appeal, entries, evidence }: WholeAppeal, language: Language): Section[] {
  const say = pick(language)
  const size = (bytes: number | null) => (bytes === null ? say('另行提交', 'handed over elsewhere') : `${Math.max(1, Math.round(bytes / 1024))} KB`)
  return [{
    heading: say('申诉', 'Appeal'),
    rows: [
      { term: say('申诉编号', 'Appeal'), text: appeal.id }, { term: say('状态', 'State'), text: word(STATES[appeal.state], language, appeal.state) }, ...clockRows(appeal, language),
      ...(appeal.outcomeDecision === null ? [] : [{ term: say('取代的决定', 'In its place'), text: appeal.outcomeDecision }]),
    ],
  }, {
    heading: say('申诉经过', 'What was said'),
    rows: entries.map(({ seq, kind, text, at, dueAt }) => ({
      term: `${word(ENTRIES[kind], language, kind)}\n${writeTime(at, language).slice(0, 16)}`,
      text: [
        ...(text === null || text === '' ? [] : [text]), ...(dueAt === null ? [] : [`${kind === 'asked' ? say('请在此前补充：', 'Hand in by ') : say('最迟裁定：', 'Decided by ')}${writeTime(dueAt, language)}`]),
        ...evidence.filter((item) => item.entry === seq).map((item) => `${say('材料', 'Document')} ${item.seq} · ${item.name} · ${size(item.bytes)}\nSHA-256 ${item.sha256}${item.note === '' ? '' : `\n${item.note}`}`),
      ].join('\n') || '–',
    })),
  }]
}
