import type { Words } from './screen.ts'

/** One record of a CSV file and the line of the file on which it begins; `problem` when it is not well formed. */
export type CsvRecord = { line: number; fields: string[]; problem: Words | null }

/** A quote that is never closed would else swallow the rest of any file. */
const LONGEST_RECORD = 256 * 1024

/**
 * Reads CSV as RFC 4180 has it, from chunks of text that may be cut anywhere: fields in quotes may hold commas, line
 * breaks and doubled quotes. CRLF, LF and CR end a record; blank lines are no records but count as lines.
 */
export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<CsvRecord> {
  const reader = new CsvReader()
  for await (const chunk of chunks) yield* reader.read(chunk)
  yield* reader.end()
}

class CsvReader {
  #line = 1
  #startLine = 1
  #fields: string[] = []
  #field = ''
  #length = 0
  #problem: Words | null = null
  /** bare: outside quotes; quoted: within; closed: after a quote that may have been the closing one. */
  #state: 'start' | 'bare' | 'quoted' | 'closed' = 'start'
  #isAfterCr = false

  read(chunk: string): CsvRecord[] {
    const records: CsvRecord[] = []
    for (const character of chunk) {
      if (this.#isAfterCr && character === '\n') {
        this.#isAfterCr = false
        if (this.#state === 'quoted') this.#field += character
        continue
      }
      this.#isAfterCr = character === '\r'
      const isBreak = character === '\n' || character === '\r'
      if (isBreak) this.#line++
      if (++this.#length > LONGEST_RECORD && this.#state === 'quoted') {
        this.#problem = this.#unclosed()
        this.#state = 'closed'
      }
      if (this.#state === 'quoted') {
        if (character === '"') this.#state = 'closed'
        else this.#field += character
      } else if (isBreak) records.push(...this.#endRecord())
      else this.#take(character)
    }
    return records
  }

  end(): CsvRecord[] {
    if (this.#state === 'quoted') this.#problem = this.#unclosed()
    return this.#endRecord()
  }

  #take(character: string): void {
    if (character === ',') {
      this.#fields.push(this.#field)
      this.#field = ''
      this.#state = 'start'
    } else if (character === '"' && this.#state === 'start') this.#state = 'quoted'
    else if (character === '"' && this.#state === 'closed') {
      this.#field += '"'
      this.#state = 'quoted'
    } else {
      if (this.#state === 'closed') this.#problem ??= { en: 'text after a closing quote; write a quote within quotes twice', zh: '引号闭合后还有文字；引号内的引号请写两个' }
      if (character === '"') this.#problem ??= { en: 'a quote in the middle of a field; put the whole field in quotes', zh: '字段中间出现引号；请把整个字段放入引号' }
      if (this.#state === 'start') this.#state = 'bare'
      this.#field += character
    }
  }

  #unclosed(): Words {
    return { en: `a quote is not closed; lines ${this.#startLine} to ${this.#line} were not read`, zh: `引号没有闭合，第 ${this.#startLine} 至 ${this.#line} 行未读取` }
  }

  /** The record that ends here; none for a blank line. */
  #endRecord(): CsvRecord[] {
    const isBlank = this.#fields.length === 0 && this.#state !== 'closed' && this.#state !== 'quoted' && this.#field.trim() === ''
    const records = isBlank ? [] : [{ line: this.#startLine, fields: [...this.#fields, this.#field], problem: this.#problem }]
    this.#fields = []
    this.#field = ''
    this.#length = 0
    this.#problem = null
    this.#state = 'start'
    this.#startLine = this.#line
    return records
  }
}
