import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table } from '../screen.ts'

type Person = { name: string; roles: string[]; addedBy: string; addedAt: string; endedAt: string | null }

const ROLES = ['owner', 'operator', 'reviewer', 'compliance']
const nameOperand = { name: 'NAME', what: { en: 'Short and plain, such as li.wei; it stands in decisions for ever.', zh: '简短名称，如 li.wei；会永久留在处理决定中。' } }

export const addOperator: Command = {
  name: 'operator add',
  who: 'operator',
  summary: { en: 'Name a person who runs the main site, with a key of his or her own', zh: '添加运营人员，并发给其本人的密钥' },
  operands: [nameOperand],
  options: [{ name: 'role', value: 'ROLE', isRequired: true, isMany: true, what: { en: `What the person may do: ${ROLES.join(', ')}; several by comma.`, zh: `角色：${ROLES.join('、')}；多个用逗号分隔。` } }],
  teaches: [
    { en: 'owner names and ends others; operator does the daily work and decides; reviewer decides appeals, never those against an own decision; compliance works on cases that nobody else sees (berth help case).', zh: 'owner 管理运营人员；operator 负责日常运营与处理决定；reviewer 复核申诉，且不得复核本人作出的决定；compliance 负责他人不可见的合规案件（berth help case）。' },
    { en: 'The key is shown this once. The person sets BERTH_OPERATOR_KEY to it; whatever is done with it carries the name.', zh: '密钥仅显示一次，由本人设为 BERTH_OPERATOR_KEY；此后的操作都记在其名下。' },
  ],
  examples: [{ line: 'berth operator add li.wei --role reviewer', what: { en: 'a second person, who decides appeals', zh: '添加复核申诉的第二人' } }],
  run: async (asked) => {
    const roles = asked.all('role').flatMap((text) => text.split(',')).map(readRole)
    const added = await operatorClient(asked).post<Person & { key: string }>('/operator/operators', { name: asked.operands[0]!, roles })
    if (!added.ok) return refused(added.problem)
    const zh = asked.lang === 'zh'
    const { name, key } = added.body
    return done(added.body, [
      zh ? `已添加 ${name}（${added.body.roles.join('、')}）。密钥仅显示这一次：` : `${name} is named (${added.body.roles.join(', ')}). The key is shown this once:`,
      `  BERTH_OPERATOR_KEY=${key}`,
    ].join('\n'))
  },
}

function readRole(text: string): string {
  if (ROLES.includes(text)) return text
  throw new WrongUsage({ en: `--role "${text}" is none of ${ROLES.join(', ')}.`, zh: `--role “${text}”不在 ${ROLES.join('、')} 之内。` })
}

export const listOperators: Command = {
  name: 'operator list',
  who: 'operator',
  summary: { en: 'The persons who run the main site', zh: '列出运营人员' },
  operands: [],
  options: [],
  teaches: [{ en: 'Those who have ended are listed too: what they decided stays under their names.', zh: '已终止的人员同样列出，其作出的决定仍记在其名下。' }],
  examples: [{ line: 'berth operator list', what: { en: 'everybody, with roles', zh: '全部人员及角色' } }],
  run: async (asked) => {
    const list = await operatorClient(asked).get<{ items: Person[] }>('/operator/operators')
    if (!list.ok) return refused(list.problem)
    const head = asked.lang === 'zh' ? ['名称', '角色', '添加人', '添加时间', '终止时间'] : ['name', 'roles', 'added by', 'added', 'ended']
    return done(list.body, table([head, ...list.body.items.map((one) => [one.name, one.roles.join(', '), one.addedBy, one.addedAt, one.endedAt ?? '–'])], 0))
  },
}

export const endOperator: Command = {
  name: 'operator end',
  who: 'operator',
  summary: { en: 'End the key of a person', zh: '终止运营人员的密钥' },
  operands: [nameOperand],
  options: [],
  teaches: [{ en: 'It counts within 2 seconds. The name is never given again. The last owner cannot be ended.', zh: '2 秒内生效；名称不再分配；最后一位 owner 不能终止。' }],
  examples: [{ line: 'berth operator end li.wei', what: { en: 'the person left', zh: '人员离职' } }],
  run: async (asked) => {
    const ended = await operatorClient(asked).post<Person>(`/operator/operators/${encodeURIComponent(asked.operands[0]!)}/end`, {})
    if (!ended.ok) return refused(ended.problem)
    return done(ended.body, asked.lang === 'zh' ? `${ended.body.name} 的密钥已于 ${ended.body.endedAt} 终止` : `The key of ${ended.body.name} ended at ${ended.body.endedAt}`)
  },
}
