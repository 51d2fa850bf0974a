import { WrongUsage } from './command.ts'
import { readCsv } from './csv.ts'
import type { Words } from './screen.ts'

/** One price of a file under the number of its line; `problem` when the line cannot be read as one at all. */
export type PriceRow = { line: number; price: { code: string; price: string } | null; problem: Words | null }

/** Reads prices from CSV with a header that names at least code and price; other columns, such as a name, are passed over. */
export async function* readPricesFile(file: string, text: AsyncIterable<string>): AsyncGenerator<PriceRow> {
  let columns: { code: number; price: number; count: number } | null = null
  for await (const { line, fields, problem } of readCsv(text)) {
    if (!columns) columns = readHeader(file, fields)
    else if (problem) yield { line, price: null, problem }
    else if (fields.length !== columns.count) {
      yield { line, price: null, problem: { en: `${fields.length} columns; the header has ${columns.count}`, zh: `有 ${fields.length} 列，表头为 ${columns.count} 列` } }
    } else yield { line, price: { code: fields[columns.code]!.trim(), price: fields[columns.price]!.trim() }, problem: null }
  }
  if (!columns) throw new WrongUsage({ en: `${file} is empty: its first line is the header code,price.`, zh: `${file} 为空：首行应为表头 code,price。` })
}

const CODE = new Set(['code', '编码', '商品编码'])
const PRICE = new Set(['price', 'unitprice', '价格', '单价'])

function readHeader(file: string, fields: readonly string[]): { code: number; price: number; count: number } {
  const names = fields.map((field) => field.trim().toLowerCase())
  const code = names.findIndex((name) => CODE.has(name))
  const price = names.findIndex((name) => PRICE.has(name))
  if (code >= 0 && price >= 0) return { code, price, count: fields.length }
  throw new WrongUsage({ en: `The header of ${file} must name the columns code and price.`, zh: `${file} 的表头须含 code 与 price 两列（也可写成 商品编码 与 价格）。` })
}
