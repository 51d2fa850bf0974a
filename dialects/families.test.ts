import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { recognise, type FamilyId, type Glimpse } from './families.ts'

const VECTORS = new URL('../test/vectors/', import.meta.url)

function glimpse(change: Partial<Glimpse>): Glimpse {
  return { method: 'POST', path: '/', query: '', contentType: '', headers: {}, body: '', ...change }
}

/** One request as it stands in a recording. */
function recorded(text: string): Glimpse {
  const [head = '', body = ''] = text.split(/\r\n\r\n/, 2)
  const [line = '', ...lines] = head.split('\r\n')
  const [method = '', target = ''] = line.split(' ')
  const [path = '', query = ''] = target.split('?', 2)
  const headers = Object.fromEntries(lines.map((one) => [one.slice(0, one.indexOf(':')).toLowerCase(), one.slice(one.indexOf(':') + 1).trim()]))
  return { method, path, query, headers, contentType: headers['content-type'] ?? '', body }
}

for (const [folder, family] of [['acg-type0', 'acg0'], ['dujiao-next', 'dujiao_next']] as const) {
  test(`every recorded request of ${folder} is recognised`, () => {
    const requests = new URL(`${folder}/requests/`, VECTORS)
    const files = readdirSync(requests)
    assert.ok(files.length > 5)
    for (const file of files) {
      const [first] = recognise(recorded(readFileSync(new URL(file, requests), 'utf8')))
      assert.equal(first?.family, family, file)
      assert.ok(first.score >= 0.5 && first.score <= 1 && first.marks.length > 0, file)
    }
  })
}

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

/** From the documents and worked examples of each family. */
const documented: readonly (readonly [FamilyId, Partial<Glimpse>])[] = [
  ['acg1', { path: '/plugin/open-api/connect', contentType: FORM, headers: { 'api-id': '1000', 'api-signature': 'e7907a08fae6bf93a27a4edf68893efd' } }],
  ['acg2', { path: '/plugin/SharedStock/api/items', contentType: FORM, body: 'app_id=1&app_key=K&sign=d2a6e446e02474186199205f3bc13525' }],
  ['json', { path: '/api/orders', contentType: JSON_TYPE, headers: { authorization: 'Bearer bth_live_x' }, body: '{"reference":"A-1","good":"gds_1","quantity":1,"maxUnitPrice":"9.80"}' }],
  ['dujiaoka', { path: '/hook', contentType: JSON_TYPE, body: '{"title":"t","order_sn":"X","email":"a@b.example","actual_price":1,"order_info":"","good_id":3,"gd_name":"g"}' }],
  ['kasushou', { path: '/api/v1/order/info', contentType: JSON_TYPE, headers: { sign: '15b8f541eb10e3fbb33efd92c8d52d50ddca0784', timestamp: '1696645385740', userid: '7' }, body: '{"day":10,"external_orderno":"","ordersn":"D100759082558859640832"}' }],
  ['kayixin', { path: '/api/v3/order/getDetail', contentType: JSON_TYPE, headers: { 'x-app-id': '10000652', 'x-version': '3.0', 'x-timestamp': '1760767397', 'x-signature': '6a414e658265ff3ca665cee3b161c4e9' }, body: '{"orderNumber":"20251016165825069","outerNumber":""}' }],
  ['kakayun', { path: '/dockapi/index/buy.html', contentType: FORM, body: 'buynum=1&callbackurl=http://a.example/cb&goodsid=100&userid=30774&sign=07399f0997575784a787fe8cfe8118bf' }],
  ['yile', { path: '/api/order', contentType: FORM, body: 'api_token=tok&gid=12&num=1&timestamp=1700000000&value1=qq123&sign=e310177424ebcc20c2a323ac0d0f0297' }],
  ['rainbow', { path: '/api.php', query: 'act=pay', contentType: FORM, body: 'user=u&pass=p&tid=1&num=1&input1=q' }],
  ['ofpay', { method: 'GET', path: '/onlineorder.do', query: 'userid=A00001&userpws=x&cardid=140101&cardnum=50&sporder_id=T1&sporder_time=20260301120000&game_userid=13800138000&md5_str=C8EB59514B917795FCAF8885F6B2923F&version=6.0' }],
  ['goofish', { path: '/goofish/goods/detail', query: 'mch_id=1&timestamp=1700000000&sign=9b8030f5097d5ed123405b003dd247c5', contentType: JSON_TYPE, body: '{"goods_type":1,"goods_no":"12344532"}' }],
  ['fulu', { path: '/router', contentType: JSON_TYPE, body: '{"app_key":"k","method":"fulu.order.card.add","timestamp":"2026-01-01 00:00:00","sign":"x","biz_content":"{}"}' }],
  ['jd', { path: '/notify', contentType: FORM, body: 'customerId=1&data=eyJvcmRlcklkIjoxMjM0NTY3ODkwMTJ9&sign=9b8030f5097d5ed123405b003dd247c5' }],
  ['top', { path: '/router/rest', contentType: FORM, body: 'method=taobao.items.get&app_key=1&session=s&sign_method=md5&sign=X' }],
  ['xml', { path: '/service', contentType: 'text/xml; charset=GB2312', body: '<?xml version="1.0" encoding="GB2312"?><order><id>1</id></order>' }],
]

for (const [family, change] of documented) {
  test(`a request as the documents of ${family} write it is recognised`, () => {
    const found = recognise(glimpse(change))
    assert.equal(found[0]?.family, family)
    assert.equal(found[0].isServed, ['acg1', 'acg2', 'json'].includes(family))
    assert.match(found[0].name.zh + found[0].signs.zh, /\p{Script=Han}/u)
  })
}

test('kasushou that was sent to the address of an acg docking is still kasushou', () => {
  const [first] = recognise(glimpse({ path: '/d/acg/dck_1/api/v1/order/buy', contentType: JSON_TYPE, headers: { sign: 'x', timestamp: '1', userid: '7' }, body: '{"id":1,"external_orderno":"A","quantity":1,"safe_price":1}' }))
  assert.deepEqual([first?.family, first?.score], ['kasushou', 1])
})

test('what has the marks of nobody stays unknown', () => {
  const strangers: Partial<Glimpse>[] = [
    {}, { body: 'hello' }, { method: 'GET', path: '/' }, { path: '/api/v1/pay', contentType: JSON_TYPE, body: '{"amount":1,"sign":"x"}' }, { contentType: FORM, body: 'sign=9b8030f5097d5ed123405b003dd247c5&timestamp=1' },
    { method: 'GET', path: '/api/users', headers: { authorization: 'Bearer abc' } }, { contentType: FORM, body: 'data=hello&sign=x' },
  ]
  for (const stranger of strangers) assert.deepEqual(recognise(glimpse(stranger)), [], JSON.stringify(stranger))
})

test('whatever comes, an answer is a list of at most three, and no value of a field is among the marks', () => {
  fc.assert(fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 60 }), fc.constantFrom('', FORM, JSON_TYPE, 'text/xml'), (body, path, contentType) => {
    const found = recognise(glimpse({ path, contentType, body: `app_id=1000&app_key=PLANTED-SECRET&sign=x&${body}` }))
    assert.ok(found.length <= 3)
    assert.ok(!JSON.stringify(found).includes('PLANTED-SECRET'))
  }), { numRuns: 300 })
})
