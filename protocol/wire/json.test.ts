import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { JSON_ARRAY_MAX, JSON_DEPTH_MAX, readJson } from './json.ts'

const FORBIDDEN = ['__proto__', 'constructor', 'prototype']

const key = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.constantFrom('toString', 'hasOwnProperty', '0', '12', ''))
  .filter((text) => !FORBIDDEN.includes(text) && !text.includes('\0'))
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => value.isWellFormed() && !value.includes('\0'))
const number = fc.oneof(fc.maxSafeInteger(), fc.nat(2000), fc.double({ noNaN: true, min: -9e15, max: 9e15 }), fc.constantFrom(5e-324, 1e-7, 0.1))
  .filter((value) => !Object.is(value, -0))
const { value: document } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.constantFrom(null, true, false), number, text, tie('array'), tie('object')),
  array: fc.array(tie('value'), { maxLength: 4 }),
  object: fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([name]) => name }).map((pairs) => Object.fromEntries(pairs)),
}))

/** Writes every character of every string as an escape. */
function escapeAll(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"/g, (token) =>
    `"${Array.from({ length: JSON.parse(token).length }, (_, at) => `\\u${JSON.parse(token).charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`)
}

test('a valid document means what JSON.parse says it means, however it is written', () => {
  fc.assert(fc.property(document, fc.constantFrom(undefined, 2, '\t\r\n '), (value, space) => {
    const json = JSON.stringify(value, null, space)
    for (const writing of [json, `\n ${json}\t\r\n`, escapeAll(json)]) {
      assert.deepEqual(readJson(writing), { ok: true, value: JSON.parse(writing) })
    }
  }), { numRuns: 500 })
})

test('a document with bytes changed, cut out or put in is never read as something JSON.parse does not see', () => {
  const change = fc.record({ at: fc.nat(200), cut: fc.nat(2), put: fc.constantFrom('', '"', ',', ':', '{', '}', '[', ']', '\\', '\\u0', '0', '-', 'e9', '.', ' ', 'n', '\u0001', '\ud800') })
  fc.assert(fc.property(document, fc.array(change, { minLength: 1, maxLength: 3 }), (value, changes) => {
    let json = JSON.stringify(value)
    for (const { at, cut, put } of changes) json = json.slice(0, at % (json.length + 1)) + put + json.slice((at % (json.length + 1)) + cut)
    const outcome = readJson(json)
    if (outcome.ok) assert.deepEqual(outcome.value, JSON.parse(json))
    else assert.match(outcome.refusal.code, /^protocol\.(malformed_request|invalid_field)$/)
  }), { numRuns: 2000 })
})

const malformed: [what: string, body: string, problem: RegExp, at: string][] = [
  ['an empty body', '', /body is empty/, 'line 1 column 1'],
  ['only blanks', ' \r\n\t', /body is empty/, 'line 2 column 2'],
  ['duplicate keys', '{"a":1,"b":2,"a":1}', /twice/, 'line 1 column 14'],
  ['duplicate keys, one of them escaped', '{"a":1,"\\u0061":1}', /twice/, 'line 1 column 8'],
  ['a duplicate of an inherited name', '{"toString":1,"toString":2}', /twice/, 'line 1 column 15'],
  ['NaN', '{"a":NaN}', /^NaN is not a JSON value$/, 'line 1 column 6'],
  ['Infinity', 'Infinity', /^Infinity is not/, 'line 1 column 1'],
  ['-Infinity', '[-Infinity]', /digit should follow the minus/, 'line 1 column 3'],
  ['a word in capitals', '{"a":True}', /^True is not/, 'line 1 column 6'],
  ['a cut word', '[tru', /^tru is not/, 'line 1 column 2'],
  ['trailing bytes', '{}\n x', /follows the end/, 'line 2 column 2'],
  ['two documents', '{}{}', /follows the end/, 'line 1 column 3'],
  ['a raw lone high surrogate', '{"a":"\ud83d"}', /surrogate/, 'line 1 column 7'],
  ['a raw lone low surrogate', '["\ude00"]', /surrogate/, 'line 1 column 3'],
  ['an escaped lone high surrogate', '["\\ud83d"]', /surrogate/, 'line 1 column 3'],
  ['an escaped lone low surrogate', '["\\ude00"]', /surrogate/, 'line 1 column 3'],
  ['two escaped high surrogates', '["\\ud83d\\ud83d"]', /surrogate/, 'line 1 column 3'],
  ['an escaped high before a raw low surrogate', '["\\ud83d\ude00"]', /surrogate/, 'line 1 column 9'],
  ['raw NUL in a string', '["a\0"]', /NUL/, 'line 1 column 4'],
  ['raw NUL after an escape', '["\\n\0"]', /NUL/, 'line 1 column 5'],
  ['raw NUL between values', '[\0]', /NUL/, 'line 1 column 2'],
  ['a raw line end in a string', '["a\nb"]', /control character/, 'line 1 column 4'],
  ['a raw control character after an escape', '["\\t\u001f"]', /control character/, 'line 1 column 5'],
  ['an unknown escape', '["\\x41"]', /backslash/, 'line 1 column 3'],
  ['an escape that names a property of objects', '["\\constructor"]', /backslash/, 'line 1 column 3'],
  ['a short unicode escape', '["\\u12"]', /four hexadecimal/, 'line 1 column 3'],
  ['a unicode escape with a sign', '["\\u+123"]', /four hexadecimal/, 'line 1 column 3'],
  ['an open string', '["abc', /not closed/, 'line 1 column 6'],
  ['a backslash at the end', '["a\\', /backslash/, 'line 1 column 4'],
  ['an open object', '{"a":1', /ends too early/, 'line 1 column 7'],
  ['an open array', '[1,', /ends too early/, 'line 1 column 4'],
  ['a comma before }', '{"a":1,}', /key in double quotes/, 'line 1 column 8'],
  ['a comma before ]', '[1,]', /value should stand/, 'line 1 column 4'],
  ['no comma', '[1 2]', /comma or \]/, 'line 1 column 4'],
  ['no colon', '{"a" 1}', /colon/, 'line 1 column 6'],
  ['a key without quotes', '{a:1}', /key in double quotes/, 'line 1 column 2'],
  ['single quotes', "['a']", /value should stand/, 'line 1 column 2'],
  ['a comment', '[/* */1]', /value should stand/, 'line 1 column 2'],
  ['a needless zero', '[00.1]', /needless zero/, 'line 1 column 2'],
  ['a number that starts with a point', '[.5]', /value should stand/, 'line 1 column 2'],
  ['a number that ends in a point', '[5.]', /digit should follow the decimal point/, 'line 1 column 4'],
  ['an empty exponent', '[1e+]', /exponent/, 'line 1 column 5'],
  ['a plus sign', '[+1]', /value should stand/, 'line 1 column 2'],
  ['hexadecimal', '[0x10]', /comma or \]/, 'line 1 column 3'],
  ['a byte order mark', '\ufeff{}', /byte order mark/, 'line 1 column 1'],
  ['a blank that JSON does not know', '\u00a0{}', /value should stand/, 'line 1 column 1'],
]

for (const [what, body, problem, at] of malformed) {
  test(`${what} is not a JSON document`, () => {
    const outcome = readJson(body)
    assert.ok(!outcome.ok)
    assert.equal(outcome.refusal.code, 'protocol.malformed_request')
    assert.match(String(outcome.refusal.because['problem']), problem)
    assert.equal(outcome.refusal.because['at'], at)
  })
}

const invalid: [what: string, body: string, path: string, expected: RegExp][] = [
  ['an escaped NUL', '["a\\u0000"]', '/0', /NUL/],
  ['the key __proto__', '{"form":{"__proto__":{"is_admin":true}}}', '/form/__proto__', /not allowed/],
  ['the key __proto__ in escapes', '{"\\u005f_proto__":1}', '/__proto__', /not allowed/],
  ['the key constructor', '[{"constructor":{}}]', '/0/constructor', /not allowed/],
  ['the key prototype', '{"prototype":null}', '/prototype', /not allowed/],
  ['1e309', '{"quantity":1e309}', '/quantity', /9007199254740991/],
  ['-1e309', '{"a/b~":[0,-1e309]}', '/a~1b~0/1', /9007199254740991/],
  ['2^53', '{"quantity":9007199254740992}', '/quantity', /9007199254740991/],
  ['2^53 + 1', '{"quantity":9007199254740993}', '/quantity', /9007199254740991/],
  ['-2^53', '-9007199254740992', '/', /9007199254740991/],
  ['a long integer with an exponent', '{"quantity":1e20}', '/quantity', /9007199254740991/],
  ['-0', '{"quantity":-0}', '/quantity', /minus zero/],
  ['-0.0e7', '[-0.0e7]', '/0', /minus zero/],
  ['1e-400, which would be read as 0', '[1e-400]', '/0', /double/],
]

for (const [what, body, path, expected] of invalid) {
  test(`${what} is refused with its path`, () => {
    const outcome = readJson(body)
    assert.ok(!outcome.ok)
    assert.equal(outcome.refusal.code, 'protocol.invalid_field')
    assert.equal(outcome.refusal.because['path'], path)
    assert.match(String(outcome.refusal.because['expected']), expected)
  })
}

test('numbers at the edge of what a double carries are read exactly', () => {
  const body = '[9007199254740991,-9007199254740991,999999999999999,1000000000000000,5e-324,0,0.0,0e5,-1,19.99,1E2]'
  assert.deepEqual(readJson(body), { ok: true, value: JSON.parse(body) })
})

test('nothing from the wire reaches a prototype, and every property is the object\'s own', () => {
  const outcome = readJson('{"hasOwnProperty":1,"toString":2,"valueOf":{"x":3}}')
  assert.ok(outcome.ok)
  assert.equal(Object.getPrototypeOf(outcome.value), Object.prototype)
  assert.deepEqual(Object.keys(outcome.value as object), ['hasOwnProperty', 'toString', 'valueOf'])
  readJson('{"__proto__":{"polluted":true}}')
  assert.equal('polluted' in {}, false)
})

test('32 levels are read, the 33rd is refused where it opens, and a hundred thousand do not overflow the stack', () => {
  assert.ok(readJson('['.repeat(JSON_DEPTH_MAX) + ']'.repeat(JSON_DEPTH_MAX)).ok)
  assert.ok(readJson(`${'{"a":'.repeat(JSON_DEPTH_MAX)}1${'}'.repeat(JSON_DEPTH_MAX)}`).ok)
  for (const depth of [JSON_DEPTH_MAX + 1, 100_000]) {
    for (const [open, width] of [['[', 1], ['{"a":', 5], ['[{"a":', 3]] as const) {
      const outcome = readJson(open.repeat(depth))
      assert.ok(!outcome.ok)
      assert.match(String(outcome.refusal.because['problem']), /deeper than 32/)
      assert.equal(outcome.refusal.because['at'], `line 1 column ${JSON_DEPTH_MAX * width + 1}`)
    }
  }
})

test('ten thousand items are read, one more is too large', () => {
  assert.ok(readJson(`[${'0,'.repeat(JSON_ARRAY_MAX - 1)}0]`).ok)
  assert.deepEqual(readJson(`{"orders":[${'0,'.repeat(JSON_ARRAY_MAX)}0]}`), {
    ok: false, refusal: { code: 'protocol.request_too_large', because: { what: 'array items', allowed: '10000' } },
  })
})

test('64 KB of one thing after another are read or refused like any other body', () => {
  const size = 65_536
  const bodies = [
    `"${'\\u0041'.repeat(size / 6)}"`, `"${'\\n'.repeat(size / 2)}"`, `"${'\\na'.repeat(size / 3)}"`, `"${'x'.repeat(size)}"`, ' '.repeat(size) + '1',
    '9'.repeat(size), `0.${'0'.repeat(size)}1`, `{${Array.from({ length: 6000 }, (_, at) => `"k${at}":${at}`).join()}}`,
    '"\\'.repeat(size / 2), `[${'"a",'.repeat(9_000)}1]`,
  ]
  for (const body of bodies) {
    const outcome = readJson(body)
    if (outcome.ok) assert.deepEqual(outcome.value, JSON.parse(body))
    else assert.match(outcome.refusal.code, /malformed_request|invalid_field/)
  }
})

test('what a refusal keeps of the asker\'s own keys is bounded', () => {
  const outcome = readJson(`{"${'k'.repeat(5000)}":1e309}`)
  assert.ok(!outcome.ok)
  assert.equal(String(outcome.refusal.because['path']).length, 200)
})
