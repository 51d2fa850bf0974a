import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mojibakeOfBytes, mojibakeOfFields, mojibakeOfText, type Mojibake } from './mojibake.ts'

const bytes = (hex: string) => Uint8Array.from(hex.match(/../g)!.map((pair) => Number.parseInt(pair, 16)))
const utf8 = (text: string) => new TextEncoder().encode(text)
const latin1 = (data: Uint8Array) => new TextDecoder('latin1').decode(data)

const texts: readonly (readonly [name: string, text: string, kind: Mojibake['kind'], meant: string | null])[] = [
  ['卡密 read as GBK', '鍗″瘑', 'utf8_read_as_gbk', '卡密'],
  ['你好世界 read as GBK', new TextDecoder('gbk').decode(utf8('你好世界')), 'utf8_read_as_gbk', '你好世界'],
  ['an odd number of bytes read as GBK', new TextDecoder('gbk').decode(utf8('腾讯视频月')), 'utf8_read_as_gbk', '腾讯视频��'],
  ['卡密 read as Windows-1252', latin1(utf8('卡密')), 'utf8_read_as_latin1', '卡密'],
  ['卡密 read as ISO 8859-1', [...utf8('卡密')].map((byte) => String.fromCharCode(byte)).join(''), 'utf8_read_as_latin1', '卡密'],
  ['卡密 with a byte that was dropped', 'å¡å¯†', 'utf8_read_as_latin1', '�密'],
  ['卡密 with a byte that was replaced', 'å\ufffd¡å¯†', 'utf8_read_as_latin1', '���密'],
  ['卡密 in GBK read as Latin-1', '¿¨ÃÜ', 'gbk_read_as_latin1', '卡密'],
  ['充值账号 in GBK read as Latin-1', '³äÖµÕËºÅ', 'gbk_read_as_latin1', '充值账号'],
  ['卡密 encoded twice', latin1(utf8(latin1(utf8('卡密')))), 'encoded_twice', '卡密'],
  ['replacement characters read as GBK', '锟斤拷锟斤拷', 'lost', null],
  ['replacement characters', '账号��', 'lost', null],
]

for (const [name, text, kind, meant] of texts) {
  test(`text: ${name}`, () => {
    const found = mojibakeOfText(text)
    assert.deepEqual([found?.kind, found?.meant], [kind, meant])
    assert.match(found!.says.zh, /\p{Script=Han}/u)
    if (meant) assert.ok(found!.says.en.includes(meant) && found!.says.zh.includes(meant))
  })
}

test('bytes: GBK and UTF-16 under the name of UTF-8 are called by their names', () => {
  const found = (data: Uint8Array) => [mojibakeOfBytes(data)?.kind, mojibakeOfBytes(data)?.meant]
  assert.deepEqual(found(bytes('bfa8c3dc')), ['gbk_bytes', '卡密'])
  assert.deepEqual(found(Uint8Array.from([...utf8('{"name":"'), ...bytes('bfa8c3dc'), ...utf8('"}')])), ['gbk_bytes', '{"name":"卡密"}'])
  assert.deepEqual(found(Uint8Array.from([0xff, 0xfe, ...Buffer.from('卡密', 'utf16le')])), ['utf16_bytes', '卡密'])
  assert.deepEqual(found(Buffer.from('{"probe":1}!', 'utf16le')), ['utf16_bytes', '{"probe":1}!'])
  assert.deepEqual(found(utf8('鍗″瘑')), ['utf8_read_as_gbk', '卡密'])
  assert.equal(mojibakeOfBytes(bytes('ff00fe8180')), null, 'noise is called nothing')
})

const plain = [
  '卡密', '腾讯视频月卡', '充值账号（手机号）', '骏网一卡通 10元', '王者荣耀-微信区', '联通话费', '爱奇艺黄金会员·季卡', '中国移动50元', '繁體中文遊戲點數', '全家便利商店', '￥100 “优惠”', '哔哩哔哩大会员',
  'crédit à la carte', 'Größe Äpfel', 'naïve café', 'señor', '', 'plain ascii', '日本語のテキスト', '한국어', '😀 emoji', '€10', '—…·',
]

test('what is plainly written is never called garbled', () => {
  assert.deepEqual(plain.filter((text) => mojibakeOfText(text) !== null || mojibakeOfBytes(utf8(text)) !== null), [])
})

test('text of the 3,755 first characters of GB 2312 is never called garbled, and is always found when it is', () => {
  const everyday = fc.array(fc.record({ lead: fc.integer({ min: 0xb0, max: 0xd6 }), trail: fc.integer({ min: 0xa1, max: 0xfe }) }), { minLength: 2, maxLength: 12 })
    .map((pairs) => new TextDecoder('gbk').decode(Uint8Array.from(pairs.flatMap(({ lead, trail }) => [lead, trail]))))
  fc.assert(fc.property(everyday, (text) => {
    assert.equal(mojibakeOfText(text), null)
    assert.equal(mojibakeOfText(latin1(utf8(text)))?.meant, text)
    assert.equal(mojibakeOfText(latin1(utf8(latin1(utf8(text)))))?.kind, 'encoded_twice')
    const asGbk = new TextDecoder('gbk').decode(utf8(text))
    // A lost byte, or the one character that GBK writes in two ways, cannot be had back.
    if (!/[\ufffd\u3000]/.test(asGbk)) assert.equal(mojibakeOfText(asGbk)?.meant, text)
  }), { numRuns: 300 })
})

test('whatever the bytes are, the look ends with a value', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
    const found = mojibakeOfBytes(data)
    assert.ok(found === null || found.says.en.length > 0)
  }), { numRuns: 500 })
  assert.equal(mojibakeOfBytes(utf8('卡'.repeat(5_000))), null, 'a character cut by the end of the look is no fault')
})

test('of many fields the one that is garbled is named', () => {
  assert.equal(mojibakeOfFields([['code', 'Q10'], ['contact', '鍗″瘑']])?.field, 'contact')
  assert.equal(mojibakeOfFields([['code', 'Q10'], ['contact', '卡密']]), null)
})
