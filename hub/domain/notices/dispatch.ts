import { writeMailHtml, writeMarkdown, writeShort, writeText, type Envelope, type Language, type Letter } from '../letters/index.ts'
import type { Contact } from './model.ts'
import type { Dispatch } from './ports.ts'

type Going = { id: string; contact: Contact; address: { to: string; secret: string | null }; link: string; isAboutDecision: boolean; publicUrl: string; at: Date }

/** A letter in every form that a channel may need, with its link and why the reader gets it. */
export function dispatchOf(letter: Letter, { id, contact, address, link, isAboutDecision, publicUrl, at }: Going): Dispatch {
  const host = new URL(publicUrl).hostname.replace(/[^A-Za-z0-9.-]/g, '') || 'localhost'
  const envelope = envelopeOf(link, isAboutDecision, letter.language, host)
  return {
    ...address, messageId: `<${id}@${host}>`, channel: contact.channel, masked: contact.masked, subject: letter.title, language: letter.language, at,
    text: writeText(letter, envelope), html: writeMailHtml(letter, envelope), markdown: writeMarkdown(letter, envelope), short: writeShort(letter, envelope),
  }
}

function envelopeOf(link: string, isAboutDecision: boolean, language: Language, host: string): Envelope {
  return language === 'zh-CN'
    ? {
        link, linkText: isAboutDecision ? '查看完整的处理说明与当前状态（无需登录）' : '查看当前状态（无需登录）',
        footer: [`您的地址已登记为主站 ${host} 的联系人，因此收到本通知。请勿转发：持有链接即可查看。`, '本站不会通过邮件索要密钥或密码。不想再收到，请联系主站运营人员移除。'],
      }
    : {
        link, linkText: isAboutDecision ? 'Read the whole statement and how it stands now (no sign-in)' : 'See how it stands now (no sign-in)',
        footer: [`You get this because your address is a contact at the main site ${host}. Do not pass it on: whoever has the link can read it.`, 'The main site never asks for a key or a password by mail. To get no more of these, ask its operator to remove you.'],
      }
}
