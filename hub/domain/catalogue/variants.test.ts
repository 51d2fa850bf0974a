import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatAmount } from '../../../protocol/money.ts'
import type { Outcome } from '../../../protocol/outcome.ts'
import { checkForm, formSchema } from './form.ts'
import type { Choice, GoodOptions } from './model.ts'
import { optionsOf, readOptions, writeOptions } from './options.ts'
import { choiceOf, chooseVariant, listPriceOf, readGood, stockOfChoice, variantOf } from './rules.ts'

function good(row: Record<string, unknown>) {
  const read = readGood({ code: 'G', name: 'Good', category: 'Test', unitPrice: '10', ...row })
  assert.ok(read.ok, read.ok ? '' : JSON.stringify(read.refusal))
  return read.value
}

function code(outcome: Outcome<unknown>): string {
  return outcome.ok ? 'accepted' : `${outcome.refusal.code} ${Object.values(outcome.refusal.because).flat().join(' ')}`
}

const RACED = good({
  cost: '8', races: [{ name: '月卡', unitPrice: '30', cost: '26', wholesale: [{ from: 10, unitPrice: '28' }] }, { name: '季卡', unitPrice: '80' }],
  options: [{ name: '区服', choices: [{ name: '一区', surcharge: '1' }, { name: '二区', surcharge: '2' }] }],
})
const WHOLESALE = good({ wholesale: [{ from: 100, unitPrice: '8' }, { from: 10, unitPrice: '9.5' }] })
const choose = (race: string | null, options: Record<string, string> = {}): Choice => ({ race, options })

test('the figures of a real main site: race in place of the price, tiers by quantity, surcharges on top', () => {
  const table: [typeof RACED, Choice, number, string, string | null][] = [
    [RACED, choose('月卡', { 区服: '一区' }), 1, '31.00', '26.00'],
    [RACED, choose('月卡', { 区服: '二区' }), 2, '64.00', '26.00'],
    [RACED, choose('月卡', { 区服: '二区' }), 9, '288.00', '26.00'],
    [RACED, choose('月卡', { 区服: '二区' }), 10, '300.00', '26.00'],
    [RACED, choose('季卡', { 区服: '一区' }), 1, '81.00', '8.00'],
    [WHOLESALE, choose(null), 9, '90.00', null],
    [WHOLESALE, choose(null), 10, '95.00', null],
    [WHOLESALE, choose(null), 1000, '8000.00', null],
  ]
  for (const [of, choice, quantity, total, cost] of table) {
    const chosen = chooseVariant(of, choice)
    assert.ok(chosen.ok)
    const { listMicro, costMicro } = listPriceOf(of, chosen.value, quantity)
    assert.deepEqual([formatAmount((listMicro + chosen.value.surchargeMicro) * BigInt(quantity)), costMicro === null ? null : formatAmount(costMicro)], [total, cost])
  }
})

test('a choice is whole and of this good, or is told what is wrong', () => {
  const table: [Choice, string][] = [
    [choose('月卡', { 区服: '一区' }), 'accepted'], [choose(null), 'orders.choice_missing race 区服'], [choose('月卡'), 'orders.choice_missing 区服'],
    [choose(null, { 区服: '一区' }), 'orders.choice_missing race'], [choose('年卡', { 区服: '一区' }), 'orders.option_not_supported race=年卡'],
    [choose('月卡', { 区服: '三区' }), 'orders.option_not_supported 区服=三区'], [choose('月卡', { 区服: '一区', 颜色: '红' }), 'orders.option_not_supported sku 颜色'],
    [choose('月卡|区服=一区'), 'orders.option_not_supported race=月卡|区服=一区'], [choose('月卡', { 区服: '__proto__' }), 'orders.option_not_supported 区服=__proto__'],
  ]
  for (const [choice, answer] of table) assert.equal(code(chooseVariant(RACED, choice)), answer)
  assert.equal(code(chooseVariant(WHOLESALE, choose('月卡'))), 'orders.option_not_supported race=月卡')
  assert.equal(code(chooseVariant(WHOLESALE, choose(null))), 'accepted')
})

test('a variant is one text for one choice, whatever the order of the groups, and leads back to it', () => {
  const name = fc.string({ minLength: 1, unit: fc.constantFrom('月', '卡', 'a', '1', ' ', '（') }).filter((text) => text.trim() === text && text !== '')
  fc.assert(fc.property(fc.option(name), fc.dictionary(name, name, { maxKeys: 4 }), (race, options) => {
    const variant = variantOf({ race, options })
    const back = Object.fromEntries(Object.entries(options).toReversed())
    assert.equal(variantOf({ race, options: back }), variant)
    assert.deepEqual({ ...choiceOf(variant).options }, { ...options })
    assert.equal(choiceOf(variant).race, race)
  }))
  assert.equal(variantOf(choose(null)), '')
})

test('stock counts the variants that a choice may still mean', () => {
  const stock = new Map([['月卡|区服=一区', 3], ['月卡|区服=二区', 4], ['季卡|区服=一区', 5]])
  const table: [Choice, number][] = [[choose(null), 12], [choose('月卡'), 7], [choose('月卡', { 区服: '二区' }), 4], [choose(null, { 区服: '一区' }), 8], [choose('年卡'), 0]]
  for (const [choice, left] of table) assert.equal(stockOfChoice(stock, choice), left)
})

test('options are stored as text and come back as they were; a plain good stores none', () => {
  for (const options of [RACED.options, WHOLESALE.options, good({ delivery: 'manual', form: [{ name: 'account', label: '账号' }], contact: 'qq' }).options]) {
    assert.deepEqual(optionsOf(JSON.parse(writeOptions(options)!)), options)
  }
  assert.equal(writeOptions(good({}).options), null)
})

test('what cannot be kept is named by its path', () => {
  const table: [Record<string, unknown>, string][] = [
    [{ races: [{ name: 'a.b', unitPrice: '1' }] }, '/races/0/name'], [{ races: [{ name: '月卡', unitPrice: '0' }] }, '/races/0/unitPrice'],
    [{ races: [{ name: '月卡', unitPrice: '1' }, { name: '月卡', unitPrice: '2' }] }, '/races'], [{ races: { 月卡: '30' } }, '/races'],
    [{ options: [{ name: '区服', choices: [] }] }, '/options/0/choices'], [{ options: [{ name: '区服', choices: [{ name: '一区', surcharge: 1 }] }] }, '/options/0/choices/0/surcharge'],
    [{ wholesale: [{ from: 1, unitPrice: '1' }] }, '/wholesale/0/from'], [{ wholesale: [{ from: 5, unitPrice: '1' }, { from: 5, unitPrice: '2' }] }, '/wholesale'],
    [{ races: [{ name: '月卡', unitPrice: '1' }], wholesale: [{ from: 5, unitPrice: '1' }] }, '/wholesale'],
    [{ form: [{ name: 'num' }] }, '/form/0/name'], [{ form: [{ name: 'a b' }] }, '/form/0/name'], [{ form: [{ name: 'a', type: 'file' }] }, '/form/0/type'],
    [{ form: [{ name: 'a', type: 'select' }] }, '/form/0/choices'], [{ form: [{ name: 'a', pattern: '(a)\\1' }] }, '/form/0/pattern'], [{ form: [{ name: 'a', pattern: '(' }] }, '/form/0/pattern'],
    [{ contact: 'fax' }, '/contact'], [{ delivery: 'drone' }, '/delivery'], [{ stock: 5 }, '/stock'], [{ delivery: 'manual', stock: -1 }, '/stock'], [{ message: 'x'.repeat(201) }, '/message'],
    [{ cost: '-1' }, '/cost'], [{ cost: 1 }, '/cost'],
  ]
  for (const [row, path] of table) {
    const read = readGood({ code: 'G', name: 'Good', category: 'Test', unitPrice: '10', ...row })
    assert.ok(!read.ok, path)
    assert.deepEqual([read.refusal.code, read.refusal.because.path], ['protocol.invalid_field', path])
  }
  assert.ok(readOptions({}).ok)
})

test('a form takes what its fields ask for and nothing else, and says so as a JSON Schema', () => {
  const fields = good({
    delivery: 'manual', form: [
      { name: 'account', label: '账号', pattern: '^[\\w@.]+$', error: '账号只能是字母和数字' }, { name: 'zone', type: 'select', choices: [{ label: '一区', value: '1' }, { label: '二区', value: '2' }] },
      { name: 'level', type: 'number', required: false }, { name: 'tags', type: 'checkbox', required: false, choices: [{ label: 'A' }, { label: 'B' }] }, { name: 'note', type: 'textarea', required: false },
    ],
  }).options.fields as GoodOptions['fields']
  const whole = { account: 'li@example', zone: '2' }
  const table: [Record<string, string>, string][] = [
    [whole, 'accepted'], [{ ...whole, level: '9.5', tags: 'A,B', note: 'two\nlines' }, 'accepted'], [{ zone: '1' }, '/form/account'], [{ ...whole, account: '' }, '/form/account'],
    [{ ...whole, account: 'a b' }, '/form/account'], [{ ...whole, zone: '3' }, '/form/zone'], [{ ...whole, level: 'ten' }, '/form/level'], [{ ...whole, tags: 'A,C' }, '/form/tags'],
    [{ ...whole, other: 'x' }, '/form/other'], [{ ...whole, note: 'x'.repeat(1001) }, '/form/note'], [{ ...whole, account: 'x'.repeat(201) }, '/form/account'], [{ ...whole, note: 'a\u202eb' }, '/form/note'],
  ]
  for (const [values, answer] of table) {
    const checked = checkForm(fields, values)
    assert.equal(checked.ok ? 'accepted' : checked.refusal.because.path, answer, JSON.stringify(values).slice(0, 80))
  }
  const schema = formSchema(fields) as { required: string[]; properties: Record<string, Record<string, unknown>> }
  assert.deepEqual(schema.required, ['account', 'zone'])
  assert.deepEqual(schema.properties.zone!.oneOf, [{ const: '1', title: '一区' }, { const: '2', title: '二区' }])
  assert.equal(schema.properties.account!.pattern, '^[\\w@.]+$')
  assert.deepEqual(formSchema([]), { type: 'object', additionalProperties: false, properties: {} })
})

test('a kept pattern that could not be imported today is never run: the other rules of the field hold', () => {
  const read = readOptions({ delivery: 'manual', form: [{ name: 'account', pattern: '^a$' }] })
  assert.ok(read.ok)
  const fields = read.value.fields.map((field) => ({ ...field, pattern: '^(a+)+\\1$' }))
  assert.ok(checkForm(fields, { account: 'b' }).ok)
  assert.ok(!checkForm(fields, { account: '' }).ok)
})
