import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readCsv, type CsvRecord } from './csv.ts'

async function read(...chunks: string[]): Promise<CsvRecord[]> {
  const records: CsvRecord[] = []
  for await (const record of readCsv((async function* () { yield* chunks })())) records.push(record)
  return records
}

const plain = (records: CsvRecord[]) => records.map(({ line, fields }) => [line, ...fields])

test('fields in quotes hold commas, doubled quotes and line breaks, and lines are counted as the file has them', async () => {
  const records = await read('a,"b, c","say ""hi"""\n"two\nlines",x,\n\nlast,,""')
  assert.deepEqual(plain(records), [[1, 'a', 'b, c', 'say "hi"'], [2, 'two\nlines', 'x', ''], [5, 'last', '', '']])
  assert.ok(records.every(({ problem }) => problem === null))
})

test('LF, CRLF and CR each end one line', async () => {
  assert.deepEqual(plain(await read('a,b\r\nc,d\re,f\n\r\ng,h')), [[1, 'a', 'b'], [2, 'c', 'd'], [3, 'e', 'f'], [5, 'g', 'h']])
})

test('a line break within quotes is kept as it was written', async () => {
  assert.deepEqual((await read('"a\r\nb",c'))[0]!.fields, ['a\r\nb', 'c'])
})

test('a record that is not well formed says why and does not hide the next one', async () => {
  const records = await read('"a"b,c\nd"e,f\ng,h\n"i,j\nk,l\n')
  assert.deepEqual(records.map(({ line, problem }) => [line, problem?.en ?? null]), [
    [1, 'text after a closing quote; write a quote within quotes twice'],
    [2, 'a quote in the middle of a field; put the whole field in quotes'],
    [3, null],
    [4, 'a quote is not closed; lines 4 to 6 were not read'],
  ])
})

test('a quote that is never closed does not swallow a large file', async () => {
  const records = await read(`"open,1\n${'x,1\n'.repeat(100_000)}`)
  assert.match(records[0]!.problem!.en, /not closed/)
  assert.deepEqual(records.at(-1), { line: 100_001, fields: ['x', '1'], problem: null })
})

test('whatever was written is read back, wherever the chunks are cut', async () => {
  const field = fc.string({ unit: fc.constantFrom('a', '卡', ',', '"', '\n', '\r', ' '), maxLength: 8 })
  const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 })
  await fc.assert(fc.asyncProperty(table, fc.array(fc.nat(60), { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), async (rows, cuts, lineBreak) => {
    const text = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',')).join(lineBreak)
    const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
    const chunks = places.slice(1).map((place, i) => text.slice(places[i], place))
    assert.deepEqual((await read(...chunks)).map(({ fields }) => fields), rows)
  }))
})
