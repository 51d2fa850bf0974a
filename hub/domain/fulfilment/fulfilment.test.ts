import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Vault } from '../../platform/sealing/vault.ts'
import { orderOfToken, pickupToken, readKept, sealForm, sealText } from './index.ts'

const vault = new Vault(Buffer.alloc(32, 7))
const ORDER = 'ord_0123456789abcdefghij'
const OTHER = 'ord_0123456789abcdefghik'

test('a pick-up token leads to its order, and no other text leads anywhere', () => {
  const token = pickupToken(vault, ORDER)
  assert.equal(orderOfToken(vault, token), ORDER)
  assert.notEqual(pickupToken(vault, OTHER), token)
  const swapped = OTHER.slice('ord_'.length) + token.slice(20)
  for (const wrong of ['', token.slice(1), `${token}A`, swapped, `${token.slice(0, -2)}AA`, token.toUpperCase(), pickupToken(new Vault(Buffer.alloc(32, 8)), ORDER)]) {
    assert.equal(orderOfToken(vault, wrong), null, wrong)
  }
})

test('form and text open for their own order only', () => {
  const at = new Date(0)
  const rowOf = (order: string) => [1, 'dck', order, sealForm(vault, ORDER, { account: '甲' }), sealText(vault, ORDER, '已充值'), null, false, at]
  assert.deepEqual(readKept(vault, [rowOf(ORDER)]), [{ order: { lane: 1, docking: 'dck', id: ORDER }, form: { account: '甲' }, text: '已充值', reason: null, waiting: false, endedAt: at }])
  assert.throws(() => readKept(vault, [rowOf(OTHER)]))
  assert.equal(sealForm(vault, ORDER, {}), null, 'an empty form is not kept')
})
