import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isTamePattern, readPattern, walkPattern } from './pattern.ts'

const single = fc.constantFrom('a', 'b', '#', '.', '\\d', '\\w', '\\W', '[ab]', '[^a#]', '\\.', '密', '\\u{1f600}', '\\p{L}', '[\\]a]')
const repeat = fc.constantFrom('', '', '', '*', '+', '?', '*?', '{2}', '{0,3}', '{1,}', '{12}')
const { pattern: patterns } = fc.letrec<{ atom: string; pattern: string }>((tie) => ({
  atom: fc.oneof({ depthSize: 'small' }, single, fc.tuple(fc.constantFrom('(', '(?:'), tie('pattern'), fc.constant(')')).map((parts) => parts.join(''))),
  pattern: fc.array(fc.oneof({ weight: 8, arbitrary: fc.tuple(tie('atom'), repeat).map((parts) => parts.join('')) }, { weight: 1, arbitrary: fc.constantFrom('^', '$', '|') }), { maxLength: 5 }).map((parts) => parts.join('')),
}))
const values = fc.string({ unit: fc.constantFrom('a', 'b', '#', '1', '.', '密', '😀', '\n', ']'), maxLength: 12 })

test('a pattern fits what a regular expression of the same words fits', () => {
  fc.assert(fc.property(patterns, values, (source, value) => {
    const pattern = readPattern(source)
    fc.pre(pattern !== null)
    assert.equal(walkPattern(pattern, value).fits, new RegExp(source, 'u').test(value))
  }), { numRuns: 5_000 })
})

test('no pattern takes more steps than its places for each character, whatever the value', () => {
  const tail = fc.constantFrom('', '!', '#', 'b')
  fc.assert(fc.property(patterns, fc.constantFrom('a', 'ab', '1', '密'), tail, (source, unit, end) => {
    const pattern = readPattern(source)
    fc.pre(pattern !== null)
    const value = unit.repeat(999 / unit.length) + end
    assert.ok(pattern.length <= 641, source)
    assert.ok(walkPattern(pattern, value).steps <= pattern.length * (value.length + 1), source)
  }), { numRuns: 300 })
  for (const source of ['\\w+\\w*\\w+#', '^\\w+\\w*\\w+#\\d+$', `^${'[0-9]?'.repeat(26)}$`, '(a+)+$', '(a|a)*b', '(.*)*#', '(\\w{1,9}){1,9}#', `${'\\d?'.repeat(60)}$`]) {
    const pattern = readPattern(source)!
    assert.ok(walkPattern(pattern, `${'1'.repeat(999)}!`).steps <= pattern.length * 1_001, source)
  }
})

test('patterns of the trade are taken; what a walk cannot tell, or too many repeats, is refused', () => {
  for (const pattern of ['^\\d{5,11}$', '^1[3-9]\\d{9}$', '^[^@ ]+@[^@ ]+\\.[a-z]{2,}$', '', '^(QQ)?\\d+$', '[(a+)*]', '^(?:一区|二区)$', '^.{1,300}$', '^[\\w.-]+@[\\w-]+(\\.[\\w-]+)+$']) assert.ok(isTamePattern(pattern), pattern)
  for (const pattern of ['(a)\\1', '(?<=a)b', '(?=a)b', '(?!a)', '(?<n>a)\\k<n>', '\\bword', 'a{1,900}', '((a{9}){9}){9}', '(){999999}', 'x'.repeat(201), '[', '(', 'a{2,1}', '*', 'a\nb']) assert.ok(!isTamePattern(pattern), pattern)
})
