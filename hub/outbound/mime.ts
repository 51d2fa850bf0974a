import type { Dispatch } from '../domain/notices/ports.ts'

const LONGEST_LINE = 998
const WORD_BYTES = 45

/**
 * A letter as RFC 5322 with MIME: plain text and HTML in UTF-8, as they are wherever lines are short enough to travel so,
 * so that a person who opens the file can read it. Headers are ASCII; nothing that a person named can end one.
 */
export function writeMessage(mail: Dispatch, from: string): Buffer {
  const boundary = `=_${mail.messageId.replace(/[^A-Za-z0-9]/g, '').slice(0, 50)}`
  const headers = [
    ['Date', writeDate(mail.at)], ['From', oneLine(from)], ['To', oneLine(mail.to)], ['Subject', encodeHeader(mail.subject)], ['Message-ID', oneLine(mail.messageId)],
    ['Auto-Submitted', 'auto-generated'], ['Content-Language', oneLine(mail.language)], ['MIME-Version', '1.0'], ['Content-Type', `multipart/alternative;\r\n boundary="${boundary}"`],
  ]
  const lines = [...headers.map(([name, value]) => `${name}: ${value}`), '', ...partOf(boundary, 'plain', mail.text), ...partOf(boundary, 'html', mail.html), `--${boundary}--`, '']
  return Buffer.from(lines.join('\r\n'), 'utf8')
}

function partOf(boundary: string, kind: 'plain' | 'html', content: string): string[] {
  const lines = content.toWellFormed().split(/\r\n|\r|\n/)
  const short = lines.every((line) => Buffer.byteLength(line) <= LONGEST_LINE && !line.includes(boundary) && !line.includes('\0'))
  const body = short ? lines : Buffer.from(lines.join('\r\n'), 'utf8').toString('base64').match(/.{1,76}/g) ?? []
  return [`--${boundary}`, `Content-Type: text/${kind}; charset=utf-8`, `Content-Transfer-Encoding: ${short ? '8bit' : 'base64'}`, '', ...body]
}

/** RFC 2047: words of at most 75 characters, never cut inside a character. Short ASCII stays as it is. */
function encodeHeader(text: string): string {
  const line = oneLine(text.toWellFormed())
  if (/^[ -~]{0,70}$/.test(line) && !line.includes('=?')) return line
  const words: string[] = []
  let word = ''
  for (const character of line) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word].map((part) => `=?UTF-8?B?${Buffer.from(part, 'utf8').toString('base64')}?=`).join('\r\n ')
}

/** A header ends with its line, so no value may hold an end of a line or any other control character. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim()
}

function writeDate(at: Date): string {
  return at.toUTCString().replace('GMT', '+0000')
}
