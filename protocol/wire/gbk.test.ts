import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeGbk } from './gbk.ts'

test('Chinese text in GBK is read again as it was', () => {
  assert.deepEqual([...encodeGbk('卡密')], [0xbf, 0xa8, 0xc3, 0xdc])
  const han = fc.string({ unit: fc.integer({ min: 0x4e00, max: 0x9fa5 }).map((code) => String.fromCharCode(code)), maxLength: 200 })
  fc.assert(fc.property(han, fc.string({ unit: 'grapheme-ascii' }), (a, b) => new TextDecoder('gbk', { fatal: true }).decode(encodeGbk(a + b)) === a + b))
})

test('what GBK has no bytes for becomes a question mark', () => {
  assert.equal(new TextDecoder('gbk').decode(encodeGbk('a\u{1f600}\u0001b')), 'a?\u0001b')
})
