import type { Client } from '../client.ts'
import { done, refused, WrongUsage, type Command } from '../command.ts'
import { operatorClient } from '../credentials.ts'
import { table, type Lang } from '../screen.ts'
import { readSmallFile } from '../text-file.ts'
import { findDocking } from './docking.ts'

type ContactView = { id: string; channel: string; address: string; language: string; kinds: string[]; setBy: string; createdAt: string }

/** The word that stands for the main site itself where a docking is asked for. */
const MAIN_SITE = 'operator'
const KINDS = ['decisions', 'funds', 'stock', 'keys', 'conditions', 'appeals']
const CHANNELS = ['email', 'sms', 'wecom', 'dingtalk']

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
  summary: { en: 'Name a person who is told of decisions, low deposits, keys that end and more', zh: '登记联系人：接收处理决定、余额、库存、密钥等通知' },
  operands: [whoseOperand, { name: 'ADDRESS', what: { en: 'An e-mail address or mobile number; of a group robot the file that holds its address, and below it the signing secret of a DingTalk robot.', zh: '邮箱或手机号；群机器人则为存有 Webhook 地址的文件，钉钉机器人的加签密钥写在第二行。' } }],
  options: [
    { name: 'channel', value: 'CHANNEL', oneOf: CHANNELS, what: { en: 'How the person is reached; default email. wecom and dingtalk are group robots.', zh: '通知渠道，默认 email；sms 为短信，wecom、dingtalk 为企业微信、钉钉群机器人。' } },
    { name: 'language', value: 'LANGUAGE', oneOf: ['zh-CN', 'en'], what: { en: 'In which the person is written to; default zh-CN.', zh: '通知语言，默认 zh-CN。' } },
    { name: 'kinds', value: 'KINDS', isMany: true, what: { en: `What the person is told: ${KINDS.join(', ')}; several by comma. Default decisions,funds,keys,conditions; for the main site stock,conditions,appeals.`, zh: `接收内容：${KINDS.join('、')}，多个用逗号分隔；默认 decisions,funds,keys,conditions，主站默认 stock,conditions,appeals。` } },
  ],
  teaches: [
    { en: 'Every letter has a link that opens without a docking or a key. Who is added while measures stand is told of them. The same address again changes language and kinds.', zh: '每封通知都带有无需登录即可打开的链接。登记时若有生效中的措施，会一并告知。同一地址再次登记则更新语言与内容。' },
    {
      en: 'Letters are files in DATA_DIR/outbox for 90 days, to be taken from there by a mail program or a person. Robots and the gateway for short messages are called by the hub itself where NOTICE_WIRE names them (wecom,dingtalk,sms; with SMS_GATEWAY_URL and SMS_GATEWAY_KEY).',
      zh: '通知以文件形式写入 DATA_DIR/outbox，保留 90 天，由邮件程序或人工取走发送。群机器人与短信网关在 NOTICE_WIRE 中列出后由主站直接调用（wecom,dingtalk,sms；短信另需 SMS_GATEWAY_URL 与 SMS_GATEWAY_KEY）。',
    },
    { en: 'The address of a robot is a secret with which anybody may write to the group: it is read from a file, kept sealed and shown masked.', zh: '机器人地址等同于口令，任何人凭它都能向群里发消息：从文件读取、加密保存、打码显示。' },
  ],
  examples: [
    { line: 'berth contact add shop-1 owner@shop.example --language zh-CN', what: { en: 'the owner of a shop whose software shows no messages', zh: '店铺软件不显示消息，直接通知店主' } },
    { line: 'berth contact add shop-1 13800138000 --channel sms', what: { en: 'by telephone: class, code and link', zh: '短信：类别、代码与链接' } },
    { line: 'berth contact add shop-1 robot.txt --channel dingtalk', what: { en: 'the group of a shop, by its robot', zh: '通过机器人通知店铺的钉钉群' } },
    { line: 'berth contact add operator stock@main.example --language en', what: { en: 'whoever restocks at the main site', zh: '主站补货人员' } },
  ],
  run: async (asked) => {
    const [whose, address] = asked.operands as [string, string]
    const kinds = asked.all('kinds').flatMap((text) => text.split(',')).map(readKind)
    const client = operatorClient(asked)
    const at = await pathOf(client, whose)
    if (!at.ok) return refused(at.problem)
    const channel = asked.option('channel') ?? 'email'
    const defaults = whose === MAIN_SITE ? ['stock', 'conditions', 'appeals'] : ['decisions', 'funds', 'keys', 'conditions']
    const body = { channel, ...readAddress(channel, address), language: asked.option('language') ?? 'zh-CN', kinds: kinds.length > 0 ? kinds : defaults }
    const added = await client.post<ContactView>(`${at.path}/contacts`, body)
    if (!added.ok) return refused(added.problem)
    const zh = asked.lang === 'zh'
    const { id, kinds: told } = added.body
    return done(added.body, zh ? `联系人 ${id}（${added.body.address}）将收到：${told.join('、')}` : `The contact ${id} (${added.body.address}) is told of ${told.join(', ')}`)
  },
}

/** The address of a robot stands in a file, so that it stands in no list of processes and no history of a shell. */
function readAddress(channel: string, typed: string): { address: string; secret?: string | undefined } {
  if (channel !== 'wecom' && channel !== 'dingtalk') return { address: typed }
  if (/^https?:/i.test(typed)) throw new WrongUsage({ en: "Write the robot's address into a file and give the file: on the command line others can read it.", zh: '请把机器人地址写入文件并给出文件名：命令行内容他人可见。' })
  const [address = '', secret] = readSmallFile(typed).split(/\r?\n/).map((line) => line.trim()).filter(Boolean)
  return { address, secret }
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
  const head = zh ? ['编号', '渠道', '地址', '语言', '内容', '登记方'] : ['id', 'channel', 'address', 'language', 'told of', 'set by']
  return table([head, ...contacts.map((one) => [one.id, one.channel, one.address, one.language, one.kinds.join(', '), one.setBy])], 0)
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
