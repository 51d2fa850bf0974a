import { createReadStream, readFileSync, statSync } from 'node:fs'
import { WrongUsage, type Option } from './command.ts'

const charsets = ['utf-8', 'gb18030'] as const
export type Charset = (typeof charsets)[number]

export const charsetOption: Option = {
  name: 'charset', value: 'CHARSET', oneOf: charsets,
  what: { en: 'The encoding of the file, default utf-8; gb18030 also reads GBK.', zh: '文件编码，默认 utf-8；gb18030 可读 GBK 文件。' },
}

export function charsetGiven(text: string | undefined): Charset {
  return (text ?? 'utf-8') as Charset
}

/** A public key in PEM. Throws WrongUsage for a private one, which must not travel. */
export function readPublicKey(file: string): string {
  const pem = readSmallFile(file)
  if (pem.includes('PRIVATE KEY')) {
    throw new WrongUsage({ en: `${file} holds a private key, which must never leave you: give the public one (openssl pkey -in ${file} -pubout).`, zh: `${file} 是私钥，切勿外传；请给出公钥（openssl pkey -in ${file} -pubout）。` })
  }
  return pem
}

/**
 * The text of a file, or of `stdin` for "-", as it is read, without a byte order mark. Throws WrongUsage when the file
 * cannot be read or is in another encoding: a guessed letter in a card would be sold as if it were right.
 * @param onBytes hears how many bytes were read so far, and of how many (null for stdin)
 */
export async function* readText(
  file: string, stdin: AsyncIterable<Uint8Array>, charset: Charset, onBytes: (read: number, size: number | null) => void = () => {},
): AsyncGenerator<string> {
  const decoder = new TextDecoder(charset, { fatal: true })
  const size = file === '-' ? null : sizeOf(file)
  let read = 0
  const source: AsyncIterable<Uint8Array> = file === '-' ? stdin : createReadStream(file, { highWaterMark: 256 * 1024 })
  try {
    for await (const chunk of source) {
      const text = decoder.decode(chunk, { stream: true })
      read += chunk.byteLength
      onBytes(read, size)
      if (text !== '') yield text
    }
    const rest = decoder.decode()
    if (rest !== '') yield rest
  } catch (error) {
    throw asWrongUsage(error, file, charset)
  }
}

/** A small file whole, such as a key. */
export function readSmallFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw asWrongUsage(error, file, 'utf-8')
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch (error) {
    throw asWrongUsage(error, file, 'utf-8')
  }
}

function asWrongUsage(error: unknown, file: string, charset: Charset): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    const other = charset === 'utf-8' ? 'gb18030' : 'utf-8'
    return new WrongUsage({ en: `${file} is not in ${charset}: try --charset ${other}, or save it as UTF-8.`, zh: `${file} 不是 ${charset} 编码：请试 --charset ${other}，或另存为 UTF-8。` })
  }
  if (syscall !== undefined) return new WrongUsage({ en: `${file} cannot be read (${code}).`, zh: `无法读取 ${file}（${code}）。` })
  return error
}
