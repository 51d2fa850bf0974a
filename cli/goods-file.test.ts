import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { WrongUsage } from './command.ts'
import { readGoodsFile, type GoodRow } from './goods-file.ts'
import { readText, type Charset } from './text-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-goods-'))
after(() => rmSync(folder, { recursive: true }))

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function read(name: string, content: string | Uint8Array, charset: Charset = 'utf-8'): Promise<GoodRow[]> {
  const file = join(folder, name)
  writeFileSync(file, content)
  const rows: GoodRow[] = []
  for await (const row of readGoodsFile(file, readText(file, nothing(), charset))) rows.push(row)
  return rows
}

const header = 'code,name,category,unitPrice'

test('a CSV with a byte order mark and CRLF is read like one without', async () => {
  const expected = [{ line: 2, good: { code: 'a-1', name: '骏网', category: '点卡', unitPrice: '9.50' }, problem: null }]
  assert.deepEqual(await read('a.csv', `\ufeff${header}\r\na-1,骏网,点卡,9.50\r\n`), expected)
  assert.deepEqual(await read('b.csv', `${header}\na-1,骏网,点卡,9.50`), expected)
})

test('optional cells become numbers and truth values; empty ones are left to the hub', async () => {
  const [row, other] = await read('a.csv', `${header},onSale,minimum,maximum,description\na,b,c,1,是,2,30,x\na2,b,c,1,no,,,\n`)
  assert.deepEqual(row!.good, { code: 'a', name: 'b', category: 'c', unitPrice: '1', onSale: true, minimum: 2, maximum: 30, description: 'x' })
  assert.deepEqual(other!.good, { code: 'a2', name: 'b', category: 'c', unitPrice: '1', onSale: false })
})

test('what cannot be a number or a truth value stays text, so that the hub can say what it expects', async () => {
  const [row] = await read('a.csv', `${header},onSale,minimum\na,b,c,1,maybe,1.5\n`)
  assert.deepEqual([row!.good!.onSale, row!.good!.minimum], ['maybe', '1.5'])
})

test('a line with too few or too many columns is named by its line and left out', async () => {
  const rows = await read('a.csv', `${header}\n"a","two\nlines",c,1\nb,x\n\nc,x,y,1,2\nd,x,y,1\n`)
  assert.deepEqual(rows.map(({ line, good, problem }) => [line, good?.code ?? null, problem?.en ?? null]), [
    [2, 'a', null], [4, null, '2 columns; the header has 4'], [6, null, '5 columns; the header has 4'], [7, 'd', null],
  ])
})

test('a header that does not fit is refused whole, with the names that are missing, unknown or doubled', async () => {
  await assert.rejects(read('a.csv', 'code,name,preis,name\na,b,c,d'), (error: WrongUsage) =>
    error instanceof WrongUsage && /missing category, unitPrice; unknown preis; twice name/.test(error.message) && /缺少 category, unitPrice/.test(error.words.zh))
  await assert.rejects(read('b.csv', ''), /is empty/)
})

test('elements of a JSON array are named by the lines on which they begin', async () => {
  const rows = await read('a.json', '[{"code":"a,[]{}\\"\\n"},\n\n {"code":\n"b"}, 5,\n[1,\n2], {}]')
  assert.deepEqual(rows.map(({ line, good }) => [line, good?.code ?? null]), [[1, 'a,[]{}"\n'], [3, 'b'], [4, null], [5, null], [6, null]])
  await assert.rejects(read('b.json', '{"code":"a"}'), /must be a JSON array/)
  await assert.rejects(read('c.json', '[{'), /is not JSON/)
})

test('in NDJSON a line that is not an object is named, and the others are read', async () => {
  const rows = await read('a.ndjson', '{"code":"a"}\n\n{bad\n"text"\r\n{"code":"b"}')
  assert.deepEqual(rows.map(({ line, good, problem }) => [line, good?.code ?? null, problem === null]), [[1, 'a', true], [3, null, false], [4, null, false], [5, 'b', true]])
})

test('a file in GBK is not guessed at: it is refused as UTF-8 and read when it is named', async () => {
  const gbk = Buffer.concat([Buffer.from(`${header}\na,`), Buffer.from([0xbf, 0xa8]), Buffer.from(',c,1\n')])
  await assert.rejects(read('a.csv', gbk), (error: WrongUsage) => error instanceof WrongUsage && error.message.includes('--charset gb18030'))
  assert.equal((await read('a.csv', gbk, 'gb18030'))[0]!.good!.name, '卡')
})

test('a file of another kind, or one that is not there, is wrong usage', async () => {
  await assert.rejects(read('goods.xlsx', 'x'), /neither \.csv nor \.json nor \.ndjson/)
  await assert.rejects(async () => { for await (const _ of readText(join(folder, 'none.csv'), nothing(), 'utf-8')) assert.fail('nothing to read') }, WrongUsage)
})
