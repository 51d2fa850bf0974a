import { test } from 'node:test'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { makeKey, readKey } from './keys.ts'

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIXES = [['bth_live_', 'live'], ['bth_test_', 'sandbox'], ['bth_op_', 'operator']] as const
const sample = makeKey('bth_live_', randomBytes)

function isMalformed(text: string): boolean {
  const outcome = readKey(text)
  return !outcome.ok && outcome.refusal.code === 'partners.key_malformed'
}

test('a key says what it is for', () => {
  for (const [prefix, mode] of PREFIXES) {
    for (let i = 0; i < 200; i++) {
      const key = makeKey(prefix, randomBytes)
      assert.match(key, /^bth_(live|test|op)_[0-9A-Za-z]{36}$/)
      assert.deepEqual(readKey(key), { ok: true, value: { mode } })
    }
  }
})

test('the last six characters are the CRC-32 of all before them in base62', () => {
  let padded = 0
  for (let i = 0; i < 256; i++) {
    const key = makeKey('bth_test_', (count) => new Uint8Array(count).fill(i % 248))
    const value = key.slice(-6).split('').reduce((sum, character) => sum * 62 + BASE62.indexOf(character), 0)
    assert.equal(value, crc32(key.slice(0, -6)))
    if (key.at(-6) === '0') padded++
  }
  assert.ok(padded > 0, 'one in five begins with a zero, which must not be left out')
})

test('every single substitution is refused', () => {
  for (let at = 0; at < sample.length; at++) {
    for (const character of `${BASE62}_- é`) {
      const changed = sample.slice(0, at) + character + sample.slice(at + 1)
      if (changed !== sample) assert.ok(isMalformed(changed), changed)
    }
  }
})

test('every swap of neighbours is refused', () => {
  for (let at = 0; at + 1 < sample.length; at++) {
    const swapped = sample.slice(0, at) + sample[at + 1]! + sample[at]! + sample.slice(at + 2)
    if (swapped !== sample) assert.ok(isMalformed(swapped), swapped)
  }
})

test('a key that was not copied whole, or is none, is refused', () => {
  const rest = sample.slice('bth_live_'.length)
  const others = ['', 'null', sample.slice(1), sample.slice(0, -1), `${sample}a`, ` ${sample}`, `${sample}\n`, sample.toUpperCase(),
    rest, `bth_test_${rest}`, `bth_op_${rest}`, `sk_live_${rest}`, `bth_live_${'0'.repeat(36)}`]
  for (const text of others) assert.ok(isMalformed(text), text)
})

test('all 62 characters are equally likely', () => {
  // A source that gives every byte in turn, one a draw so that none is wasted. Those from 248 on are thrown away, which
  // leaves four bytes for each character; 124 keys of 30 characters are fifteen rounds of the 248.
  let next = 0
  const everyByteInTurn = () => Uint8Array.of(next++ % 256)
  const counts = new Map<string, number>()
  for (let i = 0; i < 124; i++) {
    for (const character of makeKey('bth_op_', everyByteInTurn).slice('bth_op_'.length, -6)) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
  }
  assert.deepEqual([...counts.keys()].toSorted(), [...BASE62])
  assert.deepEqual(new Set(counts.values()), new Set([60]))
})
