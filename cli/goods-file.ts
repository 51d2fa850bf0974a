import { extname } from 'node:path'
import { WrongUsage } from './command.ts'
import { readCsv } from './csv.ts'
import type { Words } from './screen.ts'

/** One good of a file under the number of its line; `problem` when the line cannot be read as a good at all. */
export type GoodRow = { line: number; good: Record<string, unknown> | null; problem: Words | null }

const NEEDED = ['code', 'name', 'category', 'unitPrice']
const COLUMNS = [...NEEDED, 'description', 'minimum', 'maximum', 'onSale', 'cost', 'delivery']

/** Reads goods from .csv with a header, .json (an array) or .ndjson (one a line), chosen by the name of the file. */
export function readGoodsFile(file: string, text: AsyncIterable<string>): AsyncGenerator<GoodRow> {
  switch (extname(file).toLowerCase()) {
    case '.csv': return fromCsv(file, text)
    case '.json': return fromJson(file, text)
    case '.ndjson':
    case '.jsonl': return fromLines(text)
    default: throw new WrongUsage({ en: `${file} is neither .csv nor .json nor .ndjson.`, zh: `${file} 不是 .csv、.json 或 .ndjson 文件。` })
  }
}

async function* fromCsv(file: string, text: AsyncIterable<string>): AsyncGenerator<GoodRow> {
  let header: string[] | null = null
  for await (const { line, fields, problem } of readCsv(text)) {
    if (!header) header = readHeader(file, fields)
    else if (problem) yield { line, good: null, problem }
    else if (fields.length !== header.length) {
      yield { line, good: null, problem: { en: `${fields.length} columns; the header has ${header.length}`, zh: `有 ${fields.length} 列，表头为 ${header.length} 列` } }
    } else yield { line, good: readFields(header, fields), problem: null }
  }
  if (!header) throw new WrongUsage({ en: `${file} is empty: its first line is the header ${COLUMNS.join(',')}.`, zh: `${file} 为空：首行应为表头 ${COLUMNS.join(',')}。` })
}

function readHeader(file: string, fields: readonly string[]): string[] {
  const header = fields.map((field) => COLUMNS.find((column) => column.toLowerCase() === field.trim().toLowerCase()) ?? field.trim())
  const unknown = header.filter((name) => !COLUMNS.includes(name))
  const missing = NEEDED.filter((name) => !header.includes(name))
  const doubled = header.filter((name, i) => header.indexOf(name) !== i)
  if (unknown.length + missing.length + doubled.length > 0) {
    const list = (names: string[]) => (names.length > 0 ? names.join(', ') : '–')
    throw new WrongUsage({
      en: `The header of ${file} does not fit: missing ${list(missing)}; unknown ${list(unknown)}; twice ${list(doubled)}. Columns are ${NEEDED.join(',')}[,description,minimum,maximum,onSale,cost,delivery].`,
      zh: `${file} 的表头不符：缺少 ${list(missing)}；未知 ${list(unknown)}；重复 ${list(doubled)}。列名为 ${NEEDED.join(',')}[,description,minimum,maximum,onSale,cost,delivery]。`,
    })
  }
  return header
}

/** Cells as the hub's own kinds of value; what cannot be one stays text, and the hub says what it expects. */
function readFields(header: readonly string[], fields: readonly string[]): Record<string, unknown> {
  const good: Record<string, unknown> = {}
  header.forEach((name, i) => {
    const text = fields[i]!.trim()
    if (text === '' && !NEEDED.includes(name)) return
    if (name === 'minimum' || name === 'maximum') good[name] = /^\d{1,9}$/.test(text) ? Number(text) : text
    else if (name === 'onSale') good[name] = YES.has(text.toLowerCase()) ? true : NO.has(text.toLowerCase()) ? false : text
    else good[name] = text
  })
  return good
}

const YES = new Set(['true', 'yes', '1', '是'])
const NO = new Set(['false', 'no', '0', '否'])

async function* fromLines(text: AsyncIterable<string>): AsyncGenerator<GoodRow> {
  let line = 0
  for await (const content of linesOf(text)) {
    line++
    if (content.trim() !== '') yield readElement(line, content)
  }
}

async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    yield* lines
  }
  yield rest
}

function readElement(line: number, content: string): GoodRow {
  try {
    return asRow(line, JSON.parse(content))
  } catch (error) {
    const problem = (error as Error).message
    return { line, good: null, problem: { en: `not JSON: ${problem}`, zh: `不是 JSON：${problem}` } }
  }
}

function asRow(line: number, value: unknown): GoodRow {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { line, good: value as Record<string, unknown>, problem: null }
  return { line, good: null, problem: { en: 'not a JSON object', zh: '不是 JSON 对象' } }
}

async function* fromJson(file: string, text: AsyncIterable<string>): AsyncGenerator<GoodRow> {
  let whole = ''
  for await (const chunk of text) whole += chunk
  let value: unknown
  try {
    value = JSON.parse(whole)
  } catch (error) {
    const { message } = error as Error
    throw new WrongUsage({ en: `${file} is not JSON: ${message}`, zh: `${file} 不是 JSON：${message}` })
  }
  if (!Array.isArray(value)) throw new WrongUsage({ en: `${file} must be a JSON array of goods; one a line is .ndjson.`, zh: `${file} 应为商品的 JSON 数组；每行一个请用 .ndjson。` })
  const lines = elementLines(whole)
  for (const [i, element] of value.entries()) yield asRow(lines[i]!, element)
}

/** The line on which each element of a JSON array begins. The text has been parsed before, so it is well formed. */
function elementLines(text: string): number[] {
  const lines: number[] = []
  let line = 1
  let depth = 0
  let isWaiting = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\n') line++
    if (/\s/.test(character)) continue
    if (isWaiting && depth === 1 && character !== ']') {
      lines.push(line)
      isWaiting = false
    }
    if (character === '"') {
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++
    } else if (character === '[' || character === '{') {
      if (++depth === 1) isWaiting = true
    } else if (character === ']' || character === '}') depth--
    else if (character === ',' && depth === 1) isWaiting = true
  }
  return lines
}
