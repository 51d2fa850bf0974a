import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { writeValue } from '../../test/acg-dump.ts'
import { WrongUsage } from '../problem.ts'
import { readDump, type DumpRow } from './sql-dump.ts'

async function read(text: string | Uint8Array, size = 1 << 20, wants = (table: string) => table.startsWith('acg_')): Promise<{ rows: DumpRow[]; counts: Map<string, number> }> {
  const bytes = Buffer.from(text as string)
  const counts = new Map<string, number>()
  const rows: DumpRow[] = []
  for await (const batch of readDump(cutAt(bytes, size), { wants, counts })) rows.push(...batch)
  return { rows, counts }
}

async function* cutAt(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
}

async function valuesOf(text: string): Promise<Record<string, string | null>[]> {
  return (await read(text)).rows.map(({ values }) => ({ ...values }))
}

async function refusal(text: string | Uint8Array): Promise<string> {
  try {
    await read(text)
  } catch (error) {
    assert.ok(error instanceof WrongUsage)
    assert.match(error.words.zh, /第 \d+ 行/)
    return error.words.en
  }
  assert.fail('the dump was read')
}

const USER = 'CREATE TABLE `acg_user` (\n  `id` int NOT NULL,\n  `name` varchar(32) DEFAULT \'a,b)(\',\n  PRIMARY KEY (`id`),\n  KEY `k` (`name`(10))\n);\n'

test('whatever stands in a value comes back, wherever the chunks are cut', async () => {
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom("'", '\\', '\n', '\0', '"', ',', ')', '(', ';', '-', '`', '卡', '😀', 'a', '%', '_', '\r', '\u001a') }), fc.constant(null))
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 40 }), fc.boolean(), async (rows, size, oneByOne) => {
    const insert = (list: typeof rows) => `INSERT INTO \`acg_user\` VALUES ${list.map((row) => `(${row.map(writeValue).join(',')})`).join(',\n')};\n`
    const dump = USER + (oneByOne ? rows.map((row) => insert([row])).join('') : insert(rows))
    const { rows: seen, counts } = await read(dump, size)
    assert.deepEqual(seen.map(({ values }) => [values.id, values.name]), rows)
    assert.equal(counts.get('acg_user'), rows.length)
  }), { numRuns: 300 })
})

test('inserts of all tools are read: with and without a list of columns, one row or many, quoted by either quote', async () => {
  for (const insert of [
    "INSERT INTO `acg_user` VALUES (1,'小明');", "insert into acg_user values(1 , '小明') ;", "INSERT INTO `acg_user` (`name`, `id`) VALUES\n('小明', 1);", "REPLACE INTO `shop`.`acg_user` (id,name) VALUES (1,\"小明\");",
    "INSERT IGNORE INTO shop.acg_user VALUES (1,_utf8mb4'小明');", "INSERT INTO `acg_user` VALUES (1,0xE5B08FE6988E);", "INSERT INTO `acg_user` VALUES (1,x'E5B08FE6988E');", "BEGIN;\nINSERT INTO `acg_user` VALUES (1, '小明');\nCOMMIT;",
  ]) assert.deepEqual(await valuesOf(USER + insert), [{ id: '1', name: '小明' }], insert)
})

test('numbers, nulls and truths are read; escapes of every kind', async () => {
  assert.deepEqual(await valuesOf(`${USER}INSERT INTO acg_user VALUES (-1.50,NULL),(1e-3,TRUE),(.5,false),('it''s','a\\'b\\\\c\\nd\\te\\0f\\%g\\_h\\qi');`), [
    { id: '-1.50', name: null }, { id: '1e-3', name: '1' }, { id: '.5', name: '0' }, { id: "it's", name: "a'b\\c\nd\te\0f\\%g\\_hqi" },
  ])
})

test('comments of every kind stand aside, and a comment in a value is a value', async () => {
  const dump = `-- a; 'quote\n# another 'one\n/*!40101 SET NAMES utf8mb4 */;\n/*M!999999\\- enable the sandbox mode */\n${USER}/* ' ; */ INSERT INTO acg_user -- here\nVALUES (1,'-- no /* comment */ # here'); -- end`
  assert.deepEqual(await valuesOf(dump), [{ id: '1', name: '-- no /* comment */ # here' }])
})

test('rows of other tables are counted and not kept, whatever stands in them', async () => {
  const { rows, counts } = await read(`INSERT INTO log VALUES (1,'a;b)',now()),(2,(3),'x');\n${USER}INSERT INTO acg_user VALUES (1,'a');`)
  assert.deepEqual([rows.length, counts.get('log'), counts.get('acg_user')], [1, 2, 1])
})

test('a row is named by the line on which it begins', async () => {
  const { rows } = await read(`${USER}\nINSERT INTO acg_user VALUES\n(1,'two\nlines'),\n(2,'x');`)
  assert.deepEqual(rows.map(({ line }) => line), [9, 11])
})

test('what is not understood is an error with its line, and never gone past', async () => {
  const cases: [string | Uint8Array, RegExp][] = [
    [`${USER}COPY acg_user FROM stdin;`, /Line 7 .*"COPY"/], [`${USER}INSERT INTO acg_user VALUES (1,'a'`, /Line 7 /], [`${USER}INSERT INTO acg_user VALUES (1,'a`, /quote is not closed/],
    [`${USER}INSERT INTO acg_user VALUES (1);`, /1 values for 2 columns/], [`${USER}INSERT INTO acg_user VALUES (1,NOW());`, /"NOW" is not a value/], [`${USER}INSERT INTO acg_user VALUES (1,'a') (2,'b');`, /neither a comma nor/],
    [`${USER}INSERT INTO acg_user SELECT * FROM b;`, /without VALUES/], ["INSERT INTO acg_user VALUES (1,'a');", /columns of acg_user are not known/], [`${USER}UPDATE acg_user SET id = 1;`, /"UPDATE"/],
    ['SET NAMES gbk;', /written in gbk/], ['/*!40101 SET NAMES latin1 */;', /written in latin1/], [Buffer.from([0x1f, 0x8b, 8]), /compressed/], [Buffer.from([0xff, 0xfe, 0x20, 0]), /UTF-16/],
    [Buffer.concat([Buffer.from(`${USER}INSERT INTO acg_user VALUES (1,'`), Buffer.from([0xc4, 0xe3]), Buffer.from("');")]), /not UTF-8/], ['/* open', /comment is not closed/], [`${USER}\n1;`, /begins no statement/],
  ]
  for (const [dump, pattern] of cases) assert.match(await refusal(dump), pattern)
})

test('a value without an end is not collected for ever', async () => {
  await assert.rejects(read(`${USER}INSERT INTO acg_user VALUES (1,'${'x'.repeat(18 * 1024 * 1024)}`), /more than 16 MB|not closed/)
})
