import { createHash } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseAmount } from '../../protocol/money.ts'
import { readCsv } from '../csv.ts'
import { WrongUsage } from '../problem.ts'
import { readText } from '../text-file.ts'
import type { OldCard, OldGood, OldOrder, OldPartner, OldPrice, OldSite, OldTables } from './old-site.ts'

/** The files of a folder, the columns that each must have, and those that it may have. */
const FILES = {
  'partners.csv': { needed: ['member', 'name', 'appKey', 'balance'], optional: ['suspended'] },
  'goods.csv': { needed: ['code', 'name', 'category', 'unitPrice'], optional: ['description', 'minimum', 'maximum', 'onSale'] },
  'prices.csv': { needed: ['member', 'good', 'unitPrice'], optional: [] },
  'cards.csv': { needed: ['good', 'card'], optional: ['race', 'sku'] },
  'orders.csv': { needed: ['member', 'tradeNo', 'amount', 'secret', 'at'], optional: ['reference', 'good', 'quantity', 'delivered'] },
} as const
type FileName = keyof typeof FILES
type Cells = { line: number; cell: (column: string) => string }

const YES = new Set(['true', 'yes', '1', '是'])
const NO = new Set(['false', 'no', '0', '否'])

/** A site that is handed over as a folder of CSV files in UTF-8. A file that is not there has no rows. */
export function openCsvFolder(folder: string): OldSite {
  const names = (Object.keys(FILES) as FileName[]).filter((name) => existsSync(join(folder, name)))
  if (names.length === 0) {
    throw new WrongUsage({ en: `${folder} holds none of ${Object.keys(FILES).join(', ')}.`, zh: `${folder} 中没有 ${Object.keys(FILES).join('、')} 中的任何一个文件。` })
  }
  return {
    kind: 'csv',
    async digest(onBytes) {
      const whole = createHash('sha256')
      let bytes = 0
      for (const name of names) {
        const hash = createHash('sha256')
        for await (const chunk of createReadStream(join(folder, name))) {
          hash.update(chunk as Uint8Array)
          onBytes((bytes += (chunk as Uint8Array).length))
        }
        whole.update(`${name} ${hash.digest('hex')}\n`)
      }
      return { sha256: whole.digest('hex'), bytes }
    },
    tables: () => readTables(folder),
    rows: () => readRows(folder),
  }
}

async function* readFile(folder: string, name: FileName): AsyncGenerator<Cells> {
  const file = join(folder, name)
  if (!existsSync(file) || !statSync(file).isFile()) return
  let header: string[] | null = null
  for await (const { line, fields, problem } of readCsv(readText(file, nothing(), 'utf-8'))) {
    if (problem) throw new WrongUsage({ en: `${name}, line ${line}: ${problem.en}.`, zh: `${name} 第 ${line} 行：${problem.zh}。` })
    if (!header) {
      header = readHeader(name, fields)
      continue
    }
    const columns: string[] = header
    if (fields.length !== columns.length) {
      throw new WrongUsage({ en: `${name}, line ${line}: ${fields.length} columns; the header has ${columns.length}.`, zh: `${name} 第 ${line} 行有 ${fields.length} 列，表头为 ${columns.length} 列。` })
    }
    yield { line, cell: (column) => (columns.includes(column) ? fields[columns.indexOf(column)]! : '') }
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function readHeader(name: FileName, fields: readonly string[]): string[] {
  const { needed, optional } = FILES[name]
  const header = fields.map((field) => field.trim())
  const missing = needed.filter((column) => !header.includes(column))
  const unknown = header.filter((column) => ![...needed, ...optional].includes(column as never))
  if (missing.length + unknown.length > 0 || new Set(header).size !== header.length) {
    const list = `${needed.join(',')}${optional.length > 0 ? `[,${optional.join(',')}]` : ''}`
    throw new WrongUsage({ en: `The header of ${name} does not fit; its columns are ${list}.`, zh: `${name} 的表头不符，列名应为 ${list}。` })
  }
  return header
}

function readSwitch(cells: Cells, name: FileName, column: string, otherwise: boolean): boolean {
  const text = cells.cell(column).trim().toLowerCase()
  if (text === '') return otherwise
  if (YES.has(text) || NO.has(text)) return YES.has(text)
  throw new WrongUsage({ en: `${name}, line ${cells.line}: ${column} is "${text}"; write true or false.`, zh: `${name} 第 ${cells.line} 行：${column} 为“${text}”，应为 true 或 false。` })
}

async function readTables(folder: string): Promise<OldTables> {
  const partners: OldPartner[] = []
  for await (const cells of readFile(folder, 'partners.csv')) {
    const { cell, line } = cells
    partners.push({ member: cell('member').trim(), name: cell('name'), appKey: cell('appKey').trim(), balance: cell('balance').trim(), isSuspended: readSwitch(cells, 'partners.csv', 'suspended', false), line })
  }
  const goods: OldGood[] = []
  for await (const cells of readFile(folder, 'goods.csv')) {
    const { cell, line } = cells
    const unitPrice = cell('unitPrice').trim()
    goods.push({
      key: cell('code').trim(), code: cell('code').trim(), name: cell('name').trim(), category: cell('category').trim(), description: cell('description'), unitPrice,
      minimum: Number(cell('minimum') || 1), maximum: Number(cell('maximum') || 1000), onSale: readSwitch(cells, 'goods.csv', 'onSale', true), kinds: null,
      left: parseAmount(unitPrice) ? null : { en: `its price is "${unitPrice}"`, zh: `价格为“${unitPrice}”` }, line,
    })
  }
  const prices: OldPrice[] = []
  for await (const { cell } of readFile(folder, 'prices.csv')) prices.push({ member: cell('member').trim(), good: cell('good').trim(), unitPrice: cell('unitPrice').trim() })
  return { partners, goods, prices: () => prices, problems: [], aside: new Map() }
}

async function* readRows(folder: string): AsyncGenerator<(OldCard | OldOrder)[]> {
  for await (const { line, cell } of readFile(folder, 'cards.csv')) {
    yield [{ type: 'card', id: String(line), good: cell('good').trim(), text: cell('card'), race: cell('race').trim(), sku: cell('sku').trim(), state: 'unsold', line }]
  }
  for await (const cells of readFile(folder, 'orders.csv')) {
    const { cell, line } = cells
    const at = new Date(cell('at').trim())
    if (Number.isNaN(at.getTime())) throw new WrongUsage({ en: `orders.csv, line ${line}: "${cell('at')}" is no time; write RFC 3339, such as 2026-11-01T12:00:00+08:00.`, zh: `orders.csv 第 ${line} 行：“${cell('at')}”不是时间，请写 RFC 3339，如 2026-11-01T12:00:00+08:00。` })
    yield [{
      type: 'order', member: cell('member').trim(), tradeNo: cell('tradeNo').trim(), reference: cell('reference').trim() || null, good: cell('good').trim(), quantity: Number(cell('quantity') || 1),
      amount: cell('amount').trim(), secret: cell('secret'), at: at.toISOString(), isPaid: true, isDelivered: readSwitch(cells, 'orders.csv', 'delivered', true), line,
    }]
  }
}
