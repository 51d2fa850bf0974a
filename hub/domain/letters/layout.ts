import { escapeHtml } from '../../kernel/html.ts'
import type { Envelope, Letter, Row, Section } from './model.ts'

const WIDTH = 76

/** The letter as plain text, broken so that old mail programs show it whole; a link is never broken. */
export function writeText(letter: Letter, envelope: Envelope): string {
  const rows = letter.sections.flatMap(({ heading, rows }) => ['', `== ${heading} ==`, ...rows.flatMap((row) => wrap(`${row.term}: ${row.text.replaceAll('\n', ' ')}${row.href && row.href !== row.text ? ` <${row.href}>` : ''}`))])
  return [...wrap(letter.title), '', ...letter.lead.flatMap(wrap), ...rows, '', `${envelope.linkText}:`, envelope.link, '', '--', ...envelope.footer.flatMap(wrap), ''].join('\n')
}

/** What a Chinese line never begins with; it hangs over the end of the one before. */
const NO_BEGINNING = /^[，。、；：？！）”》」]/

/** Breaks at blanks, and Han text anywhere; what holds neither stays whole. */
function wrap(text: string): string[] {
  const lines: string[] = []
  let line = ''
  let columns = 0
  for (const [piece] of text.matchAll(/\p{Script=Han}|[\u3000-\u303f\uff00-\uffef]|[^\s\p{Script=Han}\u3000-\u303f\uff00-\uffef]+|\s+/gu)) {
    const width = piece.charCodeAt(0) > 0x2e7f ? 2 : piece.length
    if (columns + width > WIDTH && line.trim() !== '' && !NO_BEGINNING.test(piece)) {
      lines.push(line.trimEnd())
      line = ''
      columns = 0
    }
    if (line === '' && piece.trim() === '') continue
    line += piece
    columns += width
  }
  return [...lines, line.trimEnd()]
}

const FONT = 'font:16px/1.6 system-ui,-apple-system,&quot;PingFang SC&quot;,&quot;Microsoft YaHei&quot;,sans-serif;color:#1c2733'

/** The letter as the HTML of a mail: style beside each element, nothing loaded from anywhere. */
export function writeMailHtml(letter: Letter, envelope: Envelope): string {
  const cell = (row: Row) => `<tr>\n<td style="padding:6px 16px 6px 0;color:#5b6b7a;vertical-align:top;white-space:nowrap">${escapeHtml(row.term)}</td>\n<td style="padding:6px 0;vertical-align:top">${textOf(row)}</td>\n</tr>`
  return [
    `<!doctype html>\n<html lang="${letter.language}"><head><meta charset="utf-8"><title>${escapeHtml(letter.title)}</title></head>`,
    `<body style="margin:0;padding:24px;background:#fff;${FONT}"><div style="max-width:640px;margin:0 auto">`,
    `<h1 style="font-size:20px;line-height:1.4;margin:0 0 12px">${escapeHtml(letter.title)}</h1>`,
    ...letter.lead.map((line) => `<p style="margin:0 0 12px">${escapeHtml(line)}</p>`),
    `<p style="margin:20px 0"><a href="${escapeHtml(envelope.link)}" style="display:inline-block;padding:10px 18px;background:#0b6e8f;color:#fff;text-decoration:none;border-radius:6px">${escapeHtml(envelope.linkText)}</a></p>`,
    ...letter.sections.flatMap(({ heading, rows }) => [`<h2 style="font-size:16px;margin:24px 0 6px;color:#0b6e8f">${escapeHtml(heading)}</h2>`, `<table style="border-collapse:collapse;${FONT};font-size:15px">`, ...rows.map(cell), '</table>']),
    `<p style="margin:28px 0 0;padding-top:12px;border-top:1px solid #dfe7ec;color:#5b6b7a;font-size:13px">${envelope.footer.map(escapeHtml).join('<br>\n')}</p>`,
    '</div></body></html>', '',
  ].join('\n')
}

/** The letter as the inside of a page, whose style is the page's: what it is about, and apart from that its sections. */
export function writePageHtml(letter: Letter): { head: string; body: string } {
  const head = [
    letter.standing === null ? '' : `<p class="standing ${letter.standing.tone}">${escapeHtml(letter.standing.text)}</p>`,
    `<h1>${escapeHtml(letter.title)}</h1>`, ...letter.lead.map((line) => `<p class="lead">${escapeHtml(line)}</p>`),
  ].join('\n')
  return { head, body: writeSections(letter.sections) }
}

export function writeSections(sections: readonly Section[]): string {
  const row = (one: Row) => `<div><dt>${escapeHtml(one.term).replaceAll('\n', '<br>\n')}</dt><dd>${textOf(one)}</dd></div>`
  return sections.map(({ heading, rows }) => `<section><h2>${escapeHtml(heading)}</h2><dl>${rows.map(row).join('\n')}</dl></section>`).join('\n')
}

function textOf({ text, href }: Row): string {
  const shown = escapeHtml(text).replaceAll('\n', '<br>\n')
  return href === undefined ? shown : `<a href="${escapeHtml(href)}" rel="noreferrer">${shown}</a>`
}

/** What group robots read of a message; more is cut there in the middle of a letter. */
const MARKDOWN_BYTES = 3_800

/** The letter as the markdown that group robots take: its title, its lead and, as far as there is room, its rows; the link always. */
export function writeMarkdown(letter: Letter, envelope: Envelope): string {
  const lines = [`**${plain(letter.title)}**`, ...letter.lead.map(plain), ...letter.sections.flatMap(({ rows }) => rows.map((row) => `> ${plain(row.term)}: ${plain(row.text)}`))]
  const link = `[${envelope.linkText}](${envelope.link})`
  let text = ''
  for (const line of lines) {
    if (Buffer.byteLength(`${text}${line}\n\n${link}`) > MARKDOWN_BYTES) break
    text += `${line}\n\n`
  }
  return text + link
}

/** The letter as a short message: what it is about in one line, and the link. */
export function writeShort(letter: Letter, { link }: Envelope): string {
  return `${letter.short} ${link}`
}

const WIDE: Readonly<Record<string, string>> = { '<': '＜', '>': '＞', '[': '［', ']': '］', '(': '（', ')': '）', '*': '＊', '`': '＇', '#': '＃', '@': '＠', '~': '～', '|': '｜', '!': '！' }

/** What a person typed makes no link, calls nobody and colours nothing: robots know no way to escape a mark. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[<>[\]()*`#@~|!]/g, (mark) => WIDE[mark]!)
}
