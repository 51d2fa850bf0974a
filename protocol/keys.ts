import { accept, refuse } from './outcome.ts'
import type { Outcome } from './outcome.ts'

/**
 * API keys as text: prefix, 30 random base62 characters (178 bits), and 6 of checksum over all before them. The prefix
 * lets leak scanners and people see what it is; the checksum tells a badly copied key from an unknown one without a look-up.
 */
export type KeyPrefix = 'bth_live_' | 'bth_test_' | 'bth_op_'
export type KeyMode = 'live' | 'sandbox' | 'operator'

const MODES: Readonly<Record<KeyPrefix, KeyMode>> = { bth_live_: 'live', bth_test_: 'sandbox', bth_op_: 'operator' }

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 30
const CHECKSUM_LENGTH = 6
const KEY = /^(bth_live_|bth_test_|bth_op_)[0-9A-Za-z]{36}$/

/** Makes a new key. `randomBytes` must give that many bytes of a cryptographic source. */
export function makeKey(prefix: KeyPrefix, randomBytes: (count: number) => Uint8Array): string {
  const length = prefix.length + RANDOM_LENGTH
  let key: string = prefix
  while (key.length < length) {
    for (const byte of randomBytes(RANDOM_LENGTH)) {
      // 248 is the largest multiple of 62 in a byte: what lies above it would favour the first eight characters.
      if (byte < 248 && key.length < length) key += BASE62[byte % 62]!
    }
  }
  return key + checksum(key)
}

/** Tells what a key is for; refuses with partners.key_malformed when its form or checksum is wrong. Nothing is looked up. */
export function readKey(text: string): Outcome<{ readonly mode: KeyMode }> {
  const prefix = KEY.exec(text)?.[1]
  if (prefix === undefined) return refuse('partners.key_malformed')
  const end = text.length - CHECKSUM_LENGTH
  if (checksum(text.slice(0, end)) !== text.slice(end)) return refuse('partners.key_malformed')
  return accept({ mode: MODES[prefix as KeyPrefix] })
}

/** CRC-32 in base62, zero-padded: 62⁶ is thirteen times 2³², so six characters hold every value. */
function checksum(text: string): string {
  let rest = crc32(text)
  let spelled = ''
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    spelled = BASE62[rest % 62]! + spelled
    rest = Math.floor(rest / 62)
  }
  return spelled
}

const CRC_TABLE = new Uint32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0xedb88320
  CRC_TABLE[byte] = crc
}

/** The CRC-32 of zip and PNG, of ASCII text. It finds every change within four neighbouring characters. */
function crc32(text: string): number {
  let crc = 0xffffffff
  for (let i = 0; i < text.length; i++) crc = CRC_TABLE[(crc ^ text.charCodeAt(i)) & 255]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
