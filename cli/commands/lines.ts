import { table, type Lang, type Words } from '../screen.ts'

/** What was wrong with one line of a file; the rest of the file was imported or placed. */
export type LineError = { line: number; code: string; message: Words }

/** The screen shows no more lines of a file than these; --json has all. */
export const MOST_SHOWN = 20

/** The first lines that were left out, each with its number; '' when there are none. */
export function showLineErrors(errors: readonly LineError[], count: number, lang: Lang, what: 'imported' | 'placed' = 'imported'): string {
  if (count === 0) return ''
  const zh = lang === 'zh'
  const rows = errors.slice(0, MOST_SHOWN).map(({ line, code, message }) => [zh ? `第 ${line} 行` : `line ${line}`, code, message[lang]])
  const more = count - rows.length
  return [
    zh ? `有 ${count} 行${what === 'placed' ? '未下单' : '未导入'}：` : `${count} ${count === 1 ? 'line was' : 'lines were'} ${what === 'placed' ? 'not placed' : 'left out'}:`,
    table(rows),
    ...(more > 0 ? [zh ? `  另有 ${more} 行，用 --json 查看。` : `  and ${more} more; --json lists them.`] : []),
  ].join('\n')
}
