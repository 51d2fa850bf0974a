import { WrongUsage, type Words } from '../problem.ts'

/** Thrown inside the reader when the input at hand ends in the middle of something; more of it is then waited for. */
export const NEED_MORE = Symbol('more input is needed')

/** What a token is. `text` is a quoted string, `name` one in backticks, `word` a bare word or number, `mark` one character. */
export type TokenKind = 'end' | 'word' | 'name' | 'text' | 'mark'

/** One value longer than this is no value of a shop: a quote was left open. */
const LONGEST_TOKEN = 16 * 1024 * 1024

const LF = 0x0a
const SINGLE = 0x27
const DOUBLE = 0x22
const BACKTICK = 0x60
const BACKSLASH = 0x5c
const DASH = 0x2d
const SLASH = 0x2f
const STAR = 0x2a
const HASH = 0x23

/** What a backslash makes of the byte behind it; any other byte stands for itself. */
const ESCAPES: Readonly<Record<number, number>> = { 0x30: 0, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09, 0x62: 0x08, 0x5a: 0x1a }

/** The character sets whose bytes are UTF-8. In any other a byte of a letter may look like a quote. */
const CHARSETS = new Set(['utf8', 'utf8mb3', 'utf8mb4'])

export function dumpFault(line: number, words: Words): WrongUsage {
  return new WrongUsage({ en: `Line ${line} of the dump: ${words.en}.`, zh: `转储文件第 ${line} 行：${words.zh}。` })
}

/** Cuts the bytes of a MySQL dump into tokens. Holds one chunk and the token that it breaks off in, nothing else. */
export class SqlLexer {
  /** The line of the token that was read last. */
  line = 1
  kind: TokenKind = 'end'
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #nextLine = 1
  #isLast = false
  #start = 0
  #end = 0
  #isPlain = true
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

  feed(chunk: Uint8Array, isLast: boolean): void {
    const rest = this.#bytes.subarray(this.#at)
    if (rest.length > LONGEST_TOKEN) throw dumpFault(this.#nextLine, { en: 'a value of more than 16 MB; a quote may be left open', zh: '单个值超过 16 MB，可能有引号未闭合' })
    this.#bytes = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([rest, chunk])
    this.#at = 0
    this.#isLast = isLast
  }

  mark(): { at: number; line: number } {
    return { at: this.#at, line: this.#nextLine }
  }

  rewind({ at, line }: { at: number; line: number }): void {
    this.#at = at
    this.#nextLine = line
  }

  /** Reads the next token. Throws NEED_MORE when the chunk ends before it does. */
  next(): TokenKind {
    this.#skipBlanks()
    this.line = this.#nextLine
    const bytes = this.#bytes
    if (this.#at >= bytes.length) return (this.kind = this.#atEnd())
    const byte = bytes[this.#at]!
    if (byte === SINGLE || byte === DOUBLE || byte === BACKTICK) return this.#quoted(byte)
    if (isWord(byte) || ((byte === DASH || byte === 0x2b) && this.#startsNumber())) return this.#word()
    this.#start = this.#at
    this.#end = ++this.#at
    return (this.kind = 'mark')
  }

  #atEnd(): 'end' {
    if (!this.#isLast) throw NEED_MORE
    return 'end'
  }

  #byteAt(at: number): number {
    if (at < this.#bytes.length) return this.#bytes[at]!
    if (!this.#isLast) throw NEED_MORE
    return 0
  }

  #startsNumber(): boolean {
    const next = this.#byteAt(this.#at + 1)
    return (next >= 0x30 && next <= 0x39) || next === 0x2e
  }

  #skipBlanks(): void {
    for (;;) {
      const byte = this.#at < this.#bytes.length ? this.#bytes[this.#at]! : -1
      if (byte === LF) this.#nextLine++
      if (byte === LF || byte === 0x20 || byte === 0x09 || byte === 0x0d) this.#at++
      else if (byte === HASH) this.#skipLine()
      else if (byte === DASH && this.#byteAt(this.#at + 1) === DASH && this.#byteAt(this.#at + 2) <= 0x20) this.#skipLine()
      else if (byte === SLASH && this.#byteAt(this.#at + 1) === STAR) this.#skipComment()
      else return
    }
  }

  #skipLine(): void {
    const end = this.#bytes.indexOf(LF, this.#at)
    if (end < 0 && !this.#isLast) throw NEED_MORE
    this.#at = end < 0 ? this.#bytes.length : end
  }

  #skipComment(): void {
    const end = this.#bytes.indexOf('*/', this.#at + 2)
    if (end < 0) {
      if (!this.#isLast) throw NEED_MORE
      throw dumpFault(this.#nextLine, { en: 'a comment is not closed: the dump is cut off', zh: '注释未闭合，转储文件不完整' })
    }
    const text = this.#bytes.subarray(this.#at, end).toString('latin1')
    if (text.startsWith('/*!')) this.checkCharset(/\bSET\s+NAMES\s+(\w+)/i.exec(text)?.[1])
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === LF) this.#nextLine++
    this.#at = end + 2
  }

  /** Throws for a dump in another character set than UTF-8. */
  checkCharset(name: string | undefined): void {
    if (name === undefined || CHARSETS.has(name.toLowerCase())) return
    throw dumpFault(this.#nextLine, { en: `the dump is written in ${name}; make it anew with --default-character-set=utf8mb4`, zh: `转储使用 ${name} 字符集；请加 --default-character-set=utf8mb4 重新导出` })
  }

  #quoted(quote: number): TokenKind {
    const bytes = this.#bytes
    let isPlain = true
    let lines = 0
    for (let i = this.#at + 1; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte === LF) lines++
      else if (byte === BACKSLASH && quote !== BACKTICK) {
        isPlain = false
        if (bytes[++i] === LF) lines++
      } else if (byte === quote) {
        if (this.#byteAt(i + 1) === quote) {
          isPlain = false
          i++
          continue
        }
        this.#start = this.#at + 1
        this.#end = i
        this.#isPlain = isPlain
        this.#at = i + 1
        this.#nextLine += lines
        return (this.kind = quote === BACKTICK ? 'name' : 'text')
      }
    }
    if (!this.#isLast) throw NEED_MORE
    throw dumpFault(this.line, { en: 'a quote is not closed: the dump is cut off', zh: '引号未闭合，转储文件不完整' })
  }

  #word(): TokenKind {
    this.#start = this.#at
    let i = this.#at + 1
    while (isWord(this.#byteAt(i)) || this.#isSignOfExponent(i)) i++
    this.#end = this.#at = i
    return (this.kind = 'word')
  }

  #isSignOfExponent(i: number): boolean {
    const byte = this.#byteAt(i)
    if (byte !== DASH && byte !== 0x2b) return false
    const before = this.#bytes[i - 1]!
    const first = this.#bytes[this.#start]!
    return (before === 0x65 || before === 0x45) && ((first >= 0x30 && first <= 0x39) || first === DASH)
  }

  /** The bytes of a word or a mark as they stand. */
  raw(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end)
  }

  /** The value of a quoted token. Throws for bytes that are not UTF-8: a guessed letter in a card would be sold as if it were right. */
  value(): string {
    return this.decode(this.#isPlain ? this.#bytes.subarray(this.#start, this.#end) : this.#unescaped())
  }

  decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes)
    } catch {
      throw dumpFault(this.line, { en: 'bytes that are not UTF-8; make the dump anew with --default-character-set=utf8mb4', zh: '存在非 UTF-8 字节；请加 --default-character-set=utf8mb4 重新导出' })
    }
  }

  #unescaped(): Buffer {
    const bytes = this.#bytes
    const quote = bytes[this.#start - 1]!
    const out = Buffer.allocUnsafe(this.#end - this.#start)
    let length = 0
    for (let i = this.#start; i < this.#end; i++) {
      let byte = bytes[i]!
      if (byte === BACKSLASH && quote !== BACKTICK) {
        byte = bytes[++i]!
        // \% and \_ keep their backslash: they mean something to LIKE alone.
        if (byte === 0x25 || byte === 0x5f) out[length++] = BACKSLASH
        else byte = ESCAPES[byte] ?? byte
      } else if (byte === quote) i++
      out[length++] = byte
    }
    return out.subarray(0, length)
  }
}

function isWord(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f || byte === 0x2e || byte === 0x24 || byte >= 0x80
}
