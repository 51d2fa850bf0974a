import type { Client } from '../client.ts'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { findDocking } from './docking.ts'

type ContactView = { id: string; channel: string; address: string; language: string; kinds: string[]; setBy: string; createdAt: string }

/** The word that stands for the main site itself where a docking is asked for. */
const MAIN_SITE = 'operator'
const KINDS = ['decisions', 'funds', 'stock']

export const whoseOperand = { name: 'WHOSE', what: { en: `A docking by id or name; "${MAIN_SITE}" is the main site itself.`, zh: `对接的编号或名称；“${MAIN_SITE}”表示主站自身。` } }

/** The address under which the contacts and alerts of a docking, or of the main site, are kept. */
export async function pathOf(client: Client, typed: string): Promise<{ ok: true; path: string } | Exclude<Awaited<ReturnType<typeof findDocking>>, { ok: true }>> {
  if (typed === MAIN_SITE) return { ok: true, path: '/operator/main-site' }
  const docking = await findDocking(client, typed)
  return docking.ok ? { ok: true, path: `/operator/dockings/${encodeURIComponent(docking.id)}` } : docking
}

export const addContact: Command = {
  name: 'contact add',
  who: 'operator',
  summary: { en: 'Name a person who is told of decisions, low deposits or low stock', zh: '登记联系人：接收处理决定、余额与库存提醒' },
  operands: [whoseOperand, { name: 'ADDRESS', what: { en: 'An e-mail address.', zh: '邮箱地址。' } }],
  options: [
    { name: 'language', value: 'LANGUAGE', oneOf: ['zh-CN', 'en'], what: { en: 'In which the person is written to; default zh-CN.', zh: '通知语言，默认 zh-CN。' } },
    { name: 'kinds', value: 'KINDS', isMany: true, what: { en: `What the person is told: ${KINDS.join(', ')}; several by comma. Default decisions,funds; for the main site stock.`, zh: `接收内容：${KINDS.join('、')}，多个用逗号分隔；默认 decisions,funds，主站默认 stock。` } },
  ],
  teaches: [
    { en: 'Every letter has a link that opens without a docking or a key. Who is added while measures stand is told of them. The same address again changes language and kinds.', zh: '每封通知都带有无需登录即可打开的链接。登记时若有生效中的措施，会一并告知。同一地址再次登记则更新语言与内容。' },
    { en: 'Letters are files in DATA_DIR/outbox, to be taken from there by a mail program or a person.', zh: '通知以文件形式写入 DATA_DIR/outbox，由邮件程序或人工取走发送。' },
  ],
  examples: [
    { line: 'berth contact add shop-1 owner@shop.example --language zh-CN', what: { en: 'the owner of a shop whose software shows no messages', zh: '店铺软件不显示消息，直接通知店主' } },
    { line: 'berth contact add operator stock@main.example --language en', what: { en: 'whoever restocks at the main site', zh: '主站补货人员' } },
  ],
  run: async (asked) => {
    const [whose, address] = asked.operands as [string, string]
    const kinds = asked.all('kinds').flatMap((text) => text.split(',')).map(readKind)
    const client = operatorClient(asked)
    const at = await pathOf(client, whose)
    if (!at.ok) return refused(at.problem)
    const body = { channel: 'email', address, language: asked.option('language') ?? 'zh-CN', kinds: kinds.length > 0 ? kinds : whose === MAIN_SITE ? ['stock'] : ['decisions', 'funds'] }
    const added = await client.post<ContactView>(`${at.path}/contacts`, body)
    if (!added.ok) return refused(added.problem)
    const zh = asked.lang === 'zh'
    const { id, kinds: told } = added.body
    return done(added.body, zh ? `联系人 ${id}（${added.body.address}）将收到：${told.join('、')}` : `The contact ${id} (${added.body.address}) is told of ${told.join(', ')}`)
  },
}

function readKind(text: string): string {
  if (KINDS.includes(text)) return text
  throw new WrongUsage({ en: `--kinds "${text}" is none of ${KINDS.join(', ')}.`, zh: `--kinds “${text}”不在 ${KINDS.join('、')} 之内。` })
}

export const listContacts: Command = {
  name: 'contact list',
  who: 'operator',
  summary: { en: 'Who is told, with masked addresses', zh: '列出联系人（地址打码）' },
  operands: [whoseOperand],
  options: [],
  teaches: [{ en: 'People that the partner named by itself are listed too.', zh: '对接方自行登记的联系人也会列出。' }],
  examples: [{ line: 'berth contact list shop-1', what: { en: 'the people of a docking', zh: '某个对接的联系人' } }, { line: 'berth contact list operator', what: { en: 'those of the main site', zh: '主站自身的联系人' } }],
  run: async (asked) => {
    const client = operatorClient(asked)
    const at = await pathOf(client, asked.operands[0]!)
    if (!at.ok) return refused(at.problem)
    const list = await client.get<{ items: ContactView[] }>(`${at.path}/contacts`)
    return list.ok ? done(list.body, showContacts(list.body.items, asked.lang)) : refused(list.problem)
  },
}

function showContacts(contacts: readonly ContactView[], lang: Lang): string {
  const zh = lang === 'zh'
  if (contacts.length === 0) return zh ? '还没有联系人，用 berth contact add 登记。' : 'Nobody is told yet; berth contact add names somebody.'
  const head = zh ? ['编号', '地址', '语言', '内容', '登记方'] : ['id', 'address', 'language', 'told of', 'set by']
  return table([head, ...contacts.map((one) => [one.id, one.address, one.language, one.kinds.join(', '), one.setBy])], 0)
}

export const removeContact: Command = {
  name: 'contact remove',
  who: 'operator',
  summary: { en: 'Tell a person nothing more, and forget the address', zh: '移除联系人并抹去其地址' },
  operands: [{ name: 'CONTACT', what: { en: 'The id of the contact, ctc_….', zh: '联系人编号，ctc_…。' } }],
  options: [],
  teaches: [{ en: 'Links that the person was sent open nothing from now on, and letters that wait are dropped.', zh: '已发给该联系人的链接随即失效，等待发送的通知作废。' }],
  examples: [{ line: 'berth contact remove ctc_01jd…', what: { en: 'the person has left', zh: '该人员已离职' } }],
  run: async (asked) => {
    const removed = await operatorClient(asked).post<ContactView>(`/operator/contacts/${encodeURIComponent(asked.operands[0]!)}/remove`, {})
    if (!removed.ok) return refused(removed.problem)
    return done(removed.body, asked.lang === 'zh' ? `联系人 ${removed.body.id}（${removed.body.address}）已移除` : `The contact ${removed.body.id} (${removed.body.address}) is removed`)
  },
}
