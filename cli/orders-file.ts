import { extname } from 'node:path'
import { WrongUsage } from './command.ts'
import { readCsv } from './csv.ts'
import type { Words } from './screen.ts'

/** One order of a file under the number of its line; `problem` when the line cannot be read as an order at all. */
export type OrderRow = { line: number; order: Record<string, unknown> | null; problem: Words | null }

const NEEDED = ['reference', 'good', 'quantity']
const COLUMNS = [...NEEDED, 'maxUnitPrice', 'member', 'race', 'option']

/** Reads orders from .csv with a header, or from .ndjson (and stdin) with one a line. Nothing of the file is held but a line. */
export function readOrdersFile(file: string, text: AsyncIterable<string>): AsyncGenerator<OrderRow> {
  switch (file === '-' ? '.ndjson' : extname(file).toLowerCase()) {
    case '.csv': return fromCsv(file, text)
    case '.ndjson':
    case '.jsonl': return fromLines(text)
    default: throw new WrongUsage({ en: `${file} is neither .csv nor .ndjson.`, zh: `${file} 不是 .csv 或 .ndjson 文件。` })
  }
}

async function* fromCsv(file: string, text: AsyncIterable<string>): AsyncGenerator<OrderRow> {
  let header: string[] | null = null
  for await (const { line, fields, problem } of readCsv(text)) {
    if (!header) header = readHeader(file, fields)
    else if (problem) yield { line, order: null, problem }
    else if (fields.length !== header.length) {
      yield { line, order: null, problem: { en: `${fields.length} columns; the header has ${header.length}`, zh: `有 ${fields.length} 列，表头为 ${header.length} 列` } }
    } else {
      yield readCells(line, header, fields)
    }
  }
}

function readCells(line: number, header: readonly string[], fields: readonly string[]): OrderRow {
  const order: Record<string, unknown> = {}
  for (const [i, name] of header.entries()) {
    const cell = fields[i]!.trim()
    if (cell === '' && !NEEDED.includes(name)) continue
    if (name === 'option') {
      const pairs = cell.split(/[;；]/).filter((pair) => pair.trim() !== '').map((pair) => /^([^=]+)=(.+)$/.exec(pair))
      if (pairs.includes(null)) return { line, order: null, problem: { en: `option is written group=name;group=name, not "${cell}"`, zh: `option 须写成 组=项;组=项，不能是“${cell}”` } }
      order.options = Object.fromEntries(pairs.map((pair) => [pair![1]!.trim(), pair![2]!.trim()]))
    } else order[name] = name === 'quantity' && /^\d{1,9}$/.test(cell) ? Number(cell) : cell
  }
  return { line, order, problem: null }
}

function readHeader(file: string, fields: readonly string[]): string[] {
  const header = fields.map((field) => COLUMNS.find((column) => column.toLowerCase() === field.trim().toLowerCase()) ?? field.trim())
  const isFit = NEEDED.every((name) => header.includes(name)) && header.every((name, i) => COLUMNS.includes(name) && header.indexOf(name) === i)
  if (isFit) return header
  const columns = `${NEEDED.join(',')}[,${COLUMNS.slice(NEEDED.length).join(',')}]`
  throw new WrongUsage({
    en: `The header of ${file} does not fit: columns are ${columns}.`, zh: `${file} 的表头不符：列名为 ${columns}。`,
  })
}

async function* fromLines(text: AsyncIterable<string>): AsyncGenerator<OrderRow> {
  let rest = ''
  let line = 0
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const content of lines) yield* readLine(++line, content)
  }
  yield* readLine(++line, rest)
}

function* readLine(line: number, content: string): Generator<OrderRow> {
  if (content.trim() === '') return
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (error) {
    const { message } = error as Error
    return yield { line, order: null, problem: { en: `not JSON: ${message}`, zh: `不是 JSON：${message}` } }
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) yield { line, order: value as Record<string, unknown>, problem: null }
  else yield { line, order: null, problem: { en: 'not a JSON object', zh: '不是 JSON 对象' } }
}
