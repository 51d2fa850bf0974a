import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { openWith, sealWith, Vault } from './vault.ts'

const kek = Buffer.alloc(32, 7)
const vault = new Vault(kek)

test('what is sealed is opened, under its own context and key only', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), fc.string(), (plain, context, other) => {
    const sealed = vault.seal(plain, context)
    assert.deepEqual(vault.open(sealed, context), Buffer.from(plain))
    assert.deepEqual(new Vault(kek).open(new Uint8Array(sealed), context), Buffer.from(plain), 'another process with the same key')
    if (other !== context) assert.throws(() => vault.open(sealed, other))
    assert.throws(() => new Vault(randomBytes(32)).open(sealed, context))
  }))
})

test('a sealed secret of which any bit was changed, or that was cut, does not open', () => {
  const sealed = vault.seal(Buffer.from('ABC-123'), 'card')
  for (let i = 0; i < sealed.length * 8; i++) {
    const changed = Buffer.from(sealed)
    changed[i >> 3]! ^= 1 << (i & 7)
    assert.throws(() => vault.open(changed, 'card'), `bit ${i}`)
  }
  for (let length = 0; length < sealed.length; length++) assert.throws(() => vault.open(sealed.subarray(0, length), 'card'), `${length} bytes`)
})

test('the same secret is never sealed to the same bytes, and its length is all that shows', () => {
  const sealed = new Set(Array.from({ length: 200 }, () => vault.seal(Buffer.from('ABC-123'), 'card').toString('hex')))
  assert.equal(sealed.size, 200)
  for (const one of sealed) assert.equal(one.length, (12 + 7 + 16) * 2)
})

test('a data key seals for one lot, and is itself sealed', () => {
  const { key, sealed } = vault.makeDataKey('data key|gds_1')
  const card = sealWith(key, Buffer.from('ABC'), 'card|1')
  assert.equal(openWith(new Vault(kek).openDataKey(sealed, 'data key|gds_1'), card, 'card|1').toString(), 'ABC')
  assert.throws(() => vault.openDataKey(sealed, 'data key|gds_2'))
  assert.throws(() => openWith(vault.makeDataKey('data key|gds_1').key, card, 'card|1'))
})

test('the blind index is equal for equal texts and one key, and says nothing under another', () => {
  assert.deepEqual(vault.blind('live|gds|ABC'), new Vault(kek).blind('live|gds|ABC'))
  assert.equal(vault.blind('x').length, 16)
  assert.notDeepEqual(vault.blind('live|gds|ABC'), vault.blind('live|gds|ABD'))
  assert.notDeepEqual(vault.blind('live|gds|ABC'), new Vault(Buffer.alloc(32, 8)).blind('live|gds|ABC'))
})

test('the fingerprint tells keys apart and does not give the key; a key has 32 bytes', () => {
  assert.match(vault.fingerprint, /^[0-9a-f]{32}$/)
  assert.notEqual(new Vault(Buffer.alloc(32, 8)).fingerprint, vault.fingerprint)
  for (const bytes of [0, 16, 31, 33, 64]) assert.throws(() => new Vault(Buffer.alloc(bytes)))
})
