import { accept, refuse } from '../outcome.ts'
import type { Outcome } from '../outcome.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Decodes UTF-8 without ever replacing a byte. Refuses `protocol.charset_mismatch` {declared, at} where `at` is the index
 * of the byte at which the first unreadable sequence begins, or 0 for a byte order mark in front.
 */
export function decodeUtf8(bytes: Uint8Array): Outcome<string> {
  // The decoder would drop the mark in silence, so that the text is not what was signed.
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return mismatch(0)
  try {
    return accept(utf8.decode(bytes))
  } catch {
    return mismatch(firstBadByte(bytes))
  }
}

function mismatch(at: number): Outcome<never> {
  return refuse('protocol.charset_mismatch', { declared: 'UTF-8', at })
}

/** Lowest and highest second byte where the lead byte narrows them: overlong forms, surrogates, beyond U+10FFFF. */
const SECOND_BYTE: Readonly<Record<number, readonly [number, number]>> = {
  0xe0: [0xa0, 0xbf], 0xed: [0x80, 0x9f], 0xf0: [0x90, 0xbf], 0xf4: [0x80, 0x8f],
}

function firstBadByte(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
    if (length === 0 || at + length > bytes.length) return at
    for (let next = 1; next < length; next++) {
      const [low, high] = (next === 1 ? SECOND_BYTE[lead] : undefined) ?? [0x80, 0xbf]
      const byte = bytes[at + next] ?? 0
      if (byte < low || byte > high) return at
    }
    at += length
  }
  return bytes.length
}
