import { dumpFault, NEED_MORE, SqlLexer } from './sql-lexer.ts'

/** One row of a table, by the names of its columns, and the line of the dump on which it begins. */
export type DumpRow = { table: string; line: number; values: Readonly<Record<string, string | null>> }

export type DumpTables = {
  /** Whether the rows of a table are wanted; those of all others are only counted. */
  wants: (table: string) => boolean
  /** Filled while reading: how many rows each table has. */
  counts: Map<string, number>
}

/** What stands in front of the rows of an INSERT. */
type Target = { table: string; columns: readonly string[] | null; isWanted: boolean }

/** Statements that hold no rows of a shop. Anything else is not understood, and said so. */
const ASIDE = new Set(['DROP', 'ALTER', 'LOCK', 'UNLOCK', 'SET', 'USE', 'BEGIN', 'START', 'COMMIT', 'CREATE', 'ANALYZE', 'OPTIMIZE', 'FLUSH', 'TRUNCATE'])
/** What a definition inside CREATE TABLE begins with when it is no column. */
const NO_COLUMN = new Set(['PRIMARY', 'KEY', 'UNIQUE', 'INDEX', 'CONSTRAINT', 'FULLTEXT', 'SPATIAL', 'FOREIGN', 'CHECK'])
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/

/**
 * Reads the rows of a MySQL dump as mysqldump, mariadb-dump, phpMyAdmin and Navicat write it, chunk by chunk: its size does not
 * matter, only that of its longest row. Throws WrongUsage with the line for whatever it does not understand.
 */
export async function* readDump(chunks: AsyncIterable<Uint8Array>, tables: DumpTables): AsyncGenerator<DumpRow[]> {
  const reader = new DumpReader(tables)
  for await (const chunk of chunks) {
    const rows = reader.read(chunk, false)
    if (rows.length > 0) yield rows
  }
  const rows = reader.read(Buffer.alloc(0), true)
  if (rows.length > 0) yield rows
}

class DumpReader {
  readonly #lexer = new SqlLexer()
  readonly #tables: DumpTables
  readonly #columns = new Map<string, string[]>()
  #state: 'statement' | 'aside' | 'rows' = 'statement'
  #target: Target | null = null
  #isFirst = true

  constructor(tables: DumpTables) {
    this.#tables = tables
  }

  read(chunk: Uint8Array, isLast: boolean): DumpRow[] {
    if (this.#isFirst && chunk.length > 0) chunk = this.#withoutMark(chunk)
    this.#lexer.feed(chunk, isLast)
    const rows: DumpRow[] = []
    for (;;) {
      const mark = this.#lexer.mark()
      const state = this.#state
      try {
        if (!this.#unit(rows)) return rows
      } catch (error) {
        if (error !== NEED_MORE) throw error
        this.#lexer.rewind(mark)
        this.#state = state
        return rows
      }
    }
  }

  #withoutMark(chunk: Uint8Array): Uint8Array {
    this.#isFirst = false
    if ((chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff)) throw dumpFault(1, { en: 'the dump is in UTF-16; save it as UTF-8', zh: '转储文件为 UTF-16 编码；请另存为 UTF-8' })
    if (chunk[0] === 0x1f && chunk[1] === 0x8b) throw dumpFault(1, { en: 'the dump is compressed; unpack it with gunzip first', zh: '转储文件已压缩；请先用 gunzip 解压' })
    return chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk
  }

  /** Reads the next thing that can be read whole: a row, the head of a statement, or a token of one that stands aside. */
  #unit(rows: DumpRow[]): boolean {
    switch (this.#state) {
      case 'rows': return this.#row(rows)
      case 'aside': return this.#aside()
      case 'statement': return this.#statement()
    }
  }

  #aside(): boolean {
    const kind = this.#lexer.next()
    if (kind === 'mark' && this.#lexer.raw() === ';') this.#state = 'statement'
    return kind !== 'end'
  }

  #statement(): boolean {
    const lexer = this.#lexer
    const kind = lexer.next()
    if (kind === 'end') return false
    if (kind === 'mark' && lexer.raw() === ';') return true
    const verb = kind === 'word' ? lexer.raw().toUpperCase() : ''
    if (verb === 'INSERT' || verb === 'REPLACE') this.#insert()
    else if (verb === 'CREATE') this.#create()
    else if (verb === 'SET') this.#set()
    else if (ASIDE.has(verb)) this.#state = 'aside'
    else throw dumpFault(lexer.line, { en: `"${verb || '…'}" begins no statement that is read here`, zh: `无法识别以“${verb || '…'}”开头的语句` })
    return true
  }

  #set(): void {
    this.#state = 'aside'
    if (this.#lexer.next() !== 'word' || this.#lexer.raw().toUpperCase() !== 'NAMES') {
      if (this.#lexer.kind === 'mark' && this.#lexer.raw() === ';') this.#state = 'statement'
      return
    }
    const kind = this.#lexer.next()
    this.#lexer.checkCharset(kind === 'text' ? this.#lexer.value() : this.#lexer.raw())
  }

  /** A name, without the database in front of it. */
  #name(): string {
    const lexer = this.#lexer
    let name = lexer.kind === 'name' ? lexer.value() : lexer.raw()
    if (lexer.kind === 'name') {
      const mark = lexer.mark()
      const line = lexer.line
      // `shop`.`acg_user`: the lexer reads the dot as the beginning of a word.
      const dot = lexer.next() === 'word' ? lexer.raw() : ''
      if (dot === '.') name = lexer.next() === 'name' ? lexer.value() : lexer.raw()
      else if (dot.startsWith('.')) name = dot
      else lexer.rewind(mark)
      lexer.line = line
    }
    return name.slice(name.lastIndexOf('.') + 1)
  }

  /** CREATE TABLE says in which order the columns stand; any other CREATE holds nothing of a shop. */
  #create(): void {
    const lexer = this.#lexer
    this.#state = 'aside'
    let kind = lexer.next()
    if (kind !== 'word' || lexer.raw().toUpperCase() !== 'TABLE') return
    for (kind = lexer.next(); kind === 'word' && ['IF', 'NOT', 'EXISTS'].includes(lexer.raw().toUpperCase()); ) kind = lexer.next()
    const table = this.#name()
    if (lexer.next() !== 'mark' || lexer.raw() !== '(') return
    const columns: string[] = []
    for (let depth = 1, isStart = true; depth > 0; ) {
      kind = lexer.next()
      if (kind === 'end') throw dumpFault(lexer.line, { en: `the definition of ${table} is cut off`, zh: `表 ${table} 的定义不完整` })
      const mark = kind === 'mark' ? lexer.raw() : ''
      if (isStart && (kind === 'name' || (kind === 'word' && !NO_COLUMN.has(lexer.raw().toUpperCase())))) columns.push(kind === 'name' ? lexer.value() : lexer.raw())
      isStart = depth === 1 && mark === ','
      if (mark === '(') depth++
      else if (mark === ')') depth--
    }
    this.#columns.set(table, columns)
  }

  #insert(): void {
    const lexer = this.#lexer
    let kind = lexer.next()
    while (kind === 'word' && ['INTO', 'IGNORE', 'LOW_PRIORITY', 'HIGH_PRIORITY', 'DELAYED'].includes(lexer.raw().toUpperCase())) kind = lexer.next()
    if (kind !== 'word' && kind !== 'name') throw dumpFault(lexer.line, { en: 'INSERT without the name of a table', zh: 'INSERT 语句缺少表名' })
    const { line } = lexer
    const table = this.#name()
    const isWanted = this.#tables.wants(table)
    let columns = this.#columns.get(table) ?? null
    kind = lexer.next()
    if (kind === 'mark' && lexer.raw() === '(') {
      columns = this.#list(table)
      kind = lexer.next()
    }
    if (kind !== 'word' || !['VALUES', 'VALUE'].includes(lexer.raw().toUpperCase())) throw dumpFault(lexer.line, { en: `INSERT INTO ${table} without VALUES`, zh: `INSERT INTO ${table} 缺少 VALUES` })
    if (isWanted && !columns) throw dumpFault(line, { en: `the columns of ${table} are not known: dump it with its structure, or with complete inserts`, zh: `无法确定表 ${table} 的列：请连同表结构导出，或使用完整插入` })
    this.#target = { table, columns, isWanted }
    this.#state = 'rows'
    if (!this.#tables.counts.has(table)) this.#tables.counts.set(table, 0)
  }

  #list(table: string): string[] {
    const lexer = this.#lexer
    const names: string[] = []
    for (;;) {
      const kind = lexer.next()
      if (kind === 'name') names.push(lexer.value())
      else if (kind === 'word') names.push(lexer.raw())
      else if (kind === 'mark' && lexer.raw() === ')') return names
      else if (kind !== 'mark' || lexer.raw() !== ',') throw dumpFault(lexer.line, { en: `the list of columns of ${table} cannot be read`, zh: `表 ${table} 的列清单无法读取` })
    }
  }

  #row(rows: DumpRow[]): boolean {
    const lexer = this.#lexer
    const target = this.#target!
    if (lexer.next() !== 'mark' || lexer.raw() !== '(') throw dumpFault(lexer.line, { en: `a row of ${target.table} should begin here`, zh: `此处应为表 ${target.table} 的一行数据` })
    const { line } = lexer
    const row = target.isWanted ? { table: target.table, line, values: this.#values(target, line) } : this.#skipValues(target.table)
    const mark = lexer.next() === 'mark' ? lexer.raw() : ''
    if (mark !== ',' && mark !== ';') throw dumpFault(lexer.line, { en: `behind a row of ${target.table} there is neither a comma nor a semicolon`, zh: `表 ${target.table} 的一行之后缺少逗号或分号` })
    if (mark === ';') this.#state = 'statement'
    // Only now, when it is sure that the row will not be read once more.
    this.#tables.counts.set(target.table, this.#tables.counts.get(target.table)! + 1)
    if (row) rows.push(row)
    return true
  }

  #skipValues(table: string): null {
    const lexer = this.#lexer
    for (let depth = 1; depth > 0; ) {
      const kind = lexer.next()
      if (kind === 'end') throw dumpFault(lexer.line, { en: `a row of ${table} is cut off`, zh: `表 ${table} 的一行不完整` })
      if (kind !== 'mark') continue
      const mark = lexer.raw()
      if (mark === '(') depth++
      else if (mark === ')') depth--
    }
    return null
  }

  #values({ table, columns }: Target, line: number): Record<string, string | null> {
    const lexer = this.#lexer
    const values: Record<string, string | null> = Object.create(null) as Record<string, string | null>
    for (let i = 0; ; i++) {
      const value = this.#value(table)
      if (i < columns!.length) values[columns![i]!] = value
      const mark = lexer.next() === 'mark' ? lexer.raw() : ''
      if (mark === ',') continue
      if (mark !== ')') throw dumpFault(lexer.line, { en: `behind a value of ${table} there is neither a comma nor a parenthesis`, zh: `表 ${table} 的值之后缺少逗号或括号` })
      if (i + 1 !== columns!.length) throw dumpFault(line, { en: `a row of ${table} has ${i + 1} values for ${columns!.length} columns`, zh: `表 ${table} 有 ${columns!.length} 列，此行却有 ${i + 1} 个值` })
      return values
    }
  }

  #value(table: string): string | null {
    const lexer = this.#lexer
    const kind = lexer.next()
    if (kind === 'text') return lexer.value()
    const word = kind === 'word' ? lexer.raw() : ''
    if (/^null$/i.test(word)) return null
    if (NUMBER.test(word)) return word
    if (/^true$/i.test(word)) return '1'
    if (/^false$/i.test(word)) return '0'
    if (/^0x([0-9a-f]{2})*$/i.test(word)) return lexer.decode(Buffer.from(word.slice(2), 'hex'))
    // x'…' and _utf8mb4'…' say how the string behind them is meant.
    if (/^x$/i.test(word)) return this.#hexadecimal(table)
    if (/^_\w+$/.test(word)) return this.#value(table)
    throw dumpFault(lexer.line, { en: `"${word || lexer.raw()}" is not a value of ${table} that is read here`, zh: `表 ${table} 中的“${word || lexer.raw()}”不是可识别的值` })
  }

  #hexadecimal(table: string): string {
    const lexer = this.#lexer
    const digits = lexer.next() === 'text' ? lexer.value() : '?'
    if (!/^([0-9a-f]{2})*$/i.test(digits)) throw dumpFault(lexer.line, { en: `a value of ${table} is not hexadecimal`, zh: `表 ${table} 中的值不是十六进制` })
    return lexer.decode(Buffer.from(digits, 'hex'))
  }
}
