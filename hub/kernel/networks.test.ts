import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './networks.ts'

test('one customer is one network: an IPv4 address, or the 64 bits that a provider hands out', () => {
  assert.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(networkOf('2001:db8:1:2::1'), networkOf('2001:0DB8:1:2:ffff::9'))
  assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  assert.equal(networkOf('::1'), '0:0:0:0')
  assert.equal(networkOf('-'), '-')
})
