import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'

type NoticeView = {
  id: string; docking: string | null; contact: string; address: string; kind: string; subject: string; state: string; attempts: number
  nextAt: string | null; lastError: string | null; createdAt: string; sentAt: string | null
}

const STATES = ['waiting', 'sent', 'failed', 'dropped']
const MOST_LISTED = 500

export const listNotices: Command = {
  name: 'notices list',
  who: 'operator',
  summary: { en: 'What people were told, newest first, and what did not leave', zh: '列出通知及其发送状态，最新的在前' },
  operands: [],
  options: [
    { name: 'state', value: 'STATE', oneOf: STATES, what: { en: 'Only those in this state.', zh: '只列此状态的通知。' } },
    { name: 'limit', value: 'N', what: { en: `At most so many; default 50, up to ${MOST_LISTED}.`, zh: `最多条数，默认 50，上限 ${MOST_LISTED}。` } },
  ],
  teaches: [{
    en: 'waiting: tried at the time shown, eleven times over four days. sent: handed to the mail port. failed: given up; "berth notices retry" begins anew. dropped: the contact was removed first.',
    zh: 'waiting 待发送，四天内最多尝试十一次；sent 已交付；failed 已放弃，可用 berth notices retry 重发；dropped 联系人已先被移除。',
  }],
  examples: [{ line: 'berth notices list', what: { en: 'the last fifty', zh: '最近五十条' } }, { line: 'berth notices list --state failed', what: { en: 'what never left, and why', zh: '未能发出的及原因' } }],
  run: async (asked) => {
    const limit = asked.option('limit') ?? '50'
    if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > MOST_LISTED) throw new WrongUsage({ en: `--limit is a whole number from 1 to ${MOST_LISTED}.`, zh: `--limit 为 1 至 ${MOST_LISTED} 的整数。` })
    const list = await operatorClient(asked).get<{ items: NoticeView[]; next: string | null }>('/operator/notices', { limit, state: asked.option('state') })
    if (!list.ok) return refused(list.problem)
    const zh = asked.lang === 'zh'
    const { items } = list.body
    if (items.length === 0) return done(list.body, zh ? '没有通知。' : 'Nobody was told anything.')
    const head = zh ? ['编号', '收件人', '内容', '关于', '状态', '次数', '时间', '最近错误'] : ['id', 'to', 'kind', 'about', 'state', 'attempts', 'at', 'last error']
    const at = (one: NoticeView) => one.sentAt ?? one.nextAt ?? one.createdAt
    return done(list.body, table([head, ...items.map((one) => [one.id, one.address, one.kind, one.subject, one.state, String(one.attempts), at(one), one.lastError ?? ''])], 0))
  },
}

export const retryNotice: Command = {
  name: 'notices retry',
  who: 'operator',
  summary: { en: 'Try a letter anew that was given up', zh: '重发已放弃的通知' },
  operands: [{ name: 'NOTICE', what: { en: 'The id of the notice, ntc_….', zh: '通知编号，ntc_…。' } }],
  options: [],
  teaches: [{ en: 'It has its eleven attempts again, the first one now, with the same link and the same Message-ID.', zh: '重新获得十一次尝试，首次立即进行；链接与 Message-ID 不变。' }],
  examples: [{ line: 'berth notices retry ntc_01jd…', what: { en: 'the mail server is back', zh: '邮件服务已恢复' } }],
  run: async (asked) => {
    const again = await operatorClient(asked).post<{ id: string; state: string }>(`/operator/notices/${encodeURIComponent(asked.operands[0]!)}/retry`, {})
    if (!again.ok) return refused(again.problem)
    return done(again.body, asked.lang === 'zh' ? `通知 ${again.body.id} 将重新发送` : `The notice ${again.body.id} is tried anew`)
  },
}
