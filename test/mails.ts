import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A letter of the local outbox as a mail program reads it. */
export type ReadMail = { raw: string; to: string; subject: string; messageId: string; headers: Map<string, string>; text: string; html: string; link: string; token: string }

/** The letters in a hub's outbox, oldest first. */
export function readMails(dataDir: string): ReadMail[] {
  const folder = join(dataDir, 'outbox')
  if (!existsSync(folder)) return []
  return readdirSync(folder).filter((name) => name.endsWith('.eml')).toSorted().map((name) => readMail(readFileSync(join(folder, name), 'utf8')))
}

function readMail(raw: string): ReadMail {
  const { headers, body } = readPart(raw)
  const boundary = /boundary="([^"]+)"/.exec(headers.get('content-type') ?? '')![1]!
  const parts = body.split(`--${boundary}`).slice(1, -1).map((part) => readPart(part.replace(/^\r\n/, '')))
  const content = (type: string) => {
    const part = parts.find(({ headers }) => headers.get('content-type') === `text/${type}; charset=utf-8`)!
    return part.headers.get('content-transfer-encoding') === 'base64' ? Buffer.from(part.body, 'base64').toString('utf8') : part.body
  }
  const text = content('plain')
  const link = /^https?:\/\/\S+\/n\/\S+$/m.exec(text.replaceAll('\r', ''))![0]
  return {
    raw, headers, to: headers.get('to')!, subject: decodeWords(headers.get('subject')!), messageId: headers.get('message-id')!, text, html: content('html'), link, token: link.slice(link.lastIndexOf('/') + 1),
  }
}

function readPart(raw: string): { headers: Map<string, string>; body: string } {
  const end = raw.indexOf('\r\n\r\n')
  const lines = raw.slice(0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n')
  return { headers: new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()])), body: raw.slice(end + 4) }
}

/** RFC 2047: the blank between two encoded words is no part of the text. */
function decodeWords(text: string): string {
  return text.replace(/\?= +=\?/g, '?==?').replace(/=\?UTF-8\?B\?([^?]*)\?=/g, (_, base64: string) => Buffer.from(base64, 'base64').toString('utf8'))
}
