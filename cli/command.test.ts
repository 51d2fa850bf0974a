import assert from 'node:assert/strict'
import { test } from 'node:test'
import { done, readArguments, WrongUsage, type Command } from './command.ts'
import { readAmount } from './commands/amount.ts'
import { readGround } from './commands/decisions.ts'
import { readTime } from './commands/time.ts'
import { columnsOf, langOf, table, withoutControls } from './screen.ts'

const words = { en: 'x', zh: 'x' }
const command: Command = {
  name: 'sample', who: 'operator', summary: words, teaches: [], examples: [], run: async () => done(null, ''),
  operands: [{ name: 'FILE', what: words }],
  options: [
    { name: 'good', value: 'CODE', isRequired: true, what: words }, { name: 'mode', value: 'MODE', oneOf: ['sandbox', 'live'], what: words },
    { name: 'fact', value: 'TEXT', isMany: true, what: words }, { name: 'dry', what: words },
  ],
}

test('options stand before or after operands, with a blank or an equals sign', () => {
  const { operands, values } = readArguments(command, ['--good=a', 'file', '--fact', 'one', '--dry', '--fact', 'two', '--mode', 'live'])
  assert.deepEqual(operands, ['file'])
  assert.deepEqual(Object.fromEntries(values), { good: ['a'], fact: ['one', 'two'], dry: [''], mode: ['live'] })
})

test('a dash is stdin and not an option, and after -- everything is an operand', () => {
  assert.deepEqual(readArguments(command, ['-', '--good', 'a']).operands, ['-'])
  assert.deepEqual(readArguments(command, ['--good', 'a', '--', '--file']).operands, ['--file'])
})

const wrong: [string, string[], RegExp][] = [
  ['an unknown option', ['f', '--good', 'a', '--godo', 'b'], /no option --godo/],
  ['an unknown short option', ['f', '--good', 'a', '-x'], /no option -x/],
  ['a missing operand', ['--good', 'a'], /Missing: FILE/],
  ['a missing option', ['f'], /Missing: --good/],
  ['an operand too many', ['f', 'g', '--good', 'a'], /"g" is one word too many/],
  ['an option without its value', ['f', '--good'], /--good needs a value/],
  ['an option that eats the next one', ['f', '--good', '--dry'], /--good needs a value/],
  ['an empty value', ['f', '--good', ''], /--good needs a value/],
  ['a value outside the list', ['f', '--good', 'a', '--mode', 'test'], /--mode is one of sandbox, live/],
  ['an option given twice', ['f', '--good', 'a', '--good', 'b'], /--good is given twice/],
  ['a switch with a value', ['f', '--good', 'a', '--dry=yes'], /--dry takes no value/],
]
for (const [what, argv, message] of wrong) {
  test(`${what} is wrong usage`, () => {
    assert.throws(() => readArguments(command, argv), (error: WrongUsage) => error instanceof WrongUsage && message.test(error.message) && error.words.zh !== '')
  })
}

test('help is given whatever else is missing', () => {
  assert.ok(readArguments(command, ['-h']).values.has('help'))
})

test('a time is a date or RFC 3339 with its offset; anything that had to be guessed is wrong usage', () => {
  assert.equal(readTime('at', '2027-01-31'), '2027-01-31T00:00:00.000Z')
  assert.equal(readTime('at', '2027-01-31T18:00:00+08:00'), '2027-01-31T10:00:00.000Z')
  assert.equal(readTime('at', undefined), undefined)
  for (const text of ['2027-01-31T18:00:00', '31.1.2027', 'tomorrow', '2027-13-01', '1795383129']) assert.throws(() => readTime('at', text), WrongUsage, text)
})

test('an amount is handed on as it was typed, or not at all', () => {
  assert.equal(readAmount('AMOUNT', '0.0015'), '0.0015')
  for (const text of ['0', '-1', '1,000.00', '1.0000001', '1e3', '', '1000000000.01']) assert.throws(() => readAmount('AMOUNT', text), WrongUsage, text)
})

test('a ground names type, rule and article, and when the rule was published', () => {
  assert.deepEqual(readGround('law:电子商务法:第二十七条'), { type: 'law', ref: '电子商务法', article: '第二十七条' })
  assert.deepEqual(readGround('published_rule:R-7:3.2:2026-10-01T00:00:00Z'), { type: 'published_rule', ref: 'R-7', article: '3.2', publishedAt: '2026-10-01T00:00:00.000Z' })
  for (const text of ['law', 'law:x', 'custom:x:y', 'law::y', 'law:x:y:soon']) assert.throws(() => readGround(text), WrongUsage, text)
})

test('the language is the one asked for, else that of the locale that counts', () => {
  assert.equal(langOf({ LANG: 'zh_CN.UTF-8' }), 'zh')
  assert.equal(langOf({ LANG: 'zh_CN.UTF-8', LC_ALL: 'C' }), 'en')
  assert.equal(langOf({ LANG: 'en_US.UTF-8', LC_ALL: 'zh_TW' }), 'zh')
  assert.equal(langOf({ LANG: 'zh_CN.UTF-8' }, 'en'), 'en')
  assert.equal(langOf({}), 'en')
})

test('columns line up though Chinese characters are twice as wide', () => {
  const lines = table([['Q币卡', 'a'], ['card', 'b'], ['（全）', 'c']], 0).split('\n')
  assert.deepEqual(lines.map((line) => columnsOf(line)), [9, 9, 9])
})

test('text from the network cannot steer the terminal', () => {
  assert.equal(withoutControls('a\u001b[2Jb\u009bc\n\td'), 'a\ufffd[2Jb\ufffdc\n\td')
})
