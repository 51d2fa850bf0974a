import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from './canonical.ts'

test('the example of RFC 8785 is written as the RFC writes it', () => {
  const input = { numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001], string: '\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/', literals: [null, true, false] }
  assert.equal(
    canonicalJson(input),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('members are ordered by UTF-16 code units, as the RFC shows with emoji and Hebrew', () => {
  const input = { '\u20ac': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', '1': 'One', '\ud83d\ude00': 'Emoji: Grinning Face', '\u0080': 'Control', '\u00f6': 'Latin Small Letter O With Diaeresis' }
  const values = [...canonicalJson(input).matchAll(/:"([^"]+)"/g)].map((match) => match[1])
  assert.deepEqual(values, ['Carriage Return', 'One', 'Control', 'Latin Small Letter O With Diaeresis', 'Euro Sign', 'Emoji: Grinning Face', 'Hebrew Letter Dalet With Dagesh'])
})

test('a value has one form, whatever the order in which its members were written, and reads back as itself', () => {
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
    const turned = Object.fromEntries(Object.entries(value).toReversed())
    const text = canonicalJson(value)
    assert.equal(canonicalJson(turned), text)
    assert.equal(canonicalJson(JSON.parse(text)), text)
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
  }))
})

test('what JSON cannot say is refused, and members without a value are left out', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1n, undefined, () => 1, '\ud800', { '\udfff': 1 }]) assert.throws(() => canonicalJson(value), TypeError)
  assert.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}')
})
