import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeUtf8 } from './charset.ts'

test('text survives the way to bytes and back, to the last 4-byte character', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    fc.pre(text.isWellFormed() && !text.startsWith('\ufeff'))
    assert.deepEqual(decodeUtf8(new TextEncoder().encode(text)), { ok: true, value: text })
  }))
})

const bad: [what: string, bytes: number[], at: number][] = [
  ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], 0],
  ['a UTF-16 byte order mark', [0xff, 0xfe, 0x61, 0x00], 0],
  ['GBK for 卡密', [0x61, 0xbf, 0xa8, 0xc3, 0xdc], 1],
  ['GBK whose second byte is a backslash', [0x61, 0x62, 0xbf, 0x5c], 2],
  ['half a character at the end', [0x61, 0xe5, 0x8d], 1],
  ['half a character before another', [0xe5, 0x8d, 0x61], 0],
  ['an overlong slash', [0x61, 0xc0, 0xaf], 1],
  ['an overlong slash of three bytes', [0x61, 0xe0, 0x80, 0xaf], 1],
  ['an overlong slash of four bytes', [0xf0, 0x80, 0x80, 0xaf], 0],
  ['a surrogate', [0x61, 0xed, 0xa0, 0x80], 1],
  ['a character beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
  ['a lead byte that never occurs', [0xe5, 0x8d, 0xa1, 0xf5, 0x80, 0x80, 0x80], 3],
]

for (const [what, bytes, at] of bad) {
  test(`${what} is told by its place and never replaced`, () => {
    assert.deepEqual(decodeUtf8(new Uint8Array(bytes)), {
      ok: false, refusal: { code: 'protocol.charset_mismatch', because: { declared: 'UTF-8', at } },
    })
  })
}

test('the place that is told is where the readable part ends', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
    const outcome = decodeUtf8(bytes)
    if (outcome.ok) return
    const at = Number(outcome.refusal.because['at'])
    assert.ok(at < bytes.length)
    assert.ok(at === 0 || decodeUtf8(bytes.subarray(0, at)).ok)
    for (let end = at + 1; end <= Math.min(at + 4, bytes.length); end++) {
      const head = bytes.subarray(at, end)
      const whole = decodeUtf8(head)
      assert.ok(!whole.ok, 'no character begins there')
    }
  }), { numRuns: 1000 })
})

test('a decoder that has failed once reads the next text from its first byte', () => {
  assert.ok(!decodeUtf8(new Uint8Array([0x61, 0xe5])).ok)
  assert.deepEqual(decodeUtf8(new TextEncoder().encode('卡密')), { ok: true, value: '卡密' })
})
