/**
 * Text that went through a wrong character set: recognised by its shape, and turned back where nothing was lost. It is
 * used to explain, never to accept: what is wrong stays refused, since a guessed account would be somebody else's.
 */
export type Mojibake = {
  readonly kind: 'gbk_bytes' | 'utf16_bytes' | 'utf8_read_as_gbk' | 'utf8_read_as_latin1' | 'gbk_read_as_latin1' | 'encoded_twice' | 'lost'
  /** What was meant, as far as it can be told; null where it is lost. */
  readonly meant: string | null
  /** Which side declared what, in a sentence a language. */
  readonly says: { readonly en: string; readonly zh: string }
}

const LONGEST_LOOK = 4_096
const LONGEST_SHOWN = 40

/** Looks at bytes that should be UTF-8. Null when they are, and their text is plain; also when nothing is recognised. */
export function mojibakeOfBytes(bytes: Uint8Array): Mojibake | null {
  const looked = bytes.subarray(0, LONGEST_LOOK)
  if (isUtf16(looked)) {
    const order = looked[0] === 0xfe || looked[0] === 0 ? 'be' : 'le'
    return told('utf16_bytes', new TextDecoder(`utf-16${order}`).decode(looked))
  }
  const text = decode('utf-8', whole(looked, bytes.length > LONGEST_LOOK))
  if (text !== null) return mojibakeOfText(text)
  const gbk = decode('gbk', looked) ?? decode('gbk', looked.subarray(0, -1))
  return gbk !== null && isChinese(gbk) && isEveryday(gbk) ? told('gbk_bytes', gbk) : null
}

/** Looks at text that arrived as valid Unicode and may have been decoded wrongly before. Null when it looks plain. */
export function mojibakeOfText(text: string): Mojibake | null {
  const looked = text.slice(0, LONGEST_LOOK)
  // The bytes of two replacement characters, read as GBK: what stood there is gone.
  if (/锟斤|斤拷/.test(looked) || looked.includes('\ufffd\ufffd')) return told('lost', null)
  if (/^[\0-\x7f]*$/.test(looked)) return null
  return readAsLatin1(looked) ?? readAsGbk(looked) ?? (looked.includes('\ufffd') ? told('lost', null) : null)
}

/** The first field of a set whose name or value is garbled, with its name; null when all look plain. */
export function mojibakeOfFields(fields: Iterable<readonly [string, string]>): { readonly field: string; readonly garbled: Mojibake } | null {
  for (const [field, value] of fields) {
    const garbled = mojibakeOfText(value) ?? mojibakeOfText(field)
    if (garbled) return { field, garbled }
  }
  return null
}

function told(kind: Mojibake['kind'], meant: string | null): Mojibake {
  const shown = meant === null ? null : shorten(meant)
  const en = shown === null ? '' : ` It was meant to read "${shown}".`
  const zh = shown === null ? '' : `原意应为“${shown}”。`
  const says = SAYS[kind]
  return { kind, meant: shown, says: { en: says.en + en, zh: says.zh + zh } }
}

const SAYS: Readonly<Record<Mojibake['kind'], { en: string; zh: string }>> = {
  gbk_bytes: { en: 'The bytes are GBK, and the sender declared UTF-8: the sending program must convert before it sends.', zh: '字节是 GBK，发送方却声明为 UTF-8：应由发送方在发送前转码。' },
  utf16_bytes: { en: 'The bytes are UTF-16, and the sender declared UTF-8: the sending program must convert before it sends.', zh: '字节是 UTF-16，发送方却声明为 UTF-8：应由发送方在发送前转码。' },
  utf8_read_as_gbk: { en: 'UTF-8 text was read as GBK by the sending program before it was sent: its file or database is declared GBK and holds UTF-8.', zh: '发送方程序在发送前把 UTF-8 文本按 GBK 读了一遍：其文件或数据库声明为 GBK，内容却是 UTF-8。' },
  utf8_read_as_latin1: { en: 'UTF-8 text was read as Latin-1 by the sending program before it was sent: its database connection is declared latin1 and holds UTF-8.', zh: '发送方程序在发送前把 UTF-8 文本按 Latin-1 读了一遍：其数据库连接声明为 latin1，内容却是 UTF-8。' },
  gbk_read_as_latin1: { en: 'GBK text was read as Latin-1 by the sending program before it was sent: it must be decoded as GBK.', zh: '发送方程序在发送前把 GBK 文本按 Latin-1 读了一遍：应按 GBK 解码。' },
  encoded_twice: { en: 'UTF-8 text was encoded to UTF-8 once more by the sending program.', zh: '发送方程序把 UTF-8 文本又编码了一次（双重编码）。' },
  lost: { en: 'Characters that could not be decoded were replaced by the sending program before it sent them: what stood there is lost.', zh: '发送方程序在发送前已把无法解码的字替换掉（如“锟斤拷”），原文已丢失。' },
}

/** Latin-1 and its Windows sister: one character a byte, so the bytes can be had again. */
function readAsLatin1(text: string): Mojibake | null {
  const bytes = latin1Bytes(text)
  if (bytes === null) return null
  const exact = decode('utf-8', bytes)
  if (exact !== null) {
    if (isChinese(exact)) return told('utf8_read_as_latin1', exact)
    const again = latin1Bytes(exact)
    const twice = again === null ? null : decode('utf-8', again)
    if (twice !== null && isChinese(twice)) return told('encoded_twice', twice)
  }
  const gbk = decode('gbk', bytes)
  if (gbk !== null && isChinese(gbk) && isEveryday(gbk)) return told('gbk_read_as_latin1', gbk)
  // A byte without a character of its own was dropped on the way, which pairs of accent and symbol still tell.
  const pairs = text.match(/[\u00e4-\u00e9][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u2122\ufffd]/g)
  return (pairs?.length ?? 0) >= 2 ? told('utf8_read_as_latin1', recovered(bytes)) : null
}

function readAsGbk(text: string): Mojibake | null {
  const bytes = gbkBytes(text)
  if (bytes === null) return null
  const exact = decode('utf-8', bytes)
  if (exact !== null) return isChinese(exact) ? told('utf8_read_as_gbk', exact) : null
  // An odd number of bytes loses its last one: most of the characters are still there.
  const rest = recovered(bytes)
  return rest !== null && han(rest) >= 2 && han(rest) >= 2 * (rest.match(/\ufffd/g)?.length ?? 0) ? told('utf8_read_as_gbk', rest) : null
}

/** What is left of bytes of which some are missing; null when that is no Chinese. */
function recovered(bytes: Uint8Array): string | null {
  const text = new TextDecoder('utf-8').decode(bytes)
  return isChinese(text.replaceAll('\ufffd', '')) ? text : null
}

const HOLE = 0xff

function latin1Bytes(text: string): Uint8Array | null {
  const table = windows1252()
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    const byte = code <= 0xff ? code : code === 0xfffd ? HOLE : table.get(character)
    if (byte === undefined) return null
    bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

function gbkBytes(text: string): Uint8Array | null {
  const table = gbkTable()
  const bytes: number[] = []
  for (const character of text) {
    const code = character.codePointAt(0)!
    const pair = code < 0x80 ? code : code === 0xfffd ? HOLE : table.get(character)
    if (pair === undefined) return null
    if (pair > 0xff) bytes.push(pair >> 8, pair & 0xff)
    else bytes.push(pair)
  }
  return Uint8Array.from(bytes)
}

let windows: ReadonlyMap<string, number> | null = null
let gbk: ReadonlyMap<string, number> | null = null

function windows1252(): ReadonlyMap<string, number> {
  const decoder = new TextDecoder('windows-1252')
  windows ??= new Map(Array.from({ length: 0x20 }, (_, i) => [decoder.decode(Uint8Array.of(0x80 + i)), 0x80 + i]))
  return windows
}

/** Platforms decode GBK and do not encode it: the table is made once from what they decode, when it is first needed. */
function gbkTable(): ReadonlyMap<string, number> {
  if (gbk) return gbk
  const decoder = new TextDecoder('gbk')
  const made = new Map<string, number>([['€', 0x80]])
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const text = decoder.decode(Uint8Array.of(lead, trail))
      if (text.length === 1 && text !== '\ufffd' && !made.has(text)) made.set(text, (lead << 8) | trail)
    }
  }
  gbk = made
  return made
}

function decode(charset: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** A look that ended in the middle of a character goes back to its beginning. */
function whole(bytes: Uint8Array, isCut: boolean): Uint8Array {
  let end = bytes.length
  if (isCut) while (end > 0 && (bytes[end - 1]! & 0xc0) === 0x80) end--
  return isCut && end > 0 && bytes[end - 1]! >= 0xc0 ? bytes.subarray(0, end - 1) : bytes.subarray(0, end)
}

function isUtf16(bytes: Uint8Array): boolean {
  if (bytes.length < 2) return false
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return true
  // JSON and forms begin with ASCII, every character of which has a zero beside it.
  return bytes.length >= 8 && bytes.length % 2 === 0 && [0, 1].some((half) => [0, 2, 4, 6].every((at) => bytes[at + half] === 0 && bytes[at + 1 - half]! > 0x1f))
}

const HAN = /\p{Script=Han}/gu
/** Chinese and the punctuation of its kind, beside ASCII. */
const CHINESE = /^[\0-\x7f\p{Script=Han}\u3000-\u303f\uff01-\uff5e\u2014\u2018\u2019\u201c\u201d\u2026\u00b7\u00d7\u2460-\u2473]*$/u

function isChinese(text: string): boolean {
  return han(text) > 0 && CHINESE.test(text)
}

/** Most of what people write is among the 6,763 characters of GB 2312; what was decoded wrongly mostly is not. */
function isEveryday(text: string): boolean {
  const table = gbkTable()
  const characters = text.match(HAN) ?? []
  const common = characters.filter((character) => {
    const pair = table.get(character) ?? 0
    return pair >> 8 >= 0xb0 && pair >> 8 <= 0xf7 && (pair & 0xff) >= 0xa1
  })
  return common.length * 10 >= characters.length * 9
}

function han(text: string): number {
  return text.match(HAN)?.length ?? 0
}

/** The part of a long text in which the first character stands that is not ASCII. */
function shorten(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ').toWellFormed()
  if (plain.length <= LONGEST_SHOWN) return plain
  const characters = [...plain]
  const start = Math.max(0, characters.findIndex((character) => character > '\x7f') - LEAD)
  const shown = characters.slice(start, start + LONGEST_SHOWN - 2).join('')
  return `${start > 0 ? '…' : ''}${shown}${start + LONGEST_SHOWN - 2 < characters.length ? '…' : ''}`
}

const LEAD = 10
