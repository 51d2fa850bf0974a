import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf, openEntry, prefixOf, RequestLog, withoutSecrets } from './request-log.ts'

let count = 0
function entryOf(docking: string, url = '/api/orders') {
  const entry = openEntry({ id: `req_${++count}`, method: 'POST', ip: '192.0.2.7', raw: { url } }, '/api/orders', 0, 1_795_383_120_000)
  entry.docking = docking
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

test('a request of nobody is kept nowhere', () => {
  const log = new RequestLog({ perDocking: 10, mostEntries: 100, sinceMs: 0 })
  log.keep(entryOf(''))
  assert.equal(log.size, 0)
})

test('a path is kept without its query and to a bounded length', () => {
  assert.equal(entryOf('a', '/api/goods?cursor=secret').path, '/api/goods')
  assert.equal(entryOf('a', `/${'x'.repeat(5_000)}?y`).path.length, 200)
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
