import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dumpFault } from './sql-lexer.ts'
import type { Row } from './acg-row.ts'
import { cardOf, goodOf, orderOf, partnerOf, pricesOf, type AcgRows } from './acg-rows.ts'
import type { OldCard, OldOrder, OldSite, OldTables, Problem } from './old-site.ts'
import { readDump, type DumpRow } from './sql-dump.ts'
import { WrongUsage } from '../problem.ts'

const SMALL = ['user', 'user_group', 'commodity', 'category', 'commodity_group'] as const
const NEEDED = ['user', 'commodity', 'card', 'order'] as const
const READ_BYTES = 256 * 1024

/** The site of an acg-faka database, from its dump. Nothing of it is held but its members, goods and groups. */
export function openAcgDump(file: string, prefix: string): OldSite {
  return {
    kind: 'dump',
    async digest(onBytes) {
      const hash = createHash('sha256')
      let bytes = 0
      for await (const chunk of open(file)) {
        hash.update(chunk)
        onBytes((bytes += chunk.length))
      }
      return { sha256: hash.digest('hex'), bytes }
    },
    tables: () => readTables(file, prefix),
    rows: () => readRows(file, prefix),
  }
}

/** What the file system says of a file that cannot be read is for the person who named it. */
async function* open(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) yield chunk as Uint8Array
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException
    if (syscall === undefined) throw error
    throw new WrongUsage({ en: `${file} cannot be read (${code}).`, zh: `无法读取 ${file}（${code}）。` })
  }
}

async function readTables(file: string, prefix: string): Promise<OldTables> {
  const counts = new Map<string, number>()
  const rows: AcgRows = { user: [], user_group: [], commodity: [], category: [], commodity_group: [] }
  for await (const batch of readDump(open(file), { wants: (table) => SMALL.some((name) => table === prefix + name), counts })) {
    for (const row of batch) rows[row.table.slice(prefix.length) as keyof AcgRows].push(asRow(row, prefix))
  }
  const missing = NEEDED.filter((name) => !counts.has(prefix + name) && name !== 'card' && name !== 'order')
  if (missing.length > 0) {
    const seen = [...counts.keys()].join(', ') || '–'
    throw new WrongUsage({
      en: `The dump has no rows of ${missing.map((name) => prefix + name).join(', ')}; it has ${seen}. --prefix names what the tables begin with.`,
      zh: `转储中没有 ${missing.map((name) => prefix + name).join('、')} 的数据，现有：${seen}。可用 --prefix 指定表前缀。`,
    })
  }
  const known = new Set([...SMALL, 'card', 'order'].map((name) => prefix + name))
  const problems: Problem[] = []
  const note = (problem: Problem) => void problems.push(problem)
  const partners = rows.user.map((row) => partnerOf(row, note))
  const goods = rows.commodity.map((row) => goodOf(row, rows, note))
  return { partners, goods, prices: () => pricesOf(rows, goods), problems, aside: new Map([...counts].filter(([table, count]) => count > 0 && !known.has(table))) }
}

async function* readRows(file: string, prefix: string): AsyncGenerator<(OldCard | OldOrder)[]> {
  const card = `${prefix}card`
  const order = `${prefix}order`
  for await (const batch of readDump(open(file), { wants: (table) => table === card || table === order, counts: new Map() })) {
    yield batch.map((row) => (row.table === card ? cardOf(asRow(row, prefix)) : orderOf(asRow(row, prefix))))
  }
}

function asRow({ table, line, values }: DumpRow, prefix: string): Row {
  const name = table.slice(prefix.length)
  return {
    line, table: name,
    text: (column) => values[column] ?? '',
    needed: (column) => {
      const value = values[column]
      if (value !== undefined && value !== null) return value
      throw dumpFault(line, { en: `a row of ${name} has no ${column}: this is no dump of acg-faka that is known here`, zh: `${name} 表的一行缺少 ${column}，不是可识别的异次元发卡数据` })
    },
    has: (column) => column in values,
  }
}
