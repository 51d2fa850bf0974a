import { isReasonCode, reasonOf } from '../../../protocol/reasons.ts'
import type { Lasting, Letter, LetterContext } from './model.ts'
import { pick, writeTime } from './words.ts'

/** A docking that met the same condition for minutes: a limit that its software runs into, most of all. */
export function conditionLetter({ code, since, until, count }: Lasting, { language, docking, publicUrl }: LetterContext): Letter {
  const say = pick(language)
  const reason = isReasonCode(code) ? reasonOf(code).title[language === 'zh-CN' ? 'zh' : 'en'] : code
  return {
    language,
    title: say(`对接“${docking}”持续遇到：${reason}`, `${docking} keeps meeting this: ${reason}`),
    standing: null,
    lead: [
      say('部分请求被暂时拒绝，未入账、未扣款，稍后原样重发即可。', 'Some requests were turned away for the moment: nothing was booked or charged, and the same request may be sent again.'),
      say('这是技术原因，不是处理决定。若一直如此，请让程序放慢请求，或联系主站调整上限。', 'This is technical and no decision about you. If it goes on, let your software ask more slowly, or ask the main site for another limit.'),
    ],
    short: say(`技术：${code} 持续出现`, `Technical: ${code} lasts`),
    sections: [{
      heading: say('情况', 'What was seen'),
      rows: [
        { term: say('对接', 'Docking'), text: docking }, { term: say('原因', 'Reason'), text: `${reason} · ${code}`, href: `${publicUrl}/reasons/${code}` },
        { term: say('自', 'Since'), text: writeTime(since, language) }, { term: say('最近一次', 'Last'), text: writeTime(until, language) }, { term: say('次数', 'Times'), text: String(count) },
      ],
    }],
  }
}

/** The hub's own database is away, or back again; told to the main site's people past every table. */
export function outageLetter(kind: 'storage_away' | 'storage_back', { sinceMs, untilMs }: { sinceMs: number; untilMs: number }, { language, publicUrl }: LetterContext): Letter {
  const say = pick(language)
  const away = kind === 'storage_away'
  return {
    language,
    title: away ? say('主站数据库持续不可用', 'The database of the main site cannot be reached') : say('主站数据库已恢复', 'The database of the main site is back'),
    standing: away ? { text: say('故障中', 'Away'), tone: 'held' } : { text: say('已恢复', 'Back'), tone: 'over' },
    lead: [away
      ? say('下单、查询均被拒绝（platform.storage_unavailable），未入账的请求不会扣款。请检查数据库进程、磁盘与网络。', 'Orders and look-ups are refused (platform.storage_unavailable); nothing that was not booked is charged. Look at the database process, the disk and the network.')
      : say('下单与查询已恢复正常；故障期间未发出的通知将陆续发出。', 'Orders and look-ups go on; notices that waited are sent now.')],
    short: away ? say('技术：platform.storage_unavailable 主站数据库不可用', 'Technical: platform.storage_unavailable, database away') : say('技术：主站数据库已恢复', 'Technical: the database is back'),
    sections: [{
      heading: say('情况', 'What was seen'),
      rows: [
        { term: say('自', 'Since'), text: writeTime(new Date(sinceMs), language) }, { term: away ? say('截至', 'As of') : say('恢复', 'Back'), text: writeTime(new Date(untilMs), language) },
        { term: say('主站', 'Main site'), text: publicUrl },
      ],
    }],
  }
}
