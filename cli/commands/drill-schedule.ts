import type { DrillSchedule } from '../../protocol/drills.ts'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'
import { kindOperand, readKind } from './drill.ts'

const sandboxOperand = { name: 'DOCKING', what: { en: 'The id of a sandbox docking, dck_….', zh: '沙箱对接编号，dck_…。' } }

export const scheduleDrill: Command = {
  name: 'drill schedule',
  who: 'operator',
  summary: { en: 'Have a sandbox rehearse again and again', zh: '安排沙箱定期演练' },
  operands: [sandboxOperand, kindOperand],
  options: [
    { name: 'every', value: 'DAYS', isRequired: true, what: { en: 'Such as 30d; 1 to 365 days.', zh: '如 30d；1 至 365 天。' } },
    { name: 'first', value: 'TIME', what: { en: 'When it begins first, in RFC 3339; otherwise after that many days.', zh: '首次时间（RFC 3339）；不填则从该天数之后开始。' } },
  ],
  teaches: [{ en: 'It is planned a day before it begins, as a fact of the docking; where no platform comes within five minutes it is abandoned, without a score.', zh: '开始前一天会记入对接的事实；若五分钟内没有平台参加即放弃，不计分。' }],
  examples: [{ line: 'berth drill schedule dck_01jd… outage --every 30d', what: { en: 'once a month', zh: '每月一次' } }],
  run: async (asked) => {
    const days = /^([1-9]\d{0,2})d?$/.exec(asked.needed('every'))?.[1]
    if (days === undefined || Number(days) > 365) throw new WrongUsage({ en: '--every is a number of days from 1 to 365, such as 30d.', zh: '--every 为 1 至 365 的天数，如 30d。' })
    const [docking, kind] = asked.operands
    const set = await operatorClient(asked).post<DrillSchedule>(`/operator/dockings/${encodeURIComponent(docking!)}/drills/schedule`, { kind: readKind(kind!), everyDays: Number(days), firstAt: asked.option('first') })
    if (!set.ok) return refused(set.problem)
    return done(set.body, asked.lang === 'zh' ? `${set.body.kind}：每 ${set.body.everyDays} 天，首次 ${set.body.nextAt}` : `${set.body.kind} every ${set.body.everyDays} days, first at ${set.body.nextAt}`)
  },
}

export const listSchedules: Command = {
  name: 'drill schedules',
  who: 'operator',
  summary: { en: 'What is rehearsed again and again', zh: '列出定期演练' },
  operands: [],
  options: [],
  teaches: [],
  examples: [{ line: 'berth drill schedules', what: { en: 'the next one first', zh: '最近的在前' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: DrillSchedule[] }>('/operator/drill-schedules')
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const head = zh ? ['对接', '种类', '间隔（天）', '下次', '设置人'] : ['docking', 'kind', 'days', 'next', 'set by']
    return done(list.body, table([head, ...list.body.items.map((one) => [one.docking, one.kind, String(one.everyDays), one.nextAt, one.setBy])], 0))
  },
}

export const endSchedule: Command = {
  name: 'drill unschedule',
  who: 'operator',
  summary: { en: 'Have a sandbox rehearse a kind no more', zh: '取消定期演练' },
  operands: [sandboxOperand, kindOperand],
  options: [],
  teaches: [],
  examples: [{ line: 'berth drill unschedule dck_01jd… outage', what: { en: 'no more', zh: '不再安排' } }],
  run: async (asked) => {
    const [docking, kind] = asked.operands
    const ended = await operatorClient(asked).post<{ ended: boolean }>(`/operator/dockings/${encodeURIComponent(docking!)}/drills/schedule/end`, { kind: readKind(kind!) })
    if (!ended.ok) return refused(ended.problem)
    const zh = asked.lang === 'zh'
    return done(ended.body, ended.body.ended ? (zh ? '已取消' : 'It is rehearsed no more') : zh ? '原本没有安排' : 'It was not scheduled')
  },
}
