import type { Static } from '../../protocol/schema.ts'
import type { RequestPage, RequestView } from '../../protocol/messages.ts'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { partnerClient } from '../credentials.ts'
import { nameOf, table, type Lang } from '../screen.ts'
import { dockingOption } from './partner.ts'

type Request = Static<typeof RequestView>

export const listRequests: Command = {
  name: 'requests',
  who: 'partner',
  summary: { en: 'The last requests of this docking, and what they were answered', zh: '本对接最近的请求及其应答' },
  operands: [],
  options: [
    { name: 'id', value: 'REQUEST', what: { en: 'One request by the requestId of its answer.', zh: '按应答中的 requestId 查看单个请求。' } },
    { name: 'limit', value: 'N', what: { en: 'How many, 1 to 100; the default is 20.', zh: '条数，1 至 100，默认 20。' } },
    dockingOption,
  ],
  teaches: [{
    en: 'The hub keeps the newest requests of each docking in memory since it started. Bodies are not kept: only the names of their fields, and the values that say what was asked.',
    zh: '主站在内存中保留每个对接自启动以来最近的请求。不保存正文，只保留字段名与说明所求内容的取值。',
  }],
  examples: [
    { line: 'berth requests', what: { en: 'the newest', zh: '最近的请求' } },
    { line: 'berth requests --id req_01jd…', what: { en: 'the one that a refusal names', zh: '拒绝应答中提到的请求' } },
    { line: "berth requests --limit 100 --json | jq '.items[] | select(.status >= 400)'", what: { en: 'those that were refused', zh: '只看被拒绝的' } },
  ],
  run: async (asked) => {
    const limit = asked.option('limit') ?? '20'
    if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > 100) throw new WrongUsage({ en: '--limit is a whole number from 1 to 100.', zh: '--limit 为 1 至 100 的整数。' })
    const client = partnerClient(asked)
    const id = asked.option('id')
    if (id !== undefined) {
      const one = await client.get<Request>(`/api/requests/${encodeURIComponent(id)}`)
      return one.ok ? done(one.body, showOne(one.body, asked.lang)) : refused(one.problem)
    }
    const page = await client.get<Static<typeof RequestPage>>('/api/requests', { limit })
    if (!page.ok) return refused(page.problem)
    const zh = asked.lang === 'zh'
    const head = zh ? ['时间', '编号', '请求', '状态', '代码', '毫秒'] : ['time', 'id', 'request', 'status', 'code', 'ms']
    const rows = page.body.items.map((one) => [one.at, one.id, `${one.method} ${one.path}`, String(one.status), one.code ?? '', one.durationMs.toFixed(1)])
    return done(page.body, rows.length > 0 ? table([head, ...rows], 0) : zh ? `自 ${page.body.since} 起没有请求。` : `No request since ${page.body.since}.`)
  },
}

function showOne(one: Request, lang: Lang): string {
  const zh = lang === 'zh'
  return table([
    [zh ? '编号' : 'id', one.id], [zh ? '时间' : 'time', one.at], [zh ? '请求' : 'request', `${one.method} ${one.path}`], [zh ? '状态' : 'status', String(one.status)],
    ...(one.code === null ? [] : [[zh ? '代码' : 'code', `${one.code} (${nameOf(one.class!, lang)})`]]),
    [zh ? '毫秒' : 'ms', String(one.durationMs)], [zh ? '密钥' : 'key', one.key], [zh ? '来源' : 'from', one.addressPrefix],
    [zh ? '字节' : 'bytes', `${one.bytesIn} → ${one.bytesOut}`],
    ...Object.entries(one.fields).map(([name, value]) => [`· ${name}`, String(value)]),
  ], 0)
}
