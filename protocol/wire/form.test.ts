import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FORM_FIELDS_MAX, readForm, writeForm } from './form.ts'
import type { Form } from './form.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Code that the browsers' own reader must agree with, pair by pair. */
const pairsOf = (form: Form): [string, string][] =>
  [...form].flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[name, value]] : [...value].map(([inner, text]) => [`${name}[${inner}]`, text]))

const allowed = (text: string): boolean => text.isWellFormed() && !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufeff]/.test(text)
const value = fc.string({ unit: fc.constantFrom('a', ' ', '+', '%', '&', '=', '[', ']', '卡', '𠮷', '\n', "'", '~', '*', '"'), maxLength: 8 })
const anyValue = fc.oneof(value, fc.string({ unit: 'binary', maxLength: 8 }).filter(allowed))
const name = fc.string({ unit: fc.constantFrom('a', 'b', '_', '卡', ' ', '&', '=', '%', '+'), minLength: 1, maxLength: 5 })
const form: fc.Arbitrary<Form> = fc.uniqueArray(
  fc.tuple(name, fc.oneof(anyValue, fc.uniqueArray(fc.tuple(name, anyValue), { minLength: 1, maxLength: 3, selector: ([inner]) => inner }).map((pairs) => new Map(pairs)))),
  { maxLength: 6, selector: ([outer]) => outer },
).map((pairs) => new Map(pairs))

test('what is written is read again as the same fields in the same order', () => {
  fc.assert(fc.property(form, (fields) => {
    const outcome = readForm(bytes(writeForm(fields)))
    assert.ok(outcome.ok)
    assert.deepEqual(pairsOf(outcome.value), pairsOf(fields))
    assert.deepEqual([...new URLSearchParams(writeForm(fields))], pairsOf(fields))
  }), { numRuns: 500 })
})

test('any bytes are read as a browser would read them, or refused', () => {
  const part = fc.constantFrom('a', 'b', '=', '&', '%', '%4', '%41', '%E5%8D%A1', '%E5', '%00', '+', '[', ']', '[]', '[x]', '卡', '\u0001', '1')
  fc.assert(fc.property(fc.array(part, { maxLength: 14 }), (parts) => {
    const body = parts.join('')
    const outcome = readForm(bytes(body))
    if (outcome.ok) assert.deepEqual(pairsOf(outcome.value).sort(), [...new URLSearchParams(body)].sort())
    else assert.match(outcome.refusal.code, /^protocol\.(malformed_request|charset_mismatch|invalid_field)$/)
  }), { numRuns: 2000 })
})

test('nested keys go one level deep and keep their order beside plain fields', () => {
  const outcome = readForm(bytes('race=%E6%9C%88%E5%8D%A1&sku%5B%E5%8C%BA%E6%9C%8D%5D=%E4%B8%80%E5%8C%BA&sku[b]=2&app_id=1000&note=a+b%2Bc&empty='))
  assert.ok(outcome.ok)
  assert.deepEqual([...outcome.value], [
    ['race', '月卡'], ['sku', new Map([['区服', '一区'], ['b', '2']])], ['app_id', '1000'], ['note', 'a b+c'], ['empty', ''],
  ])
})

test('an empty body is a form without fields', () => {
  const outcome = readForm(new Uint8Array())
  assert.ok(outcome.ok)
  assert.equal(outcome.value.size, 0)
})

const malformed: [what: string, body: string, problem: RegExp, at: number][] = [
  ['two amounts', 'a=0&amt=1&amt=9', /twice/, 10],
  ['two fields of one name in different writing', 'amt=1&%61mt=1', /twice/, 6],
  ['two nested fields of one name', 'sku[a]=1&sku[a]=2', /twice/, 9],
  ['a plain field and a nested one of one name', 'sku=1&sku[a]=2', /twice/, 6],
  ['a nested field and a plain one of one name', 'sku[a]=2&sku=1', /twice/, 9],
  ['a list', 'a[]=1', /list/, 0],
  ['a list in percent signs', 'x=1&a%5B%5D=1', /list/, 4],
  ['two levels', 'a[b][c]=1', /deeper/, 0],
  ['an open bracket', 'a[b=1', /brackets/, 0],
  ['a closing bracket alone', 'ab]=1', /brackets/, 0],
  ['brackets without a name', '[a]=1', /brackets/, 0],
  ['text behind the bracket', 'a[b]c=1', /brackets/, 0],
  ['a bracket in a bracket', 'a[[b]=1', /brackets/, 0],
  ['a bad percent sign', 'a=%zz', /percent/, 2],
  ['a bad percent sign in a name', 'x=1&%4g=1', /percent/, 4],
  ['a truncated percent sign', 'a=%4', /percent/, 2],
  ['a percent sign at the end', 'a=1%', /percent/, 3],
  ['a percent sign that would reach over the end of the field', 'a=%4&b=1', /percent/, 2],
  ['a percent sign after Chinese text', 'a=卡%', /percent/, 5],
  ['escaped NUL', 'a=b%00', /NUL/, 3],
  ['raw NUL', 'a=b\0', /NUL/, 3],
  ['NUL in a name', 'a%00b=1', /NUL/, 1],
  ['a control character in a name', 'a%01=1', /control character/, 0],
  ['no equals sign', 'a=1&b', /name=value/, 4],
  ['an empty pair', 'a=1&&b=2', /name=value/, 4],
  ['an ampersand at the end', 'a=1&', /name=value/, 4],
  ['no name', '=1', /no name/, 0],
  ['too many fields', Array.from({ length: FORM_FIELDS_MAX + 1 }, (_, at) => `f${at}=`).join('&'), /more than 200/, 1090],
]

for (const [what, body, problem, at] of malformed) {
  test(`${what}: malformed`, () => {
    const outcome = readForm(bytes(body))
    assert.ok(!outcome.ok)
    assert.equal(outcome.refusal.code, 'protocol.malformed_request')
    assert.match(String(outcome.refusal.because['problem']), problem)
    assert.equal(outcome.refusal.because['at'], `byte ${at}`)
  })
}

const foreign: [what: string, body: string | number[], at: number][] = [
  ['half a character in percent signs', 'a=%E5%8D', 2],
  ['half a character before other text', 'a=x%E5%8D%A1%E5%8Dy', 12],
  ['half a character after raw Chinese text', 'a=卡%E5', 5],
  ['GBK in percent signs', 'a=%BF%A8%C3%DC', 2],
  ['GBK with a backslash as second byte', 'a=%BF%5C', 2],
  ['an overlong slash', 'a=..%C0%AF', 4],
  ['raw GBK', [0x61, 0x3d, 0xbf, 0xa8], 2],
]

for (const [what, body, at] of foreign) {
  test(`${what} is not UTF-8`, () => {
    assert.deepEqual(readForm(typeof body === 'string' ? bytes(body) : new Uint8Array(body)), {
      ok: false, refusal: { code: 'protocol.charset_mismatch', because: { declared: 'UTF-8', at } },
    })
  })
}

test('control characters are refused by field, tab and line ends are text', () => {
  for (const [body, path] of [['a=1&contact=%1B[2J', '/contact'], ['sku[b]=%7F', '/sku/b'], ['c=%C2%85', '/c'], ['d=\u0008', '/d']] as const) {
    assert.deepEqual(readForm(bytes(body)), {
      ok: false, refusal: { code: 'protocol.invalid_field', because: { path, expected: 'text without control characters' } },
    })
  }
  const outcome = readForm(bytes('a=x%09y%0D%0Az'))
  assert.ok(outcome.ok)
  assert.equal(outcome.value.get('a'), 'x\ty\r\nz')
})

test('names that objects inherit are fields like any other', () => {
  const outcome = readForm(bytes('__proto__=1&constructor=2&sku[__proto__]=3'))
  assert.ok(outcome.ok)
  assert.equal(outcome.value.get('constructor'), '2')
  assert.deepEqual(outcome.value.get('sku'), new Map([['__proto__', '3']]))
  assert.equal('sku' in {}, false)
})

test('64 KB of percent signs, brackets or ampersands are answered, whatever they are', () => {
  const size = 65_536
  assert.ok(readForm(bytes(`a=${'%41'.repeat(size / 3)}`)).ok)
  assert.ok(readForm(bytes(`a=${'%41b'.repeat(size / 4)}`)).ok)
  assert.ok(readForm(bytes(`a=${'+'.repeat(size)}`)).ok)
  for (const body of ['%'.repeat(size), '&'.repeat(size), '['.repeat(size), `a${'[b]'.repeat(size / 3)}=1`, '='.repeat(size) + '\0', `a=${'%E5'.repeat(size / 3)}`]) {
    assert.ok(!readForm(bytes(body)).ok)
  }
})
