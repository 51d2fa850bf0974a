import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf, openEntry, prefixOf, RequestLog, withoutSecrets } from './request-log.ts'

let count = 0
function entryOf(docking: string, url = '/api/orders', isProven = true) {
  const entry = openEntry({ id: `req_${++count}`, method: 'POST', ip: '192.0.2.7', raw: { url } }, '/api/orders', 0, 1_795_383_120_000)
  Object.assign(entry, { docking, isProven })
  return entry
}

test('all dockings together are bounded, and the quiet ones are forgotten first', () => {
  const log = new RequestLog({ perDocking: 10, mostEntries: 100, sinceMs: 0 })
  for (let round = 0; round < 1_000; round++) {
    log.keep(entryOf('dck_busy'))
    log.keep(entryOf(`dck_${round}`))
    assert.ok(log.size <= 100)
  }
  assert.equal(log.page('dck_busy', null, 100)!.length, 10)
  assert.deepEqual(log.page('dck_0', null, 100), [])
  assert.equal(log.page('dck_999', null, 100)!.length, 1)
})

test('what was kept is what is read, whatever its length, and the oldest goes first', () => {
  const log = new RequestLog({ perDocking: 20, mostEntries: 100, sinceMs: 0 })
  const body = (i: number) => ({ reference: '单'.repeat(i % 3) + i, quantity: i })
  for (let i = 1; i <= 45; i++) {
    const entry = entryOf('dck_a', i % 2 ? '/api/orders' : `/api/orders/ord_${i}`)
    Object.assign(entry, { keyId: `key_${i}`, status: 200 + i, bytesOut: i * 1_000, code: i % 3 ? null : 'orders.not_found', body: i % 5 ? Buffer.from(JSON.stringify(body(i))) : { call: 'trade', quantity: i } })
    log.keep(entry)
  }
  const kept = log.page('dck_a', null, 100)!
  assert.equal(kept.length, 20)
  kept.forEach((entry, n) => {
    const i = 45 - n
    assert.deepEqual(
      [entry.method, entry.route, entry.path, entry.keyId, entry.status, entry.bytesOut, entry.code, entry.address, entry.atMs, entry.body],
      ['POST', '/api/orders', i % 2 ? '/api/orders' : `/api/orders/ord_${i}`, `key_${i}`, 200 + i, i * 1_000, i % 3 ? null : 'orders.not_found', '192.0.2.7', 1_795_383_120_000, i % 5 ? body(i) : { call: 'trade', quantity: i }],
    )
    assert.equal(log.find('dck_a', entry.id)!.status, 200 + i)
  })
  const odd = entryOf('dck_b')
  odd.body = Buffer.alloc(281, 0x20)
  log.keep(odd)
  assert.equal(log.page('dck_b', null, 1)![0]!.body, null, 'a body that is too long is told by its size alone')
})

test('failed sign-ins stand among the others by their time, and push out nothing that was proven', () => {
  const log = new RequestLog({ perDocking: 20, mostEntries: 60, sinceMs: 0 })
  const proven = Array.from({ length: 20 }, () => {
    const entry = entryOf('dck_a')
    log.keep(entry)
    if (count % 2 === 0) log.keep(entryOf('dck_a', '/api/orders', false))
    return entry.id
  })
  for (let i = 0; i < 1_000; i++) log.keep(entryOf('dck_a', '/api/orders', false))
  const kept = log.page('dck_a', null, 100)!
  assert.equal(kept.length, 30)
  assert.deepEqual(kept.filter(({ id }) => proven.includes(id)).map(({ id }) => id), proven.toReversed())
  assert.equal(kept[0]!.id, `req_${count}`, 'the last of them is seen first')
  log.keep(entryOf('dck_a'))
  assert.equal(log.page('dck_a', null, 1)![0]!.id, `req_${count}`)
  for (let i = 0; i < 1_000; i++) log.keep(entryOf(`dck_${i}`, '/api/orders', false))
  assert.equal(log.size, 60)
  assert.equal(log.page('dck_a', null, 100)!.length, 20, 'where all is full they are the first to go')
})

test('a request of nobody is kept nowhere', () => {
  const log = new RequestLog({ perDocking: 10, mostEntries: 100, sinceMs: 0 })
  log.keep(entryOf(''))
  assert.equal(log.size, 0)
})

test('a path is kept without its query and to a bounded length', () => {
  const log = new RequestLog({ perDocking: 10, mostEntries: 100, sinceMs: 0 })
  for (const url of ['/api/goods?cursor=secret', `/${'x'.repeat(5_000)}?y`, '/api/orders', '/']) log.keep(entryOf('a', url))
  assert.deepEqual(log.page('a', null, 10)!.map((entry) => entry.path), ['/', '/api/orders', `/${'x'.repeat(79)}`, '/api/goods'])
})

test('of a body the names are shown, and the values of what was asked', () => {
  const body = { reference: 'A-1', quantity: 2, member: 'm', form: { account: 'x' }, 'odd name': 1, good: ['gds'], maxUnitPrice: 'x'.repeat(65) }
  assert.deepEqual(fieldsOf(body), { reference: 'A-1', quantity: 2, member: '***', form: '***', '***': '***', good: '***', maxUnitPrice: '***' })
  for (const nothing of [undefined, null, 'text', [1], 7]) assert.deepEqual(fieldsOf(nothing), {})
  assert.equal(Object.keys(fieldsOf(Object.fromEntries(Array.from({ length: 90 }, (_, i) => ['a'.repeat(i % 20 + 1), i])))).length, 20)
})

test('keys and secrets are hidden wherever they stand', () => {
  assert.equal(withoutSecrets(`/a/bth_live_${'A'.repeat(36)}/b`), '/a/***/b')
  assert.equal(withoutSecrets(`/a/${'k'.repeat(43)}`), '/a/***')
  assert.equal(withoutSecrets('/api/orders/ord_01jd3q8w5kz0g7tq4m2x'), '/api/orders/ord_01jd3q8w5kz0g7tq4m2x')
})

test('an address is told by its network', () => {
  assert.deepEqual(['203.0.113.9', '::ffff:203.0.113.9', '2001:db8:1:2:3:4:5:6', '2001:db8::1', '::1'].map(prefixOf), ['203.0.113.0/24', '203.0.113.0/24', '2001:db8:1::/48', '2001:db8::/48', '::/48'])
})
